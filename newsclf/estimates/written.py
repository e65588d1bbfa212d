"""Estimates as files: the record, tables for papers and spreadsheets, a page, and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from newsclf.errors import OutputError
from newsclf.estimates.page import page
from newsclf.estimates.pictures import pictures
from newsclf.estimates.tables import to_csv, to_latex, to_markdown

RECORD = "estimates.json"


def write(record: Mapping[str, Any], folder: Path, *, kinds: Sequence[str] = (".svg",)) -> list[Path]:
    """Write a record and all that is made of it, pictures as files of these `kinds`: .svg, .png, .pdf.

    Files of an earlier record of that name are replaced. Raises OutputError where that fails, or the folder holds something else.
    """
    try:
        _check(folder)  # pictures take seconds: not for a folder that is refused
        drawn = pictures(record)
        texts = {
            RECORD: json.dumps(record, indent=1, ensure_ascii=False) + "\n",
            "estimates.csv": to_csv(record),
            "estimates.md": to_markdown(record),
            "estimates.tex": to_latex(record),
            "estimates.html": page(record, drawn),
        }
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, "utf-8", newline="")
        for name, picture in drawn.items():
            for kind in kinds:
                picture.write(folder / f"{name}{kind}")
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}.") from error
    return [folder / name for name in texts]


def _check(folder: Path) -> None:
    if folder.exists():
        there = {path.name for path in folder.iterdir()}  # raises OSError for a file
        if there and RECORD not in there:
            raise OutputError(f"{folder}: this folder holds something else and is left as it is; name another folder.")
