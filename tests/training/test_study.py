"""A coding study: agreement with and without repeated items, and what is disputed."""

import csv
import io

import pytest

from newsclf.codebook import Codebook
from newsclf.corpus.coders import CodingSpec, read_codings
from newsclf.training.study import disputed, study

BOOK = Codebook.parse({"task": "color", "kind": "exclusive", "labels": {"red": "Red.", "blue": "Blue."}}, where="test")


@pytest.fixture
def codings(tmp_path):
    lines = ["id,coder,label,repeated"]
    for number in range(30):
        for coder in ("ann", "bob", "eve"):
            differs = coder == "eve" and number % 5 == 0
            label = ("red", "blue")[(number % 2) ^ differs]
            lines.append(f"a{number},{coder},{label},")
    lines += [f"screening,{coder},red,1" for coder in ("ann", "bob", "eve")]
    (tmp_path / "codings.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return read_codings(CodingSpec(path=(str(tmp_path / "codings.csv"),)), BOOK)


def test_repeated_items_are_told_apart(codings):
    found = study(codings)
    assert found.once.alphas["nominal"].articles == 30
    assert found.raw is not None
    assert found.raw.alphas["nominal"].articles == 31
    assert "left out: 1 repeated articles" in found.text()
    assert found.as_dict()["repeated"] == 1
    assert found.as_dict()["with_repeated"]["alpha"]["nominal"]["articles"] == 31


def test_what_is_disputed_is_listed_with_what_each_coder_said(codings):
    rows = list(csv.DictReader(io.StringIO(disputed(codings))))
    assert [row["id"] for row in rows] == sorted(f"a{number}" for number in range(0, 30, 5))
    assert all(row["coder.ann"] == row["coder.bob"] != row["coder.eve"] for row in rows)


def test_where_all_agree_there_is_nothing_to_list(tmp_path):
    (tmp_path / "c.csv").write_text("id,coder,label\n1,ann,red\n1,bob,red\n2,ann,blue\n2,bob,blue\n", "utf-8")
    assert disputed(read_codings(CodingSpec(path=(str(tmp_path / "c.csv"),)), BOOK)) == ""
