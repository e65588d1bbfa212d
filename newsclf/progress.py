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

    def advance(self, rows: int) -> None:
        """So many more rows are done."""


@dataclass
class LoggedProgress:
    """One line every ten seconds: rows done, rows a second, time left where the total is known."""

    name: str
    total: int | None = None
    done: int = 0
    started: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)

    def advance(self, rows: int) -> None:
        """Count rows, and say so where ten seconds have passed."""
        self.done += rows
        now = time.monotonic()
        if now - self.said >= EVERY_S:
            self.said = now
            rate = self.done / max(now - self.started, 1e-9)
            left = f", {max(self.total - self.done, 0) / max(rate, 1e-9):.0f} s left" if self.total else ""
            logger.info("%s: %s rows, %.0f rows/s%s", self.name, f"{self.done:,}", rate, left)


@dataclass
class BarProgress:
    """A rich bar: rows, rows a second, time left."""

    bar: Any
    task: Any

    def advance(self, rows: int) -> None:
        """Move the bar."""
        self.bar.advance(self.task, rows)


@contextmanager
def progress(name: str, total: int | None = None) -> Iterator[Progress]:
    """Report an operation: a bar on standard error where that is a terminal and newsclf's logging is on, log lines otherwise."""
    if not (sys.stderr.isatty() and logger.isEnabledFor(logging.INFO)):
        yield LoggedProgress(name, total)
        return
    with _bar() as bar:
        yield BarProgress(bar, bar.add_task(name, total=total))


def _bar() -> Any:
    # rich takes a tenth of a second to load, which an import of newsclf must not
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:,.0f} rows/s")  # no speed before the second step

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    return RichProgress(*columns, console=Console(stderr=True), transient=True)


def counted(rows: Iterable[T], name: str, total: int | None = None) -> Iterator[T]:
    """The same rows, with progress reported as they pass."""
    with progress(name, total) as report:
        for row in rows:
            yield row
            report.advance(1)
