"""Coded files as people's tools write them: spreadsheets, Label Studio, doccano and tables of one's own become marks, one for each coding.

A mark says what stands in a file; whether it is a coding that the codebook allows is said elsewhere.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from newsclf.codebook import Codebook
from newsclf.corpus.formats import BadRow, Row
from newsclf.corpus.read import as_text
from newsclf.errors import DataError, InputError, listed, nearest
from newsclf.estimates.files import EXCEL, rows_of
from newsclf.estimates.sheets import labels_column, unguarded

DESIGN = ("inclusion_probability", "stratum", "cluster")
FIELDS = ("key", "id", "target", "labels", "coder", *DESIGN)
"""What a coded file tells of a coding; each stands in the column of its own name, unless another is named."""


@dataclass(frozen=True)
class Design:
    """How an article was drawn, where the coded file says so: a user's own design."""

    probability: float | None = None
    """Chance of the article to be drawn, above 0 and at most 1."""

    stratum: str = ""
    cluster: str = ""


@dataclass(frozen=True)
class Mark:
    """What one coder wrote about one article, as it stands in a file."""

    place: str
    key: str
    """Place of the article in the corpus; "" where the file does not have it."""

    id: str
    target: str
    coder: str
    """"" where the file does not say who coded."""

    labels: tuple[str, ...] | None
    """As they were written; None where the row is not coded."""

    skipped: bool = False
    """The coder passed the article over on purpose, as Label Studio lets one do."""

    design: Design | None = None
    """None where the row says nothing of it."""


def marks_of(path: str, codebook: Codebook, columns: Mapping[str, str] | None = None) -> Iterator[Mark]:
    """The marks of one file: csv (commas, semicolons or tabs), tsv, jsonl, Parquet, an export of Label Studio (JSON, JSON-MIN) or doccano (JSONL).

    `columns` names the columns of fields (FIELDS) that are called otherwise. Raises DataError for a row that cannot be read, for a file without a
    column of labels, and for a file of predictions; InputError for a file of unknown format and a field that there is not.
    """
    reading = _Reading(path, codebook, columns or {})
    for row in rows_of(path):
        if isinstance(row, BadRow):
            raise DataError(f"{row.place}: {row.reason}{f' {EXCEL}' if 'UTF-8' in row.reason else ''}")
        if any(as_text(cell).strip() for cell in row.values.values()):  # spreadsheets leave empty rows at the end
            yield from reading.marks(row)
    reading.check_end()


class _Reading:
    """The marks of one file."""

    def __init__(self, path: str, codebook: Codebook, columns: Mapping[str, str]) -> None:
        for name in columns:
            if name not in FIELDS:
                raise InputError(f"there is no field {name!r} in a coded file{nearest(name, FIELDS)}; the fields are {listed(FIELDS)}.")
        self.path, self.codebook, self.columns = path, codebook, columns
        own = labels_column(codebook)
        self.names = (columns["labels"],) if "labels" in columns else (own, "label" if own == "labels" else "labels", codebook.task)
        """Columns that may hold the labels, the likeliest first."""

        self.rows = 0
        self.found = False
        self.known: dict[str, None] = {}
        """Columns of any row: rows of JSON may leave one out."""

    def marks(self, row: Row) -> Iterator[Mark]:
        self.rows += 1
        values = row.values
        if isinstance(values.get("data"), Mapping):
            yield from self._annotated(row)
            return
        self.known.update(dict.fromkeys(values))
        if "probabilities" in values and "abstained" in values:
            raise self._predictions("probabilities")
        column = next((name for name in self.names if name in values), None)
        self.found |= column is not None
        annotated = as_text(values.get("annotation_id")).strip() != ""
        self.found |= annotated
        # a label that Label Studio's JSON-MIN leaves out of an annotation was not chosen
        cell = values[column] if column else None
        cell = [] if annotated and cell in (None, "") else cell
        labels = None if column == "label" and isinstance(cell, list) and not cell else self._labels(cell)
        yield self._mark(row.place, values, labels, coder=values.get("annotator") if "annotation_id" in values else None)

    def _annotated(self, row: Row) -> Iterator[Mark]:
        """The annotations of a task of Label Studio; a task that nobody annotated is one mark without labels."""
        self.found = True
        annotations = row.values.get("annotations") or row.values.get("completions") or []
        if not isinstance(annotations, list) or not all(isinstance(annotation, Mapping) for annotation in annotations):
            raise DataError(f"{row.place}: the annotations must be a list of objects, as Label Studio exports them; export the project as JSON.")
        for annotation in annotations:
            coder = annotation.get("completed_by")
            if isinstance(coder, Mapping):
                coder = coder.get("email") or coder.get("username") or coder.get("id")
            skipped = bool(annotation.get("was_cancelled") or annotation.get("skipped"))
            labels = None if skipped else self._labels(self._chosen(annotation.get("result") or [], row.place))
            yield self._mark(row.place, row.values["data"], labels, coder=coder, skipped=skipped)
        if not annotations:
            yield self._mark(row.place, row.values["data"], None)

    def _chosen(self, result: list[Mapping[str, Any]], place: str) -> list[str]:
        """What was chosen where labels are chosen; raises DataError where it is not clear which choices are the labels."""
        chosen: dict[str, list[str]] = {}
        for item in result:
            if item.get("type") == "choices":
                chosen.setdefault(str(item.get("from_name")), []).extend(map(str, item.get("value", {}).get("choices", [])))
        for name in self.names:
            if name in chosen:
                return chosen[name]
        if len(chosen) > 1 or (chosen and "labels" in self.columns):
            raise DataError(f"{place}: there are the choices {listed(chosen)}; name those that are the labels:  --column labels={next(iter(chosen))}")
        return next(iter(chosen.values()), [])

    def _labels(self, cell: Any) -> tuple[str, ...] | None:
        """The labels of a cell; None where it says nothing. An empty list says that no label was chosen, of an exclusive task: nothing."""
        if isinstance(cell, str) and cell.startswith('{"choices"'):  # several, in Label Studio's csv
            try:
                cell = json.loads(cell)
            except ValueError:
                return (cell,)
        if isinstance(cell, Mapping):
            cell = cell.get("choices")
        if isinstance(cell, (list, tuple)):
            return tuple(text for item in cell if (text := as_text(item).strip())) or (() if self.codebook.kind == "multi" else None)
        text = unguarded(as_text(cell)).strip()
        if text in self.codebook.labels or ";" not in text:
            return (text,) if text else None
        return tuple(part for piece in text.split(";") if (part := piece.strip())) or None

    def _mark(self, place: str, values: Mapping[str, Any], labels: tuple[str, ...] | None, *, coder: Any = None, skipped: bool = False) -> Mark:
        def cell(name: str) -> str:
            return unguarded(as_text(values.get(self.columns.get(name, name)))).strip()

        # in exports of both tools `id` is a number of their own
        identifier = cell("id") if "id" in self.columns or "article_id" not in values else unguarded(as_text(values["article_id"])).strip()
        target = " ".join(cell("target").split()) if self.codebook.is_stance else ""
        who = cell("coder") or as_text(coder).strip()
        chance, stratum, cluster = map(cell, DESIGN)
        design = Design(_probability(chance, place), stratum, cluster) if chance or stratum or cluster else None
        return Mark(place, cell("key"), identifier, target, who, labels, skipped, design)

    def check_end(self) -> None:
        """Raise DataError where no row had labels, or could have had."""
        if self.rows and not self.found:
            task = self.codebook.task
            if predicted := [name for name in self.known if name.startswith(f"{task}.")]:
                raise self._predictions(predicted[0])
            raise DataError(
                f"{self.path}: there is no column {self.names[0]!r} that holds the labels{nearest(self.names[0], self.known)}; the columns are "
                f"{listed(self.known)}. Name it:  --column labels=COLUMN"
            )
        for name, column in self.columns.items():
            if self.known and column not in self.known:
                raise DataError(f"{self.path}: there is no column {column!r} ({name}){nearest(column, self.known)}; there are {listed(self.known)}.")

    def _predictions(self, column: str) -> DataError:
        return DataError(f"{self.path}: these are predictions of a model (column {column!r}), not what people coded; name the coded sheets.")


def _probability(text: str, place: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))  # as spreadsheets write it in much of Europe
    except ValueError:
        value = math.nan
    if not 0 < value <= 1:
        raise DataError(f"{place}: the inclusion_probability must be a number above 0 and at most 1; it is {text!r}.")
    return value
