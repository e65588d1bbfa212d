"""Isotonic curves, on scores of which the true probabilities are known."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from newsclf.scores.calibration import METHODS, Calibration, choose_calibration, fit_calibration
from newsclf.scores.isotonic import Curve, fit_curve, through
from newsclf.scores.metrics import log_loss

KINDS = ("exclusive", "multi")


def bent(rows: int, *, seed: int = 0, labels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose probability rises in a step, which no logistic curve follows. [rows, labels] each"""
    chance = np.random.default_rng(seed)
    scores = chance.normal(size=(rows, labels))
    return scores, chance.random(scores.shape) < np.where(scores > 0, 0.6 + 0.3 * (scores > 1), 0.05)


@given(st.lists(st.tuples(st.floats(-20, 20), st.booleans()), min_size=1, max_size=60))
@settings(max_examples=150, deadline=None)
def test_a_curve_rises_and_is_finite_whatever_the_rows(rows):
    logits, truth = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    curve = fit_curve(logits, truth)
    places = np.sort(np.concatenate([np.linspace(-40, 40, 200), logits]))
    after = curve(places)
    assert np.isfinite(after).all()
    assert (np.diff(after)[np.diff(places) > 1e-6] > 0).all()


def test_a_curve_goes_on_as_the_identity_does():
    curve = Curve(np.array([-1.0, 1.0]), np.array([-3.0, 2.0]))
    assert curve(np.array([-5.0, -1.0, 0.0, 1.0, 4.0])) == pytest.approx([-7.0, -3.0, -0.5, 2.0, 5.0])


def test_with_many_rows_it_comes_near_the_true_probabilities():
    scores, truth = bent(30_000)
    curve = fit_curve(scores[:, 0], truth[:, 0])
    places = np.array([-1.0, -0.3, 0.5, 1.5])
    assert expit(curve(places)) == pytest.approx([0.05, 0.05, 0.6, 0.9], abs=0.06)


@pytest.mark.parametrize(("before", "after"), [([], []), ([0.0], [0.0, 1.0]), ([0.0, 0.0], [0.0, 1.0]), ([0.0, 1.0], [1.0, 0.0]), ([np.nan], [0.0])])
def test_what_is_no_curve_is_refused(before, after):
    with pytest.raises(ValueError, match="curve"):
        Curve(np.array(before), np.array(after))


def test_each_label_goes_through_its_own_curve():
    curves = (Curve(np.array([0.0]), np.array([1.0])), Curve(np.array([0.0]), np.array([-2.0])))
    assert through(curves, np.zeros((2, 2))).tolist() == [[1.0, -2.0], [1.0, -2.0]]


def test_isotonic_is_chosen_where_the_curve_is_bent_and_there_are_rows_to_tell():
    method, losses = choose_calibration(*bent(6000), "multi")
    assert method == "isotonic"
    assert losses["isotonic"] < losses["platt"]
    new, truth = bent(6000, seed=1)
    isotonic, platt = (fit_calibration(*bent(6000), "multi", name)(new) for name in ("isotonic", "platt"))
    assert log_loss(truth, isotonic, "multi") < log_loss(truth, platt, "multi") - 0.005


@pytest.mark.parametrize("kind", KINDS)
def test_platt_stays_where_nothing_else_is_shown_to_be_better(kind):
    chance = np.random.default_rng(0)
    scores = chance.normal(size=(400, 3))
    drawn = (scores + chance.gumbel(size=scores.shape)).argmax(axis=1)
    truth = np.eye(3, dtype=bool)[drawn] if kind == "exclusive" else chance.random(scores.shape) < expit([1, 2, 4] * scores - [0, 1, 2])
    assert choose_calibration(scores, truth, kind)[0] == "platt"


def test_a_handful_of_rows_chooses_nothing():
    scores, truth = bent(150)
    assert choose_calibration(scores, truth, "multi") == ("platt", {})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_keeps_the_order_of_scores_and_is_read_as_it_was_written(kind, method):
    scores, truth = bent(500)
    truth = np.eye(3, dtype=bool)[np.where(truth, scores, -9.0).argmax(axis=1)] if kind == "exclusive" else truth
    found = fit_calibration(scores, truth, kind, method)
    again = Calibration.of_dict(kind, json.loads(json.dumps(found.as_dict())))
    assert again(scores).tolist() == found(scores).tolist()
    if kind == "multi":
        assert all((np.diff(found(np.sort(scores, axis=0))[:, column]) > 0).all() for column in range(3))
    else:
        assert found(scores).sum(axis=1) == pytest.approx(np.ones(500))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"knots": [1.0, 1.0, 5.0]}, "as many as it says"),
        ({"knots_after": [0.0]}, "as many as it says"),
        ({"knots": [0.5, 0.5, 1.0], "knots_before": [0.0, 0.0], "knots_after": [0.0, 0.0]}, "as many as it says"),
        ({"slope": [1.0]}, "slopes, shifts"),
    ],
)
def test_a_calibration_that_was_changed_is_refused(change, why):
    values = fit_calibration(*bent(300), "multi", "isotonic").as_dict() | change
    with pytest.raises(ValueError, match=why):
        Calibration.of_dict("multi", values)
