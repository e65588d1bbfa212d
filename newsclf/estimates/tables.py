"""Estimates as tables: csv for other programs, Markdown and LaTeX for papers, and text for the terminal."""

from __future__ import annotations

import csv
import io
import re
import textwrap
import unicodedata
from collections.abc import Sequence
from itertools import groupby

from newsclf.estimates.sheets import guarded
from newsclf.estimates.wording import (
    UNTESTED,
    Record,
    Row,
    against_counting,
    bounds,
    group_name,
    level,
    meaning,
    ordered,
    percent,
    point_bounds,
    points,
    provenance,
    refused,
)

NUMBERS = ("scored", "audited", "positives", "estimate", "low", "high", "naive", "worth", "total", "total_low", "total_high")
"""What csv says of a share, in this order; shares run from 0 to 1."""

MOST = 40
"""Rows of a table on the terminal."""

WIDE = 120
"""Columns of a terminal."""

NAME = 36
"""Columns of a name on the terminal."""

LONG = 40
"""Rows from which a LaTeX table may break over pages."""

Cells = tuple[str, ...]

LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
} | {character: f"\\{character}" for character in "&%$#_{}"}
"""Characters that LaTeX takes for commands → how they are written."""


def to_csv(record: Record) -> str:
    """One row for each label and group: label, level, a column for each of `by`, NUMBERS, pooled, and why a share was refused.

    `level` names the columns of `by` that a row is of, joined by " × ", and is "whole corpus" where there are none; the cells of the others are
    empty, as are those of numbers that there are not. A column of `by` that is called as one of the others has "by " before its name. Names that a
    spreadsheet would run as formulas are guarded as in the coding sheets.
    """
    rest = ("label", "level", *NUMBERS, "pooled", "refused")
    columns = {key: f"by {key}" if key in rest else key for key in record["by"]}
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(["label", "level", *map(guarded, columns.values()), *NUMBERS, "pooled", "refused"])
    for row in ordered(record):
        group = row["group"]
        cells = [guarded(str(group[key])) if key in group else "" for key in columns]
        numbers = ["" if row[name] is None else row[name] for name in NUMBERS]
        of = " × ".join(group) or "whole corpus"
        writer.writerow([guarded(row["label"]), of, *cells, *numbers, "yes" if row["pooled"] else "no", row["refused"] or ""])
    return written.getvalue()


def to_markdown(record: Record) -> str:
    """A table for each label, then one of the differences, and a note of what they are and are made from."""
    parts = [f"# Shares of {_markdown(record['task'])}", _markdown(meaning(record)), _markdown(against_counting(record))]
    for label, rows in groupby(ordered(record), key=lambda row: row["label"]):
        lines = [("group", *_headings(record)), *((group_name(row["group"]), *_cells(row)) for row in rows)]
        parts += [f"## {_markdown(label)}", _markdown_table(lines)]
    if differences := _difference_cells(record):
        parts += ["## Differences, in percentage points", _markdown_table([("label", "difference", f"{level(record)} interval"), *differences])]
    said = [*_marks(record["shares"]), *record.get("remarks", ()), provenance(record)]
    parts += map(_markdown, said)
    return "\n\n".join(part for part in parts if part) + "\n"


def to_latex(record: Record) -> str:
    """A table in the manner of `booktabs`, with a note beneath: one row for each label and group, by label, breaking over pages where it is long.

    Names stand as they are written, whatever is in them; the packages that it needs are named in its first line.
    """
    rows = ordered(record)
    long = len(rows) > LONG
    name = "longtable" if long else "tabular"
    head = " & ".join(map(_latex_cell, ("", *_headings(record))))
    top = [r"\toprule", rf"{head} \\", r"\midrule", *([r"\endhead", r"\bottomrule", r"\endfoot"] if long else [])]
    body: list[str] = []
    for label, group in groupby(rows, key=lambda row: row["label"]):
        body += [r"\addlinespace"] * bool(body)
        body.append(rf"\multicolumn{{5}}{{l}}{{\textit{{{latex(label)}}}}} \\")
        body += [rf"\quad {latex(group_name(row['group']))} & {' & '.join(map(_latex_cell, _cells(row)))} \\" for row in group]
    table = [rf"\begin{{{name}}}{{lrrrr}}", *top, *body, *([] if long else [r"\bottomrule"]), rf"\end{{{name}}}"]
    said = " ".join([meaning(record), *_marks(rows), provenance(record)])
    note = rf"\par\smallskip{{\footnotesize {latex(said)}\par}}"
    packages = r"% needs \usepackage{booktabs}" + (r" and \usepackage{longtable}" if long else "") + r", and \usepackage[T1]{fontenc} under pdfLaTeX"
    framed = [*table, note] if long else [r"\begin{table}", r"\centering", *table, note, r"\end{table}"]
    return "\n".join([packages, *framed]) + "\n"


def to_text(record: Record, *, most: int = MOST, rest: str = "the csv file has them all") -> str:
    """Tables for the terminal, at most WIDE columns wide and of at most so many rows, the coarsest groups first.

    `rest` says where the rows are found that are cut.
    """
    rows = sorted(ordered(record), key=lambda row: len(row["group"]))
    names = [f"{row['label']}: {group_name(row['group'])}" for row in rows]
    head = [("", "share", level(record), "counted (biased)", "coded", "scored", "worth")]
    lines = [(name, *_figures(row), _worth(row)) for name, row in zip(names, rows, strict=True)]
    parts = [f"shares of {_clean(record['task'])}", *_cut_table(head, lines, most, rest, NAME)]
    if differences := _difference_cells(record):
        parts += ["", "differences, in percentage points", *_cut_table([("", "", level(record))], differences, most, rest, WIDE - 34)]
    if supposed := _supposed_cells(record):
        parts += ["", UNTESTED, *_cut_table([("", "share", level(record), "by")], supposed, most, rest, NAME)]
    worth = "worth: as many codes of a simple random sample of the group would be as exact."
    said = [against_counting(record), meaning(record), *_marks(rows), worth, *record.get("remarks", ()), provenance(record)]
    return "\n".join([*parts, "", *(line for text in said if text for line in textwrap.wrap(_clean(text), WIDE))])


def latex(text: str) -> str:
    """Text as LaTeX prints it, whatever is in it: on one line, without characters that no font has."""
    written = "".join(LATEX.get(character, character) for character in _clean(text))
    return re.sub(r"([-',])(?=\1)", r"\1{}", written)  # else two of these are printed as another sign


# cells


def _headings(record: Record) -> tuple[str, ...]:
    return (f"share, {level(record)} interval", "counted (biased)", "coded", "scored")


def _figures(row: Row) -> tuple[str, ...]:
    share = "refused" if refused(row) else percent(row["estimate"]) + ("*" if row["pooled"] else "")
    return share, bounds(row), percent(row["naive"]), f"{row['audited']:,}", f"{row['scored']:,}"


def _cells(row: Row) -> tuple[str, ...]:
    """The figures of a share as papers print them: 41.0 % [37.0, 45.0]."""
    share, interval, *others = _figures(row)
    return (share if refused(row) else f"{share} [{interval.replace(' to ', ', ')}]"), *others


def _worth(row: Row) -> str:
    return "–" if row["worth"] is None else f"{row['worth']:,.0f}"


def _difference_cells(record: Record) -> list[tuple[str, ...]]:
    rows = record.get("differences", ())
    return [(f"{row['label']}: {group_name(row['a'])} − {group_name(row['b'])}", points(row["difference"]), point_bounds(row)) for row in rows]


def _supposed_cells(record: Record) -> list[tuple[str, ...]]:
    """What quantifiers say of the coarsest groups; what each supposes the page tells."""
    rows = record.get("comparators", ())
    least = min((len(row["group"]) for row in rows), default=0)
    told = [row for row in rows if len(row["group"]) == least]
    return [(f"{row['label']}: {group_name(row['group'])}", percent(row["estimate"]), bounds(row), row["method"]) for row in told]


def _marks(rows: Sequence[Row]) -> list[str]:
    """What the marks in the cells mean, of those that there are."""
    reasons = list(dict.fromkeys(row["refused"] for row in rows if row["refused"]))
    more = f" (and {len(reasons) - 1:,} more reasons)" if len(reasons) > 1 else ""
    return [
        *(["* estimated from the codes of several groups together."] if any(row["pooled"] and not refused(row) for row in rows) else []),
        *([f"Refused: {reasons[0].rstrip('.')}{more}."] if reasons else []),
    ]


def _clean(text: str) -> str:
    """Text on one line, without control characters and halves of characters."""
    return "".join(character for character in " ".join(text.split()) if unicodedata.category(character) not in ("Cc", "Cs"))


def _latex_cell(text: str) -> str:
    return latex(text).replace(r" \%", r"\,\%")


def _markdown(text: str) -> str:
    """Text in which Markdown sees no markup."""
    return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", _clean(text))


def _markdown_table(lines: Sequence[Cells]) -> str:
    rule = ["---", *["---:"] * (len(lines[0]) - 1)]
    return "\n".join(f"| {' | '.join(map(_markdown, cells))} |" for cells in (lines[0], rule, *lines[1:]))


def _cut_table(head: Sequence[Cells], lines: Sequence[Cells], most: int, rest: str, name: int) -> list[str]:
    """Lines of cells in columns, the first flush left and at most `name` columns wide, the others flush right."""
    shown = [*head, *lines[:most]]
    first = [_fitted(_clean(line[0]), name) for line in shown]
    widths = [max(map(_width, column)) for column in zip(*(line[1:] for line in shown), strict=True)]
    left = max(map(_width, first))
    written = []
    for begin, line in zip(first, shown, strict=True):
        cells = [cell.rjust(width) for cell, width in zip(line[1:], widths, strict=True)]
        written.append("  ".join([f"  {begin}{' ' * (left - _width(begin))}", *cells]).rstrip())
    return written + ([f"  … and {len(lines) - most:,} more: {rest}"] if len(lines) > most else [])


def _fitted(name: str, most: int) -> str:
    if _width(name) <= most:
        return name
    while _width(name) >= most:
        name = name[:-1]
    return f"{name}…"


def _width(text: str) -> int:
    """Columns that a terminal gives a text: two to a character of East Asia, none to an accent of its own."""
    return sum(0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
