"""From probabilities to labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, model_validator

from newsclf.errors import ConfigError
from newsclf.scores.abstain import AbstainSpec, Abstention
from newsclf.scores.metrics import Booleans, Floats, Kind
from newsclf.scores.sets import LabelSets, SetsSpec
from newsclf.scores.thresholds import Rule, Target, logit
from newsclf.spec import Spec


class DecisionSpec(Spec):
    """How labels are decided from probabilities. Exclusive tasks take the most probable label, unless it is not probable enough."""

    threshold: Rule | Annotated[float, Field(ge=0, le=1)] | Target = "per_label_f1"
    """Multi-label: the probability from which a label is given; a number for all labels, or chosen on held-out scores: per_label_f1, micro_f1, or
    what they are to reach, as in {precision: 0.9}, {recall: 0.9} or {cost: {false_positive: 1, false_negative: 4}}."""

    abstain_below: float = Field(default=0.0, ge=0, le=1)
    """Exclusive: answer with no label where the most probable one is less probable than this."""

    abstain: AbstainSpec | None = None
    """Exclusive: `abstain_below` chosen on held-out scores, for the accuracy of the answers or the share of articles that go to a person."""

    sets: SetsSpec | None = None
    """Exclusive: beside the label, a set of labels that holds the right one for a stated share of the articles."""

    abstain_unmentioned: bool = False
    """Stance: answer with no label where the article mentions neither the target nor one of its aliases."""

    @model_validator(mode="after")
    def _one_way_to_abstain(self) -> Self:
        if self.abstain is not None and self.abstain_below > 0:
            raise ValueError("'abstain' chooses what 'abstain_below' says; keep one of the two")
        return self

    def check(self, kind: Kind, *, where: str = "the experiment") -> None:
        """Raise ConfigError, which begins with `where`, where what is to be reached is nothing that a task of this kind can reach."""
        if kind == "multi" and self.abstain is not None:
            raise ConfigError(f"{where}: 'decision.abstain' is for exclusive tasks; a multi-label one gives none below its thresholds: set those.")
        if kind == "multi" and self.sets is not None:
            raise ConfigError(f"{where}: 'decision.sets' is for exclusive tasks; a multi-label one gives sets of labels already: take it out.")
        if kind == "exclusive" and isinstance(self.threshold, Target):
            said = "'decision.threshold' is for multi-label tasks; an exclusive one takes the likeliest label: set 'decision.abstain'."
            raise ConfigError(f"{where}: {said}")


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
    abstention: Abstention | None = None
    """What choosing `abstain_below` found, where it was chosen."""

    sets: LabelSets | None = None
    """Gives sets of labels, where they were asked for: `decision.sets(probabilities)`."""

    def __post_init__(self) -> None:
        # written so that NaN, which is neither below nor above, is refused too
        if not ((self.thresholds >= 0) & (self.thresholds <= 1)).all():
            raise ValueError(f"thresholds are probabilities: each must be from 0 to 1, not {self.thresholds.tolist()}")
        if not 0 <= self.abstain_below <= 1:
            raise ValueError(f"abstain_below is a probability: it must be from 0 to 1, not {self.abstain_below}")
        if self.sets is not None and (self.kind != "exclusive" or self.sets.thresholds.shape != self.thresholds.shape):
            raise ValueError(f"sets are for exclusive tasks and need a threshold for each label; these are {self.sets.thresholds.tolist()}")

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
        margins = logit(probabilities) - logit(self.thresholds)
        rank = np.argsort(np.lexsort((-margins, ~given)), axis=1)
        given = given | (rank < self.fewest)
        return np.asarray(given & (rank < self.most) if self.most is not None else given)

    def as_dict(self) -> dict[str, Any]:
        """Plain values; floats are written so that they read back exactly."""
        more = {"abstention": self.abstention and asdict(self.abstention), "sets": self.sets and self.sets.as_dict()}
        rule = {name: value for name, value in vars(self).items() if name not in more}
        # what was not asked for leaves no key, so that a bundle without it is the one that it was before there were any
        return {**rule, "thresholds": self.thresholds.tolist()} | {name: value for name, value in more.items() if value is not None}

    @classmethod
    def of_dict(cls, kind: Kind, values: Mapping[str, Any]) -> Self:
        """The decision that `as_dict` wrote; raises ValueError or TypeError for what is none."""
        abstention, sets = values.get("abstention"), values.get("sets")
        found = {
            "abstention": None if abstention is None else Abstention(**{name: float(value) for name, value in dict(abstention).items()}),
            "sets": None if sets is None else LabelSets.of_dict(sets),
        }
        return cls(**{**values, **found, "kind": kind, "thresholds": np.array(values["thresholds"], np.float64)})
