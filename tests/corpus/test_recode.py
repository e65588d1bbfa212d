"""Coded articles under a revised codebook: nothing is lost, and what a table decides is read back as coded."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.article import Article, Example
from newsclf.codebook import Codebook
from newsclf.corpus.coded import CodedSpec, read_coded
from newsclf.corpus.migrate import Fates, Migration
from newsclf.corpus.recode import recode, rows_of, todo_rows
from newsclf.corpus.settle import csv_text

OLD = Codebook(task="frames", kind="multi", labels=["law", "crime", "safety", "morals", "other"])
NEW = Codebook(task="frames", kind="multi", labels=["law", "security", "duty", "faith"], max_labels=2)
TABLE = Migration(merged={"security": ("crime", "safety")}, split={"morals": ("duty", "faith")}, dropped=("other",))
FATES = Fates.check(TABLE, OLD, NEW, where="table")


def coded(*labels, target="", name="a"):
    return Example(Article("Text.", name), labels, target)


@pytest.mark.parametrize(
    ("labels", "new"),
    [(("law",), ("law",)), (("crime", "safety"), ("security",)), (("safety", "law"), ("law", "security")), ((), ())],
)
def test_what_the_table_decides_is_recoded(labels, new):
    found = recode([coded(*labels)], FATES)
    assert [example.labels for example in found.examples] == [new]
    assert not found.todo


@pytest.mark.parametrize(
    ("labels", "decided", "candidates", "why"),
    [
        (("law", "morals"), ("law",), ("duty", "faith"), "'morals' is split"),
        (("other",), (), ("law", "security", "duty", "faith"), "'other' is dropped"),
        (("morals", "other"), (), ("law", "security", "duty", "faith"), "'morals' is split; 'other' is dropped"),
    ],
)
def test_what_it_leaves_open_is_for_a_person(labels, decided, candidates, why):
    (item,) = recode([coded(*labels)], FATES).todo
    assert (item.decided, item.candidates, item.why) == (decided, candidates, why)


def test_what_the_new_codebook_does_not_allow_is_for_a_person():
    one = Codebook(task="frames", kind="exclusive", labels=["law", "crime", "safety", "morals", "other"])
    found = recode([coded("law"), coded("law", "crime"), coded()], Fates.check(Migration(), OLD, one, where="t"))
    assert [example.labels for example in found.examples] == [("law",)]
    assert [item.why for item in found.todo] == [f"the new codebook takes one label, these are {count}" for count in (2, 0)]
    assert found.todo[0].candidates == ("law", "crime")
    few = OLD.model_copy(update={"max_labels": 1})
    assert recode([coded("law", "crime")], Fates.check(Migration(), OLD, few, where="t")).todo[0].why.endswith("takes 0 to 1 labels, these are 2")


def test_a_stance_keeps_its_targets_and_one_that_is_gone_is_told():
    old = Codebook(task="view", kind="exclusive", labels=["pro", "con"], targets=["wall", "tax"])
    new = Codebook(task="view", kind="exclusive", labels=["for", "con"], targets=["wall"])
    found = recode([coded("pro", target="wall"), coded("con", target="tax")], Fates.check(Migration(renamed={"pro": "for"}), old, new, where="t"))
    assert [(example.target, example.labels) for example in found.examples] == [("wall", ("for",))]
    assert [item.why for item in found.todo] == ["the target 'tax' is not in the new codebook"]
    assert rows_of(found, CodedSpec())[0] == {"id": "a", "text": "Text.", "target": "wall", "labels": "for"}


def test_the_summary_counts_old_labels_by_what_becomes_of_them():
    lines = recode([coded("crime", "safety"), coded("morals"), coded("law"), coded("law")], FATES).text().splitlines()
    assert lines == [
        "  law     →  law (kept): 2",
        "  crime   →  security (merged): 1",
        "  safety  →  security (merged): 1",
        "  morals  →  duty, faith (split: by hand): 1",
        "3 coded rows recoded, 1 to recode by hand",
    ]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize("separator", [";", "|"])
def test_the_file_is_read_by_the_same_columns(tmp_path, suffix, separator):
    rows = [{"nr": "a", "body": "One, two.", "frames": f"law{separator}crime", "by": "Ann"}, {"nr": "b", "body": "Three.", "frames": "", "by": "Bo"}]
    (tmp_path / "old.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    spec = CodedSpec(path=str(tmp_path / "old.jsonl"), id="nr", text="body", labels="frames", separator=separator)
    out = rows_of(recode(read_coded(spec, OLD).examples, FATES), spec)
    file = tmp_path / f"new.{suffix}"
    file.write_text(csv_text(out) if suffix == "csv" else "".join(json.dumps(row) + "\n" for row in out), "utf-8")
    again = read_coded(spec, NEW, paths=(str(file),)).examples
    assert [(item.article.id, item.article.text, item.labels, item.article.extra["by"]) for item in again] == [
        ("a", "One, two.", ("law", "security"), "Ann"),
        ("b", "Three.", (), "Bo"),
    ]


def test_the_list_for_people_has_what_they_need():
    (row,) = todo_rows(recode([coded("law", "morals")], FATES).todo, CodedSpec())
    expected = {"id": "a", "was": ["law", "morals"], "why": "'morals' is split", "decided": ["law"], "candidates": ["duty", "faith"], "labels": ""}
    assert row == expected | {"text": "Text."}


@given(st.lists(st.sets(st.sampled_from(OLD.names)), max_size=20), st.data())
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost(rows, data):
    examples = [coded(*(name for name in OLD.names if name in labels), name=str(number)) for number, labels in enumerate(rows)]
    fates = data.draw(st.permutations(["renamed", "split", "dropped", "merged", "merged"]))
    table = {"renamed": {}, "split": {}, "dropped": [], "merged": {}}
    for label, fate in zip(OLD.names, fates, strict=True):
        match fate:
            case "renamed":
                table["renamed"][label] = "new"
            case "split":
                table["split"][label] = ["left", "right"]
            case "dropped":
                table["dropped"].append(label)
            case _:
                table["merged"].setdefault("joined", []).append(label)
    new = Codebook(task="frames", kind=data.draw(st.sampled_from(["multi", "exclusive"])), labels=["new", "left", "right", "joined"])
    found = recode(examples, Fates.check(Migration.parse(table, where="t"), OLD, new, where="t"))
    assert sorted([item.article.id for item in found.examples] + [item.example.article.id for item in found.todo]) == sorted(
        map(str, range(len(rows)))
    )
    assert sum(found.counts.values()) == sum(map(len, rows))
    for item in found.examples:
        new.check(item.labels, where="recoded")
    assert all(item.candidates for item in found.todo)
