"""What a coder who is never wrong writes on the made-up corpus, and the shares that follow from it, counted by hand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Rows = Sequence[Mapping[str, Any]]


def codes_of(row: Mapping[str, Any], task: str, target: str = "") -> list[str]:
    """The true labels of a row of the corpus."""
    found = json.loads(row["codes"])[target or task]
    return [found] if isinstance(found, str) else list(found)


def fill(folder: Path, rows: Rows, task: str, *, coder: str = "ada", number: int = 1, leave: Callable[[int], bool] = lambda number: False) -> Path:
    """Fill in a sheet of audit-sample with the true codes; cells of the rows that `leave` picks stay empty."""
    path, known = folder / f"sheet-{number}.csv", {row["id"]: row for row in rows}
    sheet = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    for at, row in enumerate(sheet):
        labels = codes_of(known[row["id"]], task, row.get("target", ""))
        row |= {} if leave(at) else {"labels" if "labels" in row else "label": "; ".join(labels), "coder": coder}
    return write_table(path, sheet)


def write_table(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """A csv file of rows."""
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def share_of(rows: Rows, task: str, label: str, target: str = "", **group: str) -> float:
    """The true share of a label in the rows with these values; "" is no value, and a month is the first seven characters of the date."""
    inside = [row for row in rows if all((row["date"][:7] if name == "month" else row[name]) == value for name, value in group.items())]
    return sum(label in codes_of(row, task, target) for row in inside) / len(inside)


def run_of(model: Path) -> Path:
    """The training run that made a model of the fixtures."""
    return next(path.parent for path in model.parent.glob("runs/*/config.yaml") if f"name: {model.name}\n" in path.read_text("utf-8"))
