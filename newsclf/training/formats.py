"""How the report writes its values: the filters of its templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from newsclf.training.measured import named

Row = Mapping[str, Any]


def _escaped(value: object) -> str:
    """Text in which Markdown sees no markup and no end of a line."""
    return re.sub(r"([\\`*\[\]<|])", r"\\\1", " ".join(str(value).split()))


def _points(value: float | None) -> str:
    """A metric in three digits."""
    return "–" if value is None else f"{value:.3f}"


def _gain(value: float | None) -> str:
    """A difference in points, with its sign."""
    return "–" if value is None else f"{value:+.1f}"


def _share(value: float | None) -> str:
    """A share in percent."""
    return "–" if value is None else f"{100 * value:.1f} %"


def _interval(row: Mapping[str, Any]) -> str:
    """The interval of a number, or a dash."""
    bounds: Sequence[float | None] = (row["low"], row["high"])
    return "–" if None in bounds else f"{bounds[0]:.3f} to {bounds[1]:.3f}"


def _gains(row: Mapping[str, Any]) -> str:
    """The interval of a difference in points, or a dash."""
    return "–" if row["low"] is None or row["high"] is None else f"{row['low']:+.1f} to {row['high']:+.1f}"


def _count(value: float) -> str:
    """A number of things."""
    return f"{value:,.0f}"


def _cells(rows: Sequence[Row], *keys: str) -> list[list[str]]:
    """Rows as cells of a table: "key" is a value as it stands, "key:format" one in a format, "one|other" the first that is not empty.

    A key alone that is the name of a format of rows, such as "interval", is the row in that format.
    """
    return [[_cell(row, key) for key in keys] for row in rows]


def _cell(row: Row, key: str) -> str:
    if key in ("interval", "gains"):
        return str(FORMATS[key](row))
    names, _, form = key.partition(":")
    value = next((row[name] for name in names.split("|") if row[name]), row[names.split("|")[-1]])
    if form:
        return str(FORMATS[form](value))
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


FORMATS: Mapping[str, Callable[..., Any]] = {
    "points": _points,
    "share": _share,
    "gain": _gain,
    "count": _count,
    "interval": _interval,
    "gains": _gains,
    "metric": named,
    "md": _escaped,
    "cells": _cells,
}
"""Name in the templates → function."""
