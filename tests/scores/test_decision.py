"""Decisions, and what a config may say of them."""

import json

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from newsclf.errors import ConfigError
from newsclf.scores.decision import Decision, DecisionSpec

# few values, so that ties are common, and any value, so that neighbouring floats and the ends of the scale are tried
probability = st.one_of(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.floats(0, 1))
tables = st.integers(1, 8).flatmap(lambda rows: st.tuples(arrays(float, (rows, 3), elements=probability), arrays(bool, (rows, 3))))


def multi(*thresholds: float, fewest: int = 0, most: int | None = None) -> Decision:
    return Decision("multi", np.array(thresholds), fewest=fewest, most=most)


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


def test_the_decisions_of_older_bundles_are_read():
    oldest = {"kind": "multi", "thresholds": [0.25, 0.5]}
    assert Decision.of_dict("multi", oldest)(np.array([[0.3, 0.3]])).tolist() == [[True, False]]
    stored = {"kind": "exclusive", "thresholds": [0.0, 0.0], "abstain_below": 0.6, "fewest": 0, "most": None, "abstain_unmentioned": False}
    assert Decision.of_dict("exclusive", stored).as_dict() == stored


@pytest.mark.parametrize(
    "block",
    [
        {"threshold": {"precision": 0.9}},
        {"threshold": {"recall": 0.9}},
        {"threshold": {"cost": {"false_positive": 1, "false_negative": 4}}},
        {"abstain": {"accuracy": 0.95}},
        {"abstain": {"share": 0}},
        {"abstain": {"share": 0.12}, "abstain_below": 0},
    ],
    ids=str,
)
def test_a_config_may_say_what_is_to_be_reached_and_comes_back_from_its_record(block: dict):
    spec = DecisionSpec.parse(block, where="config.yaml")
    again = DecisionSpec.parse(json.loads(json.dumps(spec.resolved())), where="record.yaml")
    assert again == spec != DecisionSpec()
    schema = jsonschema.Draft202012Validator(DecisionSpec.model_json_schema())
    schema.validate(block)
    schema.validate(spec.resolved())


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"threshold": {"precison": 0.9}}, r"unknown key 'threshold.precison' \(did you mean 'precision'\?\); known here: cost, precision, recall"),
        ({"threshold": {"precision": 1}}, "'threshold.precision' must be less than 1, not 1"),
        ({"threshold": {"recall": 0}}, "'threshold.recall' must be greater than 0, not 0"),
        ({"threshold": {}}, "'threshold': exactly one of precision, recall, cost is needed here, not none"),
        ({"threshold": {"precision": 0.9, "recall": 0.8}}, "'threshold': exactly one of .* not precision and recall"),
        ({"threshold": {"cost": {"false_positive": 1}}}, "the key 'threshold.cost.false_negative' is missing"),
        ({"threshold": {"cost": {"false_positive": 1, "false_negative": 0}}}, "'threshold.cost.false_negative' must be greater than 0, not 0"),
        ({"threshold": {"cost": 4}}, "'threshold.cost' must be a block of key: value lines, not 4"),
        ({"abstain": 0.1}, "'abstain' must be a block of key: value lines, not 0.1"),
        ({"abstain": {"share": 1}}, "'abstain.share' must be less than 1, not 1"),
        ({"abstain": {"accuracy": "high"}}, "'abstain.accuracy' must be a number, not \"high\""),
        ({"abstain": {"accuracy": 0.9, "share": 0.1}}, "'abstain': exactly one of accuracy, share"),
        ({"abstain": {"share": 0.1}, "abstain_below": 0.3}, "'abstain' chooses what 'abstain_below' says; keep one"),
    ],
    ids=str,
)
def test_what_a_config_must_not_say_is_named_in_a_sentence(block: dict, sentence: str):
    with pytest.raises(ConfigError, match=f"^config.yaml: {sentence}") as error:
        DecisionSpec.parse(block, where="config.yaml")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(("block", "key"), [({"abstain": {"share": 0.1}}, "abstain"), ({"threshold": {"precision": 0.9}}, "threshold")], ids=str)
def test_what_a_task_of_this_kind_cannot_reach_is_refused(block: dict, key: str):
    kinds = ("multi", "exclusive") if key == "abstain" else ("exclusive", "multi")
    spec = DecisionSpec.parse(block, where="config.yaml")
    with pytest.raises(ConfigError, match=f"'decision.{key}' is for"):
        spec.check(kinds[0])
    spec.check(kinds[1])
    for kind in kinds:
        DecisionSpec().check(kind)
