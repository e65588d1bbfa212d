"""Reading scores: committed parts only, lazily, and written out as one file for other programs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from newsclf.errors import DataError, InputError, OutputError, listed
from newsclf.inference.commit import PART, committed, files_of_commit
from newsclf.inference.job import JOB, SUMMARY
from newsclf.inference.tables import common_schema

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset

logger = logging.getLogger(__name__)


def read_scores(path: str | Path, table: str | None = None) -> Dataset:
    """The scores of a corpus, lazily: `.to_table()` gives Arrow, `.to_table().to_pandas()` pandas, `.to_batches()` a stream.

    `table` names a stance task, for its rows of article and target; without it, one row an article. Committed parts only: of a job that is not done
    what there is so far, with a warning. Raises DataError where there are none, and where a committed part is gone or cannot be read.
    """
    from pyarrow.dataset import dataset

    folder = Path(path)
    commits = committed(folder)
    names = [name for commit in commits for name in files_of_commit(commit) if name.startswith(f"{PART}-")]
    if not names:
        raise DataError(f"{folder}: there are no committed scores here; newsclf score MODEL CORPUS -o {folder}  writes them.")
    if (folder / JOB).exists() and not (folder / SUMMARY).exists():
        logger.warning("%s: this job is not done; these are the %d shards that are committed so far", folder, len(commits))
    kind = f"{table}.parquet" if table else "parquet"  # what follows part-K.
    files = [str(folder / name) for name in names if name.partition(".")[2] == kind]
    if not files:
        known = sorted({name.partition(".")[2].removesuffix(".parquet") for name in names if name.count(".") > 1})
        raise DataError(f"{folder}: there is no table {table!r}; the tables beside the articles' are {listed(known)}.")
    return dataset(files, schema=common_schema([_schema(file) for file in files]), format="parquet")


def _schema(file: str) -> pa.Schema:
    try:
        return pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file}: this part cannot be read ({str(error).rstrip('.')}); copy the whole folder again, or score again.") from error


def export(path: str | Path, output: str | Path, table: str | None = None) -> int:
    """Write scores to one file, by its suffix: .csv (labels of a row joined by "; "), .parquet, or .arrow; gives the number of rows.

    Raises DataError as `read_scores` does, InputError for another suffix, and OutputError where the file is there already or cannot be written.
    """
    scores, target = read_scores(path, table), Path(output)
    writer_of = WRITERS.get(target.suffix)
    if writer_of is None:
        raise InputError(f"{target}: the suffix says what to write: it must be {listed(WRITERS)}, not {target.suffix!r}.")
    if target.exists():
        raise OutputError(f"{target}: this file is there already and is left as it is; name another, or remove it first.")
    plain = _in_cells if target.suffix == ".csv" else _as_it_is
    fresh = target.with_name(f"{target.name}.tmp")
    rows = 0
    try:
        with writer_of(fresh, plain(scores.schema.empty_table()).schema) as writer:
            for batch in scores.to_batches():
                writer.write_table(plain(pa.Table.from_batches([batch])))
                rows += batch.num_rows
        fresh.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):  # it has its name already, or there is no such folder
            fresh.unlink()
    return rows


def _csv(path: Path, schema: pa.Schema) -> Any:
    from pyarrow.csv import CSVWriter

    return CSVWriter(str(path), schema)


WRITERS: Mapping[str, Callable[[Path, pa.Schema], Any]] = {
    ".csv": _csv,
    ".parquet": lambda path, schema: pq.ParquetWriter(path, schema, compression="zstd"),
    ".arrow": lambda path, schema: pa.ipc.new_file(str(path), schema),
}
"""Suffix → what writes tables of a schema to a file."""


def _as_it_is(table: pa.Table) -> pa.Table:
    return table


def _in_cells(table: pa.Table) -> pa.Table:
    """Lists as text, which is all that a cell holds; columns without a type as text that is not there."""
    columns = [pc.binary_join(column, "; ") if pa.types.is_list(column.type) else column for column in table.columns]
    return pa.table([column.cast(pa.string()) if pa.types.is_null(column.type) else column for column in columns], names=table.column_names)
