"""The report of a training run: one HTML file with everything in it, made from what the run's folder holds and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from newsclf import __version__
from newsclf.errors import InputError, OutputError, need
from newsclf.training import plots

FINDINGS = "findings.json"
"""What training found out, beside the metrics: the report's contents as plain values."""

MOST_CELLS = 20
"""Labels up to which the confusion table is shown whole; above, only the commonest confusions are."""


def report(run: str | Path, output: str | Path | None = None) -> Path:
    """Write the report of a run, and say where: `report.html` in its folder unless another file is named.

    The file needs no network and no other file. Raises InputError where the folder is not that of a finished run, OutputError where the file
    cannot be written, and MissingExtra without the extra `report`.
    """
    folder = Path(run)
    html = html_of(findings_of(folder), made_by=f"newsclf {__version__}")
    target = Path(output) if output else folder / "report.html"
    try:
        target.write_text(html, "utf-8")
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}. Name another file with --output.") from error
    return target


def findings_of(folder: Path) -> dict[str, Any]:
    """What a run found out; raises InputError where there is no such run."""
    path = folder / FINDINGS
    if not path.is_file():
        hint = "the folder of a run is the one that training prints as `record`, models/runs/NAME-DATE-TIME"
        raise InputError(f"{folder}: there is no {FINDINGS}, so this is no finished run of this newsclf; {hint}.")
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}. Train again.") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: this is not what a run writes. Train again.")
    return found


def html_of(findings: Mapping[str, Any], *, made_by: str) -> str:
    """The page of a run's findings."""
    need("jinja2", "report", why="a report")
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"points": _points, "share": _share, "interval": _interval}
    template = environment.from_string(files("newsclf.training").joinpath("report.html.jinja").read_text("utf-8"))
    return template.render(**findings, pictures=_pictures(findings), commonest=_confusions(findings), most_cells=MOST_CELLS, made_by=made_by)


def _pictures(findings: Mapping[str, Any]) -> dict[str, str]:
    """SVG of each picture that there is something to draw for."""
    drawn = dict.fromkeys(("labels", "reliability", "coverage", "precision_recall"), "")
    if len(findings["labels"]) > 1:
        drawn["labels"] = plots.forest(findings["labels"], title="F1 of each label with its 95 % interval, and its test rows")
    if findings["reliability"]:
        drawn["reliability"] = plots.reliability(findings["reliability"], title="Reliability: what the model promised and what was right")
    if findings["risk_coverage"]:
        points = [(row["share"], row["accuracy"]) for row in findings["risk_coverage"]]
        drawn["coverage"] = plots.curves(
            {"accuracy": points}, title="Accuracy of the most certain answers", across="share of the articles that the model answers", up="accuracy"
        )
    if findings["precision_recall"]:
        lines = {row["label"]: [tuple(point) for point in row["points"]] for row in findings["precision_recall"]}
        drawn["precision_recall"] = plots.curves(lines, title="Precision and recall of the commonest labels", across="recall", up="precision")
    return drawn


def _confusions(findings: Mapping[str, Any], most: int = 15) -> list[tuple[str, str, int]]:
    """Coded label, label given instead, and how often: the commonest first."""
    table, names = findings["confusion"], [row["label"] for row in findings["labels_in_order"]]
    if not table:
        return []
    wrong = [(names[i], names[j], count) for i, row in enumerate(table) for j, count in enumerate(row) if i != j and count and j < len(names)]
    return sorted(wrong, key=lambda item: (-item[2], item[0], item[1]))[:most]


def _points(value: float | None) -> str:
    """A metric in three digits."""
    return "–" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    """A share in percent."""
    return "–" if value is None else f"{100 * value:.1f} %"


def _interval(row: Mapping[str, Any]) -> str:
    """The interval of a number, or a dash."""
    bounds: Sequence[float | None] = (row["low"], row["high"])
    return "–" if None in bounds else f"{bounds[0]:.3f} to {bounds[1]:.3f}"
