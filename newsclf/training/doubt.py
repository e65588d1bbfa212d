"""What doubtful articles cost: the surest answers alone, and sets of labels instead of one."""

from __future__ import annotations

from typing import Any

import numpy as np

from newsclf.bundle import Bundle
from newsclf.learners.ngrams import Ids
from newsclf.scores.abstain import RiskCoverage, risk_coverage
from newsclf.scores.intervals import Share
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.parts import mean, with_rows
from newsclf.training.measured import interval_of

POINTS = 100
"""Most points of the curve that are kept."""

SPARED = ((0.1, "tenth"), (0.2, "fifth"))
"""Shares of the articles, the least sure ones, that a person might read."""


def doubt(bundle: Bundle, truth: Booleans, probabilities: Floats, stories: Ids) -> dict[str, Any]:
    """The curve of the surest answers, what was promised when the model was made, and what became of it on the test rows. [rows, labels] each

    Only exclusive tasks have any of it: a multi-label one gives sets already, and abstains by giving none.
    """
    if bundle.codebook.kind != "exclusive":
        return {"risk_coverage": [], "promises": [], "spared": "", "sets": None}
    curve = risk_coverage(probabilities, truth)
    return {
        "risk_coverage": points(curve),
        "promises": [f"{text[:1].upper()}{text[1:]}." for text in (str(bundle.about.get(name, "")) for name in ("abstention", "sets")) if text],
        "spared": spared(curve),
        "sets": sets(bundle, truth, probabilities, stories),
    }


def points(curve: RiskCoverage) -> list[dict[str, float]]:
    """How often the surest answers are right, from a twentieth of the test rows to all of them."""
    chosen = np.unique([curve.point(share) for share in np.linspace(0.05, 1, POINTS)]).tolist()
    return [{"share": float(curve.coverage[at]), "accuracy": float(curve.accuracy[at]), "below": float(curve.below[at])} for at in chosen]


def spared(curve: RiskCoverage) -> str:
    """What sending the least sure of the test rows to a person would have bought, in a sentence; nothing where no row can be set apart."""
    every = float(curve.accuracy[-1])
    if every == 1:
        return "Every test row is answered rightly, so these rows cannot tell what sending the least sure to a person buys."
    bought = []
    for share, name in SPARED:
        point = curve.point(1 - share)
        # rows as sure as one another are answered together or not at all
        if rows := round(curve.rows * (1 - float(curve.coverage[point]))):
            bought.append(f"with the least sure {name} ({rows} of {curve.rows}) sent to a person, of the rest {100 * curve.accuracy[point]:.1f} %")
    if not bought:
        return ""
    said = "; ".join(bought)
    return f"Of all test rows {100 * every:.1f} % are answered rightly; {said}. This describes these rows and promises nothing of others."


def sets(bundle: Bundle, truth: Booleans, probabilities: Floats, stories: Ids) -> dict[str, Any] | None:
    """How often the sets of labels hold the right one on the test rows, and how large they are; None where none were asked for."""
    chosen = bundle.decision.sets
    if chosen is None:
        return None
    given = chosen(probabilities)
    held = np.asarray((given & truth).any(axis=1), np.float64)
    sizes = given.sum(axis=1)
    found = interval_of((with_rows(held), Share(mean)), stories)
    return {"asked": chosen.coverage, **found, "size": float(sizes.mean()), "single": float((sizes == 1).mean()), "empty": float((sizes == 0).mean())}
