"""The replication pack: what a reviewer needs to make the published shares again, and no article's text.

It holds the scores and the codings under names that tell nothing of the machine they were made on. Fingerprints of the job and the codings change
with those names; `pack.json` says which they were and which they are now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from newsclf.bundle import outline
from newsclf.errors import DataError, InputError, listed, nearest
from newsclf.estimates.codings import AuditCodings, read_audit
from newsclf.estimates.contents import Contents
from newsclf.estimates.frame import TIMES, Scores
from newsclf.estimates.packed import write_pack
from newsclf.estimates.renamed import like_text
from newsclf.folder import sha256
from newsclf.inference.commit import Commit, committed, files_of_commit
from newsclf.spec import Spec

OURS = ("place", "id", "outlet", "date")
"""Columns of scores that are packed always."""

NEVER = ("title", "url")
"""Columns that are packed never: with the text they are what belongs to the publisher."""


class PackSpec(Spec):
    """What goes into a pack beside what it must have."""

    keep: tuple[str, ...] = ()
    """Columns that are packed though their values are long or hold web addresses: you say that they are no article's text."""

    drop: tuple[str, ...] = ()
    """Columns that scoring kept and the pack leaves out."""

    model: str = ""
    """Folder of the model: its manifest and model card are packed."""

    with_model: bool = False
    """Pack the whole model; its vocabulary is words and short phrases, not articles."""


@dataclass(frozen=True)
class Packed:
    """A pack that was written."""

    output: Path
    rows: int
    """Scored articles in it."""

    codings: int
    files: Mapping[str, str]
    """Name → sha256."""

    command: str
    """What makes the shares again, inside the pack."""

    coders: tuple[str, ...]
    left_out: tuple[str, ...]
    """Columns of the scores that are not in it."""

    def text(self) -> str:
        """For a terminal."""
        out = f" Left out: {', '.join(self.left_out)}." if self.left_out else ""
        return (
            f"{self.output}: {len(self.files)} files, scores of {self.rows:,} articles and {self.codings:,} codings; no title, text or web address."
            f"{out}\nThe names of the coders are in it: {listed(self.coders)}.\nA reviewer runs, inside the pack:  {self.command}"
        )


def pack_replication(scores: Scores, audit: Sequence[str | Path], estimates: str | Path, output: str | Path, spec: PackSpec | None = None) -> Packed:
    """Write a pack, a .zip or a folder, from which the shares in `estimates` can be made again without the articles.

    `audit` names what the estimates were made with: coded files, or the folder of the sample. Everything is checked before anything is written.
    Raises DataError where the estimates are of other scores, another model or other codings, where a part of the scores has changed since it was
    written, and where a column may hold text of articles; InputError for columns that are not there or that the estimates need; BundleError for a
    model that cannot be read; OutputError where the pack is there already or cannot be written.
    """
    pack = _Pack(scores, tuple(map(Path, audit)), Path(estimates), spec or PackSpec())
    pack.check()
    contents = pack.contents()
    files = write_pack(Path(output), contents.files())
    codings = contents.codings
    return Packed(Path(output), scores.rows, len(codings.codings), files, contents.command(), codings.coders, contents.left_out)


@dataclass(frozen=True)
class _Pack:
    """What is packed, under the names that it has in the pack."""

    scores: Scores
    audit: tuple[Path, ...]
    estimates: Path
    spec: PackSpec

    @cached_property
    def record(self) -> dict[str, Any]:
        from newsclf.estimates.estimate import read_record

        return read_record(self.estimates)

    @cached_property
    def sample(self) -> dict[str, Any] | None:
        """How the coded articles were drawn, as audit-sample wrote it beside them."""
        beside = dict.fromkeys((path if path.is_dir() else path.parent) / "sample.json" for path in self.audit)
        found = [path for path in beside if path.is_file()]
        return dict(json.loads(found[0].read_bytes())) if found and not self.record["audit"].get("by_hand") else None

    @cached_property
    def codings(self) -> AuditCodings:
        rows = (self.sample or {}).get("rows", ())
        ids = {row["id"]: row["key"] for row in rows if isinstance(row, Mapping) and row.get("id")}
        return read_audit(self.audit, self.scores.codebook, keys=ids)

    @cached_property
    def columns(self) -> dict[str, pa.DataType]:
        """Of the articles' tables, all parts together."""
        return {field.name: field.type for part in self.scores.parts for field in pq.read_schema(part)}

    def packed_columns(self) -> list[str]:
        """Columns of the articles' tables that are packed."""
        ours, other = f"{self.scores.codebook.task}.", tuple(f"{task}." for task in self.scores.job.models)
        kept = (name for name in self.columns if not (name.startswith(other) and not name.startswith(ours)))
        return [name for name in kept if name not in (*NEVER, *self.spec.drop) and name != f"{ours}evidence"]

    def kept(self) -> list[str]:
        """Those of them that scoring was asked to keep."""
        ours = f"{self.scores.codebook.task}."
        return [name for name in self.packed_columns() if name not in OURS and not name.startswith(ours)]

    def contents(self) -> Contents:
        """What the pack will hold."""
        columns = tuple(self.packed_columns())
        left_out = tuple(name for name in self.columns if name not in columns)
        model = Path(self.spec.model) if self.spec.model else None
        packed = self.codings, self.record, self.sample
        return Contents(self.scores, *packed, columns, left_out, self.spec.keep, model, self.spec.with_model)

    def check(self) -> None:
        """Whether all belongs together, and nothing is an article's text."""
        self._check_fingerprints()
        self._check_parts()
        self._check_columns()
        if self.spec.model and outline(self.spec.model)[1] != self.scores.model:
            raise DataError(f"{self.spec.model}: this model is not the one that the scores are by; name the folder of that one, or leave it out.")
        if self.spec.with_model and not self.spec.model:
            raise InputError("--with-model: name the folder of the model as well:  --model models/NAME")

    def _check_parts(self) -> None:
        for path in committed(self.scores.folder):
            files_of_commit(path)
            for name, digest in Commit.read(path).files.items():
                if name.startswith("part-") and sha256((self.scores.folder / name).read_bytes()) != digest:
                    raise DataError(f"{self.scores.folder / name}: this part has changed since it was scored; copy the folder again, or score again.")

    def _check_fingerprints(self) -> None:
        record, scores = self.record, self.scores
        told = {"task": record["task"], "model": record["model"], "number of articles": record["scores"]["rows"]}
        here = {"task": scores.codebook.task, "model": scores.model, "number of articles": scores.rows}
        told["job"], here["job"] = record["scores"].get("fingerprint", scores.fingerprint), scores.fingerprint
        for what, value in told.items():
            if value != here[what]:
                raise DataError(
                    f"{self.estimates}: these shares are of other scores than {scores.folder}: the {what} is {value}, there {here[what]}."
                )
        if not record["audit"]["fingerprint"]:
            raise DataError(f"{self.estimates}: these shares were made without coded articles; what can be made again without them needs no pack.")
        if record["audit"]["fingerprint"] != self.codings.fingerprint:
            raise DataError(
                f"{self.estimates}: these shares were made with other codings than {listed(map(str, self.audit))} hold now; run newsclf estimate "
                "again, or name the codings that it was run with."
            )

    def _check_columns(self) -> None:
        for flag, names in (("--keep", self.spec.keep), ("--drop", self.spec.drop)):
            for name in names:
                if name not in self.columns:
                    raise InputError(f"{flag} {name}: the scores have no such column{nearest(name, self.columns)}; there are {listed(self.columns)}.")
        needed = {"date" if name in TIMES else name for name in self.record["by"]} | {"place", "id"}
        if lost := [name for name in (*self.spec.drop, *NEVER) if name in needed]:
            raise InputError(f"the column {lost[0]!r} groups the shares or tells articles apart, so that a pack without it cannot give them.")
        for name in ("id", "outlet", "date", *self.kept()):
            if name in self.columns and name not in self.spec.keep and (example := like_text(self.scores, name)):
                raise DataError(
                    f"{self.scores.folder}: the column {name!r} may hold text of articles ({example}); leave it out with  --drop {name},  or say "
                    f"that it holds none with  --keep {name}"
                )
