from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsclf.codebook import Codebook
from newsclf.corpus.coded import Coded, CodedSpec, read_coded
from newsclf.errors import ConfigError, DataError

COLOR = Codebook(task="color", kind="exclusive", labels=["red", "blue", "0", "1"])
FRAMES = Codebook(task="frames", kind="multi", labels=["law", "money", "health"])
STANCE = Codebook(task="stance", kind="exclusive", labels=["for", "against"], targets=["wall", "tax"])
OPEN = Codebook(task="stance", kind="exclusive", labels=["for", "against"], open_targets=True)


@pytest.fixture
def code(tmp_path: Path) -> Any:
    """Reads rows, each given a text and an id unless it has one, from a JSON-lines file."""

    def read(codebook: Codebook, *rows: dict[str, Any], **spec: Any) -> Coded:
        full = [{"id": f"a{number}", "text": "T"} | row for number, row in enumerate(rows, start=1)]
        (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in full), "utf-8")
        return read_coded(CodedSpec(path=str(tmp_path / "a.jsonl"), **spec), codebook)

    return read


def from_csv(tmp_path: Path, codebook: Codebook, text: str, **spec: Any) -> Coded:
    (tmp_path / "a.csv").write_text(text, "utf-8")
    return read_coded(CodedSpec(path=str(tmp_path / "a.csv"), **spec), codebook)


def labels(coded: Coded) -> list[tuple[str, ...]]:
    return [example.labels for example in coded.examples]


def pairs(coded: Coded) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(example.article.id, example.target, example.labels) for example in coded.examples]


# one column of labels


@pytest.mark.parametrize(
    ("codebook", "cell", "expected"),
    [
        (COLOR, "red", [("red",)]),
        (COLOR, " red\n", [("red",)]),
        (COLOR, ["red"], [("red",)]),
        (COLOR, 1, [("1",)]),
        (COLOR, 0, [("0",)]),
        (COLOR, 1.0, [("1",)]),
        (COLOR, None, []),
        (COLOR, float("nan"), []),
        (COLOR, "", []),
        (COLOR, "  ", []),
        (FRAMES, "money", [("money",)]),
        (FRAMES, "money; law;", [("law", "money")]),
        (FRAMES, ["health", "law"], [("law", "health")]),
        (FRAMES, ["law", None, ""], [("law",)]),
        (FRAMES, [], [()]),
        (FRAMES, "", [()]),
        (FRAMES, None, []),
        (FRAMES, float("nan"), []),
    ],
)
def test_a_cell_is_read_as_labels_or_as_no_code(code, codebook, cell, expected):
    coded = code(codebook, {"labels": cell})
    assert labels(coded) == expected
    assert coded.uncoded == (not expected)


def test_another_column_and_another_separator_may_be_named(code):
    assert labels(code(FRAMES, {"codes": "law|money"}, labels="codes", separator="|")) == [("law", "money")]


def test_a_separator_has_a_character_at_least():
    with pytest.raises(ConfigError, match="separator"):
        CodedSpec.parse({"separator": ""}, where="config.yaml")


def test_a_row_of_json_may_leave_the_labels_out(code):
    coded = code(COLOR, {"labels": "red"}, {}, {"labels": "blue"})
    assert (labels(coded), coded.uncoded) == ([("red",), ("blue",)], 1)


def test_a_column_of_labels_that_is_not_there_is_an_error_with_the_nearest_name(code):
    with pytest.raises(DataError, match=r"a\.jsonl:1: there is no column 'labels' .*\(did you mean 'label'\?\); the columns are 'label'\.$"):
        code(COLOR, {"label": "red"})


@pytest.mark.parametrize(("spec", "column"), [({"labels": "outlet"}, "outlet"), ({"outlet": "source", "labels": "source"}, "source")])
def test_a_column_that_a_field_of_the_article_takes_may_hold_the_labels(code, spec, column):
    assert labels(code(COLOR, {column: "blue"}, **spec)) == [("blue",)]


def test_a_field_that_takes_another_column_does_not_stand_for_its_own(code):
    with pytest.raises(DataError, match="there is no column 'outlet'"):
        code(COLOR, {"source": "blue"}, outlet="source", labels="outlet")


def test_a_label_that_the_codebook_does_not_have_is_an_error_with_place_and_nearest_label(code):
    with pytest.raises(DataError, match=r"a\.jsonl:2: 'monye' is not a label of the task 'frames' \(did you mean 'money'\?\)"):
        code(FRAMES, {"labels": "law"}, {"labels": "monye"})


@pytest.mark.parametrize(("cell", "has"), [(["red", "blue"], "'red', 'blue'"), ([], "none")])
def test_an_exclusive_task_takes_exactly_one_label(code, cell, has):
    with pytest.raises(DataError, match=rf"a\.jsonl:1: the task 'color' is exclusive, so exactly one label is needed; this row has {has}\.$"):
        code(COLOR, {"labels": cell})


def test_a_separator_parts_no_label_of_an_exclusive_task(code):
    codebook = Codebook(task="t", kind="exclusive", labels=["war; peace", "other"])
    assert labels(code(codebook, {"labels": "war; peace"})) == [("war; peace",)]


# a column for each label


@pytest.mark.parametrize(("yes", "no"), [(1, 0), ("1", "0"), (1.0, 0.0), ("1.0", "0.0"), (True, False), ("x", ""), ("Yes", "no"), (1, None)])
def test_a_column_for_each_label_holds_zero_or_one(code, yes, no):
    coded = code(FRAMES, {"law": yes, "money": no, "health": yes}, labels=["law", "money", "health"])
    assert labels(coded) == [("law", "health")]


@pytest.mark.parametrize(("codebook", "cell"), [(FRAMES, None), (FRAMES, float("nan")), (COLOR, None), (COLOR, "")])
def test_a_row_that_is_null_in_every_column_of_a_label_is_not_coded(code, codebook, cell):
    names = codebook.names[:2]
    coded = code(codebook, dict.fromkeys(names, cell), labels=names)
    assert (coded.examples, coded.uncoded) == ([], 1)


def test_a_row_of_zeros_is_coded_with_none_of_the_labels(code):
    assert labels(code(FRAMES, {"law": 0, "money": 0}, labels=["law", "money"])) == [()]


def test_anything_else_in_the_column_of_a_label_is_an_error(code):
    with pytest.raises(DataError, match=r"a\.jsonl:1: the column 'law' must hold 0 or 1 for the label 'law'; it holds 2\.$"):
        code(FRAMES, {"law": 2}, labels=["law"])


# stance


def test_a_mapping_gives_an_example_for_each_target_that_has_a_label(code):
    coded = code(
        STANCE,
        {"labels": {"wall": "for", " tax ": ["against"]}},
        {"labels": {"wall": None, "tax": "against"}},
        {"labels": {"wall": ""}},
        {"labels": {}},
    )
    assert pairs(coded) == [("a1", "wall", ("for",)), ("a1", "tax", ("against",)), ("a2", "tax", ("against",))]
    assert coded.uncoded == 2


def test_a_parquet_struct_is_a_mapping(tmp_path):
    pq.write_table(pa.table({"text": ["T", "T"], "labels": [{"wall": "for", "tax": None}, None]}), tmp_path / "a.parquet")
    coded = read_coded(CodedSpec(path=str(tmp_path / "a.parquet")), STANCE)
    assert ([(example.target, example.labels) for example in coded.examples], coded.uncoded) == ([("wall", ("for",))], 1)


def test_a_column_may_hold_the_target(code):
    rows = [{"id": "a", "labels": "for", "about": "wall"}, {"id": "a", "labels": "against", "about": " tax"}]
    assert pairs(code(STANCE, *rows, target="about")) == [("a", "wall", ("for",)), ("a", "tax", ("against",))]


@pytest.mark.parametrize(
    ("row", "spec", "message"),
    [
        ({"labels": "for"}, {}, r"the task 'stance' is a stance toward a target, but data\.target is not set\.$"),
        ({"labels": "for", "about": None}, {"target": "about"}, r"the task 'stance' is a stance toward a target, but column 'about' is empty\.$"),
        ({"labels": "for", "about": "walls"}, {"target": "about"}, r"'walls' is not a target of the task 'stance' \(did you mean 'wall'\?\)"),
        ({"labels": {"walls": "for"}}, {}, r"'walls' is not a target of the task 'stance'"),
        (
            {"labels": "for", "about": "wall"},
            {"target": "abuot"},
            r"there is no column 'abuot' \(data\.labels, data\.target\) \(did you mean 'about'\?\)",
        ),
    ],
)
def test_a_stance_needs_a_target_that_the_codebook_knows(code, row, spec, message):
    with pytest.raises(DataError, match=rf"a\.jsonl:1: {message}"):
        code(STANCE, row, **spec)


def test_a_row_without_a_label_needs_no_target(code):
    assert code(STANCE, {"labels": "", "about": ""}, target="about").uncoded == 1


@pytest.mark.parametrize("row", [{"labels": {" border\nwall ": "for"}}, {"labels": "for", "about": "border  wall"}])
def test_white_space_within_a_target_is_one_space(code, row):
    spec = {"target": "about"} if "about" in row else {}
    assert [example.target for example in code(OPEN, row, **spec).examples] == ["border wall"]


def test_a_codebook_with_open_targets_takes_any(code):
    assert pairs(code(OPEN, {"labels": {"the moon": "for"}})) == [("a1", "the moon", ("for",))]


@pytest.mark.parametrize(("cell", "spec"), [({"wall": "red"}, {}), ("red", {"target": "about"})])
def test_targets_for_a_task_that_has_none_are_an_error(code, cell, spec):
    with pytest.raises(DataError, match=r"a\.jsonl:1: this row is coded for the target 'wall', but the task 'color' has no targets"):
        code(COLOR, {"labels": cell, "about": "wall"}, **spec)


# maps


@pytest.mark.parametrize(
    ("codebook", "maps", "cell", "expected"),
    [
        (COLOR, {"crimson": "red", "scarlet": ["red"]}, "crimson", [("red",)]),
        (COLOR, {"crimson": "red", "scarlet": ["red"]}, ["crimson", "scarlet"], [("red",)]),
        (COLOR, {"crimson": ("red",)}, "crimson", [("red",)]),
        (COLOR, {3: 1}, 3, [("1",)]),
        (COLOR, {"*": "blue"}, "navy", [("blue",)]),
        (COLOR, {"red": "red", "*": None}, "green", []),
        (COLOR, {"red": "red", "*": []}, None, []),
        (FRAMES, {"crime": ["law", "health"], "*": []}, "crime;sports", [("law", "health")]),
        (FRAMES, {"*": []}, ["sports"], [()]),
    ],
)
def test_maps_turn_the_labels_of_the_corpus_into_those_of_the_codebook(code, codebook, maps, cell, expected):
    coded = code(codebook, {"labels": cell}, maps=maps)
    assert (labels(coded), coded.uncoded) == (expected, not expected)


def test_maps_stand_for_the_columns_of_labels_and_for_stances_too(code):
    assert labels(code(FRAMES, {"crime": 1, "tax": 0}, labels=["crime", "tax"], maps={"crime": "law", "tax": "money"})) == [("law",)]
    assert pairs(code(STANCE, {"labels": {"wall": "pro", "tax": "unclear"}}, maps={"pro": "for", "*": []})) == [("a1", "wall", ("for",))]


def test_a_label_without_an_entry_in_maps_is_an_error_with_the_nearest(code):
    with pytest.raises(
        DataError, match=r"a\.jsonl:1: data\.maps has no entry for the label 'crimsn' \(did you mean 'crimson'\?\); it has 'crimson'\. Add one"
    ):
        code(COLOR, {"labels": "crimsn"}, maps={"crimson": "red"})


def test_maps_must_be_a_mapping():
    with pytest.raises(ConfigError, match="maps"):
        CodedSpec.parse({"maps": ["red"]}, where="config.yaml")


# ids and bad rows


def test_an_id_that_stands_twice_is_an_error_that_names_both_places(code):
    with pytest.raises(DataError, match=r"a\.jsonl:3: the id 'x' stands at .*a\.jsonl:1 already; ids must be unique in training\.$"):
        code(COLOR, {"id": "x", "labels": "red"}, {"labels": "red"}, {"id": "x", "labels": "blue"})


def test_an_id_may_stand_twice_where_its_row_is_not_coded(code):
    assert len(code(COLOR, {"id": "x", "labels": "red"}, {"id": "x", "labels": None}).examples) == 1


def test_an_id_and_target_that_stand_twice_are_an_error(code):
    rows = [{"id": "x", "labels": "for", "about": about} for about in ("wall", "tax", "wall")]
    with pytest.raises(DataError, match=r"a\.jsonl:3: the id 'x' and target 'wall' stands at .*a\.jsonl:1 already"):
        code(STANCE, *rows, target="about")


def test_a_bad_row_ends_the_reading_and_says_how_to_go_on(code):
    with pytest.raises(
        DataError, match=r"a\.jsonl:2: the text \(column 'text'\) is empty\. \(To set such rows aside and go on: data\.on_error: quarantine\)$"
    ):
        code(COLOR, {"labels": "red"}, {"text": "", "labels": "red"})


def test_bad_rows_are_set_aside_where_that_is_asked_for(code):
    coded = code(COLOR, {"labels": "red"}, {"text": "", "labels": "red"}, {"text": None}, {"labels": "blue"}, {}, on_error="quarantine")
    assert (len(coded.examples), [row.place[-2:] for row in coded.quarantined], coded.uncoded) == (2, [":2", ":3"], 1)


def test_other_paths_may_be_read_in_place_of_the_specs_own(tmp_path):
    spec = CodedSpec(path="nowhere.csv", test=str(tmp_path / "test.csv"))
    (tmp_path / "test.csv").write_text("text,labels\nT,red\n", "utf-8")
    assert spec.test == (str(tmp_path / "test.csv"),)
    assert labels(read_coded(spec, COLOR, paths=spec.test)) == [("red",)]


def test_a_csv_with_gaps_is_read_as_pandas_writes_it(tmp_path):
    coded = from_csv(tmp_path, FRAMES, "id,text,law,money\n1.0,T,1.0,0.0\n2.0,T,0.0,\n", labels=["law", "money"])
    assert pairs(coded) == [("1.0", "", ("law",)), ("2.0", "", ())]


@given(st.lists(st.sampled_from([None, "red", "blue", "", float("nan"), 0, 1.0, ["red"]]), max_size=8))
def test_every_row_is_an_example_or_counted_as_not_coded(tmp_path_factory, cells):
    path = tmp_path_factory.getbasetemp() / "coded.jsonl"
    path.write_text("".join(json.dumps({"text": "T", "labels": cell}) + "\n" for cell in cells), "utf-8")
    coded = read_coded(CodedSpec(path=str(path)), COLOR)
    assert len(coded.examples) + coded.uncoded == len(cells)
