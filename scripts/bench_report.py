"""What scripts/benchmark.py writes: BENCHMARKS.md and benchmarks.json."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench_probabilities import GOAL, Off
from bench_splits import Audit

import newsclf

INTRODUCTION = (
    "Official splits; C, calibration and thresholds chosen by cross-validation on the training rows. Nothing here measures the starter corpus on",
    "itself. Intervals are of 95 %, by resampling stories (near-duplicates are one story).",
)
SPLITS = (
    "The splits are kept as they are: the published figures have the same leaks. What a strict split scores has another model behind it, whose",
    "thresholds are chosen anew: a difference far above the share of copied test rows is how far these move, and no leak.",
)
CALIBRATION = (
    "Expected calibration error: by how much the share that came true is off the mean probability, over ten bins of equally many answers; of the",
    "likeliest label for exclusive tasks, the mean over the labels for others. *Raw* reads the scores as log-odds. On held-out folds the calibration",
    "is fitted on one half of the training rows' held-out scores and measured on the other; the figure is the mean of both ways. *By chance* is what",
    "so many rows would show on average were every calibrated probability right. The peer is scikit-learn's LinearSVC(C=1) on tf-idf of words and",
    "word pairs, with a temperature from the same held-out folds (where a row may have several labels, a sigmoid for each label).",
)


@dataclass(frozen=True)
class Row:
    """A line of the table of scores."""

    benchmark: str
    measure: str
    ours: float
    interval: tuple[float, float] | None
    """95 %, by resampling stories; None where repeated cross-validation says how far seeds move it."""

    published: float | None
    note: str
    seconds: float

    def line(self) -> str:
        """A row of the table in Markdown."""
        return f"| {self.benchmark} | {self.measure} | {self.ours:.3f} | {_range(self.interval)} | {_figure(self.published)} | {self.note} |"

    def text(self) -> str:
        """A row for the terminal."""
        ours = f"ours {self.ours:.3f} ({_range(self.interval)})"
        return f"{self.benchmark:<22} {self.measure:<24} {ours:<30} published {_figure(self.published):<6} {self.note}  [{self.seconds:.0f} s]"


Item = Row | Audit | Off


def _figure(value: float | None) -> str:
    return f"{value:.3f}" if value is not None else "–"


def _range(interval: tuple[float, float] | None) -> str:
    return "{:.3f} to {:.3f}".format(*interval) if interval else "–"


@dataclass
class Report:
    """Everything that was found, in the order of the benchmarks."""

    learner: str = "linear"
    rows: list[Row] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    off: list[Off] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, items: Sequence[Item]) -> None:
        """What one benchmark gave."""
        self.rows += [item for item in items if isinstance(item, Row)]
        self.audits += [item for item in items if isinstance(item, Audit)]
        self.off += [item for item in items if isinstance(item, Off)]

    def keep(self, folder: Path, names: Sequence[str]) -> None:
        """What an earlier run of the same learner wrote of these benchmarks, before what is found now."""
        path = folder / "benchmarks.json"
        earlier = json.loads(path.read_text("utf-8")) if path.exists() else {}
        if earlier.get("learner") == self.learner:
            for key, kind in (("rows", Row), ("splits", Audit), ("probabilities", Off)):
                self.add([kind(**item) for item in earlier[key] if item["benchmark"].partition(",")[0] in names])

    def write(self, folder: Path) -> None:
        """BENCHMARKS.md and benchmarks.json."""
        folder.mkdir(parents=True, exist_ok=True)
        machine = f"newsclf {newsclf.__version__}, Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
        (folder / "BENCHMARKS.md").write_text("\n".join(self.lines(machine)).rstrip() + "\n", "utf-8")
        found = asdict(self)
        values = {
            "machine": machine,
            "learner": self.learner,
            "rows": found["rows"],
            "splits": found["audits"],
            "probabilities": found["off"],
            "skipped": self.skipped,
        }
        (folder / "benchmarks.json").write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")

    def lines(self, machine: str) -> Iterator[str]:
        """The page in Markdown."""
        yield from (
            "# Benchmarks",
            "",
            f"Written by `python scripts/benchmark.py --data FOLDER` ({machine}).",
            *INTRODUCTION,
            "",
            f"| benchmark | measure | newsclf, {self.learner} | 95 % interval | published | by whom, and how ours was taken |",
            "|---|---|---|---|---|---|",
            *(row.line() for row in self.rows),
            "",
        )
        if self.skipped:
            yield from (f"Skipped, not in the data folder: {', '.join(self.skipped)}.", "")
        if self.audits:
            yield from ("## What the official splits leak", "", *SPLITS, "")
            for audit in self.audits:
                yield from audit.lines()
        if self.off:
            yield from self.probabilities()

    def probabilities(self) -> Iterator[str]:
        """The table of calibration errors, and the goals that are missed."""
        yield from (
            "## Are the probabilities right?",
            "",
            *CALIBRATION,
            "",
            "| benchmark | rows | number | newsclf, raw | calibrated | by chance | LinearSVC, raw | with a temperature |",
            "|---|---|---|---|---|---|---|---|",
            *(found.line() for found in self.off),
            "",
        )
        missed = [found.missed for found in self.off if found.missed]
        if not missed:
            yield f"The goal, {GOAL} at most once calibrated, is met in every row."
            return
        yield from (f"The goal, {GOAL} at most once calibrated, is missed in {len(missed)} of {len(self.off)} rows:", "")
        yield from (f"* {sentence}" for sentence in missed)
