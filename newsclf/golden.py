"""Golden inputs: texts made of a model's own vocabulary, in its own language, so that every block of weights is exercised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from newsclf.codebook import Codebook
from newsclf.learners.protocol import Documents, Pairs, Parts

DOCUMENTS = 8
TERMS = 24
"""N-grams of each vocabulary in each document."""


def golden_pairs(parts: Parts, codebook: Codebook) -> Pairs:
    """Eight documents of n-grams spread evenly over each vocabulary; for stance, with the codebook's targets and one that is not in it."""
    titles, texts, targets = [], [], []
    asked = [*codebook.targets, "something else"] if codebook.is_stance else []
    for number in range(DOCUMENTS):
        target = asked[number % len(asked)] if asked else ""
        words = [term for name, terms in parts.vocabularies.items() if name != "targets" for term in _spread(terms, number)]
        titles.append(" ".join(_spread(parts.vocabularies.get("title", ()), number)))
        # the target stands in the middle, so that the words around its mentions are n-grams of the model too
        texts.append(" ".join([*words[: len(words) // 2], target, *words[len(words) // 2 :]]))
        targets.append(target)
    return Pairs(Documents(titles, texts), np.arange(DOCUMENTS), targets if asked else ())


def _spread(terms: Sequence[str], number: int) -> list[str]:
    step = max(1, len(terms) // (DOCUMENTS * TERMS))
    return list(terms[number * step :: DOCUMENTS * step][:TERMS])
