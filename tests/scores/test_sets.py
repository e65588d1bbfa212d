"""Sets of labels hold the right one as often as they say, are the same for the same article, and come back from JSON as they were."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from newsclf.errors import ConfigError, DataError
from newsclf.scores.decision import Decision, DecisionSpec
from newsclf.scores.sets import LabelSets, SetsSpec, choose_sets

NAMES = ("red", "blue", "green")
share = st.floats(0, 1)


def drawn(rows: int, *, seed: int, sharpness: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of three labels, and labels that are drawn by them."""
    dice = np.random.default_rng(seed)
    probabilities = dice.dirichlet(np.array([2.0, 1.0, 0.5]) / sharpness, rows)
    truth = np.eye(3, dtype=bool)[(dice.random((rows, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(max=2)]
    return probabilities, truth


@pytest.mark.parametrize("method", ["lac", "aps"])
@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("sharpness", [0.5, 8.0])
def test_new_articles_have_the_right_label_in_their_set_as_often_as_was_asked_for(method: str, coverage: float, sharpness: float):
    probabilities, truth = drawn(4000, seed=1, sharpness=sharpness)
    sets = choose_sets(probabilities, truth, SetsSpec(coverage=coverage, method=method), NAMES)
    new, right = drawn(4000, seed=2, sharpness=sharpness)
    found = sets(new)
    reached = found[right].mean()
    assert reached > coverage - 0.02
    accuracy = right[np.arange(4000), new.argmax(axis=1)].mean()
    assert reached < (max(coverage, accuracy) if method == "aps" else coverage) + 0.02  # the likeliest label is in every set of aps
    assert sets.size == pytest.approx(found.sum(axis=1).mean(), abs=0.1)


def test_by_class_each_label_is_held_as_often_as_was_asked_for():
    (probabilities, truth), (new, right) = (drawn(6000, seed=seed, sharpness=0.5) for seed in (3, 4))
    plain, by_class = (choose_sets(probabilities, truth, SetsSpec(by_class=each), NAMES) for each in (False, True))
    assert len(set(plain.thresholds)) == 1
    reached = [[each(new)[right[:, k], k].mean() for k in range(3)] for each in (plain, by_class)]
    assert min(reached[0]) < 0.7  # the rare label pays for the common ones
    assert reached[1] == pytest.approx([0.9] * 3, abs=0.03)


@pytest.mark.parametrize("method", ["lac", "aps"])
@pytest.mark.parametrize("rows", [0, 1, 7])
def test_an_article_has_the_same_set_alone_as_in_any_company(method: str, rows: int):
    sets = choose_sets(*drawn(100, seed=5), SetsSpec(method=method), NAMES)
    new, _ = drawn(7, seed=6)
    assert sets(new[:rows]).shape == (rows, 3)
    assert sets(new[:rows]).tolist() == [sets(new[row : row + 1])[0].tolist() for row in range(rows)]


@settings(deadline=None)
@given(arrays(float, (3, 3), elements=share), share)
def test_with_aps_the_likeliest_label_stands_in_every_set_and_with_lac_a_label_that_is_likely_enough(table: np.ndarray, threshold: float):
    aps, lac = (LabelSets(0.9, method, np.full(3, threshold), size=1.0) for method in ("aps", "lac"))
    assert aps(table)[range(3), table.argmax(axis=1)].all()
    assert (lac(table) == (1 - table <= threshold)).all()


@pytest.mark.parametrize("method", ["lac", "aps"])
def test_an_article_that_is_sure_has_one_label_and_a_doubtful_one_more(method: str):
    sets = choose_sets(*drawn(2000, seed=7, sharpness=2.0), SetsSpec(method=method), NAMES)
    assert sets(np.array([[0.9999, 0.0001, 0.0], [0.48, 0.47, 0.05]])).sum(axis=1).tolist() == [1, 2]


def test_with_aps_doubtful_articles_are_held_as_often_as_sure_ones_and_with_lac_less_often():
    known, (new, right) = drawn(6000, seed=8), drawn(6000, seed=9)
    doubtful = new.max(axis=1) < 0.6
    held = {method: choose_sets(*known, SetsSpec(coverage=0.8, method=method), NAMES)(new)[right] for method in ("lac", "aps")}
    assert held["lac"][doubtful].mean() < held["aps"][doubtful].mean() - 0.05


def test_a_hard_task_does_not_get_every_label_in_every_set():
    """Nothing was left to tell apart where a label counted with all of its own probability: the least probable one then always stood at 1."""
    dice = np.random.default_rng(10)
    probabilities = dice.dirichlet([5.0, 5.0, 5.0], 2000)
    truth = np.eye(3, dtype=bool)[(dice.random((2000, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)]
    sets = choose_sets(probabilities, truth, SetsSpec(coverage=0.9, method="aps"), NAMES)
    assert truth[np.arange(2000), probabilities.argmin(axis=1)].mean() > 0.1
    assert sets.size < 2.8
    assert sets(probabilities)[truth].mean() == pytest.approx(0.9, abs=0.01)


@settings(deadline=None)
@given(
    coverage=st.floats(0, 1, exclude_min=True, exclude_max=True),
    method=st.sampled_from(["lac", "aps"]),
    thresholds=arrays(float, 3, elements=share),
    size=st.floats(0, 3),
    by_class=st.booleans(),
)
def test_they_come_back_from_json_as_they_were(**values: Any):
    sets = LabelSets(**values)
    plain = json.loads(json.dumps(sets.as_dict()))
    again = LabelSets.of_dict(plain)
    assert again.as_dict() == sets.as_dict() == plain
    assert again.thresholds.tobytes() == sets.thresholds.tobytes()
    decision = Decision("exclusive", np.zeros(3), sets=sets)
    stored = json.loads(json.dumps(decision.as_dict()))
    assert Decision.of_dict("exclusive", stored).as_dict() == decision.as_dict() == stored


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"coverage": 1.0}, "coverage of sets .* between 0 and 1, not 1.0"),
        ({"coverage": float("nan")}, "coverage of sets .* not nan"),
        ({"method": "best"}, "method of sets must be one of lac, aps, not 'best'"),
        ({"thresholds": [0.5, float("nan")]}, r"thresholds of sets must be 0 or more, not \[0\.5, nan\]"),
        ({"thresholds": [0.5, float("inf")]}, "thresholds of sets"),
        ({"thresholds": [-0.1, 0.5]}, "thresholds of sets"),
    ],
)
def test_what_are_no_sets_is_refused(changes: dict[str, Any], message: str):
    values = {"coverage": 0.9, "method": "lac", "thresholds": [0.5, 0.5], "size": 1.0, "by_class": False}
    assert LabelSets.of_dict(values).coverage == 0.9
    with pytest.raises(ValueError, match=message):
        LabelSets.of_dict(values | changes)


def test_sets_of_other_labels_or_of_a_multi_label_task_are_refused():
    sets = LabelSets(0.9, "lac", np.full(3, 0.5), size=1.0)
    with pytest.raises(ValueError, match=r"sets are for exclusive tasks and need a threshold for each label"):
        Decision("exclusive", np.zeros(2), sets=sets)
    with pytest.raises(ValueError, match=r"sets are for exclusive tasks"):
        Decision("multi", np.zeros(3), sets=sets)


def test_too_few_rows_are_named_with_how_many_it_takes():
    probabilities, truth = drawn(8, seed=8)
    with pytest.raises(DataError, match=r"90 % of the time need 9 held-out rows or more; there are 8\. Code more"):
        choose_sets(probabilities, truth, SetsSpec(), NAMES)
    truth = np.eye(3, dtype=bool)[[0] * 30 + [1] * 9 + [2] * 4]
    with pytest.raises(DataError, match=r"of each label \(decision.sets.by_class\) need 9 .*; there are fewer of 'green' \(4\)\. Code more of them"):
        choose_sets(np.full((43, 3), 1 / 3), truth, SetsSpec(by_class=True), NAMES)


def test_they_say_what_they_promise_and_to_which_articles():
    text = str(LabelSets(0.9, "aps", np.full(3, 0.5), size=1.456))
    assert text.startswith("sets of labels (aps) that hold the right one for 90 % of articles, with 1.46 labels on average on the held-out rows;")
    assert "exchangeable with the training rows, which those of new outlets, later years or other subjects are not" in text
    assert "empty" not in text
    assert "(some are empty: the model is right more often than that; ask" in str(LabelSets(0.9, "lac", np.full(3, 0.05), size=0.9))
    assert "90 % of articles of each label" in str(LabelSets(0.9, "aps", np.full(3, 0.5), size=1.456, by_class=True))


def test_a_config_may_ask_for_sets_of_exclusive_tasks_alone():
    spec = DecisionSpec.parse({"sets": {}}, where="config.yaml")
    assert spec.sets == SetsSpec(coverage=0.9, method="lac", by_class=False)
    assert DecisionSpec.parse(json.loads(json.dumps(spec.resolved())), where="record.yaml") == spec
    spec.check("exclusive")
    with pytest.raises(ConfigError, match=r"^config.yaml: 'decision.sets' is for exclusive tasks; a multi-label one gives sets of labels already"):
        spec.check("multi", where="config.yaml")


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        ({"coverage": 1}, "'sets.coverage' must be less than 1, not 1"),
        ({"coverage": 90}, "'sets.coverage' must be less than 1, not 90"),
        ({"method": "raps"}, "'sets.method' must be .*lac.*aps"),
        ({"by_clas": True}, r"unknown key 'sets.by_clas' \(did you mean 'by_class'\?\)"),
        (0.9, "'sets' must be a block of key: value lines, not 0.9"),
    ],
    ids=str,
)
def test_what_a_config_must_not_say_is_named_in_a_sentence(block: object, sentence: str):
    with pytest.raises(ConfigError, match=f"^config.yaml: {sentence}"):
        DecisionSpec.parse({"sets": block}, where="config.yaml")
