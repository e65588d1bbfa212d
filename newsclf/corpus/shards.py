"""A corpus of any size as shards, the units of work: planned once, each read by itself, together exactly the rows of the corpus."""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from newsclf.corpus.identity import identity as identity
from newsclf.corpus.pieces import OpenFile, open_file, pieces_of
from newsclf.corpus.pieces import Piece as Piece
from newsclf.corpus.read import Columns, column_mapping
from newsclf.corpus.rows import Rows
from newsclf.errors import DataError, InputError, shown


@dataclass(frozen=True, slots=True)
class Shard:
    """A unit of work: pieces of one or several files."""

    number: int
    pieces: tuple[Piece, ...]
    only: tuple[int, ...] | None = None
    """Of its rows, in reading order from 0, those that a sample takes, ascending; None: all."""

    @property
    def rows(self) -> int:
        """Rows that it gives, as planning counted them."""
        return sum(piece.rows for piece in self.pieces) if self.only is None else len(self.only)

    @property
    def bytes(self) -> int:
        """Its share of the corpus's size as it is stored, sampled or not."""
        return sum(piece.bytes for piece in self.pieces)

    def __str__(self) -> str:
        first, last = self.pieces[0], self.pieces[-1]
        to = f"{last.file}:" if last.file != first.file else ""
        return f"shard {self.number} ({first.file}:{first.before + 1} to {to}{last.before + last.rows})"

    def as_dict(self) -> dict[str, Any]:
        """The shard as plain JSON values."""
        only = None if self.only is None else list(self.only)
        return {"number": self.number, "pieces": [asdict(piece) for piece in self.pieces], "only": only}

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> Self:
        """The shard that `as_dict` wrote; raises DataError where the values are not one's."""
        try:
            only = values["only"]
            return cls(int(values["number"]), tuple(Piece(**piece) for piece in values["pieces"]), None if only is None else tuple(only))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"a shard must have number, pieces and only; this is none: {shown(values)} ({error}).") from error


def plan(files: Iterable[str], *, rows: int, limit: int | None = None) -> Iterator[Shard]:
    """Cut a corpus, given as the names that `files_of` gives, into shards of `rows` rows, the last of fewer; ends after `limit` rows.

    One file after the other is read as far as counting needs, lazily: the next one when the shards before it were taken. The same files give the
    same shards. Raises DataError or InputError where a file cannot be opened.
    """
    if rows < 1:
        raise InputError(f"rows: a shard has at least 1 row, not {rows}.")
    number, room, left = 0, rows, limit
    pieces: list[Piece] = []
    for file in files:
        if left is not None and left < 1:
            break
        for piece in pieces_of(file, first=room, rows=rows, most=left):
            pieces.append(piece)
            room -= piece.rows
            left = None if left is None else left - piece.rows
            if not room:
                yield Shard(number, tuple(pieces))
                number, room, pieces = number + 1, rows, []
    if pieces:
        yield Shard(number, tuple(pieces))


def sampled(shards: Iterable[Shard], *, size: int, seed: int) -> list[Shard]:
    """A simple random sample of `size` rows of a corpus, without replacement: shards that say which of their rows to take.

    Shards without a row in the sample are left out and the others numbered anew. A corpus of no more than `size` rows is taken whole.
    """
    whole = list(shards)
    total = sum(shard.rows for shard in whole)
    if size >= total:
        return whole
    drawn = sorted(random.Random(seed).sample(range(total), size))  # noqa: S311 (a sample, not a secret)
    taken: list[Shard] = []
    first = 0
    for shard in whole:
        picked = [at - first for at in drawn[bisect_left(drawn, first) : bisect_left(drawn, first + shard.rows)]]
        first += shard.rows
        if picked:
            only = tuple(picked if shard.only is None else (shard.only[at] for at in picked))
            taken.append(replace(shard, number=len(taken), only=only))
    return taken


class ShardReader:
    """Reads the shards of a plan, best in their order: the last file stays open, and is read on from where the shard before ended.

    Of Parquet only the columns are read that the fields of `columns` take, and those of `keep`; None reads all. `digest` is the sha256 of what the
    last shard was read from, in hex, once its rows were all taken: of the bytes of text files, of name, place and identity of others.
    """

    def __init__(self, columns: Columns | None = None, keep: Sequence[str] = ()) -> None:
        self._columns, self._keep = columns, frozenset(keep)
        self._name = ""
        self._file: OpenFile | None = None
        self.digest = ""

    def rows(self, shard: Shard) -> Rows:
        """The rows of a shard that its sample takes; raises DataError where a file is gone or is not as it was when it was planned.

        A file that breaks off where it did not then ends with a bad row that says so, and a DataError after it.
        """
        digest, first, self.digest = hashlib.sha256(), 0, ""
        for piece in shard.pieces:
            file = self._opened(piece.file)
            yield from file.rows(piece, only=_within(shard.only, first, piece.rows), digest=digest)
            first += piece.rows
        self.digest = digest.hexdigest()

    def _opened(self, name: str) -> OpenFile:
        if self._file is None or self._name != name:
            self.close()
            self._file, self._name = open_file(name, wanted=self._wanted), name
        return self._file

    def _wanted(self, names: Sequence[str]) -> Sequence[str]:
        if self._columns is None:
            return names
        taken = column_mapping(self._columns, names, where=self._name, first=False).values()
        return [name for name in names if name in taken or name in self._keep]

    def close(self) -> None:
        """Close the file that is open; the next shard opens its own."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _within(only: tuple[int, ...] | None, first: int, rows: int) -> frozenset[int] | None:
    """Of a shard's rows that are taken, those of the piece whose first is `first`, counted from there."""
    if only is None:
        return None
    return frozenset(at - first for at in only[bisect_left(only, first) : bisect_left(only, first + rows)])
