from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from newsclf.article import Article
from newsclf.codebook import Codebook
from newsclf.corpus.formats import Row
from newsclf.errors import DataError
from newsclf.estimates.codings import AuditCodings, read_audit
from newsclf.estimates.files import coded_files, coder_names, rows_of
from newsclf.estimates.sheets import SheetRow, write_sheets

COLOR = Codebook(task="color", kind="exclusive", labels=["red", "blue"])
FRAMES = Codebook(task="frames", kind="multi", labels=["law", "money", "health"])


def write(path: Path, rows: Any, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """Rows as a spreadsheet saves them."""
    sheet = io.StringIO(newline="")
    writer = csv.DictWriter(sheet, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(sheet.getvalue().encode(encoding))
    return path


def said(codings: AuditCodings) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(coding.key, coding.target, coding.coder, coding.labels) for coding in codings.codings]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("suffix", ["csv", "tsv"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("breaks", ["\n", "\r\n", "\r"])
def test_sheets_are_read_as_programs_save_them(tmp_path, delimiter, suffix, encoding, breaks):
    rows = [{"key": "a:1", "text": "One, two; three\tfour\n“five”", "labels": "law;money"}, {"key": "a:2", "text": "", "labels": "none"}]
    path = write(tmp_path / f"ada.{suffix}", rows, delimiter, encoding)
    path.write_bytes(path.read_bytes().replace(b"\r\n", breaks.encode()))
    assert said(read_audit([path], FRAMES)) == [("a:1", "", "ada", ("law", "money")), ("a:2", "", "ada", ())]


def test_rows_that_excel_shortens_or_leaves_empty_are_read(tmp_path):
    path = tmp_path / "ada.csv"
    path.write_text("key;label;coder;note\na:1;red\na:2;blue;Bo;;;\n;;;\n\n;;;\n", "utf-8")
    codings = read_audit([path], COLOR)
    assert said(codings) == [("a:1", "", "Bo", ("red",)), ("a:2", "", "Bo", ("blue",))]
    assert codings.uncoded == 0
    path.write_text("key;label\na:1;red;blue\n", "utf-8")
    with pytest.raises(DataError, match=r"ada\.csv:1: this row has 3 cells, the header has 2 columns"):
        read_audit([path], COLOR)


@pytest.mark.parametrize(("encoding", "problem"), [("cp1252", "the column 'text' is not UTF-8"), ("utf-16", "this file is UTF-16")])
def test_another_encoding_is_named_with_what_to_do(tmp_path, encoding, problem):
    path = write(tmp_path / "ada.csv", [{"key": "a:1", "text": "Café", "label": "red"}], encoding=encoding)
    with pytest.raises(DataError, match=rf"ada\.csv.*{problem}.*In Excel: Save as"):
        read_audit([path], COLOR)


def test_office_files_are_not_passed_over(tmp_path):
    (tmp_path / "sheet-1.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"sheet-1\.xlsx: a \.xlsx file cannot be read; save each table"):
        list(coded_files([tmp_path]))


def test_a_folder_stands_for_its_coded_files(tmp_path):
    write_sheets(tmp_path, [SheetRow("a:1", Article("Text."))], COLOR)
    (tmp_path / "sample.json").write_text("{}")
    (tmp_path / ".sheet-1.csv").write_text("a lock")
    (tmp_path / "~$sheet-1.csv").write_text("a lock")
    names = [Path(path).name for path, named in coded_files([tmp_path]) if not named]
    assert names == ["doccano-1.jsonl", "label-studio-1.json", "sheet-1.csv"]
    assert list(coded_files([tmp_path / "sheet-1.csv"])) == [(str(tmp_path / "sheet-1.csv"), True)]


def test_coders_are_called_by_their_files():
    assert coder_names(["a/ada.csv", "a/bo.jsonl.gz"]) == {"a/ada.csv": "ada", "a/bo.jsonl.gz": "bo"}
    assert coder_names(["ada/sheet-1.csv", "bo/sheet-1.csv"]) == {"ada/sheet-1.csv": "ada/sheet-1", "bo/sheet-1.csv": "bo/sheet-1"}


def test_other_formats_are_read_as_everywhere(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"key": "a:1"}) + "\n")
    assert list(rows_of(str(tmp_path / "a.jsonl"))) == [Row(f"{tmp_path}/a.jsonl:1", {"key": "a:1"})]
