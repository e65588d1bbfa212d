"""When an exclusive task had better not answer: risk against coverage, and sets of labels instead of one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from newsclf.errors import DataError
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.thresholds import CONFIDENCE, OneOf, at_least, check_probabilities, in_percent, ranks

Method = Literal["lac", "aps"]
STARTS = (0.25, 0.5, 1.0)
"""Shares of the articles, the surest ones, that are tried first for an accuracy; fixed, because a start that the labels choose promises nothing."""


class AbstainSpec(OneOf):
    """From which probability on an exclusive task answers, chosen on held-out rows; one of the two."""

    accuracy: float | None = Field(default=None, gt=0, lt=1)
    """Share of the answers that are to be right: as few articles as that takes go to a person."""

    share: float | None = Field(default=None, ge=0, lt=1)
    """Share of the articles that may go to a person: the least sure ones."""


@dataclass(frozen=True)
class RiskCoverage:
    """How accurate the answers are when only the surest articles are answered (El-Yaniv & Wiener 2010). Arrays are [points], surest first."""

    below: Floats
    """Probability of the most probable label, of the last article that is answered: `abstain_below` of the point."""

    coverage: Floats
    """Share of the articles that are answered."""

    accuracy: Floats
    """Share of the answers that are right."""

    rows: int

    @property
    def area(self) -> float:
        """Area under the curve of risk (1 - accuracy) against coverage, a mean over articles (Geifman, Uziel & El-Yaniv 2019); less is better."""
        return float((np.diff(self.coverage, prepend=0.0) * (1 - self.accuracy)).sum())

    def accuracy_at(self, coverage: float) -> float:
        """Accuracy when the surest articles are answered, at least this share of them; raises ValueError for what is no share."""
        return float(self.accuracy[self.point(coverage)])

    def point(self, coverage: float) -> int:
        """The first point that answers at least this share; raises ValueError for what is no share."""
        if not 0 <= coverage <= 1:
            raise ValueError(f"coverage is a share of the articles: it must be from 0 to 1, not {coverage}")
        return int(np.argmax(self.coverage >= min(coverage, self.coverage[-1]) - 1e-12))


@dataclass(frozen=True)
class Abstention:
    """What is sent to a person, and what that buys; `str` says both."""

    below: float
    """Answer with no label where the most probable one is less probable than this."""

    share: float
    """Share of the held-out articles that go to a person."""

    accuracy: float
    """Share of the other held-out articles that are answered rightly."""

    promised: float
    """Lower confidence bound of that share on articles like these."""

    def __str__(self) -> str:
        return (
            f"send {100 * self.share:.3g} % to a person to reach {in_percent(self.promised)}: answering from p ≥ {self.below:.3g} on, "
            f"{in_percent(self.accuracy)} of the held-out answers are right, and of new ones like these at least {in_percent(self.promised)}, "
            f"with {in_percent(CONFIDENCE)} confidence"
        )


def risk_coverage(probabilities: Floats, truth: Booleans) -> RiskCoverage:
    """The curve on held-out probabilities of an exclusive task. [rows, labels] each; raises ValueError for what is not that."""
    _check_exclusive(probabilities, truth)
    right = truth[np.arange(len(truth)), probabilities.argmax(axis=1)]
    below, correct, answered = ranks(probabilities.max(axis=1), right)
    return RiskCoverage(below, answered / len(truth), correct / answered, len(truth))


def choose_abstention(probabilities: Floats, truth: Booleans, spec: AbstainSpec) -> Abstention:
    """From which probability on to answer, on held-out calibrated probabilities of an exclusive task. [rows, labels] each

    accuracy: as many answers as promise it, by fixed sequence testing (Angelopoulos et al. 2021, "Learn then Test"): from each of `STARTS` on, points
    of the curve are added for as long as a one-sided Clopper-Pearson bound promises the accuracy, each start with a third of the doubt (Bonferroni).
    The accuracy on articles drawn like these falls below the one asked for in one of ten data sets at most, whatever the probabilities are worth.
    Binary search (Geifman & El-Yaniv 2017) answers less: of 300 simulated rows 49 % instead of 57 % for an accuracy of .9, and for .95 it answers in
    1 % of the data sets instead of 54 % (those of scripts/simulate_abstention.py).
    share: the least sure articles, at most this share of them; the promise is the bound of that one point.

    Raises DataError where the accuracy cannot be promised, saying what can be; ValueError for what are no held-out probabilities.
    """
    curve = risk_coverage(probabilities, truth)
    answered = np.rint(curve.coverage * curve.rows)
    right = np.rint(curve.accuracy * answered)
    if spec.accuracy is None:
        point = curve.point(1 - float(spec.share or 0))
        return _abstention(curve, point, float(at_least(right[point], answered[point])))
    promised = at_least(right, answered, 1 - (1 - CONFIDENCE) / len(STARTS))
    starts = [curve.point(share) for share in STARTS]
    found = max((_last_in_a_row(promised >= spec.accuracy, start) for start in starts if promised[start] >= spec.accuracy), default=None)
    if found is None:
        best = max(starts, key=lambda point: float(promised[point]))
        raise DataError(
            f"an accuracy of {in_percent(spec.accuracy)} cannot be promised (decision.abstain.accuracy): from {curve.rows} held-out rows, of which "
            f"{in_percent(float(curve.accuracy[-1]))} are answered rightly, the most is {in_percent(float(promised[best]))}, with "
            f"{100 * (1 - curve.coverage[best]):.3g} % sent to a person. Ask for less, code more articles, or say with decision.abstain.share how "
            "many a person can read."
        )
    return _abstention(curve, found, float(promised[found]))


def conformal_threshold(
    probabilities: Floats,
    truth: Booleans,
    *,
    coverage: float,
    method: Method = "lac",
    by_class: bool = False,
    chance: np.random.Generator | None = None,
) -> Floats:
    """How unlike its row a label may be and still stand in the row's set: the ⌈(n + 1) · coverage⌉th smallest of n held-out rows. [labels]

    Sets made with it have the row's own label in them with the stated probability, over held-out rows and new ones that are exchangeable, whatever
    the model (Vovk, Gammerman & Shafer 2005); new outlets are not exchangeable with old ones. Arrays are [rows, labels] of an exclusive task.

    lac: 1 - the label's probability, the smallest sets on average (Sadinle, Lei & Wasserman 2019). aps: the probability of all labels that are more
    probable, and of its own a share that `chance` draws for each row (Romano, Sesia & Candès 2020), so that hard rows get larger sets; without
    `chance` the whole of it, which may cover more than was asked for. by_class: the promise holds within each label (Mondrian), from its rows alone.

    Raises DataError where there are too few rows, ValueError for what are no held-out probabilities or no coverage.
    """
    _check_exclusive(probabilities, truth)
    if not 0 < coverage < 1:
        raise ValueError(f"coverage is the share of sets that hold the right label: it must be between 0 and 1, not {coverage}")
    unlike = _unlike(probabilities, method, chance)
    labels = truth.shape[1]
    if not by_class:
        return np.full(labels, _quantile(unlike[truth], coverage))
    return np.array([_quantile(unlike[truth[:, k], k], coverage, where=f"the label of column {k}: ") for k in range(labels)])


def conformal_sets(probabilities: Floats, threshold: Floats, *, method: Method = "lac", chance: np.random.Generator | None = None) -> Booleans:
    """Which labels stand in each row's set, which may be empty. [rows, labels], [labels] → [rows, labels]

    `method` and `chance` are those of the threshold. Raises ValueError for what are no probabilities or not one threshold for each label.
    """
    check_probabilities(probabilities)
    if threshold.shape != probabilities.shape[1:] or np.isnan(threshold).any():
        raise ValueError(f"one threshold is needed for each of {probabilities.shape[1]} labels, not {threshold.tolist()}")
    return np.asarray(_unlike(probabilities, method, chance) <= threshold)


def _unlike(probabilities: Floats, method: Method, chance: np.random.Generator | None) -> Floats:
    """How unlike each row each label is: the nonconformity scores. [rows, labels]"""
    if method == "lac":
        return np.asarray(1 - probabilities)
    if method != "aps":
        raise ValueError(f"the method of conformal sets is 'lac' or 'aps', not {method!r}")
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1)
    own = chance.random((len(ranked), 1)) if chance is not None else np.ones((len(ranked), 1))
    scores = np.empty_like(ranked)
    np.put_along_axis(scores, order, np.cumsum(ranked, axis=1) - (1 - own) * ranked, axis=1)
    return scores


def _quantile(values: Floats, coverage: float, *, where: str = "") -> float:
    rank = math.ceil((len(values) + 1) * coverage - 1e-9)
    if rank > len(values):
        needed = math.ceil(coverage / (1 - coverage) - 1e-9)
        raise DataError(
            f"{where}sets that hold the right label {in_percent(coverage)} of the time need {needed} held-out rows or more; there are {len(values)}. "
            "Code more articles, or ask for less coverage."
        )
    return float(np.sort(values)[rank - 1])


def _last_in_a_row(reached: Booleans, start: int) -> int:
    """The last point before the first that does not reach, from one that does. [points]"""
    return start + int(np.argmin(np.append(reached[start:], False))) - 1


def _abstention(curve: RiskCoverage, point: int, promised: float) -> Abstention:
    # where all are answered, one that is less sure than any of these is answered too
    below = float(curve.below[point]) if point < len(curve.below) - 1 else 0.0
    return Abstention(below, float(1 - curve.coverage[point]), float(curve.accuracy[point]), promised)


def _check_exclusive(probabilities: NDArray[Any], truth: NDArray[Any]) -> None:
    check_probabilities(probabilities, truth)
    if not len(truth):
        raise ValueError("there are no held-out rows to choose on")
    if truth.shape[1] < 2:
        raise ValueError("an exclusive task has two labels or more; the probabilities are those of one")
    odd = np.flatnonzero(truth.sum(axis=1) != 1)
    if len(odd):
        raise ValueError(f"a row of an exclusive task has one label: row {odd[0]} has {truth[odd[0]].sum()}")
