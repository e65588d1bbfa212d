"""Evidence: what each n-gram added to a label's score, summed to sentences with their place in the original."""

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

    def evidence(self, label: str, contributions: Contributions, *, most: int) -> tuple[Evidence, ...]:
        """The sentences that spoke for a label, strongest first."""
        # an n-gram belongs to the sentence of its first word; side="right" steps over sentences without a word, an empty title for one
        sentence = np.searchsorted(self.starts, contributions.positions, side="right") - 1
        weights = np.bincount(sentence, contributions.weights, minlength=len(self.spans))  # [sentences]
        order = np.argsort(-weights, kind="stable")[:most]
        return tuple(self._one(label, index, weights[index], contributions, sentence) for index in order.tolist() if weights[index] > 0)

    def _one(self, label: str, index: int, weight: float, contributions: Contributions, sentence: Ids) -> Evidence:
        field, start, end = self.spans[index]
        cleaned = self.article.title if field == "title" else self.article.text
        begin, stop = cleaned.original(start, end)
        phrases: dict[str, float] = {}
        for place in np.flatnonzero(sentence == index).tolist():
            phrase = contributions.phrases[place]
            phrases[phrase] = phrases.get(phrase, 0.0) + float(contributions.weights[place])
        strongest = sorted(phrases.items(), key=lambda item: (-item[1], item[0]))[:PHRASES]
        shown = tuple(Phrase(text, value) for text, value in strongest if value > 0)
        return Evidence(label, field, begin, stop, cleaned.text[start:end], float(weight), shown)
