"""Metrics, against scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as theirs

from newsclf.scores.metrics import (
    accuracy,
    averages,
    brier,
    f1,
    f1_counts,
    f_avg,
    hierarchical,
    log_loss,
    macro_f1,
    micro_f1,
    per_label,
    summary,
    with_ancestors,
)

LABELS = 4
tables = st.integers(1, 20).flatmap(lambda rows: st.tuples(*[arrays(bool, (rows, LABELS))] * 2))
columns = st.integers(1, 20).flatmap(lambda rows: st.tuples(*[arrays(np.int64, rows, elements=st.integers(0, LABELS - 1))] * 2))


def one_hot(labels: np.ndarray) -> np.ndarray:
    return np.eye(LABELS, dtype=bool)[labels]


def draw(seed: int, rows: int = 50) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coded labels of an exclusive task as numbers, those of a multi-label one, and probabilities."""
    chance = np.random.default_rng(seed)
    return chance.integers(0, LABELS, rows), chance.random((rows, LABELS)) < 0.4, chance.dirichlet(np.ones(LABELS), rows)


@settings(deadline=None)
@given(tables)
def test_f1_of_multi_label_tasks_is_that_of_scikit_learn(pair: tuple[np.ndarray, np.ndarray]):
    truth, decided = pair
    each = theirs.f1_score(truth, decided, average=None, zero_division=0)
    seen = truth.any(axis=0) | decided.any(axis=0)
    assert f1(*f1_counts(truth, decided)) == pytest.approx(each)
    assert micro_f1(truth, decided) == pytest.approx(theirs.f1_score(truth, decided, average="micro", zero_division=0))
    assert macro_f1(truth, decided) == pytest.approx(each[seen].mean() if seen.any() else 0)


@settings(deadline=None)
@given(columns)
def test_f1_of_exclusive_tasks_is_that_of_scikit_learn(pair: tuple[np.ndarray, np.ndarray]):
    truth, decided = (one_hot(labels) for labels in pair)
    accuracy = theirs.accuracy_score(*pair)
    assert micro_f1(truth, decided) == pytest.approx(accuracy)
    assert macro_f1(truth, decided) == pytest.approx(theirs.f1_score(*pair, average="macro"))
    assert summary(truth, decided.astype(float), decided, "exclusive")["accuracy"] == pytest.approx(accuracy)


@pytest.mark.parametrize("seed", range(5))
def test_log_loss_is_that_of_scikit_learn(seed: int):
    labels, truth, probabilities = draw(seed)
    assert log_loss(one_hot(labels), probabilities, "exclusive") == pytest.approx(theirs.log_loss(labels, probabilities, labels=range(LABELS)))
    assert log_loss(truth, probabilities, "multi") == pytest.approx(theirs.log_loss(truth.ravel(), probabilities.ravel()))


@pytest.mark.parametrize("seed", range(5))
def test_the_brier_score_is_that_of_scikit_learn(seed: int):
    labels, truth, probabilities = draw(seed)
    expected = theirs.brier_score_loss(labels, probabilities, labels=range(LABELS), scale_by_half=False)
    assert brier(one_hot(labels), probabilities, "exclusive") == pytest.approx(expected)
    assert brier(truth, probabilities, "multi") == pytest.approx(theirs.brier_score_loss(truth.ravel(), probabilities.ravel()))


@pytest.mark.parametrize("kind", ["exclusive", "multi"])
def test_a_certain_error_costs_much_and_not_infinitely_much(kind: str):
    truth = np.array([[True, False]])
    assert log_loss(truth, np.array([[0.0, 1.0]]), kind) == pytest.approx(-np.log(1e-9))
    assert log_loss(truth, np.array([[1.0, 0.0]]), kind) == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_precision_recall_and_support_of_each_label_are_those_of_scikit_learn(seed: int):
    labels, truth, _ = draw(seed)
    decided = one_hot(labels)
    expected = np.array(theirs.precision_recall_fscore_support(truth, decided, zero_division=0))
    rows = per_label(truth, decided, ["a", "b", "c", "d"])
    assert [[row[name] for row in rows] for name in ("precision", "recall", "f1", "support")] == pytest.approx(expected)
    assert [row["label"] for row in rows] == ["a", "b", "c", "d"]
    assert [row["decided"] for row in rows] == decided.sum(axis=0).tolist()


def test_f_avg_is_the_mean_of_the_two_sides_and_leaves_the_neutral_rows_to_their_errors():
    truth, decided = one_hot(np.array([0, 0, 1, 1, 2, 2])), one_hot(np.array([0, 2, 1, 1, 1, 2]))
    favor, against = 2 * 1 * 0.5 / 1.5, 2 * 1 * (2 / 3) / (1 + 2 / 3)
    assert f_avg(truth, decided, [0, 1]) == pytest.approx((favor + against) / 2)


def test_a_side_that_nobody_took_counts_as_zero_in_f_avg():
    truth = one_hot(np.array([0, 0, 2]))
    assert f_avg(truth, truth, [0, 1]) == 0.5


def test_a_label_neither_coded_nor_decided_has_f1_zero_and_is_left_out_of_the_mean():
    truth = one_hot(np.array([0, 1]))
    assert f1(*f1_counts(truth, truth)).tolist() == [1, 1, 0, 0]
    assert macro_f1(truth, truth) == 1
    assert per_label(truth, truth, "abcd")[3] == {"label": "d", "precision": 0, "recall": 0, "f1": 0, "support": 0, "decided": 0}


def test_a_label_decided_and_never_coded_counts_in_the_mean():
    truth, decided = one_hot(np.array([0, 0])), one_hot(np.array([0, 3]))
    assert macro_f1(truth, decided) == pytest.approx((2 / 3 + 0) / 2)


@pytest.mark.parametrize("rows", [0, 3])
def test_f1_of_nothing_is_zero(rows: int):
    nothing = np.zeros((rows, LABELS), bool)
    assert micro_f1(nothing, nothing) == macro_f1(nothing, nothing) == 0


def test_an_article_that_abstains_is_not_accurate_and_costs_no_precision():
    truth = one_hot(np.array([0, 1]))
    decided = truth & np.array([[True], [False]])
    found = summary(truth, truth.astype(float), decided, "exclusive")
    assert found["accuracy"] == 0.5
    assert found["micro_f1"] == pytest.approx(2 / 3)


def test_the_summary_has_accuracy_for_exclusive_tasks_alone():
    labels, truth, probabilities = draw(0)
    names = ["micro_f1", "macro_f1", "log_loss", "brier"]
    assert list(summary(truth, probabilities, truth, "multi")) == names
    assert list(summary(one_hot(labels), probabilities, one_hot(labels), "exclusive")) == ["accuracy", *names]


def test_an_empty_test_set_has_no_summary():
    with pytest.raises(ValueError, match="metrics of no articles"):
        summary(np.zeros((0, 2), bool), np.zeros((0, 2)), np.zeros((0, 2), bool), "multi")


@settings(deadline=None)
@given(tables)
def test_averages_are_those_of_scikit_learn(pair: tuple[np.ndarray, np.ndarray]):
    truth, decided = pair
    found = averages(truth, decided)
    seen = truth.any(axis=0) | decided.any(axis=0)
    for average in ("micro", "weighted"):
        expected = theirs.precision_recall_fscore_support(truth, decided, average=average, zero_division=0)[:3]
        assert [found[f"{average}_{name}"] for name in ("precision", "recall", "f1")] == pytest.approx(list(expected))
    each = theirs.precision_recall_fscore_support(truth, decided, zero_division=0)[:3]
    expected = [scores[seen].mean() if seen.any() else 0 for scores in each]
    assert [found[f"macro_{name}"] for name in ("precision", "recall", "f1")] == pytest.approx(expected)
    assert (found["micro_f1"], found["macro_f1"]) == pytest.approx((micro_f1(truth, decided), macro_f1(truth, decided)))


def test_accuracy_is_for_exactly_the_coded_labels():
    truth = np.array([[True, True], [True, False], [False, False]])
    decided = np.array([[True, False], [True, False], [False, False]])
    assert accuracy(truth, decided) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="no articles"):
        accuracy(truth[:0], decided[:0])


POLITICS, ELECTION, BUDGET, SPORT = range(4)
PARENTS = [None, POLITICS, POLITICS, None]


def test_a_wrong_label_under_the_right_parent_is_half_right():
    one = {name: np.eye(4, dtype=bool)[[label]] for name, label in (("election", ELECTION), ("budget", BUDGET), ("sport", SPORT))}
    assert hierarchical(one["election"], one["budget"], PARENTS) == {f"hierarchical_{name}": 0.5 for name in ("precision", "recall", "f1")}
    assert hierarchical(one["election"], one["sport"], PARENTS)["hierarchical_f1"] == 0


def test_a_parent_in_place_of_its_child_is_precise_and_finds_half():
    found = hierarchical(one_hot(np.array([ELECTION])), one_hot(np.array([POLITICS])), PARENTS)
    assert found == pytest.approx({"hierarchical_precision": 1, "hierarchical_recall": 0.5, "hierarchical_f1": 2 / 3})


@settings(deadline=None)
@given(tables)
def test_hierarchical_scores_without_parents_are_the_micro_averages(pair: tuple[np.ndarray, np.ndarray]):
    flat = averages(*pair)
    assert hierarchical(*pair, [None] * LABELS) == {f"hierarchical_{name}": flat[f"micro_{name}"] for name in ("precision", "recall", "f1")}


def test_ancestors_are_joined_to_the_top_and_the_labels_given_stay_as_they_were():
    labels = one_hot(np.array([0, 3]))
    assert with_ancestors(labels, [1, 2, None, 0]).tolist() == [[True, True, True, False], [True, True, True, True]]
    assert labels.sum() == 2


@pytest.mark.parametrize(
    ("parents", "said"), [([1, 0, None, None], "go in a circle"), ([9, None, None, None], "column of its parent"), ([None], "each of 4 labels")]
)
def test_parents_that_are_none_are_said(parents: list[int | None], said: str):
    with pytest.raises(ValueError, match=said):
        with_ancestors(one_hot(np.array([0])), parents)


@pytest.mark.parametrize("kind", ["exclusive", "multi"])
@pytest.mark.parametrize("metric", [log_loss, brier])
def test_what_is_no_probability_is_said(metric, kind: str):
    truth = one_hot(np.array([0, 1]))
    good = np.full((2, LABELS), 0.25)
    for bad in (np.nan, -0.1, 1.1, np.inf):
        with pytest.raises(ValueError, match="probabilities are from 0 to 1; 1 are not, the first in row 1, column 2"):
            metric(truth, np.where(np.arange(8).reshape(2, 4) == 6, bad, good), kind)
    with pytest.raises(ValueError, match="no articles"):
        metric(truth[:0], good[:0], kind)
    with pytest.raises(ValueError, match=r"truth is \(2, 4\), the probabilities are \(2, 2\)"):
        metric(truth, good[:, :2], kind)
    assert np.isfinite(metric(truth, truth + 1e-7, kind))  # single precision
