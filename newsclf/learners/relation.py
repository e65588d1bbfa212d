"""How an article and a target go together: what they share in words and in meaning, for targets that were never coded as for those that were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from newsclf.learners.features import LEAD
from newsclf.learners.mentions import as_words
from newsclf.learners.protocol import Documents, Pairs
from newsclf.learners.sentences import sentence_spans
from newsclf.scores.metrics import Floats

SHARED = 4
"""Measures of shared words: in the article, its lead, its nearest sentence, and of the target's pairs of words in the article."""

STEPS = 10
"""Columns of a measure."""

WEIGHT = 0.3
"""Of each column, beside vectors of length 1. With measures like these, macro-F1 on VAST's training comments, whole targets held out, was .736 where
n-grams, vector and product alone had .710; no other weight was tried."""


def shared(pairs: Pairs) -> Floats:
    """Shares of the words of each pair's target that its document has too, from 0 to 1. [pairs, SHARED]"""
    known = {target: as_words([target])[0] for target in dict.fromkeys(pairs.targets)}
    rows, place = np.unique(pairs.rows, return_inverse=True)
    read = [_Read(pairs.documents, row) for row in rows.tolist()]
    return np.array([read[at].shares(known[target]) for at, target in zip(place.tolist(), pairs.targets, strict=True)]).reshape(-1, SHARED)


def steps(measures: Floats) -> Floats:
    """Each measure as ten columns that rise one after the other, so that a linear machine can bend. [pairs, measures] → [pairs, measures · STEPS]"""
    risen = np.clip(measures[:, :, None] * STEPS - np.arange(STEPS), 0, 1)
    return np.asarray(WEIGHT * risen.reshape(len(measures), -1))


class _Read:
    """The words of one document, as they are asked for by each of its targets."""

    def __init__(self, documents: Documents, row: int) -> None:
        title, text = documents.titles[row], documents.texts[row]
        headline, whole, *sentences = as_words([title, text, *(text[start:end] for start, end in sentence_spans(text))])
        every = [*headline, *whole]
        self.words, self.lead, self.pairs = set(every), set(every[:LEAD]), set(_twos(every))
        self.sentences = [set(sentence) for sentence in (headline, *sentences)]

    def shares(self, target: Sequence[str]) -> tuple[float, float, float, float]:
        words, twos = set(target), set(_twos(target))
        nearest = max(len(words & sentence) for sentence in self.sentences)
        found = (len(words & self.words), len(words & self.lead), nearest)
        whole, lead, sentence = (count / max(len(words), 1) for count in found)
        return whole, lead, sentence, len(twos & self.pairs) / max(len(twos), 1)


def _twos(words: Sequence[str]) -> Iterable[tuple[str, str]]:
    return pairwise(words)
