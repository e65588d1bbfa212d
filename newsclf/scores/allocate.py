"""How many of each stratum people should code: where the model is unsure more than where it is not, and enough of every group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from newsclf.scores.estimate import LEAST
from newsclf.scores.metrics import Floats
from newsclf.scores.survey import Ids

BINS = 100
"""Of a histogram of scores, between which strata are cut."""

CUTS = 3
"""Strata that the scores of one group are cut into."""


def allocate(sizes: Floats, spreads: Floats, groups: Ids, n: int, *, already: Ids | None = None, least: int = LEAST) -> Ids:
    """How many to draw from each stratum, `n` in all, or all there are. [strata] each

    Neyman's allocation (1934), size · spread, where `spreads` are standard deviations of what the model leaves open; half of each is the mean of all,
    for models are surer than they should be, and an optimal draw believes them. Each group (`groups` numbers it) gets `least` where n allows that for
    all, else as many as the others; each stratum two, as one tells no variance; and none less than `already` was drawn from it.
    """
    mean = float((sizes * spreads).sum() / sizes.sum())
    # where the model leaves nothing open, by size alone
    pull = sizes * (spreads / 2 + mean / 2 if mean > 1e-12 else np.ones(len(sizes)))
    lower = np.minimum(np.maximum(2, already if already is not None else 0), sizes).astype(float)
    if n <= lower.sum():
        return lower.astype(np.int64)
    floors = _floors(Pot(sizes, pull, np.unique(groups, return_inverse=True)[1].reshape(-1)), lower, n=n, least=least)
    return Pot(sizes, pull, np.zeros(len(sizes), np.int64)).poured(floors, np.array([min(n, sizes.sum())])).astype(np.int64)


@dataclass(frozen=True)
class Pot:
    """Strata in groups, each group with a number to be shared out among its strata."""

    sizes: Floats
    pull: Floats
    groups: Ids
    """From 0 on. [strata]"""

    def sums(self, values: Floats) -> Floats:
        """Of each group. [strata] → [groups]"""
        return np.bincount(self.groups, values).astype(float)

    def poured(self, floors: Floats, totals: Floats) -> Floats:
        """Whole multiples of the pull, kept between whole floors and sizes, that make each group's total. [strata]"""
        low, high = np.zeros(len(totals)), np.full(len(totals), float((self.sizes / self.pull).max()))
        for _ in range(100):
            middle = (low + high) / 2
            short = self.sums(np.clip(middle[self.groups] * self.pull, floors, self.sizes)) < totals
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        exact = np.clip(high[self.groups] * self.pull, floors, self.sizes)
        whole = np.floor(exact + 1e-9)
        # the largest rests of a group are rounded up: Hare's quota
        more = np.round(totals - self.sums(whole))
        order = np.lexsort([whole - exact, self.groups])
        rank = np.arange(len(order)) - np.searchsorted(self.groups[order], self.groups[order])
        whole[order] += rank < more[self.groups[order]]
        return whole


def _floors(pot: Pot, lower: Floats, *, n: int, least: int) -> Floats:
    """What each stratum gets at least, so that every group has enough, as far as n goes. [strata]"""
    enough = lower
    low, high = 0, least
    while low <= high:  # the largest number that every group can have
        each = (low + high) // 2
        floors = pot.poured(lower, np.maximum(pot.sums(lower), np.minimum(each, pot.sums(pot.sizes))))
        if floors.sum() <= n:
            enough, low = floors, each + 1
        else:
            high = each - 1
    return enough


def cut(counts: Floats, strata: int) -> Ids:
    """Which stratum each bin of a histogram is in, so that the root of the counts adds up to the same in each. [bins] → [bins]

    The rule of Dalenius and Hodges (1959, "Minimum Variance Stratification"). Bins without a row belong to the stratum before them; fewer strata come
    out where the rows lie in few bins.
    """
    climbed = np.cumsum(np.sqrt(counts))
    raw = np.minimum((climbed - np.sqrt(counts) / 2) / max(climbed[-1], 1e-300) * strata, strata - 1e-9).astype(np.int64)
    there = counts > 0
    raw = np.maximum.accumulate(np.where(there, raw, raw[there][0] if there.any() else 0))
    return np.asarray(np.unique(raw, return_inverse=True)[1], np.int64)


def needed(spread: Floats, sizes: Floats, half_width: float, *, critical: float = 1.96, least: int = LEAST) -> Floats:
    """How many to code of each group so that its interval is so wide at most, `least` of each, or all there are. [groups]

    `spread` [groups] is the variance of the codes around what is known without them, of a simple random draw of `sizes` [groups] articles.
    """
    endless = critical**2 * spread / half_width**2
    return np.asarray(np.minimum(np.maximum(np.ceil(endless / (1 + endless / sizes)), least), sizes))
