"""Ridge regression toward a prior: the same as solving it the long way, blind to what is held out, and with ends that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.learners.ridge import Ridge

FOLDS = [(np.arange(12)[np.arange(12) % 3 != at], np.arange(12)[np.arange(12) % 3 == at]) for at in range(3)]


def made(seed, *, rows=12, columns=5, labels=2):
    """Some rows, what is thought of them, and what they are."""
    dice = np.random.default_rng(seed)
    matrix, truth, prior = dice.normal(size=(rows, columns)), dice.random((rows, labels)) < 0.5, dice.normal(size=(rows, labels))
    return matrix, Ridge(lambda _: matrix @ matrix.T, truth, prior, -0.25)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), strength=st.floats(0.1, 50), weight=st.floats(0, 6))
def test_it_is_the_ridge_that_is_solved_by_columns(seed, strength, weight):
    matrix, ridge = made(seed)
    wanted = np.where(ridge.truth, 1.0, -1.0) - (ridge.base + weight * ridge.prior)
    by_columns = np.linalg.solve(matrix.T @ matrix + strength * np.eye(5), matrix.T @ wanted)
    np.testing.assert_allclose(matrix.T @ ridge.fit(strength, weight), by_columns, atol=1e-8)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), weight=st.floats(0, 6))
def test_held_out_scores_are_those_of_a_machine_without_the_fold(seed, weight):
    matrix, ridge = made(seed)
    found = ridge.heldout(FOLDS, (2.0,), (weight,))[2.0, weight]
    for inside, held in FOLDS:
        wanted = np.where(ridge.truth, 1.0, -1.0)[inside] - ridge.base - weight * ridge.prior[inside]
        weights = np.linalg.solve(matrix[inside].T @ matrix[inside] + 2 * np.eye(5), matrix[inside].T @ wanted)
        np.testing.assert_allclose(found[held], ridge.base + weight * ridge.prior[held] + matrix[held] @ weights, atol=1e-8)


def test_each_fold_weighs_its_rows_by_those_it_learns_from():
    matrix, plain = made(1)
    asked = []

    def kernel(inside):
        asked.append(inside.tolist())
        return matrix @ matrix.T

    Ridge(kernel, plain.truth, plain.prior, 0.0).heldout(FOLDS, (1.0, 3.0), (0.0, 2.0))
    assert asked == [inside.tolist() for inside, _ in FOLDS]  # once a fold, whatever is tried


def test_at_infinity_the_prior_stays():
    _, ridge = made(2)
    found = ridge.heldout(FOLDS, (np.inf,), (0.0, 3.0))
    np.testing.assert_array_equal(found[np.inf, 3.0], ridge.base + 3 * ridge.prior)
    np.testing.assert_array_equal(found[np.inf, 0.0], np.full(ridge.truth.shape, ridge.base))
    assert not ridge.fit(np.inf, 3.0).any()


def test_the_error_is_the_mean_square_to_one_and_minus_one():
    ridge = Ridge(lambda _: np.eye(2), np.array([[True], [False]]), np.zeros((2, 1)), 0.0)
    assert ridge.error(np.array([[1.0], [-1.0]])) == 0
    assert ridge.error(np.array([[0.0], [1.0]])) == pytest.approx(2.5)
