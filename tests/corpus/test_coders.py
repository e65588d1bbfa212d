from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.codebook import Codebook
from newsclf.corpus.coders import Codings, CodingSpec, read_codings
from newsclf.errors import DataError

COLOR = Codebook(task="color", kind="exclusive", labels=["red", "blue"])
FRAMES = Codebook(task="frames", kind="multi", labels=["law", "money", "health"])
STANCE = Codebook(task="stance", kind="exclusive", labels=["for", "against"], targets=["wall", "tax"])


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Reads rows from a JSON-lines file."""

    def read(codebook: Codebook, *rows: dict[str, Any], **spec: Any) -> Codings:
        (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return read_codings(CodingSpec(path=str(tmp_path / "a.jsonl"), **spec), codebook)

    return read


def row(identifier: str, coder: str, label: Any, **more: Any) -> dict[str, Any]:
    return {"id": identifier, "coder": coder, "label": label} | more


def said(codings: Codings) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(example.article.id, example.target, example.coder, example.labels) for example in codings.examples]


def test_a_row_is_what_a_coder_gives_an_article(read):
    codings = read(COLOR, row("b", "Bo", "red"), row("b", "Ada", "blue"), row("a", "Bo", "red"))
    assert said(codings) == [("b", "", "Bo", ("red",)), ("b", "", "Ada", ("blue",)), ("a", "", "Bo", ("red",))]
    assert codings.keys == (("b", ""), ("a", ""))
    assert codings.coders == ("Ada", "Bo")
    article, coder, labels = codings.arrays()
    assert (article.tolist(), coder.tolist()) == ([0, 0, 1], [1, 0, 1])
    assert labels.tolist() == [[True, False], [False, True], [True, False]]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_all_kinds_of_files_are_read_alike(tmp_path, suffix):
    rows = [row(1, "Ada", "law; money"), row(1, "Bo", ""), row(2, "Bo", "health"), row(2, "Ada", "Not sure")]
    file = tmp_path / f"a.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), file)
    else:
        lines = (
            [json.dumps(each) for each in rows] if suffix == "jsonl" else ["id,coder,label", *(",".join(map(str, each.values())) for each in rows)]
        )
        file.write_text("\n".join(lines) + "\n", "utf-8")
    codings = read_codings(CodingSpec(path=str(file)), FRAMES)
    assert said(codings) == [("1", "", "Ada", ("law", "money")), ("1", "", "Bo", ()), ("2", "", "Bo", ("health",))]
    assert codings.unsure == ((("2", ""), "Ada"),)


def test_columns_of_any_name_are_read(read):
    rows = [{"nr": 7, "who": "Ada", "codes": "law|money"}, {"nr": 7, "who": 2, "codes": "law"}]
    codings = read(FRAMES, *rows, id="nr", coder="who", labels="codes", separator="|")
    assert said(codings) == [("7", "", "Ada", ("law", "money")), ("7", "", "2", ("law",))]


def test_labels_may_be_lists_columns_or_other_names(read):
    assert said(read(FRAMES, row("a", "Ada", ["law"])))[0][3] == ("law",)
    assert said(read(FRAMES, {"id": "a", "coder": "Ada", "law": 1, "money": 0}, labels=["law", "money"]))[0][3] == ("law",)
    assert said(read(COLOR, row("a", "Ada", "crimson"), maps={"crimson": "red"}))[0][3] == ("red",)


def test_a_stance_is_coded_for_each_target(read):
    codings = read(STANCE, row("a", "Ada", "for", target="wall"), row("a", "Ada", "against", target="tax"), row("a", "Bo", "not sure", target="tax"))
    assert codings.keys == (("a", "wall"), ("a", "tax"))
    assert codings.unsure == ((("a", "tax"), "Bo"),)
    assert codings.unsure_of().tolist() == [0, 1]


def test_a_cell_may_hold_the_stance_to_each_target(read):
    codings = read(STANCE, row("a", "Ada", {"wall": "for", "tax": "not sure"}), row("a", "Bo", {"wall": "NOT SURE", "tax": "not sure"}))
    assert said(codings) == [("a", "wall", "Ada", ("for",))]
    assert codings.unsure == ((("a", "tax"), "Ada"), (("a", "wall"), "Bo"), (("a", "tax"), "Bo"))


def test_rows_of_other_tasks_are_passed_over(read):
    codings = read(COLOR, row("a", "Ada", "law", task="frames"), row("a", "Ada", "red", task="color"), row("b", "Ada", "law", task="frames"))
    assert said(codings) == [("a", "", "Ada", ("red",))]
    assert codings.other_tasks == 2


def test_a_file_without_a_row_of_the_task_says_which_tasks_it_has(read):
    with pytest.raises(DataError, match=r"no row is coded for the task 'color'; rows of the tasks 'frames': 2\."):
        read(COLOR, row("a", "Ada", "law", task="frames"), row("b", "Ada", "law", task="frames"))


@pytest.mark.parametrize("cell", ["not sure", " Not Sure ", ["not sure"]])
def test_not_sure_is_no_label(read, cell):
    codings = read(COLOR, row("a", "Ada", cell), row("a", "Bo", "red"), row("b", "Ada", cell))
    assert len(codings.examples) == 1
    assert codings.keys == (("a", ""), ("b", ""))
    assert codings.unsure_of().tolist() == [1, 1]
    assert codings.uncoded == 0


def test_not_sure_is_a_label_where_the_codebook_has_it_and_other_words_may_be_named(read):
    open_ended = Codebook(task="color", kind="exclusive", labels=["red", "not sure"])
    assert said(read(open_ended, row("a", "Ada", "not sure")))[0][3] == ("not sure",)
    assert read(COLOR, row("a", "Ada", "?"), row("a", "Bo", "red"), unsure=["?", "dk"]).unsure == ((("a", ""), "Ada"),)


def test_rows_without_a_code_are_counted(read):
    assert read(COLOR, row("a", "Ada", None), row("a", "Bo", "red"), row("b", "Bo", " ")).uncoded == 2


# what must not be


def test_a_coder_who_codes_an_article_twice_is_an_error_that_names_both_places(read):
    with pytest.raises(DataError, match=r"a\.jsonl:3: the coder 'Ada' coded the id 'a' at .*a\.jsonl:1 already\. Keep one"):
        read(COLOR, row("a", "Ada", "red"), row("a", "Bo", "red"), row("a", "Ada", "red"))
    with pytest.raises(DataError, match="'a' and target 'tax' at"):
        read(STANCE, row("a", "Ada", {"tax": "for"}), row("a", "Ada", {"wall": "for", "tax": "for"}))
    with pytest.raises(DataError, match="already"):
        read(COLOR, row("a", "Ada", "red"), row("a", "Ada", "not sure"))


def test_a_file_that_is_named_twice_is_coded_twice(tmp_path):
    (tmp_path / "a.csv").write_text("id,coder,label\n1,Ada,red\n", "utf-8")
    with pytest.raises(DataError, match="already"):
        read_codings(CodingSpec(path=(str(tmp_path / "a.csv"),) * 2), COLOR)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"coder": "Ada", "label": "red"}], r"a\.jsonl:1: this row has no id, .* \(data\.id\)\.$"),
        ([{"id": " ", "coder": "", "label": "red"}], r"a\.jsonl:1: the column 'coder' is empty"),
        (
            [{"id": "a", "coders": "Ada", "label": "red"}],
            r"there is no column 'coder' \(data\.coder\) \(did you mean 'coders'\?\); there are 'coders', 'label'",
        ),
        ([row("a", "Ada", "red"), row("a", None, "red")], r"a\.jsonl:2: the column 'coder' is empty"),
        ([row("a", "Ada", "rad")], r"a\.jsonl:1: 'rad' is not a label of the task 'color' \(did you mean 'red'\?\)"),
        ([{"id": "a", "coder": "Ada", "code": "red"}], r"a\.jsonl:1: there is no column 'labels'"),
        (
            [row("a", "Ada", "red", text="One."), row("a", "Bo", "red", text="Two.")],
            r"a\.jsonl:2: the id 'a' stands for another text at .*a\.jsonl:1;",
        ),
        ([row("a", "Ada", None)], r"a\.jsonl'?: no row is coded for the task 'color'\."),
    ],
)
def test_a_row_that_must_not_be_is_an_error_with_its_place(read, rows, message):
    with pytest.raises(DataError, match=message):
        read(COLOR, *rows)


def test_an_empty_id_is_no_id(read):
    with pytest.raises(DataError, match=r"a\.jsonl:2: this row has no id"):
        read(COLOR, row("a", "Ada", "red"), row("", "Ada", "red"))


def test_a_row_that_cannot_be_read_stops_or_is_set_aside(tmp_path):
    (tmp_path / "a.jsonl").write_text(f"oops\n{json.dumps(row('a', 'Ada', 'red'))}\nno\n", "utf-8")
    with pytest.raises(DataError, match=r"a\.jsonl:1: .*on_error: quarantine"):
        read_codings(CodingSpec(path=str(tmp_path / "a.jsonl")), COLOR)
    codings = read_codings(CodingSpec(path=str(tmp_path / "a.jsonl"), on_error="quarantine"), COLOR)
    assert len(codings.examples) == 1
    assert [Path(bad.place).name for bad in codings.quarantined] == ["a.jsonl:1", "a.jsonl:3"]


# texts


def test_texts_are_not_needed_and_are_kept_once(read):
    codings = read(
        COLOR,
        row("a", "Ada", "red", text=""),
        row("a", "Bo", "red", text="Roses."),
        row("a", "Cy", "red", text=None),
        row("b", "Bo", "red", text=" "),
    )
    assert [example.article.text for example in codings.examples] == ["Roses.", "Roses.", "Roses.", ""]
    assert len({id(example.article) for example in codings.examples}) == 2


def test_a_text_that_is_wrapped_otherwise_is_the_same_text(read):
    assert len(read(COLOR, row("a", "Ada", "red", text="Red\nroses."), row("a", "Bo", "red", text="Red roses. ")).examples) == 2


def test_a_column_of_texts_that_was_named_must_be_there(read):
    with pytest.raises(DataError, match="there is no column 'body'"):
        read(COLOR, row("a", "Ada", "red"), text="body")


# repeated articles


def test_a_marked_article_may_be_coded_again_and_is_told_apart(read):
    rows = [
        row("s", "Ada", "red", repeated=1),
        row("s", "Ada", "blue", repeated=1),
        row("s", "Bo", "red", repeated=0),
        row("a", "Ada", "red", repeated=0),
    ]
    codings = read(COLOR, *rows)
    assert said(codings) == [("s", "", "Ada", ("red",)), ("s", "", "Bo", ("red",)), ("a", "", "Ada", ("red",))]
    assert codings.repeated == {("s", "")}
    assert codings.again == 1
    assert codings.once().keys == (("a", ""),)
    assert codings.once().coders == ("Ada",)


@pytest.mark.parametrize("mark", [True, "true", "Yes", "x", "1.0", 1])
def test_a_mark_is_a_yes_in_any_spelling(read, mark):
    assert read(COLOR, row("a", "Ada", "red", shown_again=mark), repeated="shown_again").repeated == {("a", "")}


@pytest.mark.parametrize("mark", [False, "false", "no", "", None, 0])
def test_anything_else_is_no_mark(read, mark):
    assert read(COLOR, row("a", "Ada", "red", repeated=mark)).repeated == set()


def test_a_text_under_several_ids_is_recognised_as_repeated(read):
    rows = [row("1", "Ada", "red", text="Roses are red."), row("2", "Bo", "red", text="Roses  are red."), row("3", "Bo", "blue", text="The sea.")]
    codings = read(COLOR, *rows)
    assert codings.repeated == {("1", ""), ("2", "")}
    assert codings.once().keys == (("3", ""),)


def test_articles_without_texts_are_not_alike(read):
    assert read(COLOR, row("1", "Ada", "red"), row("2", "Bo", "red")).repeated == set()


# whatever the rows


cells = st.sampled_from(["red", "blue", "not sure", None, ""])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["Ada", "Bo"]), cells), min_size=1, max_size=8))
def test_every_row_is_a_coding_a_doubt_or_no_code_and_none_counts_twice(tmp_path_factory, rows):
    file = tmp_path_factory.mktemp("codings") / "a.jsonl"
    file.write_text("".join(json.dumps(row(*each)) + "\n" for each in rows), "utf-8")
    coded = [each[:2] for each in rows if each[2]]
    spec = CodingSpec(path=str(file))
    if len(set(coded)) < len(coded) or not coded:
        with pytest.raises(DataError, match="already" if coded else "no row is coded"):
            read_codings(spec, COLOR)
        return
    codings = read_codings(spec, COLOR)
    assert len(codings.examples) + len(codings.unsure) + codings.uncoded == len(rows)
    assert set(codings.keys) == {(identifier, "") for identifier, _ in coded}


def test_a_column_that_rows_of_other_tasks_lack_is_found(tmp_path):
    stance = Codebook.parse({"task": "view", "kind": "exclusive", "labels": ["favor", "against"], "targets": ["the market"]}, where="test")
    rows = [
        {"id": "1", "coder": "ann", "task": "topic", "label": "red"},
        {"id": "1", "coder": "ann", "task": "view", "target": "the market", "label": "favor"},
        {"id": "1", "coder": "bob", "task": "view", "target": "the market", "label": "against"},
    ]
    (tmp_path / "codings.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    found = read_codings(CodingSpec(path=(str(tmp_path / "codings.jsonl"),)), stance)
    assert [(example.target, example.labels) for example in found.examples] == [("the market", ("favor",)), ("the market", ("against",))]
    assert found.other_tasks == 1
