"""Groups dealt out to parts: how far off a label's spread can be, and the report that says how far it is."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.corpus.stratify import assign, balance, bound


@st.composite
def dealt(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, list[float], int]:
    count, labels = draw(st.integers(4, 60)), draw(st.integers(1, 4))
    groups = np.unique(draw(st.lists(st.integers(0, draw(st.integers(1, 59))), min_size=count, max_size=count)), return_inverse=True)[1]
    truth = np.random.default_rng(draw(st.integers(0, 999))).random((count, labels)) < draw(st.floats(0, 1))
    shares = draw(st.sampled_from([[0.75, 0.25], [0.9, 0.1], [1.0, 1.0], [1.0, 1.0, 1.0], [0.6, 0.2, 0.2], [1.0] * 5]))
    return groups, truth, shares, draw(st.integers(0, 3))


@settings(max_examples=300, deadline=None)
@given(dealt())
def test_groups_stay_whole_and_no_label_is_further_off_than_the_bound(case: tuple[np.ndarray, np.ndarray, list[float], int]):
    groups, truth, shares, seed = case
    part = assign(groups, truth, shares, seed=seed)
    assert all(len(set(part[groups == group].tolist())) == 1 for group in range(groups.max() + 1))
    if min(len(set(groups[part == index].tolist())) for index in range(len(shares))) < 2:
        return  # the last groups were given to empty parts, whatever their labels
    counted = np.hstack([truth, np.ones((len(truth), 1), bool)])
    counted = counted[:, counted.any(axis=0)]
    share = np.array(shares)[:, None] / sum(shares)
    given_to = np.array([counted[part == index].sum(axis=0) for index in range(len(shares))]) / counted.sum(axis=0)
    limit = bound(groups, truth, shares)[:, None]
    assert (np.abs(given_to - share) <= limit + 1e-9).all()
    assert ((given_to - share) ** 2 / limit**2).sum() <= 1 + 1e-9  # the errors of all labels and parts together stay within it


def test_the_bound_shrinks_with_the_number_of_groups():
    truth = np.ones((400, 1), bool)
    limits = [bound(np.arange(400) // size, truth, (0.75, 0.25)).max() for size in (100, 10, 1)]
    assert limits == pytest.approx([np.sqrt(0.75 * 2 / groups) for groups in (4, 40, 400)])


def test_outlets_of_one_slant_each_are_spread_far_better_than_by_lot():
    random = np.random.default_rng(0)
    slant = np.repeat([0, 1, 2], [30, 20, 10])
    groups = np.repeat(np.arange(60), random.integers(5, 40, 60))
    truth = np.eye(3, dtype=bool)[slant[groups]]
    stratified = assign(groups, truth, (0.75, 0.25), seed=0)
    by_lot = (random.random(60) < 0.25).astype(np.int64)[groups]
    off = [balance(part, truth, ["left", "right", "center"]).deviation for part in (stratified, by_lot)]
    assert off[0] < 0.03 < off[1]


def test_the_report_has_the_rate_of_each_label_in_each_part_and_names_the_largest_deviation():
    part = np.array(["train", "train", "train", "train", "test", "test", "aside"])
    truth = np.array([[1, 0], [1, 0], [1, 1], [0, 1], [0, 1], [1, 1], [0, 0]], bool)
    found = balance(part, truth, ["border", "courts"], of=("train", "test"))
    assert found.rows == {"train": 4, "test": 2}
    assert found.overall == pytest.approx({"border": 4 / 6, "courts": 4 / 6})
    assert found.rates == {"border": {"train": 0.75, "test": 0.5}, "courts": {"train": 0.5, "test": 1.0}}
    assert (found.label, found.part) == ("courts", "test")
    assert found.deviation == pytest.approx(1 / 3)
    assert json.loads(json.dumps(found.as_dict())) == found.as_dict()


def test_without_a_list_every_part_counts_and_folds_are_named_by_number():
    found = balance(np.array([0, 1, 1]), np.array([[True], [True], [False]]), ["border"])
    assert found.rates == {"border": {"0": 1.0, "1": 0.5}}


def test_the_balance_of_no_rows_is_refused():
    with pytest.raises(ValueError, match="no rows"):
        balance(np.array(["aside"]), np.ones((1, 1), bool), ["border"], of=("train", "test"))
