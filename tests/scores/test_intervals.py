"""Intervals of metrics over clusters of rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.scores import intervals
from newsclf.scores.intervals import Interval, Share, carriers, cluster_interval, cluster_sums, replicates
from newsclf.scores.parts import headline, label_f1


def mean(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def with_rows(values) -> np.ndarray:
    return np.column_stack([values, np.ones(len(values))]).astype(float)


def outlets(chance: np.random.Generator, clusters: int) -> np.ndarray:
    return np.repeat(np.arange(clusters), 1 + chance.geometric(0.2, clusters))


def coded(seed: int, clusters: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coded labels, decided ones, right in most of an outlet's rows or in few, and the outlets."""
    chance = np.random.default_rng(seed)
    which = outlets(chance, clusters)
    label = chance.integers(0, 3, len(which))
    right = chance.random(len(which)) < chance.beta(6, 2, clusters)[which]
    every = np.eye(3, dtype=bool)
    return every[label], every[np.where(right, label, (label + 1) % 3)], which


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 9)), min_size=1, max_size=30))
def test_rows_add_up_by_cluster_whatever_the_order_and_the_numbers(rows: list[tuple[int, int]]):
    names, values = (np.array(column) for column in zip(*rows, strict=True))
    expected = [[values[names == name].sum(), (names == name).sum()] for name in sorted(set(names.tolist()))]
    assert cluster_sums(with_rows(values), names).tolist() == expected


def test_no_rows_make_no_clusters():
    assert cluster_sums(np.zeros((0, 3)), np.zeros(0, np.int64)).shape == (0, 3)


def test_replicates_are_totals_of_as_many_clusters_drawn_with_replacement():
    sums = np.array([[1.0, 1], [10, 1], [100, 1]])
    drawn = np.concatenate(list(replicates(sums, resamples=5000, seed=1)))
    assert drawn.shape == (5000, 2)
    assert (drawn[:, 1] == 3).all()
    possible = {a + b + c for a in sums[:, 0] for b in sums[:, 0] for c in sums[:, 0]}
    assert set(drawn[:, 0]) == possible
    assert drawn[:, 0].mean() == pytest.approx(111, rel=0.05)
    assert (drawn[:, 0] == 3).mean() == pytest.approx(1 / 27, abs=0.01)


def test_replicates_come_in_batches_that_bound_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(intervals, "CELLS", 40)
    batches = list(replicates(np.ones((10, 2)), resamples=11, seed=0))
    assert [len(batch) for batch in batches] == [4, 4, 3]


def test_the_interval_of_a_mean_over_many_equal_clusters_is_that_of_the_textbook():
    values = np.random.default_rng(0).normal(5, 2, 400)
    found = cluster_interval(with_rows(values), np.arange(400), mean)
    half = 1.966 * values.std(ddof=1) / 20
    assert found.estimate == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


def test_the_interval_of_a_mean_over_few_clusters_is_as_wide_as_students():
    values = np.random.default_rng(3).normal(0, 1, 8)
    found = cluster_interval(with_rows(values), np.arange(8), mean)
    students = 2 * 2.365 * values.std(ddof=1) / np.sqrt(8)
    assert found.few
    assert found.high - found.low == pytest.approx(students, rel=0.15)


def test_rows_copied_within_their_cluster_make_the_interval_no_narrower():
    truth, decided, which = coded(0)
    parts, statistic = label_f1(truth, decided, 0)
    once = cluster_interval(parts, which, statistic, resamples=2000)
    copied = cluster_interval(np.repeat(parts, 10, axis=0), np.repeat(which, 10), statistic, resamples=2000)
    assert copied.high - copied.low == pytest.approx(once.high - once.low, rel=0.01)


def test_clusters_whose_rows_go_together_make_it_wider_than_rows_alone():
    right = np.repeat(np.random.default_rng(0).random(40) < 0.7, 10)
    together = cluster_interval(with_rows(right), np.repeat(np.arange(40), 10), Share(mean), resamples=2000)
    alone = cluster_interval(with_rows(right), np.arange(400), Share(mean), resamples=2000)
    assert together.high - together.low > 2.5 * (alone.high - alone.low)


@pytest.mark.parametrize("seed", range(5))
def test_shares_stay_shares_and_the_estimate_is_in_its_interval(seed: int):
    truth, decided, which = coded(seed, clusters=4 + 3 * seed)
    probabilities = np.where(decided, 0.8, 0.1)
    for name, (parts, statistic) in headline(truth, probabilities, decided, "exclusive", sides=[0, 1]).items():
        found = cluster_interval(parts, which, statistic, resamples=500)
        assert 0 <= found.low <= found.estimate <= found.high, name
        assert found.high <= 1 or name in {"log_loss", "brier"}


def test_a_perfect_score_is_not_certain():
    found = cluster_interval(with_rows(np.ones(60)), np.repeat(np.arange(12), 5), Share(mean), resamples=200)
    assert (found.estimate, found.high) == (1, 1)
    assert 0.7 < found.low < 0.9  # no error in 12 articles: 0.81 by Jeffreys, 0.74 exactly


def test_the_more_clusters_a_perfect_score_has_the_surer_it_is():
    lows = [cluster_interval(with_rows(np.ones(n)), np.arange(n), Share(mean), resamples=50).low for n in (5, 20, 500)]
    assert lows == sorted(lows)
    assert lows[-1] > 0.99


def test_clusters_without_the_label_count_for_nothing():
    truth, decided, which = coded(1, clusters=25)
    elsewhere = which >= 10
    truth[elsewhere], decided[elsewhere] = [False, False, True], [False, False, True]
    parts, statistic = label_f1(truth, decided, 0)
    found = cluster_interval(parts, which, statistic, resamples=1000)
    assert found.clusters == len(np.unique(which[(truth | decided)[:, 0]])) < 20
    assert found.few
    assert found == cluster_interval(parts[~elsewhere], which[~elsewhere], statistic, resamples=1000)


def test_a_label_that_one_cluster_alone_has_can_be_anything():
    truth, decided, which = coded(2, clusters=25)
    truth[which > 0], decided[which > 0] = [False, True, False], [False, True, False]
    parts, statistic = label_f1(truth, decided, 0)
    found = cluster_interval(parts, which, statistic)
    assert (found.low, found.high, found.clusters, found.few) == (0, 1, 1, True)


def test_two_calls_give_the_same_interval_and_another_seed_almost_the_same():
    truth, decided, which = coded(0, clusters=60)
    parts, statistic = label_f1(truth, decided, 1)
    one, again, other = (cluster_interval(parts, which, statistic, seed=seed) for seed in (0, 0, 1))
    assert one == again != other
    assert other.low == pytest.approx(one.low, abs=0.01)


def test_a_higher_level_is_wider():
    parts, which = with_rows(np.random.default_rng(0).random(300)), np.repeat(np.arange(30), 10)
    found = [cluster_interval(parts, which, mean, level=level, resamples=2000) for level in (0.5, 0.8, 0.95, 0.99)]
    widths = [each.high - each.low for each in found]
    assert widths == sorted(widths)


def test_very_many_clusters_are_resampled_in_groups_to_about_the_same(monkeypatch: pytest.MonkeyPatch):
    right = with_rows(np.random.default_rng(0).random(3000) < 0.8)
    grouped = cluster_interval(right, np.arange(3000), Share(mean), resamples=2000)
    monkeypatch.setattr(intervals, "GROUPS", 5000)
    each = cluster_interval(right, np.arange(3000), Share(mean), resamples=2000)
    assert grouped.clusters == each.clusters == 3000
    assert (grouped.low, grouped.high) == pytest.approx((each.low, each.high), abs=0.003)


def test_those_that_carry_a_metric_are_as_many_as_make_its_variance():
    assert carriers(np.random.default_rng(0).normal(size=5000)) == pytest.approx(5000, rel=0.1)
    assert carriers(np.array([1.0, -1] + [0.0] * 98)) == pytest.approx(6)
    assert carriers(np.zeros(50)) == 1


def test_intervals_say_whether_their_clusters_are_few():
    assert [Interval(0.5, 0.4, 0.6, clusters).few for clusters in (19, 20)] == [True, False]
    assert Interval(0.5, 0.4, 0.6, 3).as_dict() == {"estimate": 0.5, "low": 0.4, "high": 0.6, "clusters": 3, "few": True}


def test_what_has_no_interval_is_said():
    parts = with_rows([1, 0, 1])
    each = np.arange(3)
    with pytest.raises(ValueError, match="all 3 rows are of one: group them by something finer"):
        cluster_interval(parts, np.array([7, 7, 7]), mean)
    with pytest.raises(ValueError, match="no rows"):
        cluster_interval(parts[:0], each[:0], mean)
    with pytest.raises(ValueError, match="1 of 3 rows have others"):
        cluster_interval(with_rows([1, np.nan, 1]), each, mean)
    with pytest.raises(ValueError, match=r"shapes are \(3, 2\) and \(2,\)"):
        cluster_interval(parts, each[:2], mean)
    with pytest.raises(ValueError, match="not 95"):
        cluster_interval(parts, each, mean, level=95)


@pytest.mark.parametrize("clusters", [20, 60])
def test_nineteen_of_twenty_intervals_hold_the_truth(clusters: int):
    held = []
    for seed in range(300):
        chance = np.random.default_rng([seed, clusters])
        which = outlets(chance, clusters)
        right = chance.random(len(which)) < chance.beta(4, 1, clusters)[which]
        found = cluster_interval(with_rows(right), which, Share(mean), resamples=400, seed=seed)
        held.append(found.low <= 0.8 <= found.high)
    # 93 % to 97 %, and two and a half standard errors of 300 data sets
    assert 0.893 <= np.mean(held) <= 0.995
