"""Character n-grams within words are scikit-learn's char_wb, counted once per distinct word."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from newsclf.learners.characters import Characters, character_ngrams, learn_characters
from newsclf.learners.ngrams import count_matrix, tokenise

FEW = settings(max_examples=50, deadline=None)
RANGES = st.tuples(st.integers(1, 5), st.integers(0, 3)).map(lambda pair: (pair[0], sum(pair)))
TEXTS = st.lists(st.text("abcé中ß -.", max_size=20), max_size=5)


def sklearn_ngrams(text, shortest, longest):
    return CountVectorizer(analyzer="char_wb", ngram_range=(shortest, longest), lowercase=False).build_analyzer()(text)


@FEW
@given(word=st.text(st.characters(categories=("L", "N")), min_size=1, max_size=9), span=RANGES)
def test_a_words_ngrams_are_those_of_char_wb(word, span):
    assert character_ngrams(word, *span) == sklearn_ngrams(word, *span)


def test_a_word_shorter_than_the_ngram_counts_once_whole():
    assert character_ngrams("ab", 2, 9) == [" a", "ab", "b ", " ab", "ab ", " ab "]
    assert character_ngrams("ab", 7, 9) == [" ab "]


@FEW
@given(texts=TEXTS, span=RANGES, min_df=st.integers(1, 2))
def test_counts_are_those_of_char_wb_over_the_words(texts, span, min_df):
    words = tokenise(texts)
    spaced = [" ".join(words.vocabulary[number] for number in words.ids[words.owner == row]) for row in range(len(texts))]
    each = [Counter(sklearn_ngrams(text, *span)) for text in spaced]
    frequency = Counter(gram for counter in each for gram in counter)
    grams, counts = learn_characters(words, *span, min_df=min_df)
    assert grams.terms() == sorted(gram for gram, texts_with_it in frequency.items() if texts_with_it >= min_df)
    assert counts.toarray().tolist() == [[counter[gram] for gram in grams.terms()] for counter in each]
    assert (grams.counts(words) != counts).nnz == 0


@FEW
@given(texts=TEXTS, span=RANGES)
def test_occurrences_are_the_counts_in_their_words(texts, span):
    words = tokenise(texts)
    grams, counts = learn_characters(words, *span, min_df=1)
    features, places = grams.occurrences(words)
    assert (count_matrix(words.owner[places], features, counts.shape) != counts).nnz == 0
    for feature, place in zip(features.tolist(), places.tolist(), strict=True):
        assert grams.term(feature) in f" {words.vocabulary[words.ids[place]]} "


@FEW
@given(st.lists(st.text("abcd ", max_size=20), min_size=1, max_size=6))
def test_a_texts_counts_are_in_the_same_order_whatever_stands_beside_it(texts):
    grams, _ = learn_characters(tokenise(texts), 2, 4, min_df=1)
    together = grams.counts(tokenise(texts))
    for row, text in enumerate(texts):
        alone = grams.counts(tokenise([text]))
        # sums over them are then the same to the last bit
        assert alone.indices.tolist() == together[[row]].indices.tolist()
        assert alone.data.tolist() == together[[row]].data.tolist()


def test_grams_that_are_not_in_the_vocabulary_are_not_counted():
    grams = Characters((" a", "zz"), 2, 2)
    assert grams.of_words(["a", "zzz", "q"]).toarray().tolist() == [[1, 0], [0, 2], [0, 0]]
    assert len(grams) == 2


@pytest.mark.parametrize("texts", [[], [""], ["?", ""]])
def test_texts_without_a_word_have_no_ngrams(texts):
    grams, counts = learn_characters(tokenise(texts), 2, 3, min_df=1)
    assert (len(grams), counts.shape) == (0, (len(texts), 0))
    features, places = Characters(("ab",), 2, 2).occurrences(tokenise(texts))
    assert (features.dtype, len(features), len(places)) == (np.int64, 0, 0)
