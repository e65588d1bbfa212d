"""The scored rows of one task, streamed: which group each is in, and what the model says of it. What is sampled from, and what shares are of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from newsclf.codebook import Codebook
from newsclf.corpus.dates import MONTHS, period_name, periods, span
from newsclf.corpus.outlets import Outlets, canonical
from newsclf.errors import DataError, InputError, listed, nearest
from newsclf.estimates.finished import Finished, reading
from newsclf.inference.job import Job
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.survey import Ids

TIMES = (*MONTHS, "day")
"""What `date` can be cut into: groups of these names are made of it."""

NONE = "(none)"
"""The group of rows that have no value in a column, or no date that can be read."""

Cell = tuple[str, ...]
"""The values of the columns that group, in their order."""


@dataclass(frozen=True)
class Chunk:
    """Some scored rows, in the order of the corpus."""

    cells: Ids
    """Number of the smallest group of each. [rows]"""

    probabilities: Floats
    """[rows, labels]"""

    decided: Booleans
    """[rows, labels]"""

    table: pa.Table
    """Columns place, id, and for stance target."""

    first: int
    """Number of its first row in the corpus."""

    def keys(self, at: Ids) -> list[tuple[str, str]]:
        """Place and target ("" where the task has none) of some of its rows."""
        taken = self.table.take(pa.array(at))
        targets = taken["target"].to_pylist() if "target" in taken.column_names else [""] * len(at)
        return list(zip(taken["place"].to_pylist(), targets, strict=True))

    def ids(self, at: Ids) -> list[str]:
        """Ids of some of its rows."""
        return list(self.table["id"].take(pa.array(at)).to_pylist())


@dataclass
class Groups:
    """The smallest groups, which columns make, numbered as they are met."""

    by: tuple[str, ...]
    outlets: Outlets | None = None
    """One name for each outlet, where they group."""

    numbers: dict[Cell, int] = field(default_factory=dict)

    def of(self, table: pa.Table) -> Ids:
        """The number of each row's group. [rows]"""
        mixed = np.zeros(table.num_rows, np.int64)
        values: list[list[str]] = []
        for name in self.by:
            encoded = table["date" if name in TIMES else name].combine_chunks().dictionary_encode(null_encoding="encode")
            told, codes = np.unique(np.array(self._named(name, encoded.dictionary.to_pylist()), object), return_inverse=True)
            mixed = mixed * len(told) + codes.reshape(-1)[encoded.indices.to_numpy(zero_copy_only=False)]
            values.append(told.tolist())
        there, inverse = np.unique(mixed, return_inverse=True)
        cells = np.array([self._number(int(code), values) for code in there], np.int64)
        return np.asarray(cells[inverse.reshape(-1)]) if len(there) else mixed

    def _number(self, code: int, values: Sequence[Sequence[str]]) -> int:
        cell = []
        for names in reversed(values):
            code, at = divmod(code, len(names))
            cell.append(names[at])
        return self.numbers.setdefault(tuple(reversed(cell)), len(self.numbers))

    def _named(self, column: str, values: Sequence[Any]) -> list[str]:
        if column == "outlet" and self.outlets:
            return [self.outlets.of(value or "") or NONE for value in values]
        if column == "day":
            return [value[:10] if value and (days := span(value)) and days[0] == days[1] else NONE for value in values]
        for period in MONTHS:
            if column == period:
                numbers = periods([value or "" for value in values], period).tolist()
                return [NONE if number < 0 else period_name(number, period) for number in numbers]
        return [NONE if value in (None, "") else str(value) for value in values]


@dataclass(frozen=True)
class Scores:
    """A folder that `newsclf score` filled, and one task of it."""

    folder: Path
    codebook: Codebook
    model: str
    """Fingerprint of the model."""

    job: Job
    parts: tuple[Path, ...]
    """The articles' tables, in the order of the corpus."""

    rows: int
    """Articles."""

    set_aside: int
    """Articles that could not be scored: they are in no share."""

    @classmethod
    def open(cls, folder: str | Path, task: str | None = None, *, codebook: Codebook | None = None) -> Self:
        """Look at a scored folder; `task` may be left out where there is one.

        Raises DataError where it is none, is not done, holds scores of several models, or does not have the task; InputError where there are several.
        """
        folder = Path(folder)
        found = Finished.read(folder)
        job, books = found.job, {**found.books, **({codebook.task: codebook} if codebook else {})}
        book = books.get(_task(folder, task or (codebook.task if codebook else None), list(job.models)))
        if book is None:
            raise DataError(
                f"{folder}: scored by an older newsclf, it does not say what its labels mean. The same score command adds that (nothing is scored "
                "again), or name the codebook: --codebook codebook.yaml"
            )
        sums = sum(commit.scored for commit in found.commits), sum(commit.quarantined for commit in found.commits)
        return cls(folder, book, job.models[book.task], job, tuple(folder / name for name in found.parts()), *sums)

    @property
    def fingerprint(self) -> str:
        """Of the job: the same models, corpus and settings."""
        return self.job.fingerprint

    def groups(self, by: Sequence[str], *, outlets: Mapping[str, str] | None = None) -> Groups:
        """The groups that columns make: outlet (one name each), month, quarter, year or day of the date, target, and columns that scoring kept.

        `outlets` is the user's table, spelling → name. Raises InputError for a column that is not there or stands twice.
        """
        if twice := [name for name, times in Counter(by).items() if times > 1]:
            raise InputError(f"--by names {listed(twice)} twice; each column groups once.")
        there = set(self._columns())
        for name in by:
            column = "date" if name in TIMES else name
            if column not in there:
                known = sorted({*there, *(TIMES if "date" in there else ())})
                raise InputError(
                    f"--by {name}: the scores have no column {column!r}{nearest(column, known)}; there are {listed(known)}. "
                    f"Others are kept where scoring is asked to:  newsclf score … --keep {column}"
                )
        return Groups(tuple(by), canonical(self._counted("outlet"), outlets) if "outlet" in by else None)

    def _columns(self) -> list[str]:
        ours = f"{self.codebook.task}."
        found: dict[str, None] = {}
        for part in self.parts:
            with reading(part):
                found |= dict.fromkeys(pq.read_schema(part).names)
        return [*(name for name in found if not name.startswith(ours) and ".p." not in name), *(["target"] if self.codebook.is_stance else [])]

    def _counted(self, column: str) -> Counter[str]:
        counts: Counter[str] = Counter()
        for part in self.parts:
            with reading(part):
                if column in pq.read_schema(part).names:
                    found = pc.value_counts(pq.read_table(part, columns=[column])[column])
                    counts.update({row["values"]: row["counts"] for row in found.to_pylist() if row["values"]})
        return counts

    def chunks(self, groups: Groups) -> Iterator[Chunk]:
        """All scored rows, some at a time; of a stance task one row an article and target. Raises DataError for a part that cannot be read."""
        first = 0
        for part in self.parts:
            with reading(part):
                chunk = self._chunk(part, groups, first)
            first += len(chunk.cells)
            yield chunk

    def _chunk(self, part: Path, groups: Groups, first: int) -> Chunk:
        task, labels = self.codebook.task, self.codebook.names
        wanted = dict.fromkeys(["place", "id", *("date" if name in TIMES else name for name in groups.by if name != "target")])
        there = pq.read_schema(part).names
        score_columns = [f"{task}.p.{label}" for label in labels]
        decided = f"{task}.label" if self.codebook.kind == "exclusive" else f"{task}.labels"
        if self.codebook.is_stance:
            articles = pq.read_table(part, columns=[name for name in wanted if name in there])
            beside = part.with_name(f"{part.stem}.{task}.parquet")
            scores = pq.read_table(beside, columns=["place", f"{task}.target", decided, *score_columns])
            repeats = np.repeat(np.arange(articles.num_rows), scores.num_rows // max(articles.num_rows, 1))
            if len(repeats) != scores.num_rows:
                raise pa.ArrowInvalid(f"its {scores.num_rows} rows are not so many for each of {articles.num_rows} articles")
            articles = articles.take(pa.array(repeats)).append_column("target", scores[f"{task}.target"])
        else:
            both = pq.read_table(part, columns=[*(name for name in wanted if name in there), decided, *score_columns])
            articles = scores = both
        for name in wanted:
            if name not in articles.column_names:  # in this part nobody has it
                articles = articles.append_column(name, pa.nulls(articles.num_rows, pa.string()))
        given = _given(scores[decided].combine_chunks(), labels)
        probabilities = np.column_stack([scores[name].to_numpy() for name in score_columns]).astype(float)
        kept = articles.select([name for name in ("place", "id", "target") if name in articles.column_names])
        return Chunk(groups.of(articles), probabilities.reshape(-1, len(labels)), given, kept, first)


def _given(column: pa.Array, labels: Sequence[str]) -> Booleans:
    """Which labels a row has. [rows, labels]"""
    result = np.zeros((len(column), len(labels)), bool)
    flat, rows = (column.flatten(), pc.list_parent_indices(column).to_numpy()) if pa.types.is_list(column.type) else (column, np.arange(len(column)))
    at = pc.index_in(flat, pa.array(labels, pa.string())).to_numpy(zero_copy_only=False).astype(float)
    known = ~np.isnan(at)  # an abstained row has none
    result[rows[known], at[known].astype(int)] = True
    return result


def _task(folder: Path, asked: str | None, known: Sequence[str]) -> str:
    if asked is None and len(known) > 1:
        raise InputError(f"{folder}: there are scores of the tasks {listed(known)}; say which:  --task {known[-1]}")
    if asked is not None and asked not in known:
        raise DataError(f"{folder}: there are no scores of the task {asked!r}{nearest(asked, known)}; there are {listed(known)}.")
    return asked or known[0]
