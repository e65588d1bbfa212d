"""The test rows in slices: by outlet, month, length and target, each with its own score and interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from newsclf.article import Example
from newsclf.learners.ngrams import Ids
from newsclf.scores.intervals import Statistic, cluster_interval
from newsclf.scores.metrics import Floats

FEWEST = 10
"""Rows of the smallest slice that is told of: of fewer any score may come by chance."""

LENGTHS = (("short third", 0.0, 1 / 3), ("middle third", 1 / 3, 2 / 3), ("long third", 2 / 3, 1.0))


@dataclass(frozen=True)
class Slice:
    """Some of the test rows, and how the model does on them."""

    by: str
    value: str
    rows: int
    estimate: float
    low: float | None
    high: float | None
    """None where all rows are of one story: there is nothing to resample."""

    def as_dict(self) -> dict[str, object]:
        """Plain JSON values."""
        return asdict(self)


def slices(examples: Sequence[Example], lengths: Ids, stories: Ids, parts: Floats, statistic: Statistic) -> list[Slice]:
    """Every slice of `FEWEST` rows and more, the worst first.

    `lengths` are words of each row's article, `stories` what is resampled together, and `statistic` makes a score of summed `parts`
    ([rows, parts]). A way to slice that puts all rows into one slice is left out.
    """
    found = []
    for by, values in _ways(examples, lengths):
        names = sorted(set(values) - {""})
        if len(names) < 2:
            continue
        for name in names:
            rows = np.flatnonzero(np.array(values) == name)
            if len(rows) >= FEWEST:
                found.append(_slice(by, name, parts[rows], stories[rows], statistic))
    return sorted(found, key=lambda item: (item.estimate, item.by, item.value))


def _slice(by: str, value: str, parts: Floats, stories: Ids, statistic: Statistic) -> Slice:
    if len(np.unique(stories)) < 2:
        return Slice(by, value, len(parts), float(statistic(parts.sum(axis=0))), None, None)
    interval = cluster_interval(parts, stories, statistic, resamples=2000)
    return Slice(by, value, len(parts), interval.estimate, interval.low, interval.high)


def _ways(examples: Sequence[Example], lengths: Ids) -> Iterator[tuple[str, list[str]]]:
    yield "outlet", [example.article.outlet for example in examples]
    months = [example.article.date[:7] for example in examples]
    # a date that is not written year first has no month that can be read off it
    yield "month", [month if month[:4].isdigit() and month[4:5] == "-" else "" for month in months]
    yield "target", [example.target for example in examples]
    edges = np.quantile(lengths, [high for _, _, high in LENGTHS[:-1]])
    third = np.searchsorted(edges, lengths, side="left")
    yield "length", [LENGTHS[at][0] for at in third.tolist()]
