"""Near-duplicates: wire copies and republished articles, by the Jaccard similarity of their word 5-grams (Broder 1997)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

Ids = NDArray[np.int64]

SHINGLE = 5
"""Words a shingle."""

SIMILAR = 0.3
"""Jaccard similarity from which two texts are the same story. An edited wire copy with a new lede and two paragraphs cut keeps about 0.35 to
0.8 of its shingles; two articles about one event written apart share less than 0.05."""

COMMON = 200
"""A shingle in more texts than this is boilerplate, or a story that ran everywhere. Of the texts that have it only neighbours are compared for its
sake; it counts in the similarity of all."""

_Key = TypeVar("_Key", str, tuple[str, str])

_WORK = 1 << 22
"""Shingles compared at a time: this bounds the memory, however many copies there are."""


def shingles(ids: Ids, starts: Ids) -> sparse.csr_array:
    """Which shingles each text has, as booleans; columns are the distinct shingles. [texts, shingles]

    `ids` are the words of all texts one after another as numbers, text i has ids[starts[i]:starts[i + 1]]. A text shorter than a shingle is one
    shingle of its own length.
    """
    lengths = np.diff(starts)
    ends = np.repeat(starts[1:], lengths)
    place = np.arange(len(ids))
    owner = np.repeat(np.arange(len(lengths)), lengths)
    padded = np.append(ids, np.zeros(SHINGLE, np.int64)).astype(np.uint64) + np.uint64(1)
    keys = np.zeros(len(ids), np.uint64)
    with np.errstate(over="ignore"):
        for step in range(SHINGLE):
            word = np.where(place + step < ends, padded[step : step + len(ids)], np.uint64(0))
            keys = _mix(keys ^ (word * np.uint64(0x9E3779B97F4A7C15)))
    # a shingle begins at each word that has enough words after it, and at the first of a text in any case
    begins = (place + SHINGLE <= ends) | (place == ends - lengths[owner])
    column, width = _numbers(keys[begins])
    bits = width.bit_length()
    cells = np.sort((owner[begins] << bits) | column)
    cells = cells[np.flatnonzero(np.diff(cells, prepend=-1))]  # a text may have a shingle twice
    rows = np.searchsorted(cells, np.arange(len(lengths) + 1) << bits)
    return sparse.csr_array((np.ones(len(cells), np.int32), cells & ((1 << bits) - 1), rows), shape=(len(lengths), width))


def _numbers(keys: NDArray[np.uint64]) -> tuple[Ids, int]:
    """A number for each key, the same for equal ones, and how many there may be: repeated keys first, in their order.

    Nearly all shingles stand once in a corpus: these are told from the others by a table of a few bits of each repeated key, and not sorted again.
    """
    ordered = np.sort(keys)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    repeated = twice[np.flatnonzero(np.append(True, twice[1:] != twice[:-1])[: len(twice)])]
    bits = np.uint64(40)
    known = np.zeros(1 << 24, np.bool_)
    known[repeated >> bits] = True
    likely = np.flatnonzero(known[keys >> bits])
    found = np.searchsorted(repeated, keys[likely])
    again = found < len(repeated)
    again[again] = repeated[found[again]] == keys[likely[again]]
    number = np.arange(len(repeated), len(repeated) + len(keys))
    number[likely[again]] = found[again]
    return number, len(repeated) + len(keys)


def _mix(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of MurmurHash3 (Appleby): 64 bits in, 64 well-mixed bits out."""
    keys = (keys ^ (keys >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    keys = (keys ^ (keys >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return keys ^ (keys >> np.uint64(33))


def similar_pairs(table: sparse.csr_array, *, threshold: float = SIMILAR) -> tuple[Ids, Ids, NDArray[np.float64]]:
    """Pairs of texts (first < second, in order) whose shingle sets have at least this Jaccard similarity (above 0), and the similarity.

    All of them, but for texts whose likeness is mostly of COMMON shingles: of these only neighbours are paired, enough to link equal texts in a
    chain. So n copies give about n pairs, not n².
    """
    frequency = np.bincount(table.indices, minlength=table.shape[1])
    telling = table[:, np.flatnonzero((frequency > 1) & (frequency <= COMMON))]
    common = table[:, np.flatnonzero(frequency > COMMON)]
    sizes = np.diff(table.indptr)
    partners = telling.T.tocsr()  # [shingles, texts]
    first, second = _neighbours(table, common, np.flatnonzero(np.diff(common.indptr) > 0.5 * threshold * sizes))
    found = [(first, second, _overlap(table, first, second))]
    for rows in _blocks(telling @ np.diff(partners.indptr)):
        shared = sparse.coo_array(telling[rows] @ partners)
        first, second = rows[shared.coords[0]], shared.coords[1].astype(np.int64)
        # a similar pair that shares less than this shares enough common shingles for both to stand among the neighbours
        likely = (first < second) & (shared.data >= 0.5 * threshold * np.minimum(sizes[first], sizes[second]))
        first, second = first[likely], second[likely]
        found.append((first, second, shared.data[likely] + _overlap(common, first, second)))
    first, second, both = (np.concatenate(each) for each in zip(*found, strict=True))
    jaccard = both / (sizes[first] + sizes[second] - both)
    chosen = np.flatnonzero(jaccard >= threshold)
    chosen = chosen[np.unique(first[chosen] * len(sizes) + second[chosen], return_index=True)[1]]
    return first[chosen], second[chosen], jaccard[chosen]


def _neighbours(table: sparse.csr_array, common: sparse.csr_array, texts: Ids) -> tuple[Ids, Ids]:
    """Pairs of these texts that stand next to each other among those of them that have a common shingle."""
    # in the order of their shingles, whose numbers are hashes: equal texts always stand side by side, and like ones mostly (as in MinHash)
    order = np.array(sorted(texts.tolist(), key=lambda text: table.indices[table.indptr[text] : table.indptr[text + 1]].tobytes()), np.int64)
    by_shingle = common[order].tocsc()
    by_shingle.sort_indices()
    shingle = np.repeat(np.arange(common.shape[1]), np.diff(by_shingle.indptr))
    same = shingle[1:] == shingle[:-1]
    holder = order[by_shingle.indices]
    one, other = holder[:-1][same], holder[1:][same]
    pairs = np.unique(np.minimum(one, other) * common.shape[0] + np.maximum(one, other))
    return np.divmod(pairs, max(common.shape[0], 1))


def _overlap(table: sparse.csr_array, first: Ids, second: Ids) -> Ids:
    """How many shingles the two texts of each pair share. [pairs]"""
    sizes = np.diff(table.indptr)
    blocks = _blocks(sizes[first] + sizes[second])
    return np.concatenate([table[first[rows]].multiply(table[second[rows]]).sum(axis=1) for rows in blocks])


def _blocks(work: Ids) -> list[Ids]:
    """Runs of row numbers, each of about _WORK in all (one row at least); a single empty run where there are no rows."""
    return np.split(np.arange(len(work)), np.flatnonzero(np.diff(np.cumsum(work) // _WORK)) + 1)


def near_duplicates(ids: Ids, starts: Ids, *, threshold: float = SIMILAR) -> Ids:
    """A group number for each text: texts linked by a chain of near-duplicates share one. [texts]"""
    if len(starts) < 2:
        return np.empty(0, np.int64)
    first, second, _ = similar_pairs(shingles(ids, starts), threshold=threshold)
    links = sparse.coo_array((np.ones(len(first)), (first, second)), shape=(len(starts) - 1, len(starts) - 1))
    return connected_components(links, directed=False)[1].astype(np.int64)


@dataclass(frozen=True)
class Clusters:
    """What near_duplicates found, counted."""

    texts: int
    sizes: Mapping[int, int]
    """Texts of a story → how many stories have so many, from two texts on, by size."""

    within: Mapping[str, int]
    """Outlet → stories that it has more than once, most first."""

    between: Mapping[tuple[str, str], int]
    """Two outlets, in alphabetical order → stories that both have, most first."""

    @property
    def repeated(self) -> int:
        """Texts that are near-duplicates of another."""
        return sum(size * stories for size, stories in self.sizes.items())

    def as_dict(self, *, most: int = 20) -> dict[str, Any]:
        """Plain JSON values; of outlets and pairs of outlets those with the most stories, and how many there are in all."""
        return {
            "texts": self.texts,
            "repeated": self.repeated,
            "sizes": [{"texts": size, "stories": stories} for size, stories in self.sizes.items()],
            "outlets_that_repeat": len(self.within),
            "within": [{"outlet": outlet, "stories": stories} for outlet, stories in list(self.within.items())[:most]],
            "outlet_pairs": len(self.between),
            "between": [{"outlets": list(pair), "stories": stories} for pair, stories in list(self.between.items())[:most]],
        }


def clusters(story: Ids, outlets: Sequence[str]) -> Clusters:
    """Stories by the number of their texts and by the outlets that share them.

    `story` is what `near_duplicates` gives, `outlets` the outlet of each text, "" where it is not known: such texts count in the sizes alone.
    Raises ValueError where the two are not of one length.
    """
    if len(story) != len(outlets):
        raise ValueError(f"there are {len(story)} stories and {len(outlets)} outlets; one of each a text is needed")
    number, size = np.unique(story, return_inverse=True, return_counts=True)[1:]
    held: dict[int, list[str]] = {}
    for text in np.flatnonzero(size[number] > 1).tolist():
        held.setdefault(int(number[text]), []).append(outlets[text])
    within: Counter[str] = Counter()
    between: Counter[tuple[str, str]] = Counter()
    for names in held.values():
        counted = Counter(name for name in names if name)
        within.update(name for name, texts in counted.items() if texts > 1)
        between.update(combinations(sorted(counted), 2))
    sizes = Counter(size[size > 1].tolist())
    return Clusters(len(story), dict(sorted(sizes.items())), _most_first(within), _most_first(between))


def _most_first(counts: Counter[_Key]) -> dict[_Key, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
