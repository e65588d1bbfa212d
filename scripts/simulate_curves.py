"""Do the ranges of learning curves hold? Scores are drawn from known curves; the range at twice the data, and that of a plan, are looked up on them.

Usage: python scripts/simulate_curves.py [--data-sets 2000] [--repeats 5] [--seed 0]

Prints two tables, of scores drawn anew and of scores of parts of one corpus. A range should hold the true score in 80 % of the data sets. In the
first table repeats are nested: each size takes the first articles of one order, so that half of the luck of a size is luck at the next one, too. The
last curves follow no power law: nothing is promised there, and the figures say what is lost. Ends with code 3 where the range of a power law of the
first table holds far less than it says.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from newsclf.scores.curves import FARTHEST, LEVEL, Curve, fit_curve
from newsclf.scores.metrics import Floats
from newsclf.training.plan import SHARES, as_if_new

SIZES = [50, 75, 110, 170, 250, 370, 550, 800]
ARTICLES = 800
"""Of a corpus that is dealt out in parts."""

GAIN = 0.02
SLACK = 0.05
"""By how much less the range of a power law may hold than it says: the luck of a few hundred data sets, and of bounds near the truth."""


class Truth(NamedTuple):
    """A curve that scores are drawn from."""

    score: Callable[[Floats], Floats]
    is_power: bool = True


Draw = Callable[[Truth, np.random.Generator, argparse.Namespace, int], Curve]

TRUTHS: Mapping[str, Truth] = {
    "steep: 0.85 - 4.0 n^-0.7": Truth(lambda n: 0.85 - 4 * n**-0.7),
    "usual: 0.80 - 1.5 n^-0.5": Truth(lambda n: 0.80 - 1.5 * n**-0.5),
    "slow: 0.95 - 0.9 n^-0.2": Truth(lambda n: 0.95 - 0.9 * n**-0.2),
    "early: 0.75 - 20 n^-1.2": Truth(lambda n: 0.75 - 20 * n**-1.2),
    "flat: 0.60": Truth(lambda n: 0.60 + 0 * n),
    "logarithm: 0.30 + 0.06 ln n": Truth(lambda n: 0.30 + 0.06 * np.log(n), is_power=False),
    "exponential: 0.80 - 0.4 exp(-n / 300)": Truth(lambda n: 0.80 - 0.4 * np.exp(-n / 300), is_power=False),
    "late: sigmoid of ln n about 300": Truth(lambda n: 0.4 + 0.4 / (1 + (300 / n) ** 1.5), is_power=False),
}


def main() -> int:
    """Draw, fit, look up and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-sets", type=int, default=2000, help="how many are drawn of each curve")
    parser.add_argument("--repeats", type=int, default=5, help="scores at each size")
    parser.add_argument("--noise", type=float, default=0.2, help="standard deviation of a score, times the root of the number of articles")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{options.data_sets} data sets of {len(SIZES)} sizes, {SIZES[0]} to {SIZES[-1]} articles, {options.repeats} repeats each\n")
    print(f"| curve | held at 2 x | median width | median error | +{100 * GAIN:.0f} points: answered | held |\n|---|---|---|---|---|---|")
    held = [one(name, truth, options, drawn, SIZES[-1]) for name, truth in TRUTHS.items()]
    print(f"\nthe same from parts of one corpus of {ARTICLES} articles, as `newsclf plan` deals them out: from an eighth to nine tenths\n")
    print(f"| curve | held at 2 x | median width | median error | +{100 * GAIN:.0f} points: answered | held |\n|---|---|---|---|---|---|")
    for name, truth in TRUTHS.items():
        one(name, truth, options, dealt, ARTICLES)
    return 3 if any(share < LEVEL - SLACK for share, truth in zip(held, TRUTHS.values(), strict=True) if truth.is_power) else 0


def one(name: str, truth: Truth, options: argparse.Namespace, draw: Draw, now: int) -> float:
    """A row of the table; the share of data sets whose range at twice the data that there are `now` holds the truth."""
    chance = np.random.default_rng(options.seed)
    far = 2.0 * now
    right = float(truth.score(np.array(far)))
    ends, errors, plans = [], [], []
    for seed in range(options.data_sets):
        curve = draw(truth, chance, options, seed)
        ends.append(curve.range_at(far))
        errors.append(abs(curve.at(far) - right))
        plans.append(curve.plan(GAIN, now=now))
    low, high = np.array(ends).T
    held = float(((low <= right) & (right <= high)).mean())
    answers = [plan for plan in plans if plan.more is not None]
    needed = true_need(truth, now)
    good = [(plan.low or 0) <= needed <= (plan.high if plan.high is not None else np.inf) for plan in answers]
    print(
        f"| {name} | {held:.0%} | {100 * np.median(high - low):.1f} points | {100 * np.median(errors):.1f} points "
        f"| {len(answers) / len(plans):.0%} | {f'{np.mean(good):.0%}' if good else '-'} |"
    )
    return held


def drawn(truth: Truth, chance: np.random.Generator, options: argparse.Namespace, seed: int) -> Curve:
    """A curve fitted to scores about the truth."""
    sizes = np.array(SIZES, np.float64)
    luck = chance.normal(size=(len(SIZES), options.repeats))
    for row in range(1, len(SIZES)):
        luck[row] = np.sqrt(0.5) * luck[row - 1] + np.sqrt(0.5) * luck[row]
    noise = luck * options.noise / np.sqrt(sizes)[:, None]
    return fit_curve(SIZES, np.clip(truth.score(sizes)[:, None] + noise, 0, 1), seed=seed, draws=500)


def dealt(truth: Truth, chance: np.random.Generator, options: argparse.Namespace, seed: int) -> Curve:
    """A curve fitted to scores of growing parts of one corpus, whose articles each bring a luck of their own to every part that they are in."""
    sizes = np.round(SHARES * ARTICLES).astype(int)
    luck = options.noise * chance.normal(size=ARTICLES)
    orders = [chance.permutation(ARTICLES) for _ in range(options.repeats)]
    noise = np.array([[luck[order[:size]].mean() for order in orders] for size in sizes.tolist()])
    scores = np.clip(truth.score(sizes.astype(np.float64))[:, None] + noise, 0, 1)
    return fit_curve(sizes.tolist(), as_if_new(scores, SHARES), seed=seed, draws=500)


def true_need(truth: Truth, now: int) -> float:
    """How many more articles the gain truly takes; infinity beyond where plans go."""
    sizes = np.arange(now, FARTHEST * now + 1, dtype=np.float64)
    reached = truth.score(sizes) >= truth.score(sizes[:1]) + GAIN
    return float(sizes[reached.argmax()] - now) if reached.any() else np.inf


if __name__ == "__main__":
    sys.exit(main())
