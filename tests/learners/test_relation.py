"""What an article and a target share."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from newsclf.learners.protocol import Documents, Pairs
from newsclf.learners.relation import SHARED, STEPS, WEIGHT, shared, steps

TEXT = "The bridge is old. " + "Nothing else happened in town. " * 12 + "The mayor wants a new bridge road."


def asked(*targets: str):
    return shared(Pairs(Documents(["A short week"], [TEXT]), np.zeros(len(targets), np.int64), targets))


def test_words_are_looked_for_in_the_article_its_lead_its_nearest_sentence_and_in_pairs():
    np.testing.assert_allclose(asked("new bridge road tolls"), [[3 / 4, 1 / 4, 3 / 4, 2 / 3]])


def test_the_headline_is_of_the_article_and_a_sentence_of_its_own():
    np.testing.assert_allclose(asked("short week"), [[1, 1, 1, 1]])


def test_what_is_not_there_shares_nothing_and_a_target_without_words_neither():
    np.testing.assert_array_equal(asked("harbour", "…"), np.zeros((2, SHARED)))


def test_an_answer_does_not_depend_on_the_other_targets():
    np.testing.assert_array_equal(asked("new bridge", "harbour")[:1], asked("new bridge"))


@given(arrays.arrays(np.float64, (3, 2), elements=st.floats(-0.5, 1.5)))
def test_steps_rise_one_after_the_other_and_say_the_measure_again(measures):
    risen = steps(measures).reshape(3, 2, STEPS) / WEIGHT
    assert (np.diff(risen, axis=2) <= 1e-12).all()
    np.testing.assert_allclose(risen.sum(axis=2) / STEPS, np.clip(measures, 0, 1), atol=1e-9)
