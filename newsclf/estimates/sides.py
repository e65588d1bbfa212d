"""Two sides of scored articles, earlier ones and new ones, read into sums of days: what drift is told from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date as Date  # noqa: N812 (a type; `date` is what articles have)
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from newsclf.corpus.outlets import canonical
from newsclf.estimates.frame import NONE, Cell, Chunk, Groups, Scores
from newsclf.scores.drift import binned, by_unit, quantile_edges
from newsclf.scores.metrics import Floats
from newsclf.scores.survey import Ids

WHOLE: Cell = ()
"""The group of all articles."""

LOOKED = 50_000
"""Earlier rows, at most, from which the bins of the probabilities are told."""

SAMPLED = 2000
"""Articles of each side whose words are compared, at most."""

UNDATED = 0.1
"""Share of rows without a day from which on blocks of articles are taken for days."""

BLOCKS = 500
"""Blocks that a group is cut into where there are no days: enough that chance can be told, few enough that neighbours stay together."""

BINS = 10


@dataclass(frozen=True)
class Layout:
    """Where sums of one unit stand: rows, abstained, coverage, then for each label p, p (1 - p), counted, and its bins."""

    labels: int

    @property
    def width(self) -> int:
        """Numbers of a unit."""
        return 3 + self.labels * (3 + BINS)

    def of(self, name: str) -> slice:
        """Columns of `p`, `doubt`, `counted` or `bins`."""
        at = 3 + ("p", "doubt", "counted", "bins").index(name) * self.labels
        return slice(at, at + self.labels * (BINS if name == "bins" else 1))


@dataclass
class Side:
    """What one side's articles come to."""

    units: dict[Cell, Floats] = field(default_factory=dict)
    """Group → sums of its days, or blocks. [units, width]"""

    sampled: list[tuple[str, Cell, int]] = field(default_factory=list)
    """Place, group and unit (of all articles) of some, drawn at random."""

    span: int = 0
    """Days from the first article to the last; 0 where they have none."""

    def rows(self, group: Cell) -> int:
        """Scored rows of a group."""
        return int(self.units[group][:, 0].sum()) if group in self.units else 0


@dataclass
class Sides:
    """Earlier articles and new ones, in two folders, or parted by a day in one."""

    earlier: Scores
    new: Scores | None
    """None: the later part of the same folder."""

    since: str
    """First day of the new part, where it is of the same folder."""

    by: tuple[str, ...]
    outlets: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    undated: int = 0
    """Rows that are on neither side, for nobody knows their day."""

    daily: bool = False
    """Whether units are days."""

    def read(self) -> tuple[Side, Side]:
        """Read everything twice: to see which groups, days and probabilities there are, and to add up. Raises as `Scores.chunks` does."""
        groups = self._groups()
        counts, looked = self._look(groups)
        names = list(groups.numbers)
        dated = groups.by[-1:] == ("day",)
        cells = [name[:-1] for name in names] if dated else names
        days = [name[-1] for name in names] if dated else [NONE] * len(names)
        lost = sum(count for (at, _), count in counts.items() if days[at] == NONE)
        self.daily = lost <= UNDATED * sum(counts.values())
        return self._add(groups, cells, days, quantile_edges(looked, BINS), counts)

    def _groups(self) -> Groups:
        """Of both folders together: an outlet has one name on both sides."""
        folders = [self.earlier, *([self.new] if self.new else [])]
        made = [folder.groups(self.by, outlets=self.outlets) for folder in folders]
        dated = all("date" in pq.read_schema(part).names for folder in folders for part in folder.parts)
        names: Counter[str] = Counter()
        for folder in folders if "outlet" in self.by else ():
            for part in folder.parts:
                if "outlet" in pq.read_schema(part).names:
                    counted = pc.value_counts(pq.read_table(part, columns=["outlet"])["outlet"])
                    names.update({row["values"]: row["counts"] for row in counted.to_pylist() if row["values"]})
        return Groups((*made[0].by, *["day"] * dated), canonical(names, self.outlets) if names else made[0].outlets)

    def _chunks(self, groups: Groups) -> Iterator[tuple[Scores, Path, Chunk, Ids]]:
        """Chunks with the side of each row: 0, 1, or -1 for neither."""
        for number, folder in enumerate([self.earlier, *([self.new] if self.new else [])]):
            for part, chunk in zip(folder.parts, folder.chunks(groups), strict=True):
                side: Ids = np.full(len(chunk.cells), number, np.int64)
                if self.new is None:
                    days = [name[-1] for name in groups.numbers]
                    side = np.array([-1 if day == NONE else int(day >= self.since) for day in days], np.int64)[chunk.cells]
                yield folder, part, chunk, side

    def _look(self, groups: Groups) -> tuple[Counter[tuple[int, int]], Floats]:
        """Rows of each cell and side, and the probabilities of some earlier rows."""
        chance = np.random.default_rng([self.seed, 1])
        share = min(LOOKED / max(self.earlier.rows, 1), 1.0)
        counts: Counter[tuple[int, int]] = Counter()
        looked = [np.zeros((0, len(self.earlier.codebook.names)))]
        for _, _, chunk, side in self._chunks(groups):
            pairs, many = np.unique(np.column_stack([chunk.cells, side]), axis=0, return_counts=True)
            counts.update({(cell, which): count for (cell, which), count in zip(pairs.tolist(), many.tolist(), strict=True)})
            looked.append(chunk.probabilities[(side == 0) & (chance.random(len(side)) < share)])
        self.undated = sum(count for (_, side), count in counts.items() if side < 0)
        return counts, np.concatenate(looked)

    def _add(self, groups: Groups, cells: list[Cell], days: list[str], edges: list[Floats], counts: Counter[tuple[int, int]]) -> tuple[Side, Side]:
        sides, drawn = (Side(), Side()), (_Drawn(), _Drawn())
        members = sorted(set(cells))
        of_cell = np.array([members.index(cell) for cell in cells], np.int64)
        of_day = np.unique(days, return_inverse=True)[1].reshape(-1)
        totals = np.zeros(len(members) + 1)
        for (cell, which), count in counts.items():
            totals[[of_cell[cell], -1]] += count * (which >= 0)
        tables = [_Units(self.daily, np.maximum(np.ceil(totals / BLOCKS), 1)) for _ in sides]
        chance = np.random.default_rng([self.seed, 2])
        for folder, part, chunk, side in self._chunks(groups):
            values = _values(chunk, _coverage(folder, part), edges, exclusive=folder.codebook.kind == "exclusive")
            for which, table in enumerate(tables):
                rows = np.flatnonzero(side == which)
                group, day = of_cell[chunk.cells[rows]], of_day[chunk.cells[rows]]
                unit = table.add(values[rows], np.full(len(rows), len(members)), day)
                if self.by:
                    table.add(values[rows], group, day)
                drawn[which].take(chunk, rows, (group, unit), chance)
        named = [*members, WHOLE]
        for number, (table, sample) in enumerate(zip(tables, drawn, strict=True)):
            sides[number].units = {named[at]: np.array(list(found.values())) for at, found in table.sums.items()}
            sides[number].sampled = [(place, members[at], unit) for place, at, unit in sample.rows()]
            there = [Date.fromisoformat(days[cell]).toordinal() for cell, which in counts if which == number and days[cell] != NONE]
            sides[number].span = max(there) - min(there) + 1 if there and self.daily else 0
        return sides


class _Units:
    """Sums of units of one side."""

    def __init__(self, daily: bool, block: Floats) -> None:
        self.daily, self.block = daily, block
        self.met = np.zeros(len(block), np.int64)
        self.sums: dict[int, dict[int, Floats]] = {}

    def add(self, values: Floats, group: Ids, day: Ids) -> Ids:
        """Add rows up; gives the unit of each within its group. [rows, width], [rows], [rows]"""
        unit = day if self.daily else self._blocks(group)
        pairs, inverse = np.unique(np.column_stack([group, unit]), axis=0, return_inverse=True)
        for (at, number), sums in zip(pairs.tolist(), by_unit(values, inverse.reshape(-1), len(pairs)), strict=True):
            before = self.sums.setdefault(at, {})
            before[number] = before[number] + sums if number in before else sums
        return unit

    def _blocks(self, group: Ids) -> Ids:
        """Blocks of rows of one group that follow one another in the corpus."""
        order = np.argsort(group, kind="stable")
        counts = np.bincount(group, minlength=len(self.met))
        place = np.empty(len(group), np.int64)
        place[order] = np.arange(len(group)) - (np.cumsum(counts) - counts)[group[order]]
        unit = (self.met[group] + place) // self.block[group]
        self.met += counts
        return unit.astype(np.int64)


class _Drawn:
    """The rows of one side with the smallest random numbers: a simple random sample, whatever there is of it."""

    def __init__(self) -> None:
        self.kept: list[tuple[float, str, int, int]] = []

    def take(self, chunk: Chunk, rows: Ids, where: tuple[Ids, Ids], chance: np.random.Generator) -> None:
        """Look at rows of a chunk, whose groups and units are `where`."""
        numbers = chance.random(len(rows))
        most = self.kept[-1][0] if len(self.kept) == SAMPLED else 1.0
        near = np.flatnonzero(numbers < most)
        best = near[np.argsort(numbers[near])][:SAMPLED]
        places = chunk.table["place"].take(pa.array(rows[best])).to_pylist()
        self.kept += zip(numbers[best].tolist(), places, where[0][best].tolist(), where[1][best].tolist(), strict=True)
        self.kept = sorted(self.kept)[:SAMPLED]

    def rows(self) -> list[tuple[str, int, int]]:
        """Place, group and unit, each article once: a stance task has a row for each target."""
        return list({place: (place, group, unit) for _, place, group, unit in self.kept}.values())


def _values(chunk: Chunk, coverage: Floats, edges: list[Floats], *, exclusive: bool) -> Floats:
    """What each row adds to its unit. [rows, width]"""
    p = chunk.probabilities
    silent = ~chunk.decided.any(axis=1) if exclusive else np.zeros(len(p), bool)
    return np.column_stack([np.ones(len(p)), silent, coverage, p, p * (1 - p), chunk.decided, binned(p, edges, BINS)])


def _coverage(scores: Scores, part: Path) -> Floats:
    """How much of each article was read. [rows]"""
    task = scores.codebook.task
    table = part.with_name(f"{part.stem}.{task}.parquet") if scores.codebook.is_stance else part
    return np.asarray(pq.read_table(table, columns=[f"{task}.coverage"])[f"{task}.coverage"].to_numpy(), np.float64)
