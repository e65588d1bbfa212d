"""A split that was made before, taken from the record of its run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsclf.corpus.formats import BadRow, read_rows
from newsclf.errors import DataError, listed

PARTS = ("train", "test", "aside")

Key = tuple[str, str]


def replayed(keys: Sequence[Key], path: str) -> NDArray[np.str_]:
    """The part of each row as split.jsonl has it. [rows]

    `keys` are the (id, target) of each row, the target empty where the task has none. Every row must stand in the file and every line of it must be
    a row: a split of other articles is another split. Raises DataError for what is missing on either side, for lines that are none of a split's,
    and where nothing is left to learn from or to test on.
    """
    given = dict(_lines(path))
    missing = [key for key in keys if key not in given]
    if missing:
        raise DataError(
            f"{path}: {len(missing)} of {len(keys)} rows of the corpus are not in this split; the first is {_named(missing[0])}. "
            "A split is replayed on the articles that it was made of: name the same data and cleaning, or split anew."
        )
    known = set(keys)
    gone = [key for key in given if key not in known]
    if gone:
        raise DataError(
            f"{path}: {len(gone)} of {len(given)} rows of this split are not in the corpus; the first is {_named(gone[0])}. "
            "A split is replayed on the articles that it was made of: name the same data and cleaning, or split anew."
        )
    part = np.array([given[key] for key in keys], np.str_)
    learned, tested = (part == "train").sum(), (part == "test").sum()
    if not learned or not tested:
        raise DataError(f"{path}: this split has {learned} rows to learn from and {tested} to test on; both are needed.")
    return part


def _lines(path: str) -> Iterator[tuple[Key, str]]:
    seen: dict[Key, str] = {}
    for row in read_rows(path):
        if isinstance(row, BadRow):
            raise DataError(f"{row.place}: {row.reason}")
        key = (_text(row.values, "id", row.place), _text(row.values, "target", row.place, default=""))
        part = _text(row.values, "part", row.place)
        if part not in PARTS:
            raise DataError(f"{row.place}: 'part' must be one of {listed(PARTS)}, not {part!r}.")
        if key in seen:
            raise DataError(f"{row.place}: {_named(key)} stands at {seen[key]} already; a row is in one part.")
        seen[key] = row.place
        yield key, part


def _text(values: Any, name: str, place: str, *, default: str | None = None) -> str:
    value = values.get(name, default)
    if not isinstance(value, str):
        raise DataError(f"{place}: {name!r} must be text, not {value!r}; a split is the split.jsonl of a run's folder.")
    return value


def _named(key: Key) -> str:
    return f"the id {key[0]!r}" + (f" with the target {key[1]!r}" if key[1] else "")
