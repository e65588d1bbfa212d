"""Splits that do not leak: what belongs together stays on one side, and near-duplicates of test articles never train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from newsclf.errors import DataError, listed
from newsclf.spec import Spec

Ids = NDArray[np.int64]
Booleans = NDArray[np.bool_]

NEAR_DUPLICATE = "near_duplicate"
MANY = 20_000
"""Rows from which three folds do."""


class SplitSpec(Spec):
    """How training and test articles are kept apart."""

    test: float = Field(default=0.25, gt=0, lt=1)
    """Share of the articles to test on, where neither a test file nor `where` is given."""

    where: dict[str, tuple[str, ...]] = {}
    """Test on the rows whose column has one of these values, for example {fold: [0]}."""

    keep_together: tuple[str, ...] = (NEAR_DUPLICATE,)
    """What stays on one side: outlet, date, or any column. near_duplicate is always in force: copies stay together or are set aside."""

    folds: Annotated[int, Field(ge=2)] | Literal["auto"] = "auto"
    """Folds of cross-validation within the training articles, by the same groups; auto takes 5, and 3 where there are 20,000 rows and more."""

    seed: int = Field(default=0, ge=0)
    """Seed of the split and of the folds."""

    @field_validator("where", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {str(key): tuple(str(item) for item in (items if isinstance(items, (list, tuple)) else [items])) for key, items in value.items()}


@dataclass(frozen=True)
class Rows:
    """What a split has to know of each coded row."""

    truth: Booleans
    """[rows, labels]"""

    article: Ids
    """Which article each row is about: rows of one article are never parted. [rows]"""

    story: Ids
    """Near-duplicates share a number. [rows]"""

    keys: tuple[Sequence[object], ...] = ()
    """Values of the columns to keep together, one a row each; an empty value joins nothing."""

    def take(self, chosen: Ids) -> Rows:
        """Some of the rows."""
        keys = tuple([key[row] for row in chosen.tolist()] for key in self.keys)
        return Rows(self.truth[chosen], self.article[chosen], self.story[chosen], keys)

    def groups(self) -> Ids:
        """A number for each row; rows with one number go to one side. [rows]

        Near-duplicates are such groups where nothing else is kept together. Beside outlets they are not: a wire story would join all outlets that
        ran it, and in the end the whole corpus. There `leaks` sets the copies aside instead.
        """
        return joined(len(self.article), [self.article.tolist(), *(self.keys or [self.story.tolist()])])


def joined(rows: int, keys: Sequence[Sequence[object]]) -> Ids:
    """A group number for each row: rows that agree in any of the keys, directly or through others, share one. [rows]"""
    links = []
    for key in keys:
        seen: dict[object, int] = {}
        links += [(seen.setdefault(value, row), row) for row, value in enumerate(key) if value not in ("", None)]
    first, second = np.array(links, np.int64).reshape(-1, 2).T
    graph = sparse.coo_array((np.ones(len(first)), (first, second)), shape=(rows, rows))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def leaks(story: Ids, inside: Booleans, held: Booleans) -> Booleans:
    """Rows to learn from that near-duplicate a held-out row, and so must be set aside. [rows]"""
    return inside & np.isin(story, story[held])


def assign(groups: Ids, truth: Booleans, shares: Sequence[float], *, seed: int) -> Ids:
    """Which part each row goes to: groups whole, every label spread over the parts in proportion to their shares. [rows]

    Greedy, for multi-label and exclusive tasks alike: groups in order of their rarest label, then of their size (ties by the seed), each to the part
    whose squared shortfall of labels and rows shrinks most. Iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011) with groups.
    A part stays empty only where there are fewer groups than parts.
    """
    share = np.array(shares, np.float64) / np.sum(shares)
    count = int(groups.max(initial=-1)) + 1
    counted = np.hstack([truth, np.ones((len(groups), 1), bool)]).astype(np.float64)
    table = np.zeros((count, counted.shape[1]))  # [groups, labels + rows]
    np.add.at(table, groups, counted)
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


def split(rows: Rows, spec: SplitSpec) -> NDArray[np.str_]:
    """The part of each row: train, test, or aside where a training row near-duplicates a test row. [rows]

    Raises DataError where what is kept together leaves nothing to part, or what is set aside nothing to learn from.
    """
    groups = rows.groups()
    if len(np.unique(groups)) < 2:
        raise DataError(f"split: keep_together = {listed(spec.keep_together)} joins all {len(groups)} rows into one group: there is nothing to part.")
    part = parts(rows, assign(groups, rows.truth, (1 - spec.test, spec.test), seed=spec.seed) == 1)
    if "train" not in part:
        aside, tested = (part == "aside").sum(), (part == "test").sum()
        raise DataError(f"split: the {aside} rows to learn from all near-duplicate the {tested} rows to test on: nothing is left to learn from.")
    return part


def parts(rows: Rows, test: Booleans) -> NDArray[np.str_]:
    """The part of each row, given which rows to test on. [rows]"""
    return np.where(test, "test", np.where(leaks(rows.story, ~test, test), "aside", "train"))


def cross_validation(rows: Rows, spec: SplitSpec) -> list[tuple[Ids, Ids]]:
    """Rows to learn from and rows held out, for each fold; every row is held out once, by the same rules as the split.

    There are as many folds as the spec asks for, or as there are groups; where outlets are kept together and fewer than two outlets are left, the
    articles themselves are the groups. Raises DataError where the rows cannot be parted, or a fold would have nothing to learn from.
    """
    groups = rows.groups()
    if len(np.unique(groups)) < 2:
        groups = joined(len(rows.article), [rows.article.tolist(), rows.story.tolist()])
    # what a fold leaves out costs less the more there is, and every fold is as many fits as there are values of C
    folds = (5 if len(groups) < MANY else 3) if spec.folds == "auto" else spec.folds
    number = min(folds, len(np.unique(groups)))
    if number < 2:
        raise DataError(f"cross-validation needs two groups of training rows at least; all {len(groups)} rows belong together.")
    fold = assign(groups, rows.truth, [1.0] * number, seed=spec.seed)
    result = []
    for index in np.unique(fold):
        held = fold == index
        inside = ~held & ~leaks(rows.story, ~held, held)
        if not inside.any():
            raise DataError(f"cross-validation: all rows near-duplicate the {held.sum()} rows of one fold: nothing is left to learn from.")
        result.append((np.flatnonzero(inside), np.flatnonzero(held)))
    return result
