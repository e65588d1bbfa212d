"""What estimates say, as plain values: the parts of estimates.json."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from newsclf.errors import listed
from newsclf.estimates.audited import Audited
from newsclf.estimates.codings import AuditCodings
from newsclf.estimates.contrasts import Group, families, margins
from newsclf.estimates.frame import TIMES, Scores
from newsclf.estimates.leaning import leaning
from newsclf.estimates.supposed import supposed
from newsclf.estimates.tally import Tally
from newsclf.estimates.trends import Study, changes, first_period, numbered, slopes
from newsclf.scores.differences import differences
from newsclf.scores.estimate import LEAST, ROUGH, Corpus, Shares, more_needed, shares
from newsclf.scores.groups import HeldOut
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.shrink import Pooled
from newsclf.scores.survey import Ids

APART = ("target",)
"""Columns whose values are never summed over."""

SHARES = ("estimate", "low", "high")
TOTALS = ("total", "total_low", "total_high")


@dataclass(frozen=True)
class Told:
    """What estimates say, as plain values."""

    scores: Scores
    found: Tally
    by: tuple[str, ...]
    level: float

    @cached_property
    def groups(self) -> list[Group]:
        """What shares are of."""
        return margins(self.by, self.found.cells, apart=APART)

    @cached_property
    def members(self) -> Booleans:
        """Which cells each group takes in. [groups, cells]"""
        named = [dict(zip(self.by, cell, strict=True)) for cell in self.found.cells]
        return np.array([[group.items() <= cell.items() for cell in named] for group in self.groups], bool)

    @property
    def time(self) -> str | None:
        """The column that is one of time."""
        return next((column for column in self.by if column in TIMES), None)

    @property
    def corpus(self) -> Corpus:
        """All scored rows."""
        return Corpus(self.found.counts, self.found.sums)

    @property
    def labels(self) -> tuple[str, ...]:
        """In codebook order."""
        return self.scores.codebook.names

    def shares(self, best: Shares, *, small: Pooled | None = None) -> Iterator[dict[str, Any]]:
        """Of every label and group the share, its interval, and the count; or why there is none, and how many codings it would take.

        Groups of which too little is coded take the share that `small`, [groups, labels], has for them.
        """
        share, (low, high) = best.share, best.interval(self.level)
        told = best.told
        if small is not None:
            helped = ~told & np.isfinite(small.share)
            share, low, high = (np.where(helped, *both) for both in zip((small.share, *small.interval(self.level)), (share, low, high), strict=True))
            told = told | helped
        naive = self._naive()
        expected = (self.members @ self.found.sums) / best.counts[:, None]
        for column, label in enumerate(self.labels):
            for row, group in enumerate(self.groups):
                scored, coded, positives = float(best.counts[row]), int(best.audited[row]), int(best.positives[row, column])
                values = share[row, column], low[row, column], high[row, column]
                more = min(more_needed(coded, positives, float(expected[row, column])), int(scored) - coded)
                why = None if told[row, column] else _refusal(coded, positives, more, values[1:], rest=more == scored - coded)
                numbers = dict.fromkeys(SHARES) if why else dict(zip(SHARES, map(float, values), strict=True))
                yield {
                    "label": label,
                    "group": dict(group),
                    "scored": int(scored),
                    "audited": coded,
                    "positives": positives,
                    **numbers,
                    "naive": float(naive[row, column]),
                    "worth": float(best.worth[row, column]) if best.told[row, column] and np.isfinite(best.worth[row, column]) else None,
                    **{total: None if value is None else value * scored for total, value in zip(TOTALS, numbers.values(), strict=True)},
                    "refused": why,
                    "rough": bool(best.rough[row, column]),
                    "pooled": bool(told[row, column] and not best.told[row, column]),
                }

    def small(self, rows: Audited, best: Shares) -> Pooled:
        """Shares of the smallest groups that lean on those that take them in (see `leaning`). [groups, labels]"""
        return leaning(rows.sample(), self.corpus, self.groups, self.members, best=best)

    def differences(self, best: Shares) -> Iterator[dict[str, Any]]:
        """Of every label the families of differences, each with intervals that hold together."""
        apart = [column for column in APART if column in self.by]
        for column, label in enumerate(self.labels):
            for family in families(self.groups, self.by, best.told[:, column].tolist(), apart=apart):
                found = differences(best, column, family.pairs, level=self.level)
                for (one, other), *values in zip(family.pairs, found.difference, found.low, found.high, strict=True):
                    between = {"label": label, "a": dict(self.groups[one]), "b": dict(self.groups[other])}
                    numbers = dict(zip(("difference", "low", "high"), map(float, values), strict=True))
                    yield {**between, **numbers, "simultaneous": len(family.pairs) > 1, "family": family.name}

    def trends(self, rows: Audited) -> Iterator[dict[str, Any]]:
        """How every label's share moves from period to period, in the whole corpus and in every group over time."""
        if self.time:
            for column, label in enumerate(self.labels):
                for found in slopes(Study(rows.sample(), self.corpus), self._lines, self._numbers, level=self.level, label=column):
                    yield {"label": label, **found, "per": self.time}

    def changes(self, rows: Audited, at: str) -> Iterator[dict[str, Any]]:
        """What is different of every label's share from the day `at` on, with which a period begins."""
        since = first_period(at, self.time or "")
        for column, label in enumerate(self.labels):
            for found in changes(Study(rows.sample(), self.corpus), self._lines, self._numbers, since=since, level=self.level, label=column):
                yield {"label": label, **found, "at": at}

    @cached_property
    def _numbers(self) -> Ids:
        """The number of each cell's period. [cells]"""
        at = self.by.index(self.time or "")
        return numbered([cell[at] for cell in self.found.cells], self.time or "")

    @cached_property
    def _lines(self) -> list[tuple[Group, Booleans]]:
        """Groups that are not of one period, and their cells."""
        return [(group, inside) for group, inside in zip(self.groups, self.members, strict=True) if self.time not in group]

    def comparators(self, tested: HeldOut | None) -> Iterator[dict[str, Any]]:
        """What the model would say without an audit."""
        yield from supposed(self.scores, self.found, self.groups, self.members, tested=tested)

    def coders(self, rows: Audited) -> Iterator[dict[str, Any]]:
        """The share in the whole corpus under each coder, and under what they say together, where several coded enough."""
        several = [coder for coder in rows.votes if len(rows.of(coder)[0].truth) >= LEAST] if len(rows.votes) > 1 else []
        for coder in (*several, *(["consensus"] if several else [])):
            sample = rows.sample() if coder == "consensus" else rows.of(coder)[0]
            whole = [row for row, group in enumerate(self.groups) if set(group) <= set(APART)]
            found = shares(sample, self.corpus, self.members[whole], self.scores.codebook.kind)
            low, high = found.interval(self.level)
            for at, column in zip(*np.nonzero(found.told), strict=True):
                numbers = {name: float(values[at, column]) for name, values in (("estimate", found.share), ("low", low), ("high", high))}
                yield {"coder": coder, "label": self.labels[column], "group": dict(self.groups[whole[at]]), **numbers}

    def remarks(self, best: Shares, codings: AuditCodings) -> Iterator[str]:
        """What a reader should know."""
        if not codings.codings:
            yield "Nothing is coded: what follows is what a model can say by assumption. Draw articles to code with  newsclf audit-sample"
        elif codings.unsure or codings.uncoded or codings.repeated:
            yield codings.sentence()
        if best.rough.any():
            yield (
                f"{best.rough.sum()} of {best.told.sum()} shares rest on fewer than {ROUGH} coded articles with the label, or without it: take their "
                "intervals for rough ones, which hold less often than they say."
            )
        idle = [label for label, weight, told in zip(self.labels, best.weight, best.told[0], strict=True) if weight == 0 and told]
        if idle:
            yield f"For {listed(idle)} the model says nothing that the codes do not say better: these shares are those of the coded articles alone."
        if self.found.abstained:
            share = self.found.abstained / self.found.counts.sum()
            yield f"The model gave no label to {share:.1%} of the rows: they are missing from the count, and not from the estimates."
        if self.scores.set_aside:
            yield f"Articles that could not be scored, and are in no share: {self.scores.set_aside:,}."
        outlets = self.found.groups.outlets
        if outlets and outlets.merges:
            joined = "; ".join(str(merge) for merge in outlets.merges[:3])
            yield f"Names of one outlet were joined, {len(outlets.merges)} in all: {joined}{' …' if len(outlets.merges) > 3 else ''}"

    def _naive(self) -> Floats:
        return np.asarray((self.members @ self.found.decided) / (self.members @ self.found.counts)[:, None])


def _refusal(coded: int, positives: int, more: int, limits: tuple[float, float], *, rest: bool) -> str:
    """Why there is no share, what can be said all the same, and what it would take: `more` codes, which may be the `rest` of the group."""
    take = f"code the other {more:,}" if rest else f"code about {more:,} more"  # what is coded whole has a share, however small it is
    if coded < LEAST:
        return f"{coded} coded, and {LEAST} are needed: {take}"
    if positives == 0:
        return f"none of {coded} coded has it: at most {limits[1]:.1%}; for a share {take}"
    return f"all {coded} coded have it: at least {limits[0]:.1%}; for a share {take}"
