"""The newsclf command: parses, calls one function, prints."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsclf import __version__, cli_checks, cli_coders, cli_estimates, cli_models, cli_start, cli_studies
from newsclf.cli_options import ColumnNames, Json, Model, Quiet, Targets, columns_of, print_json, remarks
from newsclf.errors import InputError, NewsclfError

if TYPE_CHECKING:
    from newsclf.article import Article

app = typer.Typer(
    name="newsclf",
    help="Train, check and run classifiers of news articles by topic, stance and framing.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)

Config = Annotated[Path, typer.Argument(help="Experiment file (YAML), for example configs/framing.yaml.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the config, for example --set learner.C=4. Repeatable.")
]


@app.command()
def train(config: Config, settings: Settings = None, quiet: Quiet = False, as_json: Json = False) -> None:
    """Train a model from a config file, test it, and save it with the record of the run."""
    remarks(quiet)
    from newsclf.render import evaluation_text
    from newsclf.training.run import train as run

    result = run(config, settings or ())
    if as_json:
        seeds = {"record": str(result.seeds.record), **result.seeds.as_dict()} if result.seeds else None
        print_json({"model": str(result.model), "run": str(result.run), **result.metrics.as_dict()} | ({"seeds": seeds} if seeds else {}))
        return
    if result.seeds:
        print(result.seeds.text(title=f"{result.model.name}: trained and tested with {len(result.seeds.seeds)} seeds"))
        print(f"\nmodel   {_short(result.model)}\nrecord  {_short(result.seeds.record)}\nreport  newsclf report {_short(result.run)}")
        return
    print(evaluation_text(result.metrics, title=f"{result.model.name}: trained, and tested on {result.metrics.rows} held-out rows"))
    print(f"\nmodel   {_short(result.model)}\nrecord  {_short(result.run)}\nreport  newsclf report {_short(result.run)}")


@app.command()
def predict(
    what: Annotated[
        list[str], typer.Argument(metavar="MODEL... [FILE|-]", help="Models, then one article: .txt, .html or .json, or - for standard input.")
    ],
    targets: Targets = None,
    sentences: Annotated[int, typer.Option(min=0, help="Sentences of evidence for each label.")] = 3,
    as_json: Json = False,
) -> None:
    """Read one article: its labels, their probabilities, and the sentences that speak for them."""
    remarks(quiet=True)
    from newsclf.inference.predictor import Reader
    from newsclf.render import reading_text

    models, sources = _models_and_rest(what)
    if len(sources) > 1:
        raise InputError(f"{sources[0]}: there is no such model, and predict reads one article; for several:  newsclf score MODEL FILES -o scores")
    reader = Reader(models)  # first: a mistyped model must not wait for standard input
    reading = reader.predict(_one_article(sources[0] if sources else None), targets=targets or (), sentences=sentences)
    if as_json:
        print_json(reading.as_dict())
    else:
        print(reading_text(reading))


@app.command()
def score(
    what: Annotated[
        list[str], typer.Argument(metavar="MODEL... CORPUS...", help="Models, then a corpus: files, folders, globs, addresses or hf:name.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the scores: a new one, or that of the same job, which goes on there.")],
    columns: ColumnNames = None,
    keep: Annotated[list[str] | None, typer.Option("--keep", metavar="COLUMN", help="Write this column beside the scores. Repeatable.")] = None,
    languages: Annotated[list[str] | None, typer.Option("--language", help="Keep articles in this language (ISO 639-1). Repeatable.")] = None,
    targets: Targets = None,
    sentences: Annotated[int, typer.Option(min=0, help="Sentences of evidence for each label; 0 is fastest.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="For a trial: the first so many rows only.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="For a trial: a random sample of so many rows.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes; as many as there are cores unless given.")] = None,
    shard: Annotated[str, typer.Option(metavar="I/N", help="Do part I of N of the work: the jobs of an array share the folder.")] = "",
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew; what the folder holds is moved aside.")] = False,
    fail: Annotated[bool, typer.Option("--fail", help="Stop at the first row that cannot be scored instead of setting it aside.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Score a corpus of any size: labels and every label's probability, as Parquet. Stopped at any moment, the same command goes on where it was.

    Rows that cannot be scored are set aside with place and reason; rows = scored + set aside, always.
    """
    remarks(quiet)
    from newsclf.corpus.read import CorpusSpec
    from newsclf.inference.batch import RunSpec
    from newsclf.inference.batch import score as run
    from newsclf.inference.scorer import ScoreSpec

    models, sources = _models_and_rest(what)
    if not sources:
        raise InputError("name the corpus after the models:  newsclf score models/framing corpus.jsonl -o scores")
    rest = {"path": sources, "languages": languages or [], "on_error": "fail" if fail else "quarantine"}
    corpus = CorpusSpec.parse(columns_of(columns) | rest, where="newsclf score")
    spec = ScoreSpec(targets=tuple(targets or ()), sentences=sentences, keep=tuple(keep or ()), limit=limit, sample=sample)
    how = RunSpec.parse({"workers": workers or "auto", "shard": shard, "restart": restart}, where="newsclf score")
    done = run(models, corpus, output, spec, run=how)
    if as_json:
        print_json({**vars(done), "output": str(done.output)})
        return
    before = f", {done.before:,} of them before" if done.before else ""
    print(f"{done.rows:,} rows = {done.scored:,} scored + {done.quarantined:,} set aside{before}   in {done.output}")
    if done.missing:
        print(f"{done.missing:,} shards are for the other jobs of the array to do")


@app.command()
def export(
    scores: Annotated[Path, typer.Argument(help="Folder that newsclf score wrote.")],
    output: Annotated[Path, typer.Argument(help="File to write: .csv, .parquet or .arrow.")],
    table: Annotated[str | None, typer.Option("--table", metavar="TASK", help="Stance task whose rows of article and target are wanted.")] = None,
) -> None:
    """Write scores to one file, for R, Stata or a spreadsheet."""
    remarks(quiet=False)
    from newsclf.inference.scored import export as run

    print(f"{run(scores, output, table):,} rows   in {output}")


@app.command()
def evaluate(
    model: Model,
    corpus: Annotated[str, typer.Argument(help="Coded corpus: file, folder, glob, address or hf:name.")],
    columns: ColumnNames = None,
    as_json: Json = False,
) -> None:
    """Test a model on coded articles that it has not been trained on; columns are named as in training unless --column says otherwise."""
    remarks(quiet=True)
    from newsclf.bundle import Bundle
    from newsclf.corpus.coded import CodedSpec
    from newsclf.render import evaluation_text
    from newsclf.training.evaluate import evaluate_corpus

    bundle, _ = Bundle.load(model)
    spec = CodedSpec.parse(bundle.about.get("columns", {}) | columns_of(columns) | {"path": corpus}, where="newsclf evaluate")
    metrics, coded = evaluate_corpus(bundle, spec)
    if as_json:
        print_json(metrics.as_dict() | {"uncoded": coded.uncoded, "quarantined": len(coded.quarantined)})
        return
    print(evaluation_text(metrics, title=f"{model.name} on {corpus}: {metrics.rows} coded rows"))
    if coded.uncoded or coded.quarantined:
        print(f"\n{coded.uncoded} rows without a code, {len(coded.quarantined)} set aside")


@app.command()
def inspect(model: Model, as_json: Json = False) -> None:
    """Check a saved model, and show what it is, what it was trained on and how it did."""
    from newsclf.bundle import Bundle
    from newsclf.card import model_card

    bundle, fingerprint = Bundle.load(model)
    if as_json:
        about = {
            "fingerprint": fingerprint,
            "codebook": bundle.codebook.resolved(),
            "learner": bundle.learner.resolved(),
            "clean": bundle.clean.resolved(),
        }
        print_json(about | dict(bundle.about))
    else:
        print(model_card(bundle.codebook, bundle.learner, bundle.about))
        print(f"Every file is as it was saved, and the golden inputs score as they did. Fingerprint {fingerprint[:16]}")


@app.command()
def schema() -> None:
    """Print the JSON schema of config files, for editors."""
    from newsclf.training.experiment import json_schema

    print_json(json_schema())


for command in (
    *(cli_checks.audit, cli_checks.report, cli_checks.compare),
    *(cli_studies.plan, cli_studies.backtest),
    *(cli_start.start, cli_models.pack),
    *(cli_estimates.audit_sample, cli_estimates.estimate, cli_estimates.regress, cli_estimates.monitor, cli_estimates.pack_replication),
    *(cli_coders.coders, cli_coders.disagree, cli_coders.settle, cli_coders.recode),
):
    app.command()(command)


def _version(asked: bool) -> None:
    if asked:
        print(f"newsclf {__version__}")
        raise typer.Exit


@app.callback()
def options(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    """Options of the command itself."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 done, 2 a user's mistake, 3 a check that did not hold, 130 interrupted, 1 our bug."""
    for stream in (sys.stdout, sys.stderr):
        # UTF-8 whatever the locale: Windows would write redirected output in cp1252, which has no bars. By lines, so that a closed pipe shows at once
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    try:
        app(args=arguments if arguments is None else list(arguments), prog_name="newsclf", standalone_mode=True)
    except NewsclfError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except SystemExit as ended:  # what typer makes of every end, Ctrl-C and a closed pipe included
        if ended.code == 130:
            print("interrupted: nothing half-written was left behind", file=sys.stderr)
        # the reader of our output may have seen enough, as `newsclf inspect … | head` does
        sys.exit(0 if isinstance(ended.__context__, BrokenPipeError) else ended.code)


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _models_and_rest(what: Sequence[str]) -> tuple[list[str], list[str]]:
    """The models that stand first (the first argument is one, whatever it is), and what comes after them."""
    models = [what[0], *takewhile(lambda path: (Path(path) / "manifest.json").exists(), what[1:])]
    return models, list(what[len(models) :])


def _one_article(source: str | None) -> Article:
    from newsclf.article import Article
    from newsclf.corpus.formats import BadRow
    from newsclf.corpus.read import CorpusSpec, read_articles

    if source in (None, "-"):
        if source is None and sys.stdin.isatty():
            raise InputError("name the article's file after the models, or - and type it:  newsclf predict models/framing article.txt")
        try:
            return Article(text=sys.stdin.buffer.read().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise InputError(f"standard input is not UTF-8 (byte {error.start}).") from error
    articles = list(islice(read_articles(CorpusSpec(path=(str(source),))), 2))
    if len(articles) != 1:
        found = "several" if articles else "none"
        raise InputError(f"{source}: predict reads one article, this holds {found}; for a corpus:  newsclf score MODEL {source} -o scores")
    if isinstance(articles[0], BadRow):
        raise InputError(f"{articles[0].place}: {articles[0].reason}")
    return articles[0]
