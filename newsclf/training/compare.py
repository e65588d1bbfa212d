"""Training runs compared on the test rows that they share: is one better, by how much, and how sure is that?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from newsclf.corpus.split import joined
from newsclf.errors import CheckFailed, InputError, listed, nearest
from newsclf.scores.compare import DRAWS, METRICS, Answers, Difference, Discordant, Draws, difference, holm, mcnemar
from newsclf.scores.intervals import FEW
from newsclf.scores.metrics import Floats, Kind
from newsclf.training.tested import TestedRun, check_same_test

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
        for pair in self.pairs:
            found = pair.difference
            if 0 < found.changed < LEAST_CHANGED:
                notes.append(f"{pair.name} and {self.baseline} differ in {found.changed} of {self._count}: from fewer than six no p below .05 comes.")
            if len(found.by_run) > 1:
                each = ", ".join(map(self._number, found.by_run))
                notes.append(f"{pair.name} against {self.baseline}, run by run: {each}. The interval is about these runs; other seeds are not in it.")
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


def _p(value: float) -> str:
    if value < 0.001:
        return "< .001"
    return "= 1" if value >= 0.995 else f"= {_bare(f'{value:.3f}' if value < 0.1 else f'{value:.2f}')}"


def compare_runs(
    paths: Sequence[RunPath | Sequence[RunPath]], *, metric: str = "macro_f1", clusters: str = "story", draws: Draws = DRAWS
) -> Comparison:
    """Compare the folders of training runs with the first of them; a list inside the list is one side of several runs, of other seeds say.

    Metrics are those of a run's summary. `clusters` names the column of split.jsonl that tells which rows are not independent; what any of the runs
    ties together stays together. Raises InputError for what is no run, for fewer than two sides and for sides of different numbers of runs,
    DataError for runs that were not tested on the same rows with the same codes.
    """
    sides = [[TestedRun.read(Path(path)) for path in ([side] if isinstance(side, (str, Path)) else side)] for side in paths]
    if len(sides) < 2:
        raise InputError(f"a comparison takes two runs or more, the baseline first, and this is {len(sides)}:  newsclf compare RUN OTHER_RUN")
    if not sides[0] or len({len(side) for side in sides}) > 1:
        raise InputError(f"the sides of a comparison need as many runs each, one at least; these have {[len(side) for side in sides]}.")
    runs = [run for side in sides for run in side]
    base = runs[0]
    for run in runs[1:]:
        check_same_test(base, run)
    if metric not in METRICS or metric not in base.metrics:
        known = [name for name in METRICS if name in base.metrics]
        raise InputError(f"{metric!r} is no metric of these runs{nearest(metric, known)}; theirs are {listed(known)}.")
    groups = joined(len(base.rows), [run.column(clusters, base) for run in runs])
    parts = [[_parts(metric, base, run) for run in side] for side in sides]
    found = [difference(parts[0], other, clusters=groups, value=METRICS[metric].value, draws=draws) for other in parts[1:]]
    adjusted = holm([item.p for item in found])
    right = [(base.given("labels", base) == side[0].given("decided", base)).all(axis=1) for side in sides]
    discordant = [mcnemar(right[0], other) if len(side) == 1 else None for side, other in zip(sides, right, strict=True)]
    names = _names(sides)
    return Comparison(names[0], tuple(map(Pair, names[1:], found, adjusted, discordant[1:])), metric, clusters, len(groups), base.kind, draws.level)


def _names(sides: Sequence[Sequence[TestedRun]]) -> list[str]:
    """The folder of each side's first run: its name, or the whole path where two have one name."""
    folders = [side[0].folder.resolve() for side in sides]
    short = len({folder.name for folder in folders}) == len(set(folders))
    several = f" ({len(sides[0])} runs)" if len(sides[0]) > 1 else ""
    return [f"{folder.name if short else folder}{several}" for folder in folders]


def _parts(metric: str, base: TestedRun, run: TestedRun) -> Floats:
    truth, decided = base.given("labels", base), run.given("decided", base)
    columns = [column for column, name in enumerate(base.labels) if metric != "f_avg" or name.lower() in ("favor", "against")]
    answers = Answers(run.probabilities(base)[:, columns], decided[:, columns])
    return METRICS[metric].parts(truth[:, columns], answers, base.kind)
