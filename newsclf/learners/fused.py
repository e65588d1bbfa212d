"""N-grams and an encoder's vectors side by side: what the one does not see, the other does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from newsclf.learners.blocks import Matrix
from newsclf.learners.embedding import Embedder
from newsclf.learners.features import Counted, Features
from newsclf.learners.ngrams import Ids
from newsclf.learners.protocol import Pairs
from newsclf.learners.relation import SHARED, STEPS, shared, steps
from newsclf.scores.metrics import Floats


@dataclass(frozen=True)
class CountedBeside(Counted):
    """N-gram counts of pairs, and their vectors."""

    vectors: Floats
    """[pairs, dims]"""

    dim: int
    """How many of them are the document's own."""


@dataclass(frozen=True)
class Fused(Features):
    """The columns of the n-grams, and after them those of the vectors."""

    scale: float = 1.0
    """Length of a pair's vector, beside 1 for its single words."""

    @classmethod
    def of(cls, features: Features, scale: float) -> Self:
        """These n-grams, with vectors of this length beside them."""
        return cls(features.blocks, features.mentions, features.crossed, scale)

    def weigh(self, counted: Counted) -> Matrix:
        """The matrix that weights are multiplied with. float32 [pairs, features + dims + targets with columns of their own · dim]"""
        words = super().weigh(counted)
        if not isinstance(counted, CountedBeside):
            return words
        vectors = (self.scale * counted.vectors).astype(np.float32)
        blocks = [words, sparse.csr_array(vectors)]
        if self.crossed:
            own, dim = self.own(counted.targets), counted.dim
            rows = np.flatnonzero(own >= 0)
            starts = np.concatenate(([0], np.cumsum(own >= 0) * dim))
            columns = (own[rows, None] * dim + np.arange(dim)).ravel()
            blocks.append(sparse.csr_array((vectors[rows, :dim].ravel(), columns, starts), shape=(len(own), dim * len(self.crossed))))
        both: Matrix = sparse.hstack(blocks, format="csr")
        return Matrix((both.data, both.indices.astype(np.int32), both.indptr.astype(np.int32)), shape=both.shape)


@dataclass(frozen=True)
class Head:
    """Weights over the vectors' columns: what all targets share, and what targets that were often coded add to it for the document's own vector."""

    shared: np.ndarray
    """float32 [dims, labels]"""

    own: np.ndarray
    """float32 [targets, dim, labels]"""

    @classmethod
    def of(cls, weights: np.ndarray, *, dim: int, targets: int) -> Self:
        """From the rows of a fit, in the order of `Fused.weigh`'s columns. [dims + targets · dim, labels]"""
        dims = len(weights) - dim * targets
        return cls(np.ascontiguousarray(weights[:dims]), np.ascontiguousarray(weights[dims:]).reshape(targets, dim, weights.shape[1]))

    def about(self, own: int) -> Floats:
        """The weights for a target: its number among those with columns of their own, or -1. [dims, labels]"""
        found = self.shared.astype(np.float64)
        if own >= 0:
            found[: self.own.shape[1]] += self.own[own]
        return found

    def scores(self, vectors: Floats, own: Ids) -> Floats:
        """What the vectors of pairs add, with the number of each one's target. [pairs, dims], [pairs] → [pairs, labels]"""
        found = np.zeros((len(vectors), self.shared.shape[1]))
        for number in np.unique(own).tolist():
            found[own == number] = vectors[own == number] @ self.about(number)
        return found


def vectors_of(pairs: Pairs, embedder: Embedder) -> Floats:
    """What an encoder says of each pair, in blocks of length 1: its document's vector, and with a target how the two go together. [pairs, width]

    With a target these are the product and the distance of the two vectors, number by number (Conneau et al. 2017), and steps of how much they share
    in words and in meaning (`relation.py`): so a target that was never seen is told from one that was by what it means.
    """
    read = embedder.read(pairs.documents)
    targets = of_targets(pairs.targets, embedder)
    found = of_documents(read.vectors[pairs.rows], targets)
    if targets is None:
        return found
    windows = unit(read.of_windows)
    nearest = [
        (windows[read.windows.starts[row] : read.windows.starts[row + 1]] @ target).max() for row, target in zip(pairs.rows, targets, strict=True)
    ]
    whole = (found[:, : targets.shape[1]] * targets).sum(axis=1)
    return np.hstack([found, steps(np.column_stack([shared(pairs), whole, np.array(nearest)]))])


def width(dim: int, *, is_stance: bool) -> int:
    """Columns of `vectors_of` for vectors of so many numbers."""
    return 3 * dim + (SHARED + 2) * STEPS if is_stance else dim


def of_targets(targets: Sequence[str], embedder: Embedder) -> Floats | None:
    """A vector of length 1 for the target of each pair; None where the task has none. [pairs, dim]"""
    if not targets:
        return None
    known = list(dict.fromkeys(targets))
    return unit(embedder.texts(known))[[known.index(target) for target in targets]]


def of_documents(documents: Floats, targets: Floats | None) -> Floats:
    """The vectors of each pair from those of its document, of any length, and its target. [pairs, dim] each → [pairs, dim or 3 · dim]"""
    documents = unit(documents)
    return documents if targets is None else np.hstack([documents, unit(documents * targets), unit(np.abs(documents - targets))])


def slopes(document: Floats, target: Floats | None, head: Floats) -> Floats:
    """What a document's vector is multiplied with, its length given, to give what `of_documents` adds under a head. [dim, labels]

    Exact for what the document's vector is in; what the target's adds alone, and what rests on shared words, is nobody's. `document` and `target`
    [dim], `head` [width, labels].
    """
    dim, length = len(document), np.linalg.norm(document)
    if not length:
        return np.zeros((dim, head.shape[1]))
    found = head[:dim].astype(np.float64)
    if target is not None:
        alone = document / length
        # what each number of the two blocks moves by with the document's, and the block before it is brought to length 1
        for start, moves, block in ((dim, target, alone * target), (2 * dim, np.sign(alone - target), alone - target)):
            size = np.linalg.norm(block)
            found += head[start : start + dim] * moves[:, None] / size if size else 0.0
    return np.asarray(found / length)


def unit(vectors: Floats) -> Floats:
    """Vectors of length 1; one that is all zeros stays so. [vectors, dims]"""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0))
