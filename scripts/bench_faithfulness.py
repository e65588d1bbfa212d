"""Whether evidence is what the model goes by: an article without the sentences shown loses more of its label's score than one without others.

Usage: python scripts/bench_faithfulness.py [--data FOLDER] [--set bbc_news|allsides] [--encoder FOLDER] [--train 400] [--articles 200]

For each learner a model is trained on some articles of the training file. Of each test article the evidence for the predicted label (its three
sentences) is cut out, and beside it, in five draws, sentences by lot of at least as many characters in all. What counts is the fall of the label's
log-odds; the difference of the two falls is paired by article, its interval a bootstrap over articles. Titles are left aside. Without --encoder only
the linear learner is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import newsclf
from newsclf.article import Prediction
from newsclf.inference.predictor import Predictor
from newsclf.learners.sentences import sentence_spans
from newsclf.scores.intervals import cluster_interval
from newsclf.scores.metrics import Floats

ROOT = Path(__file__).resolve().parent.parent
SENTENCES, DRAWS, LABELS = 3, 5, 8
LEAST = 8
"""Sentences of an article below which too few are left to draw from."""

CEILING = 1 - 1e-9
"""Probabilities are kept this side of 1, so that they have log-odds."""

Row = Mapping[str, str]
Span = tuple[int, int]


def main() -> None:
    """Train, predict, cut, and print a line for each learner."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data")), help="folder of the data sets"
    )
    parser.add_argument("--set", default="bbc_news", choices=("bbc_news", "allsides"), help="data set; of AllSides the eight commonest topics")
    parser.add_argument("--encoder", help="folder of a sentence encoder")
    parser.add_argument("--train", type=int, default=400, help="training articles; the finetune learner gets half of them")
    parser.add_argument("--articles", type=int, default=200, help="test articles")
    parser.add_argument("--learners", nargs="+", help="some of linear, encoder, finetune; all that can run unless given")
    options = parser.parse_args()
    train, test = (rows(options.data / options.set / f"{part}.parquet") for part in ("train", "test"))
    labels = [label for label, _ in Counter(row["label"] for row in train).most_common(LABELS)]
    training = sample([row for row in train if row["label"] in labels], options.train, seed=1)
    tested = sample([row for row in test if row["label"] in labels and len(sentence_spans(row["text"])) >= LEAST], options.articles, seed=2)
    print(f"{options.set}: {len(training)} training articles, {len(tested)} test articles, {len(labels)} labels; fall of log-odds\n")
    print("| learner | accuracy | evidence cut | others cut | difference | 95 % | more than others | label changes: evidence, others |")
    print("|---|---|---|---|---|---|---|---|")
    for kind, learner in learners(options.encoder).items():
        if kind in (options.learners or learners(options.encoder)):
            some = training[: len(training) // 2] if kind == "finetune" else training
            with tempfile.TemporaryDirectory() as folder:
                print(measured(kind, trained(Path(folder), some, tested, labels, learner), tested).line, flush=True)


def learners(encoder: str | None) -> dict[str, Mapping[str, Any]]:
    """The learners that can run, with few settings: what is measured is the evidence."""
    found: dict[str, Mapping[str, Any]] = {"linear": {"kind": "linear", "C": 1}}
    if encoder:
        found["encoder"] = {"kind": "encoder", "encoder": encoder, "C": 1, "embedding": 2}
        found["finetune"] = {"kind": "finetune", "encoder": encoder, "epochs": 2, "windows": {"most": 2}, "windows_at_once": 1}
    return found


def rows(path: Path) -> list[Row]:
    """The articles of a data set, as id, text and label."""
    return list(pq.read_table(path, columns=["id", "text", "label"]).to_pylist())


def sample(found: Sequence[Row], count: int, *, seed: int) -> list[Row]:
    """Some of the rows, by lot."""
    return [found[row] for row in np.random.default_rng(seed).permutation(len(found))[:count].tolist()]


def trained(folder: Path, train: Sequence[Row], test: Sequence[Row], labels: Sequence[str], learner: Mapping[str, Any]) -> Predictor:
    """A model of the training rows."""
    for name, some in (("train", train), ("test", test)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in some), "utf-8")
    experiment = newsclf.Experiment.parse(
        {
            "name": "topic",
            "codebook": {"task": "topic", "kind": "exclusive", "labels": list(labels)},
            "data": {"path": str(folder / "train.jsonl"), "labels": "label", "test": str(folder / "test.jsonl")},
            "split": {"folds": 2} if learner["kind"] == "finetune" else {},
            "learner": dict(learner),
            "output": str(folder / "models"),
        },
        where="this script",
    )
    newsclf.train(experiment)
    return newsclf.load(folder / "models" / "topic")


@dataclass(frozen=True)
class Measured:
    """What cutting did."""

    kind: str
    right: float
    falls: Floats
    """Of the label's log-odds without its evidence, and without others (mean over the draws). [articles, 2]"""

    changed: Floats
    """Share of articles whose label changed, likewise. [2]"""

    @property
    def line(self) -> str:
        """A row of the table."""
        gain = self.falls[:, 0] - self.falls[:, 1]
        parts = np.column_stack([gain, np.ones(len(gain))])
        found = cluster_interval(parts, np.arange(len(gain)), lambda sums: sums[..., 0] / sums[..., 1])
        mean = self.falls.mean(axis=0)
        figures = (f"{self.right:.3f}", f"{mean[0]:.2f}", f"{mean[1]:.2f}", f"{gain.mean():.2f}", f"{found.low:.2f} to {found.high:.2f}")
        return f"| {' | '.join((self.kind, *figures, f'{(gain > 0).mean():.0%}', f'{self.changed[0]:.0%}, {self.changed[1]:.0%}'))} |"


def measured(kind: str, model: Predictor, test: Sequence[Row]) -> Measured:
    """Cut each article and ask again."""
    dice = np.random.default_rng(3)
    before: list[Prediction] = model.predict(tuple(row["text"] for row in test), sentences=SENTENCES)
    labels = [max(said.probabilities, key=said.probabilities.__getitem__) for said in before]
    kept: list[int] = []
    shown: list[str] = []
    for number, (said, row) in enumerate(zip(before, test, strict=True)):
        spans = [(piece.start, piece.end) for piece in said.evidence if piece.label == labels[number] and piece.field == "text"]
        if spans:
            kept.append(number)
            shown += [without(row["text"], spans), *(without(row["text"], others(row["text"], spans, dice)) for _ in range(DRAWS))]
    after: list[Prediction] = model.predict(tuple(shown), sentences=0)
    falls, changed = np.zeros((len(kept), 2)), np.zeros((len(kept), 2))
    for place, number in enumerate(kept):
        label, cut = labels[number], after[place * (1 + DRAWS) : (place + 1) * (1 + DRAWS)]
        lost = log_odds(before[number], label) - np.array([log_odds(each, label) for each in cut])
        other = np.array([max(each.probabilities, key=each.probabilities.__getitem__) != label for each in cut])
        falls[place], changed[place] = (lost[0], lost[1:].mean()), (other[0], other[1:].mean())
    right = float(np.mean([label == row["label"] for label, row in zip(labels, test, strict=True)]))
    return Measured(kind, right, falls, changed.mean(axis=0))


def log_odds(said: Prediction, label: str) -> float:
    """Of a label's calibrated probability."""
    probability = float(np.clip(said.probabilities[label], 1 - CEILING, CEILING))
    return float(np.log(probability / (1 - probability)))


def others(text: str, spans: Sequence[Span], dice: np.random.Generator) -> list[Span]:
    """Sentences by lot, evidence among them or not, of at least as many characters as these."""
    wanted = sum(end - start for start, end in spans)
    every, drawn = sentence_spans(text), list[Span]()
    for number in dice.permutation(len(every)).tolist():
        if sum(end - start for start, end in drawn) >= wanted:
            break
        drawn.append(every[number])
    return drawn


def without(text: str, spans: Sequence[Span]) -> str:
    """A text without these places."""
    edges = [0, *(place for span in sorted(spans) for place in span), len(text)]
    return "".join(text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))


if __name__ == "__main__":
    main()
