"""How much a random split would flatter a model: the same test articles, scored after training as this split has it and as a random one would."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from newsclf.corpus.dedup import Ids
from newsclf.corpus.split import NEAR_DUPLICATE, leaks
from newsclf.errors import DataError
from newsclf.scores.compare import METRICS, Answers, Difference, difference
from newsclf.scores.intervals import FEW
from newsclf.scores.metrics import Booleans, Floats
from newsclf.training.learn import trial
from newsclf.training.prepared import Part, Prepared

logger = logging.getLogger(__name__)
INFLATION = "inflation.json"
WAYS = {"strict": "this split", "random_without_copies": "random, copies set aside", "random": "random"}
"""What the models learn from, as it is printed."""

GAINS = {
    "inflation": ("a random split adds", "strict", "random"),
    "copies": ("  by near-duplicates", "random_without_copies", "random"),
    "rest": ("  by what else is shared", "strict", "random_without_copies"),
}
"""Differences between two ways: how it is printed, the lower way, the upper one. The last two add up to the first."""

LEAST = 10
"""Articles to test on, below which a difference of two scores says nothing."""


@dataclass(frozen=True)
class Measured:
    """One metric of the test rows."""

    metric: str
    """Its name in a run's summary."""

    scores: Mapping[str, float]
    """Way → share, 0 to 1."""

    gains: Mapping[str, Difference]
    """As GAINS has them, in shares."""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values: estimates as shares, differences in points (.01); `low` and `high` are None where all is of one cluster."""
        return {
            "metric": self.metric,
            "ways": [{"key": way, "way": title, "estimate": self.scores[way]} for way, title in WAYS.items()],
            "differences": [{"key": name, "way": title.strip(), **_in_points(self.gains[name])} for name, (title, _, _) in GAINS.items()],
        }


@dataclass(frozen=True)
class Inflation:
    """Scores of the same test articles, whatever their models learned from."""

    articles: int
    rows: int
    """To test on; a stance has several rows an article."""

    training_rows: int
    """Of each model, the same in every way."""

    clusters: int
    cluster_kind: str
    """What was resampled as one for the intervals."""

    metrics: tuple[Measured, ...]
    """Accuracy (micro-F1 of a multi-label task) and macro-F1."""

    def sentences(self) -> list[str]:
        """What the numbers say, and how far they can be trusted."""
        first = self.metrics[0]
        whole, copies, rest = (first.gains[name] for name in GAINS)
        above = f"{_points(whole.estimate)} points of {METRICS[first.metric].title}"
        split = f"{_points(copies.estimate)} by near-duplicates and {_points(rest.estimate)} by what else both sides share, such as outlets"
        if whole.low is not None and whole.low > 0:
            said = [f"A random split would inflate the score: {above} on the same articles ({_interval(whole)}), {split}."]
        else:
            said = [f"A random split would change the score by {above} on the same articles ({_interval(whole)}), which may be chance."]
        if self.clusters < FEW:
            said.append(f"From fewer than {FEW} {self.cluster_kind} (here {self.clusters}) an interval promises more than it keeps.")
        return said

    def text(self) -> str:
        """The table, and the sentences."""
        names = [METRICS[found.metric].title for found in self.metrics]
        sizes = f"{self.rows:,} test rows, {self.training_rows:,} training rows for every model"
        lines = [f"the same articles under three splits: {sizes}", f"  {'':<26}" + "".join(f"{name:>24}" for name in names)]
        lines += [f"  {title:<26}" + "".join(f"{100 * found.scores[way]:>24.1f}" for found in self.metrics) for way, title in WAYS.items()]
        for name, (title, _, _) in GAINS.items():
            gains = [found.gains[name] for found in self.metrics]
            lines.append(f"  {title:<26}" + "".join(f"{f'{_points(gain.estimate)} ({_range(gain)})':>24}" for gain in gains))
        lines.append(f"  (in points; in brackets the 95 % interval; {self.cluster_kind}: {self.clusters:,})")
        return "\n".join([*lines, "", *self.sentences()])

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, the sentences among them."""
        counts = {key: getattr(self, key) for key in ("articles", "rows", "training_rows", "clusters", "cluster_kind")}
        return {**counts, "metrics": [found.as_dict() for found in self.metrics], "sentences": self.sentences()}


def inflation(prepared: Prepared, part: Part) -> Inflation:
    """Score the test articles of a split by models that learned as the split has it, and by models that learned as a random split would have it.

    The test articles are dealt into two halves. For each half three models learn from equally many rows: of the part `train`; of all rows that are
    not about the half, as if it had been drawn at random; and of these without near-duplicates of the half, which tells what copies do from what
    shared outlets do. So every test row is scored once each way. What a model chooses (calibration, C, thresholds) it chooses by folds as strict as
    its way, near-duplicates together in all of them. The rows come in one drawn order, so that models differ by where their rows may come from more
    than by the draw. Of an outlet that is kept to the test, a true random split would leave more than the other half to learn from: what is found
    is a low estimate. Intervals and p are of the test articles (paired cluster bootstrap over what the split keeps together), given these models.
    Two calls give the same numbers.

    Raises DataError where there are too few articles to test on, or too few labels to learn from.
    """
    seed, tested = prepared.experiment.split.seed, np.flatnonzero(part == "test")
    articles = np.unique(prepared.every.pairs.rows[tested])
    if len(articles) < LEAST:
        raise DataError(
            f"the inflation study: the split has {len(articles)} articles to test on; {LEAST} or more are needed. Raise split.test, or code more."
        )
    chance = np.random.default_rng(seed)
    halves = [np.flatnonzero(np.isin(prepared.every.pairs.rows, half)) for half in np.array_split(chance.permutation(articles), 2)]
    order = chance.permutation(len(part))
    pools = [_pools(prepared, part, half) for half in halves]
    number = min(int(pool.sum()) for ways in pools for pool in ways.values())
    learned = [{way: np.sort(order[pool[order]][:number]) for way, pool in ways.items()} for ways in pools]
    _check_labels(prepared, [inside for ways in learned for inside in ways.values()])
    answers = _answers(prepared, halves, learned)
    rows = np.concatenate(halves)
    clusters = prepared.rows().groups()[rows]
    return Inflation(
        articles=len(articles),
        rows=len(rows),
        training_rows=number,
        clusters=len(np.unique(clusters)),
        cluster_kind=_cluster_kind(prepared),
        metrics=tuple(_measured(prepared, rows, answers, clusters)),
    )


def _pools(prepared: Prepared, part: Part, half: Ids) -> dict[str, Booleans]:
    """Rows that a model may learn from that is tested on this half, for each way. [rows] each"""
    held = np.zeros(len(part), bool)
    held[half] = True
    found = {"strict": part == "train", "random_without_copies": ~held & ~leaks(prepared.story, ~held, held), "random": ~held}
    return {way: found[way] for way in WAYS}


def _check_labels(prepared: Prepared, learned: Sequence[Ids]) -> None:
    """Raise DataError where some model would have too few labels to tell apart, before the first is made."""
    needed = 2 if prepared.codebook.kind == "exclusive" else 1
    fewest = min(learned, key=lambda inside: prepared.every.truth[inside].any(axis=0).sum())
    present = prepared.every.truth[fewest].any(axis=0).sum()
    if present < needed:
        raise DataError(
            f"the inflation study: each model learns from {len(fewest)} rows, and in one of these draws stand only {present} of the "
            f"{len(prepared.codebook.names)} labels; {needed} are needed. Code more articles, or test on fewer (split.test)."
        )


def _answers(prepared: Prepared, halves: Sequence[Ids], learned: Sequence[Mapping[str, Ids]]) -> dict[str, Answers]:
    """What the models of each way say of both halves, one after the other."""
    found: dict[str, list[tuple[Floats, Booleans]]] = {way: [] for way in WAYS}
    loose = _loose(prepared)
    for half, ways in zip(halves, learned, strict=True):
        for way, inside in ways.items():
            made = sum(map(len, found.values()))
            # a line and no bar: each fit may show its own
            logger.info("inflation: model %d of %d (%s)", made + 1, len(halves) * len(WAYS), WAYS[way])
            found[way].append(trial(prepared if way == "strict" else loose, inside, half))
    return {way: Answers(*map(np.concatenate, zip(*each, strict=True))) for way, each in found.items()}


def _loose(prepared: Prepared) -> Prepared:
    """The same rows, whose folds keep no more together than near-duplicates: who splits at random cross-validates at random, too."""
    split = prepared.experiment.split.model_copy(update={"keep_together": (NEAR_DUPLICATE,)})
    return replace(prepared, experiment=prepared.experiment.model_copy(update={"split": split}))


def _measured(prepared: Prepared, rows: Ids, answers: Mapping[str, Answers], clusters: Ids) -> Iterator[Measured]:
    truth, kind = prepared.every.truth[rows], prepared.codebook.kind
    for name in ("accuracy" if kind == "exclusive" else "micro_f1", "macro_f1"):
        metric = METRICS[name]
        parts = {way: metric.parts(truth, answer, kind) for way, answer in answers.items()}
        scores = {way: float(metric.value(each.sum(axis=0))) for way, each in parts.items()}
        gains = {gain: difference([parts[lower]], [parts[upper]], clusters=clusters, value=metric.value) for gain, (_, lower, upper) in GAINS.items()}
        yield Measured(name, scores, gains)


def _cluster_kind(prepared: Prepared) -> str:
    columns = [column for column in prepared.experiment.split.keep_together if column != NEAR_DUPLICATE]
    return f"groups by {' and '.join(columns)}" if columns else "stories"


def _in_points(gain: Difference) -> dict[str, float | None]:
    low, high = (None if edge is None else 100 * edge for edge in (gain.low, gain.high))
    return {"points": 100 * gain.estimate, "low": low, "high": high, "p": gain.p}


def _points(share: float) -> str:
    number = f"{100 * share:+.1f}".replace("-", "−")
    return "0.0" if number[1:] == "0.0" else number


def _range(gain: Difference) -> str:
    return "no interval" if gain.low is None or gain.high is None else f"{_points(gain.low)} to {_points(gain.high)}"


def _interval(gain: Difference) -> str:
    return _range(gain) if gain.low is None else f"95 % {_range(gain)}"
