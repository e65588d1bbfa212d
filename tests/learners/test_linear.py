"""The linear learner: its solver, its choice of C, and that no fold sees what it is tested on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from newsclf.errors import ConfigError
from newsclf.learners.blocks import Matrix
from newsclf.learners.features import Features
from newsclf.learners.linear import GRID, LinearModel, LinearSpec, search_order
from newsclf.learners.protocol import Documents, Pairs, Parts
from newsclf.learners.solver import Rows, solve
from newsclf.scores.calibration import fit_calibration
from newsclf.scores.metrics import log_loss

SPEC = LinearSpec(C=1)


def choose(losses):
    """What C a search ends with, and those it tried, where trying a value shows its loss."""
    tried = {}
    for values in search_order("auto", tried):
        for C in values:
            tried[C] = losses[C], None
    return min(tried, key=lambda C: (tried[C][0], C)), list(tried)


@pytest.mark.parametrize("best", GRID)
def test_auto_finds_the_value_of_the_grid_with_the_lowest_loss(best):
    losses = {C: abs(GRID.index(C) - GRID.index(best)) for C in GRID}
    found, tried = choose(losses)
    assert found == best
    assert set(tried) <= set(GRID)
    assert len(tried) == len(set(tried))


def test_auto_tries_the_middle_first_and_stops_where_both_neighbours_are_worse():
    assert choose({0.3: 2, 1.0: 1, 3.0: 2}) == (1.0, [0.3, 1.0, 3.0])
    assert choose({0.3: 1, 1.0: 2, 3.0: 3, 0.1: 4}) == (0.3, [0.3, 1.0, 3.0, 0.1])


def test_of_equal_losses_the_smaller_value_wins():
    assert choose(dict.fromkeys(GRID, 1.0))[0] == GRID[0]


def test_a_given_value_is_not_searched():
    assert list(search_order(4.0, {})) == [(4.0,)]


def test_auto_chooses_by_the_calibrated_log_loss_of_held_out_scores(task):
    fitted = LinearSpec().fit(*task.fitting)
    losses = fitted.chosen["cross_validated_log_loss"]
    assert set(losses) <= {f"{C:g}" for C in GRID}
    assert losses[f"{fitted.chosen['C']:g}"] == min(losses.values())
    kind = task.codebook.kind
    calibrated = fit_calibration(fitted.heldout, task.truth, kind)(fitted.heldout)
    assert min(losses.values()) == pytest.approx(log_loss(task.truth, calibrated, kind), abs=1e-6)
    fixed = LinearSpec(C=fitted.chosen["C"]).fit(*task.fitting)
    assert (fixed.heldout == fitted.heldout).all()
    assert (fixed.model.weights == fitted.model.weights).all()


def test_where_all_values_do_as_well_the_strongest_regularisation_is_chosen(tasks):
    task = tasks["multi"]
    truth = np.tile([True, False, False], (len(task.pairs), 1))
    assert LinearSpec().fit(task.pairs, truth, task.codebook, task.folds).chosen["C"] == GRID[0]


def test_held_out_scores_are_those_of_a_model_that_never_saw_the_articles(task):
    """Vocabulary, idf and weights of a fold come from its own training rows: the same as if the others had not been there."""
    fitted = SPEC.fit(*task.fitting)
    for inside, held in task.folds:
        blind = SPEC.fit(part(task.pairs, inside), task.truth[inside], task.codebook, [(np.arange(len(inside)), np.arange(0))])
        np.testing.assert_allclose(fitted.heldout[held], blind.model.scores(part(task.pairs, held)), atol=2e-4)


def part(pairs, rows):
    """These pairs alone, with no other document beside them."""
    documents = Documents([pairs.documents.titles[row] for row in rows], [pairs.documents.texts[row] for row in rows])
    return Pairs(documents, np.arange(len(rows)), [pairs.targets[row] for row in rows] if pairs.targets else ())


def test_two_fits_give_the_same_bytes(task):
    one, other = (LinearSpec(C=1, characters=(2, 4)).fit(*task.fitting) for _ in range(2))
    assert one.heldout.tobytes() == other.heldout.tobytes()
    parts, again = one.model.parts(), other.model.parts()
    assert parts.vocabularies == again.vocabularies
    assert {name: array.tobytes() for name, array in parts.arrays.items()} == {name: array.tobytes() for name, array in again.arrays.items()}


def test_balanced_is_as_if_rare_labels_were_coded_as_often_as_the_others():
    rows = np.random.default_rng(3).normal(size=(8, 3)).astype(np.float32)
    truth = np.arange(8)[:, None] < 2
    # n / (2 · n_class): 8/12 for each of the six rows without the label, 8/4 for each of the two with it
    balanced, _ = solve(Rows.of(Matrix(rows)), truth, C=1.5, class_weight="balanced")
    repeated = np.r_[0:8, 0:2, 0:2]
    copied, _ = solve(Rows.of(Matrix(rows[repeated])), truth[repeated], C=1.0, class_weight="none")
    plain, _ = solve(Rows.of(Matrix(rows)), truth, C=1.0, class_weight="none")
    np.testing.assert_allclose(balanced, copied, atol=1e-3)
    assert np.abs(balanced - plain).max() > 0.01


def test_a_label_that_no_row_or_every_row_has_gets_the_same_score_everywhere():
    truth = np.array([[False, True, True], [False, True, False], [False, True, True]])
    weights, intercepts = solve(Rows.of(Matrix(np.eye(3, dtype=np.float32))), truth, C=1.0, class_weight="none")
    assert (weights[:, :2] == 0).all()
    assert intercepts[:2].tolist() == [-1.0, 1.0]
    assert (weights[:, 2] != 0).any()
    assert (weights.dtype, intercepts.dtype) == (np.float32, np.float64)


@pytest.mark.parametrize("weight", ["none", "balanced"])
def test_a_label_with_one_row_is_scored_by_the_folds_that_have_it(tasks, weight):
    task = tasks["multi"]
    truth = task.truth.copy()
    truth[:, 0] = np.arange(len(truth)) == 5
    fitted = LinearSpec(C=1, class_weight=weight).fit(task.pairs, truth, task.codebook, task.folds)
    # the fold that holds the row out has none to learn from
    _, held = next((inside, held) for inside, held in task.folds if 5 in held)
    assert (fitted.heldout[held, 0] == -1).all()
    scores = fitted.model.scores(task.pairs)[:, 0]
    assert scores.argmax() == 5


def test_a_label_that_every_row_of_a_fold_has_scores_one_there(tasks):
    task = tasks["multi"]
    inside, held = task.folds[0]
    truth = task.truth.copy()
    truth[inside, 1], truth[held, 1] = True, False
    fitted = SPEC.fit(task.pairs, truth, task.codebook, task.folds)
    assert (fitted.heldout[held, 1] == 1).all()
    assert np.isfinite(fitted.heldout).all()


@pytest.mark.parametrize("change", ["weights", "intercepts", "idf.words"])
def test_parts_without_an_array_are_refused(tasks, change):
    task = tasks["exclusive"]
    parts = SPEC.fit(*task.fitting).model.parts()
    rest = {name: array for name, array in parts.arrays.items() if name != change}
    with pytest.raises(ValueError, match=f"'{change}' is missing"):
        SPEC.rebuild(replace(parts, arrays=rest), task.codebook)


@pytest.mark.parametrize(("name", "cut"), [("weights", np.s_[1:]), ("weights", np.s_[:, 1:]), ("intercepts", np.s_[1:])])
def test_parts_of_another_shape_are_refused(tasks, name, cut):
    task = tasks["exclusive"]
    parts = SPEC.fit(*task.fitting).model.parts()
    with pytest.raises(ValueError, match=r"need \[\d+, 3\]"):
        SPEC.rebuild(Parts(parts.arrays | {name: parts.arrays[name][cut]}, parts.vocabularies), task.codebook)


def test_telling_phrases_are_those_with_the_largest_weights(tasks):
    model = SPEC.fit(*tasks["exclusive"].fitting).model
    assert isinstance(model, LinearModel)
    told = model.telling(0, 5)
    assert [phrase for phrase, _ in told] == [phrase for phrase, _ in model.telling(0, 50)][:5]
    assert [weight for _, weight in told] == sorted((weight for _, weight in told), reverse=True)
    assert told[-1][1] > 0
    assert told[0][0] in {"rose", "tomato", "brick", "ember", "rust", "cherry"}


def test_the_whole_article_is_always_read(task):
    assert (SPEC.fit(*task.fitting).model.coverage(task.pairs) == 1).all()


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"C": 0}, "'C' must be greater than 0 or 'auto', not 0"),
        ({"C": float("inf")}, "'C' must be a finite number or 'auto'"),
        ({"C": "best"}, "'C' must be a number or 'auto', not \"best\""),
        ({"class_weight": "auto"}, "'class_weight' must be 'none' or 'balanced', not \"auto\""),
        ({"kind": "tree"}, "'kind' must be 'linear', not \"tree\""),
    ],
)
def test_hyper_parameters_that_mean_nothing_are_refused(tree, message):
    with pytest.raises(ConfigError, match=message):
        LinearSpec.parse(tree, where="config.yaml")


def test_fits_in_other_processes_are_those_of_this_one(tasks, monkeypatch):
    task = tasks["exclusive"]
    monkeypatch.setattr("newsclf.learners.solver.WORTH_PROCESSES", 0)
    monkeypatch.setattr("newsclf.learners.solver.usable_cores", lambda: 1)
    here = SPEC.fit(*task.fitting)
    monkeypatch.setattr("newsclf.learners.solver.usable_cores", lambda: 2)
    there = SPEC.fit(*task.fitting)
    assert there.heldout.tobytes() == here.heldout.tobytes()
    assert there.model.weights.tobytes() == here.model.weights.tobytes()


def test_labels_fitted_together_are_those_fitted_alone(tasks, monkeypatch):
    """Rows of one label each: the machines of several labels share a call, and rows without any of its labels stand against all of them."""
    task = tasks["exclusive"]
    features, counted = Features.learn(SPEC, task.pairs, task.codebook)
    rows = Rows.of(features.weigh(counted))
    alone = [solve(rows, task.truth[:, [k]], C=1.0, class_weight="none") for k in range(3)]
    for together in (2, 3):
        monkeypatch.setattr("newsclf.learners.solver.TOGETHER", together)
        weights, intercepts = solve(rows, task.truth, C=1.0, class_weight="none")
        for k, (own, intercept) in enumerate(alone):
            np.testing.assert_allclose(weights[:, k], own[:, 0], atol=2e-3)
            np.testing.assert_allclose(intercepts[k], intercept[0], atol=2e-3)
