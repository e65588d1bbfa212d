"""Paired comparisons: metrics as sums against the metrics themselves, tests against exact enumeration and scipy, and what they do under chance."""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from newsclf.errors import InputError
from newsclf.scores import metrics as plain
from newsclf.scores.compare import METRICS, Answers, Draws, difference, holm, mcnemar

LABELS = 3
FAST = Draws(number=400)


def drawn(rows: int, *, seed: int, kind: str = "multi", hit: float = 0.8) -> tuple[np.ndarray, Answers]:
    """Coded labels and answers that are right about as often as `hit`."""
    chance = np.random.default_rng(seed)
    if kind == "exclusive":
        labels = chance.integers(0, LABELS, rows)
        given = np.where(chance.random(rows) < hit, labels, chance.integers(0, LABELS, rows))
        truth, decided = np.eye(LABELS, dtype=bool)[labels], np.eye(LABELS, dtype=bool)[given]
        return truth, Answers(chance.dirichlet(np.ones(LABELS), rows), decided)
    truth = chance.random((rows, LABELS)) < 0.4
    return truth, Answers(chance.random((rows, LABELS)), np.where(chance.random((rows, LABELS)) < hit, truth, ~truth))


def rights(values: list[int]) -> np.ndarray:
    """Parts of an accuracy: right or wrong, and one row each. [rows, 2]"""
    return np.column_stack([np.array(values, float), np.ones(len(values))])


def accuracy(sums: np.ndarray) -> np.ndarray:
    return METRICS["accuracy"].value(sums)


def compared(first: list[int], second: list[int], clusters: list[int] | None = None, draws: Draws = FAST):
    """Two models that were right or wrong on each row; every row is its own cluster unless told otherwise."""
    numbers = np.arange(len(first)) if clusters is None else np.array(clusters)
    return difference([rights(first)], [rights(second)], clusters=numbers, value=accuracy, draws=draws)


# metrics as sums


@pytest.mark.parametrize("kind", ["exclusive", "multi"])
@pytest.mark.parametrize("seed", range(3))
def test_metrics_of_sums_are_the_metrics(kind, seed):
    truth, answers = drawn(40, seed=seed, kind=kind)
    expected = plain.summary(truth, answers.probabilities, answers.decided, kind)
    found = {name: float(METRICS[name].value(METRICS[name].parts(truth, answers, kind).sum(axis=0))) for name in expected}
    assert found == pytest.approx(expected, abs=1e-12)


def test_f_avg_is_that_of_its_columns():
    truth, answers = drawn(40, seed=1, kind="exclusive")
    two = Answers(answers.probabilities[:, :2], answers.decided[:, :2])
    found = METRICS["f_avg"].value(METRICS["f_avg"].parts(truth[:, :2], two, "exclusive").sum(axis=0))
    assert found == pytest.approx(plain.f_avg(truth, answers.decided, [0, 1]))


def test_a_label_that_neither_side_has_does_not_count_and_no_label_at_all_is_0():
    truth, answers = drawn(40, seed=1)
    truth[:, 2] = answers.decided[:, 2] = False
    macro = METRICS["macro_f1"]
    assert macro.value(macro.parts(truth, answers, "multi").sum(axis=0)) == pytest.approx(plain.macro_f1(truth, answers.decided))
    assert macro.value(np.zeros(9)) == 0
    assert macro.value(np.zeros((4, 2, 9))).shape == (4, 2)


# the difference and its interval


def test_the_difference_is_that_of_the_metrics_and_the_interval_holds_it():
    truth, worse = drawn(300, seed=0, kind="exclusive", hit=0.6)
    better = Answers(worse.probabilities, np.where(np.random.default_rng(1).random((300, 1)) < 0.3, truth, worse.decided))
    macro = METRICS["macro_f1"]
    sides = [[macro.parts(truth, item, "exclusive")] for item in (worse, better)]
    found = difference(*sides, clusters=np.arange(300) // 2, value=macro.value)
    one, two = plain.macro_f1(truth, worse.decided), plain.macro_f1(truth, better.decided)
    assert (found.first, found.second, found.estimate) == pytest.approx((one, two, two - one))
    assert 0 < found.low < found.estimate < found.high
    assert found.p < 0.01
    assert found.clusters == 150


def test_turned_round_the_difference_and_interval_turn_round():
    one, two = compared([1, 0, 1, 0, 0, 1] * 6, [1, 1, 1, 0, 1, 0] * 6), compared([1, 1, 1, 0, 1, 0] * 6, [1, 0, 1, 0, 0, 1] * 6)
    assert two.estimate == pytest.approx(-one.estimate)
    assert (two.low, two.high) == pytest.approx((-one.high, -one.low), abs=0.03)
    assert two.p == pytest.approx(one.p, abs=0.1)


def test_pairs_are_told_apart_where_sides_alone_are_not():
    """Both models fail on the hard half; the second is a little better on the rest, every time."""
    first = [0] * 100 + [1] * 90 + [0] * 10
    found = compared(first, [0] * 100 + [1] * 100)
    assert found.estimate == pytest.approx(0.05)
    assert found.low > 0.01  # unpaired intervals of .45 and .50 on 200 rows would be .07 to each side
    assert found.p < 0.01


def test_copies_in_a_cluster_are_no_evidence_of_their_own():
    first, second = [1, 0, 0, 1, 0] * 4, [0, 1, 1, 1, 1] * 4
    alone = compared(first, second, draws=Draws())
    copied = compared(first * 10, second * 10, [row for _ in range(10) for row in range(20)], draws=Draws())
    naive = compared(first * 10, second * 10, draws=Draws())
    assert (copied.estimate, copied.low, copied.high, copied.p) == pytest.approx((alone.estimate, alone.low, alone.high, alone.p))
    assert naive.high - naive.low < (alone.high - alone.low) / 2


def test_two_calls_give_the_same_and_another_seed_does_not():
    first, second = [1, 0, 1, 0, 0, 1, 1] * 5, [1, 1, 1, 0, 1, 1, 0] * 5
    assert compared(first, second) == compared(first, second)
    assert compared(first, second).p != compared(first, second, draws=Draws(number=400, seed=5)).p


def test_a_wider_level_gives_a_wider_interval():
    first, second = [1, 0, 1, 0, 0, 1, 1] * 5, [1, 1, 1, 0, 1, 0, 0] * 5
    narrow, wide = compared(first, second, draws=Draws(level=0.8)), compared(first, second, draws=Draws(level=0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


# the permutation test


def test_p_is_that_of_all_swaps():
    """Six clusters have 64 ways to swap; drawn ones come to the same share."""
    chance = np.random.default_rng(4)
    clusters = np.repeat(np.arange(6), 3)
    truth, one = drawn(18, seed=4)
    two = Answers(one.probabilities, np.where(chance.random((18, 1)) < 0.5, truth, one.decided))
    macro = METRICS["macro_f1"]
    observed = abs(plain.macro_f1(truth, two.decided) - plain.macro_f1(truth, one.decided))
    hits = []
    for swaps in product([False, True], repeat=6):
        swap = np.array(swaps)[clusters][:, None]
        a, b = np.where(swap, two.decided, one.decided), np.where(swap, one.decided, two.decided)
        hits.append(abs(plain.macro_f1(truth, b) - plain.macro_f1(truth, a)) >= observed - 1e-10)
    sides = [[macro.parts(truth, item, "multi")] for item in (one, two)]
    found = difference(*sides, clusters=clusters, value=macro.value, draws=Draws(number=20_000))
    assert 0.05 < np.mean(hits) < 0.95
    assert found.p == pytest.approx(np.mean(hits), abs=0.02)


@pytest.mark.parametrize(("gained", "lost"), [(9, 2), (15, 8), (5, 5)])
def test_of_single_rows_it_is_the_exact_test_of_signs(gained, lost):
    found = compared([0] * gained + [1] * lost + [1] * 20, [1] * gained + [0] * lost + [1] * 20, draws=Draws(number=20_000))
    assert found.p == pytest.approx(binomtest(gained, gained + lost).pvalue, abs=0.015)
    assert found.changed == gained + lost


def test_p_is_never_0():
    found = compared([0] * 60, [1] * 60, draws=Draws(number=99))
    assert found.p == 1 / 100


def test_many_clusters_are_swapped_in_pieces_to_the_same_p(monkeypatch):
    first, second = [1, 0, 1, 0, 0, 1, 1] * 5, [1, 1, 1, 0, 1, 0, 0] * 5
    whole = compared(first, second, draws=Draws())
    monkeypatch.setattr("newsclf.scores.compare.CELLS", 100)
    assert compared(first, second, draws=Draws()).p == pytest.approx(whole.p, abs=0.03)


# several runs a side


def test_runs_are_averaged_and_one_that_says_otherwise_is_seen():
    base, better, worse = [1, 1, 0, 0] * 10, [1, 1, 1, 0] * 10, [1, 0, 0, 0] * 10
    found = difference([rights(base)] * 2, [rights(better), rights(worse)], clusters=np.arange(40), value=accuracy, draws=FAST)
    assert found.by_run == pytest.approx((0.25, -0.25))
    assert found.estimate == pytest.approx(0)
    assert found.changed == 20
    assert found.p == 1


def test_the_same_run_twice_is_no_more_evidence_than_once():
    first, second = [1, 0, 1, 0, 0, 1, 1] * 5, [1, 1, 1, 0, 1, 0, 0] * 5
    once = compared(first, second)
    twice = difference([rights(first)] * 2, [rights(second)] * 2, clusters=np.arange(35), value=accuracy, draws=FAST)
    assert (twice.estimate, twice.low, twice.high, twice.p) == pytest.approx((once.estimate, once.low, once.high, once.p))


# no answer to be had, or a plain one


def test_the_same_answers_are_no_difference_with_p_1():
    found = compared([1, 0] * 10, [1, 0] * 10)
    assert (found.estimate, found.low, found.high, found.p, found.changed) == (0, 0, 0, 1, 0)


def test_one_cluster_has_no_interval_and_p_1():
    found = compared([0, 0, 1], [1, 1, 1], [7, 7, 7])
    assert found.estimate == pytest.approx(2 / 3)
    assert (found.low, found.high, found.clusters) == (None, None, 1)
    assert found.p == 1


@pytest.mark.parametrize(
    ("first", "second", "clusters", "said"),
    [
        ([], [], 3, "as many runs each, one at least; they have 0 and 0"),
        ([3], [3, 3], 3, "as many runs each, one at least; they have 1 and 2"),
        ([3], [4], 3, r"same rows and parts to be compared; their shapes are \[\(3, 2\), \(4, 2\)\]"),
        ([3], [3], 4, "with 4 clusters"),
        ([0], [0], 0, "a comparison of no articles"),
    ],
)
def test_what_cannot_be_paired_is_said(first, second, clusters, said):
    sides = [[rights([1] * rows) for rows in side] for side in (first, second)]
    with pytest.raises(ValueError, match=said):
        difference(*sides, clusters=np.arange(clusters), value=accuracy)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(value):
    with pytest.raises(ValueError, match="needs finite numbers"):
        difference([rights([1, 0])], [np.array([[value, 1], [0, 1]])], clusters=np.arange(2), value=accuracy)


@pytest.mark.parametrize(("number", "level"), [(0, 0.95), (-1, 0.95), (10, 1.0), (10, 0.0), (10, float("nan")), (10, 95)])
def test_draws_that_make_no_sense_are_refused(number, level):
    with pytest.raises(InputError, match=f"a level between 0 and 1, such as 0.95, not {number} and {level}"):
        Draws(number, level)


# McNemar


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_that_of_the_binomial_distribution(one, other):
    found = mcnemar(np.arange(one + other + 3) < one, (np.arange(one + other + 3) >= one) & (np.arange(one + other + 3) < one + other))
    fewer, both = min(one, other), one + other
    assert (found.first_only, found.second_only) == (one, other)
    assert found.exact == pytest.approx(binomtest(one, both).pvalue if both else 1)
    assert found.mid == pytest.approx(2 * binom.cdf(fewer, both, 0.5) - binom.pmf(fewer, both, 0.5) if both else 1)


def test_mcnemar_of_fagerland_2013():
    """Their table 1: airway hyper-responsiveness before and after stem cell transplantation, 1 against 7 discordant children."""
    found = mcnemar(np.array([True] + [False] * 20), np.array([False] + [True] * 7 + [False] * 13))
    assert (found.exact, found.mid) == pytest.approx((0.0703, 0.0391), abs=5e-5)


def test_many_discordant_rows_do_not_overflow():
    found = mcnemar(np.arange(200_000) < 100_500, np.arange(200_000) >= 100_500)
    assert found.exact == pytest.approx(2 * binom.cdf(99_500, 200_000, 0.5), rel=1e-6)


@pytest.mark.parametrize(("one", "other"), [(0, 0), (2, 3)])
def test_mcnemar_of_no_pairs_is_said(one, other):
    with pytest.raises(ValueError, match="same rows on both sides, one at least"):
        mcnemar(np.zeros(one, bool), np.zeros(other, bool))


# Holm


def test_holm_of_a_worked_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_order_and_lies_between_one_test_and_bonferroni(p):
    adjusted = holm(p)
    assert all(one <= new <= min(1, len(p) * one) for one, new in zip(p, adjusted, strict=True))
    assert all(x <= y for (_, x), (_, y) in zip(*(sorted(zip(p, adjusted, strict=True))[at:] for at in (0, 1)), strict=False))


# what chance does to it: scripts/simulate_compare.py does this at length


def test_under_chance_p_is_seldom_small_and_the_interval_seldom_wrong():
    chance = np.random.default_rng(0)
    small = missed = 0
    for number in range(200):
        hits = chance.random((2, 200)) < np.repeat(chance.beta(4, 1, 50), 4)  # both sides as good; four rows of a story alike
        found = compared(hits[0].astype(int).tolist(), hits[1].astype(int).tolist(), np.repeat(np.arange(50), 4).tolist(), Draws(400, seed=number))
        small += found.p <= 0.05
        missed += not found.low <= 0 <= found.high
    assert 2 <= small <= 20  # 10 expected; outside with a chance below .002
    assert 2 <= missed <= 21


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 12).flatmap(
        lambda n: st.tuples(*[st.lists(st.integers(0, 1), min_size=n, max_size=n)] * 2, st.lists(st.integers(0, 3), min_size=n, max_size=n))
    )
)
def test_any_rows_have_an_answer_without_a_warning(case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compared(*case, draws=Draws(50))
    assert 0 < found.p <= 1
    assert found.low is None or found.low <= found.high
