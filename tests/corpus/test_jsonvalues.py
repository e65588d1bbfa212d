from __future__ import annotations

import contextlib
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.corpus import jsonvalues
from newsclf.corpus.jsonvalues import json_values
from newsclf.corpus.streams import PIECE

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def values(text: str) -> list[object]:
    return [value for value, _ in json_values(io.StringIO(text))]


@given(st.lists(JSON, max_size=8), st.sampled_from([None, 0, 3]), st.booleans(), st.integers(1, 20))
@settings(max_examples=150, deadline=None)
def test_an_array_gives_its_items_wherever_the_pieces_part_them(items, indent, ascii_only, piece):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonvalues, "PIECE", piece)
        assert values(json.dumps(items, indent=indent, ensure_ascii=ascii_only)) == items


@given(st.text(alphabet='[]{},:"\\ 12eau\n', max_size=40), st.integers(1, 8))
@settings(max_examples=200, deadline=None)
def test_any_text_gives_values_and_at_most_a_value_error(text, piece):
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(ValueError):
        patch.setattr(jsonvalues, "PIECE", piece)
        for value, source in json_values(io.StringIO(text)):
            assert json.loads(source) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n", []),
        ("[]", []),
        ("[ ]\n", []),
        ('{"a": 1}', [{"a": 1}]),
        ('{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        ('[{"a": [1, {"b": "]}"}]}, 2]', [{"a": [1, {"b": "]}"}]}, 2]),
    ],
)
def test_an_array_one_object_and_objects_one_after_another_are_read(text, expected):
    assert values(text) == expected


@pytest.mark.parametrize(
    "tail", ['[{"a": 1}, {"a": ', '[{"a": 1}', '[{"a": 1}, {"a" 2}, {"a": 3}]', '[{"a": 1}] and more', '{"a": 1}]', '[{"a": 1}, {"a": "x']
)
def test_what_stands_before_a_broken_tail_is_read_and_then_it_is_an_error(tail):
    found = []
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):  # noqa: PT012 (the loop is what breaks)
        for value, _ in json_values(io.StringIO(tail)):
            found.append(value)
    assert found == [{"a": 1}]


class Counting(io.StringIO):
    """A text that counts how often it is read, and how much of it."""

    reads = 0

    def read(self, size: int | None = -1) -> str:
        self.reads += 1
        return super().read(size)


def test_a_long_value_is_tried_again_only_when_twice_as_much_is_there():
    text = Counting('["' + "x" * 40 * PIECE)
    with pytest.raises(ValueError, match="Unterminated"):
        list(json_values(text))
    assert text.reads < 10


def test_a_value_longer_than_any_article_is_given_up(monkeypatch):
    monkeypatch.setattr(jsonvalues, "LONGEST", 2 * PIECE)
    text = Counting('["' + "x" * 40 * PIECE)
    with pytest.raises(ValueError, match="Unterminated"):
        list(json_values(text))
    assert text.tell() <= 8 * PIECE


def test_values_nested_too_deep_are_an_error_and_no_crash():
    with pytest.raises(RecursionError):
        values("[" + "[" * 100_000)
