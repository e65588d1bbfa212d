"""The matrix that machines are fitted to, and the head that scores: one sum in two forms."""

from __future__ import annotations

import numpy as np

from newsclf.codebook import Codebook
from newsclf.learners.encoder import EncoderSpec
from newsclf.learners.features import OFTEN_CODED, Features
from newsclf.learners.fused import CountedBeside, Fused, Head
from newsclf.learners.protocol import Documents, Pairs

DIM, DIMS = 3, 5
TARGETS = ["bridge"] * OFTEN_CODED + ["market"] * OFTEN_CODED + ["harbour"] * 2
CODEBOOK = Codebook.parse(
    {"task": "stance", "kind": "exclusive", "labels": ["for", "against"], "targets": ["bridge", "market", "harbour"]}, where="the test"
)


def fused() -> tuple[Fused, CountedBeside]:
    texts = [f"the council said the {target} is old and the town needs it" for target in TARGETS]
    pairs = Pairs(Documents([""] * len(texts), texts), np.arange(len(texts)), TARGETS)
    features, counted = Features.learn(EncoderSpec(), pairs, CODEBOOK)
    vectors = np.random.default_rng(0).normal(size=(len(texts), DIMS))
    return Fused.of(features, 2.0), CountedBeside(counted.blocks, counted.targets, vectors, DIM)


def test_a_head_gives_what_the_columns_of_the_matrix_give():
    features, beside = fused()
    assert features.crossed == ("bridge", "market")
    weights = np.random.default_rng(1).normal(size=(len(features) + DIMS + 2 * DIM, 2)).astype(np.float32)
    whole = features.weigh(beside) @ weights
    words = Features(features.blocks, features.mentions, features.crossed).weigh(beside) @ weights[: len(features)]
    head = Head.of(weights[len(features) :] * np.float32(2.0), dim=DIM, targets=2)
    np.testing.assert_allclose(words + head.scores(beside.vectors, features.own(TARGETS)), whole, atol=1e-4)


def test_a_target_that_was_seldom_coded_has_the_shared_weights_alone():
    features, _ = fused()
    head = Head.of(np.ones((DIMS + 2 * DIM, 2), np.float32), dim=DIM, targets=2)
    assert features.own(["harbour", "bridge"]).tolist() == [-1, 0]
    np.testing.assert_array_equal(head.about(-1), np.ones((DIMS, 2)))
    np.testing.assert_array_equal(head.about(0)[:, 0], [2, 2, 2, 1, 1])
