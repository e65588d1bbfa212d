"""The rows that are kept of a group are a simple random sample of it, and few."""

from __future__ import annotations

import numpy as np
import pytest

from newsclf.estimates import looked as module
from newsclf.estimates.looked import Looked


def looked(cells, step):
    """Rows whose probability is their number in the corpus, taken in so many at a time."""
    found = Looked()
    for start in range(0, len(cells), step):
        part = cells[start : start + step]
        found.add(part, np.arange(start, start + len(part), dtype=float)[:, None])
    return found


@pytest.fixture
def small(monkeypatch):
    """At most 20 rows a cell and 50 a group."""
    monkeypatch.setattr(module, "MOST", 20)
    monkeypatch.setattr(module, "ROWS", 50)
    monkeypatch.setattr(module, "BUFFER", 30)


def test_few_rows_are_all_kept():
    cells = np.array([0, 1, 0, 2, 1, 0])
    rows = looked(cells, 4).of(np.array([[True, False, False], [True, True, True]]))
    assert sorted(rows[0][:, 0].tolist()) == [0, 2, 5]
    assert sorted(rows[1][:, 0].tolist()) == [0, 1, 2, 3, 4, 5]


def test_what_is_kept_does_not_depend_on_how_rows_come(small):
    cells = np.random.default_rng(0).integers(4, size=1000)
    groups = np.array([[True, False, False, False], [True, True, False, False], [True] * 4])
    one, other = (looked(cells, step).of(groups) for step in (1000, 37))
    assert [rows.tolist() for rows in one] == [rows.tolist() for rows in other]
    assert [len(rows) for rows in one] == [20, pytest.approx(40, abs=5), 50]


def test_every_row_of_a_group_is_kept_as_often_as_any_other(small):
    cells = np.repeat([0, 1], [300, 60])  # a group of two cells, of which one is much larger
    kept = np.zeros(360)
    for seed in range(600):
        found = Looked(np.random.default_rng(seed))
        found.add(cells, np.arange(360.0)[:, None])
        (rows,) = found.of(np.array([[True, True]]))
        kept[rows[:, 0].astype(int)] += 1 / len(rows)
    large, little = kept[:300].mean(), kept[300:].mean()
    assert little == pytest.approx(large, rel=0.1)
    assert kept.std() / kept.mean() < 0.35  # as chance makes it, in 600 draws of 24 out of 360


def test_memory_does_not_grow_with_the_corpus(small):
    found = looked(np.zeros(10_000, np.int64), 100)
    assert len(found.cells) <= 20 + 30 + 100
    assert sum(map(len, found.probabilities)) == len(found.cells)


def test_a_group_without_rows_has_none():
    found = Looked()
    found.add(np.zeros(0, np.int64), np.zeros((0, 1)))
    found.add(np.zeros(3, np.int64), np.zeros((3, 1)))
    assert [len(rows) for rows in found.of(np.array([[False], [True]]))] == [0, 3]
