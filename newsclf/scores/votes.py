"""From what several coders say to what is taken as coded: majorities, shares of votes, Dawid and Skene's posterior, and what to look at again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse
from scipy.special import logsumexp, xlogy

from newsclf.scores.agreement import Ids, Ratings
from newsclf.scores.metrics import Booleans, Floats, Kind

STRENGTH = 10.0
"""Rows of each label that stand for "as coders do here" in what is thought of a coder: one with a handful of codings is taken for an average one."""

MOST = 2000
ENOUGH = 1e-6
"""Change of a posterior below which the iterations end."""


@dataclass(frozen=True)
class Votes:
    """How many coders gave each article each label."""

    counts: Ids
    """[articles, labels]"""

    coders: Ids
    """How many coders said anything of each article. [articles]"""

    kind: Kind

    @classmethod
    def of(cls, ratings: Ratings, kind: Kind, *, articles: int) -> Self:
        """The votes of so many articles, those that nobody coded among them."""
        counts = np.zeros((articles, ratings.given.shape[1]), np.int64)
        np.add.at(counts, ratings.article, ratings.given)
        return cls(counts, np.bincount(ratings.article, minlength=articles).astype(np.int64), kind)

    def shares(self) -> Floats:
        """Share of an article's coders that gave each label; all 0 where nobody coded it. [articles, labels]"""
        return self.counts / np.maximum(self.coders, 1)[:, None]

    def majority(self) -> tuple[Booleans, Booleans]:
        """The labels that most coders give, and which articles are open. [articles, labels], [articles]

        Exclusive: the label with the most votes. Multi-label: every label that more than half of the coders give. An article is open, and has no
        label, where labels share the first place, where half of the coders give a label and half do not, and where nobody coded it.
        """
        if self.kind == "exclusive":
            decided = (self.counts == self.counts.max(axis=1, keepdims=True)) & (self.counts > 0)
            left_open = decided.sum(axis=1) != 1
        else:
            decided = 2 * self.counts > self.coders[:, None]
            left_open = (2 * self.counts == self.coders[:, None]).any(axis=1)
        return decided & ~left_open[:, None], left_open

    def entropy(self) -> Floats:
        """Bits of disagreement: entropy of the shares of votes, for multi-label tasks summed over yes and no to each label. [articles]"""
        shares = self.shares()
        bits = xlogy(shares, shares)
        if self.kind == "multi":
            bits += xlogy(1 - shares, 1 - shares)
        # not -0.0, nor a rounding away from it
        entropy: Floats = np.abs(bits.sum(axis=1).round(12) / np.log(2))
        return entropy


def queue(votes: Votes, unsure: Ids, ids: Sequence[str]) -> Ids:
    """Articles to look at again, those with the most disagreement first; then with the most coders that were not sure; then by id.

    `unsure` is how many coders were not sure of each article. [articles]. Articles that nobody disagrees on or doubts are left out.
    """
    entropy = votes.entropy()
    asked = np.flatnonzero((entropy > 0) | (unsure > 0)).tolist()
    return np.array(sorted(asked, key=lambda row: (-entropy[row], -unsure[row], ids[row])), np.int64)


@dataclass(frozen=True)
class Skill:
    """What Dawid and Skene's model makes of codings of an exclusive task."""

    posterior: Floats
    """Probability of each label; 0 for labels that nobody gave. [articles, labels]"""

    shares: Floats
    """How common each label is. [labels]"""

    confusion: Floats
    """Row: the label that is right, column: the probability that the coder gives it. [coders, labels, labels]"""

    likelihood: Floats
    """Log posterior density after each iteration; it never falls. [iterations]"""

    converged: bool


def dawid_skene(ratings: Ratings, *, articles: int, coders: int, strength: float = STRENGTH) -> Skill:
    """Labels, and how each coder errs, from codings of an exclusive task alone.

    Dawid & Skene 1979, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm". Begins at the shares of votes and draws
    nothing, so the same codings give the same bytes. Smoothed in two steps, each an EM of its own: first all coders err alike; then each has a
    confusion table, to which the common one is added as `strength` codings of each label (a Dirichlet prior). Raises ValueError where there is no
    coding, where one has not exactly one label, and for a strength that is not above 0.
    """
    if not len(ratings) or (ratings.given.sum(axis=1) != 1).any():
        raise ValueError(f"Dawid and Skene's model takes codings of one label each, at least one of them; these are {len(ratings)}")
    if strength <= 0:
        raise ValueError(f"the strength must be above 0, not {strength}: a coder with few codings would be certain to err in one way only")
    known = np.flatnonzero(ratings.given.any(axis=0))  # labels
    given = ratings.given[:, known].argmax(axis=1)
    start = Votes.of(ratings, "exclusive", articles=articles).shares()[:, known]
    alike = _Em(ratings.article, np.zeros_like(ratings.coder), given, np.ones((1, len(known), len(known))))
    posterior, _, common, _, _ = alike.run(start)
    each = _Em(ratings.article, ratings.coder, given, np.repeat(strength * common, coders, axis=0))
    posterior, shares, confusion, likelihood, converged = each.run(posterior)
    labels = ratings.given.shape[1]
    whole, table, all_shares = np.zeros((articles, labels)), np.zeros((coders, labels, labels)), np.zeros(labels)
    whole[:, known], all_shares[known] = posterior, shares
    table[np.ix_(np.arange(coders), known, known)] = confusion
    return Skill(whole, all_shares, table, likelihood, converged)


@dataclass(frozen=True)
class _Em:
    """Expectation and maximisation for codings of which those of a group share a confusion table."""

    article: Ids
    group: Ids
    given: Ids
    """[codings]"""

    prior: Floats
    """Codings added to each confusion table. [groups, labels, labels]"""

    def run(self, posterior: Floats) -> tuple[Floats, Floats, Floats, Floats, bool]:
        """Posterior, shares of labels, confusion tables, log posterior densities, and whether it converged."""
        codings, labels = len(self.given), self.prior.shape[1]
        of_article = sparse.csr_array((np.ones(codings), (self.article, np.arange(codings))), shape=(len(posterior), codings))
        cells = self.group * labels + self.given
        path: list[float] = []
        for _ in range(MOST):
            sums = [np.bincount(cells, posterior[self.article, label], minlength=self.prior[:, 0].size) for label in range(labels)]
            counts = np.stack(sums).reshape(labels, -1, labels).transpose(1, 0, 2) + self.prior
            confusion = counts / counts.sum(axis=2, keepdims=True)
            shares = (posterior.sum(axis=0) + 1) / (len(posterior) + labels)  # one article more of each label
            logs = np.log(shares) + of_article @ np.log(confusion)[self.group, :, self.given]  # [articles, labels]
            total = logsumexp(logs, axis=1, keepdims=True)
            path.append(float(total.sum() + np.log(shares).sum() + xlogy(self.prior, confusion).sum()))
            before, posterior = posterior, np.exp(logs - total)
            if np.abs(posterior - before).max() < ENOUGH:
                return posterior, shares, confusion, np.array(path), True
        return posterior, shares, confusion, np.array(path), False


def posteriors(ratings: Ratings, kind: Kind, *, articles: int, coders: int, strength: float = STRENGTH) -> Floats:
    """Dawid and Skene's probability of each label; in a multi-label task yes and no to each label is a model of its own. [articles, labels]"""
    if kind == "exclusive":
        return dawid_skene(ratings, articles=articles, coders=coders, strength=strength).posterior
    columns = []
    for label in range(ratings.given.shape[1]):
        yes = ratings.given[:, label]
        answers = Ratings(ratings.article, ratings.coder, np.column_stack([~yes, yes]))
        columns.append(dawid_skene(answers, articles=articles, coders=coders, strength=strength).posterior[:, 1])
    return np.column_stack(columns)
