"""What the project's pages share: the style sheet, and matplotlib's pictures in the page's own ink, to be read on light and on dark paper alike."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from newsclf.errors import InputError, OutputError, listed, need

INK = "#010203"
"""Drawn as the page's text colour, and black in a file of its own: no picture has this colour for anything else."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Told apart by every kind of colour vision (Okabe & Ito 2008), and on both papers."""

WIDTH, ROW = 5.4, 0.28
"""Inches; so wide that the text can be read where the picture fills the screen of a phone."""

LONGEST = 30
"""Characters of a name beside a picture."""

FILES = {".svg": {"Date": None, "Creator": None}, ".png": {"Software": None}, ".pdf": {"CreationDate": None, "Creator": None, "Producer": None}}
"""Ending of a picture's file → what it would say of when and by what it was made: nothing, so that the bytes do not change from day to day."""


@dataclass(frozen=True)
class Picture:
    """A picture that can be a part of a page or a file of its own."""

    title: str
    """What it shows, for those who do not see it."""

    height: float
    """Inches; the width is WIDTH."""

    paint: Callable[[Any], None]
    """Draws on the matplotlib Figure that it is given."""

    @cached_property
    def svg(self) -> str:
        """SVG without a ground, as matplotlib writes it: drawn once, for pages and files, as that takes half a second."""
        with figure(self.height) as drawing:
            self.paint(drawing)
            return _svg(drawing)

    def inline(self) -> str:
        """SVG as a part of a page, in the page's ink; raises MissingExtra without the extra `report`."""
        return _inline(self.svg, self.title)

    def write(self, path: Path) -> None:
        """Write the picture to a file, black on white: .svg, .png or .pdf.

        An SVG leaves the letters to the program that shows it; the others have those of matplotlib's own font, which knows no Chinese or Arabic.
        Raises InputError for another ending, OutputError where the file cannot be written, and MissingExtra without the extra `report`.
        """
        kind = path.suffix.lower()
        if kind not in FILES:
            raise InputError(f"{path}: the file of a picture must end in {listed(FILES)}, not in {path.suffix!r}. Name another file.")
        try:
            path.write_bytes(_on_white(self.svg).encode("utf-8") if kind == ".svg" else self._as(kind))
        except OSError as error:
            raise OutputError(f"{path}: the picture cannot be written: {error.strerror or error}. Name another file.") from error

    def _as(self, kind: str) -> bytes:
        with figure(self.height) as drawing:
            self.paint(drawing)
            content = io.BytesIO()
            drawing.savefig(content, format=kind[1:], dpi=200, facecolor="white", metadata=FILES[kind])
        return content.getvalue()


@contextmanager
def drawn(title: str, *, height: float) -> Iterator[tuple[Any, io.StringIO]]:
    """Axes to draw on, and where the finished SVG will be; `height` in inches. Raises MissingExtra without the extra `report`."""
    result = io.StringIO()
    with figure(height) as drawing:
        yield plain(drawing.add_subplot()), result
        result.write(_inline(_svg(drawing), title))


@contextmanager
def figure(height: float) -> Iterator[Any]:
    """A matplotlib Figure to draw on and to save, with everything written in INK; raises MissingExtra without the extra `report`."""
    need("matplotlib", "report", why="a report with pictures")
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    settings: dict[str, Any] = dict.fromkeys(("axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "text.color", "grid.color"), INK)
    # text as text, a $ too, and names that do not change from run to run
    settings |= {"text.parse_math": False, "svg.fonttype": "none", "svg.hashsalt": "newsclf", "font.size": 9, "font.family": "sans-serif"}
    settings |= {"pdf.fonttype": 42}
    with rc_context(settings), warnings.catch_warnings():
        # the browser draws the text, and has more letters than the font in which it is measured here
        warnings.filterwarnings("ignore", r"Glyph .* missing from font", UserWarning)
        yield Figure(figsize=(WIDTH, height), layout="constrained")


def plain(axes: Any) -> Any:
    """The axes without a frame and without a ground."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_facecolor("none")
    return axes


def legend(drawing: Any, marks: Sequence[Mapping[str, Any]]) -> None:
    """What marks mean, in one row above everything; each mark is what matplotlib's Line2D takes by name."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **mark) for mark in marks]
    drawing.legend(handles=handles, loc="outside upper left", ncols=len(handles), frameon=False, fontsize=8)


def cut(name: str, most: int = LONGEST) -> str:
    """A name that leaves room for the picture: at most so many characters."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def style() -> str:
    """The style sheet of the project's pages."""
    return files("newsclf").joinpath("page.css").read_text("utf-8")


def _svg(drawing: Any) -> str:
    raw = io.StringIO()
    drawing.savefig(raw, format="svg", transparent=True, metadata=FILES[".svg"])
    return raw.getvalue()


def _on_white(svg: str) -> str:
    """An SVG file of its own, black on white."""
    ground = '\n <rect width="100%" height="100%" fill="#ffffff"/>'
    return re.sub(r"<svg\b[^>]*>", lambda head: head[0] + ground, svg.replace(INK, "#000000"), count=1)


def _inline(svg: str, title: str) -> str:
    """An SVG file as a part of a page: without its prologue, in the page's ink, as wide as there is room, with a name for those who do not see it."""
    body = svg[svg.index("<svg") :].replace(INK, "currentColor")
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    box = re.search(r'viewBox="([^"]+)"', body)
    head = f'<svg role="img" aria-label="{escape(title)}" viewBox="{box[1] if box else ""}" xmlns:xlink="http://www.w3.org/1999/xlink">'
    return re.sub(r"<svg\b[^>]*>", lambda _: head, body, count=1).strip()
