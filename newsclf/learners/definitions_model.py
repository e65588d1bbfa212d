"""A model that goes by definitions: how near an article is to what the codebook says, and what coded articles added to that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newsclf.learners.attribution import attribute
from newsclf.learners.fused import vectors_of
from newsclf.learners.linear import LinearModel
from newsclf.learners.protocol import Contributions, Pairs, Parts
from newsclf.learners.prototypes import Prototypes
from newsclf.scores.metrics import Floats

NOTHING = Contributions(np.empty(0, np.int64), np.empty(0), (), 0.0)
"""What n-grams add where nothing is coded."""


@dataclass(frozen=True)
class DefinitionsModel:
    """Similarity to the definitions, and, where articles were coded, weights over n-grams and over the encoder's vectors."""

    prototypes: Prototypes
    prior: float
    """What the similarity is multiplied with."""

    words: LinearModel | None
    """None where nothing is coded."""

    head: np.ndarray
    """float32 [dims, labels]"""

    def scores(self, pairs: Pairs) -> Floats:
        """Similarity to the labels' definitions, and margins of what was learnt beside it. [pairs, labels]"""
        found = self.prior * self.prototypes.similarity(pairs)
        if self.words is None or not len(pairs):
            return found
        return np.asarray(found + self.words.scores(pairs) + vectors_of(pairs, self.prototypes.reader) @ self.head.astype(np.float64))

    def coverage(self, pairs: Pairs) -> Floats:
        """1, but where `windows.most` cuts an article off. [pairs]"""
        return np.asarray(self.prototypes.reader.read(pairs.documents).windows.coverage[pairs.rows])

    def contributions(self, pairs: Pairs, pair: int, labels: Sequence[int]) -> list[Contributions]:
        """What each n-gram added, exactly, and what each word did in the encoder's reading, as `attribute` splits it."""
        one = Pairs(pairs.documents, pairs.rows[pair : pair + 1], pairs.targets[pair : pair + 1])
        head = self.head.astype(np.float64)
        toward = self.prototypes.toward(one.targets[0] if one.targets else "")
        head[: len(toward)] += self.prior * toward
        reader = self.prototypes.reader
        beside, read = (vectors_of(one, reader) @ head)[0], attribute(one, reader, head)
        found = self.words.contributions(pairs, pair, labels) if self.words else [NOTHING] * len(labels)
        return [read.beside(each, label, float(beside[label])) for each, label in zip(found, labels, strict=True)]

    def telling(self, label: int, most: int) -> list[tuple[str, float]]:
        """The words and phrases with the largest weights for a label; where nothing is coded what the codebook says of it."""
        told = self.words.telling(label, most) if self.words else []
        name = self.prototypes.codebook.names[label]
        return told or sorted(self.prototypes.texts(name), key=lambda text: -text[1])[:most]

    def parts(self) -> Parts:
        """Those of the n-grams, the head, the weight of the definitions, and what they say; the encoder is named, not held."""
        words = self.words.parts() if self.words else Parts({}, {})
        said = dict.fromkeys(text for name in self.prototypes.codebook.names for text, _ in self.prototypes.texts(name))
        arrays = dict(words.arrays) | {"head": self.head, "prior": np.array([self.prior])}
        return Parts(arrays, dict(words.vocabularies) | {"definitions": list(said)}, {"encoder": self.prototypes.reader.fingerprint})
