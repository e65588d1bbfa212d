"""Articles to code are read again from the corpus, as scoring read them, and not from one that has changed since."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from color_articles import write_rows

from newsclf.corpus.shards import Shard, ShardReader
from newsclf.errors import DataError
from newsclf.estimates.frame import Scores
from newsclf.estimates.texts import articles_at
from newsclf.inference.batch import RunSpec, score
from newsclf.inference.scorer import ScoreSpec


@pytest.fixture
def copied(tmp_path: Path, corpus_rows: list[dict[str, Any]], color_models: dict[str, Path]) -> Scores:
    """Scores of 40 articles in four shards, whose corpus a test may spoil."""
    corpus = write_rows(tmp_path / "articles.jsonl", corpus_rows[:40])
    score(color_models["color"], str(corpus), tmp_path / "scores", ScoreSpec(rows_per_shard=10), run=RunSpec(workers=1))
    return Scores.open(tmp_path / "scores")


def corpus_of(scores: Scores) -> Path:
    return scores.folder.parent / "articles.jsonl"


def place(scores: Scores, line: int) -> str:
    return f"{corpus_of(scores)}:{line}"


def test_articles_are_those_of_their_place(scored, corpus_rows, corpus_path):
    lines = [1, 100, 101, 600]
    found = articles_at(Scores.open(scored, "color"), [f"{corpus_path}:{line}" for line in lines])
    assert list(found) == [f"{corpus_path}:{line}" for line in lines]
    for line, article in zip(lines, found.values(), strict=True):
        row = corpus_rows[line - 1]
        assert (article.id, article.text, article.outlet, article.date) == (row["id"], row["text"], row["outlet"], row["date"])


def test_only_shards_that_hold_one_are_read(copied, monkeypatch):
    read: list[int] = []
    rows = ShardReader.rows

    def counted(self: ShardReader, shard: Shard) -> Iterator[Any]:
        read.append(shard.number)
        return iter(rows(self, shard))

    monkeypatch.setattr(ShardReader, "rows", counted)
    assert len(articles_at(copied, [place(copied, 11), place(copied, 20), place(copied, 40)])) == 3
    assert read == [1, 3]


def test_texts_are_given_as_they_were_before_cleaning(tmp_path, color_models):
    text = "Advertisement\nRoses and tomatoes were seen in the street today.\n3 min read"
    corpus = write_rows(tmp_path / "raw.jsonl", [{"id": "a", "text": text}])
    score(color_models["color"], str(corpus), tmp_path / "scores", run=RunSpec(workers=1))
    assert articles_at(Scores.open(tmp_path / "scores"), [f"{corpus}:1"])[f"{corpus}:1"].text == text


def test_a_corpus_in_several_files_is_read_by_the_file(tmp_path, corpus_rows, color_models):
    folder = tmp_path / "corpus"
    folder.mkdir()
    parts = [write_rows(folder / f"{name}.jsonl", corpus_rows[start : start + 15]) for start, name in ((0, "första"), (15, "二"))]
    score(color_models["color"], str(folder), tmp_path / "scores", ScoreSpec(rows_per_shard=10), run=RunSpec(workers=1))
    scores = Scores.open(tmp_path / "scores")
    parts[0].write_text("", "utf-8")  # of which nothing is asked
    assert articles_at(scores, [f"{parts[1]}:15"])[f"{parts[1]}:15"].text == corpus_rows[29]["text"]


def test_a_corpus_that_has_moved_is_said(copied):
    shutil.move(corpus_of(copied), corpus_of(copied).with_name("moved.jsonl"))
    message = r"articles\.jsonl: this file of the corpus cannot be read, and the articles to code are in it \(.*\)\. Put it back where it was"
    with pytest.raises(DataError, match=message):
        articles_at(copied, [place(copied, 1)])


def test_a_corpus_that_has_changed_is_said(copied, corpus_rows):
    write_rows(corpus_of(copied), [*corpus_rows[1:40], corpus_rows[0]])
    with pytest.raises(DataError, match=r"articles\.jsonl: this file has changed since it was scored.*Put it back, or score again"):
        articles_at(copied, [place(copied, 1)])


def test_a_place_that_no_part_has_is_said(copied):
    with pytest.raises(DataError, match=r"scores: the corpus has no row '.*articles\.jsonl:41' any more, which was scored"):
        articles_at(copied, [place(copied, 1), place(copied, 41)])
