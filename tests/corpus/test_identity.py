from __future__ import annotations

import json
import os
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from newsclf.corpus.identity import EDGE, identity, size_of
from newsclf.errors import DataError

BIG = bytes(range(256)) * (EDGE // 64)  # four edges long


def stored(data: bytes) -> str:
    fsspec.filesystem("memory").pipe("/identity/a.jsonl", data)
    return "memory://identity/a.jsonl"


@pytest.fixture(params=["file", "address"])
def write(request, tmp_path):
    """Writes bytes into a file or under an address; gives its name."""

    def file(data: bytes) -> str:
        (tmp_path / "a.jsonl").write_bytes(data)
        return str(tmp_path / "a.jsonl")

    return file if request.param == "file" else stored


@pytest.mark.parametrize("data", [b"", b"short", BIG])
def test_a_file_is_the_same_whenever_it_was_written(write, data):
    found = identity(write(data))
    assert found == identity(write(data))
    assert found.startswith(f"{len(data)} bytes, edges ")


def test_the_time_of_a_file_does_not_matter(tmp_path):
    (tmp_path / "a.csv").write_bytes(BIG)
    found = identity(str(tmp_path / "a.csv"))
    os.utime(tmp_path / "a.csv", (1, 1))
    assert identity(str(tmp_path / "a.csv")) == found


@pytest.mark.parametrize("at", [0, EDGE - 1, len(BIG) - EDGE, len(BIG) - 1])
def test_another_byte_near_an_end_or_another_size_is_another_file(write, at):
    changed = BIG[:at] + b"!" + BIG[at + 1 :]
    assert len({identity(write(data)) for data in (BIG, changed, BIG + b"!", BIG[:at] + BIG[at + 1 :])}) == 4


def test_a_parquet_file_is_known_by_its_footer(tmp_path):
    path = tmp_path / "a.parquet"
    found = []
    for text in ("one", "one", "two"):
        pq.write_table(pa.table({"text": [text] * 3}), path)
        found.append(identity(str(path)))
    assert found[0] == found[1] != found[2]
    assert found[0].startswith(f"{path.stat().st_size} bytes, footer ")
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + b"?" * 4 + whole[8:])
    assert identity(str(path)) == found[2]


@pytest.mark.parametrize("data", [b"", b"PAR1", b"\xff\xff\xff\xffPAR1", b"x" * 40])
def test_a_parquet_file_without_a_footer_is_known_by_its_ends(tmp_path, data):
    (tmp_path / "a.parquet").write_bytes(data)
    assert identity(str(tmp_path / "a.parquet")).startswith(f"{len(data)} bytes, edges ")


@pytest.mark.parametrize("tag", ["ETag", "etag", "md5Hash", "checksum"])
def test_what_a_store_says_of_the_content_is_taken(monkeypatch, tag):
    path = stored(b"data")
    monkeypatch.setattr(MemoryFileSystem, "info", lambda self, path, **options: {"size": 4, tag: '"abc"', "created": 1})
    assert identity(path) == f'4 bytes, {tag.lower()} "abc"'


def test_a_store_whose_tag_is_empty_has_its_files_read(monkeypatch):
    path = stored(b"data")
    found = identity(path)
    monkeypatch.setattr(MemoryFileSystem, "info", lambda self, path, **options: {"size": 4, "ETag": None})
    assert identity(path) == found


def test_a_data_set_on_the_hub_is_known_by_its_name():
    assert identity("hf:someone/news:test") == "hf:someone/news:test"
    assert size_of("hf:someone/news:test") == 0


def test_a_saved_data_set_is_known_by_its_fingerprints(tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    data = datasets.Dataset.from_list([{"text": "one"}])
    data.save_to_disk(str(tmp_path / "one"))
    state = json.loads((tmp_path / "one" / "state.json").read_text("utf-8"))
    assert identity(str(tmp_path / "one")) == f"fingerprint {state['_fingerprint']}"
    datasets.DatasetDict(train=data, test=data).save_to_disk(str(tmp_path / "two"))
    assert identity(str(tmp_path / "two")) == f"fingerprint test={state['_fingerprint']} train={state['_fingerprint']}"
    assert size_of(str(tmp_path / "one")) == sum(file.stat().st_size for file in (tmp_path / "one").iterdir())


@pytest.mark.parametrize("path", ["gone.csv", "memory://gone/a.csv"])
def test_a_file_that_is_gone_is_an_error(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    for asked in (identity, size_of):
        with pytest.raises(DataError, match=rf"^{path}: (there is no such file\.|this cannot be opened: No such file or directory\.)$"):
            asked(path)


def test_what_cannot_be_read_is_an_error(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"^gopher9://a\.csv: this cannot be opened: Protocol not known"):
        identity("gopher9://a.csv")
    with pytest.raises(DataError, match=rf"^{tmp_path}: this saved data set has no state\.json; save it again\.$"):
        identity(str(tmp_path))
    (tmp_path / "state.json").write_text("{}", "utf-8")
    with pytest.raises(DataError, match=rf"^{tmp_path}: this cannot be read to see whether it changed: '_fingerprint'"):
        identity(str(tmp_path))


def test_the_size_of_a_file_is_that_on_disk(write):
    assert size_of(write(BIG)) == len(BIG)
    assert size_of(str(Path(__file__))) > 0
