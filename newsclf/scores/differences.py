"""Differences between shares that were estimated from one sample: with intervals that hold all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newsclf.scores.estimate import Shares, critical_value, wilson
from newsclf.scores.metrics import Floats
from newsclf.scores.survey import covariance


@dataclass(frozen=True)
class Differences:
    """Shares of one group less those of another, of one label. [pairs] each"""

    difference: Floats
    low: Floats
    high: Floats
    critical: float
    """What the limits take in place of 1.96."""


def differences(
    found: Shares, label: int, pairs: Sequence[tuple[int, int]], *, level: float = 0.95, seed: int = 0, draws: int = 20_000
) -> Differences:
    """Differences between groups with intervals that hold all at once: in so many of a hundred studies none of them misses.

    The critical value is the quantile of the largest of the |t| (Hothorn, Bretz & Westfall 2008, "Simultaneous Inference in General Parametric
    Models"), drawn with the pairs' own correlations; limits are put together from those of the two shares (Zou & Donner 2008), so that rare labels
    keep theirs. One pair alone has the usual interval.
    """
    first, second = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    matrix, _ = covariance(found.design, found.influence[:, :, label])
    freedom = float(np.minimum(found.freedom[first, label], found.freedom[second, label]).min())
    crossed = matrix[first, second]
    of_pairs = matrix[np.ix_(first, first)] - matrix[np.ix_(first, second)] - matrix[np.ix_(second, first)] + matrix[np.ix_(second, second)]
    critical = _largest(of_pairs, freedom, level=level, draws=draws, seed=seed)
    low, high = wilson(found.share[:, label], found.variance[:, label], np.array(critical))
    share, spread = found.share[:, label], np.sqrt(np.maximum(found.variance[:, label], 1e-300))
    tied = crossed / (spread[first] * spread[second])
    apart = share[first] - share[second]
    down, up = (share[first] - low[first], high[second] - share[second]), (high[first] - share[first], share[second] - low[second])
    under, over = (np.sqrt(np.maximum(a**2 + b**2 - 2 * tied * a * b, 0)) for a, b in (down, up))
    return Differences(apart, apart - under, apart + over, critical)


def _largest(matrix: Floats, freedom: float, *, level: float, draws: int, seed: int) -> float:
    """The quantile of the largest |t| of many that correlate as in this covariance matrix."""
    if len(matrix) == 1:
        return float(critical_value(level, np.array(freedom)))
    spread = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    values, vectors = np.linalg.eigh(matrix / spread[:, None] / spread)
    root = vectors * np.sqrt(np.maximum(values, 0))
    chance = np.random.default_rng(seed)
    drawn = np.abs(chance.standard_normal((draws, len(matrix))) @ root.T).max(axis=1)
    if freedom < 1e6:
        drawn = drawn / np.sqrt(chance.chisquare(freedom, draws) / freedom)
    return float(np.quantile(drawn, level))
