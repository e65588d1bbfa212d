"""The losses of fine-tuning, beside what they are by hand."""

from __future__ import annotations

import numpy as np
import pytest

from newsclf.learners.finetune_loss import Objective, pooled_values
from newsclf.learners.windows import attention_shares, pooled

torch = pytest.importorskip("torch", reason="the neural extra is not installed")

TRUTH = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1]], bool)
SCORES = np.array([[2.0, 0.5, -1.0], [0.1, 0.0, 0.2], [-1.0, 1.0, 0.0], [0.3, -0.2, 1.5]])


def said(kind, class_weight="none", focal=0.0, truth=TRUTH, scores=SCORES):
    return float(Objective.of(truth, kind, class_weight, focal)(torch.from_numpy(scores), truth))


def shares(scores=SCORES):
    raised = np.exp(scores)
    return raised / raised.sum(axis=1, keepdims=True)


def test_an_exclusive_task_has_the_cross_entropy():
    assert said("exclusive") == pytest.approx(-np.log(shares()[TRUTH]).sum())


def test_any_other_has_the_mean_of_its_labels_binary_ones():
    ours = 1 / (1 + np.exp(-np.where(TRUTH, SCORES, -SCORES)))
    assert said("multi") == pytest.approx(-np.log(ours).mean(axis=1).sum())


def test_balanced_gives_each_label_the_same_weight_in_all():
    # three rows of the first label, one of the third, none of the second: 4 / (2 · 3) and 4 / (2 · 1)
    assert said("exclusive", "balanced") == pytest.approx(-(np.log(shares()[TRUTH]) * [2 / 3, 2 / 3, 2 / 3, 2]).sum())
    two = TRUTH[:, [0, 2]]
    ours = -np.log(1 / (1 + np.exp(-np.where(two, SCORES[:, [0, 2]], -SCORES[:, [0, 2]]))))
    weights = np.where(two, [4 / 6, 4 / 2], [4 / 2, 4 / 6])
    assert said("multi", "balanced", truth=two, scores=SCORES[:, [0, 2]]) == pytest.approx((ours * weights).mean(axis=1).sum())


@pytest.mark.parametrize("kind", ["exclusive", "multi"])
def test_focal_counts_what_is_known_less(kind):
    assert said(kind, focal=2.0) < said(kind)
    assert said(kind, focal=1e-9) == pytest.approx(said(kind), rel=1e-6)
    known = shares()[TRUTH]
    if kind == "exclusive":
        assert said(kind, focal=2.0) == pytest.approx((-np.log(known) * (1 - known) ** 2).sum())


def test_a_pair_of_several_labels_is_shared_among_them_and_one_of_none_says_nothing():
    truth = np.array([[1, 1, 0], [0, 0, 0]], bool)
    assert said("exclusive", truth=truth, scores=SCORES[:2]) == pytest.approx(-np.log(shares()[0, :2]).mean())


@pytest.mark.parametrize("pooling", ["mean", "max", "attention"])
def test_windows_are_pooled_as_in_use_and_gradients_flow(pooling):
    dice = np.random.default_rng(0)
    sizes, columns = np.array([2, 1, 3]), 4 + (pooling == "attention")
    values = torch.tensor(dice.normal(size=(6, columns)), requires_grad=True)
    weights = np.array([0.25, 0.75, 1.0, 0.5, 0.3, 0.2])
    starts = np.array([0, 2, 3, 6])
    found = pooled_values(values, sizes, weights, pooling)
    plain = values.detach().numpy()
    of_use = {"mean": weights, "max": None, "attention": attention_shares(plain[:, -1], starts)}[pooling]
    np.testing.assert_allclose(found.detach().numpy(), pooled(plain[:, :4], starts, of_use), rtol=1e-6)
    found.sum().backward()
    assert (values.grad != 0).any()


def test_shares_of_some_windows_count_in_proportion():
    values = torch.tensor([[1.0], [3.0]])
    assert float(pooled_values(values, np.array([2]), np.array([0.1, 0.3]), "mean")) == pytest.approx(2.5)
