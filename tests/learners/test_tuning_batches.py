"""Batches of an epoch hold every row once, of like length, in an order that seed and epoch decide."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.learners.tuning_batches import POOL, epoch_batches

LENGTHS = st.lists(st.integers(1, 600), max_size=200).map(lambda found: np.array(found, np.int64))


@settings(max_examples=50, deadline=None)
@given(LENGTHS, st.integers(1, 9), st.integers(0, 3), st.integers(0, 3))
def test_every_row_is_in_one_batch_and_none_is_too_large(lengths, batch, seed, epoch):
    found = epoch_batches(lengths, batch, seed=seed, epoch=epoch)
    assert sorted(row for rows in found for row in rows.tolist()) == list(range(len(lengths)))
    assert all(1 <= len(rows) <= batch for rows in found)
    assert len(found) == sum(-(-min(POOL * batch, len(lengths) - start) // batch) for start in range(0, len(lengths), POOL * batch))


def test_the_order_is_that_of_seed_and_epoch():
    lengths = np.arange(100)
    orders = {(seed, epoch): [rows.tolist() for rows in epoch_batches(lengths, 8, seed=seed, epoch=epoch)] for seed in (0, 1) for epoch in (0, 1, 2)}
    again = [rows.tolist() for rows in epoch_batches(lengths, 8, seed=1, epoch=2)]
    assert again == orders[1, 2]
    assert len({str(order) for order in orders.values()}) == 6


def test_rows_of_a_batch_are_of_like_length():
    lengths = np.random.default_rng(0).integers(1, 512, 1024)
    found = epoch_batches(lengths, 16, seed=0, epoch=1)
    padded = sum(len(rows) * lengths[rows].max() for rows in found)
    assert padded < 1.05 * lengths.sum()


def test_batches_of_short_and_of_long_rows_are_mixed():
    lengths = np.arange(512)
    means = np.array([lengths[rows].mean() for rows in epoch_batches(lengths, 8, seed=0, epoch=1)])
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.3


def test_the_longest_come_first_in_the_first_epoch():
    lengths = np.arange(512)
    assert 511 in epoch_batches(lengths, 8, seed=0, epoch=0)[0]
