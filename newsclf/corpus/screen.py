"""Which lines of many texts a cleaning step may change: found for all texts at once, so that the others need not be looked at one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from newsclf.corpus.junk import LONGEST, may_be_junk
from newsclf.corpus.lines import BREAKS
from newsclf.corpus.steps import TOUCHED

_BREAK, _TOUCHED = 1, 2
_LAST = 0xFFFF


@dataclass(frozen=True, slots=True)
class Screen:
    """The lines of some texts that hold anything, text by text and in order."""

    starts: list[int]
    ends: list[int]
    """Code points of each line in its text."""

    doubtful: list[bool]
    """Whether a step may change or drop the line; one that is not doubtful comes out as it is, whatever the steps."""

    first: list[int]
    """Text → its first line; one more for the end."""

    as_given: list[bool]
    """Text → whether it is its own lines joined by newlines: all breaks are newlines, no two blank lines in a row and none at the ends."""

    clear: list[bool]
    """Text → whether it is as given and none of its lines is doubtful."""

    def lines(self, text: int) -> list[tuple[int, int, bool]]:
        """Start, end and doubt of the lines of a text."""
        span = slice(self.first[text], self.first[text + 1])
        return list(zip(self.starts[span], self.ends[span], self.doubtful[span], strict=True))


def screen(texts: Sequence[str], *, junk: bool) -> Screen:
    """Find the lines that a step may change: with a character that asks for one, with a space at an end and, where `junk`, with the looks of junk."""
    whole = "".join(f"{text}\n" for text in texts)
    codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), np.uint32)
    odd = np.flatnonzero(codes - ord(" ") > ord("~") - ord(" "))  # all that is not printable ASCII: below the space the difference wraps round
    kinds = _kinds()[np.minimum(codes[odd], _LAST)]
    breaks = odd[kinds == _BREAK]
    starts, ends = np.append(0, breaks[:-1] + 1), breaks
    held = ends > starts
    starts, ends = starts[held], ends[held]
    doubtful = (codes[starts] == ord(" ")) | (codes[ends - 1] == ord(" "))
    doubtful[np.searchsorted(starts, odd[kinds == _TOUCHED], side="right") - 1] = True
    if junk:
        short = np.flatnonzero(~doubtful & (ends - starts <= LONGEST))
        doubtful[short[may_be_junk([whole[start:end] for start, end in zip(starts[short].tolist(), ends[short].tolist(), strict=True)])]] = True
    offsets = np.append(0, np.cumsum([len(text) + 1 for text in texts], dtype=np.int64))  # [texts + 1]
    first = np.searchsorted(starts, offsets)
    offset = np.repeat(offsets[:-1], np.diff(first))  # [lines]
    in_a_row = breaks[:-2][breaks[2:] - breaks[:-2] == 2]
    in_a_row = in_a_row[~np.isin(in_a_row, offsets[1:] - 1)]  # those that begin between two texts are of neither
    changed = set(_places(np.append(in_a_row, breaks[codes[breaks] != ord("\n")]), offsets))
    as_given = [place not in changed and text[:1] != "\n" != text[-1:] for place, text in enumerate(texts)]
    doubted = set(_places(starts[doubtful], offsets))
    clear = [given and place not in doubted for place, given in enumerate(as_given)]
    return Screen((starts - offset).tolist(), (ends - offset).tolist(), doubtful.tolist(), first.tolist(), as_given, clear)


def _places(positions: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64]) -> list[int]:
    """The texts in which characters stand."""
    found: list[int] = (np.searchsorted(offsets, positions, side="right") - 1).tolist()
    return found


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """Code point → what it is to the screen; the last stands for all beyond it."""
    every = "".join(map(chr, range(_LAST + 1)))
    kinds = np.zeros(len(every), np.uint8)
    for pattern in TOUCHED:
        kinds[[match.start() for match in pattern.finditer(every)]] = _TOUCHED
    kinds[_LAST] = _TOUCHED
    kinds[[ord(character) for character in BREAKS]] = _BREAK
    return kinds
