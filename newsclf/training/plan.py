"""Would more coding help? Models of growing parts of a run's training articles, the curve through their scores, and what a gain would take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from newsclf.corpus.dedup import Ids
from newsclf.corpus.stratify import assign
from newsclf.errors import DataError, InputError
from newsclf.progress import progress
from newsclf.scores.curves import FEWEST_REPEATS, LEVEL, Curve, Plan, fit_curve
from newsclf.scores.metrics import Floats, macro_f1
from newsclf.training.beside import write_beside
from newsclf.training.learn import trial
from newsclf.training.prepared import Prepared, revisit

PLAN = "plan.json"
METRIC = "macro_f1"
GAIN = 0.02
REPEATS = 5
FEWEST = 60
"""Stories to learn from, below which the smallest part would have a handful of articles."""

SHARES: Floats = np.geomspace(1 / 8, 0.9, 6)
"""Of the training articles. All of them would be the same articles in every repeat, whose scores could not tell how lucky they are."""

DRAWN = 30
"""Points of the curve that are written down."""


@dataclass(frozen=True)
class LabelPlan:
    """How the score grew with the articles, and what a gain would take."""

    articles: int
    """To learn from, all told; the plan starts there."""

    curve: Curve
    scores: Floats
    """As measured. [sizes, repeats]"""

    plan: Plan

    def sentences(self) -> list[str]:
        """What the curve says, and what it does not know."""
        first, now, twice = int(self.curve.sizes[0]), self.articles, 2 * self.articles
        grown = f"With {first:,} coded articles macro-F1 is {self.curve.at(first):.2f}, with all {now:,} about {self.curve.at(now):.2f}"
        expected = f"with {twice:,} it would be {_between(self.curve, twice)}."
        luck = f"Ranges are {100 * LEVEL:.0f} % sure of the luck of which articles are coded; that of the test articles is not in them."
        return [f"{grown}; {expected}", self.plan.note[0].upper() + self.plan.note[1:], luck]

    def text(self) -> str:
        """The table of what was measured, and the sentences."""
        lines = [f"articles  macro F1   lowest to highest of {self.scores.shape[1]}"]
        for size, row in zip(self.curve.sizes.tolist(), self.scores, strict=True):
            lines.append(f"{size:8,}  {row.mean():8.3f}   {row.min():.3f} to {row.max():.3f}")
        return "\n".join([*lines, "", *self.sentences()])

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values: `points` are the means and extremes of what was measured, `curve` is what was fitted, with its range."""
        sizes = np.unique(np.geomspace(self.curve.sizes[0], 2 * self.articles, DRAWN).round().astype(int)).tolist()
        ranges = [self.curve.range_at(size) for size in sizes]
        return {
            "metric": METRIC,
            "articles": self.articles,
            "points": [
                {"articles": size, "mean": float(row.mean()), "low": float(row.min()), "high": float(row.max()), "scores": row.tolist()}
                for size, row in zip(self.curve.sizes.tolist(), self.scores, strict=True)
            ],
            "curve": [
                {"articles": size, "estimate": self.curve.at(size), "low": low, "high": high} for size, (low, high) in zip(sizes, ranges, strict=True)
            ],
            "plan": {"gain": self.plan.gain, "more": self.plan.more, "low": self.plan.low, "high": self.plan.high},
            "sentences": self.sentences(),
        }


def plan(run: str | Path, *, gain: float = GAIN, repeats: int = REPEATS, seed: int = 0) -> LabelPlan:
    """The learning curve of a finished run, and how many more coded articles a gain of macro-F1 would take; written to plan.json in its folder.

    Models learn from growing parts of the training articles, an eighth to nine tenths, and are scored on the run's test articles; every choice of the
    run's learner is made anew in each part. In each repeat the articles are dealt out anew: near-duplicates together, every label in proportion, each
    part within the next. Parts of one corpus overlap, the large ones most, and so differ less than parts of new corpora would: the curve is fitted to
    deviations that are divided by the root of the share that was left out (the finite population correction, as in the delete-d jackknife of Shao &
    Wu 1989). How often the ranges then hold, scripts/simulate_curves.py prints.

    Raises InputError for a gain that is not between 0 and 1, for fewer repeats than three, and for what is no run; DataError for too few articles.
    """
    if not 0 < gain < 1:
        raise InputError(f"the gain is a difference of two scores, such as 0.02 for two points; it must be between 0 and 1, not {gain}.")
    if repeats < FEWEST_REPEATS:
        raise InputError(f"a learning curve takes {FEWEST_REPEATS} repeats or more, not {repeats}: from fewer no range can be told.")
    prepared, part = revisit(run)
    inside, tested = np.flatnonzero(part == "train"), np.flatnonzero(part == "test")
    stories = len(np.unique(prepared.story[inside]))
    if stories < FEWEST:
        raise DataError(
            f"{run}: a learning curve takes {FEWEST} coded articles or more to learn from, near-duplicates counted once; this run has {stories}. "
            "Code more first: of so few, each new one teaches something."
        )
    orders = [list(_parts(prepared, inside, seed + repeat)) for repeat in range(repeats)]
    sizes = np.array([[_articles(prepared, rows) for rows in order] for order in orders])  # [repeats, sizes]
    scores = _scores(prepared, orders, tested)
    articles = _articles(prepared, inside)
    # half up: means that are 1 apart must not round to one number
    means = np.floor(sizes.mean(axis=0) + 0.5).astype(int).tolist()
    curve = fit_curve(means, as_if_new(scores, sizes.mean(axis=0) / articles), seed=seed)
    found = LabelPlan(articles, curve, scores, curve.plan(gain, now=articles))
    write_beside(run, PLAN, found.as_dict())
    return found


def _parts(prepared: Prepared, inside: Ids, seed: int) -> Iterator[Ids]:
    """Growing parts of the training rows, each within the next."""
    groups = np.unique(prepared.story[inside], return_inverse=True)[1].astype(np.int64)
    step = assign(groups, prepared.every.truth[inside], np.diff([0, *SHARES, 1]).tolist(), seed=seed)
    for last in range(len(SHARES)):
        yield inside[step <= last]


def _articles(prepared: Prepared, rows: Ids) -> int:
    """Those that the rows are about: of a stance several rows share one."""
    return len(np.unique(prepared.every.pairs.rows[rows]))


def _scores(prepared: Prepared, orders: list[list[Ids]], tested: Ids) -> Floats:
    """Macro-F1 on the test rows of a model of each part. [sizes, repeats]"""
    truth = prepared.every.truth[tested]
    scores = np.zeros((len(SHARES), len(orders)))
    with progress("learning curve", sum(len(rows) for order in orders for rows in order)) as report:
        for repeat, order in enumerate(orders):
            for size, rows in enumerate(order):
                try:
                    _, decided = trial(prepared, rows, tested)
                except DataError as error:
                    raise DataError(f"no learning curve: from {len(rows)} of the training rows no model can be made: {error}") from error
                scores[size, repeat] = macro_f1(truth, decided)
                report.advance(len(rows))
    return scores


def as_if_new(scores: Floats, shares: Floats) -> Floats:
    """The scores as far apart as those of articles drawn anew would be; `shares` of all articles are in each size. [sizes, repeats], [sizes]"""
    means = scores.mean(axis=1, keepdims=True)
    return np.asarray(np.clip(means + (scores - means) / np.sqrt(1 - shares)[:, None], 0, 1))


def _between(curve: Curve, articles: int) -> str:
    low, high = curve.range_at(articles)
    return f"about {curve.at(articles):.2f} ({low:.2f} to {high:.2f})"
