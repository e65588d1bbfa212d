"""Regression of a label in a finite corpus: against closed forms, scikit-learn, the shares of the same groups, and how often intervals hold."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from newsclf.scores.estimate import Corpus, Sample, shares
from newsclf.scores.regress import Fit, change, regress, trend
from newsclf.scores.regressors import Regressors, regressors
from newsclf.scores.survey import Design, variance

OUTLETS, PERIODS = 3, 4
CELLS = OUTLETS * PERIODS
NAMES = [f"outlet {cell // PERIODS}" for cell in range(CELLS)]
TIMES = np.arange(CELLS) % PERIODS


class World:
    """Articles with labels, and a model that is wrong about each outlet in another way."""

    def __init__(self, seed: int = 0, rows: int = 3000):
        chance = np.random.default_rng(seed)
        self.cell = chance.integers(CELLS, size=rows)
        outlet, period = self.cell // PERIODS, self.cell % PERIODS
        self.truth = (chance.random(rows) < expit(-1 + 0.6 * (outlet == 1) - 0.5 * (outlet == 2) + 0.2 * period)).astype(float)
        self.scores = expit(2 * self.truth - 1.2 + 0.5 * outlet + chance.standard_normal(rows))
        counts = np.bincount(self.cell, minlength=CELLS).astype(float)
        self.corpus = Corpus(counts, np.bincount(self.cell, self.scores, CELLS)[:, None])

    def sample(self, at: np.ndarray, design: Design | None = None) -> Sample:
        drawn = design or Design.simple(len(at), len(self.cell))
        return Sample(self.truth[at][:, None], self.scores[at][:, None], self.cell[at], drawn)

    def draw(self, count: int, seed: int = 1) -> Sample:
        return self.sample(np.random.default_rng(seed).choice(len(self.cell), count, replace=False))

    def strata(self, each: int, seed: int = 1) -> Sample:
        """So many of each outlet, whose sizes differ."""
        chance, outlet = np.random.default_rng(seed), self.cell // PERIODS
        at = np.concatenate([chance.choice(np.flatnonzero(outlet == number), each, replace=False) for number in range(OUTLETS)])
        sizes = np.bincount(outlet, minlength=OUTLETS).astype(float)
        stratum = np.repeat(np.arange(OUTLETS), each)
        return self.sample(at, Design(stratum, np.arange(len(at)), sizes, sizes[stratum] / each))

    def everything(self) -> Sample:
        return self.sample(np.arange(len(self.cell)))


@pytest.fixture(scope="module")
def world() -> World:
    return World()


DUMMIES = Regressors(
    tuple(f"outlet {number}" for number in range(OUTLETS)), (np.arange(OUTLETS) == (np.arange(CELLS) // PERIODS)[:, None]).astype(float)
)


@pytest.mark.parametrize("draw", [lambda world: world.draw(400), lambda world: world.strata(90)])
def test_dummies_alone_are_the_shares_of_their_groups(world, draw):
    sample, groups = draw(world), DUMMIES.values.T.astype(bool)
    for tuned in (False, True):
        expected = shares(sample, world.corpus, groups, "multi", tuned=tuned)
        found = regress(sample, world.corpus, DUMMIES, fit=Fit(weight=float(expected.weight[0])))
        assert found.coefficients == pytest.approx(expected.share[:, 0], abs=1e-12)
        # the shares' residuals are those of a row left out, where the weight was tuned on it; a weight that is given was not
        drawn, _ = variance(sample.design, expected.influence[:, :, 0])
        assert found.errors**2 == pytest.approx(drawn, rel=0.02 if tuned else 1e-9)
        # a tuned share's variance is drawn up from there, toward what the model expects of itself, and never down
        assert (drawn <= expected.variance[:, 0] * (1 + 1e-9)).all()
        assert found.freedom == pytest.approx(expected.freedom[:, 0], rel=1e-9)


def test_differences_from_a_reference_are_those_of_shares(world):
    sample = world.draw(400)
    alone = regress(sample, world.corpus, DUMMIES)
    found = regress(sample, world.corpus, regressors(NAMES, reference="outlet 1"))
    assert found.names == ("(intercept)", "outlet 0", "outlet 2")
    assert found.weight == pytest.approx(alone.weight)
    assert found.coefficients == pytest.approx(alone.coefficients[[1, 0, 2]] - alone.coefficients[1] * np.array([0, 1, 1]))
    less = alone.covariance[0, 0] + alone.covariance[1, 1] - 2 * alone.covariance[0, 1]
    assert found.covariance[1, 1] == pytest.approx(less)


def test_the_reference_and_the_unit_of_time_change_no_fitted_share(world):
    sample, years = world.draw(400), TIMES / 12
    first, second = regressors(NAMES, TIMES), regressors(NAMES, TIMES, reference="outlet 2")
    third = Regressors(first.names, np.column_stack([first.values[:, :-1], years]), first.levels)
    for link in ("linear", "logistic"):
        found = [regress(sample, world.corpus, on, fit=Fit(link)) for on in (first, second, third)]
        fitted = [on.values @ each.coefficients for on, each in zip((first, second, third), found, strict=True)]
        assert fitted[1] == pytest.approx(fitted[0], abs=1e-8)
        assert fitted[2] == pytest.approx(fitted[0], abs=1e-8)
        assert found[2].errors[-1] == pytest.approx(12 * found[0].errors[-1])


@pytest.mark.parametrize("weight", [None, 0.0, 1.0])
def test_where_all_is_coded_it_is_the_regression_of_the_truth(world, weight):
    on = regressors(NAMES, TIMES)
    rows = on.values[world.cell]
    linear = regress(world.everything(), world.corpus, on, fit=Fit(weight=weight))
    assert linear.coefficients == pytest.approx(np.linalg.lstsq(rows, world.truth)[0])
    assert linear.errors == pytest.approx(np.zeros(4), abs=1e-12)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000, fit_intercept=False).fit(rows, world.truth)
    logistic = regress(world.everything(), world.corpus, on, fit=Fit("logistic", weight=weight))
    assert logistic.coefficients == pytest.approx(theirs.coef_[0], abs=1e-5)
    assert logistic.errors == pytest.approx(np.zeros(4), abs=1e-9)


def test_without_the_model_it_is_weighted_least_squares_with_the_variance_of_the_draw(world):
    sample, on = world.strata(90), regressors(NAMES, TIMES)
    found = regress(sample, world.corpus, on, fit=Fit(weight=0.0))
    x, weights = on.values[sample.cells], sample.design.weights
    gram = np.linalg.inv(x.T @ (x * weights[:, None]))
    coefficients = gram @ x.T @ (weights * sample.truth[:, 0])
    parts = x * (weights * (sample.truth[:, 0] - x @ coefficients))[:, None]
    middle = sum((1 - 90 / size) * 90 * np.cov(parts[sample.design.strata == number].T) for number, size in enumerate(sample.design.sizes))
    assert found.coefficients == pytest.approx(coefficients)
    assert found.covariance == pytest.approx(gram @ middle @ gram)


def test_it_is_design_based_supervised_learning(world):
    """With the whole model and cells as strata it is Egami et al.'s: the regression of f - R (f - y) / π in all articles."""
    chance, counts = np.random.default_rng(3), world.corpus.counts
    at = np.concatenate([chance.choice(np.flatnonzero(world.cell == cell), 40, replace=False) for cell in range(CELLS)])
    sample = world.sample(at, Design(world.cell[at], np.arange(len(at)), counts, counts[world.cell[at]] / 40))
    outcome = world.scores.copy()
    outcome[at] -= (world.scores[at] - world.truth[at]) * sample.design.weights
    on = regressors(NAMES, TIMES)
    x = on.values[world.cell]
    linear = regress(sample, world.corpus, on, fit=Fit(weight=1.0))
    assert linear.coefficients == pytest.approx(np.linalg.lstsq(x, outcome)[0])
    logistic = regress(sample, world.corpus, on, fit=Fit("logistic", weight=1.0))
    assert x.T @ (outcome - expit(x @ logistic.coefficients)) == pytest.approx(np.zeros(4), abs=1e-7)


def test_a_model_that_knows_makes_it_more_exact_and_one_that_knows_nothing_is_left_out(world):
    alone = regress(world.draw(400), world.corpus, regressors(NAMES, TIMES), fit=Fit(weight=0.0))
    helped = regress(world.draw(400), world.corpus, regressors(NAMES, TIMES))
    assert (helped.errors < 0.85 * alone.errors).all()
    noise = World(5)
    noise.scores = np.random.default_rng(0).random(len(noise.cell))
    useless = regress(noise.draw(400), noise.corpus, regressors(NAMES, TIMES))
    assert abs(useless.weight) < 0.2


def test_a_superpopulation_has_the_classical_errors_where_all_is_coded(world):
    on = regressors(NAMES, TIMES)
    x = on.values[world.cell]
    for link in ("linear", "logistic"):
        found = regress(world.everything(), world.corpus, on, fit=Fit(link, superpopulation=True))
        share = x @ found.coefficients if link == "linear" else expit(x @ found.coefficients)
        slope = np.ones(len(x)) if link == "linear" else share * (1 - share)
        bread = np.linalg.inv(x.T @ (x * slope[:, None]))
        robust = bread @ (x.T @ (x * ((world.truth - share) ** 2)[:, None])) @ bread  # HC0 (White 1980)
        assert found.covariance == pytest.approx(robust)


def test_a_superpopulation_has_the_variance_of_rows_drawn_from_it(world):
    one = Regressors(("(intercept)",), np.ones((CELLS, 1)))
    sample = world.draw(400)
    found = regress(sample, world.corpus, one, fit=Fit(weight=0.0, superpopulation=True))
    assert found.covariance[0, 0] == pytest.approx(sample.truth.var() / 400, rel=0.005)


def test_t_and_p_and_limits_are_of_one_error(world):
    found = regress(world.draw(400), world.corpus, regressors(NAMES, TIMES))
    low, high = found.interval(1 - found.p[1])
    assert min(abs(low[1]), abs(high[1])) == pytest.approx(0, abs=1e-6)
    assert found.statistic == pytest.approx(found.coefficients / found.errors)


def test_naive_coefficients_are_the_regression_of_decisions(world):
    on = regressors(NAMES, TIMES)
    decided = (world.scores > 0.5).astype(float)
    found = regress(world.draw(400), world.corpus, on, decided=np.bincount(world.cell, decided, CELLS)[:, None])
    assert found.naive == pytest.approx(np.linalg.lstsq(on.values[world.cell], decided)[0])
    assert np.isnan(regress(world.draw(400), world.corpus, on).naive).all()
    never = regress(world.draw(400), world.corpus, on, decided=np.zeros((CELLS, 1)), fit=Fit("logistic"))
    assert np.isnan(never.naive).all()


def test_change_is_the_share_after_less_before(world):
    sample = world.draw(400)
    found = change(sample, world.corpus, TIMES, 2)
    both = shares(sample, world.corpus, np.array([TIMES < 2, TIMES >= 2]), "multi", tuned=False)
    plain = regress(sample, world.corpus, regressors(periods=TIMES, since=2), fit=Fit(weight=0.0))
    assert plain.coefficients == pytest.approx([both.share[0, 0], both.share[1, 0] - both.share[0, 0]])
    assert found.names == ("(intercept)", "since period 2")
    assert np.abs(found.coefficients - plain.coefficients).max() < 2 * plain.errors.max()
    assert (found.errors < plain.errors).all()
    assert found.rows == 3000
    assert found.coded == 400


def test_a_part_of_the_corpus_is_as_if_only_it_were_there_but_for_the_design(world):
    inside = np.array(NAMES) == "outlet 1"
    sample = world.strata(120)
    found = trend(sample, world.corpus, TIMES, inside=inside)
    own = inside[sample.cells]
    cells = np.flatnonzero(inside)
    apart = Sample(sample.truth[own], sample.scores[own], sample.cells[own] - cells[0], Design.simple(120, float(world.corpus.counts[inside].sum())))
    alone = trend(apart, Corpus(world.corpus.counts[inside], world.corpus.sums[inside]), TIMES[inside])
    assert found.coefficients == pytest.approx(alone.coefficients)
    assert found.errors == pytest.approx(alone.errors)
    assert (found.rows, found.coded) == (alone.rows, alone.coded) == (int(world.corpus.counts[inside].sum()), 120)


def test_clusters_that_were_taken_whole_are_one_row_each(world):
    at = np.random.default_rng(1).choice(len(world.cell), 200, replace=False)
    design = Design(np.zeros(400, np.int64), np.repeat(np.arange(200), 2), np.array([1500.0]), np.full(400, 7.5))
    once = Design(np.zeros(200, np.int64), np.arange(200), np.array([1500.0]), np.full(200, 7.5))
    on = regressors(NAMES, TIMES)
    twice = regress(world.sample(np.repeat(at, 2), design), world.corpus, on, fit=Fit(weight=0.7))
    single = regress(world.sample(at, once), world.corpus, on, fit=Fit(weight=0.7))
    assert twice.coefficients == pytest.approx(single.coefficients)
    assert twice.errors == pytest.approx(single.errors)
    assert twice.freedom == pytest.approx(single.freedom)


@pytest.mark.parametrize("link", ["linear", "logistic"])
@pytest.mark.parametrize("stratified", [False, True])
def test_intervals_hold(link, stratified):
    world, on = World(7), regressors(NAMES, TIMES)
    goal = regress(world.everything(), world.corpus, on, fit=Fit(link)).coefficients
    held = []
    for seed in range(300):
        low, high = regress(world.strata(60, seed) if stratified else world.draw(200, seed), world.corpus, on, fit=Fit(link)).interval()
        held.append((low <= goal) & (goal <= high))
    assert (np.mean(held, axis=0) > 0.9).all()
    assert (np.mean(held, axis=0) < 0.985).all()


def test_counting_decisions_does_not_hold(world):
    on = regressors(NAMES, TIMES)
    goal = regress(world.everything(), world.corpus, on).coefficients
    decided = np.bincount(world.cell, world.scores > 0.5, CELLS)[:, None]
    found = regress(world.draw(400), world.corpus, on, decided=decided)
    assert np.abs(found.naive - goal).max() > 4 * np.abs(found.coefficients - goal).max()


def test_the_regressors_of_groups_and_time():
    groups, periods = ["a", "a", "b", "b"], np.array([0, 1, 0, 2])
    assert regressors(groups).values.tolist() == [[1, 0], [1, 0], [1, 1], [1, 1]]
    assert regressors(periods=periods).names == ("(intercept)", "period")
    dummies = regressors(groups, periods, time="dummies")
    assert dummies.names == ("(intercept)", "b", "period 1", "period 2")
    assert dummies.values.tolist() == [[1, 0, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0], [1, 1, 0, 1]]
    assert set(dummies.levels) == {"a", "b", "period 0", "period 1", "period 2"}
    assert regressors(periods=periods, since=1).values[:, 1].tolist() == [0, 1, 0, 1]
    assert dummies.within(periods < 2).inside.tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: regressors(), "neither was given"),
        (lambda: regressors(["a", "b"], reference="c"), "'c' is to be the group that others are compared with"),
        (lambda: regressors(periods=np.array([0, 1]), since=5), "a change in period 5 needs articles before and after it: periods are 0 to 1"),
        (lambda: Regressors(("a",), np.ones((3, 2))), r"1 regressors need values \[cells, 1\]; they are \[3, 2\]"),
        (lambda: Regressors(("a", "b"), np.array([[1.0, np.inf]])), "b: the values of a regressor are finite"),
    ],
)
def test_what_are_no_regressors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_levels_that_too_few_rows_are_of_are_named_with_what_is_needed(world):
    sample = world.draw(400)
    rare = ["rare" if cell == 5 else name for cell, name in enumerate(NAMES)]
    few = world.sample(np.r_[np.flatnonzero(world.cell == 5)[:10], np.flatnonzero(world.cell != 5)[:400]], Design.simple(410, 3000))
    with pytest.raises(ValueError, match=r"rare: 10 rows are coded and 30 are needed.* code about 20 more"):
        regress(few, world.corpus, regressors(rare))
    assert regress(sample, world.corpus, regressors(rare)).names == ("(intercept)", "outlet 1", "outlet 2", "rare")


def test_what_cannot_be_told_is_refused_by_name(world):
    sample, on = world.draw(400), regressors(NAMES, TIMES)
    double = Regressors((*on.names, "months"), np.column_stack([on.values, on.values[:, -1] * 3 + 1]))
    with pytest.raises(ValueError, match=r"among the rows of the corpus, \['.*'\] cannot be told from the other regressors"):
        regress(sample, world.corpus, double)
    part = world.sample(np.flatnonzero(world.cell % PERIODS == 1)[:300], Design.simple(300, 3000))
    with pytest.raises(ValueError, match=r"among the rows that are coded, \['.*'\] cannot be told"):
        trend(part, world.corpus, TIMES)
    none = Sample(np.zeros_like(sample.truth), sample.scores, sample.cells, sample.design)
    with pytest.raises(ValueError, match="all rows: 0 of 400 coded rows have the label"):
        regress(none, world.corpus, on)
    with pytest.raises(ValueError, match="regressors are of 2 cells and the corpus of 12"):
        regress(sample, world.corpus, Regressors(("one",), np.ones((2, 1))))


def test_logistic_coefficients_without_end_are_refused(world):
    at = np.flatnonzero(world.cell // PERIODS != 2)
    sample = world.sample(np.random.default_rng(0).choice(at, 300, replace=False), Design.simple(300, 3000))
    truth = sample.truth * (sample.cells // PERIODS != 1)[:, None]
    apart = Sample(truth, sample.scores, sample.cells, sample.design)
    on = DUMMIES.within(np.arange(CELLS) // PERIODS < 2)
    two = Regressors(on.names[:2], on.values[:, :2])
    with pytest.raises(ValueError, match=r"logistic coefficients of \['outlet 0', 'outlet 1'\] have no end"):
        regress(apart, world.corpus, two, fit=Fit("logistic", weight=0.0))
    assert regress(apart, world.corpus, two, fit=Fit(weight=0.0)).coefficients[1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("link", ["linear", "logistic"])
def test_days_since_the_year_one_do_as_well_as_days_since_the_first(world, link):
    sample = world.draw(400)
    near, far = (regress(sample, world.corpus, regressors(NAMES, TIMES + first), fit=Fit(link)) for first in (0, 739_000))
    assert far.coefficients[1:] == pytest.approx(near.coefficients[1:], rel=1e-6)
    assert far.errors[1:] == pytest.approx(near.errors[1:], rel=1e-6)
