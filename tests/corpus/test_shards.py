from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsclf.corpus import parquet, streams, textfiles
from newsclf.corpus.formats import BadRow, Row
from newsclf.corpus.read import Columns, CorpusSpec, articles_of, check_columns, files_of, read_articles, rows_of
from newsclf.corpus.shards import Shard, ShardReader, plan, sampled
from newsclf.errors import DataError, InputError


def stored(name: str, data: bytes) -> str:
    fsspec.filesystem("memory").pipe(f"/shards/{name}", data)
    return f"memory://shards/{name}"


def zst(data: bytes) -> bytes:
    return pa.compress(data, codec="zstd", asbytes=True)


def two_members(data: bytes) -> bytes:
    return gzip.compress(data[: len(data) // 2]) + gzip.compress(data[len(data) // 2 :])


def whole(*paths: str) -> list[Row | BadRow]:
    return list(rows_of(paths))


def planned(*paths: str, rows: int, limit: int | None = None) -> list[Shard]:
    return list(plan((file for path in paths for file in files_of(path)), rows=rows, limit=limit))


def read(shards: list[Shard], **options: Any) -> list[Row | BadRow]:
    with ShardReader(**options) as reader:
        return [row for shard in shards for row in reader.rows(shard)]


def alone(shards: list[Shard]) -> list[Row | BadRow]:
    """Each shard by a reader of its own, the last one first."""
    return [row for part in [read([shard]) for shard in reversed(shards)][::-1] for row in part]


def holds(*paths: str, rows: int) -> list[Shard]:
    """The promise of this module: shards have `rows` rows each but the last, and give the rows of the corpus, together and alone."""
    expected = whole(*paths)
    shards = planned(*paths, rows=rows)
    assert [shard.rows for shard in shards] == [min(rows, len(expected) - at) for at in range(0, len(expected), rows)]
    assert [shard.number for shard in shards] == list(range(len(shards)))
    assert read(shards) == expected
    assert alone(shards) == expected
    with ShardReader() as reader:
        backwards = [list(reader.rows(shard)) for shard in reversed(shards) for _ in range(2)][1::2]
    assert [row for part in reversed(backwards) for row in part] == expected
    assert all(Shard.of_dict(json.loads(json.dumps(shard.as_dict()))) == shard for shard in shards)
    return shards


# hostile files

JSON_LINES = [
    b'{"text": "one"}',
    b'{"text": "zw\xc3\xb6lf", "n": 1}',
    b"",
    b"  \t",
    b"\xef\xbb\xbf",
    b'\xef\xbb\xbf{"text": "b"}',
    b'{"text": "\xff"}',
]
JSON_LINES += [
    b'{"text": "\\ud83d"}',
    b"\0",
    b'{"text": "x\0"}',
    b"null",
    b'{"text": "cut',
    b'{"text": "\xe2\x80\xa8"}',
    b"\r",
    b'{"text": "long ' + b"x" * 90 + b'"}',
]
CSV_LINES = [
    b"1,one",
    b'2,"a\nb"',
    b'3,"a\r\nb"',
    b'4,"a\rb"',
    b"5",
    b"6,7,8",
    b'"9"x,y',
    b'"open,',
    b"",
    b'",',
    b"\xff,1",
    b"\xef\xbb\xbf,b",
    b'5,"say ""so"""',
]
CSV_LINES += [b"\xed\xa0\x80,\xe2\x82", b"1,x\0y", b"zw\xc3\xb6lf,\xf0\x9f\xa6\x89", b"6," + b"x" * 90]
BREAKS = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r", b""])
PACKED = {"": bytes, ".gz": gzip.compress, ".zst": zst, ".two.gz": two_members}


def text_of(lines: list[bytes]) -> st.SearchStrategy[bytes]:
    whole_lines = st.tuples(st.sampled_from(lines), BREAKS).map(b"".join)
    return st.lists(whole_lines | st.binary(max_size=4), max_size=14).map(b"".join)


ROWS_OF = st.integers(1, 5)


@given(text_of(JSON_LINES), st.sampled_from(list(PACKED)), ROWS_OF)
@settings(max_examples=250, deadline=None)
def test_shards_of_json_lines_give_the_rows_of_the_file(data, packed, rows):
    holds(stored(f"a.jsonl{packed.replace('.two', '')}", PACKED[packed](data)), rows=rows)


@given(
    st.sampled_from([b"id,text\n", b"\xef\xbb\xbfid,text\r\n", b"\n\r\nid,text\r", b'"i\nd",text\n', b""]),
    text_of(CSV_LINES),
    st.sampled_from(list(PACKED)),
    ROWS_OF,
)
@example(b"id,text\n", b'1,"open\n2,b\n3,c\n', "", 1)
@settings(max_examples=250, deadline=None)
def test_shards_of_csv_give_the_rows_of_the_file(header, data, packed, rows):
    path = stored(f"a.csv{packed.replace('.two', '')}", PACKED[packed](header + data))
    if (trouble := header_trouble(path)) is None:
        holds(path, rows=rows)
        return
    with pytest.raises(DataError) as found:
        planned(path, rows=rows)
    assert str(found.value) == trouble


def header_trouble(path: str) -> str | None:
    """What a whole read says of a header that is none."""
    try:
        whole(path)
    except DataError as error:
        return str(error)
    return None


@given(text_of(JSON_LINES + CSV_LINES), st.sampled_from([".jsonl", ".csv"]), st.integers(30, 60), ROWS_OF)
@settings(max_examples=100, deadline=None)
def test_lines_that_no_article_has_are_one_row_in_shards_too(data, suffix, longest, rows):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(textfiles, "LONGEST", longest)
        patch.setattr(textfiles, "PIECE", 7)
        try:
            holds(stored(f"long{suffix}", b"id,text\n" + data), rows=rows)
        finally:
            csv.field_size_limit(streams.LONGEST)


@given(st.integers(0, 6), st.integers(1, 4), ROWS_OF, st.booleans())
@settings(max_examples=60, deadline=None)
def test_shards_of_parquet_give_the_rows_of_the_file(rows_there, group, rows, as_binary):
    texts: list[Any] = [None if number == 2 else f"text {number}" for number in range(rows_there)]
    table = pa.table({"text": texts, "n": list(range(rows_there)), "tags": [["a", None]] * rows_there})
    if as_binary and rows_there:
        offsets = pa.array(range(rows_there + 1), pa.int32()).buffers()[1]
        table = table.append_column("raw", pa.Array.from_buffers(pa.string(), rows_there, [None, offsets, pa.py_buffer(b"a\xffcdefg"[:rows_there])]))
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=group)
    holds(stored("a.parquet", sink.getvalue()), rows=rows)


@given(
    st.lists(st.sampled_from([b'{"text": "a"}', b"5", b'{"text": "\xff"}', b'{"text": "\\ud800"}', b"nonsense"]), max_size=6),
    ROWS_OF,
    st.sampled_from([b"", b"]"]),
)
@settings(max_examples=60, deadline=None)
def test_shards_of_a_json_array_give_the_rows_of_the_file(items, rows, end):
    holds(stored("a.json", b"[" + b", ".join(items) + end), rows=rows)


def test_a_byte_order_mark_in_the_middle_of_a_file_is_no_mark():
    good, bad = read(planned(stored("bom.jsonl", b'{"text": "a"}\n\xef\xbb\xbf{"text": "b"}\n'), rows=1))
    assert (type(good), bad.reason[:47]) == (Row, "this line is not JSON: Unexpected UTF-8 BOM (de")
    rows = read(planned(stored("bom.csv", b"\xef\xbb\xbftext\n\xef\xbb\xbfa\nb\n"), rows=1))
    assert [row.values for row in rows] == [{"text": "\ufeffa"}, {"text": "b"}]


def test_the_line_that_a_bad_csv_row_tells_is_that_of_the_file():
    *_, bad, last = read(planned(stored("lines.csv", b'text,id\n"a\nb\nc",1\n\n2,d\n"e"f,3\n4,g\n'), rows=1))
    assert bad.reason == "this row is not valid CSV (',' expected after '\"'); in the file it is line 7 to 7."
    assert last.place == "memory://shards/lines.csv:4"


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst", ".csv.gz", ".csv.zst", ".json.gz"])
@pytest.mark.parametrize("rows", [1_700, 5_000, 100_000])
def test_a_compressed_file_that_breaks_off_says_so_once_in_its_last_piece(suffix, rows):
    numbers = [str(number**7) for number in range(20_000)]
    kind, packing = suffix[1:].split(".")
    text = {
        "jsonl": "".join(f'{{"text": "{n}"}}\n' for n in numbers),
        "csv": "text\n" + "\n".join(numbers),
        "json": json.dumps([{"text": n} for n in numbers]),
    }[kind]
    data = (gzip.compress if packing == "gz" else zst)(text.encode())
    path = stored(f"half{suffix}", data[: len(data) // 2])
    expected = whole(path)
    shards = planned(path, rows=rows)
    assert read(shards) == expected
    assert read(shards[-1:]) == expected[-shards[-1].rows :]
    assert sum(shard.rows for shard in shards) == len(expected)
    assert [row.reason for row in expected if isinstance(row, BadRow)] == [expected[-1].reason]
    assert expected[-1].reason.startswith("the file breaks off here")
    assert [shard.pieces[-1].stop is None for shard in shards] == [False] * (len(shards) - 1) + [True]
    if kind != "json":
        assert sum(shard.bytes for shard in shards) == len(data) // 2


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Files of every kind, several of them small, one empty."""
    (tmp_path / "pages").mkdir()
    for number in range(7):
        (tmp_path / "pages" / f"{number}.txt").write_text(f"page {number}", "utf-8")
    (tmp_path / "pages" / "bad.html").write_bytes(b"\xff")
    (tmp_path / "a.csv").write_text('text,id\nfirst,1\n"two\nlines",2\n', "utf-8")
    (tmp_path / "b.jsonl.gz").write_bytes(two_members(b'{"text": "third"}\n\nbroken\n{"text": "fifth"}'))
    (tmp_path / "c.json").write_text('[{"text": "sixth"}, {"text": "seventh"}]', "utf-8")
    (tmp_path / "empty.jsonl").write_bytes(b"\n\n")
    (tmp_path / "header.tsv").write_text("text\n", "utf-8")
    pq.write_table(pa.table({"text": [f"row {number}" for number in range(9)], "url": ["u"] * 9}), tmp_path / "d.parquet", row_group_size=4)
    (tmp_path / "e.parquet").write_bytes(b"PAR1 is no end")
    return tmp_path


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 50])
def test_shards_run_over_files_of_every_kind(corpus, rows):
    shards = holds(str(corpus), rows=rows)
    assert len({piece.file for shard in shards for piece in shard.pieces}) == 13


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 13, 14, 15, 24, 1000])
def test_a_plan_ends_at_its_limit(corpus, limit):
    assert read(planned(str(corpus), rows=4, limit=limit)) == whole(str(corpus))[:limit]


def test_a_limit_that_ends_with_a_file_leaves_what_the_file_gained(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n', "utf-8")
    limited, open_ended = planned(str(tmp_path), rows=5, limit=1), planned(str(tmp_path), rows=5)
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n', "utf-8")
    assert [len(read(limited)), len(read(open_ended))] == [1, 2]


def test_a_data_set_is_cut_into_shards(tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    datasets.Dataset.from_list([{"text": f"row {number}"} for number in range(5)]).save_to_disk(str(tmp_path / "saved"))
    shards = holds(str(tmp_path / "saved"), rows=2)
    assert sum(shard.bytes for shard in shards) > 100
    (tmp_path / "train.jsonl").write_text('{"text": "T"}\n' * 3, "utf-8")
    (tmp_path / "test.jsonl").write_text('{"text": "T"}\n' * 5, "utf-8")
    holds(f"hf:{tmp_path}:test", rows=2)


def test_many_small_files_are_few_shards_and_a_plan_is_made_as_it_is_taken(tmp_path):
    for number in range(300):
        (tmp_path / f"{number:03d}.jsonl").write_text('{"text": "T"}\n' * 5, "utf-8")

    def files() -> Iterator[str]:
        yield from sorted(map(str, tmp_path.iterdir()))[:100]
        raise AssertionError("the plan reads on and on")

    assert [(shard.rows, len(shard.pieces)) for shard in islice(plan(files(), rows=100), 4)] == [(100, 20)] * 4
    shards = planned(str(tmp_path), rows=1000)
    assert [(shard.rows, len(shard.pieces)) for shard in shards] == [(1000, 200), (500, 100)]
    assert sum(shard.bytes for shard in shards) == 300 * 5 * 14
    assert shards == planned(str(tmp_path), rows=1000)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "b.csv.gz", "b.parquet", "c.txt"])
def test_the_bytes_of_the_pieces_of_a_file_are_its_size(tmp_path, name):
    text = "text,id\n" + "".join(f'"{random.Random(number).random()}\n",b\n' for number in range(3000))
    (tmp_path / name).write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    if name == "b.parquet":
        pq.write_table(pa.table({"text": list(map(str, range(3000)))}), tmp_path / name)
    sizes = [shard.bytes for shard in planned(str(tmp_path / name), rows=700)]
    assert sum(sizes) == (tmp_path / name).stat().st_size
    assert all(size >= 0 for size in sizes)


def test_a_shard_has_at_least_a_row():
    with pytest.raises(InputError, match=r"a shard has at least 1 row, not 0\.$"):
        planned("a.csv", rows=0)


@pytest.mark.parametrize("values", [{}, {"number": 1, "pieces": [{"file": "a"}], "only": None}, {"number": "x", "pieces": [], "only": None}])
def test_values_that_are_no_shard_are_an_error(values):
    with pytest.raises(DataError, match=r"^a shard must have number, pieces and only; this is none: "):
        Shard.of_dict(values)


# samples


@given(st.integers(1, 30), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_a_sample_takes_so_many_rows_of_the_corpus_in_its_order(size, seed):
    paths = [
        stored("s.jsonl", b'{"text": "a"}\nbroken\n\n' * 5),
        stored("s.csv", b"text\n" + b"b\n" * 7),
        stored("s.json", b'[{"text": "c"}, {"text": "d"}]'),
    ]
    shards = planned(*paths, rows=4)
    taken = sampled(shards, size=size, seed=seed)
    found, expected = read(taken), whole(*paths)
    assert [row for row in expected if row in found] == found
    assert len(found) == sum(shard.rows for shard in taken) == min(size, len(expected))
    assert [shard.number for shard in taken] == list(range(len(taken)))
    assert taken == sampled(iter(shards), size=size, seed=seed)
    assert all(Shard.of_dict(json.loads(json.dumps(shard.as_dict()))) == shard for shard in taken)
    again = read(sampled(taken, size=1, seed=seed))
    assert len(again) == 1
    assert again[0] in found


def test_a_sample_of_parquet_takes_rows_from_every_row_group(tmp_path):
    pq.write_table(pa.table({"text": list(map(str, range(5000)))}), tmp_path / "a.parquet", row_group_size=700)
    taken = sampled(planned(str(tmp_path), rows=900), size=200, seed=1)
    found = [int(row.values["text"]) for row in read(taken)]
    assert found == sorted(found)
    assert len(set(found)) == 200
    assert {number // 700 for number in found} == set(range(8))
    assert [row.place for row in read(taken)] == [f"{tmp_path}/a.parquet:{number + 1}" for number in found]


def test_every_row_is_as_likely_to_be_sampled():
    shards = planned(stored("s.jsonl", b'{"text": "a"}\n' * 10), rows=3)
    seen = Counter(row.place for seed in range(600) for row in read(sampled(shards, size=3, seed=seed)))
    assert len(seen) == 10
    assert all(abs(count - 180) < 5 * (600 * 0.3 * 0.7) ** 0.5 for count in seen.values())


# files that change


def lines(first: int, last: int) -> bytes:
    return b"".join(b'{"text": "%d"}\n' % number for number in range(first, last))


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.csv.gz", "a.json", "a.parquet"])
@pytest.mark.parametrize("left", [0, 15, 45, 55])
def test_a_file_that_lost_rows_is_an_error_wherever_it_was_cut(tmp_path, name, left):
    def write(rows: int) -> None:
        if name == "a.parquet":
            pq.write_table(pa.table({"text": list(map(str, range(rows)))}), tmp_path / name)
            return
        text = {"c": b"text\n" + b"".join(b"%d\n" % number for number in range(rows)), "j": lines(0, rows)}[name[2]]
        data = json.dumps([{"text": str(number)} for number in range(rows)]).encode() if name == "a.json" else text
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)

    write(60)
    shards = planned(str(tmp_path), rows=20)
    write(left)
    assert len(read(shards[: left // 20])) == left // 20 * 20
    for shard in shards[left // 20 :]:
        with pytest.raises(
            DataError, match=rf"^{tmp_path}/{name}: (this file is not as it was when|the file ends at byte \d+; its next rows began at)"
        ):
            read([shard])


def test_a_file_with_a_line_break_more_or_fewer_is_an_error():
    path = stored("c.jsonl", lines(0, 9))
    first, *_ = planned(path, rows=3)
    for changed in (lines(0, 9).replace(b": ", b":\n", 1), b'{"text": "0 and 1"}        \n' + lines(2, 9), lines(10, 19)):
        stored("c.jsonl", changed)
        with pytest.raises(DataError, match=r"this file is not as it was when the work was planned: 3 rows were counted, and now there are [234]"):
            read([first])


def test_a_compressed_file_that_breaks_off_earlier_than_it_did_is_an_error():
    data = gzip.compress(b"".join(b'{"text": "%d"}\n' % number**7 for number in range(20_000)))
    path = stored("cut.jsonl.gz", data)
    shards = planned(path, rows=8_000)
    stored("cut.jsonl.gz", data[: len(data) // 2])
    with ShardReader() as reader:
        assert len(list(reader.rows(shards[0]))) == 8_000
        found = []
        with pytest.raises(DataError, match="this file is not as it was"):
            found.extend(reader.rows(shards[1]))
        with pytest.raises(DataError, match=r"the file breaks off before byte \d+, where its next rows began: Truncated"):
            list(reader.rows(shards[2]))
        assert len(list(reader.rows(shards[0]))) == 8_000


def test_a_damaged_row_group_is_told_in_each_shard_that_it_belongs_to_and_in_no_other():
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": [f"{number}" for number in range(8)]}), sink, row_group_size=4)
    data = bytearray(sink.getvalue())
    start = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(0).dictionary_page_offset
    data[start : start + 8] = b"\xff" * 8
    path = stored("damaged.parquet", bytes(data))
    for found in (read(planned(path, rows=2)), alone(planned(path, rows=2))):
        assert [type(row) for row in found] == [BadRow, BadRow, Row, Row, Row, Row]
        assert [row.place for row in found] == [f"{path}:{number}" for number in (1, 3, 5, 6, 7, 8)]
        assert found[0].reason.startswith("this Parquet file cannot be read on from here: ")


def test_a_missing_file_is_an_error_when_it_is_planned_and_when_it_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("text\na\n", "utf-8")
    shards = planned(str(tmp_path), rows=5)
    (tmp_path / "a.csv").unlink()
    with pytest.raises(DataError, match=r"a\.csv: there is no such file\.$"):
        read(shards)
    for name in ("a.csv", "a.txt", "a.parquet", "a.json"):
        with pytest.raises(DataError, match=rf"{name}: (there is no such file|this cannot be opened)"):
            list(plan([str(tmp_path / name)], rows=5))


# digests and open files


def test_the_digest_of_a_text_shard_is_that_of_its_bytes(tmp_path):
    a, b = lines(0, 5), b"text\n" + b"x\n" * 5
    (tmp_path / "a.jsonl").write_bytes(a)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b))
    first, second, third = planned(str(tmp_path), rows=4)
    with ShardReader() as reader:
        rows = reader.rows(first)
        next(rows)
        assert reader.digest == ""
        list(rows)
        assert reader.digest == hashlib.sha256(lines(0, 4)).hexdigest()
        list(reader.rows(third))
        assert reader.digest == hashlib.sha256(b"x\n" * 2).hexdigest()
        list(reader.rows(second))
        assert reader.digest == hashlib.sha256(lines(4, 5) + b"text\n" + b"x\n" * 3).hexdigest()
        list(reader.rows(sampled([second, third], size=1, seed=0)[0]))
        assert reader.digest in {hashlib.sha256(lines(4, 5) + b"text\n" + b"x\n" * 3).hexdigest(), hashlib.sha256(b"x\n" * 2).hexdigest()}


@pytest.mark.parametrize("name", ["a.txt", "a.json", "a.parquet"])
def test_the_digest_of_other_shards_changes_with_the_file_and_with_nothing_else(tmp_path, name):
    def digests(text: str) -> list[str]:
        (tmp_path / name).write_text(json.dumps([{"text": text}] * 3), "utf-8")
        if name == "a.parquet":
            pq.write_table(pa.table({"text": [text] * 3}), tmp_path / name)
        os.utime(tmp_path / name, (len(found), len(found)))
        with ShardReader() as reader:
            return [reader.digest for shard in planned(str(tmp_path), rows=2) for _ in [list(reader.rows(shard))]]

    found: list[list[str]] = []
    for text in ("one", "one", "two"):
        found.append(digests(text))
    assert found[0] == found[1]
    assert not set(found[1]) & set(found[2])
    assert len(set(found[0])) == len(found[0])


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.csv.gz", "a.json", "a.parquet"])
def test_shards_in_order_open_a_file_once(tmp_path, monkeypatch, name):
    rows = [{"text": f"{number}"} for number in range(50)]
    data = {"j": lines(0, 50), "c": b"text\n" + b"x\n" * 50}.get(name[2], b"")
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else json.dumps(rows).encode())
    if name == "a.parquet":
        pq.write_table(pa.table({"text": ["x"] * 50}), tmp_path / name)
    shards = planned(str(tmp_path), rows=8)
    opened = []
    real = streams.raw_stream
    for module in (streams, parquet):
        monkeypatch.setattr(module, "raw_stream", lambda path: opened.append(path) or real(path))
    assert len(read(shards)) == 50
    assert len(opened) == 1
    assert len(read(shards[1::2])) == 24  # those between are gone past
    assert len(opened) == 2


def test_rows_that_are_not_taken_to_the_end_do_not_disturb_the_next_shard(corpus):
    shards, expected = planned(str(corpus), rows=4), whole(str(corpus))
    with ShardReader() as reader:
        for number, shard in enumerate(shards):
            assert list(islice(reader.rows(shard), 2)) == expected[number * 4 :][:2]
            assert list(reader.rows(shard)) == expected[number * 4 :][:4]


# columns


def test_of_parquet_only_the_columns_that_are_wanted_are_read(corpus):
    table = pa.table({"a.b": ["x"], "a": ["T"], "title": ["H"], "more": ["M"], "less": [1]})
    pq.write_table(table, corpus / "d.parquet")
    shards = planned(str(corpus / "d.parquet"), rows=5)
    for columns, keep, names in [
        (Columns(text="a"), (), ["a", "title"]),
        (Columns(text="a"), ("less", "nowhere"), ["a", "title", "less"]),
        (Columns(text="title"), (), ["title"]),
        (Columns(text="a", title=""), ("a.b",), ["a.b", "a"]),
        (None, (), ["a.b", "a", "title", "more", "less"]),
    ]:
        (row,) = read(shards, columns=columns, keep=keep)
        assert list(row.values) == names
        assert row.values == {name: table[name][0].as_py() for name in names}


def test_the_mapping_of_columns_is_the_same_whichever_shard_comes_first(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a", "head": "H"}\n{"head": "H"}\n{"text": "c"}\n{"text": "d", "head": "H2"}\n', "utf-8")
    spec = CorpusSpec(path=str(tmp_path), title="head")
    check_columns(spec)
    expected = list(read_articles(spec))
    found = [list(articles_of(iter(read([shard], columns=spec.columns())), spec, checked=True)) for shard in reversed(planned(str(tmp_path), rows=1))]
    assert [row for part in found[::-1] for row in part] == expected
    assert [type(row).__name__ for row in expected] == ["Article", "BadRow", "Article", "Article"]


def test_a_column_that_the_first_row_lacks_is_found_before_any_shard_is_read(tmp_path):
    (tmp_path / "a.jsonl").write_text('null\n{"body": "a"}\n', "utf-8")
    with pytest.raises(DataError, match=r"a\.jsonl:2: there is no column 'text'.*'body'"):
        check_columns(CorpusSpec(path=str(tmp_path)))
    (tmp_path / "a.jsonl").write_text("null\n", "utf-8")
    check_columns(CorpusSpec(path=str(tmp_path)))


def test_the_rows_of_a_later_file_without_the_text_are_bad_not_gone(tmp_path):
    (tmp_path / "a.csv").write_text("text\na\n", "utf-8")
    (tmp_path / "b.csv").write_text("body\nb\n", "utf-8")
    pq.write_table(pa.table({"body": ["c", "d"]}), tmp_path / "c.parquet")
    spec = CorpusSpec(path=str(tmp_path))
    check_columns(spec)
    first, *others = articles_of(iter(read(planned(str(tmp_path), rows=2), columns=spec.columns())), spec, checked=True)
    assert first.text == "a"
    assert [(Path(row.place).name, row.reason) for row in others] == [
        (place, "the text (column 'text') is null, not text.") for place in ("b.csv:1", "c.parquet:1", "c.parquet:2")
    ]
