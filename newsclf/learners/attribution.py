"""Where in an article an encoder read what its vector added to a score: by window, and within each by word, or by sentence.

The scores under a head are linear in the vectors of the windows, given the length of what they are pooled to, and an embedding that is a mean is
linear in what the last layer says of each token: the parts are exact, not estimated. What a token's vector holds of the words around it counts as
its own.
Other embeddings, and models that are not linear, are explained by leaving out sentence by sentence (`occlusion.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from newsclf.learners.embedding import Embedder
from newsclf.learners.encoder_parity import Vectors
from newsclf.learners.fused import of_documents, of_targets, slopes
from newsclf.learners.ngrams import Ids, tokenise
from newsclf.learners.occlusion import Read, occluded_windows
from newsclf.learners.protocol import Contributions, Documents, Pairs
from newsclf.learners.sentences import sentence_spans
from newsclf.learners.windows import Windows, given, pooled
from newsclf.scores.metrics import Booleans, Floats

logger = logging.getLogger("newsclf")

HELD = 64
"""Most windows of an article whose tokens' parts are held, so that its targets share one reading."""

TokenParts = Sequence[tuple[int, Ids, Vectors]]
"""For each window its number, where its tokens begin [tokens], and what each gives to its vector [tokens, dim]."""


@dataclass(frozen=True)
class Attribution:
    """What an encoder's reading of one article added to its scores, by word or sentence."""

    positions: Ids
    """Place of the word, or of the sentence's first one, among the words of title and text. [entries]"""

    windows: Ids
    """Which of the article's windows each entry is of. [entries]"""

    weights: Floats
    """[entries, labels]"""

    window_count: int

    def beside(self, words: Contributions, label: int, total: float) -> Contributions:
        """These after the n-grams' own, where all of the reading added so much: what stands for no word goes to the rest."""
        weights = self.weights[:, label]
        return Contributions(
            positions=np.concatenate([words.positions, self.positions]),
            weights=np.concatenate([words.weights, weights]),
            phrases=(*words.phrases, *[""] * len(weights)),
            rest=words.rest + total - float(weights.sum()),
            windows=np.concatenate([np.full(len(words.positions), -1), self.windows]),
            window_count=self.window_count,
        )


@dataclass(frozen=True)
class WordPlaces:
    """Where the words of a text, as n-grams count them, are. Places are code points."""

    inside: Booleans
    """Whether each code point is of a word. [code points]"""

    space: Booleans
    """Whether it is white space. [code points]"""

    starts: Ids
    """Where each word begins. [words]"""

    @classmethod
    def of(cls, text: str) -> Self:
        """Those of a text; what a word is depends on each code point alone."""
        points, which = np.unique(np.frombuffer(text.encode("utf-32-le"), np.uint32), return_inverse=True)
        characters = [chr(point) for point in points.tolist()]
        inside = (np.diff(tokenise(characters).starts) > 0)[which]
        space = np.array([character.isspace() for character in characters], np.bool_)[which]
        return cls(inside, space, np.flatnonzero(inside & ~np.concatenate([[False], inside[:-1]])))

    def __len__(self) -> int:
        return len(self.starts)

    def at(self, places: Ids) -> Ids:
        """Which word each place belongs to, -1 where the text has none. [places]

        A place between words belongs to the one before it, but a mark that opens something, after white space, to the one that follows.
        """
        if not len(self):
            return np.full(len(places), -1)
        places = np.clip(places, 0, len(self.inside) - 1)
        opens = ~self.inside[places] & (self.space[places] | (places == 0) | self.space[places - 1])
        return np.asarray(np.clip(np.searchsorted(self.starts, places, side="right") - 1 + opens, 0, len(self) - 1))


@dataclass(frozen=True)
class InWindows:
    """One article in the windows that are read of it."""

    title: str
    text: str
    windows: Windows

    @classmethod
    def of(cls, documents: Documents, row: int, windows: Windows) -> Self:
        """One of some documents, with its own of all their windows."""
        span = slice(*windows.starts[row : row + 2].tolist())
        alone = np.array([0, span.stop - span.start])
        own = Windows(windows.texts[span], windows.spans[span], windows.tokens[span], alone, windows.coverage[row : row + 1])
        return cls(documents.titles[row], documents.texts[row], own)

    @cached_property
    def headline(self) -> WordPlaces:
        """The words of the title."""
        return WordPlaces.of(self.title)

    @cached_property
    def words(self) -> WordPlaces:
        """The words of the text, which are counted after those of the title."""
        return WordPlaces.of(self.text)

    def by_sentence(self, read: Read, pool: Callable[[Floats], Floats]) -> Attribution:
        """What its headline and sentences add to scores that `pool` makes of what is read of all windows, as `occluded_windows` finds it."""
        sentences = sentence_spans(self.text)
        found = occluded_windows(read, pool, self.windows, sentences)
        if found.left_out:
            logger.info("evidence: %d of %d sentences of an article were not weighed", found.left_out, len(sentences))
        begins = self.words.starts
        at = np.searchsorted(begins, [start for start, _ in sentences])
        spoken = [place < len(begins) and begins[place] < end for place, (_, end) in zip(at.tolist(), sentences, strict=True)]
        # a piece without a word has no place among the words
        kept = np.flatnonzero(np.array([len(self.headline) > 0, *spoken]) & found.tried)
        positions = np.concatenate([[0], at + len(self.headline)])[kept]
        return Attribution(positions, found.windows[kept], found.added[kept], len(self.windows))

    def words_of(self, window: int, places: Ids) -> Ids:
        """Which word of title and text each place in a window's text belongs to; -1 where there is none. [places]"""
        start, end = self.windows.spans[window].tolist()
        head = len(self.windows.texts[window]) - (end - start)  # of the headline, with its line break
        of_text = self.words.at(places + start - head)
        return np.where(places < head, self.headline.at(places), np.where(of_text < 0, -1, of_text + len(self.headline)))


def attribute(pair: Pairs, reader: Embedder, head: Floats) -> Attribution:
    """Split what `vectors_of` adds for one pair under a head ([dims, labels]) over the words of its article."""
    read, row = reader.read(pair.documents), int(pair.rows[0])
    article = InWindows.of(pair.documents, row, read.windows)
    span = slice(*read.windows.starts[row : row + 2].tolist())
    values, shares, alone = read.of_windows[span], None if read.shares is None else read.shares[span], article.windows.starts
    targets = of_targets(pair.targets, reader)
    if not reader.encoder.splits:
        return article.by_sentence(
            lambda texts: reader.encoder.encode(texts).astype(np.float64),
            lambda vectors: _under(head, of_documents(pooled(vectors, alone, shares), targets))[0],
        )
    slope = slopes(read.vectors[row], None if targets is None else targets[0], head)
    # how much each number of a window's vector counts in the article's: its share, or whether it is the largest  [windows, dim]
    counts = (given(values, alone, None) != 0) * 1.0 if shares is None else np.broadcast_to(shares[:, None], values.shape)
    found = [
        _by_word(article.words_of(window, starts), starts >= 0, parts @ (counts[window][:, None] * slope))
        for window, starts, parts in _token_parts(article.windows.texts, pair, reader)
    ]
    windows = np.repeat(np.arange(len(found)), [len(positions) for positions, _ in found])
    return Attribution(np.concatenate([at for at, _ in found]), windows, np.concatenate([weights for _, weights in found]), len(found))


def _under(head: Floats, columns: Floats) -> Floats:
    """What the first columns of pairs add under a head; those that follow do not change with what an encoder reads. [pairs, labels]"""
    return np.asarray(columns @ head[: columns.shape[1]])


def _by_word(words: Ids, in_text: Booleans, parts: Floats) -> tuple[Ids, Floats]:
    """Sums of the tokens' parts over the words that they belong to. [tokens, labels] → [words], [words, labels]"""
    placed = np.flatnonzero(in_text & (words >= 0))
    known, entry = np.unique(words[placed], return_inverse=True)
    # marks stand for the window as a whole: every token has the same share of what they say
    even = parts[~in_text].sum(axis=0) / max(len(placed), 1)
    sums = np.zeros((len(known), parts.shape[1]))
    np.add.at(sums, entry, parts[placed] + even)
    return known, sums


def _token_parts(texts: Sequence[str], pair: Pairs, reader: Embedder) -> TokenParts:
    """What each token of each window gives to its vector; that of the article that was asked about last is held."""
    key, row = f"{reader.key} tokens", int(pair.rows[0])
    held: tuple[int, TokenParts] = pair.documents.held.get(key, (-1, ()))
    if held[0] == row:
        return held[1]
    found = sorted(reader.encoder.token_parts(texts), key=lambda window: window[0])
    if len(found) <= HELD:
        pair.documents.held[key] = (row, found)
    return found
