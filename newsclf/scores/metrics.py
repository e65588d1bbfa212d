"""Metrics of decisions and probabilities against coded labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["exclusive", "multi"]
Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]

ROUNDING = 1e-6
"""How far below 0 or above 1 a probability may be that was added up in single precision."""


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


def accuracy(truth: Booleans, decided: Booleans) -> float:
    """Share of the articles with exactly the coded labels; one that abstains has not. Arrays are [articles, labels]; raises ValueError for none."""
    if not len(truth):
        raise ValueError("accuracy of no articles")
    return float((truth == decided).all(axis=1).mean())


def averages(truth: Booleans, decided: Booleans) -> dict[str, float]:
    """Precision, recall and F1 over the labels, as in {"macro_precision": 0.7}: micro, macro and weighted. Arrays are [articles, labels].

    Micro counts all (article, label) pairs at once; macro is the mean over the labels that are coded or decided at least once; weighted is the
    mean weighted by how often each label is coded. What has no denominator is 0. Macro-F1 is the mean of the labels' F1, not the F1 of the means
    (Opitz & Burst 2019, "Macro F1 and Macro F1").
    """
    both, wrong, missed = f1_counts(truth, decided)
    coded = both + missed
    seen = (coded + wrong > 0).astype(np.float64)
    each = {"precision": _ratio(both, both + wrong), "recall": _ratio(both, coded), "f1": f1(both, wrong, missed)}
    pooled = [counts.sum(keepdims=True) for counts in (both, wrong, missed)]
    micro = {"precision": _ratio(pooled[0], pooled[0] + pooled[1]), "recall": _ratio(pooled[0], pooled[0] + pooled[2]), "f1": f1(*pooled)}
    found = {f"micro_{name}": float(value[0]) for name, value in micro.items()}
    for average, weights in (("macro", seen), ("weighted", coded)):
        found |= {f"{average}_{name}": float(values @ weights / max(weights.sum(), 1)) for name, values in each.items()}
    return found


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


def with_ancestors(labels: Booleans, parents: Sequence[int | None]) -> Booleans:
    """Every label's ancestors along with it; `parents` has the column of each label's parent, None for a label without one. [articles, labels]

    Raises ValueError for parents that are no columns or go in a circle.
    """
    if len(parents) != labels.shape[1] or any(parent is not None and not 0 <= parent < len(parents) for parent in parents):
        raise ValueError(f"each of {labels.shape[1]} labels needs the column of its parent, from 0, or None; they were {list(parents)}")
    grown = labels.copy()
    for label in range(len(parents)):
        above, steps = parents[label], 0
        while above is not None:
            if (steps := steps + 1) > len(parents):
                raise ValueError(f"the parents of the label in column {label} go in a circle: {list(parents)}")
            grown[:, above] |= labels[:, label]
            above = parents[above]
    return grown


def hierarchical(truth: Booleans, decided: Booleans, parents: Sequence[int | None]) -> dict[str, float]:
    """Hierarchical precision, recall and F1: micro averages after each side's labels were joined by their ancestors. Arrays are [articles, labels].

    A wrong label under the right parent is half right (Kiritchenko et al. 2006, "Learning and Evaluation in the Presence of Class Hierarchies";
    recommended by Silla & Freitas 2011). The parent of a label is a column, None at the top, which is not counted. Raises as `with_ancestors`.
    """
    found = averages(with_ancestors(truth, parents), with_ancestors(decided, parents))
    return {f"hierarchical_{name}": found[f"micro_{name}"] for name in ("precision", "recall", "f1")}


def check_probabilities(truth: Booleans, probabilities: Floats) -> None:
    """Raise ValueError unless there are articles, and a probability from 0 to 1 (give or take rounding) of each of their labels."""
    if truth.shape != probabilities.shape:
        raise ValueError(
            f"a metric takes a probability of each article's labels: truth is {truth.shape}, the probabilities are {probabilities.shape}"
        )
    if not truth.size:
        raise ValueError(f"metrics of no articles or no labels: the arrays are {truth.shape}")
    outside = ~((probabilities >= -ROUNDING) & (probabilities <= 1 + ROUNDING))  # NaN compares false
    if outside.any():
        row, label = np.argwhere(outside)[0].tolist()
        value = probabilities[row, label]
        raise ValueError(f"probabilities are from 0 to 1; {outside.sum()} are not, the first in row {row}, column {label}, which is {value}")


def log_loss(truth: Booleans, probabilities: Floats, kind: Kind) -> float:
    """Mean negative log-likelihood: an article for exclusive tasks, an (article, label) pair for multi-label ones.

    Arrays are [articles, labels]; raises ValueError for what is no probability and for no articles.
    """
    check_probabilities(truth, probabilities)
    # a certain error costs 21, not infinity
    clipped = np.clip(probabilities, 1e-9, 1 - 1e-9)
    if kind == "exclusive":
        return float(-np.log(clipped[truth]).mean())
    return float(-(truth * np.log(clipped) + ~truth * np.log(1 - clipped)).mean())


def brier(truth: Booleans, probabilities: Floats, kind: Kind) -> float:
    """Brier score (1950): squared error summed over labels for exclusive tasks, a mean over (article, label) pairs for multi-label ones.

    Arrays are [articles, labels]; raises ValueError for what is no probability and for no articles.
    """
    check_probabilities(truth, probabilities)
    squared = (probabilities - truth) ** 2
    return float(squared.sum(axis=1).mean() if kind == "exclusive" else squared.mean())


def summary(truth: Booleans, probabilities: Floats, decided: Booleans, kind: Kind) -> dict[str, float]:
    """The headline metrics of a test set. Arrays are [articles, labels]; raises ValueError for an empty set."""
    if not len(truth):
        raise ValueError("metrics of no articles")
    scores = {"accuracy": accuracy(truth, decided)} if kind == "exclusive" else {}
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
