"""Train on the official splits of public data sets and print ours beside the published figures.

Usage: python scripts/benchmark.py [--data FOLDER] [--only NAME ...] [--output FOLDER]

Every choice (C, calibration, thresholds) is made by cross-validation on the training rows; the test rows are read once, at the end. Data sets
that are not in the folder are skipped by name. Writes BENCHMARKS.md and benchmarks.json into --output (configs/benchmarks unless given).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import newsclf
from newsclf.article import Article
from newsclf.corpus.coded import read_coded
from newsclf.corpus.split import Rows, SplitSpec, cross_validation
from newsclf.errors import DataError
from newsclf.scores.metrics import f1, f1_counts, macro_f1, micro_f1
from newsclf.spec import parse_yaml
from newsclf.training.evaluate import evaluate, prepare
from newsclf.training.experiment import Experiment
from newsclf.training.learn import assemble
from newsclf.training.run import Result, train

ROOT = Path(__file__).resolve().parent.parent
CONFIGS = ROOT / "configs" / "benchmarks"
RESAMPLES = 2000


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    benchmark: str
    measure: str
    ours: float
    published: float | None
    note: str
    seconds: float


def main() -> int:
    """Run the benchmarks that were asked for and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data")), help="folder of the data sets"
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="names of configs/benchmarks/NAME.yaml, or starter_topic, starter_framing")
    parser.add_argument("--output", type=Path, default=CONFIGS, help="folder for BENCHMARKS.md and benchmarks.json")
    options = parser.parse_args()
    published = parse_yaml((CONFIGS / "published.yaml").read_text("utf-8"), where="published.yaml")
    names = [*dict.fromkeys(entry["benchmark"] for entry in published), "starter_topic", "starter_framing"]
    rows: list[Row] = []
    skipped: list[str] = []
    with tempfile.TemporaryDirectory() as output:
        for name in options.only or names:
            try:
                found = list(run(name, [entry for entry in published if entry["benchmark"] == name], options.data, Path(output)))
            except DataError as error:
                if "there is no such file" not in str(error):
                    raise
                found = []
                skipped.append(name)
                print(f"skipped {name}: {error}", file=sys.stderr)
            rows += found
            for row in found:
                print(line(row), flush=True)
    write(options.output, rows, skipped)
    return 0


def run(name: str, published: list[dict[str, object]], data: Path, output: Path) -> Iterator[Row]:
    """The rows of one benchmark."""
    started = time.monotonic()
    if name == "starter_topic":
        yield from starter_topic(data, output)
        return
    if name == "starter_framing":
        yield from starter_framing(data, output)
        return
    experiment = load(name, data, output)
    if name == "gvfc":
        results = [train(load(name, data, output, f"split.where={{fold: {fold}}}")) for fold in range(5)]
        note = "mean of the 5 official folds"
    else:
        results = [train(experiment)]
        note = ""
    for entry in published:
        metric = str(entry["metric"])
        ours = float(np.mean([result.metrics.summary[metric] for result in results]))
        interval = (
            f"95 % interval {bootstrap(experiment, results[0], metric)}, {results[0].metrics.rows} articles" if name.startswith("semeval2023") else ""
        )
        figure = entry.get("published")
        text = "; ".join(part for part in (str(entry.get("source", "")), note, interval) if part)
        yield Row(name, metric, ours, float(str(figure)) if figure is not None else None, text, time.monotonic() - started)
    if name == "semeval2023_maps":
        for label in results[0].metrics.labels:
            yield Row(name, f"F1 of {label['label']}", float(label["f1"]), None, f"{label['support']} articles", time.monotonic() - started)
    if name == "semeval2023_framing":
        yield from repeated(experiment)
    if name == "semeval2016_stance":
        yield from unseen_target(experiment, results[0])


def load(name: str, data: Path, output: Path, *settings: str) -> Experiment:
    """A benchmark's experiment, its corpus under `data`."""
    return Experiment.load(CONFIGS / f"{name}.yaml", [f"output={output}", *settings], data_root=data)


def bootstrap(experiment: Experiment, result: Result, metric: str) -> str:
    """Percentile interval of F1 over resampled test articles."""
    codebook = experiment.load_codebook()
    coded = prepare(read_coded(experiment.data, codebook, paths=experiment.data.test), codebook, experiment.clean, on_error="fail")
    score = {"micro_f1": micro_f1, "macro_f1": macro_f1}[metric]
    draws = np.random.default_rng(0).integers(0, len(coded), (RESAMPLES, len(coded)))
    values = [score(coded.truth[rows], result.metrics.decided[rows]) for rows in draws]
    return "{:.3f} to {:.3f}".format(*np.quantile(values, [0.025, 0.975]))


def repeated(experiment: Experiment, repeats: int = 5) -> Iterator[Row]:
    """Cross-validation within the training articles, repeated with other seeds: every fold is tested by a model that has not seen it."""
    started = time.monotonic()
    codebook = experiment.load_codebook()
    every = prepare(read_coded(experiment.data, codebook), codebook, experiment.clean, on_error="fail")
    rows = Rows(every.truth, every.pairs.rows, every.pairs.rows)
    scores: dict[str, list[float]] = {"micro_f1": [], "macro_f1": []}
    for seed in range(repeats):
        decided = np.zeros_like(every.truth)
        for inside, held in cross_validation(rows, SplitSpec(seed=seed)):
            learned = every.take(inside)
            inner = cross_validation(rows.take(inside), SplitSpec(seed=seed))
            fitted = experiment.learner.fit(learned.pairs, learned.truth, codebook, inner)
            decided[held] = evaluate(assemble(codebook, experiment, experiment.clean, fitted, learned.truth), every.take(held)).decided
        scores["micro_f1"].append(micro_f1(every.truth, decided))
        scores["macro_f1"].append(macro_f1(every.truth, decided))
    for metric, values in scores.items():
        note = f"{repeats} × 5-fold cross-validation within train, standard deviation over seeds {np.std(values):.3f}"
        yield Row(experiment.name, metric, float(np.mean(values)), None, note, time.monotonic() - started)


def unseen_target(experiment: Experiment, result: Result) -> Iterator[Row]:
    """SemEval-2016 Task 6 B: a target that no training tweet is about."""
    started = time.monotonic()
    test = tuple(path.replace("test.parquet", "test_taskB.parquet") for path in experiment.data.test)
    codebook = result.bundle.bundle.codebook
    coded = prepare(read_coded(experiment.data, codebook, paths=test), codebook, experiment.clean, on_error="fail")
    ours = evaluate(result.bundle.bundle, coded).summary["f_avg"]
    yield Row(
        experiment.name, "f_avg, unseen target", ours, 0.5628, "Task 6 B, best submitted system (Mohammad et al. 2016)", time.monotonic() - started
    )


def starter_topic(data: Path, output: Path) -> Iterator[Row]:
    """The demo's topic model, trained on invented articles, on real coverage: does it know immigration when it sees it?"""
    started = time.monotonic()
    articles = allsides(data)
    model = train(ROOT / "configs" / "topic.yaml", [f"output={output}"]).bundle
    about = np.array([article.extra["label"] == "immigration" for article in articles])
    others = np.flatnonzero(~about)
    sample = np.sort(np.concatenate([np.flatnonzero(about), np.random.default_rng(0).choice(others, 3000, replace=False)]))
    predicted = np.array([item.label == "immigration" for item in model.predict([articles[row] for row in sample], sentences=0)])
    right = float((predicted & about[sample]).sum())
    note = f"starter corpus → AllSides: {about.sum()} articles on immigration, 3,000 others"
    yield Row("starter_topic", "recall of immigration", right / about.sum(), None, note, time.monotonic() - started)
    yield Row("starter_topic", "precision of immigration", right / predicted.sum(), None, note, time.monotonic() - started)


def allsides(data: Path) -> list[Article]:
    """The training articles of AllSides."""
    from newsclf.corpus.read import CorpusSpec, read_articles

    return [item for item in read_articles(CorpusSpec(path=(str(data / "allsides" / "train.parquet"),))) if isinstance(item, Article)]


def starter_framing(data: Path, output: Path) -> Iterator[Row]:
    """The demo's framing model on the articles of SemEval-2023, read through `maps`."""
    started = time.monotonic()
    experiment = load("semeval2023_maps", data, output)
    bundle = train(ROOT / "configs" / "framing.yaml", [f"output={output}"]).bundle.bundle
    codebook = experiment.load_codebook()
    coded = prepare(read_coded(experiment.data, codebook), codebook, bundle.clean, on_error="fail")
    columns = [bundle.codebook.names.index(name) for name in codebook.names]
    decided = bundle.answer(coded.pairs)[1][:, columns]
    for name, score in zip(codebook.names, f1(*f1_counts(coded.truth, decided)), strict=True):
        column = codebook.names.index(name)
        everything = 2 * coded.truth[:, column].mean() / (1 + coded.truth[:, column].mean())
        note = f"starter corpus → {len(coded)} SemEval training articles; calling every article {name} scores {everything:.3f}"
        yield Row("starter_framing", f"F1 of {name}", float(score), None, note, time.monotonic() - started)


def line(row: Row) -> str:
    """A row for the terminal."""
    published = f"{row.published:.3f}" if row.published is not None else "–"
    return f"{row.benchmark:<22} {row.measure:<24} ours {row.ours:.3f}   published {published:<6} {row.note}  [{row.seconds:.0f} s]"


def write(folder: Path, rows: list[Row], skipped: list[str]) -> None:
    """BENCHMARKS.md and benchmarks.json."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = f"newsclf {newsclf.__version__}, Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    table = [
        f"| {row.benchmark} | {row.measure} | {row.ours:.3f} | {f'{row.published:.3f}' if row.published is not None else '–'} | {row.note} |"
        for row in rows
    ]
    text = [
        "# Benchmarks",
        "",
        f"Written by `python scripts/benchmark.py --data FOLDER` ({machine}). Official splits; C, calibration and thresholds chosen by",
        "cross-validation on the training rows. Nothing here measures the starter corpus on itself.",
        "",
        "| benchmark | measure | newsclf, linear | published | by whom, and how ours was taken |",
        "|---|---|---|---|---|",
        *table,
        *(["", f"Skipped, not in the data folder: {', '.join(skipped)}."] if skipped else []),
    ]
    (folder / "BENCHMARKS.md").write_text("\n".join(text) + "\n", "utf-8")
    (folder / "benchmarks.json").write_text(
        json.dumps({"machine": machine, "rows": [asdict(row) for row in rows], "skipped": skipped}, indent=1) + "\n", "utf-8"
    )


if __name__ == "__main__":
    raise SystemExit(main())
