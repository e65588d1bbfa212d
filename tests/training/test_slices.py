"""Slices of the test rows."""

import numpy as np
import pytest

from newsclf.article import Article, Example
from newsclf.scores.parts import headline
from newsclf.training.slices import FEWEST, slices


def rows(count=60, **columns):
    return [Example(Article("text", **{name: values[row] for name, values in columns.items()}), ("a",)) for row in range(count)]


def cut(examples, right, *, lengths=None, stories=None):
    count = len(examples)
    truth = np.eye(2, dtype=bool)[np.zeros(count, int)]
    decided = np.eye(2, dtype=bool)[np.where(right, 0, 1)]
    parts, statistic = headline(truth, np.full((count, 2), 0.5), decided, "exclusive")["accuracy"]
    lengths = np.arange(count) if lengths is None else lengths
    return slices(examples, lengths, np.arange(count) if stories is None else stories, parts, statistic)


def test_the_worst_comes_first_with_its_own_score():
    right = np.arange(60) >= 20
    found = cut(rows(outlet=["bad"] * 20 + ["good"] * 40), right)
    outlets = [item for item in found if item.by == "outlet"]
    assert [(item.value, item.estimate, item.rows) for item in outlets] == [("bad", 0.0, 20), ("good", 1.0, 40)]
    assert found[0].estimate <= found[-1].estimate


def test_small_slices_and_columns_of_one_value_are_left_out():
    few = FEWEST - 1
    found = cut(rows(outlet=["a"] * few + ["b"] * (60 - few), date=["2024-05-01"] * 60), np.ones(60, bool))
    assert {(item.by, item.value) for item in found if item.by != "length"} == {("outlet", "b")}


@pytest.mark.parametrize(
    ("dates", "months"), [(["2024-05-01", "2024-06-30"], {"2024-05", "2024-06"}), (["May 2024", "5/6/24"], set()), (["", "2024"], set())]
)
def test_months_are_read_off_dates_that_begin_with_the_year(dates, months):
    found = cut(rows(date=dates * 30), np.ones(60, bool))
    assert {item.value for item in found if item.by == "month"} == months


def test_a_slice_of_one_story_has_no_interval():
    found = cut(rows(outlet=["a"] * 30 + ["b"] * 30), np.ones(60, bool), stories=np.repeat([0, 1], 30))
    assert [(item.low, item.high) for item in found if item.by == "outlet"] == [(None, None), (None, None)]


def test_lengths_are_thirds():
    found = cut(rows(), np.ones(60, bool))
    assert {item.value: item.rows for item in found} == {"short third": 20, "middle third": 20, "long third": 20}
