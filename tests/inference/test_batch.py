"""A scoring run accounts for every row, gives the numbers that predict gives, goes on where it was stopped, and shares its work."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from color_articles import contents, read_lines, write_rows
from scoring import written

import newsclf
from newsclf.article import Article
from newsclf.corpus.read import CorpusSpec
from newsclf.errors import BundleError, ConfigError, DataError, InputError, OutputError
from newsclf.folder import sha256
from newsclf.inference.batch import RunSpec, Scored, score
from newsclf.inference.scored import read_scores
from newsclf.inference.scorer import Scorer, ScoreSpec

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
HERE = RunSpec(workers=1)
"""In this process."""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "corpus.jsonl", ROWS)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "scores"


@pytest.fixture
def shards(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the shards that this process has scored."""
    done: list[int] = []
    whole = Scorer.score

    def counted(self: Scorer, shard: Any, report: Any) -> Any:
        done.append(shard.number)
        return whole(self, shard, report)

    monkeypatch.setattr(Scorer, "score", counted)
    return done


def cut(rows: int, **given: Any) -> ScoreSpec:
    return ScoreSpec(rows_per_shard=rows, **given)


def rows_of(output: Path, table: str | None = None) -> list[dict[str, Any]]:
    return read_scores(output, table).to_table().to_pylist()


def quarantined(output: Path) -> list[tuple[str, str]]:
    return [(row["place"], row["reason"]) for file in sorted(output.glob("quarantine-*.parquet")) for row in pq.read_table(file).to_pylist()]


# the numbers


@pytest.mark.parametrize("rows_per_shard", [2, 100])
def test_scores_are_those_of_predict_in_the_order_of_the_rows(models, corpus, output, rows_per_shard):
    done = score(list(models.values()), str(corpus), output, cut(rows_per_shard, keep=("pages",)), run=HERE)
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
    assert list(rows_of(output)[0]) == ["place", "id", "title"]


# every row is accounted for


def test_bad_rows_are_set_aside_with_place_and_reason(models, output, tmp_path):
    rows = [row for pair in zip(ROWS, (row for row, _ in BAD), strict=True) for row in pair]
    corpus = write_rows(tmp_path / "mixed.jsonl", rows)
    with corpus.open("ab") as stream:
        stream.write(b"{broken\n")
    done = score(models["topic"], str(corpus), output, cut(4), run=HERE)
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


@pytest.mark.parametrize("rows_per_shard", [2, 100])
def test_a_corpus_of_bad_rows_alone_gives_tables_without_a_row(models, output, tmp_path, rows_per_shard):
    corpus = write_rows(tmp_path / "bad.jsonl", [row for row, _ in BAD])
    done = score(list(models.values()), str(corpus), output, cut(rows_per_shard, sentences=1), run=HERE)
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
    score([models["topic"], models["stance"]], str(corpus), output, cut(1), run=HERE)
    assert [row["id"] for row in rows_of(output)] == ["a0", "a1"]
    assert len(rows_of(output, "stance")) == 8


@pytest.mark.parametrize(("row", "reason"), BAD)
def test_on_error_fail_stops_at_the_first_row_that_cannot_be_scored(models, output, tmp_path, row, reason):
    corpus = write_rows(tmp_path / "mixed.jsonl", [*ROWS[:3], row, {"text": ""}])
    with pytest.raises(DataError) as error:
        score(models["topic"], CorpusSpec(path=(str(corpus),), on_error="fail"), output, cut(2), run=HERE)
    assert str(error.value).startswith(f"{corpus}:4: ")
    assert reason in str(error.value)
    assert "on_error: quarantine" in str(error.value)
    assert [row["id"] for row in rows_of(output)] == ["a0", "a1"]
    assert not (output / "score.json").exists()


@pytest.mark.parametrize(("limit", "rows"), [(1, 1), (3, 3), (100, 5), (None, 5)])
def test_a_limit_counts_rows_of_the_corpus(models, corpus, output, limit, rows):
    assert score(models["topic"], str(corpus), output, cut(2, limit=limit), run=HERE).rows == rows
    assert len(rows_of(output)) == rows


def test_an_empty_corpus_is_an_error(models, output, tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(DataError, match=r"empty.jsonl': there is no row to score"):
        score(models["topic"], str(tmp_path / "empty.jsonl"), output)


# what passes through


def test_columns_pass_through_where_they_are_asked_for(models, output, tmp_path):
    corpus = write_rows(tmp_path / "extra.jsonl", [{"text": TEXTS[0], "x": 1, "topic.label": "mine"}, {"text": TEXTS[1], "y": True}])
    score(models["topic"], str(corpus), output, ScoreSpec(keep=("x", "topic.label")))
    first, second = rows_of(output)
    assert (first["x"], first["extra.topic.label"], second["x"], second["extra.topic.label"]) == (1, "mine", None, None)
    assert list(first)[:4] == ["place", "id", "x", "extra.topic.label"]
    assert "y" not in first


def test_a_column_to_keep_that_is_not_there_is_named_before_a_folder_is_made(models, corpus, output):
    with pytest.raises(
        DataError, match=r"corpus.jsonl:1: there is no column 'page' to keep \(did you mean 'pages'\?\); the columns are 'id', 'title'"
    ):
        score(models["topic"], str(corpus), output, ScoreSpec(keep=("page",)))
    assert not output.exists()


@pytest.mark.parametrize("rows_per_shard", [1, 2, 100])
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
def test_a_column_whose_type_changes_is_read_whatever_the_shards(models, output, tmp_path, values, read, rows_per_shard):
    corpus = write_rows(tmp_path / "extra.jsonl", [{"text": TEXTS[0], "x": value} for value in values])
    score(models["topic"], str(corpus), output, cut(rows_per_shard, keep=("x",)), run=HERE)
    assert [row["x"] for row in rows_of(output)] == read


def test_a_parquet_corpus_passes_its_types_on(models, output, tmp_path):
    table = pa.table({"text": list(TEXTS[:2]), "day": pa.array([0, 1], pa.date32()), "n": pa.array([1, None], pa.int32()), "id": [7, 8]})
    pq.write_table(table, tmp_path / "corpus.parquet")
    score(models["topic"], str(tmp_path / "corpus.parquet"), output, ScoreSpec(keep=("day", "n")))
    assert [(row["id"], row["day"], row["n"]) for row in rows_of(output)] == [("7", "1970-01-01", 1), ("8", "1970-01-02", None)]


def test_what_is_not_given_is_null(models, output, tmp_path):
    given = [{"title": "Beds", "outlet": "", "date": None, "url": ""}, {"url": "u", "published": "2024"}]
    corpus = write_rows(tmp_path / "some.jsonl", [{"text": TEXTS[1], "id": name, **row} for name, row in zip("ab", given, strict=True)])
    score(models["topic"], CorpusSpec(path=(str(corpus),)), output, ScoreSpec(keep=("outlet", "url")))
    told = [{name: row[name] for name in row if not name.startswith(("topic.", "place"))} for row in rows_of(output)]
    assert told == [
        {"id": "a", "title": "Beds", "url": None, "extra.outlet": None, "extra.url": None},
        {"id": "b", "title": None, "url": "u", "extra.outlet": None, "extra.url": "u"},
    ]


def test_an_output_can_be_scored_again(models, corpus, output, tmp_path):
    score(models["topic"], str(corpus), output)
    names = tuple(read_scores(output).schema.names)
    table = read_scores(output).to_table().append_column("text", [list(TEXTS)])
    pq.write_table(table, tmp_path / "scored.parquet")
    score(models["topic"], str(tmp_path / "scored.parquet"), tmp_path / "again", ScoreSpec(keep=names))
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
    assert score(models["topic"], pages, output, ScoreSpec(keep=("folder",))).scored == 2
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
    assert json.loads((output / "score.json").read_text("utf-8"))["corpus"]["path"] == [str(tmp_path / name)]


# what is written


def test_a_commit_names_its_files_with_their_hashes(models, corpus, output):
    score([models["topic"], models["stance"]], str(corpus), output, cut(3), run=HERE)
    names = {"part-00000.json", "part-00001.json", "score.json", "job.json"}
    for number in (0, 1):
        commit = json.loads((output / f"part-0000{number}.json").read_text("utf-8"))
        kinds = (f"part-0000{number}.parquet", f"part-0000{number}.stance.parquet", f"quarantine-0000{number}.parquet")
        assert commit["files"] == {name: sha256((output / name).read_bytes()) for name in kinds}
        names |= set(kinds)
    assert set(written(output)) == names


def test_the_summary_tells_rows_models_and_settings(models, corpus, output):
    score([models["topic"]], CorpusSpec(path=(str(corpus),)), output, ScoreSpec(limit=4, sentences=1))
    summary = json.loads((output / "score.json").read_text("utf-8"))
    assert (summary["rows"], summary["scored"], summary["quarantined"]) == (4, 4, 0)
    assert (summary["corpus"]["path"], list(summary["inputs"])) == ([str(corpus)], [str(corpus)])
    assert (summary["spec"]["limit"], summary["spec"]["sentences"], summary["spec"]["rows_per_shard"]) == (4, 1, 20_000)
    assert summary["shards"] == 1
    assert {name: summary[name] for name in json.loads((output / "job.json").read_text("utf-8"))} == json.loads(
        (output / "job.json").read_text("utf-8")
    )
    assert summary["models"] == {"topic": newsclf.load(models["topic"]).reader.fingerprints[0]}


# what is refused before anything is written


def test_a_folder_that_holds_something_else_is_left_as_it_is(models, corpus, output):
    output.mkdir()
    (output / "thesis.doc").write_text("years of work")
    with pytest.raises(OutputError, match=r"scores: this folder holds something else \('thesis.doc'\) and is left as it is"):
        score(models["topic"], str(corpus), output)
    assert contents(output) == {"thesis.doc": b"years of work"}


def test_a_file_in_the_way_is_left_as_it_is(models, corpus):
    with pytest.raises(OutputError, match=r"corpus.jsonl: a file of that name is in the way; name another output folder"):
        score(models["topic"], str(corpus), corpus)
    assert read_lines(corpus) == ROWS
    with pytest.raises(OutputError, match=r"cannot be written: Not a directory"):
        score(models["topic"], str(corpus), corpus / "scores")


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


def test_a_read_only_disk_is_told_before_a_row_is_read(models, corpus, disk, shards):
    place = disk("ro,size=1m")
    for output in (place, place / "scores"):
        with pytest.raises(OutputError, match="cannot be written: Read-only file system"):
            score(models["topic"], str(corpus), output)
    assert not shards


# going on


def test_a_folder_that_is_done_answers_at_once(models, many, output, shards):
    first = score(models["topic"], str(many), output, cut(100), run=HERE)
    before = contents(output)
    assert (first, shards) == (Scored(output, 300, 289, 11), [0, 1, 2])
    assert score(models["topic"], str(many), output, cut(100), run=HERE) == Scored(output, 300, 289, 11, before=300)
    assert (shards, contents(output)) == ([0, 1, 2], before)


def spoilt(change: str, output: Path) -> None:
    """Shard 1 of three as it may be found."""
    part, commit = output / "part-00001.parquet", output / "part-00001.json"
    told = json.loads(commit.read_text("utf-8"))
    if change == "no commit":
        commit.unlink()
    elif change == "half a commit":
        commit.write_bytes(commit.read_bytes()[:50])
    elif change == "no file":
        part.unlink()
    elif change == "another byte":
        part.write_bytes(part.read_bytes()[:-1] + b"!")
    elif change == "no quarantine":
        (output / "quarantine-00001.parquet").unlink()
    else:
        commit.write_text(json.dumps(told | {"scored": told["scored"] + 1}), "utf-8")


@pytest.mark.parametrize("change", ["no commit", "half a commit", "no file", "another byte", "no quarantine", "a commit that lies"])
def test_what_is_missing_is_done_and_nothing_else(models, many, output, shards, change):
    score(models["topic"], str(many), output, cut(100), run=HERE)
    before = contents(output)
    spoilt(change, output)
    shards.clear()
    assert score(models["topic"], str(many), output, cut(100), run=HERE) == Scored(output, 300, 289, 11, before=200)
    assert (shards, contents(output)) == ([1], before)


def test_a_run_that_stopped_at_a_bad_row_goes_on_with_the_shard_that_holds_it(models, output, tmp_path, shards, monkeypatch):
    corpus = write_rows(tmp_path / "corpus.jsonl", ROWS)
    whole, broken = Scorer.score, [True]

    def failing(self: Scorer, shard: Any, report: Any) -> Any:
        if shard.number == 2 and broken:
            raise KeyboardInterrupt
        return whole(self, shard, report)

    monkeypatch.setattr(Scorer, "score", failing)
    with pytest.raises(KeyboardInterrupt):
        score(models["topic"], str(corpus), output, cut(1), run=HERE)
    assert (shards, len(list(output.glob("part-*.json")))) == ([0, 1], 2)
    assert not (output / "score.json").exists()
    broken.clear()
    assert score(models["topic"], str(corpus), output, cut(1), run=HERE) == Scored(output, 5, 5, 0, before=2)
    assert shards == [0, 1, 2, 3, 4]
    score(models["topic"], str(corpus), tmp_path / "whole", cut(1), run=HERE)
    assert contents(output) == contents(tmp_path / "whole")


def test_the_same_content_elsewhere_in_time_is_the_same_input(models, corpus, output, shards):
    score(models["topic"], str(corpus), output)
    os.utime(corpus, (1, 1))
    assert score(models["topic"], str(corpus), output).before == 5
    assert shards == [0]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ("file", r"the file .*corpus.jsonl has changed since"),
        ("files", r"corpus.path was \[.*corpus.jsonl.*\], is \[.*more.jsonl.\]; the file .*more.jsonl is new"),
        ("model", "the model for 'topic' is not asked now; the model for 'framing' is new"),
        ("retrained", "the model for 'topic' is another one than then"),
        ("setting", "the setting sentences was 0, is 1; the setting limit was null, is 3"),
        ("column", 'corpus.title was null, is ""'),
    ],
)
def test_another_job_is_refused_with_the_differences(models, corpus, output, tmp_path, other, told):
    score(models["topic"], str(corpus), output)
    before = contents(output)
    model, what, spec = models["topic"], CorpusSpec(path=(str(corpus),), on_error="quarantine"), ScoreSpec()
    if other == "file":
        write_rows(corpus, ROWS[:4])
    elif other == "files":
        what = CorpusSpec(path=(str(corpus), str(write_rows(tmp_path / "more.jsonl", ROWS[:1]))), on_error="quarantine")
    elif other == "model":
        model = models["framing"]
    elif other == "retrained":
        model = tmp_path / "again"
        retrained(models["topic"], model)
    elif other == "setting":
        spec = ScoreSpec(sentences=1, limit=3)
    else:
        what = CorpusSpec(path=(str(corpus),), title="", on_error="quarantine")
    with pytest.raises(OutputError, match=f"scores: this folder holds scores of another job: {told}.*begin anew with --restart"):
        score(model, what, output, spec)
    assert contents(output) == before


def retrained(model: Path, output: Path) -> None:
    """The same model with a word more in its card."""
    from dataclasses import replace

    from newsclf.bundle import Bundle

    bundle, _ = Bundle.load(model)
    replace(bundle, about={**bundle.about, "name": "again"}).save(output)


def test_a_restart_moves_what_is_there_aside(models, corpus, output, shards):
    score(models["topic"], str(corpus), output)
    before = contents(output)
    score(models["topic"], str(corpus), output, run=RunSpec(restart=True))
    assert shards == [0, 0]
    score(models["framing"], str(corpus), output, run=RunSpec(restart=True))
    assert (
        written(output.with_name("scores.1"))
        == written(output.with_name("scores.2"))
        == {name: before[name] for name in before if ".locks" not in name}
    )
    assert "framing.labels" in read_scores(output).schema.names


# sharing the work


@pytest.mark.parametrize("seed", range(3))
def test_the_jobs_of_an_array_write_what_one_job_writes(models, many, tmp_path, seed):
    score(models["topic"], str(many), tmp_path / "whole", cut(50), run=HERE)
    order = random.Random(seed).sample([1, 2, 3], 3)
    done = [score(models["topic"], str(many), tmp_path / "shared", cut(50), run=RunSpec(workers=1, shard=f"{part}/3")) for part in order]
    assert [(item.rows, item.missing) for item in done] == [(100, 4), (200, 2), (300, 0)]
    assert written(tmp_path / "shared") == written(tmp_path / "whole")


def test_a_summary_is_not_written_before_the_last_part(models, many, output):
    score(models["topic"], str(many), output, cut(150), run=RunSpec(workers=1, shard="2/2"))
    assert not (output / "score.json").exists()
    score(models["topic"], str(many), output, cut(150), run=RunSpec(workers=1, shard="1/2"))
    assert (output / "score.json").exists()


def test_a_part_without_a_shard_has_nothing_to_do(models, corpus, output):
    assert score(models["topic"], str(corpus), output, run=RunSpec(shard="3/3")) == Scored(output, 0, 0, 0, missing=1)


def test_jobs_of_an_array_may_begin_at_once(models, many, tmp_path):
    score(models["topic"], str(many), tmp_path / "whole", cut(100), run=HERE)
    together, ended = threading.Barrier(3), []

    def job(part: int) -> None:
        together.wait()
        ended.append(score(models["topic"], str(many), tmp_path / "shared", cut(100), run=RunSpec(workers=1, shard=f"{part}/3")))

    jobs = [threading.Thread(target=job, args=(part,)) for part in (1, 2, 3)]
    for one in jobs:
        one.start()
    for one in jobs:
        one.join()
    assert len(ended) == 3
    assert written(tmp_path / "shared") == written(tmp_path / "whole")


@pytest.mark.parametrize("shard", ["3", "0/2", "4/3", "1/0", "a/b", "-1/2", "1/2/3"])
def test_a_part_that_is_none_is_named(shard):
    with pytest.raises(ConfigError, match=rf"newsclf score: 'shard': job 2 of 8 is written 2/8, and the first is 1/8; this is '{shard}'"):
        RunSpec.parse({"shard": shard}, where="newsclf score")


def test_a_part_cannot_begin_anew(models, corpus, output):
    with pytest.raises(InputError, match="--restart with --shard 1/2: each part would move the work of the others aside"):
        score(models["topic"], str(corpus), output, run=RunSpec(shard="1/2", restart=True))


# trials


def test_a_sample_takes_so_many_rows_and_their_places(models, many, output, tmp_path):
    done = score(models["topic"], str(many), output, cut(100, sample=40, seed=3), run=HERE)
    aside = {place for place, _ in quarantined(output)}
    assert (done.rows, done.scored, done.quarantined) == (40, 40 - len(aside), len(aside))
    rows, places = read_lines(many), [row["place"] for row in rows_of(output)]
    numbers = [int(place.rpartition(":")[2]) for place in places]
    assert numbers == sorted(set(numbers))
    assert [row["id"] for row in rows_of(output)] == [rows[number - 1]["id"] for number in numbers]
    score(models["topic"], str(many), tmp_path / "again", cut(100, sample=40, seed=3), run=HERE)
    score(models["topic"], str(many), tmp_path / "other", cut(100, sample=40, seed=4), run=HERE)
    assert written(tmp_path / "again") == written(output)
    assert [row["place"] for row in rows_of(tmp_path / "other")] != places


def test_a_sample_gives_the_numbers_of_the_whole(models, many, output, tmp_path):
    score(models["topic"], str(many), output, cut(100, sample=20), run=HERE)
    score(models["topic"], str(many), tmp_path / "whole", run=HERE)
    whole = {row["place"]: row for row in rows_of(tmp_path / "whole")}
    assert rows_of(output) == [whole[row["place"]] for row in rows_of(output)]


def test_a_sample_larger_than_the_corpus_is_the_corpus(models, corpus, output):
    assert score(models["topic"], str(corpus), output, ScoreSpec(sample=9)).rows == 5


# being stopped, and stopping


def test_a_sigterm_ends_the_run_as_ctrl_c_does(models, many, output, monkeypatch):
    whole = Scorer.score

    def terminated(self: Scorer, shard: Any, report: Any) -> Any:
        if shard.number == 1:
            signal.raise_signal(signal.SIGTERM)
        return whole(self, shard, report)

    monkeypatch.setattr(Scorer, "score", terminated)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        score(models["topic"], str(many), output, cut(100), run=HERE)
    assert signal.getsignal(signal.SIGTERM) is before
    assert sorted(written(output)) == ["job.json", "part-00000.json", "part-00000.parquet", "quarantine-00000.parquet"]


SCRIPT = """
import sys
import newsclf
from newsclf.inference.batch import RunSpec
from newsclf.inference.scorer import ScoreSpec

print("begun")
model, corpus, output = sys.argv[1:]
done = newsclf.score(model, corpus, output, ScoreSpec(rows_per_shard=100), run=RunSpec(workers=2))
print(done.rows, done.scored)
"""


def test_a_script_that_guards_nothing_is_run_once(models, many, output, tmp_path):
    (tmp_path / "mine.py").write_text(SCRIPT, "utf-8")
    words = [sys.executable, str(tmp_path / "mine.py"), str(models["topic"]), str(many), str(output)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "begun\n300 289\n", "")
    score(models["topic"], str(many), tmp_path / "here", cut(100), run=HERE)
    assert written(output) == written(tmp_path / "here")
