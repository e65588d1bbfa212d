"""A split replayed from the record of its run, and what it must not be replayed on."""

import json
from pathlib import Path

import pytest

from newsclf.corpus.replay import replayed
from newsclf.errors import DataError

LINES = [("a1", "", "train"), ("a2", "", "test"), ("a3", "", "aside")]
KEYS = [("a1", ""), ("a2", ""), ("a3", "")]


def saved(folder: Path, lines: list[tuple[str, str, str]] = LINES) -> str:
    path = folder / "split.jsonl"
    rows = [{"id": one, "target": target, "part": part, "story": number} for number, (one, target, part) in enumerate(lines)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(path)


def test_each_row_gets_the_part_that_it_had_in_whatever_order_they_come(tmp_path: Path):
    assert replayed([KEYS[2], KEYS[0], KEYS[1]], saved(tmp_path)).tolist() == ["aside", "train", "test"]


def test_rows_of_one_article_are_told_apart_by_their_targets(tmp_path: Path):
    path = saved(tmp_path, [("a1", "the wall", "train"), ("a1", "the court", "test")])
    assert replayed([("a1", "the court"), ("a1", "the wall")], path).tolist() == ["test", "train"]
    with pytest.raises(DataError, match=r"1 of 2 rows of the corpus are not in this split; the first is the id 'a1' with the target 'the tax'"):
        replayed([("a1", "the court"), ("a1", "the tax")], path)


def test_rows_that_the_split_does_not_know_are_counted_and_the_first_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"split\.jsonl: 2 of 5 rows of the corpus are not in this split; the first is the id 'b1'\."):
        replayed([*KEYS, ("b1", ""), ("b2", "")], saved(tmp_path))


def test_rows_that_the_corpus_no_longer_has_are_counted_and_the_first_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"split\.jsonl: 1 of 3 rows of this split are not in the corpus; the first is the id 'a3'\."):
        replayed(KEYS[:2], saved(tmp_path))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "a1", "target": "", "part": "dev"}', r"split\.jsonl:1: 'part' must be one of 'train', 'test', 'aside', not 'dev'"),
        ('{"id": 7, "target": "", "part": "train"}', r"split\.jsonl:1: 'id' must be text, not 7"),
        ('{"id": "a1", "target": ""}', r"split\.jsonl:1: 'part' must be text, not None"),
        ('{"id": "a1", "part": "train"}\n{"id": "a1", "part": "test"}', r"split\.jsonl:2: the id 'a1' stands at .*split\.jsonl:1 already"),
        ("no json", r"split\.jsonl:1: "),
    ],
)
def test_a_line_that_is_none_of_a_split_is_named(tmp_path: Path, line: str, message: str):
    (tmp_path / "split.jsonl").write_text(line + "\n", "utf-8")
    with pytest.raises(DataError, match=message):
        replayed([("a1", "")], str(tmp_path / "split.jsonl"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"split\.jsonl: "):
        replayed(KEYS, str(tmp_path / "split.jsonl"))


def test_a_split_without_test_rows_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="1 rows to learn from and 0 to test on; both are needed"):
        replayed(KEYS[:1], saved(tmp_path, LINES[:1]))
