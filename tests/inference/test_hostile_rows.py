"""Rows of every bad kind in one corpus: each is scored or set aside with a reason, none shifts another, and every one is accounted for."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from color_articles import color_rows, write_rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsclf.inference.batch import RunSpec, Scored, score
from newsclf.inference.scored import read_scores
from newsclf.inference.scorer import ScoreSpec

GOOD = {"id": "good", "title": "A report", "text": "The harbor was closed for a day, and the ships waited."}
LONG = " ".join(row["text"] for row in color_rows(50)) + " "
TEXTS = {
    "5 MB": LONG * (5_000_000 // len(LONG) + 1),
    "one character": "a",
    "one emoji": "😀",
    "one full stop": ".",
    "one space": " ",
    "nothing": "",
    "invisible": "\u200b\ufeff\u2060",
    "NUL": "Ships\0 waited \0\0 in the harbor.",
    "only NUL": "\0" * 50,
    "controls": "Ships\x01\x02\x1b[31m waited\x7f\x85 in\x0c the\x0b harbor.\u2028And\u2029left.\rToday.",
    "right to left": "السفن تنتظر في الميناء \u202eمنذ يوم\u202c. האוניות חיכו בנמל \u2067כל היום\u2069.",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏿 in the 🇫🇷 harbor" * 20,
    "combining": "a" + "\u0301" * 5000,
    "long word": "harbor" * 20_000,
    "outside of the BMP": "𝕋𝕙𝕖 𝕙𝕒𝕣𝕓𝕠𝕣 𒀀𒀁 \U0010ffff \ufffe \uffff",
    "mojibake": "The mayorâ€™s cafÃ© is near the harbor.",
    "markup": "<html><body><article><p>The harbor was closed.</p></article></body></html>",
    "broken markup": "<html><body><p>" * 3000,
    "markup without a text": "<html><body>" + "<p>" * 3000 + "</p>",
    "quotes": '"""' + "'" * 40 + '","text":"\\u0000"}',
}
BLANK = {"one space", "nothing"}
NOTHING_LEFT = {"one emoji", "one full stop", "invisible", "only NUL", "markup without a text"}
"""Set aside where there is no title."""
BAD_LINES = {
    "not UTF-8": b'{"id": "x", "text": "caf\xe9 near the harbor"}',
    "a surrogate as bytes": b'{"id": "x", "text": "harbor \xed\xa0\x80"}',
    "half a character": b'{"id": "x", "text": "harbor \\ud83d closed"}',
    "half a character in a name": b'{"id": "x", "text": "harbor closed", "\\udc00": 1}',
    "a NUL byte": b'{"id": "x", "text": "harbor \0 closed"}',
    "only NUL bytes": b"\0" * 5000,
    "cut off": b'{"id": "x", "text": "harb',
    "two values": b'{"text": "harbor"} {"text": "closed"}',
    "a list": b'["text", "harbor"]',
    "a number": b"17",
    "a long number": b'{"text": "harbor", "pages": ' + b"9" * 5000 + b"}",
    "deep": b"[" * 100_000,
    "deep in a row": b'{"text": "harbor", "x": ' + b"[" * 100_000 + b"}",
    "a bare carriage return": b'{"text":\r"harbor"',
    "text is a number": b'{"text": 17}',
    "text is an object": b'{"text": {"en": "harbor"}}',
    "text is false": b'{"text": false}',
    "text is not there": b'{"body": "harbor"}',
    "an empty object": b"{}",
    "a later BOM": b'\xef\xbb\xbf{"text": "harbor"}',
}
GOOD_LINES = {
    "an escaped pair": b'{"id": "x", "text": "The harbor \\ud83d\\ude00 was closed."}',
    "text twice": b'{"text": "", "text": "The harbor was closed."}',
    "no numbers": b'{"text": "The harbor was closed.", "title": NaN, "date": Infinity, "id": 1e999}',
    "odd fields": b'{"text": "The harbor was closed.", "title": ["a"], "id": {"b": null}, "url": true, "date": 20240101.0}',
    "white space around": b'\t\x0b {"text": "The harbor was closed."} \r',
    "a million zeros": b'{"text": "The harbor was closed.", "x": 0.' + b"0" * 1_000_000 + b"}",
}
NULLS = 1000
Told = dict[str, Any] | str


@pytest.fixture(scope="module")
def model(models: dict[str, Path]) -> Path:
    return models["topic"]


def told(output: Path) -> dict[str, Told]:
    """Place → the row of scores without its place, or the reason why there is none."""
    aside = {row["place"]: row["reason"] for file in sorted(output.glob("quarantine-*.parquet")) for row in pq.read_table(file).to_pylist()}
    scored = {row["place"]: row for row in read_scores(output).to_table().to_pylist()}
    assert not aside.keys() & scored.keys()
    return aside | {place: {name: value for name, value in row.items() if name != "place"} for place, row in scored.items()}


def alone(model: Path, file: Path, output: Path) -> Told:
    """What becomes of the second row of a file of two, the first being a good one."""
    assert score(model, str(file), output).rows == 2
    answer = told(output)[f"{file}:2"]
    return answer if isinstance(answer, str) else without_place(answer, f"{file}:2")


def without_place(row: dict[str, Any], place: str) -> dict[str, Any]:
    """What is comparable of a row: an article without an id has its place for one, and a field that no article of a part has is not there."""
    return {name: None if value == place else value for name, value in row.items() if value is not None or "." in name}


def line_of(text: str | None, number: int) -> bytes:
    return json.dumps({"id": f"r{number}", "title": f"Report {number}", "text": text}, ensure_ascii=False).encode()


def check(model: Path, corpus: Path, folder: Path, alones: Sequence[Path | None], aside: int) -> None:
    """Score a corpus in shards of several sizes; each row must become what it becomes alone (None: a null)."""
    wanted = [None if file is None else alone(model, file, folder / f"alone-{number}") for number, file in enumerate(alones)]
    for rows, workers in ((20_000, 1), (100, 1), (300, 2)):
        output = folder / f"{rows}"
        done = score(model, str(corpus), output, ScoreSpec(rows_per_shard=rows), run=RunSpec(workers=workers))
        assert done == Scored(output, len(wanted), len(wanted) - aside, aside)
        found = told(output)
        assert found.keys() == {f"{corpus}:{number + 1}" for number in range(len(wanted))}
        for number, answer in enumerate(wanted):
            row = found[f"{corpus}:{number + 1}"]
            if answer is None:
                assert row == "the text (column 'text') is null, not text.", number
            else:
                assert (row if isinstance(row, str) else without_place(row, f"{corpus}:{number + 1}")) == answer, number


def test_hostile_json_lines_are_scored_or_set_aside_as_each_would_be_alone(model, tmp_path):
    texts = [line_of(text, number) for number, text in enumerate(TEXTS.values())]
    lines: list[bytes | None] = [*texts, *BAD_LINES.values(), *[None] * NULLS, *GOOD_LINES.values(), *texts[1:]]
    corpus, alones = tmp_path / "corpus.jsonl", []
    with corpus.open("wb") as stream:
        for number, line in enumerate([line_of(GOOD["text"], 0), *lines]):
            stream.write((line_of(None, number) if line is None else line) + b"\n")
            file = tmp_path / "alone" / f"{number}.jsonl"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(line_of(GOOD["text"], 0) + b"\n" + (line or b""))
            alones.append(file if line is not None else None)
    check(model, corpus, tmp_path, alones, len(BAD_LINES) + NULLS + 2 * len(BLANK))


def test_hostile_parquet_rows_are_scored_or_set_aside_as_each_would_be_alone(model, tmp_path):
    bad = [b"caf\xe9 near the harbor", b"\xed\xa0\x80 harbor", b"\xff" * 100, b"harbor \xf0\x9f"]
    texts = [*(text.encode() for text in TEXTS.values()), *bad, *[None] * NULLS, *bad, b"The harbor was closed."]
    rows = [GOOD["text"].encode(), *texts]
    table = parquet_of(rows)
    pq.write_table(table, tmp_path / "corpus.parquet", row_group_size=700)
    (tmp_path / "alone").mkdir()
    alones: list[Path | None] = []
    for number, text in enumerate(rows):
        file = tmp_path / "alone" / f"{number}.parquet"
        if text is not None:
            pq.write_table(table.take([0, number]), file)
        alones.append(None if text is None else file)
    check(model, tmp_path / "corpus.parquet", tmp_path, alones, 2 * len(bad) + NULLS + len(BLANK) + len(NOTHING_LEFT))
    found = told(tmp_path / "100")
    assert {
        name for number, name in enumerate(TEXTS) if isinstance(found[f"{tmp_path / 'corpus.parquet'}:{number + 2}"], str)
    } == BLANK | NOTHING_LEFT


def parquet_of(texts: Sequence[bytes | None]) -> pa.Table:
    """A table of texts that need not be UTF-8."""
    identifiers = [f"r{number}" for number in range(len(texts))]
    return pa.table({"id": identifiers, "text": pa.array(texts, pa.binary()).view(pa.string())})


def write_csv(path: Path, texts: Sequence[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["id", "text"], *enumerate(texts)])


def write_jsonl(path: Path, texts: Sequence[str]) -> None:
    write_rows(path, ({"id": str(number), "text": text} for number, text in enumerate(texts)))


@pytest.mark.parametrize(("name", "write"), [("corpus.jsonl", write_jsonl), ("corpus.csv", write_csv)])
def test_a_line_of_70_mb_is_set_aside_and_shifts_nothing(model, tmp_path, name, write):
    write(tmp_path / name, [GOOD["text"], "harbor " * 10_000_000, GOOD["text"], "", GOOD["text"]])
    for rows in (1, 2, 100):
        output = tmp_path / str(rows)
        assert score(model, str(tmp_path / name), output, ScoreSpec(rows_per_shard=rows), run=RunSpec(workers=1)) == Scored(output, 5, 3, 2)
        found = told(output)
        assert "longer than 67108864 bytes" in str(found.pop(f"{tmp_path / name}:2"))
        assert "is empty" in str(found.pop(f"{tmp_path / name}:4"))
        assert {place: isinstance(row, dict) and row["id"] for place, row in found.items()} == {
            f"{tmp_path / name}:{at}": f"{at - 1}" for at in (1, 3, 5)
        }


@pytest.mark.parametrize("workers", [1, 2])
def test_a_shard_whose_every_row_is_bad_is_committed_between_the_others(model, tmp_path, workers):
    rows = [row | ({"text": ""} if 10 <= number < 20 else {}) for number, row in enumerate(color_rows(20))]
    corpus, output = write_rows(tmp_path / "corpus.jsonl", rows), tmp_path / "scores"
    done = score(model, str(corpus), output, ScoreSpec(rows_per_shard=10), run=RunSpec(workers=workers))
    assert done == Scored(output, 40, 30, 10)
    assert [json.loads(path.read_bytes())["scored"] for path in sorted(output.glob("part-*.json"))] == [10, 0, 10, 10]
    assert read_scores(output).to_table()["id"].to_pylist() == [row["id"] for row in rows if row["text"]]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_corpus_whose_every_row_is_bad_is_set_aside_whole(model, tmp_path, workers):
    corpus, output = tmp_path / "corpus.jsonl", tmp_path / "scores"
    corpus.write_bytes(b"{broken\n" * 25)
    done = score(model, str(corpus), output, ScoreSpec(rows_per_shard=10), run=RunSpec(workers=workers))
    assert done == Scored(output, 25, 0, 25)
    assert sorted(told(output)) == sorted(f"{corpus}:{number + 1}" for number in range(25))
    score(model, str(write_rows(tmp_path / "good.jsonl", [GOOD])), tmp_path / "good")
    scores = [name for name in read_scores(tmp_path / "good").schema.names if name.startswith("topic.")]
    assert [name for name in read_scores(output).schema.names if name.startswith("topic.")] == scores


FRAGMENTS = (
    *(b'{"text": "The harbor was closed."}', b'{"text": "', b'"id": 1, ', b'"title": "Report", ', b'"}', b'"', b"{", b"}", b"[", b"]", b",", b":"),
    *(b"null", b"NaN", b"1e999", b"-", b"\\", b"\\ud800", b"\\u0000", b"\\ud83d\\ude00", b"harbor", b"ships ", b"\xff", b"\xc3", b"\xed\xa0\x80"),
    *(b"\0", b"\r", b"\t", b" ", b"\x0b", b"\x1c", b"\xc2\x85", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\xe2\x80\x8b", b"<html>", b"<p>", b"&nbsp;"),
)
LINES = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=6).map(b"".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=4).map(lambda parts: b'{"text": "' + b"".join(parts) + b'"}'),
    st.text(max_size=8).map(lambda text: json.dumps({"id": text, "text": text}).encode()),
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=st.lists(LINES, min_size=100, max_size=100), rows=st.integers(20, 150), ended=st.booleans())
def test_every_one_of_ten_thousand_hostile_lines_is_accounted_for(model, tmp_path_factory, lines, rows, ended):
    folder = tmp_path_factory.mktemp("hostile")
    corpus, output = folder / "corpus.jsonl", folder / "scores"
    data = b"\n".join([json.dumps(GOOD).encode(), *lines]) + b"\n" * ended
    corpus.write_bytes(data)
    done = score(model, str(corpus), output, ScoreSpec(rows_per_shard=rows), run=RunSpec(workers=1))
    found = told(output)
    wanted = {f"{corpus}:{number}": line for number, line in lines_of(data)}
    assert found.keys() == wanted.keys()
    assert done.rows == done.scored + done.quarantined == len(wanted)
    assert done.scored == sum(isinstance(row, dict) for row in found.values())
    for place, line in wanted.items():
        row = found[place]
        if isinstance(row, dict):
            assert is_article(line)
            assert sum(value >= 0 for name, value in row.items() if ".p." in name) > 1
        else:
            assert not is_article(line) or row.startswith("nothing is left of the text after cleaning")


def lines_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers."""
    return ((number, line) for number, line in enumerate(data.split(b"\n"), start=1) if line.strip())


def is_article(line: bytes) -> bool:
    """Whether a line is an object of Unicode with a text that is not blank."""
    try:
        values = json.loads(line.decode())
        return bool(values["text"].strip()) and bool(json.dumps(values, ensure_ascii=False).encode())
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
