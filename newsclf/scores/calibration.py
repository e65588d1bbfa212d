"""From scores to probabilities, fitted on held-out scores only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from newsclf.scores.metrics import Booleans, Floats, Kind

SHRINK = 1.0
"""Strength, in articles, of the pull toward what all labels share, where one has few rows: multi-label toward their common slope and shift,
exclusive toward no shift, and the slope toward 1."""


class Calibration:
    """Probabilities as a monotone function of scores: one slope for all labels, a shift of each label.

    Exclusive: softmax(slope · score + shift), bias-corrected temperature scaling (Alexandari, Kundaje & Shrikumar 2020).
    Multi-label: expit(slope_k · score + shift_k) for each label k (Platt 1999).
    """

    def __init__(self, kind: Kind, slopes: Floats, shifts: Floats) -> None:
        self.kind: Kind = kind
        self.slopes = np.asarray(slopes, np.float64)
        self.shifts = np.asarray(shifts, np.float64)
        if self.slopes.shape != self.shifts.shape or not (np.isfinite(self.slopes).all() and np.isfinite(self.shifts).all()):
            raise ValueError("a calibration needs one finite slope and one finite shift for each label")
        if (self.slopes <= 0).any():
            raise ValueError("a calibration's slopes must be above zero")

    def __call__(self, scores: NDArray[Any]) -> Floats:
        """Probabilities of scores. [articles, labels] → [articles, labels]"""
        logits = scores.astype(np.float64) * self.slopes + self.shifts
        return np.asarray(softmax(logits, axis=1) if self.kind == "exclusive" else expit(logits), np.float64)

    def as_dict(self) -> dict[str, list[float]]:
        """Plain values; floats are written so that they read back exactly."""
        return {"slopes": self.slopes.tolist(), "shifts": self.shifts.tolist()}


def fit_calibration(scores: NDArray[Any], truth: Booleans, kind: Kind) -> Calibration:
    """Fit on held-out scores. [articles, labels] each; deterministic."""
    scores = scores.astype(np.float64)
    return _fit_exclusive(scores, truth) if kind == "exclusive" else _fit_multi(scores, truth)


def _fit_exclusive(scores: Floats, truth: Booleans) -> Calibration:
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
    return Calibration("exclusive", np.full(labels, np.exp(found[0])), found[1:])


def _fit_multi(scores: Floats, truth: Booleans) -> Calibration:
    # first one slope and shift for all labels, then each label on its own, pulled toward that
    common = _platt(scores.ravel(), truth.ravel(), np.array([0.0, 0.0]), strength=1e-6)
    each = np.array([_platt(scores[:, k], truth[:, k], common, strength=SHRINK) for k in range(truth.shape[1])])  # [labels, 2]
    return Calibration("multi", np.exp(each[:, 0]), each[:, 1])


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
