"""Whether one model is better than another on the same test rows: paired, by clusters of rows that are not independent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr

from newsclf.errors import InputError
from newsclf.scores.intervals import CELLS, Ids, Statistic, cluster_interval, cluster_sums
from newsclf.scores.metrics import Booleans, Floats, Kind
from newsclf.scores.parts import every, f1_parts, log_losses, macro, mean, micro, squares, with_rows


@dataclass(frozen=True)
class Answers:
    """What a model said of the test rows. [rows, labels] each"""

    probabilities: Floats
    decided: Booleans


@dataclass(frozen=True)
class Metric:
    """A metric as a function of parts that add up over rows, so that rows can be resampled and swapped by sums alone."""

    title: str
    parts: Callable[[Booleans, Answers, Kind], Floats]
    """Coded labels and answers → [rows, parts]"""

    value: Statistic
    """Sums of parts → the metric. [..., parts] → [...]"""

    is_loss: bool = False
    """Whether less is better."""


def _rights(truth: Booleans, answers: Answers, kind: Kind) -> Floats:
    return with_rows((truth == answers.decided).all(axis=1).astype(np.float64))


def _f1_counts(truth: Booleans, answers: Answers, kind: Kind) -> Floats:
    return f1_parts(truth, answers.decided)


def _log_losses(truth: Booleans, answers: Answers, kind: Kind) -> Floats:
    return with_rows(log_losses(truth, answers.probabilities, kind))


def _squares(truth: Booleans, answers: Answers, kind: Kind) -> Floats:
    return with_rows(squares(truth, answers.probabilities, kind))


METRICS: Mapping[str, Metric] = {
    "accuracy": Metric("accuracy", _rights, mean),
    "micro_f1": Metric("micro-F1", _f1_counts, micro),
    "macro_f1": Metric("macro-F1", _f1_counts, macro),
    "f_avg": Metric("F-avg", _f1_counts, every),
    "log_loss": Metric("log-loss", _log_losses, mean, is_loss=True),
    "brier": Metric("Brier score", _squares, mean, is_loss=True),
}
"""The metrics of `scores.metrics`, by the names of a run's summary; f_avg takes the columns of its labels alone."""


@dataclass(frozen=True)
class Draws:
    """How chance is drawn: of resamples for the interval and of swaps for the test."""

    number: int = 10_000
    level: float = 0.95
    """Of the interval."""

    seed: int = 0

    def __post_init__(self) -> None:
        # written so that NaN, which is neither below nor above, is refused too
        if not (self.number >= 1 and 0 < self.level < 1):
            raise InputError(f"draws need a number from 1 on and a level between 0 and 1, such as 0.95, not {self.number} and {self.level}.")


DRAWS = Draws()


@dataclass(frozen=True)
class Difference:
    """How much the metric of the second side is above that of the first."""

    first: float
    second: float
    """The metric of each side, the mean over its runs."""

    estimate: float
    low: float | None
    high: float | None
    """None where there is one cluster: nothing to resample."""

    p: float
    """Of a two-sided permutation test."""

    clusters: int
    changed: int
    """Clusters of which the sides did not score the same."""

    by_run: tuple[float, ...]
    """The difference of each pair of runs."""


def difference(first: Sequence[Floats], second: Sequence[Floats], *, clusters: Ids, value: Statistic, draws: Draws = DRAWS) -> Difference:
    """How far a metric of the second side is above that of the first. The sides are parts of each run, [rows, parts], the metric is `value` of them.

    Rows that share a number in `clusters` [rows] are resampled together (paired cluster bootstrap) and swapped between the sides together
    (Yeh 2000), in all runs at once: what is uncertain is the articles, given these runs. p = (1 + hits) / (1 + swaps) (Phipson & Smyth 2010), and 1
    where the sides score alike in every cluster. Two calls give the same numbers. Raises ValueError for sides that cannot be paired, no rows, and
    parts that are not finite.
    """
    _check_pairs(first, second, clusters)
    stacked = np.stack([*first, *second], axis=1)  # [rows, sides · runs, parts]
    shape = stacked.shape[1:]
    sums = cluster_sums(stacked.reshape(len(stacked), -1), clusters)  # [clusters, sides · runs · parts]

    def gains(flat: Floats) -> Floats:
        """[..., sides · runs · parts] → [..., runs]"""
        scores = value(flat.reshape(*flat.shape[:-1], *shape))
        return np.asarray(scores[..., len(first) :] - scores[..., : len(first)])

    whole = value(sums.sum(axis=0).reshape(shape))  # [sides · runs]
    by_run = gains(sums.sum(axis=0))
    low, high = _interval(sums, gains, draws)
    one, other = np.split(sums, 2, axis=1)
    return Difference(
        first=float(whole[: len(first)].mean()),
        second=float(whole[len(first) :].mean()),
        estimate=float(by_run.mean()),
        low=low,
        high=high,
        p=_permutation_p(sums, gains, draws),
        clusters=len(sums),
        changed=int((one != other).any(axis=1).sum()),
        by_run=tuple(by_run.tolist()),
    )


def _interval(sums: Floats, gains: Statistic, draws: Draws) -> tuple[float | None, float | None]:
    if len(sums) < 2:
        return None, None
    each = np.arange(len(sums))  # the rows of a cluster are one by now
    interval = cluster_interval(sums, each, lambda flat: gains(flat).mean(axis=-1), level=draws.level, resamples=draws.number, seed=draws.seed)
    return interval.low, interval.high


def _check_pairs(first: Sequence[Floats], second: Sequence[Floats], clusters: Ids) -> None:
    if not first or len(first) != len(second):
        raise ValueError(f"the sides of a comparison need as many runs each, one at least; they have {len(first)} and {len(second)}")
    shapes = sorted({parts.shape for parts in (*first, *second)})
    if len(shapes) > 1 or len(clusters) != len(first[0]):
        raise ValueError(f"runs must have the same rows and parts to be compared; their shapes are {shapes}, with {len(clusters)} clusters")
    if not len(clusters):
        raise ValueError("a comparison of no articles")
    if not all(np.isfinite(parts).all() for parts in (*first, *second)):
        raise ValueError("a comparison needs finite numbers; some of these are NaN or infinite")


def _permutation_p(sums: Floats, gains: Statistic, draws: Draws) -> float:
    """Two-sided p of the mean gain where either side could as well have given the other's answers, cluster by cluster."""
    one, other = np.split(sums, 2, axis=1)
    total = sums.sum(axis=0)
    # swapping what is the same changes nothing, and most clusters are the same on both sides
    delta = (other - one)[(one != other).any(axis=1)]
    if not len(delta):
        return 1.0
    # scores are fractions of sums: two ways to the same one may differ in their last digits
    observed = abs(gains(total).mean()) - 1e-10
    chance, hits, step = np.random.default_rng(draws.seed), 0, max(1, CELLS // max(delta.shape[0], sums.shape[1]))
    for start in range(0, draws.number, step):
        swapped = chance.integers(0, 2, (min(step, draws.number - start), len(delta)), np.int8).astype(np.float64) @ delta
        permuted = gains(total + np.concatenate([swapped, -swapped], axis=1)).mean(axis=-1)
        hits += int((np.abs(permuted) >= observed).sum())
    return (1 + hits) / (1 + draws.number)


@dataclass(frozen=True)
class Discordant:
    """Rows that one side alone got right, and McNemar's tests of them."""

    first_only: int
    second_only: int
    exact: float
    """Two-sided exact p; never above its level, and often far below it."""

    mid: float
    """Two-sided mid-p."""


def mcnemar(first: Booleans, second: Booleans) -> Discordant:
    """McNemar's test (1947) of who was right, exact and mid-p (Fagerland, Lydersen & Laake 2013); both are 1 where no row is discordant. [rows] each

    Rows count as independent: where clusters have several rows the permutation test of `difference` is the one to trust. Raises ValueError for sides
    of different lengths and for no rows.
    """
    if first.shape != second.shape or not first.size:
        raise ValueError(f"McNemar's test needs the same rows on both sides, one at least; the shapes are {first.shape} and {second.shape}")
    one, other = int((first & ~second).sum()), int((second & ~first).sum())
    fewer, both = min(one, other), one + other
    upto = float(bdtr(fewer, both, 0.5))
    below = float(bdtr(fewer - 1, both, 0.5)) if fewer else 0.0
    # without discordant rows `upto` is 1 and the mid-p 1 + 0
    return Discordant(one, other, min(1.0, 2 * upto), min(1.0, upto + below))


def holm(p: Sequence[float]) -> list[float]:
    """The p values of several comparisons, adjusted so that all of them together err as seldom as one (Holm 1979), in the order given."""
    order = sorted(range(len(p)), key=p.__getitem__)
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, at in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[at]))
        adjusted[at] = largest
    return adjusted
