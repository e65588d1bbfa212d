"""Kappa against published tables and scikit-learn's, what people reach by people, and the whole of a study, public codings among them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from newsclf.codebook import Codebook
from newsclf.corpus.coders import CodingSpec, read_codings
from newsclf.scores.agreement import Ratings
from newsclf.scores.metrics import macro_f1, micro_f1
from newsclf.scores.reliability import ceiling, kappas, reliability


def coded(*articles: str, labels: str = "abc") -> Ratings:
    """One string an article, one character a coder; "." where a coder left it out, and "-" for no label."""
    codings = [(number, coder, value) for number, article in enumerate(articles) for coder, value in enumerate(article) if value != "."]
    given = np.array([[label == value for label in labels] for *_, value in codings], bool).reshape(-1, len(labels))
    return Ratings(np.array([row[0] for row in codings], np.int64), np.array([row[1] for row in codings], np.int64), given)


def test_kappa_is_that_of_artstein_and_poesio():
    # their example of two coders, 100 utterances, statements and requests for information: agreement .7, by chance .54
    (found,) = kappas(coded(*["aa"] * 20, *["ab"] * 20, *["ba"] * 10, *["bb"] * 50))
    assert found.value == pytest.approx((70 - 54) / (100 - 54))
    assert (found.first, found.second, found.articles, found.agreement) == (0, 1, 100, pytest.approx(0.7))


def test_kappa_is_that_of_scikit_learn_for_every_two_coders_with_enough_articles():
    chance = np.random.default_rng(0)
    articles = ["".join(chance.choice(list("abc."), 4, p=[0.4, 0.3, 0.2, 0.1])) for _ in range(80)]
    found = kappas(coded(*articles), fewest=20)
    assert [(each.first, each.second) for each in found] == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    for each in found:
        both = [(article[each.first], article[each.second]) for article in articles if "." not in (article[each.first], article[each.second])]
        assert each.articles == len(both)
        assert each.value == pytest.approx(cohen_kappa_score(*zip(*both, strict=True)))
    assert kappas(coded(*articles), fewest=81) == []


def test_two_coders_with_one_answer_have_no_kappa():
    (found,) = kappas(coded(*["aa"] * 12))
    assert (found.value, found.agreement) == (None, 1)


def test_each_coder_is_held_against_the_majority_of_the_others():
    found = ceiling(coded("aab", "bbb", "ccc", "aa."), "exclusive", micro_f1)
    # of "aab" the third meets a and a; the others meet a tie. The article of two coders takes no part
    assert found.ties == 2
    assert (found.articles, found.coders, found.codings) == (3, 3, 7)
    assert found.value == found.pooled == pytest.approx(6 / 7)
    assert found.note == ""


def test_the_mean_over_coders_weighs_them_by_their_rows():
    codings = coded("aaab", "aaa.", "aaa.", "bbb.", "bbba")
    found = ceiling(codings, "exclusive", macro_f1)
    rows = [5, 5, 5, 2]
    assert found.value == pytest.approx(np.average([1, 1, 1, 0], weights=rows))
    assert 0 < found.pooled < 1


def test_a_tie_about_one_label_leaves_the_others_to_compare():
    given = np.array([[1, 0, 1], [1, 1, 0], [1, 0, 0]], bool)  # three coders, one article
    found = ceiling(Ratings(np.zeros(3, np.int64), np.arange(3), given), "multi", micro_f1)
    # the first: a is right, b tied, c too many. The second: a is right, b too many, c tied. The third: a is right, b and c are tied
    assert found.pooled == pytest.approx(2 * 3 / (2 * 3 + 2))
    assert (found.ties, found.codings, found.articles) == (4, 3, 1)


def test_two_coders_are_held_against_each_other_and_the_note_says_so():
    found = ceiling(coded("aa", "ab", "bb", "bb"), "exclusive", micro_f1)
    assert found.value == 0.75
    assert "one coder against the other" in found.note


@pytest.mark.parametrize(
    ("articles", "note"), [(["a", "b"], "no article has two coders"), (["abc", "bca"], "tied on every article"), ([], "two coders")]
)
def test_a_ceiling_that_cannot_be_computed_says_why(articles, note):
    found = ceiling(coded(*articles), "exclusive", micro_f1)
    assert found.value is None
    assert note in found.note


def test_a_study_is_plain_json_values():
    chance = np.random.default_rng(1)
    articles = ["".join(chance.choice(list("abc"), 3)) for _ in range(60)]
    found = reliability(coded(*articles), "exclusive", ("a", "b", "c"), resamples=100)
    told = json.loads(json.dumps(found.as_dict(["Ada", "Bo", "Cy"]), allow_nan=False))
    assert list(told["alpha"]) == ["nominal"]
    assert list(told["labels"]) == list(told["coincidences"]) == ["a", "b", "c"]
    assert [(row["first"], row["second"]) for row in told["kappa"]] == [("Ada", "Bo"), ("Ada", "Cy"), ("Bo", "Cy")]
    assert set(told["ceiling"]) == {"accuracy", "macro_f1"}
    assert told["ceiling"]["accuracy"]["coders"] == 3


def test_a_multi_label_study_has_three_distances_and_micro_f1():
    found = reliability(coded("aab", "a-b", "ccc", "-cc"), "multi", ("a", "b", "c"), resamples=10)
    assert list(found.alphas) == ["masi", "jaccard", "nominal"]
    assert set(found.ceilings) == {"micro_f1", "macro_f1"}


@pytest.mark.parametrize(("articles", "note"), [(["a", "b", "c"], "one coder only"), (["aa.", "bbc", "aa."], "1 of 3 coders coded one article only")])
def test_a_study_with_too_little_to_tell_says_so(articles, note):
    found = reliability(coded(*articles), "exclusive", ("a", "b", "c"), resamples=10)
    assert note in found.note


def test_a_study_can_be_printed():
    chance = np.random.default_rng(1)
    text = reliability(coded(*["".join(chance.choice(list("abc"), 3)) for _ in range(60)]), "exclusive", ("a", "b", "c"), resamples=100).text(
        ["Ada", "Bo", "Cy"]
    )
    assert text.startswith("60 articles with two coders or more, 180 codings\nalpha, nominal  ")
    assert "kappa of Ada and Bo: " in text
    assert "coder against the majority of the others, accuracy: 0." in text
    assert "one says a, another b: " in text
    assert "None" not in text
    assert "nan" not in text


def test_what_is_printed_of_too_little_says_why():
    alone = reliability(coded("a", "b"), "exclusive", ("a", "b", "c"), resamples=10).text(["Ada"])
    assert alone == "0 articles with two coders or more, 0 codings; one coder only: agreement takes two, so there is nothing to compare."
    nothing = reliability(coded(), "exclusive", ("a", "b", "c"), resamples=10).text([])
    assert nothing == "0 articles with two coders or more, 0 codings; no coding: nobody gave a label."
    agreed = reliability(coded(*["aa", "bb"] * 10), "exclusive", ("a", "b", "c"), resamples=10).text(["Ada", "Bo"])
    assert "alpha, nominal   1.000  (the coders never disagree" in agreed
    assert "none: all codings are alike" in agreed  # nobody gives c
    many = reliability(coded(*["abcabca", "bbbaacc", "ccacbab"] * 5), "exclusive", ("a", "b", "c"), resamples=10).text([*"ABCDEFG"])
    assert "kappa of 21 pairs of coders: median " in many


@pytest.mark.public_data
def test_four_hundred_coders_agree_as_far_as_was_measured(public_data):
    """Sentences shown again for screening lift alpha from .328 to .368."""
    file = public_data / "gwsd" / "codings.parquet"
    if not file.is_file():
        pytest.skip(f"the codings are not at {file}")
    codings = read_codings(CodingSpec(path=str(file)), Codebook(task="warming", kind="exclusive", labels=["disagree", "neutral", "agree"]))
    for part, articles, expected in ((codings.once(), 2034, 0.328), (codings, 2300, 0.368)):
        found = reliability(Ratings(*part.arrays()), "exclusive", codings.codebook.names, resamples=200)
        assert len(part.keys) == articles
        assert found.alphas["nominal"].value == pytest.approx(expected, abs=5e-4)
        assert found.alphas["nominal"].low < expected < found.alphas["nominal"].high
