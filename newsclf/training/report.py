"""The report of a training run, made from what the run's folder holds: one HTML file with everything in it, or Markdown for a model card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from newsclf import __version__
from newsclf.errors import InputError, OutputError, need
from newsclf.pictures import style
from newsclf.training.formats import FORMATS
from newsclf.training.pictures import pictures
from newsclf.training.seed_folders import folders_listed, seeds_of
from newsclf.training.studies import MAKERS, studies
from newsclf.training.verdicts import Studies, answers

FINDINGS = "findings.json"
"""What training found out, beside the metrics: the report's contents as plain values."""

LATER: Mapping[str, Any] = {"promises": [], "spared": "", "sets": None, "copies": None}
"""What the findings of runs of an earlier newsclf lack."""

MOST_CELLS = 20
"""Labels up to which the confusion table is shown whole; above, only the commonest confusions are."""


def report(run: str | Path, output: str | Path | None = None) -> Path:
    """Write the report of a run, and say where: `report.html` in its folder unless another file is named; one that ends in .md is Markdown.

    The page needs no network and no other file. Markdown, for a model card, says the same without pictures, and quotes no article beyond its title.
    What studies of the run have left in its folder is in it. Raises InputError where the folder is not that of a finished run, OutputError where the
    file cannot be written, and MissingExtra without the extra `report`.
    """
    folder = Path(run)
    target = Path(output) if output else folder / "report.html"
    write = markdown_of if target.suffix.lower() in (".md", ".markdown") else html_of
    text = write(findings_of(folder), studies(folder), made_by=f"newsclf {__version__}")
    try:
        target.write_text(text, "utf-8")
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}. Name another file with --output.") from error
    return target


def findings_of(folder: Path) -> dict[str, Any]:
    """What a run found out; raises InputError where there is no such run."""
    path = folder / FINDINGS
    if not path.is_file():
        if seeds := seeds_of(folder):
            runs = folders_listed(folder, seeds)
            raise InputError(f"{folder}: this is the record of several seeds, and the run of each has its own report: name one of {runs}.")
        hint = "the folder of a run is the one that training prints as `record`, models/runs/NAME-DATE-TIME"
        raise InputError(f"{folder}: there is no {FINDINGS}, so this is no finished run of this newsclf; {hint}.")
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}. Train again.") from error
    if not isinstance(found, dict) or "headline" not in found:
        raise InputError(f"{path}: this is not what a run writes. Train again.")
    return {**LATER, "doubtful": len(found["problems"]), **found}


def html_of(findings: Mapping[str, Any], made: Studies, *, made_by: str) -> str:
    """The page of a run's findings and of its studies."""
    return _filled("report.html.jinja", findings, made, pictures=pictures(findings, made), style=style(), made_by=made_by)


def markdown_of(findings: Mapping[str, Any], made: Studies, *, made_by: str) -> str:
    """The same as Markdown, without pictures and without the text of articles."""
    return _filled("report.md.jinja", findings, made, made_by=made_by)


def _filled(name: str, findings: Mapping[str, Any], made: Studies, **more: Any) -> str:
    need("jinja2", "report", why="a report")
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=name.endswith(".html.jinja"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= FORMATS
    template = environment.from_string(files("newsclf.training").joinpath(name).read_text("utf-8"))
    shown = {"answers": answers(findings, made), "commonest": _confusions(findings), "fewest": _fewest(findings), "most_cells": MOST_CELLS}
    return template.render(**findings, **made, **shown, makers=MAKERS, **more)


def _fewest(findings: Mapping[str, Any], most: int = 8) -> list[dict[str, Any]]:
    """The labels with the fewest rows to learn from, with how they do on the test rows."""
    scores = {row["label"]: row for row in findings["labels"]}
    rows = sorted(findings["labels_in_order"], key=lambda row: row["learned"])[:most]
    return [{**scores[row["label"]], "learned": row["learned"]} for row in rows]


def _confusions(findings: Mapping[str, Any], most: int = 15) -> list[tuple[str, str, int]]:
    """Coded label, label given instead, and how often: the commonest first."""
    table, names = findings["confusion"], [row["label"] for row in findings["labels_in_order"]]
    if not table:
        return []
    wrong = [(names[i], names[j], count) for i, row in enumerate(table) for j, count in enumerate(row) if i != j and count and j < len(names)]
    return sorted(wrong, key=lambda item: (-item[2], item[0], item[1]))[:most]
