"""Character n-grams within words, counted once per distinct word and not once per occurrence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from scipy import sparse

from newsclf.learners.ngrams import Ids, Words, count_matrix


def character_ngrams(word: str, shortest: int, longest: int) -> list[str]:
    """The character n-grams of a word with a space at both ends, as scikit-learn's `char_wb` counts them."""
    padded = f" {word} "
    result = []
    for length in range(shortest, longest + 1):
        result += [padded[at : at + length] for at in range(max(1, len(padded) - length + 1))]
        if length >= len(padded):  # a word shorter than the n-gram counts once, whole
            break
    return result


@dataclass(frozen=True)
class Characters:
    """A vocabulary of character n-grams within words; counted once per distinct word, not once per occurrence."""

    grams: tuple[str, ...]
    shortest: int
    longest: int
    _index: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._index.update((gram, index) for index, gram in enumerate(self.grams))

    def __len__(self) -> int:
        return len(self.grams)

    def of_words(self, vocabulary: Sequence[str]) -> sparse.csr_array:
        """Character n-grams of each word. float32 [words, n-grams]"""
        rows, columns = [], []
        for row, word in enumerate(vocabulary):
            found = [self._index[gram] for gram in character_ngrams(word, self.shortest, self.longest) if gram in self._index]
            rows += [row] * len(found)
            columns += found
        return count_matrix(np.array(rows, np.int64), np.array(columns, np.int64), (len(vocabulary), len(self)))

    def occurrences(self, words: Words) -> tuple[Ids, Ids]:
        """Every n-gram of the vocabulary where it occurs: its feature and the position of its word."""
        table = self.of_words(words.vocabulary)
        # an n-gram that a word has twice occurs twice at its place
        repeats = [np.repeat(table.indices[a:b], table.data[a:b].astype(int)) for a, b in pairwise(table.indptr.tolist())]
        lengths = np.array([len(found) for found in repeats], np.int64)[words.ids]
        features = np.concatenate([repeats[word] for word in words.ids.tolist()] or [np.empty(0)]).astype(np.int64)
        return features, np.repeat(np.arange(len(words.ids)), lengths)

    def term(self, feature: int) -> str:
        """One n-gram as text."""
        return self.grams[feature]

    def terms(self) -> list[str]:
        """The n-grams in feature order."""
        return list(self.grams)

    def counts(self, words: Words) -> sparse.csr_array:
        """How often each n-gram occurs in each text. float32 [texts, n-grams]"""
        by_word = count_matrix(words.owner, words.ids, (len(words), len(words.vocabulary)))
        counts = sparse.csr_array(by_word @ self.of_words(words.vocabulary))
        # the product's columns come in the order of its vocabulary; sums over them must not depend on which texts stand beside
        counts.sort_indices()
        return counts


def learn_characters(words: Words, shortest: int, longest: int, *, min_df: int) -> tuple[Characters, sparse.csr_array]:
    """The character n-grams that stand in at least `min_df` texts, and their counts. float32 [texts, n-grams]"""
    grams = tuple(sorted({gram for word in words.vocabulary for gram in character_ngrams(word, shortest, longest)}))
    counts = Characters(grams, shortest, longest).counts(words)
    enough = np.flatnonzero(np.bincount(counts.indices, minlength=len(grams)) >= min_df)
    return Characters(tuple(grams[index] for index in enough), shortest, longest), counts[:, enough]
