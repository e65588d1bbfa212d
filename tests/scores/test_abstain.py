"""Abstention and sets of labels: by hand, against every point of the curve, and over many data sets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from newsclf.errors import DataError
from newsclf.scores.abstain import STARTS, AbstainSpec, Abstention, choose_abstention, conformal_sets, conformal_threshold, risk_coverage
from newsclf.scores.decision import Decision
from newsclf.scores.thresholds import CONFIDENCE, at_least

# few values, so that ties are common
probability = st.one_of(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.floats(0, 1))


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    rows = draw(st.integers(1, 25))
    label = draw(arrays(np.int64, rows, elements=st.integers(0, 2)))
    return draw(arrays(float, (rows, 3), elements=probability)), np.arange(3) == label[:, None]


def drawn(chance: np.random.Generator, rows: int, *, skill: float = 2.0, labels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are what they say, and truth."""
    odds = np.exp(skill * chance.normal(size=(rows, labels)))
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    label = (probabilities.cumsum(axis=1) < chance.random((rows, 1))).sum(axis=1).clip(max=labels - 1)
    return probabilities, np.arange(labels) == label[:, None]


def of_two(*sure: float, right: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are answered with the first of two labels, so sure and so rightly."""
    first = np.array([each == "y" for each in right])
    return np.stack([np.array(sure), 1 - np.array(sure)], axis=1), np.stack([first, ~first], axis=1)


def test_the_curve_of_five_rows_by_hand():
    curve = risk_coverage(*of_two(0.6, 0.9, 0.8, 0.7, 0.95, right="nyyny"))
    assert curve.below.tolist() == [0.95, 0.9, 0.8, 0.7, 0.6]
    assert curve.coverage == pytest.approx([0.2, 0.4, 0.6, 0.8, 1])
    assert curve.accuracy == pytest.approx([1, 1, 1, 3 / 4, 3 / 5])
    assert curve.area == pytest.approx((0 + 0 + 0 + 1 / 4 + 2 / 5) / 5)
    assert [curve.accuracy_at(share) for share in (0.0, 0.2, 0.21, 0.6, 0.61, 1.0)] == pytest.approx([1, 1, 1, 1, 3 / 4, 3 / 5])


def test_rows_that_are_equally_sure_are_answered_together():
    curve = risk_coverage(*of_two(0.8, 0.8, 0.8, 0.6, right="ynyy"))
    assert (curve.coverage.tolist(), curve.below.tolist()) == ([0.75, 1.0], [0.8, 0.6])
    assert curve.accuracy == pytest.approx([2 / 3, 3 / 4])


@settings(deadline=None)
@given(tables())
def test_every_point_of_the_curve_is_what_a_decision_with_its_bound_does(table: tuple[np.ndarray, np.ndarray]):
    probabilities, truth = table
    curve = risk_coverage(probabilities, truth)
    for below, coverage, accuracy in zip(curve.below, curve.coverage, curve.accuracy, strict=True):
        given_labels = Decision("exclusive", np.zeros(3), abstain_below=below)(probabilities)
        answered = given_labels.any(axis=1)
        assert coverage == pytest.approx(answered.mean())
        assert accuracy == pytest.approx((given_labels & truth).any(axis=1).sum() / answered.sum())
    assert curve.coverage[-1] == 1
    assert 0 <= curve.area <= 1


@settings(deadline=None)
@given(tables(), st.floats(0, 0.99))
def test_at_most_the_stated_share_goes_to_a_person_and_one_point_more_would_be_too_much(table: tuple[np.ndarray, np.ndarray], share: float):
    probabilities, truth = table
    chosen = choose_abstention(probabilities, truth, AbstainSpec(share=share))
    sure = probabilities.max(axis=1)
    assert chosen.share == pytest.approx((sure < chosen.below).mean())
    assert chosen.share <= share + 1e-9
    lowest = sure[sure >= chosen.below].min()
    assert (sure <= lowest).mean() > share - 1e-9
    assert chosen.promised <= chosen.accuracy


@settings(deadline=None)
@given(tables(), st.sampled_from([0.05, 0.2, 0.4, 0.6]))
def test_an_accuracy_is_promised_at_the_last_point_that_a_start_leads_to(table: tuple[np.ndarray, np.ndarray], asked: float):
    probabilities, truth = table
    curve = risk_coverage(probabilities, truth)
    doubt = (1 - CONFIDENCE) / len(STARTS)
    rows = [round(share * len(truth)) for share in curve.coverage]
    promised = [at_least(np.array(round(a * n)), n, 1 - doubt) >= asked for a, n in zip(curve.accuracy, rows, strict=True)]
    reached = set()
    for share in STARTS:
        point = next(k for k, coverage in enumerate(curve.coverage) if coverage >= share - 1e-9)
        while point < len(promised) and promised[point]:
            reached.add(point)
            point += 1
    if not reached:
        with pytest.raises(DataError, match="cannot be promised"):
            choose_abstention(probabilities, truth, AbstainSpec(accuracy=asked))
        return
    chosen = choose_abstention(probabilities, truth, AbstainSpec(accuracy=asked))
    assert chosen.share == pytest.approx(1 - curve.coverage[max(reached)])
    assert chosen.promised >= asked
    assert (probabilities.max(axis=1) < chosen.below).mean() == pytest.approx(chosen.share)


def test_what_is_said_to_be_reachable_is_and_no_more():
    table = drawn(np.random.default_rng(3), 120)
    with pytest.raises(DataError, match=r"from 120 held-out rows, of which \d\d[.\d]* % are answered rightly, the most is") as error:
        choose_abstention(*table, AbstainSpec(accuracy=0.99))
    best = float(str(error.value).split("the most is ")[1].split(" %")[0]) / 100
    assert choose_abstention(*table, AbstainSpec(accuracy=best)).promised >= best
    with pytest.raises(DataError, match="Ask for less, code more articles"):
        choose_abstention(*table, AbstainSpec(accuracy=best + 0.001))


def test_where_all_answers_are_good_enough_nobody_is_asked():
    probabilities, truth = of_two(*np.linspace(0.6, 0.9, 200), right="y" * 200)
    for spec in (AbstainSpec(accuracy=0.9), AbstainSpec(share=0)):
        assert (choose_abstention(probabilities, truth, spec).below, choose_abstention(probabilities, truth, spec).share) == (0.0, 0.0)


def test_the_sentence_says_what_it_costs_and_what_it_buys():
    said = str(Abstention(below=0.6123, share=0.12, accuracy=0.9712, promised=0.9501))
    assert said.startswith("send 12 % to a person to reach 95 %: answering from p ≥ 0.612 on, 97.1 % of the held-out answers are right")
    assert said.endswith("of new ones like these at least 95 %, with 90 % confidence")


def test_an_accuracy_is_kept_in_nine_of_ten_data_sets_or_more():
    chance = np.random.default_rng(0)
    broken = answered = 0
    for _ in range(200):
        chosen = choose_abstention(*drawn(chance, 250, skill=4.0), AbstainSpec(accuracy=0.9))
        probabilities, _ = drawn(chance, 3000, skill=4.0)
        sure = probabilities.max(axis=1)
        kept = sure >= chosen.below
        answered += kept.mean() / 200
        broken += sure[kept].mean() < 0.9  # the probabilities are what they say, so this is the accuracy itself
    assert broken <= 20
    assert answered > 0.5  # the margin is not bought by answering nothing


# 1 - p of the right label: .1 .3 .5 .2 .4 .6 .7 .8 .9
NINE = (np.array([0.9, 0.7, 0.5, 0.8, 0.6, 0.4, 0.3, 0.2, 0.1]), "y" * 9)


@pytest.mark.parametrize(("coverage", "expected"), [(0.9, 0.9), (0.89, 0.9), (0.8, 0.8), (0.5, 0.5), (0.01, 0.1)])
def test_the_threshold_is_the_finite_sample_quantile(coverage: float, expected: float):
    table = of_two(*NINE[0], right=NINE[1])
    assert conformal_threshold(*table, coverage=coverage).tolist() == pytest.approx([expected] * 2)


def test_sets_of_lac_hold_the_labels_that_are_probable_enough():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25], [0.5, 0.3, 0.2]])
    assert conformal_sets(probabilities, np.full(3, 0.66)).tolist() == [[True, False, False], [True, True, False], [True, False, False]]
    assert conformal_sets(probabilities, np.array([0.1, 0.1, 0.9])).tolist() == [[False, False, True]] * 3


def test_sets_of_aps_hold_the_most_probable_labels_up_to_a_sum():
    probabilities = np.array([[0.1, 0.2, 0.7], [0.4, 0.35, 0.25], [1.0, 0.0, 0.0]])
    assert conformal_sets(probabilities, np.full(3, 0.8), method="aps").tolist() == [[False, False, True], [True, True, False], [False] * 3]
    half = conformal_sets(probabilities, np.full(3, 0.8), method="aps", chance=Half())
    assert half.tolist() == [[False, True, True], [True, True, False], [True, False, False]]


class Half(np.random.Generator):
    """Chance that always draws one half."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def random(self, size: tuple[int, int]) -> np.ndarray:
        return np.full(size, 0.5)


@pytest.mark.parametrize("method", ["lac", "aps"])
@pytest.mark.parametrize("by_class", [False, True])
def test_over_a_thousand_exchangeable_splits_coverage_is_what_was_asked(method: str, by_class: bool):
    chance = np.random.default_rng(1)
    probabilities, truth = drawn(chance, 600)
    probabilities = probabilities**3 / (probabilities**3).sum(axis=1, keepdims=True)  # far too sure: the promise does not lean on calibration
    covered = []
    for _ in range(1000):
        order = chance.permutation(600)
        coded, new = order[:300], order[300:]
        threshold = conformal_threshold(probabilities[coded], truth[coded], coverage=0.8, method=method, by_class=by_class, chance=chance)
        sets = conformal_sets(probabilities[new], threshold, method=method, chance=chance)
        covered.append([(sets & truth[new])[:, k].sum() / truth[new][:, k].sum() for k in range(3)] if by_class else [sets[truth[new]].mean()])
    # a class of m rows has its coverage in steps of 1 / (m + 1), and the next higher one is taken
    most = 0.01 + (1 / 85 if by_class else 0)
    assert all(-0.01 < mean - 0.8 < most for mean in np.mean(covered, axis=0))


def test_without_chance_aps_covers_no_less():
    chance = np.random.default_rng(2)
    covered = []
    for _ in range(200):
        coded, new = drawn(chance, 100), drawn(chance, 200)
        covered.append(conformal_sets(new[0], conformal_threshold(*coded, coverage=0.8, method="aps"), method="aps")[new[1]].mean())
    assert np.mean(covered) > 0.79


def test_by_class_the_hard_class_is_covered_as_well():
    chance = np.random.default_rng(4)

    def skewed(rows: int) -> tuple[np.ndarray, np.ndarray]:
        first = chance.random(rows) < 0.85
        sure = np.where(first, chance.beta(8, 1, rows), chance.beta(4, 3, rows))  # the rare label is often taken for the first
        return np.stack([sure, 1 - sure], axis=1), np.stack([first, ~first], axis=1)

    coded, new = skewed(1000), skewed(4000)
    alike, apart = (
        conformal_sets(new[0], conformal_threshold(*coded, coverage=0.9, by_class=by_class))[:, 1][new[1][:, 1]].mean() for by_class in (False, True)
    )
    assert alike < 0.7
    assert apart > 0.85


@pytest.mark.parametrize("rows", [8, 9])
def test_a_class_with_too_few_rows_is_named_with_how_many_it_needs(rows: int):
    table = of_two(*[0.9] * 50, *[0.8] * rows, right="y" * 50 + "n" * rows)
    if rows == 9:
        assert conformal_threshold(*table, coverage=0.9, by_class=True) == pytest.approx([0.1, 0.8])
        return
    with pytest.raises(
        DataError, match="the label of column 1: sets that hold the right label 90 % of the time need 9 held-out rows or more; there are 8"
    ):
        conformal_threshold(*table, coverage=0.9, by_class=True)
    with pytest.raises(DataError, match=r"^sets that hold the right label 99 % of the time need 99 held-out rows or more; there are 58"):
        conformal_threshold(*table, coverage=0.99)


@pytest.mark.parametrize(
    "use",
    [
        risk_coverage,
        lambda p, t: choose_abstention(p, t, AbstainSpec(accuracy=0.9)),
        lambda p, t: choose_abstention(p, t, AbstainSpec(share=0.1)),
        lambda p, t: conformal_threshold(p, t, coverage=0.5),
    ],
    ids=["curve", "accuracy", "share", "conformal"],
)
@pytest.mark.parametrize(
    ("probabilities", "truth", "sentence"),
    [
        (np.zeros((0, 2)), np.zeros((0, 2), bool), "there are no held-out rows"),
        (np.ones((3, 1)), np.ones((3, 1), bool), "has two labels or more"),
        (np.array([[0.5, np.nan]]), np.array([[True, False]]), "row 0, column 1 is nan"),
        (np.array([[0.5, 1.1]]), np.array([[True, False]]), "row 0, column 1 is 1.1"),
        (np.full((2, 2), 0.5), np.array([[True, False], [True, True]]), "row 1 has 2"),
        (np.full((1, 2), 0.5), np.array([[False, False]]), "row 0 has 0"),
        (np.full((2, 2), 0.5), np.array([[True, False]]), r"not bool \(1, 2\)"),
    ],
)
def test_what_are_no_held_out_probabilities_is_refused_in_a_sentence(use, probabilities, truth, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        use(probabilities, truth)


def test_a_share_a_coverage_a_method_or_a_threshold_that_is_none_is_refused():
    table = of_two(0.9, 0.8, right="yn")
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=f"must be from 0 to 1, not {share}"):
            risk_coverage(*table).accuracy_at(share)
    for coverage in (0, 1, float("nan")):
        with pytest.raises(ValueError, match=f"must be between 0 and 1, not {coverage}"):
            conformal_threshold(*table, coverage=coverage)
    with pytest.raises(ValueError, match="is 'lac' or 'aps', not 'raps'"):
        conformal_threshold(*table, coverage=0.5, method="raps")
    for threshold in (np.full(3, 0.5), np.array([0.5, np.nan])):
        with pytest.raises(ValueError, match="one threshold is needed for each of 2 labels"):
            conformal_sets(table[0], threshold)
