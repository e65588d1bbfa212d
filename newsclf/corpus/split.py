"""Splits that do not leak: what belongs together stays on one side, and near-duplicates of test articles never train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from newsclf.corpus.dates import LATEST, later, span, spans
from newsclf.corpus.stratify import assign
from newsclf.errors import DataError, InputError, listed, shown
from newsclf.spec import Spec

Ids = NDArray[np.int64]
Booleans = NDArray[np.bool_]

NEAR_DUPLICATE = "near_duplicate"
MANY = 20_000
"""Rows from which three folds do."""


WAYS = ("where", "after", "replay")
"""Keys that say what to test on."""


class SplitSpec(Spec):
    """How training and test articles are kept apart."""

    test: float = Field(default=0.25, gt=0, lt=1)
    """Share of the articles to test on, where nothing else says which: no test file, `where`, `after` or `replay`."""

    where: dict[str, tuple[str, ...]] = {}
    """Test on the rows whose column has one of these values, for example {fold: [0]}."""

    after: str | None = None
    """Test on the articles of this date (2024-01-31, 2024-01, 2024) or later, learn from earlier ones; latest: the date that leaves the share `test`.
    Where a group that is kept together has both, one side of it is set aside."""

    replay: str | None = None
    """The split.jsonl of an earlier run, for the same split once more."""

    keep_together: tuple[str, ...] = (NEAR_DUPLICATE,)
    """What stays on one side: outlet, date, or any column. near_duplicate is always in force: copies stay together or are set aside."""

    outlets: dict[str, str] = {}
    """Names of outlets beside those of newsclf's table: spelling → the outlet's one name; a name mapped to itself stays apart."""

    folds: Annotated[int, Field(ge=2)] | Literal["auto"] = "auto"
    """Folds of cross-validation within the training articles, by the same groups; auto takes 5, and 3 where there are 20,000 rows and more."""

    stratify: bool = True
    """Spread every label over the parts and folds in proportion; false deals the groups out by their size alone."""

    seed: int = Field(default=0, ge=0)
    """Seed of the split and of the folds."""

    @field_validator("where", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {str(key): tuple(str(item) for item in (items if isinstance(items, (list, tuple)) else [items])) for key, items in value.items()}

    @field_validator("after", mode="before")
    @classmethod
    def _date(cls, value: Any) -> Any:
        text = str(value) if type(value) is int else value  # a year stands in YAML as a number
        if text is not None and text != LATEST and (not isinstance(text, str) or span(text) is None):
            raise ValueError(f"must be a date such as 2024-01-31, or {LATEST}, not {shown(value)}")
        return text

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in WAYS if getattr(self, name)]
        if len(ways) > 1:
            raise ValueError(f"{listed(ways)} each say what to test on; keep one of them")
        return self

    @property
    def way(self) -> str:
        """Which key says what to test on; empty where a share is drawn."""
        return next((name for name in WAYS if getattr(self, name)), "")


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

    dates: Sequence[str] = ()
    """Date of each row as the article has it; only a split by time reads them."""

    places: Sequence[str] = ()
    """Where each row was read, for messages; beside `dates`."""

    def take(self, chosen: Ids) -> Rows:
        """Some of the rows."""
        keys = tuple([key[row] for row in chosen.tolist()] for key in self.keys)
        dates, places = ([each[row] for row in chosen.tolist()] if each else () for each in (self.dates, self.places))
        return Rows(self.truth[chosen], self.article[chosen], self.story[chosen], keys, dates, places)

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


def split(rows: Rows, spec: SplitSpec) -> NDArray[np.str_]:
    """The part of each row: train, test, or aside where a training row near-duplicates a test row. [rows]

    By time, rows that would break up a group are aside too. Raises DataError where what is kept together leaves nothing to part, what is set aside
    nothing to learn from, or a date is missing or does not part the rows.
    """
    if spec.replay is not None:
        raise InputError(f"split: the split of {spec.replay} is read with newsclf.corpus.replay.replayed(), not made anew.")
    if spec.after is not None:
        part = _by_time(rows, spec)
    else:
        groups = rows.groups()
        if len(np.unique(groups)) < 2:
            raise DataError(
                f"split: keep_together = {listed(spec.keep_together)} joins all {len(groups)} rows into one group: there is nothing to part."
            )
        part = parts(rows, assign(groups, _told(rows, spec), (1 - spec.test, spec.test), seed=spec.seed) == 1)
    if "train" not in part:
        aside, tested = (part == "aside").sum(), (part == "test").sum()
        raise DataError(f"split: the {aside} rows to learn from all near-duplicate the {tested} rows to test on: nothing is left to learn from.")
    return part


def parts(rows: Rows, test: Booleans) -> NDArray[np.str_]:
    """The part of each row, given which rows to test on. [rows]"""
    return _without_leaks(rows, ~test, test)


def _without_leaks(rows: Rows, inside: Booleans, test: Booleans) -> NDArray[np.str_]:
    return np.where(test, "test", np.where(inside & ~leaks(rows.story, inside, test), "train", "aside"))


def _told(rows: Rows, spec: SplitSpec) -> Booleans:
    """The labels that are to be spread: all or none. [rows, labels]"""
    return rows.truth if spec.stratify else rows.truth[:, :0]


def _by_time(rows: Rows, spec: SplitSpec) -> NDArray[np.str_]:
    """Earlier rows to learn from, later ones to test on; a group that has both keeps those of one side, and its others are set aside. [rows]"""
    if len(rows.dates) != len(rows.article) or len(rows.places) != len(rows.article):
        raise InputError(f"split: a split by time needs Rows.dates and Rows.places, one of each for {len(rows.article)} rows.")
    late = later(spans(rows.dates, rows.places, key="split.after"), str(spec.after), share=spec.test, dates=rows.dates, places=rows.places)
    # stories do not hold a row back: the copy of a test article is set aside, as everywhere
    groups = joined(len(rows.article), [rows.article.tolist(), *rows.keys])
    both = np.flatnonzero(np.isin(groups, groups[late]) & np.isin(groups, groups[~late]))
    tests = late.copy()
    if len(both):
        numbers = np.unique(groups[both], return_inverse=True)[1].astype(np.int64)
        tests[both] = assign(numbers, _told(rows, spec)[both], (1 - spec.test, spec.test), seed=spec.seed) == 1
    inside, test = ~late & ~tests, late & tests
    if not inside.any() or not test.any():
        raise DataError(
            f"split: keep_together = {listed(spec.keep_together)} with after = {spec.after} leaves {inside.sum()} rows to learn from and "
            f"{test.sum()} to test on: {len(both)} of {len(late)} rows are in groups that lie on both sides. Keep less together, or another date."
        )
    return _without_leaks(rows, inside, test)


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
    fold = assign(groups, _told(rows, spec), [1.0] * number, seed=spec.seed)
    result = []
    for index in np.unique(fold):
        held = fold == index
        inside = ~held & ~leaks(rows.story, ~held, held)
        if not inside.any():
            raise DataError(f"cross-validation: all rows near-duplicate the {held.sum()} rows of one fold: nothing is left to learn from.")
        result.append((np.flatnonzero(inside), np.flatnonzero(held)))
    return result
