"""Golden inputs: texts made of a model's own vocabulary, in its own language, so that every block of weights is exercised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from newsclf.codebook import Codebook
from newsclf.learners.protocol import Documents, Pairs, Parts

DOCUMENTS = 8
TERMS = 24
"""N-grams of each vocabulary in each document."""

UNSEEN = "something else"
"""A target that no model has weights of its own for."""


def golden_pairs(parts: Parts, codebook: Codebook) -> Pairs:
    """Eight documents of n-grams spread evenly over each vocabulary; for stance about every target of codebook and model, and more where needed."""
    vocabularies = dict(parts.vocabularies)
    targets, near, lead = (vocabularies.pop(name, ()) for name in ("targets", "near", "lead"))
    known = list(dict.fromkeys([*codebook.targets, *targets, UNSEEN])) if codebook.is_stance else []
    titles, texts, asked = [], [], []
    for number in range(max(DOCUMENTS, len(known))):
        target = known[number % len(known)] if known else ""
        # the lead's own terms come first: further down they would not be in it
        words = [*_spread(lead, number), *(term for terms in vocabularies.values() for term in _spread(terms, number))]
        around = _spread(near, number)
        # what a model counts near its target stands at both sides of it, and everything else beyond
        before = [*words[: len(words) // 2], *around[: len(around) // 2]]
        after = [*around[len(around) // 2 :], *words[len(words) // 2 :]]
        titles.append(" ".join(_spread(vocabularies.get("title", ()), number)))
        texts.append(" ".join([*before, target, *after]))
        asked.append(target)
    return Pairs(Documents(titles, texts), np.arange(len(texts)), asked if known else ())


def _spread(terms: Sequence[str], number: int) -> list[str]:
    """The terms of one document: all of a small vocabulary, else every eighth of those that lie evenly over the whole of it."""
    if len(terms) <= TERMS:
        return list(terms)
    places = min(len(terms), DOCUMENTS * TERMS)
    return [terms[place * len(terms) // places] for place in range(number % DOCUMENTS, places, DOCUMENTS)]
