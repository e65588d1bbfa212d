"""Scoring accounts for every row, writes whole parts or none, and gives the numbers that predict gives."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from color_articles import contents, read_lines, write_rows
from pyarrow.dataset import Dataset

import newsclf
from newsclf.article import Article
from newsclf.corpus.read import CorpusSpec
from newsclf.errors import BundleError, DataError, InputError, OutputError
from newsclf.folder import sha256
from newsclf.inference.batch import Batch, Scored, ScoreSpec, read_scores, score

TEXTS = (
    "The border wall must be finished, the sheriff said. Agents arrested nine people.",
    "The hospital opened a ward for children with the flu.",
    "Growers fear for the harvest: without seasonal crews a third of it rots.",
    "The council heard two reports on sanctuary cities.",
    "The central bank left interest rates where they were.",
)
ROWS = [{"id": f"a{number}", "title": f"Report {number}", "text": text, "pages": number} for number, text in enumerate(TEXTS)]
BAD = [
    ({"id": "b0", "text": ""}, "is empty"),
    ({"id": "b1", "text": None}, "is null"),
    (
        {"id": "b2", "text": "Advertisement\n3 min read"},
        "nothing is left of the text after cleaning (removed: junk.advertisement 1, junk.reading_time 1).",
    ),
    ({"id": "b3", "text": "<html><body><p></p></body></html>"}, "nothing is left of the text after cleaning (removed: markup)."),
    ({"id": "b4", "text": 7}, "int 7, not text"),
]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "corpus.jsonl", ROWS)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "scores"


def rows_of(output: Path, table: str | None = None) -> list[dict[str, Any]]:
    return read_scores(output, table).to_table().to_pylist()


def quarantined(output: Path) -> list[tuple[str, str]]:
    return [(row["place"], row["reason"]) for file in sorted(output.glob("quarantine-*.parquet")) for row in pq.read_table(file).to_pylist()]


# the numbers


@pytest.mark.parametrize("rows_per_part", [2, 100])
def test_scores_are_those_of_predict_in_the_order_of_the_rows(models, corpus, output, rows_per_part):
    done = score(list(models.values()), str(corpus), output, ScoreSpec(rows_per_part=rows_per_part))
    assert done == Scored(output, 5, 5, 0)
    readings = newsclf.load(*models.values()).predict([Article(row["text"], title=row["title"]) for row in ROWS])
    found, stances = rows_of(output), rows_of(output, "stance")
    for number, (row, reading) in enumerate(zip(found, readings, strict=True)):
        assert (row["place"], row["id"], row["title"], row["pages"]) == (f"{corpus}:{number + 1}", f"a{number}", f"Report {number}", number)
        topic, framing = reading["topic"], reading["framing"]
        assert (row["topic.label"], row["topic.abstained"], row["topic.coverage"]) == (topic.label, False, 1.0)
        assert sorted(row["framing.labels"]) == sorted(framing.labels)
        for task in ("topic", "framing"):
            assert {label: row[f"{task}.p.{label}"] for label in reading[task].probabilities} == as_float32(reading[task].probabilities)
        for answer in reading["stance"].values():
            stance = stances.pop(0)
            assert (stance["place"], stance["id"], stance["stance.target"]) == (row["place"], row["id"], answer.target)
            assert (stance["stance.label"], stance["stance.abstained"]) == (answer.label, answer.abstained)
            assert {label: stance[f"stance.p.{label}"] for label in answer.probabilities} == as_float32(answer.probabilities)
    assert not stances
    assert not [name for name in found[0] if name.startswith("stance.")]


def as_float32(probabilities: dict[str, float]) -> dict[str, float]:
    return {label: float(np.float32(value)) for label, value in probabilities.items()}


def test_two_runs_write_the_same_bytes(models, corpus, output, tmp_path):
    for folder in (output, tmp_path / "again"):
        score(models["topic"], str(corpus), folder, ScoreSpec(sentences=1))
    assert contents(output) == contents(tmp_path / "again")


def test_evidence_is_that_of_predict_as_json(models, corpus, output):
    score([models["topic"], models["stance"]], str(corpus), output, ScoreSpec(sentences=2))
    reading = newsclf.load(models["topic"], models["stance"]).predict(Article(TEXTS[0], title="Report 0"), sentences=2)
    wanted = {"topic": [reading["topic"]], "stance": list(reading["stance"].values())}
    for task, answers in wanted.items():
        column = [json.loads(row[f"{task}.evidence"]) for row in rows_of(output, None if task == "topic" else task)]
        for pieces, answer in zip(column, answers, strict=False):
            spans = [(piece.label, piece.field, piece.start, piece.end, piece.text, round(piece.weight, 4)) for piece in answer.evidence]
            assert [tuple(piece[key] for key in ("label", "field", "start", "end", "text", "weight")) for piece in pieces] == spans
    assert json.loads(rows_of(output)[0]["topic.evidence"])


def test_without_sentences_there_is_no_evidence_column(models, corpus, output):
    score(models["topic"], str(corpus), output)
    assert "topic.evidence" not in read_scores(output).schema.names


def test_targets_are_asked_for_instead_of_the_codebooks(models, corpus, output):
    score(models["stance"], str(corpus), output, ScoreSpec(targets=("border wall", "interest rates")))
    found = rows_of(output, "stance")
    assert [row["stance.target"] for row in found] == ["border wall", "interest rates"] * 5
    assert found[0]["stance.label"]
    assert (found[1]["stance.label"], found[1]["stance.abstained"]) == (None, True)
    assert list(rows_of(output)[0]) == ["place", "id", "title", "pages"]


# every row is accounted for


def test_bad_rows_are_set_aside_with_place_and_reason(models, output, tmp_path):
    rows = [row for pair in zip(ROWS, (row for row, _ in BAD), strict=True) for row in pair]
    corpus = write_rows(tmp_path / "mixed.jsonl", rows)
    with corpus.open("ab") as stream:
        stream.write(b"{broken\n")
    done = score(models["topic"], str(corpus), output, ScoreSpec(rows_per_part=4))
    assert done == Scored(output, 11, 5, 6)
    assert [row["id"] for row in rows_of(output)] == [f"a{number}" for number in range(5)]
    reasons = [*(reason for _, reason in BAD), "not JSON"]
    for number, ((place, told), reason) in enumerate(zip(quarantined(output), reasons, strict=True)):
        assert place == f"{corpus}:{2 * number + 2 - (number == 5)}"
        assert reason in told
    commits = [json.loads(path.read_text("utf-8")) for path in sorted(output.glob("part-*.json"))]
    assert [(commit["rows"], commit["scored"], commit["quarantined"]) for commit in commits] == [(4, 2, 2), (4, 2, 2), (3, 1, 2)]


def test_a_row_of_which_the_title_is_left_is_scored(models, output, tmp_path):
    corpus = write_rows(tmp_path / "titles.jsonl", [{"text": "Advertisement", "title": TEXTS[0]}, {"text": "Advertisement", "title": "\u200b"}])
    assert score(models["topic"], str(corpus), output) == Scored(output, 2, 1, 1)


@pytest.mark.parametrize("rows_per_part", [2, 100])
def test_a_corpus_of_bad_rows_alone_gives_tables_without_a_row(models, output, tmp_path, rows_per_part):
    corpus = write_rows(tmp_path / "bad.jsonl", [row for row, _ in BAD])
    done = score(list(models.values()), str(corpus), output, ScoreSpec(rows_per_part=rows_per_part, sentences=1))
    assert done == Scored(output, 5, 0, 5)
    main, stance = read_scores(output).to_table(), read_scores(output, "stance").to_table()
    assert main.num_rows == stance.num_rows == 0
    good = tmp_path / "good"
    score(list(models.values()), str(write_rows(tmp_path / "one.jsonl", [{"text": TEXTS[0]}])), good, ScoreSpec(sentences=1))
    assert main.schema == read_scores(good).schema
    assert stance.schema == read_scores(good, "stance").schema
    assert len(quarantined(output)) == 5


def test_a_part_of_bad_rows_between_good_ones_is_no_gap(models, output, tmp_path):
    corpus = write_rows(tmp_path / "mixed.jsonl", [ROWS[0], BAD[0][0], ROWS[1]])
    score([models["topic"], models["stance"]], str(corpus), output, ScoreSpec(rows_per_part=1))
    assert [row["id"] for row in rows_of(output)] == ["a0", "a1"]
    assert len(rows_of(output, "stance")) == 8


@pytest.mark.parametrize(("row", "reason"), BAD)
def test_on_error_fail_stops_at_the_first_row_that_cannot_be_scored(models, output, tmp_path, row, reason):
    corpus = write_rows(tmp_path / "mixed.jsonl", [*ROWS[:3], row, {"text": ""}])
    with pytest.raises(DataError) as error:
        score(models["topic"], CorpusSpec(path=(str(corpus),), on_error="fail"), output, ScoreSpec(rows_per_part=2))
    assert str(error.value).startswith(f"{corpus}:4: ")
    assert reason in str(error.value)
    assert "on_error: quarantine" in str(error.value)
    assert [row["id"] for row in rows_of(output)] == ["a0", "a1"]
    assert not (output / "score.json").exists()


@pytest.mark.parametrize(("limit", "rows"), [(1, 1), (3, 3), (100, 5), (None, 5)])
def test_a_limit_counts_rows_of_the_corpus(models, corpus, output, limit, rows):
    assert score(models["topic"], str(corpus), output, ScoreSpec(limit=limit, rows_per_part=2)).rows == rows
    assert len(rows_of(output)) == rows


def test_an_empty_corpus_is_an_error(models, output, tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(DataError, match=r"empty.jsonl': there is no row to score"):
        score(models["topic"], str(tmp_path / "empty.jsonl"), output)


def test_a_part_that_does_not_add_up_is_not_written(models, corpus, output, monkeypatch):
    whole = Batch.of
    monkeypatch.setattr(Batch, "of", lambda rows, reader: replace(whole(rows, reader), rows=len(rows) + 1))
    with pytest.raises(AssertionError, match=r"part 0: .*'rows': 6, 'scored': 5, 'quarantined': 0.* does not add up"):
        score(models["topic"], str(corpus), output)
    assert not list(output.iterdir())


# what passes through


def test_columns_pass_through_with_their_types(models, output, tmp_path):
    extra = [
        {"score": 1, "tags": ["a", "é"], "meta": {"k": [1]}, "mixed": 1, "kept": True, "place": "Rome", "topic.label": "mine"},
        {"score": 2.5, "tags": None, "meta": {}, "mixed": "one", "kept": None, "late": "x"},
    ]
    corpus = write_rows(tmp_path / "extra.jsonl", [{"text": TEXTS[0], **row} for row in extra])
    score(models["topic"], str(corpus), output)
    first, second = rows_of(output)
    assert first["extra.place"] == "Rome"
    assert first["extra.topic.label"] == "mine"
    assert first["topic.label"] in newsclf.load(models["topic"]).bundle.codebook.names
    names = ("score", "tags", "meta", "mixed", "kept", "late")
    assert [first[name] for name in names] == [1.0, '["a", "é"]', '{"k": [1]}', "1", True, None]
    assert [second[name] for name in names] == [2.5, None, "{}", "one", None, "x"]


@pytest.mark.parametrize(
    ("values", "read"),
    [
        ([1, None, 2], [1, None, 2]),
        ([None, "a", None], [None, "a", None]),
        ([1, 0.5, None], [1.0, 0.5, None]),
        ([1, "a", True], ["1", "a", "true"]),
        ([0.5, [1], {"a": 1}], ["0.5", "[1]", '{"a": 1}']),
        ([None, None, None], [None, None, None]),
        ([2**70, 1, None], [str(2**70), "1", None]),
    ],
)
def test_a_column_whose_type_changes_between_parts_is_still_read(models, output, tmp_path, values, read):
    corpus = write_rows(tmp_path / "extra.jsonl", [{"text": TEXTS[0], "x": value} for value in values])
    score(models["topic"], str(corpus), output, ScoreSpec(rows_per_part=1))
    assert [row["x"] for row in rows_of(output)] == read


def test_a_parquet_corpus_passes_its_types_on(models, output, tmp_path):
    table = pa.table({"text": list(TEXTS[:2]), "day": pa.array([0, 1], pa.date32()), "n": pa.array([1, None], pa.int32()), "id": [7, 8]})
    pq.write_table(table, tmp_path / "corpus.parquet")
    score(models["topic"], str(tmp_path / "corpus.parquet"), output)
    assert [(row["id"], row["day"], row["n"]) for row in rows_of(output)] == [("7", "1970-01-01", 1), ("8", "1970-01-02", None)]


def test_an_output_can_be_scored_again(models, corpus, output, tmp_path):
    score(models["topic"], str(corpus), output)
    table = read_scores(output).to_table().append_column("text", [list(TEXTS)])
    pq.write_table(table, tmp_path / "scored.parquet")
    score(models["topic"], str(tmp_path / "scored.parquet"), tmp_path / "again")
    again = rows_of(tmp_path / "again")
    for before, after in zip(rows_of(output), again, strict=True):
        assert after["extra.place"] == before["place"]
        assert {name: after[name] for name in before if name.startswith("topic.")} == {
            name: after[f"extra.{name}"] for name in before if name.startswith("topic.")
        }


def test_a_folder_of_pages_is_a_corpus(models, output, tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "a.html").write_text(f"<html><head><title>Wall</title></head><body><p>{TEXTS[0]}</p></body></html>", "utf-8")
    (pages / "b.txt").write_text(TEXTS[1], "utf-8")
    assert score(models["topic"], pages, output).scored == 2
    assert [(row["id"], row["folder"]) for row in rows_of(output)] == [("a.html", "pages"), ("b.txt", "pages")]


def test_a_file_whose_name_is_not_utf8_is_scored(models, output, tmp_path):
    name = os.fsdecode(b"caf\xe9.jsonl")
    try:
        write_rows(tmp_path / name, [ROWS[0], BAD[0][0]])
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    assert score(models["topic"], str(tmp_path / name), output) == Scored(output, 2, 1, 1)
    assert rows_of(output)[0]["place"].endswith("caf\\udce9.jsonl:1")
    assert quarantined(output)[0][0].endswith("caf\\udce9.jsonl:2")
    assert json.loads((output / "score.json").read_text("utf-8"))["corpus"] == [str(tmp_path / name)]


# what is written


def test_a_commit_names_its_files_with_their_hashes(models, corpus, output):
    score([models["topic"], models["stance"]], str(corpus), output, ScoreSpec(rows_per_part=3))
    names = {"part-00000.json", "part-00001.json", "score.json"}
    for number in (0, 1):
        commit = json.loads((output / f"part-0000{number}.json").read_text("utf-8"))
        kinds = (f"part-0000{number}.parquet", f"part-0000{number}.stance.parquet", f"quarantine-0000{number}.parquet")
        assert commit["files"] == {name: sha256((output / name).read_bytes()) for name in kinds}
        names |= set(kinds)
    assert {path.name for path in output.iterdir()} == names


def test_the_summary_tells_rows_models_and_settings(models, corpus, output):
    score([models["topic"]], CorpusSpec(path=(str(corpus),)), output, ScoreSpec(limit=4, sentences=1))
    summary = json.loads((output / "score.json").read_text("utf-8"))
    assert (summary["rows"], summary["scored"], summary["quarantined"]) == (4, 4, 0)
    assert summary["corpus"] == [str(corpus)]
    assert summary["spec"] == {"targets": [], "sentences": 1, "limit": 4, "rows_per_part": 20_000}
    assert summary["models"] == {"topic": newsclf.load(models["topic"]).reader.fingerprints[0]}


def test_scores_are_read_lazily_and_by_column(models, corpus, output):
    score(models["topic"], corpus, output, ScoreSpec(rows_per_part=2))
    scores = read_scores(str(output))
    assert isinstance(scores, Dataset)
    assert scores.count_rows() == 5
    assert sum(batch.num_rows for batch in scores.to_batches(columns=["id"])) == 5
    assert scores.to_table(columns=["id"]).to_pydict() == {"id": [f"a{number}" for number in range(5)]}


def test_only_committed_parts_are_read(models, corpus, output):
    score(models["topic"], str(corpus), output, ScoreSpec(rows_per_part=2))
    (output / "part-00001.json").rename(output / "part-00001.json.tmp")
    assert [row["id"] for row in rows_of(output)] == ["a0", "a1", "a4"]


def test_tables_that_are_not_there_are_named(models, corpus, output, tmp_path):
    score([models["topic"], models["stance"]], str(corpus), output)
    with pytest.raises(DataError, match=r"scores: there is no table 'topic'; the tables beside the articles' are 'stance'"):
        read_scores(output, "topic")
    with pytest.raises(DataError, match=r"nowhere: there are no committed scores here; newsclf score MODEL CORPUS -o .*nowhere  writes them"):
        read_scores(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda output: (output / "part-00000.parquet").unlink(), r"the file 'part-00000.parquet' is gone, which part-00000.json names"),
        (lambda output: (output / "part-00000.json").write_text("{"), r"part-00000.json: this commit cannot be read"),
        (lambda output: (output / "part-00000.json").write_text("[]"), r"part-00000.json: this commit cannot be read"),
        (lambda output: (output / "part-00000.json").write_text("{}"), r"part-00000.json: this commit cannot be read"),
    ],
)
def test_scores_that_were_damaged_are_not_read_as_fewer(models, corpus, output, spoil, message):
    score(models["topic"], str(corpus), output, ScoreSpec(rows_per_part=3))
    spoil(output)
    with pytest.raises(DataError, match=message + ".*copy the whole folder again, or score again"):
        read_scores(output)


# what is refused before anything is written


def test_a_folder_that_holds_something_else_is_left_as_it_is(models, corpus, output):
    output.mkdir()
    (output / "thesis.doc").write_text("years of work")
    with pytest.raises(OutputError, match=r"scores: this is not an empty folder and is left as it is; name another output folder"):
        score(models["topic"], str(corpus), output)
    assert contents(output) == {"thesis.doc": b"years of work"}


def test_a_file_in_the_way_is_left_as_it_is(models, corpus):
    with pytest.raises(OutputError, match=r"corpus.jsonl: this is not an empty folder and is left as it is"):
        score(models["topic"], str(corpus), corpus)
    assert read_lines(corpus) == ROWS
    with pytest.raises(OutputError, match=r"cannot be written: Not a directory"):
        score(models["topic"], str(corpus), corpus / "scores")


@pytest.mark.parametrize(("unfinished", "message"), [(False, "holds scores already"), (True, "holds an unfinished run")])
def test_a_second_run_into_the_same_folder_is_refused(models, corpus, output, unfinished, message):
    score(models["topic"], str(corpus), output)
    if unfinished:
        (output / "score.json").unlink()
    before = contents(output)
    with pytest.raises(OutputError, match=rf"scores: this {message} and is left as it is; name another output folder"):
        score(models["topic"], str(corpus), output)
    assert contents(output) == before


@pytest.mark.parametrize(
    ("task", "spec", "error", "message"),
    [
        ("topic", ScoreSpec(targets=("wall",)), InputError, "the targets 'wall' cannot be asked for"),
        ("stance", ScoreSpec(targets=(" ",)), DataError, "the target is empty"),
    ],
)
def test_wrong_targets_are_told_before_a_folder_is_made(models, corpus, output, task, spec, error, message):
    with pytest.raises(error, match=message):
        score(models[task], str(corpus), output, spec)
    assert not output.exists()


def test_models_that_are_not_there_are_told_before_a_folder_is_made(models, corpus, output, tmp_path):
    with pytest.raises(InputError, match="there is no model"):
        score([], str(corpus), output)
    with pytest.raises(BundleError, match="nowhere: there is no such model"):
        score([models["topic"], tmp_path / "nowhere"], str(corpus), output)
    assert not output.exists()


# disks


def test_a_full_disk_leaves_whole_parts_and_says_so(models, corpus, disk):
    place = disk("size=48k")
    with pytest.raises(OutputError, match=r"cannot be written: No space left on device. The parts written before it are whole."):
        score(models["topic"], str(corpus), place / "scores", ScoreSpec(rows_per_part=1))
    committed = len(list(place.glob("scores/part-*.json")))
    assert 0 < committed < 5
    assert [row["id"] for row in rows_of(place / "scores")] == [f"a{number}" for number in range(committed)]
    assert not list(place.rglob("*.tmp"))
    assert not (place / "scores" / "score.json").exists()


def test_a_read_only_disk_is_told_before_a_row_is_read(models, disk, tmp_path):
    place = disk("ro,size=1m")
    for output in (place, place / "scores"):
        with pytest.raises(OutputError, match="cannot be written: Read-only file system"):
            score(models["topic"], str(tmp_path / "there is no such corpus"), output)
