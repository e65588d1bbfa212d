"""What the commands share: options, and how they speak."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from newsclf.errors import InputError

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no remarks.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Targets = Annotated[list[str] | None, typer.Option("--target", help="Stance: ask about this target instead of the codebook's. Repeatable.")]
ColumnNames = Annotated[
    list[str] | None, typer.Option("--column", metavar="FIELD=COLUMN", help="Where a field stands, for example --column text=body. Repeatable.")
]
Model = Annotated[Path, typer.Argument(help="Folder of a model, for example models/framing.")]


def remarks(quiet: bool) -> None:
    """Have the log written to standard error; errors alone where it is to be quiet."""
    logging.basicConfig(level=logging.ERROR if quiet else logging.INFO, format="%(message)s", stream=sys.stderr)
    for noisy in ("httpx", "datasets", "fsspec"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def print_json(value: Any) -> None:
    """Print plain values as JSON."""
    print(json.dumps(value, ensure_ascii=False, indent=1))


def columns_of(pairs: Sequence[str] | None) -> dict[str, str]:
    """What --column says, FIELD=COLUMN, as a mapping; raises InputError for what is not written so."""
    result = {}
    for pair in pairs or ():
        field, equals, column = pair.partition("=")
        if not equals:
            raise InputError(f"--column {pair!r}: write it as FIELD=COLUMN, for example  --column text=body")
        result[field] = column
    return result
