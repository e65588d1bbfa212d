"""Which rows are learnt from together: of like length, in an order that a seed and the epoch decide."""

from __future__ import annotations

import numpy as np

from newsclf.learners.ngrams import Ids

POOL = 32
"""Batches that are made of rows sorted by length: the more, the less padding and the less chance."""


def epoch_batches(lengths: Ids, batch: int, *, seed: int, epoch: int) -> list[Ids]:
    """Every row once, `batch` rows at a time (the last few of a pool may be fewer), of like length.

    The order depends on the arguments alone: a run that goes on after a kill sees the rows in the order in which it would have seen them. In the
    first epoch the batch of the longest rows comes first, so that what does not fit into memory shows at once.
    """
    dice = np.random.default_rng([seed, epoch])
    order = dice.permutation(len(lengths))
    found = []
    for start in range(0, len(order), POOL * batch):
        pool = order[start : start + POOL * batch]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        found += [pool[at : at + batch] for at in range(0, len(pool), batch)]
    mixed = [found[place] for place in dice.permutation(len(found)).tolist()]
    if epoch == 0 and mixed:
        longest = int(np.argmax([lengths[rows].max() for rows in mixed]))
        mixed.insert(0, mixed.pop(longest))
    return mixed
