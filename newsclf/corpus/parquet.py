"""Parquet files, read from any row on, a thousand rows at a time, in the columns that are wanted."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Container, Iterator, Sequence
from itertools import accumulate
from typing import Any

from newsclf.corpus.rows import BadRow, Row, Rows, checked_header
from newsclf.corpus.streams import raw_stream

ROWS = 1000
"""Rows of a batch."""
BUFFER = 1 << 20
"""Bytes of a column that are in memory at once: without it, a row group's whole column is."""


class ParquetRows:
    """A Parquet file, kept open so that rows that follow those before need not be looked for.

    `wanted` tells from the names of all columns which ones to read. `total` counts the rows by the footer; a file without one has one row, a bad
    one. Raises DataError where there is no such file, or its columns have one name twice.
    """

    def __init__(self, path: str, *, wanted: Callable[[Sequence[str]], Sequence[str]] = lambda names: names) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.path, self.failures = path, (pa.ArrowException, OSError)
        self._source = raw_stream(path)
        self.total, self.failure = 1, ""
        self._at = 0
        self._batch_stream: Iterator[Any] | None = None
        self._rest: Any = None
        try:
            # Arrow's own file is faster than Python's; a memory map would be faster still, but ends the process where the file is cut meanwhile
            if "://" not in path:
                self._source.close()
                self._source = pa.OSFile(os.fsencode(path))
            self._file = pq.ParquetFile(self._source, pre_buffer=False, buffer_size=BUFFER)
        except self.failures as error:
            self.failure = str(error) or type(error).__name__
            return
        names = checked_header(path, self._file.schema_arrow.names)
        chosen = list(wanted(names))
        self.columns = None if chosen == list(names) else chosen
        groups = [self._file.metadata.row_group(number).num_rows for number in range(self._file.metadata.num_row_groups)]
        self._starts = list(accumulate(groups, initial=0))  # [row groups + 1]
        self.total = self._file.metadata.num_rows

    def rows(self, start: int = 0, stop: int | None = None, *, only: Container[int] | None = None) -> Rows:
        """Rows `start` to before `stop`, the first being 0; of them those of the numbers `only`, counted from `start`."""
        if self.failure:
            yield self._unreadable(1, self.failure)
            return
        import pyarrow as pa

        number = start
        try:
            for batch in self._batches(start, self.total if stop is None else min(stop, self.total)):
                rows = batch.num_rows
                picked: Sequence[int] = range(rows)
                if only is not None:
                    picked = [at for at in picked if number - start + at in only]
                    batch = batch.take(pa.array(picked, pa.int64()))
                for at, values in zip(picked, plain_values(batch), strict=True):
                    place = f"{self.path}:{number + at + 1}"
                    yield Row(place, values) if isinstance(values, dict) else BadRow(place, f"this row cannot be read: {values}.")
                number += rows
        except self.failures as error:
            self._batch_stream = None
            yield self._unreadable(number + 1, str(error))

    def _unreadable(self, number: int, error: str) -> BadRow:
        return BadRow(f"{self.path}:{number}", f"this Parquet file cannot be read on from here: {error.strip().rstrip('.')}.")

    def _batches(self, start: int, stop: int) -> Iterator[Any]:
        """The rows as batches, cut to `start` and `stop`; what is left of the last one is kept for the next call."""
        group = bisect_right(self._starts, start) - 1
        if start < stop and (self._batch_stream is None or not self._starts[group] <= self._at <= start):
            self._batch_stream = self._file.iter_batches(ROWS, row_groups=range(group, len(self._starts) - 1), columns=self.columns)
            self._at, self._rest = self._starts[group], None
        while self._at < stop and self._batch_stream is not None:
            batch = next(self._batch_stream, None) if self._rest is None else self._rest
            if batch is None:
                return
            first = min(max(start - self._at, 0), batch.num_rows)
            after = min(stop - self._at, batch.num_rows)
            self._rest = batch.slice(after) if after < batch.num_rows else None
            self._at += after
            if first < after:
                yield batch.slice(first, after - first)

    def close(self) -> None:
        """Close the file."""
        self._source.close()


def plain_values(batch: Any) -> list[dict[str, Any] | Exception]:
    """Each row as Python values, or why it cannot be: text that is not UTF-8, a date that Python does not know."""
    try:
        return list(batch.to_pylist())
    except (ValueError, OverflowError) as error:
        if batch.num_rows == 1:
            return [error]
        return [values for row in range(batch.num_rows) for values in plain_values(batch.slice(row, 1))]
