r"""Words, n-grams and their counts, on Arrow's kernels.

What a word is, is part of the file format (TOKENS): the lower-casing of Arrow's `utf8_lower`, then runs of letters, numbers and underscores,
[\p{L}\p{N}_]. A combining mark is none of these: where Unicode NFC leaves it apart from its letter, as the vowel signs of Hindi, it splits the word,
at training and at scoring alike. No other tokeniser counts n-grams in newsclf.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

TOKENS = 1
"""Number of the token definition, stored in every bundle. Raise it when the same text would give other words, and keep reading the old one."""

_NOT_WORD = r"[^\p{L}\p{N}_]+"
# characters, of up to four bytes: the lists of a batch have 32-bit offsets
_BATCH_BYTES = 1 << 27
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Words:
    """Tokenised texts: text i has the words vocabulary[ids[starts[i]:starts[i + 1]]]."""

    vocabulary: tuple[str, ...]
    """The distinct words, in order of first appearance."""

    ids: Ids
    starts: Ids
    """[texts + 1]"""

    places: Ids | None = None
    """Where each word stood before others were left out; none where all are there. [words]"""

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def owner(self) -> Ids:
        """Which text each word belongs to. [words]"""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.starts))

    def take(self, texts: Sequence[int] | Ids) -> Words:
        """The words of some of the texts, in the order asked for."""
        chosen = np.asarray(texts, dtype=np.int64)
        lengths = np.diff(self.starts)[chosen]
        starts = np.concatenate(([0], np.cumsum(lengths)))
        positions = np.repeat(self.starts[chosen] - starts[:-1], lengths) + np.arange(starts[-1])
        return Words(self.vocabulary, self.ids[positions], starts, None if self.places is None else self.places[positions])

    def only(self, positions: Ids) -> Words:
        """The same texts with the words at these positions alone, in order."""
        lengths = np.bincount(self.owner[positions], minlength=len(self))
        places = positions if self.places is None else self.places[positions]
        return Words(self.vocabulary, self.ids[positions], np.concatenate(([0], np.cumsum(lengths))), places)

    def unbroken(self, first: Ids, last: Ids) -> NDArray[np.bool_]:
        """Whether from a word to a later one no text ends and none was left out: only then is what stands between them an n-gram of a text."""
        same: NDArray[np.bool_] = self.owner[first] == self.owner[last]
        return same if self.places is None else same & (self.places[last] - self.places[first] == last - first)


def tokenise(texts: Sequence[str]) -> Words:
    """Split texts into words. O(characters); the kernels release the GIL."""
    if not texts:
        return Words((), np.empty(0, np.int64), np.zeros(1, np.int64))
    parts = [_split(pa.array(batch, pa.large_string())) for batch in _batches(texts)]
    words = pa.chunked_array([values for values, _ in parts], pa.large_string()).combine_chunks()
    encoded = words.dictionary_encode()
    lengths = np.concatenate([counts for _, counts in parts])
    ids = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return Words(tuple(encoded.dictionary.to_pylist()), ids, np.concatenate(([0], np.cumsum(lengths))))


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and size + len(text) > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    yield batch


def _split(texts: pa.LargeStringArray) -> tuple[pa.LargeStringArray, Ids]:
    spaced = pc.replace_substring_regex(pc.utf8_lower(texts), pattern=_NOT_WORD, replacement=" ")
    lists = pc.split_pattern(pc.ascii_trim_whitespace(spaced), pattern=" ")
    counts = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    values = lists.flatten()
    empty = pc.equal(values, "").to_numpy(zero_copy_only=False)  # a text without a word splits into one empty word
    if empty.any():
        owner = np.repeat(np.arange(len(counts)), counts)
        counts = np.bincount(owner[~empty], minlength=len(counts)).astype(np.int64)
        values = values.filter(pa.array(~empty))
    return values, counts


@dataclass(frozen=True)
class Ngrams:
    """A vocabulary of word n-grams: the words, then for each higher order pairs of (shorter n-gram, following word).

    An n-gram is only there if its beginning and its last word are, so the table of each order points into the one below.
    """

    words: tuple[str, ...]
    higher: tuple[NDArray[np.int64], ...] = ()
    """For each order above one, sorted keys: index of the shorter n-gram within its order × number of words + index of the word."""

    _index: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._index.update((word, index) for index, word in enumerate(self.words))

    def __len__(self) -> int:
        return len(self.words) + sum(len(keys) for keys in self.higher)

    def occurrences(self, words: Words) -> tuple[Ids, Ids]:
        """Every n-gram of the vocabulary where it occurs: its feature and the position of its first word."""
        lookup = np.fromiter((self._index.get(word, -1) for word in words.vocabulary), np.int64, len(words.vocabulary))
        known = lookup[words.ids] if len(words.ids) else words.ids  # [words], -1 where the vocabulary has no such word
        positions = np.flatnonzero(known >= 0)
        here = known[positions]
        features, places = [here], [positions]
        offset = len(self.words)
        for order, keys in enumerate(self.higher, start=2):
            longer = _followed(words, known, positions, order)
            positions, here = positions[longer], here[longer]
            wanted = here * len(self.words) + known[positions + order - 1]
            slots = np.searchsorted(keys, wanted)
            found = slots < len(keys)
            found[found] = keys[slots[found]] == wanted[found]
            positions, here = positions[found], slots[found]
            features.append(here + offset)
            places.append(positions)
            offset += len(keys)
        return np.concatenate(features), np.concatenate(places)

    def counts(self, words: Words) -> sparse.csr_array:
        """How often each n-gram occurs in each text. float32 [texts, n-grams]"""
        features, places = self.occurrences(words)
        return count_matrix(words.owner[places], features, (len(words), len(self)))

    def terms(self) -> list[str]:
        """The n-grams as text, words joined by a space, in feature order."""
        result = list(self.words)
        below = list(self.words)
        for keys in self.higher:
            below = [f"{below[key // len(self.words)]} {self.words[key % len(self.words)]}" for key in keys.tolist()]
            result += below
        return result

    def term(self, feature: int) -> str:
        """One n-gram as text."""
        if feature < len(self.words):
            return self.words[feature]
        start_of_order, end = 0, len(self.words)
        for keys in self.higher:
            if feature < end + len(keys):
                beginning, last = divmod(int(keys[feature - end]), len(self.words))
                return f"{self.term(start_of_order + beginning)} {self.words[last]}"
            start_of_order, end = end, end + len(keys)
        raise IndexError(feature)

    @classmethod
    def of_terms(cls, terms: Sequence[str]) -> Ngrams:
        """The vocabulary whose `terms()` these are; raises ValueError where they are not one."""
        orders: dict[int, list[str]] = {}
        for term in terms:
            orders.setdefault(term.count(" ") + 1, []).append(term)
        words = tuple(orders.get(1, ()))
        index = {word: number for number, word in enumerate(words)}
        below, higher = dict(index), []
        for order in range(2, max(orders, default=1) + 1):
            pairs = [term.rpartition(" ") for term in orders.get(order, ())]
            try:
                keys = np.array([below[start] * len(words) + index[last] for start, _, last in pairs], dtype=np.int64)
            except KeyError as error:
                raise ValueError(f"the n-gram part {error.args[0]!r} is not in the vocabulary") from error
            if len(keys) > 1 and not (np.diff(keys) > 0).all():
                raise ValueError(f"the n-grams of {order} words are not in order")
            higher.append(keys)
            below = {term: number for number, term in enumerate(orders.get(order, ()))}
        result = cls(words, tuple(higher))
        if len(index) != len(words) or [*terms] != result.terms():
            raise ValueError("the vocabulary has a term twice or out of order")
        return result


def learn_ngrams(words: Words, *, longest: int, min_df: int) -> tuple[Ngrams, sparse.csr_array]:
    """The n-grams of up to `longest` words that stand in at least `min_df` texts, and their counts. float32 [texts, n-grams]

    Words are in code-point order, so the vocabulary does not depend on the order of the texts.
    """
    texts = len(words)
    order = sorted(range(len(words.vocabulary)), key=words.vocabulary.__getitem__)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    # an n-gram is in no more texts than its parts, so each order grows from what the order below has left
    kept, here, positions, blocks = _prune(rank[words.ids], np.arange(len(words.ids)), words.owner, texts=texts, min_df=min_df)
    names = tuple(words.vocabulary[order[index]] for index in kept.tolist())
    known = np.full(len(words.ids), -1, np.int64)
    known[positions] = here
    higher, counts = [], [blocks]
    for length in range(2, longest + 1):
        longer = _followed(words, known, positions, length)
        positions = positions[longer]
        keys = here[longer] * len(names) + known[positions + length - 1]
        kept, here, positions, blocks = _prune(keys, positions, words.owner, texts=texts, min_df=min_df)
        higher.append(kept)
        counts.append(blocks)
    return Ngrams(names, tuple(higher)), sparse.hstack(counts, format="csr", dtype=np.float32)


def _followed(words: Words, known: Ids, positions: Ids, order: int) -> NDArray[np.bool_]:
    """Which n-grams of `order` - 1 words a known word of the same text follows at once. [positions]"""
    last = positions + order - 1
    followed = last < len(known)
    inside = np.flatnonzero(followed)
    followed[inside] = (known[last[inside]] >= 0) & words.unbroken(positions[inside], last[inside])
    return followed


def _prune(keys: Ids, positions: Ids, owner: Ids, *, texts: int, min_df: int) -> tuple[Ids, Ids, Ids, sparse.csr_array]:
    """Keys in enough texts (sorted), then for what is left the index of its key and its position, and the counts."""
    distinct, index = np.unique(keys, return_inverse=True)
    counts = count_matrix(owner[positions], index, (texts, len(distinct)))
    enough = np.bincount(counts.indices, minlength=len(distinct)) >= min_df
    renumbered = np.cumsum(enough) - 1
    inside = enough[index]
    return distinct[enough], renumbered[index[inside]], positions[inside], counts[:, np.flatnonzero(enough)]


def count_matrix(rows: Ids, columns: Ids, shape: tuple[int, int]) -> sparse.csr_array:
    """How often each (row, column) stands in the two lists. float32"""
    # 32-bit indices: scikit-learn's solvers take no others
    places = (rows.astype(np.int32), columns.astype(np.int32))
    matrix = sparse.coo_array((np.ones(len(rows), np.float32), places), shape=shape).tocsr()
    matrix.sum_duplicates()
    return matrix
