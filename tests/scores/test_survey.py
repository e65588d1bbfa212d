"""Variances of designs, against textbook formulas and against all samples of tiny corpora."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.scores.survey import Design, covariance, expected_variance, variance


def stratified(strata: list[int], sizes: list[float]) -> Design:
    """Rows drawn one by one: so many of each stratum as there are in the list."""
    stratum = np.array(strata)
    drawn = np.bincount(stratum, minlength=len(sizes))
    return Design(stratum, np.arange(len(stratum)), np.array(sizes, float), (np.array(sizes) / np.maximum(drawn, 1))[stratum])


def clustered(clusters: list[int], of: int) -> Design:
    """Whole clusters, a simple random sample of so many."""
    drawn = len(set(clusters))
    return Design(np.zeros(len(clusters), np.int64), np.array(clusters), np.array([float(of)]), np.full(len(clusters), of / drawn))


def total(design: Design, values: np.ndarray) -> float:
    return float((design.weights * values).sum())


def test_a_simple_random_sample_has_the_textbook_variance():
    values = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0])
    found, freedom = covariance(Design.simple(6, of=40), values[:, None])
    assert found[0, 0] == pytest.approx(40**2 * (1 - 6 / 40) * values.var(ddof=1) / 6)
    assert freedom.tolist() == [5]


def test_of_a_corpus_without_end_nothing_is_taken_off():
    values = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
    design = Design(np.zeros(5, np.int64), np.arange(5), np.array([np.inf]), np.full(5, 2.0))
    assert variance(design, values[:, None])[0][0] == pytest.approx(4 * 5 * values.var(ddof=1))


def test_strata_add_their_own_variances():
    chance = np.random.default_rng(0)
    design = stratified([0] * 7 + [1] * 4 + [2] * 9, [50, 10, 200])
    values = chance.normal(size=20)
    parts = [
        size**2 * (1 - number / size) * values[design.strata == stratum].var(ddof=1) / number
        for stratum, (size, number) in enumerate([(50, 7), (10, 4), (200, 9)])
    ]
    found, freedom = variance(design, values[:, None])
    assert found[0] == pytest.approx(sum(parts))
    # Satterthwaite's
    assert freedom[0] == pytest.approx(sum(parts) ** 2 / sum(part**2 / (number - 1) for part, number in zip(parts, (7, 4, 9), strict=True)))


def test_clusters_count_by_their_totals():
    values = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    design = clustered([5, 5, 2, 2, 2, 8, 9], of=12)
    totals = np.array([1.0, 2.0, 1.0, 0.0])
    found, freedom = variance(design, values[:, None])
    assert found[0] == pytest.approx(12**2 * (1 - 4 / 12) * totals.var(ddof=1) / 4)
    assert freedom.tolist() == [3]


def test_clusters_of_one_row_are_rows():
    values = np.random.default_rng(1).normal(size=(8, 2))
    assert np.allclose(covariance(clustered([7, 3, 1, 9, 4, 2, 8, 5], of=30), values)[0], covariance(Design.simple(8, of=30), values)[0])


def test_a_stratum_that_was_coded_whole_adds_nothing():
    values = np.random.default_rng(2).normal(size=12)
    design = stratified([0] * 6 + [1] * 6, [40, 6])
    alone = stratified([0] * 6, [40])
    found, freedom = variance(design, values[:, None])
    assert found[0] == pytest.approx(variance(alone, values[:6, None])[0][0])
    assert freedom.tolist() == [5]


def test_a_census_has_no_variance_and_freedom_without_end():
    found, freedom = variance(stratified([0] * 3 + [1] * 2, [3, 2]), np.arange(5.0)[:, None])
    assert found.tolist() == [0]
    assert freedom.tolist() == [np.inf]


def test_covariances_are_those_of_sums_and_differences():
    chance = np.random.default_rng(3)
    design = stratified([0] * 5 + [1] * 8, [30, 90])
    one, other = chance.normal(size=(2, 13))
    matrix, _ = covariance(design, np.column_stack([one, other]))
    of = [variance(design, values[:, None])[0][0] for values in (one, other, one - other)]
    assert np.allclose(np.diag(matrix), of[:2])
    assert of[2] == pytest.approx(of[0] + of[1] - 2 * matrix[0, 1])
    assert np.allclose(matrix, matrix.T)


@given(st.integers(0, 10**6), st.permutations(range(11)), st.permutations(range(3)))
@settings(max_examples=40, deadline=None)
def test_neither_the_order_of_the_rows_nor_the_names_of_strata_and_clusters_matter(seed, order, names):
    values = np.random.default_rng(seed).normal(size=(11, 2))
    strata, clusters = np.array([0] * 4 + [1] * 4 + [2] * 3), np.array([0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 8])
    sizes, weights = np.array([9.0, 6.0, 4.0]), np.array([3.0] * 4 + [2.0] * 4 + [4 / 3] * 3)
    expected, freedom = covariance(Design(strata, clusters, sizes, weights), values)
    renamed = np.empty(3)
    renamed[list(names)] = sizes
    other = Design(np.array(names)[strata][list(order)], (100 - 7 * clusters)[list(order)], renamed, weights[list(order)])
    found, again = covariance(other, values[list(order)])
    assert np.allclose(found, expected)
    assert np.allclose(again, freedom)


@pytest.mark.parametrize("sizes", [(4, 3), (5, 2)])
def test_over_all_samples_of_a_tiny_corpus_the_variance_is_right_on_average(sizes):
    """The variance of the total over all stratified samples of two rows, and the mean of what each sample says of it."""
    rows = np.split(np.random.default_rng(4).normal(size=sum(sizes)), [sizes[0]])
    totals, said = [], []
    for some in product(*(combinations(range(size), 2) for size in sizes)):
        values = np.concatenate([stratum[list(which)] for stratum, which in zip(rows, some, strict=True)])
        design = stratified([0, 0, 1, 1], list(sizes))
        totals.append(total(design, values))
        said.append(variance(design, values[:, None])[0][0])
    assert np.mean(totals) == pytest.approx(sum(stratum.sum() for stratum in rows))
    assert np.mean(said) == pytest.approx(np.var(totals))


def test_over_all_samples_of_clusters_too():
    values = np.random.default_rng(5).normal(size=12)
    cluster = np.array([0, 0, 0, 1, 1, 2, 3, 3, 3, 3, 4, 4])
    totals, said = [], []
    for some in combinations(range(5), 3):
        rows = np.flatnonzero(np.isin(cluster, some))
        design = clustered(cluster[rows].tolist(), of=5)
        totals.append(total(design, values[rows]))
        said.append(variance(design, values[rows, None])[0][0])
    assert np.mean(totals) == pytest.approx(values.sum())
    assert np.mean(said) == pytest.approx(np.var(totals))


def test_a_stratum_of_one_drawn_row_errs_on_the_wide_side():
    """Over all samples, the strata far apart: what is said is never less on average than what it is."""
    rows = [np.array([0.0, 1.0, 2.0]), np.array([9.0, 10.0, 12.0, 13.0])]
    totals, said = [], []
    for one, some in product(range(3), combinations(range(4), 2)):
        values = np.concatenate([rows[0][[one]], rows[1][list(some)]])
        design = stratified([0, 1, 1], [3, 4])
        totals.append(total(design, values))
        said.append(variance(design, values[:, None])[0][0])
    assert np.mean(said) > np.var(totals)
    assert min(said) > 0


def test_the_variance_that_is_expected_is_that_of_a_simple_random_sample_of_such_rows():
    design = Design.simple(8, of=40)
    found = expected_variance(np.column_stack([design.weights, np.where(np.arange(8) < 4, design.weights, 0)]), np.full((8, 1), 0.2))
    assert np.allclose(found, [[(1 - 8 / 40) * 0.2 / 8], [(1 - 8 / 40) * 0.2 / 4]])
    assert (expected_variance(np.ones((8, 1)), np.full((8, 1), 0.2)) == 0).all()


@pytest.mark.parametrize("weight", [0.5, 0.0, np.nan, np.inf])
def test_what_is_no_weight_is_refused(weight):
    with pytest.raises(ValueError, match="1 / inclusion probability"):
        Design(np.zeros(2, np.int64), np.arange(2), np.array([9.0]), np.array([2.0, weight]))


def test_arrays_of_different_samples_are_refused():
    with pytest.raises(ValueError, match="3, 2, 2"):
        Design(np.zeros(3, np.int64), np.arange(2), np.array([9.0]), np.full(2, 2.0))
