"""Files of coded articles as coders hand them in: which of a folder to read, and rows that spreadsheets have changed on the way."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from newsclf.corpus.formats import PAGES, BadRow, Rows, read_rows, suffix_of
from newsclf.corpus.streams import LONGEST, Lines, opened
from newsclf.corpus.textfiles import BOM, Delimited
from newsclf.errors import DataError

OFFICE = (".xlsx", ".xls", ".ods", ".numbers", ".zip")
"""Suffixes of files that hold a coder's work, as a rule, and cannot be read."""

OURS = ("sample", "doccano-labels")
"""Names of files that stand beside the sheets and hold no codes."""

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
EXCEL = '(In Excel: Save as, "CSV UTF-8".)'


def coded_files(paths: Sequence[Path | str]) -> Iterator[tuple[str, bool]]:
    """The files to read, those of folders included, and whether each was named itself.

    Raises DataError for an office file, also in a folder: a coder may have saved the work in it.
    """
    for path in map(str, paths):
        folder = Path(path)
        inside = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
        for file in inside:
            if file.suffix.lower() in OFFICE:
                raise DataError(
                    f"{file}: a {file.suffix} file cannot be read; save each table in it as CSV in UTF-8, or unpack it, and remove it here."
                )
        if not folder.is_dir():
            yield path, True
            continue
        for file in inside:
            is_hidden = any(part.startswith((".", "_", "~")) for part in file.relative_to(folder).parts)
            if file.is_file() and not is_hidden and suffix_of(file.name) not in (None, *PAGES) and file.name.partition(".")[0] not in OURS:
                yield str(file), False


def coder_names(paths: Sequence[str]) -> dict[str, str]:
    """File → what its coder is called where the file does not say: its name, with the folder's where several have it."""
    stems = {path: Path(path).name.partition(".")[0] or "coder" for path in paths}
    count = Counter(stems.values())
    return {path: stem if count[stem] == 1 else f"{Path(path).parent.name}/{stem}" for path, stem in stems.items()}


def rows_of(path: str) -> Rows:
    """The rows of a file as `read_rows` gives them; of delimited text also where a spreadsheet has changed delimiter and width.

    Raises DataError for UTF-16 and for a header that cannot be read; InputError for a file of unknown format.
    """
    if suffix_of(path) not in (".csv", ".tsv"):
        yield from read_rows(path)
        return
    file = Delimited(path, _delimiter(path))
    with closing(file.lines):
        for number, record in file.records():
            if isinstance(record, BadRow):
                yield record
                continue
            # Excel leaves out empty cells at the end of rows, for stretches of sixteen of them; others add some
            width = len(file.header or ())
            cells = [*record, *[""] * (width - len(record))]
            yield file.row(number, cells if any(cells[width:]) else cells[:width])


def _delimiter(path: str) -> str:
    """What parts the cells of the header: Excel writes the list separator of the country, whatever the file is called."""
    with opened(path) as stream:
        if stream.read(2) in UTF_16:
            raise DataError(f"{path}: this file is UTF-16; it must be UTF-8. {EXCEL}")
    csv.field_size_limit(LONGEST)
    lines = Lines(path, any_break=True)
    with closing(lines):
        header = ""
        while not header.strip() and (line := lines.readline(LONGEST)):
            header = line.removeprefix(BOM).decode("utf-8", "replace")
    return max("\t;," if suffix_of(path) == ".tsv" else ",;\t", key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), [])))
