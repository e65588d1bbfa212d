"""The audit of a split before anything is learned from it: what its parts share, copies by outlet, joined outlets, labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsclf.corpus.dedup import Clusters
from newsclf.corpus.leaks import Leaks
from newsclf.corpus.outlets import Merge
from newsclf.corpus.replay import PARTS
from newsclf.errors import InputError, listed
from newsclf.training.beside import write_beside
from newsclf.training.experiment import Experiment
from newsclf.training.inflation import INFLATION, Inflation, inflation
from newsclf.training.prepared import Part, Prepared, revisit

MOST = 8
"""Sizes of stories, outlets, pairs of outlets, joined outlets and labels that are printed of each."""


@dataclass(frozen=True)
class Audit:
    """What is known of a split."""

    name: str
    """Of the experiment."""

    parts: Mapping[str, int]
    """Rows in train, test and aside."""

    quarantined: int
    """Rows that could not be used."""

    leaks: Leaks
    copies: Clusters
    """Near-duplicates among the articles of all parts."""

    merges: tuple[Merge, ...]
    """Names of outlets that were taken for one."""

    inflation: Inflation | None = None
    """None where it was not asked for."""

    def text(self) -> str:
        """As lines for a terminal."""
        counts = f"{self.parts['train']:,} rows to learn from, {self.parts['test']:,} to test on, {self.parts['aside']:,} set aside"
        unusable = f", {self.quarantined:,} unusable" if self.quarantined else ""
        lines = [f"{self.name}: {counts}{unusable}", "", *self.leaks.sentences()]
        for block in (self._copies(), self._outlets(), self._labels()):
            lines += ["", *block]
        return "\n".join([*lines, *(["", self.inflation.text()] if self.inflation else [])])

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "parts": dict(self.parts),
            "quarantined": self.quarantined,
            "leaks": self.leaks.as_dict(),
            "copies": self.copies.as_dict(),
            "merges": [merge.as_dict() for merge in self.merges],
            "inflation": self.inflation.as_dict() if self.inflation else None,
        }

    def _copies(self) -> Iterator[str]:
        if not self.copies.repeated:
            yield f"near-duplicates: none among {self.copies.texts:,} articles"
            return
        stories = sum(self.copies.sizes.values())
        yield f"near-duplicates: {self.copies.repeated:,} of {self.copies.texts:,} articles, in {_count(stories, 'story', 'stories')}"
        yield "  articles of a story   stories"
        yield from _first([f"  {size:>19,}   {number:>7,}" for size, number in self.copies.sizes.items()], "sizes")
        if self.copies.between:
            yield "  outlets that share stories"
            yield from _first([f"  {number:>6,}  {one} – {other}" for (one, other), number in self.copies.between.items()], "pairs")
        if self.copies.within:
            yield "  outlets that have a story more than once"
            yield from _first([f"  {number:>6,}  {outlet}" for outlet, number in self.copies.within.items()], "outlets")

    def _outlets(self) -> Iterator[str]:
        several = [merge for merge in self.merges if len(merge.spellings) > 1]
        renamed = len(self.merges) - len(several)
        also = f"; {_count(renamed, 'outlet has', 'outlets have')} another name than in the corpus" if renamed else ""
        yield f"outlets that were joined: {f'{len(several):,} (to keep names apart: split.outlets)' if several else 'none'}{also}"
        yield from _first([f"  {merge}" for merge in several], "outlets")

    def _labels(self) -> Iterator[str]:
        shift = self.leaks.labels
        width = max(map(len, [*shift.train, "label"]))
        yield f"labels: total variation between training and test {shift.distance:.3f}, about {shift.by_chance:.3f} by chance alone"
        yield f"  {'label':<{width}}  training     test   points"
        apart = sorted(shift.train, key=lambda label: -abs(shift.test[label] - shift.train[label]))
        rates = [(label, shift.train[label], shift.test[label]) for label in apart]
        yield from _first([f"  {label:<{width}}  {one:8.1%}  {other:7.1%}  {100 * (other - one):+7.1f}" for label, one, other in rates], "labels")


def audit(what: str | Path, settings: Sequence[str] = (), *, with_inflation: bool = False) -> Audit:
    """Audit the split that a config file (with `a.b=value` settings laid on it) would train with, or that of a finished run, named by its folder.

    Nothing is learned, but for the models of the inflation study where it is asked for (see `inflation`); that of a run is also written to
    inflation.json in its folder. Raises ConfigError for what is no config, InputError for a folder that is not a run's and for settings on a run,
    DataError for rows that must not be or cannot be parted, OutputError where inflation.json cannot be written.
    """
    is_run = Path(what).is_dir()
    if is_run and settings:
        raise InputError(
            f"{what}: settings ({listed(settings, most=3)}) are laid on a config file, and this is a folder: the split of a run is as it was made. "
            f"For another one:  newsclf audit {Path(what) / 'config.yaml'} --set {settings[0]}"
        )
    prepared, part = revisit(what) if is_run else _new(what, settings)
    found = inflation(prepared, part) if with_inflation else None
    if found and is_run:
        write_beside(what, INFLATION, found.as_dict())
    return Audit(
        name=prepared.experiment.name,
        parts={name: int((part == name).sum()) for name in PARTS},
        quarantined=len(prepared.quarantined),
        leaks=prepared.leaks(part),
        copies=prepared.copies(),
        merges=prepared.merges,
        inflation=found,
    )


def _new(config: str | Path, settings: Sequence[str]) -> tuple[Prepared, Part]:
    prepared = Prepared.read(Experiment.load(config, settings))
    return prepared, prepared.part()


def _first(lines: Sequence[str], what: str) -> list[str]:
    """The first MOST lines, and how many more there are."""
    return [*lines[:MOST], f"  … and {len(lines) - MOST:,} more {what}"] if len(lines) > MOST else list(lines)


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"
