"""Samples drawn again and again from a corpus whose truth is known, and how often what `scores.estimate` says of them held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np

from newsclf.scores.allocate import BINS, CUTS, allocate, cut
from newsclf.scores.estimate import LEAST, Corpus, Sample, Shares, shares
from newsclf.scores.metrics import Booleans, Floats, Kind
from newsclf.scores.survey import Design, Ids


@dataclass(frozen=True)
class World:
    """A corpus of which everything is known."""

    truth: Floats
    """[rows, labels]"""

    scores: Floats
    """Probabilities by the model. [rows, labels]"""

    cells: Ids
    """The smallest group of each row. [rows]"""

    kind: Kind

    @property
    def corpus(self) -> Corpus:
        """What the estimator is told of all rows."""
        return Corpus(np.bincount(self.cells).astype(float), self.means(self.scores, whole=False))

    @property
    def groups(self) -> Booleans:
        """All rows together, then each cell by itself. [groups, cells]"""
        cells = int(self.cells.max()) + 1
        return np.vstack([np.ones((1, cells), bool), np.eye(cells, dtype=bool)])

    def means(self, values: Floats, *, whole: bool = True) -> Floats:
        """The share of each label in each group, → [groups, labels]; its sum in each cell where not `whole`, → [cells, labels]"""
        sums = np.zeros((int(self.cells.max()) + 1, values.shape[1]))
        np.add.at(sums, self.cells, values)
        if not whole:
            return sums
        return np.asarray((self.groups @ sums) / (self.groups @ np.bincount(self.cells))[:, None])

    def sample(self, rows: Ids, design: Design) -> Sample:
        """Rows that were drawn by this design, coded."""
        return Sample(self.truth[rows], self.scores[rows], self.cells[rows], design)


Draw = Callable[[np.random.Generator], tuple[Ids, Design]]
"""One sample: its rows and how they were drawn."""


def in_strata(strata: Ids, taken: Ids) -> Draw:
    """Simple random samples of the strata. [rows], [strata]: how many rows are drawn in each"""
    members = np.split(np.argsort(strata, kind="stable"), np.cumsum(np.bincount(strata, minlength=len(taken)))[:-1])
    sizes = np.array([len(rows) for rows in members], float)
    stratum = np.repeat(np.arange(len(taken)), taken)

    def draw(chance: np.random.Generator) -> tuple[Ids, Design]:
        rows = np.concatenate([chance.choice(rows, number, replace=False) for rows, number in zip(members, taken.tolist(), strict=True)])
        return rows, Design(stratum, np.arange(len(rows)), sizes, (sizes / np.maximum(taken, 1))[stratum])

    return draw


def of_clusters(clusters: Ids, taken: int) -> Draw:
    """So many clusters of all, each whole. [rows]"""
    number = int(clusters.max()) + 1
    members = np.split(np.argsort(clusters, kind="stable"), np.cumsum(np.bincount(clusters))[:-1])

    def draw(chance: np.random.Generator) -> tuple[Ids, Design]:
        chosen = chance.choice(number, taken, replace=False)
        rows = np.concatenate([members[cluster] for cluster in chosen.tolist()])
        weights = np.full(len(rows), number / taken)
        return rows, Design(np.zeros(len(rows), np.int64), clusters[rows], np.array([float(number)]), weights)

    return draw


def proportional(sizes: Ids, number: int, *, least: int = LEAST) -> Ids:
    """So many rows dealt out to strata by their sizes, each `least` first where there are enough to code. [strata] → [strata]"""
    return allocate(sizes.astype(float), np.zeros(len(sizes)), np.arange(len(sizes)), number, least=least)


def by_score(cells: Ids, scores: Floats, number: int, *, unsure: Floats) -> Draw:
    """Samples of strata of like scores within cells: more where the model is unsure, as `newsclf audit-sample --strata both` deals them out.

    `scores` from 0 to 1 make the strata, and `unsure` is the variance that each row has by its probabilities. [rows] each
    """
    number_of_cells = int(cells.max()) + 1
    cuts = int(np.clip(number // number_of_cells // 8, 1, CUTS))
    strata = np.zeros(len(cells), np.int64)
    bins = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    for cell in range(number_of_cells):
        inside = cells == cell
        strata[inside] = cell * cuts + cut(np.bincount(bins[inside], minlength=BINS).astype(float), cuts)[bins[inside]]
    strata = np.unique(strata, return_inverse=True)[1].reshape(-1)
    sizes = np.bincount(strata)
    cell_of = np.zeros(len(sizes), np.int64)
    cell_of[strata] = cells
    spread = np.sqrt(np.bincount(strata, unsure) / sizes)
    return in_strata(strata, allocate(sizes.astype(float), spread, cell_of, number))


class Once(NamedTuple):
    """What one sample said. [groups, labels] each"""

    share: Floats
    low: Floats
    high: Floats
    told: Booleans
    worth: Floats
    """Effective codes for each that was coded."""

    def column(self, label: int) -> Once:
        """Of one label alone."""
        at = [label]
        return Once(self.share[:, at], self.low[:, at], self.high[:, at], self.told[:, at], self.worth[:, at])


@dataclass
class Tally:
    """What very many samples said of the same world."""

    truth: Floats
    """[groups, labels]"""

    found: list[Once] = field(default_factory=list)

    @classmethod
    def of(cls, world: World, draw: Draw, *, draws: int, seed: int, tuned: bool = True, level: float = 0.95) -> Self:
        """Draw, estimate, keep. The samples depend on the seed alone: with and without the model they are the same."""
        tally = cls(world.means(world.truth))
        for found in estimates(world, draw, draws=draws, seed=seed, tuned=tuned):
            tally.add(found, level)
        return tally

    def add(self, found: Shares, level: float = 0.95) -> None:
        """One more sample."""
        with np.errstate(divide="ignore", invalid="ignore"):
            worth = found.worth / found.audited[:, None]
        self.found.append(Once(found.share, *found.interval(level), found.told, worth))

    def __len__(self) -> int:
        return len(self.found)

    @property
    def told(self) -> Floats:
        """How often a share was given."""
        return np.asarray(self._all("told").mean(axis=0))

    @property
    def held(self) -> Floats:
        """How often the interval held the truth where a share was given; NaN where none was."""
        told = self._all("told").astype(bool)
        with np.errstate(invalid="ignore"):
            return np.asarray((told & self._inside).sum(axis=0) / told.sum(axis=0))

    @property
    def said(self) -> Floats:
        """How often what was said held: the interval, or where no share was given what it is at most, or at least."""
        return np.asarray(self._inside.mean(axis=0))

    @property
    def half_width(self) -> Floats:
        """Mean over the samples that gave a share."""
        told = self._all("told")
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(told, self._all("high") - self._all("low"), 0).sum(axis=0) / told.sum(axis=0) / 2)

    @property
    def error(self) -> Floats:
        """Mean absolute error, of all samples: where no share was given too."""
        return np.asarray(np.abs(self._all("share") - self.truth).mean(axis=0))

    @property
    def spread(self) -> Floats:
        """Mean squared error, of all samples."""
        return np.asarray(((self._all("share") - self.truth) ** 2).mean(axis=0))

    @property
    def bias(self) -> Floats:
        """Mean of the estimates less the truth."""
        return np.asarray((self._all("share") - self.truth).mean(axis=0))

    @property
    def worth(self) -> Floats:
        """The median of what a code is worth, in codes of a simple random sample, where a share was given."""
        worth = np.where(self._all("told") & np.isfinite(self._all("worth")), self._all("worth"), np.nan)
        told = np.isfinite(worth).any(axis=0)
        return np.where(told, np.nanmedian(np.where(told, worth, 0), axis=0), np.nan)

    @property
    def _inside(self) -> Booleans:
        return np.asarray((self._all("low") <= self.truth + 1e-12) & (self.truth - 1e-12 <= self._all("high")))

    def _all(self, name: str) -> Floats:
        return np.array([getattr(once, name) for once in self.found])


def estimates(world: World, draw: Draw, *, draws: int, seed: int, tuned: bool = True) -> Iterator[Shares]:
    """What so many samples say."""
    corpus, groups = world.corpus, world.groups
    chance = np.random.default_rng(seed)
    for _ in range(draws):
        yield shares(world.sample(*draw(chance)), corpus, groups, world.kind, tuned=tuned)


def between_markers(page: str, name: str, lines: list[str]) -> str:
    """A page with the section of this name written anew, at its end where it has none."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    section = "\n".join([start, *lines, end])
    if start in page and end in page:
        return page[: page.index(start)] + section + page[page.index(end) + len(end) :]
    return page.rstrip() + "\n\n" + section + "\n"
