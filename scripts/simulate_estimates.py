"""Do the intervals of estimated shares hold the true share as often as they say? Corpora of which the truth is known.

    python scripts/simulate_estimates.py            (2,000 samples a line)
    python scripts/simulate_estimates.py --quick    (200)

A corpus of 20,000 articles in five groups, whose shares are half of, three quarters of, once, 1.25 and 1.5 times the prevalence. The model's score of
an article is drawn from one of two normal distributions, so far apart that it has the stated balanced accuracy; probabilities are calibrated over the
whole corpus, or shifted by 1.5 in log odds. Samples are simple, stratified by group, stratified by group and score (`proportional` and at least 30 a
group, then the house's allocation), or of whole clusters of five articles whose labels agree more than by chance (intra-cluster correlation .2).
*Held* is how often a 95 % interval held the truth where a share was given, *said* counts what is said in its place where none is ("at most 7 %").
Lines outside 93 to 97 % by more than two standard errors of the simulation are listed, with what they have in common. Writes its section of
configs/benchmarks/SIMULATIONS.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from estimate_draws import Tally, World, between_markers, by_score, estimates, in_strata, of_clusters, proportional
from scipy.special import expit, logit
from scipy.stats import beta, norm

from newsclf.scores.differences import differences
from newsclf.scores.metrics import Floats
from newsclf.scores.survey import Ids

PAGE = Path(__file__).resolve().parent.parent / "configs" / "benchmarks" / "SIMULATIONS.md"
ROWS, GROUPS, CLUSTER = 20_000, 5, 5
ALIKE = 0.2
"""Intra-cluster correlation."""

TIMES = np.array([0.5, 0.75, 1.0, 1.25, 1.5])
"""Shares of the groups, in prevalences."""

PREVALENCES = (0.02, 0.05, 0.1, 0.3, 0.5)
ACCURACIES = (0.6, 0.75, 0.85, 0.95)
CODES = (50, 100, 200, 500, 1000)
GOAL = (0.93, 0.97)
SOME = 0.2
"""Of a line, or of its groups: share of samples that must give a share for its coverage to be asked about."""


@dataclass(frozen=True)
class Model:
    """One label and what a model says of it."""

    prevalence: float
    accuracy: float
    shift: float = 0.0
    """Added to its log odds."""

    @property
    def name(self) -> str:
        """For a row."""
        return f"{self.accuracy:.2f}{f', shifted {self.shift:+.1f}' if self.shift else ''}"


MODELS = (
    *(Model(prevalence, accuracy) for prevalence in PREVALENCES for accuracy in ACCURACIES),
    *(Model(prevalence, 0.85, shift) for prevalence in PREVALENCES for shift in (-1.5, 1.5)),
)


@dataclass(frozen=True)
class Line:
    """What samples of one size and design said of one label under one model."""

    model: Model
    design: str
    codes: int
    given: float
    held: float
    said: float
    groups_given: float
    groups_held: float
    groups_said: float
    half_width: float
    worth: float
    gained: float
    draws: int

    @classmethod
    def of(cls, model: Model, design: str, codes: int, *, tally: Tally, alone: Tally, column: int) -> Line:
        """All rows together, and the groups on average."""
        told, held, said = tally.told[:, column], tally.held[:, column], tally.said[:, column]
        given = told[1:].sum()
        return cls(
            model,
            design,
            codes,
            float(told[0]),
            float(held[0]),
            float(said[0]),
            float(told[1:].mean()),
            float(np.nansum(held[1:] * told[1:]) / given) if given else float("nan"),
            float(said[1:].mean()),
            float(tally.half_width[0, column]),
            float(tally.worth[0, column]),
            float(alone.spread[0, column] / tally.spread[0, column]),
            len(tally),
        )

    @property
    def low(self) -> bool:
        """Whether an interval holds too rarely."""
        return any(value < GOAL[0] - chance for _, value, chance in self._asked())

    @property
    def outside(self) -> str:
        """What is outside the goal by more than chance in so many samples explains; empty where nothing is."""
        return ", ".join(f"{what} {value:.1%}" for what, value, chance in self._asked() if not GOAL[0] - chance <= value <= GOAL[1] + chance)

    def _asked(self) -> Iterator[tuple[str, float, float]]:
        for what, value, given in (("whole corpus", self.held, self.given), ("groups", self.groups_held, self.groups_given)):
            if given >= SOME:
                yield what, value, 2 * float(np.sqrt(0.05 * 0.95 / (self.draws * given)))  # groups miss together: no more sure than the whole


def main() -> int:
    """Draw, estimate, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000, help="samples a line")
    parser.add_argument("--quick", action="store_true", help="200 samples a line")
    parser.add_argument("--codes", type=int, nargs="+", default=list(CODES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=PAGE)
    options = parser.parse_args()
    draws = 200 if options.quick else options.draws
    lines = []
    for codes in options.codes:
        started = time.perf_counter()
        lines += list(simulated(codes, draws=draws, seed=options.seed))
        print(f"{codes} codes: {len(lines)} lines, {time.perf_counter() - started:.0f} s", flush=True)
    section = list(written(lines, [*together(draws=draws, seed=options.seed)], draws))
    print("\n".join(section))
    page = options.output.read_text("utf-8") if options.output.exists() else ""
    options.output.write_text(between_markers(page, "simulate_estimates", section), "utf-8")
    return 0


def simulated(codes: int, *, draws: int, seed: int) -> Iterator[Line]:
    """All designs with samples of one size."""
    world, clusters, clustered = corpus(seed)
    taken = proportional(np.bincount(world.cells), codes, least=0)
    alone = {}
    for name, of, draw in (
        ("simple", world, in_strata(np.zeros(ROWS, np.int64), np.array([codes]))),
        ("stratified by group", world, in_strata(world.cells, taken)),
        ("whole clusters", clustered, of_clusters(clusters, codes // CLUSTER)),
    ):
        tally, alone[name] = [Tally.of(of, draw, draws=draws, seed=seed + codes, tuned=tuned) for tuned in (True, False)]
        for column, model in enumerate(MODELS):
            yield Line.of(model, name, codes, tally=tally, alone=alone[name], column=column)
    plain = alone["stratified by group"]
    for column, model in enumerate(MODELS):
        one = World(world.truth[:, [column]], world.scores[:, [column]], world.cells, "multi")
        unsure = one.scores[:, 0] * (1 - one.scores[:, 0])
        tally = Tally.of(one, by_score(one.cells, one.scores[:, 0], codes, unsure=unsure), draws=draws, seed=seed + codes)
        beside = Tally(plain.truth[:, [column]], [each.column(column) for each in plain.found])
        yield Line.of(model, "stratified by group and score", codes, tally=tally, alone=beside, column=0)


def corpus(seed: int) -> tuple[World, Ids, World]:
    """Rows drawn one by one; numbers of clusters; and the same with labels that agree within clusters. A label a model."""
    chance = np.random.default_rng(seed)
    cells = np.repeat(np.arange(GROUPS), ROWS // GROUPS)
    clusters = np.arange(ROWS) // CLUSTER
    worlds = []
    for alike in (False, True):
        truth = {prevalence: drawn_labels(chance, prevalence, cells, clusters, alike=alike) for prevalence in PREVALENCES}
        columns = [truth[model.prevalence] for model in MODELS]
        scores = [scored(chance, model, given) for model, given in zip(MODELS, columns, strict=True)]
        worlds.append(World(np.column_stack(columns), np.column_stack(scores), cells, "multi"))
    return worlds[0], clusters, worlds[1]


def drawn_labels(chance: np.random.Generator, prevalence: float, cells: Ids, clusters: Ids, *, alike: bool) -> Floats:
    """0 or 1 for each row; where alike, of a share of the cluster's own. [rows]"""
    share = prevalence * TIMES[cells]
    if alike:
        first = share[::CLUSTER]
        size = 1 / ALIKE - 1
        share = beta.rvs(first * size, (1 - first) * size, random_state=chance)[clusters]
    return np.asarray(chance.random(len(cells)) < share, float)


def scored(chance: np.random.Generator, model: Model, truth: Floats) -> Floats:
    """Probabilities by a model of that balanced accuracy. [rows]"""
    apart = 2 * norm.ppf(model.accuracy)
    seen = chance.normal(size=len(truth)) + apart * (truth - 0.5)
    return np.asarray(expit(apart * seen + logit(truth.mean()) + model.shift))


def together(*, draws: int, seed: int) -> Iterator[str]:
    """Differences between all pairs of groups, and the shares of an exclusive task of four labels."""
    chance = np.random.default_rng([seed, 1])
    cells = np.repeat(np.arange(GROUPS), ROWS // GROUPS)
    odds = np.log([0.5, 0.3, 0.15, 0.05]) + chance.normal(0, 0.3, (GROUPS, 4))
    label = (odds[cells] + chance.gumbel(size=(ROWS, 4))).argmax(axis=1)
    truth = np.eye(4)[label]
    seen = 2 * norm.ppf(0.85) * truth + chance.normal(size=truth.shape)
    power = np.exp(2 * norm.ppf(0.85) * seen + np.log(truth.mean(axis=0)))
    world = World(truth, power / power.sum(axis=1, keepdims=True), cells, "exclusive")
    pairs = list(combinations(range(1, GROUPS + 1), 2))
    shares = world.means(truth)
    for codes in (200, 500, 1000):
        draw = in_strata(cells, proportional(np.bincount(cells), codes))
        tally, inside, one = Tally(shares), np.zeros(4), np.zeros(4)
        for found in estimates(world, draw, draws=draws, seed=seed):
            tally.add(found)
            for column in range(4):
                apart = differences(found, column, pairs, draws=4000)
                right = np.array([shares[a, column] - shares[b, column] for a, b in pairs])
                holds = (apart.low <= right) & (right <= apart.high)
                inside[column] += holds.all()
                one[column] += holds.mean()
        for column in range(4):
            held, groups = tally.held[0, column], np.nansum(tally.held[1:, column] * tally.told[1:, column]) / tally.told[1:, column].sum()
            start = f"| {codes:,} | {shares[0, column]:.0%} | {held:.1%} | {groups:.1%} | {tally.worth[0, column]:.2f}"
            yield f"{start} | {one[column] / draws:.1%} | {inside[column] / draws:.1%} |"


def written(lines: Sequence[Line], tasks: Sequence[str], draws: int) -> Iterator[str]:
    """The section, in Markdown."""
    yield from ("## Do intervals of estimated shares hold the true share?", "", "`scripts/simulate_estimates.py`", "")
    yield f"{draws:,} samples a line of a corpus of {ROWS:,} articles in {GROUPS} groups; intervals of 95 %. *Held*: how often, of the samples in"
    yield "which a share of the whole corpus was given, by the balanced accuracy of the model, and where it is shifted by 1.5 in log odds. *Said*:"
    yield "with what is said where none is given. *Groups held*: on average over the five groups, for the models. *Gained*: the mean squared error of"
    yield "the codes alone (same design; by score: of samples stratified by group) by that with the model: what a code is worth."
    for design in dict.fromkeys(line.design for line in lines):
        yield from ("", f"### {design}", "", *table([line for line in lines if line.design == design]))
    yield from ("", "### An exclusive task of four labels, and differences between all pairs of five groups", "")
    yield "| codes | share | held | groups held | a code is worth | a difference held | all ten held |"
    yield "|---|---|---|---|---|---|---|"
    yield from tasks
    yield from ("", "### Outside 93 to 97 %", "")
    out = [line for line in lines if line.outside]
    yield f"{len(out)} of {len(lines)} lines, where at least a fifth of the samples gave a share:"
    yield ""
    yield from (f"* {why}: {number} lines" for why, number in reasons(out))
    yield ""
    yield from (
        f"* {line.design}, share {line.model.prevalence:.0%}, accuracy {line.model.name}, {line.codes:,} codes: {line.outside}" for line in out
    )


def table(lines: Sequence[Line]) -> Iterator[str]:
    """A line a share and number of codes, columns for the models."""
    models = list(dict.fromkeys(line.model.name for line in lines))
    yield f"| share | codes | given | {' | '.join(f'held: {name}' for name in models)} | said, lowest | groups held | gained: {' | '.join(models)} |"
    yield "|---" * (6 + 2 * len(models)) + "|"
    for prevalence in dict.fromkeys(line.model.prevalence for line in lines):
        for codes in dict.fromkeys(line.codes for line in lines):
            some = [line for line in lines if line.codes == codes and line.model.prevalence == prevalence]
            held = " | ".join(_percent(line.held) for line in some)
            groups = [line.groups_held for line in some if line.groups_given >= SOME]
            among = f"{min(groups):.1%} to {max(groups):.1%}" if groups else "–"
            gained = " | ".join(_number(line.gained, 2) for line in some)
            start = f"| {prevalence:.0%} | {codes:,} | {np.mean([line.given for line in some]):.0%} | {held}"
            yield f"{start} | {min(line.said for line in some):.1%} | {among} | {gained} |"


def reasons(lines: Sequence[Line]) -> list[tuple[str, int]]:
    """What the lines outside have in common, by how much the codes can tell."""
    counts: dict[str, int] = {}
    for line in lines:
        counts[reason(line)] = counts.get(reason(line), 0) + 1
    return sorted(counts.items(), key=lambda item: -item[1])


def reason(line: Line) -> str:
    """Why a line is outside."""
    wanted = line.model.prevalence * line.codes
    if not line.low:
        return "above 97 %: the limits of few codes with the label are wide on purpose"
    if wanted < 10:
        return "below 93 %, fewer than 10 codes with the label on average: which samples give a share depends on what was drawn"
    if line.design == "whole clusters":
        return "below 93 %, whole clusters: few of them are drawn, or have the label"
    if GOAL[0] <= line.held <= GOAL[1] and wanted / GROUPS < 10:
        return "below 93 % in groups only, fewer than 10 codes with the label in a group on average"
    return "below 93 %: the model's errors are too few in the sample to tell how many there are"


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.1%}"


def _number(value: float, digits: int) -> str:
    return "–" if np.isnan(value) else f"{value:.{digits}f}"


if __name__ == "__main__":
    sys.exit(main())
