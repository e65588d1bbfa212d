"""How a sample was drawn, and what follows for the variance of what is estimated from it: strata, clusters, known inclusion probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsclf.scores.metrics import Floats

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Design:
    """A sample drawn without replacement in strata: of rows, or of clusters of rows that were taken whole.

    The corpus is finite and known, so the variance is that of the draw alone (Särndal, Swensson & Wretman 1992, "Model Assisted Survey Sampling"):
    a stratum that was coded whole adds none.
    """

    strata: Ids
    """Number of the stratum of each sampled row. [sample]"""

    clusters: Ids
    """Number of the unit that was drawn with each sampled row: its own where rows were drawn one by one. [sample]"""

    sizes: Floats
    """How many units there are in each stratum of the corpus; infinite where the sample is not of a finite corpus. [strata]"""

    weights: Floats
    """1 / inclusion probability of each sampled row. [sample]"""

    def __post_init__(self) -> None:
        """Raises ValueError for arrays that do not belong together, and for what is no weight."""
        if not len(self.strata) == len(self.clusters) == len(self.weights):
            raise ValueError(f"a design has one stratum, cluster and weight a row: {len(self.strata)}, {len(self.clusters)}, {len(self.weights)}")
        if len(self.weights) and not (np.isfinite(self.weights).all() and self.weights.min() >= 1 - 1e-9):
            raise ValueError("a weight is 1 / inclusion probability, 1 or more and finite")

    def __len__(self) -> int:
        return len(self.weights)

    @classmethod
    def simple(cls, rows: int, of: float) -> Design:
        """A simple random sample of so many rows of a corpus of that size."""
        return cls(np.zeros(rows, np.int64), np.arange(rows), np.array([float(of)]), np.full(rows, of / max(rows, 1)))

    def units(self) -> tuple[Ids, Ids]:
        """The number of each row's unit among those drawn, [sample], and each unit's stratum, [units]."""
        _, first, unit = np.unique(self.clusters, return_index=True, return_inverse=True)
        return unit.reshape(-1), self.strata[first]

    def summed(self, values: Floats) -> Floats:
        """Sums over the rows of each drawn unit. [sample, columns] → [units, columns]"""
        unit, stratum = self.units()
        sums = np.zeros((len(stratum), values.shape[1]))
        np.add.at(sums, unit, values)
        return sums


def variance(design: Design, influence: Floats) -> tuple[Floats, Floats]:
    """The variances of weighted totals of a sample, and their degrees of freedom: the diagonal of `covariance`. → [totals], [totals]"""
    apart, freedom = _apart(design, influence)
    return np.asarray((apart**2).sum(axis=0)), freedom


def covariance(design: Design, influence: Floats) -> tuple[Floats, Floats]:
    """The covariance of weighted totals of a sample, and the degrees of freedom of each variance.

    `influence` [sample, totals] is what each row adds to a total before it is weighted, centred so that its total is 0 (linearised: Woodruff 1971;
    Deville 1999). Totals of units are taken around their stratum's mean; a stratum of which one unit was drawn tells no variance, and is taken around
    the mean of all units instead, which errs on the wide side. Degrees of freedom are Satterthwaite's over the strata (1946).
    → [totals, totals], [totals]
    """
    apart, freedom = _apart(design, influence)
    return apart.T @ apart, freedom


def expected_variance(weighed: Floats, open_: Floats) -> Floats:
    """The variance that weighted means would have, were each row's own variance this, and rows drawn one by one: none where a row weighs 1.

    `weighed` [sample, groups]: a row's weight in each group, 0 outside of it. `open_` [sample, totals] → [groups, totals]
    """
    return np.asarray((weighed * np.maximum(weighed - 1, 0)).T @ open_ / np.maximum(weighed.sum(axis=0), 1)[:, None] ** 2)


def _apart(design: Design, influence: Floats) -> tuple[Floats, Floats]:
    """Totals of the units around their stratum's mean, so scaled that their squares sum to the variance. → [units, totals], [totals]"""
    _, stratum = design.units()
    totals = design.summed(influence * design.weights[:, None])
    drawn = np.bincount(stratum, minlength=len(design.sizes)).astype(float)  # [strata]
    sums = np.zeros((len(design.sizes), totals.shape[1]))
    np.add.at(sums, stratum, totals)
    lonely = drawn == 1
    means = np.where(lonely[:, None], sums.sum(axis=0) / max(len(totals), 1), sums / np.maximum(drawn, 1)[:, None])
    left = 1 - np.minimum(drawn / design.sizes, 1)  # what was not drawn
    scale = left * drawn / np.maximum(drawn - 1, 1)
    apart = (totals - means[stratum]) * np.sqrt(scale[stratum])[:, None]
    parts = np.zeros_like(sums)
    np.add.at(parts, stratum, apart**2)
    free = (parts**2 / np.maximum(drawn - 1, 1)[:, None]).sum(axis=0)
    return apart, np.where(free > 0, parts.sum(axis=0) ** 2 / np.where(free > 0, free, 1), np.inf)
