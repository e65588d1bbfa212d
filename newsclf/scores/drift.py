"""How far new articles have moved from those that a model was checked on, beyond what chance would do: pure numbers of a pass over both.

Distances are total variation: the share of articles that would have to stand elsewhere for both sides to look alike. It is bounded, it has the unit
of a share, and it needs no rule of thumb: the population stability index is infinite for an empty bin, and what counts as much of it depends on the
number of articles (Yurdakul & Naranjo 2020, "Statistical Properties of the Population Stability Index"). Any such distance is above 0 by chance, the
more so the fewer articles there are, and articles of a day are not independent. So what chance makes of it is told from how days differ on either
side; and how seldom it does so much, by dealing whole days to the two sides at random, again and again. What is compared with the deals is the
distance over its standard error: an outlet that publishes less than before has shares that vary more, so that its days are not alike on both sides
(Janssen 1997; Chung & Romano 2013, "Exact and Asymptotically Robust Permutation Tests").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import ndtri, stdtrit

from newsclf.scores.compare import holm
from newsclf.scores.estimate import LEAST, wilson
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.survey import Ids

DRAWS = 20_000
"""Random deals at most: with so many a drift can be told among 800 tests."""

ENOUGH = 30
"""Deals that are as far apart as the two sides are, after which no more are made (Besag & Clifford 1991, "Sequential Monte Carlo p-Values")."""

CELLS = 4_000_000
"""Numbers worked on at once: 32 MB."""

POWER = 0.8


@dataclass(frozen=True)
class Moved:
    """A distance between two sides, and what chance would make it."""

    distance: float
    chance: float
    """What it would be on average where nothing differs but the days."""

    p: float
    """How seldom chance makes one as sure."""

    units: tuple[int, int]
    """Days, or blocks of articles, of the one side and of the other."""

    @property
    def beyond(self) -> float:
        """The distance beyond chance, 0 at least."""
        return max(self.distance - self.chance, 0.0)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"units": list(self.units), "beyond": self.beyond}


@dataclass(frozen=True)
class Shares:
    """Shares of what units' rows are, to be compared between two sides."""

    sums: Floats
    """[units, parts]"""

    rows: Floats
    """[units]"""

    labels: int = 1
    """The parts are so many labels with as many parts each: told is the label that moved most."""

    per: float | None = 1.0
    """What the differences of a label's parts, all together, are divided by: 2 for total variation, as what is in one bin is missing in another; None
    for what there is on both sides (Bray & Curtis 1957): of the words that an article has, the share that would have to be other ones."""

    least: float = 1.0
    """How many times the variance of independent rows there is at least; 0 for means of what is no count, which may vary less."""

    def moved(self, new: Booleans, *, draws: int = DRAWS, seed: int = 0) -> Moved:
        """How far the new units are from the others, against random deals of as many.

        Raises ValueError where a side has fewer than two units: one day does not tell how days differ.
        """
        many, few = len(new), int(new.sum())
        if not 2 <= few <= many - 2:
            raise ValueError(f"a distance needs two units on either side; of {many} units {few} are new")
        moments = self._moments()
        distance, chance, seen = (values[0] for values in self._apart(moments, new[None]))
        most = int(np.argmax(distance - chance))
        dice, as_far, done = np.random.default_rng(seed), 0, 0
        while done < draws and as_far < ENOUGH:
            size = min(max(CELLS // max(moments.shape[1], many), 1), 1000, draws - done)
            _, _, far = self._apart(moments, dice.permuted(np.broadcast_to(new, (size, many)), axis=1))
            hits = np.flatnonzero(far.max(axis=1) >= seen.max() * (1 - 1e-9))[: ENOUGH - as_far]
            as_far += len(hits)
            done += int(hits[-1]) + 1 if as_far == ENOUGH else size  # up to the deal that was the last needed
        p = as_far / done if as_far == ENOUGH else (as_far + 1) / (done + 1)
        return Moved(float(distance[most]), float(chance[most]), p, (many - few, few))

    def _moments(self) -> Floats:
        """What variances of a ratio of units' totals are made of, per unit: s, s², s n of each part, n, n². [units, 3 · parts + 2]"""
        rows = self.rows[:, None]
        return np.hstack([self.sums, self.sums**2, self.sums * rows, rows, rows**2])

    def _apart(self, moments: Floats, dealt: Booleans) -> tuple[Floats, Floats, Floats]:
        """Of each deal and label the distance, what chance makes it, and how sure it is. [deals, labels] each"""
        sides = dealt.astype(np.float64) @ moments
        both = moments.sum(axis=0)
        few = dealt.sum(axis=1, keepdims=True)
        pooled = both[: self.sums.shape[1]] / max(both[-2], 1e-300)
        alone = self._by_label(pooled * (1 - pooled))  # the variance of a row
        before, factor_before = self._ratios(both - sides, len(moments) - few, alone)
        after, factor_after = self._ratios(sides, few, alone)
        apart, scale = np.abs(after - before), np.array(self.per)
        if self.per is None:
            scale = (before + after).sum(axis=-1)
        error = alone * (factor_before + factor_after)[..., None]
        sure = (apart**2 / np.maximum(error, 1e-18)).sum(axis=-1)
        # the mean of a normal variable's absolute value is its standard deviation times the root of 2 / π
        distance, chance = (values.sum(axis=-1) / np.maximum(scale, 1e-300) for values in (apart, np.sqrt(error * 2 / np.pi)))
        return distance, chance, sure

    def _ratios(self, sums: Floats, units: Ids, alone: Floats) -> tuple[Floats, Floats]:
        """Shares of a side, [deals, labels, parts], and what the variance of a row is multiplied by for that of a share, [deals, labels].

        Of all parts of a label at once (Rao & Scott 1981): few days do not tell it of each.
        """
        parts = self.sums.shape[1]
        total, squares, crossed = (sums[:, at * parts : (at + 1) * parts] for at in range(3))
        rows, rows_squared = np.maximum(sums[:, [-2]], 1e-300), sums[:, [-1]]
        share = total / rows
        between = (squares - 2 * share * crossed + share**2 * rows_squared) / rows**2 * units / (units - 1)
        factor = self._by_label(between).sum(axis=-1) / np.maximum(alone.sum(axis=-1), 1e-300)
        return self._by_label(share), np.maximum(factor, self.least / rows)

    def _by_label(self, values: Floats) -> Floats:
        return values.reshape(*values.shape[:-1], self.labels, -1)


def quantile_edges(probabilities: Floats, bins: int = 10) -> list[Floats]:
    """For each label the inner edges of bins of about as many rows each: fewer where many rows have the same probability. [rows, labels]"""
    at = np.arange(1, bins) / bins
    return [np.unique(np.quantile(column, at)) if len(column) else np.zeros(0) for column in probabilities.T]


def binned(probabilities: Floats, edges: Sequence[Floats], bins: int = 10) -> Booleans:
    """In which bin of each label each row is. [rows, labels] → [rows, labels · bins]"""
    rows, labels = probabilities.shape
    result = np.zeros((rows, labels, bins), bool)
    for label, inner in enumerate(edges):
        result[np.arange(rows), label, np.searchsorted(inner, probabilities[:, label], side="left")] = True
    return result.reshape(rows, labels * bins)


@dataclass(frozen=True)
class Gap:
    """A share on both sides, and the difference with its interval; NaN where a side has fewer than two units."""

    before: float
    after: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """After less before."""
        return self.after - self.before

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; None for a limit that there is not."""
        limits = {name: None if np.isnan(value) else float(value) for name, value in (("low", self.low), ("high", self.high))}
        return {"before": self.before, "after": self.after, "difference": self.difference, **limits}


def gap(before: Floats, after: Floats, *, level: float = 0.95) -> Gap:
    """The difference of two shares from sums of units, [units, 2]: what is counted, and rows.

    The variance is that of a ratio of units' totals, and no less than that of so many independent rows; limits are put together from Wilson's of
    either side (Zou & Donner 2008), so that a rare label keeps an interval.
    """
    sides = [_share(units, level) for units in (before, after)]
    (first, low_1, high_1), (second, low_2, high_2) = sides
    apart = second - first
    down, up = np.hypot(second - low_2, high_1 - first), np.hypot(high_2 - second, first - low_1)
    return Gap(first, second, float(apart - down), float(apart + up))


def _share(units: Floats, level: float) -> tuple[float, float, float]:
    many, (hits, rows) = len(units), units.sum(axis=0)
    share = float(hits / rows)
    if many < 2:
        return share, np.nan, np.nan
    influence = (units[:, 0] - share * units[:, 1]) / rows
    variance = many / (many - 1) * float((influence**2).sum())
    smoothed = (hits + 0.5) / (rows + 1)
    variance = max(variance, smoothed * (1 - smoothed) / rows)
    low, high = wilson(np.array(share), np.array(variance), np.array(-stdtrit(many - 1, (1 - level) / 2)))
    return share, float(low), float(high)


def words_between(before: Floats, after: Floats, counts: tuple[int, int], *, least: float = 4.0) -> Floats:
    """How surely each word stands in more of the new articles (above 0) or of the earlier ones (below); 0 where it is not sure. [words]

    `before` and `after` are numbers of articles with the word, `counts` of all articles. The difference of the log odds over its standard error, each
    count half an article larger (Haldane 1956; Monroe, Colaresi & Quinn 2008, "Fightin' Words"); `least` of it, for thousands of words are looked at.
    """
    odds, errors = [], np.zeros(len(before))
    for there, all_ in ((before, counts[0]), (after, counts[1])):
        odds.append(np.log((there + 0.5) / (all_ - there + 0.5)))
        errors += 1 / (there + 0.5) + 1 / (all_ - there + 0.5)
    sure = (odds[1] - odds[0]) / np.sqrt(errors)
    return np.where(np.abs(sure) >= least, sure, 0)


def audit_size(variance: float, rows: float, bound: float, *, level: float = 0.95) -> int:
    """How many articles of a group must be coded to show that the model's mean error moved by `bound`, in four of five cases where it did.

    `variance` is that of an article's error. At least LEAST, at most all.
    """
    wanted = float(-ndtri((1 - level) / 2) + ndtri(POWER)) ** 2 * variance / bound**2
    return int(min(np.ceil(max(wanted / (1 + wanted / max(rows, 1)), LEAST)), rows))


def alarms(found: Sequence[Moved], bound: float, *, level: float = 0.95) -> list[tuple[float, bool]]:
    """For each of many distances tested together p after Holm's correction, and whether it is a drift: too far for chance, and beyond `bound`."""
    adjusted = holm([one.p for one in found])
    return [(p, p <= 1 - level + 1e-12 and one.beyond > bound) for p, one in zip(adjusted, found, strict=True)]


def by_unit(values: Floats, unit: Ids, units: int) -> Floats:
    """Values of rows added up by unit. [rows, parts], [rows] → [units, parts]"""
    rows = np.arange(len(unit))
    return np.asarray(sparse.csr_array((np.ones(len(unit)), (unit, rows)), shape=(units, len(unit))) @ values)
