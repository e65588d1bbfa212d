"""Numbers of test rows with their intervals, by resampling stories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from newsclf.learners.ngrams import Ids
from newsclf.scores.intervals import Share, cluster_interval
from newsclf.scores.metrics import Booleans, Floats, f1, with_ancestors
from newsclf.scores.parts import Summed, f1_parts


def named(metric: str) -> str:
    """A metric's name in words."""
    return metric.replace("_", " ").replace("f1", "F1")


def interval_of(metric: Summed, stories: Ids, *, resamples: int = 10_000) -> dict[str, Any]:
    """Estimate, low and high; the bounds are None where all rows are of one story: there is nothing to resample."""
    parts, statistic = metric
    if len(np.unique(stories)) < 2:
        return {"estimate": float(statistic(parts.sum(axis=0))), "low": None, "high": None}
    found = cluster_interval(parts, stories, statistic, resamples=resamples)
    return {"estimate": found.estimate, "low": found.low, "high": found.high}


def hierarchical_parts(truth: Booleans, decided: Booleans, parents: Sequence[int | None]) -> dict[str, Summed]:
    """The metrics of `metrics.hierarchical` by the same names, as functions of sums over rows. Arrays are [rows, labels]; raises as that does."""
    counts = f1_parts(with_ancestors(truth, parents), with_ancestors(decided, parents))
    pooled = counts.reshape(len(truth), 3, -1).sum(axis=2)  # [rows, (right, wrong, missed)]
    found = {"precision": _precision, "recall": _recall, "f1": _f1}
    return {f"hierarchical_{name}": (pooled, Share(statistic)) for name, statistic in found.items()}


def _precision(sums: Floats) -> Floats:
    return _share(sums[..., 0], sums[..., 0] + sums[..., 1])


def _recall(sums: Floats) -> Floats:
    return _share(sums[..., 0], sums[..., 0] + sums[..., 2])


def _f1(sums: Floats) -> Floats:
    return f1(sums[..., 0], sums[..., 1], sums[..., 2])


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
