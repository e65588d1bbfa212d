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
        return cls({target: as_words(codebook.aliases(target)) for target in codebook.targets})

    def near(self, words: Words, targets: Sequence[str]) -> Ids:
        """Positions of the words around mentions of each text's target, in order; `targets` has one target a text."""
        return self._around(words, targets, REACH)

    def named(self, words: Words, targets: Sequence[str]) -> Ids:
        """Positions of the words of the mentions alone."""
        return self._around(words, targets, 0)

    def _around(self, words: Words, targets: Sequence[str], reach: int) -> Ids:
        begins, stops = self._windows(words, targets, reach)
        order = np.argsort(begins, kind="stable")
        begins, stops = begins[order], stops[order]
        # a window counts from where the ones before it end: overlapping ones give each word once
        begins = np.maximum(begins, np.concatenate(([0], np.maximum.accumulate(stops)[:-1])) if len(stops) else begins)
        lengths = np.maximum(stops - begins, 0)
        return np.repeat(begins - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())

    def _windows(self, words: Words, targets: Sequence[str], reach: int) -> tuple[Ids, Ids]:
        """First word and end of the window around every mention; windows never leave their text. [mentions] each"""
        names = {target: self.names.get(target) or as_words((target,)) for target in dict.fromkeys(targets)}
        wanted = {word for spelt in names.values() for name in spelt for word in name}
        number = {word: at for at, word in enumerate(words.vocabulary) if word in wanted}
        # names as numbers; one with a word that no text has is mentioned nowhere
        known = {
            target: [[number[word] for word in name] for name in spelt if name and number.keys() >= set(name)] for target, spelt in names.items()
        }
        opening = np.zeros(len(words.vocabulary), np.bool_)
        opening[[name[0] for spelt in known.values() for name in spelt]] = True
        likely = np.flatnonzero(opening[words.ids]) if opening.any() else np.empty(0, np.int64)
        text = np.searchsorted(words.starts, likely, side="right") - 1
        which = {target: at for at, target in enumerate(names)}
        asked = np.array([which[target] for target in targets], np.int64)[text]  # [likely]
        begins, stops = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for target, spelt in known.items():
            own = likely[asked == which[target]]
            for name in spelt:
                starts = _found(words, own, name)
                inside = np.searchsorted(words.starts, starts, side="right") - 1
                begins.append(np.maximum(starts - reach, words.starts[inside]))
                stops.append(np.minimum(starts + len(name) + reach, words.starts[inside + 1]))
        return np.concatenate(begins), np.concatenate(stops)


def mentioned(codebook: Codebook, pairs: Pairs) -> NDArray[np.bool_]:
    """Whether each pair's document mentions its target or one of the target's aliases. [pairs]"""
    near = Mentions.of(codebook).near(pairs.whole, pairs.targets)
    return np.bincount(np.searchsorted(pairs.whole.starts, near, side="right") - 1, minlength=len(pairs)) > 0


def as_words(names: Iterable[str]) -> list[list[str]]:
    """The words of each of some short texts."""
    listed = list(names)
    words = tokenise(listed)
    return [[words.vocabulary[number] for number in words.ids[words.starts[row] : words.starts[row + 1]]] for row in range(len(listed))]


def _found(words: Words, likely: Ids, name: Sequence[int]) -> Ids:
    """Those of the positions at which a name stands, whole and within a text."""
    for step, number in enumerate(name):
        # the words of a name after its first go on in its text: what stands at the end of one has no next word
        likely = likely[words.followed[likely + step - 1]] if step else likely
        likely = likely[words.ids[likely + step] == number]
    return likely
