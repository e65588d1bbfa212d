"""How scripts/bench_linear.py measures: alternating passes, memory of a process tree, rows of a table, goals that are missed."""

from __future__ import annotations

import gc
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = ("newsclf", "numpy", "scikit-learn", "pyarrow", "pandas", "floret")
WORDS = (0, 1, 4)
"""Columns of the table that hold words; the others hold figures."""


@dataclass
class Timed:
    """Wall-clock seconds of each pass, and what the last one gave."""

    seconds: list[float] = field(default_factory=list)
    result: Any = None

    @property
    def median(self) -> float:
        """Median of the passes, in seconds."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Row:
    """A line of the table: one figure of newsclf beside that of a peer."""

    benchmark: str
    what: str
    unit: str
    """Of `ours` and `peer`."""

    ours: float | None = None
    """None where the row could not be measured; the note says why."""

    peer: float | None = None
    ratio: float | None = None
    """How many times better ours is; of `scale`, how many times more the large corpus costs."""

    goal: float | None = None
    """What the ratio is to reach; None for a row that is only reported."""

    at_most: bool = False
    """Whether the ratio is to stay at or below the goal."""

    f1: tuple[float, float] | None = None
    """Macro-F1 of newsclf and of the peer on the test articles."""

    slack: float | None = None
    """By how much our macro-F1 may be the lower one; None where it is only reported."""

    note: str = ""
    seconds: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Wall clock of every pass of both sides."""

    def missed(self) -> list[str]:
        """A sentence for each goal that this row does not reach."""
        name = f"{self.benchmark}, {self.what}"
        found = []
        if self.goal is not None and self.ratio is not None:
            over = self.ratio - self.goal if self.at_most else self.goal - self.ratio
            if over > 0:
                found.append(f"{name}: {self.ratio:.2f} ×, which is {over:.2f} {'above' if self.at_most else 'below'} the goal of {self.goal:g} ×.")
        if self.slack is not None and self.f1 is not None and self.f1[1] - self.f1[0] > self.slack:
            below = f"{self.f1[1] - self.f1[0]:.4f} below the peer's {self.f1[1]:.4f}"
            found.append(f"{name}: macro-F1 {self.f1[0]:.4f}, which is {below}; {self.slack:g} is allowed.")
        return found


def alternate(passes: int, contenders: Mapping[str, Callable[[], Any]], judge: Callable[[Any], Any] | None = None) -> dict[str, Timed]:
    """Time each contender once a pass; every other pass goes backwards, so that a machine that slows down slows all of them alike.

    With `judge` only what it says of a result is kept, which takes no time of the contender's: several models need not fit into memory.
    """
    timed = {name: Timed() for name in contenders}
    for number in range(passes):
        for name in list(contenders)[:: -1 if number % 2 else 1]:
            timed[name].result = None
            gc.collect()
            started = time.perf_counter()
            result = contenders[name]()
            timed[name].seconds.append(time.perf_counter() - started)
            timed[name].result = judge(result) if judge else result
            del result
    return timed


def run(command: Sequence[str], output: Path) -> None:
    """Run a command that writes `output`, a file or folder, which is removed; raises CalledProcessError where it fails."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (our own command)
    _remove(output)


def run_watched(command: Sequence[str], output: Path, *, every: float = 0.02) -> int | None:
    """As `run`; gives the largest sum of the resident sets of the command and its children, in bytes, or None where there is no /proc.

    Sampled every so many seconds; pages that processes share count once for each of them.
    """
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 (our own command)
        while process.poll() is None:
            peak = max(peak, _resident(process.pid))
            time.sleep(every)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    _remove(output)
    return peak or None


def _resident(pid: int) -> int:
    """Resident bytes of a process and of all that it started."""
    try:
        own = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
        children = [child for thread in Path(f"/proc/{pid}/task").iterdir() for child in (thread / "children").read_text("ascii").split()]
    except (OSError, IndexError):  # it has ended meanwhile
        return 0
    return own + sum(_resident(int(child)) for child in children)


def _remove(output: Path) -> None:
    if output.is_dir():
        shutil.rmtree(output)
    else:
        output.unlink()


def tell(what: str) -> None:
    """A line about the progress, apart from the table."""
    print(what, file=sys.stderr, flush=True)


def machine() -> dict[str, str]:
    """What the figures were taken on: cores, Python, and the versions of both sides."""
    found = {"machine": platform.machine(), "cores": str(cores()), "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def report(rows: Sequence[Row]) -> str:
    """The rows in columns, a heading above them; below them the notes, by number, and by how much each goal is missed that is missed."""
    notes = list(dict.fromkeys(row.note for row in rows if row.note))
    heading = ("benchmark", "what", "newsclf", "peer", "", "ratio", "goal", "macro-F1", "of peer", "note")
    lines = [heading, *((*_cells(row), str(notes.index(row.note) + 1) if row.note else "") for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    align = [str.ljust if column in WORDS else str.rjust for column in range(len(widths))]
    text = ["  ".join(put(cell, width) for put, cell, width in zip(align, line, widths, strict=True)).rstrip() for line in lines]
    text += ["", *(f"{number}  {note}" for number, note in enumerate(notes, start=1)), ""]
    missed = [f"  {sentence}" for row in rows for sentence in row.missed()]
    return "\n".join([*text, "Goals missed:" if missed else "No goal of these rows is missed.", *missed])


def _cells(row: Row) -> tuple[str, ...]:
    goal = "" if row.goal is None else f"{'<=' if row.at_most else '>='} {row.goal:g}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    f1 = [f"{value:.4f}" for value in row.f1] if row.f1 else ["", ""]
    return (row.benchmark, row.what, _figure(row.ours), _figure(row.peer), row.unit, ratio, goal, *f1)


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
