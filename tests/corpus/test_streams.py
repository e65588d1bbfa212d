from __future__ import annotations

import gzip
import hashlib
import io
import sys
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest

from newsclf.corpus.streams import Lines, buffered, is_unicode, opened
from newsclf.errors import DataError

DATA = b"one\ntwo\n"


def read(path: object) -> bytes:
    with opened(str(path)) as stream:
        return stream.read()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", DATA),
        ("a.txt.gz", gzip.compress(DATA)),
        ("a.txt.GZ", gzip.compress(DATA)),
        ("a.txt.gz", gzip.compress(DATA[:4]) + gzip.compress(DATA[4:])),
        ("a.txt.zst", pa.compress(DATA, codec="zstd", asbytes=True)),
    ],
    ids=["plain", "gzip", "upper case", "two gzip members", "zstd"],
)
def test_a_file_is_decompressed_by_its_suffix(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    assert read(tmp_path / name) == DATA


@pytest.mark.parametrize(("name", "data"), [("a.csv", DATA), ("a.csv.gz", gzip.compress(DATA))], ids=["plain", "gzip"])
def test_an_address_is_opened_through_fsspec_as_often_as_one_likes(name, data):
    fsspec.filesystem("memory").pipe(f"/streams/{name}", data)
    assert read(f"memory://streams/{name}") == read(f"memory://streams/{name}") == DATA


@pytest.mark.parametrize("path", ["nowhere/a.csv", "memory://nowhere/a.csv"])
def test_a_missing_file_is_named(path):
    with pytest.raises(DataError, match=f"^{path}: there is no such file"):
        read(path)


def test_an_address_of_an_unknown_kind_says_so():
    with pytest.raises(DataError, match=r"^gopher9://a\.csv: this cannot be opened: Protocol not known"):
        read("gopher9://a.csv")


def test_an_address_whose_package_is_missing_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(DataError, match=r"^s3://bucket/a\.csv: this cannot be opened: .*s3fs"):
        read("s3://bucket/a.csv")


def test_a_folder_is_not_opened_as_a_file(tmp_path):
    with pytest.raises(DataError, match=r"this cannot be opened: .*directory"):
        read(tmp_path)


def test_the_file_is_closed_whatever_the_reader_does(tmp_path):
    (tmp_path / "a.txt").write_bytes(DATA)
    with pytest.raises(KeyError), opened(str(tmp_path / "a.txt")) as stream:
        raise KeyError
    assert stream.closed


def test_a_compressed_stream_has_lines_and_text(tmp_path: Path):
    (tmp_path / "a.gz").write_bytes(gzip.compress("first\nzwölf\n".encode()))
    with opened(str(tmp_path / "a.gz")) as stream:
        lines = buffered(stream)
        assert lines.readline() == b"first\n"
        assert io.TextIOWrapper(lines, "utf-8").read() == "zwölf\n"


def test_what_comes_before_a_break_is_read_but_for_the_last_piece(tmp_path: Path):
    whole = b"".join(b"%06d\n" % number for number in range(10_000))
    (tmp_path / "a.gz").write_bytes(gzip.compress(whole)[:-4])
    lines = []
    with opened(str(tmp_path / "a.gz")) as stream, pytest.raises(OSError, match="Truncated"):  # noqa: PT012 (the loop is what breaks)
        for line in buffered(stream):
            lines.append(line)
    assert lines == whole.splitlines(keepends=True)[: len(lines)]
    assert len(lines) > 10_000 - io.DEFAULT_BUFFER_SIZE / 7 - 1


@pytest.mark.parametrize(("text", "expected"), [("", True), ("naïve 🦉", True), ("half \ud83d", False), ("\udcff", False)])
def test_lone_surrogates_are_no_unicode(text, expected):
    assert is_unicode(text) is expected


# lines from any byte on

BREAKS = b"one\r\ntwo\rthree\n\nlast"


def lines_of(lines: Lines) -> list[bytes]:
    return list(iter(lines.readline, b""))


@pytest.mark.parametrize(
    ("any_break", "expected"),
    [(False, [b"one\r\n", b"two\rthree\n", b"\n", b"last"]), (True, [b"one\r\n", b"two\r", b"three\n", b"\n", b"last"])],
)
@pytest.mark.parametrize("name", ["lines", "lines.gz"])
def test_lines_are_read_again_from_every_byte_where_one_begins(tmp_path, name, any_break, expected):
    (tmp_path / name).write_bytes(gzip.compress(BREAKS) if name.endswith("gz") else BREAKS)
    lines = Lines(str(tmp_path / name), any_break=any_break)
    starts = [sum(map(len, expected[:number])) for number in range(len(expected) + 1)]
    assert lines_of(lines) == expected
    assert lines.at == starts[-1]
    for number in [2, 1, 3, 0, 4, 1]:  # forward and back
        lines.go(starts[number])
        assert lines_of(lines) == expected[number:]
        lines.go(starts[number])
        lines.stop, lines.taken = starts[-2], hashlib.sha256()
        assert lines_of(lines) == expected[number:-1]
        assert lines.taken.hexdigest() == hashlib.sha256(BREAKS[starts[number] : starts[-2]]).hexdigest()
        lines.stop = None
    lines.close()


def test_a_compressed_file_that_ends_before_the_byte_where_lines_should_begin_is_an_error(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(DATA))
    lines = Lines(str(tmp_path / "a.gz"))
    with pytest.raises(DataError, match=r"a\.gz: the file ends at byte 8; its next rows began at byte 9\.$"):
        lines.go(9)
    (tmp_path / "a.gz").write_bytes(gzip.compress(DATA)[:-9])
    lines = Lines(str(tmp_path / "a.gz"))
    for _ in range(2):  # what broke once is opened anew
        with pytest.raises(DataError, match=r"a\.gz: the file breaks off before byte 4, where its next rows began: Truncated"):
            lines.go(4)


def test_a_stream_that_cannot_be_sought_is_read_forward(tmp_path, monkeypatch):
    class Forward(io.BytesIO):
        def seek(self, *_: int) -> int:
            raise ValueError("only forward")

    monkeypatch.setattr("newsclf.corpus.streams.raw_stream", lambda path: Forward(DATA))
    lines = Lines("forward")
    for start in (4, 0, 4):
        lines.go(start)
        assert lines_of(lines) == DATA[start:].splitlines(keepends=True)


def test_what_was_used_of_a_compressed_file_is_counted_as_it_is_stored(tmp_path):
    for name, data in {"a.txt": DATA * 9999, "a.txt.gz": gzip.compress(DATA * 9999)}.items():
        (tmp_path / name).write_bytes(data)
        lines = Lines(str(tmp_path / name))
        assert lines.used == 0
        lines_of(lines)
        assert lines.used == len(data)
