"""Which groups are compared with which: pairs of outlets, one period with the one before, the first with the last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from newsclf.estimates.frame import NONE, TIMES, Cell

MANY = 12
"""Groups of a column beyond which each is compared with the whole corpus, and not with every other."""

Group = Mapping[str, str]
"""Column → value; columns that are not named are summed over."""


@dataclass(frozen=True)
class Family:
    """Differences whose intervals hold together."""

    name: str
    pairs: tuple[tuple[int, int], ...]
    """Numbers of the groups: the first less the second."""


def margins(by: Sequence[str], cells: Sequence[Cell], *, apart: Sequence[str] = ()) -> list[Group]:
    """The groups that shares are given of: the whole corpus, every value of every column, and the smallest groups; sorted by name.

    Columns `apart` are never summed over: a stance is toward one target.
    """
    named = [dict(zip(by, cell, strict=True)) for cell in sorted(cells)]
    rest = [column for column in by if column not in apart]
    kept = [(), *((column,) for column in rest if len(rest) > 1), tuple(rest)]
    shown = [[{column: cell[column] for column in by if column in apart or column in columns} for cell in named] for columns in dict.fromkeys(kept)]
    return [dict(group) for groups in shown for group in sorted({tuple(group.items()) for group in groups})]


def families(groups: Sequence[Group], by: Sequence[str], told: Sequence[bool], *, apart: Sequence[str] = ()) -> Iterator[Family]:
    """The comparisons that can be made: groups without a share, and rows without a value, are left out of them."""
    for whole, group in enumerate(groups):
        if set(group) == set(apart):
            kept = {column: value for column, value in group.items() if column in apart}
            inside = [number for number, other in enumerate(groups) if told[number] and NONE not in other.values() and kept.items() <= other.items()]
            where = f" of {', '.join(kept.values())}" if kept else ""
            yield from _families(whole, {number: groups[number] for number in inside}, [column for column in by if column not in apart], where)


def _families(whole: int, groups: Mapping[int, Group], by: Sequence[str], where: str) -> Iterator[Family]:
    """Comparisons within the group `whole`, that takes in all others."""
    time = next((column for column in by if column in TIMES), None)
    smallest = {number: tuple(group[column] for column in by) for number, group in groups.items() if set(by) <= set(group)}
    for column in by:
        alone = [number for number, group in groups.items() if [name for name in by if name in group] == [column]]
        if column == time:
            yield from _if_any(f"one {column} and the one before{where}", [(later, before) for before, later in pairwise(alone)])
        elif len(alone) <= MANY:
            yield from _if_any(f"pairs of {column}{where}", list(combinations(alone, 2)))
        elif whole in groups:
            yield from _if_any(f"each {column} and the whole{where}", [(one, whole) for one in alone])
    if time and len(by) > 1:
        rest = [column for column in by if column != time]
        lines: dict[tuple[str, ...], list[int]] = {}
        for number in smallest:
            lines.setdefault(tuple(groups[number][column] for column in rest), []).append(number)
        pairs = [(line[-1], line[0]) for line in lines.values() if len(line) > 1]
        yield from _if_any(f"the last {time} and the first of each {', '.join(rest)}{where}", pairs)


def _if_any(name: str, pairs: Sequence[tuple[int, int]]) -> Iterator[Family]:
    if pairs:
        yield Family(name, tuple(pairs))
