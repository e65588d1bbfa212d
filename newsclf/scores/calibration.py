"""From scores to probabilities, fitted on held-out scores only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, softmax

from newsclf.scores.metrics import Booleans, Floats, Kind

SHRINK = 1.0
"""Strength, in articles, of the pull toward what all labels share, where one has few rows: toward their common slope and shift; of an exclusive task
also toward a prior of 0 and a power of 1."""


class Calibration:
    """Probabilities as a monotone function of scores.

    Multi-label: expit(slope_k · score + shift_k) for each label k (Platt 1999).
    Exclusive: those numbers q_k, each label against all others, brought to one sum (Zadrozny & Elkan 2002) by what temperature scaling with bias
    correction does to them (Alexandari, Kundaje & Shrikumar 2020): softmax(power · ln q_k + prior_k). The scores of machines that were fitted apart
    have no common scale: a softmax of the scores themselves gives worse probabilities (`scripts/bench_calibration.py` prints by how much).
    """

    def __init__(self, kind: Kind, slopes: Floats, shifts: Floats, power: Floats | None = None, priors: Floats | None = None) -> None:
        self.kind: Kind = kind
        self.slopes = np.asarray(slopes, np.float64)
        self.shifts = np.asarray(shifts, np.float64)
        self.power = np.asarray([1.0] if power is None else power, np.float64)
        """[1], exclusive only"""
        self.priors = np.asarray(np.zeros(self.slopes.shape) if priors is None else priors, np.float64)
        """[labels], exclusive only"""
        if {self.shifts.shape, self.priors.shape} != {self.slopes.shape} or self.power.shape != (1,):
            raise ValueError("a calibration needs a slope, a shift and a prior for each label, and one power")
        if not all(np.isfinite(values).all() for values in (self.slopes, self.shifts, self.power, self.priors)):
            raise ValueError("a calibration's numbers must be finite")
        if (self.slopes <= 0).any() or (self.power <= 0).any():
            raise ValueError("a calibration's slopes and power must be above zero")

    def __call__(self, scores: NDArray[Any]) -> Floats:
        """Probabilities of scores. [articles, labels] → [articles, labels]"""
        logits = scores.astype(np.float64) * self.slopes + self.shifts
        if self.kind == "multi":
            return np.asarray(expit(logits), np.float64)
        return np.asarray(softmax(self.power * log_expit(logits) + self.priors, axis=1), np.float64)

    @classmethod
    def of_softmax(cls, slopes: Floats, shifts: Floats) -> Calibration:
        """softmax(slope · score + shift), which bundles of format 1 have: far below zero ln expit is the identity."""
        return cls("exclusive", slopes, np.full_like(slopes, -1000.0), np.ones(1), shifts)

    def as_dict(self) -> dict[str, list[float]]:
        """Plain values; floats are written so that they read back exactly."""
        names = ("slopes", "shifts", "power", "priors") if self.kind == "exclusive" else ("slopes", "shifts")
        return {name: getattr(self, name).tolist() for name in names}


def fit_calibration(scores: NDArray[Any], truth: Booleans, kind: Kind) -> Calibration:
    """Fit on held-out scores. [articles, labels] each; deterministic."""
    scores = scores.astype(np.float64)
    slopes, shifts = _each(scores, truth)
    if kind == "multi":
        return Calibration(kind, slopes, shifts)
    return Calibration(kind, slopes, shifts, *fit_softmax(log_expit(scores * slopes + shifts), truth))


def _each(scores: Floats, truth: Booleans) -> tuple[Floats, Floats]:
    """Slope and shift of each label on its own, pulled toward those that all labels have together. [labels] each"""
    common = _platt(scores.ravel(), truth.ravel(), np.array([0.0, 0.0]), strength=1e-6)
    each = np.array([_platt(scores[:, k], truth[:, k], common, strength=SHRINK) for k in range(truth.shape[1])])  # [labels, 2]
    return np.exp(each[:, 0]), each[:, 1]


def fit_softmax(scores: Floats, truth: Booleans) -> tuple[Floats, Floats]:
    """What all scores are multiplied with, and what is added to each label's, so that their softmax fits. [1], [labels]

    Temperature scaling with bias correction (Alexandari, Kundaje & Shrikumar 2020).
    """
    labels, counts, of_own = truth.shape[1], truth.sum(axis=0), scores[truth].sum()

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope, shifts = np.exp(parameters[0]), parameters[1:]
        logits = slope * scores
        logits += shifts
        logits -= logits.max(axis=1, keepdims=True)
        own = logits[truth].sum()
        # softmax in place: with a hundred labels, what a step costs is what it writes to memory
        odds = np.exp(logits, out=logits)
        totals = odds.sum(axis=1)
        odds /= totals[:, None]
        by_slope = slope * (np.vdot(odds, scores) - of_own)
        # the pull holds the slope of labels that held-out scores happen to tell apart without an error, which would grow to certainty
        value = np.log(totals).sum() - own + SHRINK / 2 * (parameters**2).sum()
        return float(value), np.concatenate(([by_slope], odds.sum(axis=0) - counts)) + SHRINK * parameters

    # in units of how sharply the loss bends: a label of ten rows beside one of thousands would take the search many small steps
    units = 1 / np.sqrt(np.concatenate(([len(truth)], counts)) + SHRINK)

    def scaled(steps: Floats) -> tuple[float, Floats]:
        value, gradient = loss(steps * units)
        return value, gradient * units

    bounds = [(-bound / unit, bound / unit) for bound, unit in zip([5.0, *[20.0] * labels], units.tolist(), strict=True)]
    found = _least(scaled, np.zeros(1 + labels), bounds) * units
    return np.exp(found[:1]), found[1:]


def _platt(scores: Floats, truth: Booleans, toward: Floats, *, strength: float) -> Floats:
    """Log-slope and shift of a logistic curve, with Platt's targets that keep it from certainty."""
    positive = truth.sum()
    high, low = (positive + 1) / (positive + 2), 1 / (len(truth) - positive + 2)
    targets = np.where(truth, high, low)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope, shift = np.exp(parameters[0]), parameters[1]
        logits = slope * scores + shift
        residual = expit(logits) - targets
        pull = parameters - toward
        value = (np.logaddexp(0, logits) - targets * logits).sum() + strength / 2 * (pull**2).sum()
        return float(value), np.array([slope * (residual * scores).sum(), residual.sum()]) + strength * pull

    return _least(loss, toward, [(-5, 5), (-30, 30)])


def _least(loss: Callable[[Floats], tuple[float, Floats]], start: Floats, bounds: Sequence[tuple[float, float]]) -> Floats:
    """The parameters of the smallest loss, whose gradient comes with it."""
    from scipy.optimize import minimize  # a fifth of a second, and predicting needs none of it

    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x)
