"""Fitting the linear machines of every label: for each fold, for the values of C that are tried, and at last for all rows.

LinearSVC (liblinear, Fan et al. 2008; squared hinge loss, dual): `scripts/bench_solvers.py` measures it on Reuters R52 beside scikit-learn's other
solvers. Only averaged SGD is as fast, at a lower held-out accuracy; logistic regression and ridge take several times as long.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from newsclf.learners.blocks import Matrix
from newsclf.learners.features import Counted, Features
from newsclf.learners.ngrams import Ids
from newsclf.learners.protocol import Folds
from newsclf.machine import usable_cores
from newsclf.progress import counted as counted_rows
from newsclf.scores.metrics import Booleans, Floats

Task = tuple[Any, ...]
"""A function and its arguments."""

MANY, LOOSE, TIGHT, BESIDE = 20_000, 0.1, 1e-4, 1e-2
"""Rows from which liblinear's own stopping tolerance does; that one; scikit-learn's, which holds below; and the one below with vectors beside counts.
A pass over many rows makes many steps: on 22,000 articles of 108 topics the tight tolerance took 1.7 times as long (81 s, 47 s) for the same
held-out macro-F1 (.4235, .4230). With vectors of 768 numbers it took 1.5 to 3.4 times as long for scores that differ by .006 at most (2,300 tweets,
three labels, C from .1 to 10)."""

TOGETHER = 32
"""Most labels whose machines one call fits: they share a copy of the rows, and the weights of so many are in memory in double precision."""

WORTH_PROCESSES = 1e9
"""Counts times labels, summed over the fits, from which other processes are worth starting: some ten seconds of work."""

SHARES = 4
"""Where processes are worth it, labels are shared out to so many calls or a multiple of it: one, two and four cores are done together. By the number
of cores another machine's weights would differ in their last digits."""


@dataclass(frozen=True)
class Rows:
    """Weighed rows, as the solver takes them."""

    matrix: Matrix
    """Columns from the most frequent to the rarest. The solver walks through the weights in the order of each row's columns: with frequent n-grams
    side by side most of them are in the cache."""

    columns: Ids
    """Which feature each column is."""

    @classmethod
    def of(cls, matrix: Matrix) -> Self:
        """The rows of a matrix with sorted indices."""
        columns = np.argsort(-np.bincount(matrix.indices, minlength=matrix.shape[1]), kind="stable")
        place = np.empty(len(columns), np.int32)
        place[columns] = np.arange(len(columns), dtype=np.int32)
        ordered = Matrix((matrix.data.copy(), place[matrix.indices], matrix.indptr), shape=matrix.shape)
        ordered.sort_indices()  # in place
        return cls(ordered, columns)


@dataclass(frozen=True)
class Machines:
    """What all fits have in common: counted rows, their labels, and how labels and n-grams weigh."""

    counted: Counted
    truth: Booleans
    class_weight: str
    min_df: int
    tight: float = TIGHT
    """Stopping tolerance where rows are not many."""

    def heldout(self, features: Features, folds: Folds, values: Sequence[float]) -> dict[float, Floats]:
        """Scores of every row by machines that have not seen its fold, for each value of C. [rows, labels] each"""
        scores = {C: np.zeros(self.truth.shape) for C in values}
        fits = len(folds) * len(values)
        shares = self._shares(fits)
        places = [(held, labels, C) for _, held in folds for C in values for labels in shares]
        what = f"cross-validation at C = {', '.join(f'{C:g}' for C in values)}"
        done = counted_rows(self._run(self._heldout(features, folds, values, shares), fits), what, len(places))
        for (held, labels, C), found in zip(places, done, strict=True):
            scores[C][np.ix_(held, labels)] = found
        return scores

    def fit(self, features: Features, C: float) -> tuple[np.ndarray, Floats]:
        """Weights and intercepts of every label, from all rows. float32 [features, labels], float64 [labels]"""
        rows, shares = Rows.of(features.weigh(self.counted)), self._shares(1)
        tasks = ((solve, rows, self.truth[:, labels], C, self.class_weight, self.tight) for labels in shares)
        weights, intercepts = zip(*self._run(tasks, 1), strict=True)
        return np.concatenate(weights, axis=1), np.concatenate(intercepts)

    def _heldout(self, features: Features, folds: Folds, values: Sequence[float], shares: Sequence[Ids]) -> Iterator[Task]:
        for inside, held in folds:
            # what the held-out rows tell of idf and of rare n-grams is left out too, not only their labels
            matrix = features.refitted(self.counted, inside, min_df=self.min_df).weigh(self.counted)
            rows, other = Rows.of(matrix[inside]), matrix[held]
            for C in values:
                yield from ((_scores, other, rows, self.truth[np.ix_(inside, labels)], C, self.class_weight, self.tight) for labels in shares)

    def _shares(self, fits: int) -> list[Ids]:
        """The labels, in the parts that are fitted side by side."""
        labels = self.truth.shape[1]
        shares = SHARES * math.ceil(labels / (SHARES * TOGETHER)) if self._is_much(fits) else 1
        return np.array_split(np.arange(labels), min(shares, labels))

    def _is_much(self, fits: int) -> bool:
        counts = sum(block.nnz for block in self.counted.blocks)
        return bool(counts * self.truth.shape[1] * fits >= WORTH_PROCESSES)

    def _run(self, tasks: Iterator[Task], fits: int) -> Iterator[Any]:
        """The results of the tasks, in order; in processes of their own where so many fits are much work."""
        if usable_cores() < 2 or not self._is_much(fits):
            return (function(*arguments) for function, *arguments in tasks)
        # processes, not threads: liblinear draws from one random state for the whole process. joblib's read the rows from shared memory, and start
        # without running the user's script again
        from joblib import Parallel, delayed

        results: Iterator[Any] = Parallel(n_jobs=usable_cores(), return_as="generator")(
            delayed(function)(*arguments) for function, *arguments in tasks
        )
        return results


def solve(rows: Rows, truth: Booleans, C: float, class_weight: str, tight: float = TIGHT) -> tuple[np.ndarray, Floats]:
    """One-against-rest weights and intercepts of every label. float32 [features, labels], float64 [labels]

    A label that no row or every row has gets a score of -1 or 1 whatever the article.
    """
    from threadpoolctl import threadpool_limits

    weights = np.zeros((rows.matrix.shape[1], truth.shape[1]), np.float32)
    intercepts = np.where(truth.any(axis=0), 1.0, -1.0)
    # more BLAS threads than one make these fits slower
    with threadpool_limits(1, "blas"):
        for labels, codes in _calls(truth, class_weight):
            weights[rows.columns[:, None], labels], intercepts[labels] = _machines(
                rows.matrix, codes, len(labels), C=C, class_weight=class_weight, tight=tight
            )
    return weights, intercepts


def _scores(other: Matrix, *fitted_on: Any) -> Floats:
    """Scores of other rows by machines that `solve` fits. [other rows, labels]"""
    weights, intercepts = solve(*fitted_on)
    return np.asarray(other @ weights + intercepts, np.float64)


def _calls(truth: Booleans, class_weight: str) -> Iterator[tuple[Ids, Ids]]:
    """Labels that one call fits, and the class of each row in it: the place of its label among them, or their number where it has none of them."""
    told = np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0))
    # rows of several labels have no one class; and a weight for each class cannot balance a label against all others together
    together = TOGETHER if class_weight == "none" and (truth[:, told].sum(axis=1) <= 1).all() else 1
    for start in range(0, len(told), together):
        labels = told[start : start + together]
        chosen = truth[:, labels]
        yield labels, np.where(chosen.any(axis=1), chosen.argmax(axis=1), len(labels))


def _machines(matrix: Matrix, codes: Ids, labels: int, *, C: float, class_weight: str, tight: float) -> tuple[np.ndarray, Floats]:
    """Weights and intercepts of the first classes, each against all other rows. [features, labels], [labels]"""
    from sklearn.svm import LinearSVC

    balance = None if class_weight == "none" else class_weight
    tolerance = LOOSE if matrix.shape[0] >= MANY else tight
    machine = LinearSVC(C=C, class_weight=balance, dual=True, random_state=0, tol=tolerance, max_iter=5000).fit(matrix, codes)
    if len(machine.classes_) == 2:  # one machine, which speaks for the second class
        sign = np.array([-1.0, 1.0][:labels])
        return machine.coef_.T * sign, machine.intercept_ * sign
    return machine.coef_[:labels].T, machine.intercept_[:labels]
