"""The linear learner: tf-idf of word and character n-grams, one linear support vector machine a label.

LinearSVC (liblinear, Fan et al. 2008; squared hinge loss, dual): `scripts/bench_solvers.py` measures it on Reuters R52 beside scikit-learn's other
solvers. Only averaged SGD is as fast, at a lower held-out accuracy; logistic regression and ridge take several times as long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from newsclf.codebook import Codebook
from newsclf.learners.blocks import FeatureSpec, Matrix
from newsclf.learners.features import Counted, Features
from newsclf.learners.protocol import Contributions, Fitted, Folds, LearnerSpec, Pairs, Parts
from newsclf.progress import counted as counted_rows
from newsclf.scores.calibration import fit_calibration
from newsclf.scores.metrics import Booleans, Floats, log_loss

GRID = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Values of C that `C: auto` tries, from the middle outward."""


class LinearSpec(LearnerSpec, FeatureSpec):
    """Hyper-parameters of the linear learner."""

    kind: Literal["linear"] = "linear"
    """Which learner this block configures."""

    C: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Inverse strength of regularisation; auto chooses by cross-validation on the training articles."""

    class_weight: Literal["none", "balanced"] = "none"
    """balanced gives rare labels the weight of frequent ones, as n / (classes · n_class)."""

    def fit(self, pairs: Pairs, truth: Booleans, codebook: Codebook, folds: Folds) -> Fitted:
        """Learn from coded pairs; C, held-out scores and final weights from one count of the n-grams."""
        features, counted = Features.learn(self, pairs, codebook)
        tried: dict[float, tuple[float, Floats]] = {}
        for C in search_order(self.C, tried):
            heldout = self._heldout(C, features, counted, truth, folds)
            calibrated = fit_calibration(heldout, truth, codebook.kind)(heldout)
            tried[C] = log_loss(truth, calibrated, codebook.kind), heldout
        best = min(tried, key=lambda C: (tried[C][0], C))  # of equals the strongest regularisation
        weights, intercepts = solve(features.weigh(counted), truth, C=best, class_weight=self.class_weight)
        model = LinearModel(features, weights, intercepts)
        losses = {f"{C:g}": round(loss, 6) for C, (loss, _) in sorted(tried.items())}
        return Fitted(model, tried[best][1], {"C": best, "cross_validated_log_loss": losses})

    def _heldout(self, C: float, features: Features, counted: Counted, truth: Booleans, folds: Folds) -> Floats:
        scores = np.zeros(truth.shape)
        for inside, held in counted_rows(folds, f"cross-validation at C = {C:g}"):
            # what the held-out rows tell of idf and of rare n-grams is left out too, not only their labels
            matrix = features.refitted(counted, inside, min_df=self.min_df).weigh(counted)
            weights, intercepts = solve(matrix[inside], truth[inside], C=C, class_weight=self.class_weight)
            scores[held] = matrix[held] @ weights + intercepts
        return scores

    def rebuild(self, parts: Parts, codebook: Codebook) -> LinearModel:
        """The model that `parts()` took apart; raises ValueError where the parts do not fit together."""
        features = Features.rebuild(self, parts, codebook)
        weights, intercepts = parts.array("weights"), parts.array("intercepts").astype(np.float64)
        wanted = (len(features), len(codebook.names))
        if weights.shape != wanted or intercepts.shape != wanted[1:]:
            raise ValueError(f"the weights are {list(weights.shape)}, the codebook and the vocabularies need {list(wanted)}")
        return LinearModel(features, weights, intercepts)


def search_order(C: float | Literal["auto"], tried: Mapping[float, tuple[float, Any]]) -> Any:
    """Values of C to try next, as long as the best one lies at the edge of those tried."""
    if C != "auto":
        yield C
        return
    middle = len(GRID) // 2
    yield from GRID[middle - 1 : middle + 2]
    while True:
        best = GRID.index(min(tried, key=lambda value: (tried[value][0], value)))
        around = [GRID[index] for index in (best - 1, best + 1) if 0 <= index < len(GRID) and GRID[index] not in tried]
        if not around:
            return
        yield around[0]


def solve(matrix: Matrix, truth: Booleans, *, C: float, class_weight: str) -> tuple[np.ndarray, Floats]:
    """One-against-rest weights and intercepts of every label. float32 [features, labels], float64 [labels]

    A label that no row or every row has gets a score of -1 or 1 whatever the article.
    """
    from sklearn.svm import LinearSVC
    from threadpoolctl import threadpool_limits

    weights = np.zeros((matrix.shape[1], truth.shape[1]), np.float32)
    intercepts = np.where(truth.any(axis=0), 1.0, -1.0)
    balance = None if class_weight == "none" else class_weight
    # more BLAS threads than one make these fits slower
    with threadpool_limits(1, "blas"):
        for k in np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0)):
            machine = LinearSVC(C=C, class_weight=balance, dual=True, random_state=0, max_iter=5000).fit(matrix, truth[:, k])
            weights[:, k], intercepts[k] = machine.coef_[0], machine.intercept_[0]
    return weights, intercepts


@dataclass(frozen=True)
class LinearModel:
    """Weights over the features' columns."""

    features: Features
    weights: np.ndarray
    """float32 [features, labels], row-major: each article touches a few rows"""

    intercepts: Floats

    def scores(self, pairs: Pairs) -> Floats:
        """Margins of the labels' machines. [pairs, labels]"""
        return np.asarray(self.features.weigh(self.features.count(pairs)) @ self.weights + self.intercepts, np.float64)

    def coverage(self, pairs: Pairs) -> Floats:
        """Always 1: n-grams are counted over the whole article."""
        return np.ones(len(pairs))

    def contributions(self, pairs: Pairs, pair: int, labels: Sequence[int]) -> list[Contributions]:
        """Each n-gram's weight times its value, shared evenly by its occurrences: exact, not estimated."""
        found = self.features.occurrences(pairs, pair)
        return [
            Contributions(
                found.positions,
                found.values * self.weights[found.columns, k],
                found.phrases,
                float(self.weights[found.constant, k].sum() + self.intercepts[k]),
            )
            for k in labels
        ]

    def telling(self, label: int, most: int) -> list[tuple[str, float]]:
        """The words and phrases of the whole article with the largest weights for a label."""
        words = self.features.blocks[0]
        weights = self.weights[: len(words.vocabulary), label] * words.idf
        order = np.argsort(-weights, kind="stable")[:most]
        return [(words.vocabulary.term(column), float(weights[column])) for column in order.tolist() if weights[column] > 0]

    def parts(self) -> Parts:
        """Weights in row-major order (safetensors scrambles others), idf of each block, vocabularies as text."""
        own = {"weights": np.ascontiguousarray(self.weights), "intercepts": self.intercepts}
        parts = self.features.parts()
        return Parts(own | dict(parts.arrays), parts.vocabularies)
