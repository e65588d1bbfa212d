"""What a sentence adds is what the score loses without it."""

from __future__ import annotations

import numpy as np
import pytest

from newsclf.learners.occlusion import MOST, occluded, occluded_windows
from newsclf.learners.sentences import sentence_spans
from newsclf.learners.windows import Cutter, WindowSpec, pooled

TEXT = "Rain fell on the wall. Nobody saw the wall. A wall!\nThe rain went on."


def count(*words: str):
    """Scores that are numbers of words, and what was asked."""
    asked: list[str] = []

    def scores(texts):
        asked.extend(texts)
        return np.array([[text.lower().count(word) for word in words] for text in texts], np.float64)

    return scores, asked


def starts(texts):
    """A token is a word."""
    return [np.array([at for at, sign in enumerate(text) if not sign.isspace() and (at == 0 or text[at - 1].isspace())], np.int64) for text in texts]


def cut(title: str, text: str, *, overlap: int = 0, most: int | None = None):
    return Cutter(WindowSpec(size=16, overlap=overlap, most=most), 16, starts, sentence_spans).cut([title], [text])


def test_sentences_add_what_is_lost_without_them():
    scores, asked = count("wall", "rain")
    spans = sentence_spans(TEXT)
    found = occluded(scores, TEXT, spans)
    assert found.added.tolist() == [[1, 1], [1, 0], [1, 0], [0, 1]]
    assert found.tried.all()
    assert found.left_out == 0
    assert found.windows.tolist() == [0, 0, 0, 0]
    assert asked[0] == TEXT
    assert asked[1] == "Nobody saw the wall. A wall!\nThe rain went on."
    assert asked[2] == "Rain fell on the wall. A wall!\nThe rain went on."
    assert len(asked) == 5


def test_what_only_two_sentences_together_say_is_given_to_both():
    found = occluded(lambda texts: np.array([[float("saw" in text and "fell" in text)] for text in texts]), TEXT, sentence_spans(TEXT))
    assert found.added[:, 0].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(("most", "tried"), [(0, 0), (2, 2), (4, 4), (9, 4)])
def test_no_more_are_tried_than_is_said_and_the_others_are_told(most, tried):
    scores, asked = count("wall")
    found = occluded(scores, TEXT, sentence_spans(TEXT), most=most)
    assert found.tried.sum() == tried
    assert found.left_out == 4 - tried
    assert (found.added[tried:] == 0).all()
    assert len(asked) == 1 + tried


def test_the_cost_of_a_long_article_is_bounded():
    scores, asked = count("wall")
    text = "The wall. " * (3 * MOST)
    found = occluded(scores, text, sentence_spans(text))
    assert len(asked) == MOST + 1
    assert found.left_out == 2 * MOST


def test_a_text_without_a_sentence_has_no_parts():
    found = occluded(count("wall")[0], "", [])
    assert found.added.shape == (0, 1)


LONG = "One wall is here now, and one more is there. Rain fell on both. They saw a wall and a wall and then went. The end of it."


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_only_the_windows_that_hold_a_sentence_are_read_again(pooling):
    scores, asked = count("wall", "rain", "dam")
    windows = cut("Dam!", LONG, overlap=5)
    assert len(windows) > 2
    shares = windows.shares if pooling == "mean" else None
    spans = sentence_spans(LONG)
    found = occluded_windows(scores, lambda values: pooled(values, windows.starts, shares)[0], windows, spans)
    whole = asked[: len(windows)]
    assert whole == list(windows.texts)
    # by its definition: every window without the sentence, pooled as before
    score = pooled(scores(whole), windows.starts, shares)[0]
    for number, piece in enumerate(["Dam!\n", *(LONG[start:end] for start, end in spans)]):
        without = scores([text.replace(f"{piece} ", "").replace(piece, "") for text in whole])
        np.testing.assert_allclose(found.added[number], score - pooled(without, windows.starts, shares)[0])
    holding = sum(piece in text for piece in ["Dam!", *(LONG[start:end] for start, end in spans)] for text in whole)
    assert len(asked) == len(windows) + holding + len(whole) * (2 + len(spans))


def test_what_no_window_holds_is_not_tried():
    windows = cut("", LONG, most=1)
    spans = sentence_spans(LONG)
    found = occluded_windows(count("wall")[0], lambda values: values[0], windows, spans)
    held = [False, *(start < windows.spans[0, 1] for start, _ in spans)]  # there is no headline
    assert found.tried.tolist() == held
    assert 0 < sum(held) < len(spans)
    assert found.windows.tolist() == [0 if there else -1 for there in held]


def test_a_sentence_that_was_cut_is_left_out_of_each_window_that_has_a_part():
    text = "wall " * 40 + "end."
    windows = cut("", text)
    found = occluded_windows(count("wall")[0], lambda values: values.sum(axis=0), windows, sentence_spans(text))
    assert found.added[1, 0] == sum(piece.count("wall") for piece in windows.texts) >= 40
