"""Codebooks: what a social scientist may write, what is refused, and how labels become columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from newsclf.codebook import Codebook, Label
from newsclf.errors import ConfigError, DataError, InputError
from newsclf.spec import parse_yaml

SHIPPED = sorted((Path(__file__).resolve().parent.parent / "data" / "codebooks").glob("*.yaml"))
COLORS = {"task": "color", "kind": "exclusive", "labels": ["red", "blue"]}
MANY = {"task": "frames", "kind": "multi", "labels": ["law", "rights", "money"], "min_labels": 1, "max_labels": 2}
STANCE = {
    "task": "stance",
    "kind": "exclusive",
    "labels": ["for", "against"],
    "targets": {"border wall": {"aliases": ["wall", 911]}, "visas": "Entry permits."},
}


def book(base: dict[str, Any] = COLORS, **changes: Any) -> Codebook:
    return Codebook.parse(base | changes, where="book.yaml")


def of_text(text: str) -> Codebook:
    return Codebook.parse(parse_yaml(text, where="book.yaml"), where="book.yaml")


def complaint(base: dict[str, Any] = COLORS, **changes: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        book(base, **changes)
    return str(caught.value)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_codebook_loads_and_every_label_is_defined_with_an_example(path: Path):
    codebook = Codebook.load(path)
    assert codebook.task == path.stem
    assert all(label.definition != name and label.include and label.exclude and label.examples for name, label in codebook.labels.items())


def test_three_codebooks_are_shipped_and_one_is_about_stance():
    assert {path.stem: Codebook.load(path).is_stance for path in SHIPPED} == {"framing": False, "stance": True, "topic": False}


@pytest.mark.parametrize(
    "labels",
    ["[red, blue]", "{red: red, blue: blue}", "{red: , blue: {}}", "{red: {definition: red}, blue: {definition: blue}}"],
)
def test_short_forms_read_as_the_full_form(labels: str):
    codebook = of_text(f"task: color\nkind: exclusive\nlabels: {labels}")
    assert codebook.labels == {"red": Label(definition="red"), "blue": Label(definition="blue")}


def test_targets_have_the_same_short_forms():
    targets = of_text("task: s\nkind: exclusive\nlabels: [a, b]\ntargets: {wall: A barrier., visas: }").targets
    assert {name: target.definition for name, target in targets.items()} == {"wall": "A barrier.", "visas": "visas"}
    assert list(book(STANCE, targets=["wall", "visas"]).targets) == ["wall", "visas"]


@pytest.mark.parametrize("labels", ["[no, 101, true, 012, 1.5]", "{no: x, 101: x, true: x, 012: x, 1.5: x}"])
def test_labels_that_look_like_numbers_and_truths_are_names(labels: str):
    codebook = of_text(f"task: t\nkind: multi\nlabels: {labels}")
    assert codebook.names == ("no", "101", "true", "012", "1.5")
    assert codebook.check(["101", "no"], where="row") == ("no", "101")


def test_a_number_may_be_a_parent_an_alias_an_example_or_a_definition():
    codebook = of_text("task: t\nkind: exclusive\nlabels: {1: 1, 101: {definition: x, parent: 1, examples: [911]}}")
    assert codebook.labels["1"].definition == "1"
    assert (codebook.labels["101"].parent, codebook.labels["101"].examples) == ("1", ("911",))


def test_the_order_of_the_labels_is_the_order_of_the_columns():
    codebook = book(labels=["z", "a", "m"])
    assert codebook.names == ("z", "a", "m")
    assert codebook.matrix([["m"], [], ["a", "z"]]).tolist() == [[False, False, True], [False, False, False], [True, True, False]]


def test_a_matrix_of_no_rows_has_the_columns_of_the_labels():
    matrix = book().matrix(iter([]))
    assert (matrix.shape, matrix.dtype) == ((0, 2), np.dtype(bool))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ["red"]}, "'labels' must be at least 2 entries long"),
        ({"labels": "red"}, "'labels' must be a block of key: value lines, not \"red\""),
        ({"labels": ["red", "blue", "red"]}, "'labels': the name 'red' stands twice"),
        ({"labels": [{"red": "R"}, {"blue": "B"}]}, '\'labels\': a list holds names alone, this one holds {"red": "R"}'),
        ({"labels": [None, "red"]}, "'labels': a list holds names alone, this one holds null"),
        ({"labels": ["", "red"]}, "'labels': the name '' must not be empty"),
        ({"labels": {"red ": "x", "blue": "y"}}, "'labels': the name 'red ' must not be empty, nor begin or end with a space"),
        ({"labels": {"red": "", "blue": "y"}}, "'labels.red' must be text of 1 or more characters"),
        ({"labels": {"red": ["x"], "blue": "y"}}, "'labels.red' must be a block of key: value lines, not [\"x\"]"),
        ({"labels": {"red": {"include": "x"}, "blue": "y"}}, "the key 'labels.red.definition' is missing"),
        ({"labels": {"red": {"defintion": "x"}, "blue": "y"}}, "unknown key 'labels.red.defintion' (did you mean 'definition'?)"),
        ({"targets": {"wall": {"aliases": "fence"}}}, "'targets.wall.aliases' must be a list, not \"fence\""),
        ({"task": "two words"}, "'task': columns and files are named after the task, so it is one word"),
        ({"task": "a/b"}, "not 'a/b'"),
        ({"kind": "exlusive"}, "'kind' must be 'exclusive' or 'multi', not \"exlusive\""),
        ({"min_labels": 1}, "min_labels and max_labels are for kind: multi"),
        ({"max_labels": 1}, "min_labels and max_labels are for kind: multi"),
        ({"kind": "multi", "min_labels": 2, "max_labels": 1}, "min_labels (2) must not exceed max_labels (1)"),
        ({"kind": "multi", "min_labels": 3}, "min_labels (3) must not exceed the number of labels (2)"),
        ({"kind": "multi", "max_labels": 0}, "'max_labels' must be at least 1, not 0"),
        ({"kind": "multi", "min_labels": -1}, "'min_labels' must be at least 0, not -1"),
    ],
)
def test_a_codebook_that_cannot_be_meant_is_refused(changes: dict[str, Any], message: str):
    assert message in complaint(**changes)


@pytest.mark.parametrize(
    ("parents", "message"),
    [
        ({"a": "A"}, "the label 'a' has the parent 'A', which is not a label of this codebook (did you mean 'a'?)"),
        ({"a": "a"}, "the parents of the label 'a' go in a circle: a → a"),
        ({"a": "b", "b": "c", "c": "b"}, "the parents of the label 'a' go in a circle: a → b → c → b"),
    ],
)
def test_parents_are_labels_and_go_in_no_circle(parents: dict[str, str], message: str):
    labels = {name: {"definition": "x", "parent": parents.get(name, "")} for name in "abc"}
    assert message in complaint(labels=labels)


def test_a_codebook_file_that_is_wrong_is_named(tmp_path: Path):
    path = tmp_path / "book.yaml"
    path.write_text("task: t\nkind: multi\nlables: [a, b]", "utf-8")
    with pytest.raises(ConfigError) as caught:
        Codebook.load(path)
    assert f"{path}: unknown key 'lables' (did you mean 'labels'?)" in str(caught.value)
    assert f"{path}: the key 'labels' is missing." in str(caught.value)


@pytest.mark.parametrize(
    ("base", "labels", "given"),
    [
        (COLORS, ["blue"], ("blue",)),
        (COLORS, ["blue", "blue"], ("blue",)),
        (MANY, ["money", "law"], ("law", "money")),
        (MANY, ["money", "law", "money"], ("law", "money")),
        (MANY | {"min_labels": 0}, [], ()),
        (MANY | {"max_labels": None}, ["rights", "money", "law"], ("law", "rights", "money")),
    ],
)
def test_the_labels_of_a_row_come_once_each_in_codebook_order(base: dict[str, Any], labels: list[str], given: tuple[str, ...]):
    assert book(base).check(labels, where="a.csv:7") == given


@pytest.mark.parametrize(
    ("base", "labels", "message"),
    [
        (COLORS, ["blu"], "'blu' is not a label of the task 'color' (did you mean 'blue'?); its labels are 'red', 'blue'."),
        (COLORS, ["Red"], "'Red' is not a label of the task 'color' (did you mean 'red'?)"),
        (COLORS, ["zebra"], "'zebra' is not a label of the task 'color'; its labels are 'red', 'blue'."),
        (COLORS, ["red", "blue"], "the task 'color' is exclusive, so exactly one label is needed; this row has 'red', 'blue'."),
        (COLORS, [], "exactly one label is needed; this row has none."),
        (MANY, [], "the task 'frames' takes 1 to 2 labels a row; this row has 0 (none)."),
        (MANY, ["law", "rights", "money"], "the task 'frames' takes 1 to 2 labels a row; this row has 3 ('law', 'rights', 'money')."),
    ],
)
def test_labels_that_a_row_must_not_have_are_told_with_place_and_nearest_label(base: dict[str, Any], labels: list[str], message: str):
    with pytest.raises(DataError) as caught:
        book(base).check(labels, where="a.csv:7")
    assert str(caught.value).startswith("a.csv:7: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(("changes", "stance"), [({}, True), ({"targets": {}}, False), ({"targets": {}, "open_targets": True}, True)])
def test_a_task_is_stance_where_it_has_targets_or_takes_any(changes: dict[str, Any], stance: bool):
    assert book(STANCE, **changes).is_stance is stance


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("border wal", "'border wal' is not a target of the task 'stance' (did you mean 'border wall'?); its targets are 'border wall', 'visas'."),
        ("border wal", "Add it to the codebook, or write open_targets: true there."),
        (" ", "the target is empty; the targets of the task 'stance' are 'border wall', 'visas'."),
    ],
)
def test_a_target_that_the_codebook_does_not_know_is_told_with_place_and_nearest(target: str, message: str):
    with pytest.raises(DataError) as caught:
        book(STANCE).check_target(target, where="a.csv:7")
    assert str(caught.value).startswith("a.csv:7: ")
    assert message in str(caught.value)


def test_an_open_codebook_takes_any_target_but_none_that_is_empty():
    codebook = book(STANCE, open_targets=True)
    assert codebook.check_target("tariffs", where="a.csv:7") == "tariffs"
    with pytest.raises(DataError, match="the target is empty"):
        codebook.check_target("", where="a.csv:7")


def test_a_target_goes_by_its_aliases_and_an_open_one_by_its_name():
    codebook = book(STANCE, open_targets=True)
    assert codebook.aliases("border wall") == ("border wall", "wall", "911")
    assert codebook.aliases("tariffs") == ("tariffs",)


@pytest.mark.parametrize(
    ("asked", "targets"),
    [((), ("border wall", "visas")), (["visas"], ("visas",)), (["visas", "visas"], ("visas",)), ("visas", ("visas",))],
)
def test_the_targets_asked_for_are_answered_once_or_else_all_of_the_codebook(asked: Any, targets: tuple[str, ...]):
    assert book(STANCE).restricted(asked) == targets


def test_a_stance_without_any_target_says_how_to_name_one():
    with pytest.raises(InputError, match=r"the task 'stance' is a stance toward a target and its codebook has none: name one"):
        book(STANCE, targets={}, open_targets=True).restricted(())


def test_a_target_that_is_asked_for_and_not_known_is_refused():
    with pytest.raises(DataError, match=r"targets: 'visa' is not a target of the task 'stance' \(did you mean 'visas'\?\)"):
        book(STANCE).restricted(["visa"])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_codebook_written_as_yaml_reads_back(path: Path, tmp_path: Path):
    codebook = Codebook.load(path)
    (tmp_path / "again.yaml").write_text(codebook.to_yaml(), "utf-8")
    assert Codebook.load(tmp_path / "again.yaml") == codebook


NAMES = st.text(min_size=1).filter(lambda name: name == name.strip()) | st.sampled_from(["no", "1e5", "012", "true", "2024-01-31", "~", "null", "<<"])
LABELS = st.builds(Label, definition=st.text(min_size=1), include=st.text(), examples=st.lists(st.text(), max_size=2).map(tuple))


@given(st.dictionaries(NAMES, LABELS, min_size=2, max_size=4), st.dictionaries(NAMES, st.just({}), max_size=2))
def test_any_codebook_written_as_yaml_reads_back_with_its_columns_in_order(labels: dict[str, Label], targets: dict[str, Any]):
    codebook = Codebook(task="t", kind="multi", labels=labels, targets=targets)
    again = of_text(codebook.to_yaml())
    assert (again, again.names) == (codebook, codebook.names)
    assert Codebook.parse(yaml.safe_load(codebook.to_yaml()), where="other YAML") == codebook
