"""The steps of cleaning: each takes a line and gives it back, changed or not, or drops it, and counts what it removed."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from newsclf.corpus.junk import junk_rule
from newsclf.corpus.lines import Line
from newsclf.corpus.mask import NEAR_TOP, Outlets, dateline_end, is_byline


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
# and, in all that ftfy calls bad, two of them side by side, a control or one of these letters; to ask this first is far faster than to ask ftfy
_BAD = re.compile("[^\x00-\x7f]{2}|[\x80-\x9fÂÃŒœ]")
# soft hyphens, zero-width and direction characters, fillers of objects that were not copied, controls that are no white space
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
_ODD_SPACE = re.compile("[\t\x1f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000]")
ODD = (_SUSPECT, _INVISIBLE, _ODD_SPACE)
"""Characters of which a line must hold one, or have a space at an end, for a step before `drop_junk` to change it."""


def repair_mojibake(line: Line, context: Context) -> Line:
    """Decode again what was decoded wrongly; only where ftfy finds it bad, so that good text keeps its offsets."""
    if not (_SUSPECT.search(line.text) and _BAD.search(line.text)):
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
    text = _ODD_SPACE.sub(" ", line.text)
    return line if text == line.text else replace(line, text=text)


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
