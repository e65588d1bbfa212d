"""What share of a corpus, and of each outlet and month, has each label: from scores and an audit sample, with intervals that can be printed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from newsclf import __version__
from newsclf.errors import DataError, InputError
from newsclf.estimates.audited import Audited, audited, keys_of
from newsclf.estimates.codings import AuditCodings, read_audit
from newsclf.estimates.frame import TIMES, Scores
from newsclf.estimates.sample import sample_beside
from newsclf.estimates.supposed import held_out
from newsclf.estimates.tally import tally
from newsclf.estimates.told import Told
from newsclf.estimates.trends import first_period
from newsclf.scores.estimate import shares
from newsclf.scores.groups import HeldOut
from newsclf.spec import Spec

FORMAT = 1
"""Number of the layout of estimates.json."""


class EstimateSpec(Spec):
    """What shares are wanted of."""

    by: tuple[str, ...] = ()
    """Columns that group, as outlet and quarter; none: the whole corpus alone."""

    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """How often intervals hold."""

    change_at: str | None = None
    """Day from which the share is compared with that before: the first of a period."""

    small: Literal["refuse", "pool"] = "refuse"
    """Groups of which too little is coded: no share, or one that leans on what the model gets wrong in the group that takes them in."""

    by_hand: bool = False
    """The coded articles were chosen by people, not drawn."""

    columns: dict[str, str] = {}
    """Where a coded file has what: key, id, target, labels, coder, inclusion_probability, stratum, cluster → its column."""

    outlets: dict[str, str] = {}
    """Spelling → name of an outlet, before newsclf's own table."""

    def of(self, scores: Scores) -> EstimateSpec:
        """For these scores: stances are told of each target."""
        apart = ("target",) if scores.codebook.is_stance and "target" not in self.by else ()
        return self.model_copy(update={"by": (*apart, *self.by)})


@dataclass(frozen=True)
class Estimates:
    """Shares with their intervals and all that is needed to make them again; `record` is what estimates.json holds."""

    record: Mapping[str, Any]

    def text(self) -> str:
        """For a terminal."""
        from newsclf.estimates.tables import to_text

        return to_text(self.record)

    def write(self, folder: str | Path) -> list[Path]:
        """Write record, tables, page and pictures into a folder; raises OutputError where it cannot be written."""
        from newsclf.estimates.written import write

        return write(self.record, Path(folder))


def estimate(scores: Scores, audit: Sequence[str | Path], spec: EstimateSpec | None = None, *, run: str | Path | None = None) -> Estimates:
    """Shares of every label of a task by group, from a scored folder and coded articles of it.

    `audit` names coded files, or the folder that audit-sample wrote; `run` the training run of the model, whose tested rows let quantifiers say
    something beside it, or without it. Raises DataError for codings that are not of these scores or this codebook, and InputError for columns that
    are not there, where nothing says how the coded articles were drawn, and for neither audit nor run.
    """
    spec = (spec or EstimateSpec()).of(scores)
    if not audit and run is None:
        raise InputError(
            "a share needs articles that people coded: draw them with  newsclf audit-sample, and name them with --audit. "
            "What a model can say without them, by assumption, needs its training run:  --run"
        )
    tested = held_out(Path(run), scores) if run is not None else None
    if not scores.rows:
        raise DataError(f"{scores.folder}: none of its {scores.set_aside:,} articles could be scored, and there is no share of nothing.")
    groups = scores.groups(spec.by, outlets=spec.outlets)
    time = next((column for column in spec.by if column in TIMES), None)
    if spec.change_at and time is None:
        raise InputError(f"--change-at {spec.change_at} needs periods to compare: --by {','.join((*spec.by, 'month'))}")
    if spec.change_at and time:
        first_period(spec.change_at, time)  # before anything is read
    if spec.small == "pool" and len(set(spec.by) - {"target"}) < 2:
        raise InputError("--small pool: groups lean on one that takes them in, which needs two columns: --by outlet,month leans on the outlet.")
    paths = [Path(path) for path in audit]
    drawn = None if spec.by_hand or not paths else sample_beside(paths, scores)
    codings = read_audit(paths, scores.codebook, keys=drawn.keys if drawn else None, columns=spec.columns) if paths else AuditCodings(())
    found = tally(scores, groups, keys_of(codings), look=tested is not None)
    told = Told(scores, found, spec.by, spec.level)
    rows = audited(codings, found, scores.codebook, drawn=drawn, by_hand=spec.by_hand)
    return Estimates(_about(scores, spec) | _record(told, codings, rows, spec, tested))


def _about(scores: Scores, spec: EstimateSpec) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "newsclf": __version__,
        "task": scores.codebook.task,
        "kind": scores.codebook.kind,
        "labels": list(scores.codebook.names),
        "by": list(spec.by),
        "time": next((column for column in spec.by if column in TIMES), None),
        "change_at": spec.change_at,
        "small": spec.small,
        "outlets": dict(spec.outlets),
        "scores": {"folder": str(scores.folder), "fingerprint": scores.fingerprint, "rows": scores.rows, "set_aside": scores.set_aside},
        "model": scores.model,
    }


def _record(told: Told, codings: AuditCodings, rows: Audited, spec: EstimateSpec, tested: HeldOut | None) -> dict[str, Any]:
    best = shares(rows.sample(), told.corpus, told.members, told.scores.codebook.kind)
    return {
        "audit": {
            "fingerprint": codings.fingerprint if rows.keys else None,
            "articles": len(rows.keys),
            "coders": len(rows.votes),
            "design": rows.how,
            "by_hand": rows.by_hand,
        },
        "method": {
            "estimator": "difference estimator, with the weight of the model tuned (PPI++)",
            "level": told.level,
            "interval": "Wilson's, for the effective number of coded articles; of the draw from this corpus alone",
            "weight": dict(zip(told.labels, best.weight.tolist(), strict=True)),
        },
        "shares": list(told.shares(best, small=told.small(rows, best) if spec.small == "pool" else None)),
        "differences": list(told.differences(best)),
        "trends": list(told.trends(rows)),
        "changes": list(told.changes(rows, spec.change_at)) if spec.change_at else [],
        "comparators": list(told.comparators(tested)),
        "coders": list(told.coders(rows)),
        "remarks": [*rows.remarks, *told.remarks(best, codings)],
    }


def read_record(path: str | Path) -> dict[str, Any]:
    """A record that `Estimates.write` wrote; raises InputError for what is none."""
    file = Path(path) / "estimates.json" if Path(path).is_dir() else Path(path)
    try:
        record = json.loads(file.read_bytes())
        if record["format"] != FORMAT:
            raise ValueError(f"its format is {record['format']!r} and this newsclf reads {FORMAT}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file}: these are no estimates of newsclf ({error}).") from error
    return dict(record)
