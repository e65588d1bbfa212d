"""Models that share an encoder share its reading of an article: loaded together, in batches, and in jobs."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from color_articles import write_rows
from tiny_encoder import encoded_texts, write_encoder

import newsclf
from newsclf.bundle import Bundle
from newsclf.corpus.clean import CleanSpec
from newsclf.inference.batch import RunSpec
from newsclf.inference.scorer import ScoreSpec
from newsclf.packing import pack
from newsclf.training.start import start

pytest.importorskip("torch", reason="the neural extra is not installed")
BOOKS = {
    "topic": "task: topic\nkind: exclusive\nlabels: {rain: The rain over the river., fish: The fish market.}\n",
    "framing": "task: framing\nkind: multi\nlabels: {cost: What the town pays., care: Who is looked after.}\n",
    "stance": "task: stance\nkind: exclusive\nlabels: {for: The author is for it., against: The author is against it.}\ntargets: [the old bridge]\n",
}
ARTICLES = ["The rain fell over the old bridge.", "A night at the fish market.", "The mayor of the town said no."]
"""Each is one window."""


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Three models of one encoder, each of which finds it in another place: packed, in the store, where it is named."""
    monkeypatch.chdir(tmp_path)
    write_encoder(Path("encoder"))
    for task, text in BOOKS.items():
        Path(f"{task}.yaml").write_text(text, "utf-8")
        start(f"{task}.yaml", f"{task}-models/{task}", encoder="encoder")
    pack("topic-models/topic")
    shutil.rmtree("topic-models/encoders")
    shutil.rmtree("stance-models/encoders")
    return [f"{task}-models/{task}" for task in BOOKS]


@pytest.fixture
def encoded(monkeypatch):
    """Called, it counts how often each text is encoded from then on, in this process."""
    return lambda: encoded_texts(monkeypatch)


def of_articles(seen: Counter[str]) -> dict[str, int]:
    return {text: times for text, times in seen.items() if text in ARTICLES}


def test_three_models_encode_each_article_once(models, encoded):
    together = newsclf.load(*models)
    seen = encoded()
    together.predict(list(ARTICLES), sentences=0)
    assert of_articles(seen) == dict.fromkeys(ARTICLES, 1)


def test_the_answers_are_those_of_each_alone(models):
    together = newsclf.load(*models).predict(ARTICLES[0])
    assert [together[task].as_dict() for task in BOOKS] == [newsclf.load(model).predict(ARTICLES[0]).as_dict() for model in models]


def test_a_batch_is_encoded_once(models, encoded):
    alone = newsclf.load(models[1])
    seen = encoded()
    alone.score_batch(pa.RecordBatch.from_pydict({"text": [*ARTICLES, ARTICLES[0]]}))
    assert of_articles(seen) == dict.fromkeys(ARTICLES, 1)


def test_a_job_encodes_each_article_once(models, encoded, tmp_path):
    write_rows(tmp_path / "corpus.jsonl", [{"text": text} for text in ARTICLES])
    for model in models:
        newsclf.load(model)
    seen = encoded()
    assert newsclf.score(models, "corpus.jsonl", "scores", run=RunSpec(workers=1)).scored == len(ARTICLES)
    assert of_articles(seen) == dict.fromkeys(ARTICLES, 1)


def test_a_job_goes_on_after_its_model_was_packed(models, tmp_path):
    write_rows(tmp_path / "corpus.jsonl", [{"text": text} for text in ARTICLES])
    newsclf.score(models[1], "corpus.jsonl", "scores", run=RunSpec(workers=1))
    pack(models[1])
    shutil.rmtree("encoder")
    shutil.rmtree("framing-models/encoders")
    assert newsclf.score(models[1], "corpus.jsonl", "scores", run=RunSpec(workers=1)).before == len(ARTICLES)


@pytest.mark.slow  # each worker loads torch
def test_a_job_in_worker_processes_goes_on_where_it_was(models, tmp_path):
    write_rows(tmp_path / "corpus.jsonl", [{"text": text} for text in ARTICLES * 4])
    spec = ScoreSpec(rows_per_shard=6)
    newsclf.score(models, "corpus.jsonl", "here", spec, run=RunSpec(workers=1))
    done = newsclf.score(models, "corpus.jsonl", "there", spec, run=RunSpec(workers=2))
    assert (done.rows, done.before) == (12, 0)
    assert newsclf.score(models, "corpus.jsonl", "there", spec, run=RunSpec(workers=2)).before == 12
    assert newsclf.read_scores("there").to_table().to_pylist() == newsclf.read_scores("here").to_table().to_pylist()


def test_ways_of_cleaning_share_what_they_leave_alike(models, encoded):
    """Of the second model's articles only the one that its cleaning changes is encoded anew."""
    bundle, _ = Bundle.load(models[1])
    replace(bundle, clean=CleanSpec(junk=False)).save(models[1])
    together = newsclf.load(*models)
    seen = encoded()
    together.predict([ARTICLES[0], f"{ARTICLES[1]}\n\nAdvertisement"], sentences=0)
    assert of_articles(seen) == dict.fromkeys(ARTICLES[:2], 1)
    assert [times for text, times in seen.items() if "Advertisement" in text] == [1]
