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

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from newsclf.article import Article
from newsclf.corpus.clean import CleanArticle
from newsclf.corpus.formats import BadRow
from newsclf.corpus.read import CorpusSpec, read_articles
from newsclf.errors import DataError, OutputError, listed
from newsclf.folder import fsync_folder, sha256, write_file
from newsclf.inference.predictor import Reader, nothing_left
from newsclf.inference.tables import common_schema, quarantine_table, score_tables
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


@dataclass(frozen=True)
class Batch:
    """Rows that are read together: the articles that can be scored, cleaned in each way that a model asks for, and the rows that cannot."""

    rows: int
    articles: list[Article]
    cleaned: dict[str, list[CleanArticle]]
    bad: list[BadRow]

    @classmethod
    def of(cls, rows: Sequence[Article | BadRow], reader: Reader) -> Batch:
        """Clean what was read, and tell apart what is left of it; both in the order of the rows."""
        articles = [row for row in rows if isinstance(row, Article)]
        cleaned = reader.clean(articles)
        # an article that one of the models has nothing left of is scored by none: a row is scored or set aside, never both
        empty = {at: nothing_left(item) for items in cleaned.values() for at, item in enumerate(items) if item.is_empty}
        kept = [at for at in range(len(articles)) if at not in empty]
        numbers = iter(range(len(articles)))
        bad = []
        for row in rows:
            if isinstance(row, BadRow):
                bad.append(row)
            elif (at := next(numbers)) in empty:
                bad.append(BadRow(row.place, empty[at]))
        return cls(len(rows), [articles[at] for at in kept], {key: [items[at] for at in kept] for key, items in cleaned.items()}, bad)


def score(models: Sequence[str | Path] | str | Path, corpus: CorpusSpec | str, output: str | Path, spec: ScoreSpec | None = None) -> Scored:
    """Score a corpus with one or several models, streaming.

    Writes `part-K.parquet` (one row an article), `part-K.TASK.parquet` (stance: one row an article and target), `quarantine-K.parquet` (rows that
    cannot be scored, with place and reason), `part-K.json` (the commit) and `score.json`. A corpus given by its path alone has its bad rows set
    aside; a CorpusSpec says itself. Raises BundleError, DataError, or OutputError where the folder holds something else or cannot be written.
    """
    spec = spec or ScoreSpec()
    paths = [models] if isinstance(models, (str, Path)) else list(models)
    corpus = corpus if isinstance(corpus, CorpusSpec) else CorpusSpec(path=(str(corpus),), on_error="quarantine")
    reader = Reader(paths)
    reader.check_targets(spec.targets)
    folder = _new_folder(Path(output))
    rows = scored = 0
    articles = islice(read_articles(corpus), spec.limit)  # a stream: one batch is in memory at a time
    with progress("scoring") as report:
        for number, rows_read in enumerate(_batches(articles, spec.rows_per_part)):
            batch = Batch.of(rows_read, reader)
            if batch.bad and corpus.on_error == "fail":
                raise DataError(f"{batch.bad[0].place}: {batch.bad[0].reason} (To set such rows aside and go on: on_error: quarantine)")
            commit = _write_part(folder, number, reader, batch, spec)
            rows, scored = rows + commit["rows"], scored + commit["scored"]
            report.advance(commit["rows"])
    if not rows:
        raise DataError(f"{listed(corpus.path)}: there is no row to score.")
    result = Scored(folder, rows, scored, rows - scored)
    summary = {"rows": rows, "scored": scored, "quarantined": rows - scored, "corpus": list(corpus.path), "spec": spec.resolved()}
    summary["models"] = dict(zip([bundle.codebook.task for bundle in reader.bundles], reader.fingerprints, strict=True))
    # backslashreplace: half a character in the name of a file becomes JSON's own escape for it
    _write(folder / SUMMARY, (json.dumps(summary, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))
    return result


def read_scores(path: str | Path, table: str | None = None) -> Dataset:
    """The scores of a corpus, lazily: `.to_table()` gives Arrow, `.to_table().to_pandas()` pandas, `.to_batches()` a stream.

    `table` names a stance task, for its rows of article and target; without it, one row an article. Committed parts only; raises DataError where
    there are none, and where a committed part is gone.
    """
    from pyarrow.dataset import dataset

    folder = Path(path)
    committed = [name for commit in sorted(folder.glob("part-*.json")) for name in _committed(commit) if name.startswith("part-")]
    if not committed:
        raise DataError(f"{folder}: there are no committed scores here; newsclf score MODEL CORPUS -o {folder}  writes them.")
    kind = f"{table}.parquet" if table else "parquet"  # what follows part-K.
    files = [str(folder / name) for name in committed if name.partition(".")[2] == kind]
    if not files:
        known = sorted({name.split(".")[1] for name in committed if name.count(".") == 2})
        raise DataError(f"{folder}: there is no table {table!r}; the tables beside the articles' are {listed(known)}.")
    return dataset(files, schema=common_schema([pq.read_schema(file) for file in files]), format="parquet")


def _committed(commit: Path) -> list[str]:
    """The files that a commit names; raises DataError where it cannot be read or one of them is gone."""
    try:
        names = list(json.loads(commit.read_text("utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{commit}: this commit cannot be read ({error}); copy the whole folder again, or score again.") from error
    gone = [name for name in names if not (commit.parent / name).is_file()]
    if gone:
        raise DataError(f"{commit.parent}: the file {listed(gone)} is gone, which {commit.name} names; copy the whole folder again, or score again.")
    return names


def _batches(articles: Iterator[Article | BadRow], size: int) -> Iterator[list[Article | BadRow]]:
    while batch := list(islice(articles, size)):
        yield batch


def _new_folder(folder: Path) -> Path:
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            unfinished = folder.is_dir() and any(folder.glob("part-*.json"))
            what = "holds scores already" if (folder / SUMMARY).exists() else "holds an unfinished run" if unfinished else "is not an empty folder"
            raise OutputError(f"{folder}: this {what} and is left as it is; name another output folder.")
        folder.mkdir(parents=True, exist_ok=True)
        # a folder that is there may still refuse files: better told now than after the first part
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}.") from error
    return folder


def _write_part(folder: Path, number: int, reader: Reader, batch: Batch, spec: ScoreSpec) -> dict[str, Any]:
    """Score a batch, write its tables, and commit them."""
    tables = score_tables(batch.articles, reader.answer(batch.cleaned, spec.targets), batch.cleaned, sentences=spec.sentences)
    files = {f"part-{number:05d}{name}.parquet": _parquet(table) for name, table in tables.items()}
    files[f"quarantine-{number:05d}.parquet"] = _parquet(quarantine_table(batch.bad))
    commit = {"rows": batch.rows, "scored": tables[""].num_rows, "quarantined": len(batch.bad), "models": list(reader.fingerprints)}
    if commit["rows"] != commit["scored"] + commit["quarantined"]:
        raise AssertionError(f"part {number}: {commit} does not add up")
    for name, data in files.items():
        _write(folder / name, data)
    # last: what has no commit was not written, whatever happened
    commit["files"] = {name: sha256(data) for name, data in files.items()}
    _write(folder / f"part-{number:05d}.json", (json.dumps(commit) + "\n").encode())
    return commit


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(path.name + ".tmp")  # on the same file system, so that it takes its name at once or not at all
    try:
        write_file(fresh, data)
        fresh.replace(path)
        fsync_folder(path.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}. The parts written before it are whole.") from error
