"""Whether comparisons keep what they promise: size of the tests and coverage of the interval, on data sets where the truth is known.

    python scripts/simulate_compare.py            (2,000 data sets a line)
    python scripts/simulate_compare.py --data-sets 200

Two models answer the same rows. Rows come in stories that share a label and a difficulty. For the size of the tests neither model is better; for the
interval the second is, by what a very large draw tells. Exits with 1 where a figure is outside what is asked of it by more than chance in the
simulation explains.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from newsclf.progress import progress
from newsclf.scores.compare import METRICS, Answers, Difference, Discordant, Draws, difference, mcnemar
from newsclf.scores.metrics import Booleans, Floats, macro_f1

LABELS = 4
DRAWN = 999
"""Resamples and swaps of each data set: (1 + 999) × .05 is a whole number, so that the test can have exactly its level."""


@dataclass(frozen=True)
class World:
    """Where data sets are drawn from."""

    stories: int
    rows: float
    """Mean rows of a story; 1 makes every row a story of its own."""

    alike: float
    """Standard deviation of what makes one model, and not the other, right on all of a story's rows."""

    gain: float = 0.0
    """How much better the second model is, in log odds."""

    def draw(self, chance: np.random.Generator) -> tuple[Booleans, Booleans, Booleans, np.ndarray]:
        """Coded labels, what either model decided, [rows, labels] each, and the story of each row."""
        sizes = 1 + chance.poisson(self.rows - 1, self.stories)
        story = np.repeat(np.arange(self.stories), sizes)
        mainly = chance.choice(LABELS, self.stories, p=[0.4, 0.3, 0.2, 0.1])[story]
        label = np.where(chance.random(len(story)) < 0.7, mainly, chance.integers(0, LABELS, len(story)))
        hard = chance.normal(0, 1, self.stories)[story]
        decided = []
        for gain in (0.0, self.gain):
            own = chance.normal(0, self.alike, self.stories)[story] if self.alike else 0.0
            right = chance.random(len(story)) < 1 / (1 + np.exp(-(1 + gain + hard + own)))
            decided.append(np.where(right, label, (label + chance.integers(1, LABELS, len(story))) % LABELS))
        every = np.eye(LABELS, dtype=bool)
        return every[label], every[decided[0]], every[decided[1]], story

    def truth(self) -> float:
        """The difference in macro-F1 over very many stories."""
        if not self.gain:
            return 0.0  # by symmetry
        coded, first, second, _ = World(300_000, self.rows, self.alike, self.gain).draw(np.random.default_rng(99))
        return macro_f1(coded, second) - macro_f1(coded, first)


@dataclass(frozen=True)
class Line:
    """A figure, and what is asked of it."""

    what: str
    world: World
    discordant: float
    """Mean discordant rows of a data set."""

    share: float
    low: float
    high: float
    """What `share` is to lie between; 0 and 1 for a figure that is only shown."""

    def missed(self, data_sets: int) -> bool:
        """Whether the share is outside by more than two standard errors of the simulation."""
        slack = 2 * np.sqrt(0.05 * 0.95 / data_sets)
        return not self.low - slack <= self.share <= self.high + slack


def compared(world: World, data_sets: int) -> Iterator[tuple[Difference, Discordant]]:
    """Every data set's difference in macro-F1 and its discordant rows."""
    metric = METRICS["macro_f1"]
    with progress(f"{world.stories} stories", data_sets) as report:
        for number in range(data_sets):
            truth, first, second, story = world.draw(np.random.default_rng([7, number]))
            parts: list[Floats] = [metric.parts(truth, Answers(decided.astype(float), decided), "exclusive") for decided in (first, second)]
            found = difference(parts[:1], parts[1:], clusters=story, value=metric.value, draws=Draws(DRAWN, seed=number))
            yield found, mcnemar((first == truth).all(axis=1), (second == truth).all(axis=1))
            report.advance(1)


def sizes(world: World, data_sets: int, *, independent: bool) -> list[Line]:
    """How often each test finds a difference at 5 % where there is none."""
    found = list(compared(world, data_sets))
    pairs = float(np.mean([rows.first_only + rows.second_only for _, rows in found]))
    tests = {
        "exact McNemar": [rows.exact for _, rows in found],
        "mid-p McNemar": [rows.mid for _, rows in found],
        "permutation": [item.p for item, _ in found],
    }
    asked = {"exact McNemar": (0, 0.05), "mid-p McNemar": (0.03, 0.07)} if independent else {}
    if pairs >= 60:
        asked["permutation"] = (0.03, 0.07)
    return [Line(f"size of {name}", world, pairs, float(np.mean(np.array(p) <= 0.05)), *asked.get(name, (0, 1))) for name, p in tests.items()]


def coverage(world: World, data_sets: int) -> Line:
    """How often the 95 % interval holds the true difference."""
    truth, found = world.truth(), list(compared(world, data_sets))
    pairs = float(np.mean([rows.first_only + rows.second_only for _, rows in found]))
    holds = [item.low is not None and item.high is not None and item.low <= truth <= item.high for item, _ in found]
    return Line(f"coverage, difference {100 * truth:.1f}", world, pairs, float(np.mean(holds)), 0.93, 0.97)


def main() -> None:
    """Simulate, print a Markdown table, and exit with 1 where a figure is outside its bounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-sets", type=int, default=2000, help="data sets of each line (2000)")
    data_sets = parser.parse_args().data_sets
    lines: list[Line] = []
    for stories in (180, 500):  # about 64 and 178 discordant rows
        lines += sizes(World(stories, rows=1, alike=0), data_sets, independent=True)
    lines += sizes(World(60, rows=5, alike=1.5), data_sets, independent=False)
    for world in (World(20, 5, 0.5, 0.4), World(40, 5, 0.5, 0.4), World(100, 5, 0.5, 0.4), World(20, 5, 0.5), World(200, 1, 0.0, 0.4)):
        lines.append(coverage(world, data_sets))
    print("| | stories | rows a story | discordant rows | share | asked |\n| --- | --- | --- | --- | --- | --- |")
    for line in lines:
        asked = f"{100 * line.low:g} to {100 * line.high:g} %" if (line.low, line.high) != (0, 1) else "–"
        mark = " **missed**" if line.missed(data_sets) else ""
        print(f"| {line.what} | {line.world.stories} | {line.world.rows:g} | {line.discordant:.0f} | {100 * line.share:.1f} % | {asked}{mark} |")
    print(f"\n{data_sets} data sets a line; two standard errors of a share of 5 % are {200 * np.sqrt(0.05 * 0.95 / data_sets):.1f} points.")
    sys.exit(any(line.missed(data_sets) for line in lines))


if __name__ == "__main__":
    main()
