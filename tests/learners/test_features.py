"""Documents to one matrix, with columns of their own for targets that were coded often."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from newsclf.codebook import Codebook
from newsclf.errors import DataError
from newsclf.learners import features as module
from newsclf.learners import mentions
from newsclf.learners.blocks import FeatureSpec
from newsclf.learners.features import MOST_OWN, Features, words_of
from newsclf.learners.linear import LinearSpec
from newsclf.learners.protocol import Documents, Pairs, Parts

STANCE = Codebook(task="stance", kind="exclusive", labels=["for", "against"], targets=["toll", "fish"], open_targets=True)
TEXTS = ["The toll is fair. Fish is dear.", "No toll, no fish: the toll is high.", "Trains run. The fish, the toll."]
EVERYTHING = FeatureSpec(min_df=1, words=3, characters=(2, 3))


def stance_pairs(targets=("toll", "fish", "toll", "fish", "trains")):
    documents = Documents(["Toll news", "", "Fish"], TEXTS)
    return Pairs(documents, np.array([0, 0, 1, 2, 2])[: len(targets)], targets)


@pytest.fixture
def crossed(monkeypatch):
    """Features of pairs whose targets toll and fish are coded twice, often enough here, and trains once."""
    monkeypatch.setattr(module, "OFTEN_CODED", 2)
    monkeypatch.setattr(mentions, "REACH", 2)
    return Features.learn(EVERYTHING, stance_pairs(), STANCE)


def dense(features, pairs):
    return features.weigh(features.count(pairs)).toarray()


def test_often_coded_targets_have_a_copy_of_the_columns_and_a_constant(crossed):
    features, counted = crossed
    matrix = features.weigh(counted).toarray()
    assert features.crossed == ("fish", "toll")
    assert matrix.shape == (5, len(features)) == (5, 3 * features.shared + 2)
    shared, fish, toll, constants = np.split(matrix, np.arange(1, 4) * features.shared, axis=1)
    is_toll, is_fish = np.array([1, 0, 1, 0, 0]), np.array([0, 1, 0, 1, 0])
    assert (toll == shared * is_toll[:, None]).all()
    assert (fish == shared * is_fish[:, None]).all()
    assert (constants == np.stack([is_fish, is_toll], axis=1)).all()


def test_an_unseen_target_has_shared_columns_only(crossed):
    features, _ = crossed
    matrix = dense(features, stance_pairs(("the moon", "toll")))
    assert matrix[0, : features.shared].any()
    assert not matrix[0, features.shared :].any()
    assert matrix[1, features.shared :].any()


def test_one_often_coded_target_alone_has_no_columns_of_its_own(monkeypatch):
    monkeypatch.setattr(module, "OFTEN_CODED", 3)
    features, _ = Features.learn(EVERYTHING, stance_pairs(("toll", "toll", "toll", "fish")), STANCE)
    assert (features.crossed, len(features)) == ((), features.shared)


def test_twenty_rows_are_often():
    pairs = Pairs(Documents([""] * 59, ["toll fish trains"] * 59), np.arange(59), ["toll"] * 20 + ["fish"] * 20 + ["trains"] * 19)
    features, _ = Features.learn(FeatureSpec(), pairs, STANCE)
    assert features.crossed == ("fish", "toll")


@pytest.mark.parametrize(("targets", "own"), [(MOST_OWN, MOST_OWN), (MOST_OWN + 1, 0)])
def test_where_more_targets_are_often_coded_than_may_have_columns_none_has(monkeypatch, targets, own):
    monkeypatch.setattr(module, "OFTEN_CODED", 2)
    named = [f"target {number}" for number in range(targets)] * 2
    pairs = Pairs(Documents([""] * len(named), ["toll fish trains"] * len(named)), np.arange(len(named)), named)
    features, _ = Features.learn(FeatureSpec(), pairs, STANCE)
    assert len(features.crossed) == own


def test_the_matrix_has_the_indices_that_scikit_learns_solvers_take(crossed):
    features, counted = crossed
    matrix = features.weigh(counted)
    assert (matrix.indices.dtype, matrix.indptr.dtype, matrix.dtype) == (np.int32, np.int32, np.float32)


@pytest.mark.parametrize("pair", range(5))
def test_occurrences_sum_to_the_row_of_the_matrix(crossed, pair):
    features, _ = crossed
    found = features.occurrences(stance_pairs(), pair)
    row = np.bincount(found.columns, found.values, minlength=len(features))
    row[found.constant] += 1
    np.testing.assert_allclose(row, dense(features, stance_pairs())[pair], rtol=1e-14)


@pytest.mark.parametrize("pair", range(5))
def test_an_occurrence_stands_where_its_phrase_stands(crossed, pair):
    features, _ = crossed
    pairs = stance_pairs()
    found = features.occurrences(pairs, pair)
    words = pairs.documents.whole.take(pairs.rows[pair : pair + 1])
    text = [words.vocabulary[number] for number in words.ids]
    for place, column, phrase in zip(found.positions.tolist(), found.columns.tolist(), found.phrases, strict=True):
        block, start = next((block, start) for block, start in spans(features) if column % features.shared < start + len(block.vocabulary))
        assert phrase == block.vocabulary.term(column % features.shared - start)
        assert phrase in f" {text[place]} " if block.name == "characters" else phrase.split(" ") == text[place : place + phrase.count(" ") + 1]


def spans(features):
    start = 0
    for block in features.blocks:
        yield block, start
        start += len(block.vocabulary)


def test_phrases_near_a_target_stand_in_the_text_as_they_are():
    text = " ".join(["toll alpha", *(f"x{number}" for number in range(80)), "omega toll"])
    pairs = Pairs(Documents([""], [text]), np.arange(1), ["toll"])
    features, _ = Features.learn(FeatureSpec(min_df=1), pairs, STANCE)
    near = next(block for block in features.blocks if block.name == "near")
    assert {"toll alpha", "omega toll", "x27 x28", "x51 x52"} <= set(near.vocabulary.terms())
    assert "x28 x51" not in near.vocabulary.terms()  # the end of one window and the start of the next


def test_words_of_a_field():
    def shown(field):
        words = words_of(stance_pairs(), field, Features.learn(EVERYTHING, stance_pairs(), STANCE)[0].mentions)
        return [" ".join(words.vocabulary[number] for number in words.ids[words.owner == row]) for row in range(len(words))]

    assert shown("title") == ["toll news", "toll news", "", "fish", "fish"]
    assert shown("whole")[0] == shown("near")[0] == "toll news the toll is fair fish is dear"
    assert shown("near")[4] == "fish trains run the fish the toll"


def test_blocks_without_an_ngram_are_left_out():
    pairs = Pairs.of(Documents(["", ""], ["one two", "one"]))
    features, counted = Features.learn(FeatureSpec(), pairs, STANCE)
    assert [block.name for block in features.blocks] == ["words"]
    assert len(counted.blocks) == 1


def test_texts_that_share_no_word_cannot_be_learned_from():
    with pytest.raises(DataError, match=r"min_df = 2 of the 2 training texts: lower learner\.min_df"):
        Features.learn(FeatureSpec(), Pairs.of(Documents(["", ""], ["one", "two"])), STANCE)


def test_refitted_idf_is_that_of_the_rows_alone():
    documents = Documents([""] * 4, ["a b", "a c", "a b c", "a d d"])
    features, counted = Features.learn(FeatureSpec(min_df=1, words=1), Pairs.of(documents), STANCE)
    rows = np.array([0, 2])
    refitted = features.refitted(counted, rows, min_df=2)
    alone, alone_counted = Features.learn(FeatureSpec(min_df=2, words=1), Pairs.of(Documents([""] * 2, ["a b", "a b c"])), STANCE)
    # c and d stand in fewer than two of the rows: they keep their columns and weigh nothing
    assert refitted.blocks[0].idf.tolist() == [*alone.blocks[0].idf.tolist(), 0, 0]
    assert (refitted.weigh(counted).toarray()[rows, :2] == alone.weigh(alone_counted).toarray()).all()


def test_features_come_back_from_their_parts(crossed):
    features, _ = crossed
    again = Features.rebuild(EVERYTHING, features.parts(), STANCE)
    assert again.crossed == features.crossed
    assert [block.name for block in again.blocks] == ["words", "title", "characters", "near"]
    assert (dense(again, stance_pairs()) == dense(features, stance_pairs())).all()


def test_parts_without_the_idf_of_a_vocabulary_are_refused(crossed):
    parts = crossed[0].parts()
    arrays = {name: array for name, array in parts.arrays.items() if name != "idf.title"}
    with pytest.raises(ValueError, match=r"'idf\.title' is missing; there are 'idf\.words'"):
        Features.rebuild(EVERYTHING, Parts(arrays, parts.vocabularies), STANCE)
    with pytest.raises(ValueError, match="'title' has 3 n-grams and 1 idf values"):
        Features.rebuild(EVERYTHING, replace(parts, arrays=parts.arrays | {"idf.title": np.ones(1)}), STANCE)


def test_the_learners_spec_is_a_feature_spec():
    features, _ = Features.learn(LinearSpec(min_df=1), stance_pairs(), STANCE)
    assert [block.name for block in features.blocks] == ["words", "title", "near"]


def test_the_lead_is_the_first_words_of_headline_and_text(monkeypatch):
    monkeypatch.setattr(module, "LEAD", 3)
    pairs = Pairs.of(Documents(["Toll news", ""], TEXTS[:2]))
    words = words_of(pairs, "lead", mentions.Mentions.of(STANCE))
    assert [[words.vocabulary[number] for number in words.take([row]).ids] for row in range(2)] == [["toll", "news", "the"], ["no", "toll", "no"]]
    features, _ = Features.learn(FeatureSpec(min_df=1, lead=0.5), pairs, STANCE)
    assert [block.name for block in features.blocks] == ["words", "title", "lead"]
