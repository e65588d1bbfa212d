"""Metrics of the probabilities themselves: how well they rank the articles, and how far they keep their word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from newsclf.scores.metrics import Booleans, Floats, Kind, check_probabilities

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Articles with about the same probability of a label."""

    probability: float
    """Their mean."""

    observed: float
    """The share of them that have the label."""

    n: int

    def as_dict(self) -> dict[str, float]:
        """Plain JSON values."""
        return asdict(self)


def roc_auc(truth: Booleans, probabilities: Floats) -> list[float | None]:
    """Area under the ROC curve of each label: how often an article that has it is above one that has not, ties half (Hanley & McNeil 1982).

    None for a label that all articles have, or none. Arrays are [articles, labels]; raises ValueError for what is no probability and for no articles.
    """
    return _areas(truth, probabilities, _roc)


def pr_area(truth: Booleans, probabilities: Floats) -> list[float | None]:
    """Area under the precision-recall curve of each label as average precision, which does not interpolate (Davis & Goadrich 2006).

    By chance it is the label's share of the articles. None for a label that all articles have, or none. Arrays are [articles, labels]; raises
    ValueError for what is no probability and for no articles.
    """
    return _areas(truth, probabilities, _average_precision)


def _areas(truth: Booleans, probabilities: Floats, area: Callable[[Floats, Floats], float]) -> list[float | None]:
    check_probabilities(truth, probabilities)
    found: list[float | None] = []
    for coded, given in zip(truth.T, probabilities.T, strict=True):
        if not coded.any() or coded.all():
            found.append(None)
            continue
        # equal probabilities are one step of the curve
        _, step, articles = np.unique(-given, return_inverse=True, return_counts=True)
        having = np.bincount(step[coded], minlength=len(articles)).astype(np.float64)
        found.append(area(having, articles - having))
    return found


def _roc(having: Floats, others: Floats) -> float:
    """From how many articles with the label and without it are at each probability, from the highest down. [steps] each"""
    below = others.sum() - others.cumsum()
    return float(having @ (below + others / 2) / (having.sum() * others.sum()))


def _average_precision(having: Floats, others: Floats) -> float:
    precision = having.cumsum() / (having + others).cumsum()
    return float(having @ precision / having.sum())


def macro(values: Sequence[float | None]) -> float | None:
    """Mean of the labels' values, without the labels that have none; None where no label has one."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def bins(hits: Booleans, probabilities: Floats, *, most: int = BINS) -> list[Bin]:
    """Bins of about as many articles each, from the lowest probability up; equal probabilities share a bin. [articles] each

    Bins of equal mass suit probabilities that crowd at 0 (Nguyen & O'Connor 2015, "Posterior Calibration and Exploratory Analysis for Natural
    Language Processing Models"). Raises ValueError for what is no probability, no articles and no bins.
    """
    check_probabilities(hits[:, None], probabilities[:, None])
    if most < 1:
        raise ValueError(f"a reliability table takes one bin or more, and not {most}")
    ordered = np.sort(probabilities)
    firsts = ordered[np.arange(1, most) * len(ordered) // most]
    which = np.searchsorted(np.unique(firsts), probabilities, side="right")
    return [Bin(float(probabilities[which == at].mean()), float(hits[which == at].mean()), int((which == at).sum())) for at in np.unique(which)]


def reliability(truth: Booleans, probabilities: Floats, names: Sequence[str], *, most: int = BINS) -> dict[str, list[Bin]]:
    """The bins of each label by its name: where the observed share is off the mean probability, probabilities do not keep their word.

    Arrays are [articles, labels]; raises as `bins`.
    """
    check_probabilities(truth, probabilities)
    return {name: bins(truth[:, k], probabilities[:, k], most=most) for k, name in enumerate(names)}


def calibration_error(truth: Booleans, probabilities: Floats, kind: Kind, *, most: int = BINS) -> float:
    """Expected calibration error over bins of equal mass: by how much observed shares are off the mean probability, weighted by articles.

    Of the likeliest label for exclusive tasks (Guo et al. 2017, "On Calibration of Modern Neural Networks"), the mean over the labels' own errors for
    multi-label ones (Nixon et al. 2019, "Measuring Calibration in Deep Learning"). With few articles it is above 0 by chance even where every
    probability is right. Arrays are [articles, labels]; raises as `bins`.
    """
    check_probabilities(truth, probabilities)
    if kind == "exclusive":
        rows, top = np.arange(len(truth)), probabilities.argmax(axis=1)
        return _off(bins(truth[rows, top], probabilities[rows, top], most=most))
    return float(np.mean([_off(bins(truth[:, k], probabilities[:, k], most=most)) for k in range(truth.shape[1])]))


def _off(table: Sequence[Bin]) -> float:
    return float(np.average([abs(found.observed - found.probability) for found in table], weights=[found.n for found in table]))
