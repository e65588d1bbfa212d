"""The commands about coders and codebooks: coders, disagree, settle, recode. Each parses, calls one function, and prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsclf.cli_options import ColumnNames, Json, columns_of, print_json, remarks
from newsclf.errors import InputError, OutputError

if TYPE_CHECKING:
    from newsclf.corpus.coders import Codings

CodingFiles = Annotated[str, typer.Argument(help="Codings, a row for each article and coder: file, folder, glob or address.")]
CodebookFile = Annotated[Path, typer.Option("--codebook", help="Codebook of the task (YAML).")]


class By(Enum):
    """Ways to settle what several coders said."""

    majority = "majority"
    dawid_skene = "dawid_skene"


def coders(codings: CodingFiles, codebook: CodebookFile, columns: ColumnNames = None, as_json: Json = False) -> None:
    """How far coders agree: Krippendorff's alpha with intervals, overall and of each label, kappa of pairs, and how well coders do by each other."""
    remarks(quiet=False)
    from newsclf.training.study import study

    found = study(_codings(codings, codebook, columns))
    if as_json:
        print_json(found.as_dict())
    else:
        print(found.text())


def disagree(
    codings: CodingFiles,
    codebook: CodebookFile,
    columns: ColumnNames = None,
) -> None:
    """List, as csv, the articles whose coders disagree or were not sure, the most disputed first: what to talk about, and to decide."""
    remarks(quiet=False)
    from newsclf.training.study import disputed

    text = disputed(_codings(codings, codebook, columns))
    print(text.rstrip("\n") if text else "the coders agree on every article")


def settle(
    codings: CodingFiles,
    codebook: CodebookFile,
    by: Annotated[By, typer.Option(help="The label of most coders, or the one that is most probable by how each of them errs.")] = By.majority,
    columns: ColumnNames = None,
) -> None:
    """Print, as csv, the one coding of each article that its coders settle on, with the share of each label; articles left open are counted."""
    remarks(quiet=False)
    from newsclf.corpus.settle import coded_rows, csv_text
    from newsclf.training.settled import decided

    read = _codings(codings, codebook, columns)
    rows, left_open = coded_rows(read, *decided(read, by.value))
    print(csv_text(rows).rstrip("\n"))
    print(f"{len(rows)} settled, {len(left_open)} left open (newsclf disagree lists what to talk about)", file=sys.stderr)


def recode(
    coded: Annotated[str | None, typer.Argument(help="Coded corpus: file, folder, glob or address.")] = None,
    *,
    codebook: CodebookFile,
    to: Annotated[Path, typer.Option("--to", help="The revised codebook (YAML).")],
    table: Annotated[Path | None, typer.Option("--table", help="What becomes of each label (YAML).")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write, .csv or .jsonl; printed as csv unless given.")] = None,
    todo: Annotated[Path | None, typer.Option("--todo", help="File for the articles to recode by hand, .csv or .jsonl.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Print a table to begin with.")] = False,
    columns: ColumnNames = None,
) -> None:
    """Bring a coded corpus under a revised codebook, as far as a migration table decides it, and list the articles that a person has to recode."""
    remarks(quiet=False)
    from newsclf.codebook import Codebook
    from newsclf.corpus.coded import CodedSpec, read_coded
    from newsclf.corpus.migrate import Fates, Migration
    from newsclf.corpus.migrate import draft as drafted
    from newsclf.corpus.recode import recode as run
    from newsclf.corpus.recode import rows_of, todo_rows

    old, new = Codebook.load(codebook), Codebook.load(to)
    if draft:
        print(drafted(old, new), end="")
        return
    if coded is None or table is None:
        raise InputError("name the coded corpus and the table (a draft of it: --draft):  newsclf recode coded.csv --table table.yaml …")
    spec = CodedSpec.parse(columns_of(columns) | {"path": coded}, where="--column")
    read = read_coded(spec, old)
    found = run(read.examples, Fates.check(Migration.load(table), old, new, where=str(table)))
    _write(rows_of(found, spec), output)
    if todo:
        _write(todo_rows(found.todo, spec), todo)
    uncoded = f"\nrows without a code, which are left out: {read.uncoded}" if read.uncoded else ""
    advice = "\nlist those to recode by hand:  --todo todo.csv" if found.todo and not todo else ""
    print(f"{found.text()}{uncoded}{advice}", file=sys.stderr)


def _write(rows: Sequence[Mapping[str, Any]], path: Path | None) -> None:
    """Rows as csv, or as JSON lines where the file is called so; printed where there is no file."""
    from newsclf.corpus.settle import csv_text

    if path is None:
        print(csv_text(rows).rstrip("\n"))
        return
    is_json = path.suffix in (".jsonl", ".ndjson")
    try:
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows) if is_json else csv_text(rows), "utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}. Name another file.") from error


def _codings(path: str, codebook: Path, columns: list[str] | None) -> Codings:
    from newsclf.codebook import Codebook
    from newsclf.corpus.coders import CodingSpec, read_codings

    spec = CodingSpec.parse(columns_of(columns) | {"path": path}, where="--column")
    return read_codings(spec, Codebook.load(codebook))
