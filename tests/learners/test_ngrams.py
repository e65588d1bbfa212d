"""Words are what the module docstring says; n-grams and their counts are those of a plain reference, whatever stands beside a text."""

from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.learners import ngrams
from newsclf.learners.ngrams import Ngrams, count_matrix, learn_ngrams, tokenise

FEW = settings(max_examples=50, deadline=None)
# without what Unicode has not assigned: Arrow's tables are newer than Python's
ANY = st.characters(exclude_categories=("Cs", "Cn"))
ODD = ["e\u0301", "हिन्दी", "中文", "👩‍👩‍👧", "שָׁלוֹם", "\0", "İ", "ẞ", "ǅ", "Ⅷ", "²", "_", "\u200d", "\u0085", "a", "A", "b", " ", "  ", "\n", "-"]
TEXT = st.lists(st.sampled_from(ODD) | st.text(ANY, max_size=3), max_size=12).map("".join)
FEW_WORDS = st.lists(st.sampled_from(["a", "b", "c", "A", "."]), max_size=12).map(" ".join)
TEXTS = st.lists(TEXT | FEW_WORDS, max_size=6)


def plain_words(text):
    """Words without Arrow's regular expressions: runs of letters, numbers and underscores, lower-cased."""
    lowered = pc.utf8_lower(pa.scalar(text)).as_py()
    spaced = "".join(character if character == "_" or unicodedata.category(character)[0] in "LN" else " " for character in lowered)
    return [word for word in spaced.split(" ") if word]


def plain_counts(text, longest):
    words = plain_words(text)
    return Counter(" ".join(words[at : at + length]) for length in range(1, longest + 1) for at in range(len(words) - length + 1))


def rows(grams, counts):
    """A matrix as one Counter a text."""
    terms = grams.terms()
    return [Counter({terms[column]: int(row[column]) for column in np.flatnonzero(row)}) for row in counts.toarray()]


def words_of(words, text=0):
    return [words.vocabulary[number] for number in words.ids[words.starts[text] : words.starts[text + 1]]]


@FEW
@given(TEXTS)
def test_words_are_runs_of_letters_numbers_and_underscores_lower_cased_by_arrow(texts):
    words = tokenise(texts)
    assert len(words) == len(texts)
    assert [words_of(words, row) for row in range(len(texts))] == [plain_words(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("İstanbul", ["istanbul"]),  # str.lower would leave a dot above apart
        ("STRAẞE Straße", ["straße", "straße"]),
        ("don't snake_case 3½", ["don", "t", "snake_case", "3½"]),
        ("cafe\u0301s", ["cafe", "s"]),  # decomposed: the mark splits the word
        ("caf\u00e9s", ["cafés"]),
        ("नदी", ["नद"]),
        ("中文 新聞", ["中文", "新聞"]),
        ("a\0b", ["a", "b"]),
        ("🙂 — …", []),
    ],
)
def test_a_word_of(text, expected):
    assert words_of(tokenise([text])) == expected


@FEW
@given(texts=TEXTS, longest=st.integers(1, 4))
def test_counts_are_those_of_a_plain_count(texts, longest):
    grams, counts = learn_ngrams(tokenise(texts), longest=longest, min_df=1)
    expected = [plain_counts(text, longest) for text in texts]
    assert rows(grams, counts) == expected
    assert rows(grams, grams.counts(tokenise(texts))) == expected
    assert counts.dtype == np.float32
    assert counts.shape == (len(texts), len(grams))


@FEW
@given(texts=st.lists(FEW_WORDS, max_size=8), longest=st.integers(1, 4), min_df=st.integers(1, 4))
def test_an_ngram_is_kept_if_it_stands_in_min_df_texts(texts, longest, min_df):
    grams, counts = learn_ngrams(tokenise(texts), longest=longest, min_df=min_df)
    each = [plain_counts(text, longest) for text in texts]
    frequency = Counter(term for counter in each for term in counter)
    kept = {term for term, texts_with_it in frequency.items() if texts_with_it >= min_df}
    assert set(grams.terms()) == kept
    assert rows(grams, counts) == [Counter({term: count for term, count in counter.items() if term in kept}) for counter in each]


@FEW
@given(st.lists(TEXT, max_size=6))
def test_words_do_not_depend_on_how_texts_are_batched(texts):
    whole = tokenise(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "_BATCH_CHARACTERS", 3)
        batched = tokenise(texts)
    assert batched.vocabulary == whole.vocabulary
    assert batched.ids.tolist() == whole.ids.tolist()
    assert batched.starts.tolist() == whole.starts.tolist()


@FEW
@given(texts=st.lists(FEW_WORDS | TEXT, min_size=1, max_size=6), shuffler=st.randoms())
def test_the_vocabulary_does_not_depend_on_the_order_of_the_texts(texts, shuffler):
    shuffled = shuffler.sample(texts, len(texts))
    one, _ = learn_ngrams(tokenise(texts), longest=3, min_df=2)
    other, _ = learn_ngrams(tokenise(shuffled), longest=3, min_df=2)
    assert one.terms() == other.terms()
    assert list(one.words) == sorted(one.words)


@FEW
@given(st.lists(FEW_WORDS | TEXT, min_size=1, max_size=6))
def test_a_texts_counts_do_not_depend_on_the_texts_beside_it(texts):
    grams, _ = learn_ngrams(tokenise(texts), longest=3, min_df=1)
    together = grams.counts(tokenise(texts))
    for row, text in enumerate(texts):
        alone = grams.counts(tokenise([text]))
        # the very same arrays in the same order, so that sums over them are the same to the last bit
        assert alone.indices.tolist() == together[[row]].indices.tolist()
        assert alone.data.tolist() == together[[row]].data.tolist()


def test_ngrams_do_not_cross_from_one_text_to_the_next():
    grams, counts = learn_ngrams(tokenise(["one two", "three", "", "four five six"]), longest=4, min_df=1)
    assert {term for term in grams.terms() if " " in term} == {"one two", "four five", "five six", "four five six"}
    assert grams.counts(tokenise(["x one", "two three"])).sum() == counts[[1]].sum() + 2


def test_ngrams_do_not_cross_words_that_were_left_out():
    words = tokenise(["a b c d e f"]).only(np.array([0, 1, 4, 5]))
    grams, counts = learn_ngrams(words, longest=3, min_df=1)
    assert grams.terms() == ["a", "b", "e", "f", "a b", "e f"]
    assert Ngrams.of_terms(["a", "b", "e", "f", "a b", "b e", "e f"]).counts(words).toarray().tolist() == [[1, 1, 1, 1, 1, 0, 1]]
    assert counts.sum() == 6


def test_places_of_words_survive_a_second_selection():
    words = tokenise(["a b c d", "e f g h"]).only(np.array([1, 2, 3, 5, 7]))
    assert words.only(np.array([0, 2, 4])).places.tolist() == [1, 3, 7]
    assert words.take([1]).places.tolist() == [5, 7]


@FEW
@given(texts=TEXTS, longest=st.integers(1, 4), min_df=st.integers(1, 2))
def test_a_vocabulary_reads_back_from_its_terms(texts, longest, min_df):
    words = tokenise(texts)
    grams, counts = learn_ngrams(words, longest=longest, min_df=min_df)
    again = Ngrams.of_terms(grams.terms())
    assert again.terms() == grams.terms()
    assert len(again) == len(grams)
    assert (again.counts(words) != counts).nnz == 0


@FEW
@given(texts=TEXTS, longest=st.integers(1, 4))
def test_each_term_is_the_one_of_the_list(texts, longest):
    grams, _ = learn_ngrams(tokenise(texts), longest=longest, min_df=1)
    assert [grams.term(feature) for feature in range(len(grams))] == grams.terms()
    with pytest.raises(IndexError, match=str(len(grams))):
        grams.term(len(grams))


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (["a", "a b"], "'b' is not in the vocabulary"),
        (["a", "b a"], "'b' is not in the vocabulary"),
        (["a", "a a a"], "'a a' is not in the vocabulary"),
        (["a", "b", "b a", "a b"], "n-grams of 2 words are not in order"),
        (["a", "b", "a b", "a b"], "n-grams of 2 words are not in order"),
        (["a", "a"], "has a word twice"),
        (["a", "a a", "b"], "a longer n-gram before a shorter one"),
        (["a b", "a", "b"], "a longer n-gram before a shorter one"),
    ],
)
def test_terms_that_are_no_vocabulary_are_refused(terms, message):
    with pytest.raises(ValueError, match=message):
        Ngrams.of_terms(terms)


@FEW
@given(texts=TEXTS, longest=st.integers(1, 4))
def test_occurrences_are_the_counts_in_their_places(texts, longest):
    words = tokenise(texts)
    grams, counts = learn_ngrams(words, longest=longest, min_df=1)
    features, places = grams.occurrences(words)
    assert (count_matrix(words.owner[places], features, counts.shape) != counts).nnz == 0
    for feature, place in zip(features.tolist(), places.tolist(), strict=True):
        parts = grams.term(feature).split(" ")
        assert [words.vocabulary[number] for number in words.ids[place : place + len(parts)]] == parts


@pytest.mark.parametrize("texts", [[], [""], ["", "", ""], ["... !", "\n"]])
def test_texts_without_a_word_have_no_ngrams(texts):
    words = tokenise(texts)
    grams, counts = learn_ngrams(words, longest=3, min_df=1)
    assert (len(words), len(words.ids), len(grams), counts.shape) == (len(texts), 0, 0, (len(texts), 0))
    assert Ngrams.of_terms(["a"]).counts(words).shape == (len(texts), 1)


def test_a_vocabulary_without_a_word_counts_nothing():
    assert Ngrams.of_terms([]).counts(tokenise(["a b"])).shape == (1, 0)


@FEW
@given(st.data())
def test_texts_are_taken_in_any_order_and_any_number_of_times(data):
    texts = data.draw(st.lists(FEW_WORDS, min_size=1, max_size=5))
    chosen = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=6))
    words = tokenise(texts).take(chosen)
    assert [words_of(words, row) for row in range(len(chosen))] == [plain_words(texts[row]) for row in chosen]
    assert words.owner.tolist() == [row for row, text in enumerate(chosen) for _ in plain_words(texts[text])]


def test_count_matrix_sums_what_stands_twice_and_keeps_solver_sized_indices():
    matrix = count_matrix(np.array([1, 0, 1]), np.array([2, 0, 2]), (2, 3))
    assert matrix.toarray().tolist() == [[1, 0, 0], [0, 0, 2]]
    assert matrix.indices.dtype == np.int32


def test_pieces_of_two_words_and_of_none_do_not_make_up_for_each_other():
    words = tokenise(["a\u200da", "\u200d a"])
    assert [words_of(words, row) for row in range(2)] == [["a", "a"], ["a"]]
