"""The report's pictures: matplotlib, as SVG that takes the page's own ink, so that it is read on light and on dark paper alike."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any

from newsclf.errors import need

INK = "#010203"
"""Drawn as the page's text colour: no picture has this colour for anything else."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Told apart by every kind of colour vision (Okabe & Ito 2008), and on both papers."""

WIDTH, ROW = 5.4, 0.28
"""Inches; so wide that the text can be read where the picture fills the screen of a phone."""

LONGEST = 30
"""Characters of a name beside a picture."""

Values = Sequence[Mapping[str, Any]]


def forest(rows: Values, *, title: str, label: str = "label", value: str = "f1") -> str:
    """A dot and its interval for each row, one under the other; `low` and `high` may be None. Rows of more than forty are cut."""
    shown = list(rows)[:40]
    with _drawn(title, height=0.9 + ROW * len(shown)) as (axes, svg):
        for place, row in enumerate(shown):
            if row["low"] is not None:
                axes.plot([row["low"], row["high"]], [place, place], color=COLOURS[0], linewidth=2, solid_capstyle="butt")
            axes.plot([row[value]], [place], "o", color=COLOURS[0], markersize=5)
        axes.set_yticks(range(len(shown)), [f"{_cut(row[label])} ({row['rows']:,})" for row in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.grid(visible=True, axis="x", alpha=0.25)
    return svg.getvalue()


def reliability(bins: Values, *, title: str) -> str:
    """Predicted probability against the share that was right, with the line on which both agree."""
    with _drawn(title, height=3.6) as (axes, svg):
        axes.plot([0, 1], [0, 1], linestyle="--", color=INK, linewidth=1)
        sizes = [10 + 90 * row["rows"] / max(row["rows"] for row in bins) for row in bins]
        axes.plot([row["predicted"] for row in bins], [row["observed"] for row in bins], color=COLOURS[0], linewidth=1)
        axes.scatter([row["predicted"] for row in bins], [row["observed"] for row in bins], s=sizes, color=COLOURS[0], zorder=3)
        axes.set(xlabel="probability that the model gave", ylabel="share that was right", xlim=(0, 1), ylim=(0, 1))
    return svg.getvalue()


def curves(lines: Mapping[str, Sequence[tuple[float, float]]], *, title: str, across: str, up: str) -> str:
    """Lines through points, at most six, each named at its right end."""
    with _drawn(title, height=3.6) as (axes, svg):
        for (name, points), colour in zip(lines.items(), COLOURS, strict=False):
            axes.plot([x for x, _ in points], [y for _, y in points], color=colour, linewidth=1.6, label=_cut(name))
        axes.set(xlabel=across, ylabel=up)
        axes.grid(visible=True, alpha=0.25)
        if len(lines) > 1:
            axes.legend(frameon=False, labelcolor=INK, fontsize=8)
    return svg.getvalue()


def growth(points: Values, curve: Values, *, title: str, up: str) -> str:
    """Scores from growing numbers of articles, with what was between lowest and highest, and the fitted curve in its band."""
    with _drawn(title, height=3.6) as (axes, svg):
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
    with _drawn(title, height=3.2) as (axes, svg):
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


def _cut(name: str) -> str:
    """A name that leaves room for the picture."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


@contextmanager
def _drawn(title: str, *, height: float) -> Iterator[tuple[Any, io.StringIO]]:
    """Axes to draw on, and where the finished picture will be."""
    need("matplotlib", "report", why="a report with pictures")
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    plain: dict[str, Any] = dict.fromkeys(("axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "text.color", "grid.color"), INK)
    # text as text, a $ too, and names that do not change from run to run
    plain |= {"text.parse_math": False, "svg.fonttype": "none", "svg.hashsalt": "newsclf", "font.size": 9, "font.family": "sans-serif"}
    with rc_context(plain), warnings.catch_warnings():
        # the browser draws the text, and has more letters than the font in which it is measured here
        warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_facecolor("none")
        result = io.StringIO()
        yield axes, result
        raw = io.StringIO()
        figure.savefig(raw, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    result.write(_inline(raw.getvalue(), title))


def _inline(svg: str, title: str) -> str:
    """An SVG file as a part of a page: without its prologue, in the page's ink, as wide as there is room, with a name for those who do not see it."""
    body = svg[svg.index("<svg") :].replace(INK, "currentColor")
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    box = re.search(r'viewBox="([^"]+)"', body)
    head = f'<svg role="img" aria-label="{escape(title)}" viewBox="{box[1] if box else ""}" xmlns:xlink="http://www.w3.org/1999/xlink">'
    return re.sub(r"<svg\b[^>]*>", lambda _: head, body, count=1).strip()
