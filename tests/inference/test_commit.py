"""A commit vouches for its files: what it says is checked before it is trusted, and what has none was not written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsclf.corpus.shards import Piece, Shard
from newsclf.errors import DataError, OutputError
from newsclf.folder import sha256
from newsclf.inference import commit as commit_module
from newsclf.inference.commit import Commit, commit_of, committed, discard, files_of_commit, is_done, write_shard, write_whole

SHARD = Shard(7, (Piece("a.jsonl", 0, 90, 0, 3, 90),))
TABLE, STANCE, ASIDE = pa.table({"id": ["a", "b"]}), pa.table({"id": ["a", "a", "b"]}), pa.table({"place": ["a.jsonl:2"], "reason": ["empty"]})
JOB = "0" * 64


@pytest.fixture
def commit(tmp_path: Path) -> Commit:
    return write_shard(tmp_path, SHARD, {"": TABLE, "stance": STANCE}, ASIDE, job=JOB, digest="d")


def rewritten(folder: Path, **change: Any) -> None:
    path = commit_of(folder, 7)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")


def test_a_shard_is_written_as_tables_and_a_commit_that_names_them(tmp_path: Path, commit: Commit):
    names = ["part-00007.parquet", "part-00007.stance.parquet", "quarantine-00007.parquet"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["part-00007.json", *names]
    assert [pq.read_table(tmp_path / name) for name in names] == [TABLE, STANCE, ASIDE]
    assert commit == Commit(JOB, SHARD.as_dict(), "d", 3, 2, 1, {name: sha256((tmp_path / name).read_bytes()) for name in names})
    assert Commit.read(commit_of(tmp_path, 7)).files == commit.files
    assert files_of_commit(commit_of(tmp_path, 7)) == names
    assert is_done(tmp_path, SHARD, job=JOB)


def test_the_same_rows_are_the_same_bytes_however_they_were_batched(tmp_path: Path):
    texts = pa.table({"id": [f"{number:0900d}" for number in range(3000)]})  # a column of several pages, which Parquet cuts between batches
    batched = [pa.concat_tables([texts.slice(at, rows) for at in range(0, 3000, rows)]) for rows in (3000, 1000, 700)]
    one, *others = (write_shard(tmp_path, SHARD, {"": table}, ASIDE, job=JOB, digest="d").files for table in batched)
    assert others == [one, one]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: commit_of(folder, 7).unlink(),
        lambda folder: commit_of(folder, 7).write_text("{", "utf-8"),
        lambda folder: commit_of(folder, 7).write_text("[1]", "utf-8"),
        lambda folder: rewritten(folder, rows=4),
        lambda folder: rewritten(folder, scored=3),
        lambda folder: rewritten(folder, quarantined=None),
        lambda folder: rewritten(folder, files=["part-00007.parquet"]),
        lambda folder: rewritten(folder, files={"part-00007.parquet": "0" * 64}),
        lambda folder: rewritten(folder, added=1),
        lambda folder: rewritten(folder, job="1" * 64),
        lambda folder: rewritten(folder, shard=replace(SHARD, only=(0, 1)).as_dict()),
        lambda folder: (folder / "part-00007.parquet").unlink(),
        lambda folder: (folder / "quarantine-00007.parquet").write_bytes(b""),
        lambda folder: (folder / "part-00007.stance.parquet").write_bytes((folder / "part-00007.stance.parquet").read_bytes() + b"\0"),
    ],
)
def test_what_is_not_as_it_was_written_is_not_done(tmp_path: Path, commit: Commit, spoil: Callable[[Path], Any]):
    spoil(tmp_path)
    assert not is_done(tmp_path, SHARD, job=JOB)


def test_another_shard_of_that_number_is_not_done(tmp_path: Path, commit: Commit):
    assert not is_done(tmp_path, replace(SHARD, pieces=(replace(SHARD.pieces[0], file="b.jsonl"),)), job=JOB)
    assert not is_done(tmp_path, replace(SHARD, number=8), job=JOB)


@pytest.mark.parametrize("change", [{"rows": 4}, {"scored": 1}, {"quarantined": -1}])
def test_a_commit_that_does_not_add_up_is_no_commit(tmp_path: Path, commit: Commit, change: dict[str, int]):
    rewritten(tmp_path, **change)
    with pytest.raises(DataError, match=r"part-00007.json: this commit cannot be read \(\d rows are not .* scored and .* set aside\); score again"):
        Commit.read(commit_of(tmp_path, 7))


def test_a_file_that_is_gone_is_named_with_its_commit(tmp_path: Path, commit: Commit):
    (tmp_path / "part-00007.stance.parquet").unlink()
    with pytest.raises(DataError, match=r"the file 'part-00007.stance.parquet' is gone, which part-00007.json names; copy the whole folder again"):
        files_of_commit(commit_of(tmp_path, 7))


def test_commits_are_found_in_the_order_of_their_shards(tmp_path: Path):
    for name in ("part-00010.json", "part-00002.json", "part-100000.json", "part-00003.json.tmp", "part-0003.json", "part-x.json", "job.json"):
        (tmp_path / name).write_text("{}")
    assert [path.name for path in committed(tmp_path)] == ["part-00002.json", "part-00010.json", "part-100000.json"]
    assert committed(tmp_path / "nowhere") == []


@pytest.mark.parametrize("files", [0, 1, 2, 3])
def test_what_was_written_before_the_commit_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int):
    whole, written = commit_module.write_file, []

    def failing(path: Path, data: bytes) -> None:
        if len(written) == files:
            raise OSError(28, "No space left on device")
        written.append(path)
        whole(path, data)

    monkeypatch.setattr(commit_module, "write_file", failing)
    with pytest.raises(
        OutputError, match=r"cannot be written: No space left on device. What is committed is whole; the same command goes on from there"
    ):
        write_shard(tmp_path, SHARD, {"": TABLE, "stance": STANCE}, ASIDE, job=JOB, digest="d")
    assert not is_done(tmp_path, SHARD, job=JOB)
    assert committed(tmp_path) == list(tmp_path.glob("*.tmp")) == []


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_whole(tmp_path / "a.json", b"old")

    def failing(path: Path, data: bytes) -> None:
        path.write_bytes(data[:1])
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(commit_module, "write_file", failing)
    with pytest.raises(OutputError, match=r"a.json: cannot be written: Input/output error"):
        write_whole(tmp_path / "a.json", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.json": b"old"}


def test_half_written_files_of_these_shards_are_taken_away_and_no_others(tmp_path: Path):
    names = ["part-00001.parquet", "part-00001.stance.parquet", "quarantine-00001.parquet", "part-00001.json"]
    kept = ["part-00010.parquet.tmp", "part-00002.json.tmp", *names]
    for name in (*kept, *(f"{name}.tmp" for name in names)):
        (tmp_path / name).write_bytes(b"")
    discard(tmp_path, [1, 3])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)
