"""Pairs to the tokens of their windows: what a tuned encoder reads, in training as in use.

Where a pair has a target, each window stands beside it as a second text, so that every layer of the encoder sees the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from newsclf.learners.encoder_files import EncoderFiles
from newsclf.learners.encoder_tokens import Tokenizer
from newsclf.learners.ngrams import Ids
from newsclf.learners.protocol import Documents, Pairs
from newsclf.learners.sentences import sentence_spans
from newsclf.learners.windows import Cutter, Windows, WindowSpec
from newsclf.scores.metrics import Floats

OF_TARGET = 4
"""A target takes at most one in so many of the tokens that the encoder reads at once; a longer one is cut."""


@dataclass(frozen=True)
class PairWindows:
    """The windows of pairs, pair after pair; pair i has the windows starts[i]:starts[i + 1], at least one."""

    ids: Sequence[Ids]
    """Token numbers, at least one. [windows] of [tokens]"""

    segments: Sequence[Ids]
    """0, and 1 for the tokens of the second text where the tokenizer tells the two apart. [windows] of [tokens]"""

    shares: Floats
    """Weight of each window in the mean of its pair. [windows]"""

    starts: Ids
    """[pairs + 1]"""

    coverage: Floats
    """Share of the characters of each pair's text that its windows hold. [pairs]"""

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Ids:
        """Tokens of each window. [windows]"""
        return np.array([len(ids) for ids in self.ids], np.int64)

    def of(self, pair: int) -> Ids:
        """Which windows a pair has. [its windows]"""
        return np.arange(self.starts[pair], self.starts[pair + 1])

    def take(self, pairs: Ids) -> PairWindows:
        """The windows of some pairs."""
        which = np.concatenate([np.zeros(0, np.int64), *(self.of(pair) for pair in pairs.tolist())])
        ids, segments = ([given[window] for window in which.tolist()] for given in (self.ids, self.segments))
        return PairWindows(ids, segments, self.shares[which], np.cumsum([0, *np.diff(self.starts)[pairs].tolist()]), self.coverage[pairs])


class PairReader:
    """Reads pairs for one encoder."""

    def __init__(self, files: EncoderFiles, windows: WindowSpec) -> None:
        self.files, self.windows = files, windows
        self._tokenizer = Tokenizer(files)
        self._marks = len(next(self._tokenizer([""], most=files.tokens))[0])
        self._marks_of_two = len(next(self._tokenizer.pairs([""], [""], most=files.tokens))[0])

    def read(self, pairs: Pairs) -> PairWindows:
        """The windows of pairs; those of one pair do not depend on the others."""
        rooms, firsts = self._rooms(pairs)
        found: dict[int, tuple[Sequence[str], Floats, float]] = {}
        for room in np.unique(rooms).tolist():
            of_room = np.flatnonzero(rooms == room)
            documents, place = np.unique(pairs.rows[of_room], return_inverse=True)
            cut = self._cut(pairs.documents, documents, room)
            shares, starts = cut.shares, cut.starts.tolist()
            for pair, article in zip(of_room.tolist(), place.tolist(), strict=True):
                span = slice(starts[article], starts[article + 1])
                found[pair] = cut.texts[span], shares[span], float(cut.coverage[article])
        ordered = [found[pair] for pair in range(len(pairs))]
        texts = [text for windows, _, _ in ordered for text in windows]
        beside = [first for first, (windows, _, _) in zip(firsts, ordered, strict=True) for _ in windows] if firsts else []
        return PairWindows(
            *self._tokens(texts, beside),
            shares=np.concatenate([np.zeros(0), *(shares for _, shares, _ in ordered)]),
            starts=np.cumsum([0, *(len(windows) for windows, _, _ in ordered)]),
            coverage=np.array([coverage for _, _, coverage in ordered], np.float64),
        )

    def windows_of(self, pair: Pairs) -> Windows:
        """The texts of the windows of one pair, and where they are."""
        return self._cut(pair.documents, pair.rows, int(self._rooms(pair)[0][0]))

    def tokens(self, texts: Sequence[str], pair: Pairs) -> tuple[list[Ids], list[Ids]]:
        """Token numbers and segments of texts that are read as windows of one pair."""
        return self._tokens(texts, self._rooms(pair)[1] * len(texts))

    def coverage(self, pairs: Pairs) -> Floats:
        """Share of the characters of each pair's text that is read. [pairs]"""
        return np.ones(len(pairs)) if self.windows.most is None else self.read(pairs).coverage

    def _rooms(self, pairs: Pairs) -> tuple[Ids, list[str]]:
        """Tokens that each pair leaves to its windows [pairs], and the targets that stand before them; none where the task has none."""
        if not pairs.targets:
            return np.full(len(pairs), max(self.files.tokens - self._marks, 1)), []
        known = list(dict.fromkeys(pairs.targets))
        most = max(self.files.tokens // OF_TARGET, 1)
        counted = dict(zip(known, self._tokenizer.starts(known), strict=True))
        cut = {target: target[: starts[most]] if len(starts) > most else target for target, starts in counted.items()}
        left = {target: max(self.files.tokens - self._marks_of_two - min(len(starts), most), 1) for target, starts in counted.items()}
        return np.array([left[target] for target in pairs.targets], np.int64), [cut[target] for target in pairs.targets]

    def _cut(self, documents: Documents, rows: Ids, room: int) -> Windows:
        cutter = Cutter(self.windows, room, self._tokenizer.starts, sentence_spans)
        return cutter.cut([documents.titles[row] for row in rows.tolist()], [documents.texts[row] for row in rows.tolist()])

    def _tokens(self, texts: Sequence[str], firsts: Sequence[str]) -> tuple[list[Ids], list[Ids]]:
        if firsts:
            both = list(self._tokenizer.pairs(firsts, texts, most=self.files.tokens))
        else:
            both = [(ids, np.zeros_like(ids)) for ids, _ in self._tokenizer(texts, most=self.files.tokens)]
        # an encoder cannot read a text without a token, which some tokenizers make of an empty one
        nothing = np.full(1, self.files.numbers.pad)
        return [ids if len(ids) else nothing for ids, _ in both], [segments if len(segments) else np.zeros(1, np.int64) for _, segments in both]
