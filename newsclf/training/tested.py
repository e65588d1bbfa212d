"""What the folder of a training run says of its test rows, and whether two runs were tested on the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from newsclf.corpus.formats import BadRow, read_rows
from newsclf.errors import DataError, InputError, listed, shown
from newsclf.scores.metrics import Booleans, Floats, Kind

Key = tuple[str, str]
"""Id of an article, and the target for stances."""


@dataclass(frozen=True)
class TestedRun:
    """What the folder of a run says of its test rows. Arrays come in the order of another run's rows and labels: the baseline's."""

    folder: Path
    rows: Mapping[Key, Mapping[str, Any]]
    """Lines of test.jsonl."""

    metrics: Sequence[str]
    """Names of the headline metrics; only exclusive tasks have an accuracy."""

    @classmethod
    def read(cls, folder: Path) -> TestedRun:
        """The run in a folder; raises InputError where there is none, DataError for lines that are no answers."""
        try:
            metrics = list(json.loads((folder / "summary.json").read_text("utf-8"))["summary"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            hint = "name the folder that training prints as its record, models/runs/NAME-DATE-TIME"
            raise InputError(f"{folder}: this is not the folder of a finished run, its summary.json cannot be read ({error}); {hint}.") from error
        run = cls(folder, _lines(folder / "test.jsonl"), metrics)
        for key, row in run.rows.items():
            if not _is_answer(row, run.labels):
                raise DataError(f"{folder / 'test.jsonl'}: {_named(key)} must have labels, decided and p of {listed(run.labels)}, not {shown(row)}.")
        return run

    @property
    def labels(self) -> list[str]:
        """Names of the labels."""
        p = next(iter(self.rows.values())).get("p")
        return list(p) if isinstance(p, Mapping) else []

    @property
    def kind(self) -> Kind:
        """Kind of the task."""
        return "exclusive" if "accuracy" in self.metrics else "multi"

    def given(self, name: str, base: TestedRun) -> Booleans:
        """Labels that were coded ("labels") or "decided". [rows, labels]"""
        return np.array([[label in self.rows[key][name] for label in base.labels] for key in base.rows])

    def probabilities(self, base: TestedRun) -> Floats:
        """[rows, labels]"""
        return np.array([[self.rows[key]["p"][label] for label in base.labels] for key in base.rows], np.float64)

    def column(self, name: str, base: TestedRun) -> list[Any]:
        """What split.jsonl has in a column for each test row."""
        path = self.folder / "split.jsonl"
        split = _lines(path)
        missing = [key for key in base.rows if name not in split.get(key, {})]
        if missing:
            known = [column for column in next(iter(split.values())) if column not in ("id", "target", "part")]
            raise InputError(f"{path}: {_named(missing[0])} has no {name!r} to cluster by; recorded are {listed(known)}.")
        return [split[key][name] for key in base.rows]


def _is_answer(row: Mapping[str, Any], labels: Sequence[str]) -> bool:
    p = row.get("p")
    # written so that NaN, which is neither below nor above, is refused too
    if (
        not isinstance(p, Mapping)
        or not labels
        or p.keys() != set(labels)
        or not all(isinstance(value, (int, float)) and 0 <= value <= 1 for value in p.values())
    ):
        return False
    return all(isinstance(row.get(name), list) and all(label in labels for label in row[name]) for name in ("labels", "decided"))


def _lines(path: Path) -> dict[Key, Mapping[str, Any]]:
    rows: dict[Key, Mapping[str, Any]] = {}
    for row in read_rows(str(path)):
        if isinstance(row, BadRow):
            raise DataError(f"{row.place}: {row.reason}")
        key = (str(row.values.get("id")), str(row.values.get("target", "")))
        if key in rows:
            raise DataError(f"{row.place}: {_named(key)} stands twice; a row is in a run once.")
        rows[key] = row.values
    if not rows:
        raise DataError(f"{path}: there is no row in this file, so there is nothing to compare.")
    return rows


def check_same_test(base: TestedRun, run: TestedRun) -> None:
    """Raise DataError where two runs were not tested on the same rows, labels and codes."""
    if set(base.labels) != set(run.labels) or base.kind != run.kind:
        tasks = [f"{item.folder} ({item.kind}: {listed(item.labels)})" for item in (run, base)]
        raise DataError(f"{tasks[0]} and {tasks[1]} are runs of different tasks; compare runs of one codebook.")
    more, less = [key for key in run.rows if key not in base.rows], [key for key in base.rows if key not in run.rows]
    if more or less:
        raise DataError(
            f"{run.folder} and {base.folder} were tested on different rows: {len(more)} of {len(run.rows)} are in the first alone and {len(less)} of "
            f"{len(base.rows)} in the second alone, such as {_named((more or less)[0])}. Train one of them anew on the split of the other:  "
            f"--set split.replay={base.folder / 'split.jsonl'}"
        )
    other = [key for key, row in base.rows.items() if set(row["labels"]) != set(run.rows[key]["labels"])]
    if other:
        one, two = (listed(item.rows[other[0]]["labels"]) for item in (run, base))
        raise DataError(
            f"{run.folder} and {base.folder} were tested on different codes: {len(other)} of {len(base.rows)} rows are coded otherwise; "
            f"{_named(other[0])} is {one} in the first and {two} in the second. Train both on one version of the codes."
        )


def _named(key: Key) -> str:
    return f"the id {key[0]!r}" + (f" with the target {key[1]!r}" if key[1] else "")
