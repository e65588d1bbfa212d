"""Which of scikit-learn's solvers the linear learner should use: fit time and held-out accuracy on the same matrix, one BLAS thread.

Usage: python scripts/bench_solvers.py [--data FOLDER] [--only NAME ...]

One fold of the training rows is held out for the accuracy, the test rows are not read.
Times are medians of three alternating passes, as ratios to ours.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from newsclf.corpus.coded import read_coded
from newsclf.corpus.split import Rows, SplitSpec, cross_validation
from newsclf.learners.features import Features
from newsclf.learners.linear import LinearSpec
from newsclf.training.evaluate import prepare
from newsclf.training.experiment import Experiment

ROOT = Path(__file__).resolve().parent.parent
PASSES = 3
SOLVERS: dict[str, Callable[[], Any]] = {
    "LinearSVC, dual (ours)": lambda: LinearSVC(C=1.0, dual=True, random_state=0),
    "LinearSVC, primal": lambda: LinearSVC(C=1.0, dual=False, random_state=0),
    "logistic, newton-cg": lambda: LogisticRegression(C=30.0, solver="newton-cg"),
    "logistic, lbfgs": lambda: LogisticRegression(C=30.0, solver="lbfgs", max_iter=300),
    "ridge, sparse_cg": lambda: RidgeClassifier(alpha=1.0, solver="sparse_cg"),
    "SGD, averaged hinge": lambda: SGDClassifier(alpha=1e-5, average=True, random_state=0),
}


def main() -> int:
    """Fit every solver on every data set that was asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data")), help="folder of the data sets"
    )
    parser.add_argument("--only", nargs="+", default=["reuters_r52"], help="exclusive tasks of configs/benchmarks")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    for name in options.only:
        compare(name, Experiment.load(ROOT / "configs" / "benchmarks" / f"{name}.yaml", data_root=options.data))
    return 0


def compare(name: str, experiment: Experiment) -> None:
    """Time and held-out accuracy of every solver on one data set."""
    codebook = experiment.load_codebook()
    coded = prepare(read_coded(experiment.data, codebook), codebook, experiment.clean, on_error="fail")
    inside, held = cross_validation(Rows(coded.truth, coded.pairs.rows, coded.pairs.rows), SplitSpec())[0]
    spec = experiment.learner if isinstance(experiment.learner, LinearSpec) else LinearSpec()
    features, counted = Features.learn(spec, coded.pairs, codebook)
    matrix = features.refitted(counted, inside, min_df=spec.min_df).weigh(counted)
    labels = coded.truth.argmax(axis=1)
    seconds: dict[str, list[float]] = {solver: [] for solver in SOLVERS}
    accuracy = {}
    with threadpool_limits(1, "blas"):
        for _ in range(PASSES):
            for solver, make in SOLVERS.items():
                started = time.perf_counter()
                fitted = make().fit(matrix[inside], labels[inside])
                seconds[solver].append(time.perf_counter() - started)
                accuracy[solver] = float(np.mean(fitted.predict(matrix[held]) == labels[held]))
    ours = statistics.median(next(iter(seconds.values())))
    print(f"{name}: {len(inside)} rows, {matrix.shape[1]:,} n-grams, {len(codebook.names)} labels")
    for solver, times in seconds.items():
        median = statistics.median(times)
        print(f"  {solver:<24} {median:7.2f} s   {median / ours:6.2f} × ours   held-out accuracy {accuracy[solver]:.4f}")


if __name__ == "__main__":
    raise SystemExit(main())
