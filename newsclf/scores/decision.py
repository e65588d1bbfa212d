"""From probabilities to labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field

from newsclf.scores.metrics import Booleans, Floats, Kind, f1
from newsclf.spec import Spec

Rule = Literal["per_label_f1", "micro_f1"]
PRIOR_ROWS = 2.0
"""Positive rows that the threshold of all labels together counts for: the fewer a label has, the more it costs to leave that threshold."""


class DecisionSpec(Spec):
    """How labels are decided from probabilities. Exclusive tasks take the most probable label, unless it is not probable enough."""

    threshold: Rule | Annotated[float, Field(ge=0, le=1)] = "per_label_f1"
    """Multi-label: the probability from which a label is given; a number for all labels, or chosen on held-out scores: per_label_f1 or micro_f1."""

    abstain_below: float = Field(default=0.0, ge=0, le=1)
    """Exclusive: answer with no label where the most probable one is less probable than this."""

    abstain_unmentioned: bool = False
    """Stance: answer with no label where the article mentions neither the target nor one of its aliases."""


def choose_thresholds(probabilities: Floats, truth: Booleans, rule: Rule) -> Floats:
    """Thresholds that maximise F1 on held-out probabilities. [articles, labels] each → [labels]

    micro_f1: one for all labels. per_label_f1: one for each label (Lipton, Elkan & Naryanaswamy 2014), shrunk toward the common one, because the
    best threshold of a label with a dozen rows is mostly noise.
    """
    common = _best_threshold(probabilities.ravel(), truth.ravel(), 0.5, prior=0.0)
    if rule == "micro_f1":
        return np.full(truth.shape[1], common)
    return np.array([_best_threshold(probabilities[:, k], truth[:, k], common, prior=PRIOR_ROWS) for k in range(truth.shape[1])])


def _best_threshold(probabilities: Floats, truth: Booleans, otherwise: float, *, prior: float) -> float:
    """The threshold of the best F1; candidates lie halfway between neighbouring probabilities."""
    if not truth.any():
        return otherwise
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    both = np.cumsum(truth[order]).astype(np.float64)
    given = np.arange(1, len(order) + 1, dtype=np.float64)
    scores = f1(both, given - both, truth.sum() - both)
    last = np.append(np.diff(ranked) < 0, True)  # ties are given or withheld together
    following = np.append(ranked[1:], 0.0)
    halfway = (ranked + following) / 2
    # halfway between neighbouring floats is one of the two, and must not be the lower one
    cuts = np.where(last, np.where(halfway > following, halfway, ranked), np.nan)
    weight = truth.sum() / (truth.sum() + prior)
    penalty = (1 - weight) * np.abs(_logit(cuts) - _logit(np.array([otherwise])))
    value = np.where(last, weight * scores - penalty, -np.inf)
    return float(cuts[int(np.argmax(value))])


def _logit(values: Floats) -> Floats:
    clipped = np.clip(values, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


@dataclass(frozen=True)
class Decision:
    """Gives labels to probabilities, by the same rule in evaluation and in use."""

    kind: Kind
    thresholds: Floats
    """[labels]"""

    abstain_below: float = 0.0
    fewest: int = 0
    most: int | None = None
    abstain_unmentioned: bool = False

    def __post_init__(self) -> None:
        # written so that NaN, which is neither below nor above, is refused too
        if not ((self.thresholds >= 0) & (self.thresholds <= 1)).all():
            raise ValueError(f"thresholds are probabilities: each must be from 0 to 1, not {self.thresholds.tolist()}")
        if not 0 <= self.abstain_below <= 1:
            raise ValueError(f"abstain_below is a probability: it must be from 0 to 1, not {self.abstain_below}")

    def __call__(self, probabilities: Floats, mentioned: Booleans | None = None) -> Booleans:
        """Which labels are given. [articles, labels] → [articles, labels]; an exclusive row without any abstains.

        `mentioned` tells for stances whether the article speaks of the target. [articles]
        """
        if self.kind == "exclusive":
            most_probable = np.arange(probabilities.shape[1]) == probabilities.argmax(axis=1)[:, None]
            given = most_probable & (probabilities >= self.abstain_below)
            return np.asarray(given & mentioned[:, None] if self.abstain_unmentioned and mentioned is not None else given)
        given = probabilities >= self.thresholds
        # ranked by how far a label is above its own threshold, those that reach it first: `fewest` and `most` agree with the thresholds
        margins = _logit(probabilities) - _logit(self.thresholds)
        rank = np.argsort(np.lexsort((-margins, ~given)), axis=1)
        given = given | (rank < self.fewest)
        return np.asarray(given & (rank < self.most) if self.most is not None else given)

    def as_dict(self) -> dict[str, Any]:
        """Plain values; floats are written so that they read back exactly."""
        return {**asdict(self), "thresholds": self.thresholds.tolist()}

    @classmethod
    def of_dict(cls, kind: Kind, values: Mapping[str, Any]) -> Self:
        """The decision that `as_dict` wrote."""
        return cls(**{**values, "kind": kind, "thresholds": np.array(values["thresholds"], np.float64)})
