from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from newsclf.codebook import Codebook
from newsclf.corpus.coded import CodedSpec, read_coded
from newsclf.corpus.coders import Codings, CodingSpec, read_codings
from newsclf.corpus.settle import coded_rows, csv_text, queue_rows

COLOR = Codebook(task="color", kind="exclusive", labels=["red", "blue"])
FRAMES = Codebook(task="frames", kind="multi", labels=["law", "money", "health"])
STANCE = Codebook(task="stance", kind="exclusive", labels=["for", "against"], targets=["wall", "tax"])
HEADER = ("id", "coder", "label", "target", "text")


def codings(folder: Path, codebook: Codebook, *rows: tuple[Any, ...]) -> Codings:
    (folder / "a.jsonl").write_text("".join(json.dumps(dict(zip(HEADER, row, strict=False))) + "\n" for row in rows), "utf-8")
    return read_codings(CodingSpec(path=str(folder / "a.jsonl")), codebook)


def booleans(*rows: list[int]) -> np.ndarray:
    return np.array(rows, bool)


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_settled_articles_are_read_back_as_coded_ones(tmp_path, suffix):
    found = codings(
        tmp_path, FRAMES, ("a", "Ada", "law", None, "Courts, and fees."), ("b", "Ada", "", None, "Weather"), ("c", "Bo", "money", None, "Rates.")
    )
    rows, left = coded_rows(found, booleans([1, 1, 0], [0, 0, 0], [0, 0, 0]), booleans([0], [0], [1])[:, 0])
    assert left == [("c", "")]
    file = tmp_path / f"settled.{suffix}"
    file.write_text(csv_text(rows) if suffix == "csv" else "".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    coded = read_coded(CodedSpec(path=str(file)), FRAMES)
    assert [(example.article.id, example.article.text, example.labels) for example in coded.examples] == [
        ("a", "Courts, and fees.", ("law", "money")),
        ("b", "Weather", ()),
    ]


def test_a_stance_keeps_its_target_and_shares_have_columns(tmp_path):
    found = codings(tmp_path, STANCE, ("a", "Ada", "for", "wall"), ("a", "Bo", "for", "wall"), ("a", "Ada", "against", "tax"))
    rows, left = coded_rows(found, booleans([1, 0], [0, 1]), booleans([0], [0])[:, 0], np.array([[2 / 3, 1 / 3], [0, 1]]))
    assert left == []
    assert rows == [
        {"id": "a", "target": "wall", "labels": "for", "coders": 2, "p.for": 0.666667, "p.against": 0.333333},
        {"id": "a", "target": "tax", "labels": "against", "coders": 1, "p.for": 0.0, "p.against": 1.0},
    ]


def test_more_or_fewer_labels_than_the_codebook_allows_are_not_settled(tmp_path):
    strict = Codebook(task="frames", kind="multi", labels=["law", "money", "health"], min_labels=1, max_labels=2)
    found = codings(tmp_path, strict, *((name, "Ada", "law") for name in "abc"))
    rows, left = coded_rows(found, booleans([0, 0, 0], [1, 0, 0], [1, 1, 1]), np.zeros(3, bool))
    assert [row["id"] for row in rows] == ["b"]
    assert left == [("a", ""), ("c", "")]


def test_an_article_nobody_was_sure_of_is_left_open(tmp_path):
    found = codings(tmp_path, COLOR, ("a", "Ada", "red"), ("b", "Ada", "not sure", None, "Sky."))
    rows, left = coded_rows(found, booleans([1, 0], [0, 0]), booleans([0], [1])[:, 0])
    assert rows == [{"id": "a", "labels": "red", "coders": 1}]
    assert left == [("b", "")]
    assert queue_rows(found, [1], np.zeros(2)) == [{"disagreement": 0.0, "id": "b", "text": "Sky.", "coder.Ada": "not sure"}]


def test_the_queue_has_what_each_coder_said(tmp_path):
    rows = [("a", "Ada", "law;money", None, "T"), ("a", "Bo", "", None, "T"), ("b", "Bo", "not sure", None, "U"), ("b", "Cy", "law", None, "U")]
    found = codings(tmp_path, FRAMES, *rows)
    assert queue_rows(found, [1, 0], np.array([2.0, 0.12345])) == [
        {"disagreement": 0.1235, "id": "b", "text": "U", "coder.Ada": "", "coder.Bo": "not sure", "coder.Cy": "law"},
        {"disagreement": 2.0, "id": "a", "text": "T", "coder.Ada": "law; money", "coder.Bo": "none", "coder.Cy": ""},
    ]


def test_many_coders_stand_in_one_cell(tmp_path):
    found = codings(tmp_path, COLOR, *(("a", f"C{number:02}", "red" if number else "blue") for number in range(21)))
    (row,) = queue_rows(found, [0], np.array([0.5]))
    assert set(row) == {"disagreement", "id", "codings"}
    assert row["codings"].startswith("C00: blue | C01: red | C02: red")


def test_a_csv_file_has_the_columns_of_all_rows():
    rows = [{"id": "a", "labels": ["law", "money"]}, {"id": 'b "quoted", and\nbroken', "target": "tax"}]
    assert list(csv.DictReader(io.StringIO(csv_text(rows)))) == [
        {"id": "a", "labels": "law; money", "target": ""},
        {"id": 'b "quoted", and\nbroken', "labels": "", "target": "tax"},
    ]
    assert csv_text([]) == ""
