"""What a file of a corpus holds: rows that can be read, and rows that cannot, each with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from newsclf.corpus.streams import is_unicode
from newsclf.errors import DataError, listed


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: its place as file:row (the first row is 1, a header not counted) and its columns."""

    place: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, and why, as a sentence."""

    place: str
    reason: str


Rows = Iterator[Row | BadRow]


def broken_off(place: str, error: Exception) -> BadRow:
    """The row in whose stead a file breaks off."""
    return BadRow(place, f"the file breaks off here: {str(error).rstrip('.')}.")


def checked_header(path: str, names: Sequence[str]) -> Sequence[str]:
    """The names of a file's columns; raises DataError where two are one, or one is no Unicode."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(f"{path}: the header names the column {listed(twice)} more than once; rename one.")
    if not is_unicode("".join(names)):
        raise DataError(f"{path}: the header is not UTF-8; save the file as UTF-8.")
    return names
