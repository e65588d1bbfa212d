"""How many articles of a group have a label, from a classifier's scores and held-out rows alone: quantifiers, each with what it takes for granted.

They stand beside estimates from an audit sample, which take nothing for granted. Where what a quantifier supposes does not hold, its interval is
wrong too: it tells of chance only. Arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsclf.scores.groups import Groups, HeldOut, Problem, redraw
from newsclf.scores.intervals import CELLS
from newsclf.scores.metrics import Floats, Kind
from newsclf.scores.quantifiers import METHODS, RESAMPLES, Method

DOUBTS = (
    "",
    "the group has no articles",
    "no held-out row has the label, so nobody knows how often it is found",
    "every held-out row has the label, so nobody knows how often it is given wrongly",
    "held-out rows with the label get the same answers as rows without it, so it cannot be told apart",
    "supposes that no article has the labels that no held-out row has",
)
"""Why there is no number, or (the last) what it supposes besides. `Quantified.doubts` has places in this table."""
NO_ARTICLES, NO_POSITIVES, NO_NEGATIVES, BLURRED, WITHOUT_ABSENT = range(1, 6)


@dataclass(frozen=True)
class Quantified:
    """What one method makes of each group and label. [groups, labels] each"""

    method: str
    estimate: Floats
    """Share of the group's articles with the label; NaN where `doubts` says why there is none."""
    low: Floats
    """NaN throughout for methods that take held-out rows for nothing: their error is not one of chance."""
    high: Floats
    doubts: NDArray[np.int8]
    """Place in DOUBTS, 0 where there is nothing to say."""


def quantify(
    held_out: HeldOut, groups: Groups, *, kind: Kind, methods: Sequence[str] = (), level: float = 0.95, seed: int = 0
) -> tuple[Quantified, ...]:
    """The share of each label in each group by each of `methods`, which are names in METHODS; none: all, but EM where there are no rows.

    Intervals are percentiles of a bootstrap: over the held-out rows (or their clusters), and over the errors that the model happens to make on the
    articles of the group, which matter in small groups though all of them were scored. Where a resample has no row of a label, any share counts.
    They hold a little less often than they say where held-out rows are few: of 95 % intervals some 90 % with 150 rows of three labels.

    Raises ValueError for an unknown method, rows of another shape or number of labels, and EM without rows.
    """
    Problem(kind, held_out, groups)  # says what does not belong together
    names = methods or [name for name in METHODS if name != "em" or groups.rows]
    unknown = [name for name in names if name not in METHODS]
    if unknown:
        raise ValueError(f"quantifiers are {', '.join(METHODS)}, not {unknown[0]!r}")
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval is between 0 and 1, as in 0.95, and not {level!r}")
    if "em" in names and not groups.rows:
        raise ValueError("EM reads rows of each group, and there are sums only: give `rows`, or leave 'em' out of the methods")
    labels = held_out.truth.shape[1]
    step = max(4 * CELLS // (labels * max(RESAMPLES, labels)), 1)
    parts = [Problem(kind, held_out, groups.part(start, start + step)) for start in range(0, len(groups.counts), step)]
    return tuple(_joined([_one(name, part, level, seed) for part in parts]) for name in names)


def _joined(parts: Sequence[Quantified]) -> Quantified:
    estimate, low, high = (np.concatenate(each) for each in zip(*((part.estimate, part.low, part.high) for part in parts), strict=True))
    return Quantified(parts[0].method, estimate, low, high, np.concatenate([part.doubts for part in parts]))


def _one(name: str, problem: Problem, level: float, seed: int) -> Quantified:
    method = METHODS[name]
    estimate = method.shares(problem, np.ones((1, len(problem.held_out))))[0]
    doubts = _doubts(method, problem, estimate)
    estimate = np.where((doubts > 0) & (doubts < WITHOUT_ABSENT), np.nan, estimate)
    low, high = np.full_like(estimate, np.nan), np.full_like(estimate, np.nan)
    if method.redrawn:
        chance = np.random.default_rng(seed)
        drawn = np.concatenate([method.redrawn(problem, estimate, weights, chance) for weights in _redraws(problem, method.resamples, chance)])
        # a resample without a row of the label says nothing: any share
        low = np.minimum(np.quantile(np.where(np.isnan(drawn), 0.0, drawn).clip(0, 1), (1 - level) / 2, axis=0), estimate)
        high = np.maximum(np.quantile(np.where(np.isnan(drawn), 1.0, drawn).clip(0, 1), (1 + level) / 2, axis=0), estimate)
    return Quantified(name, estimate, low, high, doubts)


def _doubts(method: Method, problem: Problem, estimate: Floats) -> NDArray[np.int8]:
    doubts = np.zeros(estimate.shape, np.int8)
    if method.resamples:
        truth = problem.held_out.truth
        doubts[np.isnan(estimate)] = BLURRED
        if problem.kind == "multi":
            doubts[:, truth.all(axis=0)] = NO_NEGATIVES
        elif not truth.any(axis=0).all():
            doubts[doubts == 0] = WITHOUT_ABSENT
        doubts[:, ~truth.any(axis=0)] = NO_POSITIVES
    doubts[problem.groups.counts == 0] = NO_ARTICLES
    return doubts


def _redraws(problem: Problem, resamples: int, chance: np.random.Generator) -> Iterator[Floats]:
    """How often each held-out row is drawn when as many clusters are drawn as there are. [batch, rows], `resamples` in all"""
    clusters = np.arange(len(problem.held_out)) if problem.held_out.clusters is None else problem.held_out.clusters
    _, place = np.unique(clusters, return_inverse=True)
    count = int(place.max()) + 1
    groups, labels = problem.groups.decided.shape
    batch = max(CELLS // max(len(place), groups * labels * (labels if problem.kind == "exclusive" else 1)), 1)
    for start in range(0, resamples, batch):
        yield redraw(count, min(batch, resamples - start), chance)[:, place]
