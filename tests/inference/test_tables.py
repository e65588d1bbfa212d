"""Columns that pass through keep their type where they have one, and parts of different columns are read as one table."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.article import Article
from newsclf.corpus.formats import BadRow
from newsclf.inference.predictor import Reader
from newsclf.inference.tables import common_schema, joined, plain_column, quarantine_table, score_tables, with_kept

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "kind", "column"),
    [
        (["a", None, "é"], pa.string(), ["a", None, "é"]),
        ([1, None, -3], pa.int64(), [1, None, -3]),
        ([True, None, False], pa.bool_(), [True, None, False]),
        ([0.5, None], pa.float64(), [0.5, None]),
        ([1, 0.5, None], pa.float64(), [1.0, 0.5, None]),
        ([None, None], pa.null(), [None, None]),
        ([], pa.null(), []),
        ([2**64, 1], pa.string(), ["18446744073709551616", "1"]),
        ([2**60 + 1, 0.5], pa.string(), ["1152921504606846977", "0.5"]),
        ([1, "a", None], pa.string(), ["1", "a", None]),
        ([1, True], pa.string(), ["1", "true"]),
        ([["a", "é"], None, []], pa.string(), ['["a", "é"]', None, "[]"]),
        ([{"a": [1, None]}, {}], pa.string(), ['{"a": [1, null]}', "{}"]),
        (["a", {"b": 1}], pa.string(), ["a", '{"b": 1}']),
        ([date(2024, 5, 1), None], pa.string(), ["2024-05-01", None]),
        ([datetime(2024, 5, 1, 12, tzinfo=UTC)], pa.string(), ["2024-05-01T12:00:00+00:00"]),
        ([{"when": date(2024, 5, 1)}], pa.string(), ['{"when": "2024-05-01"}']),
        ([Decimal("1.50"), b"x"], pa.string(), ["1.50", "b'x'"]),
        (["caf\udce9"], pa.string(), ["caf\\udce9"]),
    ],
)
def test_a_column_has_a_plain_type_or_is_text(values, kind, column):
    found = plain_column(values)
    assert (found.type, found.to_pylist()) == (kind, column)


def test_nan_stays_a_number():
    assert [str(value) for value in plain_column([NAN, 1.0, 2]).to_pylist()] == ["nan", "1.0", "2.0"]


CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=3), inner, max_size=2),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(CELLS, max_size=5))
def test_no_cell_of_a_json_corpus_is_lost(values):
    column = plain_column(values)
    assert len(column) == len(values)
    for value, cell in zip(values, column.to_pylist(), strict=True):
        assert cell == value or json.loads(cell) == value


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=1, max_size=4))
def test_parts_of_any_columns_have_a_common_schema(parts):
    tables = [pa.table({"x": plain_column(values), f"only.{number}": plain_column(values)}) for number, values in enumerate(parts)]
    schema = common_schema([table.schema for table in tables])
    assert schema.names == ["x", *(f"only.{number}" for number in range(len(parts)))]
    kinds = {table.schema.field("x").type for table in tables} - {pa.null()}
    numbers = kinds == {pa.int64(), pa.float64()}
    assert schema.field("x").type == (pa.float64() if numbers else kinds.pop() if len(kinds) == 1 else pa.string() if kinds else pa.null())


def test_a_quarantine_is_a_table_of_text_even_without_a_row():
    table = quarantine_table([BadRow("caf\udce9.csv:1", "broken")])
    assert table.to_pylist() == [{"place": "caf\\udce9.csv:1", "reason": "broken"}]
    assert quarantine_table([]).schema == table.schema


def test_names_that_are_ours_are_set_apart_whether_or_not_they_are_used():
    extra = {"place": 1, "title": 2, "topic.label": 3, "topic": 4, "extra": 5, "extra.title": 6, "topics": 7, "stance.label": 8}
    table = pa.table({"place": ["x:1"], "id": ["a"], "topic.label": ["health"], "url": ["u"]})
    row = with_kept(table, {name: [value] for name, value in extra.items()}, ["topic"]).to_pylist()[0]
    names = [f"extra.{name}" if name not in ("topics", "stance.label") else name for name in extra]
    assert row == {"place": "x:1", "id": "a", "url": "u", **dict(zip(names, extra.values(), strict=True)), "topic.label": "health"}
    assert list(row) == ["place", "id", "url", *names, "topic.label"]


def test_batches_of_different_columns_are_joined():
    one, other = pa.table({"id": ["a"], "title": ["A"]}), pa.table({"id": ["b"], "url": ["u"]})
    assert joined([one, other, one.slice(1)]).to_pylist() == [{"id": "a", "title": "A", "url": None}, {"id": "b", "title": None, "url": "u"}]
    assert joined([one, one]).schema == one.schema


def test_identity_columns_are_written_where_an_article_has_them(models):
    reader = Reader([models["stance"]])
    articles = [Article("The wall.", id="a", place="x:1"), Article("The wall.", id="b", place="x:2", outlet="Wire", url="u")]
    cleaned = reader.clean(articles)
    tables = score_tables(articles, reader.answer(cleaned, ["wall", "judge"]), cleaned, sentences=0)
    assert tables[""].to_pydict() == {"place": ["x:1", "x:2"], "id": ["a", "b"], "outlet": [None, "Wire"], "url": [None, "u"]}
    stance = tables["stance"]
    assert stance["id"].to_pylist() == ["a", "a", "b", "b"]
    assert stance["stance.target"].to_pylist() == ["wall", "judge"] * 2
