"""The commands about shares of a scored corpus: audit-sample, estimate, regress, monitor, pack-replication. Each calls one function, and prints."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsclf.cli_options import ColumnNames, Json, Quiet, columns_of, print_json, remarks
from newsclf.errors import CheckFailed, InputError

if TYPE_CHECKING:
    from newsclf.estimates.frame import Scores

ScoresFolder = Annotated[Path, typer.Argument(metavar="SCORES", help="Folder that newsclf score wrote.")]
By = Annotated[
    str, typer.Option("--by", metavar="COLUMNS", help="Columns that group, as outlet,quarter: of the scores, or day, month, quarter, year.")
]
Task = Annotated[str | None, typer.Option("--task", help="Task of the scores; needed where there are several.")]
Audit = Annotated[list[Path], typer.Option("--audit", help="Coded articles: the folder of audit-sample, or coded files. Repeatable.")]
ByHand = Annotated[bool, typer.Option("--by-hand", help="The coded articles were chosen by people, not drawn.")]
CodebookFile = Annotated[Path | None, typer.Option("--codebook", help="Codebook of the task, for scores of an older newsclf.")]


class Strata(StrEnum):
    """What articles are drawn from apart."""

    group = "group"
    score = "score"
    both = "both"


class Small(StrEnum):
    """What becomes of groups of which too little is coded."""

    refuse = "refuse"
    pool = "pool"


def audit_sample(
    scores: ScoresFolder,
    size: Annotated[int | None, typer.Option("-n", "--size", min=1, help="Articles to code; with --top-up, to add.")] = None,
    by: By = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the coding sheets and the draw.")] = Path("audit"),
    plan: Annotated[
        float | None, typer.Option("--plan", metavar="SHARE", help="Draw nothing: how many for this half-width, .03 is ±3 points.")
    ] = None,
    strata: Annotated[Strata, typer.Option("--strata", help="Draw apart by group, by score, or by both.")] = Strata.both,
    label: Annotated[str | None, typer.Option("--label", help="The label that matters most; all alike unless given.")] = None,
    clusters: Annotated[str, typer.Option("--clusters", metavar="COLUMNS", help="Draw whole clusters, as outlet,day.")] = "",
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed draws the same articles.")] = 0,
    top_up: Annotated[bool, typer.Option("--top-up", help="Add to the sample that is in the folder.")] = False,
    task: Task = None,
    codebook: CodebookFile = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Draw the articles that people should code, with known chances: what makes shares of a corpus ones to print.

    The sheets do not show what the model says.
    """
    remarks(quiet)
    from newsclf.estimates.draw import audit_sample as draw
    from newsclf.estimates.plan import plan_sample
    from newsclf.estimates.sample import SampleSpec

    opened = _opened(scores, task, codebook)
    given = {"by": _columns(by), "strata": strata.value, "label": label, "clusters": _columns(clusters), "seed": seed}
    if plan is not None:
        planned = plan_sample(opened, SampleSpec.parse(given | {"n": size or 1}, where="newsclf audit-sample"), half_width=plan)
        print_json(planned.as_dict()) if as_json else print(planned.text())
        return
    if size is None:
        raise InputError("say how many articles to code, as in  -n 300; or ask how many it takes for ±3 points:  --plan 0.03")
    drawn = draw(opened, SampleSpec.parse(given | {"n": size}, where="newsclf audit-sample"), output, top_up=top_up)
    print_json(drawn.as_dict()) if as_json else print(drawn.text())


def estimate(
    scores: ScoresFolder,
    audit: Annotated[
        list[Path] | None, typer.Option("--audit", help="Coded articles: the folder of audit-sample, or coded files. Repeatable.")
    ] = None,
    by: By = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for estimates.json, tables, page and pictures.")] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="Training run of the model: for quantifiers beside the estimates, or without an audit.")
    ] = None,
    change_at: Annotated[str | None, typer.Option("--change-at", metavar="DATE", help="The share from this date on less that before.")] = None,
    level: Annotated[float, typer.Option(help="How often intervals hold.")] = 0.95,
    small: Annotated[Small, typer.Option("--small", help="Groups with few codes: refuse them, or pool the model's errors.")] = Small.refuse,
    by_hand: ByHand = False,
    columns: ColumnNames = None,
    task: Task = None,
    codebook: CodebookFile = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Shares of labels by outlet, month or any column, from all scores and the coded sample, with intervals that can be printed."""
    remarks(quiet)
    from newsclf.estimates.estimate import EstimateSpec
    from newsclf.estimates.estimate import estimate as run_estimate

    given = {"by": _columns(by), "level": level, "by_hand": by_hand, "change_at": change_at, "small": small.value, "columns": columns_of(columns)}
    spec = EstimateSpec.parse({name: value for name, value in given.items() if value is not None}, where="newsclf estimate")
    found = run_estimate(_opened(scores, task, codebook), audit or (), spec, run=run)
    if output:
        found.write(output)
    if as_json:
        print_json(found.record)
        return
    print(found.text())
    if output:
        print(f"\nwritten to {output}: estimates.html, .csv, .md, .tex, .json, and pictures")


def regress(
    scores: ScoresFolder,
    on: Annotated[str, typer.Option("--on", metavar="COLUMNS", help="Columns that the label is regressed on, as outlet,quarter.")],
    audit: Audit,
    label: Annotated[str | None, typer.Option("--label", help="The label; each of them unless given.")] = None,
    logistic: Annotated[bool, typer.Option("--logistic", help="Log-odds in place of shares.")] = False,
    reference: Annotated[
        list[str] | None, typer.Option("--reference", metavar="COLUMN=VALUE", help="What others are compared with. Repeatable.")
    ] = None,
    by_hand: ByHand = False,
    columns: ColumnNames = None,
    task: Task = None,
    codebook: CodebookFile = None,
    as_json: Json = False,
) -> None:
    """What goes with a label: a regression on outlet, author or time over all scored articles, corrected by the coded ones."""
    remarks(quiet=False)
    from newsclf.estimates.regression import RegressionSpec, regression

    compared = dict(_pair(text) for text in reference or ())
    given = {"on": _columns(on), "label": label, "link": "logistic" if logistic else "linear", "reference": compared, "by_hand": by_hand}
    given["columns"] = columns_of(columns)
    found = regression(_opened(scores, task, codebook), [str(path) for path in audit], RegressionSpec.parse(given, where="newsclf regress"))
    print_json(found.record) if as_json else print(found.text())


def monitor(
    scores: ScoresFolder,
    new: Annotated[
        Path | None, typer.Argument(metavar="[NEW_SCORES]", help="Scores of the new months; or --since, for the later part of SCORES.")
    ] = None,
    by: By = "outlet",
    since: Annotated[str | None, typer.Option("--since", metavar="DATE", help="Compare what is of this date or later with what is before.")] = None,
    bound: Annotated[float, typer.Option("--bound", min=0.001, max=1, help="Drift to ask for an audit at, 0 to 1.")] = 0.1,
    words: Annotated[bool, typer.Option("--words", help="Compare the words, too: reads articles again from the corpus.")] = False,
    fail: Annotated[bool, typer.Option("--fail-if-drift", help="Exit with code 3 where a drift exceeds the bound.")] = False,
    task: Task = None,
    codebook: CodebookFile = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Have articles and scores drifted since the model was audited? Where they have, how many new ones to code."""
    remarks(quiet)
    from newsclf.estimates.monitor import MonitorSpec
    from newsclf.estimates.monitor import monitor as compare
    from newsclf.estimates.moves import corpus_texts

    spec = MonitorSpec.parse({"by": _columns(by), "since": since or "", "bound": bound}, where="newsclf monitor")
    found = compare(_opened(scores, task, codebook), _opened(new, task, codebook) if new else None, spec, texts=corpus_texts if words else None)
    print_json(found.as_dict()) if as_json else print(found.text())
    if fail and found.drifted:
        raise CheckFailed(f"{new or scores}: articles or scores have drifted by more than {bound:g}.")


def pack_replication(
    scores: ScoresFolder,
    audit: Audit,
    estimates: Annotated[Path, typer.Option("--estimates", help="estimates.json, or the folder that estimate wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Zip file to write.")] = Path("replication.zip"),
    model: Annotated[Path | None, typer.Option("--model", help="Folder of the model: its manifest and card are packed.")] = None,
    with_model: Annotated[bool, typer.Option("--with-model", help="Pack the whole model: its vocabulary is words and short phrases.")] = False,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", metavar="COLUMN", help="Pack this column though it looks like text. Repeatable.")
    ] = None,
    drop: Annotated[list[str] | None, typer.Option("--drop", metavar="COLUMN", help="Leave this column out. Repeatable.")] = None,
    task: Task = None,
    quiet: Quiet = False,
) -> None:
    """Pack what a reviewer needs to compute the published shares anew, without any article's text."""
    remarks(quiet)
    from newsclf.estimates.replication import PackSpec
    from newsclf.estimates.replication import pack_replication as pack

    given = {"keep": keep or [], "drop": drop or [], "model": str(model or ""), "with_model": with_model}
    spec = PackSpec.parse(given, where="newsclf pack-replication")
    print(pack(_opened(scores, task, None), [str(path) for path in audit], estimates, output, spec).text())


def _pair(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--reference {text!r}: write it as COLUMN=VALUE, for example  --reference 'outlet=New York Times'")
    return column.strip(), value.strip()


def _columns(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _opened(folder: Path, task: str | None, codebook: Path | None) -> Scores:
    from newsclf.codebook import Codebook
    from newsclf.estimates.frame import Scores

    return Scores.open(folder, task, codebook=Codebook.load(codebook) if codebook else None)
