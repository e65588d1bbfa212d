"""A record becomes files, all of them or none that was there before is lost."""

from __future__ import annotations

import json

import pytest
from estimate_records import record

from newsclf.errors import OutputError
from newsclf.estimates.page import page
from newsclf.estimates.tables import to_csv, to_latex, to_markdown
from newsclf.estimates.written import write


def test_every_form_of_a_record_is_written(tmp_path):
    written = record(labels=("enforcement",), quarters=("2024 Q1", "2024 Q2"))
    paths = write(written, tmp_path / "deep" / "out")
    assert {path.name for path in paths} == {"estimates.json", "estimates.csv", "estimates.md", "estimates.tex", "estimates.html"}
    assert json.loads(paths[0].read_bytes()) == written
    for name, made in {"csv": to_csv, "md": to_markdown, "tex": to_latex, "html": page}.items():
        assert (tmp_path / "deep" / "out" / f"estimates.{name}").read_bytes() == made(written).encode("utf-8")
    drawn = {path.name for path in (tmp_path / "deep" / "out").glob("*.svg")}
    assert drawn == {"time-1.svg", "groups-1.svg", "differences-1.svg"}


def test_the_same_record_gives_the_same_bytes_and_replaces_an_older_one(tmp_path):
    small = record(labels=("enforcement",), quarters=("2024 Q1", "2024 Q2"), differences=[])
    write(small, tmp_path / "out")
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    write(small, tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == first
    write(small | {"remarks": ["Another one."]}, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "estimates.json").read_bytes())["remarks"] == ["Another one."]


def test_a_folder_that_holds_something_else_is_left_as_it_is(tmp_path):
    (tmp_path / "thesis.docx").write_bytes(b"years of work")
    with pytest.raises(OutputError, match="this folder holds something else and is left as it is; name another folder"):
        write(record(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]
    for name in ("thesis.docx", "thesis.docx/out"):
        with pytest.raises(OutputError, match="cannot be written: Not a directory"):
            write(record(), tmp_path / name)
    assert (tmp_path / "thesis.docx").read_bytes() == b"years of work"


def test_other_kinds_of_pictures_are_drawn_where_they_are_asked_for(tmp_path):
    write(record(labels=("enforcement",), quarters=("2024 Q1",), differences=[]), tmp_path, kinds=(".png", ".pdf"))
    assert {path.name for path in tmp_path.glob("groups-*")} == {"groups-1.png", "groups-1.pdf"}
    assert (tmp_path / "groups-1.png").read_bytes().startswith(b"\x89PNG")
