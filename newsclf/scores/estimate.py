"""Shares of labels in a corpus, and in groups of it, from a model's scores of every row and a coded sample of some: with intervals that hold.

Counting what a model says is biased by its errors, by an amount that no test set tells. The difference estimator takes the model's count and adds
what the coded sample says the model gets wrong: unbiased whatever the model is worth, and the more exact the better it is (Särndal, Swensson &
Wretman 1992, chapter 6; as prediction-powered inference with a tuned weight, PPI++, Angelopoulos, Duchi & Zrnic 2023). What is estimated is the
share in these articles; no error of the draw is left where all of them are coded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, stdtrit

from newsclf.scores.metrics import Booleans, Floats, Kind
from newsclf.scores.survey import Design, Ids, covariance, expected_variance, variance

LEAST = 30
"""Coded rows of a group below which no share of it is given: an interval would hold less often than it says."""

FEW = 5
"""Rows with a label, or without it, that a share is worth coding for."""

ROUGH = 10
"""Rows with a label, or without it, below which an interval holds less often than it says: `scripts/simulate_estimates.py` prints how often."""

EXPECTED = 10
"""Coded rows that the model's own word of its errors counts for where it expects more of them than the coded rows show."""


@dataclass(frozen=True)
class Corpus:
    """What is known of every row: how many there are in each of the smallest groups, and the model's probabilities in sum."""

    counts: Floats
    """Rows. [cells]"""

    sums: Floats
    """Sums of the calibrated probabilities. [cells, labels]"""


@dataclass(frozen=True)
class Sample:
    """The coded rows and how they were drawn."""

    truth: Floats
    """What coders say: 0 or 1, or the share of the coders that gave the label. [sample, labels]"""

    scores: Floats
    """Calibrated probabilities of the same rows. [sample, labels]"""

    cells: Ids
    """Which of the smallest groups each row is in. [sample]"""

    design: Design


@dataclass(frozen=True)
class Shares:
    """Shares of labels in groups. Arrays are [groups, labels] unless said otherwise; NaN where nothing can be said."""

    counts: Floats
    """Rows of the corpus. [groups]"""

    audited: Ids
    """Coded rows. [groups]"""

    effective: Floats
    """Drawn units that would be worth as much if none weighed more than another (Kish 1965). [groups]"""

    positives: Ids
    """Coded rows to which at least half of the coders gave the label."""

    share: Floats
    variance: Floats
    freedom: Floats
    """Degrees of freedom of the variance."""

    weight: Floats
    """How much of the model's count is taken, from 0: nothing. [labels]"""

    influence: Floats
    """What each coded row adds to each share, before it is weighted. [sample, groups, labels]"""

    design: Design

    @property
    def told(self) -> Booleans:
        """Where a share can be given: enough coded rows, with the label and without."""
        rest = self.audited[:, None] - self.positives
        whole = (self.audited == self.counts)[:, None]
        return np.asarray(whole | ((self.audited[:, None] >= LEAST) & (self.positives > 0) & (rest > 0)))

    @property
    def rough(self) -> Booleans:
        """Where a share is given whose interval holds less often than it says, for want of coded rows with the label, or without it."""
        few = np.minimum(self.positives, self.audited[:, None] - self.positives) < ROUGH
        return np.asarray(self.told & few & (self.audited != self.counts)[:, None])

    @property
    def worth(self) -> Floats:
        """How many simple random codes of the same group would give as narrow an interval (effective sample size)."""
        spread = self.share * (1 - self.share)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(1 / (self.variance / spread + 1 / self.counts[:, None]))

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper limits; where no row has the label, or all have it, what the share is at most, or at least."""
        low, high = wilson(self.share, self.variance, critical_value(level, self.freedom))
        tail = (1 - level) / 2
        size = self.effective[:, None]
        most = np.where(size > 0, betaincinv(1, np.maximum(size, 1e-9), 1 - tail), 1.0)  # Clopper & Pearson 1934, for 0 of so many
        whole = (self.audited == self.counts)[:, None]
        none, every = (self.positives == 0) & ~whole, (self.positives == self.audited[:, None]) & ~whole
        return np.where(none, 0, np.where(every, 1 - most, low)), np.where(none, most, np.where(every, 1, high))


def shares(sample: Sample, corpus: Corpus, groups: Booleans, kind: Kind, *, tuned: bool = True) -> Shares:
    """The share of each label in each group.

    `groups` [groups, cells] says which of the smallest groups each takes in; they may overlap. The model's weight is tuned on the coded rows, for
    each label of a multi-label task and for all labels at once of an exclusive one, whose shares then sum to one; `tuned=False` leaves the model out
    and gives the classical estimate. Residuals are those of a row left out (HC3; MacKinnon & White 1985), for the weight was tuned on the same rows.
    Raises ValueError for a group of no rows.
    """
    counts = groups @ corpus.counts
    if not (counts > 0).all():
        raise ValueError("a share of no rows")
    truth = sample.truth
    weight, leverage = _tuned(sample, kind) if tuned else (np.zeros(truth.shape[1]), np.zeros(truth.shape))
    residual = truth - weight * sample.scores  # [sample, labels]
    inside = groups[:, sample.cells].T  # [sample, groups]
    weighed = inside * sample.design.weights[:, None]
    known = weighed.sum(axis=0)  # [groups]
    with np.errstate(invalid="ignore"):
        wrong = weighed.T @ residual / known[:, None]  # [groups, labels]: what the model gets wrong, on average
        influence = np.einsum("sg,sl->sgl", inside, residual) - inside[:, :, None] * wrong
        influence = np.nan_to_num(influence) / np.where(known > 0, known, 1)[None, :, None] / (1 - leverage)[:, None, :]
    share = weight * (groups @ corpus.sums) / counts[:, None] + wrong
    variance, freedom = _variances(sample.design, influence)
    audited = inside.sum(axis=0)
    if tuned:  # few coded rows may show none of the model's rare errors, of which it says itself how many there are
        part = EXPECTED / (np.maximum(audited, 2) - 1 + EXPECTED)[:, None]
        variance = variance + part * np.maximum(expected_variance(weighed, _open(sample, weight)) - variance, 0)
    positives = inside.T.astype(np.int64) @ (truth >= 0.5)
    heavy = sample.design.summed(weighed)  # [units, groups]: a cluster counts as one, for its rows may agree
    freedom = np.minimum(freedom, np.maximum((heavy > 0).sum(axis=0) - 1, 1)[:, None])
    effective = known**2 / np.maximum((heavy**2).sum(axis=0), 1e-300)
    return Shares(counts, audited, effective, positives, np.clip(share, 0, 1), variance, freedom, weight, influence, sample.design)


def _tuned(sample: Sample, kind: Kind) -> tuple[Floats, Floats]:
    """The weight of the model that makes the variance least, 0 at least, and each row's leverage on it. [labels], [sample, labels]"""
    truth, scores = (_centred(values, sample) for values in (sample.truth, sample.scores))
    labels = scores.shape[1]
    both, _ = covariance(sample.design, np.hstack([truth, scores]))
    together, alone = np.diag(both[:labels, labels:]), np.diag(both[labels:, labels:])
    if kind == "exclusive":  # one weight for all, or the shares would not sum to one
        together, alone = np.full(labels, together.sum()), np.full(labels, alone.sum())
    weight = np.maximum(np.divide(together, alone, out=np.zeros(labels), where=alone > 1e-12 * len(scores)), 0)
    pull = (scores * sample.design.weights[:, None]) ** 2
    if kind == "exclusive":
        pull = np.broadcast_to(pull.sum(axis=1, keepdims=True), pull.shape)
    return weight, np.minimum(pull / np.maximum(pull.sum(axis=0), 1e-300), 0.9)


def _open(sample: Sample, weight: Floats) -> Floats:
    """The variance of each row's residual by the model's own word. [sample, labels]"""
    scores, weights = sample.scores, sample.design.weights
    mean = weights @ scores / max(float(weights.sum()), 1.0)
    return np.asarray(scores * (1 - scores) + (1 - weight) ** 2 * (scores - mean) ** 2)


def _centred(values: Floats, sample: Sample) -> Floats:
    """Values around the weighted mean of their cell. [sample, labels]"""
    cells = int(sample.cells.max(initial=-1)) + 1
    sums, weights = np.zeros((cells, values.shape[1])), np.bincount(sample.cells, sample.design.weights, cells)
    np.add.at(sums, sample.cells, values * sample.design.weights[:, None])
    return np.asarray(values - (sums / np.maximum(weights, 1e-300)[:, None])[sample.cells])


def _variances(design: Design, influence: Floats) -> tuple[Floats, Floats]:
    values, freedom = variance(design, influence.reshape(len(influence), influence.shape[1] * influence.shape[2]))
    return values.reshape(influence.shape[1:]), freedom.reshape(influence.shape[1:])


def critical_value(level: float, freedom: Floats) -> Floats:
    """Of the t distribution, or the normal where the degrees of freedom have no end."""
    return np.asarray(-stdtrit(np.minimum(freedom, 1e6), (1 - level) / 2))


def wilson(share: Floats, variance: Floats, critical: Floats) -> tuple[Floats, Floats]:
    """Limits of a share whose variance was estimated: Wilson's (1927) for so many rows as would have that variance.

    So it was found best for samples in strata and clusters (Franco et al. 2019, "Comparative Study of Confidence Intervals for Proportions in Complex
    Sample Surveys"): they stay within 0 and 1, and hold for rare labels, where a symmetric interval does not.
    """
    inner = np.clip(share, 1e-9, 1 - 1e-9)
    ratio = critical**2 * variance / (inner * (1 - inner))  # z² / n
    middle = (inner + ratio / 2) / (1 + ratio)
    half = np.sqrt(ratio * inner * (1 - inner) + ratio**2 / 4) / (1 + ratio)
    # a share of 0 or 1 that is known stays as it is
    return np.where(variance > 0, middle - half, share), np.where(variance > 0, middle + half, share)


def more_needed(audited: int, positives: int, expected: float) -> int:
    """About how many more rows must be coded before a share can be given; `expected` is what the model says that it is."""
    rarer = min(max(expected, 1e-3), 1 - 1e-3)
    rare = min(rarer, 1 - rarer)
    wanting = int(np.ceil(FEW / rare)) - audited if positives in (0, audited) else 0
    return max(LEAST - audited, wanting, 1)
