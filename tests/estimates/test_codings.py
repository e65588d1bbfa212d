from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.article import Article
from newsclf.codebook import Codebook
from newsclf.errors import DataError
from newsclf.estimates.codings import AuditCodings, Coding, read_audit
from newsclf.estimates.exports import Design
from newsclf.estimates.sheets import SheetRow, write_sheets

COLOR = Codebook(task="color", kind="exclusive", labels=["red", "blue"])
FRAMES = Codebook(task="frames", kind="multi", labels=["law", "money", "health"])
STANCE = Codebook(task="stance", kind="exclusive", labels=["for", "against"], targets=["wall", "tax"])


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Reads rows from a csv file."""

    def read(codebook: Codebook, *rows: dict[str, str], **options: Any) -> AuditCodings:
        return read_audit([write(tmp_path / "ada.csv", rows)], codebook, **options)

    return read


def write(path: Path, rows: Any, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """Rows as a spreadsheet saves them."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    sheet = io.StringIO(newline="")
    writer = csv.DictWriter(sheet, columns, delimiter=delimiter, restval="")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(sheet.getvalue().encode(encoding))
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def said(codings: AuditCodings) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(coding.key, coding.target, coding.coder, coding.labels) for coding in codings.codings]


def test_a_sheet_comes_back_as_it_was_coded(tmp_path):
    articles = [Article(f"Text {number}.", id=str(number)) for number in range(5)]
    write_sheets(tmp_path, [SheetRow(f"c.parquet:{number}", article) for number, article in enumerate(articles)], FRAMES)
    rows = rows_of(tmp_path / "sheet-1.csv")
    for row, labels in zip(rows, ["law; money", "none", "", "not sure", "health"], strict=True):
        row |= {"labels": labels, "coder": "Ada"}
    write(tmp_path / "sheet-1.csv", rows)
    codings = read_audit([tmp_path], FRAMES)
    assert said(codings) == [
        ("c.parquet:0", "", "Ada", ("law", "money")),
        ("c.parquet:1", "", "Ada", ()),
        ("c.parquet:4", "", "Ada", ("health",)),
    ]
    assert codings.unsure == (("c.parquet:3", "", "Ada"),)
    assert (codings.uncoded, codings.repeated) == (1, 0)
    assert codings.files == (str(tmp_path / "sheet-1.csv"),)
    # the same articles in the forms for other tools are no files of uncoded rows
    assert {Path(path).name for path in codings.untouched} == {"doccano-1.jsonl", "label-studio-1.json"}
    assert "rows taken as not coded, for their cell is empty: 1" in codings.sentence()


def test_the_coder_is_the_file_where_no_name_stands(tmp_path):
    for name in ("ada", "bo"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "sheet-1.csv", [{"key": "a:1", "label": "red", "coder": ""}])
    write(tmp_path / "cy.csv", [{"key": "a:1", "label": "blue"}, {"key": "a:2", "label": "blue", "coder": " Dee "}])
    codings = read_audit([tmp_path], COLOR)
    assert codings.coders == ("Dee", "ada/sheet-1", "bo/sheet-1")
    assert codings.by_coder()["Dee"] == (Coding("a:1", "", "Dee", ("blue",)), Coding("a:2", "", "Dee", ("blue",)))
    assert sum(map(len, codings.by_coder().values())) == len(codings.codings) == 4


def test_one_name_in_a_file_is_that_of_all_its_rows(read):
    rows = [{"key": "a:1", "label": "red", "coder": "Ada"}, {"key": "a:2", "label": "red"}, {"key": "a:3", "label": "red"}]
    assert read(COLOR, *rows).coders == ("Ada",)
    assert read(COLOR, *rows, {"key": "a:4", "label": "red", "coder": "Bo"}).coders == ("Ada", "Bo", "ada")


def test_capitals_do_not_make_another_label(read):
    assert said(read(COLOR, {"key": "a:1", "label": "RED"})) == [("a:1", "", "ada", ("red",))]
    codebook = Codebook(task="t", kind="exclusive", labels=["us", "US"])
    assert said(read(codebook, {"key": "a:1", "label": "US"})) == [("a:1", "", "ada", ("US",))]
    with pytest.raises(DataError, match="'Us' is not a label"):
        read(codebook, {"key": "a:1", "label": "Us"})


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "json"])
def test_tables_of_ones_own_are_read(tmp_path, suffix):
    rows = [{"key": "a:1", "labels": ["law"]}, {"key": "a:2", "labels": []}, {"key": "a:3", "labels": None}, {"key": "a:4", "labels": ["Not sure"]}]
    path = tmp_path / f"own.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows) if suffix == "jsonl" else json.dumps(rows), "utf-8")
    codings = read_audit([path], FRAMES)
    assert said(codings) == [("a:1", "", "own", ("law",)), ("a:2", "", "own", ())]
    assert (codings.uncoded, codings.unsure) == (1, (("a:4", "", "own"),))


def test_columns_may_be_called_otherwise(read):
    row = {"place": "a:1", "kode": "red", "wer": "Ada", "pi": "0,25", "layer": "north"}
    names = {"key": "place", "labels": "kode", "coder": "wer", "inclusion_probability": "pi", "stratum": "layer"}
    codings = read(COLOR, row, columns=names)
    assert said(codings) == [("a:1", "", "Ada", ("red",))]
    assert codings.design == {"a:1": Design(0.25, "north")}


def test_a_design_of_ones_own_is_kept(read):
    row = {"key": "a:1", "label": "red", "inclusion_probability": "0.1", "stratum": "s", "cluster": "c"}
    assert read(COLOR, row, row | {"coder": "Bo"}).design == {"a:1": Design(0.1, "s", "c")}
    assert read(COLOR, {"key": "a:1", "label": "red"}).design == {}
    with pytest.raises(DataError, match=r"ada\.csv:2: .* say something else of 'a:1' than a row before"):
        read(COLOR, row, row | {"coder": "Bo", "stratum": "t"})
    for wrong in ("0", "1.5", "ten", "-1", "nan"):
        with pytest.raises(DataError, match=r"ada\.csv:1: the inclusion_probability must be a number above 0 and at most 1; it is"):
            read(COLOR, row | {"inclusion_probability": wrong})


def test_a_stance_is_coded_for_each_target(read):
    rows = [{"key": "a:1", "target": "wall", "label": "for"}, {"key": "a:1", "target": " tax ", "label": "against"}]
    assert said(read(STANCE, *rows)) == [("a:1", "wall", "ada", ("for",)), ("a:1", "tax", "ada", ("against",))]
    with pytest.raises(DataError, match=r"ada\.csv:1: 'walls' is not a target of the task 'stance' \(did you mean 'wall'\?\)"):
        read(STANCE, {"key": "a:1", "target": "walls", "label": "for"})
    with pytest.raises(DataError, match=r"ada\.csv:1: the target is empty"):
        read(STANCE, {"key": "a:1", "label": "for"})


# what people write wrongly


def test_an_unknown_label_names_the_nearest(read):
    with pytest.raises(
        DataError, match=r"ada\.csv:2: 'redd' is not a label of the task 'color' \(did you mean 'red'\?\); its labels are 'red', 'blue'"
    ):
        read(COLOR, {"key": "a:1", "label": "red"}, {"key": "a:2", "label": "redd"})
    with pytest.raises(DataError, match="Part several labels by semicolons"):
        read(FRAMES, {"key": "a:1", "labels": "law, money"})


def test_labels_of_an_older_codebook_point_to_recode(read):
    rows = [{"key": f"a:{number}", "labels": "crime; health"} for number in range(7)]
    with pytest.raises(
        DataError, match=r"ada\.csv:1: 'crime' is not a label.* 7 rows have labels that it does not have \('crime'\).* newsclf recode"
    ):
        read(FRAMES, *rows)


def test_one_label_and_no_other_is_an_exclusive_coding(read):
    with pytest.raises(DataError, match=r"ada\.csv:1: the task 'color' is exclusive, so exactly one label is needed; this row has 'red', 'blue'"):
        read(COLOR, {"key": "a:1", "label": "red; blue"})
    with pytest.raises(DataError, match=r"ada\.csv:1: 'none' is not a label of the task 'color'"):
        read(COLOR, {"key": "a:1", "label": "none"})


def test_no_label_and_a_label_contradict_each_other(read):
    with pytest.raises(DataError, match="'none' is not a label"):
        read(FRAMES, {"key": "a:1", "labels": "law; none"})


def test_who_is_not_sure_of_a_part_is_not_sure(read):
    codings = read(FRAMES, {"key": "a:1", "labels": "law; not sure"}, {"key": "a:2", "labels": "NONE"})
    assert codings.unsure == (("a:1", "", "ada"),)
    assert said(codings) == [("a:2", "", "ada", ())]


def test_words_that_the_codebook_has_are_labels(read):
    codebook = Codebook(task="t", kind="multi", labels=["none", "not sure", "a;b"])
    rows = [{"key": "a:1", "labels": "none"}, {"key": "a:2", "labels": "not sure"}, {"key": "a:3", "labels": "a;b"}]
    assert [labels for *_, labels in said(read(codebook, *rows))] == [("none",), ("not sure",), ("a;b",)]


def test_the_numbers_of_labels_that_a_codebook_allows_are_held(read):
    codebook = Codebook(task="t", kind="multi", labels=["a", "b"], min_labels=1)
    with pytest.raises(DataError, match=r"ada\.csv:1: the task 't' takes 1 to 2 labels a row"):
        read(codebook, {"key": "a:1", "labels": "none"})


def test_a_coder_says_one_thing_of_an_article(read):
    row = {"key": "a:1", "label": "red", "coder": "Bo"}
    codings = read(COLOR, row, row, row | {"coder": "Cy", "label": "blue"})
    assert said(codings) == [("a:1", "", "Bo", ("red",)), ("a:1", "", "Cy", ("blue",))]
    assert codings.repeated == 1
    assert "rows that repeat what the same coder said already: 1" in codings.sentence()
    for other, shown in (("blue", "'blue'"), ("not sure", "not sure")):
        with pytest.raises(DataError, match=rf"ada\.csv:2: the coder 'Bo' coded 'a:1' as {shown}, and as 'red' at .*ada\.csv:1"):
            read(COLOR, row, row | {"label": other})


def test_a_sheet_without_keys_is_read_by_its_ids(tmp_path, read):
    assert said(read(COLOR, {"id": "7", "label": "red"}, keys={"7": "a:1"})) == [("a:1", "", "ada", ("red",))]
    assert said(read(COLOR, {"id": "7", "label": "red"})) == [("7", "", "ada", ("red",))]
    with pytest.raises(DataError, match=r"ada\.csv:1: the row has no key, and no article that was drawn has its id '123E\+5'"):
        read(COLOR, {"id": "123E+5", "label": "red"}, keys={"12345678": "a:1"})
    with pytest.raises(DataError, match=r"ada\.csv:1: the row has no key and no id"):
        read(COLOR, {"label": "red"})
    # another coder's file still has both
    whole = write(tmp_path / "bo.csv", [{"key": "a:1", "id": "7", "label": "red"}])
    bare = write(tmp_path / "cy.csv", [{"id": "7", "label": "red"}])
    assert said(read_audit([bare, whole], COLOR)) == [("a:1", "", "cy", ("red",)), ("a:1", "", "bo", ("red",))]
    write(whole, [{"key": "a:1", "id": "7", "label": "red"}, {"key": "a:2", "id": "7", "label": "red"}])
    with pytest.raises(DataError, match="several articles have its id '7'; restore the column key"):
        read_audit([bare, whole], COLOR)


def test_a_file_in_which_nothing_is_coded_is_said(tmp_path, read):
    with pytest.raises(DataError, match=r"ada\.csv: none of its 2 rows is coded; fill in the column"):
        read(COLOR, {"key": "a:1", "label": ""}, {"key": "a:2", "label": " "})
    write_sheets(tmp_path / "a", [SheetRow("a:1", Article("Text."))], COLOR)
    with pytest.raises(DataError, match="no file here is coded"):
        read_audit([tmp_path / "a"], COLOR)


def test_order_and_files_do_not_change_the_fingerprint(tmp_path):
    rows = [{"key": f"a:{number}", "label": random.Random(number).choice(["red", "blue"]), "coder": "Bo"} for number in range(9)]
    one = read_audit([write(tmp_path / "a.csv", rows)], COLOR)
    two = read_audit([write(tmp_path / "b.csv", rows[5:]), write(tmp_path / "c.csv", rows[:5][::-1])], COLOR)
    assert one.fingerprint == two.fingerprint
    assert len(one.fingerprint) == 64
    other = read_audit([write(tmp_path / "a.csv", [*rows[1:], rows[0] | {"coder": "Cy"}])], COLOR)
    assert other.fingerprint != one.fingerprint


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(["=1+1", "-", "'=x", "a\r\nb", '"', "@", ";", ",\t"])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(TEXTS.filter(str.strip), TEXTS, st.sets(st.sampled_from(FRAMES.names))), min_size=1, max_size=8), st.sampled_from(",;\t"))
def test_any_article_written_and_coded_comes_back(tmp_path_factory, articles, delimiter):
    folder = tmp_path_factory.mktemp("any")
    keys = [f"{title.strip()}:{number}" for number, (_, title, _) in enumerate(articles)]
    rows = [SheetRow(key, Article(text, title=title)) for key, (text, title, _) in zip(keys, articles, strict=True)]
    write_sheets(folder, rows, FRAMES)
    coded = rows_of(folder / "sheet-1.csv")
    for row, (_, _, labels) in zip(coded, articles, strict=True):
        row["labels"] = "; ".join(sorted(labels)) or "none"
    write(folder / "sheet-1.csv", coded, delimiter)
    read = read_audit([folder], FRAMES)
    assert [(coding.key, set(coding.labels)) for coding in read.codings] == list(zip(keys, (labels for *_, labels in articles), strict=True))
