from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.article import Article
from newsclf.codebook import Codebook
from newsclf.errors import DataError, InputError
from newsclf.estimates.codings import AuditCodings, read_audit
from newsclf.estimates.exports import marks_of
from newsclf.estimates.sheets import SheetRow, write_sheets

COLOR = Codebook(task="color", kind="exclusive", labels=["red", "blue"])
FRAMES = Codebook(task="frames", kind="multi", labels=["law", "money", "health"])
STANCE = Codebook(task="stance", kind="exclusive", labels=["for", "against"], targets=["wall", "tax"])


def said(codings: AuditCodings) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(coding.key, coding.target, coding.coder, coding.labels) for coding in codings.codings]


def annotation(*labels: str, by: Any = 1, name: str = "labels", **more: Any) -> dict[str, Any]:
    """An annotation as Label Studio exports it; without labels its result is empty."""
    chosen = {"id": "x1", "type": "choices", "from_name": name, "to_name": "text", "origin": "manual", "value": {"choices": list(labels)}}
    note = {"id": "x2", "type": "textarea", "from_name": "note", "to_name": "text", "origin": "manual", "value": {"text": ["a note"]}}
    return {"id": 9, "completed_by": by, "was_cancelled": False, "ground_truth": False, "result": [note, *([chosen] if labels else [])]} | more


def task(key: str, *annotations: dict[str, Any], **data: str) -> dict[str, Any]:
    return {
        "id": 42,
        "data": {"key": key, "article_id": "7", "text": "Text."} | data,
        "annotations": list(annotations),
        "predictions": [],
        "project": 3,
    }


def exported(path: Path, *values: Any) -> Path:
    text = "".join(json.dumps(value) + "\n" for value in values) if path.suffix == ".jsonl" else json.dumps(values)
    path.write_text(text, "utf-8")
    return path


def test_label_studio_says_who_chose_what(tmp_path):
    path = exported(
        tmp_path / "project-3.json",
        task("a:1", annotation("law", "money"), annotation("law", by={"id": 2, "email": "bo@pine.example", "first_name": "Bo"})),
        task("a:2", annotation("none")),
        task("a:3", annotation()),
        task("a:4", annotation("not sure")),
        task("a:5", annotation(was_cancelled=True), annotation("health", by=2)),
        task("a:6"),
    )
    codings = read_audit([path], FRAMES)
    assert said(codings) == [
        ("a:1", "", "1", ("law", "money")),
        ("a:1", "", "bo@pine.example", ("law",)),
        ("a:2", "", "1", ()),
        ("a:3", "", "1", ()),
        ("a:5", "", "2", ("health",)),
    ]
    assert codings.unsure == (("a:4", "", "1"), ("a:5", "", "1"))
    assert codings.uncoded == 1


def test_label_studio_may_give_an_exclusive_task_no_label(tmp_path):
    path = exported(tmp_path / "a.json", task("a:1", annotation()), task("a:2", annotation("red", name="label")))
    codings = read_audit([path], COLOR)
    assert said(codings) == [("a:2", "", "1", ("red",))]
    assert codings.uncoded == 1


def test_label_studio_is_read_whatever_the_choices_are_called(tmp_path):
    path = exported(tmp_path / "a.json", task("a:1", annotation("red", name="hue")))
    assert said(read_audit([path], COLOR)) == [("a:1", "", "1", ("red",))]
    both = annotation("red", name="hue")
    both["result"] += annotation("large", name="size")["result"]
    exported(path, task("a:1", both))
    with pytest.raises(DataError, match=r"a\.json:1: there are the choices 'hue', 'size'; name those"):
        read_audit([path], COLOR)
    assert said(read_audit([path], COLOR, columns={"labels": "hue"})) == [("a:1", "", "1", ("red",))]


def test_a_coder_who_annotates_twice_says_one_thing(tmp_path):
    path = exported(tmp_path / "a.json", task("a:1", annotation("law"), annotation("law")))
    assert read_audit([path], FRAMES).repeated == 1
    exported(path, task("a:1", annotation("law"), annotation("money")))
    with pytest.raises(DataError, match=r"a\.json:1: the coder '1' coded 'a:1' as 'money', and as 'law' at"):
        read_audit([path], FRAMES)


def minimal(key: str, annotated: int | None, **more: Any) -> dict[str, Any]:
    """A record of Label Studio's JSON-MIN: what was chosen stands beside the data, and id is the task's number."""
    about = {"annotator": 1, "annotation_id": annotated, "created_at": "2025-03-01T10:00:00Z", "updated_at": "2025-03-01T10:00:00Z", "lead_time": 3.5}
    return {"key": key, "article_id": "7", "text": "Text.", "id": 42} | about | more


def test_label_studio_in_short(tmp_path):
    path = exported(
        tmp_path / "a.json",
        minimal("a:1", 5, labels={"choices": ["law", "money"]}, note="a note"),
        minimal("a:1", 6, labels="law", annotator="bo@pine.example"),
        minimal("a:2", 7, labels="not sure"),
        minimal("a:3", 8),
        minimal("a:4", None),
    )
    codings = read_audit([path], FRAMES)
    assert said(codings) == [("a:1", "", "1", ("law", "money")), ("a:1", "", "bo@pine.example", ("law",)), ("a:3", "", "1", ())]
    assert codings.unsure == (("a:2", "", "1"),)
    assert codings.uncoded == 1


def test_label_studio_as_csv(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('key,id,labels,annotator,annotation_id\na:1,42,"{""choices"": [""law"", ""money""]}",1,5\na:2,43,law,1,6\na:3,44,,1,7\n', "utf-8")
    assert [(key, labels) for key, _, _, labels in said(read_audit([path], FRAMES))] == [("a:1", ("law", "money")), ("a:2", ("law",)), ("a:3", ())]


def test_doccano_writes_a_file_for_each_coder(tmp_path):
    row = {"id": 11, "text": "Text.", "article_id": "7", "Comments": []}
    exported(tmp_path / "ada.jsonl", row | {"key": "a:1", "label": ["law", "money"]}, row | {"key": "a:2", "label": []})
    exported(tmp_path / "bo.jsonl", row | {"key": "a:1", "label": ["none"]}, row | {"key": "a:2", "label": ["not sure"]})
    codings = read_audit([tmp_path], FRAMES)
    assert said(codings) == [("a:1", "", "ada", ("law", "money")), ("a:1", "", "bo", ())]
    assert codings.unsure == (("a:2", "", "bo"),)
    # doccano writes an empty list for what nobody coded as well
    assert codings.uncoded == 1


def test_an_articles_id_is_not_the_tools_number(tmp_path):
    record = minimal("", 5, labels="law")
    doccano = {"id": 11, "article_id": "7", "text": "Text.", "label": ["law"]}
    paths = [exported(tmp_path / "a.json", record), exported(tmp_path / "bo.jsonl", doccano)]
    assert said(read_audit(paths, FRAMES, keys={"7": "a:1"})) == [("a:1", "", "1", ("law",)), ("a:1", "", "bo", ("law",))]


def test_predictions_are_no_codings(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text("key,frames.labels,frames.p.law,frames.abstained\na:1,law,0.9,false\n", "utf-8")
    with pytest.raises(DataError, match=r"scores\.csv: these are predictions of a model \(column 'frames\.labels'\)"):
        list(marks_of(str(path), FRAMES))
    predicted = exported(tmp_path / "a.jsonl", {"id": "7", "labels": ["law"], "abstained": False, "probabilities": {"law": 0.9}})
    with pytest.raises(DataError, match="these are predictions of a model"):
        list(marks_of(str(predicted), FRAMES))


def test_columns_that_are_not_there_are_said(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("key,lable\na:1,red\n", "utf-8")
    with pytest.raises(
        DataError, match=r"a\.csv: there is no column 'label' that holds the labels \(did you mean 'lable'\?\).*--column labels=COLUMN"
    ):
        list(marks_of(str(path), COLOR))
    assert [mark.labels for mark in marks_of(str(path), COLOR, {"labels": "lable"})] == [("red",)]
    with pytest.raises(DataError, match=r"a\.csv: there is no column 'who' \(coder\)"):
        list(marks_of(str(path), COLOR, {"labels": "lable", "coder": "who"}))
    with pytest.raises(InputError, match=r"there is no field 'label' in a coded file \(did you mean 'labels'\?\)"):
        list(marks_of(str(path), COLOR, {"label": "lable"}))


def test_a_file_that_breaks_off_is_named(tmp_path):
    path = exported(tmp_path / "a.json", task("a:1", annotation("law")), task("a:2", annotation("law")))
    path.write_text(path.read_text("utf-8")[:-60], "utf-8")
    with pytest.raises(DataError, match=r"a\.json:2: the file breaks off here"):
        list(marks_of(str(path), FRAMES))
    with pytest.raises(DataError, match="there is no such file"):
        list(marks_of(str(tmp_path / "gone.csv"), FRAMES))


def test_what_only_looks_like_label_studio_is_said(tmp_path):
    path = exported(tmp_path / "a.json", {"data": {"key": "a:1"}, "annotations": ["law"]})
    with pytest.raises(DataError, match=r"a\.json:1: the annotations must be a list of objects"):
        list(marks_of(str(path), FRAMES))


CHOSEN = st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip), st.booleans()), min_size=1)


@settings(max_examples=20, deadline=None)
@given(CHOSEN)
def test_what_was_written_for_tools_comes_back_in_their_exports(tmp_path_factory, articles):
    folder = tmp_path_factory.mktemp("any")
    write_sheets(folder, [SheetRow(f"a:{number}", Article(text, id=text), "tax") for number, (text, _) in enumerate(articles)], STANCE)
    wanted = [(f"a:{number}", "tax", ("for" if is_for else "against",)) for number, (_, is_for) in enumerate(articles)]
    tasks = json.loads((folder / "label-studio-1.json").read_text("utf-8"))
    lines = [json.loads(line) for line in (folder / "doccano-1.jsonl").read_text("utf-8").split("\n")[:-1]]
    labels = [label for _, _, (label,) in wanted]
    whole = [each | {"id": 1, "annotations": [annotation(label, name="label")]} for each, label in zip(tasks, labels, strict=True)]
    short = [each["data"] | {"id": 1, "label": label, "annotator": 1, "annotation_id": 2} for each, label in zip(tasks, labels, strict=True)]
    doccano = [{"id": 1} | line | {"label": [label], "Comments": []} for line, label in zip(lines, labels, strict=True)]
    for name, values in (("whole.json", whole), ("short.json", short), ("ada.jsonl", doccano)):
        read = read_audit([exported(folder / name, *values)], STANCE)
        assert [(coding.key, coding.target, coding.labels) for coding in read.codings] == wanted, name
