"""Quantifiers: ways from what a classifier says of a group's articles to how many of them have a label, each with what it takes for granted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from newsclf.scores.groups import Problem, redraw
from newsclf.scores.metrics import Floats
from newsclf.scores.mixtures import SAME, explained, likeliest, nearby

Worked = Callable[[Problem, Floats], Floats]
"""Held-out rows with `weights` [resamples, rows] → shares [resamples, groups, labels]"""

Redrawn = Callable[[Problem, Floats, Floats, np.random.Generator], Floats]
"""The same with the group's articles redrawn too, around the estimate [groups, labels]"""


@dataclass(frozen=True)
class Method:
    """A quantifier: what it is called, what must hold for it to be right, and how it is worked out."""

    title: str
    needs: str
    shares: Worked
    redrawn: Redrawn | None = None
    resamples: int = 0
    """Of the bootstrap; 0: no interval, as the method takes nothing from held-out rows."""


RESAMPLES = 500

ANOTHER = 0.5
"""Weight of a row that each label gets in each resample, besides its own: Jeffreys' half an observation."""


def _hard(problem: Problem) -> tuple[Floats, Floats]:
    """Decisions of held-out rows, and their mean in each group; of an exclusive task "no label" is one more. [rows, outputs], [groups, outputs]"""
    held_out, means = problem.held_out.decided.astype(np.float64), _means(problem.groups.decided, problem)
    if problem.kind == "multi":
        return held_out, means
    return np.column_stack([held_out, 1 - held_out.sum(axis=1)]), np.column_stack([means, 1 - means.sum(axis=1)])


def _soft(problem: Problem) -> tuple[Floats, Floats]:
    """Probabilities of held-out rows, and their mean in each group. [rows, labels], [groups, labels]"""
    return problem.held_out.probabilities.astype(np.float64), _means(problem.groups.probabilities, problem)


Outputs = Callable[[Problem], tuple[Floats, Floats]]


def _means(sums: Floats, problem: Problem) -> Floats:
    return np.asarray(sums / np.maximum(problem.groups.counts, 1)[:, None])


def _count(problem: Problem, weights: Floats) -> Floats:
    return _means(problem.groups.decided, problem)[None]


def _expect(problem: Problem, weights: Floats) -> Floats:
    means = _means(problem.groups.probabilities, problem)
    if problem.kind == "exclusive":  # single precision adds up to one but for rounding
        means = means / np.maximum(means.sum(axis=1, keepdims=True), SAME)
    return means[None]


@dataclass(frozen=True)
class Adjusted:
    """The shares whose mixture of what held-out rows of each label get is what the group got."""

    outputs: Outputs

    def __call__(self, problem: Problem, weights: Floats) -> Floats:
        """Shares for held-out rows with these weights. [resamples, rows] → [resamples, groups, labels]"""
        held_out, means = self.outputs(problem)
        return _adjust(problem, held_out, means, weights)

    def redrawn(self, problem: Problem, estimate: Floats, weights: Floats, chance: np.random.Generator) -> Floats:
        """The same, where a group's articles of a label get what they might have got as well."""
        held_out, means = self.outputs(problem)
        # of an exclusive task, shares may leave 0 to 1 here: resamples that pile up at 0 would make intervals too short
        noise = _noise(problem, held_out, np.nan_to_num(estimate), chance.standard_normal((len(weights), *means.shape)))
        return _adjust(problem, held_out, means + noise, weights, chance)


def _adjust(problem: Problem, held_out: Floats, means: Floats, weights: Floats, chance: np.random.Generator | None = None) -> Floats:
    truth = problem.held_out.truth.astype(np.float64)
    positives, more = weights @ truth, 0.0 if chance is None else ANOTHER  # [resamples, labels]
    if problem.kind == "exclusive":
        sums = np.stack([weights[:, of] @ held_out[of] for of in problem.held_out.truth.T], axis=2)  # [resamples, outputs, labels]
        rates = (sums + _another(held_out, positives.shape, chance).swapaxes(1, 2)) / np.maximum(positives + more, 1)[:, None]
        shares = explained(rates, means, positives > 0, bounded=chance is None)
        return np.where(positives[:, None] > 0, shares, np.nan)
    found, negatives = weights @ (truth * held_out), weights.sum(axis=1, keepdims=True) - positives
    like, unlike = (_another(held_out, positives.shape, chance).diagonal(axis1=1, axis2=2) for _ in range(2))
    right = (found + like) / np.maximum(positives + more, 1)
    wrong = (weights @ held_out - found + unlike) / np.maximum(negatives + more, 1)
    apart = right - wrong
    told = (positives > 0) & (negatives > 0) & (np.abs(apart) > SAME)
    shares = (means - wrong[:, None]) / np.where(told, apart, 1.0)[:, None]
    return np.where(told[:, None], shares.clip(0, 1), np.nan)


def _another(held_out: Floats, shape: tuple[int, ...], chance: np.random.Generator | None) -> Floats:
    """What one more row of each label gets: what any row gets, as where no error was seen one may come. [resamples, labels, outputs]"""
    if chance is None:
        return np.zeros((*shape, held_out.shape[1]))
    return np.asarray(ANOTHER * held_out[chance.integers(len(held_out), size=shape)])


def _noise(problem: Problem, held_out: Floats, shares: Floats, normal: Floats) -> Floats:
    """By how much the mean output of a group might differ that has these shares of labels, as outputs of a label's articles vary.

    [rows, outputs], [groups, labels], [resamples, groups, outputs] → [resamples, groups, outputs]
    """
    truth, size = problem.held_out.truth, np.maximum(problem.groups.counts, 1)[:, None]
    if problem.kind == "multi":
        within = [np.array([_variance(held_out[of, k]) for k, of in enumerate(each.T)]) for each in (truth, ~truth)]
        return np.asarray(normal * np.sqrt((shares * within[0] + (1 - shares) * within[1]) / size))
    spread = np.stack([_covariance(held_out[of]) for of in truth.T])  # [labels, outputs, outputs]
    sizes, axes = np.linalg.eigh(np.einsum("gk,kij->gij", shares / size, spread))
    roots = axes * np.sqrt(np.maximum(sizes, 0))[:, None]
    return np.asarray(np.einsum("gij,rgj->rgi", roots, normal))


def _variance(values: Floats) -> float:
    return float(values.var()) if len(values) else 0.0


def _covariance(values: Floats) -> Floats:
    apart = values - values.mean(axis=0) if len(values) else values
    return np.asarray(apart.T @ apart / max(len(values), 1))


def _saerens(problem: Problem, weights: Floats) -> Floats:
    priors = _priors(problem, weights)
    found = [[_likeliest(problem, rows, prior) for rows in problem.groups.rows] for prior in priors]
    return np.where(np.isnan(priors[:, None]), np.nan, np.array(found))


def _priors(problem: Problem, weights: Floats) -> Floats:
    """The shares that the probabilities are for: those of held-out rows, as their probabilities have them. [resamples, labels]

    The coded shares of a few hundred rows differ from what the model was calibrated on by chance (Alexandari, Kundaje & Shrikumar 2020, "Maximum
    Likelihood with Bias-Corrected Calibration is Hard-To-Beat at Label Shift Adaptation"). NaN for labels of no row, or of every multi-label row.
    """
    coded = weights @ problem.held_out.truth
    told = (coded > 0) & ((coded < weights.sum(axis=1, keepdims=True)) | (problem.kind == "exclusive"))
    return np.where(told, weights @ problem.held_out.probabilities / weights.sum(axis=1, keepdims=True), np.nan)


def _likeliest(problem: Problem, rows: Floats, prior: Floats) -> Floats:
    if not len(rows):
        return np.full(prior.shape, np.nan)
    if problem.kind == "exclusive":
        return likeliest(rows, np.nan_to_num(prior))
    return np.array([likeliest(_two(rows[:, k]), _two(prior[k]))[1] if prior[k] > 0 else np.nan for k in range(len(prior))])


def _two(share: Any) -> Floats:
    """A label's absence and presence. [...] → [..., 2]"""
    return np.stack([1 - share, share], axis=-1)


def _saerens_redrawn(problem: Problem, estimate: Floats, weights: Floats, chance: np.random.Generator) -> Floats:
    drawn = np.full((len(weights), *estimate.shape), np.nan)
    before, after = _priors(problem, np.ones((1, len(problem.held_out)))), _priors(problem, weights)
    for group, rows in enumerate(problem.groups.rows):
        if not len(rows):
            continue
        # tasks of labels: one of all of them, or one for each label and its absence
        split = _two if problem.kind == "multi" else partial(np.expand_dims, axis=-2)
        said, shares, prior, priors = (split(np.nan_to_num(values)) for values in (rows, estimate[group], before[0], after))
        answers = nearby(said, shares, prior, priors, redraw(len(rows), len(weights), chance))
        found, own, within = (each[..., 1] if problem.kind == "multi" else each[..., 0, :] for each in answers)
        # the share that is sought is the group's own: with a perfect classifier, other rows change it as much as they change the estimate
        size = problem.groups.counts[group]
        read, others = len(rows) / size, estimate[group] * (1 - estimate[group]) / max(size - len(rows), 1)
        spread = np.sqrt(read**2 * within / len(rows) + (1 - read) ** 2 * others)
        truths = read * own + (1 - read) * estimate[group] + spread * chance.standard_normal(own.shape)
        drawn[:, group] = estimate[group] + found - truths
    return np.where(np.isnan(after[:, None]), np.nan, drawn)


_LOOKS = "articles of a label look the same in every group as in the held-out articles: only shares differ"
_ACC, _PACC = Adjusted(_hard), Adjusted(_soft)

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "cc": Method("classify and count", "errors of both kinds cancel out in every group", _count),
        "pcc": Method("probabilistic classify and count", "the probabilities are right on average in every group", _expect),
        "acc": Method("adjusted count", _LOOKS, _ACC, _ACC.redrawn, RESAMPLES),
        "pacc": Method("adjusted probabilistic count", _LOOKS, _PACC, _PACC.redrawn, 500),
        "em": Method("expectation maximisation", _LOOKS + ", and probabilities are calibrated on those", _saerens, _saerens_redrawn, RESAMPLES),
    }
)
"""Classify and count; PCC (Bella et al. 2010, "Quantification via Probability Estimators"); ACC (Forman 2008, "Quantifying Counts and Costs via
Classification"), of an exclusive task for all labels at once; PACC (Bella et al. 2010); EM (Saerens, Latinne & Decaestecker 2002), of a multi-label
task for each label against its absence."""
