"""What several coders said, as rows of a file: coded articles to train on, and articles to look at again."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsclf.article import Article
from newsclf.corpus.coders import Codings, Key

SEPARATOR = "; "
WIDE = 20
"""Coders up to which each has a column of its own in the list of articles to look at again."""

FIELDS = ("title", "text", "outlet", "date", "url")
UNSURE = "not sure"


def coded_rows(
    codings: Codings, decided: NDArray[np.bool_], left_open: NDArray[np.bool_], shares: NDArray[np.float64] | None = None
) -> tuple[list[dict[str, Any]], list[Key]]:
    """A row for each article that is settled, as `read_coded` reads them, and the articles that are not.

    `decided` are the labels taken as coded [articles, labels], `left_open` says of which articles nothing is [articles], in the order of
    `codings.keys`. With `shares` [articles, labels] each label has a column `p.LABEL` besides. A multi-label article that comes out with fewer or
    more labels than the codebook allows is open too.
    """
    codebook = codings.codebook
    numbers = decided.sum(axis=1)
    allowed = (numbers >= codebook.min_labels) & (numbers <= (codebook.max_labels or len(codebook.names)))
    rows: list[dict[str, Any]] = []
    unsettled: list[Key] = []
    coders = np.bincount(codings.arrays()[0], minlength=len(codings.keys)).tolist()
    for number, key in enumerate(codings.keys):
        if left_open[number] or not allowed[number]:
            unsettled.append(key)
            continue
        labels = [name for name, given in zip(codebook.names, decided[number], strict=True) if given]
        row = _about(key, codings.articles[key[0]]) | {"labels": labels[0] if codebook.kind == "exclusive" else labels, "coders": coders[number]}
        if shares is not None:
            row |= {f"p.{name}": round(float(share), 6) for name, share in zip(codebook.names, shares[number], strict=True)}
        rows.append(row)
    return rows, unsettled


def queue_rows(codings: Codings, order: Sequence[int] | NDArray[np.int64], disagreement: NDArray[np.float64]) -> list[dict[str, Any]]:
    """The articles to look at again, in this order, with what each coder said of them.

    `order` holds numbers of articles in `codings.keys`, `disagreement` their bits [articles]. Up to twenty coders have a column `coder.NAME` each,
    empty where they did not code the article; the answers of more stand in one cell.
    """
    said: dict[Key, dict[str, str]] = defaultdict(dict)
    for example in codings.examples:
        said[example.article.id, example.target][example.coder] = SEPARATOR.join(example.labels) or "none"
    for key, coder in codings.unsure:
        said[key][coder] = UNSURE
    rows: list[dict[str, Any]] = []
    for number in order:
        key = codings.keys[number]
        answers = said[key]
        if len(codings.coders) <= WIDE:
            cells: dict[str, Any] = {f"coder.{coder}": answers.get(coder, "") for coder in codings.coders}
        else:
            cells = {"codings": " | ".join(f"{coder}: {answers[coder]}" for coder in sorted(answers))}
        rows.append({"disagreement": round(float(disagreement[number]), 4)} | _about(key, codings.articles[key[0]]) | cells)
    return rows


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a CSV file with a header, the columns of all rows in order of appearance; lists are parted by semicolons. Without rows: nothing."""
    if not rows:
        return ""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: SEPARATOR.join(value) if isinstance(value, list) else value for name, value in row.items()} for row in rows)
    return text.getvalue()


def _about(key: Key, article: Article) -> dict[str, Any]:
    """Id, target and what else is known of an article; columns that are empty are left out."""
    identity = {"id": key[0]} | ({"target": key[1]} if key[1] else {})
    return identity | {name: value for name in FIELDS if (value := getattr(article, name))}
