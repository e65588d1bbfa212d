"""How many of each stratum are coded: all that was asked for and no more, enough of every group, and more where the model is unsure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.scores.allocate import allocate, cut, needed

THREE = np.array([0, 0, 0, 1, 1, 1], np.int64)
"""Two groups of three strata."""


@st.composite
def frames(draw: st.DrawFn) -> dict[str, Any]:
    """Strata in groups, and how many to draw."""
    strata = draw(st.integers(1, 12))
    sizes = draw(st.lists(st.integers(1, 3000), min_size=strata, max_size=strata))
    spreads = draw(st.lists(st.one_of(st.just(0.0), st.floats(1e-20, 1)), min_size=strata, max_size=strata))
    groups = np.sort(draw(st.lists(st.integers(0, 4), min_size=strata, max_size=strata)))
    n = draw(st.integers(1, sum(sizes) + 10))
    return {"sizes": np.array(sizes, float), "spreads": np.array(spreads), "groups": groups.astype(np.int64), "n": n}


@settings(max_examples=200, deadline=None)
@given(frames())
def test_all_that_was_asked_for_and_no_more_of_any_than_there_is(frame):
    drawn, sizes = allocate(**frame), frame["sizes"]
    assert drawn.dtype == np.int64
    assert drawn.sum() == max(min(frame["n"], sizes.sum()), np.minimum(2, sizes).sum())
    assert (drawn <= sizes).all()
    assert (drawn >= np.minimum(2, sizes)).all()


@settings(max_examples=200, deadline=None)
@given(frames(), st.integers(0, 40))
def test_every_group_gets_as_much_as_all_can_have(frame, least):
    drawn, groups = allocate(**frame, least=least), frame["groups"]
    got, there, floors = (np.bincount(groups, values) for values in (drawn, frame["sizes"], np.minimum(2, frame["sizes"])))
    affordable = [each for each in range(least + 1) if np.maximum(np.minimum(each, there), floors).sum() <= max(frame["n"], floors.sum())]
    assert (got >= np.minimum(affordable[-1], there)).all()


@settings(max_examples=200, deadline=None)
@given(frames(), st.integers(1, 500))
def test_an_addition_takes_none_away(frame, more):
    first = allocate(**frame)
    second = allocate(**(frame | {"n": int(first.sum()) + more}), already=first)
    assert (second >= first).all()
    assert second.sum() == min(first.sum() + more, frame["sizes"].sum())


def test_more_is_drawn_where_the_model_is_unsure_but_less_than_it_thinks():
    drawn = allocate(np.array([1000.0, 1000]), np.array([0.1, 0.4]), np.zeros(2, np.int64), 400)
    # half of each spread is the mean, .25: (.1 + .25) : (.4 + .25), and not 1 : 4
    assert drawn.tolist() == [140, 260]


def test_what_the_model_is_sure_of_is_drawn_by_size():
    assert allocate(np.array([900.0, 100]), np.zeros(2), np.zeros(2, np.int64), 100).tolist() == [90, 10]


def test_a_small_group_gets_its_least_and_one_with_fewer_is_taken_whole():
    sizes = np.array([40_000.0, 30_000, 20_000, 200, 100, 12, 3, 2, 2])
    groups = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2], np.int64)
    drawn = allocate(sizes, np.full(9, 0.3), groups, 300)
    assert drawn[3:6].sum() == 30
    assert drawn[6:].tolist() == [3, 2, 2]
    assert drawn.sum() == 300


def test_groups_share_what_does_not_go_around():
    drawn = allocate(np.array([40_000.0, 300, 300, 5]), np.full(4, 0.3), np.arange(4), 50)
    assert drawn.tolist() == [15, 15, 15, 5]


def test_rests_do_not_add_up_to_more_than_was_asked_for():
    # 30 of each group, in three strata of a third each with rests that round up
    sizes = np.array([100.0, 101, 102] * 25)
    drawn = allocate(sizes, np.full(75, 0.2), np.repeat(np.arange(25), 3), 750)
    assert drawn.sum() == 750
    assert np.bincount(np.repeat(np.arange(25), 3), drawn).tolist() == [30.0] * 25


def test_numbers_of_groups_need_not_begin_at_0():
    sizes, spreads = np.array([500.0, 40, 700, 90, 10, 10]), np.full(6, 0.4)
    assert allocate(sizes, spreads, THREE * 7 + 3, 200).tolist() == allocate(sizes, spreads, THREE, 200).tolist()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=100).filter(any), st.integers(1, 5))
def test_cuts_are_in_order_and_no_stratum_is_empty(counts, strata):
    where = cut(np.array(counts, float), strata)
    found = np.unique(where)
    assert (np.diff(where) >= 0).all()
    assert found.tolist() == list(range(len(found)))
    assert len(found) <= strata
    assert all(sum(np.array(counts)[where == number]) > 0 for number in found)


def test_cuts_part_the_root_of_the_counts_evenly():
    assert cut(np.full(9, 16.0), 3).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    # roots 10, 1 × 10: the first bin alone is a half
    assert cut(np.array([100.0, *[1.0] * 10]), 2).tolist() == [0, *[1] * 10]
    assert cut(np.array([0.0, 0, 5, 0, 0]), 3).tolist() == [0, 0, 0, 0, 0]


def test_needed_is_the_textbook_number():
    # 1.96² · .25 / .03² = 1067.1 of endlessly many; with 2,000 to draw from 1067.1 / (1 + 1067.1 / 2000) = 695.9
    found = needed(np.array([0.25, 0.25, 0.0, 0.25]), np.array([1e12, 2000, 500, 12]), 0.03)
    assert found.tolist() == [1068, 696, 30, 12]
    assert needed(np.array([0.25]), np.array([1e12]), 0.03, critical=2.5758)[0] == pytest.approx(1844, abs=1)
