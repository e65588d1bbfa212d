"""Coded articles about two colors, no two of them near-duplicates: a corpus that trains in a blink and can be parted."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

RED = "rose tomato cherry brick ruby poppy ember rust lobster chili beet garnet fire flame scarlet crimson maroon apple wine strawberry"
BLUE = "ocean sky cornflower sapphire denim indigo lagoon bluebell navy cobalt azure harbor iris jay turquoise lake river glacier ink ice"
PLAIN = "report town market people day street office yard house road field window morning evening garden table letter corner paper bridge"
WORDS = {"red": RED, "blue": BLUE}


def color_rows(of_each: int = 12, *, seed: int = 0, prefix: str = "") -> list[dict[str, Any]]:
    """Rows of both colors by turns; another seed gives other texts."""
    dice = random.Random(seed)
    return [
        {
            "id": f"{prefix}{label}-{number}",
            "text": " ".join(dice.choices(words.split(), k=12) + dice.choices(PLAIN.split(), k=12)) + ".",
            "labels": label,
            "outlet": f"Outlet {number % 4}",
        }
        for number in range(of_each)
        for label, words in WORDS.items()
    ]


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """A JSONL file of rows."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder: relative path → bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
