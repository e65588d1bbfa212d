"""What an engine computes for an encoder, and the check that two of them compute the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsclf.learners.batching import Tokens
from newsclf.learners.encoder_files import EncoderFiles

Vectors = NDArray[np.float32]
"""Embeddings. [texts, dim]"""

Forward = Callable[[Tokens, Tokens], Vectors]
"""Token numbers and mask → pooled embeddings, not normalised: [batch, tokens] twice → [batch, dim]. Raises MemoryError for too large a batch."""

Hidden = Callable[[Tokens, Tokens], Vectors]
"""Token numbers and mask → what the last layer says of each token: [batch, tokens] twice → [batch, tokens, dim]. Raises as `Forward` does."""

COSINE = 0.999
"""Least cosine between what an engine gives for a text and what torch-fp32 gives: 16-bit floats have .99997, dynamic 8-bit weights .8."""


@dataclass(frozen=True)
class Parity:
    """How near an engine's embeddings are to those of torch-fp32."""

    cosine: float
    """The least of any text."""

    difference: float
    """The largest of any number of an embedding."""

    @property
    def holds(self) -> bool:
        """Whether the engine may be used."""
        return self.cosine >= COSINE


def parity(one: Forward, reference: Forward, files: EncoderFiles, *, texts: int = 8, tokens: int | None = None) -> Parity:
    """Compare two engines on token sequences drawn with a fixed seed, in one padded batch.

    They have from three tokens to `tokens`, or as many as the encoder reads.
    """
    dice, most = np.random.default_rng(0), min(files.tokens, tokens or files.tokens)
    lengths = np.linspace(3, most, texts).astype(np.int64)
    ids = dice.integers(0, files.numbers.embedding[0], (texts, most))
    mask = (np.arange(most) < lengths[:, None]).astype(np.int64)
    # the padding token moves the positions of those after it in encoders that count positions by it
    pad = files.numbers.pad
    ids = np.where(mask == 1, np.where(ids == pad, pad + 1 if pad == 0 else pad - 1, ids), pad)
    ours, theirs = one(ids, mask).astype(np.float64), reference(ids, mask).astype(np.float64)
    lengths_of = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    cosines = (ours * theirs).sum(axis=1) / np.maximum(lengths_of, np.finfo(np.float64).tiny)
    return Parity(float(cosines.min()), float(np.abs(ours - theirs).max()))
