"""Scoring a corpus: a stream of articles in, a folder of Parquet parts out, every row accounted for.

Each part is written beside its goal, fsynced, renamed, and then committed by a small JSON file; readers trust committed parts only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from newsclf.article import Article, Evidence
from newsclf.corpus.clean import CleanArticle
from newsclf.corpus.formats import BadRow
from newsclf.corpus.read import CorpusSpec, read_articles
from newsclf.errors import DataError, OutputError, listed
from newsclf.folder import fsync_folder, sha256, write_file
from newsclf.inference.evidence import Sentences
from newsclf.inference.predictor import Answers, Reader, predictions
from newsclf.progress import progress
from newsclf.spec import Spec

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset

SUMMARY = "score.json"


class ScoreSpec(Spec):
    """How a corpus is scored."""

    targets: tuple[str, ...] = ()
    """Stance: ask about these targets instead of the codebook's."""

    sentences: int = Field(default=0, ge=0)
    """Sentences of evidence for each label; 0 writes none, and is several times faster."""

    limit: int | None = Field(default=None, ge=1)
    """Score so many rows only, for a trial."""

    rows_per_part: int = Field(default=20_000, ge=1)
    """Input rows of each output part."""


@dataclass(frozen=True)
class Scored:
    """What a scoring run did; `rows` = `scored` + `quarantined`, always."""

    output: Path
    rows: int
    scored: int
    quarantined: int


def score(models: Sequence[str | Path] | str | Path, corpus: CorpusSpec | str, output: str | Path, spec: ScoreSpec | None = None) -> Scored:
    """Score a corpus with one or several models, streaming.

    Writes `part-K.parquet` (one row an article), `part-K.TASK.parquet` (stance: one row an article and target), `quarantine-K.parquet` (rows that
    cannot be scored, with place and reason), `part-K.json` (the commit) and `score.json`. A corpus given by its path alone has its bad rows set
    aside; a CorpusSpec says itself. Raises BundleError, DataError, or OutputError where the folder holds something else or cannot be written.
    """
    spec = spec or ScoreSpec()
    paths = [models] if isinstance(models, (str, Path)) else list(models)
    corpus = CorpusSpec(path=(corpus,), on_error="quarantine") if isinstance(corpus, str) else corpus
    reader = Reader(paths)
    folder = _new_folder(Path(output))
    rows = scored = 0
    articles = islice(read_articles(corpus), spec.limit)
    with progress("scoring") as report:
        for number, batch in enumerate(_batches(articles, spec.rows_per_part)):
            if corpus.on_error == "fail":
                _refuse(batch)
            commit = _write_part(folder, number, reader, batch, spec)
            rows, scored = rows + commit["rows"], scored + commit["scored"]
            report.advance(commit["rows"])
    if not rows:
        raise DataError(f"{listed(corpus.path)}: there is no row to score.")
    result = Scored(folder, rows, scored, rows - scored)
    summary = {"rows": rows, "scored": scored, "quarantined": rows - scored, "corpus": list(corpus.path), "spec": spec.resolved()}
    summary["models"] = dict(zip([bundle.codebook.task for bundle in reader.bundles], reader.fingerprints, strict=True))
    _write(folder / SUMMARY, (json.dumps(summary, indent=1, ensure_ascii=False) + "\n").encode())
    return result


def read_scores(path: str | Path, table: str | None = None) -> Dataset:
    """The scores of a corpus, lazily: `.to_table()` gives Arrow, `.to_table().to_pandas()` pandas, `.to_batches()` a stream.

    `table` names a stance task, for its rows of article and target; without it, one row an article. Committed parts only; raises DataError where
    there are none.
    """
    from pyarrow.dataset import dataset

    folder = Path(path)
    commits = [json.loads(commit.read_text("utf-8")) for commit in sorted(folder.glob("part-*.json"))]
    if not commits:
        raise DataError(f"{folder}: there are no committed scores here; newsclf score MODEL CORPUS -o {folder}  writes them.")
    kind = f"{table}.parquet" if table else "parquet"
    files = [str(folder / name) for commit in commits for name in commit["files"] if name.partition(".")[2] == kind and name.startswith("part-")]
    if not files:
        known = sorted({name.split(".")[1] for commit in commits for name in commit["files"] if name.startswith("part-") and name.count(".") == 2})
        raise DataError(f"{folder}: there is no table {table!r}; the tables beside the articles' are {listed(known)}.")
    schema = pa.unify_schemas([pq.read_schema(file) for file in files], promote_options="permissive")
    return dataset(files, schema=schema, format="parquet")


def _batches(articles: Iterator[Article | BadRow], size: int) -> Iterator[list[Article | BadRow]]:
    while batch := list(islice(articles, size)):
        yield batch


def _refuse(batch: Sequence[Article | BadRow]) -> None:
    for item in batch:
        if isinstance(item, BadRow):
            raise DataError(f"{item.place}: {item.reason} (To set such rows aside and go on: on_error: quarantine)")


def _new_folder(folder: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "holds scores already" if (folder / SUMMARY).exists() else "is not an empty folder"
        raise OutputError(f"{folder}: this {what} and is left as it is; name another output folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}.") from error
    return folder


def _write_part(folder: Path, number: int, reader: Reader, batch: Sequence[Article | BadRow], spec: ScoreSpec) -> dict[str, Any]:
    """Score a batch, write its tables, and commit them."""
    articles = [item for item in batch if isinstance(item, Article)]
    cleaned = reader.clean(articles)
    empty = {row for items in cleaned.values() for row, item in enumerate(items) if not item.text.text}
    kept = [row for row in range(len(articles)) if row not in empty]
    bad = [item for item in batch if isinstance(item, BadRow)]
    bad += [BadRow(articles[row].place, "nothing is left of the text after cleaning.") for row in sorted(empty)]
    cleaned = {key: [items[row] for row in kept] for key, items in cleaned.items()}
    tables = _tables([articles[row] for row in kept], reader.answer(cleaned, spec.targets) if kept else [], cleaned, spec)
    files = {f"part-{number:05d}{name}.parquet": _parquet(table) for name, table in tables.items()}
    files[f"quarantine-{number:05d}.parquet"] = _parquet(
        pa.table({"place": pa.array([row.place for row in bad], pa.string()), "reason": pa.array([row.reason for row in bad], pa.string())})
    )
    for name, data in files.items():
        _write(folder / name, data)
    commit = {"rows": len(batch), "scored": len(kept), "quarantined": len(bad), "models": list(reader.fingerprints)}
    if commit["rows"] != len(kept) + len(bad):
        raise AssertionError(f"part {number}: {commit} does not add up")
    commit["files"] = {name: sha256(data) for name, data in files.items()}
    _write(folder / f"part-{number:05d}.json", (json.dumps(commit) + "\n").encode())
    return commit


def _tables(articles: Sequence[Article], answers: Sequence[Answers], cleaned: dict[str, list[CleanArticle]], spec: ScoreSpec) -> dict[str, pa.Table]:
    """Table suffix → table: the articles' with a column for each label of topic and framing, and one for each stance task."""
    main = _identity(articles)
    tables = {}
    for item in answers:
        scores = _score_columns(item, cleaned, spec)
        if item.targets:
            width = len(item.targets)
            identity = {
                name: pa.array([value for value in main[name].to_pylist() for _ in range(width)], main[name].type) for name in ("place", "id")
            }
            target = {f"{item.bundle.codebook.task}.target": pa.array(item.pairs.targets, pa.string())}
            tables[f".{item.bundle.codebook.task}"] = pa.table(identity | target | scores)
        else:
            main |= scores
    return {"": pa.table(main), **tables}


def _score_columns(item: Answers, cleaned: dict[str, list[CleanArticle]], spec: ScoreSpec) -> dict[str, pa.Array]:
    codebook = item.bundle.codebook
    task, names = codebook.task, np.array(codebook.names, object)
    if codebook.kind == "exclusive":
        labels = [names[row.argmax()] if row.any() else None for row in item.decided]
        columns = {f"{task}.label": pa.array(labels, pa.string()), f"{task}.abstained": pa.array([label is None for label in labels])}
    else:
        columns = {f"{task}.labels": pa.array([names[row].tolist() for row in item.decided], pa.list_(pa.string()))}
    columns |= {f"{task}.p.{name}": pa.array(item.probabilities[:, k].astype(np.float32)) for k, name in enumerate(names)}
    columns[f"{task}.coverage"] = pa.array(item.coverage.astype(np.float32))
    if spec.sentences:
        columns[f"{task}.evidence"] = pa.array(_evidence(item, cleaned, spec.sentences), pa.string())
    return columns


def _evidence(item: Answers, cleaned: dict[str, list[CleanArticle]], sentences: int) -> list[str]:
    articles = cleaned[item.bundle.clean.fingerprint()]
    split = [Sentences.of(article) for article in articles]
    found = [predictions(item, row, split[int(item.pairs.rows[row])], sentences).evidence for row in range(len(item.pairs))]
    return [json.dumps([_span(piece) for piece in pieces], ensure_ascii=False) for pieces in found]


def _span(piece: Evidence) -> dict[str, Any]:
    return {"label": piece.label, "field": piece.field, "start": piece.start, "end": piece.end, "weight": round(piece.weight, 4), "text": piece.text}


def _identity(articles: Sequence[Article]) -> dict[str, pa.Array]:
    """Place, id, and what was read beside the text: the known fields where they are used, then the columns that no field claims."""
    columns = {
        name: pa.array([getattr(article, name) for article in articles], pa.string()) for name in ("place", "id", "title", "outlet", "date", "url")
    }
    columns = {name: values for name, values in columns.items() if name in ("place", "id") or any(values.to_pylist())}
    extras = dict.fromkeys(name for article in articles for name in article.extra)
    return columns | {name if name not in columns else f"extra.{name}": _plain([article.extra.get(name) for article in articles]) for name in extras}


def _plain(values: Sequence[Any]) -> pa.Array:
    """A column of one plain type; lists, objects and mixtures as JSON text."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) == 1 and kinds <= {str, int, float, bool}:
        return pa.array(values)
    texts = [value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str) for value in values]
    return pa.array(texts, pa.string())


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(path.name + ".tmp")
    try:
        write_file(fresh, data)
        fresh.replace(path)
        fsync_folder(path.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}. The parts written before it are whole.") from error
