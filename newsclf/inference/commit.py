"""Committed shards: tables and a small JSON file that vouches for them; readers trust what is committed, and nothing else.

Every file is written beside its goal, fsynced and renamed; the commit comes last. A run that ends anywhere in between leaves files that nobody
trusts, and the shard is done again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from newsclf.corpus.shards import Shard
from newsclf.errors import DataError, OutputError, listed
from newsclf.folder import fsync_folder, sha256, write_file

PART, QUARANTINE = "part", "quarantine"
_COMMIT = re.compile(rf"{PART}-(\d{{5,}})\.json")


@dataclass(frozen=True)
class Commit:
    """What a shard became; `rows` = `scored` + `quarantined`."""

    job: str
    """Fingerprint of the job: models, corpus, settings and input files."""

    shard: Mapping[str, Any]
    input: str
    """sha256 of what the shard was read from."""

    rows: int
    scored: int
    quarantined: int
    files: Mapping[str, str]
    """Name → sha256 of the files that hold its rows."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a commit; raises DataError where it cannot be read or is none."""
        try:
            commit = cls(**json.loads(path.read_bytes()))
            if commit.rows != commit.scored + commit.quarantined:
                raise ValueError(f"{commit.rows} rows are not {commit.scored} scored and {commit.quarantined} set aside")
            return cls(**{**asdict(commit), "files": dict(commit.files)})
        except (OSError, ValueError, TypeError) as error:
            raise DataError(f"{path}: this commit cannot be read ({error}); score again into this folder: only its shard is done anew.") from error


def commit_of(folder: Path, number: int) -> Path:
    """Where the commit of a shard stands."""
    return folder / f"{PART}-{number:05d}.json"


def committed(folder: Path) -> list[Path]:
    """The commits in a folder, in the order of their shards."""
    found = {path: _COMMIT.fullmatch(path.name) for path in folder.iterdir()} if folder.is_dir() else {}
    return sorted((path for path, match in found.items() if match), key=lambda path: int(path.stem.partition("-")[2]))


def is_done(folder: Path, shard: Shard, *, job: str) -> bool:
    """Whether a shard is committed by this job and its files are as they were written."""
    try:
        commit = Commit.read(commit_of(folder, shard.number))
        if commit.job != job or commit.shard != shard.as_dict():
            return False
        return all(sha256((folder / name).read_bytes()) == digest for name, digest in commit.files.items())
    except (DataError, OSError):
        return False


def write_shard(folder: Path, shard: Shard, tables: Mapping[str, pa.Table], quarantine: pa.Table, *, job: str, digest: str) -> Commit:
    """Write a shard's tables ("" is the articles', others have their task's name), then its commit; raises OutputError where that fails."""
    number, scored = shard.number, tables[""].num_rows
    names = {f"{PART}-{number:05d}{'.' * bool(task)}{task}.parquet": table for task, table in tables.items()}
    names[f"{QUARANTINE}-{number:05d}.parquet"] = quarantine
    files = {}
    for name, table in names.items():
        data = _parquet(table)
        files[name] = sha256(data)
        write_whole(folder / name, data)
    commit = Commit(job, shard.as_dict(), digest, scored + quarantine.num_rows, scored, quarantine.num_rows, files)
    # last: what has no commit was not written, whatever happened
    write_whole(commit_of(folder, number), (json.dumps(asdict(commit)) + "\n").encode("utf-8", "backslashreplace"))
    return commit


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    # one chunk a column: how rows were batched must not show in the bytes
    pq.write_table(table.combine_chunks(), sink, compression="zstd")
    return bytes(sink.getvalue())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all; raises OutputError where it cannot be written."""
    fresh = path.with_name(f"{path.name}.tmp")  # on the same file system, so that it takes its name at once or not at all
    try:
        write_file(fresh, data)
        fresh.replace(path)
        fsync_folder(path.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise OutputError(
            f"{path}: cannot be written: {error.strerror or error}. What is committed is whole; the same command goes on from there."
        ) from error


def discard(folder: Path, numbers: Sequence[int]) -> None:
    """Remove the half-written files of shards that nobody works on any more."""
    for number in numbers:
        for path in (*folder.glob(f"{PART}-{number:05d}.*tmp"), *folder.glob(f"{QUARANTINE}-{number:05d}.*tmp")):
            path.unlink(missing_ok=True)


def files_of_commit(commit: Path) -> list[str]:
    """The files that a commit names; raises DataError where it cannot be read or one of them is gone."""
    names = list(Commit.read(commit).files)
    gone = [name for name in names if not (commit.parent / name).is_file()]
    if gone:
        raise DataError(f"{commit.parent}: the file {listed(gone)} is gone, which {commit.name} names; copy the whole folder again, or score again.")
    return names
