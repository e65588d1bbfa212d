"""Calibration, on simulated scores of which the true probabilities are known."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.special import expit, softmax

from newsclf.scores import calibration
from newsclf.scores.calibration import Calibration, fit_calibration
from newsclf.scores.metrics import log_loss

KINDS = ("exclusive", "multi")
kinds = pytest.mark.parametrize("kind", KINDS)


def simulated(
    kind: str, rows: int, *, seed: int = 0, slope: float = 3.0, shift: tuple[float, ...] = (0.0, 0.0, 0.0)
) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels drawn with the probabilities softmax or expit of slope · score + shift. [rows, labels] each"""
    chance = np.random.default_rng(seed)
    scores = chance.normal(size=(rows, len(shift)))
    logits = slope * scores + np.array(shift)
    if kind == "multi":
        return scores, chance.random(scores.shape) < expit(logits)
    drawn = (softmax(logits, axis=1).cumsum(axis=1) < chance.random((rows, 1))).sum(axis=1)
    return scores, np.eye(len(shift), dtype=bool)[drawn]


def separable(kind: str, rows: int) -> tuple[np.ndarray, np.ndarray]:
    scores, truth = simulated(kind, rows)
    return np.where(truth, 1.0, -1.0) + 0.1 * scores, truth


@kinds
@pytest.mark.parametrize("slope", [0.2, 4.0])
def test_it_mends_scores_that_are_too_sure_or_not_sure_enough(kind: str, slope: float):
    calibrated = fit_calibration(*simulated(kind, 400, slope=slope), kind)
    scores, truth = simulated(kind, 2000, seed=1, slope=slope)
    plain = Calibration.of_softmax(np.ones(3), np.zeros(3)) if kind == "exclusive" else Calibration(kind, np.ones(3), np.zeros(3))
    assert log_loss(truth, calibrated(scores), kind) < log_loss(truth, plain(scores), kind) - 0.02


def test_with_many_rows_it_finds_the_slope_and_the_shifts():
    found = fit_calibration(*simulated("multi", 20_000, slope=2.0, shift=(1.0, 0.0, -1.0)), "multi")
    assert found.slopes == pytest.approx([2, 2, 2], rel=0.1)
    assert found.shifts == pytest.approx([1, 0, -1], abs=0.1)


def test_with_many_rows_it_comes_near_the_loss_of_the_true_probabilities():
    scores = np.random.default_rng(0).normal(size=(20_000, 3))
    true = Calibration("exclusive", np.array([1.0, 2.0, 4.0]), np.array([-1.0, 0.0, -2.0]), np.array([1.5]), np.array([0.5, 0.0, -0.5]))
    truth = np.eye(3, dtype=bool)[(true(scores).cumsum(axis=1) < np.random.default_rng(1).random((20_000, 1))).sum(axis=1)]
    found = fit_calibration(scores, truth, "exclusive")
    least = log_loss(truth, true(scores), "exclusive")
    assert least < log_loss(truth, found(scores), "exclusive") < least + 0.03
    assert found(scores).mean(axis=0) == pytest.approx(truth.mean(axis=0), abs=0.005)


def test_scores_of_labels_on_scales_of_their_own_are_calibrated():
    scores, truth = simulated("exclusive", 6000, slope=3.0)
    scales = np.array([0.2, 1.0, 5.0])
    same, apart = (fit_calibration(found[:4000], truth[:4000], "exclusive") for found in (scores, scores * scales))
    one, other = (log_loss(truth[4000:], found, "exclusive") for found in (same(scores[4000:]), apart(scores[4000:] * scales)))
    assert other == pytest.approx(one, abs=0.01)


@kinds
def test_probabilities_of_a_rare_label_are_as_rare_as_the_label(kind: str):
    scores, truth = simulated(kind, 3000, slope=1.0, shift=(2.0, 0.0, -3.0))
    found = fit_calibration(scores, truth, kind)
    assert found(scores).mean(axis=0) == pytest.approx(truth.mean(axis=0), abs=0.01)
    assert found.shifts[0] > found.shifts[1] > found.shifts[2]


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 12), st.integers(0, 1000))
def test_whatever_the_rows_it_is_finite_monotone_and_gives_probabilities(kind: str, rows: int, seed: int):
    chance = np.random.default_rng(seed)
    scores = chance.normal(size=(rows, 3)) * 10.0 ** chance.integers(-3, 4)
    truth = np.eye(3, dtype=bool)[chance.integers(0, 3, rows)] if kind == "exclusive" else chance.random((rows, 3)) < 0.3
    found = fit_calibration(scores, truth, kind)
    assert (found.slopes > 0).all()
    ladder = np.zeros((50, 3))
    ladder[:, 1] = np.linspace(-20, 20, 50)
    climbing = found(ladder)
    assert (np.diff(climbing[:, 1]) >= 0).all()
    assert ((climbing >= 0) & (climbing <= 1)).all()


@kinds
@pytest.mark.parametrize("rows", [4, 40, 400])
def test_labels_told_apart_without_an_error_are_not_certain(kind: str, rows: int):
    scores, truth = separable(kind, rows)
    probabilities = fit_calibration(scores, truth, kind)(scores)
    assert probabilities[truth].min() > 0.5
    assert probabilities.max() < 1 - 1e-6
    assert probabilities.min() > 1e-6


@kinds
def test_one_error_after_a_faultless_calibration_does_not_ruin_the_log_loss(kind: str):
    found = fit_calibration(*separable(kind, 60), kind)
    scores, truth = separable(kind, 100)
    truth[0] = truth[0, [1, 2, 0]]
    assert log_loss(truth, found(scores), kind) < 0.2


@pytest.mark.parametrize(("coded", "low", "high"), [(False, 0.0, 0.1), (True, 0.9, 1.0)])
def test_a_label_that_no_row_or_every_row_has_is_improbable_or_probable_and_not_certain(coded: bool, low: float, high: float):
    scores, truth = simulated("multi", 100)
    truth[:, 1] = coded
    probabilities = fit_calibration(scores, truth, "multi")(scores)[:, 1]
    assert low < probabilities.mean() < high
    assert ((probabilities > 0) & (probabilities < 1)).all()


def test_a_label_of_an_exclusive_task_that_no_row_has_is_improbable_and_not_impossible():
    scores, truth = simulated("exclusive", 100)
    scores, truth = np.insert(scores, 3, -1.0, axis=1), np.insert(truth, 3, values=False, axis=1)  # as the solver scores it
    probabilities = fit_calibration(scores, truth, "exclusive")(scores)[:, 3]
    assert probabilities.min() > 0
    assert probabilities.mean() < 0.02


@kinds
def test_a_single_row_hardly_moves_the_probabilities_of_a_new_article(kind: str):
    found = fit_calibration(np.array([[1.0, -1.0, -1.0]]), np.array([[True, False, False]]), kind)
    assert ((found(np.zeros((1, 3))) > 0.1) & (found(np.zeros((1, 3))) < 0.7)).all()


@kinds
def test_without_rows_it_is_the_identity(kind: str):
    found = fit_calibration(np.zeros((0, 3)), np.zeros((0, 3), bool), kind)
    together = {"power": [1.0], "priors": [0.0] * 3} if kind == "exclusive" else {}
    assert found.as_dict() == {"slopes": [1.0] * 3, "shifts": [0.0] * 3} | together


def test_a_label_with_few_rows_takes_the_slope_of_the_others():
    scores, truth = simulated("multi", 2000, slope=3.0)
    truth[:, 2] = False
    truth[np.argsort(scores[:, 2])[:1], 2] = True  # its one row speaks against its score
    slopes = fit_calibration(scores, truth, "multi").slopes
    alone = fit_calibration(scores[:, 2:], truth[:, 2:], "multi").slopes
    assert alone[0] < slopes[2] < slopes[0]


@kinds
def test_two_fits_are_equal_to_the_last_bit(kind: str):
    one, other = (fit_calibration(*simulated(kind, 300), kind).as_dict() for _ in range(2))
    assert one == other


@kinds
def test_the_gradients_are_those_of_the_losses(kind: str, monkeypatch: pytest.MonkeyPatch):
    losses = []
    least = calibration._least

    def watched(loss, start, bounds):
        losses.append((loss, len(start)))
        return least(loss, start, bounds)

    monkeypatch.setattr(calibration, "_least", watched)
    fit_calibration(*simulated(kind, 40), kind)
    assert len(losses) == (5 if kind == "exclusive" else 4)
    for loss, size in losses:
        for point in np.random.default_rng(0).normal(size=(5, size)):
            error = check_grad(lambda x, loss=loss: loss(x)[0], lambda x, loss=loss: loss(x)[1], point)
            assert error < 1e-5 * max(1, np.abs(loss(point)[1]).max())


@kinds
def test_it_comes_back_from_json_as_it_was(kind: str):
    found = fit_calibration(*simulated(kind, 50), kind)
    plain = json.loads(json.dumps(found.as_dict()))
    again = Calibration(kind, **{name: np.array(values) for name, values in plain.items()})
    scores = simulated(kind, 20, seed=3)[0]
    assert again.as_dict() == found.as_dict()
    assert (again(scores) == found(scores)).all()


def test_exclusive_probabilities_sum_to_one_and_huge_scores_do_not_overflow():
    found = Calibration("exclusive", np.full(3, 2.0), np.array([0.5, 0.0, -0.5]), np.array([1.5]), np.array([0.1, 0.0, -0.1]))
    probabilities = found(np.array([[1e6, -1e6, -1e5], [0.0, 0.0, 0.0], [-1e6, -1e6, -2e6]]))
    assert probabilities.sum(axis=1) == pytest.approx([1, 1, 1])
    assert probabilities[0].tolist() == [1, 0, 0]


def test_the_calibration_of_format_1_is_a_softmax_of_the_scores():
    slopes, shifts, scores = np.full(3, 5.0), np.array([0.3, -0.2, 0.0]), np.random.default_rng(0).normal(size=(50, 3))
    assert Calibration.of_softmax(slopes, shifts)(scores) == pytest.approx(softmax(slopes * scores + shifts, axis=1), abs=1e-12)


@pytest.mark.parametrize(
    ("slopes", "shifts", "message"),
    [
        ([1.0, 1.0], [0.0], "a slope, a shift and a prior for each label"),
        ([1.0, np.nan], [0.0, 0.0], "must be finite"),
        ([1.0, 1.0], [0.0, np.inf], "must be finite"),
        ([1.0, 0.0], [0.0, 0.0], "slopes and power must be above zero"),
        ([1.0, -1.0], [0.0, 0.0], "slopes and power must be above zero"),
    ],
)
def test_a_calibration_that_is_not_one_is_refused(slopes: list[float], shifts: list[float], message: str):
    with pytest.raises(ValueError, match=message):
        Calibration("multi", np.array(slopes), np.array(shifts))
