"""From scores to probabilities, fitted on held-out scores only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, softmax

from newsclf.scores.isotonic import Curve, fit_curve, through
from newsclf.scores.metrics import Booleans, Floats, Kind
from newsclf.scores.parts import log_losses

Method = Literal["platt", "isotonic", "temperature"]
METHODS: tuple[Method, ...] = get_args(Method)
PARTS, MOST = 3, 50_000
"""Parts of the held-out rows that methods are chosen by, and the most numbers (rows times labels): each part is fitted by every method."""

FEWEST = 200
"""Held-out rows below which no method is chosen: what a handful of them says of a curve's shape is chance."""

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

    def __init__(
        self,
        kind: Kind,
        slopes: Floats,
        shifts: Floats,
        power: Floats | None = None,
        priors: Floats | None = None,
        *,
        curves: tuple[Curve, ...] = (),
    ) -> None:
        self.kind: Kind = kind
        self.slopes = np.asarray(slopes, np.float64)
        self.shifts = np.asarray(shifts, np.float64)
        self.power = np.asarray([1.0] if power is None else power, np.float64)
        """[1], exclusive only"""
        self.priors = np.asarray(np.zeros(self.slopes.shape) if priors is None else priors, np.float64)
        """[labels], exclusive only"""
        self.curves = curves
        """What isotonic regression makes of each label's log-odds; none where Platt's curve is left as it is. [labels]"""
        if len(curves) not in (0, len(self.slopes)):
            raise ValueError("a calibration needs a curve for each label, or none")
        if {self.shifts.shape, self.priors.shape} != {self.slopes.shape} or self.power.shape != (1,):
            raise ValueError("a calibration needs a slope, a shift and a prior for each label, and one power")
        if not all(np.isfinite(values).all() for values in (self.slopes, self.shifts, self.power, self.priors)):
            raise ValueError("a calibration's numbers must be finite")
        if (self.slopes <= 0).any() or (self.power <= 0).any():
            raise ValueError("a calibration's slopes and power must be above zero")

    def __call__(self, scores: NDArray[Any]) -> Floats:
        """Probabilities of scores. [articles, labels] → [articles, labels]"""
        logits = scores.astype(np.float64) * self.slopes + self.shifts
        if self.curves:
            logits = through(self.curves, logits)
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
        values: dict[str, list[float]] = {name: getattr(self, name).tolist() for name in names}
        if self.curves:
            values["knots"] = [float(len(curve.before)) for curve in self.curves]
            values["knots_before"] = np.concatenate([curve.before for curve in self.curves]).tolist()
            values["knots_after"] = np.concatenate([curve.after for curve in self.curves]).tolist()
        return values

    @classmethod
    def of_dict(cls, kind: Kind, values: Mapping[str, Sequence[float]]) -> Calibration:
        """The calibration that `as_dict` wrote; raises ValueError for what is none."""
        arrays = {name: np.array(numbers, np.float64) for name, numbers in values.items()}
        knots, before, after = (arrays.pop(name, np.zeros(0)) for name in ("knots", "knots_before", "knots_after"))
        if len(before) != len(after) or knots.sum() != len(before) or (knots != np.rint(knots)).any():
            raise ValueError("the knots of a calibration's curves are not as many as it says")
        ends = np.cumsum(knots).astype(np.int64)[:-1]
        curves = tuple(Curve(*both) for both in zip(np.split(before, ends), np.split(after, ends), strict=True)) if len(knots) else ()
        unknown = arrays.keys() - {"slopes", "shifts", "power", "priors"}
        if unknown or not {"slopes", "shifts"} <= arrays.keys():
            raise ValueError(f"a calibration has slopes, shifts, power and priors, not {sorted(values)}")
        return cls(kind, **arrays, curves=curves)


def fit_calibration(scores: NDArray[Any], truth: Booleans, kind: Kind, method: Method = "platt") -> Calibration:
    """Fit on held-out scores. [articles, labels] each; deterministic.

    platt: as the class says. isotonic: between Platt's curves and the softmax each label's log-odds go through a rising curve of their own.
    temperature: one number for all labels, of an exclusive task a softmax of the scores with a prior for each label (`Calibration.of_softmax`).
    """
    scores = scores.astype(np.float64)
    if method == "temperature":
        return _temperature(scores, truth, kind)
    slopes, shifts = _each(scores, truth)
    logits = scores * slopes + shifts
    curves = tuple(fit_curve(logits[:, k], truth[:, k]) for k in range(truth.shape[1])) if method == "isotonic" else ()
    if kind == "multi":
        return Calibration(kind, slopes, shifts, curves=curves)
    return Calibration(kind, slopes, shifts, *fit_softmax(log_expit(through(curves, logits) if curves else logits), truth), curves=curves)


def choose_calibration(scores: NDArray[Any], truth: Booleans, kind: Kind) -> tuple[Method, dict[Method, float]]:
    """The method with the smallest log loss on held-out rows that it was not fitted on, and the losses of all three. [articles, labels] each

    By cross-validation over thirds of the rows (of `MOST` numbers, evenly spread, where there are more). Platt unless another is better by twice the
    standard error of the difference: it has few numbers to get wrong. Below `FEWEST` rows it is Platt, without losses.
    """
    if len(truth) < FEWEST:
        return "platt", {}
    some = np.arange(0, len(truth), max(1, int(np.ceil(truth.size / MOST))))
    scores, truth, part = scores[some], truth[some], np.arange(len(some)) % PARTS
    losses: dict[Method, Floats] = {method: np.zeros(len(some)) for method in METHODS}
    for method, at in product(METHODS, range(PARTS)):
        held = part == at
        fitted = fit_calibration(scores[~held], truth[~held], kind, method)
        losses[method][held] = log_losses(truth[held], fitted(scores[held]), kind)
    means: dict[Method, float] = {method: float(each.mean()) for method, each in losses.items()}
    better = [method for method in METHODS if means[method] < means["platt"] - 2 * _error(losses["platt"] - losses[method])]
    return min(better, key=means.__getitem__, default="platt"), means


def _error(values: Floats) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def _temperature(scores: Floats, truth: Booleans, kind: Kind) -> Calibration:
    labels = truth.shape[1]
    if kind == "multi":
        slope, shift = _platt(scores.ravel(), truth.ravel(), np.array([0.0, 0.0]), strength=1e-6)
        return Calibration(kind, np.full(labels, np.exp(slope)), np.full(labels, shift))
    power, priors = fit_softmax(scores, truth)
    return Calibration.of_softmax(np.full(labels, power[0]), priors)


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
