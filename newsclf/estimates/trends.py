"""How shares move: their slope from period to period, and what is different from a date on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date as Date  # noqa: N812 (a type)
from typing import Any, NamedTuple

import numpy as np

from newsclf.corpus.dates import MONTHS, Period, periods, span
from newsclf.errors import InputError, shown
from newsclf.estimates.contrasts import Group
from newsclf.scores.estimate import Corpus, Sample
from newsclf.scores.metrics import Booleans
from newsclf.scores.regress import Regression, change, trend
from newsclf.scores.survey import Ids

Line = tuple[Group, Booleans]
"""A group that is not of one period, and its cells."""


class Study(NamedTuple):
    """A corpus, and the coded rows of it."""

    sample: Sample
    corpus: Corpus


SHORTEST = 3
"""Periods from which on there is a trend."""


def numbered(names: Sequence[str], time: str) -> Ids:
    """The number of each period; -1 for rows without one. [cells]"""
    if time == "day":
        days = [span(name) for name in names]
        return np.array([days[0] if days else -1 for days in days], np.int64)
    written = [f"{name[:4]}-{3 * int(name[-1]) - 2:02}" if " Q" in name else name for name in names]  # a quarter by its first month
    return periods(written, _period(time))


def first_period(change_at: str, time: str) -> int:
    """The number of the period that begins on this day; raises InputError where none does."""
    days = span(change_at)
    if days is None:
        raise InputError(f"--change-at {shown(change_at)}: write a date as 2025-04-01 or 2025-04.")
    if time == "day":
        return days[0]
    found = Date.fromordinal(days[0])
    if found.day != 1 or (found.month - 1) % MONTHS[_period(time)]:
        raise InputError(
            f"--change-at {change_at}: no {time} begins on this day; name the first day of one, or group by shorter periods (--by …,day)."
        )
    return (12 * found.year + found.month - 1) // MONTHS[_period(time)]


def _period(time: str) -> Period:
    return next(period for period in MONTHS if period == time)


def slopes(study: Study, lines: Sequence[Line], numbers: Ids, *, level: float, label: int) -> Iterator[dict[str, Any]]:
    """The slope of a label's share in each line of cells, where enough is coded to tell it."""
    for group, inside in lines:
        dated = inside & (numbers >= 0)
        if len(np.unique(numbers[dated])) >= SHORTEST:
            with suppress(ValueError):  # too little is coded here
                found = trend(study.sample, study.corpus, numbers, label=label, inside=dated)
                yield {"group": dict(group), "slope": float(found.coefficients[-1]), **_limits(found, level)}


def changes(study: Study, lines: Sequence[Line], numbers: Ids, *, since: int, level: float, label: int) -> Iterator[dict[str, Any]]:
    """The share of a label from a period on, less the share before it, in each line of cells where enough is coded."""
    for group, inside in lines:
        with suppress(ValueError):  # too little is coded here
            found = change(study.sample, study.corpus, numbers, since, label=label, inside=inside & (numbers >= 0))
            yield {"group": dict(group), "change": float(found.coefficients[-1]), **_limits(found, level)}


def _limits(found: Regression, level: float) -> dict[str, float]:
    low, high = found.interval(level)
    return {"low": float(low[-1]), "high": float(high[-1])}
