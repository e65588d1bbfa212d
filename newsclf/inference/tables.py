"""What scoring writes of a batch of articles, as Arrow tables, and the schema that parts of different columns share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from newsclf.article import Article, Evidence
from newsclf.corpus.clean import CleanArticle
from newsclf.corpus.formats import BadRow
from newsclf.corpus.read import as_text
from newsclf.inference.evidence import Sentences
from newsclf.inference.predictor import Answers, predictions

Cleaned = Mapping[str, Sequence[CleanArticle]]
"""Fingerprint of a CleanSpec → the articles cleaned by it."""

IDENTITY = ("place", "id", "title", "outlet", "date", "url")
"""Columns that say which article a row is about; the first two are always written, the others where they are used."""


def score_tables(articles: Sequence[Article], answers: Sequence[Answers], cleaned: Cleaned, *, sentences: int) -> dict[str, pa.Table]:
    """Table suffix → table: the articles' with columns for each topic and framing task, and one for each stance task.

    A batch without an article gives the same tables without a row, so that every part has the columns of its tasks.
    """
    main = _identity(articles) | _passed_through(articles, [item.bundle.codebook.task for item in answers])
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
            tables[f".{task}"] = pa.table(identity | {f"{task}.target": pa.array(item.pairs.targets, pa.string())} | scores)
        else:
            main |= scores
    return {"": pa.table(main), **tables}


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


def _score_columns(item: Answers) -> dict[str, pa.Array]:
    codebook = item.bundle.codebook
    task, names = codebook.task, np.array(codebook.names, object)
    if codebook.kind == "exclusive":
        labels = [names[row.argmax()] if row.any() else None for row in item.decided]
        columns = {f"{task}.label": pa.array(labels, pa.string()), f"{task}.abstained": pa.array([label is None for label in labels], pa.bool_())}
    else:
        columns = {f"{task}.labels": pa.array([names[row].tolist() for row in item.decided], pa.list_(pa.string()))}
    # float32: half the size of what is written most, and more digits than anybody prints
    columns |= {f"{task}.p.{name}": pa.array(item.probabilities[:, k].astype(np.float32)) for k, name in enumerate(names)}
    columns[f"{task}.coverage"] = pa.array(item.coverage.astype(np.float32))
    return columns


def _evidence(item: Answers, split: Sequence[Sentences], sentences: int) -> pa.Array:
    """The evidence of each pair as JSON text."""
    found = [predictions(item, row, split[int(item.pairs.rows[row])], sentences).evidence for row in range(len(item.pairs))]
    return pa.array([json.dumps([_span(piece) for piece in pieces], ensure_ascii=False) for pieces in found], pa.string())


def _span(piece: Evidence) -> dict[str, Any]:
    return {"label": piece.label, "field": piece.field, "start": piece.start, "end": piece.end, "weight": round(piece.weight, 4), "text": piece.text}


def _identity(articles: Sequence[Article]) -> dict[str, pa.Array]:
    columns = {name: [getattr(article, name) for article in articles] for name in IDENTITY}
    return {name: _texts(values) for name, values in columns.items() if name in ("place", "id") or any(values)}


def _passed_through(articles: Sequence[Article], tasks: Sequence[str]) -> dict[str, pa.Array]:
    """The columns that no field claims. A name that is, or in another part may be, one of ours gets `extra.` before it."""
    ours = {*tasks, "extra"}
    names = dict.fromkeys(name for article in articles for name in article.extra)
    columns = {name: plain_column([article.extra.get(name) for article in articles]) for name in names}
    return {f"extra.{name}" if name in IDENTITY or name.partition(".")[0] in ours else name: column for name, column in columns.items()}


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
