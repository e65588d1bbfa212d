"""Pictures of estimates: shares over time, shares of groups, and differences, each with the interval and with what it was made from beneath."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from newsclf.estimates.frame import NONE
from newsclf.estimates.wording import Record, Row, group_name, level, ordered, periods, refused, source
from newsclf.pictures import COLOURS, INK, LONGEST, ROW, Picture, cut, legend, plain

PANELS = 12
"""Groups that are drawn over time; more could not be read."""

ROWS = 40
"""Rows of a forest that are drawn."""

LABELS = 8
"""Labels of which groups are drawn; of the others the tables tell."""

TICKS = 5
"""Periods that are named under a panel, about."""

NAIVE = "counted (biased)"
GREY = "#8a8a8a"
ESTIMATE, COUNT = COLOURS[0], COLOURS[1]

Series = Mapping[str, Sequence[Row]]
"""Name of a group → its rows, one a period."""


def pictures(record: Record) -> dict[str, Picture]:
    """The pictures of a record, by names that can be names of files: shares of the whole corpus, then each label over time and by group.

    Differences of a label's share follow its groups. Of a codebook of many labels the first LABELS are drawn by group.
    """
    drawn: dict[str, Picture] = {}
    whole = [row for row in ordered(record) if not row["group"]]
    if len(whole) > 1:
        drawn["shares"] = _forest(record, whole, f"Shares of the labels in the whole corpus, with {level(record)} intervals", by_label=True)
    labels = list(dict.fromkeys(row["label"] for row in ordered(record)))
    for number, label in enumerate(labels[:LABELS], start=1):
        for kind, picture in _of_label(record, label):
            drawn[f"{kind}-{number}"] = picture
    return drawn


def _of_label(record: Record, label: str) -> Iterator[tuple[str, Picture]]:
    rows = [row for row in ordered(record) if row["label"] == label]
    if record.get("time") and (series := _series(rows, record["by"], record["time"])):
        yield "time", _over_time(record, label, series)
    fixed = [row for row in rows if record.get("time") not in row["group"]]
    if len(fixed) > 1:
        yield "groups", _forest(record, fixed, f"Share of {label} by group, with {level(record)} intervals")
    found = [row for row in record.get("differences", ()) if row["label"] == label and row["difference"] is not None]
    if found:
        yield "differences", _differences(record, label, found)


# over time


def _series(rows: Sequence[Row], by: Sequence[str], time: str) -> dict[str, list[Row]]:
    """The rows of the whole corpus in time and of the finest groups in time, by what they are of; those without a date are in no place."""
    series: dict[str, list[Row]] = {}
    for row in rows:
        if row["group"].get(time, NONE) != NONE and len(row["group"]) in (1, len(by)):
            rest = {key: value for key, value in row["group"].items() if key != time}
            series.setdefault(group_name(rest), []).append(row)
    return series


def _over_time(record: Record, label: str, series: Series) -> Picture:
    shown = dict(list(series.items())[:PANELS])
    more = f"the first {PANELS} of {len(series):,} groups" if len(series) > PANELS else ""
    title = f"Share of {label} by {record['time']}, with {level(record)} intervals{more and f': {more}'}"
    shape = (math.ceil(len(shown) / 2), min(len(shown), 2))
    paint = partial(_panels, series=shown, record=record, shape=shape, label=label, note=_note(record, more))
    return Picture(title, 1.1 + 1.7 * shape[0] + (0.6 if len(shown) == 1 else 0), paint)


def _panels(figure: Any, *, series: Series, record: Record, shape: tuple[int, int], label: str, note: str) -> None:
    rows = [row for one in series.values() for row in one]
    places = periods([str(row["group"][record["time"]]) for row in rows])
    grid = figure.subplots(*shape, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, (name, own) in zip(grid, series.items(), strict=False):
        placed = sorted((places[str(row["group"][record["time"]])], number) for number, row in enumerate(own))
        _panel(plain(axes), [place for place, _ in placed], [own[number] for _, number in placed])
        axes.set_title(cut(name) if len(series) > 1 else "", fontsize=9, loc="left")
    for axes in grid[len(series) :]:
        axes.remove()
    names = list(places)[:: math.ceil(len(places) / (TICKS if shape[1] == 1 else 3))]
    for axes in grid[max(len(series) - shape[1], 0) : len(series)]:
        axes.set_xticks([places[name] for name in names], names)
        axes.tick_params(labelbottom=True)  # also above the place of a panel that there is not
    top = max(row[key] for row in rows for key in ("high", "naive") if row[key] is not None)
    grid[0].set_ylim(0, min(1.02, max(1.1 * top, 0.01)))
    grid[0].yaxis.set_major_formatter(_percents)
    figure.supylabel(cut(f"share of {label}"), fontsize=9)
    _finish(figure, note, record, marks=("band", "count", "gap") if any(map(refused, rows)) else ("band", "count"))


def _panel(axes: Any, across: Sequence[int], rows: Sequence[Row]) -> None:
    """One line with its band; broken where a share was refused and where a period is missing."""
    axes.plot(across, [math.nan if row["naive"] is None else row["naive"] for row in rows], "--", color=COUNT, linewidth=0.9)
    for run in _runs(across, rows):
        places, low, high = ([across[i] for i in run], [rows[i]["low"] for i in run], [rows[i]["high"] for i in run])
        if len(run) > 1:
            axes.fill_between(places, low, high, color=ESTIMATE, alpha=0.22, linewidth=0)
        else:
            axes.plot([*places, *places], [*low, *high], color=ESTIMATE, alpha=0.4, linewidth=3, solid_capstyle="butt")
        axes.plot(places, [rows[i]["estimate"] for i in run], "o-", color=ESTIMATE, linewidth=1.4, markersize=3)
    gone = [place for place, row in zip(across, rows, strict=True) if refused(row)]
    axes.plot(gone, [0.03] * len(gone), "x", color=GREY, markersize=4, transform=axes.get_xaxis_transform())
    axes.grid(visible=True, axis="y", alpha=0.25)


def _runs(across: Sequence[int], rows: Sequence[Row]) -> Iterator[list[int]]:
    """Places in `rows` of what follows one another without a gap."""
    run: list[int] = []
    for number, row in enumerate(rows):
        if run and (refused(row) or across[number] != across[run[-1]] + 1):
            yield run
            run = []
        if not refused(row):
            run.append(number)
    if run:
        yield run


# groups and differences


def _forest(record: Record, rows: Sequence[Row], title: str, *, by_label: bool = False) -> Picture:
    shown = rows[:ROWS]
    more = f"the first {ROWS} of {len(rows):,} {'labels' if by_label else 'groups'}" if len(rows) > ROWS else ""
    names = [row["label"] if by_label else group_name(row["group"]) for row in shown]
    paint = partial(_dots, rows=shown, names=names, record=record, note=_note(record, more))
    return Picture(f"{title}{more and f': {more}'}", 1.35 + ROW * len(shown), paint)


def _dots(figure: Any, *, rows: Sequence[Row], names: Sequence[str], record: Record, note: str) -> None:
    axes = plain(figure.add_subplot())
    for place, row in enumerate(rows):
        axes.text(1.02, place, f"{row['audited']:,} / {row['scored']:,}", va="center", fontsize=8, transform=axes.get_yaxis_transform())
        if refused(row):
            axes.text(0.02, place, f"refused: {row['audited']:,} coded", va="center", fontsize=8, color=GREY, transform=axes.get_yaxis_transform())
            continue
        _interval(axes, place, row, row["estimate"])
        if row["naive"] is not None:
            axes.plot([row["naive"]], [place], "o", color=COUNT, markersize=5, markerfacecolor="none")
    axes.text(1.02, -0.85, "coded / scored", va="center", fontsize=7, transform=axes.get_yaxis_transform())
    _rows(axes, names, [refused(row) for row in rows])
    top = max((row[key] for row in rows if not refused(row) for key in ("high", "naive") if row[key] is not None), default=1.0)
    axes.set_xlim(0, min(1.0, max(1.08 * top, 0.01)))
    axes.xaxis.set_major_formatter(_percents)
    _finish(figure, note, record, marks=("line", "ring"))


def _differences(record: Record, label: str, rows: Sequence[Row]) -> Picture:
    shown = rows[:ROWS]
    more = f"the first {ROWS} of {len(rows):,} differences" if len(rows) > ROWS else ""
    together = "simultaneous " if all(row["simultaneous"] for row in shown) else ""
    title = f"Differences of the share of {label}, with {together}{level(record)} intervals{more and f': {more}'}"
    return Picture(title, 1.35 + ROW * len(shown), partial(_gaps, rows=shown, record=record, note=_note(record, more)))


def _gaps(figure: Any, *, rows: Sequence[Row], record: Record, note: str) -> None:
    axes = plain(figure.add_subplot())
    axes.axvline(0, color=INK, linewidth=1)
    for place, row in enumerate(rows):
        _interval(axes, place, row, row["difference"])
    half = LONGEST // 2 + 3
    _rows(axes, [f"{cut(group_name(row['a']), half)} − {cut(group_name(row['b']), half)}" for row in rows], [False] * len(rows), most=2 * half + 3)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:+g}" if value else "0")
    axes.set_xlabel("percentage points", fontsize=8)
    _finish(figure, note, record, marks=("line",))


def _interval(axes: Any, place: int, row: Row, value: float) -> None:
    if row["low"] is not None and row["high"] is not None:
        axes.plot([row["low"], row["high"]], [place, place], color=ESTIMATE, linewidth=2, solid_capstyle="butt")
    axes.plot([value], [place], "o", color=ESTIMATE, markersize=5)


def _rows(axes: Any, names: Sequence[str], faint: Sequence[bool], most: int = LONGEST) -> None:
    axes.set_yticks(range(len(names)), [cut(name, most) for name in names])
    for tick, grey in zip(axes.get_yticklabels(), faint, strict=True):
        tick.set_color(GREY if grey else INK)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=True, axis="x", alpha=0.25)


# what every picture has


def _percents(value: float, _: object) -> str:
    return f"{100 * value:.10g} %"


def _note(record: Record, more: str) -> str:
    return "\n".join(textwrap.wrap(f"{source(record)}{more and f'; drawn: {more}'}", 100))


def _finish(figure: Any, note: str, record: Record, *, marks: Sequence[str]) -> None:
    """What the marks mean above, and what the picture was made from beneath."""
    sure = level(record)
    known: Mapping[str, Mapping[str, Any]] = {
        "line": {"label": f"estimate, {sure} interval", "color": ESTIMATE, "marker": "o", "linewidth": 2, "markersize": 5},
        "band": {"label": f"estimate, {sure} band", "color": ESTIMATE, "marker": "o", "linewidth": 1.4, "markersize": 3},
        "ring": {"label": NAIVE, "color": COUNT, "marker": "o", "linewidth": 0, "markersize": 5, "markerfacecolor": "none"},
        "count": {"label": NAIVE, "color": COUNT, "linestyle": "--", "linewidth": 0.9},
        "gap": {"label": "refused", "color": GREY, "marker": "x", "linewidth": 0, "markersize": 4},
    }
    legend(figure, [known[mark] for mark in marks])
    figure.supxlabel(note, x=0.01, ha="left", fontsize=7)
