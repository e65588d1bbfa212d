"""Progress: log lines where nobody watches, a bar on a terminal."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from newsclf.progress import BarProgress, LoggedProgress, Tally, counted, progress


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


def begun(name: str, total: int | None = None, size: int | None = None) -> LoggedProgress:
    """Progress that begins at what the clock shows now."""
    return LoggedProgress(name, Tally(total, size, started=time.monotonic()), said=time.monotonic())


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_line_is_logged_every_ten_seconds_with_rows_rate_and_time_left(after: Callable[[float], None], caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "newsclf")
    report = begun("scoring", total=30_000)
    for seconds, rows in [(4, 1000), (9.9, 1000), (10, 2000), (19.9, 1000), (20, 5000)]:
        after(seconds)
        report.advance(rows)
    assert lines(caplog) == ["scoring: 4,000 rows, 400 rows/s, 65 s left", "scoring: 10,000 rows, 500 rows/s, 40 s left"]


@pytest.mark.parametrize(("total", "end"), [(None, "rows/s"), (100, "10 rows/s, 0 s left")])
def test_the_time_left_is_told_only_of_a_known_total_and_never_below_zero(
    after: Callable[[float], None], caplog: pytest.LogCaptureFixture, total: int | None, end: str
):
    caplog.set_level(logging.INFO, "newsclf")
    report = begun("reading", total)
    after(11)
    report.advance(110)
    (line,) = lines(caplog)
    assert line.endswith(end)


def test_where_the_size_is_known_megabytes_tell_the_time_left(after: Callable[[float], None], caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "newsclf")
    report = begun("scoring", size=100_000_000)
    report.advance(0, 20_000_000)  # done before
    after(10)
    report.advance(5000, 20_000_000)
    after(40)
    report.advance(25_000, 60_000_000)
    assert lines(caplog) == ["scoring: 5,000 rows, 500 rows/s, 2.0 MB/s, 30 s left", "scoring: 30,000 rows, 750 rows/s, 2.0 MB/s, 0 s left"]


def test_where_all_was_done_before_nothing_is_said_of_the_time_left(after: Callable[[float], None]):
    tally = Tally(size=50)
    tally.add(0, 50)
    after(5)
    assert (tally.rate(), tally.left()) == ("0 rows/s, 0.0 MB/s", None)


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
    assert ("0 rows" in before, "rows/s" in before) == (True, False)
    assert ("2 rows" in after, "rows/s" in after, "50%" in after, "left" in after) == (True, True, True, True)


def test_a_bar_of_known_size_shows_megabytes_and_the_clock(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, after: Callable[[float], None]
):
    caplog.set_level(logging.INFO, "newsclf")
    with terminal(monkeypatch) as shown, progress("scoring", size=8_000_000_000) as report:
        after(100)
        report.advance(12_000, 200_000_000)
        report.bar.refresh()
        text = shown()
    assert re.search(r"12,000 rows  120 rows/s, 2\.0 MB/s  1:0[45]:\d\d left", text), text


def test_a_bar_of_unknown_length_counts_all_the_same(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "newsclf")
    with terminal(monkeypatch) as shown:
        assert list(counted("abc", "reading")) == ["a", "b", "c"]
        assert "3 rows" in shown()


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
