"""Eight coded articles a label: the contrastive learner beside the encoder and linear learners, and beside setfit on the same rows and weights.

Usage: python scripts/bench_few_labels.py --encoder FOLDER [--peer-python PYTHON] [--data FOLDER] [--tasks bbc r8] [--seeds 0 1 2] [--each 8]
[--learners linear encoder contrastive] [--set epochs=4] [--test 400]. `--test` scores only so many of the test articles, drawn once with a fixed
seed. PYTHON is one that has setfit, which pins other versions of transformers than newsclf; without it setfit is left out. A fit of a tuned
encoder takes minutes of a processor; ours tunes once more for each fold, for the held-out scores that its probabilities rest on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from newsclf.codebook import Codebook
from newsclf.learners.protocol import Documents, Pairs, learner_spec
from newsclf.spec import parse_yaml

ROOT = Path(__file__).resolve().parent.parent
TASKS = {"bbc": ("bbc_news", 5), "r8": ("reuters21578_r52", 8)}
"""Name → data set, and how many of its most frequent labels."""

TOKENS = 256
"""Tokens of an article that both read in training; setfit also in use, ours then reads all of it."""

SETFIT = "setfit"
# the training of setfit's own front page: its defaults but for the longest input, which is that of ours
PEER = """
import json, sys, tempfile, time
asked = json.load(sys.stdin)
said, sys.stdout = sys.stdout, sys.stderr
from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments
model = SetFitModel.from_pretrained(asked["encoder"])
model.model_body.max_seq_length = asked["tokens"]
rows = Dataset.from_dict({"text": asked["texts"], "label": asked["labels"]})
started = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    arguments = TrainingArguments(output_dir=folder, seed=asked["seed"], batch_size=16, num_epochs=1, report_to="none", save_strategy="no")
    Trainer(model=model, args=arguments, train_dataset=rows).train()
fitted = time.perf_counter()
given = [int(label) for label in model.predict(asked["asked"], batch_size=32)]
json.dump({"given": given, "fit": fitted - started, "score": time.perf_counter() - fitted}, said)
"""


@dataclass(frozen=True)
class Articles:
    """Coded articles of one part of a task."""

    titles: list[str]
    texts: list[str]
    labels: list[str]

    def take(self, rows: Sequence[int]) -> Articles:
        """Some of them."""
        return Articles(*([column[row] for row in rows] for column in (self.titles, self.texts, self.labels)))

    def joined(self) -> list[str]:
        """Headline and text as one text, as ours reads them."""
        return [f"{title}\n{text}" if title.strip() else text for title, text in zip(self.titles, self.texts, strict=True)]


@dataclass(frozen=True)
class Try:
    """What one learner did on one draw."""

    accuracy: float
    fit_s: float
    score_s: float


@dataclass(frozen=True)
class Draw:
    """A few coded articles, and those that are asked for."""

    train: Articles
    test: Articles
    names: list[str]
    seed: int

    def ours(self, options: argparse.Namespace, kind: str) -> Try:
        """A learner of newsclf with its defaults and the settings of the command line."""
        block: dict[str, Any] = {"kind": kind} | ({"encoder": options.encoder} if kind != "linear" else {})
        if kind == "contrastive":
            block |= {"tokens": TOKENS, "seed": self.seed} | options.settings
        spec = learner_spec(block).parse(block, where="command line")
        codebook = Codebook(task="topic", kind="exclusive", labels=self.names)
        pairs, asked = (Pairs.of(Documents(some.titles, some.texts)) for some in (self.train, self.test))
        truth = codebook.matrix([[label] for label in self.train.labels])
        # a label's articles stand side by side: dealt out in turn, each fold has as many of each label
        fold_of = np.arange(len(pairs)) % options.folds
        folds = [(np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)) for fold in range(options.folds)]
        started = time.perf_counter()
        found = spec.fit(pairs, truth, codebook, folds)
        fitted = time.perf_counter()
        given = found.calibration(found.model.scores(asked)).argmax(axis=1)
        print(f"    {kind}: {found.chosen}", flush=True)
        return self._judged(given.tolist(), fitted - started, time.perf_counter() - fitted)

    def peer(self, options: argparse.Namespace) -> Try:
        """Setfit in its own Python; raises SystemExit with the end of what it said where it fails."""
        asked = {
            "encoder": options.encoder,
            "tokens": TOKENS,
            "seed": self.seed,
            "texts": self.train.joined(),
            "labels": [self.names.index(label) for label in self.train.labels],
            "asked": self.test.joined(),
        }
        offline = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        command = [options.peer_python, "-c", PEER]
        done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False, env=offline)  # noqa: S603 (the user's own)
        if done.returncode:
            raise SystemExit(f"setfit failed in {options.peer_python}: {done.stderr.strip()[-800:]}")
        said = json.loads(done.stdout)
        return self._judged(said["given"], said["fit"], said["score"])

    def _judged(self, given: Sequence[int], fit_s: float, score_s: float) -> Try:
        right = [self.names[label] == truth for label, truth in zip(given, self.test.labels, strict=True)]
        return Try(float(np.mean(right)), fit_s, score_s)


def main() -> None:
    """Fit every learner on every draw of every task, and print accuracies and seconds."""
    options = _options()
    if options.peer_python is None:
        print("setfit is left out: --peer-python names no Python that has it.")
    for task in options.tasks:
        found: dict[str, list[Try]] = {}
        for draw in _draws(options, task):
            for kind in options.learners:
                found.setdefault(kind, []).append(draw.ours(options, kind))
            if options.peer_python:
                found.setdefault(SETFIT, []).append(draw.peer(options))
            for kind, tries in found.items():
                last = tries[-1]
                print(f"  {task} seed {draw.seed} {kind:12} {last.accuracy:.4f}  fit {last.fit_s:.0f} s, score {last.score_s:.0f} s", flush=True)
        _print_table(task, found, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True, help="folder of a sentence encoder")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data")), help="folder of the data sets"
    )
    parser.add_argument("--peer-python", help="a Python in which setfit is installed")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--learners", nargs="*", default=["linear", "encoder", "contrastive"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--each", type=int, default=8, help="coded articles of each label")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--test", type=int, help="test articles that are scored; all unless given")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the contrastive learner")
    options = parser.parse_args()
    options.settings = {key: parse_yaml(value, where="--set") for key, _, value in (one.partition("=") for one in options.set)}
    return options


def _draws(options: argparse.Namespace, task: str) -> list[Draw]:
    folder, most = TASKS[task]
    train, test = (_read(options.data / folder / f"{part}.parquet") for part in ("train", "test"))
    names = sorted(label for label, _ in Counter(train.labels).most_common(most))
    asked = [row for row, label in enumerate(test.labels) if label in names]
    if options.test and options.test < len(asked):
        asked = np.sort(np.random.default_rng(0).choice(asked, options.test, replace=False)).tolist()
    draws = []
    for seed in options.seeds:
        dice = np.random.default_rng(seed)
        rows = [dice.choice([row for row, label in enumerate(train.labels) if label == name], options.each, replace=False) for name in names]
        draws.append(Draw(train.take(np.concatenate(rows).tolist()), test.take(asked), names, seed))
    return draws


def _read(path: Path) -> Articles:
    table = pq.read_table(path, columns=["title", "text", "label"])
    titles, texts, labels = (table[name].to_pylist() for name in table.column_names)
    return Articles([title or "" for title in titles], texts, labels)


def _print_table(task: str, found: dict[str, list[Try]], options: argparse.Namespace) -> None:
    print(f"\n{task}, {options.each} articles a label, {len(options.seeds)} draws")
    print("| learner | accuracy, mean | standard deviation | fit, s | score, s |\n|---|---|---|---|---|")
    for kind, tries in found.items():
        accuracies = [one.accuracy for one in tries]
        spread = f"{np.std(accuracies, ddof=1):.3f}" if len(tries) > 1 else "–"
        fit, score = (np.mean([getattr(one, name) for one in tries]) for name in ("fit_s", "score_s"))
        print(f"| {kind} | {np.mean(accuracies):.3f} | {spread} | {fit:.0f} | {score:.0f} |", flush=True)


if __name__ == "__main__":
    main()
