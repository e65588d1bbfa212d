"""Do the promises of thresholds, abstention and conformal sets hold? Data sets are drawn, promises are made on coded rows and looked up on new ones.

Usage: python scripts/simulate_abstention.py [--data-sets 2000] [--rows 300] [--seed 0]

Prints one table. Conformal sets promise a mean coverage over exchangeable splits: it must be within a point of what was asked, or above it class by
class. Abstention, precision and recall promise that at most one data set of ten falls short; those of a precision may be a few more, because the
lowest of many thresholds is taken. Under "other outlets" the new articles come from outlets that were not coded, with other topics and wording:
nothing is promised there, and the figures say what is lost. Ends with code 3 where a promise does not hold.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import expit, softmax

from newsclf.errors import DataError
from newsclf.scores.abstain import AbstainSpec, Method, choose_abstention, conformal_sets, conformal_threshold
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.thresholds import NEVER, Target, choose_thresholds

LABELS = 5
COVERAGE = 0.9
ACCURACY = 0.9
PRECISION, RECALL = 0.8, 0.9
NEW_ROWS = 4000
"""New articles of each data set: enough to know what was reached to half a point."""

POINT = 0.01
"""How far mean coverage may be from what was asked."""

SLACK = 0.04
"""By how much more than a tenth of the data sets a precision, the lowest of many thresholds, and the luck of the draw may break a promise."""


class Drawn(NamedTuple):
    """Probabilities and truth. [rows, labels] each"""

    probabilities: Floats
    truth: Booleans


class Line(NamedTuple):
    """What one data set gave for one promise: nothing where none was made."""

    promise: str
    reached: float | None
    size: float
    """Labels in a set, or share of the articles that are answered, or of the labels' rows that are found."""


def main() -> int:
    """Draw, promise, look up and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-sets", type=int, default=2000, help="how many are drawn")
    parser.add_argument("--rows", type=int, default=300, help="coded rows that a promise is made on")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found: dict[tuple[str, bool], list[Line]] = defaultdict(list)
    for seed in np.random.SeedSequence(options.seed).spawn(options.data_sets):
        for moved, line in one(np.random.default_rng(seed), options.rows):
            found[line.promise, moved].append(line)
    print(f"{options.data_sets} data sets of {options.rows} coded rows, {LABELS} labels; {NEW_ROWS} new rows each\n")
    print("| promise | new rows | promised in | mean reached | fell short in | mean size |\n|---|---|---|---|---|---|")
    broken = [print_line(promise, moved, lines) for (promise, moved), lines in sorted(found.items())]
    return 3 if any(broken) else 0


def print_line(promise: str, moved: bool, lines: list[Line]) -> bool:
    """A row of the table; true where the promise is broken."""
    asked = float(promise.split()[-1])
    reached = np.array([line.reached for line in lines if line.reached is not None])
    mean, short = (reached.mean(), (reached < asked).sum() / len(lines)) if len(reached) else (np.nan, 0.0)
    size = np.mean([line.size for line in lines])
    print(f"| {promise} | {'other outlets' if moved else 'alike'} | {len(reached) / len(lines):.0%} | {mean:.3f} | {short:.1%} | {size:.2f} |")
    if moved:
        return False
    if not promise.startswith("sets"):
        return bool(short > 0.1 + SLACK)
    # with few rows a class's coverage can only be had in steps of 1 / (rows + 1), and the next higher one is taken
    return bool(mean < asked - POINT or (mean > asked + POINT and "by class" not in promise))


def one(chance: np.random.Generator, rows: int) -> Iterator[tuple[bool, Line]]:
    """The promises of one data set, looked up on new rows of the same outlets and of others."""
    coded = exclusive(chance, rows)
    many = multi(chance, rows)
    for moved in (False, True):
        new = exclusive(chance, NEW_ROWS, moved=moved)
        yield from ((moved, line) for line in sets(chance, coded, new))
        yield moved, answers(coded, new)
        new = multi(chance, NEW_ROWS, moved=moved)
        yield from ((moved, line) for line in labels(many, new))


def exclusive(chance: np.random.Generator, rows: int, *, moved: bool = False) -> Drawn:
    """Rows of one label each, whose probabilities are surer than they should be; other outlets write of other things, and in other words."""
    prior = np.linspace(0.8, -0.8, LABELS) * (-1 if moved else 1)
    logits = 4 * chance.normal(size=(rows, LABELS)) + prior
    label = (softmax(logits, axis=1).cumsum(axis=1) < chance.random((rows, 1))).sum(axis=1).clip(max=LABELS - 1)
    seen = logits + (1.5 * chance.normal(size=(rows, LABELS)) if moved else 0.0)
    return Drawn(softmax(1.3 * seen - (2 * prior if moved else 0.0), axis=1), np.arange(LABELS) == label[:, None])


def multi(chance: np.random.Generator, rows: int, *, moved: bool = False) -> Drawn:
    """Rows of any number of labels, the last one coded in every fifteenth."""
    means = np.linspace(-1, -4, LABELS)
    logits = 3 * chance.normal(size=(rows, LABELS)) + means
    seen = logits + (chance.normal(size=(rows, LABELS)) if moved else 0.0)
    return Drawn(expit(seen), chance.random((rows, LABELS)) < expit(logits))


def sets(chance: np.random.Generator, coded: Drawn, new: Drawn) -> Iterator[Line]:
    """Conformal sets by both methods, over all rows and class by class."""
    methods: tuple[Method, ...] = ("lac", "aps")
    for method in methods:
        for by_class in (False, True):
            name = f"sets, {method}{' by class' if by_class else ''}: coverage {COVERAGE}"
            try:
                threshold = conformal_threshold(*coded, coverage=COVERAGE, method=method, by_class=by_class, chance=chance)
            except DataError:
                yield Line(name, None, LABELS)
                continue
            given = conformal_sets(new.probabilities, threshold, method=method, chance=chance)
            yield Line(name, float(given[new.truth].mean()), float(given.sum(axis=1).mean()))


def answers(coded: Drawn, new: Drawn) -> Line:
    """The accuracy of what is answered."""
    name = f"abstention: accuracy {ACCURACY}"
    try:
        chosen = choose_abstention(*coded, AbstainSpec(accuracy=ACCURACY))
    except DataError:
        return Line(name, None, 0.0)
    answered = new.probabilities.max(axis=1) >= chosen.below
    right = new.truth[np.arange(len(new.truth)), new.probabilities.argmax(axis=1)]
    return Line(name, float(right[answered].mean()) if answered.any() else None, float(answered.mean()))


def labels(coded: Drawn, new: Drawn) -> Iterator[Line]:
    """Precision and recall of each label."""
    for measure, asked, target in (("precision", PRECISION, Target(precision=PRECISION)), ("recall", RECALL, Target(recall=RECALL))):
        chosen = choose_thresholds(*coded, target)
        given = new.probabilities >= chosen.values
        both = (given & new.truth).sum(axis=0)
        of = given.sum(axis=0) if measure == "precision" else new.truth.sum(axis=0)
        for k in range(LABELS):
            made = k not in chosen.short and chosen.values[k] < NEVER and of[k] > 0
            yield Line(f"label {k + 1}: {measure} {asked}", float(both[k] / of[k]) if made else None, float(both[k] / max(new.truth[:, k].sum(), 1)))


if __name__ == "__main__":
    sys.exit(main())
