"""Groups of which too little is coded: their shares lean on what the model gets wrong in the groups that take them in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from newsclf.errors import InputError
from newsclf.estimates.contrasts import Group
from newsclf.scores.estimate import Corpus, Sample, Shares
from newsclf.scores.metrics import Booleans
from newsclf.scores.shrink import Pooled, pooled


def leaning(sample: Sample, corpus: Corpus, groups: Sequence[Group], members: Booleans, *, best: Shares) -> Pooled:
    """Shares of the smallest groups, NaN elsewhere: the parent of each has all its columns but the last. [groups, labels]

    `members` [groups, cells]. Raises InputError where too few groups tell how errors differ.
    """
    most = max(map(len, groups))
    leaves = np.array([len(group) == most for group in groups])
    names = [tuple(group.values())[:-1] for group in groups if len(group) == most]
    place = {name: number for number, name in enumerate(sorted(set(names)))}
    try:
        found = pooled(sample, corpus, members[leaves], np.array([place[name] for name in names], np.int64), weight=best.weight)
    except ValueError as error:
        raise InputError(f"--small pool: {error}") from error
    all_groups = np.full((4, *best.share.shape), np.nan)
    all_groups[:, leaves] = found.share, found.variance, found.freedom, found.own
    return Pooled(all_groups[0], all_groups[1], all_groups[2], all_groups[3], found.spread)
