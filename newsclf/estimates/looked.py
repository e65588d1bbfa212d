"""Rows of the scores to look at one by one, for methods that cannot do with sums: a random sample of every group, kept while the scores go by."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from newsclf.scores.groups import ROWS
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.survey import Ids

MOST = 1000
"""Rows of one of the smallest groups that are kept."""

BUFFER = 200_000
"""Rows that may wait before those are dropped that will not be kept."""


@dataclass
class Looked:
    """The rows with the smallest random numbers of each of the smallest groups."""

    chance: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    cells: Ids = field(default_factory=lambda: np.zeros(0, np.int64))
    """[rows]"""

    numbers: Floats = field(default_factory=lambda: np.zeros(0))
    """Random, from 0 to 1. [rows]"""

    probabilities: list[Floats] = field(default_factory=list)
    """Together [rows, labels]."""

    bounds: Floats = field(default_factory=lambda: np.zeros(0))
    """Of each cell the number below which all rows are kept. [cells]"""

    def add(self, cells: Ids, probabilities: Floats) -> None:
        """Take in the next rows of the corpus. [rows], [rows, labels]"""
        self.bounds = np.concatenate([self.bounds, np.ones(max(int(cells.max(initial=-1)) + 1 - len(self.bounds), 0))])
        drawn = self.chance.random(len(cells))
        kept = drawn < self.bounds[cells]
        self.cells, self.numbers = np.concatenate([self.cells, cells[kept]]), np.concatenate([self.numbers, drawn[kept]])
        self.probabilities.append(probabilities[kept])
        if len(self.cells) > BUFFER + MOST * len(self.bounds):
            self._drop()

    def of(self, groups: Booleans) -> list[Floats]:
        """A simple random sample, of ROWS at most, of the rows of each group; `groups` [groups, cells]. → [groups] of [rows, labels]"""
        self._drop()
        rows = np.concatenate(self.probabilities)
        found = []
        for inside in groups:
            bound = self.bounds[inside].min(initial=1)  # up to it all rows of all its cells are here
            at = np.flatnonzero(inside[self.cells] & (self.numbers < bound))
            found.append(rows[at[np.argsort(self.numbers[at])[:ROWS]]])
        return found

    def _drop(self) -> None:
        order = np.lexsort([self.numbers, self.cells])
        cells, numbers = self.cells[order], self.numbers[order]
        starts = np.searchsorted(cells, np.arange(len(self.bounds)))
        rank = np.arange(len(cells)) - starts[cells]
        over = rank == MOST
        self.bounds[cells[over]] = numbers[over]
        kept = rank < MOST
        self.cells, self.numbers = cells[kept], numbers[kept]
        self.probabilities = [np.concatenate(self.probabilities)[order][kept]] if self.probabilities else []
