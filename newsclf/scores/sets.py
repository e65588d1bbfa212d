"""Sets of labels that together hold the right one, for exclusive tasks: what a config says of them, and what a bundle holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, get_args

import numpy as np
from pydantic import Field

from newsclf.errors import DataError
from newsclf.scores.abstain import Method, conformal_sets, conformal_threshold
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.thresholds import in_percent
from newsclf.spec import Spec


class SetsSpec(Spec):
    """Sets of labels beside the one label of an exclusive task, with thresholds chosen on held-out rows."""

    coverage: float = Field(default=0.9, gt=0, lt=1)
    """Share of the articles whose set is to hold the right label, among articles drawn as the training rows were."""

    method: Method = "lac"
    """lac: the smallest sets on average, of which some may be empty. aps: none is empty, and doubtful articles are held as often as sure ones are."""

    by_class: bool = False
    """The share is to be reached among the articles of each label, which takes enough rows of each."""


@dataclass(frozen=True)
class LabelSets:
    """Gives each article the set of labels that may be the right one; `str` says what the sets promise.

    The promise is for articles that are exchangeable with the held-out ones (Vovk, Gammerman & Shafer 2005), as those of new outlets, later years or
    other subjects are not: scripts/simulate_abstention.py prints how much less sets for 90 % then hold. Keep outlets apart in the folds
    (`split.keep_together`) where the model is to read new ones. The model in use has seen all rows and those of the folds fewer, so that the promise
    is close, not exact.
    """

    coverage: float
    """Share of the sets that are to hold the right label."""

    method: Method
    thresholds: Floats
    """How unlike an article a label may be and still stand in its set. [labels]"""

    size: float
    """Labels in a set, on average over the held-out rows."""

    by_class: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.coverage < 1:
            raise ValueError(f"the coverage of sets is a share: it must be between 0 and 1, not {self.coverage}")
        if self.method not in get_args(Method):
            raise ValueError(f"the method of sets must be one of {', '.join(get_args(Method))}, not {self.method!r}")
        if not (np.isfinite(self.thresholds) & (self.thresholds >= 0)).all():
            raise ValueError(f"the thresholds of sets must be 0 or more, not {self.thresholds.tolist()}")

    def __call__(self, probabilities: Floats) -> Booleans:
        """Which labels stand in the set of each article. [articles, labels] → [articles, labels]

        It goes by the probabilities alone, and so gives a set where the decision abstains too. An empty set (lac) says that no label is as likely as
        right ones are.
        """
        return conformal_sets(_fitness(probabilities, self.method), self.thresholds)

    def __str__(self) -> str:
        among = "articles of each label" if self.by_class else "articles"
        empty = " (some are empty: the model is right more often than that; ask for more coverage, or for aps)" if self.size < 1 else ""
        return (
            f"sets of labels ({self.method}) that hold the right one for {in_percent(self.coverage)} of {among}, with {self.size:.3g} labels on "
            f"average on the held-out rows{empty}; this is promised for articles that are exchangeable with the training rows, which those of new "
            "outlets, later years or other subjects are not"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values; floats are written so that they read back exactly."""
        return {**vars(self), "thresholds": self.thresholds.tolist()}

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> Self:
        """The sets that `as_dict` wrote; raises ValueError or TypeError for what are none."""
        return cls(**{**values, "thresholds": np.array(values["thresholds"], np.float64)})


def choose_sets(probabilities: Floats, truth: Booleans, spec: SetsSpec, names: Sequence[str]) -> LabelSets:
    """The sets that a spec asks for, on held-out calibrated probabilities of an exclusive task. [rows, labels] each

    Raises DataError where there are too few rows, naming the labels where each needs its own.
    """
    needed = math.ceil(spec.coverage / (1 - spec.coverage) - 1e-9)  # the largest of so many rows is the threshold
    few = [f"{name!r} ({rows})" for name, rows in zip(names, truth.sum(axis=0).tolist(), strict=True) if rows < needed]
    if spec.by_class and few:
        raise DataError(
            f"sets that hold the right label for {in_percent(spec.coverage)} of the articles of each label (decision.sets.by_class) need {needed} "
            f"held-out rows of it or more; there are fewer of {', '.join(few)}. Code more of them, ask for less coverage, or leave by_class out."
        )
    thresholds = conformal_threshold(_fitness(probabilities, spec.method), truth, coverage=spec.coverage, by_class=spec.by_class)
    sets = LabelSets(spec.coverage, spec.method, thresholds, size=0.0, by_class=spec.by_class)
    return replace(sets, size=float(sets(probabilities).sum(axis=1).mean()))


def _fitness(probabilities: Floats, method: Method) -> Floats:
    """How well each label fits each article, from 0 to 1: a set holds those that fit well enough. [articles, labels]

    lac: its probability. aps: what the labels that are more probable leave of 1. The aps of Romano, Sesia & Candès 2020 takes a random share of the
    label's own probability off too, and would give one article two sets; with none of it the likeliest label is in every set, and where the model is
    right more often than was asked for, the sets cover as much as that. (With all of it, the set has every label as soon as the least probable one is
    right more often than sets may miss.)
    """
    if method == "lac":
        return probabilities
    order = np.argsort(-probabilities, axis=1, kind="stable")  # of equals the first in the codebook, as in the decision
    ranked = np.take_along_axis(probabilities, order, axis=1)
    fitness = np.empty_like(ranked)
    np.put_along_axis(fitness, order, 1 - (np.cumsum(ranked, axis=1) - ranked), axis=1)
    return np.clip(fitness, 0, 1)  # rounded sums may be a little above 1
