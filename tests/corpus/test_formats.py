from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import tracemalloc
from collections.abc import Callable
from itertools import islice
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.spec import AbstractFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.corpus import textfiles
from newsclf.corpus.formats import BadRow, Row, read_rows, suffix_of
from newsclf.errors import DataError, InputError, UserError

ROWS = [
    {"id": "7", "text": 'A "quoted" word, a comma;\na second line.', "outlet": "Übersee"},
    {"id": "b", "text": "Tabs\tand carriage\r\nreturns 🦉", "outlet": ""},
]


def as_csv(rows: list[dict[str, str]], delimiter: str = ",") -> bytes:
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, delimiter=delimiter)
    writer.writerows([list(rows[0]), *([row[name] for name in rows[0]] for row in rows)])
    return sink.getvalue().encode()


def as_jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_parquet(rows: list[dict[str, Any]] | pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows), sink, **options)
    return sink.getvalue()


WRITERS: dict[str, Callable[[list[dict[str, str]]], bytes]] = {
    ".csv": as_csv,
    ".tsv": lambda rows: as_csv(rows, "\t"),
    ".jsonl": as_jsonl,
    ".ndjson": as_jsonl,
    ".json": lambda rows: json.dumps(rows, ensure_ascii=False, indent=1).encode(),
    ".parquet": as_parquet,
}
COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}


def stored(name: str, data: bytes) -> str:
    """An address that holds the bytes."""
    fsspec.filesystem("memory").pipe(f"/formats/{name}", data)
    return f"memory://formats/{name}"


def read(name: str, data: bytes) -> list[Row | BadRow]:
    return list(read_rows(stored(name, data)))


def told(rows: list[Row | BadRow]) -> list[Any]:
    """The values of good rows, and of bad ones their number and reason."""
    return [row.values if isinstance(row, Row) else f"{row.place.rpartition(':')[2]}: {row.reason}" for row in rows]


@pytest.mark.parametrize("compression", COMPRESSED)
@pytest.mark.parametrize("suffix", [suffix for suffix in WRITERS if suffix != ".parquet"])
def test_every_format_gives_the_same_rows_compressed_or_not(suffix, compression):
    name = f"all{suffix}{compression}"
    rows = read(name, COMPRESSED[compression](WRITERS[suffix](ROWS)))
    assert rows == [Row(f"memory://formats/{name}:{number}", row) for number, row in enumerate(ROWS, start=1)]


def test_parquet_gives_the_same_rows_from_a_file_and_from_an_address(tmp_path):
    (tmp_path / "a.parquet").write_bytes(as_parquet(ROWS))
    assert told(list(read_rows(str(tmp_path / "a.parquet")))) == told(read("a.parquet", as_parquet(ROWS))) == ROWS


@pytest.mark.parametrize("compression", COMPRESSED)
@pytest.mark.parametrize("suffix", [".txt", ".html", ".htm"])
def test_a_page_is_one_article_whose_id_is_the_name_of_its_file(suffix, compression):
    name = f"page{suffix}{compression}"
    data = COMPRESSED[compression]("\ufeffEins\r\nzwei\n".encode())
    assert read(name, data) == [Row(f"memory://formats/{name}:1", {"id": name, "text": "Eins\r\nzwei\n", "folder": "formats"})]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(suffix):
    assert told(read(f"bom{suffix}", b"\xef\xbb\xbf" + WRITERS[suffix](ROWS))) == ROWS


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_file_without_rows_has_none(suffix):
    empty = as_parquet(pa.table({"text": pa.array([], pa.string())})) if suffix == ".parquet" else b""
    assert read(f"empty{suffix}", empty) == []


# streaming


class Endless(io.RawIOBase):
    """A file that never ends, and complains when more of it is read than a few rows need."""

    def __init__(self, head: bytes, row: bytes) -> None:
        self.rest, self.row, self.left = head, row, 2_000_000

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.rest:
            self.rest = self.row
        data, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(data)] = data
        self.left -= len(data)
        assert self.left > 0, "the reader reads on and on"
        return len(data)


JSON_ROW = b'{"text": "the same"}'
ENDLESS = {
    "a.csv": (b"text\n", b"the same\n"),
    "a.tsv": (b"text\n", b"the same\n"),
    "a.jsonl": (b"", JSON_ROW + b"\n"),
    "a.json": (b"[" + JSON_ROW, b"," + JSON_ROW),
    "a.csv.gz": (gzip.compress(b"text\n"), gzip.compress(b"the same\n")),
    "a.jsonl.zst": (b"", COMPRESSED[".zst"](JSON_ROW + b"\n")),
}


class EndlessFiles(AbstractFileSystem):
    protocol = "endless"

    def _open(self, path: str, mode: str = "rb", **options: Any) -> io.BufferedReader:
        return io.BufferedReader(Endless(*ENDLESS[path]))


@pytest.mark.parametrize("name", ENDLESS)
def test_the_first_rows_of_a_file_without_an_end_are_there_at_once(name):
    fsspec.register_implementation("endless", EndlessFiles, clobber=True)
    assert told(list(islice(read_rows(f"endless://{name}"), 5))) == [{"text": "the same"}] * 5


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json", ".parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path, suffix):
    path = tmp_path / f"long{suffix}"
    rows = [{"text": f"{number} " + "word " * 400} for number in range(8_000)]  # 16 MB
    path.write_bytes(as_parquet(rows, row_group_size=500) if suffix == ".parquet" else WRITERS[suffix](rows))
    del rows
    tracemalloc.start()
    try:
        assert sum(isinstance(row, Row) for row in read_rows(str(path))) == 8_000
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_a_line_that_no_article_has_is_bad_and_the_next_is_read(monkeypatch):
    monkeypatch.setattr(textfiles, "LONGEST", 100)
    monkeypatch.setattr(textfiles, "PIECE", 7)
    rows = read("long.jsonl", b'[{"text": "' + b"x" * 500 + b'"}]\n{"text": "short"}\n' + b"y" * 99 + b"\n" + b"z" * 300)
    assert [row.values if isinstance(row, Row) else row.reason[:30] for row in rows] == [
        "this line is longer than 100 b",
        {"text": "short"},
        "this line is not JSON: Expecti",
        "this line is longer than 100 b",
    ]


# rows that cannot be read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            b"a,b\n1\n1,2,3\n4,5\n",
            ["1: this row has 1 cells, the header has 2 columns.", "2: this row has 3 cells, the header has 2 columns.", {"a": "4", "b": "5"}],
        ),
        (b'a,b\n"1\n\n1",2\n3,4\n', [{"a": "1\n\n1", "b": "2"}, {"a": "3", "b": "4"}]),
        (b'a,b\n"say ""so""",2\n', [{"a": 'say "so"', "b": "2"}]),
        (b'a,b\n"1"x,2\n3,4\n', ["1: this row is not valid CSV (',' expected after '\"'); in the file it is line 2 to 2.", {"a": "3", "b": "4"}]),
        (b'a,b\n1,2\n"3,4\n5,6\n', [{"a": "1", "b": "2"}, "2: this row is not valid CSV (unexpected end of data); in the file it is line 3 to 4."]),
        (b"a,b\n1,x\0y\n", [{"a": "1", "b": "x\0y"}]),
        (b"a,b\n1,2\n\xff,3\n4,\xc3\xa9\n", [{"a": "1", "b": "2"}, "2: the column 'a' is not UTF-8; save the file as UTF-8.", {"a": "4", "b": "é"}]),
        (b"\n\na,b\n\n1,2\n\n\n3,4", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        (b"a,b\r1,2\r3,4\r", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        (b'a\n""\nx\n', [{"a": ""}, {"a": "x"}]),
        (b"a,b\n", []),
    ],
    ids=[
        "ragged",
        "line breaks",
        "quotes",
        "text after a quote",
        "open quote",
        "NUL",
        "not UTF-8",
        "blank lines",
        "old Macs",
        "empty cell",
        "header",
    ],
)
def test_a_bad_csv_row_is_told_and_does_not_shift_the_others(text, expected):
    assert told(read("a.csv", text)) == expected


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"a,b,a,c,c\n", r"the header names the column 'a', 'c' more than once; rename one\.$"),
        (b'"a"x,b\n1,2\n', r"the header is not valid CSV: ',' expected after"),
        ("größe,text\n".encode("latin-1"), r"the header is not UTF-8; save the file as UTF-8\.$"),
        ("id\ttext\n".encode("utf-16"), r"the header is not UTF-8"),
    ],
)
def test_a_header_that_names_no_columns_ends_the_reading(header, message):
    with pytest.raises(DataError, match=rf"^memory://formats/a\.csv: {message}"):
        read("a.csv", header)


def test_a_cell_longer_than_any_article_is_a_bad_row(monkeypatch):
    monkeypatch.setattr(textfiles, "LONGEST", 50)
    assert told(read("a.csv", b"a,b\n1," + b"x" * 60 + b"\n2,y\n"))[1:] == [{"a": "2", "b": "y"}]


LONE = b'"\\ud83d and"'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "tru', "this line is not JSON: Unterminated string"),
        (b'{"text": "a"} {"text": "b"}', "this line is not JSON: Extra data"),
        (b'{"text": "a\xffb"}', "this line is not UTF-8 (byte 11 of the line is 0xff); save the file as UTF-8."),
        (b'["text"]', "this is list, not an object with named columns."),
        (b"null", "this is NoneType, not an object"),
        (b"\0", "this line is not JSON"),
        (b'{"n": ' + b"9" * 5000 + b"}", "this line is not JSON: Exceeds the limit"),
        (b'{"a": ' + b"[" * 100_000, "this line is not JSON: maximum recursion depth"),
        (b'{"text": ' + LONE + b"}", "this object holds half a character (a lone surrogate); it was damaged"),
        (b'{"text": "a", "deep": [{' + LONE + b": 1}]}", "this object holds half a character"),
    ],
)
def test_a_bad_json_line_is_told_and_does_not_shift_the_others(line, reason):
    good = b'{"text": "ok"}\n'
    first, bad, last = read("a.jsonl", good + line + b"\n\n" + good.rstrip())
    assert first.values == last.values == {"text": "ok"}
    assert (bad.place, bad.reason[: len(reason)]) == ("memory://formats/a.jsonl:2", reason)
    assert last.place == "memory://formats/a.jsonl:4"


def test_whole_characters_written_as_two_escapes_are_read():
    assert told(read("a.jsonl", b'{"text": "\\uD83E\\uDD89 \\\\ud83d"}')) == [{"text": "🦉 \\ud83d"}]


def test_in_a_json_array_only_the_item_that_is_no_object_is_bad():
    data = b'[{"text": "a"}, 5, {"text": "\xff"}, {"text": ' + LONE + b'}, {"text": "b"}]'
    assert told(read("a.json", data)) == [
        {"text": "a"},
        "2: this is int, not an object with named columns.",
        "3: this object is not UTF-8; save the file as UTF-8.",
        "4: this object holds half a character (a lone surrogate); it was damaged before it came here.",
        {"text": "b"},
    ]


@pytest.mark.parametrize("tail", [b', {"text": "b', b', {"text" "b"}, {"text": "c"}]', b"", b"] and more"])
def test_a_json_array_that_breaks_off_is_read_up_to_there(tail):
    good, bad = told(read("a.json", b'[{"text": "a"}' + tail))
    assert good == {"text": "a"}
    assert bad.startswith("2: the file breaks off here or is not JSON from here on: ")
    assert "char" not in bad


@pytest.mark.parametrize("compression", [".gz", ".zst"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json"])
def test_a_compressed_file_that_breaks_off_is_read_nearly_up_to_there(suffix, compression):
    rows = [{"id": str(number), "text": f"{number**7}"} for number in range(20_000)]
    data = COMPRESSED[compression](WRITERS[suffix](rows))
    *good, bad = told(read(f"half{suffix}{compression}", data[: len(data) // 2]))
    assert good == rows[: len(good)]
    assert len(good) > 5_000
    assert bad == f"{len(good) + 1}: the file breaks off here: Truncated compressed stream."


@pytest.mark.parametrize("compression", [".gz", ".zst"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json", ".txt"])
def test_a_file_that_is_not_what_its_suffix_says_is_one_bad_row(suffix, compression):
    (bad,) = told(read(f"plain{suffix}{compression}", b"this was never compressed at all"))
    assert bad.startswith("1: the file breaks off here: ")


def test_a_page_that_is_not_utf8_is_a_bad_row():
    assert told(read("a.html", b"caf\xe9")) == ["1: this file is not UTF-8 (byte 3 is 0xe9); save it as UTF-8."]


# Parquet


def test_parquet_keeps_the_types_of_its_columns():
    row = {"id": 5, "share": 0.5, "date": dt.date(2024, 5, 1), "frames": ["a", "b"], "stance": {"x": "for", "y": None}, "none": None}
    assert told(read("a.parquet", as_parquet([row]))) == [row]


@pytest.mark.parametrize("data", [b"", b"PAR1", as_parquet(ROWS)[:-5], as_jsonl(ROWS)])
def test_a_parquet_file_without_its_end_is_one_bad_row(data):
    (bad,) = told(read("a.parquet", data))
    assert bad.startswith("1: this Parquet file cannot be read on from here: ")


def test_a_damaged_row_group_ends_a_parquet_file_after_those_before_it():
    data = bytearray(as_parquet([{"text": str(number)} for number in range(4)], row_group_size=2))
    start = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(1).column(0).dictionary_page_offset
    data[start : start + 8] = b"\xff" * 8
    *good, bad = told(read("a.parquet", bytes(data)))
    assert good == [{"text": "0"}, {"text": "1"}][: len(good)]
    assert bad.startswith(f"{len(good) + 1}: this Parquet file cannot be read on from here: ")


def test_only_the_parquet_row_that_is_not_utf8_is_bad():
    offsets = pa.array([0, 1, 2, 3], pa.int32()).buffers()[1]
    texts = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"a\xffc")])
    first, bad, last = told(read("a.parquet", as_parquet(pa.table({"text": texts}))))
    assert (first, last) == ({"text": "a"}, {"text": "c"})
    assert bad.startswith("2: this row cannot be read: 'utf-8' codec can't decode byte 0xff")


def test_a_date_that_python_does_not_know_is_a_bad_row():
    table = pa.table({"date": pa.array([2**62, 0], pa.timestamp("us"))})
    assert told(read("a.parquet", as_parquet(table))) == [
        "1: this row cannot be read: date value out of range.",
        {"date": dt.datetime(1970, 1, 1)},
    ]


def test_parquet_columns_of_one_name_are_an_error():
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    with pytest.raises(DataError, match="the header names the column 'text' more than once"):
        read("a.parquet", as_parquet(table))


# formats by their suffix


@pytest.mark.parametrize(
    ("path", "suffix"),
    [
        ("a.csv", ".csv"),
        ("folder.v2/A.JSONL.GZ", ".jsonl"),
        ("s3://bucket/a.parquet", ".parquet"),
        ("a.parquet.gz", None),
        ("a.gz", None),
        ("a.docx", None),
        ("csv", None),
        (".csv", None),
        ("", None),
    ],
)
def test_the_suffix_before_the_compression_names_the_format(path, suffix):
    assert suffix_of(path) == suffix


@pytest.mark.parametrize(("path", "ending"), [("a.docx", "'.docx'"), ("a.parquet.gz", r"'\.parquet\.gz'"), ("README", "'no suffix'")])
def test_an_unknown_format_is_an_error_that_lists_the_known_ones(path, ending):
    with pytest.raises(
        InputError, match=rf"^{path}: no format is known by {ending}; known are \.csv, \.tsv, .*each but \.parquet also with \.gz or \.zst"
    ):
        read_rows(path)


# whatever is written reads back, and whatever is read does not crash

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
CELLS = st.lists(st.fixed_dictionaries({"id": TEXT, "text": TEXT}), min_size=1, max_size=5)


@given(CELLS, st.sampled_from(list(WRITERS)))
@settings(max_examples=200, deadline=None)
def test_rows_read_back_as_the_standard_writers_wrote_them(rows, suffix):
    assert told(read(f"back{suffix}", WRITERS[suffix](rows))) == rows


SCRAPS = st.lists(
    st.sampled_from([b'{"text":', b'"x"', b"}", b"\n", b"[", b"]", b",", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b'"', b"\\ud800", b"a"])
).map(b"".join)


@given(st.binary(max_size=60) | SCRAPS)
@settings(max_examples=300, deadline=None)
def test_any_bytes_as_jsonl_are_a_row_or_a_bad_row_for_each_line(data):
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    assert len(read("any.jsonl", data)) == sum(bool(line.strip()) for line in lines)


@given(st.binary(max_size=60) | SCRAPS, st.sampled_from([".json", ".csv.gz", ".jsonl.zst", ".parquet", ".txt", ".html.gz"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_rows_or_bad_rows_in_every_format(data, suffix):
    assert all(isinstance(row, (Row, BadRow)) for row in read(f"any{suffix}", data))


@given(st.binary(max_size=60) | SCRAPS, st.sampled_from([b"", b"text\n", b"id,text\n"]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_as_csv_are_rows_and_bad_rows_numbered_without_a_gap(data, header):
    try:
        rows = read("any.csv", header + data)
    except UserError:  # the header is not one
        assert not header
        return
    assert [row.place for row in rows] == [f"memory://formats/any.csv:{number}" for number in range(1, len(rows) + 1)]
