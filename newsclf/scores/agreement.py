"""How far coders agree: Krippendorff's alpha with an interval, and which labels coders take for one another.

Codings stand in long form, one row each, so that coders may leave articles out; a coding without any label is one of a multi-label task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtr, ndtri

from newsclf.scores.metrics import Booleans, Floats

Ids = NDArray[np.int64]
Distance = Literal["nominal", "jaccard", "masi"]

RESAMPLES = 1000
CHUNK = 50
"""Resamples drawn at a time: ten thousand articles of them are 4 MB."""

FEWEST = 10
"""Articles with an answer other than the commonest, below which resampling gives intervals that miss the true alpha far too often."""


@dataclass(frozen=True)
class Ratings:
    """Codings as numbers: which article each is about, who coded it, which labels it gives."""

    article: Ids
    """Number of the article, from 0. [codings]"""

    coder: Ids
    """Number of the coder, from 0. [codings]"""

    given: Booleans
    """[codings, labels]; one label a row for exclusive tasks, any number of them for multi-label ones."""

    def __len__(self) -> int:
        return len(self.article)

    def take(self, chosen: Ids | Booleans) -> Self:
        """Some of the codings; articles and coders keep their numbers."""
        return type(self)(self.article[chosen], self.coder[chosen], self.given[chosen])

    def only(self, label: int) -> Self:
        """One label against the rest. [codings, 1]"""
        return type(self)(self.article, self.coder, self.given[:, label : label + 1])

    @cached_property
    def coders_of(self) -> Ids:
        """How many codings the article of each coding has. [codings]"""
        counts: Ids = np.bincount(self.article)[self.article]
        return counts

    def pairable(self) -> Self:
        """The codings of articles that have two at least; no other tells of agreement."""
        return self.take(self.coders_of > 1)

    @cached_property
    def sets(self) -> tuple[Booleans, Ids]:
        """The label sets that occur, each once, and which of them each coding is. [sets, labels], [codings]"""
        sets, which = np.unique(self.given, axis=0, return_inverse=True)
        return sets, which.reshape(-1)  # numpy 2.0 gives a column


def distances(sets: Booleans, distance: Distance) -> Floats:
    """How far label sets are apart, 0 to 1. [sets, labels] → [sets, sets]

    nominal: 0 for equal sets, 1 for all others. jaccard: 1 − |A ∩ B| / |A ∪ B|. masi: the overlap weighed by 1 for equal sets, 2/3 where one holds
    the other, 1/3 where each has a label of its own (Passonneau 2006, "Measuring Agreement on Set-valued Items (MASI) for Semantic and Pragmatic
    Annotation"). Two empty sets are equal; an empty set and another one have nothing in common.
    """
    equal = np.eye(len(sets), dtype=bool)
    if distance == "nominal":
        return (~equal).astype(np.float64)
    numbers = sets.astype(np.float64)
    both, sizes = numbers @ numbers.T, numbers.sum(axis=1)
    either = sizes[:, None] + sizes - both
    overlap = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    if distance == "masi":
        inside = both == np.minimum(sizes[:, None], sizes)
        overlap *= np.where(inside, 2 / 3, 1 / 3)
    return np.where(equal, 0.0, 1 - overlap)


@dataclass(frozen=True)
class Coincidences:
    """Pairs of codings of one article by different coders, summed so that alpha of any resample of the articles is a few products."""

    sets: Booleans
    """[sets, labels]"""

    counts: sparse.csr_array
    """How many coders of each article gave each set. [articles, sets]"""

    left: Ids
    right: Ids
    """The two sets of each pair. [pairs]"""

    weight: Floats
    """How many such pairs an article has, divided by its codings less one. [pairs]"""

    distance: Floats | None
    """[sets, sets]; None for nominal."""

    within: Floats
    """Disagreement inside each article. [articles]"""

    @classmethod
    def of(cls, ratings: Ratings, distance: Distance = "nominal") -> Self:
        """Those of the articles that have two codings or more."""
        ratings = ratings.pairable()
        sets, which = ratings.sets
        _, article = np.unique(ratings.article, return_inverse=True)
        articles = int(article.max(initial=-1)) + 1
        keys, number = np.unique(article * max(len(sets), 1) + which, return_counts=True)  # sorted by article
        row, column = keys // max(len(sets), 1), keys % max(len(sets), 1)
        counts = sparse.csr_array((number.astype(np.float64), (row, column)), shape=(articles, len(sets)))
        # every set of an article beside every set of it
        beside = np.take(np.bincount(row, minlength=articles), row)
        first = np.searchsorted(row, row)  # where the article begins
        one = np.repeat(np.arange(len(row)), beside)
        other = np.arange(len(one)) - np.repeat(np.cumsum(beside) - beside, beside) + first[one]
        codings = np.bincount(article, minlength=articles)
        weight = number[one] * (number[other] - (one == other)) / (codings[row[one]] - 1)
        apart, left, right = distances(sets, distance), column[one], column[other]
        within = np.bincount(row[one], weight * apart[left, right], minlength=articles).astype(np.float64)
        return cls(sets, counts, left, right, weight, None if distance == "nominal" else apart, within)

    def __len__(self) -> int:
        return len(self.within)

    def alpha(self, times: Floats) -> Floats:
        """Krippendorff's alpha of resamples that hold each article so many times; NaN where all codings are alike.

        [resamples, articles] → [resamples]

        α = 1 − (n − 1) · Σ o_cd δ_cd / Σ n_c n_d δ_cd
        (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability").
        """
        totals = np.asarray((self.counts.T @ times.T).T)  # [resamples, sets]
        return _alpha(times @ self.within, (self._apart(totals) * totals).sum(axis=1), totals.sum(axis=1))

    def _apart(self, totals: Floats) -> Floats:
        """How far each set is from all codings together. […, sets] → […, sets]"""
        if self.distance is None:  # thousands of sets times thousands of sets are worth avoiding
            return np.asarray(totals.sum(axis=-1, keepdims=True) - totals)
        return totals @ self.distance

    def left_out(self) -> Floats:
        """Alpha without each of the articles in turn. [articles]"""
        totals, codings = (np.asarray(self.counts.sum(axis=axis), np.float64) for axis in (0, 1))
        apart = self._apart(totals)  # [sets]
        expected = totals @ apart - 2 * (self.counts @ apart) + self.within * (codings - 1)
        return _alpha(self.within.sum() - self.within, expected, totals.sum() - codings)

    def table(self) -> Floats:
        """Which labels coders take for one another. [labels, labels], symmetric

        Off the diagonal: pairs of codings of one article of which one gives k and not l, the other l and not k, weighed as for alpha; on it: both
        give k. For exclusive tasks this is Krippendorff's matrix of coincidences; its sum is the number of codings.
        """
        one, other = self.sets[self.left], self.sets[self.right]
        swapped = ((one & ~other) * self.weight[:, None]).T @ (other & ~one)
        table: Floats = swapped + np.diag(self.weight @ (one & other))
        return table


def _alpha(observed: Floats, expected: Floats, codings: Floats) -> Floats:
    # sums that should be nothing may miss it by a rounding
    share = np.divide(observed, expected, out=np.full(len(observed), np.nan), where=expected > 1e-9)
    result: Floats = 1 - (codings - 1) * share
    return result


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha of some codings, or a sentence that says why there is none."""

    value: float | None
    low: float | None
    high: float | None
    """Ends of the 95 % interval; None where there is no alpha, or where resampling cannot give an honest one."""

    articles: int
    """Articles with two codings or more: no others take part."""

    codings: int
    note: str = ""
    """Why there is no alpha or no interval."""


def alphas(tables: Sequence[Coincidences], *, resamples: int = RESAMPLES, seed: int = 0) -> list[Alpha]:
    """Alpha of each table of the same articles, with an interval: bias-corrected and accelerated (Efron 1987), from one bootstrap over the articles.

    Whole articles are drawn, with all their codings, and both disagreements are computed anew. The bootstrap of Hayes & Krippendorff (2007) draws
    single pairs and keeps the expected disagreement; its 95 % intervals held the true alpha in 60 % of samples (Zapf et al. 2016, "Measuring
    inter-rater reliability for nominal data"). The coders are taken as given: the interval says nothing of other coders.
    """
    drawn = [np.empty(resamples) for _ in tables]
    draw = np.random.default_rng(seed)
    articles = len(tables[0]) if tables else 0
    for start in range(0, resamples if articles else 0, CHUNK):
        picked = draw.integers(articles, size=(min(CHUNK, resamples - start), articles))
        times = np.stack([np.bincount(row, minlength=articles) for row in picked]).astype(np.float64)
        for table, values in zip(tables, drawn, strict=True):
            values[start : start + len(times)] = table.alpha(times)
    return [_with_interval(table, values) for table, values in zip(tables, drawn, strict=True)]


def _with_interval(table: Coincidences, drawn: Floats) -> Alpha:
    articles, codings = len(table), int(table.counts.sum())
    if not articles:
        return Alpha(None, None, None, 0, 0, "no article has two coders.")
    value = float(table.alpha(np.ones((1, articles)))[0])
    if np.isnan(value):
        return Alpha(None, None, None, articles, codings, "all codings are alike, so chance alone would agree as well: alpha is undefined.")
    commonest = int(table.counts.sum(axis=0).argmax())
    telling = int((table.counts[:, [commonest]].toarray()[:, 0] < table.counts.sum(axis=1)).sum())
    if not table.within.any():
        note = "the coders never disagree, and resampling cannot tell how far that is luck: no interval."
    elif telling < FEWEST:
        note = f"all coders give the commonest answer in all but {telling} of {articles} articles; an interval takes {FEWEST} others at least."
    else:
        return Alpha(value, *_accelerated(value, drawn[~np.isnan(drawn)], table.left_out()), articles, codings)
    return Alpha(value, None, None, articles, codings, note)


def _accelerated(value: float, drawn: Floats, left_out: Floats) -> tuple[float, float]:
    """The 95 % interval of Efron (1987), "Better Bootstrap Confidence Intervals": percentiles, moved for bias and skewness."""
    few = 0.5 / len(drawn)
    below = (np.mean(drawn < value) + np.mean(drawn <= value)) / 2
    bias = ndtri(np.clip(below, few, 1 - few))
    pull = np.nanmean(left_out) - left_out[~np.isnan(left_out)]
    skew = float((pull**3).sum() / (6 * (pull**2).sum() ** 1.5)) if pull.any() else 0.0
    edge = bias + ndtri(np.array([0.025, 0.975]))
    low, high = np.quantile(drawn, ndtr(bias + edge / (1 - skew * edge)))
    return float(low), float(high)
