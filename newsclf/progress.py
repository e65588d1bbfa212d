"""Progress of long operations: a bar on a terminal, one log line every ten seconds elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

logger = logging.getLogger("newsclf")
T = TypeVar("T")
EVERY_S = 10.0


class Progress(Protocol):
    """What reports how far an operation has come."""

    def advance(self, rows: int, size: int = 0) -> None:
        """So many more rows, and bytes of what they are read from, are done."""


@dataclass
class Tally:
    """How far it has come, how fast, and how long it will take: by bytes where their total is known, else by rows."""

    total: int | None = None
    size: int | None = None
    rows: int = 0
    bytes: int = 0
    started: float = field(default_factory=time.monotonic)
    skipped: int = 0
    """Bytes that were done before: they took no time."""

    def add(self, rows: int, size: int) -> None:
        """Count rows and bytes; bytes without a row were done before."""
        self.rows, self.bytes = self.rows + rows, self.bytes + size
        self.skipped += 0 if rows else size

    def rate(self) -> str:
        """Rows, and megabytes, a second."""
        passed = max(time.monotonic() - self.started, 1e-9)
        rows = f"{self.rows / passed:,.0f} rows/s"
        return f"{rows}, {(self.bytes - self.skipped) / passed / 1e6:,.1f} MB/s" if self.size else rows

    def left(self) -> float | None:
        """Seconds left, where that can be told."""
        done, total = (self.bytes - self.skipped, (self.size or 0) - self.skipped) if self.size else (self.rows, self.total or 0)
        return max(total - done, 0) * (time.monotonic() - self.started) / done if done and total else None


@dataclass
class LoggedProgress:
    """One line every ten seconds: rows done, how fast, time left where that can be told."""

    name: str
    tally: Tally
    said: float = field(default_factory=time.monotonic)

    def advance(self, rows: int, size: int = 0) -> None:
        """Count rows, and say so where ten seconds have passed."""
        self.tally.add(rows, size)
        now = time.monotonic()
        if now - self.said >= EVERY_S:
            self.said = now
            seconds = self.tally.left()
            left = "" if seconds is None else f", {seconds:.0f} s left"
            logger.info("%s: %s rows, %s%s", self.name, f"{self.tally.rows:,}", self.tally.rate(), left)


@dataclass
class BarProgress:
    """A rich bar: rows, how fast, time left."""

    bar: Any
    task: Any
    tally: Tally

    def advance(self, rows: int, size: int = 0) -> None:
        """Move the bar."""
        self.tally.add(rows, size)
        done = self.tally.bytes if self.tally.size else self.tally.rows
        self.bar.update(self.task, completed=done, rows=f"{self.tally.rows:,}", rate=self.tally.rate(), left=_clock(self.tally.left()))


def _clock(seconds: float | None) -> str:
    return "" if seconds is None else f"{int(seconds) // 3600}:{int(seconds) // 60 % 60:02d}:{int(seconds) % 60:02d} left"


@contextmanager
def progress(name: str, total: int | None = None, *, size: int | None = None) -> Iterator[Progress]:
    """Report an operation: a bar on standard error where that is a terminal and newsclf's logging is on, log lines otherwise.

    `total` is in rows; `size` in bytes, where it is known what is to be read and not how many rows that is.
    """
    tally = Tally(total, size)
    if not (sys.stderr.isatty() and logger.isEnabledFor(logging.INFO)):
        yield LoggedProgress(name, tally)
        return
    with _bar() as bar:
        yield BarProgress(bar, bar.add_task(name, total=size or total, rows="0", rate="", left=""), tally)


def _bar() -> Any:
    # rich takes a tenth of a second to load, which an import of newsclf must not
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as RichProgress

    told = TextColumn("{task.fields[rows]} rows  {task.fields[rate]}  {task.fields[left]}")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), told)
    return RichProgress(*columns, console=Console(stderr=True), transient=True)


def counted(rows: Iterable[T], name: str, total: int | None = None) -> Iterator[T]:
    """The same rows, with progress reported as they pass."""
    with progress(name, total) as report:
        for row in rows:
            yield row
            report.advance(1)
