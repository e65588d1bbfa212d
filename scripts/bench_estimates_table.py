"""What scripts/bench_estimates.py writes: ESTIMATES.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from estimate_draws import Tally, World

import newsclf
from newsclf.scores.metrics import Booleans, Floats

Z = 1.959964
WHOLE = "all"
WITH, ALONE, BY_SCORE = "model and codes", "codes alone", "model and codes, drawn by score"
ANSWERED = 0.2
"""A cell in which a smaller share of the samples gave a share is in no lowest figure: too few intervals were given."""

INTRODUCTION = (
    "AllSides (Baly et al. 2020): the topic and the bias of every article are known. The models learned from the outlets of one half of the",
    "articles; shares are estimated in articles of outlets of the other half: topics in the five biggest of these outlets, biases in the five years",
    "that have most of their articles. Of the topics, those that are estimated are the {places} commonest of the articles learned from, chosen",
    "before anything was measured. Samples are drawn within groups, proportionally, and at least 30 of each where there are so many.",
)
COLUMNS = (
    "*Counted* is the share of articles that the model gives the label, with the 95 % interval that it has as a share of so many articles. *Held*",
    "is how often the 95 % interval held the true share, among the samples in which a share was given (*given*). *Half-width* is the interval's, on",
    "average. *A code is worth*: how many codes of a simple random sample of the same group one code is worth, by the interval's own variance",
    "(the median). Half-widths and errors (*off by*) are in points.",
)
REMARKS = (
    "*Gained* is the mean squared error of the codes alone by that of this way (the median of the cells). The lowest cell is among those in which",
    f"{ANSWERED:.0%} of the samples gave a share. None is given where no coded article of the group has the label, or all have it: what is said then",
    "is what the share is at most, or at least.",
)


@dataclass(frozen=True)
class Cell:
    """One label in one group."""

    task: str
    label: str
    group: str
    articles: int
    truth: float
    counted: float
    nominal: float
    """Half of the width of the interval that the count would have, were the model never wrong."""

    given: float
    held: float
    half_width: float
    alone: float
    """Half-width by the codes alone."""

    worth: float
    error: float
    """Mean absolute error of the estimate."""

    @property
    def off(self) -> float:
        """By how much the count is wrong."""
        return self.counted - self.truth

    def line(self) -> str:
        """A row of the table in Markdown."""
        counted = f"{self.counted:.1%} ± {100 * self.nominal:.1f} | {100 * self.off:+.1f}"
        widths = f"{_points(self.half_width)} | {_points(self.alone)}"
        told = f"{self.given:.0%} | {_percent(self.held)} | {100 * self.error:.1f} | {widths} | {_times(self.worth)}"
        return f"| {self.label} | {self.group} | {self.articles:,} | {self.truth:.1%} | {counted} | {told} |"


@dataclass(frozen=True)
class Way:
    """All cells of one way to draw and estimate."""

    name: str
    given: float
    held: float
    lowest: float
    said: float
    """How often what was said held: the interval, or what the share is at most where none was given."""

    half_width: float
    error: float
    gained: float
    """Mean squared error of the codes alone by that of this way, over all samples: what the worth of a code truly is."""

    worth: float
    """The same as the intervals say, the median of the cells."""

    def line(self, start: str) -> str:
        """A row of the table in Markdown."""
        shares = f"{self.given:.0%} | {self.held:.1%} | {_percent(self.lowest)} | {self.said:.1%}"
        return f"{start} | {self.name} | {shares} | {100 * self.half_width:.1f} | {100 * self.error:.1f} | {self.gained:.2f} | {_times(self.worth)} |"


@dataclass(frozen=True)
class Example:
    """The first sample, in the whole corpus, of the label that counting gets most wrong."""

    cell: Cell
    codes: int
    share: float
    low: float
    high: float

    def __str__(self) -> str:
        half = 100 * (self.high - self.low) / 2
        return (
            f"{self.cell.task}, {self.cell.label}, {self.cell.articles:,} articles of unseen outlets: counting said {self.cell.counted:.1%} "
            f"± {100 * self.cell.nominal:.1f} where the truth is {self.cell.truth:.1%}; the first {self.codes} codes gave {self.share:.1%} "
            f"(± {half:.1f}: {self.low:.1%} to {self.high:.1%})"
        )


@dataclass(frozen=True)
class Told:
    """What the arrays of a study are about."""

    task: str
    names: tuple[str, ...]
    groups: Sequence[str]
    labels: Sequence[str]
    """Those of the names that the table shows."""

    codes: int
    learned: int

    @property
    def columns(self) -> list[int]:
        """Of the labels that the table shows."""
        return [self.names.index(label) for label in self.labels]


@dataclass(frozen=True)
class Study:
    """What samples of one size said of the shares of one task."""

    task: str
    codes: int
    learned: int
    cells: tuple[Cell, ...]
    ways: tuple[Way, ...]
    example: Example

    @classmethod
    def of(cls, world: World, decided: Booleans, tallies: Mapping[str, Tally], *, told: Told) -> Self:
        """Hold what the samples said against the truth. `decided` [rows, labels]"""
        cells = [_cell(world, decided, tallies, told=told, at=(group, label)) for label in told.columns for group in range(len(told.groups) + 1)]
        ways = [_way(name, tally, tallies[ALONE], told.columns) for name, tally in tallies.items()]
        whole = [cell for cell in cells if cell.group == WHOLE]
        worst = max(whole, key=lambda cell: abs(cell.off))
        once, column = tallies[WITH].found[0], told.names.index(worst.label)
        first = Example(worst, told.codes, *(float(values[0, column]) for values in (once.share, once.low, once.high)))
        return cls(told.task, told.codes, told.learned, tuple(cells), tuple(ways), first)

    def counted(self) -> str:
        """What counting says, in one sentence."""
        inside = sum(abs(cell.off) <= cell.nominal for cell in self.cells)
        errors = [100 * abs(cell.off) for cell in self.cells]
        of = f"{inside} of {len(self.cells)} cells hold the truth in the interval that a count of so many articles has"
        return f"{self.task}: counting is off by {np.mean(errors):.1f} points on average, {max(errors):.1f} at most; {of}."


def _cell(world: World, decided: Booleans, tallies: Mapping[str, Tally], *, told: Told, at: tuple[int, int]) -> Cell:
    tally = tallies[WITH]
    rows = int((world.groups @ np.bincount(world.cells))[at[0]])
    counted = float(world.means(decided.astype(float))[at])
    return Cell(
        task=told.task,
        label=told.names[at[1]],
        group=(WHOLE, *told.groups)[at[0]],
        articles=rows,
        truth=float(tally.truth[at]),
        counted=counted,
        nominal=Z * float(np.sqrt(counted * (1 - counted) / rows)),
        given=float(tally.told[at]),
        held=float(tally.held[at]),
        half_width=float(tally.half_width[at]),
        alone=float(tallies[ALONE].half_width[at]),
        worth=float(tally.worth[at]),
        error=float(tally.error[at]),
    )


def _way(name: str, tally: Tally, alone: Tally, columns: Sequence[int]) -> Way:
    given, held, said, half, error, worth = (
        values[:, columns] for values in (tally.told, tally.held, tally.said, tally.half_width, tally.error, tally.worth)
    )
    weighed = given.sum()
    answered = given >= ANSWERED
    return Way(
        name=name,
        given=float(given.mean()),
        held=float(np.nansum(held * given) / weighed),
        lowest=float(held[answered].min()) if answered.any() else float("nan"),
        said=float(said.mean()),
        half_width=float(np.nansum(half * given) / weighed),
        error=float(error.mean()),
        gained=float(np.median(_ratio(alone.spread[:, columns], tally.spread[:, columns]))),
        worth=float(np.nanmedian(np.where(answered, worth, np.nan))),
    )


def _ratio(one: Floats, other: Floats) -> Floats:
    return np.asarray(np.divide(one, other, out=np.ones_like(one), where=other > 0))


def report(found: Sequence[Study], *, places: str, draws: int) -> str:
    """The page in Markdown."""
    return "\n".join(_lines(found, places, draws)).rstrip() + "\n"


def _lines(found: Sequence[Study], places: str, draws: int) -> Iterator[str]:
    machine = f"newsclf {newsclf.__version__}, Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    yield from (
        "# Do estimated shares hold?",
        "",
        f"Written by `python scripts/bench_estimates.py --data FOLDER` ({machine}); {draws:,} samples a line.",
    )
    yield from (line.format(places=places) for line in INTRODUCTION)
    yield from ("", *COLUMNS, "", "## All cells together", "")
    yield "| task | codes | by | given | held, on average | lowest cell | what was said held | half-width | off by | gained | a code is worth |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    yield from (way.line(f"| {study.task} | {study.codes}") for study in found for way in study.ways)
    yield from ("", *REMARKS)
    yield ""
    yield from (f"* {study.counted()}" for study in found if study.codes == found[0].codes)
    yield from ("", "## One sample", "")
    yield from (f"* {study.example} – held in {_percent(study.example.cell.held)} of {draws:,} samples." for study in found)
    for study in found:
        yield from ("", f"## {study.task}, {study.codes} codes ({study.learned:,} articles learned from)", "")
        yield "| label | group | articles | truth | counted | off by | given | held | off by | half-width | codes alone | a code is worth |"
        yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
        yield from (cell.line() for cell in study.cells)


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1%}"


def _points(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.1f}"


def _times(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}"
