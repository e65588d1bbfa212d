"""The commands that say what a number is worth: report, compare, coders, disagree. Each parses, calls one function, and prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsclf.cli_options import ColumnNames, Json, columns_of, print_json, remarks

if TYPE_CHECKING:
    from newsclf.corpus.coders import Codings

Runs = Annotated[list[Path], typer.Argument(help="Folders of training runs, models/runs/NAME-DATE-TIME; the first is the baseline.")]
CodingFiles = Annotated[str, typer.Argument(help="Codings, a row for each article and coder: file, folder, glob or address.")]
CodebookFile = Annotated[Path, typer.Option("--codebook", help="Codebook of the task (YAML).")]


def report(
    run: Annotated[Path, typer.Argument(help="Folder of a training run, which train prints as `record`.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; report.html in the run's folder unless given.")] = None,
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


def coders(codings: CodingFiles, codebook: CodebookFile, columns: ColumnNames = None, as_json: Json = False) -> None:
    """How far coders agree: Krippendorff's alpha with intervals, overall and of each label, kappa of pairs, and how well coders do by each other."""
    remarks(quiet=False)
    from newsclf.training.study import study

    found = study(_codings(codings, codebook, columns))
    if as_json:
        print_json(found.as_dict())
    else:
        print(found.text())


def disagree(
    codings: CodingFiles,
    codebook: CodebookFile,
    columns: ColumnNames = None,
) -> None:
    """List, as csv, the articles whose coders disagree or were not sure, the most disputed first: what to talk about, and to decide."""
    remarks(quiet=False)
    from newsclf.training.study import disputed

    text = disputed(_codings(codings, codebook, columns))
    print(text.rstrip("\n") if text else "the coders agree on every article")


def _codings(path: str, codebook: Path, columns: list[str] | None) -> Codings:
    from newsclf.codebook import Codebook
    from newsclf.corpus.coders import CodingSpec, read_codings

    spec = CodingSpec.parse(columns_of(columns) | {"path": path}, where="--column")
    return read_codings(spec, Codebook.load(codebook))
