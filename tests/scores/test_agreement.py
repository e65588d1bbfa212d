"""Alpha against published figures as exact fractions, and against its definition spelled out pair by pair."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.scores.agreement import Alpha, Coincidences, Ratings, alphas, distances


def ratings(*coders: str) -> Ratings:
    """One string a coder, one character an article, "." where it was not coded."""
    values = sorted({value for coder in coders for value in coder} - {"."})
    codings = [(article, number, value) for number, coder in enumerate(coders) for article, value in enumerate(coder) if value != "."]
    given = np.array([[value == known for known in values] for *_, value in codings], bool).reshape(len(codings), len(values))
    return Ratings(np.array([row[0] for row in codings], np.int64), np.array([row[1] for row in codings], np.int64), given)


def of_sets(*articles: list[str], labels: str = "abc") -> Ratings:
    """One list an article, one string of labels a coder."""
    codings = [(number, coder, value) for number, article in enumerate(articles) for coder, value in enumerate(article)]
    given = np.array([[label in value for label in labels] for *_, value in codings], bool)
    return Ratings(np.array([row[0] for row in codings]), np.array([row[1] for row in codings]), given)


def alpha(codings: Ratings, distance: str = "nominal", **options: int) -> Alpha:
    return alphas([Coincidences.of(codings, distance)], **options)[0]


def value(codings: Ratings, distance: str = "nominal") -> float | None:
    return alpha(codings, distance, resamples=2).value


# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability": examples A, B and C
BINARY = ratings("0100000010", "1110010000")
NOMINAL = ratings("aabbdcccedda", "babbbccceddd")
MISSING = ratings("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


@pytest.mark.parametrize(
    ("codings", "expected", "printed"), [(BINARY, Fraction(2, 21), 0.095), (NOMINAL, Fraction(155, 224), 0.692), (MISSING, Fraction(113, 152), 0.743)]
)
def test_alpha_is_that_of_krippendorff_to_the_fraction(codings, expected, printed):
    assert value(codings) == pytest.approx(float(expected), abs=1e-12)
    assert float(expected) == pytest.approx(printed, abs=5e-4)


def test_the_coincidences_are_those_of_krippendorff():
    expected = [[7, "4/3", "1/3", "1/3", 0], ["4/3", 10, "4/3", "1/3", 0], ["1/3", "4/3", 8, "1/3", 0], ["1/3", "1/3", "1/3", 4, 0], [0, 0, 0, 0, 3]]
    found = Coincidences.of(MISSING)
    assert found.table() == pytest.approx(np.array([[float(Fraction(cell)) for cell in row] for row in expected]))
    assert found.table().sum() == pytest.approx(40)
    assert sorted(found.counts.sum(axis=0).tolist()) == [3, 5, 9, 10, 13]


def test_articles_of_one_coder_take_no_part():
    found = alpha(MISSING, resamples=2)
    assert (found.articles, found.codings) == (11, 40)
    assert value(ratings("0100000010.1", "11100100000.")) == pytest.approx(2 / 21)


def test_chance_agreement_is_none_and_contrary_codings_are_below():
    assert value(ratings("0011", "0101")) == pytest.approx(1 - 7 * 2 * 2 / (4 * 4 * 2))
    assert value(ratings("01", "10")) == pytest.approx(-0.5)


# label sets


def test_masi_distances_are_those_of_passonneau():
    sets = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1], [0, 0, 0]], bool)  # a, ab, bc, c, none
    masi, jaccard = distances(sets, "masi"), distances(sets, "jaccard")
    assert masi[0] == pytest.approx([0, 1 - 1 / 2 * 2 / 3, 1, 1, 1])
    assert masi[1] == pytest.approx([1 - 1 / 2 * 2 / 3, 0, 1 - 1 / 3 * 1 / 3, 1, 1])
    assert jaccard[1] == pytest.approx([1 / 2, 0, 2 / 3, 1, 1])
    assert masi[4] == pytest.approx([1, 1, 1, 1, 0])
    for matrix in (masi, jaccard):
        assert (matrix == matrix.T).all()


@pytest.mark.parametrize("distance", ["masi", "jaccard"])
def test_a_set_that_holds_the_other_is_closer_than_nominal_says(distance):
    codings = of_sets(["a", "ab"], ["c", "c"], ["b", "b"], ["bc", "c"])
    assert value(codings) < value(codings, distance) < 1


@pytest.mark.parametrize("distance", ["nominal", "masi", "jaccard"])
def test_sets_of_one_label_are_nominal(distance):
    assert value(MISSING, distance) == pytest.approx(113 / 152)


def pair_by_pair(codings: Ratings, distance: str) -> float:
    """1 − observed / expected disagreement, each as a mean over ordered pairs of codings."""
    rows = [np.flatnonzero(codings.article == article) for article in np.unique(codings.article)]
    rows = [found for found in rows if len(found) > 1]
    apart = distances(codings.given, distance)
    apart[(codings.given[:, None] == codings.given[None]).all(axis=2)] = 0  # `distances` is given each set once as a rule
    every = [row for found in rows for row in found]
    observed = sum(apart[a, b] / (len(found) - 1) for found in rows for a, b in permutations(found, 2)) / len(every)
    expected = sum(apart[a, b] for a, b in permutations(every, 2)) / (len(every) * (len(every) - 1))
    return 1 - observed / expected if expected else np.nan


tables = st.lists(st.lists(st.sets(st.sampled_from("abc")), min_size=1, max_size=4), min_size=2, max_size=6)


@settings(deadline=None, max_examples=60)
@given(tables, st.sampled_from(["nominal", "masi", "jaccard"]))
def test_alpha_is_its_definition(sets, distance):
    codings = of_sets(*[["".join(sorted(labels)) for labels in article] for article in sets])
    found = alpha(codings, distance, resamples=20)
    if len(codings.pairable()) and not np.isnan(expected := pair_by_pair(codings, distance)):
        assert found.value == pytest.approx(expected)
    else:
        assert found.value is None
        assert found.note.endswith(".")
    if found.low is not None:
        assert found.low <= found.high <= 1 + 1e-9


@settings(deadline=None, max_examples=40)
@given(tables, st.sampled_from(["nominal", "masi"]))
def test_what_is_left_without_an_article_is_the_alpha_of_the_others(sets, distance):
    codings = of_sets(*[["".join(sorted(labels)) for labels in article] for article in sets])
    found = Coincidences.of(codings, distance)
    assert found.left_out() == pytest.approx(found.alpha(1 - np.eye(len(found))) if len(found) else np.empty(0), nan_ok=True)


def test_one_label_against_the_rest_is_alpha_of_two_answers():
    assert value(MISSING.only(4)) == pytest.approx(1)  # nobody takes another for the fifth
    assert value(MISSING.only(0)) == value(ratings("100001010...", "1000000100.0", ".0000000001.", "10000001001."))


def test_coders_take_labels_of_a_set_for_one_another():
    table = Coincidences.of(of_sets(["ab", "ac"], ["a", "ab"])).table()
    assert table.tolist() == [[4, 0, 0], [0, 0, 1], [0, 1, 0]]  # b for c; b left out is no swap


# what cannot be computed says so


@pytest.mark.parametrize(
    ("codings", "expected", "note"),
    [
        (ratings("aaaa", "aaaa"), None, "all codings are alike"),
        (ratings("abc"), None, "no article has two coders"),
        (ratings("ab..", "..ab"), None, "no article has two coders"),
        (Ratings(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 2), bool)), None, "no article has two coders"),
        (ratings("ab" * 20, "ab" * 20), 1.0, "never disagree"),
        (ratings("a" * 40 + "b", "a" * 39 + "bb"), 0.6585, "all but 2 of 41 articles"),
    ],
)
def test_there_is_a_sentence_where_there_is_no_alpha_or_no_interval(codings, expected, note):
    found = alpha(codings)
    assert found.value == (expected if expected is None else pytest.approx(expected, abs=1e-3))
    assert (found.low, found.high) == (None, None)
    assert note in found.note
    assert found.note.endswith(".")


# the interval


def drawn(seed: int, articles: int, coders: int = 3, noise: float = 0.5) -> Ratings:
    """Coders who guess now and then, more often on some articles."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(3, size=(articles, 1))
    guesses = chance.random((articles, coders)) < np.where(chance.random((articles, 1)) < 0.3, 2, 0.6) * noise
    codings = np.where(guesses, chance.integers(3, size=(articles, coders)), truth)
    return Ratings(np.repeat(np.arange(articles), coders), np.tile(np.arange(coders), articles), np.eye(3, dtype=bool)[codings.ravel()])


def test_the_interval_is_the_same_each_time_and_narrows_with_articles():
    few, many = (alpha(drawn(1, articles)) for articles in (40, 1000))
    assert few == alpha(drawn(1, 40))
    assert few != alpha(drawn(1, 40), seed=1)
    assert few.low < few.value < few.high
    assert 3 < (few.high - few.low) / (many.high - many.low) < 8


def test_tables_of_the_same_articles_share_their_resamples():
    codings = drawn(2, 60)
    together = alphas([Coincidences.of(codings), Coincidences.of(codings.only(1))])
    assert together == [alpha(codings), alpha(codings.only(1))]


def test_the_resampled_spread_is_that_of_new_samples():
    spread = np.std([value(drawn(seed, 80)) for seed in range(300)])
    found = [alpha(drawn(seed, 80), resamples=300) for seed in range(40)]
    assert np.mean([(each.high - each.low) / (2 * 1.96) for each in found]) == pytest.approx(spread, rel=0.12)


@pytest.mark.slow
@pytest.mark.parametrize(("articles", "coders"), [(30, 2), (30, 3), (100, 2), (100, 5)])
def test_the_interval_holds_the_true_alpha_about_as_often_as_it_says(articles, coders):
    true = value(drawn(0, 200_000, coders))
    found = [alpha(drawn(seed, articles, coders), resamples=500) for seed in range(1, 401)]
    assert np.mean([each.low <= true <= each.high for each in found]) > 0.92
