"""File formats: suffix → a function that yields the file's rows one by one, in bounded memory, each readable or not.

A row that cannot be read never shifts the others: it comes as BadRow with its place and the reason.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath

from newsclf.corpus.jsonvalues import json_values
from newsclf.corpus.parquet import ParquetRows
from newsclf.corpus.rows import BadRow as BadRow
from newsclf.corpus.rows import Row as Row
from newsclf.corpus.rows import Rows as Rows
from newsclf.corpus.rows import broken_off
from newsclf.corpus.streams import COMPRESSIONS, buffered, opened
from newsclf.corpus.textfiles import Delimited, JsonLines, TextFile, json_row
from newsclf.errors import InputError

TEXT_FILES: Mapping[str, Callable[[str], TextFile]] = {
    ".csv": lambda path: Delimited(path, ","),
    ".tsv": lambda path: Delimited(path, "\t"),
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
}
"""Suffix → a file whose rows begin at a byte, opened."""


def read_text(path: str) -> Rows:
    """JSON lines and delimited text with a header."""
    file = TEXT_FILES[suffix_of(path) or ""](path)
    with closing(file.lines):
        for number, record in file.records():
            yield record if isinstance(record, BadRow) else file.row(number, record)


def read_json(path: str) -> Rows:
    """A JSON array of objects (or one object: one article), read piece by piece."""
    number = 0
    with opened(path) as stream:
        # surrogateescape: where bytes are not UTF-8, only the object that holds them is bad
        text = io.TextIOWrapper(buffered(stream), "utf-8-sig", errors="surrogateescape")
        try:
            for values, source in json_values(text):
                number += 1
                yield json_row(f"{path}:{number}", values, source)
        except (OSError, EOFError) as error:
            yield broken_off(f"{path}:{number + 1}", error)
        except (ValueError, RecursionError) as error:
            # the position that json tells is that in the piece, not in the file
            yield BadRow(f"{path}:{number + 1}", f"the file breaks off here or is not JSON from here on: {getattr(error, 'msg', error)}.")


def read_parquet(path: str) -> Rows:
    """Parquet, a thousand rows at a time."""
    with closing(ParquetRows(path)) as file:
        yield from file.rows()


def read_page(path: str) -> Rows:
    """A .txt or .html file is one article; its id is the file's name."""
    try:
        with opened(path) as stream:
            data = stream.read()
        text = data.decode("utf-8-sig")
    except (OSError, EOFError) as error:
        yield broken_off(f"{path}:1", error)
        return
    except UnicodeDecodeError as error:
        yield BadRow(f"{path}:1", f"this file is not UTF-8 (byte {error.start} is {data[error.start]:#x}); save it as UTF-8.")
        return
    yield Row(f"{path}:1", {"id": Path(path).name, "text": text, "folder": Path(path).parent.name})


PAGES = (".txt", ".html", ".htm")
FORMATS: Mapping[str, Callable[[str], Rows]] = {
    **dict.fromkeys(TEXT_FILES, read_text),
    ".json": read_json,
    ".parquet": read_parquet,
    **dict.fromkeys(PAGES, read_page),
}


def suffix_of(path: str) -> str | None:
    """The suffix that names a file's format, compression aside; None where no format has it."""
    pure = PurePosixPath(path)
    outer = pure.suffix.lower()
    inner = PurePosixPath(pure.stem).suffix.lower() if outer in COMPRESSIONS else outer
    # Parquet compresses its columns itself and is read from the end: around it nothing can be decompressed as a stream
    return inner if inner in FORMATS and not (inner == ".parquet" and outer in COMPRESSIONS) else None


def known_suffix(path: str) -> str:
    """The suffix that names a file's format; raises InputError where the file is of no known format."""
    suffix = suffix_of(path)
    if suffix is None:
        known = ", ".join(FORMATS)
        ending = "".join(PurePosixPath(path).suffixes[-2:]) or "no suffix"
        raise InputError(f"{path}: no format is known by {ending!r}; known are {known}, each but .parquet also with .gz or .zst after it.")
    return suffix


def read_rows(path: str) -> Rows:
    """The rows of one file by its suffix; raises DataError or InputError where the file itself cannot be opened or is of no known format."""
    return FORMATS[known_suffix(path)](path)
