"""The leak audit: what a split lets the test articles share with those to learn from, and what of it makes scores too good."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsclf.article import Article
from newsclf.corpus.overlap import Copies, Shared, Shift, Times, Verdict, shared
from newsclf.corpus.read import as_text
from newsclf.corpus.split import joined
from newsclf.errors import DataError

Ids = NDArray[np.int64]
Booleans = NDArray[np.bool_]

COLUMNS = ("outlet", "author")
"""What is looked at where the articles have it."""

_FIELDS = ("id", "title", "outlet", "date", "url")


@dataclass(frozen=True)
class Facts:
    """What the audit has to know of each coded row."""

    ids: Sequence[str]
    """Of the article; rows of one article (one for each target) share theirs."""

    hashes: Sequence[str]
    """Equal for equal titles and texts."""

    story: Ids
    """Near-duplicates share a number, as `near_duplicates` gives it. [rows]"""

    truth: Booleans
    """[rows, labels]"""

    columns: Mapping[str, Sequence[str]]
    """Column → its value in each row, "" where there is none."""

    dates: Sequence[str]

    @classmethod
    def of(cls, articles: Sequence[Article], truth: Booleans, *, story: Ids, columns: Sequence[str] = COLUMNS) -> Facts:
        """The facts of coded articles, one a row; a column that no article has a value in is left out."""
        values = {column: [_value(article, column) for article in articles] for column in columns}
        return cls(
            [article.id for article in articles],
            # with the title: articles of a few words ("Correction: see above") are not copies of each other
            [text_hash(f"{article.title}\n{article.text}") for article in articles],
            story,
            truth,
            {column: found for column, found in values.items() if any(found)},
            [article.date for article in articles],
        )


def text_hash(text: str) -> str:
    """The same for texts that differ in nothing but white space, another for others."""
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()


def _value(article: Article, column: str) -> str:
    return as_text(getattr(article, column) if column in _FIELDS else article.extra.get(column)).strip()


@dataclass(frozen=True)
class Leaks:
    """What an audit finds."""

    train: int
    test: int
    """Articles to learn from and to test on."""

    aside: int
    """Rows in neither."""

    exact: Copies
    """The same text but for white space."""

    near: Copies
    """The same story by `near_duplicates`, exact copies among them."""

    columns: Mapping[str, Shared]
    labels: Shift
    times: Times

    def verdicts(self) -> Iterator[Verdict]:
        """What each finding means, in the order of the fields."""
        yield self.exact.verdict(self.test, how="word for word")
        yield self.near.verdict(self.test, how="as the same text or a near-duplicate of it")
        for column, found in self.columns.items():
            yield found.verdict(column)
        yield self.labels.verdict()
        yield self.times.verdict()

    def sentences(self) -> list[str]:
        """The verdicts as lines to print, each headed Fine, Inflates or Mind."""
        sizes = f"{self.train:,} articles to learn from, {self.test:,} to test on"
        return [f"{sizes}, {self.aside:,} rows set aside." if self.aside else f"{sizes}.", *map(str, self.verdicts())]

    @property
    def inflates(self) -> bool:
        """Whether anything found makes the score higher than it should be."""
        return any(verdict.kind == "inflates" for verdict in self.verdicts())

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, the verdicts among them."""
        return {**_plain(asdict(self)), "verdicts": [asdict(verdict) for verdict in self.verdicts()]}


def _plain(value: Any) -> Any:
    """With lists for tuples, as JSON reads them back."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def audit(facts: Facts, part: NDArray[np.str_], names: Sequence[str]) -> Leaks:
    """What the rows to test on share with those to learn from, whoever made the split.

    `part` is train, test or aside of each row, `names` are the labels, in the order of the columns of `facts.truth`. Raises DataError where a side
    has no row.
    """
    train, test = (np.flatnonzero(part == side) for side in ("train", "test"))
    if not len(train) or not len(test):
        raise DataError(f"the audit: the split has {len(train)} rows to learn from and {len(test)} to test on; both are needed.")
    # equal texts are near-duplicates in any case: one without words has no shingle to be found by
    linked = joined(len(part), [facts.story.tolist(), facts.hashes]).tolist()
    exact, near = (Copies.find(*({facts.ids[row]: of[row] for row in side.tolist()} for side in (test, train))) for of in (facts.hashes, linked))
    dates = ({facts.ids[row]: facts.dates[row] for row in side.tolist()} for side in (train, test))
    return Leaks(
        train=len({facts.ids[row] for row in train.tolist()}),
        test=len({facts.ids[row] for row in test.tolist()}),
        aside=len(part) - len(train) - len(test),
        exact=exact,
        near=near,
        columns={column: shared(values, facts.ids, facts.truth, train=train, test=test) for column, values in facts.columns.items()},
        labels=Shift.between(facts.truth[train], facts.truth[test], names),
        times=Times.between(*(list(side.values()) for side in dates)),
    )
