"""How far definitions carry: models of a codebook alone, and of 1 to 32 coded articles a label, beside the learners that know no definitions.

Usage: python scripts/bench_zero_labels.py --encoder FOLDER [--data FOLDER] [--only NAME ...]

Coded articles are drawn from the official training rows, so many for each label, three times; all are tested on the same official test rows. The
definitions are our own (scripts/bench_zero_codebooks.py) and were written before anything was measured on the test rows. Prints a Markdown table:
accuracy (multi-label: micro-F1), macro-F1 and log loss, mean and standard deviation over the draws.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from bench_zero_codebooks import CODEBOOKS

from newsclf.codebook import Codebook
from newsclf.learners.definitions import DefinitionsSpec
from newsclf.learners.ngrams import Ids
from newsclf.learners.protocol import Documents, Fitted, Folds, LearnerSpec, Pairs, learner_spec
from newsclf.scores.decision import Decision, DecisionSpec
from newsclf.scores.metrics import Booleans, accuracy, log_loss, macro_f1, micro_f1
from newsclf.training.learn import decide

ROOT = Path(__file__).resolve().parent.parent
CODED = (0, 1, 2, 4, 8, 16, 32)
FIRST = 4
"""Coded articles of a label from which the other learners are tried."""
DRAWS, FOLDS = 3, 5
POOL, TESTED = 40, {"bbc_news": 150, "reuters21578_r52": 400, "semeval2016_t6": 600}
"""Articles of each label that draws are made from; test rows that are taken, all of them unless given: encoding whole articles is what takes time."""


@dataclass(frozen=True)
class Part:
    """Coded rows of a data set."""

    pairs: Pairs
    truth: Booleans

    def take(self, rows: Ids) -> Part:
        """Some of the rows, of the same documents."""
        targets = [self.pairs.targets[row] for row in rows.tolist()] if self.pairs.targets else ()
        return Part(Pairs(self.pairs.documents, self.pairs.rows[rows], targets), self.truth[rows])


def main() -> None:
    """Print a table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=default, help="folder of the data sets")
    parser.add_argument("--encoder", required=True, help="folder or hub name of a sentence encoder")
    parser.add_argument("--only", nargs="+", choices=[*CODEBOOKS], default=[*CODEBOOKS], help="data sets")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # of labels with few rows, which is what this is about
    for name in options.only:
        codebook = CODEBOOKS[name]
        pool, tested = read(options.data / name / "train.parquet", codebook, each=POOL), read(options.data / name / "test.parquet", codebook)
        if name in TESTED:
            tested = tested.take(np.sort(np.random.default_rng(0).permutation(len(tested.truth))[: TESTED[name]]))
        first = "accuracy" if codebook.kind == "exclusive" else "micro-F1"
        print(f"\n{name}: {len(codebook.names)} labels, {len(tested.truth)} test rows\n\n| coded a label | learner | {first} | macro-F1 | log loss |")
        print("|---|---|---|---|---|")
        for each in CODED:
            for kind in ("definitions", "encoder", "linear") if each >= FIRST else ("definitions",):
                block = {"kind": kind} | ({} if kind == "linear" else {"encoder": options.encoder})
                figures = list(measured(learner_spec(block).parse(block, where=kind), codebook, pool, tested, each=each))
                cells = [f"{mean:.3f} ± {spread:.3f}" for mean, spread in zip(np.mean(figures, axis=0), np.std(figures, axis=0), strict=True)]
                print(f"| {each} | {kind} | {' | '.join(cells)} |", flush=True)


def read(path: Path, codebook: Codebook, *, each: int | None = None) -> Part:
    """The rows of a file whose labels are all in the codebook; `each`: the first so many of each label, in a random order."""
    table = pq.read_table(path).to_pylist()
    labels = [row["labels"] if "labels" in row else [row["label"]] for row in table]
    known = [at for at, given in enumerate(labels) if given and set(given) <= codebook.labels.keys()]
    truth = codebook.matrix(labels[at] for at in known)
    order = np.random.default_rng(0).permutation(len(known))
    chosen = order if each is None else np.unique(np.concatenate([order[truth[order, k]][:each] for k in range(truth.shape[1])]))
    rows = [table[known[at]] for at in chosen.tolist()]
    documents = Documents([row.get("title") or "" for row in rows], [row["text"] for row in rows])
    targets = [row["target"] for row in rows] if codebook.is_stance else ()
    return Part(Pairs(documents, np.arange(len(rows)), targets), truth[chosen])


def measured(spec: LearnerSpec, codebook: Codebook, pool: Part, tested: Part, *, each: int) -> Iterator[list[float]]:
    """The three figures of each draw; of no coded article there is but one."""
    for seed in range(DRAWS if each else 1):
        fitted, decision = learnt(spec, codebook, pool.take(drawn(pool.truth, each, seed)), seed) if each else started(spec, codebook)
        probabilities = fitted.calibration(fitted.model.scores(tested.pairs))
        given = decision(probabilities)
        score = accuracy if codebook.kind == "exclusive" else micro_f1
        yield [score(tested.truth, given), macro_f1(tested.truth, given), log_loss(tested.truth, probabilities, codebook.kind)]


def drawn(truth: Booleans, each: int, seed: int) -> Ids:
    """So many rows of each label, at random."""
    dice = np.random.default_rng(seed)
    return np.unique(np.concatenate([dice.permutation(np.flatnonzero(column))[:each] for column in truth.T]))


def learnt(spec: LearnerSpec, codebook: Codebook, coded: Part, seed: int) -> tuple[Fitted, Decision]:
    """A model of coded rows, and the decision that is chosen on their held-out probabilities."""
    fitted = spec.fit(coded.pairs, coded.truth, codebook, folds_of(len(coded.truth), seed))
    return fitted, decide(codebook, DecisionSpec(), fitted.calibration(fitted.heldout), coded.truth, quiet=True)


def started(spec: LearnerSpec, codebook: Codebook) -> tuple[Fitted, Decision]:
    """The model of a codebook alone."""
    fitted = DefinitionsSpec.model_validate(spec.resolved()).start(codebook)
    return fitted, Decision(codebook.kind, np.full(len(codebook.names), 0.5), fewest=codebook.min_labels, most=codebook.max_labels)


def folds_of(rows: int, seed: int) -> Folds:
    """Five folds of rows, at random."""
    fold = np.random.default_rng(seed).permutation(rows) % min(FOLDS, rows)
    return [(np.flatnonzero(fold != at), np.flatnonzero(fold == at)) for at in range(min(FOLDS, rows))]


if __name__ == "__main__":
    main()
