"""Drift is told where there is one, and where there is none not more often than the level says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.scores.drift import (
    ENOUGH,
    Moved,
    Shares,
    alarms,
    audit_size,
    binned,
    by_unit,
    gap,
    quantile_edges,
    words_between,
)
from newsclf.scores.metrics import Booleans, Floats

RATES = np.array([0.15, 0.35])


def days_of(chance: np.random.Generator, days: int, a_day: float = 8, shift: float = 0.0) -> Floats:
    """Sums of days, [days, 2 · bins]: articles of a day share its mood, so that they are no independent draws."""
    day = np.repeat(np.arange(days), 1 + chance.poisson(a_day, days))
    mood = np.clip(RATES + shift + chance.normal(0, 0.08, (days, 2)), 0.01, 0.99)[day]
    return by_unit(binned(chance.beta(4 * mood, 4 * (1 - mood)), EDGES), day, days)


EDGES = [np.linspace(0.1, 0.9, 9)] * 2


def scores(before: Floats, after: Floats) -> tuple[Shares, Booleans]:
    """Both sides, of two labels with ten bins each."""
    units, new = both(before, after)
    return Shares(units, units[:, :10].sum(axis=1), labels=2, per=2), new


def far(before: Floats, after: Floats, **how: int) -> Moved:
    shares, new = scores(before, after)
    return shares.moved(new, **how)


def both(before: Floats, after: Floats) -> tuple[Floats, Booleans]:
    return np.vstack([before, after]), np.arange(len(before) + len(after)) >= len(before)


# distances


def apart(before: list[list[float]], after: list[list[float]], rows: list[float], labels: int = 1, per: float | None = 2) -> Moved:
    units, new = both(np.array(before, float), np.array(after, float))
    return Shares(units, np.array(rows, float), labels=labels, per=per).moved(new, draws=200)


def test_total_variation_is_the_share_that_would_have_to_move_of_the_label_that_moved_most():
    before, after = [[5, 5, 0, 10, 0, 0]] * 3, [[20, 20, 0, 10, 0, 30]] * 2  # more rows: only shares count
    assert apart(before, after, [10] * 3 + [40] * 2, labels=2).distance == pytest.approx(0.75)
    assert apart([row[:3] for row in before], [row[:3] for row in after], [10] * 3 + [40] * 2).distance == 0


def test_a_difference_of_means_takes_the_number_of_rows_into_account():
    assert apart([[2], [0]], [[30], [0]], [5, 5, 40, 10], per=1).distance == pytest.approx(0.4)


def test_words_apart_is_the_share_of_words_that_would_have_to_be_others():
    # 4 articles with the words a a a a b b, then 2 with a b b c
    assert apart([[2, 1, 0], [2, 1, 0]], [[1, 1, 0], [0, 1, 1]], [2, 2, 1, 1], per=None).distance == pytest.approx(1.5 / 3.5)
    assert apart([[2, 0], [2, 0]], [[0, 4], [0, 5]], [2, 2, 4, 5], per=None).distance == pytest.approx(1)


def test_what_chance_makes_is_what_it_is_where_nothing_moved():
    chance = np.random.default_rng(6)
    found = [far(days_of(chance, 60, 4), days_of(chance, 30, 8), draws=20) for _ in range(100)]
    assert np.mean([one.distance for one in found]) == pytest.approx(np.mean([one.chance for one in found]), abs=0.03)
    assert found[0].as_dict()["beyond"] == max(found[0].distance - found[0].chance, 0)
    assert found[0].units == (60, 30)


def test_the_same_seed_gives_the_same_p():
    sides = days_of(np.random.default_rng(1), 20), days_of(np.random.default_rng(2), 9)
    assert far(*sides, seed=3) == far(*sides, seed=3)


@pytest.mark.parametrize("new", [29, 28, 1, 0])
def test_there_is_no_distance_with_one_day(new):
    shares, _ = scores(days_of(np.random.default_rng(1), 20), days_of(np.random.default_rng(2), 9))
    with pytest.raises(ValueError, match=f"a distance needs two units on either side; of 29 units {new} are new"):
        shares.moved(np.arange(29) < new)


def test_two_sides_that_do_not_differ_at_all_are_as_far_apart_as_any_deal():
    found = far(np.ones((7, 20)), np.ones((5, 20)))
    assert (found.distance, found.p) == (0, 1)


def test_p_is_never_0():
    found = apart([[9, 0]] * 40, [[0, 9]] * 40, [9] * 80)
    assert (found.distance, found.p) == (1, pytest.approx(1 / 201))


# what the level says


VOLUMES = (((20, 3), (8, 6)), ((20, 6), (8, 2)), ((30, 5), (30, 5)))
"""Days and articles a day of both sides: an outlet publishes twice as much as before, a third of it, or as much."""


def test_without_a_drift_all_tests_together_alarm_no_more_often_than_the_level():
    """400 pairs of three outlets, whose days have moods."""
    chance = np.random.default_rng(20)
    pairs, alarmed, seldom = 400, 0, 0
    for pair in range(pairs):
        found = [far(days_of(chance, *before), days_of(chance, *after), draws=200, seed=pair) for before, after in VOLUMES]
        judged = alarms(found, bound=0)  # without a bound: the test alone must hold
        alarmed += any(drift for _, drift in judged)
        seldom += sum(one.p <= 0.05 for one in found)
    assert alarmed / pairs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / pairs)
    assert seldom / (3 * pairs) == pytest.approx(0.05, abs=0.025)  # nor is it a test that never alarms


def test_articles_taken_for_independent_would_alarm_far_too_often():
    """Why days are dealt, and not articles."""
    chance = np.random.default_rng(21)
    alarmed = 0
    for pair in range(40):
        sides = [days_of(chance, days, a_day=60)[:, :10] for days in (8, 4)]
        units, new = both(*(np.repeat(np.eye(10), side.sum(axis=0).astype(int), axis=0) for side in sides))
        alarmed += Shares(units, np.ones(len(units)), per=2).moved(new, draws=200, seed=pair).p <= 0.05
    assert alarmed / 40 > 0.2


def test_a_shifted_outlet_is_found_among_others_and_is_the_only_one():
    chance = np.random.default_rng(5)
    found = [far(days_of(chance, 60), days_of(chance, 30, shift=0.3 * (outlet == 3))) for outlet in range(6)]
    assert [drift for _, drift in alarms(found, bound=0.1)] == [outlet == 3 for outlet in range(6)]
    assert found[3].beyond == pytest.approx(0.4, abs=0.1)


def test_what_moved_less_than_the_bound_is_no_drift_however_sure():
    sure = Moved(0.09, 0.01, 0.0001, (50, 50))
    assert alarms([sure], bound=0.1) == [(0.0001, False)]
    assert alarms([sure], bound=0.05) == [(0.0001, True)]
    assert alarms([sure, Moved(0.9, 0.1, 0.03, (5, 5))], bound=0.05) == [(0.0002, True), (0.03, True)]
    assert alarms([Moved(0.9, 0.1, 0.03, (5, 5))] * 2, bound=0.05) == [(0.06, False)] * 2


# shares


def test_a_gap_has_an_interval_from_days_and_is_wider_than_from_rows():
    chance = np.random.default_rng(8)
    rates = chance.beta(2, 4, 60)
    units = np.column_stack([chance.binomial(30, rates), np.full(60, 30)]).astype(float)
    found = gap(units[:40], units[40:])
    assert found.low < found.difference < found.high
    rows = np.repeat([[1.0, 1], [0, 1]], [int(units[:40, 0].sum()), int(1200 - units[:40, 0].sum())], axis=0)
    others = np.repeat([[1.0, 1], [0, 1]], [int(units[40:, 0].sum()), int(600 - units[40:, 0].sum())], axis=0)
    by_row = gap(rows, others)
    assert by_row.difference == pytest.approx(found.difference)
    assert found.high - found.low > 1.5 * (by_row.high - by_row.low)


def test_intervals_of_gaps_hold_the_true_difference():
    chance = np.random.default_rng(11)
    held = 0
    for _ in range(400):
        sides = []
        for days, rate in ((40, 0.2), (15, 0.3)):
            moods = chance.beta(6 * rate, 6 * (1 - rate), days)
            sizes = 1 + chance.poisson(6, days)
            sides.append(np.column_stack([chance.binomial(sizes, moods), sizes]).astype(float))
        found = gap(*sides)
        held += found.low <= 0.1 <= found.high
    assert 0.92 <= held / 400 <= 0.99


def test_a_label_that_nobody_has_keeps_an_interval_and_one_day_has_none():
    found = gap(np.tile([0.0, 5], (20, 1)), np.tile([0.0, 5], (10, 1)))
    assert (found.difference, found.low < 0 < found.high) == (0, True)
    lonely = gap(np.array([[1.0, 5]]), np.tile([2.0, 5], (10, 1)))
    assert lonely.as_dict() == {"before": 0.2, "after": 0.4, "difference": pytest.approx(0.2), "low": None, "high": None}


# bins, words, sizes


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=60))
def test_every_row_is_in_one_bin_of_each_label(rows):
    p = np.array(rows)
    found = binned(p, quantile_edges(p)).reshape(len(p), 3, 10)
    assert (found.sum(axis=2) == 1).all()
    # the order of the bins is that of the probabilities
    at = found.argmax(axis=2)
    for label in range(3):
        assert (np.diff(at[np.argsort(p[:, label]), label]) >= 0).all()


def test_bins_of_the_earlier_rows_hold_as_many_each():
    p = np.random.default_rng(0).beta(0.3, 3, (5000, 2))
    assert binned(p, quantile_edges(p)).sum(axis=0) == pytest.approx(np.full(20, 500), abs=2)
    assert binned(np.zeros((4, 1)), quantile_edges(np.zeros((0, 1)))).sum(axis=0).tolist() == [4, *[0] * 9]


def test_words_that_came_and_went_are_told_and_the_others_are_0():
    sure = words_between(np.array([100.0, 5, 50, 0]), np.array([5.0, 100, 55, 1]), (500, 500))
    assert sure[0] < -4
    assert sure[1] > 4
    assert sure[2:].tolist() == [0, 0]


def test_rows_are_added_up_by_unit():
    assert by_unit(np.array([[1.0, 2], [3, 4], [5, 6]]), np.array([1, 0, 1]), 3).tolist() == [[3, 4], [6, 8], [0, 0]]


@pytest.mark.parametrize(
    ("uncertainty", "rows", "bound", "n"),
    [(0.2, 1e6, 0.1, 157), (0.2, 300, 0.1, 104), (0.2, 1e6, 0.05, 628), (0.01, 1e6, 0.1, 30), (0.2, 12, 0.1, 12)],
)
def test_an_audit_is_as_large_as_it_takes(uncertainty, rows, bound, n):
    # (1.96 + 0.84)² · 0.2 / 0.1² = 157; of a finite group fewer; 30 at least, all at most
    assert audit_size(uncertainty, rows, bound) == n


def test_an_audit_of_that_size_shows_the_error_in_four_of_five_cases():
    chance = np.random.default_rng(4)
    n = audit_size(0.2, 1e9, 0.1)
    errors = 0.1 + np.sqrt(0.2) * chance.standard_normal((4000, n))
    t = errors.mean(axis=1) / (errors.std(axis=1, ddof=1) / np.sqrt(n))
    assert (np.abs(t) > 1.96).mean() == pytest.approx(0.8, abs=0.025)


def test_deals_end_where_it_is_clear_that_nothing_moved():
    sides = days_of(np.random.default_rng(1), 20), days_of(np.random.default_rng(3), 20)
    found = far(*sides)
    deals = ENOUGH / found.p
    assert deals < 3000
    assert deals == pytest.approx(round(deals))  # so many, of which the last was one of the thirty
