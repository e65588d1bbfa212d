"""How values are written: in digits, in cells, and in Markdown that no title can break."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.training.formats import FORMATS

ROW = {"name": "", "id": "a-1", "labels": ["red", "blue"], "value": 0.12345, "low": None, "high": 0.5}


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("points", 0.12345, "0.123"),
        ("points", None, "–"),
        ("share", 0.5, "50.0 %"),
        ("gain", 2.04, "+2.0"),
        ("gain", None, "–"),
        ("count", 1234.0, "1,234"),
        ("interval", {"low": 0.1, "high": 0.25}, "0.100 to 0.250"),
        ("interval", ROW, "–"),
        ("gains", {"low": -1.0, "high": 3.25}, "-1.0 to +3.2"),
        ("gains", ROW, "–"),
    ],
)
def test_numbers_are_written_alike_everywhere(form, value, text):
    assert FORMATS[form](value) == text


def test_cells_are_values_in_their_formats():
    assert FORMATS["cells"]([ROW], "name|id", "labels", "value:points", "interval") == [["a-1", "red, blue", "0.123", "–"]]


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_no_text_ends_a_cell_or_a_line_or_begins_markup(text):
    escaped = FORMATS["md"](text)
    assert "\n" not in escaped
    bare = re.sub(r"\\.", "", escaped)
    assert not set(bare) & set("|<`*[]\\")
    assert re.sub(r"\\(.)", r"\1", escaped) == " ".join(text.split())
