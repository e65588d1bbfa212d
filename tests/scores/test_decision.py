"""Decisions and their thresholds, against trying every threshold."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from newsclf.errors import ConfigError
from newsclf.scores.decision import Decision, DecisionSpec, _best_threshold, choose_thresholds
from newsclf.scores.metrics import f1, f1_counts, micro_f1

# few values, so that ties are common, and any value, so that neighbouring floats and the ends of the scale are tried
probability = st.one_of(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.floats(0, 1))
columns = st.integers(1, 12).flatmap(lambda rows: st.tuples(arrays(float, rows, elements=probability), arrays(bool, rows)))
tables = st.integers(1, 8).flatmap(lambda rows: st.tuples(arrays(float, (rows, 3), elements=probability), arrays(bool, (rows, 3))))


def f1_at(threshold: float, probabilities: np.ndarray, truth: np.ndarray) -> float:
    return micro_f1(truth[:, None], (probabilities >= threshold)[:, None])


def multi(*thresholds: float, fewest: int = 0, most: int | None = None) -> Decision:
    return Decision("multi", np.array(thresholds), fewest=fewest, most=most)


@settings(deadline=None)
@given(columns)
def test_without_a_prior_no_threshold_has_a_better_f1(column: tuple[np.ndarray, np.ndarray]):
    probabilities, truth = column
    found = _best_threshold(probabilities, truth, 0.5, prior=0.0)
    if truth.any():
        assert f1_at(found, probabilities, truth) == max(f1_at(threshold, probabilities, truth) for threshold in probabilities)
    else:
        assert found == 0.5


@settings(deadline=None)
@given(tables)
def test_the_threshold_of_all_labels_maximises_micro_f1(table: tuple[np.ndarray, np.ndarray]):
    probabilities, truth = table
    found = choose_thresholds(probabilities, truth, "micro_f1")
    assert len(set(found.tolist())) == 1
    if truth.any():
        assert micro_f1(truth, probabilities >= found) == max(micro_f1(truth, probabilities >= cut) for cut in probabilities.ravel())


def test_a_threshold_lies_halfway_between_the_probabilities_it_parts():
    found = _best_threshold(np.array([0.9, 0.8, 0.4, 0.1]), np.array([True, True, False, False]), 0.5, prior=0.0)
    assert found == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("probabilities", "truth", "expected"),
    [
        ([0.7, 0.7, 0.2], [True, False, False], 0.45),  # ties are given together
        ([0.7, 0.7, 0.2], [True, False, True], 0.1),
        ([0.5, 0.5, 0.5], [True, False, False], 0.25),  # nothing to part
        ([0.9, 0.5, 0.4, 0.3], [True, False, False, True], 0.7),  # one right of one, or two of four: the higher cut of equals
        ([0.0, 0.0], [True, False], 0.0),
    ],
)
def test_ties(probabilities: list[float], truth: list[bool], expected: float):
    assert _best_threshold(np.array(probabilities), np.array(truth), 0.5, prior=0.0) == pytest.approx(expected)


@pytest.mark.parametrize("upper", [0.5, 0.5000000000000001])
def test_between_neighbouring_floats_the_threshold_is_the_upper_one(upper: float):
    assert _best_threshold(np.array([upper, np.nextafter(upper, 0)]), np.array([True, False]), 0.5, prior=0.0) == upper


def test_a_label_without_positives_takes_the_threshold_of_all():
    probabilities = np.array([[0.9, 0.3], [0.8, 0.2], [0.1, 0.1]])
    truth = np.array([[True, False], [True, False], [False, False]])
    assert choose_thresholds(probabilities, truth, "per_label_f1")[1] == pytest.approx(0.55)


@pytest.mark.parametrize("rule", ["per_label_f1", "micro_f1"])
@pytest.mark.parametrize("rows", [0, 2])
def test_without_any_positive_the_threshold_is_one_half(rule: str, rows: int):
    assert choose_thresholds(np.full((rows, 2), 0.2), np.zeros((rows, 2), bool), rule).tolist() == [0.5, 0.5]


def test_a_label_leaves_the_common_threshold_the_further_the_more_rows_it_has():
    probabilities = np.array([[0.9, 0.35], [0.9, 0.3], [0.9, 0.1], [0.9, 0.05], *[[0.5, 0.05]] * 4])
    truth = np.array([[True, True], [True, True], [True, False], [True, False], *[[False, False]] * 4])
    few, many = (choose_thresholds(probabilities.repeat(times, axis=0), truth.repeat(times, axis=0), "per_label_f1") for times in (1, 50))
    assert few == pytest.approx([0.7, (0.35 + 0.3) / 2])
    assert many == pytest.approx([0.7, (0.3 + 0.1) / 2])


@pytest.mark.parametrize("seed", range(3))
def test_with_many_rows_each_label_has_the_best_f1_of_its_own(seed: int):
    chance = np.random.default_rng(seed)
    probabilities = chance.random((2000, 3))
    truth = chance.random((2000, 3)) < probabilities ** np.array([1, 2, 4])
    found = f1(*f1_counts(truth, probabilities >= choose_thresholds(probabilities, truth, "per_label_f1")))
    for k in range(3):
        assert found[k] > max(f1_at(cut, probabilities[:, k], truth[:, k]) for cut in np.linspace(0.01, 0.99, 99)) - 0.01


@settings(deadline=None)
@given(tables)
def test_a_label_is_given_from_its_threshold_on(table: tuple[np.ndarray, np.ndarray]):
    probabilities, _ = table
    thresholds = probabilities[0]
    assert (Decision("multi", thresholds)(probabilities) == (probabilities >= thresholds)).all()


@settings(deadline=None)
@given(tables, st.integers(0, 3), st.integers(1, 3))
def test_fewest_and_most_hold_and_agree_with_the_thresholds(table: tuple[np.ndarray, np.ndarray], fewest: int, most: int):
    probabilities, _ = table
    fewest = min(fewest, most)
    free = multi(0.5, 0.1, 0.9)(probabilities)
    given_labels = multi(0.5, 0.1, 0.9, fewest=fewest, most=most)(probabilities)
    count = given_labels.sum(axis=1)
    assert (count == np.clip(free.sum(axis=1), fewest, most)).all()
    for row in range(len(probabilities)):  # within the bounds a label that reaches its threshold goes before one that does not
        assert given_labels[row].sum() <= free[row].sum() or (given_labels[row] >= free[row]).all()
        assert given_labels[row].sum() > free[row].sum() or (given_labels[row] <= free[row]).all()


@pytest.mark.parametrize(
    ("probabilities", "fewest", "most", "expected"),
    [
        ([0.6, 0.7, 0.1], 0, None, [1, 1, 0]),
        ([0.6, 0.7, 0.1], 0, 1, [0, 1, 0]),
        ([0.6, 0.7, 0.1], 3, None, [1, 1, 1]),
        ([0.4, 0.1, 0.2], 0, None, [0, 0, 0]),
        ([0.4, 0.1, 0.2], 1, None, [1, 0, 0]),
        ([0.4, 0.4, 0.4], 1, 1, [1, 0, 0]),
        ([0.9, 0.9, 0.9], 0, 2, [1, 1, 0]),
    ],
)
def test_fewest_and_most(probabilities: list[float], fewest: int, most: int | None, expected: list[int]):
    assert multi(0.5, 0.5, 0.5, fewest=fewest, most=most)(np.array([probabilities])).tolist() == [[bool(label) for label in expected]]


@pytest.mark.parametrize(
    ("thresholds", "probabilities", "expected"),
    [
        ((0.1, 0.8), [0.5, 0.85], [True, False]),
        ((1e-8, 0.5), [1e-9, 0.5], [False, True]),  # one that does not reach its threshold is no nearer for being tiny
    ],
)
def test_most_keeps_the_label_that_is_furthest_above_its_own_threshold(
    thresholds: tuple[float, ...], probabilities: list[float], expected: list[bool]
):
    assert multi(*thresholds, most=1)(np.array([probabilities])).tolist() == [expected]


@settings(deadline=None)
@given(tables)
def test_exclusive_tasks_take_the_most_probable_label_and_the_first_of_equals(table: tuple[np.ndarray, np.ndarray]):
    probabilities, _ = table
    decided = Decision("exclusive", np.zeros(3))(probabilities)
    assert (decided.sum(axis=1) == 1).all()
    assert decided.argmax(axis=1).tolist() == [row.index(max(row)) for row in probabilities.tolist()]


def test_below_its_bound_an_exclusive_task_abstains():
    decision = Decision("exclusive", np.zeros(3), abstain_below=0.5)
    probabilities = np.array([[0.5, 0.3, 0.2], [0.4, 0.35, 0.25]])
    assert decision(probabilities).tolist() == [[True, False, False], [False, False, False]]


def test_where_the_target_is_not_mentioned_a_stance_abstains_if_it_was_told_to():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1]])
    mentioned = np.array([True, False])
    told, untold = (Decision("exclusive", np.zeros(2), abstain_unmentioned=told) for told in (True, False))
    assert told(probabilities, mentioned).tolist() == [[True, False], [False, False]]
    assert told(probabilities).tolist() == untold(probabilities, mentioned).tolist() == [[True, False]] * 2


@pytest.mark.parametrize("kind", ["exclusive", "multi"])
def test_no_articles_are_given_no_labels(kind: str):
    assert Decision(kind, np.zeros(3), fewest=1, most=2)(np.zeros((0, 3))).shape == (0, 3)


@settings(deadline=None)
@given(arrays(float, 3, elements=probability), st.floats(0, 1), st.integers(0, 3), st.none() | st.integers(1, 3), st.booleans())
def test_it_comes_back_from_json_as_it_was(thresholds: np.ndarray, below: float, fewest: int, most: int | None, unmentioned: bool):
    decision = Decision("multi", thresholds, abstain_below=below, fewest=fewest, most=most, abstain_unmentioned=unmentioned)
    plain = json.loads(json.dumps(decision.as_dict()))
    again = Decision.of_dict("multi", plain)
    assert again.as_dict() == decision.as_dict() == plain
    assert again.thresholds.tobytes() == thresholds.tobytes()
    assert Decision.of_dict("exclusive", plain).kind == "exclusive"  # the codebook has the word, not the file


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_threshold_that_is_no_probability_is_refused(value: float):
    with pytest.raises(ValueError, match=rf"thresholds .* from 0 to 1, not \[0\.5, {value}\]"):
        multi(0.5, value)
    with pytest.raises(ValueError, match=f"abstain_below .* from 0 to 1, not {value}"):
        Decision("exclusive", np.zeros(2), abstain_below=value)


@pytest.mark.parametrize("key", ["threshold", "abstain_below"])
@pytest.mark.parametrize("value", [1.5, -1, float("nan"), "macro_f1"])
def test_a_config_with_a_threshold_that_is_neither_rule_nor_probability_is_refused(key: str, value: str | float):
    with pytest.raises(ConfigError, match=f"config.yaml: '{key}'"):
        DecisionSpec.parse({key: value}, where="config.yaml")
