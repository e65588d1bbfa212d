"""What learners are given, and how they are found."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from newsclf.codebook import Codebook
from newsclf.errors import ConfigError
from newsclf.learners.protocol import LEARNERS, Contributions, Documents, LearnerSpec, Pairs, Parts, learner_spec


def words_of(words, row):
    return [words.vocabulary[number] for number in words.ids[words.starts[row] : words.starts[row + 1]]]


def test_the_whole_document_is_the_title_followed_by_the_text():
    documents = Documents(["First title", "", "Third"], ["a text", "another", ""])
    assert [words_of(documents.title, row) for row in range(3)] == [["first", "title"], [], ["third"]]
    assert [words_of(documents.whole, row) for row in range(3)] == [["first", "title", "a", "text"], ["another"], ["third"]]
    assert documents.title.vocabulary is documents.whole.vocabulary  # tokenised once


def test_no_documents_have_no_words():
    documents = Documents([], [])
    assert (len(documents), len(documents.title), len(documents.whole)) == (0, 0, 0)


def test_pairs_of_documents_are_one_each_without_targets():
    pairs = Pairs.of(Documents(["", ""], ["a", "b"]))
    assert (len(pairs), pairs.rows.tolist(), pairs.targets) == (2, [0, 1], ())


def test_contributions_less_weights_keep_places_phrases_and_rest():
    one = Contributions(np.array([0, 2]), np.array([0.5, 1.0]), ["a", "b c"], rest=0.25)
    less = one.less(np.array([0.1, 1.5]))
    np.testing.assert_allclose(less.weights, [0.4, -0.5])
    assert (less.positions.tolist(), less.phrases, less.rest) == ([0, 2], ["a", "b c"], 0.25)


def test_an_array_that_parts_do_not_have_is_named():
    parts = Parts({"weights": np.ones(2)}, {})
    assert parts.array("weights") is parts.arrays["weights"]
    with pytest.raises(ValueError, match="'intercepts' is missing; there are 'weights'"):
        parts.array("intercepts")


@pytest.mark.parametrize("kind", LEARNERS)
def test_every_row_of_the_table_leads_to_a_spec_of_its_kind(kind):
    spec = learner_spec({"kind": kind})
    assert issubclass(spec, LearnerSpec)
    assert spec().kind == kind
    module, _, name = LEARNERS[kind].partition(":")
    assert getattr(importlib.import_module(module), name) is spec


def test_a_block_without_a_kind_is_linear():
    assert learner_spec({"C": 1}) is learner_spec({"kind": "linear"})


def test_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"'learner.kind': there is no learner 'liner' \(did you mean 'linear'\?\); the learners are 'linear'"):
        learner_spec({"kind": "liner"})


def test_a_spec_without_a_learner_cannot_fit_or_rebuild():
    spec, codebook = LearnerSpec(kind="none"), Codebook(task="t", kind="multi", labels=["a", "b"])
    with pytest.raises(NotImplementedError, match="none"):
        spec.fit(Pairs.of(Documents([], [])), np.zeros((0, 2), bool), codebook, [])
    with pytest.raises(NotImplementedError, match="none"):
        spec.rebuild(Parts({}, {}), codebook)
