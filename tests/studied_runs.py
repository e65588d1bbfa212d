"""Runs on small corpora of colors, to be studied further."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from color_articles import write_rows

from newsclf.training.run import train

BOOK = "{task: color, kind: exclusive, labels: {red: The article is about red things., blue: The article is about blue things.}}"


def run_of(folder: Path, rows: Iterable[Mapping[str, Any]], *settings: str) -> Path:
    """The folder of a run on these rows."""
    write_rows(folder / "corpus.jsonl", rows)
    (folder / "config.yaml").write_text(
        f"name: color\ncodebook: {BOOK}\ndata: {{path: corpus.jsonl}}\nlearner: {{kind: linear, C: 1}}\nsplit: {{folds: 2}}\n", "utf-8"
    )
    return train(folder / "config.yaml", [f"output={folder}", *settings]).run


def dated(rows: Sequence[Mapping[str, Any]], *, periods: int) -> list[dict[str, Any]]:
    """The rows with a day each, spread evenly over so many months of 2024."""
    return [{**row, "date": f"2024-{1 + at * periods // len(rows):02}-{1 + at % 28:02}"} for at, row in enumerate(rows)]
