"""Groups that shares are given of, and the comparisons between them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.estimates.contrasts import MANY, families, margins


def named(groups, by, told=None, apart=()):
    """Family → pairs of groups, written as their values."""
    told = [True] * len(groups) if told is None else told
    return {
        family.name: [tuple(", ".join(groups[at].values()) for at in pair) for pair in family.pairs]
        for family in families(groups, by, told, apart=apart)
    }


def test_margins_are_the_whole_every_value_and_the_smallest_groups():
    cells = [("Post", "2025-02"), ("Mail", "2025-01"), ("Post", "2025-01")]
    assert margins(["outlet", "month"], cells) == [
        {},
        {"outlet": "Mail"},
        {"outlet": "Post"},
        {"month": "2025-01"},
        {"month": "2025-02"},
        {"outlet": "Mail", "month": "2025-01"},
        {"outlet": "Post", "month": "2025-01"},
        {"outlet": "Post", "month": "2025-02"},
    ]
    assert margins([], [()]) == [{}]
    assert margins(["outlet"], [("Post",), ("Mail",)]) == [{}, {"outlet": "Mail"}, {"outlet": "Post"}]


def test_three_columns_have_their_values_and_the_smallest_groups_alone():
    cells = list(product("ab", "cd", "ef"))
    sizes = [len(group) for group in margins(["x", "y", "z"], cells)]
    assert sizes == [0, *[1] * 6, *[3] * 8]


def test_columns_apart_are_never_summed_over():
    cells = list(product(("bridge", "garden"), ("Mail", "Post")))
    groups = margins(["target", "outlet"], cells, apart=["target"])
    assert groups[:2] == [{"target": "bridge"}, {"target": "garden"}]
    assert all("target" in group for group in groups)
    assert len(groups) == 6
    assert named(groups, ["target", "outlet"], apart=["target"]) == {
        "pairs of outlet of bridge": [("bridge, Mail", "bridge, Post")],
        "pairs of outlet of garden": [("garden, Mail", "garden, Post")],
    }


def test_outlets_are_compared_in_pairs_and_periods_with_the_one_before():
    cells = list(product(("A", "B", "C"), ("2025-01", "2025-02", "2025-03")))
    by = ["outlet", "month"]
    assert named(margins(by, cells), by) == {
        "pairs of outlet": [("A", "B"), ("A", "C"), ("B", "C")],
        "one month and the one before": [("2025-02", "2025-01"), ("2025-03", "2025-02")],
        "the last month and the first of each outlet": [("A, 2025-03", "A, 2025-01"), ("B, 2025-03", "B, 2025-01"), ("C, 2025-03", "C, 2025-01")],
    }


def test_many_outlets_are_compared_with_the_whole():
    cells = [(f"Outlet {number:02}",) for number in range(MANY + 1)]
    groups = margins(["outlet"], cells)
    (family,) = families(groups, ["outlet"], [True] * len(groups))
    assert family.name == "each outlet and the whole"
    assert family.pairs == tuple((number, 0) for number in range(1, MANY + 2))
    assert list(families(groups, ["outlet"], [False, *[True] * (MANY + 1)])) == []  # nobody knows the whole


def test_groups_without_a_share_or_a_value_are_not_compared():
    groups = margins(["outlet"], [("A",), ("B",), ("C",), ("(none)",)])
    told = [group != {"outlet": "B"} for group in groups]
    assert named(groups, ["outlet"], told) == {"pairs of outlet": [("A", "C")]}
    assert named(groups, ["outlet"], [False] * len(groups)) == {}
    months = margins(["month"], [("2025-01",), ("2025-02",), ("(none)",)])
    assert named(months, ["month"]) == {"one month and the one before": [("2025-02", "2025-01")]}


def test_there_is_nothing_to_compare_in_one_group():
    assert named(margins([], [()]), []) == {}
    assert named(margins(["outlet"], [("A",)]), ["outlet"]) == {}


@settings(max_examples=40, deadline=None)
@given(st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from(["2025", "2026", "(none)"])), min_size=1))
def test_every_smallest_group_is_there_and_no_pair_stands_twice_in_a_family(cells):
    by = ["outlet", "year"]
    groups = margins(by, sorted(cells))
    assert [tuple(group.values()) for group in groups if len(group) == 2] == sorted(cells)
    assert len({tuple(group.items()) for group in groups}) == len(groups)
    for family in families(groups, by, [True] * len(groups)):
        assert len({frozenset(pair) for pair in family.pairs}) == len(family.pairs)
        assert all(one != other for one, other in family.pairs)
        assert not any("(none)" in groups[at].values() for pair in family.pairs for at in pair)


@pytest.mark.parametrize("by", [["month", "outlet"], ["outlet", "month"]])
def test_the_order_of_columns_makes_no_other_comparisons(by):
    cells = [tuple(pair if by[0] == "outlet" else reversed(pair)) for pair in product("AB", ("2025-01", "2025-02"))]
    assert set(named(margins(by, cells), by)) == {
        "pairs of outlet",
        "one month and the one before",
        "the last month and the first of each outlet",
    }
