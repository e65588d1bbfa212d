"""Drawing the articles that people should code: in strata, by random numbers that stay with their articles, and written as coding sheets."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from newsclf.errors import InputError, OutputError
from newsclf.estimates.frame import Scores
from newsclf.estimates.sample import SAMPLE, AuditSample, SampleSpec, same_draw
from newsclf.estimates.sheets import SheetRow, write_sheets
from newsclf.estimates.strata import Draw
from newsclf.estimates.texts import articles_at
from newsclf.scores.estimate import LEAST


@dataclass(frozen=True)
class Drawn:
    """What `audit_sample` drew and wrote."""

    sample: AuditSample
    output: Path
    files: tuple[Path, ...]
    new: int
    """Articles of this round."""

    there: int
    """Articles to draw from, for stances pairs of an article and a target."""

    audit: str
    """The command that comes next."""

    @property
    def groups(self) -> dict[str, tuple[int, int]]:
        """Group → articles (or clusters) drawn, and there."""
        found: dict[str, tuple[int, int]] = {}
        for stratum in self.sample.strata:
            name = ", ".join(stratum.group.values()) or "all"
            drawn, there = found.get(name, (0, 0))
            found[name] = drawn + stratum.drawn, there + stratum.units
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        groups = {name: {"drawn": drawn, "there": there} for name, (drawn, there) in self.groups.items()}
        return {"output": str(self.output), "articles": len(self.sample.rows), "new": self.new, "scored": self.there, "groups": groups}

    def text(self) -> str:
        """For a terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        more = f", {len(self.sample.rows):,} with those of before" if self.new < len(self.sample.rows) else ""
        what = "pairs of article and target" if any(row.target for row in self.sample.rows) else "articles"
        yield f"{self.new:,} {what} to code of {self.there:,} scored{more}: {self.sample.sentence()}"
        if len(self.sample.rows) == self.there:
            yield "That is all there is: when all are coded, shares are counted, and nothing is left to chance."
        few = {name: sizes for name, sizes in self.groups.items() if sizes[0] < min(LEAST, sizes[1])}
        for name, (drawn, there) in list(self.groups.items())[:20]:
            yield f"  {name:<40} {drawn:>6,} of {there:,}{' clusters' * bool(self.sample.spec.clusters)}"
        if len(self.groups) > 20:
            yield f"  … and {len(self.groups) - 20} more groups"
        if few and not self.sample.spec.clusters:
            least = sum(min(LEAST, there) for _, there in self.groups.values())
            yield f"{len(few)} of {len(self.groups)} groups get fewer than {LEAST}, too few for a share: -n {least}, or wider groups."
        yield f"\nsheets  {', '.join(file.name for file in self.files)}"
        yield f"        in {self.output}, without the model's answers; README.txt is for coders"
        yield f"next    {self.audit}"


def audit_sample(scores: Scores, spec: SampleSpec, output: str | Path, *, top_up: bool = False) -> Drawn:
    """Draw articles for people to code, and write coding sheets and `sample.json` into a folder.

    Every article has a random number that the seed alone decides, and the smallest of a stratum are drawn (permanent random numbers, Ohlsson 1995):
    the same call draws the same, and with `top_up` `spec.n` more are added so that the whole is as good a sample as one drawn at once.
    Raises InputError for a label or column that is not there and for a top-up that is drawn another way, OutputError where the folder holds something
    else, and DataError where the corpus cannot be read.
    """
    folder, spec = Path(output), spec.of(scores)
    before = _before(folder, scores, spec, top_up=top_up)
    # what was asked for before, not the rows that clusters happened to have: chances must not hang on what chance drew
    wanted = spec.model_copy(update={"n": spec.n + (before.spec.n if before else 0)})
    draw = Draw(scores, wanted, before)
    strata, rows = draw.rows()
    old = {(row.key, row.target): row.round for row in before.rows} if before else {}
    number = before.rounds + 1 if before else 1
    kept = tuple(replace(row, round=old.get((row.key, row.target), number)) for row in rows)
    new = [row for row in kept if row.round == number]
    if not new:
        all_of_it = f"all {draw.there:,} are in the sample already" if len(rows) == draw.there else "no cluster fits into so few; give a larger -n"
        raise InputError(f"{folder}: --top-up -n {spec.n} adds no article: {all_of_it}.")
    sample = AuditSample(scores.fingerprint, scores.model, scores.codebook.task, scores.codebook.fingerprint(), wanted, strata, kept)
    texts = articles_at(scores, {row.key for row in new})
    shuffled = np.random.default_rng([spec.seed, number]).permutation(len(new))
    files = write_sheets(folder, [SheetRow(new[at].key, texts[new[at].key], new[at].target) for at in shuffled], scores.codebook, number=number)
    sample.write(folder)  # at last: without it the sheets are nobody's
    return Drawn(sample, folder, tuple(files), len(new), draw.there, _next(scores, folder, spec))


def _next(scores: Scores, folder: Path, spec: SampleSpec) -> str:
    """The command that estimates from the sample."""
    task = ["--task", scores.codebook.task] if len(scores.job.models) > 1 else []
    by = ["--by", ",".join(spec.by)] if spec.by else []
    return shlex.join(["newsclf", "estimate", str(scores.folder), *task, "--audit", str(folder), *by])


def _before(folder: Path, scores: Scores, spec: SampleSpec, *, top_up: bool) -> AuditSample | None:
    """The sample that is added to; raises where there is none to add to, or one that must not be overwritten."""
    there = folder / SAMPLE
    if not top_up:
        if there.exists():
            raise OutputError(f"{folder}: a sample is here already, and people may be coding it; add to it with --top-up, or name another folder.")
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(f"{folder}: this holds something else and is left as it is; name another folder.")
        return None
    if not there.exists():
        raise InputError(f"{folder}: --top-up adds to a sample, and there is none here; leave it out to draw a first one.")
    sample = AuditSample.read(there)
    sample.check(scores, there)
    same_draw(sample.spec, spec)
    return sample
