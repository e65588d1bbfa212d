"""What scoring writes of a batch of articles, as Arrow tables, and the schema that parts of different columns share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from newsclf.article import Article, Evidence
from newsclf.corpus.formats import BadRow, Row
from newsclf.corpus.parquet import plain_values
from newsclf.corpus.read import Columns, CorpusSpec, articles_of, as_text, column_mapping
from newsclf.inference.answers import Answers, predictions
from newsclf.inference.evidence import Sentences
from newsclf.inference.rows import Batch, Cleaned
from newsclf.scores.metrics import Booleans

Tables = dict[str, pa.Table]
"""Name of a stance task, or "" for the table of the articles → table."""

IDENTITY = ("place", "id", "title", "outlet", "date", "url")
"""Columns that say which article a row is about; the first two are always written, the others where they are used."""


def score_tables(articles: Sequence[Article], answers: Sequence[Answers], cleaned: Cleaned, *, sentences: int) -> Tables:
    """The articles' table, with columns for each topic and framing task, and one for each stance task.

    A batch without an article gives the same tables without a row, so that every part has the columns of its tasks.
    """
    main = _identity(articles)
    split = {key: [Sentences.of(article) for article in items] for key, items in cleaned.items()} if sentences else {}
    tables = {}
    for item in answers:
        task = item.bundle.codebook.task
        scores = _score_columns(item)
        if sentences:
            scores[f"{task}.evidence"] = _evidence(item, split[item.bundle.clean.fingerprint()], sentences)
        if item.targets:
            rows = np.repeat(np.arange(len(articles)), len(item.targets))  # [articles · targets]
            identity = {name: main[name].take(rows) for name in ("place", "id")}
            tables[task] = pa.table(identity | {f"{task}.target": pa.array(item.pairs.targets, pa.string())} | scores)
        else:
            main |= scores
    return {"": pa.table(main), **tables}


class Scoring(Protocol):
    """What scoring needs of a Reader."""

    def clean(self, articles: Sequence[Article]) -> Cleaned:
        """The articles cleaned in each way that a model asks for."""

    def answer(self, cleaned: Cleaned, targets: Sequence[str] = ()) -> list[Answers]:
        """What each model says of them."""


def score_batch(batch: pa.RecordBatch, reader: Scoring, *, columns: Columns | None, targets: Sequence[str], sentences: int) -> pa.RecordBatch:
    """One row out for each row in (stance: for each target), with `reason` where it could not be scored; see `Predictor.score_batch`."""
    wanted = CorpusSpec(**(columns or Columns()).resolved())
    mapping = column_mapping(wanted.columns(), batch.schema.names, where="the batch")
    rows = plain_values(batch.select(list(dict.fromkeys(mapping.values()))))
    read = (Row(str(at), row) if isinstance(row, dict) else BadRow(str(at), f"this row cannot be read: {row}.") for at, row in enumerate(rows))
    told = Batch.of(list(articles_of(read, wanted, checked=True)), reader.clean)
    answers = reader.answer(told.cleaned, targets)
    tables = score_tables(told.articles, answers, told.cleaned, sentences=sentences)
    whole = next((tables[item.bundle.codebook.task] for item in answers if item.targets), tables[""])
    asked = max(len(answers[0].targets), 1)
    reasons = {int(bad.place): bad.reason for bad in told.bad}
    scored = iter(range(len(told.articles)))
    # rows of `whole` in the order of the batch, null where there is none; a row without a score stands once  [rows out]
    out = [(row, at) for row in range(batch.num_rows) for at in (_rows_of(next(scored), asked) if row not in reasons else (None,))]
    identifiers = batch.column(mapping["id"]) if "id" in mapping else pa.nulls(batch.num_rows, pa.string())
    result = {"id": identifiers.take(pa.array([row for row, _ in out], pa.int64()))}
    taken = whole.drop_columns([name for name in IDENTITY if name in whole.column_names]).take(pa.array([at for _, at in out], pa.int64()))
    result |= dict(zip(taken.column_names, taken.columns, strict=True)) | {"reason": pa.array([reasons.get(row) for row, _ in out], pa.string())}
    return pa.table(result).combine_chunks().to_batches()[0] if out else pa.RecordBatch.from_pylist([], schema=pa.table(result).schema)


def _rows_of(article: int, asked: int) -> range:
    return range(article * asked, (article + 1) * asked)


def quarantine_table(rows: Sequence[BadRow]) -> pa.Table:
    """Rows that could not be scored: place and reason."""
    return pa.table({"place": _texts(row.place for row in rows), "reason": _texts(row.reason for row in rows)})


def common_schema(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """A schema that every part can be read with: what a part lacks is null, and a passed-through column whose parts differ in kind is text."""
    fields = []
    for name in dict.fromkeys(name for schema in schemas for name in schema.names):
        alone = [pa.schema([schema.field(name)]) for schema in schemas if name in schema.names]
        try:
            fields += pa.unify_schemas(alone, promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            fields.append(pa.field(name, pa.string()))
    return pa.schema(fields)


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables one after another, with the schema that all can be read with."""
    schema = common_schema([table.schema for table in tables])
    return pa.concat_tables([_with_schema(table, schema) for table in tables])


def _with_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    if table.schema.equals(schema):
        return table
    there = set(table.column_names)
    columns = [table[field.name].cast(field.type) if field.name in there else pa.nulls(len(table), field.type) for field in schema]
    return pa.table(columns, schema=schema)


def _score_columns(item: Answers) -> dict[str, pa.Array]:
    codebook = item.bundle.codebook
    task, names = codebook.task, np.array(codebook.names, object)
    if codebook.kind == "exclusive":
        labels = [names[row.argmax()] if row.any() else None for row in item.decided]
        columns = {f"{task}.label": pa.array(labels, pa.string()), f"{task}.abstained": pa.array([label is None for label in labels], pa.bool_())}
        sets = item.sets()
        if sets is not None:
            columns[f"{task}.set"] = _label_lists(sets, names)
    else:
        columns = {f"{task}.labels": _label_lists(item.decided, names)}
    # float32: half the size of what is written most, and more digits than anybody prints
    columns |= {f"{task}.p.{name}": pa.array(item.probabilities[:, k].astype(np.float32)) for k, name in enumerate(names)}
    columns[f"{task}.coverage"] = pa.array(item.coverage.astype(np.float32))
    return columns


def _label_lists(given: Booleans, names: NDArray[np.object_]) -> pa.Array:
    """The names of the labels of each row, in codebook order. [rows, labels], [labels]"""
    return pa.array([names[row].tolist() for row in given], pa.list_(pa.string()))


def _evidence(item: Answers, split: Sequence[Sentences], sentences: int) -> pa.Array:
    """The evidence of each pair as JSON text."""
    found = [predictions(item, row, split[int(item.pairs.rows[row])], sentences).evidence for row in range(len(item.pairs))]
    return pa.array([json.dumps([_span(piece) for piece in pieces], ensure_ascii=False) for pieces in found], pa.string())


def _span(piece: Evidence) -> dict[str, Any]:
    place = {"label": piece.label, "field": piece.field, "start": piece.start, "end": piece.end}
    return place | {"weight": round(piece.weight, 4)} | piece.reading() | {"text": piece.text}


def _identity(articles: Sequence[Article]) -> dict[str, pa.Array]:
    columns = {name: [getattr(article, name) for article in articles] for name in IDENTITY}
    # what is not given is null, in a part where no article has it as in one where some do
    return {name: _texts(value or None for value in values) for name, values in columns.items() if name in ("place", "id") or any(values)}


def with_kept(table: pa.Table, kept: Mapping[str, Sequence[Any]], tasks: Sequence[str]) -> pa.Table:
    """The articles' table of a whole shard, with columns of the corpus after those that say which article a row is about.

    A name that is, or in another part may be, one of ours gets `extra.` before it.
    """
    ours = {*tasks, "extra"}
    # of the whole shard at once: a column's type must not depend on how its rows were batched
    columns = {f"extra.{name}" if name in IDENTITY or name.partition(".")[0] in ours else name: plain_column(values) for name, values in kept.items()}
    there = dict(zip(table.column_names, table.columns, strict=True))
    identity = {name: there.pop(name) for name in IDENTITY if name in there}
    return pa.table(identity | columns | there)


def plain_column(values: Sequence[Any]) -> pa.Array:
    """A column of one plain type, numbers together as floats; everything else as text: dates in ISO 8601, lists and objects and mixtures in JSON."""
    kinds = {type(value) for value in values if value is not None}  # not isinstance: True is no whole number here
    if not kinds:
        return pa.nulls(len(values))  # of no type, so that other parts may give the column one
    if kinds in ({int}, {float}, {bool}, {int, float}):
        try:
            return pa.array(values, pa.float64() if len(kinds) > 1 else None)
        except (OverflowError, pa.ArrowInvalid):
            pass  # a whole number that its column's type cannot hold is kept as text
    return _texts(None if value is None else _as_text(value) for value in values)


def _as_text(value: Any) -> str:
    in_json = isinstance(value, (Mapping, list, tuple, bool, int, float))
    return json.dumps(value, ensure_ascii=False, default=as_text) if in_json else as_text(value)


def _texts(values: Iterable[str | None]) -> pa.Array:
    # the name of a file or folder may be bytes that are no UTF-8: they are shown as \udc..
    return pa.array([value and value.encode("utf-8", "backslashreplace").decode("utf-8") for value in values], pa.string())
