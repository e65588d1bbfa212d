"""A sample of scored articles for people to code: what was drawn from what, with known chances, and what that makes of the ones that came back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field

from newsclf.codebook import Codebook
from newsclf.errors import DataError, InputError, listed, nearest, shown
from newsclf.estimates.frame import Scores
from newsclf.estimates.tally import Key
from newsclf.inference.commit import write_whole
from newsclf.scores.survey import Design
from newsclf.spec import Spec

SAMPLE = "sample.json"
FORMAT = 1
"""Number of the layout of sample.json."""


class SampleSpec(Spec):
    """How articles are drawn for people to code."""

    n: Annotated[int, Field(ge=1)]
    """Articles to code, in all."""

    by: tuple[str, ...] = ()
    """Columns that group: every group gets enough, as far as n goes."""

    strata: Literal["group", "score", "both"] = "both"
    """What is drawn from apart: groups, parts of the model's scores, or both."""

    label: str | None = None
    """The label whose scores count; None: all labels, by how unsure the model is."""

    clusters: tuple[str, ...] = ()
    """Columns that make a unit which is drawn and coded whole, as outlet and day; none: each article by itself."""

    seed: Annotated[int, Field(ge=0)] = 0
    """The same seed draws the same articles; a sample is made larger by topping it up, as strata may be cut otherwise for another n."""

    outlets: dict[str, str] = {}
    """Spelling → name of an outlet, before newsclf's own table."""

    def of(self, scores: Scores) -> Self:
        """For these scores: stances are told of each target."""
        apart = ("target",) if scores.codebook.is_stance and "target" not in self.by else ()
        return self.model_copy(update={"by": (*apart, *self.by)})


@dataclass(frozen=True)
class Stratum:
    """A part of the corpus that is drawn from by itself; what makes it one is not for coders to know."""

    group: Mapping[str, str]
    scores: tuple[float, float] | None
    """From and to, of the label's probability or of how unsure the model is; None: all."""

    units: int
    """Articles, or clusters, in the corpus."""

    drawn: int


@dataclass(frozen=True)
class DrawnRow:
    """An article that was drawn."""

    key: str
    """Its place in the corpus."""

    id: str
    target: str
    stratum: int
    cluster: str
    round: int
    """1 in the first sample, and so on with each addition."""


@dataclass(frozen=True)
class AuditSample:
    """What `sample.json` holds."""

    scores: str
    """Fingerprint of the scoring job."""

    model: str
    task: str
    codebook: str
    """Fingerprint of the codebook."""

    spec: SampleSpec
    strata: tuple[Stratum, ...]
    rows: tuple[DrawnRow, ...]

    @property
    def rounds(self) -> int:
        """Samples that it is made of."""
        return max((row.round for row in self.rows), default=0)

    @cached_property
    def keys(self) -> dict[str, str]:
        """Id → place, of the articles that were drawn."""
        return {row.id: row.key for row in self.rows}

    def chance(self, stratum: int) -> float:
        """The inclusion probability of every article of a stratum."""
        return self.strata[stratum].drawn / self.strata[stratum].units

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; every row with its inclusion probability."""
        about = {"format": FORMAT, "task": self.task, "scores": self.scores, "model": self.model, "codebook": self.codebook}
        rows = [{**vars(row), "inclusion_probability": self.chance(row.stratum)} for row in self.rows]
        return about | {"spec": self.spec.resolved(), "strata": [vars(stratum) for stratum in self.strata], "rows": rows}

    def write(self, folder: Path) -> None:
        """Write `sample.json`; raises OutputError."""
        write_whole(folder / SAMPLE, (json.dumps(self.as_dict(), indent=1, ensure_ascii=False) + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` wrote; raises DataError for what is no sample, or says what cannot be."""
        try:
            tree = json.loads(path.read_bytes())
            if tree["format"] != FORMAT:
                raise ValueError(f"its format is {tree['format']!r} and this newsclf reads {FORMAT}")
            strata = tuple(Stratum(**{**one, "scores": one["scores"] and tuple(one["scores"])}) for one in tree["strata"])
            chances = [row.pop("inclusion_probability") for row in tree["rows"]]
            about = {name: tree[name] for name in ("scores", "model", "task", "codebook")}
            spec = SampleSpec.parse(tree["spec"], where=str(path))
            sample = cls(**about, spec=spec, strata=strata, rows=tuple(DrawnRow(**row) for row in tree["rows"]))
            sample.hold(chances)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            why = f"it has no {error}" if isinstance(error, KeyError) else error
            raise DataError(f"{path}: this is no sample that audit-sample wrote ({why}). Copy it again, or draw again with the same seed.") from error
        return sample

    def hold(self, chances: Sequence[float]) -> None:
        """Raises ValueError where strata, rows and their inclusion probabilities do not belong together."""
        units = {(row.stratum, row.cluster or (row.key, row.target)) for row in self.rows}
        counted = Counter(stratum for stratum, _ in units)
        for number, stratum in enumerate(self.strata):
            if not counted[number] == stratum.drawn <= stratum.units:
                raise ValueError(f"stratum {number} has {counted[number]} of {stratum.units} drawn, and says {stratum.drawn}")
        if again := [key for (key, _), times in Counter((row.key, row.target) for row in self.rows).items() if times > 1]:
            raise ValueError(f"{again[0]!r} comes twice")
        for row, chance in zip(self.rows, chances, strict=True):
            if not 0 <= row.stratum < len(self.strata):
                raise ValueError(f"{row.key!r} is of stratum {row.stratum}, and there are {len(self.strata)}")
            if not abs(chance - self.chance(row.stratum)) <= 1e-9:
                raise ValueError(f"the inclusion probability of {row.key!r} is {chance}, and its stratum says {self.chance(row.stratum):.6g}")

    def check(self, scores: Scores, where: Path) -> None:
        """Raises DataError where the sample is not one of these scores."""
        what = "scores of another task" if self.task != scores.codebook.task else "other scores" if self.scores != scores.fingerprint else ""
        if what:
            raise DataError(f"{where}: this sample was drawn from {what} than {scores.folder} holds; name the folder that it was drawn from.")
        if self.codebook != scores.codebook.fingerprint():
            raise DataError(
                f"{where}: this sample was drawn with another codebook than the scores have now; give the one it was drawn with: --codebook"
            )

    def design(self, keys: Sequence[Key]) -> Design:
        """The design of those rows that came back coded, as a random part of what was drawn; raises DataError for rows that were not drawn."""
        drawn = {(row.key, row.target): row for row in self.rows}
        strangers = [place for place, target in keys if (place, target) not in drawn]
        if strangers:
            raise DataError(
                f"{len(strangers)} of {len(keys)} coded articles were not drawn; the first is {strangers[0]!r}. Estimate from the drawn ones "
                "alone, or from all as chosen by people, which intervals then take on trust:  --by-hand"
            )
        rows = [drawn[key] for key in keys]
        strata = np.array([row.stratum for row in rows], np.int64)
        names = [row.cluster or f"{row.key}\n{row.target}" for row in rows]
        _, first, clusters = np.unique(names, return_index=True, return_inverse=True)
        units = np.bincount(strata[first], minlength=len(self.strata))
        sizes = np.array([stratum.units for stratum in self.strata], float)
        # within a cluster the coded articles stand for those that are not
        whole, coded = Counter(row.cluster for row in self.rows), Counter(row.cluster for row in rows)
        inside = np.array([whole[row.cluster] / coded[row.cluster] if row.cluster else 1.0 for row in rows])
        return Design(strata, clusters.reshape(-1), sizes, sizes[strata] / units[strata] * inside)

    def sentence(self) -> str:
        """How it was drawn, as part of a sentence."""
        clusters, units = self.spec.clusters, sum(stratum.drawn for stratum in self.strata)
        what = f"{units:,} clusters of one {' and '.join(clusters)} with " if clusters else ""
        apart = [*(self.spec.by if self.spec.strata != "score" else ()), *(["the model's score"] if _by_score(self.spec) else [])]
        by = f" by {', '.join(apart)}" if apart else ""
        times = f", in {self.rounds} rounds" if self.rounds > 1 else ""
        return f"{'stratified' if apart else 'simple'} random sample of {what}{len(self.rows):,} articles{by}{times}, seed {self.spec.seed}"

    def remarks(self, keys: Sequence[Key]) -> tuple[str, ...]:
        """What the draw and what came back of it ask to be said."""
        coded = {(row.key, row.target): row.stratum for row in self.rows}
        open_rows = len(self.rows) - len(keys)
        empty = {row.stratum for row in self.rows} - {coded[key] for key in keys if key in coded}
        said = []
        if open_rows:
            said.append(
                f"{open_rows} of {len(self.rows)} drawn articles are not coded: the coded ones stand for them, as if chance had decided which."
            )
        if empty:
            size = sum(self.strata[number].units for number in empty)
            said.append(
                f"Of {len(empty)} strata ({size:,} articles) nothing is coded: the others stand for them, which may be wrong; code theirs too."
            )
        return tuple(said)


def column_of(label: str, codebook: Codebook) -> int:
    """The column of a label; raises InputError where there is none."""
    names = codebook.names
    if label not in names:
        raise InputError(f"--label {label}: the task {codebook.task!r} has no such label{nearest(label, names)}; it has {listed(names)}.")
    return names.index(label)


def _by_score(spec: SampleSpec) -> bool:
    return spec.strata != "group" and not spec.clusters


def sample_beside(paths: Sequence[Path], scores: Scores) -> AuditSample | None:
    """The sample that lies in, or beside, what was coded; raises DataError where it is not of these scores, InputError where there are several."""
    found = {file.resolve(): file for path in paths if (file := (path if path.is_dir() else path.parent) / SAMPLE).is_file()}
    if len(found) > 1:
        raise InputError(
            f"{listed(map(str, found.values()))}: these are several samples; a sample is added to with  audit-sample --top-up, in its folder."
        )
    for file in found.values():
        sample = AuditSample.read(file)
        sample.check(scores, file)
        return sample
    return None


def same_draw(before: SampleSpec, now: SampleSpec) -> None:
    """Raises InputError where a sample cannot be added to, because it was drawn another way."""
    old, new = (spec.model_copy(update={"n": 1}).resolved() for spec in (before, now))
    changed = [f"{name} was {shown(old[name])} and is {shown(new[name])}" for name in old if old[name] != new[name]]
    if changed:
        raise InputError(f"--top-up adds to a sample that was drawn the same way: {'; '.join(changed)}. Give the same, or draw into another folder.")
