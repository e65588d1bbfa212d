"""newsclf beside its peers, both sides in one run on the same cores: training, scoring, floret, several models at once, growth with the corpus.

Usage: python scripts/bench_linear.py [--data FOLDER] [--only NAME ...] [--passes 5] [--articles N] [--work FOLDER] [--json FILE]

Needs the AllSides articles of the public data sets (allsides/train.parquet and its neighbours). Figures are medians of alternating passes; every
other pass goes backwards. Trained models and corpora are kept in --work, so that single rows can be measured again: give a fresh folder after a
change of newsclf. --articles cuts the corpus for a quick trial, whose figures say nothing. The whole takes hours.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from bench_corpus import COMMONEST, LEARNER, Bench, Task, inflate, prepare
from bench_measure import Row, Timed, alternate, cores, machine, report, run, run_watched, tell
from bench_peers import CALIBRATED, CLASSIFIERS, LOGISTIC, NOT_INSTALLED, SCORING, fit_peer, has_floret, joined, macro, race, save_floret, save_scorer
from sklearn.pipeline import Pipeline

import newsclf
from newsclf.codebook import Codebook
from newsclf.corpus.coded import read_coded
from newsclf.learners.protocol import Documents, Pairs
from newsclf.training.evaluate import CodedPairs
from newsclf.training.evaluate import prepare as cleaned
from newsclf.training.experiment import Experiment
from newsclf.training.run import Result

ROOT = Path(__file__).resolve().parent.parent
SMALL, LARGE = 10_000, 500_000
"""Articles of the two corpora that `scale` compares."""


def main() -> int:
    """Run the benchmarks that were asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="folder of the data sets")
    parser.add_argument(
        "--only", nargs="+", action="extend", choices=list(BENCHMARKS), metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; repeatable"
    )
    parser.add_argument("--passes", type=int, default=5, help="times that each side is measured")
    parser.add_argument("--articles", type=int, metavar="N", help="cut the corpus to so many articles, for a trial")
    parser.add_argument("--search-seconds", type=float, default=1200, help="time for each search of floret's settings")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="where models and corpora are kept (a temporary folder unless given)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures of every pass into this file")
    options = parser.parse_args()
    about = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.work or Path(temporary)).resolve() / (f"cut-{options.articles}" if options.articles else "all")
        bench = Bench(folder, options.passes, options.articles, options.search_seconds)
        prepare(options.data, bench.folder, options.articles)
        for name in options.only or BENCHMARKS:
            for row in BENCHMARKS[name](bench):
                rows.append(row)
                tell(f"{row.benchmark}, {row.what}: {row.note if row.ratio is None else f'{row.ratio:.2f}'}")
            if options.json:  # after each: what comes later may take an hour and fail
                found = {"machine": about, "passes": options.passes, "articles": options.articles, "rows": [asdict(row) for row in rows]}
                options.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(f"\n{report(rows)}")
    return 0


def fit(bench: Bench) -> Iterator[Row]:
    """Training on all topics."""
    return fitted(bench, "fit", bench.tasks["topic"], peers=[name for name in CLASSIFIERS if name != LOGISTIC], goal=2.0)


def fit20(bench: Bench) -> Iterator[Row]:
    """Training on the commonest topics."""
    return fitted(bench, "fit20", bench.tasks[f"topic{COMMONEST}"], peers=[LOGISTIC], goal=5.0)


def fitted(bench: Bench, benchmark: str, task: Task, *, peers: Sequence[str], goal: float) -> Iterator[Row]:
    """newsclf.train, and the learner alone, beside each of the peers."""
    experiment, codebook = bench.experiment(task), task.codebook()
    train, test = (prepared(experiment, codebook, path) for path in (task.train, task.test))
    titles, texts, labels = task.read("train")
    learned = joined(titles, texts)
    titles, texts, truth = task.read("test")
    tested, names = joined(titles, texts), np.array(codebook.names)

    def f1(fitted: Any) -> float:
        if isinstance(fitted, Result):
            return fitted.metrics.summary["macro_f1"]
        return macro(truth, fitted.predict(tested) if isinstance(fitted, Pipeline) else names[fitted.model.scores(afresh(test)).argmax(axis=1)])

    contenders: dict[str, Callable[[], Any]] = {
        "newsclf.train": lambda: newsclf.train(experiment),
        "learner alone": lambda: LEARNER.fit(afresh(train), train.truth, codebook, ()),
    }
    timed = alternate(bench.passes, contenders | {name: partial(fit_peer, name, learned, labels) for name in peers}, f1)
    about = f"{len(learned):,} articles to learn from, {len(tested):,} to test on, {len(codebook.names)} labels"
    for side in ("newsclf.train", "learner alone"):
        for name in peers:
            if side == "learner alone" and name == CALIBRATED:  # it does not calibrate
                continue
            row = faster(benchmark, f"{side} : {name}", timed[side], timed[name])
            yield replace(row, goal=goal, f1=(timed[side].result, timed[name].result), slack=0.003, note=f"{FITTED[side]} {about}")


FITTED = {
    "newsclf.train": "newsclf reads files, cleans, finds near-duplicates, calibrates, tests and saves; the peer starts from texts in memory.",
    "learner alone": "from cleaned texts to weights, without folds and calibration, as the peer from texts in memory.",
}


def prepared(experiment: Experiment, codebook: Codebook, path: Path) -> CodedPairs:
    """The coded articles of a file, cleaned."""
    return cleaned(read_coded(experiment.data, codebook, paths=(str(path),)), codebook, experiment.clean, on_error="fail")


def afresh(coded: CodedPairs) -> Pairs:
    """The same articles as documents that nobody has tokenised yet."""
    return Pairs.of(Documents(coded.pairs.documents.titles, coded.pairs.documents.texts))


def score(bench: Bench) -> Iterator[Row]:
    """Parquet in, Parquet with every label's probability out: a command beside a script."""
    model, pipeline = bench.model("topic"), bench.folder / "pipeline.joblib"
    kind = bench.once(pipeline.with_suffix(".txt"), lambda: save_scorer(bench.tasks["topic"], pipeline))
    output = bench.folder / "scores.parquet"
    script = [sys.executable, "-c", SCORING, str(pipeline), str(bench.corpus), str(output)]
    peers = {"script": "1"} | ({f"script, {cores()} processes": str(cores())} if cores() > 1 else {})
    contenders: dict[str, Callable[[], Any]] = {name: partial(run, [*script, jobs], output) for name, jobs in peers.items()}
    timed = alternate(bench.passes, {"newsclf": bench.scoring([model], bench.corpus)} | contenders)
    articles = pq.read_metadata(bench.corpus).num_rows
    for name in peers:
        row = faster("score", f"newsclf score : {name}", timed["newsclf"], timed[name], articles=articles)
        note = f"{articles:,} articles, start-up and loading included; the script is pandas and joblib, its classifier {kind}"
        # the script in several processes is what few people write: reported, without a goal
        yield replace(row, goal=6.0 if name == "script" else None, note=note)


def floret(bench: Bench) -> Iterator[Row]:
    """Lists in, every label's probability out, in one process on one core."""
    if not has_floret():
        yield Row("floret", "words and word pairs", "", note=NOT_INSTALLED)
        yield Row("floret", "words", "", note=NOT_INSTALLED)
        return
    model, articles = bench.model("topic"), pq.read_metadata(bench.corpus).num_rows
    for words, name in ((2, "words and word pairs"), (1, "words")):
        peer = bench.folder / f"floret-{words}.bin"
        save = partial(save_floret, bench.tasks["topic"], peer, words=words, seconds=bench.search_seconds)
        settings = bench.once(peer.with_suffix(".txt"), save)
        timed, f1 = race(model, peer, bench.tasks["topic"], bench.corpus, bench.passes)
        row = replace(faster("floret", name, timed["newsclf"], timed["floret"], articles=articles), f1=f1, note=f"both from raw texts; {settings}")
        yield replace(row, goal=1.5, slack=0.0) if words == 2 else row
        row = faster("floret", f"{name}, normalised before", timed["newsclf"], timed["floret, normalised before"], articles=articles)
        yield replace(row, f1=f1, note="floret's texts were put into lower case without punctuation before the clock started; ours are raw")


def three(bench: Bench) -> Iterator[Row]:
    """Three models in one run beside a run of each."""
    articles = pq.read_metadata(bench.corpus).num_rows
    for names in (("topic", "stance", "framing"), ("topic", "bias", f"topic{COMMONEST}")):
        models = [bench.model(name) for name in names]
        apart = [bench.scoring([model], bench.corpus) for model in models]
        together = bench.scoring(models, bench.corpus)
        timed = alternate(bench.passes, {"together": together, "apart": partial(in_turn, apart)})
        row = faster("three", f"{', '.join(names)}: one run : three", timed["together"], timed["apart"], articles=articles)
        yield replace(row, goal=2.0, note=f"{articles:,} articles, start-up and loading included, once or three times")
        peak = run_watched(*bench.command(models, bench.corpus))
        note = "largest sum of the resident sets of the run's processes, sampled from /proc; shared pages count for each"
        yield Row("three", f"{', '.join(names)}: peak memory", "MiB", ours=peak / 2**20 if peak else None, note=note)


def in_turn(calls: Sequence[Callable[[], None]]) -> None:
    """Call each of them."""
    for call in calls:
        call()


def scale(bench: Bench) -> Iterator[Row]:
    """What an article costs in a large corpus and in a small one, and what memory both take."""
    small, large = (SMALL, LARGE) if bench.articles is None else (bench.articles, 10 * bench.articles)
    corpora = {size: bench.folder / f"corpus-{size}.parquet" for size in (small, 2 * small, large)}
    for size, path in corpora.items():
        rate = bench.once(path.with_suffix(".txt"), partial(inflated, bench.corpus, path, size))
    models, peaks = [bench.model("topic")], {size: list[int | None]() for size in corpora}

    def watched(size: int) -> None:
        # one worker at both sizes: a corpus of one shard would have no second one to share the memory with
        peaks[size].append(run_watched(*bench.command(models, corpora[size], "--workers", "1")))

    timed = alternate(bench.passes, {str(size): partial(watched, size) for size in corpora})
    first, second, last = (timed[str(size)].median for size in corpora)
    seconds = {name: found.seconds for name, found in timed.items()}
    about = f"newsclf score --workers 1, the corpus repeated with {rate} new words an article"
    yield costs("cost", "µs/article", 1e6 * last / large, 1e6 * first / small, note=f"{about}; wall clock, start-up included", seconds=seconds)
    # start-up, that of the workers too, is no cost of an article: it drops out of what further articles take
    further = 1e6 * (last - first) / (large - small), 1e6 * (second - first) / small
    note = f"{about}; what the articles after the first {small:,} take, up to {large:,} and up to {2 * small:,}: start-up drops out"
    yield replace(costs("cost after start-up", "µs/article", *further, note=note), goal=1.1)
    memory = [float(np.median([peak / 2**20 if peak else np.nan for peak in peaks[size]])) for size in (large, small)]
    note = f"{large:,} articles : {small:,}; largest sum of the resident sets of the run's processes, sampled from /proc; shared pages count for each"
    yield replace(costs("peak memory", "MiB", *memory, note=note), goal=1.15)


def costs(what: str, unit: str, large: float, small: float, *, note: str, seconds: Mapping[str, Sequence[float]] | None = None) -> Row:
    """The row of what a large corpus costs beside a small one; without a ratio where one of the two could not be measured."""
    if not (large > 0 and small > 0):  # no /proc, or times too short to tell apart
        return Row("scale", what, unit, note=f"not measured: {note}")
    return Row("scale", f"{what}, large : small", unit, large, small, large / small, at_most=True, note=note, seconds=seconds or {})


def inflated(source: Path, target: Path, articles: int) -> str:
    """Write a corpus of so many articles; gives the new words an article, as text."""
    return f"{inflate(pq.read_table(source), target, articles):.3f}"


def faster(benchmark: str, what: str, ours: Timed, peer: Timed, *, articles: int = 0) -> Row:
    """The row of two times; in articles a second where the number of articles is given."""
    ratio, seconds = peer.median / ours.median, {"newsclf": ours.seconds, "peer": peer.seconds}
    if articles:
        return Row(benchmark, what, "articles/s", articles / ours.median, articles / peer.median, ratio, seconds=seconds)
    return Row(benchmark, what, "s", ours.median, peer.median, ratio, seconds=seconds)


BENCHMARKS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "fit": fit,
    "fit20": fit20,
    "score": score,
    "floret": floret,
    "three": three,
    "scale": scale,
}


if __name__ == "__main__":
    raise SystemExit(main())
