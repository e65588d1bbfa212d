"""Labels to learn from, settled from the codings of several coders."""

from __future__ import annotations

import json

import numpy as np
import pytest
from color_articles import color_rows, read_lines, write_rows

from newsclf.codebook import Codebook
from newsclf.corpus.coded import CodedSpec
from newsclf.corpus.coders import CodingSpec, read_codings
from newsclf.errors import ConfigError, DataError
from newsclf.training.experiment import Experiment
from newsclf.training.prepared import Prepared, revisit
from newsclf.training.run import train
from newsclf.training.settled import WAYS, CodersSpec, decided, read_settled, settled

COLOR = Codebook(task="color", kind="exclusive", labels=["red", "blue"])
FRAMES = Codebook(task="frames", kind="multi", labels=["law", "money"], min_labels=1)
STANCE = Codebook(task="view", kind="exclusive", labels=["for", "against"], targets=["wall", "tax"])


def codings(folder, codebook, *rows, **more):
    fields = ("id", "coder", "label", "target", "text")
    write_rows(folder / "codings.jsonl", [dict(zip(fields, row, strict=False)) for row in rows])
    return read_codings(CodingSpec(path=str(folder / "codings.jsonl"), **more), codebook)


def crowd(identifier, labels, *rest):
    return [(identifier, coder, label, *rest) for coder, label in zip(("Ada", "Bo", "Cy", "Di"), labels, strict=False)]


def test_what_most_say_is_settled_and_a_tie_is_not(tmp_path):
    found = settled(codings(tmp_path, COLOR, *crowd("a", ["red", "red", "blue"]), *crowd("b", ["red", "blue"])), "majority")
    assert found.labels == {("a", ""): ("red",)}
    assert found.left_open == {("b", ""): "left open by majority: Ada says red; Bo says blue."}


def test_the_model_settles_a_tie_by_who_errs_more(tmp_path):
    rows = [row for number in range(20) for row in crowd(f"{number}", [*[("red", "blue")[number % 2]] * 3, ("red", "blue")[number // 2 % 2]])]
    found = settled(codings(tmp_path, COLOR, *rows, ("tie", "Ada", "red"), ("tie", "Di", "blue")), "dawid_skene")
    assert found.labels["tie", ""] == ("red",)
    assert not found.left_open


@pytest.mark.parametrize("by", WAYS)
def test_nobody_sure_and_labels_that_the_codebook_forbids_are_left_open(tmp_path, by):
    rows = [*crowd("a", ["not sure", "not sure"]), *crowd("b", ["law", "law; money", "law"]), *crowd("c", ["law", "money"])]
    found = settled(codings(tmp_path, FRAMES, *rows), by)
    assert found.labels["b", ""] == ("law",)
    assert found.left_open["a", ""] == f"left open by {by}: Ada says not sure; Bo says not sure."
    assert found.labels.keys() | found.left_open.keys() == {("a", ""), ("b", ""), ("c", "")}


def test_shares_are_those_of_votes_or_probabilities(tmp_path):
    read = codings(tmp_path, COLOR, *crowd("a", ["red", "red", "blue"]), *crowd("b", ["blue", "blue", "blue"]))
    assert np.allclose(decided(read, "majority")[2], [[2 / 3, 1 / 3], [0, 1]])
    assert np.allclose(decided(read, "dawid_skene")[2].sum(axis=1), 1)


@pytest.mark.parametrize("by", WAYS)
def test_codings_without_one_that_is_sure_settle_nothing(tmp_path, by):
    assert settled(codings(tmp_path, COLOR, *crowd("a", ["not sure"])), by).labels == {}


def read(folder, codebook, articles, rows, **data):
    write_rows(folder / "articles.jsonl", articles)
    found = codings(folder, codebook, *rows)
    coders = CodersSpec(path=str(folder / "codings.jsonl"), settle="majority")
    return read_settled(CodedSpec(path=str(folder / "articles.jsonl"), **data), coders, found)


def test_texts_come_from_the_data_and_each_article_is_accounted_for(tmp_path):
    articles = [{"id": name, "text": f"Text {name}.", "outlet": "Herald"} for name in "abcd"]
    found = read(
        tmp_path,
        STANCE,
        articles,
        [*crowd("a", ["for"] * 3, "wall"), *crowd("a", ["for", "against"], "tax"), *crowd("b", ["for"], "tax"), *crowd("z", ["for"], "tax")],
    )
    assert [(item.article.text, item.target, item.labels) for item in found.coded.examples] == [
        ("Text a.", "wall", ("for",)),
        ("Text b.", "tax", ("for",)),
    ]
    assert [bad.reason for bad in found.coded.quarantined] == ["left open by majority toward 'tax': Ada says for; Bo says against."]
    assert (found.coded.uncoded, found.left_open, found.ids, found.given) == (2, 1, set("abcd"), None)


def test_test_files_say_what_to_test_on(tmp_path):
    write_rows(tmp_path / "held.jsonl", [{"id": "h", "text": "Held out."}])
    rows = [*crowd("a", ["red"]), *crowd("h", ["blue"])]
    found = read(tmp_path, COLOR, [{"id": "a", "text": "A."}], rows, test=str(tmp_path / "held.jsonl"))
    assert [item.article.id for item in found.coded.examples] == ["a", "h"]
    assert found.given == {found.coded.examples[1].article.place}
    with pytest.raises(DataError, match=r"the id 'h' stands in data.path already"):
        read(tmp_path, COLOR, [{"id": "h", "text": "A."}], rows, test=str(tmp_path / "held.jsonl"))


def test_an_article_may_stand_once_for_each_target_but_an_id_has_one_text(tmp_path):
    twice = [{"id": "a", "text": "A."}, {"id": "a", "text": "A."}]
    assert len(read(tmp_path, COLOR, twice, crowd("a", ["red"])).coded.examples) == 1
    with pytest.raises(DataError, match=r"articles.jsonl:2: the id 'a' stands at .*articles.jsonl:1 already"):
        read(tmp_path, COLOR, [twice[0], {"id": "a", "text": "B."}], crowd("a", ["red"]))


def test_codings_of_other_articles_alone_are_an_error(tmp_path):
    with pytest.raises(DataError, match=r"no coding is about an article of .*codings are of 'a', articles of 'b'"):
        read(tmp_path, COLOR, [{"id": "b", "text": "B."}], crowd("a", ["red"]))


def test_a_row_that_cannot_be_read_is_an_error_or_set_aside(tmp_path):
    articles = [{"id": "a", "text": "A."}, {"id": "b", "text": " "}]
    with pytest.raises(DataError, match=r"articles.jsonl:2: the text .* is empty"):
        read(tmp_path, COLOR, articles, crowd("a", ["red"]))
    assert len(read(tmp_path, COLOR, articles, crowd("a", ["red"]), on_error="quarantine").coded.quarantined) == 1


@pytest.fixture
def coded_thrice(small):
    """The small corpus without labels, and codings of it by three people, one of whom errs on every fourth article."""
    rows = color_rows(18)
    other = {"red": "blue", "blue": "red"}
    write_rows(
        small / "codings.jsonl",
        [
            {"id": row["id"], "coder": coder, "label": other[row["labels"]] if coder == "Cy" and number % 4 == 0 else row["labels"]}
            for number, row in enumerate(rows)
            for coder in ("Ada", "Bo", "Cy")
        ],
    )
    write_rows(small / "corpus.jsonl", [{key: value for key, value in row.items() if key != "labels"} for row in rows])
    return small


@pytest.mark.parametrize("settle", WAYS)
def test_a_model_is_trained_on_settled_codings(coded_thrice, settle):
    result = train(coded_thrice / "config.yaml", [f"coders={{path: codings.jsonl, settle: {settle}}}"])
    told = json.loads((result.run / "agreement.json").read_text("utf-8"))
    assert (told["settled"], told["left_open"], told["elsewhere"]) == (36, 0, 0)
    macro = next(row for row in told["ceiling"] if row["metric"] == "macro_f1")
    assert macro["model"] == result.metrics.summary["macro_f1"]
    assert macro["each"]["Ada"] > macro["each"]["Cy"]
    assert any(
        "A coder held against the majority of the others reaches a macro-F1 of" in line and "; the model reaches" in line
        for line in told["sentences"]
    )
    again, part = revisit(result.run)
    assert again.agreement is not None
    assert again.agreement.settled == 36
    assert (part == "test").sum() == result.metrics.rows


def test_the_rows_of_the_data_may_be_the_codings(coded_thrice):
    texts = {row["id"]: row["text"] for row in read_lines(coded_thrice / "corpus.jsonl")}
    rows = read_lines(coded_thrice / "codings.jsonl")
    write_rows(coded_thrice / "long.jsonl", [{"nr": row["id"], "who": row["coder"], "code": row["label"], "body": texts[row["id"]]} for row in rows])
    settings = ["data={path: long.jsonl, id: nr, text: body, labels: code}", "coders={coder: who, settle: majority}"]
    result = train(coded_thrice / "config.yaml", settings)
    prepared, _ = revisit(result.run)  # from the config that was written out in full
    assert len(prepared.every) == 36
    assert prepared.every.examples[0].labels == ("red",)
    write_rows(coded_thrice / "long.jsonl", [{"nr": row["id"], "who": row["coder"], "code": row["label"], "body": ""} for row in rows])
    with pytest.raises(DataError, match=r"long.jsonl:1: this coding has no text"):
        train(coded_thrice / "config.yaml", settings)


def test_labels_may_be_those_of_the_data_and_codings_beside_them(small):
    write_rows(small / "codings.jsonl", [{"id": name, "coder": coder, "label": "red"} for name in ("red-1", "gone") for coder in ("Ada", "Bo")])
    prepared = Prepared.read(Experiment.load(small / "config.yaml", ["coders={path: codings.jsonl}"]))
    assert len(prepared.every) == 24
    assert prepared.agreement is not None
    assert prepared.agreement.elsewhere == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["coders={people: false}"], "'coders.path' must name the file of the codings"),
        (["coders={settle: majority}", "data.test=held.jsonl"], "'data.test' goes with articles in files of their own"),
        (["coders={path: c.jsonl, settel: majority}"], r"unknown key 'coders.settel' \(did you mean 'settle'\?\)"),
        (["coders={path: c.jsonl, test: d.jsonl}"], "'test' is no key of 'coders'"),
        (["coders={path: c.jsonl, settle: vote}"], "'coders.settle' must be"),
    ],
)
def test_a_mistake_in_the_block_is_named(small, settings, message):
    with pytest.raises(ConfigError, match=message):
        Experiment.load(small / "config.yaml", settings)


def test_the_path_of_the_codings_is_relative_to_the_config(small):
    loaded = Experiment.load(small / "config.yaml", ["coders={path: codings.jsonl}"])
    assert loaded.coders is not None
    assert loaded.coders.path == (str(small / "codings.jsonl"),)
    assert Experiment.parse(loaded.resolved(), where="again") == loaded
