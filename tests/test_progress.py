"""Progress: log lines where nobody watches, a bar on a terminal."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from newsclf.progress import BarProgress, LoggedProgress, counted, progress


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the clock to so many seconds after now."""
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    return lambda seconds: monkeypatch.setattr(time, "monotonic", lambda: now + seconds)


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Standard error on a pseudo-terminal; gives what it has shown since it was last asked."""
    pty = pytest.importorskip("pty", reason="pseudo-terminals are those of POSIX")
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with os.fdopen(theirs, "w") as stream, os.fdopen(ours, "rb", buffering=0) as screen, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)

        def shown() -> str:
            stream.write("\0")  # a mark, so that reading ends where the writing did
            stream.flush()
            text = b""
            while not text.endswith(b"\0"):
                text += screen.read(4096)
            return text.removesuffix(b"\0").decode("utf-8")

        yield shown


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_line_is_logged_every_ten_seconds_with_rows_rate_and_time_left(after: Callable[[float], None], caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "newsclf")
    report = LoggedProgress("scoring", total=30_000, started=time.monotonic(), said=time.monotonic())
    for seconds, rows in [(4, 1000), (9.9, 1000), (10, 2000), (19.9, 1000), (20, 5000)]:
        after(seconds)
        report.advance(rows)
    assert lines(caplog) == ["scoring: 4,000 rows, 400 rows/s, 65 s left", "scoring: 10,000 rows, 500 rows/s, 40 s left"]


@pytest.mark.parametrize(("total", "end"), [(None, "rows/s"), (100, "10 rows/s, 0 s left")])
def test_the_time_left_is_told_only_of_a_known_total_and_never_below_zero(
    after: Callable[[float], None], caplog: pytest.LogCaptureFixture, total: int | None, end: str
):
    caplog.set_level(logging.INFO, "newsclf")
    report = LoggedProgress("reading", total, started=time.monotonic(), said=time.monotonic())
    after(11)
    report.advance(110)
    (line,) = lines(caplog)
    assert line.endswith(end)


def test_without_a_terminal_progress_is_logged(capsys: pytest.CaptureFixture[str]):
    with progress("scoring", 5) as report:
        assert isinstance(report, LoggedProgress)
        report.advance(5)
    assert capsys.readouterr().err == ""


def test_on_a_terminal_a_bar_shows_rows_done_and_their_rate(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "newsclf")
    with terminal(monkeypatch) as shown, progress("scoring", 4) as report:
        assert isinstance(report, BarProgress)
        report.bar.refresh()
        before = shown()
        report.advance(1)
        report.advance(1)
        report.bar.refresh()
        after = shown()
    assert "scoring" in before
    assert ("0/4" in before, "rows/s" in before) == (True, False)
    assert ("2/4" in after, "rows/s" in after) == (True, True)


def test_a_bar_of_unknown_length_counts_all_the_same(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "newsclf")
    with terminal(monkeypatch) as shown:
        assert list(counted("abc", "reading")) == ["a", "b", "c"]
        assert "3/?" in shown()


def test_a_terminal_is_left_in_peace_where_remarks_are_off(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.WARNING, "newsclf")
    with terminal(monkeypatch) as shown:
        assert list(counted("abc", "reading", 3)) == ["a", "b", "c"]
        assert shown() == ""


def test_the_bar_is_gone_when_the_work_fails(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "newsclf")
    with terminal(monkeypatch) as shown:
        with pytest.raises(ZeroDivisionError):
            list(counted((1 // number for number in (1, 0)), "dividing", 2))
        assert shown().endswith("\x1b[2K")  # the line is cleared


def test_rows_pass_as_they_come():
    taken: list[int] = []
    rows = counted((taken.append(n) or n for n in range(5)), "reading")
    assert (next(rows), next(rows), taken) == (0, 1, [0, 1])
