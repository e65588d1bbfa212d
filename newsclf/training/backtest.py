"""Does a model age? Models of the articles up to a date, tested on the articles of the periods after it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from newsclf.corpus.dates import MONTHS, Period, period_name, periods
from newsclf.corpus.dedup import Ids
from newsclf.corpus.split import leaks
from newsclf.errors import DataError, InputError, listed, shown
from newsclf.progress import progress
from newsclf.scores.intervals import Interval, Share, Statistic, cluster_interval
from newsclf.scores.metrics import Booleans, Floats, Kind
from newsclf.training.beside import write_beside
from newsclf.training.learn import trial
from newsclf.training.measured import named
from newsclf.training.prepared import Prepared, revisit

logger = logging.getLogger(__name__)
DECAY = "decay.json"

MANY = 12
"""Periods that automatic choice allows at most: with more, a period has few articles and the table many columns."""

ORIGINS = 5
"""Dates to train up to at most, spread over the time."""

FEWEST = 50
"""Rows before a date, without which it is none to train up to."""


@dataclass(frozen=True)
class Cell:
    """The models trained before a period, or one of them, on one later period."""

    origin: str
    """First period that was not trained on."""

    period: str
    ahead: int
    """1 for the first period after the training articles."""

    rows: int
    estimate: float


@dataclass(frozen=True)
class Decay:
    """How the score falls with the time since the last training article."""

    metric: str
    period: Period
    origins: tuple[str, ...]
    horizons: tuple[tuple[int, int, Interval | None, float], ...]
    """Periods ahead, rows, interval (None where all rows are of one story), estimate."""

    cells: tuple[Cell, ...]
    slope: Interval | None
    """Change of the score a period; None where no origin has two periods after it."""

    undated: int
    """Rows that have no date, or none as fine as the period."""

    def sentences(self) -> list[str]:
        """What can be said of the models' age."""
        name, first = named(self.metric), self.horizons[0]
        said = [f"In the first {self.period} after its training articles {name} is {first[3]:.2f}{_range(first[2])}."]
        if self.slope is None:
            said.append(f"Whether it falls after that cannot be told: no date has two {self.period}s with articles after it.")
        else:
            low, high = 100 * self.slope.low, 100 * self.slope.high
            change = f"{100 * self.slope.estimate:+.1f} points a {self.period} ({low:+.1f} to {high:+.1f})"
            if high < 0:
                said.append(f"It falls with time: {change}, because models age or later articles are harder. Code new ones, and train again.")
            elif low > 0:
                said.append(f"Later {self.period}s are easier, not harder: {change}.")
            else:
                said.append(f"That it falls with time is not shown: {change}.")
        if self.undated:
            said.append(f"{self.undated:,} rows have no date that says the {self.period}, and are left out.")
        return said

    def text(self) -> str:
        """The tables, and the sentences."""
        lines = [f"{self.period}s ahead   rows   {named(self.metric)}   95 %"]
        for ahead, rows, interval, estimate in self.horizons:
            lines.append(f"{ahead:>{len(self.period) + 7}}  {rows:5,}   {estimate:.3f}{_range(interval)}")
        lines += ["", "trained on what is before, tested on:"]
        for origin in self.origins:
            lines.append(
                f"  {origin}: " + ", ".join(f"{cell.period} {cell.estimate:.2f} ({cell.rows})" for cell in self.cells if cell.origin == origin)
            )
        return "\n".join([*lines, "", *self.sentences()])

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        bounds = {"low": None, "high": None}
        return {
            "metric": self.metric,
            "period": self.period,
            "horizons": [
                {"ahead": ahead, "rows": rows, "estimate": estimate, **(_bounds(interval) if interval else bounds)}
                for ahead, rows, interval, estimate in self.horizons
            ],
            "table": [vars(cell) for cell in self.cells],
            "slope": {"estimate": self.slope.estimate, **_bounds(self.slope)} if self.slope else None,
            "undated": self.undated,
            "sentences": self.sentences(),
        }


def backtest(run: str | Path, *, period: Period | Literal["auto"] = "auto") -> Decay:
    """The back-test in time of a finished run's coded rows, its parts aside; written to decay.json in its folder.

    For up to five dates a model learns from all rows before the date, without near-duplicates of later ones, and is tested on each later period:
    accuracy of exclusive tasks, micro-F1 of multi-label ones. Each horizon pools the rows of all dates; the slope is that of a straight line through
    the periods after each date, with a height of its own for each date, so that models of more articles are not taken for younger ones. Intervals
    resample stories.

    Raises InputError for what is no run or period, DataError where the dated rows span fewer than three periods or are too few.
    """
    if period != "auto" and period not in MONTHS:
        raise InputError(f"the period must be one of {listed([*MONTHS, 'auto'])}, not {shown(period)}.")
    prepared, _ = revisit(run)
    dates = [example.article.date for example in prepared.every.examples]
    chosen = period if period != "auto" else _fitting(dates)
    number = periods(dates, chosen)
    found = _measure(prepared, number, chosen, where=str(run))
    write_beside(run, DECAY, found.as_dict())
    return found


def _measure(prepared: Prepared, number: Ids, period: Period, *, where: str) -> Decay:
    dated = number >= 0
    origins = _origins(number[dated], where=where, period=period)
    kind = prepared.codebook.kind
    last = int(number.max())
    heights = np.zeros((len(number), len(origins), last - origins[0] + 1, 2))  # [rows, origins, ahead, (right, of)]
    with progress("back-test", len(origins)) as report:
        for at, origin in enumerate(origins):
            held, before = number >= origin, dated & (number < origin)
            inside = np.flatnonzero(before & ~leaks(prepared.story, before, held))
            tested = np.flatnonzero(held)
            _, decided = trial(prepared, inside, tested)
            heights[tested, at, number[tested] - origin] = _right(prepared.every.truth[tested], decided, kind)
            report.advance(1)
    names = {value: period_name(value, period) for value in range(origins[0], last + 1)}
    counts = np.array([[(number == origin + ahead).sum() for ahead in range(heights.shape[2])] for origin in origins])  # [origins, ahead]
    cells = tuple(
        Cell(names[origin], names[origin + ahead], ahead + 1, int(counts[at, ahead]), float(_ratio(heights[:, at, ahead].sum(axis=0))))
        for at, origin in enumerate(origins)
        for ahead in range(heights.shape[2])
        if counts[at, ahead]
    )
    horizons = []
    for ahead in np.flatnonzero(counts.sum(axis=0)).tolist():
        interval = _interval(heights[:, :, ahead].sum(axis=1), prepared.story, Share(_ratio))
        estimate = float(_ratio(heights[:, :, ahead].sum(axis=(0, 1))))
        horizons.append((ahead + 1, int(counts[:, ahead].sum()), interval, estimate))
    slope = None
    if ((counts > 0).sum(axis=1) > 1).any():
        shape = heights.shape[1:]
        slope = _interval(heights.reshape(len(number), -1), prepared.story, lambda sums: _slope(sums.reshape(*sums.shape[:-1], *shape)))
    metric = "accuracy" if kind == "exclusive" else "micro_f1"
    return Decay(metric, period, tuple(names[origin] for origin in origins), tuple(horizons), cells, slope, int((~dated).sum()))


def _right(truth: Booleans, decided: Booleans, kind: Kind) -> Floats:
    """What adds up to accuracy, or to micro-F1: a numerator and a denominator. [rows, 2]"""
    both = (truth & decided).sum(axis=1)
    if kind == "exclusive":
        return np.column_stack([both, np.ones(len(both))])
    return np.column_stack([2 * both, truth.sum(axis=1) + decided.sum(axis=1)]).astype(np.float64)


def _ratio(sums: Floats) -> Floats:
    # nothing coded and nothing given: no error either
    return np.divide(sums[..., 0], sums[..., 1], out=np.ones_like(sums[..., 0]), where=sums[..., 1] > 0)


def _slope(sums: Floats) -> Floats:
    """Slope of the score over the periods ahead by least squares, each origin with a height of its own. [..., origins, ahead, 2] → [...]"""
    weight, score = sums[..., 1], _ratio(sums)
    ahead = np.arange(weight.shape[-1], dtype=np.float64)
    total = np.maximum(weight.sum(axis=-1, keepdims=True), 1e-12)
    apart = ahead - (weight * ahead).sum(axis=-1, keepdims=True) / total
    spread = (weight * apart**2).sum(axis=(-2, -1))
    return np.asarray((weight * apart * score).sum(axis=(-2, -1)) / np.maximum(spread, 1e-12))


def _interval(parts: Floats, story: Ids, statistic: Statistic) -> Interval | None:
    told = parts.any(axis=1)
    if len(np.unique(story[told])) < 2:
        return None
    return cluster_interval(parts[told], story[told], statistic, resamples=2000)


def _fitting(dates: Sequence[str]) -> Period:
    """The finest period of which there are no more than `MANY`."""
    for period in MONTHS:
        numbers = periods(dates, period)
        if len(np.unique(numbers[numbers >= 0])) <= MANY:
            return period
    return "year"


def _origins(number: Ids, *, where: str, period: Period) -> list[int]:
    """First periods not to train on, spread over those that have enough rows before them."""
    found = np.unique(number).tolist()
    if len(found) < 3:
        raise DataError(
            f"{where}: a back-test takes dated articles of three {period}s or more, and they are of {len(found)}. "
            "Their column is data.date, written as 2024-01-31; the finest period is the month."
        )
    possible = [one for one in found[1:] if (number < one).sum() >= FEWEST]
    if not possible:
        before = int((number < found[-1]).sum())
        raise DataError(f"{where}: a back-test takes {FEWEST} dated rows before its last {period}, and there are {before}. Code more articles.")
    some = np.unique(np.linspace(0, len(possible) - 1, ORIGINS).round().astype(int)).tolist()
    return [possible[at] for at in some]


def _bounds(interval: Interval) -> dict[str, float]:
    return {"low": interval.low, "high": interval.high}


def _range(interval: Interval | None) -> str:
    return f" ({interval.low:.2f} to {interval.high:.2f})" if interval else ""
