"""Majorities and their ties, entropy, the queue, and Dawid and Skene's model on coders whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.scores.agreement import Ratings
from newsclf.scores.votes import Votes, dawid_skene, posteriors, queue


def coded(*articles: list[str], labels: str = "abc") -> Ratings:
    """One list an article, one string of labels a coder."""
    codings = [(number, coder, value) for number, article in enumerate(articles) for coder, value in enumerate(article)]
    given = np.array([[label in value for label in labels] for *_, value in codings], bool).reshape(-1, len(labels))
    return Ratings(np.array([row[0] for row in codings], np.int64), np.array([row[1] for row in codings], np.int64), given)


def votes(kind: str, *articles: list[str]) -> Votes:
    return Votes.of(coded(*articles), kind, articles=len(articles))


def decided(found: Votes) -> list[str | None]:
    """The labels of each article, None where it is open."""
    labels, left_open = found.majority()
    assert not labels[left_open].any()
    names = ["".join(name for name, has in zip("abc", row, strict=True) if has) for row in labels]
    return [None if is_open else name for name, is_open in zip(names, left_open, strict=True)]


@pytest.mark.parametrize(
    ("kind", "codings", "expected"),
    [
        ("exclusive", ["a", "a", "b"], "a"),
        ("exclusive", ["a", "a", "b", "c", "c"], None),
        ("exclusive", ["a", "a", "b", "c"], "a"),
        ("exclusive", ["a", "b"], None),
        ("exclusive", ["c"], "c"),
        ("exclusive", [], None),
        ("multi", ["ab", "a", "c"], "a"),
        ("multi", ["ab", "ab", "c"], "ab"),
        ("multi", ["a", "b", "c"], ""),
        ("multi", ["", "", "c"], ""),
        ("multi", ["ab", "a"], None),
        ("multi", ["ab", "ab"], "ab"),
        ("multi", [""], ""),
        ("multi", [], None),
    ],
)
def test_what_most_coders_give_is_the_majority_and_ties_are_open(kind, codings, expected):
    assert decided(votes(kind, codings)) == [expected]


def test_shares_are_votes_by_coders():
    found = votes("multi", ["ab", "a", "c"], [], ["b"])
    assert found.shares() == pytest.approx(np.array([[2 / 3, 1 / 3, 1 / 3], [0, 0, 0], [0, 1, 0]]))
    assert found.coders.tolist() == [3, 0, 1]


@pytest.mark.parametrize(
    ("kind", "codings", "bits"),
    [
        ("exclusive", ["a", "b"], 1),
        ("exclusive", ["a", "b", "c"], np.log2(3)),
        ("exclusive", ["a", "a", "a", "b"], 0.811278),
        ("exclusive", ["a", "a"], 0),
        ("exclusive", ["b"], 0),
        ("exclusive", [], 0),
        ("multi", ["ab", "a"], 1),
        ("multi", ["ab", "c"], 3),
        ("multi", ["ab", "ab"], 0),
    ],
)
def test_disagreement_is_entropy_in_bits(kind, codings, bits):
    found = votes(kind, codings).entropy()
    assert found == pytest.approx([bits], abs=1e-6)
    assert not np.signbit(found).any()


def test_the_queue_is_by_disagreement_then_by_doubt_then_by_id():
    found = votes("exclusive", ["a", "a"], ["a", "b"], ["a", "a", "b"], ["c", "b"], ["a"], ["b", "c"])
    ids = ["agreed", "z", "less", "a", "doubted", "m"]
    order = queue(found, np.array([0, 0, 0, 0, 1, 1]), ids)
    assert [ids[row] for row in order] == ["m", "a", "z", "less", "doubted"]


# Dawid and Skene


def simulated(seed: int, articles: int, skills: list[float], each: int) -> tuple[Ratings, np.ndarray]:
    """Codings by coders who are right so often, and else say any other label; and the truth."""
    chance = np.random.default_rng(seed)
    truth = chance.choice(3, articles, p=[0.5, 0.3, 0.2])
    rows = [(article, coder) for article in range(articles) for coder in chance.choice(len(skills), each, replace=False)]
    right = [truth[article] if chance.random() < skills[coder] else (truth[article] + chance.integers(1, 3)) % 3 for article, coder in rows]
    return Ratings(np.array([row[0] for row in rows]), np.array([row[1] for row in rows]), np.eye(3, dtype=bool)[right]), truth


SKILLS = [0.95, 0.9, 0.5, 0.45, 0.4]


def test_the_model_finds_who_is_good_and_beats_the_majority():
    codings, truth = simulated(0, 600, SKILLS, each=5)
    found = dawid_skene(codings, articles=600, coders=5)
    assert found.converged
    diagonal = np.einsum("cll->cl", found.confusion)
    assert diagonal.mean(axis=1) == pytest.approx(SKILLS, abs=0.06)
    assert found.shares == pytest.approx([0.5, 0.3, 0.2], abs=0.05)
    labels, _ = Votes.of(codings, "exclusive", articles=600).majority()
    assert (found.posterior.argmax(axis=1) == truth).mean() > (labels.argmax(axis=1) == truth).mean() + 0.04
    assert found.posterior.max(axis=1).mean() == pytest.approx((found.posterior.argmax(axis=1) == truth).mean(), abs=0.04)


def test_the_density_never_falls_and_the_same_codings_give_the_same_bytes():
    codings, _ = simulated(1, 200, SKILLS, each=3)
    first, again = (dawid_skene(codings, articles=200, coders=5) for _ in range(2))
    assert (np.diff(first.likelihood) > -1e-9).all()
    assert first.posterior.tobytes() == again.posterior.tobytes()


def test_the_order_of_the_codings_is_nothing():
    codings, _ = simulated(2, 100, SKILLS, each=4)
    other = codings.take(np.random.default_rng(0).permutation(len(codings)))
    assert dawid_skene(codings, articles=100, coders=5).posterior == pytest.approx(dawid_skene(other, articles=100, coders=5).posterior, abs=1e-5)


def test_a_coder_with_one_coding_is_taken_for_an_average_one():
    codings, _ = simulated(3, 300, [0.9, 0.85, 0.8], each=3)
    more = Ratings(np.append(codings.article, 0), np.append(codings.coder, 3), np.vstack([codings.given, [[False, True, False]]]))
    found = dawid_skene(more, articles=300, coders=4)
    assert found.confusion[3].diagonal() == pytest.approx(found.confusion[:3].mean(axis=0).diagonal(), abs=0.12)


def test_a_label_that_nobody_gave_has_no_probability():
    found = dawid_skene(coded(["a", "a"], ["a", "b"], ["b", "b"]), articles=3, coders=2)
    assert found.posterior[:, 2].tolist() == [0, 0, 0]
    assert found.posterior.sum(axis=1) == pytest.approx([1, 1, 1])
    assert (found.confusion[:, :, 2] == 0).all()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4), min_size=1, max_size=8))
def test_any_codings_give_probabilities(articles):
    codings = coded(*articles)
    if len(codings):
        found = dawid_skene(codings, articles=len(articles), coders=4)
        assert found.posterior.sum(axis=1) == pytest.approx(np.ones(len(articles)))
        assert (np.diff(found.likelihood) > -1e-9).all()


def test_a_multi_label_task_is_a_model_for_each_label():
    articles = [["ab", "ab", "a"], ["b", "b", "bc"], ["", "a", ""]] * 10
    found = posteriors(coded(*articles), "multi", articles=30, coders=3)
    assert (found[:3] > 0.5).tolist() == [[True, True, False], [False, True, False], [False, False, False]]


@pytest.mark.parametrize(
    ("codings", "strength", "message"),
    [
        (coded(), 1, "these are 0"),
        (coded(["ab"]), 1, "one label each"),
        (coded([""]), 1, "one label each"),
        (coded(["a", "b"]), 0, "above 0, not 0"),
    ],
)
def test_what_the_model_cannot_take_is_refused(codings, strength, message):
    with pytest.raises(ValueError, match=message):
        dawid_skene(codings, articles=1, coders=2, strength=strength)
