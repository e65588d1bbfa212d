"""Likely mislabelled rows: by hand, on codings with known errors, and whatever the tables are."""

import numpy as np
import pytest
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit, softmax

from newsclf.scores.problems import Problem, find_problems

LABELS = 5


def one_hot(label: np.ndarray, labels: int = LABELS) -> np.ndarray:
    return np.arange(labels) == label[:, None]


def separated(rows: int, *, seed: int, apart: float = 5) -> tuple[np.ndarray, np.ndarray]:
    """True labels, and the probabilities of a model that knows them well and saw no coding."""
    chance = np.random.default_rng(seed)
    label = chance.choice(LABELS, size=rows, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    return label, softmax(chance.normal(size=(rows, LABELS)) + apart * one_hot(label), axis=1)


def flipped(label: np.ndarray, share: float, *, seed: int) -> tuple[np.ndarray, set[int]]:
    """Codings of which a share is another label, and their rows."""
    chance = np.random.default_rng(seed)
    rows = chance.choice(len(label), size=round(share * len(label)), replace=False)
    coded = label.copy()
    coded[rows] = (label[rows] + chance.integers(1, LABELS, size=len(rows))) % LABELS
    return coded, set(rows.tolist())


def test_four_exclusive_rows_by_hand():
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.4, 0.6, 0.0], [0.3, 0.7, 0.0]])
    given = one_hot(np.array([0, 1, 1, 0]), 3)
    # the mean of label 0 among its rows is 0.6, of label 1 0.7; label 2 has none
    assert find_problems(probabilities, given, "exclusive") == [Problem(3, (0,), (1,), pytest.approx(0.7))]


def test_a_label_that_is_likelier_but_no_surer_than_on_its_own_rows_is_no_problem():
    probabilities = np.array([[0.4, 0.6], [0.9, 0.1], [0.05, 0.95], [0.1, 0.9]])
    assert not find_problems(probabilities, one_hot(np.array([0, 0, 1, 1]), 2), "exclusive")


def test_a_label_that_is_confident_but_less_likely_than_the_given_one_is_no_problem():
    probabilities = np.array([[0.55, 0.45], [0.95, 0.05], [0.6, 0.4], [0.6, 0.4]])
    assert [problem.row for problem in find_problems(probabilities, one_hot(np.array([0, 0, 1, 1]), 2), "exclusive")] == []


def test_multi_label_rows_are_looked_at_label_by_label():
    probabilities = np.array([[0.95, 0.1], [0.9, 0.2], [0.1, 0.05], [0.02, 0.9], [0.97, 0.97]])
    given = np.array([[1, 0], [1, 0], [0, 0], [1, 1], [0, 0]], bool)
    assert find_problems(probabilities, given, "multi") == [
        Problem(3, (0, 1), (1,), pytest.approx(0.98)),  # it has label 0 and should not
        Problem(4, (), (0,), pytest.approx(0.97)),
        Problem(4, (), (1,), pytest.approx(0.97)),
    ]


@pytest.mark.parametrize("share", [0.05, 0.1])
@pytest.mark.parametrize(("apart", "found_of", "right_of"), [(5, 0.8, 0.95), (3, 0.75, 0.75)], ids=["accuracy 1.0", "accuracy 0.95"])
def test_most_of_the_labels_that_were_turned_are_found_and_most_of_those_found_were(apart: float, found_of: float, right_of: float, share: float):
    found, right, first, suggested = [], [], [], []
    for seed in range(5):
        label, probabilities = separated(1000, seed=seed, apart=apart)
        coded, wrong = flipped(label, share, seed=seed)
        problems = find_problems(probabilities, one_hot(coded), "exclusive")
        hits = np.array([problem.row in wrong for problem in problems])
        found.append(hits.sum() / len(wrong))
        right.append(hits.mean())
        first.append(hits[: len(wrong) // 2].mean())
        suggested.append(np.mean([problem.suggested == (label[problem.row],) for problem in problems if problem.row in wrong]))
    assert np.mean(found) > found_of
    assert np.mean(right) > right_of
    assert min(first) > 0.95  # the first of the list are the surest
    assert min(suggested) > 0.95


@pytest.mark.parametrize(("apart", "most"), [(5, 0), (3, 10), (2.5, 30)], ids=["accuracy 1.0", "accuracy 0.95", "accuracy 0.9"])
def test_clean_codings_have_few_problems_even_where_the_model_errs(apart: float, most: int):
    for seed in range(5):
        label, probabilities = separated(1000, seed=seed, apart=apart)
        assert len(find_problems(probabilities, one_hot(label), "exclusive")) <= most


@pytest.mark.parametrize("share", [0.05, 0.1])
def test_multi_label_codings_that_were_turned_are_found_and_clean_ones_yield_few(share: float):
    chance = np.random.default_rng(3)
    truth = chance.random((1000, 4)) < [0.5, 0.3, 0.1, 0.05]
    probabilities = expit(1.5 * chance.normal(size=truth.shape) + np.where(truth, 5, -5))
    turned = chance.random(truth.shape) < share
    found = {
        (problem.row, column)
        for problem in find_problems(probabilities, truth ^ turned, "multi")
        for column in set(problem.given) ^ set(problem.suggested)
    }
    wrong = set(map(tuple, np.argwhere(turned).tolist()))
    assert len(found & wrong) > 0.8 * len(wrong)
    assert len(found & wrong) > 0.9 * len(found)
    assert len(find_problems(probabilities, truth, "multi")) < 0.01 * truth.size


@settings(max_examples=200, deadline=None)
@given_by(st.data())
def test_whatever_the_tables_problems_are_other_labels_ranked_and_the_same_in_any_order(data: st.DataObject):
    rows, labels = data.draw(st.integers(1, 12)), data.draw(st.integers(2, 4))
    kind = data.draw(st.sampled_from(["exclusive", "multi"]))
    # few values, so that ties are common
    probabilities = data.draw(arrays(float, (rows, labels), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1)))
    given = data.draw(arrays(bool, (rows, labels)))
    if kind == "exclusive":
        given = one_hot(data.draw(arrays(np.int64, rows, elements=st.integers(0, labels - 1))), labels)
        total = probabilities.sum(axis=1, keepdims=True)
        probabilities = np.where(total > 0.01, probabilities / np.maximum(total, 0.01), 1 / labels)
    found = find_problems(probabilities, given, kind)
    assert [problem.score for problem in found] == sorted((problem.score for problem in found), reverse=True)
    for problem in found:
        assert problem.given == tuple(np.flatnonzero(given[problem.row]))
        assert 0.5 < problem.score <= 1
        apart = set(problem.given) ^ set(problem.suggested)
        assert len(apart) == (2 if kind == "exclusive" else 1)
        assert all((probabilities[problem.row, column] > 0) or (column in problem.given) for column in apart)
    order = data.draw(st.permutations(range(rows)))
    moved = find_problems(probabilities[order], given[order], kind)
    if np.unique(probabilities).size == probabilities.size:  # sums in another order may tell equal values apart
        assert {(order[one.row], one.suggested) for one in moved} == {(one.row, one.suggested) for one in found}


@pytest.mark.parametrize(
    ("probabilities", "given", "kind", "sentence"),
    [
        (np.zeros((0, 2)), np.zeros((0, 2), bool), "multi", "there are no rows to look for problems in"),
        (np.zeros(2), np.zeros(2, bool), "multi", "this has 1 dimensions, not 2"),
        (np.full((1, 2), 0.5), np.array([[1, 0]]), "multi", r"table of booleans like that of the probabilities, \(1, 2\), not int64"),
        (np.full((2, 2), 0.5), np.array([[True, False]]), "multi", r"not bool \(1, 2\)"),
        (np.array([[0.5, np.nan]]), np.array([[True, False]]), "multi", "row 0, column 1 is nan"),
        (np.array([[0.5, 1.2]]), np.array([[True, False]]), "exclusive", r"row 0, column 1 is 1\.2"),
        (np.full((2, 2), 0.5), np.array([[True, False], [True, True]]), "exclusive", "has one label: row 1 has 2"),
        (np.full((1, 2), 0.5), np.array([[False, False]]), "exclusive", "has one label: row 0 has 0"),
        (np.full((1, 2), 0.7), np.array([[True, False]]), "exclusive", r"those of row 0 sum to 1\.4"),
        (np.ones((1, 1)), np.ones((1, 1), bool), "exclusive", "two labels or more, not 1"),
    ],
)
def test_what_are_no_such_tables_is_refused_in_a_sentence(probabilities: np.ndarray, given: np.ndarray, kind: str, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        find_problems(probabilities, given, kind)
