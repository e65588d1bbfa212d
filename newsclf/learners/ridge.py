"""Ridge regression toward a prior: linear machines of few rows, which say what was said before where the rows do not tell otherwise.

With few rows the dual form is cheap: one factorisation of a matrix of rows by rows serves all labels and all priors (Saunders, Gammerman & Vovk,
1998).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from newsclf.learners.ngrams import Ids
from newsclf.learners.protocol import Folds
from newsclf.scores.metrics import Booleans, Floats

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Strengths that are tried; at the last a handful of rows moves the prior by a few hundredths, so that it stays."""

PRIORS = (0.0, 1.5, 3.0, 4.5, 6.0)
"""What the prior is multiplied with; at 0 it is left out."""

Kernel = Callable[[Ids], Floats]
"""Rows to learn from → products of all rows with all rows, made as if the others had not been seen. [rows, rows]"""


@dataclass(frozen=True)
class Ridge:
    """Coded rows, and what was thought of them before."""

    kernel: Kernel
    truth: Booleans
    """[rows, labels]"""

    prior: Floats
    """[rows, labels]"""

    base: float
    """Score of a row of which nothing is known, -1 to 1."""

    def heldout(self, folds: Folds, strengths: Sequence[float], priors: Sequence[float]) -> dict[tuple[float, float], Floats]:
        """Scores of every row by machines that have not seen its fold, for each strength and each weight of the prior. [rows, labels] each"""
        found = {both: np.zeros(self.truth.shape) for both in product(strengths, priors)}
        for inside, held in folds:
            products = self.kernel(inside)
            across = products[np.ix_(held, inside)]
            for strength, (of_labels, of_prior) in self._solved(products[np.ix_(inside, inside)], inside, strengths):
                told, doubled = across @ of_labels, across @ of_prior
                for weight in priors:
                    found[strength, weight][held] = self.base + told + weight * (self.prior[held] - doubled)
        return found

    def fit(self, strength: float, weight: float) -> Floats:
        """How much each row counts in the machine of each label. [rows, labels]"""
        rows = np.arange(len(self.truth))
        ((_, (of_labels, of_prior)),) = self._solved(self.kernel(rows), rows, (strength,))
        return np.asarray(of_labels - weight * of_prior)

    def error(self, scores: Floats) -> float:
        """Mean square of what scores miss the labels by, which are 1 and -1."""
        return float(np.mean((scores - self._wanted) ** 2))

    @property
    def _wanted(self) -> Floats:
        return np.where(self.truth, 1.0, -1.0)

    def _solved(self, products: Floats, rows: Ids, strengths: Sequence[float]) -> Iterator[tuple[float, tuple[Floats, Floats]]]:
        """For each strength the rows' weights for the labels, and those that the prior takes back. [rows, labels] each"""
        from scipy.linalg import cho_factor, cho_solve

        sides = np.hstack([self._wanted[rows] - self.base, self.prior[rows]])
        for strength in strengths:
            solved = np.zeros(sides.shape)
            if np.isfinite(strength):
                solved = cho_solve(cho_factor(products + strength * np.eye(len(rows))), sides)
            of_labels, of_prior = np.hsplit(solved, 2)
            yield strength, (of_labels, of_prior)
