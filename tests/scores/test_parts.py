"""Metrics as sums over rows, against the metrics themselves."""

import numpy as np
import pytest

from newsclf.scores import metrics
from newsclf.scores.parts import headline, label_f1

LABELS = 5


def draw(seed: int, kind: str, rows: int = 80) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coded labels, probabilities and decided labels; the last label is never coded, nor decided in every other draw."""
    chance = np.random.default_rng(seed)
    probabilities = chance.dirichlet(np.ones(LABELS), rows)
    if kind == "multi":
        return chance.random((rows, LABELS)) < [0.5, 0.3, 0.2, 0.1, 0], probabilities, probabilities > 0.3
    every = np.eye(LABELS, dtype=bool)
    decided = every[chance.integers(0, LABELS - seed % 2, rows)] & (chance.random((rows, 1)) < 0.9)
    return every[chance.integers(0, LABELS - 1, rows)], probabilities, decided


@pytest.mark.parametrize("kind", ["exclusive", "multi"])
@pytest.mark.parametrize("seed", range(6))
def test_the_statistic_of_the_summed_parts_is_the_metric(seed: int, kind: str):
    truth, probabilities, decided = draw(seed, kind)
    expected = metrics.summary(truth, probabilities, decided, kind) | {"f_avg": metrics.f_avg(truth, decided, [0, 2])}
    found = headline(truth, probabilities, decided, kind, sides=[0, 2])
    assert set(found) == set(expected)
    for name, (parts, statistic) in found.items():
        assert len(parts) == len(truth)
        assert float(statistic(parts.sum(axis=0))) == pytest.approx(expected[name], abs=1e-12), name
    for label, score in enumerate(metrics.f1(*metrics.f1_counts(truth, decided))):
        parts, statistic = label_f1(truth, decided, label)
        assert float(statistic(parts.sum(axis=0))) == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize("kind", ["exclusive", "multi"])
def test_many_sums_are_scored_at_once_as_one_by_one(kind: str):
    truth, probabilities, decided = draw(0, kind)
    for parts, statistic in headline(truth, probabilities, decided, kind, sides=[1]).values():
        many = np.stack([parts[rows].sum(axis=0) for rows in np.random.default_rng(0).integers(0, len(truth), (6, 40))]).reshape(2, 3, -1)
        expected = [[float(statistic(sums)) for sums in row] for row in many]
        assert statistic(many) == pytest.approx(np.array(expected), abs=1e-12)


def test_f_avg_is_there_where_there_are_sides():
    truth, probabilities, decided = draw(0, "exclusive")
    assert "f_avg" not in headline(truth, probabilities, decided, "exclusive")


def test_what_is_no_probability_is_said():
    truth, probabilities, decided = draw(0, "multi")
    with pytest.raises(ValueError, match="probabilities are from 0 to 1"):
        headline(truth, probabilities + 1, decided, "multi")
