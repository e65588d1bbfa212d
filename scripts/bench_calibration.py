"""How exclusive tasks should be calibrated: each label's own curve brought to one sum, beside a softmax of the scores themselves.

Usage: python scripts/bench_calibration.py [--data FOLDER] [--only NAME ...] [--articles N ...]

On the training articles of public data sets alone: a third is held out, the models and their calibrations are fitted on the others, C by the
cross-validated log loss of each. Prints log loss, expected calibration error, accuracy and macro-F1 on what was held out, means over the seeds.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from newsclf.corpus.coded import read_coded
from newsclf.learners.features import Features
from newsclf.learners.linear import LinearSpec
from newsclf.learners.ngrams import Ids
from newsclf.learners.protocol import Pairs
from newsclf.learners.solver import Machines
from newsclf.scores.calibration import Calibration, fit_calibration, fit_softmax
from newsclf.scores.metrics import Booleans, Floats, accuracy, log_loss, macro_f1
from newsclf.scores.ranking import calibration_error
from newsclf.training.evaluate import CodedPairs, prepare
from newsclf.training.experiment import Experiment

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("20newsgroups", "reuters_r52", "semeval2016_stance")
GRID = (0.1, 0.3, 1.0, 3.0, 10.0)
SEEDS, FOLDS = 3, 5


def of_scores(scores: Floats, truth: Booleans) -> Calibration:
    """Temperature and bias of a softmax of the scores."""
    power, priors = fit_softmax(scores, truth)
    return Calibration.of_softmax(np.full(truth.shape[1], power[0]), priors)


CALIBRATIONS: Mapping[str, Callable[[Floats, Booleans], Calibration]] = {
    "softmax of the scores": of_scores,
    "newsclf": lambda scores, truth: fit_calibration(scores, truth, "exclusive"),
}


def main() -> int:
    """Print a line for each data set, number of articles, and calibration."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=default, help="folder of the data sets")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="data sets")
    parser.add_argument("--articles", nargs="+", type=int, default=[300, 1500], help="articles to learn from")
    options = parser.parse_args()
    print(f"{'data set':<20} {'articles':>8}  {'calibration':<22} {'log loss':>8} {'ECE':>6} {'accuracy':>8} {'macro-F1':>8}")
    for name in options.only:
        experiment = Experiment.load(ROOT / "configs" / "benchmarks" / f"{name}.yaml", data_root=options.data)
        codebook = experiment.load_codebook()
        coded = prepare(read_coded(experiment.data, codebook), codebook, experiment.clean, on_error="quarantine")
        for articles in options.articles:
            runs = [measured(coded, experiment, articles, seed) for seed in range(SEEDS)]
            for which in CALIBRATIONS:
                figures = np.mean([run[which] for run in runs], axis=0)
                print(f"{name:<20} {articles:>8}  {which:<22} {figures[0]:8.4f} {figures[1]:6.4f} {figures[2]:8.4f} {figures[3]:8.4f}", flush=True)
    return 0


def measured(coded: CodedPairs, experiment: Experiment, articles: int, seed: int) -> dict[str, list[float]]:
    """The four figures of each calibration on rows that neither models nor calibrations have seen."""
    order = np.random.default_rng(seed).permutation(len(coded))
    held = len(coded) // 3
    inside, outside = np.sort(order[held : held + articles]), np.sort(order[:held])
    told = coded.truth[inside].any(axis=0)  # labels that there are rows of
    outside = outside[coded.truth[outside][:, told].any(axis=1)]
    truth, tested = coded.truth[inside][:, told], coded.truth[outside][:, told]
    spec = LinearSpec.parse(experiment.learner.resolved() | {"C": 1.0}, where="bench_calibration")
    features, counted = Features.learn(spec, rows(coded, inside), experiment.load_codebook())
    machines = Machines(counted, truth, spec.class_weight, spec.min_df)
    fold = np.random.default_rng(seed).permutation(len(inside)) % FOLDS
    heldout = machines.heldout(features, [(np.flatnonzero(fold != at), np.flatnonzero(fold == at)) for at in range(FOLDS)], GRID)
    matrix = features.weigh(features.count(rows(coded, outside)))
    found = {}
    for name, fit in CALIBRATIONS.items():
        fitted = {C: fit(scores, truth) for C, scores in heldout.items()}
        best = min(GRID, key=lambda C: log_loss(truth, fitted[C](heldout[C]), "exclusive"))
        weights, intercepts = machines.fit(features, best)
        given = fitted[best](np.asarray(matrix @ weights + intercepts, np.float64))
        decided = np.arange(given.shape[1]) == given.argmax(axis=1)[:, None]
        found[name] = [
            log_loss(tested, given, "exclusive"),
            calibration_error(tested, given, "exclusive"),
            accuracy(tested, decided),
            macro_f1(tested, decided),
        ]
    return found


def rows(coded: CodedPairs, chosen: Ids) -> Pairs:
    """Some of the pairs."""
    return coded.take(chosen).pairs


if __name__ == "__main__":
    raise SystemExit(main())
