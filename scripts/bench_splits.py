"""What scripts/benchmark.py says of official splits: what they leak, and what a strict split of the same articles scores."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from newsclf.codebook import Codebook
from newsclf.corpus.split import leaks
from newsclf.learners.ngrams import Ids
from newsclf.scores.intervals import cluster_interval
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.parts import Summed, headline
from newsclf.training.evaluate import sides_of
from newsclf.training.learn import trial
from newsclf.training.measured import named
from newsclf.training.prepared import Part, Prepared, revisit


@dataclass(frozen=True)
class Finished:
    """A finished run once more, from its folder: its rows and parts, and the C and the calibration that it chose, which are not chosen again."""

    prepared: Prepared
    part: Part
    findings: dict[str, Any]

    @classmethod
    def of(cls, run: Path) -> Self:
        """Raises InputError and DataError as `revisit`."""
        prepared, part = revisit(run)
        chosen = json.loads((run / "metrics.jsonl").read_text("utf-8").splitlines()[0])
        experiment = prepared.experiment
        learner = experiment.learner.model_copy(update={"C": chosen["C"]})
        fixed = experiment.model_copy(update={"learner": learner, "calibration": chosen["calibration"]})
        return cls(replace(prepared, experiment=fixed), part, json.loads((run / "findings.json").read_text("utf-8")))

    @property
    def inside(self) -> Ids:
        """Rows to learn from."""
        return np.flatnonzero(self.part == "train")

    @property
    def outside(self) -> Ids:
        """Rows to test on."""
        return np.flatnonzero(self.part == "test")


@dataclass(frozen=True)
class Audit:
    """What an official split leaks."""

    benchmark: str
    sentences: tuple[str, ...]
    """Of the leak audit, the sizes first."""

    copied: int
    """Test rows that near-duplicate a training row by title and text."""

    aside: int
    """Training rows that a strict split sets aside for them."""

    metric: str
    official: float
    strict: float
    """The metric on the same test rows, by models of all training rows and of those that are not set aside."""

    def lines(self) -> list[str]:
        """As Markdown."""
        return [f"**{self.benchmark}**", "", *(f"* {sentence}" for sentence in self.sentences), f"* {self.without}", ""]

    def text(self) -> str:
        """As lines for the terminal."""
        return "\n  ".join([f"{self.benchmark}:", *self.sentences, self.without])

    @property
    def without(self) -> str:
        """What a strict split does, as a sentence."""
        if not self.aside:
            return "A strict split has nothing to set aside: it is this one."
        scores = f"{self.strict:.3f} on the same test rows, and not {self.official:.3f}"
        copies = f"By title and text {self.copied:,} test rows are near-duplicates of training rows, {self.aside:,} in all"
        return f"{copies}, which a strict split sets aside: {named(self.metric)} is then {scores}."


def audited(name: str, finished: Finished, metric: str) -> Audit:
    """The audit that a run wrote down, and a model of its training rows without those that near-duplicate a test row."""
    prepared, part = finished.prepared, finished.part
    copies, copied = (leaks(prepared.story, part == side, part == other) for side, other in (("train", "test"), ("test", "train")))
    official = next(float(row["estimate"]) for row in finished.findings["headline"] if row["metric"] == metric)
    strict = official
    if copies.any():
        tested = finished.outside
        given = trial(prepared, np.flatnonzero((part == "train") & ~copies), tested)
        parts, statistic = parts_of(prepared.codebook, metric, prepared.every.truth[tested], *given)
        strict = float(statistic(parts.sum(axis=0)))
    return Audit(name, tuple(finished.findings["leaks"]), int(copied.sum()), int(copies.sum()), metric, official, strict)


def parts_of(codebook: Codebook, metric: str, truth: Booleans, probabilities: Floats, decided: Booleans) -> Summed:
    """A headline metric as a function of sums over rows. Arrays are [rows, labels]."""
    return headline(truth, probabilities, decided, codebook.kind, sides=sides_of(codebook))[metric]


def interval(metric: Summed, stories: Ids) -> tuple[float, float]:
    """The 95 % interval of a metric, by resampling stories. [rows]"""
    parts, statistic = metric
    found = cluster_interval(parts, stories, statistic)
    return found.low, found.high
