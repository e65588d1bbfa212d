"""Dates as articles carry them: what day each can mean, and which articles are the later ones."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import date as Date  # noqa: N812 (a type; `date` is what articles have)
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from newsclf.errors import DataError, shown

Ids = NDArray[np.int64]
Booleans = NDArray[np.bool_]

LATEST = "latest"
"""In the place of a date: whichever leaves the share that is asked for."""

Period = Literal["month", "quarter", "year"]
MONTHS: dict[Period, int] = {"month": 1, "quarter": 3, "year": 12}

_ISO = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ]\d\d.*)?)?)?", re.ASCII | re.DOTALL)


def span(date: str) -> tuple[int, int] | None:
    """First and last day that a date can mean, as proleptic Gregorian ordinals; None where it is no date.

    ISO 8601: a year, a month, a day, or a day and an hour, of which the day counts as it is written, whatever the time zone. Nothing is guessed:
    03/04/2024 is no date, for it is two.
    """
    found = _ISO.fullmatch(date.strip())
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        first = Date(year or 0, month or 1, day or 1)
        last = first if day else first.replace(month=month or 12, day=monthrange(first.year, month or 12)[1])
    except ValueError:  # the year 0, the month 13, the 30th of February
        return None
    return first.toordinal(), last.toordinal()


def spans(dates: Sequence[str], places: Sequence[str], *, key: str) -> tuple[Ids, Ids]:
    """First and last day of each date; raises DataError that counts those that are none and names the first. [dates] each"""
    found = [span(date) for date in dates]
    bad = [row for row, days in enumerate(found) if days is None]
    if bad:
        first = f"the date {shown(dates[bad[0]])}" if dates[bad[0]].strip() else "none (its column is data.date)"
        raise DataError(
            f"{key}: {len(bad)} of {len(dates)} rows have no date that can be read; the first is {places[bad[0]]}, which has {first}. "
            "A date must be written as 2024-01-31, 2024-01 or 2024: mend these, or take the rows out."
        )
    pairs = np.array(found, np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def later(days: tuple[Ids, Ids], after: str, *, share: float, dates: Sequence[str], places: Sequence[str]) -> Booleans:
    """Which rows are of the day `after` or later; for `latest`, of the day that leaves nearest to this share of the rows. [rows]

    Raises DataError where a row's date may lie on either side, being a year or a month, or where one side is empty.
    """
    first, last = days
    cut = _latest(first, last, share) if after == LATEST else (span(after) or (0, 0))[0]
    both = np.flatnonzero((first < cut) & (cut <= last))
    if len(both):
        raise DataError(
            f"split.after: {after} lies within the date of {len(both)} of {len(dates)} rows, which may be earlier or later; the first is "
            f"{places[both[0]]}, dated {dates[both[0]]!r}. Give these a day, or split where a year or a month begins."
        )
    late: Booleans = first >= cut
    if late.all() or not late.any():
        raise DataError(
            f"split.after: {after} leaves {(~late).sum()} rows to learn from and {late.sum()} to test on; both are needed. "
            f"The dates go from {Date.fromordinal(int(first.min()))} to {Date.fromordinal(int(last.max()))}."
        )
    return late


def _latest(first: Ids, last: Ids, share: float) -> int:
    """The day from which the rows are nearest to this share of all, of those days that lie within nobody's date."""
    days = np.unique(first)
    earlier = np.searchsorted(np.sort(first), days)
    clear = (earlier > 0) & (earlier == np.searchsorted(np.sort(last), days))
    if not clear.any():
        raise DataError(
            f"split.after: the {len(first)} rows cannot be parted by date: none is certainly later than another "
            f"({Date.fromordinal(int(first.min()))} to {Date.fromordinal(int(last.max()))})."
        )
    missed = np.abs(len(first) - earlier - share * len(first))
    return int(days[clear][np.argmin(missed[clear])])


def periods(dates: Sequence[str], period: Period) -> Ids:
    """The number of the month, quarter or year of each date, counted from the year 0; -1 where the date does not say which it is. [dates]"""
    numbers = np.full(len(dates), -1, np.int64)
    for row, written in enumerate(dates):
        if (days := span(written)) is not None:
            first, last = (_month(day) // MONTHS[period] for day in days)
            numbers[row] = first if first == last else -1
    return numbers


def period_name(number: int, period: Period) -> str:
    """How a period that `periods` numbered is written: 2024-03, 2024 Q1, 2024."""
    year, part = divmod(number, 12 // MONTHS[period])
    return {"month": f"{year}-{part + 1:02}", "quarter": f"{year} Q{part + 1}", "year": f"{year}"}[period]


def _month(day: int) -> int:
    found = Date.fromordinal(day)
    return 12 * found.year + found.month - 1
