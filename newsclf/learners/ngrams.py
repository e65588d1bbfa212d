r"""Words, n-grams and their counts, on Arrow's kernels.

What a word is, is part of the file format (TOKENS): the lower-casing of Arrow's `utf8_lower`, then runs of letters, numbers and underscores,
[\p{L}\p{N}_]. A combining mark is none of these: where Unicode NFC leaves it apart from its letter, as the vowel signs of Hindi, it splits the word,
at training and at scoring alike. No other tokeniser counts n-grams in newsclf.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

TOKENS = 1
"""Number of the token definition, stored in every bundle. Raise it when the same text would give other words, and keep reading the old one."""

_NOT_WORD = r"[^\p{L}\p{N}_]+"
# ASCII by table; bytes of other characters are left to _CHARACTERS
_WORD_BYTES = [byte >= 128 or byte == ord("_") or chr(byte).isalnum() for byte in range(256)]
_IS_WORD = bytes(_WORD_BYTES)
_LOWER = bytes(range(256)).lower()
_GAPS = bytes(byte for byte in range(128) if not _WORD_BYTES[byte])
_BATCH_CHARACTERS = 1 << 25
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Words:
    """Tokenised texts: text i has the words vocabulary[ids[starts[i]:starts[i + 1]]]."""

    vocabulary: tuple[str, ...]
    """The distinct words."""

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

    @cached_property
    def followed(self) -> NDArray[np.bool_]:
        """Whether after each word its text goes on and none was left out: only then is it an n-gram with the next one. [words]"""
        result = np.ones(len(self.ids), np.bool_)
        result[self.starts[1:][np.diff(self.starts) > 0] - 1] = False
        if self.places is not None:
            result[:-1] &= np.diff(self.places) == 1
        return result


def tokenise(texts: Sequence[str]) -> Words:
    """Split texts into words. O(bytes); every pass over them is one numpy or Arrow kernel, which release the GIL."""
    parts = [_pieces(batch) for batch in _batches(texts)]
    pieces = pa.chunked_array([found for found, _ in parts], pa.large_string()).combine_chunks().dictionary_encode()
    which = pieces.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    starts = np.concatenate(([0], np.cumsum(np.concatenate([counts for _, counts in parts], dtype=np.int64))))
    place, known = _words_of_pieces(pieces.dictionary)
    if (np.diff(known.starts) == 1).all():  # every piece is one word
        return Words(known.vocabulary, known.ids[place][which], starts)
    words = known.take(place[which])
    return Words(known.vocabulary, words.ids, words.starts[starts])


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Texts whose bytes are looked at together: at least one batch, so that no text is a case of its own."""
    start = size = 0
    for at, text in enumerate(texts):
        if at > start and size + len(text) > _BATCH_CHARACTERS:
            yield texts[start:at]
            start, size = at, 0
        size += len(text)
    yield texts[start:]


def _pieces(texts: Sequence[str]) -> tuple[pa.LargeStringArray, Ids]:
    """Runs of bytes between what ASCII has of gaps, its letters lower-cased, one after another; and how many each text has."""
    given = pa.array(texts, pa.large_string())
    _, offsets, data = given.buffers()
    edges = np.frombuffer(offsets, np.int64)[: len(texts) + 1]  # bytes
    raw = data.to_pybytes()[: edges[-1]] if data else b""
    inside = np.frombuffer(raw.translate(_IS_WORD), np.bool_)
    # a piece begins where no word byte, or another text, stands before it; it ends likewise
    begins, ends = inside.copy(), inside.copy()
    begins[1:] &= ~inside[:-1]
    ends[:-1] &= ~inside[1:]
    first = edges[:-1][edges[:-1] < edges[1:]]  # of each text that has any byte
    begins[first] = inside[first]
    ends[first[1:] - 1] = inside[first[1:] - 1]
    at = np.flatnonzero(begins)
    lengths = np.flatnonzero(ends) + 1 - at
    words = raw.translate(_LOWER, _GAPS)  # without the gaps, so that each piece begins where the one before it ends
    buffers = [None, pa.py_buffer(np.concatenate(([0], np.cumsum(lengths)))), pa.py_buffer(words)]
    return pa.Array.from_buffers(pa.large_string(), len(at), buffers), np.diff(np.searchsorted(at, edges))


def _words_of_pieces(pieces: pa.LargeStringArray) -> tuple[Ids, Words]:
    """For each of distinct pieces, which text of the Words it is: an ASCII piece is a word; others are lower-cased and split here, once."""
    plain = pc.string_is_ascii(pieces).to_numpy(zero_copy_only=False)
    # the others come after the plain ones
    place = np.where(plain, np.cumsum(plain) - 1, plain.sum() + np.cumsum(~plain) - 1)
    odd = "\n".join(pieces.filter(pa.array(~plain)).to_pylist()).translate(_CHARACTERS)
    split = [piece.split() for piece in odd.split("\n")] if not plain.all() else []
    words = pa.concat_arrays([pieces.filter(pa.array(plain)), pa.array([word for piece in split for word in piece], pa.large_string())])
    encoded = words.dictionary_encode()
    lengths = np.concatenate((np.ones(plain.sum(), np.int64), np.array([len(piece) for piece in split], np.int64)))
    ids = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return place, Words(tuple(encoded.dictionary.to_pylist()), ids, np.concatenate(([0], np.cumsum(lengths))))


class _Characters(dict[int, str]):
    """Code point → its lower-case letter, or a space where it belongs to no word: what Arrow's kernels say, asked for 256 code points at a time."""

    def __missing__(self, code: int) -> str:
        block = [chr(point) for point in range(code & ~255, (code | 255) + 1) if not 0xD800 <= point <= 0xDFFF]
        lower = pc.utf8_lower(pa.array(block))
        spaced = pc.replace_substring_regex(lower, pattern=_NOT_WORD, replacement=" ").to_pylist()
        self.update(zip(map(ord, block), spaced, strict=True))
        self[ord("\n")] = "\n"  # parts the pieces
        return self[code]


_CHARACTERS = _Characters()


class Slots:
    """Where each of many distinct keys stands: a hash table with open addressing, asked for a million keys at a time without a Python loop.

    Multiplicative hashing (Knuth, TAOCP 3, 6.4), linear probing, at most a quarter full: several times faster than a binary search, whose every
    step waits for memory.
    """

    def __init__(self, keys: Ids) -> None:
        bits = max(len(keys).bit_length() + 2, 4)
        self._shift, self._last = np.uint64(64 - bits), (1 << bits) - 1
        self._keys = np.full(1 << bits, -1, np.int64)
        self._slots = np.full(1 << bits, -1, np.int32)
        at, waiting = self._home(keys), np.arange(len(keys))
        while len(waiting):
            free = waiting[self._keys[at[waiting]] < 0]
            self._keys[at[free]] = keys[free]  # of several that want one place the last one has it
            placed = self._keys[at[waiting]] == keys[waiting]
            self._slots[at[waiting[placed]]] = waiting[placed]
            waiting = waiting[~placed]
            at[waiting] = (at[waiting] + 1) & self._last

    def _home(self, keys: Ids) -> Ids:
        return ((keys.view(np.uint64) * _GOLDEN) >> self._shift).view(np.int64)

    def find(self, keys: Ids) -> NDArray[np.int32]:
        """The index of each key (none may be negative), -1 where it is not among those given."""
        at = self._home(keys)
        there = self._keys[at]
        slots = self._slots[at]
        other = np.flatnonzero((there != keys) & (there >= 0))
        slots[there != keys] = -1
        while len(other):
            at[other] = (at[other] + 1) & self._last
            there = self._keys[at[other]]
            found = there == keys[other]
            slots[other[found]] = self._slots[at[other[found]]]
            other = other[~found & (there >= 0)]
        return slots


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Ngrams:
    """A vocabulary of word n-grams: the words, then for each higher order pairs of (shorter n-gram, following word).

    An n-gram is only there if its beginning and its last word are, so the table of each order points into the one below.
    """

    words: tuple[str, ...]
    higher: tuple[NDArray[np.int64], ...] = ()
    """For each order above one, sorted keys: index of the shorter n-gram within its order × number of words + index of the word."""

    @cached_property
    def _index(self) -> dict[str, int]:
        return {word: index for index, word in enumerate(self.words)}

    @cached_property
    def _slots(self) -> tuple[Slots, ...]:
        return tuple(map(Slots, self.higher))

    def __len__(self) -> int:
        return len(self.words) + sum(len(keys) for keys in self.higher)

    def occurrences(self, words: Words) -> tuple[Ids, Ids]:
        """Every n-gram of the vocabulary where it occurs: its feature and the position of its first word."""
        known = self._known(words)
        positions = np.flatnonzero(known >= 0)
        here = known[positions]
        features, places = [here], [positions]
        offset = len(self.words)
        goes_on = _goes_on(words, known)
        for order, keys in enumerate(self._slots, start=2):
            longer = goes_on[positions + order - 2]
            positions, here = positions[longer], here[longer]
            slots = keys.find(here * len(self.words) + known[positions + order - 1])
            found = slots >= 0
            positions, here = positions[found], slots[found].astype(np.int64)
            features.append(here + offset)
            places.append(positions)
            offset += len(self.higher[order - 2])
        return np.concatenate(features), np.concatenate(places)

    def _known(self, words: Words) -> Ids:
        """The number of each word here, -1 where there is no such word; each distinct one is looked up once. [words]"""
        lookup = np.full(len(words.vocabulary), -1, np.int64)
        # a field may have few of the words that its articles have
        there = np.flatnonzero(np.bincount(words.ids, minlength=len(lookup)))
        distinct = words.vocabulary if len(there) == len(lookup) else [words.vocabulary[at] for at in there.tolist()]
        lookup[there] = np.fromiter(map(self._index.get, distinct, repeat(-1)), np.int64, len(there))
        return lookup[words.ids]

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
        given = pa.array(terms, pa.large_string())
        order = pc.count_substring(given, pattern=" ").to_numpy(zero_copy_only=False)
        if (np.diff(order) < 0).any():
            raise ValueError("the vocabulary has a longer n-gram before a shorter one")
        below = words = given.filter(pa.array(order == 0))
        if len(words.unique()) < len(words):
            raise ValueError("the vocabulary has a word twice")
        higher = []
        for length in range(1, int(order.max(initial=0)) + 1):
            longer = given.filter(pa.array(order == length))
            parts = pc.split_pattern(longer, pattern=" ", max_splits=1, reverse=True).flatten()
            keys = _places(parts[::2], below) * len(words) + _places(parts[1::2], words)
            if (np.diff(keys) <= 0).any():
                raise ValueError(f"the n-grams of {length + 1} words are not in order")
            higher.append(keys)
            below = longer
        return cls(tuple(words.to_pylist()), tuple(higher))


def _places(parts: pa.LargeStringArray, known: pa.LargeStringArray) -> Ids:
    """The index of each part of an n-gram among the known ones; raises ValueError for a part that is not there."""
    found = pc.index_in(parts, value_set=known)
    if found.null_count:
        raise ValueError(f"the n-gram part {parts.filter(pc.is_null(found))[0].as_py()!r} is not in the vocabulary")
    places: Ids = found.to_numpy(zero_copy_only=False).astype(np.int64)
    return places


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
    higher, counts, goes_on = [], [blocks], _goes_on(words, known)
    for length in range(2, longest + 1):
        longer = goes_on[positions + length - 2]
        positions = positions[longer]
        keys = here[longer] * len(names) + known[positions + length - 1]
        kept, here, positions, blocks = _prune(keys, positions, words.owner, texts=texts, min_df=min_df)
        higher.append(kept)
        counts.append(blocks)
    return Ngrams(names, tuple(higher)), sparse.hstack(counts, format="csr", dtype=np.float32)


def _goes_on(words: Words, known: Ids) -> NDArray[np.bool_]:
    """Whether a known word follows each word at once; `known` is -1 where the vocabulary has no such word. [words]"""
    result = words.followed.copy()
    result[:-1] &= known[1:] >= 0
    return result


def _prune(keys: Ids, positions: Ids, owner: Ids, *, texts: int, min_df: int) -> tuple[Ids, Ids, Ids, sparse.csr_array]:
    """Keys in enough texts (sorted), then for what is left the index of its key and its position, and the counts."""
    encoded = pa.array(keys).dictionary_encode()  # a hash table: sorting every occurrence takes five times as long
    distinct, which = encoded.dictionary.to_numpy(), encoded.indices.to_numpy()
    # what occurs too seldom is in too few texts: most n-grams go here, before anything is counted by text
    often = np.flatnonzero(np.bincount(which, minlength=len(distinct)) >= min_df)
    often = often[np.argsort(distinct[often])]
    number = np.full(len(distinct), -1, np.int64)
    number[often] = np.arange(len(often))
    index = number[which]
    positions, index = positions[index >= 0], index[index >= 0]
    counts = count_matrix(owner[positions], index, (texts, len(often)))
    enough = np.bincount(counts.indices, minlength=len(often)) >= min_df
    if enough.all():
        return distinct[often], index, positions, counts
    inside = enough[index]
    return distinct[often[enough]], (np.cumsum(enough) - 1)[index[inside]], positions[inside], counts[:, np.flatnonzero(enough)]


def count_matrix(rows: Ids, columns: Ids, shape: tuple[int, int]) -> sparse.csr_array:
    """How often each (row, column) stands in the two lists. float32, columns in order"""
    # sorting pairs packed into one number each is several times faster than going through scipy's COO
    bits = int(shape[1]).bit_length()
    pairs = np.sort((rows << bits) | columns)
    first = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1]))[: len(pairs)])
    distinct = pairs[first]
    counts = np.diff(first, append=len(pairs)).astype(np.float32)
    starts = np.searchsorted(distinct, np.arange(shape[0] + 1) << bits)
    # 32-bit indices: scikit-learn's solvers take no others
    places = (distinct & ((1 << bits) - 1)).astype(np.int32)
    return sparse.csr_array((counts, places, starts.astype(np.int32)), shape=shape)
