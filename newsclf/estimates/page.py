"""Estimates as a page: one HTML file with everything in it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from itertools import groupby
from typing import Any

from newsclf.errors import need
from newsclf.estimates.pictures import pictures
from newsclf.estimates.wording import (
    UNTESTED,
    Record,
    against_counting,
    bounds,
    group_name,
    level,
    meaning,
    ordered,
    percent,
    point_bounds,
    points,
    refused,
)
from newsclf.pictures import Picture, style

MOST = 200
"""Rows of a table; the record has the others."""

HEADLINE = 6
"""Labels whose shares stand in large figures."""

TABLES = ("differences", "trends", "changes", "comparators", "coders")
MAYBE: Mapping[str, Any] = dict.fromkeys((*TABLES, "remarks"), ())
"""What a record may lack."""


def page(record: Record, drawn: Mapping[str, Picture] | None = None) -> str:
    """The page of a record, which needs no network and no other file; raises MissingExtra without the extra `report`.

    `drawn` are its pictures, where there are some already: each is drawn once.
    """
    need("jinja2", "report", why="a page of estimates")
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= FILTERS
    environment.tests |= {"refused": refused}
    template = environment.from_string(files("newsclf.estimates").joinpath("estimates.html.jinja").read_text("utf-8"))
    given = {**MAYBE, **record}
    tables = {name: list(given[name])[:MOST] for name in TABLES}
    rest = {name: len(given[name]) - len(tables[name]) for name in TABLES}
    shown = _shown(record, pictures(record) if drawn is None else drawn)
    return template.render(**given | tables | shown, rest=rest, style=style(), headline=HEADLINE)


def _shown(record: Record, drawn: Mapping[str, Picture]) -> dict[str, Any]:
    """What the page shows of a record beside what stands in it."""
    rows = ordered(record)
    tables = []
    for label, found in groupby(rows, key=lambda row: row["label"]):
        own = list(found)
        tables.append({"label": label, "rows": own[:MOST], "more": max(len(own) - MOST, 0)})
    kinds = ("shares", *(f"{kind}-{number + 1}" for number in range(len(tables)) for kind in ("time", "groups", "differences")))
    return {
        "labels": tables,
        "whole": [row for row in rows if not row["group"]],
        "pictures": {kind: {"svg": drawn[kind].inline(), "title": drawn[kind].title} if kind in drawn else None for kind in kinds},
        "assumptions": {row["method"]: str(row["assumes"]).rstrip(".") for row in record.get("comparators", ())},
        "marked": any(row["pooled"] and not refused(row) for row in rows),
        "meaning": meaning(record),
        "against": against_counting(record),
        "untested": UNTESTED,
        "sure": level(record),
    }


def _count(value: float | None) -> str:
    """A number of things, or a dash."""
    return "–" if value is None else f"{value:,.0f}"


FILTERS = {"percent": percent, "points": points, "bounds": bounds, "point_bounds": point_bounds, "group": group_name, "count": _count}
"""Name in the template → function."""
