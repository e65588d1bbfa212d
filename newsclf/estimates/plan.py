"""How many articles people must code for intervals of a stated width: with the model, without it, and without any plan."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from newsclf.errors import InputError
from newsclf.estimates.frame import Scores
from newsclf.estimates.sample import SampleSpec, column_of
from newsclf.estimates.tally import tally
from newsclf.scores.allocate import needed
from newsclf.scores.estimate import LEAST


@dataclass(frozen=True)
class PlannedGroup:
    """What one group takes."""

    group: str
    scored: int
    with_model: int
    without_model: int


@dataclass(frozen=True)
class Plan:
    """How many to code so that the share of every label in every group has an interval of this half-width at most."""

    half_width: float
    by: tuple[str, ...]
    label: str | None
    groups: tuple[PlannedGroup, ...]
    simple: int
    """Of the whole corpus, drawn without groups, until the group that is hardest to fill has enough."""

    @property
    def with_model(self) -> int:
        """In all, with the model's help."""
        return sum(group.with_model for group in self.groups)

    @property
    def without_model(self) -> int:
        """In all, by the codes alone."""
        return sum(group.without_model for group in self.groups)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"with_model": self.with_model, "without_model": self.without_model}

    def text(self) -> str:
        """For a terminal."""
        where = f"every {' × '.join(self.by)}" if self.by else "the corpus"
        what = f"the share of {self.label}" if self.label else "the share of every label"
        first = (
            f"For ±{100 * self.half_width:g} points on {what} in {where}: code {self.with_model:,} articles, drawn by group; {self.without_model:,} "
            f"without the model's scores; {self.simple:,} with simple random sampling and without the scores."
        )
        shown = self.groups[:40]
        lines = [f"{'group':<44} {'scored':>9} {'code':>7} {'without the model':>18}"] if self.by else []
        lines += [f"{group.group:<44} {group.scored:>9,} {group.with_model:>7,} {group.without_model:>18,}" for group in shown] if self.by else []
        lines += [f"… and {len(self.groups) - len(shown)} more groups"] * (len(self.groups) > len(shown))
        leans = (
            f"The numbers take the model's probabilities for right; at least {LEAST} of a group are coded, or all of it. Where the model errs more "
            "than it says, intervals come out wider, and never wrong: --top-up adds articles then."
        )
        return "\n".join([first, "", *lines, *([""] if lines else []), leans])


def plan_sample(scores: Scores, spec: SampleSpec, *, half_width: float) -> Plan:
    """Plan a sample; raises InputError for a half-width that is none, and for columns and labels that are not there."""
    if not 0 < half_width < 0.5:
        raise InputError(f"--plan {half_width:g}: a half-width is a share, above 0 and below .5, as 0.03 for ±3 points.")
    spec = spec.of(scores)
    found = tally(scores, scores.groups(spec.by, outlets=spec.outlets))
    columns = [column_of(spec.label, scores.codebook)] if spec.label else list(range(len(scores.codebook.names)))
    if not found.counts.sum():
        raise InputError(f"{scores.folder}: no article was scored, so there is none to plan for; quarantine-*.parquet there says why.")
    mean = found.sums / found.counts[:, None]
    # the label that takes most decides
    with_model = needed((mean - found.squares / found.counts[:, None])[:, columns].max(axis=1), found.counts, half_width)
    without = needed((mean * (1 - mean))[:, columns].max(axis=1), found.counts, half_width)
    order = sorted(range(len(found.cells)), key=lambda at: found.cells[at])
    groups = tuple(PlannedGroup(", ".join(found.cells[at]) or "all", int(found.counts[at]), int(with_model[at]), int(without[at])) for at in order)
    simple = int(np.ceil((without / found.counts).max() * found.counts.sum()))
    return Plan(half_width, spec.by, spec.label, groups, simple)
