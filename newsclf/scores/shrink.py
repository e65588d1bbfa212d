"""Shares in groups of which few rows are coded: each group's estimate drawn toward what the model gets wrong in its parent, an outlet or a month.

The direct estimate of a small group is right on average and says little; the synthetic one takes over its parent's error, which is exact and may be
wrong for this group. They are mixed by how much errors differ between groups (Fay & Herriot 1979; Rao & Molina 2015, "Small Area Estimation").

It assumes that what the model gets wrong in a group differs from its parent's by chance alone, as much in any group as in another. Intervals hold on
average over the groups of a study, not in each: in a group whose errors are unlike all others' they hold less often.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from newsclf.scores.estimate import FEW, LEAST, Corpus, Sample
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.survey import Design, Ids, covariance

GROUPS = 8
"""Groups with coded rows, beyond one a parent, below which nothing is known of how errors differ between groups."""

GRID = 200
"""Spreads of the errors between groups that are tried."""

NEVER = 1e-12
"""Stands for a variance of zero."""


@dataclass(frozen=True)
class Pooled:
    """Shares of labels in groups. Arrays are [groups, labels] unless said otherwise; NaN where too few rows of the parent are coded."""

    share: Floats
    variance: Floats
    """Of the draw, of the parent's error, and of what is not known of the spread."""

    freedom: Floats
    """Degrees of freedom of the variance of single rows, which the groups of a parent have in common."""

    own: Floats
    """How much of what the model gets wrong is told by the group's own rows, from 0 to 1; the rest is its parent's."""

    spread: Floats
    """Standard deviation of the model's error between groups of one parent. [labels]"""

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper limits, which hold on average over groups."""
        half = -stdtrit(self.freedom, (1 - level) / 2) * np.sqrt(self.variance)
        return np.clip(self.share - half, 0, 1), np.clip(self.share + half, 0, 1)


def pooled(sample: Sample, corpus: Corpus, groups: Booleans, parents: Ids, *, weight: Floats) -> Pooled:
    """The share of each label in each group, with the errors of the model pooled over the groups of a parent; a group may have no coded row.

    `groups` [groups, cells] says which of the smallest groups each takes in, none twice; `parents` [groups] numbers the parent of each, and `weight`
    [labels] is how much of the model is taken, as `shares` tuned it. Few rows tell no variance: that of single rows is taken as the same in all
    groups of a parent. Labels are estimated one by one, so shares of an exclusive task sum to about 1.

    Raises ValueError for groups that overlap or are empty, and for too few groups with coded rows.
    """
    own = _own(sample, corpus, groups, parents)
    coded = own >= 0
    member = (own[:, None] == np.arange(len(groups))).astype(float)  # [sample, groups]
    weighed = member * sample.design.weights[:, None]
    known = np.maximum(weighed.sum(axis=0), NEVER)
    residual = sample.truth - weight * sample.scores  # [sample, labels]
    wrong = weighed.T @ residual / known[:, None]  # [groups, labels]
    kin = (parents[:, None] == np.unique(parents)).astype(float)  # [groups, parents]
    within = np.where(coded[:, None], residual - wrong[own], 0)
    row, freedom = _of_rows(sample.design, member, within, kin)
    drawn = (member.T @ (sample.design.weights * (sample.design.weights - 1))) / known**2  # [groups]: of what variance of rows is left in a mean
    direct = row * drawn[:, None] * _clustered(sample.design, within, row[own] * coded[:, None])
    told = _told(sample, member, kin)
    # a parent that is not told would say what the spread is as surely as any other
    direct = np.where(told & member.any(axis=0)[:, None], np.maximum(direct, NEVER), np.inf)
    errors, variance, part, spread = (np.stack(each, axis=-1) for each in zip(*map(_mixed, wrong.T, direct.T, [kin] * len(weight)), strict=True))
    share = weight * (groups @ corpus.sums) / (groups @ corpus.counts)[:, None] + errors
    share, variance, freedom, part = (np.where(told, each, np.nan) for each in (np.clip(share, 0, 1), variance, freedom, part))
    return Pooled(share, variance, freedom, part, spread)


def _own(sample: Sample, corpus: Corpus, groups: Booleans, parents: Ids) -> Ids:
    """The number of each coded row's group, -1 where it is in none; refuses what cannot be pooled. [sample]"""
    if len(parents) != len(groups):
        raise ValueError(f"each of {len(groups)} groups has a parent: {len(parents)} are given")
    if (groups.sum(axis=0) > 1).any():
        raise ValueError(f"groups that are pooled have no row in common: cell {int((groups.sum(axis=0) > 1).argmax())} is in two of them")
    counts = groups @ corpus.counts
    if not (counts > 0).all():
        raise ValueError(f"a share of no rows: group {int((counts == 0).argmax())} is empty")
    own = np.where(groups.any(axis=0), groups.argmax(axis=0), -1)[sample.cells]
    found = np.unique(own[own >= 0])
    if len(found) - len(np.unique(parents[found])) < GROUPS:
        raise ValueError(
            f"{len(found)} groups of {len(np.unique(parents[found]))} parents have coded rows; to see how errors differ between groups there must be "
            f"{GROUPS} more groups than parents: code rows in more groups, or take the shares of the parents"
        )
    return np.asarray(own)


def _told(sample: Sample, member: Floats, kin: Floats) -> Booleans:
    """Where enough is coded in the parent, with the label and without, and in enough groups of such parents. [groups, labels]"""
    positive = sample.truth >= 0.5
    having, rows = kin.T @ (member.T @ positive), (kin.T @ member.sum(axis=0))[:, None]  # [parents, labels], [parents, 1]
    parents = (np.minimum(having, rows - having) >= FEW) & (rows >= LEAST)
    groups = np.asarray(kin @ parents > 0)
    enough = (groups & np.asarray(member.any(axis=0))[:, None]).sum(axis=0) - parents.sum(axis=0) >= GROUPS  # [labels]
    return np.asarray(groups & enough)


def _of_rows(design: Design, member: Floats, within: Floats, kin: Floats) -> tuple[Floats, Floats]:
    """The variance of single rows in each group's parent, and its degrees of freedom. [groups, labels] each

    Rows count by what they add to the variance of a mean, so that a stratum of hard ones that was coded thinly has its share. A variance that few
    rare labels make is known from those few alone: 2 / (kurtosis - 1) degrees of freedom a row.
    """

    def of_parent(values: Floats) -> Floats:
        return np.asarray(kin @ (kin.T @ (member.T @ values)))

    sizes = member.sum(axis=0)
    free = member @ (1 - 1 / np.maximum(sizes, 1))  # [sample]: of a row's variance, what is left around its group's mean
    left = np.maximum(design.weights * (design.weights - 1), NEVER)
    squares = left[:, None] * within**2
    total, fourth = of_parent(squares), of_parent(squares**2)
    rows = of_parent(np.ones((len(left), 1)))
    tails = np.divide(rows * fourth, total**2, out=np.full_like(total, 3.0), where=total > 0)
    freedom = 2 * of_parent(free[:, None]) / np.maximum(tails - 1, 2)
    return total / np.maximum(of_parent((left * free)[:, None]), NEVER**2), np.maximum(freedom, 1)


def _clustered(design: Design, within: Floats, row: Floats) -> Floats:
    """How many times the variance is that of rows drawn one by one, where they were drawn in clusters: 1 at least. [labels]"""
    if len(np.unique(design.clusters)) == len(design):
        return np.ones(within.shape[1])
    alone = (row * (design.weights * (design.weights - 1))[:, None]).sum(axis=0)
    found, _ = covariance(design, within)
    return np.asarray(np.maximum(np.diag(found) / np.maximum(alone, NEVER), 1))


def _mixed(wrong: Floats, direct: Floats, kin: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """What the model gets wrong in each group, its variance, how much of it is the group's own, and the spread, of one label.

    `wrong` [groups] is the direct estimate, `direct` [groups] its variance, infinite where there is none, `kin` [groups, parents] says whose each is.
    The spread is not known well from few groups: it is averaged over, with a flat prior on its square and on the parents' errors (Morris & Tang
    2011, "Estimating Random Effects via Adjustment for Density Maximization"). Intervals so found hold where the moment estimator's g1 + g2 + 2 g3
    (Prasad & Rao 1990) are too narrow: when the likeliest spread is 0.
    """
    known = direct < np.inf
    if not known.any():
        return np.full_like(wrong, np.nan), np.full_like(wrong, np.nan), np.full_like(wrong, np.nan), np.asarray(np.nan)
    most = 10 * max(float(np.sqrt(direct[known].mean())), float(wrong[known].std()))
    spreads = (np.arange(1, GRID + 1) / GRID) ** 2 * most
    squared = spreads[:, None] ** 2  # [grid, 1]
    exact = 1 / (squared + direct)  # [grid, groups]: 0 where there is no direct estimate
    sums = exact @ kin  # [grid, parents]
    seen = sums > 0
    mean = (exact * wrong) @ kin / np.where(seen, sums, 1) @ kin.T
    of_mean = np.where(seen, 1 / np.where(seen, sums, 1), 0) @ kin.T
    fit = np.log(np.where(known, exact, 1)).sum(axis=1) - np.log(np.where(seen, sums, 1)).sum(axis=1) - (exact * (wrong - mean) ** 2).sum(axis=1)
    likely = fit / 2 + np.log(np.gradient(spreads)) + np.log(spreads)
    prior = np.exp(likely - likely.max())
    prior /= prior.sum()
    part = squared * exact
    found = part * wrong + (1 - part) * mean
    middle = prior @ found
    variance = np.where(known, part * np.where(known, direct, 0), squared) + (1 - part) ** 2 * of_mean
    return middle, prior @ (variance + (found - middle) ** 2), prior @ part, np.asarray(prior @ spreads)
