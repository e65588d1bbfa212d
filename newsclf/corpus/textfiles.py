"""JSON lines and delimited text: files whose rows begin at a byte, so that any stretch of them can be read by itself.

Reading has two halves: a file is cut into numbered records, which is cheap, and a record becomes a row. Planning needs the first half only.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from newsclf.corpus.rows import BadRow, Row, broken_off, checked_header
from newsclf.corpus.streams import LONGEST, PIECE, Lines, is_unicode
from newsclf.errors import DataError

BOM = b"\xef\xbb\xbf"
HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""The escape of half a character; the other half may stand beside it."""

Record = tuple[int, Any]
"""Number of a row and what stands there, or a BadRow."""


class JsonLines:
    """A file with one JSON object a line: a line that is not one is a bad row, and blank lines are skipped.

    Rows are numbered as lines are: `number` lines came before the next record.
    """

    def __init__(self, path: str) -> None:
        self.path, self.lines = path, Lines(path)
        self.number = 0

    @property
    def line(self) -> int:
        """Lines before the next record."""
        return self.number

    def begin(self, at: int, *, number: int, line: int) -> None:
        """Stand at the byte `at`, with so many rows, which are lines, before it; raises DataError where the file ends before."""
        self.lines.go(at)
        self.number = number

    def records(self) -> Iterator[Record]:
        """Lines that are not blank; where the stream breaks off, the last record says so."""
        lines = self.lines
        try:
            while line := lines.readline(LONGEST):
                self.number += 1
                if len(line) == LONGEST and line[-1:] != b"\n":
                    skip_rest(lines)
                    yield self.number, self._too_long()
                elif line := (line.removeprefix(BOM) if self.number == 1 else line).strip():
                    yield self.number, line
        except (OSError, EOFError) as error:
            self.number += 1
            yield self.number, broken_off(f"{self.path}:{self.number}", error)

    def _too_long(self) -> BadRow:
        reason = f"this line is longer than {LONGEST} bytes; is the file JSON without line breaks? Then name it .json."
        return BadRow(f"{self.path}:{self.number}", reason)

    def row(self, number: int, record: bytes) -> Row | BadRow:
        """A line as a row."""
        place = f"{self.path}:{number}"
        try:
            text = record.decode("utf-8")
            return json_row(place, json.loads(text), text)
        except UnicodeDecodeError as error:
            return BadRow(place, f"this line is not UTF-8 (byte {error.start} of the line is {record[error.start]:#x}); save the file as UTF-8.")
        except (ValueError, RecursionError) as error:
            return BadRow(place, f"this line is not JSON: {error}.")


def skip_rest(lines: Lines) -> None:
    """Go to the end of a line that was read in part."""
    while (part := lines.readline(PIECE)) and part[-1:] != b"\n" and not (lines.any_break and part[-1:] == b"\r"):
        pass


def json_row(place: str, values: Any, source: str) -> Row | BadRow:
    """A JSON value as a row; `source` is the text that it was read from."""
    if not isinstance(values, dict):
        return BadRow(place, f"this is {type(values).__name__}, not an object with named columns.")
    if not (source.isascii() or is_unicode(source)):
        return BadRow(place, "this object is not UTF-8; save the file as UTF-8.")
    # only an escape can bring half a character into a text that is Unicode itself
    if HALF.search(source) and not is_unicode(json.dumps(values, ensure_ascii=False)):
        return BadRow(place, "this object holds half a character (a lone surrogate); it was damaged before it came here.")
    return Row(place, values)


class Delimited:
    """Delimited text with a header (RFC 4180), quoted line breaks allowed: `number` rows and `line` lines came before the next record."""

    def __init__(self, path: str, delimiter: str) -> None:
        csv.field_size_limit(LONGEST)
        self.path, self.delimiter, self.lines = path, delimiter, Lines(path, any_break=True)
        self.number = self.line = 0
        self.header: Sequence[str] | None = None

    def begin(self, at: int, *, number: int, line: int) -> None:
        """Stand at the byte `at`, with so many rows and lines before it, the header read; raises DataError where the file ends before."""
        if not at:
            self.header = None
        elif self.header is None:
            self.lines.go(0)
            self.line = 0
            self._read_header()
        self.lines.go(at)
        self.number, self.line = number, line

    def records(self) -> Iterator[Record]:
        """The cells of each row; what is not valid CSV is a bad row, and blank lines are skipped."""
        reader = self._reader()
        try:
            if self.header is None and not self._read_header():
                return
            while True:
                line = self.line + 1
                try:
                    cells = next(reader, None)
                except csv.Error as error:
                    self.number += 1
                    reason = f"this row is not valid CSV ({error}); in the file it is line {line} to {self.line}."
                    yield self.number, BadRow(f"{self.path}:{self.number}", reason)
                    continue
                if cells is None:
                    return
                if cells:
                    self.number += 1
                    yield self.number, cells
        except (OSError, EOFError) as error:
            self.number += 1
            yield self.number, broken_off(f"{self.path}:{self.number}", error)

    def _read_header(self) -> bool:
        try:
            cells = next(filter(None, self._reader()), None)
        except csv.Error as error:
            raise DataError(f"{self.path}: the header is not valid CSV: {error}.") from error
        self.header = checked_header(self.path, cells) if cells else None
        return self.header is not None

    def _reader(self) -> Iterator[list[str]]:
        # an iterator that may raise and go on, which a generator may not
        return csv.reader(iter(self._line, ""), delimiter=self.delimiter, strict=True)

    def _line(self) -> str:
        line = self.lines.readline(LONGEST)
        self.line += bool(line)
        if len(line) == LONGEST and line[-1:] not in (b"\n", b"\r"):
            skip_rest(self.lines)
            raise csv.Error(f"line longer than {LONGEST} bytes")
        # surrogateescape keeps the rows apart where bytes are not UTF-8: the row is then known, and only that row is bad
        return (line.removeprefix(BOM) if self.line == 1 else line).decode("utf-8", "surrogateescape")

    def row(self, number: int, record: Sequence[str]) -> Row | BadRow:
        """The cells of a row under the names of the header."""
        header = self.header or ()
        if len(record) != len(header):
            return BadRow(f"{self.path}:{number}", f"this row has {len(record)} cells, the header has {len(header)} columns.")
        for name, cell in zip(header, record, strict=True):
            if not is_unicode(cell):
                return BadRow(f"{self.path}:{number}", f"the column {name!r} is not UTF-8; save the file as UTF-8.")
        return Row(f"{self.path}:{number}", dict(zip(header, record, strict=True)))


TextFile = JsonLines | Delimited
