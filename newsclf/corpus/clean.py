"""Cleaning of scraped articles: an ordered table of small steps, the same at training and at inference, recorded in the bundle.

Every character keeps its place in the original, so that evidence can be shown there. Most lines are clean as they come: a screen finds, in many texts
at once, those that a step may change, and only they go through the steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from newsclf.article import Article
from newsclf.corpus.html import extract_html, looks_like_html
from newsclf.corpus.lines import Cleaned, Line
from newsclf.corpus.mask import NEAR_TOP, Outlets
from newsclf.corpus.steps import (
    Context,
    Step,
    compose,
    drop_invisible,
    drop_junk,
    mask_byline,
    mask_dateline,
    mask_outlets,
    plain_spaces,
    repair_mojibake,
    strip,
)
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


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the table of steps."""

    step: Step
    wanted: Callable[[CleanSpec], bool] = lambda spec: True
    """Whether a spec asks for the step."""


STEPS: tuple[Entry, ...] = (
    Entry(repair_mojibake, lambda spec: spec.mojibake),
    Entry(drop_invisible),
    Entry(plain_spaces),
    Entry(strip),  # before composing: a space in front of a mark would share its place
    Entry(compose),
    Entry(drop_junk, lambda spec: spec.junk),
    Entry(mask_byline, lambda spec: "byline" in spec.mask),
    Entry(mask_dateline, lambda spec: "dateline" in spec.mask),
    Entry(mask_outlets, lambda spec: "outlet" in spec.mask),
)
"""Every step, in this order."""

TOGETHER = 2000
"""Articles screened at once: enough that what a screening costs by itself, some milliseconds, is little for each."""

PASSES = 5
"""Over a line at most; nearly all need one, those that are changed a second."""

_TEXT_ONLY: frozenset[Step] = frozenset({drop_junk, mask_byline, mask_dateline})
"""Steps that a title is spared: a headline may well be "Comments"."""

_OF_CHARACTERS: frozenset[Step] = frozenset({repair_mojibake, drop_invisible, plain_spaces, strip, compose})
"""Steps that a line without odd characters is spared."""

_TOP_ONLY: frozenset[Step] = frozenset({mask_byline, mask_dateline})
"""Steps that look at the top of a text only."""


class Cleaner:
    """Applies a CleanSpec to articles; holds nothing that cleaning changes, so threads may share it."""

    def __init__(self, spec: CleanSpec) -> None:
        self.spec = spec
        self._text = tuple(entry.step for entry in STEPS if entry.wanted(spec))
        self._title = tuple(step for step in self._text if step not in _TEXT_ONLY)
        self._outlets = Outlets(spec.outlets)

    def __call__(self, article: Article) -> CleanArticle:
        """Clean title and text; raises MissingExtra where the text is HTML and the `html` extra is not installed."""
        return self.clean([article])[0]

    def clean(self, articles: Sequence[Article]) -> list[CleanArticle]:
        """Clean articles, in their order: the answers of one by one, several times faster for many. Raises as for one."""
        return [cleaned for start in range(0, len(articles), TOGETHER) for cleaned in self._together(articles[start : start + TOGETHER])]

    def _together(self, articles: Sequence[Article]) -> Iterator[CleanArticle]:
        read = [self._extracted(article) for article in articles]
        outlets = [self._outlets_of(article) for article in read]
        titles = _clean([article.title for article in read], self._title, outlets)
        texts = _clean([article.text for article in read], self._text, outlets)
        return map(CleanArticle, read, titles, texts)

    def _extracted(self, article: Article) -> Article:
        if not self.spec.html or not looks_like_html(article.text):
            return article
        title, text = extract_html(article.text)
        return replace(article, text=text, title=article.title or title)

    def _outlets_of(self, article: Article) -> Outlets:
        if not article.outlet or "outlet" not in self.spec.mask or article.outlet in self.spec.outlets:
            return self._outlets
        return Outlets((*self.spec.outlets, article.outlet))


def _clean(texts: Sequence[str], steps: Sequence[Step], outlets: Sequence[Outlets]) -> Iterator[Cleaned]:
    from newsclf.corpus.screen import CLEAN, ODD_CHARACTERS, screen  # loads numpy, which who only reads a CleanSpec need not wait for

    screened = screen(texts, junk=drop_junk in steps)
    near_top = 0 if _TOP_ONLY.isdisjoint(steps) else NEAR_TOP
    passes = [steps] * PASSES
    spared = [[step for step in steps if step not in _OF_CHARACTERS], *passes[1:]]
    for at, (text, names) in enumerate(zip(texts, outlets, strict=True)):
        named = [form for form in names.forms if form in text] if mask_outlets in steps else []
        if screened.clear[at] and not named and not near_top:
            yield Cleaned(text)
            continue
        spans, doubts = screened.lines(at)
        alone = doubts.count(CLEAN) < 2 and sum(not text[start:end].isspace() for start, end in spans) == 1
        context = Context(names, Counter(), alone=alone)
        changed: dict[int, Line | None] = {}
        for number, doubt in enumerate(doubts):
            if doubt != CLEAN or context.above < near_top or any(text.find(form, *spans[number]) >= 0 for form in named):
                line = Line.of(text, *spans[number])
                kept = _through(line, passes if doubt == ODD_CHARACTERS else spared, context)
                context.above += kept is not None and bool(kept.text)
                if kept != line:
                    changed[number] = kept
        if screened.as_given[at] and not changed:
            yield Cleaned(text)
        else:
            yield Cleaned.of(_pieces(text, spans, changed), +context.removed)


def _through(line: Line, passes: Sequence[Sequence[Step]], context: Context) -> Line | None:
    """The line after all steps, again until none changes it: a stripped space can uncover mojibake, a cut name a dateline."""
    for steps in passes:
        before = line.text
        for step in steps:
            changed = step(line, context)
            if changed is None:
                return None
            line = changed
        if line.text == before:
            break
    return line


def _pieces(text: str, spans: Sequence[tuple[int, int]], changed: Mapping[int, Line | None]) -> Iterator[Line]:
    """What is left of a text: the changed lines, and what stands between them as it is, in one piece where only newlines part it."""
    gaps = ["", *(text[above[1] : below[0]] for above, below in pairwise(spans))]
    apart = (number for number, gap in enumerate(gaps) if gap not in ("\n", "\n\n"))
    for first, last in pairwise(sorted({*apart, *changed, *(number + 1 for number in changed), len(spans)})):
        start, end = spans[first][0], spans[last - 1][1]
        gap = gaps[first]
        if len(gap) > 1 and gap != "\r\n":  # a blank line stands where the second break does
            second = start - len(gap) + (2 if gap.startswith("\r\n") else 1)
            yield Line("", second, second)
        piece = changed[first] if first in changed else Line.of(text, start, end)
        if piece is not None:
            yield piece
