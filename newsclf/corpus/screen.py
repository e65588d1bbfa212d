"""Which lines of many texts a cleaning step may change: found for all texts at once, so that the others need not be looked at one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from newsclf.corpus.junk import LONGEST, may_be_junk
from newsclf.corpus.lines import BREAKS
from newsclf.corpus.steps import ODD

Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_BLOCK = 200_000
"""Code points looked at together, about: of many more, the numbers would not stay in the processor's cache."""

_BREAK, _ODD = 1, 2
_LAST = 0xFFFF

CLEAN, JUNK, ODD_CHARACTERS = 0, 1, 2
"""What may be wrong with a line: nothing; that it is junk; anything."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The lines of some texts that hold anything, text after text."""

    starts: list[int]
    ends: list[int]
    """Code points of each line in its text."""

    doubts: list[int]
    """What may be wrong with each line. A clean one comes out of the steps as it is, but for the masks."""

    first: list[int]
    """Text → its first line, and one more for the end."""

    as_given: list[bool]
    """Text → whether it is its own lines joined by newlines: all breaks are newlines, no two blank lines in a row and none at the ends."""

    clear: list[bool]
    """Text → whether it is as given and all of its lines are clean."""

    def lines(self, text: int) -> tuple[list[tuple[int, int]], list[int]]:
        """Start and end of each line of a text, and its doubt."""
        span = slice(self.first[text], self.first[text + 1])
        return list(zip(self.starts[span], self.ends[span], strict=True)), self.doubts[span]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the characters of some texts tell."""

    starts: Places
    ends: Places
    odd: Flags
    counts: Places
    """Text → lines that hold anything."""

    as_given: Flags


def screen(texts: Sequence[str], *, junk: bool) -> Screen:
    """Find the lines with a character that asks for a step, with a space at an end and, where `junk`, with the looks of junk."""
    size = 1 + len(texts) * _BLOCK // (1 + sum(map(len, texts)))
    seen = [_seen(texts[at : at + size]) for at in range(0, len(texts), size)] or [_seen(())]
    starts = np.concatenate([block.starts for block in seen])
    ends = np.concatenate([block.ends for block in seen])
    doubts = np.concatenate([block.odd for block in seen]) * np.uint8(ODD_CHARACTERS)
    counts = np.concatenate([block.counts for block in seen])
    as_given = np.concatenate([block.as_given for block in seen])
    text_of = np.repeat(np.arange(len(texts)), counts)  # [lines]
    if junk:
        short = np.flatnonzero((doubts == CLEAN) & (ends - starts <= LONGEST))
        spans = zip(text_of[short].tolist(), starts[short].tolist(), ends[short].tolist(), strict=True)
        doubts[short[may_be_junk([texts[text][start:end] for text, start, end in spans])]] = JUNK
    clear = as_given.copy()
    clear[text_of[doubts != CLEAN]] = False
    first = np.append(0, np.cumsum(counts))
    return Screen(starts.tolist(), ends.tolist(), doubts.tolist(), first.tolist(), as_given.tolist(), clear.tolist())


def _seen(texts: Sequence[str]) -> _Seen:
    whole = "".join(f"{text}\n" for text in texts)
    codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), np.uint32)
    odd = np.flatnonzero(codes - ord(" ") > ord("~") - ord(" "))  # what is not printable ASCII: below the space the difference wraps round
    kinds = _kinds()[np.minimum(codes[odd], _LAST)]
    breaks = odd[kinds == _BREAK]
    starts, ends = np.append(0, breaks[:-1] + 1)[: len(breaks)], breaks
    held = ends > starts
    starts, ends = starts[held], ends[held]
    odd_lines = (codes[starts] == ord(" ")) | (codes[ends - 1] == ord(" "))
    odd_lines[np.searchsorted(starts, odd[kinds == _ODD], side="right") - 1] = True

    offsets = np.append(0, np.cumsum([len(text) + 1 for text in texts], dtype=np.int64))  # [texts + 1]
    counts = np.diff(np.searchsorted(starts, offsets))
    in_a_row = breaks[:-2][breaks[2:] - breaks[:-2] == 2]
    text_of = np.searchsorted(offsets, in_a_row, side="right") - 1
    as_given = np.array([text[:1] != "\n" != text[-1:] for text in texts], bool)
    as_given[text_of[in_a_row < offsets[text_of + 1] - 1]] = False  # breaks in a row that begin after a text are not of it
    as_given[np.searchsorted(offsets, breaks[codes[breaks] != ord("\n")], side="right") - 1] = False
    offset = np.repeat(offsets[:-1], counts)  # [lines]
    return _Seen(starts - offset, ends - offset, odd_lines, counts, as_given)


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """Code point → what it is to the screen; the last stands for all beyond it."""
    every = "".join(map(chr, range(_LAST + 1)))
    kinds = np.zeros(len(every), np.uint8)
    for pattern in ODD:
        kinds[[match.start() for match in pattern.finditer(every)]] = _ODD
    kinds[_LAST] = _ODD
    kinds[[ord(character) for character in BREAKS]] = _BREAK
    return kinds
