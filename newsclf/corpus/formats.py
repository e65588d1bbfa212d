"""File formats: suffix → a function that yields the file's rows one by one, in bounded memory, each readable or not.

A row that cannot be read never shifts the others: it comes as BadRow with its place and the reason.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from newsclf.corpus.jsonvalues import json_values
from newsclf.corpus.streams import COMPRESSIONS, LONGEST, PIECE, buffered, is_unicode, opened
from newsclf.errors import DataError, InputError, listed


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
    number = 0
    with opened(path) as stream:
        lines = buffered(stream)
        try:
            while line := lines.readline(LONGEST):
                number += 1
                yield number, _rest_skipped(lines, f"{path}:{number}") if len(line) == LONGEST and line[-1:] != b"\n" else line
        except (OSError, EOFError) as error:
            yield number + 1, _broken_off(f"{path}:{number + 1}", error)


def _rest_skipped(lines: IO[bytes], place: str) -> BadRow:
    while (part := lines.readline(PIECE)) and part[-1:] != b"\n":
        pass
    return BadRow(place, f"this line is longer than {LONGEST} bytes; is the file JSON without line breaks? Then name it .json.")


def _broken_off(place: str, error: Exception) -> BadRow:
    return BadRow(place, f"the file breaks off here: {str(error).rstrip('.')}.")


def read_jsonl(path: str) -> Rows:
    """One JSON object a line; a line that is not one is a bad row, and blank lines are skipped."""
    for number, line in _lines(path):
        if isinstance(line, BadRow):
            yield line
        elif line := (line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).strip():
            yield _json_line(f"{path}:{number}", line)


def _json_line(place: str, data: bytes) -> Row | BadRow:
    try:
        text = data.decode("utf-8")
        return _json_row(place, json.loads(text), text)
    except UnicodeDecodeError as error:
        return BadRow(place, f"this line is not UTF-8 (byte {error.start} of the line is {data[error.start]:#x}); save the file as UTF-8.")
    except (ValueError, RecursionError) as error:
        return BadRow(place, f"this line is not JSON: {error}.")


def _json_row(place: str, values: Any, source: str) -> Row | BadRow:
    if not isinstance(values, dict):
        return BadRow(place, f"this is {type(values).__name__}, not an object with named columns.")
    if not is_unicode(source):
        return BadRow(place, "this object is not UTF-8; save the file as UTF-8.")
    # only an escape can bring half a character into a text that is Unicode itself
    if ("\\ud" in source or "\\uD" in source) and not is_unicode(json.dumps(values, ensure_ascii=False)):
        return BadRow(place, "this object holds half a character (a lone surrogate); it was damaged before it came here.")
    return Row(place, values)


def read_json(path: str) -> Rows:
    """A JSON array of objects (or one object: one article), read piece by piece."""
    number = 0
    with opened(path) as stream:
        # surrogateescape: where bytes are not UTF-8, only the object that holds them is bad
        text = io.TextIOWrapper(buffered(stream), "utf-8-sig", errors="surrogateescape")
        try:
            for values, source in json_values(text):
                number += 1
                yield _json_row(f"{path}:{number}", values, source)
        except (OSError, EOFError) as error:
            yield _broken_off(f"{path}:{number + 1}", error)
        except (ValueError, RecursionError) as error:
            # the position that json tells is that in the piece, not in the file
            yield BadRow(f"{path}:{number + 1}", f"the file breaks off here or is not JSON from here on: {getattr(error, 'msg', error)}.")


def _read_delimited(path: str, delimiter: str) -> Rows:
    csv.field_size_limit(LONGEST)
    header, number = None, 0
    with opened(path) as stream:
        # surrogateescape keeps the rows apart where bytes are not UTF-8: the row is then known, and only that row is bad
        text = io.TextIOWrapper(buffered(stream), "utf-8-sig", errors="surrogateescape", newline="")
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        while True:
            place, line = f"{path}:{number + 1}", reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if header is None:
                    raise DataError(f"{path}: the header is not valid CSV: {error}.") from error
                yield BadRow(place, f"this row is not valid CSV ({error}); in the file it is line {line} to {reader.line_num}.")
                number += 1
                continue
            except (OSError, EOFError) as error:
                yield _broken_off(place, error)
                return
            if not cells:
                continue  # a blank line
            if header is None:
                header = _header(path, cells)
            else:
                number += 1
                yield _delimited_row(place, header, cells)


def _header(path: str, names: Sequence[str]) -> Sequence[str]:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise DataError(f"{path}: the header names the column {listed(twice)} more than once; rename one.")
    if not is_unicode("".join(names)):
        raise DataError(f"{path}: the header is not UTF-8; save the file as UTF-8.")
    return names


def _delimited_row(place: str, header: Sequence[str], cells: Sequence[str]) -> Row | BadRow:
    if len(cells) != len(header):
        return BadRow(place, f"this row has {len(cells)} cells, the header has {len(header)} columns.")
    for name, cell in zip(header, cells, strict=True):
        if not is_unicode(cell):
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
            file = pq.ParquetFile(stream)
            _header(path, file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=1000):
                for values in _plain_values(batch):
                    number += 1
                    place = f"{path}:{number}"
                    yield Row(place, values) if isinstance(values, dict) else BadRow(place, f"this row cannot be read: {values}.")
        except (pa.ArrowException, OSError) as error:
            yield BadRow(f"{path}:{number + 1}", f"this Parquet file cannot be read on from here: {str(error).strip().rstrip('.')}.")


def _plain_values(batch: Any) -> list[dict[str, Any] | Exception]:
    """Each row as Python values, or why it cannot be: text that is not UTF-8, a date that Python does not know."""
    try:
        return list(batch.to_pylist())
    except (ValueError, OverflowError) as error:
        if batch.num_rows == 1:
            return [error]
        return [values for row in range(batch.num_rows) for values in _plain_values(batch.slice(row, 1))]


def read_page(path: str) -> Rows:
    """A .txt or .html file is one article; its id is the file's name."""
    try:
        with opened(path) as stream:
            data = stream.read()
        text = data.decode("utf-8-sig")
    except (OSError, EOFError) as error:
        yield _broken_off(f"{path}:1", error)
        return
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
