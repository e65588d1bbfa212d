"""Shares of small groups: what they are mixed of, where they go when errors are alike or unlike, and how often their intervals hold."""

import numpy as np
import pytest
from scipy.special import expit

from newsclf.scores.estimate import Corpus, Sample, shares
from newsclf.scores.shrink import pooled
from newsclf.scores.survey import Design


class World:
    """Groups of a parent each, with a model whose error differs between groups by so much."""

    def __init__(self, seed: int = 0, parents: int = 2, each: int = 10, apart: float = 0.5, size: int = 600):
        chance = np.random.default_rng(seed)
        self.parents = np.repeat(np.arange(parents), each)
        groups = len(self.parents)
        self.cell = np.repeat(np.arange(groups), size)
        odds = -1 + chance.normal(0, 0.4, groups)
        self.truth = (chance.random(len(self.cell)) < expit(odds[self.cell])).astype(float)
        shift = chance.normal(0, 0.5, parents)[self.parents] + chance.normal(0, apart, groups)
        self.scores = expit(2.5 * self.truth - 1.8 + shift[self.cell] + chance.standard_normal(len(self.cell)))
        self.size, self.groups = size, np.eye(groups, dtype=bool)
        self.corpus = Corpus(np.full(groups, float(size)), np.bincount(self.cell, self.scores)[:, None])
        self.share = np.bincount(self.cell, self.truth) / size

    def draw(self, counts: np.ndarray, seed: int = 1) -> Sample:
        """So many of each group."""
        chance = np.random.default_rng(seed)
        at = np.concatenate([group * self.size + chance.choice(self.size, count, replace=False) for group, count in enumerate(counts)])
        stratum = self.cell[at]
        design = Design(stratum, np.arange(len(at)), np.full(len(counts), float(self.size)), self.size / counts[stratum])
        return Sample(self.truth[at][:, None], self.scores[at][:, None], stratum, design)


ONE = np.ones(1)


def direct(world: World, sample: Sample) -> np.ndarray:
    """The difference estimator with the whole model. [groups]"""
    wrong = [np.mean((sample.truth - sample.scores)[sample.cells == group]) for group in range(len(world.groups))]
    return world.corpus.sums[:, 0] / world.size + np.array(wrong)


def test_a_share_lies_between_the_groups_own_and_its_parents():
    world = World()
    sample = world.draw(np.full(20, 15))
    found = pooled(sample, world.corpus, world.groups, world.parents, weight=ONE)
    own, part = direct(world, sample), found.own[:, 0]
    assert ((part > 0) & (part < 1)).all()
    model = world.corpus.sums[:, 0] / world.size
    parent = np.array([(own - model)[world.parents == parent].mean() for parent in world.parents])
    # with as many rows in every group the parent's error is the mean of its groups', whatever the spread
    assert found.share[:, 0] == pytest.approx(np.clip(model + part * (own - model) + (1 - part) * parent, 0, 1), abs=0.01)


def test_the_more_rows_the_more_a_group_says_itself_and_coded_whole_it_says_all():
    world = World()
    counts = np.full(20, 10)
    counts[0], counts[1] = 100, 600
    found = pooled(world.draw(counts), world.corpus, world.groups, world.parents, weight=ONE)
    assert found.own[2:, 0].max() < found.own[0, 0] < found.own[1, 0]
    assert found.own[1, 0] == pytest.approx(1)
    assert found.share[1, 0] == pytest.approx(world.share[1])
    assert found.variance[1, 0] == pytest.approx(0, abs=1e-9)


def test_errors_that_differ_more_leave_more_to_the_group():
    parts, spreads = [], []
    for apart in (0.0, 1.0, 3.0):
        world = World(apart=apart)
        found = pooled(world.draw(np.full(20, 25)), world.corpus, world.groups, world.parents, weight=ONE)
        parts.append(found.own.mean())
        spreads.append(found.spread[0])
    assert parts == sorted(parts)
    assert spreads == sorted(spreads)
    assert parts[0] < parts[2] - 0.2


def test_the_spread_is_that_of_the_errors():
    world = World(apart=1.0, each=40)
    wrong = world.share - world.corpus.sums[:, 0] / world.size
    between = np.sqrt(np.mean([wrong[world.parents == parent].var(ddof=1) for parent in (0, 1)]))
    found = pooled(world.draw(np.full(80, 60)), world.corpus, world.groups, world.parents, weight=ONE)
    assert found.spread[0] == pytest.approx(between, rel=0.2)


def test_a_group_without_a_coded_row_has_its_parents_error():
    world = World()
    counts = np.full(20, 15)
    counts[3] = 0
    found = pooled(world.draw(counts), world.corpus, world.groups, world.parents, weight=ONE)
    assert found.own[3, 0] == 0
    assert found.variance[3, 0] > found.spread[0] ** 2
    low, high = found.interval()
    assert low[3, 0] < world.share[3] < high[3, 0]


def test_a_parent_with_few_rows_or_few_with_the_label_is_not_told():
    world = World(parents=3)
    counts = np.full(30, 15)
    counts[20:] = 2
    sample = world.draw(counts)
    found = pooled(sample, world.corpus, world.groups, world.parents, weight=ONE)
    assert np.isfinite(found.share[:20]).all()
    assert np.isnan(found.share[20:]).all()
    assert np.isnan(np.concatenate([side[20:] for side in found.interval()])).all()


def test_parents_that_are_not_told_do_not_say_what_the_spread_is():
    world = World(parents=3)
    sample = world.draw(np.full(30, 15))
    rare = Sample(sample.truth * (world.parents[sample.cells] > 0)[:, None], sample.scores, sample.cells, sample.design)
    found = pooled(rare, world.corpus, world.groups, world.parents, weight=np.zeros(1))
    assert np.isnan(found.share[:10]).all()
    assert np.isfinite(found.share[10:]).all()
    others = np.arange(30) >= 10
    alone = pooled(rare, world.corpus, world.groups[others], world.parents[others], weight=np.zeros(1))
    assert found.spread == pytest.approx(alone.spread)
    assert found.share[10:] == pytest.approx(alone.share)
    none = pooled(Sample(sample.truth * 0, sample.scores, sample.cells, sample.design), world.corpus, world.groups, world.parents, weight=ONE)
    assert np.isnan(none.share).all()
    assert np.isnan(none.spread).all()


def test_labels_do_not_see_each_other():
    world = World()
    sample = world.draw(np.full(20, 15))
    truth, scores = (np.hstack([values, 1 - values]) for values in (sample.truth, sample.scores))
    both = Sample(truth, scores, sample.cells, sample.design)
    corpus = Corpus(world.corpus.counts, np.hstack([world.corpus.sums, world.corpus.counts[:, None] - world.corpus.sums]))
    found = pooled(both, corpus, world.groups, world.parents, weight=np.ones(2))
    alone = pooled(sample, world.corpus, world.groups, world.parents, weight=ONE)
    assert found.share[:, :1] == pytest.approx(alone.share)
    assert found.share.sum(axis=1) == pytest.approx(np.ones(20))
    assert found.variance[:, 1] == pytest.approx(found.variance[:, 0])


def test_rows_that_were_drawn_together_say_less():
    world = World()
    once = world.draw(np.full(20, 15))
    twice = [np.repeat(values, 2, axis=0) for values in (once.truth, once.scores, once.cells)]
    design = Design(
        np.repeat(once.design.strata, 2), np.repeat(once.design.clusters, 2), once.design.sizes / 2, np.repeat(once.design.weights, 2) / 2
    )
    pairs = Sample(*twice, design)
    alone = Sample(*twice, Design(design.strata, np.arange(600), once.design.sizes, design.weights))
    found, naive = (pooled(each, world.corpus, world.groups, world.parents, weight=ONE) for each in (pairs, alone))
    assert (found.variance > naive.variance).all()
    assert found.own.mean() < naive.own.mean()


@pytest.mark.parametrize("apart", [0.0, 0.5, 1.5])
def test_intervals_hold_on_average_over_groups(apart):
    held, narrower = [], []
    for seed in range(60):
        world = World(seed, parents=1, each=20, apart=apart)
        sample = world.draw(np.random.default_rng(seed).integers(5, 26, 20))
        rough = shares(sample, world.corpus, world.groups, "multi")
        found = pooled(sample, world.corpus, world.groups, world.parents, weight=rough.weight)
        low, high = found.interval()
        held.append(((low[:, 0] <= world.share) & (world.share <= high[:, 0])).mean())
        wide = np.subtract(*rough.interval()[::-1])
        narrower.append(np.median(high - low) / np.median(wide))
    assert 0.92 < np.mean(held) < 0.995
    assert np.mean(narrower) < 0.95


@pytest.mark.parametrize(
    ("groups", "parents", "message"),
    [
        (np.eye(20, dtype=bool) | (np.arange(20) == 0), np.zeros(20), "cell 0 is in two of them"),
        (np.eye(20, dtype=bool) & (np.arange(20) != 4), np.zeros(20), "a share of no rows: group 4 is empty"),
        (np.eye(20, dtype=bool), np.zeros(19), "each of 20 groups has a parent: 19 are given"),
        (np.eye(20, dtype=bool)[:14], np.arange(14) // 2, "14 groups of 7 parents have coded rows; .* there must be 8 more groups than parents"),
    ],
)
def test_what_cannot_be_pooled_is_refused(groups, parents, message):
    world = World()
    with pytest.raises(ValueError, match=message):
        pooled(world.draw(np.full(20, 15)), world.corpus, groups, parents.astype(np.int64), weight=ONE)
