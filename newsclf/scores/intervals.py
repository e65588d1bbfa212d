"""How uncertain a metric is where rows come in clusters (outlets, stories, authors) that are not independent: intervals from the clusters.

The method was chosen by simulation against others; `scripts/simulate_intervals.py` prints how often its intervals hold the true value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr, stdtrit

from newsclf.scores.metrics import Floats

Ids = NDArray[np.int64]
Statistic = Callable[[Floats], Floats]
"""Sums of parts → the metric. [..., parts] → [...]"""

FEW = 20
"""Clusters below which an interval misses the true value more often than it says."""

CELLS = 4_000_000
"""Numbers drawn at once: 32 MB."""

GROUPS = 1000
"""Clusters above which they are resampled in so many groups, which moves the width of an interval by 2 %."""


@dataclass(frozen=True)
class Interval:
    """A metric with the interval that would hold its true value in so many studies of a hundred."""

    estimate: float
    low: float
    high: float
    clusters: int
    """Clusters that say something of the metric: of a label's F1 those where it is coded or decided."""

    @property
    def few(self) -> bool:
        """Whether there are too few clusters to trust the interval: to be said where it is printed."""
        return self.clusters < FEW

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"few": self.few}


@dataclass(frozen=True)
class Share:
    """A statistic that is a share, 0 to 1, such as accuracy and F1: its interval has a width even where there is no error to resample."""

    of: Statistic

    def __call__(self, sums: Floats) -> Floats:
        """The share of sums of parts. [..., parts] → [...]"""
        return self.of(sums)


def cluster_sums(parts: Floats, clusters: Ids) -> Floats:
    """Parts of rows, [rows, parts], added up by the number of each row's cluster, [rows]. → [clusters, parts]"""
    order = np.argsort(clusters, kind="stable")
    ordered = clusters[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]][: len(ordered)])
    return np.add.reduceat(parts[order], starts, axis=0) if len(ordered) else parts[:0]


def replicates(sums: Floats, *, resamples: int, seed: int) -> Iterator[Floats]:
    """Totals of clusters drawn with replacement, as many as there are, batch by batch. [clusters, parts] → [batch, parts], `resamples` in all"""
    chance = np.random.default_rng(seed)
    count = len(sums)
    batch = max(CELLS // count, 1)
    for start in range(0, resamples, batch):
        size = min(batch, resamples - start)
        drawn = chance.integers(count, size=(size, count)) + count * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        yield times.astype(np.float64) @ sums


def cluster_interval(parts: Floats, clusters: Ids, statistic: Statistic, *, level: float = 0.95, resamples: int = 10_000, seed: int = 0) -> Interval:
    """The metric of all rows and its interval: percentiles of a bootstrap over clusters, further out the fewer clusters carry the metric.

    `parts` [rows, parts] add up over rows, `clusters` [rows] numbers what is not independent, `statistic` makes the metric of the sums. Plain
    percentiles are too narrow for few or unequal clusters (Cameron, Gelbach & Miller 2008, "Bootstrap-Based Improvements for Inference with Clustered
    Errors"). They are expanded to what a t distribution asks for (Hesterberg 2015, "What Teachers Should Know About the Bootstrap"), with degrees of
    freedom after Satterthwaite (1946): few where a few clusters make most of the jackknife variance (see `carriers`). An interval stays inside what
    the metric can be. A Share that fewer than FEW clusters carry gets at least the interval of Jeffreys for a share of so many independent rows.
    Intervals of log-loss and Brier score miss more often, by being too low, where a few rows make most of the loss.

    Raises ValueError for rows of one cluster or none, and for numbers that are not finite.
    """
    _check(parts, clusters, level)
    sums = cluster_sums(parts, clusters)
    # clusters without any part change no sum: drawing them would only leave resamples with nothing at all
    telling = sums[sums.any(axis=1)]
    estimate = float(statistic(sums.sum(axis=0)))
    if len(telling) < 2:
        return Interval(estimate, *_untold(estimate, statistic), len(telling))
    count, telling = len(telling), _grouped(telling, seed)
    influence = _influence(telling, statistic)
    carrying = carriers(influence)
    drawn = np.concatenate([statistic(totals) for totals in replicates(telling, resamples=resamples, seed=seed)])
    tail = _tail(carrying, level)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    if isinstance(statistic, Share) and carrying < FEW:
        least = _jeffreys(estimate, _independent(estimate, influence, int(parts.any(axis=1).sum())), level)
        low, high = min(low, least[0]), max(high, least[1])
    return Interval(estimate, float(low), float(high), count)


def carriers(influence: Floats) -> float:
    """How many equal clusters would make the variance as uncertain as these, which differ: 3 (Σ v²)² / Σ v⁴, all of them at most. [clusters]

    For influences from a normal distribution it is their number; 1 where nothing varies.
    """
    squared = (influence / max(np.abs(influence).max(), 1e-300)) ** 2
    return float(np.clip(3 * squared.sum() ** 2 / max((squared**2).sum(), 1e-300), 1, len(influence)))


def _check(parts: Floats, clusters: Ids, level: float) -> None:
    if parts.ndim != 2 or len(parts) != len(clusters):
        raise ValueError(f"an interval takes parts [rows, parts] and the cluster of each row; the shapes are {parts.shape} and {clusters.shape}")
    if not len(parts):
        raise ValueError("an interval of no rows")
    if not np.isfinite(parts).all():
        raise ValueError(f"an interval takes finite numbers; {int((~np.isfinite(parts)).any(axis=1).sum())} of {len(parts)} rows have others")
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval is between 0 and 1, as in 0.95, and not {level!r}")
    if (clusters == clusters[0]).all():
        raise ValueError(
            f"an interval takes two clusters or more, and all {len(parts)} rows are of one: group them by something finer (outlet, story, article), "
            "or print the metric without an interval"
        )


def _untold(estimate: float, statistic: Statistic) -> tuple[float, float]:
    """What is known of a metric that one cluster at most says anything of: nothing, so that a share can be anything."""
    return (0.0, 1.0) if isinstance(statistic, Share) else (estimate, estimate)


def _grouped(sums: Floats, seed: int) -> Floats:
    """GROUPS random groups of clusters where there are more (Wolter 2007, "Introduction to Variance Estimation", on random groups)."""
    if len(sums) <= GROUPS:
        return sums
    return cluster_sums(sums, np.random.default_rng(seed).permutation(len(sums)) % GROUPS)


def _influence(sums: Floats, statistic: Statistic) -> Floats:
    """By how much the metric changes without each cluster, around the mean. [clusters]"""
    without = statistic(sums.sum(axis=0) - sums)
    apart: Floats = without - without.mean()
    # what is left of equal numbers after rounding is no variation
    return np.where(np.abs(apart) > 1e-13 * max(abs(float(without.mean())), 1e-300), apart, 0.0)


def _tail(clusters: float, level: float) -> float:
    """The share of the resamples to leave out on each side so that the interval is as wide as that of a t distribution (Hesterberg 2015)."""
    few = max(clusters, 1.5)
    return float(ndtr(np.sqrt(few / (few - 1)) * stdtrit(max(few - 1, 1.0), (1 - level) / 2)))


def _independent(share: float, influence: Floats, rows: int) -> float:
    """The number of independent rows whose share would vary as much (Kish's effective sample size), from the jackknife over clusters."""
    count = len(influence)
    variance = (count - 1) / count * float((influence**2).sum())
    if variance <= 0 or not 0 < share < 1:
        return float(count)
    return float(np.clip(share * (1 - share) / variance, 1, rows))


def _jeffreys(share: float, rows: float, level: float) -> tuple[float, float]:
    """The interval of Jeffreys for a share (Brown, Cai & DasGupta 2001, "Interval Estimation for a Binomial Proportion").

    For samples in clusters it takes the effective number of rows (Franco et al. 2019, "Comparative Study of Confidence Intervals for Proportions in
    Complex Sample Surveys").
    """
    right, wrong = share * rows, (1 - share) * rows
    low, high = betaincinv(right + 0.5, wrong + 0.5, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return (0.0 if right == 0 else low), (1.0 if wrong == 0 else high)
