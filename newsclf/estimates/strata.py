"""What is drawn from, and which articles chance picks: strata by group and score, random numbers that stay with their articles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from newsclf.errors import InputError
from newsclf.estimates.frame import Cell, Chunk, Groups, Scores
from newsclf.estimates.sample import AuditSample, DrawnRow, SampleSpec, Stratum, column_of
from newsclf.estimates.tally import MOST
from newsclf.scores.allocate import BINS, CUTS, allocate, cut
from newsclf.scores.estimate import LEAST
from newsclf.scores.metrics import Floats
from newsclf.scores.survey import Ids

FEWEST = 8
"""Articles to code of each part of a group's scores, at least: a group that gets fewer is not cut."""


class Draw:
    """Two passes over the scores: the first counts what there is to draw from, the second draws."""

    def __init__(self, scores: Scores, spec: SampleSpec, before: AuditSample | None = None) -> None:
        self.scores, self.spec, self.before = scores, spec, before
        self.column = column_of(spec.label, scores.codebook) if spec.label else None
        self.top = 1.0 if self.column is not None or scores.codebook.kind == "exclusive" else len(scores.codebook.names) / 4
        """The largest score."""
        self.by = () if spec.strata == "score" else spec.by
        self.units = (*self.by, *(name for name in spec.clusters if name not in self.by))
        self.there = 0
        """Rows to draw from, once they are counted."""
        self.bins = 1 if spec.strata == "group" or spec.clusters else BINS

    def rows(self) -> tuple[tuple[Stratum, ...], list[DrawnRow]]:
        """The strata, and what is drawn from them."""
        groups = self.scores.groups(self.units, outlets=self.spec.outlets)
        counts, unsure = self._counted(groups)
        self.there = int(counts.sum())
        if not self.there:
            raise InputError(f"{self.scores.folder}: no article was scored, so there is none to draw; quarantine-*.parquet there says why.")
        cells = [cell[: len(self.by)] for cell in groups.numbers]
        if self.spec.clusters:
            return self._clusters(groups, cells, counts.sum(axis=1), unsure.sum(axis=1))
        tables = self._cut(counts)
        sizes, spreads = (np.bincount(tables.ravel(), values.ravel()).astype(float) for values in (counts, unsure))
        of = np.array([tables[:, 0].searchsorted(stratum, side="right") - 1 for stratum in range(len(sizes))])
        if self.spec.n < (least := int(np.minimum(2, sizes).sum())):
            raise InputError(
                f"-n {self.spec.n} is fewer than two of each group, and one tells no variance: give -n {least} at least for these {len(sizes):,} "
                f"groups, better {int(np.minimum(LEAST, sizes).sum()):,}; or group by fewer columns or longer periods."
            )
        drawn = allocate(sizes, np.sqrt(spreads / sizes), of, self.spec.n, already=self._already(len(sizes)))
        strata = [
            Stratum(dict(zip(self.by, cells[of[at]], strict=True)), self._bounds(tables, of, at), int(sizes[at]), int(drawn[at]))
            for at in range(len(sizes))
        ]
        self._check_same(strata)
        return tuple(strata), list(self._picked(groups, tables, drawn))

    def _already(self, strata: int) -> Ids | None:
        """How many were drawn before of each stratum; raises InputError where the corpus is cut another way."""
        if self.before is None:
            return None
        if len(self.before.strata) != strata:
            raise InputError(
                f"--top-up: the sample was drawn from {len(self.before.strata)} strata, and now there are {strata}; draw into another folder."
            )
        return np.array([stratum.drawn for stratum in self.before.strata], np.int64)

    def _check_same(self, strata: Sequence[Stratum]) -> None:
        """Raises InputError where strata are not those that the first sample was drawn from, as when another newsclf joins other outlets' names."""
        for old, new in zip(self.before.strata if self.before else (), strata, strict=False):
            if (dict(old.group), old.scores, old.units) != (new.group, new.scores, new.units):
                name = ", ".join(new.group.values()) or "all"
                raise InputError(f"--top-up: a stratum of {name} has {new.units:,} units now and had {old.units:,}; draw into another folder.")

    def _counted(self, groups: Groups) -> tuple[Floats, Floats]:
        """Rows, and what the model leaves open of them, p (1 - p), by unit and bin of the score. [units, bins] each"""
        found = [np.zeros((0, self.bins)), np.zeros((0, self.bins))]
        for chunk in self.scores.chunks(groups):
            bins, unsure = self._scored(chunk)
            size = len(groups.numbers)
            if not self.spec.clusters:
                self._check_groups(size)
            at = chunk.cells * self.bins + bins
            for number, weights in enumerate((np.ones(len(at)), unsure)):
                more = np.bincount(at, weights, size * self.bins).reshape(size, self.bins).astype(float)
                more[: len(found[number])] += found[number]
                found[number] = more
        return found[0], found[1]

    def _check_groups(self, groups: int) -> None:
        if groups > MOST:
            raise InputError(f"--by {','.join(self.by)}: these columns make more than {MOST:,} groups; group by fewer, or by longer periods.")

    def _scored(self, chunk: Chunk) -> tuple[Ids, Floats]:
        """Bin of the score of each row, and what the model leaves open of it. [rows] each"""
        open_ = chunk.probabilities * (1 - chunk.probabilities)
        unsure = open_.sum(axis=1) if self.column is None else open_[:, self.column]
        score = unsure / self.top if self.column is None else chunk.probabilities[:, self.column]
        return np.clip((score * self.bins).astype(np.int64), 0, self.bins - 1), unsure

    def _cut(self, counts: Floats) -> Ids:
        """The stratum of each cell and bin. [cells, bins]"""
        tables = np.zeros(counts.shape, np.int64)
        # strata stay those of the first draw
        enough = any(stratum.scores for stratum in self.before.strata) if self.before else self.spec.n >= FEWEST * CUTS * len(counts)
        strata = CUTS if self.bins > 1 and enough else 1
        start = 0
        for cell, row in enumerate(counts):
            tables[cell] = start + (cut(row, strata) if strata > 1 else 0)
            start = int(tables[cell].max()) + 1
        return tables

    def _bounds(self, tables: Ids, of: Ids, stratum: int) -> tuple[float, float] | None:
        inside = np.flatnonzero(tables[of[stratum]] == stratum)
        return None if len(inside) == self.bins else (float(inside[0] / BINS * self.top), float((inside[-1] + 1) / BINS * self.top))

    def _picked(self, groups: Groups, tables: Ids, drawn: Ids) -> Iterator[DrawnRow]:
        """Of each stratum the rows with the smallest random numbers."""
        best: list[list[tuple[float, str, str, str]]] = [[] for _ in drawn]
        bounds = np.ones(len(drawn))  # no number above can be among the smallest any more
        for chunk in self.scores.chunks(groups):
            strata = tables[chunk.cells, self._scored(chunk)[0]]
            numbers = np.random.default_rng([self.spec.seed, chunk.first]).random(len(strata))
            at = _smallest(np.flatnonzero(numbers < bounds[strata]), numbers, strata, drawn)
            for row, (place, target), identifier in zip(at.tolist(), chunk.keys(at), chunk.ids(at), strict=True):
                best[strata[row]].append((float(numbers[row]), place, target, identifier))
            for stratum in np.unique(strata[at]).tolist():
                best[stratum] = sorted(best[stratum])[: drawn[stratum]]
                if len(best[stratum]) == drawn[stratum]:
                    bounds[stratum] = best[stratum][-1][0]
        for stratum, found in enumerate(best):
            yield from (DrawnRow(place, identifier, target, stratum, "", 1) for _, place, target, identifier in found)

    def _clusters(self, groups: Groups, cells: Sequence[Cell], sizes: Floats, unsure: Floats) -> tuple[tuple[Stratum, ...], list[DrawnRow]]:
        """Strata are groups here, units the clusters in them; so many as hold about n articles."""
        names = list(groups.numbers)
        told = sorted(set(cells))
        self._check_groups(len(told))
        numbers = {cell: number for number, cell in enumerate(told)}
        of = np.array([numbers[cell] for cell in cells], np.int64)
        units, rows, spread = (np.bincount(of, values).astype(float) for values in (np.ones(len(of)), sizes, unsure))
        self._fit(names, sizes, float((np.minimum(2, units) * rows / units).sum()))
        wanted = allocate(rows, np.sqrt(spread / rows), np.arange(len(told)), self.spec.n)
        drawn = np.clip(np.round(wanted * units / rows), np.minimum(2, units), units).astype(np.int64)
        if (already := self._already(len(told))) is not None:
            drawn = np.maximum(drawn, already)
        chances = np.array([_chance(self.spec.seed, name) for name in names])
        taken = np.zeros(len(names), bool)
        taken[_smallest(np.arange(len(names)), chances, of, drawn)] = True
        found = []
        for chunk in self.scores.chunks(groups):
            at = np.flatnonzero(taken[chunk.cells])
            for row, (place, target), identifier in zip(at.tolist(), chunk.keys(at), chunk.ids(at), strict=True):
                cell = int(chunk.cells[row])
                found.append(DrawnRow(place, identifier, target, int(of[cell]), " | ".join(names[cell]), 1))
        strata = [Stratum(dict(zip(self.by, cell, strict=True)), None, int(units[at]), int(drawn[at])) for at, cell in enumerate(told)]
        self._check_same(strata)
        return tuple(strata), found

    def _fit(self, names: Sequence[Cell], sizes: Floats, least: float) -> None:
        """Raises InputError for clusters that n cannot hold: then people would code far more than they were told."""
        largest = int(sizes.argmax())
        told = f"-n {self.spec.n} articles cannot be drawn in clusters of one {' and '.join(self.spec.clusters)}"
        if sizes[largest] > self.spec.n:
            raise InputError(f"{told}: {' | '.join(names[largest])} alone has {int(sizes[largest]):,}. Give a larger -n, or smaller clusters.")
        if least > self.spec.n:
            raise InputError(f"{told}: two of each group, for its variance, are about {round(least):,}. Give a larger -n, or wider groups.")


def _smallest(at: Ids, numbers: Floats, strata: Ids, drawn: Ids) -> Ids:
    """Of these rows, those that have the smallest numbers of their stratum, so many as are drawn, in the order of the corpus."""
    order = at[np.lexsort([numbers[at], strata[at]])]
    rank = np.arange(len(order)) - np.searchsorted(strata[order], strata[order])
    return np.sort(order[rank < drawn[strata[order]]])


def _chance(seed: int, name: Cell) -> float:
    """The random number of a cluster, from 0 to 1: of its name alone."""
    digest = hashlib.sha256("\n".join((str(seed), *name)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56
