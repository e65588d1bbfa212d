"""Stretches of files: how a file is cut into pieces of so many rows, and how one piece is read without the others.

Reading piece after piece gives the rows of the whole file, with the same places and reasons.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, islice, repeat
from typing import Any, Protocol

from newsclf.corpus.formats import PAGES, TEXT_FILES, BadRow, Rows, known_suffix, read_rows
from newsclf.corpus.identity import identity, size_of
from newsclf.corpus.parquet import ParquetRows
from newsclf.corpus.read import dataset_length, dataset_rows, is_dataset
from newsclf.errors import DataError


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive rows of one file."""

    file: str
    start: int
    """Where it begins: bytes of the (decompressed) stream of JSON lines and delimited text, rows of everything else."""

    stop: int | None
    """Where it ends; None: at the end of the file, whatever comes."""

    before: int
    """Rows of the file before it as places count them: lines of JSON lines, records without the header of delimited text."""

    rows: int
    """Rows that planning counted, a break in the file being one."""

    bytes: int
    """Its share of the file's size as it is stored."""

    lines: int = 0
    """Lines of a text file before it, for messages."""


# planning


class _TextCount:
    """Where a text file's next row begins, going forward."""

    def __init__(self, file: str, suffix: str) -> None:
        self._file = TEXT_FILES[suffix](file)
        self._records = self._file.records()

    def mark(self) -> tuple[int, int, int, int]:
        """(position, rows before it, lines before it, bytes of the stored file before it)."""
        return self._file.lines.at, self._file.number, self._file.line, self._file.lines.used

    def advance(self, rows: int) -> int:
        """Go forward by so many rows, or to the end; how many there were."""
        return sum(1 for _ in islice(self._records, rows))

    def close(self) -> None:
        """Close the file."""
        self._file.lines.close()


class _RowCount:
    """The same for a file that has its rows counted already."""

    def __init__(self, total: int, size: int) -> None:
        self._at, self._total, self._size = 0, total, size

    def mark(self) -> tuple[int, int, int, int]:
        return self._at, self._at, 0, self._size * self._at // max(self._total, 1)

    def advance(self, rows: int) -> int:
        moved = min(rows, self._total - self._at)
        self._at += moved
        return moved

    def close(self) -> None:
        pass


def pieces_of(file: str, *, first: int, rows: int, most: int | None = None) -> Iterator[Piece]:
    """Cut one of `files_of` into a piece of `first` rows and others of `rows`, and a last one that is open; nothing where it has no rows.

    After `most` rows it ends, with a piece that is closed. Raises DataError or InputError where the file cannot be opened.
    """
    left = float("inf") if most is None else most
    with closing(_counted(file, most)) as count:
        held: Piece | None = None  # until it is known whether it is the last
        for size in chain([first], repeat(rows)):
            start, before, lines, used = count.mark()
            moved = count.advance(int(min(size, left)))
            if held and (moved or not left):
                yield held
            if not moved:
                break
            stop, _, _, used_then = count.mark()
            held = Piece(file, start, stop, before, moved, used_then - used, lines)
            left -= moved
        if held and left:
            yield replace(held, stop=None, bytes=max(size_of(file) - used + held.bytes, 0))


def _counted(file: str, most: int | None) -> _TextCount | _RowCount:
    if is_dataset(file):
        return _RowCount(dataset_length(file), size_of(file))
    suffix = known_suffix(file)
    if suffix in TEXT_FILES:
        return _TextCount(file, suffix)
    if suffix == ".parquet":
        with closing(ParquetRows(file)) as parquet:
            return _RowCount(parquet.total, size_of(file))
    return _RowCount(1 if suffix in PAGES else sum(1 for _ in islice(read_rows(file), most)), size_of(file))


# reading


class OpenFile(Protocol):
    """A file that stays open between its pieces."""

    def rows(self, piece: Piece, *, only: Container[int] | None, digest: Any) -> Rows:
        """A piece's rows, or of them those of the numbers `only`, the first being 0; what was read enters the digest.

        Raises DataError where there are other rows than planning counted.
        """

    def close(self) -> None:
        """Close the file."""


def open_file(file: str, *, wanted: Callable[[Sequence[str]], Sequence[str]]) -> OpenFile:
    """Open one of `files_of`; `wanted` tells from the names of a Parquet file's columns which ones to read."""
    if is_dataset(file):
        return _FrontToBack(lambda start: dataset_rows(file, start))
    suffix = known_suffix(file)
    if suffix in TEXT_FILES:
        return _TextPieces(file, suffix)
    return _ParquetPieces(file, wanted) if suffix == ".parquet" else _FrontToBack(lambda start: islice(read_rows(file), start, None))


class _TextPieces:
    def __init__(self, file: str, suffix: str) -> None:
        self._file = TEXT_FILES[suffix](file)

    def rows(self, piece: Piece, *, only: Container[int] | None, digest: Any) -> Rows:
        file, lines = self._file, self._file.lines
        lines.stop = lines.taken = None
        file.begin(piece.start, number=piece.before, line=piece.lines)
        lines.stop, lines.taken = piece.stop, digest
        count = 0
        for number, record in file.records():
            if only is None or count in only:
                yield record if isinstance(record, BadRow) else file.row(number, record)
            count += 1
        _check(piece, count, ended=piece.stop in (None, lines.at))

    def close(self) -> None:
        self._file.lines.close()


class _ParquetPieces:
    def __init__(self, file: str, wanted: Callable[[Sequence[str]], Sequence[str]]) -> None:
        self._file, self._identity = ParquetRows(file, wanted=wanted), identity(file)

    def rows(self, piece: Piece, *, only: Container[int] | None, digest: Any) -> Rows:
        # what cannot be read between here and there is told by a bad row: the footer counts rows that a damaged row group does not give
        _check(piece, min(max(self._file.total - piece.start, 0), piece.rows))
        digest.update(_named(piece, self._identity))
        yield from self._file.rows(piece.start, piece.stop, only=only)

    def close(self) -> None:
        self._file.close()


class _FrontToBack:
    """What is read from the front, row by row: `rows_from` begins at a row."""

    def __init__(self, rows_from: Callable[[int], Rows]) -> None:
        self._rows_from, self._identity = rows_from, ""
        self._rows: Rows | None = None
        self._at = 0

    def rows(self, piece: Piece, *, only: Container[int] | None, digest: Any) -> Rows:
        if self._rows is None or self._at > piece.start:
            self._rows, self._at, self._identity = self._rows_from(piece.start), piece.start, identity(piece.file)
        digest.update(_named(piece, self._identity))
        self._at += sum(1 for _ in islice(self._rows, piece.start - self._at))
        count = 0
        for row in islice(self._rows, None if piece.stop is None else piece.stop - piece.start):
            self._at += 1
            if only is None or count in only:
                yield row
            count += 1
        _check(piece, count)

    def close(self) -> None:
        self._rows = None


def _named(piece: Piece, identity_then: str) -> bytes:
    return json.dumps([piece.file, piece.start, piece.stop, identity_then]).encode()


def _check(piece: Piece, count: int, *, ended: bool = True) -> None:
    """Raise DataError where a piece has other rows than planning counted; one that is open may have more."""
    if not ended or count < piece.rows or (count > piece.rows and piece.stop is not None):
        after = f" after row {piece.before}" if piece.before else ""
        raise DataError(
            f"{piece.file}: this file is not as it was when the work was planned: {piece.rows} rows were counted{after}, and now there are "
            f"{f'{count}' if ended else f'{count}, which end elsewhere'}. Put the file back as it was, or begin anew in another folder."
        )
