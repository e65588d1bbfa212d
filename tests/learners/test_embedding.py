"""An encoder reads each window once, whoever asks and wherever its files lie."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_encoder import WORDS, encoded_texts, write_encoder

from newsclf.learners.embedding import embedder, embedder_for
from newsclf.learners.encoder_files import encoder_files
from newsclf.learners.protocol import Documents, Parts
from newsclf.learners.windows import WindowSpec

pytest.importorskip("torch", reason="the neural extra is not installed")
SHORT, OTHER = "The rain fell over the old bridge.", "A long night at the fish market."
LONG = "The river rose in the night. The old bridge held, the mayor said. The school is shut for a week. The market is under the road."


@pytest.fixture
def folder(tmp_path):
    return write_encoder(tmp_path / "tiny")


@pytest.fixture
def encoded(monkeypatch):
    """How often each text was encoded."""
    return encoded_texts(monkeypatch)


def read(folder, documents, **windows):
    return embedder(str(folder), "torch-fp32", WindowSpec(**windows)).read(documents)


def test_copies_of_an_encoder_are_opened_once(folder, tmp_path):
    copy = write_encoder(tmp_path / "copy")
    assert embedder(str(folder), "torch-fp32", WindowSpec()) is embedder(str(copy), "torch-fp32", WindowSpec())
    other = write_encoder(tmp_path / "other", words=[*WORDS, "harbour"])
    assert embedder(str(other), "torch-fp32", WindowSpec()).encoder is not embedder(str(folder), "torch-fp32", WindowSpec()).encoder


def test_ways_of_cutting_share_the_opened_encoder(folder):
    first, second = (embedder(str(folder), "torch-fp32", WindowSpec(most=most)) for most in (1, 2))
    assert first is not second
    assert first.encoder is second.encoder


def test_an_encoder_that_was_changed_is_opened_again(folder):
    before = embedder(str(folder), "torch-fp32", WindowSpec())
    write_encoder(folder, words=[*WORDS, "harbour"])
    assert embedder(str(folder), "torch-fp32", WindowSpec()).fingerprint != before.fingerprint


def test_a_model_gets_the_encoder_that_is_opened_already(folder, tmp_path):
    class Spec:
        encoder, engine, windows = str(write_encoder(tmp_path / "copy")), "torch-fp32", WindowSpec()

    parts = Parts({}, {}, {"encoder": encoder_files(folder).fingerprint})
    assert embedder_for(parts, Spec()) is embedder(str(folder), "torch-fp32", WindowSpec())


def test_documents_are_read_once_by_whoever_asks(folder, encoded):
    documents = Documents(["", ""], [SHORT, OTHER])
    assert read(folder, documents) is read(folder, documents)
    assert dict(encoded) == {SHORT: 1, OTHER: 1}


def test_windows_that_two_ways_of_cutting_share_are_encoded_once(folder, encoded):
    documents = Documents(["", "", ""], [SHORT, LONG, SHORT])
    few, all_of_them = read(folder, documents, most=1), read(folder, documents)
    assert len(few.windows.texts) < len(all_of_them.windows.texts)
    assert set(encoded) == {*few.windows.texts, *all_of_them.windows.texts}
    assert set(encoded.values()) == {1}


def test_documents_of_the_same_articles_share_what_was_read_and_nothing_else_does(folder, encoded):
    first = Documents([""] * 2, [SHORT, OTHER])
    second = Documents([""] * 3, [OTHER, "The town council.", SHORT], first.read)
    one, two = read(folder, first), read(folder, second)
    assert dict(encoded) == {SHORT: 1, OTHER: 1, "The town council.": 1}
    np.testing.assert_array_equal(two.vectors[[2, 0]], one.vectors)
    alone = read(folder, Documents([""] * 3, second.texts))
    assert encoded["The town council."] == 2
    np.testing.assert_allclose(two.vectors, alone.vectors, atol=1e-6)
