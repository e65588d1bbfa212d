"""Evidence: what each n-gram, and each word as an encoder read it, added to a label's score, by sentences with their place in the original."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from newsclf.article import Evidence, Phrase
from newsclf.corpus.clean import CleanArticle
from newsclf.learners.ngrams import Ids, tokenise
from newsclf.learners.protocol import Contributions
from newsclf.learners.sentences import line_spans, sentence_spans

PHRASES = 3
"""Phrases shown for each sentence."""


@dataclass(frozen=True)
class Sentences:
    """The sentences of a cleaned article, the title first; sentence i has the words starts[i]:starts[i + 1]."""

    article: CleanArticle
    spans: tuple[tuple[str, int, int], ...]
    """Field, start and end in the cleaned field."""

    starts: Ids

    @classmethod
    def of(cls, article: CleanArticle) -> Sentences:
        """Split a cleaned article."""
        title, text = article.title.text, article.text.text
        for spans in (sentence_spans(text), line_spans(text)):
            whole, *sizes = np.diff(tokenise([f"{title}\n{text}", title, *(text[start:end] for start, end in spans)]).starts)
            # the words of the sentences are those of the article unless a boundary falls within one, which the end of a line never does
            if sum(sizes) == whole:
                break
        return cls(article, (("title", 0, len(title)), *(("text", *span) for span in spans)), np.cumsum([0, *sizes]))

    def evidence(self, label: str, contributions: Contributions, *, most: int, named: Ids | None = None) -> tuple[Evidence, ...]:
        """The sentences that spoke for a label, strongest first; before them those with a word at one of `named`, where a target is named."""
        # an entry belongs to the sentence of its first word; side="right" steps over sentences without a word, an empty title for one
        sentence = self._of(contributions.positions)
        weights = np.bincount(sentence, contributions.weights, minlength=len(self.spans))  # [sentences]
        first = np.isin(np.arange(len(self.spans)), self._of(named)) if named is not None else np.zeros(len(self.spans), np.bool_)
        order = np.lexsort((-weights, ~(first & (weights > 0))))[:most]
        return tuple(self._one(label, index, weights[index], contributions, sentence) for index in order.tolist() if weights[index] > 0)

    def _of(self, positions: Ids) -> Ids:
        """Which sentence each word is in. [positions]"""
        return np.searchsorted(self.starts, positions, side="right") - 1

    def _one(self, label: str, index: int, weight: float, contributions: Contributions, sentence: Ids) -> Evidence:
        field, start, end = self.spans[index]
        cleaned = self.article.title if field == "title" else self.article.text
        begin, stop = cleaned.original(start, end)
        entries = np.flatnonzero(sentence == index)
        phrases: dict[str, float] = {}
        for entry in entries.tolist():
            if phrase := contributions.phrases[entry]:
                phrases[phrase] = phrases.get(phrase, 0.0) + float(contributions.weights[entry])
        strongest = sorted(phrases.items(), key=lambda item: (-item[1], item[0]))[:PHRASES]
        shown = tuple(Phrase(text, value) for text, value in strongest if value > 0)
        window, encoder = _reading(contributions, entries)
        return Evidence(label, field, begin, stop, cleaned.text[start:end], float(weight), shown, encoder, window, contributions.window_count)


def _reading(contributions: Contributions, entries: Ids) -> tuple[int, float]:
    """The window, from 1, that gave a sentence's entries most, 0 for none; and what all windows gave."""
    if contributions.windows is None:
        return 0, 0.0
    read = entries[contributions.windows[entries] >= 0]
    if not len(read):
        return 0, 0.0
    of_windows = np.bincount(contributions.windows[read], contributions.weights[read])
    known = np.unique(contributions.windows[read])
    return int(known[of_windows[known].argmax()]) + 1, float(contributions.weights[read].sum())
