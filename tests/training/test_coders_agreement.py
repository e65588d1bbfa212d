"""How far the coders of a run agree, and how well people do beside the model."""

from __future__ import annotations

import json

import pytest
from color_articles import write_rows

from newsclf.codebook import Codebook
from newsclf.corpus.coders import CodingSpec, read_codings
from newsclf.scores.agreement import Ratings
from newsclf.scores.metrics import macro_f1
from newsclf.scores.reliability import ceiling
from newsclf.training.coders import NOT_PEOPLE, Agreement
from newsclf.training.settled import CodersSpec

COLOR = Codebook(task="color", kind="exclusive", labels=["red", "blue", "green"])
FRAMES = Codebook(task="frames", kind="multi", labels=["law", "money"])
SUMMARY = {"accuracy": 0.7, "macro_f1": 0.65, "micro_f1": 0.68}


def agreement(folder, codebook, rows, **spec):
    write_rows(folder / "codings.jsonl", [dict(zip(("id", "coder", "label"), row, strict=True)) for row in rows])
    given = CodersSpec(path=str(folder / "codings.jsonl"), **spec)
    return Agreement(given, read_codings(CodingSpec(path=given.path), codebook))


@pytest.fixture
def three(tmp_path):
    """Thirty articles by three coders; Cy errs on every third, and takes green for blue."""

    def said(number, coder):
        label = COLOR.names[number % 3]
        return "blue" if coder == "Cy" and number % 9 in (0, 2) else label

    return agreement(tmp_path, COLOR, [(f"a{number}", coder, said(number, coder)) for number in range(30) for coder in ("Ada", "Bo", "Cy")])


def test_people_stand_beside_the_model_in_the_same_metrics(three):
    told = three.as_dict(SUMMARY, {(f"a{number}", "") for number in range(12)})
    rows = {row["metric"]: row for row in told["ceiling"]}
    assert rows.keys() == {"accuracy", "macro_f1"}
    assert (rows["accuracy"]["model"], rows["macro_f1"]["model"]) == (0.7, 0.65)
    expected = ceiling(Ratings(*three.codings.arrays()), "exclusive", macro_f1)
    assert rows["macro_f1"]["pooled"] == expected.pooled
    assert rows["macro_f1"]["each"] == dict(zip(("Ada", "Bo", "Cy"), expected.each.values(), strict=True))
    assert rows["macro_f1"]["on_test"]["articles"] == 12
    assert rows["macro_f1"]["on_test"]["pooled"] == three.ceilings({(f"a{number}", "") for number in range(12)})["macro_f1"].pooled
    assert json.loads(json.dumps(told)) == told


def test_it_is_said_in_sentences(three):
    first, second, third = three.as_dict(SUMMARY, {("a1", "")})["sentences"]
    assert first.startswith("30 articles were coded by two or more of 3 coders ('Ada', 'Bo', 'Cy'): Krippendorff's alpha (nominal) is 0.")
    assert second.startswith("They agree least on 'blue': alpha 0.")
    assert third.startswith("A coder held against the majority of the others reaches a macro-F1 of 0.")
    assert third.endswith("; the model reaches 0.650 on the test articles.")


def test_of_few_test_articles_no_figure_is_given(three):
    assert three.as_dict(SUMMARY, {("a1", "")})["ceiling"][0]["on_test"] is None


def test_codings_that_are_not_of_people_are_no_ceiling(tmp_path):
    rows = [(f"a{number}", coder, "law" if number % 2 else "law; money") for number in range(20) for coder in ("one", "two")]
    told = agreement(tmp_path, FRAMES, rows, people=False).as_dict(SUMMARY, set())
    assert told["ceiling"] is None
    assert told["sentences"][-1] == NOT_PEOPLE
    assert [alpha["name"] for alpha in told["alphas"]] == ["masi", "jaccard", "nominal"]
    assert [alpha["label"] for alpha in told["by_label"]] == ["law", "money"]
    assert told["coders"] == [{"name": "one", "codings": 20}, {"name": "two", "codings": 20}]


def test_of_one_coder_nothing_can_be_told_and_it_is_said(tmp_path):
    told = agreement(tmp_path, COLOR, [("a", "Ada", "red"), ("b", "Ada", "blue")]).as_dict(SUMMARY, set())
    assert told["ceiling"] is None
    assert told["sentences"] == [
        "How far the coders ('Ada') agree cannot be told: no article has two coders.",
        "There is no human ceiling: no article has two coders: how well people do cannot be computed.",
    ]


def test_where_the_labels_come_from_is_counted(three):
    found = Agreement(CodersSpec(settle="majority"), three.codings, settled=28, left_open=2, elsewhere=3)
    assert found.counted() == [
        "The labels are those of the majority of the coders: 28 settled, 2 left open and set aside.",
        "3 articles that were coded are not among the coded articles of the data.",
    ]
