"""Sentences lie apart and in order in the text as given, whatever is in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.learners.sentences import sentence_spans

TEXTS = st.lists(st.one_of(st.sampled_from([". ", "! ", "\n", "A", "b", " ", "\ud800", "\udfff", "😀", "Dr. ", "“"]), st.characters()), max_size=30)


@pytest.mark.parametrize("half", ["\ud83d", "\ud83d\ude00", "\udc80\udc80\udc80"])
def test_half_a_surrogate_pair_moves_no_sentence(half):
    text = f"The ferry {half} stopped. It was late{half}. {half}Nobody knew."
    plain = text.replace(half, "x" * len(half))
    assert sentence_spans(text) == sentence_spans(plain)
    assert [text[start:end] for start, end in sentence_spans(text)] == [f"The ferry {half} stopped.", f"It was late{half}.", f"{half}Nobody knew."]


@settings(max_examples=300, deadline=None)
@given(TEXTS.map("".join))
def test_sentences_of_any_text_lie_apart_and_leave_white_space_alone(text):
    end = 0
    for start, stop in sentence_spans(text):
        assert end <= start < stop <= len(text)
        assert not text[end:start].strip()
        assert text[start:stop] == text[start:stop].strip()
        end = stop
    assert not text[end:].strip()
