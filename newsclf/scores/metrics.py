"""Metrics of decisions and probabilities against coded labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["exclusive", "multi"]
Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]


def f1_counts(truth: Booleans, decided: Booleans) -> tuple[Floats, Floats, Floats]:
    """True positives, false positives and false negatives of each label. [labels] each"""
    both = (truth & decided).sum(axis=0).astype(np.float64)
    return both, decided.sum(axis=0) - both, truth.sum(axis=0) - both


def f1(both: Floats, wrong: Floats, missed: Floats) -> Floats:
    """F1 = 2 tp / (2 tp + fp + fn), 0 where a label is neither coded nor decided (van Rijsbergen 1979)."""
    total = 2 * both + wrong + missed
    return np.divide(2 * both, total, out=np.zeros_like(total), where=total > 0)


def micro_f1(truth: Booleans, decided: Booleans) -> float:
    """F1 over all (article, label) pairs at once; for exclusive tasks where no article abstains it equals accuracy. Arrays are [articles, labels]."""
    both, wrong, missed = (counts.sum(keepdims=True) for counts in f1_counts(truth, decided))
    return float(f1(both, wrong, missed)[0])


def macro_f1(truth: Booleans, decided: Booleans) -> float:
    """Mean of the labels' F1, over the labels that are coded or decided at least once. Arrays are [articles, labels]."""
    # a label that neither side has would count as an error that nobody made
    seen = truth.any(axis=0) | decided.any(axis=0)
    return float(f1(*f1_counts(truth, decided))[seen].mean()) if seen.any() else 0.0


def log_loss(truth: Booleans, probabilities: Floats, kind: Kind) -> float:
    """Mean negative log-likelihood: an article for exclusive tasks, an (article, label) pair for multi-label ones."""
    # a certain error costs 21, not infinity
    clipped = np.clip(probabilities, 1e-9, 1 - 1e-9)
    if kind == "exclusive":
        return float(-np.log(clipped[truth]).mean())
    return float(-(truth * np.log(clipped) + ~truth * np.log(1 - clipped)).mean())


def brier(truth: Booleans, probabilities: Floats, kind: Kind) -> float:
    """Brier score (1950): squared error summed over labels for exclusive tasks, a mean over (article, label) pairs for multi-label ones."""
    squared = (probabilities - truth) ** 2
    return float(squared.sum(axis=1).mean() if kind == "exclusive" else squared.mean())


def summary(truth: Booleans, probabilities: Floats, decided: Booleans, kind: Kind) -> dict[str, float]:
    """The headline metrics of a test set. Arrays are [articles, labels]; raises ValueError for an empty set."""
    if not len(truth):
        raise ValueError("metrics of no articles")
    scores = {"accuracy": float((truth == decided).all(axis=1).mean())} if kind == "exclusive" else {}
    return scores | {
        "micro_f1": micro_f1(truth, decided),
        "macro_f1": macro_f1(truth, decided),
        "log_loss": log_loss(truth, probabilities, kind),
        "brier": brier(truth, probabilities, kind),
    }


def per_label(truth: Booleans, decided: Booleans, names: Sequence[str]) -> list[dict[str, float | str]]:
    """Precision, recall, F1 and support of each label."""
    both, wrong, missed = f1_counts(truth, decided)
    scores = f1(both, wrong, missed)
    return [
        {
            "label": name,
            "precision": float(both[k] / max(both[k] + wrong[k], 1)),
            "recall": float(both[k] / max(both[k] + missed[k], 1)),
            "f1": float(scores[k]),
            "support": int(truth[:, k].sum()),
            "decided": int(decided[:, k].sum()),
        }
        for k, name in enumerate(names)
    ]


def f_avg(truth: Booleans, decided: Booleans, columns: Sequence[int]) -> float:
    """Mean F1 of some of the labels, for stance FAVOR and AGAINST (Mohammad et al. 2016, SemEval-2016 Task 6)."""
    return float(f1(*f1_counts(truth, decided))[list(columns)].mean())
