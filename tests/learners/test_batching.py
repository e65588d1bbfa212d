"""Batches hold every text once, keep their budget and waste little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.learners.batching import Batch, Shape, batches, cost, filled

FEW = settings(max_examples=150, deadline=None)
LENGTHS = st.lists(st.integers(0, 600), max_size=80).map(lambda values: np.array(values, np.int64))
SHAPES = st.builds(Shape, tokens=st.integers(1, 5000), rows=st.integers(1, 70), multiple=st.sampled_from([1, 8, 16]))


@FEW
@given(LENGTHS, SHAPES)
def test_every_text_is_in_one_batch_that_is_as_wide_as_its_longest(lengths, shape):
    found = batches(lengths, shape, most=600)
    assert sorted(int(row) for batch in found for row in batch.rows) == list(range(len(lengths)))
    for batch in found:
        longest = max(int(lengths[batch.rows].max()), 1)
        assert longest <= batch.width < longest + shape.multiple
        assert batch.width % shape.multiple == 0 or batch.width == 600


@FEW
@given(LENGTHS, SHAPES)
def test_a_batch_keeps_its_budget_unless_it_is_a_single_text(lengths, shape):
    for batch in batches(lengths, shape):
        assert len(batch.rows) == 1 or len(batch.rows) * batch.width <= shape.tokens
        assert 1 <= len(batch.rows) <= shape.rows


@FEW
@given(LENGTHS, SHAPES)
def test_batches_go_from_the_longest_to_the_shortest_and_texts_of_one_length_stay_in_order(lengths, shape):
    order = np.concatenate([batch.rows for batch in batches(lengths, shape)]) if len(lengths) else np.zeros(0, np.int64)
    assert order.tolist() == sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))


@FEW
@given(LENGTHS, SHAPES)
def test_no_batch_could_have_taken_the_next_text(lengths, shape):
    found = batches(lengths, shape)
    for batch in found[:-1]:
        assert len(batch.rows) == shape.rows or (len(batch.rows) + 1) * batch.width > shape.tokens


def test_texts_of_like_length_go_together_so_that_little_is_padding():
    lengths = np.random.default_rng(3).integers(10, 500, 2000)
    sorted_share = 1 - lengths.sum() / cost(batches(lengths, Shape(4096, 64)))
    in_order = [lengths[start : start + 16] for start in range(0, len(lengths), 16)]
    assert sorted_share < 0.02
    assert 1 - lengths.sum() / sum(len(part) * part.max() for part in in_order) > 0.4


def test_lengths_are_rounded_up_to_few_widths_and_not_beyond_what_the_encoder_takes():
    shape = Shape(multiple=16)
    assert [shape.width(length, most=500) for length in (0, 1, 16, 17, 490, 500, 700)] == [16, 16, 16, 32, 496, 500, 700]
    lengths = np.arange(1, 513)
    assert {batch.width for batch in batches(lengths, Shape(tokens=512, multiple=16), most=512)} <= set(range(16, 513, 16))


@FEW
@given(LENGTHS.filter(len), SHAPES)
def test_halves_hold_the_same_texts_and_are_no_wider(lengths, shape):
    for batch in batches(lengths, shape):
        if len(batch.rows) > 1:
            one, other = batch.halves(lengths, shape)
            assert [*one.rows, *other.rows] == batch.rows.tolist()
            assert abs(len(one.rows) - len(other.rows)) <= 1
            assert max(one.width, other.width) == batch.width
            assert other.width >= lengths[other.rows].max()


def test_a_batch_of_one_has_no_halves():
    with pytest.raises(ValueError, match="one text"):
        Batch(np.array([0]), 4).halves(np.array([4]), Shape())


def test_filled_pads_on_the_right_and_says_where():
    texts = [np.array([5, 6, 7]), np.array([], np.int64), np.array([8])]
    tokens, mask = filled(texts, Batch(np.array([2, 0, 1]), 4), pad=9)
    assert tokens.tolist() == [[8, 9, 9, 9], [5, 6, 7, 9], [9, 9, 9, 9]]
    assert mask.tolist() == [[1, 0, 0, 0], [1, 1, 1, 0], [0, 0, 0, 0]]


def test_nothing_makes_no_batches():
    assert batches(np.zeros(0, np.int64), Shape()) == []
    assert cost([]) == 0


@pytest.mark.parametrize("wrong", [{"tokens": 0}, {"rows": 0}, {"multiple": -1}])
def test_a_shape_of_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="1 or more"):
        Shape(**wrong)
