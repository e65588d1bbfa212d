"""Training runs compared on the test rows that they share: is one better, by how much, and how sure is that?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from newsclf.corpus.split import joined
from newsclf.errors import CheckFailed, InputError, listed, nearest
from newsclf.scores.compare import DRAWS, METRICS, Answers, Difference, Discordant, Draws, difference, holm, mcnemar
from newsclf.scores.intervals import FEW, Statistic
from newsclf.scores.metrics import Floats, Kind
from newsclf.training.tested import Key, Sides, TestedRun, check_same_task, check_same_test

RunPath = str | Path
LEAST_CHANGED = 6
"""Clusters that differ, below which no permutation test comes to p < .05: 2 of the 2⁵ ways to swap five are p = .06."""


@dataclass(frozen=True)
class Pair:
    """One side beside the baseline."""

    name: str
    difference: Difference
    adjusted: float
    """p after Holm's correction for all pairs of the comparison."""

    discordant: Discordant | None
    """None where a side has several runs."""


@dataclass(frozen=True)
class Comparison:
    """Runs beside a baseline, the first of them. As text: a sentence for each pair, then what to be careful about."""

    baseline: str
    pairs: tuple[Pair, ...]
    metric: str
    clusters: str
    """What was resampled and swapped as one: story, or another column of split.jsonl."""

    rows: int
    kind: Kind
    level: float
    seeds: tuple[int, ...] = ()
    """Of the runs of each side, where the sides are records with seeds."""

    left_out: tuple[int, ...] = ()
    """Seeds that not all of the records have."""

    def __str__(self) -> str:
        return "\n".join([*map(self.sentence, self.pairs), *(f"Note: {note}" for note in self.notes())])

    def sentence(self, pair: Pair) -> str:
        """What the numbers say of one pair: better, worse, or not to be told apart."""
        found, metric = pair.difference, METRICS[self.metric]
        if not found.changed:
            return f"{pair.name} scores as {self.baseline} does in every {self.clusters}: no difference in {metric.title} (p = 1, {self._count})."
        sign = 1 if found.estimate >= 0 else -1
        edges = [sign * edge for edge in (found.low, found.high)[::sign] if edge is not None]
        interval = f"{100 * self.level:g} % {self._number(edges[0])} to {self._number(edges[1])}" if edges else "no interval"
        corrected = f", corrected for {len(self.pairs)} comparisons p {_p(pair.adjusted)}" if len(self.pairs) > 1 else ""
        unit = "of" if metric.is_loss else "points of"
        much = f"{self._number(abs(found.estimate))} {unit} {metric.title} ({interval}, p {_p(found.p)}{corrected}, {self._count})"
        # both have to say so: at the margin an interval and a test may differ
        if edges and edges[0] > 0 and pair.adjusted < 1 - self.level:
            return f"{pair.name} is {'better' if self._gain(pair) > 0 else 'worse'} than {self.baseline} by {much}."
        return f"{pair.name} and {self.baseline} cannot be told apart: {pair.name} is {'above' if sign > 0 else 'below'} by {much}."

    def notes(self) -> list[str]:
        """What keeps the numbers from being taken at their word."""
        clusters = self.pairs[0].difference.clusters
        notes = [f"only {self._count}: with fewer than {FEW} an interval promises more than it keeps."] if clusters < FEW else []
        if self.left_out:
            notes.append(f"compared by the seeds that all records have, {_all(self.seeds)}; without {_all(self.left_out)}.")
        for pair in self.pairs:
            found = pair.difference
            if 0 < found.changed < LEAST_CHANGED:
                notes.append(f"{pair.name} and {self.baseline} differ in {found.changed} of {self._count}: from fewer than six no p below .05 comes.")
            if len(found.by_run) > 1:
                by, these = (f"seed by seed ({_all(self.seeds)})", "seeds") if self.seeds else ("run by run", "runs")
                each, sd = ", ".join(map(self._number, found.by_run)), self._number(float(np.std(found.by_run, ddof=1)))
                notes.append(f"{pair.name} against {self.baseline}, {by}: {each}; sd {sd}. The interval is about these {these}, not about others.")
        if self.kind == "exclusive" and clusters < self.rows and any(pair.discordant for pair in self.pairs):
            notes.append(f"McNemar's tests take all {self.rows} rows for independent; p keeps those of each {self.clusters} together.")
        return notes

    def table(self) -> str:
        """The numbers as a Markdown table; shares and their differences in points."""
        head = ["run", METRICS[self.metric].title, "difference", f"{100 * self.level:g} % interval", "p", "p (Holm)"]
        head += ["only baseline right", "only run right", "McNemar exact", "mid-p"]
        first = [f"{self.baseline} (baseline)", self._number(self.pairs[0].difference.first), *[""] * (len(head) - 2)]
        lines = [head, ["---"] * len(head), first, *map(self._cells, self.pairs)]
        return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)

    def check(self, margin: float) -> None:
        """Raise CheckFailed where a run is worse than the baseline by more than `margin`, in units of the metric (.01 is one point).

        The difference itself decides, not whether it is significant: a small test set must not let a loss pass. Raises InputError for a margin
        that is no number from 0 on.
        """
        if not 0 <= margin < math.inf:
            raise InputError(f"the margin of a check must be a number from 0 on, in units of the metric (0.01 is one point), not {margin}.")
        failed = [pair for pair in self.pairs if self._gain(pair) < -margin - 1e-12]
        if failed:
            allowed = self._number(margin) + ("" if METRICS[self.metric].is_loss else " points")
            raise CheckFailed(f"more is lost than the {allowed} that this check allows: {' '.join(map(self.sentence, failed))}")

    def _gain(self, pair: Pair) -> float:
        return -pair.difference.estimate if METRICS[self.metric].is_loss else pair.difference.estimate

    def _cells(self, pair: Pair) -> list[str]:
        found, rows = pair.difference, pair.discordant
        interval = "–" if found.low is None or found.high is None else f"{self._number(found.low)} to {self._number(found.high)}"
        counts = [str(rows.first_only), str(rows.second_only)] if rows else ["–", "–"]
        tests = [_p(rows.exact), _p(rows.mid)] if rows and self.kind == "exclusive" else ["–", "–"]
        cells = [pair.name, self._number(found.second), self._number(found.estimate), interval, _p(found.p), _p(pair.adjusted), *counts, *tests]
        return [cell.removeprefix("= ") for cell in cells]

    @property
    def _count(self) -> str:
        number = self.pairs[0].difference.clusters
        several = "stories" if self.clusters == "story" else f"{self.clusters}s"
        return f"{number} {self.clusters if number == 1 else several}"

    def _number(self, value: float) -> str:
        return _bare(f"{value:.3f}" if METRICS[self.metric].is_loss else f"{100 * value:.1f}")


def _bare(number: str) -> str:
    """A number as papers print it: 0 for 0.0, .4 for 0.4, a true minus."""
    sign = "−" if number.startswith("-") else ""
    digits = number.lstrip("-")
    return f"{sign}{digits.removeprefix('0')}" if float(digits) else "0"


def _all(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


def _p(value: float) -> str:
    if value < 0.001:
        return "< .001"
    return "= 1" if value >= 0.995 else f"= {_bare(f'{value:.3f}' if value < 0.1 else f'{value:.2f}')}"


def compare_runs(
    paths: Sequence[RunPath | Sequence[RunPath]], *, metric: str = "macro_f1", clusters: str = "story", draws: Draws = DRAWS
) -> Comparison:
    """Compare the folders of training runs with the first of them; a list inside the list is one side of several runs, of other seeds say.

    The metric of a side of several runs is the mean over them. A record with seeds is such a side: the runs of one seed are paired, rows of all of
    them count, and a story that is tested on in several seeds is one cluster. Metrics are those of a run's summary. `clusters` names the column of
    split.jsonl that tells which rows are not independent; what any of the runs ties together stays together. Raises InputError for what is no run,
    for fewer than two sides, for sides of different numbers of runs and for records without a seed in common, DataError for runs that were not
    tested on the same rows with the same codes.
    """
    sides = Sides.read([[Path(side)] if isinstance(side, (str, Path)) else list(map(Path, side)) for side in paths])
    bases = sides.all[0].runs
    for side in sides.all:
        for base, run in zip(bases, side.runs, strict=True):
            check_same_task(bases[0], run)
            check_same_test(base, run)
    if metric not in METRICS or metric not in bases[0].metrics:
        known = [name for name in METRICS if name in bases[0].metrics]
        raise InputError(f"{metric!r} is no metric of these runs{nearest(metric, known)}; theirs are {listed(known)}.")
    # rows by their ids: a story that several runs are tested on is one cluster
    number = {key: row for row, key in enumerate(dict.fromkeys(key for base in bases for key in base.rows))}
    groups = joined(len(number), [run.column(clusters, number) for side in sides.all for run in side.runs])
    parts = [[_spread(_parts(metric, base, run), base, number) for base, run in zip(bases, side.runs, strict=True)] for side in sides.all]
    value = _defined(METRICS[metric].value) if len(bases) > 1 else METRICS[metric].value
    found = [difference(parts[0], other, clusters=groups, value=value, draws=draws) for other in parts[1:]]
    adjusted = holm([item.p for item in found])
    discordant = [_discordant(bases[0], side.runs[0]) if len(bases) == 1 else None for side in sides.all[1:]]
    names = _names(sides)
    pairs = tuple(map(Pair, names[1:], found, adjusted, discordant))
    seeds, left_out = tuple(sides.seeds), tuple(sides.left_out)
    return Comparison(names[0], pairs, metric, clusters, len(groups), bases[0].kind, draws.level, seeds, left_out)


def _discordant(base: TestedRun, run: TestedRun) -> Discordant:
    truth = base.given("labels", base)
    return mcnemar(*((truth == item.given("decided", base)).all(axis=1) for item in (base, run)))


def _names(sides: Sides) -> list[str]:
    """The folder of each side: its name, or the whole path where two have one name."""
    folders = [side.folder.resolve() for side in sides.all]
    short = len({folder.name for folder in folders}) == len(set(folders))
    number = len(sides.all[0].runs)
    several = f" ({number} {'seeds' if sides.seeds else 'runs'})" if number > 1 else ""
    return [f"{folder.name if short else folder}{several}" for folder in folders]


def _spread(parts: Floats, base: TestedRun, number: Mapping[Key, int]) -> Floats:
    """The parts of a run among the test rows of all runs: nothing where it was not tested. [run's rows, parts] → [rows, parts]"""
    spread = np.zeros((len(number), parts.shape[1]))
    spread[[number[key] for key in base.rows]] = parts
    return spread


def _defined(value: Statistic) -> Statistic:
    """A resample of a handful of stories may hold no row of a run: 0 on either side, which is no difference, in place of 0 / 0."""

    def of(sums: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            return np.nan_to_num(value(sums))

    return of


def _parts(metric: str, base: TestedRun, run: TestedRun) -> Floats:
    truth, decided = base.given("labels", base), run.given("decided", base)
    columns = [column for column, name in enumerate(base.labels) if metric != "f_avg" or name.lower() in ("favor", "against")]
    answers = Answers(run.probabilities(base)[:, columns], decided[:, columns])
    return METRICS[metric].parts(truth[:, columns], answers, base.kind)
