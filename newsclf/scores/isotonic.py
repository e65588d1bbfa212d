"""Isotonic calibration: a rising curve through what came true, for labels whose Platt curve has the wrong shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from newsclf.scores.metrics import Booleans, Floats

PULL = 2.0
"""Rows that the curve before counts for in each block: a block of few rows that were all right does not become certainty."""

KEPT = 0.05
"""Part of the curve before that is kept, so that the higher of two scores stays the more probable: isotonic regression alone makes them equal."""


@dataclass(frozen=True)
class Curve:
    """A rising curve of log-odds, straight between its knots; outside of them it goes on as the identity does. [knots] each"""

    before: Floats
    after: Floats

    def __post_init__(self) -> None:
        if self.before.shape != self.after.shape or self.before.ndim != 1 or not len(self.before):
            raise ValueError("a curve needs one knot at least, with a place and a height each")
        if not (np.isfinite(self.before).all() and np.isfinite(self.after).all()):
            raise ValueError("a curve's knots must be finite")
        if (np.diff(self.before) <= 0).any() or (np.diff(self.after) < 0).any():
            raise ValueError("a curve's knots must rise")

    def __call__(self, logits: Floats) -> Floats:
        """Log-odds to log-odds, of any shape."""
        inside = np.clip(logits, self.before[0], self.before[-1])
        return np.asarray(np.interp(inside, self.before, self.after) + (logits - inside))


def fit_curve(logits: Floats, truth: Booleans) -> Curve:
    """The rising curve that fits the rows of one label best. [rows] each; deterministic.

    Isotonic regression by pooling adjacent violators (Zadrozny & Elkan 2002), each block's share drawn toward what it was told by `PULL` rows; a knot
    stands at the middle of each block.
    """
    from scipy.optimize import isotonic_regression

    order = np.argsort(logits, kind="stable")
    x, y = logits[order], truth[order].astype(np.float64)
    blocks = isotonic_regression(y).blocks
    rows = np.diff(blocks).astype(np.float64)
    told = np.add.reduceat(expit(x), blocks[:-1])
    share = (np.add.reduceat(y, blocks[:-1]) + PULL * told / rows) / (rows + PULL)
    middle = np.add.reduceat(x, blocks[:-1]) / rows
    height = np.maximum.accumulate(np.log(share) - np.log1p(-share))
    apart = np.concatenate(([True], np.diff(middle) > 0))  # blocks of equal scores
    middle, height = middle[apart], height[apart]
    return Curve(middle, (1 - KEPT) * height + KEPT * middle)


def through(curves: tuple[Curve, ...], logits: NDArray[np.float64]) -> Floats:
    """Each label's log-odds through its curve. [rows, labels]"""
    return np.column_stack([curve(logits[:, column]) for column, curve in enumerate(curves)])
