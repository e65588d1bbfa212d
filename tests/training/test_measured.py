"""Numbers with intervals: the hierarchical metrics as functions of sums are those of the metrics themselves."""

import numpy as np
import pytest

from newsclf.scores.metrics import hierarchical
from newsclf.training.measured import hierarchical_parts, interval_of, named

PARENTS = [None, 0, 0, None, 3]


def test_sums_of_rows_give_the_hierarchical_metrics():
    chance = np.random.default_rng(1)
    truth, decided = chance.random((40, 5)) < 0.4, chance.random((40, 5)) < 0.4
    found = {name: float(statistic(parts.sum(axis=0))) for name, (parts, statistic) in hierarchical_parts(truth, decided, PARENTS).items()}
    assert found == pytest.approx(hierarchical(truth, decided, PARENTS))


def test_what_was_never_given_has_no_precision():
    nothing = np.zeros((3, 5), bool)
    parts = hierarchical_parts(nothing, nothing, PARENTS)
    assert [float(statistic(values.sum(axis=0))) for values, statistic in parts.values()] == [0, 0, 0]


def test_rows_of_one_story_have_no_interval():
    truth = np.eye(5, dtype=bool)
    metric = hierarchical_parts(truth, truth, PARENTS)["hierarchical_f1"]
    assert interval_of(metric, np.zeros(5, np.int64)) == {"estimate": 1.0, "low": None, "high": None}
    found = interval_of(metric, np.arange(5))
    assert found["low"] <= found["estimate"] == 1.0


def test_metrics_are_named_in_words():
    assert [named(name) for name in ("macro_f1", "log_loss", "accuracy")] == ["macro F1", "log loss", "accuracy"]
