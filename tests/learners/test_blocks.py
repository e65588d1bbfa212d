"""Blocks weigh counts by tf-idf, each segment scaled to its own length."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.feature_extraction.text import TfidfTransformer

from newsclf.errors import ConfigError
from newsclf.learners.blocks import LAYOUTS, Block, FeatureSpec, Matrix, inverse_document_frequency, learn_block, read_block
from newsclf.learners.ngrams import Ngrams, tokenise

COUNTS = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.integers(0, 4).map(float))


def block_of(counts, *segments, min_df=1):
    terms = Ngrams(tuple(f"w{column}" for column in range(counts.shape[1])))
    return Block("words", terms, segments or ((counts.shape[1], 1.0),), inverse_document_frequency(Matrix(counts), min_df=min_df))


def test_weights_are_those_of_a_hand_computation():
    counts = np.array([[2, 1, 3], [0, 1, 0]], np.float32)
    weighed = block_of(counts, (2, 1.0), (3, 0.5)).weigh(Matrix(counts)).toarray()
    # the first word stands in one of two texts, the second in both
    first, second = (1 + log(2)) * (log(3 / 2) + 1), 1.0
    length = sqrt(first**2 + second**2)
    np.testing.assert_allclose(weighed, [[first / length, second / length, 0.5], [0, 1, 0]], rtol=1e-6)
    assert weighed.dtype == np.float32


@given(COUNTS)
@settings(max_examples=60, deadline=None)
def test_one_segment_is_scikit_learns_tf_idf(counts):
    expected = TfidfTransformer(sublinear_tf=True).fit_transform(Matrix(counts)).toarray()
    np.testing.assert_allclose(block_of(counts).weigh(Matrix(counts)).toarray(), expected, rtol=1e-5)


@given(counts=COUNTS, stop=st.integers(1, 5), weight=st.floats(0.1, 9))
@settings(max_examples=60, deadline=None)
def test_every_segment_of_a_row_is_as_long_as_its_weight(counts, stop, weight):
    columns = counts.shape[1]
    block = block_of(counts, (min(stop, columns), 1.0), (columns, weight))
    weighed = block.weigh(Matrix(counts)).toarray()
    for part, expected in ((slice(0, stop), 1.0), (slice(stop, None), weight)):
        lengths = np.linalg.norm(weighed[:, part], axis=1)
        np.testing.assert_allclose(lengths, np.where(counts[:, part].any(axis=1), expected, 0), rtol=1e-5)


def test_an_ngram_in_fewer_texts_than_min_df_weighs_nothing():
    counts = np.array([[1, 1], [0, 1]], np.float32)
    assert block_of(counts, min_df=2).weigh(Matrix(counts)).toarray().tolist() == [[0, 1], [0, 1]]
    assert block_of(counts, min_df=3).weigh(Matrix(counts)).toarray().tolist() == [[0, 0], [0, 0]]


def test_idf_is_the_same_number_before_and_after_it_is_stored():
    idf = inverse_document_frequency(Matrix(np.eye(7, 5, dtype=np.float32)), min_df=1)
    assert idf.dtype == np.float64
    assert (idf.astype(np.float32).astype(np.float64) == idf).all()


@pytest.mark.parametrize(
    ("name", "settings_", "segments"),
    [
        ("words", {"words": 1}, ((3, 1.0),)),
        ("words", {"words": 2, "phrases": 0.3}, ((3, 1.0), (5, 0.3))),
        ("title", {"words": 2, "title": 0.2}, ((3, 0.2),)),
        ("near", {"words": 2, "near": 2.0, "phrases": 0.5}, ((3, 2.0), (5, 1.0))),
        ("characters", {"characters": (4, 4)}, ((3, 1.0),)),
    ],
)
def test_a_layout_says_what_is_counted_and_how_much_it_weighs(name, settings_, segments):
    spec = FeatureSpec(min_df=1, **settings_)
    block, counts = learn_block(name, spec, tokenise(["ab cd ef", "cd"]))
    assert block.segments == segments
    assert block.field == LAYOUTS[name].field
    assert counts.shape == (2, len(block.vocabulary))
    again = read_block(name, spec, block.vocabulary.terms(), block.idf)
    assert (again.weigh(counts) != block.weigh(counts)).nnz == 0


@pytest.mark.parametrize(
    ("settings_", "wanted"),
    [
        ({}, ["words", "title", "near"]),
        ({"title": 0, "near": 0}, ["words"]),
        ({"characters": (2, 5)}, ["words", "title", "characters", "near"]),
    ],
)
def test_a_weight_of_nothing_leaves_a_block_out(settings_, wanted):
    spec = FeatureSpec(**settings_)
    assert [name for name, layout in LAYOUTS.items() if layout.wanted(spec)] == wanted


def test_a_block_with_another_number_of_idf_values_is_refused():
    with pytest.raises(ValueError, match="'words' has 2 n-grams and 3 idf values"):
        read_block("words", FeatureSpec(), ["a", "b"], np.ones(3))


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"characters": [5, 2]}, r"'characters': the shortest n-gram .* not above the longest, not \[5, 2\]"),
        ({"characters": [0, 3]}, r"'characters': the shortest n-gram .* at least 1"),
        ({"characters": [2]}, r"'characters' must be .*, not \[2\]"),
        ({"words": 0}, "'words' must be at least 1, not 0"),
        ({"words": 6}, "'words' must be at most 5, not 6"),
        ({"phrases": 0}, "'phrases' must be greater than 0, not 0"),
        ({"phrases": float("inf")}, "'phrases' must be a finite number"),
        ({"title": -1}, "'title' must be at least 0, not -1"),
        ({"title": float("nan")}, "'title' must be a finite number"),
        ({"near": float("inf")}, "'near' must be a finite number"),
        ({"min_df": 0}, "'min_df' must be at least 1, not 0"),
        ({"bigrams": 2}, "unknown key 'bigrams'"),
    ],
)
def test_hyper_parameters_that_mean_nothing_are_refused(tree, message):
    with pytest.raises(ConfigError, match=message):
        FeatureSpec.parse(tree, where="config.yaml")
