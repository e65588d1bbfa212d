"""How many of each stratum people should code: where the model is unsure more than where it is not, and enough of every group."""

from __future__ import annotations

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
    pull = sizes * (spreads / 2 + mean / 2 if mean > 0 else np.ones(len(sizes)))
    lower = np.minimum(np.maximum(2, already if already is not None else 0), sizes).astype(float)
    if n <= lower.sum():
        return lower.astype(np.int64)
    floors = _floors(sizes, pull, groups, lower, n=n, least=least)
    drawn = _poured(sizes, pull, floors, n)
    return _whole(drawn, floors, sizes)


def _floors(sizes: Floats, pull: Floats, groups: Ids, lower: Floats, *, n: int, least: int) -> Floats:
    """What each stratum gets at least, so that every group has enough, as far as n goes. [strata]"""
    enough = lower
    low, high = 0, least
    while low <= high:  # the largest number that every group can have
        each = (low + high) // 2
        floors = lower.copy()
        for group in np.unique(groups):
            inside = groups == group
            floors[inside] = _poured(sizes[inside], pull[inside], lower[inside], max(float(lower[inside].sum()), min(each, sizes[inside].sum())))
        if floors.sum() <= n:
            enough, low = floors, each + 1
        else:
            high = each - 1
    return np.asarray(enough)


def _poured(sizes: Floats, pull: Floats, floors: Floats, n: float) -> Floats:
    """Multiples of the pull, kept between floors and sizes, that make n in all. [strata]"""
    n = min(n, float(sizes.sum()))
    low, high = 0.0, float((sizes / np.maximum(pull, 1e-300)).max())
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(middle * pull, floors, sizes).sum() < n else (low, middle)
    return np.asarray(np.clip(high * pull, floors, sizes))


def _whole(drawn: Floats, floors: Floats, sizes: Floats) -> Ids:
    """Whole numbers with the same sum: those with the largest rests are rounded up, and floors and sizes are kept. [strata]"""
    total = round(float(drawn.sum()))
    result = np.maximum(np.floor(drawn + 1e-9), np.ceil(floors - 1e-9)).astype(np.int64)
    order = np.argsort(-(drawn - result), kind="stable")
    for at in np.concatenate([order] * 2):
        if result.sum() >= total:
            break
        if result[at] + 1 <= sizes[at]:
            result[at] += 1
    return result


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
