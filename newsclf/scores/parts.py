"""The metrics of `scores.metrics` as functions of sums over rows, which is what resampling and swapping of rows needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from newsclf.scores.intervals import Share, Statistic
from newsclf.scores.metrics import Booleans, Floats, Kind, check_probabilities, f1

Summed = tuple[Floats, Statistic]
"""The parts of each row, [rows, parts], and the metric of their sums, [..., parts] → [...]"""


def headline(truth: Booleans, probabilities: Floats, decided: Booleans, kind: Kind, *, sides: Sequence[int] = ()) -> dict[str, Summed]:
    """The metrics of `metrics.summary` by the same names, and f_avg over the columns `sides` where there are some. Arrays are [rows, labels].

    For each, `statistic(parts.sum(axis=0))` is the metric. Raises ValueError for what is no probability and for no rows.
    """
    check_probabilities(truth, probabilities)
    counts = f1_parts(truth, decided)
    found: dict[str, Summed] = {}
    if kind == "exclusive":
        found["accuracy"] = with_rows((truth == decided).all(axis=1).astype(np.float64)), Share(mean)
    # three sums of a row are enough for all labels at once
    found["micro_f1"] = counts.reshape(len(truth), 3, -1).sum(axis=2), Share(_f1)
    found["macro_f1"] = counts, Share(macro)
    if sides:
        found["f_avg"] = f1_parts(truth[:, list(sides)], decided[:, list(sides)]), Share(every)
    found["log_loss"] = with_rows(log_losses(truth, probabilities, kind)), mean
    found["brier"] = with_rows(squares(truth, probabilities, kind)), mean
    return found


def label_f1(truth: Booleans, decided: Booleans, label: int) -> Summed:
    """F1 of the label in one column, in which only the rows where it is coded or decided take part. Arrays are [rows, labels]."""
    return f1_parts(truth[:, [label]], decided[:, [label]]), Share(_f1)


def f1_parts(truth: Booleans, decided: Booleans) -> Floats:
    """Whether each label is rightly given, wrongly given, and missed. [rows, labels] → [rows, 3 · labels]"""
    return np.concatenate([truth & decided, decided & ~truth, truth & ~decided], axis=1).astype(np.float64)


def log_losses(truth: Booleans, probabilities: Floats, kind: Kind) -> Floats:
    """Each row's part of the log loss. [rows, labels] each → [rows]"""
    clipped = np.clip(probabilities, 1e-9, 1 - 1e-9)
    if kind == "exclusive":
        return np.asarray(-(truth * np.log(clipped)).sum(axis=1))
    return np.asarray(-np.where(truth, np.log(clipped), np.log(1 - clipped)).mean(axis=1))


def squares(truth: Booleans, probabilities: Floats, kind: Kind) -> Floats:
    """Each row's part of the Brier score. [rows, labels] each → [rows]"""
    squared = (probabilities - truth) ** 2
    return np.asarray(squared.sum(axis=1) if kind == "exclusive" else squared.mean(axis=1))


def with_rows(values: Floats) -> Floats:
    """Values and a 1 beside each, so that their sums give a mean. [rows] → [rows, 2]"""
    return np.column_stack([values, np.ones(len(values))])


def mean(sums: Floats) -> Floats:
    """Of what `with_rows` gave. [..., 2] → [...]"""
    return np.asarray(sums[..., 0] / sums[..., 1])


def _f1(sums: Floats) -> Floats:
    return f1(sums[..., 0], sums[..., 1], sums[..., 2])


def _counts(sums: Floats) -> tuple[Floats, Floats, Floats]:
    both, wrong, missed = np.split(sums, 3, axis=-1)
    return both, wrong, missed


def micro(sums: Floats) -> Floats:
    """Micro-F1 of sums of `f1_parts`. [..., 3 · labels] → [...]"""
    return f1(*(counts.sum(axis=-1) for counts in _counts(sums)))


def macro(sums: Floats) -> Floats:
    """Macro-F1 of sums of `f1_parts`. [..., 3 · labels] → [...]"""
    both, wrong, missed = _counts(sums)
    # as in metrics.macro_f1, of each resample
    seen = (both + wrong + missed > 0).sum(axis=-1)
    return np.asarray(f1(both, wrong, missed).sum(axis=-1) / np.maximum(seen, 1))


def every(sums: Floats) -> Floats:
    """Mean F1 of all labels of sums of `f1_parts`. [..., 3 · labels] → [...]"""
    return np.asarray(f1(*_counts(sums)).mean(axis=-1))
