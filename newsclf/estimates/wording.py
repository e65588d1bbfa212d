"""How estimates are worded: names of groups, percentages and points, and the sentences that say what a number is and where it is from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
"""What `estimates.json` holds."""

Row = Mapping[str, Any]

PRINT = 12
"""Characters of a fingerprint that are shown."""

UNTESTED = "for comparison: needs an assumption that no audit has tested"
WHOLE = "whole corpus"


def group_name(group: Mapping[str, Any]) -> str:
    """The values of a group, or that it is the whole corpus."""
    return ", ".join(str(value) if str(value).strip() else f"no {key}" for key, value in group.items()) or WHOLE


def percent(value: float | None) -> str:
    """A share, 0 to 1, in percent; a dash where there is none."""
    return "–" if value is None else f"{100 * value:.1f} %"


def points(value: float | None) -> str:
    """A difference of shares in percentage points with its sign; a dash where there is none."""
    return "–" if value is None else _zero(f"{100 * value:+.1f}")


def bounds(row: Row) -> str:
    """The interval of a share in percent, or a dash."""
    return "–" if row["low"] is None or row["high"] is None else f"{100 * row['low']:.1f} to {100 * row['high']:.1f}"


def point_bounds(row: Row) -> str:
    """The interval of a difference in percentage points, or a dash."""
    return "–" if row["low"] is None or row["high"] is None else f"{points(row['low'])} to {points(row['high'])}"


def refused(row: Row) -> bool:
    """Whether a share was not estimated."""
    return row["refused"] is not None or row["estimate"] is None


def level(record: Record) -> str:
    """How sure the intervals are, as "95 %"."""
    return f"{100 * float(record['method']['level']):g} %"


def ordered(record: Record) -> list[Row]:
    """The shares: of each label the whole corpus first, then the coarser groups before the finer."""
    places = {label: place for place, label in enumerate(record["labels"])}
    return sorted(record["shares"], key=lambda row: (places.get(row["label"], len(places)), len(row["group"])))


def periods(names: Sequence[str]) -> dict[str, int]:
    """Places in time of periods that are written 2024-03, 2024 Q1 or 2024, with room for those that are missing; of others their places in order."""
    found = {name: re.fullmatch(r"(\d{4})(?:-(\d\d)| Q([1-4]))?", name) for name in sorted(set(names))}
    kinds = {(bool(match[2]), bool(match[3])) for match in found.values() if match}
    if None in found.values() or len(kinds) > 1:
        return {name: place for place, name in enumerate(found)}
    numbers = {name: _number(match) for name, match in found.items() if match}
    first = min(numbers.values(), default=0)
    return {name: number - first for name, number in numbers.items()}


def source(record: Record) -> str:
    """What one needs to make the numbers again: articles, model and audit."""
    audit, scores = record["audit"], record["scores"]
    model = f"model {_short(record['model'])}, audit {_short(audit['fingerprint'])}"
    return f"{scores['rows']:,} scored, {audit['articles']:,} coded; {model}"


def meaning(record: Record) -> str:
    """What the shares are and what they assume."""
    audit, scores = record["audit"], record["scores"]
    if not audit["articles"]:
        return ""
    coders = f"{audit['coders']} coders" if audit["coders"] != 1 else "one coder"
    how = str(audit.get("design") or "").rstrip(".")
    drawn = f"were drawn by chance{how and f' ({how})'}"
    if audit.get("by_hand"):
        drawn = "are like a random draw from their groups: they were chosen by hand, and nobody has checked this"
    return (
        f"Each share is what the model counts in {scores['rows']:,} scored articles, corrected by how it erred on the {audit['articles']:,} that "
        f"{coders} read: {record['method']['estimator']}. This holds however good or bad the model is. It assumes that the codes are right, and "
        f"that the coded articles {drawn}."
    )


def provenance(record: Record) -> str:
    """Whose intervals they are, and what one needs to make the numbers again, in sentences."""
    return f"Intervals: {str(record['method']['interval']).rstrip('.')}. {source(record)}."


def against_counting(record: Record) -> str:
    """How the shares differ from counting what the model says, at the label where they differ most; "" where the whole corpus has no estimate."""
    whole = [row for row in record["shares"] if not row["group"] and not refused(row) and row["naive"] is not None]
    if not whole:
        return ""
    row = max(whole, key=lambda row: abs(row["estimate"] - row["naive"]))
    inside = row["low"] <= row["naive"] <= row["high"]
    said = "which lies within the interval, and would come without one" if inside else "which lies outside the interval"
    return (
        f"Counting what the model says would give {percent(row['naive'])} {row['label']}, {said}: the audit gives {percent(row['estimate'])} "
        f"({bounds(row)}). A count repeats the model's errors, and more articles do not make them fewer."
    )


def _number(match: re.Match[str]) -> int:
    if match[2]:
        return 12 * int(match[1]) + int(match[2]) - 1
    return 4 * int(match[1]) + int(match[3]) - 1 if match[3] else int(match[1])


def _short(fingerprint: str | None) -> str:
    return str(fingerprint or "none").removeprefix("sha256:").removeprefix("sha256-")[:PRINT]


def _zero(text: str) -> str:
    """No sign where there is nothing to sign."""
    return "0.0" if float(text) == 0 else text
