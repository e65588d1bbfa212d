"""Rows that are scored together, told apart: articles that can be scored, and rows that cannot, each with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from newsclf.article import Article
from newsclf.corpus.clean import CleanArticle
from newsclf.corpus.formats import BadRow
from newsclf.corpus.read import FIELDS, Columns

ROWS, CHARACTERS = 2048, 1 << 23
"""Rows, and characters of their texts, that are scored together at most; a row more where one alone is longer."""

Cleaned = dict[str, list[CleanArticle]]
"""Fingerprint of a CleanSpec → the articles cleaned by it."""

Clean = Callable[[Sequence[Article]], Cleaned]


@dataclass(frozen=True)
class Batch:
    """Rows that are scored together: the articles that can be scored, cleaned in each way that a model asks for, and the rows that cannot."""

    rows: int
    articles: list[Article]
    cleaned: Cleaned
    bad: list[BadRow]

    @classmethod
    def of(cls, rows: Sequence[Article | BadRow], clean: Clean) -> Self:
        """Clean what was read, and tell apart what is left of it; both in the order of the rows."""
        articles = [row for row in rows if isinstance(row, Article)]
        cleaned = clean(articles)
        # an article that one of the models has nothing left of is scored by none: a row is scored or set aside, never both
        empty = {at: nothing_left(item) for items in cleaned.values() for at, item in enumerate(items) if item.is_empty}
        if not empty and len(articles) == len(rows):
            return cls(len(rows), articles, cleaned, [])
        kept = [at for at in range(len(articles)) if at not in empty]
        numbers = iter(range(len(articles)))
        bad = []
        for row in rows:
            if isinstance(row, BadRow):
                bad.append(row)
            elif (at := next(numbers)) in empty:
                bad.append(BadRow(row.place, empty[at]))
        return cls(len(rows), [articles[at] for at in kept], {key: [items[at] for at in kept] for key, items in cleaned.items()}, bad)


def batches(rows: Iterator[Article | BadRow]) -> Iterator[list[Article | BadRow]]:
    """Rows in batches of bounded size."""
    batch: list[Article | BadRow] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row.text) if isinstance(row, Article) else 0
        if len(batch) == ROWS or size >= CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def kept_columns(articles: Sequence[Article], names: Sequence[str], columns: Columns) -> dict[str, list[Any]]:
    """The values of columns that pass through; one that a field takes has the field's."""
    fields = {getattr(columns, field) or field: field for field in FIELDS}
    return {
        name: [article.extra[name] if name in article.extra else getattr(article, fields.get(name, ""), None) or None for article in articles]
        for name in names
    }


def nothing_left(article: CleanArticle) -> str:
    """Why a cleaned article without a text cannot be read, as a sentence."""
    # a page without text is gone before cleaning counts anything
    removed = ", ".join(f"{step} {count}" for step, count in article.removed.items()) or "markup"
    return f"nothing is left of the text after cleaning (removed: {removed})."
