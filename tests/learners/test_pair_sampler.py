"""Batches in which coded articles are compared: every article, balanced groups, and never a list of all pairs."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.learners.pair_sampler import PairSampler

SOME = settings(max_examples=60, deadline=None)


def exclusive(codes):
    """Codes to a matrix. [rows, labels]"""
    return np.eye(max(codes, default=0) + 1, dtype=np.bool_)[np.array(codes, np.int64)]


@st.composite
def samplers(draw):
    """Coded pairs of each kind of task, and a batch size."""
    rows = draw(st.integers(1, 60))
    labels = draw(st.integers(1, 5))
    size = draw(st.integers(4, 20))
    kind = draw(st.sampled_from(["exclusive", "multi", "stance"]))
    if kind == "multi":
        truth = np.array(draw(st.lists(st.lists(st.booleans(), min_size=labels, max_size=labels), min_size=rows, max_size=rows)), np.bool_)
    else:
        truth = exclusive(draw(st.lists(st.integers(0, labels - 1), min_size=rows, max_size=rows)))
    targets = draw(st.lists(st.sampled_from("abcd"), min_size=rows, max_size=rows)) if kind == "stance" else ()
    return PairSampler.of(truth, targets, size=size, seed=draw(st.integers(0, 9)))


@SOME
@given(samplers(), st.integers(0, 5))
def test_every_row_is_in_an_epoch_and_no_batch_is_too_large(sampler, epoch):
    batches = sampler.epoch(epoch)
    assert set(np.concatenate(batches).tolist()) == set(range(len(sampler.truth)))
    assert max(map(len, batches)) <= sampler.size


@SOME
@given(samplers())
def test_a_row_comes_twice_in_a_batch_only_where_it_is_all_of_its_group(sampler):
    alone = {int(rows[0]) for groups in sampler.groups for rows in groups if len(rows) == 1}
    for batch in sampler.epoch(0):
        assert {row for row, times in Counter(batch.tolist()).items() if times > 1} <= alone


@SOME
@given(samplers())
def test_what_is_drawn_grows_with_the_rows_and_not_with_their_pairs(sampler):
    drawn = sum(map(len, sampler.epoch(0)))
    # the largest group of a target decides how often its others come again; two batches more for what is left over
    bound = sum(max(map(len, groups)) * (len(groups) + 2) + 2 * sampler.size for groups in sampler.groups) * 2
    assert drawn <= bound


@SOME
@given(samplers(), st.integers(0, 5))
def test_batches_are_a_function_of_seed_and_epoch(sampler, epoch):
    again = PairSampler(sampler.truth, sampler.topics, sampler.size, sampler.seed, sampler.groups)
    for one, other in zip(sampler.epoch(epoch), again.epoch(epoch), strict=True):
        np.testing.assert_array_equal(one, other)


def test_epochs_and_seeds_differ():
    truth = exclusive([row % 3 for row in range(30)])
    orders = [np.concatenate(PairSampler.of(truth, seed=seed).epoch(epoch)).tolist() for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4


@SOME
@given(samplers())
def test_how_alike_two_rows_are_is_the_share_of_their_labels_that_both_have(sampler):
    for batch in sampler.epoch(0):
        compared = sampler.compare(batch)
        for one, row in enumerate(batch.tolist()):
            for other, beside in enumerate(batch.tolist()):
                mine, theirs = set(np.flatnonzero(sampler.truth[row])), set(np.flatnonzero(sampler.truth[beside]))
                wanted = len(mine & theirs) / len(mine | theirs) if mine | theirs else 0.0
                assert compared.alike[one, other] == pytest.approx(wanted)
                assert compared.counts[one, other] == (one != other and bool(mine | theirs) and sampler.topics[row] == sampler.topics[beside])


@pytest.mark.parametrize(("labels", "each", "size"), [(5, 8, 16), (2, 8, 16), (8, 8, 16), (12, 8, 16), (3, 20, 6)])
def test_balanced_labels_are_all_drawn_as_often_and_have_company_in_every_batch(labels, each, size):
    sampler = PairSampler.of(exclusive(np.repeat(np.arange(labels), each).tolist()), size=size)
    drawn: Counter[int] = Counter()
    for epoch in range(12):
        for batch in sampler.epoch(epoch):
            codes = sampler.truth[batch].argmax(axis=1)
            assert min(Counter(codes.tolist()).values()) >= 2
            drawn.update(codes.tolist())
    assert max(drawn.values()) <= 1.25 * min(drawn.values())


@pytest.mark.parametrize(("rare", "in_each"), [(6, 6), (20, 8)])
def test_a_rare_label_has_as_many_articles_in_a_batch_as_a_frequent_one_or_all_it_has(rare, in_each):
    sampler = PairSampler.of(exclusive([0] * 90 + [1] * rare))
    for batch in sampler.epoch(0):
        assert Counter(sampler.truth[batch].argmax(axis=1).tolist()) == {0: 8, 1: in_each}


def test_like_and_unlike_pairs_are_both_in_every_batch():
    sampler = PairSampler.of(exclusive([row % 5 for row in range(40)]))
    for batch in sampler.epoch(0):
        compared = sampler.compare(batch)
        like, unlike = ((compared.counts & (compared.alike == value)).sum() for value in (1.0, 0.0))
        assert like >= 2 * 5
        assert unlike > 0


def test_an_article_that_is_alone_with_its_label_stands_beside_itself():
    sampler = PairSampler.of(exclusive([0, 0, 0, 1]))
    for batch in sampler.epoch(0):
        assert Counter(batch.tolist())[3] == 2
        alone = np.flatnonzero(batch == 3)
        assert sampler.compare(batch).counts[alone[0], alone[1]]


def test_stance_compares_within_a_target_only_and_small_targets_share_batches():
    targets = [f"target {row // 2}" for row in range(40)]
    sampler = PairSampler.of(exclusive([row % 2 for row in range(40)]), targets)
    batches = sampler.epoch(0)
    assert len(batches) <= 40 * 2 / 16 + 1
    for batch in batches:
        rows, columns = np.nonzero(sampler.compare(batch).counts)
        assert [targets[row] for row in batch[rows]] == [targets[row] for row in batch[columns]]


def test_many_rows_are_drawn_in_proportion_and_held_as_numbers():
    rows = 50_000
    sampler = PairSampler.of(exclusive((np.arange(rows) % 40).tolist()))
    batches = sampler.epoch(0)
    assert sum(map(len, batches)) <= 1.1 * rows
    held = sum(batch.nbytes for batch in batches) + sum(some.nbytes for groups in sampler.groups for some in groups)
    assert held <= 20 * rows
    # what a batch has to compare is no more than its own square
    assert sampler.compare(batches[0]).alike.size <= sampler.size**2


@pytest.mark.parametrize("size", [0, 3])
def test_a_batch_without_room_for_two_labels_is_refused(size):
    with pytest.raises(ValueError, match=f"4 in all, and has {size}"):
        PairSampler.of(exclusive([0, 1]), size=size)
