"""Where the runs of several seeds stand in their record, and which there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from newsclf.errors import listed


def name_of(seed: int) -> str:
    """Name of a seed's folder in the record."""
    return f"seed-{seed}"


def seeds_of(record: Path) -> tuple[int, ...]:
    """The seeds of a record; none where it is that of one run, or no record."""
    try:
        seeds = json.loads((record / "summary.json").read_text("utf-8"))["seeds"]
    except (OSError, ValueError, LookupError, TypeError):
        return ()
    return tuple(seed for seed in seeds if isinstance(seed, int)) if isinstance(seeds, list) else ()


def folders_listed(record: Path, seeds: Sequence[int]) -> str:
    """The folders of a record's seeds, for messages."""
    return listed(str(record / name_of(seed)) for seed in seeds)
