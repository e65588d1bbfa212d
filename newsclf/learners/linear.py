"""The linear learner: tf-idf of word and character n-grams, one linear support vector machine a label.

The solver is in `solver.py`; cross-validation fits on as many cores as there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from newsclf.codebook import Codebook
from newsclf.learners.blocks import FeatureSpec
from newsclf.learners.features import Features
from newsclf.learners.protocol import Contributions, Fitted, Folds, LearnerSpec, Pairs, Parts
from newsclf.learners.solver import Machines
from newsclf.scores.calibration import Calibration, fit_calibration
from newsclf.scores.metrics import Booleans, Floats, log_loss

GRID = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Values of C that `C: auto` tries, from the middle outward."""

SOME = 64
"""Pairs from which it pays to go through the weights by columns."""


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
        machines = Machines(counted, truth, self.class_weight, self.min_df)
        tried: dict[float, tuple[float, Floats, Calibration]] = {}
        for wanted in search_order(self.C, tried):
            for C, heldout in machines.heldout(features, folds, wanted).items():
                calibration = fit_calibration(heldout, truth, codebook.kind)
                tried[C] = log_loss(truth, calibration(heldout), codebook.kind), heldout, calibration
        best = min(tried, key=lambda C: (tried[C][0], C))  # of equals the strongest regularisation
        model = LinearModel(features, *machines.fit(features, best))
        losses = {f"{C:g}": round(found[0], 6) for C, found in sorted(tried.items())}
        return Fitted(model, *tried[best][1:], {"C": best, "cross_validated_log_loss": losses})

    def rebuild(self, parts: Parts, codebook: Codebook) -> LinearModel:
        """The model that `parts()` took apart; raises ValueError where the parts do not fit together."""
        features = Features.rebuild(self, parts, codebook)
        weights, intercepts = parts.array("weights"), parts.array("intercepts").astype(np.float64)
        wanted = (len(features), len(codebook.names))
        if weights.shape != wanted or intercepts.shape != wanted[1:]:
            raise ValueError(f"the weights are {list(weights.shape)}, the codebook and the vocabularies need {list(wanted)}")
        return LinearModel(features, weights, intercepts)


def search_order(C: float | Literal["auto"], tried: Mapping[float, tuple[Any, ...]]) -> Iterator[Sequence[float]]:
    """Values of C to try next, side by side, as long as the best one lies at the edge of those tried."""
    if C != "auto":
        yield (C,)
        return
    middle = len(GRID) // 2
    yield GRID[middle - 1 : middle + 2]
    while True:
        best = GRID.index(min(tried, key=lambda value: (tried[value][0], value)))
        around = [GRID[index] for index in (best - 1, best + 1) if 0 <= index < len(GRID) and GRID[index] not in tried]
        if not around:
            return
        yield around[:1]


@dataclass(frozen=True)
class LinearModel:
    """Weights over the features' columns."""

    features: Features
    weights: np.ndarray
    """float32 [features, labels], row-major: each article touches a few rows"""

    intercepts: Floats

    def scores(self, pairs: Pairs) -> Floats:
        """Margins of the labels' machines. [pairs, labels]"""
        shared = self.features.shared_only()
        matrix = shared.weigh(shared.count(pairs))
        own = self.features.own(pairs.targets or [""] * len(pairs))  # [pairs]
        scores = np.zeros((len(pairs), len(self.intercepts)))
        for column in np.unique(own).tolist():
            rows = np.flatnonzero(own == column)
            part: Any = matrix if len(rows) == len(own) else matrix[rows]
            # by columns each row of the weights comes from memory once for all pairs that touch it; the sums are the same, in the same order
            part = part.tocsc() if len(rows) >= SOME else part
            weights, intercepts = self._weights_of[column]
            scores[rows] = part @ weights + intercepts
        return scores

    @cached_property
    def _weights_of(self) -> dict[int, tuple[np.ndarray, Floats]]:
        """For each target with columns of its own, and for all others (-1), what a pair's shared columns are multiplied with, and what is added.

        A target's own columns are copies of the shared ones: adding up the weights of both spares the copies.
        """
        width = self.features.shared
        every = self.weights[:width]
        found = {-1: (every, self.intercepts)}
        for at in range(len(self.features.crossed)):
            constant = self.weights[width * (1 + len(self.features.crossed)) + at]
            found[at] = (every + self.weights[width * (1 + at) : width * (2 + at)], self.intercepts + constant)
        return found

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
        least = np.partition(weights, -most)[-most] if len(weights) > most else -np.inf
        likely = np.flatnonzero(weights >= least)  # sorting them all takes seconds where there are a million of each of a hundred labels
        order = likely[np.argsort(-weights[likely], kind="stable")][:most]
        return [(words.vocabulary.term(column), float(weights[column])) for column in order.tolist() if weights[column] > 0]

    def parts(self) -> Parts:
        """Weights in row-major order (safetensors scrambles others), idf of each block, vocabularies as text."""
        own = {"weights": np.ascontiguousarray(self.weights), "intercepts": self.intercepts}
        parts = self.features.parts()
        return Parts(own | dict(parts.arrays), parts.vocabularies)
