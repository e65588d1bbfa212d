"""What labels are regressed on: traits that all articles of one of the smallest groups have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.survey import Ids


@dataclass(frozen=True)
class Regressors:
    """What a label is regressed on: traits that all articles of one of the smallest groups have in common."""

    names: tuple[str, ...]
    values: Floats
    """[cells, regressors]; a cell whose values are all 0 is left out."""

    levels: Mapping[str, Booleans] = field(default_factory=dict)
    """Name → the cells of each part of the corpus that is compared with another, which needs coded rows of its own. [cells]"""

    def __post_init__(self) -> None:
        """Raises ValueError for names and values that do not belong together, and values that are no numbers."""
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names) or not self.names:
            raise ValueError(f"{len(self.names)} regressors need values [cells, {len(self.names)}]; they are {list(self.values.shape)}")
        if not np.isfinite(self.values).all():
            raise ValueError(f"{self.names[int((~np.isfinite(self.values)).any(axis=0).argmax())]}: the values of a regressor are finite numbers")

    @property
    def inside(self) -> Booleans:
        """The cells that are not left out. [cells]"""
        return np.asarray(self.values.any(axis=1))

    def within(self, cells: Booleans) -> Regressors:
        """The same for a part of the corpus, [cells]: the others stay in the design that the sample was drawn by, as they must."""
        levels = {name: each & cells for name, each in self.levels.items()}
        return Regressors(self.names, self.values * cells[:, None], {name: each for name, each in levels.items() if each.any()})


def regressors(
    groups: Sequence[str] | None = None,
    periods: Ids | None = None,
    *,
    reference: str | None = None,
    time: Literal["linear", "dummies"] = "linear",
    since: int | None = None,
) -> Regressors:
    """Regressors from the group and the period number of each cell, [cells] both: label ~ group + time + (period ≥ since).

    There is a dummy for each group but the `reference`, which the others are compared with; None: the first in the alphabet. Time is the period's
    number, the intercept being that of period 0, or a dummy for each period but the first; with `since` it is a dummy for that period and all later
    ones. Raises ValueError for neither groups nor periods, a reference that no cell has, and a period that none is before, or none from it on.
    """
    cells = len(groups) if groups is not None else len(periods) if periods is not None else 0
    if not cells:
        raise ValueError("regressors are of groups or of periods: neither was given")
    columns, levels = {"(intercept)": np.ones(cells)}, {}
    if groups is not None:
        levels = {name: np.array([group == name for group in groups]) for name in sorted(set(groups))}
        first = reference if reference is not None else next(iter(levels))
        if first not in levels:
            raise ValueError(f"{first!r} is to be the group that others are compared with, and no article is in it; groups are {list(levels)}")
        columns |= {name: inside.astype(float) for name, inside in levels.items() if name != first}
    if periods is not None and since is not None:
        if not periods.min() < since <= periods.max():
            raise ValueError(f"a change in period {since} needs articles before and after it: periods are {periods.min()} to {periods.max()}")
        levels |= {f"before period {since}": periods < since, f"since period {since}": periods >= since}
        columns[f"since period {since}"] = (periods >= since).astype(float)
    elif periods is not None and time == "dummies":
        dummies = {f"period {number}": periods == number for number in np.unique(periods)}
        levels |= dummies
        columns |= {name: inside.astype(float) for name, inside in list(dummies.items())[1:]}
    elif periods is not None:
        columns["period"] = periods.astype(float)
    return Regressors(tuple(columns), np.column_stack(list(columns.values())), levels)
