"""Learning curves: exact ones are found again, ranges hold the truth, and every answer of a plan is a sentence that says which."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.scores.curves import FARTHEST, LEVEL, fit_curve

SIZES = [50, 75, 110, 170, 250, 370, 550, 800]
N = np.array(SIZES, float)[:, None]


def scores(truth: np.ndarray, *, noise: float, repeats: int = 5, seed: int = 0) -> np.ndarray:
    """Scores about the truth, less noisy with more articles."""
    return np.clip(truth + noise * np.random.default_rng(seed).normal(size=(len(SIZES), repeats)) / np.sqrt(N), 0, 1)


@pytest.mark.parametrize(("a", "b", "c"), [(0.8, 1.5, 0.5), (0.95, 0.9, 0.2), (0.85, 4.0, 0.7), (0.75, 20.0, 1.2)])
def test_a_curve_without_noise_is_found_again(a: float, b: float, c: float):
    curve = fit_curve(SIZES, scores(a - b * N**-c, noise=0))
    assert curve.fitted == pytest.approx([a, b, c], rel=0.15)  # c is one of sixty
    assert [curve.at(n) for n in (50, 800, 1600)] == pytest.approx([a - b * n**-c for n in (50, 800, 1600)], abs=0.002)
    assert curve.range_at(1600) == pytest.approx((curve.at(1600),) * 2)
    assert curve.means == pytest.approx((a - b * N**-c)[:, 0])


def test_a_plan_of_a_curve_without_noise_is_what_solving_it_by_hand_gives():
    plan = fit_curve(SIZES, scores(0.8 - 1.5 * N**-0.5, noise=0)).plan(0.02)
    by_hand = (1.5 / (1.5 * 800**-0.5 - 0.02)) ** 2 - 800
    assert plan.more == pytest.approx(by_hand, rel=0.05)
    assert plan.low == plan.more == plan.high
    assert (plan.now, plan.gain) == (800, 0.02)
    assert str(plan) == "2 points more: code about 1,300 articles on top of 800 (from 1,300 to 1,300)."
    assert fit_curve(SIZES, scores(0.8 - 1.5 * N**-0.5, noise=0)).plan(0.02, now=400).more < plan.more


def test_a_plan_has_a_range_and_its_curve_reaches_the_gain():
    curve = fit_curve(SIZES, scores(0.8 - 1.5 * N**-0.5, noise=0.2))
    plan = curve.plan(0.01)
    assert plan.low < plan.more < plan.high < 9 * 800
    assert curve.at(800 + plan.more) - curve.at(800) == pytest.approx(0.01, abs=0.003)
    assert "(from " in plan.note


@pytest.mark.parametrize(
    ("truth", "noise", "gain", "sentence"),
    [
        (0.6 + 0 * N, 0.05, 0.02, "the curve is flat: from 50 to 800 coded articles the score rose by 0"),
        (0.7 - 0.001 * N**0.5, 0.05, 0.02, "the curve is flat: from 50 to 800 coded articles the score rose by 0 points"),  # it falls
        (0.8 - 1.5 * N**-0.5, 0.1, 0.1, "10 points more would need more than 10 times the 800 coded articles: 10 times the data would give "),
        (0.6 - 0.9 * N**-0.8, 1.5, 0.02, "what 2 points more would need cannot be told: from 50 to 800"),
    ],
)
def test_where_a_curve_gives_no_number_a_sentence_says_why(truth: np.ndarray, noise: float, gain: float, sentence: str):
    plan = fit_curve(SIZES, scores(truth, noise=noise)).plan(gain)
    assert (plan.more, plan.low, plan.high) == (None, None, None)
    assert str(plan).startswith(sentence)


def test_a_range_that_is_open_says_so():
    plan = fit_curve(SIZES, scores(0.7 - 0.9 * N**-0.3, noise=1.5)).plan(0.01)
    assert plan.high is None
    assert plan.low < plan.more
    assert f"to more than {FARTHEST} times the data)" in plan.note


def test_ranges_at_twice_the_data_hold_the_truth_as_often_as_they_say():
    truth = 0.8 - 1.5 * N**-0.5
    right = 0.8 - 1.5 * 1600**-0.5
    curves = [fit_curve(SIZES, scores(truth, noise=0.2, seed=seed), draws=200, seed=seed) for seed in range(100)]
    held = np.mean([low <= right <= high for low, high in (curve.range_at(1600) for curve in curves)])
    assert LEVEL - 0.1 < held < 0.95
    needed = (1.5 / (1.5 * 800**-0.5 - 0.02)) ** 2 - 800
    plans = [curve.plan(0.02) for curve in curves]
    answered = [plan for plan in plans if plan.more is not None]
    assert len(answered) > 80
    assert np.mean([plan.low <= needed <= (plan.high or np.inf) for plan in answered]) > LEVEL - 0.1


def test_where_the_law_does_not_hold_ranges_are_wider():
    bent = 0.4 + 0.4 / (1 + (300 / N) ** 1.5)
    widths = [np.ptp(fit_curve(SIZES, scores(truth, noise=0.1)).range_at(1600)) for truth in (0.8 - 1.5 * N**-0.5, bent)]
    assert widths[1] > 3 * widths[0]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_the_scores_the_curve_rises_within_its_bounds_and_the_plan_is_a_sentence(data: st.DataObject):
    sizes = sorted(data.draw(st.sets(st.integers(1, 10**6), min_size=5, max_size=8)))
    repeats = data.draw(st.integers(3, 5))
    row = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0]), min_size=repeats, max_size=repeats)
    table = data.draw(st.lists(row, min_size=len(sizes), max_size=len(sizes)))
    gain = data.draw(st.floats(0.001, 0.5))
    curve = fit_curve(sizes, table, draws=50)
    a, b, c = curve.fitted
    assert a <= 1
    assert b >= 0
    assert 0.05 <= c <= 2
    assert curve.at(sizes[-1]) <= curve.at(2 * sizes[-1]) <= 1 + 1e-9
    low, high = curve.range_at(2 * sizes[-1])
    assert 0 <= low <= high <= 1 + 1e-9
    plan, again = (fit_curve(sizes, table, draws=50).plan(gain) for _ in range(2))
    assert plan == again
    assert str(plan).endswith(".")
    assert (plan.low is None) == (plan.more is None)
    if plan.more is not None:
        assert 0 <= plan.low <= plan.more <= (plan.high or np.inf)
        assert plan.more <= (FARTHEST - 1) * sizes[-1] + 1


@pytest.mark.parametrize(
    ("sizes", "table", "sentence"),
    [
        ([1, 2, 3, 4], np.zeros((4, 3)), "takes 5 sizes or more, not 4"),
        ([[1, 2, 3, 4, 5]], np.zeros((5, 3)), "takes 5 sizes or more"),
        ([1, 2, 3, 4, 4], np.zeros((5, 3)), r"each larger than the last, not \[1, 2, 3, 4, 4\]"),
        ([0, 1, 2, 3, 4], np.zeros((5, 3)), "articles from 1 on"),
        ([0.1, 0.2, 0.3, 0.4, 0.5], np.zeros((5, 3)), "are numbers of articles"),
        ([1, 2, 3, 4, 5], np.zeros((5, 2)), "5 sizes and 3 or more repeats, not 5 x 2"),
        ([1, 2, 3, 4, 5], np.zeros((4, 3)), "not 4 x 3"),
        ([1, 2, 3, 4, 5], np.zeros(5), "repeats, not 5$"),
        ([1, 2, 3, 4, 5], np.full((5, 3), 55.0), r"a score is from 0 to 1, and more is better: with 1 articles, repeat 0 has 55\.0"),
        ([1, 2, 3, 4, 5], np.full((5, 3), np.nan), "repeat 0 has nan"),
    ],
)
def test_what_are_no_sizes_or_scores_is_refused_in_a_sentence(sizes: list, table: np.ndarray, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        fit_curve(sizes, table)


def test_what_is_no_gain_or_no_start_is_refused():
    curve = fit_curve(SIZES, scores(0.8 - 1.5 * N**-0.5, noise=0))
    for gain in (0, 1, 2.0, float("nan")):
        with pytest.raises(ValueError, match=f"must be between 0 and 1, not {gain}"):
            curve.plan(gain)
    with pytest.raises(ValueError, match="must be 1 or more, not 0"):
        curve.plan(0.02, now=0)
