"""Thresholds: of the best F1 against trying every one, and what is promised against exact sums of the binomial distribution."""

from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from newsclf.scores.metrics import f1, f1_counts, micro_f1
from newsclf.scores.thresholds import CONFIDENCE, NEVER, Costs, Target, _best_threshold, at_least, choose_thresholds, in_percent

# few values, so that ties are common, and any value, so that neighbouring floats and the ends of the scale are tried
probability = st.one_of(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.floats(0, 1))
columns = st.integers(1, 12).flatmap(lambda rows: st.tuples(arrays(float, rows, elements=probability), arrays(bool, rows)))
tables = st.integers(1, 8).flatmap(lambda rows: st.tuples(arrays(float, (rows, 3), elements=probability), arrays(bool, (rows, 3))))
targets = st.sampled_from([0.05, 0.2, 0.5, 0.8])


def f1_at(threshold: float, probabilities: np.ndarray, truth: np.ndarray) -> float:
    return micro_f1(truth[:, None], (probabilities >= threshold)[:, None])


def beyond(share: float, right: int, rows: int) -> float:
    """How likely `right` or more of `rows` are right by chance, where this share is."""
    return sum(comb(rows, k) * share**k * (1 - share) ** (rows - k) for k in range(right, rows + 1))


def holds(right: int, rows: int, asked: float) -> bool:
    """Whether so many right ones promise a share: were it smaller, they would be unlikely."""
    return right > 0 and beyond(asked, right, rows) <= 1 - CONFIDENCE


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
    found = choose_thresholds(probabilities, truth, "micro_f1").values
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
    assert choose_thresholds(probabilities, truth, "per_label_f1").values[1] == pytest.approx(0.55)


@pytest.mark.parametrize("rule", ["per_label_f1", "micro_f1"])
@pytest.mark.parametrize("rows", [0, 2])
def test_without_any_positive_the_threshold_is_one_half(rule: str, rows: int):
    assert choose_thresholds(np.full((rows, 2), 0.2), np.zeros((rows, 2), bool), rule).values.tolist() == [0.5, 0.5]


def test_a_label_leaves_the_common_threshold_the_further_the_more_rows_it_has():
    probabilities = np.array([[0.9, 0.35], [0.9, 0.3], [0.9, 0.1], [0.9, 0.05], *[[0.5, 0.05]] * 4])
    truth = np.array([[True, True], [True, True], [True, False], [True, False], *[[False, False]] * 4])
    few, many = (choose_thresholds(probabilities.repeat(times, axis=0), truth.repeat(times, axis=0), "per_label_f1").values for times in (1, 50))
    assert few == pytest.approx([0.7, (0.35 + 0.3) / 2])
    assert many == pytest.approx([0.7, (0.3 + 0.1) / 2])


@pytest.mark.parametrize("seed", range(3))
def test_with_many_rows_each_label_has_the_best_f1_of_its_own(seed: int):
    chance = np.random.default_rng(seed)
    probabilities = chance.random((2000, 3))
    truth = chance.random((2000, 3)) < probabilities ** np.array([1, 2, 4])
    found = f1(*f1_counts(truth, probabilities >= choose_thresholds(probabilities, truth, "per_label_f1").values))
    for k in range(3):
        assert found[k] > max(f1_at(cut, probabilities[:, k], truth[:, k]) for cut in np.linspace(0.01, 0.99, 99)) - 0.01


def test_a_number_is_the_threshold_of_every_label():
    assert choose_thresholds(np.zeros((0, 3)), np.zeros((0, 3), bool), 0.3).values.tolist() == [0.3] * 3


@pytest.mark.parametrize(("right", "rows"), [(0, 1), (0, 50), (1, 1), (1, 50), (12, 12), (38, 40), (40, 40), (700, 1000)])
def test_a_share_is_promised_up_to_where_what_was_seen_would_be_unlikely(right: int, rows: int):
    bound = float(at_least(np.array(right), rows))
    assert beyond(bound, right, rows) == pytest.approx(1 - CONFIDENCE if right else 1.0)


@pytest.mark.parametrize(("share", "text"), [(0.952, "95.2 %"), (0.9529, "95.2 %"), (0.9, "90 %"), (0.29, "29 %"), (0.0, "0 %"), (1.0, "100 %")])
def test_a_share_is_rounded_down(share: float, text: str):
    assert in_percent(share) == text


@settings(deadline=None)
@given(columns, targets)
def test_the_threshold_of_a_precision_is_the_lowest_that_promises_it(column: tuple[np.ndarray, np.ndarray], asked: float):
    probabilities, truth = column
    chosen = choose_thresholds(probabilities[:, None], truth[:, None], Target(precision=asked))
    cuts = [cut for cut in probabilities if holds(int(truth[probabilities >= cut].sum()), int((probabilities >= cut).sum()), asked)]
    assert chosen.values.tolist() == [min(cuts, default=NEVER)]
    assert list(chosen.short) == ([] if cuts else [0])


@settings(deadline=None)
@given(columns, targets)
def test_the_threshold_of_a_recall_is_the_highest_that_promises_it(column: tuple[np.ndarray, np.ndarray], asked: float):
    probabilities, truth = column
    own = sorted(probabilities[truth])
    chosen = choose_thresholds(probabilities[:, None], truth[:, None], Target(recall=asked))
    # by rank, not by value: rows tied with the threshold are a gift
    cuts = [cut for rank, cut in enumerate(own) if holds(len(own) - rank, len(own), asked)]
    assert chosen.values.tolist() == [max(cuts, default=min(own, default=0.0))]
    assert list(chosen.short) == ([] if cuts else [0])


@pytest.mark.parametrize(("rows", "promised"), [(12, False), (21, False), (22, True)])
def test_a_dozen_rows_without_an_error_do_not_promise_nine_of_ten(rows: int, promised: bool):
    probabilities = np.r_[np.full(rows, 0.9), np.full(100, 0.1)][:, None]
    truth = probabilities > 0.5
    for target in (Target(precision=0.9), Target(recall=0.9)):
        assert (not choose_thresholds(probabilities, truth, target).short) == promised


def test_a_label_that_cannot_reach_a_precision_is_never_given_and_named_with_what_it_can():
    probabilities = np.tile(np.linspace(0.9, 0.1, 60)[:, None], 2)
    truth = np.stack([probabilities[:, 0] > 0.3, np.arange(60) % 2 == 0], axis=1)
    chosen = choose_thresholds(probabilities, truth, Target(precision=0.8))
    assert chosen.values[0] < 0.35
    assert chosen.values[1] == NEVER
    (warning,) = chosen.warnings(["crime", "courts"])
    assert warning.startswith("the label 'courts': a precision of 80 % cannot be promised: from 30 rows of it among 60 held-out ones, the most is ")
    assert "so it is never given" in warning
    best = float(warning.split("the most is ")[1].split(" %")[0]) / 100
    assert choose_thresholds(probabilities, truth, Target(precision=best)).short == {}  # what is said to be reachable is
    assert choose_thresholds(probabilities, truth, Target(precision=best + 0.001)).short.keys() == {1}


@pytest.mark.parametrize(("target", "value", "instead"), [(Target(precision=0.5), NEVER, "never given"), (Target(recall=0.5), 0.0, "always given")])
def test_a_label_without_rows_promises_nothing(target: Target, value: float, instead: str):
    chosen = choose_thresholds(np.full((30, 1), 0.4), np.zeros((30, 1), bool), target)
    assert chosen.values.tolist() == [value]
    assert "from 0 rows" in chosen.short[0]
    assert instead in chosen.short[0]


def test_the_threshold_of_a_cost_is_where_both_errors_cost_the_same():
    four = Target(cost=Costs(false_positive=1, false_negative=4))
    probabilities = np.random.default_rng(0).random((50_000, 2))
    truth = np.random.default_rng(1).random((50_000, 2)) < probabilities
    threshold = choose_thresholds(probabilities, truth, four).values
    assert threshold.tolist() == [0.2, 0.2]

    def cost(cut: float) -> int:
        return ((probabilities >= cut) & ~truth).sum() + 4 * ((probabilities < cut) & truth).sum()

    assert cost(0.2) < min(cost(cut) for cut in (0.1, 0.3, 0.5))


@pytest.mark.parametrize("rule", ["per_label_f1", "micro_f1", Target(precision=0.9), Target(recall=0.9)], ids=str)
@pytest.mark.parametrize(
    ("probabilities", "truth", "sentence"),
    [
        ([[0.5, float("nan")]], [[True, False]], "row 0, column 1 is nan"),
        ([[0.5, 0.5], [1.5, 0.5]], [[True, False]] * 2, "from 0 to 1: row 1, column 0 is 1.5"),
        ([[0.5, -0.1]], [[True, False]], "row 0, column 1 is -0.1"),
        ([0.5, 0.5], [True, False], "this has 1 dimensions"),
        ([[0.5, 0.5]], [[True], [False]], r"not bool \(2, 1\)"),
        ([[0.5, 0.5]], [[1, 0]], r"not int64 \(1, 2\)"),
    ],
    ids=str,
)
def test_what_are_no_probabilities_or_no_truth_is_refused_in_a_sentence(rule, probabilities, truth, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        choose_thresholds(np.array(probabilities), np.array(truth), rule)


@pytest.mark.parametrize("target", [Target(precision=0.9), Target(recall=0.9)], ids=str)
def test_no_rows_promise_nothing(target: Target):
    with pytest.raises(ValueError, match="there are none"):
        choose_thresholds(np.zeros((0, 2)), np.zeros((0, 2), bool), target)
