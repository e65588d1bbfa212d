"""Whole articles for encoders that read a few hundred tokens at once: cut at sentence ends into windows, and pooled again to one value an article.

Tokens are those of the encoder, sentences those that evidence is shown in: both are given as functions, and nothing here reads a file.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from newsclf.learners.ngrams import Ids
from newsclf.scores.metrics import Floats
from newsclf.spec import Spec

Spans = Sequence[tuple[int, int]]
"""Start and end of each sentence in a text, in order, in code points."""

TokenStarts = Callable[[Sequence[str]], Sequence[Ids]]
"""Texts → where each token of each begins, in order, in code points; without the encoder's special tokens, and of the whole text however long."""

Numbers = NDArray[np.floating]
_WORD_END = re.compile(r"(?<=\S)(?=\s)")
_TOGETHER = 256  # articles whose tokens are in memory at once


class WindowSpec(Spec):
    """How articles are cut for an encoder, and put together again."""

    size: int | None = Field(default=None, ge=16)
    """Most tokens of a window, headline included and special tokens not; as many as the encoder reads unless given."""

    overlap: int = Field(default=32, ge=0)
    """Most tokens at the end of a window that the next one begins with; whole sentences, so it may be none."""

    headline: Literal["each", "first", "none"] = "each"
    """Before which windows the headline stands."""

    most: int | None = Field(default=None, ge=1)
    """Windows read of an article, its first ones; all unless given."""

    pooling: Literal["mean", "max", "attention"] = "mean"
    """How the windows' values become the article's: mean (by tokens), the largest, or a mean by weights that the head has learnt."""

    @model_validator(mode="after")
    def _moves_on(self) -> Self:
        if self.size is not None and self.overlap > self.size // 2:
            raise ValueError(f"overlap must be at most half of size ({self.size}), not {self.overlap}")
        return self

    def room(self, limit: int) -> int:
        """Tokens of a window of an encoder that reads at most `limit`, special tokens not counted."""
        return limit if self.size is None else min(self.size, limit)


@dataclass(frozen=True)
class Windows:
    """The windows of a batch of articles, article after article; article i has the windows starts[i]:starts[i + 1], at least one."""

    texts: tuple[str, ...]
    """What the encoder reads: the headline on a line of its own where the spec says so, then the text from start to end. [windows]"""

    spans: Ids
    """Start and end in the article's text, in code points; those of one article leave no gap. [windows, 2]"""

    tokens: Ids
    """Tokens of each window's text, the headline's not counted. [windows]"""

    starts: Ids
    """[articles + 1]"""

    coverage: Floats
    """Share of the characters of each article's text that its windows hold: 1 unless `most` cut them off. [articles]"""

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def articles(self) -> Ids:
        """Which article each window is of. [windows]"""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    @property
    def shares(self) -> Floats:
        """Weight of each window in the mean of its article: its share of the tokens of all of them, those of overlaps counted twice. [windows]"""
        # an article without a token still has a mean
        weights = np.maximum(self.tokens, 1).astype(np.float64)
        return weights / np.add.reduceat(weights, self.starts[:-1])[self.articles]


@dataclass(frozen=True)
class Cutter:
    """Cuts articles into windows for one encoder."""

    spec: WindowSpec
    limit: int
    """Most tokens that the encoder reads at once, special tokens not counted."""

    token_starts: TokenStarts
    sentences: Callable[[str], Spans]

    def cut(self, titles: Sequence[str], texts: Sequence[str]) -> Windows:
        """The windows of articles, in time linear in their length.

        Each has at most `spec.room(limit)` tokens (one more where a tokenizer takes a cut word end for part of a token; more only where a single
        code point has). They end at sentence ends; a sentence longer than a window is cut at word ends, a word longer than one between tokens.
        """
        batches = [slice(start, start + _TOGETHER) for start in range(0, len(texts), _TOGETHER)]
        cut = [windows for batch in batches for windows in self._some(titles[batch], texts[batch])]
        every = [window for windows in cut for window in windows]
        return Windows(
            texts=tuple(window.text for window in every),
            spans=np.array([(window.start, window.end) for window in every], np.int64).reshape(-1, 2),
            tokens=np.array([window.tokens for window in every], np.int64),
            starts=np.cumsum([0, *map(len, cut)]),
            coverage=np.array([windows[-1].end / len(text) if text else 1.0 for windows, text in zip(cut, texts, strict=True)]),
        )

    def _some(self, titles: Sequence[str], texts: Sequence[str]) -> Iterator[list[_Window]]:
        heads = [f"{title}\n" if title.strip() and self.spec.headline != "none" else "" for title in titles]
        counted = self.token_starts([*heads, *texts])
        room = self.spec.room(self.limit)
        for head, text, of_head, of_text in zip(heads, texts, counted[: len(heads)], counted[len(heads) :], strict=True):
            first, taken = _headline(head, of_head, room // 2)
            later = first if self.spec.headline == "each" else ""
            rooms = (room - taken, room - taken if later else room)
            places = _places(text, of_text, min(rooms), self.sentences)
            at = [*np.searchsorted(of_text, places[:-1]).tolist(), len(of_text)]  # tokens before each place
            # an overlap of nearly a window would have every word read many times
            packed = _packed(at, rooms, min(self.spec.overlap, min(rooms) // 2), self.spec.most)
            yield [
                _Window(f"{later if number else first}{text[places[p] : places[q]]}", places[p], places[q], at[q] - at[p])
                for number, (p, q) in enumerate(packed)
            ]


class _Window(NamedTuple):
    text: str
    start: int
    end: int
    tokens: int


def _headline(head: str, starts: Ids, most: int) -> tuple[str, int]:
    """A headline of at most `most` tokens, cut at a word's end, and how many it has: half of a window is the text's."""
    if len(starts) <= most:
        return head, len(starts)
    cut = head[: starts[most - 1]]  # its line break may be a token too
    words = cut.rsplit(None, 1) if len(cut.split(None, 1)) > 1 else [cut]
    return f"{words[0]}\n", int(np.searchsorted(starts, len(words[0]))) + 1


def _places(text: str, starts: Ids, room: int, sentences: Callable[[str], Spans]) -> list[int]:
    """Where a text may be cut, its start and end included: at the ends of sentences, and of words and tokens where those before are too long.

    White space belongs to what follows it, so that tokenizers that see it find the same tokens in a window as in the whole text.
    """
    if len(starts) <= room:
        return [0, len(text)]
    ends = [end for _, end in sentences(text)][:-1]  # what follows the last sentence is white space
    places = sorted({0, len(text), *ends})
    places = _refined(places, starts, room, lambda start, end: (word.start() for word in _WORD_END.finditer(text, start + 1, end)))
    return _refined(places, starts, room, lambda start, end: _between_tokens(starts, start, end, room))


def _refined(places: list[int], starts: Ids, room: int, finer: Callable[[int, int], Iterator[int]]) -> list[int]:
    """These places, and finer ones between those that are further apart than a window is long."""
    out = places[:1]
    for (start, end), tokens in zip(pairwise(places), np.diff(np.searchsorted(starts, places)).tolist(), strict=True):
        if tokens > room:
            out.extend(finer(start, end))
        out.append(end)
    return out


def _between_tokens(starts: Ids, start: int, end: int, room: int) -> Iterator[int]:
    first, last = np.searchsorted(starts, (start, end)).tolist()
    while last - first > room:
        # a code point may be several tokens, even more than a window has (U+FDFA is eighteen letters): it goes whole
        beyond = first + room if starts[first + room] > starts[first] else int(np.searchsorted(starts, starts[first], side="right"))
        if beyond >= last:
            return
        yield int(starts[beyond])
        first = int(np.searchsorted(starts, starts[beyond]))


def _packed(at: Sequence[int], rooms: tuple[int, int], overlap: int, most: int | None) -> Iterator[tuple[int, int]]:
    """First piece and end of each window: as many pieces as there is room for in the first window, and in those after it."""
    begin, number = 0, 0
    while True:
        number += 1
        end = max(begin + 1, bisect_right(at, at[begin] + rooms[number > 1]) - 1)
        yield begin, end
        if end >= len(at) - 1 or number == most:
            return
        # as much of this window as may come again, and leaves room for the piece after it
        again = max(bisect_left(at, at[end] - overlap), bisect_left(at, at[end + 1] - rooms[1]), begin + 1)
        begin = min(again, end)


def sentences_in(windows: Windows, window: int, sentences: Spans) -> range:
    """Numbers of the sentences of an article that a window of it holds, in whole or in part."""
    start, end = windows.spans[window].tolist()
    return range(bisect_right(sentences, start, key=lambda span: span[1]), bisect_left(sentences, end, key=lambda span: span[0]))


def attention_shares(logits: Floats, starts: Ids) -> Floats:
    """Weights of windows that sum to 1 over each article: softmax of what a head says of each. [windows] both"""
    sizes = np.diff(starts)
    raised: Floats = np.exp(logits - np.repeat(np.maximum.reduceat(logits, starts[:-1]), sizes))
    shares: Floats = raised / np.repeat(np.add.reduceat(raised, starts[:-1]), sizes)
    return shares


def given(values: Numbers, starts: Ids, shares: Floats | None) -> Floats:
    """What each window gave to its article's value; the sum over an article's windows is `pooled`, exactly. [windows, dims]

    `shares` are the weights of a mean [windows]; without them the largest value of each dimension counts, all of it given by the first that has it.
    """
    if shares is not None:
        return values * shares[:, None]
    largest = pooled(values, starts, None)
    free = np.ones(largest.shape, np.bool_)  # dimensions of each article that no window has given yet
    out = np.zeros(values.shape)
    for step in range(int(np.diff(starts).max(initial=0))):
        some = np.flatnonzero(np.diff(starts) > step)
        rows = starts[some] + step
        gives = free[some] & (values[rows] == largest[some])
        out[rows] = np.where(gives, values[rows], 0.0)
        free[some] &= ~gives
    return out


def pooled(values: Numbers, starts: Ids, shares: Floats | None) -> Floats:
    """One value an article: its windows' mean by `shares` (`Windows.shares`, `attention_shares`), or without them the largest. [articles, dims]

    Values are scores or vectors of windows. [windows, dims] An article's value is independent of which other articles stand beside it.
    """
    if shares is None:
        return np.maximum.reduceat(values, starts[:-1], axis=0).astype(np.float64)
    return np.add.reduceat(given(values, starts, shares), starts[:-1], axis=0)
