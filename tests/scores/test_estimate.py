"""Shares by the difference estimator: exact cases, all samples of a tiny corpus, PPI++ of its authors' package."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.scores.differences import differences
from newsclf.scores.estimate import EXPECTED, FEW, LEAST, Corpus, Sample, Shares, more_needed, shares, wilson
from newsclf.scores.metrics import Floats, Kind
from newsclf.scores.survey import Design, Ids, variance

WHOLE = np.ones((1, 1), bool)


def made(seed: int, rows: int = 600, labels: int = 3, cells: int = 2, *, kind: Kind = "exclusive") -> tuple[Floats, Floats, Ids]:
    """Truth, scores that say something of it, and cells of a corpus."""
    chance = np.random.default_rng(seed)
    odds = chance.dirichlet(np.full(labels, 0.5), rows) if kind == "exclusive" else chance.beta(0.5, 1, (rows, labels))
    if kind == "exclusive":
        truth = np.eye(labels)[(odds.cumsum(axis=1) < chance.random((rows, 1))).sum(axis=1).clip(max=labels - 1)]
    else:
        truth = (chance.random((rows, labels)) < odds).astype(float)
    return truth, odds, np.arange(rows) % cells


def corpus_of(scores: Floats, cells: Ids) -> Corpus:
    sums = np.zeros((int(cells.max()) + 1, scores.shape[1]))
    np.add.at(sums, cells, scores)
    return Corpus(np.bincount(cells).astype(float), sums)


def sampled(truth: Floats, scores: Floats, cells: Ids, rows: Ids) -> Sample:
    """Rows drawn from each cell, which is a stratum."""
    sizes, drawn = np.bincount(cells).astype(float), np.bincount(cells[rows], minlength=int(cells.max()) + 1)
    design = Design(cells[rows], np.arange(len(rows)), sizes, (sizes / np.maximum(drawn, 1))[cells[rows]])
    return Sample(truth[rows], scores[rows], cells[rows], design)


def drawn(seed: int, cells: Ids, each: int) -> Ids:
    chance = np.random.default_rng(seed)
    return np.concatenate([chance.choice(np.flatnonzero(cells == cell), each, replace=False) for cell in range(int(cells.max()) + 1)])


def found_of(seed: int = 0, *, each: int = 60, kind: Kind = "exclusive", tuned: bool = True, cells: int = 2) -> Shares:
    """All rows together, then each cell."""
    truth, scores, cell = made(seed, cells=cells, kind=kind)
    groups = np.vstack([np.ones((1, cells), bool), np.eye(cells, dtype=bool)])
    return shares(sampled(truth, scores, cell, drawn(seed, cell, each)), corpus_of(scores, cell), groups, kind, tuned=tuned)


@pytest.mark.parametrize("kind", ["exclusive", "multi"])
@pytest.mark.parametrize("tuned", [True, False])
def test_where_all_is_coded_the_share_is_the_share(kind, tuned):
    truth, scores, cells = made(1, rows=50, kind=kind)
    found = shares(sampled(truth, scores, cells, np.arange(50)), corpus_of(scores, cells), np.ones((1, 2), bool), kind, tuned=tuned)
    low, high = found.interval()
    assert np.allclose(found.share[0], truth.mean(axis=0))
    assert np.allclose(low, found.share, atol=1e-12)
    assert np.allclose(high, found.share, atol=1e-12)
    assert found.told.all()


def test_a_model_that_is_never_wrong_leaves_nothing_to_chance():
    truth, _, cells = made(2)
    for seed in range(5):
        found = shares(sampled(truth, truth, cells, drawn(seed, cells, 40)), corpus_of(truth, cells), np.ones((1, 2), bool), "exclusive")
        assert np.allclose(found.weight, 1)
        assert np.allclose(found.share[0], truth.mean(axis=0))
        assert np.allclose(found.variance, 0)


@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(20, 80))
@settings(max_examples=25, deadline=None)
def test_shares_of_an_exclusive_task_sum_to_one_and_stay_in_their_limits(seed, labels, each):
    truth, scores, cells = made(seed, labels=labels)
    found = shares(sampled(truth, scores, cells, drawn(seed, cells, each)), corpus_of(scores, cells), np.eye(2, dtype=bool), "exclusive")
    total = found.share.sum(axis=1)
    inner = (found.share > 0).all(axis=1)  # a share below 0, of a rare label, is cut off there
    assert np.allclose(total[inner], 1)
    assert (total >= 1 - 1e-9).all()
    assert len(np.unique(found.weight)) == 1
    low, high = found.interval()
    assert ((low >= 0) & (high <= 1) & (low <= found.share + 1e-9) & (found.share <= high + 1e-9)).all()


def test_without_the_model_the_share_is_the_weighted_mean():
    truth, scores, cells = made(3, kind="multi")
    sample = sampled(truth, scores, cells, np.concatenate([np.arange(0, 80, 2), np.arange(1, 240, 2)]))
    found = shares(sample, corpus_of(scores, cells), np.vstack([np.ones((1, 2), bool), np.eye(2, dtype=bool)]), "multi", tuned=False)
    weights = sample.design.weights[:, None]
    assert np.allclose(found.share[0], (weights * sample.truth).sum(axis=0) / weights.sum())
    for cell in range(2):
        assert np.allclose(found.share[1 + cell], sample.truth[sample.cells == cell].mean(axis=0))
    assert (found.weight == 0).all()


def test_without_the_model_variance_and_worth_are_the_textbooks():
    truth, scores, cells = made(4, cells=1, kind="multi")
    found = shares(sampled(truth, scores, cells, drawn(4, cells, 100)), corpus_of(scores, cells), WHOLE, "multi", tuned=False)
    share = found.share[0]
    assert np.allclose(found.variance[0], (1 - 100 / 600) * share * (1 - share) / 99)
    assert np.allclose(found.worth, 1 / ((1 - 100 / 600) / 99 + 1 / 600))
    assert (found.freedom == 99).all()


def test_over_all_samples_the_estimate_without_the_model_is_the_truth():
    truth, scores, _ = made(5, rows=9, kind="multi")
    cells = np.array([0] * 5 + [1] * 4)
    found = []
    for one, other in product(combinations(range(5), 3), combinations(range(5, 9), 2)):
        sample = sampled(truth, scores, cells, np.array([*one, *other]))
        found.append(shares(sample, corpus_of(scores, cells), np.ones((1, 2), bool), "multi", tuned=False))
    assert np.allclose(np.mean([each.share[0] for each in found], axis=0), truth.mean(axis=0))
    assert np.allclose(np.mean([each.variance[0] for each in found], axis=0), np.var([each.share[0] for each in found], axis=0))


def test_over_all_samples_a_weight_that_was_tuned_costs_little_bias_beside_the_error():
    truth, scores, cells = made(6, rows=13, labels=2, cells=1)
    scores = 0.2 + 0.4 * scores + 0.4 * truth
    estimates = []
    for some in combinations(range(13), 6):
        found = shares(sampled(truth, scores, cells, np.array(some)), corpus_of(scores, cells), WHOLE, "exclusive")
        estimates.append(found.share[0, 0])
    assert len(estimates) == 1716
    assert abs(np.mean(estimates) - truth[:, 0].mean()) < 0.2 * np.std(estimates)


@pytest.mark.parametrize("shift", [-3.0, 0.0, 3.0])
def test_the_estimate_does_not_lean_on_a_model_that_is_wrong_everywhere(shift):
    """Over many samples, probabilities shifted in log odds: counting is off by far, the estimate is not."""
    truth, scores, cells = made(7, cells=1, kind="multi", rows=800)
    shifted = 1 / (1 + np.exp(-np.log(np.clip(scores, 1e-6, 1 - 1e-6) / (1 - np.clip(scores, 1e-6, 1 - 1e-6))) - shift))
    estimates = np.array(
        [shares(sampled(truth, shifted, cells, drawn(seed, cells, 80)), corpus_of(shifted, cells), WHOLE, "multi").share[0] for seed in range(300)]
    )
    error = estimates.std(axis=0) / np.sqrt(300)
    assert (np.abs(estimates.mean(axis=0) - truth.mean(axis=0)) < 5 * error).all()
    if shift:
        assert (np.abs(shifted.mean(axis=0) - truth.mean(axis=0)) > 50 * error).all()


@given(st.integers(0, 10**6), st.sampled_from(["exclusive", "multi"]))
@settings(max_examples=20, deadline=None)
def test_order_and_names_do_not_matter(seed, kind):
    truth, scores, cells = made(seed, kind=kind)
    rows = drawn(seed, cells, 40)
    groups = np.vstack([np.ones((1, 2), bool), np.eye(2, dtype=bool)])
    expected = shares(sampled(truth, scores, cells, rows), corpus_of(scores, cells), groups, kind)
    order, labels = np.random.default_rng(seed).permutation(len(rows)), [2, 0, 1]
    flipped = 1 - cells
    found = shares(sampled(truth[:, labels], scores[:, labels], flipped, rows[order]), corpus_of(scores[:, labels], flipped), groups[[0, 2, 1]], kind)
    for name in ("share", "variance", "freedom", "positives", "worth"):
        assert np.allclose(getattr(found, name), getattr(expected, name)[:, labels], equal_nan=True), name
    assert np.allclose(found.weight, expected.weight[labels])


def test_groups_may_overlap_and_each_is_as_if_it_were_alone():
    truth, scores, cells = made(8, cells=3)
    sample, corpus = sampled(truth, scores, cells, drawn(8, cells, 40)), corpus_of(scores, cells)
    groups = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1]], bool)
    found = shares(sample, corpus, groups, "exclusive")
    for row in range(3):
        alone = shares(sample, corpus, groups[[row]], "exclusive")
        assert np.allclose(found.share[row], alone.share[0])
        assert np.allclose(found.variance[row], alone.variance[0])


@pytest.mark.parametrize("kind", ["exclusive", "multi"])
@pytest.mark.parametrize("tuned", [True, False])
def test_where_no_coded_row_has_the_label_it_is_said_what_it_is_at_most(kind, tuned):
    scores = np.random.default_rng(9).dirichlet([1, 1], 500)
    truth = np.tile([0.0, 1.0], (500, 1))
    cells = np.zeros(500, np.int64)
    found = shares(sampled(truth, scores, cells, np.arange(60)), corpus_of(scores, cells), WHOLE, kind, tuned=tuned)
    low, high = found.interval()
    most = 1 - 0.025 ** (1 / 60)  # Clopper and Pearson's, for 0 of 60
    assert not found.told.any()
    assert np.allclose([low[0], high[0]], [[0, 1 - most], [most, 1]])


def test_rows_that_weigh_unlike_each_other_tell_less_of_a_label_that_none_has():
    scores = np.random.default_rng(10).beta(1, 4, (400, 1))
    cells = np.array([0] * 100 + [1] * 300)
    sample = sampled(np.zeros((400, 1)), scores, cells, np.concatenate([np.arange(50), np.arange(100, 120)]))
    found = shares(sample, corpus_of(scores, cells), np.ones((1, 2), bool), "multi")
    assert found.effective[0] == pytest.approx(400**2 / (50 * 2**2 + 20 * 15**2))
    assert found.interval()[1][0, 0] == pytest.approx(1 - 0.025 ** (1 / found.effective[0]))


def test_clusters_count_as_one_each_however_many_rows_they_have():
    """Forty rows of a group in eight clusters: Student's t has seven degrees of freedom, and none of eight is what a missing label is."""
    truth, scores, _ = made(21, kind="multi", labels=2)
    truth[:, 1] = 0
    cells = np.repeat([0, 1], 300)
    clusters = np.arange(600) // 5
    rows = np.flatnonzero(np.isin(clusters, [*range(0, 56, 7), *range(60, 120, 5)]))
    design = Design(np.zeros(len(rows), np.int64), clusters[rows], np.array([120.0]), np.full(len(rows), 6.0))
    found = shares(Sample(truth[rows], scores[rows], cells[rows], design), corpus_of(scores, cells), np.eye(2, dtype=bool), "multi")
    assert found.audited.tolist() == [40, 60]
    assert np.allclose(found.freedom[:, 0], [7, 11])
    assert np.allclose(found.effective, [8, 12])
    assert np.allclose(found.interval()[1][:, 1], [1 - 0.025 ** (1 / 8), 1 - 0.025 ** (1 / 12)])


def test_a_share_is_told_of_enough_rows_with_and_without_the_label():
    truth, scores, cells = made(11, cells=1, labels=2)
    for rows, told in ((LEAST - 1, False), (LEAST, True)):
        found = shares(sampled(truth, scores, cells, drawn(0, cells, rows)), corpus_of(scores, cells), WHOLE, "exclusive")
        assert found.told.all() == told


def test_a_group_without_a_coded_row_is_not_told_and_anything_is_possible():
    truth, scores, cells = made(12)
    rows = np.flatnonzero(cells == 0)[:50]
    sample = Sample(truth[rows], scores[rows], cells[rows], Design.simple(50, of=300))
    found = shares(sample, corpus_of(scores, cells), np.eye(2, dtype=bool), "exclusive")
    low, high = found.interval()
    assert not found.told[1].any()
    assert found.told[0].all()
    assert (low[1] == 0).all()
    assert (high[1] == 1).all()


def test_a_group_of_no_rows_is_refused():
    truth, scores, cells = made(13)
    with pytest.raises(ValueError, match="no rows"):
        shares(sampled(truth, scores, cells, drawn(0, cells, 40)), corpus_of(scores, cells), np.zeros((1, 2), bool), "exclusive")


def test_shares_of_votes_are_truth_too():
    chance = np.random.default_rng(14)
    scores = chance.beta(1, 2, (900, 2))
    truth = chance.binomial(3, scores) / 3
    cells = np.zeros(900, np.int64)
    estimates, inside = [], []
    for seed in range(200):
        found = shares(sampled(truth, scores, cells, drawn(seed, cells, 90)), corpus_of(scores, cells), WHOLE, "multi")
        low, high = found.interval()
        estimates.append(found.share[0])
        inside.append((low[0] <= truth.mean(axis=0)) & (truth.mean(axis=0) <= high[0]))
    assert np.allclose(np.mean(estimates, axis=0), truth.mean(axis=0), atol=0.01)
    assert np.mean(inside) > 0.9
    assert found.positives[0].tolist() == [int((truth[drawn(199, cells, 90), label] >= 0.5).sum()) for label in range(2)]


def test_a_good_model_is_worth_codes_and_one_that_tells_nothing_is_left_out():
    truth, scores, cells = made(15, rows=4000, labels=2, cells=1)
    sharp = np.clip(truth + np.random.default_rng(0).normal(0, 0.2, truth.shape), 0, 1)
    rows = drawn(0, cells, 200)
    found = {
        name: shares(sampled(truth, given, cells, rows), corpus_of(given, cells), WHOLE, "exclusive")
        for name, given in {"sharp": sharp, "plain": scores, "upside down": 1 - scores, "constant": np.full(truth.shape, 0.5)}.items()
    }
    assert found["sharp"].worth[0, 0] > 2 * found["plain"].worth[0, 0] > 2 * found["constant"].worth[0, 0]
    for name in ("upside down", "constant"):
        assert (found[name].weight == 0).all()
        assert np.allclose(found[name].share[0], truth[rows].mean(axis=0))


def test_where_the_coded_rows_show_none_of_its_errors_the_models_own_word_widens_the_interval():
    """A model that is right in all coded rows, and says of some that it may well be wrong there."""
    cells = np.zeros(500, np.int64)
    truth = np.tile(np.eye(2), (250, 1))
    sure = np.where(truth == 1, 1.0, 0.0)
    doubtful = np.where(np.arange(500)[:, None] % 10 < 2, 0.6 * truth + 0.2, sure)
    rows = drawn(0, cells, 50)
    width = {}
    for name, scores in {"sure": sure, "doubtful": doubtful}.items():
        found = shares(sampled(truth, scores, cells, rows), corpus_of(scores, cells), WHOLE, "exclusive")
        low, high = found.interval()
        width[name] = high - low
        # never below what the coded rows show, and of what the model expects of itself only a part
        plain = variance(found.design, found.influence[:, 0])[0]
        open_ = (scores * (1 - scores))[rows].mean(axis=0) + ((1 - found.weight) * scores[rows].std(axis=0)) ** 2
        more = np.maximum(open_ * (1 - 50 / 500) / 50 - plain, 0)
        assert np.allclose(found.variance[0], plain + EXPECTED / (49 + EXPECTED) * more)
    assert (width["sure"] < 1e-9).all()
    assert (width["doubtful"] > 0.01).all()


def test_labels_of_a_multi_label_task_do_not_meet():
    truth, scores, cells = made(20, kind="multi", cells=1)
    rare = np.zeros((600, 1))
    rare[:3] = 1  # one row that pulls the weight of its own label very much
    rows = drawn(20, cells, 60)
    rows[0] = 0
    alone = shares(sampled(truth, scores, cells, rows), corpus_of(scores, cells), WHOLE, "multi")
    both = np.hstack([truth, rare]), np.hstack([scores, 0.9 * rare])
    beside = shares(sampled(*both, cells, rows), corpus_of(both[1], cells), WHOLE, "multi")
    assert np.allclose(beside.variance[:, :3], alone.variance)
    assert np.allclose(beside.share[:, :3], alone.share)


# ppi-python 0.2.3, ppi_mean_pointestimate(coded, SCORES[:12], SCORES): 12 rows of 40 are coded
# fmt: off
SCORES = np.array([
    0.217, 0.001, 0.129, 0.774, 0.494, 0.312, 0.061, 0.073, 0.381, 0.523, 0.424, 0.287, 0.299, 0.123, 0.313, 0.123, 0.019, 0.172, 0.077, 0.446,
    0.629, 0.192, 0.044, 0.034, 0.327, 0.427, 0.091, 0.68, 0.314, 0.459, 0.002, 0.551, 0.592, 0.088, 0.324, 0.342, 0.53, 0.006, 0.395, 0.044,
])
# fmt: on
CODED = np.array([0.0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0])
PPI = 0.22752077
PPI_AT_0, PPI_AT_1 = 0.25, 0.22664167


def of_ppi() -> Shares:
    cells = np.zeros(len(SCORES), np.int64)
    truth = np.concatenate([CODED, np.full(28, np.nan)])  # never looked at
    return shares(sampled(truth[:, None], SCORES[:, None], cells, np.arange(12)), corpus_of(SCORES[:, None], cells), WHOLE, "multi")


def weight_of_ppi(weight: float) -> float:
    """What PPI++ takes where we take this weight.

    The same covariance of codes and scores, but divided by the variance of the scores of coded and all rows together, and by 1 + n / N: there all rows
    are a sample too, of a population without end; here they are the corpus.
    """
    together = np.concatenate([SCORES[:12], SCORES]).var(ddof=1)
    return float(weight * SCORES[:12].var() / together / (1 + 12 / 40))


def test_the_estimate_is_that_of_ppi_with_the_weight_of_a_corpus_without_an_end():
    found = of_ppi()
    weight = float(found.weight[0])
    assert weight == pytest.approx(np.cov(CODED, SCORES[:12])[0, 1] / SCORES[:12].var(ddof=1))
    assert found.share[0, 0] == pytest.approx(PPI_AT_0 + weight * (PPI_AT_1 - PPI_AT_0), abs=1e-7)
    assert PPI_AT_0 + weight_of_ppi(weight) * (PPI_AT_1 - PPI_AT_0) == pytest.approx(PPI, abs=1e-7)


def test_the_estimate_is_that_of_ppi_live():
    ppi = pytest.importorskip("ppi_py")
    found = of_ppi()
    weight = float(found.weight[0])
    assert found.share[0, 0] == pytest.approx(ppi.ppi_mean_pointestimate(CODED, SCORES[:12], SCORES, lam=weight).item())
    other = ppi.ppi_mean_pointestimate(CODED, SCORES[:12], SCORES)
    assert other.item() == pytest.approx(ppi.ppi_mean_pointestimate(CODED, SCORES[:12], SCORES, lam=weight_of_ppi(weight)).item())


def test_a_higher_level_has_a_wider_interval():
    found = found_of()
    (low, high), (lower, higher) = found.interval(0.8), found.interval(0.99)
    assert (lower < low).all()
    assert (high < higher).all()


def test_limits_are_wilsons_where_the_variance_is_that_of_a_share():
    # Wilson 1927 for 10 of 50, as statsmodels' proportion_confint(10, 50, method="wilson") has it
    low, high = wilson(np.array(0.2), np.array(0.2 * 0.8 / 50), np.array(1.959963984540054))
    assert [float(low), float(high)] == pytest.approx([0.11243750, 0.33037110], abs=1e-7)


def test_one_difference_has_the_usual_interval_and_many_have_wider_ones():
    found = found_of(16, cells=3)
    one = differences(found, 0, [(1, 2)])
    many = differences(found, 0, [(1, 2), (1, 3), (2, 3)])
    assert one.critical == pytest.approx(2.000995, abs=1e-6)  # Student's, 59 degrees of freedom
    assert many.critical > one.critical
    # no more than Bonferroni's, and the same by the same seed
    assert many.critical < 2.5
    assert many.low[0] < one.low[0] < one.difference[0] < one.high[0] < many.high[0]
    assert np.array_equal(differences(found, 0, [(1, 2), (1, 3), (2, 3)]).low, many.low)


def test_a_difference_the_other_way_round_is_its_mirror():
    found = found_of(17, cells=3)
    pairs = [(1, 2), (0, 3), (2, 3)]
    one, other = differences(found, 1, pairs), differences(found, 1, [(b, a) for a, b in pairs])
    assert np.allclose(one.difference, -other.difference)
    assert np.allclose(one.low, -other.high)
    assert np.allclose(one.high, -other.low)


def test_a_difference_is_of_shares_and_may_be_of_groups_that_overlap():
    found = found_of(18, cells=2)
    apart = differences(found, 0, [(0, 1)])
    assert apart.difference[0] == pytest.approx(found.share[0, 0] - found.share[1, 0])
    # half of the whole is the group itself: apart they would be further apart
    alone = np.sqrt(found.variance[0, 0] + found.variance[1, 0])
    assert (apart.high[0] - apart.low[0]) / 2 < 1.9 * alone


def test_all_pairs_hold_together_as_often_as_is_said():
    """Four groups without a difference: in 400 samples, how often one of six intervals misses 0."""
    truth, scores, cells = made(19, rows=2000, labels=2, cells=4)
    truth = np.repeat(truth[:500], 4, axis=0)
    pairs = list(combinations(range(4), 2))
    missed = 0
    for seed in range(400):
        sample = sampled(truth, scores, cells, drawn(seed, cells, 60))
        found = differences(shares(sample, corpus_of(scores, cells), np.eye(4, dtype=bool), "exclusive"), 0, pairs, draws=2000)
        missed += not ((found.low <= 0) & (found.high >= 0)).all()
    assert 0.02 <= missed / 400 <= 0.08


@pytest.mark.parametrize(
    ("audited", "positives", "expected", "more"),
    [(10, 3, 0.2, LEAST - 10), (200, 0, 0.01, FEW * 100 - 200), (200, 200, 0.99, FEW * 100 - 200), (200, 0, 0.5, 1), (0, 0, 0.0, FEW * 1000)],
)
def test_how_many_more_rows_it_takes(audited, positives, expected, more):
    assert more_needed(audited, positives, expected) == more
