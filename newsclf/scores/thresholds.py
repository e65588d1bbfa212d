"""From what probability on a label is given: thresholds chosen on held-out probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, model_validator
from scipy.special import betaincinv

from newsclf.scores.metrics import Booleans, Floats, f1
from newsclf.spec import Spec, Tree

Rule = Literal["per_label_f1", "micro_f1"]
PRIOR_ROWS = 2.0
"""Positive rows that the threshold of all labels together counts for: the fewer a label has, the more it costs to leave that threshold."""

CONFIDENCE = 0.9
"""How sure a promise made from held-out rows is: of ten of them, one may be broken by the luck of which rows were coded."""

NEVER = 1.0
"""Threshold of a label that is not given: only certainty reaches it."""


def _one_key(schema: Tree) -> None:
    schema["oneOf"] = [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in schema["properties"]]


class OneOf(Spec):
    """A block of which exactly one key is given."""

    model_config = ConfigDict(json_schema_extra=_one_key)

    @model_validator(mode="after")
    def _one(self) -> Self:
        names = list(type(self).model_fields)
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"exactly one of {', '.join(names)} is needed here, not {' and '.join(given) or 'none'}")
        return self


class Costs(Spec):
    """What the two kinds of error cost, in any unit: only their ratio counts."""

    false_positive: float = Field(gt=0)
    """Cost of a label that is given and should not be."""

    false_negative: float = Field(gt=0)
    """Cost of a label that is not given and should be."""


class Target(OneOf):
    """What the thresholds of a multi-label task are to reach; one of the three."""

    precision: float | None = Field(default=None, gt=0, lt=1)
    """Of the articles that a label is given to, the share that has it: the lowest threshold that reaches it; a label that cannot is never given."""

    recall: float | None = Field(default=None, gt=0, lt=1)
    """Of the articles that have a label, the share that it is given to: the highest threshold that reaches it."""

    cost: Costs | None = None
    """The threshold of the least expected cost, by Bayes' rule: false_positive / (false_positive + false_negative)."""


@dataclass(frozen=True)
class Thresholds:
    """Chosen thresholds, and what they cannot hold."""

    values: Floats
    """[labels]"""

    short: Mapping[int, str] = field(default_factory=dict)
    """Column of a label that the target cannot be promised for → a sentence without its name: what can be, and what is done instead."""

    def warnings(self, names: Sequence[str]) -> list[str]:
        """A sentence for each label that falls short of the target."""
        return [f"the label {names[column]!r}: {sentence}" for column, sentence in self.short.items()]


def choose_thresholds(probabilities: Floats, truth: Booleans, rule: Rule | Target | float) -> Thresholds:
    """The thresholds of a rule, on held-out calibrated probabilities. [articles, labels] each

    * a number: that one for every label.
    * micro_f1: the one of the best F1 over all labels. per_label_f1: one for each label (Lipton, Elkan & Naryanaswamy 2014), shrunk toward the common
      one, because the best threshold of a label with a dozen rows is mostly noise.
    * precision p: the lowest threshold at which the lower confidence bound of a label's precision (Clopper & Pearson 1934, one-sided, `CONFIDENCE`)
      reaches p. The bound holds for one threshold; taking the lowest of many breaks 3 to 12 of a hundred promises instead of 10 (simulated, as in
      scripts/simulate_abstention.py, with 300 to 4,000 rows). Bounds for all thresholds at once broke few, and gave most labels of 20 to 80 rows to
      no article. Where no threshold reaches p, the label is never given.
    * recall r: the highest threshold at which the lower confidence bound of recall reaches r; exact, whatever the distribution (Wilks 1941). Where a
      label has too few rows to promise it, it is given from its least probable row on, or always where it has none.
    * cost: Bayes' rule (Elkan 2001). What costs least on a dozen rows is mostly noise, and calibrated probabilities already are what all rows say.

    Raises ValueError for what are no probabilities; for precision and recall also where there are no rows.
    """
    labels = truth.shape[-1]
    if isinstance(rule, (int, float)):
        return Thresholds(np.full(labels, float(rule)))
    check_probabilities(probabilities, truth)
    if isinstance(rule, Target):
        return _reach(probabilities, truth, rule)
    common = _best_threshold(probabilities.ravel(), truth.ravel(), 0.5, prior=0.0)
    if rule == "micro_f1":
        return Thresholds(np.full(labels, common))
    return Thresholds(np.array([_best_threshold(probabilities[:, k], truth[:, k], common, prior=PRIOR_ROWS) for k in range(labels)]))


def check_probabilities(probabilities: NDArray[Any], truth: NDArray[Any] | None = None) -> None:
    """Raise ValueError, in a sentence, for what are not [rows, labels] probabilities or for truth that is not their truth."""
    if probabilities.ndim != 2:
        raise ValueError(f"probabilities are a table of rows and labels; this has {probabilities.ndim} dimensions, not 2")
    if truth is not None and (truth.shape != probabilities.shape or truth.dtype != np.bool_):
        raise ValueError(f"truth is a table of booleans like that of the probabilities, {probabilities.shape}, not {truth.dtype} {truth.shape}")
    inside = (probabilities >= 0) & (probabilities <= 1)  # NaN is neither
    if not inside.all():
        row, column = np.argwhere(~inside)[0].tolist()
        raise ValueError(f"a probability is from 0 to 1: row {row}, column {column} is {probabilities[row, column]}")


def at_least(right: NDArray[Any], rows: NDArray[Any] | int, confidence: float = CONFIDENCE) -> Floats:
    """Lower confidence bound of a share of which `right` of `rows` are seen (Clopper & Pearson 1934, one-sided). Any shape; rows ≥ 1."""
    right = np.asarray(right, np.float64)
    # no row right promises nothing; the beta distribution has no such parameter
    return np.where(right > 0, betaincinv(np.maximum(right, 1), rows - right + 1, 1 - confidence), 0.0)


def in_percent(share: float) -> str:
    """'95.2 %': rounded down, so that it does not say more than the number."""
    return f"{math.floor(1000 * share + 1e-9) / 10:g} %"


def logit(values: Floats) -> Floats:
    """Log odds, of probabilities kept a millionth away from 0 and 1."""
    clipped = np.clip(values, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _reach(probabilities: Floats, truth: Booleans, target: Target) -> Thresholds:
    labels = truth.shape[1]
    if target.cost:
        return Thresholds(np.full(labels, target.cost.false_positive / (target.cost.false_positive + target.cost.false_negative)))
    if not len(truth):
        raise ValueError("thresholds for a precision or a recall are chosen on held-out rows, and there are none")
    choose, asked = (_precise, target.precision) if target.precision is not None else (_complete, target.recall)
    found = [choose(probabilities[:, k], truth[:, k], float(asked or 0)) for k in range(labels)]
    return Thresholds(np.array([value for value, _ in found]), {k: sentence for k, (_, sentence) in enumerate(found) if sentence})


def _precise(probabilities: Floats, truth: Booleans, asked: float) -> tuple[float, str]:
    """The lowest threshold that promises a precision, and a sentence where there is none."""
    ranked, right, given = ranks(probabilities, truth)
    promised = at_least(right, given)
    reached = np.flatnonzero(promised >= asked)
    if len(reached):
        return float(ranked[reached[-1]]), ""
    return NEVER, _short("precision", asked, float(promised.max()), truth, "so it is never given")


def _complete(probabilities: Floats, truth: Booleans, asked: float) -> tuple[float, str]:
    """The highest threshold that promises a recall, and a sentence where there is none."""
    own = np.sort(probabilities[truth])
    if not len(own):
        return 0.0, _short("recall", asked, 0.0, truth, "so it is always given")
    found = np.arange(len(own), 0, -1)  # with the threshold at each of its rows
    promised = at_least(found, len(own))
    reached = np.flatnonzero(promised >= asked)
    if len(reached):
        return float(own[reached[-1]]), ""
    return float(own[0]), _short("recall", asked, float(promised[0]), truth, f"so it is given from its least probable row on, p ≥ {own[0]:.3g}")


def _short(measure: str, asked: float, best: float, truth: Booleans, instead: str) -> str:
    return (
        f"a {measure} of {in_percent(asked)} cannot be promised: from {truth.sum()} rows of it among {len(truth)} held-out ones, the most is "
        f"{in_percent(best)} with {in_percent(CONFIDENCE)} confidence, {instead}. Code more of it, or ask for less (decision.threshold.{measure})."
    )


def ranks(values: Floats, right: Booleans) -> tuple[Floats, Floats, Floats]:
    """Distinct values, the highest first; how many rows from each on are right, and how many there are. [distinct] each"""
    order = np.argsort(-values, kind="stable")
    ranked = values[order]
    last = np.flatnonzero(np.append(np.diff(ranked) < 0, True))  # ties are given or withheld together
    return ranked[last], np.cumsum(right[order])[last].astype(np.float64), (last + 1).astype(np.float64)


def _best_threshold(probabilities: Floats, truth: Booleans, otherwise: float, *, prior: float) -> float:
    """The threshold of the best F1; candidates lie halfway between neighbouring probabilities."""
    if not truth.any():
        return otherwise
    ranked, both, given = ranks(probabilities, truth)
    scores = f1(both, given - both, truth.sum() - both)
    following = np.append(ranked[1:], 0.0)
    halfway = (ranked + following) / 2
    # halfway between neighbouring floats is one of the two, and must not be the lower one
    cuts = np.where(halfway > following, halfway, ranked)
    weight = truth.sum() / (truth.sum() + prior)
    penalty = (1 - weight) * np.abs(logit(cuts) - logit(np.array([otherwise])))
    return float(cuts[int(np.argmax(weight * scores - penalty))])
