"""One shard becomes one commit: of the rows that the job began with, by the models that it began with, every one accounted for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from color_articles import write_rows

from newsclf.bundle import outline
from newsclf.corpus.identity import identity
from newsclf.corpus.read import CorpusSpec
from newsclf.corpus.shards import Shard, plan
from newsclf.errors import BundleError, DataError
from newsclf.inference import rows as rows_module
from newsclf.inference.job import Job
from newsclf.inference.rows import Batch
from newsclf.inference.scorer import Order, Scorer, ScoreSpec

TEXT = "The hospital opened a ward for children with the flu."


def order_of(models: dict[str, Path], folder: Path, rows: list[dict[str, Any]], **spec: Any) -> Order:
    corpus, what = CorpusSpec(path=(str(write_rows(folder / "corpus.jsonl", rows)),)), ScoreSpec(**spec)
    job = Job({"topic": outline(models["topic"])[1]}, corpus.resolved(), what.resolved(), {file: identity(file) for file in corpus.path})
    (folder / "scores").mkdir(exist_ok=True)
    return Order((str(models["topic"]),), corpus, what, folder / "scores", job)


def shards_of(order: Order) -> list[Shard]:
    return list(plan(order.job.inputs, rows=order.spec.rows_per_shard))


def test_an_order_travels_as_json(models, tmp_path):
    order = order_of(models, tmp_path, [{"text": TEXT}], keep=("x",), targets=("wall",), limit=3)
    assert Order.of_dict(json.loads(json.dumps(order.as_dict()))) == order
    assert Order.of_dict(json.loads(json.dumps(order.as_dict()))).job.fingerprint == order.job.fingerprint


def test_a_shard_is_committed_with_what_became_of_its_rows(models, tmp_path):
    rows = [{"text": TEXT}, {"text": ""}, {"text": TEXT}, {"text": TEXT}]
    order = order_of(models, tmp_path, rows, rows_per_shard=3)
    order = replace(order, corpus=order.corpus.model_copy(update={"on_error": "quarantine"}))
    scorer, told = Scorer(order), []
    first, second = (scorer.score(shard, told.append) for shard in shards_of(order))
    assert [(commit.rows, commit.scored, commit.quarantined) for commit in (first, second)] == [(3, 2, 1), (1, 1, 0)]
    assert told == [3, 0, 1, 0]
    assert first.input != second.input


@pytest.mark.parametrize("rows", [1, 2, 5, 100])
@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([1, 0.5, "a", True, None], ["1", "0.5", "a", "true", None]),
        ([1.0, 1, 2, None, "x"], ["1.0", "1", "2", None, "x"]),
        ([2**60 + 1, 0.5, 1, 2, 3], [str(2**60 + 1), "0.5", "1", "2", "3"]),
        ([None, None, 3, 4.5, None], [None, None, 3.0, 4.5, None]),
        ([None, {"a": 1}, [2], "b", 1e16], [None, '{"a": 1}', "[2]", "b", "1e+16"]),
    ],
)
def test_a_kept_column_is_the_same_however_its_rows_are_batched(models, tmp_path, monkeypatch, values, kept, rows):
    monkeypatch.setattr(rows_module, "ROWS", rows)
    order = order_of(models, tmp_path, [{"text": TEXT, "title": "T" * (at % 2), "x": value} for at, value in enumerate(values)], keep=("x",))
    (commit,) = (Scorer(order).score(shard) for shard in shards_of(order))
    table = pq.read_table(order.folder / "part-00000.parquet")
    assert table["x"].to_pylist() == kept
    assert table.column_names[:4] == ["place", "id", "title", "x"]
    monkeypatch.setattr(rows_module, "ROWS", 1000)
    assert Scorer(order).score(shards_of(order)[0]).files == commit.files


def test_rows_that_do_not_add_up_are_not_committed(models, tmp_path, monkeypatch):
    order, whole = order_of(models, tmp_path, [{"text": TEXT}] * 3), Batch.of
    monkeypatch.setattr(Batch, "of", lambda rows, clean: replace(whole(rows[1:], clean), rows=len(rows)))
    with pytest.raises(AssertionError, match=r"shard 0 \(.*corpus.jsonl:1 to 3\): 3 rows were read, and 2 scored and 0 set aside do not add up"):
        Scorer(order).score(shards_of(order)[0])
    assert not list(order.folder.iterdir())


@pytest.mark.parametrize("change", ["longer", "shorter", "other", "gone"])
def test_a_file_that_has_changed_since_the_job_began_is_not_scored(models, tmp_path, change):
    order = order_of(models, tmp_path, [{"text": TEXT, "id": "a"}] * 4, rows_per_shard=2)
    scorer, shards = Scorer(order), shards_of(order)
    scorer.score(shards[0])
    file = Path(order.corpus.path[0])
    if change == "gone":
        file.unlink()
    else:
        rows = {"longer": 5, "shorter": 3, "other": 4}[change]
        write_rows(file, [{"text": TEXT, "id": "b"}] * rows)
    with pytest.raises(
        DataError, match=r"corpus.jsonl: (this file has changed since the job began. Put it back as it was, or begin anew|there is no such file)"
    ):
        scorer.score(shards[1])
    assert [path.name for path in order.folder.glob("*.json")] == ["part-00000.json"]


def test_a_file_that_is_replaced_while_it_is_read_is_noticed(models, tmp_path):
    order = order_of(models, tmp_path, [{"text": TEXT, "id": "a"}] * 4)
    with pytest.raises(DataError, match="this file has changed since the job began"):
        Scorer(order).score(shards_of(order)[0], lambda rows: write_rows(Path(order.corpus.path[0]), [{"text": TEXT, "id": "b"}] * 4))
    assert not list(order.folder.iterdir())


def test_a_model_that_is_not_the_one_the_job_began_with_is_refused(models, tmp_path):
    order = order_of(models, tmp_path, [{"text": TEXT}])
    with pytest.raises(BundleError, match=r"topic': a model was trained again while the job ran. Begin anew with --restart"):
        Scorer(replace(order, job=replace(order.job, models={"topic": "0" * 64})))
