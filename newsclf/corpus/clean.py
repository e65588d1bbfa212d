"""Cleaning of scraped articles: an ordered table of small steps, the same at training and at inference, recorded in the bundle.

Every step takes a line and gives it back, changed or not, or drops it; it counts what it removed, and keeps for every character its place in the
original, so that evidence can be shown there.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from newsclf.article import Article
from newsclf.corpus.html import extract_html, looks_like_html
from newsclf.corpus.junk import junk_rule
from newsclf.corpus.lines import Cleaned, Line, split_lines
from newsclf.corpus.mask import NEAR_TOP, Outlets, dateline_end, is_byline
from newsclf.spec import Spec

Mask = Literal["outlet", "byline", "dateline"]


class CleanSpec(Spec):
    """What is removed from an article before it is read."""

    html: bool = True
    """Turn a text that is an HTML page into its main text (the `html` extra)."""

    mojibake: bool = True
    """Repair lines that were decoded with the wrong encoding."""

    junk: bool = True
    """Drop the lines that scrapers pick up: advertisements, reading times, comment counts, share buttons."""

    mask: tuple[Mask, ...] = ()
    """Remove what lets a model learn the outlet instead of the content: outlet, byline, dateline."""

    rules: Literal[1] = 1
    """Number of the junk table and the masks, which a bundle records: raised when they would clean the same text otherwise."""

    outlets: tuple[str, ...] = ()
    """Outlet names that `mask: [outlet]` removes, beside each article's own; training adds those of its corpus."""


@dataclass(frozen=True, slots=True)
class CleanArticle:
    """An article ready to be read; `article` is the original that offsets point into (its text extracted where it came as HTML)."""

    article: Article
    title: Cleaned
    text: Cleaned

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left, neither of the text nor of the title."""
        return not (self.text.text or self.title.text)

    @property
    def removed(self) -> Counter[str]:
        """What was removed from both fields."""
        return self.title.removed + self.text.removed


@dataclass(slots=True)
class Context:
    """What a step knows beside its line."""

    outlets: Outlets
    removed: Counter[str]
    above: int = 0
    """Lines kept so far, blank ones not counted."""

    alone: bool = False
    """Whether the text is one line."""


HEADLINE = 6
"""Words from which a text of one line is a headline or a message, and no junk: "WATCH: Senator walks out of the hearing room"."""


Step = Callable[[Line, Context], Line | None]

# mojibake has at least one other character: dashes and curly quotes alone are never the wrong encoding of something else
_SUSPECT = re.compile("[^\x00-\x7f\u00a0\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026]")
# soft hyphens, zero-width and direction characters, fillers of objects that were not copied, controls that are no white space
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
_ODD_SPACE = re.compile("[\t\x1f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000]")


def repair_mojibake(line: Line, context: Context) -> Line:
    """Decode again what was decoded wrongly; only where ftfy finds it bad, so that good text keeps its offsets."""
    if not _SUSPECT.search(line.text):
        return line
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    # a no-break space in front stands in the way of ftfy; at the end it may be half of a letter, as in "voilÃ\u00a0"
    text = line.text.lstrip()
    fixed = fix_encoding(text) if is_bad(text) else text
    if fixed == text:
        return line
    context.removed["mojibake"] += 1
    return replace(line, text=" ".join(fixed.splitlines()), repaired=True)


def drop_invisible(line: Line, context: Context) -> Line:
    """Remove control, zero-width and direction characters and soft hyphens."""
    gone = [match.span() for match in _INVISIBLE.finditer(line.text)]
    context.removed["invisible"] += len(gone)
    return line.without(gone) if gone else line


def plain_spaces(line: Line, context: Context) -> Line:
    """Make every kind of space a space: one for one, so nothing moves."""
    return replace(line, text=_ODD_SPACE.sub(" ", line.text))


def compose(line: Line, context: Context) -> Line:
    """Unicode NFC (UAX #15)."""
    if unicodedata.is_normalized("NFC", line.text):
        return line
    context.removed["decomposed"] += 1
    return line.composed()


def strip(line: Line, context: Context) -> Line:
    """Remove white space at both ends."""
    return line.stripped()


def drop_junk(line: Line, context: Context) -> Line | None:
    """Drop a line that a rule of the junk table names."""
    if context.alone and len(line.text.split()) >= HEADLINE:
        return line
    rule = junk_rule(line.text)
    if rule:
        context.removed[f"junk.{rule}"] += 1
    return None if rule else line


def mask_byline(line: Line, context: Context) -> Line | None:
    """Drop a byline near the top."""
    if context.above >= NEAR_TOP or not is_byline(line.text):
        return line
    context.removed["mask.byline"] += 1
    return None


def mask_dateline(line: Line, context: Context) -> Line:
    """Cut a dateline off a paragraph near the top."""
    end = dateline_end(line.text) if context.above < NEAR_TOP else 0
    context.removed["mask.dateline"] += bool(end)
    return line.without([(0, end)]) if end else line


def mask_outlets(line: Line, context: Context) -> Line:
    """Cut outlet names out."""
    found = context.outlets.find(line.text)
    context.removed["mask.outlet"] += len(found)
    return line.without(found).stripped() if found else line


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the table of steps."""

    step: Step
    wanted: Callable[[CleanSpec], bool] = lambda spec: True
    """Whether a spec asks for the step."""

    needed: Callable[[str], object] = lambda text: True
    """Whether a text as a whole can hold anything for the step: most texts spare most steps."""


STEPS: tuple[Entry, ...] = (
    Entry(repair_mojibake, lambda spec: spec.mojibake, needed=_SUSPECT.search),
    Entry(drop_invisible, needed=_INVISIBLE.search),
    Entry(plain_spaces, needed=_ODD_SPACE.search),
    Entry(strip),  # before composing: a space in front of a mark would share its place
    Entry(compose, needed=lambda text: not unicodedata.is_normalized("NFC", text)),
    Entry(drop_junk, lambda spec: spec.junk),
    Entry(mask_byline, lambda spec: "byline" in spec.mask),
    Entry(mask_dateline, lambda spec: "dateline" in spec.mask),
    Entry(mask_outlets, lambda spec: "outlet" in spec.mask),
)
"""Every step, in this order."""

PASSES = 5
"""Over a line at most; nearly all need one, those that are changed a second."""

_TEXT_ONLY: frozenset[Step] = frozenset({drop_junk, mask_byline, mask_dateline})
"""Steps that a title is spared: a headline may well be "Comments"."""


class Cleaner:
    """Applies a CleanSpec to articles; holds nothing but compiled patterns, so threads may share it."""

    def __init__(self, spec: CleanSpec) -> None:
        self.spec = spec
        self._text = [entry for entry in STEPS if entry.wanted(spec)]
        self._title = [entry for entry in self._text if entry.step not in _TEXT_ONLY]
        self._outlets = Outlets(spec.outlets)

    def __call__(self, article: Article) -> CleanArticle:
        """Clean title and text; raises MissingExtra where the text is HTML and the `html` extra is not installed."""
        if self.spec.html and looks_like_html(article.text):
            title, text = extract_html(article.text)
            article = replace(article, text=text, title=article.title or title)
        outlets = self._outlets
        if article.outlet and "outlet" in self.spec.mask and article.outlet not in self.spec.outlets:
            outlets = Outlets((*self.spec.outlets, article.outlet))
        return CleanArticle(article, _clean(article.title, self._title, outlets), _clean(article.text, self._text, outlets))


def _through(line: Line, steps: Sequence[Step], context: Context) -> Line | None:
    """The line after all steps, again until none changes it: a stripped space can uncover mojibake, a cut name a dateline."""
    for _ in range(PASSES):
        before = line.text
        for step in steps:
            changed = step(line, context)
            if changed is None:
                return None
            line = changed
        if line.text == before:
            break
    return line


def _clean(text: str, table: Sequence[Entry], outlets: Outlets) -> Cleaned:
    given = split_lines(text)
    context = Context(outlets, Counter(), alone=sum(bool(line.text.strip()) for line in given) == 1)
    # a repaired line may hold what the text as given did not show: then every step looks again
    steps = [entry.step for entry in table if entry.needed(text) or (entry.step is not repair_mojibake and _SUSPECT.search(text))]
    lines: list[Line] = []
    for line in given:
        kept = _through(line, steps, context)
        if kept is not None:
            lines.append(kept)
            context.above += bool(kept.text)
    return Cleaned.of(lines, +context.removed)
