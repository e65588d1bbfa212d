"""What the folder of a training run says of its test rows, and whether two runs were tested on the same."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from newsclf.corpus.formats import BadRow, read_rows
from newsclf.errors import DataError, InputError, listed, shown
from newsclf.scores.metrics import Booleans, Floats, Kind
from newsclf.training.seed_folders import folders_listed, name_of, seeds_of

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
        """The run in a folder; raises InputError where there is none or there are several, DataError for lines that are no answers."""
        if seeds := seeds_of(folder):
            raise InputError(f"{folder}: this is the record of several seeds, not one run: name one of {folders_listed(folder, seeds)}.")
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

    def column(self, name: str, keys: Collection[Key]) -> list[Any]:
        """What split.jsonl has in a column for these rows, of whatever part."""
        path = self.folder / "split.jsonl"
        split = _lines(path)
        missing = [key for key in keys if name not in split.get(key, {})]
        if missing:
            known = [column for column in next(iter(split.values())) if column not in ("id", "target", "part")]
            raise InputError(f"{path}: {_named(missing[0])} has no {name!r} to cluster by; recorded are {listed(known)}.")
        return [split[key][name] for key in keys]


@dataclass(frozen=True)
class Side:
    """What stands on one side of a comparison: a run, or several that are paired in their order with those of the other sides."""

    folder: Path
    """Of the record where the runs are those of its seeds, else of the first run."""

    runs: Sequence[TestedRun]


@dataclass(frozen=True)
class Sides:
    """Sides of a comparison, with as many runs each, and the seeds of those runs."""

    all: Sequence[Side]
    seeds: Sequence[int] = ()
    """Those that all records have; none where the sides are not records of seeds."""

    left_out: Sequence[int] = ()
    """Seeds that some of the records lack."""

    @classmethod
    def read(cls, paths: Sequence[Sequence[Path]]) -> Sides:
        """The folders of runs on each side; one folder alone may be the record of several seeds, whose runs are taken by the seeds that all have.

        Raises InputError where there are fewer than two sides, where their runs cannot be paired, and for what is no run.
        """
        if len(paths) < 2:
            raise InputError(f"a comparison takes two runs or more, the baseline first, and this is {len(paths)}:  newsclf compare RUN OTHER_RUN")
        seeds = [seeds_of(side[0]) if len(side) == 1 else () for side in paths]
        if any(seeds):
            return cls._of_seeds([side[0] if side else Path() for side in paths], seeds)
        if not paths[0] or len({len(side) for side in paths}) > 1:
            raise InputError(f"the sides of a comparison need as many runs each, one at least; these have {[len(side) for side in paths]}.")
        return cls([Side(side[0], [TestedRun.read(folder) for folder in side]) for side in paths])

    @classmethod
    def _of_seeds(cls, records: Sequence[Path], seeds: Sequence[Sequence[int]]) -> Sides:
        for record, own in zip(records, seeds, strict=True):
            if not own:
                other = next(position for position, some in enumerate(seeds) if some)
                raise InputError(
                    f"{records[other]} is the record of several seeds and {record} is not: compare two such records, or two runs; those of the seeds "
                    f"are {folders_listed(records[other], seeds[other])}."
                )
        common = [seed for seed in seeds[0] if all(seed in own for own in seeds)]
        if not common:
            each = "; ".join(f"{record} has {', '.join(map(str, own))}" for record, own in zip(records, seeds, strict=True))
            raise InputError(
                f"these records have no seed in common ({each}), so they were tested on different rows: train one of them anew with the seeds of the "
                f"other:  --set seeds={list(seeds[0])}"
            )
        sides = [Side(record, [TestedRun.read(record / name_of(seed)) for seed in common]) for record in records]
        return cls(sides, common, sorted({seed for own in seeds for seed in own} - set(common)))


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


def check_same_task(base: TestedRun, run: TestedRun) -> None:
    """Raise DataError where two runs do not have the same labels."""
    if set(base.labels) != set(run.labels) or base.kind != run.kind:
        tasks = [f"{item.folder} ({item.kind}: {listed(item.labels)})" for item in (run, base)]
        raise DataError(f"{tasks[0]} and {tasks[1]} are runs of different tasks; compare runs of one codebook.")


def check_same_test(base: TestedRun, run: TestedRun) -> None:
    """Raise DataError where two runs were not tested on the same rows, labels and codes."""
    check_same_task(base, run)
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
