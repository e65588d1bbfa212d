"""Scores and codings under names that tell nothing of the machine they were made on, and without what belongs to publishers."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from newsclf.codebook import Codebook
from newsclf.estimates.codings import AuditCodings
from newsclf.estimates.exports import DESIGN, Design
from newsclf.estimates.frame import Scores
from newsclf.estimates.sheets import NONE, UNSURE, guarded, labels_column
from newsclf.folder import sha256
from newsclf.inference.commit import Commit, commit_of, committed
from newsclf.inference.job import JOB, SUMMARY, Job

WEB = "://"
"""Where this stands in a value, it is a web address."""

LONG = 100
"""Characters of a value from which on a column may hold text of articles."""


@dataclass(frozen=True)
class Renamed:
    """A folder of scores, of one task and of some columns, whose files are named from the folder that they all lie in."""

    scores: Scores
    columns: tuple[str, ...]
    """Of the articles' tables; what a stance task says of articles and targets is taken whole, but for evidence."""

    @cached_property
    def root(self) -> str:
        """The folder that all local files of the corpus are in."""
        local = [str(Path(file).parent) for file in self.scores.job.inputs if Path(file).is_absolute()]
        return os.path.commonpath(local).rstrip("/\\") if local else ""

    @cached_property
    def job(self) -> Job:
        """The job under its new names, of the one task."""
        job = self.scores.job
        renamed = {name: self.named(getattr(job, name)) for name in ("corpus", "spec", "inputs")}
        renamed["corpus"]["path"] = ["." if Path(path).is_absolute() else path for path in renamed["corpus"]["path"]]  # of a folder above
        return replace(job, models={self.scores.codebook.task: self.scores.model}, **renamed)

    @cached_property
    def hashes_ids(self) -> bool:
        """Whether an id is a web address."""
        return any(pc.any(_web(pq.read_table(part, columns=["id"])["id"])).as_py() for part in self.scores.parts)

    def named(self, value: Any, *, ids: bool = False) -> Any:
        """Plain values with the folder cut off names of files, and the new fingerprint in the place of the job's old one; with `ids` also new ids."""
        if isinstance(value, Mapping):
            return {self.named(key, ids=ids): self.named(item, ids=ids) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.named(item, ids=ids) for item in value]
        if not isinstance(value, str):
            return value
        if value == self.scores.fingerprint:
            return self.job.fingerprint
        if value in (self.root, str(self.scores.folder)) and value:
            return "." if value == self.root else "scores"
        if self.root and value.startswith((f"{self.root}/", f"{self.root}\\")):
            return value[len(self.root) + 1 :]
        # a file may have a web address, too
        return _identifier(value) if ids and not value.startswith(tuple(self.scores.job.inputs)) else value

    def codings(self, codings: AuditCodings) -> AuditCodings:
        """The same codings under new names."""
        said = tuple(replace(coding, key=self.named(coding.key, ids=True)) for coding in codings.codings)
        unsure = tuple((self.named(key, ids=True), target, coder) for key, target, coder in codings.unsure)
        design = {self.named(key, ids=True): drawn for key, drawn in codings.design.items()}
        return replace(codings, codings=said, unsure=unsure, design=design)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Job, tables and commits as scoring would have written them under these names, without the list of rows that were set aside."""
        folder, task = self.scores.folder, self.scores.codebook.task
        yield JOB, json_bytes(self.job.tree())
        for path in committed(folder):
            commit, files = Commit.read(path), {}
            for name in commit.files:
                kind = name.partition(".")[2].removesuffix("parquet").removesuffix(".")  # "" for the articles' table, else its task
                if name.startswith("part-") and kind in ("", task):
                    data = _parquet(self._table(pq.read_table(folder / name), whole=bool(kind)))
                    files[name] = sha256(data)
                    yield name, data
            renamed = replace(commit, job=self.job.fingerprint, shard=self.named(commit.shard), files=files)
            yield commit_of(folder, commit.shard["number"]).name, json_bytes(asdict(renamed))
        summary = json.loads((folder / SUMMARY).read_bytes())
        counts = {name: summary[name] for name in ("rows", "scored", "quarantined", "shards")}
        yield SUMMARY, json_bytes({**counts, **self.job.tree(), "codebooks": {task: self.scores.codebook.resolved()}})

    def _table(self, table: pa.Table, *, whole: bool) -> pa.Table:
        evidence = f"{self.scores.codebook.task}.evidence"  # sentences of articles
        table = table.select([name for name in table.column_names if (whole or name in self.columns) and name != evidence])
        places = pa.array([self.named(place) for place in table["place"].to_pylist()], pa.string())
        table = table.set_column(table.column_names.index("place"), "place", places)
        ids = pa.array([name and _identifier(name) for name in table["id"].to_pylist()], pa.string())
        return table.set_column(table.column_names.index("id"), "id", ids)


def _identifier(name: str) -> str:
    """The id of an article; of a web address the beginning of its sha256."""
    return sha256(name.encode("utf-8", "backslashreplace"))[:16] if WEB in name else name


def like_text(scores: Scores, column: str) -> str:
    """Why a column may hold text of articles or web addresses, and where; "" where it does not look so. Addresses among the ids are no matter."""
    for part in scores.parts:
        if column not in pq.read_schema(part).names:
            continue
        table = pq.read_table(part, columns=list(dict.fromkeys(["place", column])))
        if not pa.types.is_string(table[column].type):
            continue
        web = _web(table[column])
        long = pc.and_not(pc.fill_null(pc.greater(pc.utf8_length(table[column]), LONG), fill_value=False), web)
        for what, found in ((f"a value of more than {LONG} characters", long), ("a web address", web))[: 1 if column == "id" else 2]:
            if pc.any(found).as_py():
                return f"{what} at {table.filter(found)['place'][0].as_py()}"
    return ""


def _web(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(pc.match_substring(column, WEB), fill_value=False)


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table.combine_chunks(), sink, compression="zstd")
    return bytes(sink.getvalue())


def json_bytes(value: Any) -> bytes:
    """A JSON file; half a character in the name of a file becomes JSON's own escape for it."""
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def codings_csv(codings: AuditCodings, codebook: Codebook) -> bytes:
    """Codings as a sheet that reads back as them: key, target of a stance task, coder, labels, and a user's own design where there is one."""
    target, columns = ["target"] * codebook.is_stance, list(DESIGN) * bool(codings.design)
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(["key", *target, "coder", labels_column(codebook), *columns])
    said = [(coding.key, coding.target, coding.coder, "; ".join(coding.labels) or NONE) for coding in codings.codings]
    for key, toward, coder, labels in (*said, *((*key, UNSURE) for key in codings.unsure)):
        drawn = codings.design.get(key, Design())
        how = ["" if drawn.probability is None else repr(drawn.probability), drawn.stratum, drawn.cluster][: len(columns)]
        writer.writerow([guarded(cell) for cell in (key, *[toward] * len(target), coder, labels, *how)])
    return written.getvalue().encode("utf-8")
