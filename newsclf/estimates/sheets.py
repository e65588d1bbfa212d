"""Coding sheets: the articles that people should code, as files for spreadsheets, Label Studio and doccano.

They are blind: nothing in them tells what a model said of an article, nor why the article was drawn.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsclf.article import Article
from newsclf.codebook import Codebook
from newsclf.corpus.coders import CodingSpec
from newsclf.errors import InputError, OutputError
from newsclf.inference.commit import write_whole

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Begins a sheet: without it Excel takes UTF-8 for the code page of the machine; LibreOffice, pandas and our own reader pass over it."""

CELL = 32_000
"""Characters (UTF-16 units) of a text that stand in a sheet; Excel's cells end at 32,767, and what is over would spill or be lost."""

UNSURE = CodingSpec().unsure[0]
"""What a coder writes who cannot decide: the word that all coded files know."""

NONE = "none"
"""What a coder writes where no label of a multi-label task applies: an empty cell says that the row is not coded yet."""

GUARDED = re.compile(r"'*(?:\s*[=+\-@＝＋－＠]|[\t\r\n])")
"""Begins a cell that a spreadsheet would run as a formula (OWASP, CSV Injection), after any number of apostrophes."""


TO_DO = (
    f'If you cannot decide, write "{UNSURE}": that is an answer, and better than a guess.',
    'An empty cell says "not coded yet".',
    'Write your name into the column "coder": into one row, or where several people share a sheet into every row. The column "note" is yours.',
    'Leave all other columns as they are: your codes are matched by the column "key". Rows may be sorted.',
    "A cell that begins with ' holds text that a spreadsheet would take for a formula; it is read without the '.",
    'Save as CSV in UTF-8 (Excel: "CSV UTF-8"). Commas, semicolons and tabs between cells are all read.',
)
BLIND = """Code each article by what it says, in the order given. Do not look up what a model or another coder said of it, and do not ask others
before you have finished: a disagreement between coders is a result, too."""
TOOLS = (
    """Label Studio: set up the project with label-studio-config.xml, import label-studio-N.json, export as JSON or JSON-MIN. An article that is
    skipped counts as "{unsure}".""",
    """doccano: a project for text classification{single} labels from doccano-labels.json, data from doccano-N.jsonl, export as JSONL. doccano does
    not tell an article without labels from one that nobody has coded: choose "{nothing}" there.""",
)
"""What every coder is told."""


@dataclass(frozen=True)
class SheetRow:
    """An article to code (for stance: one article and one target)."""

    key: str
    """The row's place in the corpus, as corpus.parquet:123."""

    article: Article
    target: str = ""


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe is put before one that it would; `unguarded` gives the cell back.

    Spreadsheets show the apostrophe of a CSV file and write it back, or drop it: both read back as the cell that it was.
    """
    return f"'{cell}" if GUARDED.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell that was `guarded`."""
    return cell[1:] if cell.startswith("'") and GUARDED.match(cell) else cell


def labels_column(codebook: Codebook) -> str:
    """Name of the column that a coder fills in: label, or for multi-label tasks labels."""
    return "labels" if codebook.kind == "multi" else "label"


def choices(codebook: Codebook) -> tuple[str, ...]:
    """What a coder may choose from: the labels, in multi-label tasks the word for no label, and the one for not sure."""
    none = [NONE] if codebook.kind == "multi" and not codebook.min_labels else []
    return tuple(dict.fromkeys([*codebook.names, *none, UNSURE]))


def write_sheets(folder: Path, rows: Sequence[SheetRow], codebook: Codebook, *, number: int = 1) -> list[Path]:
    """Write the files of one set of coding sheets, rows in the order given, and return their paths.

    sheet-N.csv for spreadsheets, label-studio-N.json with label-studio-config.xml, doccano-N.jsonl with doccano-labels.json, codebook.yaml and
    README.txt for the coder. Each file appears whole or not at all. Raises InputError where there are no rows, or a row stands twice; OutputError
    where a file cannot be written, or one of that name holds something else.
    """
    _check(rows, codebook)
    texts = {
        "codebook.yaml": codebook.to_yaml(),
        "README.txt": readme(codebook),
        "label-studio-config.xml": label_studio_config(codebook),
        "doccano-labels.json": _lines([[{"text": name} for name in choices(codebook)]]),
        f"label-studio-{number}.json": _lines([[{"data": _about(row)} for row in rows]]),
        f"doccano-{number}.jsonl": _lines(_about(row) | {"label": []} for row in rows),
        f"sheet-{number}.csv": _sheet(rows, codebook),
    }
    files = {folder / name: text.encode("utf-8", "backslashreplace") for name, text in texts.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        other = [path for path, data in files.items() if path.name != "README.txt" and path.exists() and path.read_bytes() != data]
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}. Name another folder.") from error
    if other:
        raise OutputError(f"{other[0]}: this file holds something else already, a coder's work or another codebook; name another folder.")
    for path, data in files.items():
        write_whole(path, data)
    return list(files)


def _check(rows: Sequence[SheetRow], codebook: Codebook) -> None:
    if not rows:
        raise InputError("there is no article to code: a sheet needs at least one row; draw some.")
    seen: set[tuple[str, str]] = set()
    for row in rows:
        if codebook.is_stance != bool(row.target):
            wanted = "needs a target" if codebook.is_stance else "has no targets"
            raise InputError(f"{row.key}: the task {codebook.task!r} {wanted}; this row has the target {row.target!r}.")
        if (row.key, row.target) in seen:
            about = f" and target {row.target!r}" if row.target else ""
            raise InputError(f"the row {row.key!r}{about} is to be coded twice on one sheet; give it once.")
        seen.add((row.key, row.target))


def _about(row: SheetRow) -> dict[str, str]:
    """What a coder may know of an article; not as `id`, which in both tools is a number of their own that takes its place."""
    article = row.article
    where = {"key": row.key, "article_id": article.id, "title": article.title, "outlet": article.outlet, "date": article.date, "url": article.url}
    return where | ({"target": row.target} if row.target else {}) | {"text": article.text}


def _sheet(rows: Sequence[SheetRow], codebook: Codebook) -> str:
    columns = ("key", "id", "title", "outlet", "date", "url", *(("target",) if codebook.is_stance else ()), "text")
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)  # RFC 4180: line breaks and quotes inside a cell stay as they are
    writer.writerow([*columns, labels_column(codebook), "coder", "note"])
    for row in rows:
        cells: Mapping[str, str] = _about(row) | {"id": row.article.id, "text": fitting(row.article.text)}
        writer.writerow([*(guarded(cells[name]) for name in columns), "", "", ""])
    return BOM + sheet.getvalue()


def fitting(text: str) -> str:
    """A text that fits into a cell of a spreadsheet: cut after CELL characters, as Excel counts them, with a note of what is left out."""
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * CELL:
        return text
    kept = units[: 2 * CELL].decode("utf-16-le", "ignore")
    return (
        f"{kept}\n[Cut here: {len(kept):,} of {len(text):,} characters fit into a cell. Read on at the address, or code in Label Studio or doccano.]"
    )


def _lines(values: Iterable[Any]) -> str:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def label_studio_config(codebook: Codebook) -> str:
    """The labelling interface for Label Studio: the article, one choice (in multi-label tasks any number), and what the labels mean."""

    def quoted(text: str) -> str:
        return f'"{html.escape(text.strip())}"'

    kind = "multiple" if codebook.kind == "multi" else "single"
    meanings = [f"{name}: {label.definition}" for name, label in codebook.labels.items()]
    hints = {NONE: "You have read the article, and no label applies.", UNSURE: "You cannot decide."}
    hints |= {name: label.definition for name, label in codebook.labels.items()}
    return "\n".join(
        [
            "<View>",
            "  <Style>.htx-text { white-space: pre-wrap; }</Style>",
            '  <Header value="$title"/>',
            '  <Text name="text" value="$text"/>',
            f"  <Header value={quoted(codebook.question or codebook.task)}/>",
            *(['  <Header value="$target"/>'] if codebook.is_stance else []),
            f'  <Choices name="{labels_column(codebook)}" toName="text" choice="{kind}" required="true">',
            *(f"    <Choice value={quoted(name)} hint={quoted(hints[name])}/>" for name in choices(codebook)),
            "  </Choices>",
            # hints are shown only where a server has them switched on
            '  <Collapse><Panel value="What the labels mean"><View>',
            *(f'    <Header size="5" value={quoted(meaning)}/>' for meaning in meanings),
            "  </View></Panel></Collapse>",
            '  <TextArea name="note" toName="text" placeholder="Note" rows="2"/>',
            "</View>\n",
        ]
    )


def readme(codebook: Codebook) -> str:
    """What a coder is told: what to do, what the labels mean, that "not sure" is an answer, and to code blind."""
    column, is_multi = labels_column(codebook), codebook.kind == "multi"
    none = NONE in choices(codebook) and NONE not in codebook.names
    many = f'Write every label that applies into the column "{column}", parted by semicolons: {"; ".join(codebook.names[:2])}'
    words = {"unsure": UNSURE, "nothing": NONE if none else UNSURE, "single": "" if is_multi else ', with "Allow single label",'}
    parts = {
        "What to do": [
            many if is_multi else f'Write exactly one label into the column "{column}".',
            *[f'If you have read an article and no label applies, write "{NONE}".'] * none,
            *['Each row asks about one target (column "target"); an article may come again with another.'] * codebook.is_stance,
            *TO_DO,
        ],
        "Code blind": [BLIND],
        "What the labels mean (the whole codebook is codebook.yaml)": [line for name in codebook.names for line in _meaning(name, codebook)],
        "With other tools than a spreadsheet": [tool.format(**words) for tool in TOOLS],
    }
    title = f'Coding sheet for the task "{codebook.task}"\n{codebook.question}'.strip()
    return "\n\n".join([title, *("\n".join([head, *map(_wrapped, lines)]) for head, lines in parts.items())]) + "\n"


def _meaning(name: str, codebook: Codebook) -> list[str]:
    label = codebook.labels[name]
    more = {"Belongs here": label.include, "Does not": label.exclude, "Example": " / ".join(label.examples)}
    return [f"{name}: {label.definition}", *(f"    {what}: {said}" for what, said in more.items() if said)]


def _wrapped(line: str) -> str:
    indent = "  " + " " * (len(line) - len(line.lstrip(" ")))
    wrapper = textwrap.TextWrapper(100, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False)
    return wrapper.fill(" ".join(line.split()))
