"""Where an article speaks of a target: the words around its names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsclf.codebook import Codebook
from newsclf.learners.ngrams import Ids, Words, tokenise
from newsclf.learners.protocol import Pairs

REACH = 30
"""How many words before and after a mention count as being about the target."""


@dataclass(frozen=True)
class Mentions:
    """The names of the targets, each as its words; a target that is not known here has its own name only."""

    names: Mapping[str, Sequence[Sequence[str]]]

    @classmethod
    def of(cls, codebook: Codebook) -> Mentions:
        """The names that a codebook gives its targets."""
        return cls({target: _as_words(codebook.aliases(target)) for target in codebook.targets})

    def near(self, words: Words, targets: Sequence[str]) -> Ids:
        """Positions of the words around mentions of each text's target, in order; `targets` has one target a text."""
        index = {word: number for number, word in enumerate(words.vocabulary)}
        # +1 where a window opens, -1 where it ends: overlapping ones merge in the running sum  [words + 1]
        edges = np.zeros(len(words.ids) + 1, np.int64)
        for target in dict.fromkeys(targets):
            of_target = np.array([name == target for name in targets])
            for name in self.names.get(target) or _as_words((target,)):
                numbers = [index.get(word, -1) for word in name]
                if numbers and min(numbers) >= 0:  # a name with a word that no text has is mentioned nowhere
                    _mark(words, of_target, numbers, edges)
        return np.flatnonzero(np.cumsum(edges[:-1]) > 0)


def mentioned(codebook: Codebook, pairs: Pairs) -> NDArray[np.bool_]:
    """Whether each pair's document mentions its target or one of the target's aliases. [pairs]"""
    words = pairs.documents.whole.take(pairs.rows)
    near = Mentions.of(codebook).near(words, pairs.targets)
    return np.bincount(words.owner[near], minlength=len(pairs)) > 0


def _as_words(names: Iterable[str]) -> list[list[str]]:
    listed = list(names)
    words = tokenise(listed)
    return [[words.vocabulary[number] for number in words.ids[words.starts[row] : words.starts[row + 1]]] for row in range(len(listed))]


def _mark(words: Words, chosen: NDArray[np.bool_], numbers: Sequence[int], edges: Ids) -> None:
    """Open a window before each mention and close it after; windows never leave their text."""
    starts = np.flatnonzero((words.ids == numbers[0]) & chosen[words.owner])
    owner = words.owner[starts]
    for step, number in enumerate(numbers[1:], start=1):
        whole = starts + step < words.starts[owner + 1]
        starts, owner = starts[whole], owner[whole]
        same = words.ids[starts + step] == number
        starts, owner = starts[same], owner[same]
    np.add.at(edges, np.maximum(starts - REACH, words.starts[owner]), 1)
    np.add.at(edges, np.minimum(starts + len(numbers) + REACH, words.starts[owner + 1]), -1)
