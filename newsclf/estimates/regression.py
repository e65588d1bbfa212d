"""Tables for papers: what goes with a label, by a regression on outlet, author and time that the coded sample corrects."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from newsclf import __version__
from newsclf.errors import InputError, listed, nearest
from newsclf.estimates.audited import audited, keys_of
from newsclf.estimates.codings import read_audit
from newsclf.estimates.frame import TIMES, Cell, Scores
from newsclf.estimates.sample import column_of, sample_beside
from newsclf.estimates.tally import tally
from newsclf.estimates.trends import numbered
from newsclf.scores.estimate import Corpus
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.regress import Fit, Regression, regress
from newsclf.scores.regressors import Regressors
from newsclf.spec import Spec

MEANING = (
    "Coefficients are those of a regression on what coders would say of every article; counted ones, on what the model decides, are biased by its "
    "errors. (Design-based supervised learning, Egami et al. 2023; errors are of the draw from this corpus.)"
)


class RegressionSpec(Spec):
    """What labels are regressed on."""

    on: Annotated[tuple[str, ...], Field(min_length=1)]
    """Columns: each value a dummy, but the first; of a column of time its number, from 0."""

    label: str | None = None
    """The label; None: each of them."""

    link: Literal["linear", "logistic"] = "linear"
    """linear: differences of shares; logistic: of log-odds."""

    reference: dict[str, str] = {}
    """Column → the value that the others are compared with; the first in the alphabet unless given."""

    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """How often intervals hold."""

    by_hand: bool = False
    """The coded articles were chosen by people, not drawn."""

    columns: dict[str, str] = {}
    """Where a coded file has what, as for estimates."""

    outlets: dict[str, str] = {}
    """Spelling → name of an outlet, before newsclf's own table."""


@dataclass(frozen=True)
class Regressions:
    """A regression for each label; `record` is plain JSON values."""

    record: Mapping[str, Any]

    def text(self) -> str:
        """For a terminal."""
        return "\n".join(_lines(self.record))


def regression(scores: Scores, audit: Sequence[str | Path], spec: RegressionSpec) -> Regressions:
    """Regress labels on columns of the scores, over all scored articles, corrected by the coded ones (see `scores.regress`).

    Raises as `estimate` does, and InputError where too little is coded of a value, or columns cannot be told apart.
    """
    paths = [Path(path) for path in audit]
    groups = scores.groups(spec.on, outlets=spec.outlets)
    columns = [column_of(spec.label, scores.codebook)] if spec.label else list(range(len(scores.codebook.names)))
    drawn = None if spec.by_hand else sample_beside(paths, scores)
    codings = read_audit(paths, scores.codebook, keys=drawn.keys if drawn else None, columns=spec.columns)
    found = tally(scores, groups, keys_of(codings))
    rows = audited(codings, found, scores.codebook, drawn=drawn, by_hand=spec.by_hand)
    on = _regressors(spec, found.cells)
    fits: list[dict[str, Any]] = []
    refused: dict[str, str] = {}
    for column in columns:
        name = scores.codebook.names[column]
        try:
            told = regress(rows.sample(), Corpus(found.counts, found.sums), on, label=column, decided=found.decided, fit=Fit(link=spec.link))
            fits.append({"label": name, **_plain(told, spec.level)})
        except ValueError as error:
            refused[name] = str(error)
    if not fits:
        raise InputError(f"{listed(spec.on)}: no label can be regressed on these: {next(iter(refused.values()))}")
    about = {"task": scores.codebook.task, "on": list(spec.on), "link": spec.link, "level": spec.level, "newsclf": __version__}
    prints = {"scores": scores.fingerprint, "model": scores.model, "audit": codings.fingerprint}
    return Regressions(about | {"fingerprints": prints, "regressions": fits, "refused": refused, "remarks": list(rows.remarks)})


def _regressors(spec: RegressionSpec, cells: Sequence[Cell]) -> Regressors:
    """An intercept, dummies for the values of each column but one, and numbers of periods from 0."""
    columns: dict[str, Floats] = {"(intercept)": np.ones(len(cells))}
    levels: dict[str, Booleans] = {}
    if strange := [name for name in spec.reference if name not in spec.on]:
        raise InputError(f"--reference {strange[0]}: it is not regressed on; the columns are {listed(spec.on)}.")
    for at, name in enumerate(spec.on):
        values = [cell[at] for cell in cells]
        if name in TIMES:
            numbers = numbered(values, name)
            if (numbers < 0).any():
                raise InputError(f"--on {name}: some articles have no date that can be read; leave them out of the corpus, or the column.")
            columns[f"{name}, from {values[int(numbers.argmin())]} on"] = (numbers - numbers.min()).astype(float)
            continue
        known = sorted(set(values))
        first = spec.reference.get(name, known[0])
        if first not in known:
            raise InputError(f"--reference {name}={first}: no article has it{nearest(first, known)}; there are {listed(known)}.")
        for value in known:
            levels[f"{name} {value}"] = np.array([one == value for one in values])
            if value != first:
                columns[f"{name} {value} − {first}"] = levels[f"{name} {value}"].astype(float)
    return Regressors(tuple(columns), np.column_stack(list(columns.values())), levels)


def _plain(told: Regression, level: float) -> dict[str, Any]:
    low, high = told.interval(level)
    values = zip(told.names, told.coefficients, told.errors, low, high, told.p, told.naive, strict=True)
    keys = ("name", "coefficient", "error", "low", "high", "p", "counted")
    rows = [{key: value if isinstance(value, str) else _finite(value) for key, value in zip(keys, row, strict=True)} for row in values]
    return {"rows": told.rows, "coded": told.coded, "weight": told.weight, "coefficients": rows}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _lines(record: Mapping[str, Any]) -> Iterator[str]:
    sure = f"{100 * record['level']:g} %"
    wide = max(len(row["name"]) for fit in record["regressions"] for row in fit["coefficients"])
    unit = "log-odds" if record["link"] == "logistic" else "share, 0 to 1"
    for fit in record["regressions"]:
        yield f"{fit['label']} ~ {' + '.join(record['on'])}   ({record['link']}, {unit}; {fit['rows']:,} articles, {fit['coded']:,} coded)"
        yield f"  {'':<{wide}} {'coefficient':>12} {sure:>18} {'p':>7} {'counted (biased)':>17}"
        for row in fit["coefficients"]:
            limits = f"{row['low']:+.3f} to {row['high']:+.3f}"
            counted = "–" if row["counted"] is None else f"{row['counted']:+.3f}"
            p = "–" if row["p"] is None else "< .001" if row["p"] < 0.001 else f"{row['p']:.3f}"
            yield f"  {row['name']:<{wide}} {row['coefficient']:>+12.3f} {limits:>18} {p:>7} {counted:>17}"
        yield ""
    for label, why in record["refused"].items():
        yield f"{label}: refused: {why}"
    yield from record["remarks"]
    yield from textwrap.wrap(MEANING, 120)
