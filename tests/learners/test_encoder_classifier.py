"""An encoder with its head: what it says of windows does not depend on batches, memory or the order."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from tiny_encoder import WORDS, write_encoder

from newsclf.errors import WorkerError
from newsclf.learners.encoder_classifier import Classifier, choose_device
from newsclf.learners.encoder_files import encoder_files
from newsclf.learners.encoder_runtime import Encoder
from newsclf.learners.pair_windows import PairReader
from newsclf.learners.protocol import Documents, Pairs
from newsclf.learners.windows import WindowSpec

torch = pytest.importorskip("torch", reason="the neural extra is not installed")

LABELS = 3


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return encoder_files(write_encoder(tmp_path_factory.mktemp("encoder")))


@pytest.fixture
def classifier(files):
    return with_a_head(files)


def with_a_head(files, pooling="mean", **settings):
    found = Classifier.open(files, LABELS, pooling=pooling, device="cpu", **settings)
    dice = np.random.default_rng(0)
    found.put({name: dice.normal(size=array.shape).astype(np.float32) for name, array in found.arrays("head").items()})
    return found


def texts(number=9, seed=0):
    dice = np.random.default_rng(seed)
    return [" ".join(dice.choice(WORDS, dice.integers(1, 40))) for _ in range(number)]


def windows(files, some, targets=()):
    return PairReader(files, WindowSpec()).read(Pairs(Documents([""] * len(some), some), np.arange(len(some)), targets))


def test_it_starts_from_the_encoder_as_it_is_and_a_head_of_zeros(files):
    found = Classifier.open(files, LABELS, pooling="mean", device="cpu")
    assert (found.scores(windows(files, texts())) == 0).all()
    short = ["rain over the town", "fish"]
    vectors = found.vectors(windows(files, short), np.arange(2)).detach().numpy()
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors, Encoder.open(files.folder, "torch-fp32", threads=1).encode(short), atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "max", "attention"])
def test_scores_do_not_depend_on_the_pairs_beside(files, pooling):
    found, some = with_a_head(files, pooling), texts()
    together = found.scores(windows(files, some))
    assert together.shape == (9, LABELS)
    for pair, text in enumerate(some):
        np.testing.assert_allclose(found.scores(windows(files, [text]))[0], together[pair], atol=1e-5)
    assert found.scores(windows(files, [])).shape == (0, LABELS)


def test_what_is_said_of_some_windows_comes_in_the_order_asked_for(files, classifier):
    read = windows(files, texts())
    every = classifier.values(read, np.arange(len(read.ids))).detach().numpy()
    some = np.array([7, 0, 5])
    np.testing.assert_allclose(classifier.values(read, some).detach().numpy(), every[some], atol=1e-5)


def test_a_target_is_read_as_a_segment_of_its_own(files, classifier):
    read = windows(files, ["rain over the town"] * 2, ["the river", "the train"])
    scores = classifier.scores(read)
    assert (scores[0] != scores[1]).all()
    flat = [np.zeros_like(segments) for segments in read.segments]
    assert (classifier.scores(type(read)(read.ids, flat, read.shares, read.starts, read.coverage)) != scores).all()


def test_no_weight_of_attention_is_dropped_and_other_numbers_are(files):
    found = with_a_head(files, dropout=0.4)
    rates = {name: part.p for name, part in found.module.named_modules() if isinstance(part, torch.nn.Dropout)}
    assert rates["encoder.encoder.layer.0.attention.self.dropout"] == 0
    assert {rate for name, rate in rates.items() if "self" not in name} == {0.4}
    read = windows(files, texts())
    found.module.train()
    one, other = (found.values(read, np.arange(4)) for _ in range(2))
    assert (one != other).any()


def short_of_memory(classifier, most, monkeypatch):
    vectors = Classifier._vectors

    def limited(self, some, batch):
        if len(batch.rows) > most:
            raise MemoryError
        return vectors(self, some, batch)

    monkeypatch.setattr(Classifier, "_vectors", limited)


def test_short_of_memory_a_batch_is_halved_and_that_is_said(files, classifier, monkeypatch, caplog):
    read = windows(files, texts())
    expected = classifier.scores(read)
    short_of_memory(classifier, 3, monkeypatch)
    with caplog.at_level(logging.WARNING, "newsclf"):
        np.testing.assert_allclose(classifier.scores(read), expected, atol=1e-5)
    assert "does not fit into memory on cpu: halved" in caplog.messages[0]


def test_a_single_window_that_does_not_fit_is_an_error_with_what_to_do(files, classifier, monkeypatch):
    short_of_memory(classifier, 0, monkeypatch)
    with pytest.raises(WorkerError, match=r"a single window of \d+ tokens does not fit into the memory of cpu; .*windows.size"):
        classifier.scores(windows(files, ["rain"]))


def test_what_is_put_is_there_and_what_does_not_fit_is_refused(files, classifier):
    given = {name: array + 1 for name, array in classifier.arrays("encoder").items()}
    classifier.put(given)
    assert all((classifier.arrays("encoder")[name] == array).all() for name, array in given.items())
    with pytest.raises(ValueError, match=r"the array 'encoder.nothing' is \[2\], the encoder has no such array"):
        classifier.put({"encoder.nothing": np.zeros(2)})
    with pytest.raises(ValueError, match=r"the array 'head.bias' is \[2\], the encoder has \[3\]"):
        classifier.put({"head.bias": np.zeros(2)})


def test_auto_takes_the_fastest_device_that_is_here():
    expected = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert choose_device() == expected
    assert choose_device("cpu") == "cpu"
