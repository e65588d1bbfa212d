"""The report's pictures, as SVG that is a part of its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from newsclf.pictures import COLOURS, INK, ROW, cut, drawn

Values = Sequence[Mapping[str, Any]]


def forest(rows: Values, *, title: str, label: str = "label", value: str = "f1") -> str:
    """A dot and its interval for each row, one under the other; `low` and `high` may be None. Rows of more than forty are cut."""
    shown = list(rows)[:40]
    with drawn(title, height=0.9 + ROW * len(shown)) as (axes, svg):
        for place, row in enumerate(shown):
            if row["low"] is not None:
                axes.plot([row["low"], row["high"]], [place, place], color=COLOURS[0], linewidth=2, solid_capstyle="butt")
            axes.plot([row[value]], [place], "o", color=COLOURS[0], markersize=5)
        axes.set_yticks(range(len(shown)), [f"{cut(row[label])} ({row['rows']:,})" for row in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.grid(visible=True, axis="x", alpha=0.25)
    return svg.getvalue()


def reliability(bins: Values, *, title: str) -> str:
    """Predicted probability against the share that was right, with the line on which both agree."""
    with drawn(title, height=3.6) as (axes, svg):
        axes.plot([0, 1], [0, 1], linestyle="--", color=INK, linewidth=1)
        sizes = [10 + 90 * row["rows"] / max(row["rows"] for row in bins) for row in bins]
        axes.plot([row["predicted"] for row in bins], [row["observed"] for row in bins], color=COLOURS[0], linewidth=1)
        axes.scatter([row["predicted"] for row in bins], [row["observed"] for row in bins], s=sizes, color=COLOURS[0], zorder=3)
        axes.set(xlabel="probability that the model gave", ylabel="share that was right", xlim=(0, 1), ylim=(0, 1))
    return svg.getvalue()


def curves(lines: Mapping[str, Sequence[tuple[float, float]]], *, title: str, across: str, up: str) -> str:
    """Lines through points, at most six, each named at its right end."""
    with drawn(title, height=3.6) as (axes, svg):
        for (name, points), colour in zip(lines.items(), COLOURS, strict=False):
            axes.plot([x for x, _ in points], [y for _, y in points], color=colour, linewidth=1.6, label=cut(name))
        axes.set(xlabel=across, ylabel=up)
        axes.grid(visible=True, alpha=0.25)
        if len(lines) > 1:
            axes.legend(frameon=False, labelcolor=INK, fontsize=8)
    return svg.getvalue()


def growth(points: Values, curve: Values, *, title: str, up: str) -> str:
    """Scores from growing numbers of articles, with what was between lowest and highest, and the fitted curve in its band."""
    with drawn(title, height=3.6) as (axes, svg):
        across = [row["articles"] for row in curve]
        if curve and curve[0]["low"] is not None:
            axes.fill_between(across, [row["low"] for row in curve], [row["high"] for row in curve], color=COLOURS[0], alpha=0.2, linewidth=0)
        axes.plot(across, [row["value"] for row in curve], color=COLOURS[0], linewidth=1.6)
        _bars(axes, [row["articles"] for row in points], points, value="value")
        axes.set(xlabel="coded articles to learn from", ylabel=up)
        axes.grid(visible=True, alpha=0.25)
    return svg.getvalue()


def decay(horizons: Values, *, title: str, period: str, up: str) -> str:
    """The score so many periods after the training articles, each with its interval."""
    with drawn(title, height=3.2) as (axes, svg):
        ahead = [row["ahead"] for row in horizons]
        axes.plot(ahead, [row["estimate"] for row in horizons], color=COLOURS[0], linewidth=1)
        _bars(axes, ahead, horizons, value="estimate")
        axes.set_xticks(ahead, [f"{number:g}" for number in ahead])
        axes.set(xlabel=f"{period}s after the last training article", ylabel=up)
        axes.grid(visible=True, alpha=0.25)
    return svg.getvalue()


def _bars(axes: Any, across: Sequence[float], rows: Values, *, value: str) -> None:
    for x, row in zip(across, rows, strict=True):
        if row["low"] is not None and row["high"] is not None:
            axes.plot([x, x], [row["low"], row["high"]], color=COLOURS[1], linewidth=2, solid_capstyle="butt")
        axes.plot([x], [row[value]], "o", color=COLOURS[1], markersize=5)
