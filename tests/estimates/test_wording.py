"""How estimates are worded."""

import pytest
from estimate_records import record, share

from newsclf.estimates import wording
from newsclf.estimates.wording import (
    against_counting,
    bounds,
    group_name,
    meaning,
    ordered,
    percent,
    periods,
    point_bounds,
    points,
    provenance,
    source,
)


def test_groups_have_names():
    assert group_name({}) == "whole corpus"
    assert group_name({"outlet": "Courier", "quarter": "2024 Q1"}) == "Courier, 2024 Q1"
    assert group_name({"outlet": " ", "year": 2024}) == "no outlet, 2024"


def test_numbers_are_in_percent_and_points_or_a_dash():
    assert (percent(0.41), percent(None)) == ("41.0 %", "–")
    assert (points(0.125), points(-0.0301), points(-0.0001), points(None)) == ("+12.5", "-3.0", "0.0", "–")
    assert bounds({"low": 0.37, "high": 0.45}) == "37.0 to 45.0"
    assert point_bounds({"low": -0.01, "high": 0.03}) == "-1.0 to +3.0"
    assert bounds({"low": None, "high": None}) == point_bounds({"low": None, "high": 0.1}) == "–"


def test_shares_stand_by_label_the_coarsest_first():
    shares = [share("b", {"o": "A", "q": "1"}), share("a", {"o": "A"}), share("b", {}), share("a", {})]
    found = ordered({"labels": ["b", "a"], "shares": shares})
    assert [(row["label"], len(row["group"])) for row in found] == [("b", 0), ("b", 2), ("a", 0), ("a", 1)]


@pytest.mark.parametrize(
    ("names", "places"),
    [
        (["2024 Q3", "2025 Q1", "2024 Q3"], [0, 2]),
        (["2023-12", "2024-01", "2024-04"], [0, 1, 4]),
        (["2019", "2024"], [0, 5]),
        (["2024", "2024-01"], [0, 1]),  # of two kinds: in order
        (["2024-01-07", "2024-03-01"], [0, 1]),
        (["", "2024"], [0, 1]),
        ([], []),
    ],
)
def test_periods_have_places_with_room_for_those_that_are_missing(names, places):
    assert list(periods(names).values()) == places


def test_the_source_is_enough_to_make_the_numbers_again():
    assert source(record()) == "37,554 scored, 300 coded; model 9f31ab44c0de, audit 0123456789ab"


def test_the_meaning_says_what_is_assumed():
    said = meaning(record())
    assert "37,554 scored articles" in said
    assert "the 300 that 2 coders read: difference estimator (PPI++)." in said
    assert said.endswith("that the codes are right, and that the coded articles were drawn by chance (stratified by outlet, 2 draws).")
    by_hand = meaning(record(audit=record()["audit"] | {"by_hand": True, "coders": 1, "design": "chosen by hand"}))
    assert "that one coder read" in by_hand
    assert by_hand.endswith("they were chosen by hand, and nobody has checked this.")
    assert "by chance" not in by_hand
    assert provenance(record()).startswith("Intervals: With a t distribution. 37,554 scored")


def test_a_count_is_set_against_the_estimate_that_it_is_furthest_from():
    shares = [share("a", {}, naive=0.38), share("b", {}, naive=0.25), share("c", {}, None, naive=0.9), share("d", {"o": "A"}, naive=0.9)]
    said = against_counting({"shares": shares})
    assert "25.0 % b, which lies outside the interval: the audit gives 40.0 % (30.0 to 50.0)" in said
    assert "38.0 % a, which lies within the interval" in against_counting({"shares": shares[:1]})
    assert against_counting({"shares": shares[2:]}) == ""


def test_comparisons_are_marked_as_untested():
    assert wording.UNTESTED == "for comparison: needs an assumption that no audit has tested"
