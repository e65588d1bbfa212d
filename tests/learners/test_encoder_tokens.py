"""Token numbers are those of the encoder's own tokenizer, cut where they must be."""

from __future__ import annotations

import pytest
from tiny_encoder import TOKENIZER, write_encoder, write_json

from newsclf.errors import BundleError
from newsclf.learners import encoder_tokens
from newsclf.learners.encoder_files import encoder_files
from newsclf.learners.encoder_tokens import Tokenizer

pytest.importorskip("tokenizers")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return Tokenizer(encoder_files(write_encoder(tmp_path_factory.mktemp("tiny"))))


def read(tokenizer, texts, most=24):
    return [(ids.tolist(), length) for ids, length in tokenizer(texts, most=most)]


def test_tokens_stand_between_marks_and_unknown_words_have_a_number_of_their_own(tokenizer):
    assert read(tokenizer, ["The rain, over TOWN", ""]) == [([2, 4, 6, 1, 16, 8, 3], 7), ([2, 3], 2)]


def test_a_text_that_is_too_long_is_cut_before_its_closing_mark_and_its_length_is_told(tokenizer):
    assert read(tokenizer, ["rain " * 40], most=5) == [([2, 6, 6, 6, 3], 42)]
    assert read(tokenizer, ["rain rain rain"], most=5) == [([2, 6, 6, 6, 3], 5)]


@pytest.mark.parametrize(
    ("text", "most", "ids", "starts"),
    [
        ("The rain, over TOWN", 24, [2, 4, 6, 1, 16, 8, 3], [-1, 0, 4, 8, 10, 15, -1]),
        ("rain rain rain rain", 5, [2, 6, 6, 6, 3], [-1, 0, 5, 10, -1]),
        ("", 5, [2, 3], [-1, -1]),
    ],
)
def test_tokens_say_where_they_begin_and_marks_nowhere(tokenizer, text, most, ids, starts):
    assert [(found.tolist(), places.tolist()) for found, places in tokenizer.placed([text], most=most)] == [(ids, starts)]


def test_what_the_file_says_of_truncation_is_not_obeyed(tokenizer):
    assert TOKENIZER["truncation"]["max_length"] == 8
    assert read(tokenizer, ["rain " * 20])[0][1] == 22


def test_a_tokenizer_without_marks_gives_none(tmp_path):
    folder = write_encoder(tmp_path)
    write_json(folder / "tokenizer.json", {**TOKENIZER, "post_processor": None})
    assert read(Tokenizer(encoder_files(folder)), ["rain rain rain", ""], most=2) == [([6, 6], 3), ([], 0)]


def test_half_a_surrogate_pair_is_an_unknown_character(tokenizer):
    assert read(tokenizer, ["rain \ud800 town", "rain \U0001f327 town"]) == [([2, 6, 8, 3], 4), ([2, 6, 1, 8, 3], 5)]


def test_texts_come_in_their_order_whatever_is_tokenised_at_once(tokenizer, monkeypatch):
    texts = [" ".join(["rain"] * number) for number in (5, 0, 90, 1, 1, 30, 2)]
    whole = read(tokenizer, texts)
    monkeypatch.setattr(encoder_tokens, "CHARACTERS", 20)
    assert read(tokenizer, texts) == whole
    assert [length for _, length in whole] == [7, 2, 92, 3, 3, 32, 4]


def test_a_tokenizer_that_the_library_cannot_read_is_refused(tmp_path):
    folder = write_encoder(tmp_path)
    write_json(folder / "tokenizer.json", {**TOKENIZER, "pre_tokenizer": {"type": "Nonesuch"}})
    with pytest.raises(BundleError, match=r"tokenizer\.json: the tokenizers library cannot read this: .*copy the encoder again"):
        Tokenizer(encoder_files(folder))
