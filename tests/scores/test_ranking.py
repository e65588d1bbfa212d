"""Metrics of probabilities, against scikit-learn's and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from newsclf.scores.ranking import bins, calibration_error, macro, pr_area, reliability, roc_auc


def draw(seed: int, rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Labels that come as often as their probabilities say."""
    chance = np.random.default_rng(seed)
    probabilities = chance.beta(0.5, 1.5, (rows, 3)).round(2)
    return chance.random((rows, 3)) < probabilities, probabilities


@pytest.mark.parametrize("seed", range(3))
def test_areas_are_those_of_scikit_learn(seed: int):
    truth, probabilities = draw(seed)
    assert roc_auc(truth, probabilities) == pytest.approx(theirs.roc_auc_score(truth, probabilities, average=None).tolist())
    assert pr_area(truth, probabilities) == pytest.approx(theirs.average_precision_score(truth, probabilities, average=None).tolist())
    assert macro(roc_auc(truth, probabilities)) == pytest.approx(theirs.roc_auc_score(truth, probabilities))


def test_areas_of_a_ranking_by_hand():
    truth, probabilities = np.array([[True], [False], [True], [False]]), np.array([[0.9], [0.8], [0.7], [0.1]])
    assert roc_auc(truth, probabilities) == [0.75]
    assert pr_area(truth, probabilities) == pytest.approx([(1 + 2 / 3) / 2])


def test_equal_probabilities_rank_by_chance():
    truth = np.array([[True], [False], [False], [False]])
    assert roc_auc(truth, np.full((4, 1), 0.3)) == [0.5]
    assert pr_area(truth, np.full((4, 1), 0.3)) == [0.25]


@pytest.mark.parametrize("area", [roc_auc, pr_area])
def test_a_label_of_all_articles_or_none_has_no_area_and_is_left_out_of_the_mean(area):
    truth, probabilities = np.array([[True, False, True], [True, False, False]]), np.array([[0.5, 0.5, 0.9], [0.5, 0.5, 0.1]])
    assert area(truth, probabilities) == [None, None, 1]
    assert macro(area(truth, probabilities)) == 1
    assert macro(area(truth[:, :2], probabilities[:, :2])) is None


def test_bins_say_mean_probability_observed_share_and_n():
    found = bins(np.array([True, False, True, True]), np.array([0.6, 0.1, 0.8, 0.3]), most=2)
    assert [each.as_dict() for each in found] == [
        {"probability": pytest.approx(0.2), "observed": 0.5, "n": 2},
        {"probability": pytest.approx(0.7), "observed": 1, "n": 2},
    ]


def test_bins_have_about_as_many_articles_each():
    values = np.random.default_rng(0).random(1003) ** 4
    assert {found.n for found in bins(values > 0.5, values)} == {100, 101}


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0, 0.1, 0.25, 0.5, 1])), min_size=1, max_size=40), st.integers(1, 12), st.randoms())
def test_bins_hold_every_article_once_and_do_not_depend_on_their_order(rows: list[tuple[bool, float]], most: int, chance):
    hits, values = np.array([hit for hit, _ in rows]), np.array([float(value) for _, value in rows])
    found = bins(hits, values, most=most)
    assert sum(each.n for each in found) == len(rows)
    assert len(found) <= most
    assert [each.probability for each in found] == sorted({each.probability for each in found})
    assert sum(each.observed * each.n for each in found) == pytest.approx(hits.sum())
    order = chance.sample(range(len(rows)), len(rows))
    for one, other in zip(found, bins(hits[order], values[order], most=most), strict=True):
        assert list(one.as_dict().values()) == pytest.approx(list(other.as_dict().values()))


def test_equal_probabilities_share_a_bin():
    values = np.array([0.0] * 90 + [0.5] * 10)
    assert [each.n for each in bins(values > 2, values)] == [90, 10]


def test_the_reliability_table_is_by_label():
    truth, probabilities = draw(0)
    table = reliability(truth, probabilities, ["war", "trade", "health"], most=4)
    assert list(table) == ["war", "trade", "health"]
    assert table["trade"] == bins(truth[:, 1], probabilities[:, 1], most=4)


def test_calibration_error_is_of_the_likeliest_label_for_exclusive_tasks():
    truth = np.array([[True, False], [True, False], [False, True], [True, False]])
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    # 0.6: right in one of two; 0.9: right in both
    assert calibration_error(truth, probabilities, "exclusive", most=2) == pytest.approx((0.1 + 0.1) / 2)


def test_calibration_error_is_the_mean_over_labels_for_multi_label_tasks():
    truth = np.array([[True, False], [True, False], [False, False], [False, False]])
    probabilities = np.array([[0.8, 0.3], [0.8, 0.3], [0.2, 0.3], [0.2, 0.3]])
    assert calibration_error(truth, probabilities, "multi", most=2) == pytest.approx((0.2 + 0.3) / 2)


def test_probabilities_that_keep_their_word_have_a_small_error_and_others_a_large_one():
    truth, probabilities = draw(1, rows=20_000)
    assert calibration_error(truth, probabilities, "multi") < 0.01
    assert calibration_error(truth, probabilities**2, "multi") > 0.05


@pytest.mark.parametrize("metric", [roc_auc, pr_area, lambda t, p: calibration_error(t, p, "multi"), lambda t, p: reliability(t, p, "abc")])
def test_what_is_no_probability_is_said(metric):
    truth, probabilities = draw(0, rows=5)
    with pytest.raises(ValueError, match="the first in row 0, column 0, which is nan"):
        metric(truth, probabilities * np.nan)
    with pytest.raises(ValueError, match="15 are not"):
        metric(truth, probabilities + 2)
    with pytest.raises(ValueError, match="no articles"):
        metric(truth[:0], probabilities[:0])


def test_a_table_takes_bins():
    with pytest.raises(ValueError, match="not 0"):
        bins(np.array([True]), np.array([0.5]), most=0)
