"""What an encoder's vector added is split over windows and words, and nothing is lost on the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_encoder import write_encoder

from newsclf.learners.attribution import InWindows, WordPlaces, attribute
from newsclf.learners.embedding import Embedder
from newsclf.learners.fused import unit, vectors_of
from newsclf.learners.ngrams import tokenise
from newsclf.learners.protocol import Contributions, Documents, Pairs
from newsclf.learners.windows import Windows, WindowSpec

TITLE = "Old bridge over the river"
TEXT = (
    "The council said the old bridge was short. “Rain over the town,” the mayor said, \n\n"
    "and the fish market was under the river. The night train! A new school – a long road."
)
DOCUMENTS = Documents(["", TITLE, "…"], ["A short week.", TEXT, "— … —"])
LABELS = 3


def reader(tmp_path_factory, *, encoder: str = "mean", modules: int = 3, **windows):
    pytest.importorskip("torch", reason="the neural extra is not installed")
    from newsclf.learners.encoder_runtime import Encoder

    folder = write_encoder(tmp_path_factory.mktemp("encoder"), pooling=encoder, modules=modules)
    return Embedder(Encoder.open(folder, "torch-fp32"), WindowSpec(**windows))


READERS = {
    "mean": {},
    "no headline": {"headline": "none"},
    "headline first": {"headline": "first", "overlap": 0},
    "largest": {"pooling": "max"},
    "not of length 1": {"modules": 2, "pooling": "max"},
    "two windows": {"most": 2},
}


@pytest.fixture(scope="module", params=READERS)
def reads(request, tmp_path_factory):
    return reader(tmp_path_factory, **READERS[request.param])


@pytest.fixture(scope="module")
def first_token(tmp_path_factory):
    return reader(tmp_path_factory, encoder="cls")


def pair(row: int, target: str = "") -> Pairs:
    return Pairs(DOCUMENTS, np.array([row]), (target,) if target else ())


def head(reads, one: Pairs):
    return np.random.default_rng(3).normal(size=(vectors_of(one, reads).shape[1], LABELS))


def window_parts(reads, one: Pairs, weights):
    """What each window gives, from the definition: what changes where one window's share of the article's vector is left out."""
    read, row = reads.read(DOCUMENTS), int(one.rows[0])
    span = slice(*read.windows.starts[row : row + 2].tolist())
    values = read.of_windows[span]
    if read.shares is not None:
        parts = values * read.shares[span, None]
    else:
        parts = np.zeros_like(values)
        parts[values.argmax(axis=0), np.arange(values.shape[1])] = values.max(axis=0)
    whole = parts.sum(axis=0)
    document = parts / np.linalg.norm(whole)
    if not one.targets:
        return document @ weights
    target = reads.texts([one.targets[0]])[0]
    target = target / np.linalg.norm(target)
    both, apart = document * target, document.sum(axis=0) - target
    blocks = [document, both / np.linalg.norm(both.sum(axis=0)), document * np.sign(apart) / np.linalg.norm(apart)]
    return np.hstack(blocks) @ weights[: 3 * len(target)]


def of_the_target(reads, one: Pairs, weights):
    """What the target's vector adds alone, and the words that it shares with the document."""
    if not one.targets:
        return np.zeros(LABELS)
    target = unit(reads.texts([one.targets[0]]))[0]
    apart = unit(reads.read(DOCUMENTS).vectors)[int(one.rows[0])] - target
    dim = len(target)
    distance = -target * np.sign(apart) / np.linalg.norm(apart)
    return distance @ weights[2 * dim : 3 * dim] + vectors_of(one, reads)[0, 3 * dim :] @ weights[3 * dim :]


@pytest.mark.parametrize("target", ["", "fish market"])
@pytest.mark.parametrize("row", [0, 1])
def test_words_sum_to_their_window_and_windows_to_what_the_vector_added(reads, row, target):
    one = pair(row, target)
    weights = head(reads, one)
    found = attribute(one, reads, weights)
    parts = window_parts(reads, one, weights)
    assert found.window_count == len(parts) == len(set(found.windows.tolist()))
    of_windows = [found.weights[found.windows == window].sum(axis=0) for window in range(len(parts))]
    np.testing.assert_allclose(of_windows, parts, atol=1e-6)
    whole = (vectors_of(one, reads) @ weights)[0]
    np.testing.assert_allclose(parts.sum(axis=0) + of_the_target(reads, one, weights), whole, atol=1e-6)
    assert np.abs(found.weights).max() > 0.01


def test_words_stand_in_the_windows_that_hold_them(reads):
    found = attribute(pair(1), reads, head(reads, pair(1)))
    windows = reads.read(DOCUMENTS).windows
    start = int(windows.starts[1])
    words = DOCUMENTS.whole.take([1])
    for window in range(found.window_count):
        read = tokenise([windows.texts[start + window]])
        placed = {words.vocabulary[words.ids[position]] for position in found.positions[found.windows == window].tolist()}
        assert placed == {read.vocabulary[number] for number in read.ids.tolist()}


def test_without_a_word_all_is_left_to_the_rest(reads):
    one = pair(2)
    weights = head(reads, one)
    found = attribute(one, reads, weights)
    assert not len(found.positions)
    total = float((vectors_of(one, reads) @ weights)[0, 1])
    nothing = Contributions(np.zeros(0, np.int64), np.zeros(0), (), 0.5)
    assert found.beside(nothing, 1, total).rest == pytest.approx(0.5 + total)


def test_beside_the_n_grams_the_sum_is_kept_and_each_entry_says_whose_it_is(reads):
    one = pair(1)
    weights = head(reads, one)
    words = Contributions(np.array([4, 7]), np.array([0.25, -1.0]), ("river", "said"), 2.0)
    both = attribute(one, reads, weights).beside(words, 2, 0.75)
    assert both.weights.sum() + both.rest == pytest.approx(words.weights.sum() + words.rest + 0.75)
    assert both.windows is not None
    assert both.windows[:2].tolist() == [-1, -1]
    assert both.windows[2:].min() == 0
    assert both.windows.max() == both.window_count - 1
    assert both.phrases[:2] == ("river", "said")
    assert set(both.phrases[2:]) == {""}


def test_targets_of_one_article_share_one_reading(reads, monkeypatch):
    documents = Documents([TITLE], [TEXT])
    parts, calls = reads.encoder.token_parts, []
    monkeypatch.setattr(reads.encoder, "token_parts", lambda texts: calls.append(len(texts)) or parts(texts))
    for target in ("fish market", "night train"):
        one = Pairs(documents, np.array([0]), (target,))
        found = attribute(one, reads, head(reads, one))
    assert calls == [found.window_count]


@pytest.mark.parametrize("target", ["", "fish market"])
def test_an_embedding_of_the_first_token_is_explained_by_leaving_out_sentences(first_token, target):
    one = pair(1, target)
    weights = head(first_token, one)
    assert not first_token.encoder.splits
    found = attribute(one, first_token, weights)
    words = DOCUMENTS.whole.take([1])
    opening = [words.vocabulary[words.ids[position]] for position in found.positions.tolist()]
    # each sentence at its first word, the headline first
    assert opening == ["old", "the", "rain", "and", "the", "a"]
    assert (np.abs(found.weights).max(axis=1) > 1e-4).all()


# words


PIECES = ["wall", " ", "  ", "“", "”", ".", "…", "\n", "İ", "é", "e\u0301", "日本語", "😀", "_", "3.5", "नमस्ते", "ß", "\u2028", "A-b"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.characters(exclude_categories=["Cs"])), max_size=20).map("".join))
def test_words_are_those_of_the_n_grams(text):
    places = WordPlaces.of(text)
    words = tokenise([text])
    assert len(places) == len(words.ids)
    edges = [*places.starts.tolist(), len(text)]
    for number, start, end in zip(words.ids.tolist(), edges[:-1], edges[1:], strict=True):
        own = tokenise([text[start:end]])
        assert [own.vocabulary[own.ids[0]]] == [words.vocabulary[number]]


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("one two", 0, 0),
        ("one two", 2, 0),
        ("one two", 4, 1),
        ("one two", 3, 1),  # some tokens begin with the white space before their word
        ("one. Two", 3, 0),
        ("one “two”", 4, 1),
        ("one “two”", 8, 1),
        ("“one”", 0, 0),
        ("one – two", 4, 1),
        ("one two –", 8, 1),
        ("…", 0, -1),
        ("", 0, -1),
    ],
)
def test_marks_belong_to_the_word_that_they_stand_at(text, place, word):
    assert WordPlaces.of(text).at(np.array([place])).tolist() == [word]


def test_places_of_a_window_are_found_in_title_and_text():
    # the headline was cut, and the text begins within its second word
    article = InWindows("Old bridge", "A wish. New", Windows(("Old\nish. New",), np.array([[3, 11]]), np.array([3]), np.array([0, 1]), np.ones(1)))
    assert article.words_of(0, np.array([0, 4, 7, 9])).tolist() == [0, 3, 3, 4]
