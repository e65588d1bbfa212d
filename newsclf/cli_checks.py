"""The commands that say what a number is worth: report, compare, audit. Each parses, calls one function, and prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsclf.cli_options import Json, Quiet, print_json, remarks

Runs = Annotated[list[Path], typer.Argument(help="Folders of training runs, models/runs/NAME-DATE-TIME; the first is the baseline.")]


def report(
    run: Annotated[Path, typer.Argument(help="Folder of a training run, which train prints as `record`.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; .md is Markdown. The run's report.html unless given.")] = None,
) -> None:
    """Write the report of a training run: one HTML file that can be sent to a reviewer."""
    from newsclf.training.report import report as write

    print(write(run, output))


def compare(
    runs: Runs,
    metric: Annotated[str, typer.Option(help="Metric of the runs' summaries.")] = "macro_f1",
    clusters: Annotated[str, typer.Option(help="Column of split.jsonl whose rows belong together.")] = "story",
    margin: Annotated[float | None, typer.Option("--fail-if-worse", metavar="MARGIN", help="Exit 3 where a run is worse by more than that.")] = None,
) -> None:
    """Compare training runs on their common test rows: difference, 95 % interval, and p by permutation of whole stories."""
    from newsclf.training.compare import compare_runs

    found = compare_runs(list(runs), metric=metric, clusters=clusters)
    print(f"{found}\n\n{found.table()}")
    if margin is not None:
        found.check(margin)


def audit(
    what: Annotated[Path, typer.Argument(metavar="CONFIG|RUN", help="Experiment file (YAML), or the folder of a training run.")],
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the config. Repeatable.")] = None,
    with_inflation: Annotated[
        bool, typer.Option("--inflation", help="Also score the same test articles under a random split: six models are made.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Audit a split without training: copies across it, shared outlets and authors, label shift, and what a random split would add to the score."""
    remarks(quiet)
    from newsclf.training.audit import audit as run

    found = run(what, settings or (), with_inflation=with_inflation)
    if as_json:
        print_json(found.as_dict())
    else:
        print(found.text())
