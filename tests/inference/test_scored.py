"""Scores are read as far as they are committed, and written out as one file that other programs read."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from color_articles import contents, write_rows
from pyarrow.dataset import Dataset

from newsclf.errors import DataError, InputError, OutputError
from newsclf.inference.batch import RunSpec, score
from newsclf.inference.scored import export, read_scores
from newsclf.inference.scorer import ScoreSpec

TEXTS = (
    "The border wall must be finished, the sheriff said. Agents arrested nine people.",
    "The hospital opened a ward for children with the flu.",
    "Growers fear for the harvest: without seasonal crews a third of it rots.",
    "The council heard two reports on sanctuary cities.",
    "The central bank left interest rates where they were.",
)
ROWS = [{"id": f"a{number}", "text": text, "pages": number if number % 2 else f"{number}, é"} for number, text in enumerate(TEXTS)]
HERE = RunSpec(workers=1)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "corpus.jsonl", ROWS)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "scores"


@pytest.fixture
def scores(models, corpus, output) -> Path:
    """Five articles of three tasks in three shards."""
    score(list(models.values()), str(corpus), output, ScoreSpec(rows_per_shard=2, keep=("pages",), sentences=1), run=HERE)
    return output


def cut(rows: int) -> ScoreSpec:
    return ScoreSpec(rows_per_shard=rows)


def rows_of(output: Path, table: str | None = None) -> list[dict[str, Any]]:
    return read_scores(output, table).to_table().to_pylist()


# reading


def test_scores_are_read_lazily_and_by_column(models, corpus, output):
    score(models["topic"], corpus, output, cut(2), run=HERE)
    scores = read_scores(str(output))
    assert isinstance(scores, Dataset)
    assert scores.count_rows() == 5
    assert sum(batch.num_rows for batch in scores.to_batches(columns=["id"])) == 5
    assert scores.to_table(columns=["id"]).to_pydict() == {"id": [f"a{number}" for number in range(5)]}


def test_only_committed_parts_are_read(models, corpus, output):
    score(models["topic"], str(corpus), output, cut(2), run=HERE)
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
    score(models["topic"], str(corpus), output, cut(3), run=HERE)
    spoil(output)
    with pytest.raises(DataError, match=message + ".*(copy the whole folder again, or )?score again"):
        read_scores(output)


def test_a_job_that_is_not_done_is_read_with_a_warning(models, corpus, output, caplog):
    score(models["topic"], str(corpus), output, cut(2), run=RunSpec(workers=1, shard="1/2"))
    assert [row["id"] for row in rows_of(output)] == ["a0", "a1", "a4"]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == f"{output}: this job is not done; these are the 2 shards that are committed so far"
    score(models["topic"], str(corpus), output, cut(2), run=RunSpec(workers=1, shard="2/2"))
    caplog.clear()
    assert len(rows_of(output)) == 5
    assert not caplog.records


# writing out


def test_a_csv_is_what_a_spreadsheet_reads(scores, tmp_path):
    assert export(scores, tmp_path / "scores.csv") == 5
    found, wanted = pd.read_csv(tmp_path / "scores.csv"), rows_of(scores)
    assert list(found.columns) == list(wanted[0])
    assert found["pages"].tolist() == [str(row["pages"]) for row in ROWS]
    assert found["topic.label"].tolist() == [row["topic.label"] for row in wanted]
    assert found["framing.labels"].fillna("").tolist() == ["; ".join(row["framing.labels"]) for row in wanted]
    assert found["topic.p.health"].to_numpy() == pytest.approx([row["topic.p.health"] for row in wanted])
    assert json.loads(found["topic.evidence"][0]) == json.loads(wanted[0]["topic.evidence"])


@pytest.mark.parametrize("table", [None, "stance"])
def test_parquet_and_arrow_hold_what_is_read(scores, tmp_path, table):
    wanted = read_scores(scores, table).to_table()
    assert export(scores, tmp_path / "one.parquet", table) == export(scores, tmp_path / "one.arrow", table) == wanted.num_rows
    assert pq.read_table(tmp_path / "one.parquet").equals(wanted)
    with pa.ipc.open_file(tmp_path / "one.arrow") as file:
        assert file.read_all().equals(wanted)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "one.parquet"), wanted.to_pandas())


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow"])
def test_scores_without_a_row_are_a_file_with_columns(models, output, tmp_path, suffix):
    corpus = write_rows(tmp_path / "bad.jsonl", [{"text": "", "x": None}])
    score(models["framing"], str(corpus), output, ScoreSpec(keep=("x",)))
    file = tmp_path / f"none{suffix}"
    assert export(output, file) == 0
    read = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".arrow": lambda path: pa.ipc.open_file(path).read_pandas()}[suffix]
    assert list(read(file).columns) == read_scores(output).schema.names


def test_a_column_without_a_value_is_empty_in_a_csv(models, corpus, output, tmp_path):
    write_rows(corpus, [{"text": TEXTS[0], "x": None}])
    score(models["topic"], str(corpus), output, ScoreSpec(keep=("x",)))
    export(output, tmp_path / "one.csv")
    assert pd.read_csv(tmp_path / "one.csv")["x"].isna().all()


def test_a_file_that_is_there_is_left_as_it_is(scores, tmp_path):
    (tmp_path / "mine.csv").write_text("years of work")
    with pytest.raises(OutputError, match=r"mine.csv: this file is there already and is left as it is; name another, or remove it first"):
        export(scores, tmp_path / "mine.csv")
    assert (tmp_path / "mine.csv").read_text() == "years of work"


@pytest.mark.parametrize(("name", "suffix"), [("scores.xlsx", ".xlsx"), ("scores", ""), ("scores.CSV", ".CSV")])
def test_another_suffix_is_refused_with_those_that_are_known(scores, tmp_path, name, suffix):
    with pytest.raises(InputError, match=rf"{name}: the suffix says what to write: it must be '.csv', '.parquet', '.arrow', not '{suffix}'"):
        export(scores, tmp_path / "out" / name)


@pytest.mark.parametrize(("place", "reason"), [("nowhere", "No such file or directory"), ("file", "Not a directory")])
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow"])
def test_where_nothing_can_be_written_is_told(scores, tmp_path, place, reason, suffix):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match=f"one{suffix}: cannot be written: .*{reason}"):
        export(scores, tmp_path / place / f"one{suffix}")


def test_a_damaged_part_is_named_before_anything_is_written(scores, tmp_path):
    (scores / "part-00001.parquet").write_bytes(b"PAR1 but no more")
    before = contents(tmp_path)
    with pytest.raises(DataError, match=r"part-00001.parquet: this part cannot be read \(.*\); copy the whole folder again, or score again"):
        export(scores, tmp_path / "one.csv")
    assert contents(tmp_path) == before


def test_scores_that_are_not_there_are_not_written_out(scores, tmp_path):
    with pytest.raises(DataError, match="there is no table 'topic'; the tables beside the articles' are 'stance'"):
        export(scores, tmp_path / "one.csv", "topic")
    with pytest.raises(DataError, match="nowhere: there are no committed scores here"):
        export(tmp_path / "nowhere", tmp_path / "one.csv")
    assert not (tmp_path / "one.csv").exists()
