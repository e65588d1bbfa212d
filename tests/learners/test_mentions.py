"""Windows around the names of a target."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.codebook import Codebook
from newsclf.learners import mentions
from newsclf.learners.mentions import REACH, Mentions, mentioned
from newsclf.learners.ngrams import tokenise
from newsclf.learners.protocol import Documents, Pairs

CODEBOOK = Codebook(
    task="stance", kind="exclusive", labels=["for", "against"], targets={"toll": {"aliases": ["bridge fee", "the Old-Bridge fee"]}, "fish": {}}
)


@pytest.fixture
def short_reach():
    """Windows of two words at both sides."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mentions, "REACH", 2)
        yield


def near(texts, targets):
    """The words around mentions, text by text."""
    words = tokenise(texts)
    chosen = words.only(Mentions.of(CODEBOOK).near(words, targets))
    return [" ".join(chosen.vocabulary[number] for number in chosen.ids[chosen.owner == row]) for row in range(len(texts))]


@pytest.mark.usefixtures("short_reach")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b c toll d e f", "b c toll d e"),
        ("TOLL d e f", "toll d e"),
        ("a b c toll", "b c toll"),
        ("a b c tolls d e", ""),
        ("a b c bridge fee d e f", "b c bridge fee d e"),
        ("a b bridge c fee d e f", ""),
        ("a b the old bridge fee d e f", "a b the old bridge fee d e"),
        ("a b toll c toll d e f", "a b toll c toll d e"),  # overlapping windows count each word once
        ("toll b c d e f toll", "toll b c e f toll"),
        ("a bridge", ""),
        ("", ""),
    ],
)
def test_words_around_a_mention(text, expected):
    assert near([text], ["toll"]) == [expected]


def test_a_window_reaches_thirty_words_before_the_first_and_after_the_last_word_of_a_name():
    text = " ".join([*(f"b{number}" for number in range(40)), "bridge fee", *(f"a{number}" for number in range(40))])
    found = near([text], ["toll"])[0].split(" ")
    assert len(found) == 2 * REACH + 2
    assert (found[0], found[-1]) == ("b10", "a29")


def test_windows_never_leave_their_text():
    assert near(["a b", "toll", "c d"], ["toll"] * 3) == ["", "toll", ""]
    # the end of one text and the start of the next are no mention
    assert near(["a bridge", "fee b"], ["toll"] * 2) == ["", ""]


def test_each_text_is_read_for_its_own_target():
    assert near(["toll fish", "toll only", "fish only"], ["fish", "fish", "fish"]) == ["toll fish", "", "fish only"]
    assert near(["toll only", "toll only"], ["toll", "fish"]) == ["toll only", ""]


def test_a_target_that_the_codebook_does_not_know_has_its_own_name():
    assert near(["the Night-Train, late", "no train"], ["night train"] * 2) == ["the night train late", ""]


def test_a_target_without_a_word_is_mentioned_nowhere():
    assert near(["a !!! b"], ["!!!"]) == [""]


@pytest.mark.usefixtures("short_reach")
@given(st.lists(st.lists(st.sampled_from(["toll", "bridge", "fee", "x"]), max_size=9), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_windows_are_those_of_a_plain_search(texts):
    words = tokenise([" ".join(text) for text in texts])
    expected, start = set(), 0
    for text in texts:
        for name in (["toll"], ["bridge", "fee"]):
            for at in range(len(text)):
                if text[at : at + len(name)] == name:
                    expected |= {start + place for place in range(max(0, at - 2), min(len(text), at + len(name) + 2))}
        start += len(text)
    assert Mentions.of(CODEBOOK).near(words, ["toll"] * len(texts)).tolist() == sorted(expected)


def test_a_pair_whose_document_has_no_name_of_its_target_is_unmentioned():
    documents = Documents(["The bridge fee", "", ""], ["rises.", "Fish and chips.", ""])
    pairs = Pairs(documents, np.array([0, 0, 1, 1, 2]), ["toll", "fish", "toll", "fish", "fish"])
    assert mentioned(CODEBOOK, pairs).tolist() == [True, False, False, True, False]


def test_no_pairs_mention_nothing():
    assert mentioned(CODEBOOK, Pairs(Documents([], []), np.empty(0, np.int64))).shape == (0,)


def test_names_alone_are_found_without_what_stands_around_them():
    words = tokenise(["a toll b the old bridge fee", "no fish here", "FISH"])
    found = Mentions.of(CODEBOOK).named(words, ["toll", "toll", "fish"])
    assert [words.vocabulary[words.ids[at]] for at in found.tolist()] == ["toll", "the", "old", "bridge", "fee", "fish"]
