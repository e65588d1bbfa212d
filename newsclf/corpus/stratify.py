"""Groups of rows dealt out to parts so that every label is spread evenly, and how evenly it came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def assign(groups: Ids, truth: Booleans, shares: Sequence[float], *, seed: int) -> Ids:
    """Which part each row goes to: groups whole, every label spread over the parts in proportion to their shares. [rows]

    Greedy, for multi-label and exclusive tasks alike: groups in order of their rarest label, then of their size (ties by the seed), each to the part
    whose squared shortfall of labels and rows shrinks most. Iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011) with groups.
    A part stays empty only where there are fewer groups than parts. `bound` says how far a label's spread can be off.
    """
    share = np.array(shares, np.float64) / np.sum(shares)
    table = _counts(groups, truth)
    count = len(table)
    total = np.maximum(table.sum(axis=0), 1)
    rarity = np.where(table[:, :-1] > 0, total[:-1], np.inf).min(axis=1, initial=np.inf)
    shuffled = np.random.default_rng(seed).permutation(count)
    order = shuffled[np.lexsort((-table[shuffled, -1], rarity[shuffled]))]
    wanted = share[:, None] * total  # [parts, labels + rows]
    held = np.zeros_like(wanted)
    part = np.zeros(count, np.int64)
    for done, group in enumerate(order):
        # (held + row - wanted)² - (held - wanted)², in units of what the part should get of each label
        change = (table[group] * (2 * (held - wanted) + table[group]) / (total * wanted)).sum(axis=1)
        # the last groups go to the parts that have none: two outlets of one size would both train, and nothing would test
        empty = held[:, -1] == 0
        if empty.sum() >= count - done:
            change[~empty] = np.inf
        part[group] = int(np.argmin(change))
        held[part[group]] += table[group]
    return part[groups]


def _counts(groups: Ids, truth: Booleans) -> NDArray[np.float64]:
    """Rows of each group that have each label, and all its rows in the last column. [groups, labels + 1]"""
    counted = np.hstack([truth, np.ones((len(groups), 1), bool)]).astype(np.float64)
    table = np.zeros((int(groups.max(initial=-1)) + 1, counted.shape[1]))
    np.add.at(table, groups, counted)
    return table


def bound(groups: Ids, truth: Booleans, shares: Sequence[float]) -> NDArray[np.float64]:
    """By how much the part of any label's rows that `assign` gives to each part can differ from the part's share. [parts]

    sqrt(share · (parts - 1) · H), where H sums, over the labels and the rows as such, the squared shares of the groups in it (Herfindahl's index):
    many small groups give a small bound. The step that `assign` takes is never worse than the mean over the parts, weighed by their shares, so its
    squared error is never above that of dealing out by lot on average. It holds where every part has two groups or more: the last groups
    are given to parts that have none, whatever their labels.
    """
    share = np.array(shares, np.float64) / np.sum(shares)
    table = _counts(groups, truth)
    concentration = float(((table / np.maximum(table.sum(axis=0), 1)) ** 2).sum())
    limits: NDArray[np.float64] = np.sqrt(share * (len(share) - 1) * concentration)
    return limits


@dataclass(frozen=True)
class Balance:
    """How evenly the labels came out."""

    rows: Mapping[str, int]
    """Part → its rows."""

    overall: Mapping[str, float]
    """Label → share of all rows of these parts that have it."""

    rates: Mapping[str, Mapping[str, float]]
    """Label → part → share of the part's rows that have it."""

    label: str
    part: str
    deviation: float
    """The largest difference between a part's rate and the overall one, and the label and part that have it."""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        largest = {"label": self.label, "part": self.part, "deviation": self.deviation}
        return {
            "rows": dict(self.rows),
            "overall": dict(self.overall),
            "rates": {name: dict(rates) for name, rates in self.rates.items()},
            "largest": largest,
        }


def balance(part: NDArray[Any], truth: Booleans, names: Sequence[str], *, of: Sequence[Any] | None = None) -> Balance:
    """The rate of each label in each part and the largest deviation from the overall rate; raises ValueError where there is no row.

    `part` is [rows], names or numbers of parts; `of` says which parts count (all unless given: a caller leaves `aside` out). `truth` is
    [rows, labels], `names` are its columns.
    """
    chosen = list(dict.fromkeys(part.tolist())) if of is None else [one for one in of if (part == one).any()]
    inside = np.isin(part, chosen)
    if not inside.any():
        raise ValueError("the balance of no rows")
    overall = truth[inside].mean(axis=0)  # [labels]
    rates = np.array([truth[part == one].mean(axis=0) for one in chosen])  # [parts, labels]
    apart = np.abs(rates - overall)
    row, column = divmod(int(apart.argmax()), len(names)) if apart.size else (0, 0)
    return Balance(
        {str(one): int((part == one).sum()) for one in chosen},
        dict(zip(names, overall.tolist(), strict=True)),
        {name: {str(one): float(rates[at, k]) for at, one in enumerate(chosen)} for k, name in enumerate(names)},
        names[column] if apart.size else "",
        str(chosen[row]),
        float(apart.max(initial=0.0)),
    )
