"""One pass over the scores: how many rows each group has, what the model says of them in sum, and the rows that were asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from newsclf.errors import InputError
from newsclf.estimates.frame import Cell, Chunk, Groups, Scores
from newsclf.estimates.looked import Looked
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.survey import Ids

Key = tuple[str, str]
"""Place of an article in the corpus, or its id, and target; "" where the task has none."""


MOST = 2000
"""Groups that shares are given of: each takes coded articles, and every two of them tell something of each other."""


@dataclass(frozen=True)
class Picked:
    """A row that was asked for."""

    cell: int
    row: int
    """Its number in the corpus."""

    probabilities: Floats
    """[labels]"""

    decided: Booleans
    """[labels]"""


@dataclass
class Tally:
    """What a pass over the scores gave. Arrays have one row a cell, the smallest groups."""

    groups: Groups
    counts: Floats
    """[cells]"""

    sums: Floats
    """Of the probabilities. [cells, labels]"""

    squares: Floats
    """Of the squared probabilities. [cells, labels]"""

    decided: Floats
    """Rows that were given the label. [cells, labels]"""

    abstained: float = 0
    """Rows of an exclusive task that were given none."""

    picked: dict[Key, Picked] = field(default_factory=dict)
    """By place; a row that was asked for by its id, by that."""

    looked: Looked | None = None
    """Rows to look at one by one."""

    twice: set[str] = field(default_factory=set)
    """Ids that were asked for and that several articles have."""

    @property
    def cells(self) -> list[Cell]:
        """Values of the columns that group, of each cell in order."""
        return list(self.groups.numbers)


def tally(scores: Scores, groups: Groups, keys: Collection[Key] = (), *, look: bool = False) -> Tally:
    """Read all scores once, and keep some rows if asked to `look` at them; memory grows with groups and keys, not with the corpus.

    Raises InputError for too many groups, and DataError for a part that cannot be read.
    """
    labels = len(scores.codebook.names)
    nothing = np.zeros((0, labels))
    found = Tally(groups, np.zeros(0), nothing, nothing, nothing, looked=Looked() if look else None)
    wanted, places = set(keys), pa.array(sorted({place for place, _ in keys}), pa.string())
    exclusive = scores.codebook.kind == "exclusive"
    for chunk in scores.chunks(groups):
        cells = len(groups.numbers)
        if cells > MOST:
            raise InputError(f"--by {','.join(groups.by)}: these columns make more than {MOST:,} groups; group by fewer, or by longer periods.")
        found.counts = _grown(found.counts, np.bincount(chunk.cells, minlength=cells).astype(float))
        found.sums = _grown(found.sums, _added(chunk.cells, chunk.probabilities, cells))
        found.squares = _grown(found.squares, _added(chunk.cells, chunk.probabilities**2, cells))
        found.decided = _grown(found.decided, _added(chunk.cells, chunk.decided, cells))
        found.abstained += float((~chunk.decided.any(axis=1)).sum()) if exclusive else 0
        if found.looked is not None:
            found.looked.add(chunk.cells, chunk.probabilities)
        if len(places):
            _pick(found, chunk, wanted, places)
    return found


def _grown(before: Floats, more: Floats) -> Floats:
    """The sum of both, as long as the longer."""
    result = more.copy()
    result[: len(before)] += before
    return result


def _added(cells: Ids, values: Floats | Booleans, count: int) -> Floats:
    # of no rows bincount gives whole numbers
    return np.column_stack([np.bincount(cells, column, count) for column in values.T.astype(float)]).astype(float)


def _pick(found: Tally, chunk: Chunk, wanted: set[Key], places: pa.Array) -> None:
    named = [pc.is_in(chunk.table[column], value_set=places).to_numpy(zero_copy_only=False) for column in ("place", "id")]
    at = np.flatnonzero(named[0] | named[1])
    identifiers = chunk.table["id"].take(pa.array(at)).to_pylist()
    for row, (place, target), identifier in zip(at.tolist(), chunk.keys(at), identifiers, strict=True):
        for key in wanted & {(place, target), (identifier, target)}:
            if key in found.picked:
                found.twice.add(identifier)
            found.picked[key] = Picked(int(chunk.cells[row]), chunk.first + row, chunk.probabilities[row], chunk.decided[row])
