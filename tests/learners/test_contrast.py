"""Tuning by comparison: the loss beside a plain reading of its formula, and an encoder that brings like articles together."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_encoder import WORDS, write_encoder

from newsclf.learners.contrast import Contrast, contrastive_loss
from newsclf.learners.encoder_engines import choose
from newsclf.learners.encoder_files import encoder_files
from newsclf.learners.encoder_runtime import Encoder
from newsclf.learners.pair_sampler import PairSampler
from newsclf.learners.pair_windows import PairReader
from newsclf.learners.protocol import Documents, Pairs
from newsclf.learners.tuning import TuningSpec
from newsclf.learners.windows import WindowSpec

torch = pytest.importorskip("torch", reason="the neural extra is not installed")

TEXTS = [f"the {'river' if row % 2 else 'train'} {WORDS[2 + row % 7]} {WORDS[9 + row % 5]} {'fish' if row % 2 else 'road'}" for row in range(16)]
CODES = np.arange(16) % 2
TRUTH = np.eye(2, dtype=np.bool_)[CODES]


def plain(vectors, compared, temperature):
    """The loss as Khosla et al. write it, in loops."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = range(len(unit))
    total = 0.0
    for row in rows:
        others = [other for other in rows if compared.counts[row, other]]
        weights = {other: compared.alike[row, other] for other in others if compared.alike[row, other] > 0}
        below = sum(np.exp(unit[row] @ unit[other] / temperature) for other in others)
        for other, weight in weights.items():
            total -= weight / sum(weights.values()) * np.log(np.exp(unit[row] @ unit[other] / temperature) / below)
    return total


@pytest.mark.parametrize("temperature", [0.05, 0.5])
@pytest.mark.parametrize(
    ("truth", "targets"),
    [
        (TRUTH, ()),
        (np.random.default_rng(3).random((16, 4)) < 0.4, ()),
        (TRUTH, ["a", "a", "b", "c"] * 4),
    ],
    ids=["exclusive", "multi", "stance"],
)
def test_the_loss_is_that_of_the_paper(truth, targets, temperature):
    vectors = np.random.default_rng(0).normal(size=(16, 5))
    compared = PairSampler.of(truth, targets).compare(np.arange(16))
    found = contrastive_loss(torch.from_numpy(vectors), compared, temperature)
    assert float(found) == pytest.approx(plain(vectors, compared, temperature), rel=1e-5)


def test_rows_that_nothing_is_like_have_no_loss_and_no_broken_gradient():
    vectors = torch.randn(3, 4, requires_grad=True)
    compared = PairSampler.of(np.eye(3, dtype=np.bool_)).compare(np.arange(3))
    loss = contrastive_loss(vectors, compared, 0.1)
    loss.backward()
    assert float(loss.detach()) == 0
    assert (vectors.grad == 0).all()


def test_the_gradient_is_finite_where_some_rows_are_compared_with_none():
    vectors = torch.randn(16, 4, requires_grad=True)
    compared = PairSampler.of(TRUTH, ["a"] * 15 + ["b"]).compare(np.arange(16))
    contrastive_loss(vectors, compared, 0.1).backward()
    assert torch.isfinite(vectors.grad).all()
    assert (vectors.grad[15] == 0).all()


@pytest.fixture(scope="module")
def contrast(tmp_path_factory):
    torch.set_num_threads(1)
    files = encoder_files(write_encoder(tmp_path_factory.mktemp("encoder")))
    windows = PairReader(files, WindowSpec(size=16, overlap=0, most=1)).read(Pairs.of(Documents([""] * 16, TEXTS)))
    return Contrast(files, windows, "cpu", 0.1)


def tuned(contrast, *, inside=None, **settings):
    inside = np.arange(16) if inside is None else inside
    return contrast.tuned(PairSampler.of(TRUTH[inside]), inside, TuningSpec(**{"epochs": 6, "learning_rate": 5e-3} | settings))


def gap(files):
    """How much nearer articles of one label are to each other than to those of the other."""
    vectors = Encoder(files, choose("torch-fp32"), 1, tokens=files.tokens).encode(TEXTS)
    cosines = vectors @ vectors.T
    same = CODES[:, None] == CODES[None, :]
    return cosines[same & ~np.eye(16, dtype=np.bool_)].mean() - cosines[~same].mean()


def test_like_articles_come_together_and_others_apart(contrast):
    assert gap(tuned(contrast, epochs=40)) > gap(contrast.files) + 0.3


def test_the_same_seed_gives_the_same_weights_and_another_one_others(contrast):
    first, again, other = (tuned(contrast, epochs=1, seed=seed).fingerprint for seed in (0, 0, 1))
    assert first == again != other


def test_the_tuned_encoder_is_another_one_of_the_same_base(contrast):
    found = tuned(contrast, epochs=1)
    assert found.fingerprint != contrast.files.fingerprint
    assert found.base == contrast.files.fingerprint == contrast.files.base
    assert found.tuned
    # the largest table stays the encoder's own, and is not stored
    assert not any("word_embeddings" in name for name in found.tuned)


def test_rows_that_are_not_inside_are_not_learnt_from(contrast):
    inside = np.arange(12)
    changed = Contrast(contrast.files, contrast.windows.take(np.r_[inside, 0, 0, 0, 0]), "cpu", 0.1)
    assert tuned(contrast, inside=inside, epochs=1).fingerprint == tuned(changed, inside=inside, epochs=1).fingerprint
