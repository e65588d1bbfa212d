"""Near-duplicates: wire copies and republished articles, by the Jaccard similarity of their word 5-grams (Broder 1997)."""

from __future__ import annotations

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
"""A shingle in more texts than this is boilerplate: it nominates no pairs, but counts in the similarity of those that others nominate."""

_ROWS = 2000


def shingles(ids: Ids, starts: Ids) -> sparse.csr_array:
    """Which shingles each text has, as booleans; columns are the distinct shingles. [texts, shingles]

    `ids` are the words of all texts one after another as numbers, text i has ids[starts[i]:starts[i + 1]]. A text shorter than a shingle is one
    shingle of its own length.
    """
    lengths = np.diff(starts)
    count = np.where(lengths > 0, np.maximum(lengths - SHINGLE + 1, 1), 0)
    owner = np.repeat(np.arange(len(lengths)), count)
    first = np.repeat(starts[:-1] - np.concatenate(([0], np.cumsum(count)[:-1])), count) + np.arange(count.sum())
    keys = np.zeros(len(first), np.uint64)
    padded = np.append(ids, np.zeros(SHINGLE, np.int64)).astype(np.uint64) + np.uint64(1)
    with np.errstate(over="ignore"):
        for step in range(SHINGLE):
            word = np.where(first + step < starts[owner + 1], padded[first + step], np.uint64(0))
            keys = _mix(keys ^ (word * np.uint64(0x9E3779B97F4A7C15)))
    distinct, column = np.unique(keys, return_inverse=True)
    table = sparse.csr_array((np.ones(len(owner), np.int32), (owner, column)), shape=(len(lengths), len(distinct)))
    table.sum_duplicates()
    table.data[:] = 1
    return table


def _mix(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of MurmurHash3 (Appleby): 64 bits in, 64 well-mixed bits out."""
    keys = (keys ^ (keys >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    keys = (keys ^ (keys >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return keys ^ (keys >> np.uint64(33))


def similar_pairs(table: sparse.csr_array, *, threshold: float = SIMILAR) -> tuple[Ids, Ids, NDArray[np.float64]]:
    """Pairs of texts (first < second) whose shingle sets have at least this Jaccard similarity, and the similarity."""
    frequency = np.bincount(table.indices, minlength=table.shape[1])
    telling = table[:, np.flatnonzero((frequency > 1) & (frequency <= COMMON))]
    sizes = np.diff(table.indptr)
    firsts, seconds, values = [], [], []
    for begin in range(0, table.shape[0], _ROWS):
        shared = sparse.coo_array(telling[begin : begin + _ROWS] @ telling.T)
        first, second = shared.coords[0] + begin, shared.coords[1]
        # what they share of the telling shingles is a lower bound: boilerplate is added for those that could still pass
        likely = (first < second) & (shared.data >= 0.5 * threshold * np.minimum(sizes[first], sizes[second]))
        first, second = first[likely], second[likely]
        both = np.asarray(table[first].multiply(table[second]).sum(axis=1)).ravel()
        jaccard = both / (sizes[first] + sizes[second] - both)
        passed = jaccard >= threshold
        firsts.append(first[passed])
        seconds.append(second[passed])
        values.append(jaccard[passed])
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(values)


def near_duplicates(ids: Ids, starts: Ids, *, threshold: float = SIMILAR) -> Ids:
    """A group number for each text: texts linked by a chain of near-duplicates share one. [texts]"""
    if len(starts) < 2:
        return np.empty(0, np.int64)
    first, second, _ = similar_pairs(shingles(ids, starts), threshold=threshold)
    links = sparse.coo_array((np.ones(len(first)), (first, second)), shape=(len(starts) - 1, len(starts) - 1))
    return connected_components(links, directed=False)[1].astype(np.int64)
