"""Lines of a text that remember where every character stood in the original."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise

BREAKS = "\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""What `str.splitlines` takes for the end of a line; vertical tab and form feed come out of PDFs."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line on its way through the cleaning steps."""

    text: str
    start: int
    end: int
    """Code points of the line in the original."""

    places: tuple[tuple[int, int], ...] | None = None
    """Start and end in the original of each character of `text`; None where character i stands at start + i."""

    repaired: bool = False
    """Mojibake was repaired: places inside the line are unknown, the line's own are used."""

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Line:
        """Characters start:end of an original."""
        return cls(text[start:end], start, end)

    def lines(self) -> list[Line]:
        """The line itself, or the lines of several that stood together."""
        if "\n" not in self.text:
            return [self]
        return [Line(line.text, self.start + line.start, self.start + line.end) for line in split_lines(self.text)]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where characters start:end of the line's text stand in the original."""
        if self.repaired:
            return self.start, self.end
        if self.places is None:
            return self.start + start, self.start + end
        return self.places[start][0], self.places[end - 1][1]

    def rewritten(self, pieces: Iterable[tuple[str, tuple[int, int]]]) -> Line:
        """The line made of new pieces of text, each with the span of the line's text that it comes from."""
        text, places = [], []
        for piece, (start, end) in pieces:
            text.append(piece)
            if not self.repaired:
                places += [self.span(start, end)] * len(piece)
        return replace(self, text="".join(text), places=None if self.repaired else tuple(places))

    def without(self, spans: Iterable[tuple[int, int]]) -> Line:
        """The line with these spans of its text cut out; they must be in order."""
        edges = [0, *(edge for span in spans for edge in span), len(self.text)]
        if self.places is None and not self.repaired and len(edges) == 4 and (edges[1] == 0 or edges[2] == edges[3]):
            # cut at one end only: the rest is still in one piece
            kept = (edges[2], edges[3]) if edges[1] == 0 else (edges[0], edges[1])
            return Line(self.text[slice(*kept)], self.start + kept[0], self.start + kept[1])
        kept_spans = list(pairwise(edges))[::2]
        text = "".join(self.text[start:end] for start, end in kept_spans)
        if self.repaired:
            return replace(self, text=text)
        places = (self._places(start, end) for start, end in kept_spans)
        return replace(self, text=text, places=tuple(chain.from_iterable(places)))

    def _places(self, start: int, end: int) -> Iterable[tuple[int, int]]:
        """Where each of some characters stands in the original."""
        if self.places is not None:
            return self.places[start:end]
        return zip(range(self.start + start, self.start + end), range(self.start + start + 1, self.start + end + 1), strict=True)

    def stripped(self) -> Line:
        """The line without white space at its ends."""
        inner = self.text.strip()
        if inner == self.text:
            return self
        at = self.text.find(inner)
        return self.without([(0, at)]).without([(len(inner), len(self.text) - at)])

    def composed(self) -> Line:
        """The line in Unicode NFC (UAX #15), cluster by cluster, so that each composed character keeps its place."""
        starts = [at for at, character in enumerate(self.text) if at == 0 or not _joins(character)]
        return self.rewritten(piece for start, end in pairwise([*starts, len(self.text)]) for piece in _composed(self.text[start:end], start))


def _joins(character: str) -> bool:
    """Whether a character can compose with one before it: any mark, the vowels and finals of decomposed Hangul, the vowel signs of Kirat Rai."""
    return unicodedata.category(character)[0] == "M" or "\u1160" <= character <= "\u11ff" or "\U00016d63" <= character <= "\U00016d6a"


def _composed(cluster: str, start: int) -> list[tuple[str, tuple[int, int]]]:
    """A cluster's characters with their places: those that do not compose keep their own, so that a sentence may end between them."""
    whole = unicodedata.normalize("NFC", cluster)
    if whole != cluster:
        return [(whole, (start, start + len(cluster)))]
    return [(character, (at, at + 1)) for at, character in enumerate(cluster, start)]


def split_lines(text: str) -> list[Line]:
    """The lines of a text with their places; of several blank lines one is kept."""
    lines: list[Line] = []
    at = 0
    for piece in text.splitlines(keepends=True):
        held = piece.rstrip(BREAKS)
        if held:
            lines.append(Line(held, at, at + len(held)))
        elif lines and lines[-1].text:
            lines.append(Line("", at, at))
        at += len(piece)
    return lines


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A field of an article after cleaning."""

    text: str
    pieces: tuple[Line, ...] | None = None
    """What it is put together from, line by line or several lines at once where they stood together; None: it is the original, as it was given."""

    removed: Counter[str] = field(default_factory=Counter)
    """Step or rule → how often it removed or repaired something."""

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines, each with its places in the original."""
        if self.pieces is None:
            return tuple(split_lines(self.text))
        return tuple(line for piece in self.pieces for line in piece.lines())

    @classmethod
    def of(cls, lines: Iterable[Line], removed: Counter[str]) -> Cleaned:
        """Lines joined, without blank ones at the ends and without two in a row."""
        kept: list[Line] = []
        for line in lines:
            if line.text or (kept and kept[-1].text):
                kept.append(line)
        if kept and not kept[-1].text:
            kept.pop()
        return cls("\n".join(line.text for line in kept), tuple(kept), removed)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Where start:end of the cleaned text stands in the original, in code points."""
        start, end = _held(self.text, start, end)
        if self.pieces is None:
            return start, end
        at, stop = 0, 0
        begin: int | None = None
        for piece in self.pieces:
            inside = max(start - at, 0), min(end - at, len(piece.text))
            if inside[0] < inside[1]:
                first, stop = piece.span(*inside)
                begin = first if begin is None else begin
            elif begin is None and at <= start:
                # nothing of the span yet: an empty one, or a line break, stands where the text before it ends
                stop = piece.span(0, start - at)[1] if 0 < start - at <= len(piece.text) else piece.start
            at += len(piece.text) + 1
        return (stop if begin is None else begin), stop


def _held(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without line breaks at its ends; its start where it is nothing else."""
    piece = text[start:end]
    held = piece.lstrip("\n")
    begin = start + len(piece) - len(held)
    return (begin, begin + len(held.rstrip("\n"))) if held else (start, start)
