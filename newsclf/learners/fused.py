"""N-grams and an encoder's vectors side by side: what the one does not see, the other does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from newsclf.learners.blocks import Matrix
from newsclf.learners.embedding import Embedder
from newsclf.learners.features import Counted, Features
from newsclf.learners.protocol import Pairs
from newsclf.scores.metrics import Floats


@dataclass(frozen=True)
class CountedBeside(Counted):
    """N-gram counts of pairs, and their vectors."""

    vectors: Floats
    """[pairs, dims]"""


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
        """The matrix that weights are multiplied with. float32 [pairs, features + dims]"""
        words = super().weigh(counted)
        if not isinstance(counted, CountedBeside):
            return words
        vectors = sparse.csr_array((self.scale * counted.vectors).astype(np.float32))
        both: Matrix = sparse.hstack([words, vectors], format="csr")
        return Matrix((both.data, both.indices.astype(np.int32), both.indptr.astype(np.int32)), shape=both.shape)


def vectors_of(pairs: Pairs, embedder: Embedder) -> Floats:
    """A vector of length 1 for each pair: of its document; where it has a target also of how the two go together. [pairs, dims]

    Beside the document's own vector stands its product with the target's, number by number, so that a target that was never seen is told from one
    that was by what it means.
    """
    documents = unit(embedder.read(pairs.documents).vectors)[pairs.rows]
    if not pairs.targets:
        return documents
    known = list(dict.fromkeys(pairs.targets))
    of_targets = unit(embedder.texts(known))[[known.index(target) for target in pairs.targets]]
    return np.hstack([documents, unit(documents * of_targets)])


def unit(vectors: Floats) -> Floats:
    """Vectors of length 1; one that is all zeros stays so. [vectors, dims]"""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0))
