"""File formats: suffix → a function that yields the file's rows one by one, in bounded memory, each readable or not.

A row that cannot be read never shifts the others: it comes as BadRow with its place and the reason.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from newsclf.corpus.streams import COMPRESSIONS, Readable, opened
from newsclf.errors import DataError, InputError, listed

CHUNK = 1 << 20
LONGEST_CELL = 1 << 28


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: its place as file:row (the first row is 1, a header not counted) and its columns."""

    place: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, and why, as a sentence."""

    place: str
    reason: str


Rows = Iterator[Row | BadRow]


def _lines(path: str) -> Iterator[tuple[int, bytes | BadRow]]:
    """Numbered lines of a file; where the stream breaks off, the last item says so."""
    number, rest = 0, b""
    with opened(path) as stream:
        while True:
            try:
                chunk = stream.read(CHUNK)
            except (OSError, EOFError) as error:
                yield number + 1, BadRow(f"{path}:{number + 1}", f"the file breaks off here: {error}.")
                return
            if not chunk:
                break
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                number += 1
                yield number, line
    if rest:
        yield number + 1, rest


def read_jsonl(path: str) -> Rows:
    """One JSON object a line; a line that is not one is a bad row, and blank lines are skipped."""
    for number, line in _lines(path):
        if isinstance(line, BadRow):
            yield line
        elif line.strip():
            yield _json_row(f"{path}:{number}", line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)


def _json_row(place: str, data: bytes | str) -> Row | BadRow:
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        values = json.loads(text)
    except UnicodeDecodeError as error:
        return BadRow(place, f"this line is not UTF-8 (byte {error.start} of the line is {data[error.start]!r}).")
    except (ValueError, RecursionError) as error:
        return BadRow(place, f"this line is not JSON: {error}.")
    if not isinstance(values, dict):
        return BadRow(place, f"this line holds {type(values).__name__}, not an object with named columns.")
    return Row(place, values)


def read_json(path: str) -> Rows:
    """A JSON array of objects (or one object: one article), read piece by piece."""
    with opened(path) as stream:
        text = io.TextIOWrapper(io.BufferedReader(Readable(stream)), "utf-8-sig")
        decoder, buffer, number, inside = json.JSONDecoder(), "", 0, False
        while True:
            try:
                chunk = text.read(CHUNK)
            except (UnicodeDecodeError, OSError, EOFError) as error:
                yield BadRow(f"{path}:{number + 1}", f"the file cannot be read on from here: {error}.")
                return
            buffer += chunk
            while buffer := buffer.lstrip(" \t\r\n,") if inside else buffer.lstrip():
                if not inside and buffer[0] == "[":
                    inside, buffer = True, buffer[1:]
                    continue
                if inside and buffer[0] == "]":
                    return
                try:
                    values, end = decoder.raw_decode(buffer)
                except (ValueError, RecursionError):
                    break  # the value is not whole yet
                number += 1
                buffer = buffer[end:]
                place = f"{path}:{number}"
                yield Row(place, values) if isinstance(values, dict) else BadRow(place, f"item {number} is {type(values).__name__}, not an object.")
            if not chunk:
                break
        if buffer or inside:
            yield BadRow(f"{path}:{number + 1}", "the file breaks off here or is not JSON from here on.")


def _read_delimited(path: str, delimiter: str) -> Rows:
    # surrogateescape keeps the rows apart where bytes are not UTF-8: the row is then known, and only that row is bad
    csv.field_size_limit(LONGEST_CELL)
    with opened(path) as stream:
        text = io.TextIOWrapper(io.BufferedReader(Readable(stream)), "utf-8-sig", errors="surrogateescape", newline="")
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        header, number = None, 0
        while True:
            place = f"{path}:{number + 1}"
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield BadRow(place, f"this row is not valid CSV ({error}), line {reader.line_num} of the file.")
                number += 1
                continue
            except (OSError, EOFError) as error:
                yield BadRow(place, f"the file breaks off here: {error}.")
                return
            if header is None:
                header = _header(path, cells)
            elif cells:
                number += 1
                yield _delimited_row(place, header, cells)


def _header(path: str, cells: list[str]) -> list[str]:
    twice = {name for name in cells if cells.count(name) > 1}
    if twice:
        raise DataError(f"{path}: the header names the column {listed(sorted(twice))} more than once; rename one.")
    return cells


def _delimited_row(place: str, header: list[str], cells: list[str]) -> Row | BadRow:
    if len(cells) != len(header):
        return BadRow(place, f"this row has {len(cells)} cells, the header has {len(header)} columns.")
    for name, cell in zip(header, cells, strict=True):
        if not cell.isascii() and any("\ud800" <= character <= "\udfff" for character in cell):
            return BadRow(place, f"the column {name!r} is not UTF-8; save the file as UTF-8.")
    return Row(place, dict(zip(header, cells, strict=True)))


def read_csv(path: str) -> Rows:
    """Comma-separated with a header (RFC 4180), quoted line breaks allowed."""
    return _read_delimited(path, ",")


def read_tsv(path: str) -> Rows:
    """Tab-separated with a header."""
    return _read_delimited(path, "\t")


def read_parquet(path: str) -> Rows:
    """Parquet, a thousand rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    with opened(path) as stream:
        try:
            for batch in pq.ParquetFile(stream).iter_batches(batch_size=1000):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{path}:{number}", values)
        except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
            yield BadRow(f"{path}:{number + 1}", f"this Parquet file cannot be read on from here: {error}.")


def read_page(path: str) -> Rows:
    """A .txt or .html file is one article; its id is the file's name."""
    with opened(path) as stream:
        data = stream.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield BadRow(f"{path}:1", f"this file is not UTF-8 (byte {error.start} is {data[error.start]:#x}); save it as UTF-8.")
        return
    yield Row(f"{path}:1", {"id": Path(path).name, "text": text, "folder": Path(path).parent.name})


FORMATS: Mapping[str, Callable[[str], Rows]] = {
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".json": read_json,
    ".parquet": read_parquet,
    ".txt": read_page,
    ".html": read_page,
    ".htm": read_page,
}
PAGES = frozenset({".txt", ".html", ".htm"})


def suffix_of(path: str) -> str | None:
    """The suffix that names a file's format, compression aside; None where no format has it."""
    pure = PurePosixPath(path)
    outer = pure.suffix.lower()
    inner = PurePosixPath(pure.stem).suffix.lower() if outer in COMPRESSIONS else outer
    # Parquet compresses its columns itself and is read from the end: around it nothing can be decompressed as a stream
    return inner if inner in FORMATS and not (inner == ".parquet" and outer in COMPRESSIONS) else None


def read_rows(path: str) -> Rows:
    """The rows of one file by its suffix; raises DataError or InputError where the file itself cannot be opened or is of no known format."""
    suffix = suffix_of(path)
    if suffix is None:
        known = ", ".join(FORMATS)
        ending = "".join(PurePosixPath(path).suffixes[-2:]) or "no suffix"
        raise InputError(f"{path}: no format is known by {ending!r}; known are {known}, each but .parquet also with .gz or .zst after it.")
    return FORMATS[suffix](path)
