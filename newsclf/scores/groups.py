"""What one model said of coded rows, and of the articles of groups of a corpus: what is needed to say how many have a label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsclf.scores.intervals import Ids
from newsclf.scores.metrics import Booleans, Floats, Kind, check_probabilities
from newsclf.scores.mixtures import SAME

ROWS = 5000
"""Rows of a group that EM reads, drawn from it where there are more."""


@dataclass(frozen=True)
class HeldOut:
    """Coded rows that the model did not learn from: what each label's articles get from it. Rows of the mixture that it was calibrated on."""

    truth: Booleans
    """[rows, labels]"""

    probabilities: Floats
    """[rows, labels]"""

    decided: Booleans
    """[rows, labels]; of an exclusive task, a row without any is one that the model abstained on"""

    clusters: Ids | None = None
    """Number of what is not independent (outlet, story) for each row, which are drawn together; None: rows are independent. [rows]"""

    def __post_init__(self) -> None:
        """Raises ValueError for no rows, arrays of different shapes and what is no probability."""
        check_probabilities(self.truth, self.probabilities)
        if self.decided.shape != self.truth.shape or (self.clusters is not None and len(self.clusters) != len(self.truth)):
            raise ValueError(f"held-out rows need a decision for each of {self.truth.shape} truths, and a cluster a row; got {self.decided.shape}")

    def __len__(self) -> int:
        return len(self.truth)


@dataclass(frozen=True)
class Groups:
    """What a model said of the articles of each group: sums over all of them, and for EM some rows."""

    counts: NDArray[np.int64]
    """[groups]"""

    decided: Floats
    """How many articles were decided as each label. [groups, labels]"""

    probabilities: Floats
    """Sum of the probabilities of each label. [groups, labels]"""

    rows: tuple[Floats, ...] = ()
    """Probabilities of the articles of each group, or of a simple random sample of them; EM alone needs them. [groups] of [rows, labels]"""

    def __post_init__(self) -> None:
        """Raises ValueError for sums that are no sums of so many articles, and for a group with articles but without rows."""
        if not self.decided.shape == self.probabilities.shape == (len(self.counts), self.decided.shape[-1]):
            raise ValueError(f"{len(self.counts)} groups need as many sums: they are {self.decided.shape} and {self.probabilities.shape}")
        if not self.decided.size:
            raise ValueError(f"there is no share of no groups or no labels: the sums are {self.decided.shape}")
        for sums in (self.decided, self.probabilities):
            wrong = ~((sums >= -SAME) & (sums <= self.counts[:, None] * (1 + SAME))).all(axis=1)  # NaN compares false
            if wrong.any():
                group = int(wrong.argmax())
                raise ValueError(f"the sums of {self.counts[group]} articles are from 0 to as many; in group {group} they are {sums[group].tolist()}")
        sampled = [len(rows) for rows in self.rows]
        if sampled and (
            len(sampled) != len(self.counts) or any((size == 0) != (count == 0) for size, count in zip(sampled, self.counts, strict=True))
        ):
            raise ValueError(f"each group with articles needs rows: groups of {self.counts.tolist()} articles have {sampled} rows")

    @classmethod
    def of_rows(cls, probabilities: Floats, decided: Booleans, group: Ids, *, groups: int, seed: int = 0) -> Groups:
        """The sums of articles, and at most ROWS of each group drawn by `seed`. [rows, labels], [rows, labels], [rows]: the number of its group"""
        counts = np.bincount(group, minlength=groups)
        parts = np.split(np.argsort(group, kind="stable"), np.cumsum(counts)[:-1])
        chance = np.random.default_rng(seed)
        drawn = [part if len(part) <= ROWS else np.sort(chance.choice(part, ROWS, replace=False)) for part in parts]
        sums = [np.array([values[part].sum(axis=0, dtype=np.float64) for part in parts]) for values in (decided, probabilities)]
        return cls(counts, sums[0], sums[1], tuple(np.asarray(probabilities[part], np.float64) for part in drawn))

    def part(self, start: int, stop: int) -> Groups:
        """The groups with these places."""
        at = slice(start, stop)
        return Groups(self.counts[at], self.decided[at], self.probabilities[at], self.rows[at])


@dataclass(frozen=True)
class Problem:
    """Held-out rows and groups of articles that one model scored."""

    kind: Kind
    held_out: HeldOut
    groups: Groups

    def __post_init__(self) -> None:
        """Raises ValueError for different numbers of labels, and for rows of an exclusive task that do not have one label."""
        labels, others = self.held_out.truth.shape[1], self.groups.decided.shape[1]
        if labels != others:
            raise ValueError(f"the held-out rows have {labels} labels and the groups {others}: they are to be of one model")
        coded, decided = self.held_out.truth.sum(axis=1), self.held_out.decided.sum(axis=1)
        wrong = (coded != 1) | (decided > 1)
        if self.kind == "exclusive" and wrong.any():
            row = int(wrong.argmax())
            raise ValueError(f"a row of an exclusive task has one label and one decision or none; row {row} has {coded[row]} and {decided[row]}")


def redraw(count: int, resamples: int, chance: np.random.Generator) -> Floats:
    """How often each of so many things is drawn when as many are drawn with replacement. → [resamples, count]"""
    drawn = chance.integers(count, size=(resamples, count)) + count * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * count).reshape(resamples, count).astype(np.float64)
