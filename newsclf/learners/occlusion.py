"""What the sentences of an article add to a score that is a black box: the score of all of it, less the score without the sentence.

Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", for sentences instead of patches. What is left out changes how the
rest is read, so the parts of several sentences need not sum to the score: what they leave is nobody's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from newsclf.learners.ngrams import Ids
from newsclf.learners.windows import Spans, Windows, sentences_in
from newsclf.scores.metrics import Booleans, Floats

MOST = 64
"""Sentences of an article that are left out one by one, its first ones: each is a window more to read."""

Read = Callable[[Sequence[str]], Floats]
"""Texts → what is said of each, in one call, so that they can be batched. [texts, columns]"""


@dataclass(frozen=True)
class Occluded:
    """What each piece of a text added."""

    added: Floats
    """Zeros for those that were not tried. [pieces, labels]"""

    tried: Booleans
    """[pieces]"""

    windows: Ids
    """The window that each piece is in, of several the first; -1 for one in none. [pieces]"""

    @property
    def left_out(self) -> int:
        """How many pieces were not tried: there were too many, or no window held them."""
        return int((~self.tried).sum())


def occluded(scores: Read, text: str, spans: Spans, *, most: int = MOST) -> Occluded:
    """What each span of a text adds to its scores; at most the first `most` are tried."""
    whole = Windows((text,), np.array([[0, len(text)]]), np.array([1]), np.array([0, 1]), np.ones(1))
    found = occluded_windows(scores, lambda values: values[0], whole, spans, most=most)
    return Occluded(found.added[1:], found.tried[1:], found.windows[1:])  # a text alone has no headline


def occluded_windows(read: Read, pool: Callable[[Floats], Floats], windows: Windows, sentences: Spans, *, most: int = MOST) -> Occluded:
    """What the headline (the first piece) and each sentence add to the scores of one article, which is read in windows.

    The headline is always tried, and at most the first `most` sentences. `read` gives what is said of each window's text, `pool` makes scores of
    what is said of all windows: [windows, columns] → [labels]. Only the windows that hold a piece are read again without it.
    """
    holds = _pieces(windows, sentences)
    tried = [0] * bool(holds[0]) + [piece for piece in range(1, len(holds)) if holds[piece]][:most]
    without = [_without(windows.texts[window], start, end) for piece in tried for window, start, end in holds[piece]]
    said = read([*windows.texts, *without])
    whole, changed = said[: len(windows)], iter(said[len(windows) :])
    score = pool(whole)
    added = np.zeros((len(holds), len(score)))
    for piece in tried:
        values = whole.copy()
        for window, _, _ in holds[piece]:
            values[window] = next(changed)
        added[piece] = score - pool(values)
    first = np.array([places[0][0] if places else -1 for places in holds], np.int64)
    return Occluded(added, np.isin(np.arange(len(holds)), tried), first)


def _pieces(windows: Windows, sentences: Spans) -> list[list[tuple[int, int, int]]]:
    """Where the headline and each sentence stand in the windows: window, start and end in its text."""
    found: list[list[tuple[int, int, int]]] = [[] for _ in range(len(sentences) + 1)]
    for window, text in enumerate(windows.texts):
        start, end = windows.spans[window].tolist()
        head = len(text) - (end - start)
        if head:
            found[0].append((window, 0, head))
        for sentence in sentences_in(windows, window, sentences):
            begin, stop = max(sentences[sentence][0], start), min(sentences[sentence][1], end)
            if begin < stop:
                found[sentence + 1].append((window, head + begin - start, head + stop - start))
    return found


def _without(text: str, start: int, end: int) -> str:
    # the white space after it goes too: no gap tells that something stood there
    return text[:start] + text[end:].lstrip(" ")
