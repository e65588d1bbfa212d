"""What lets a model learn the outlet instead of the content: bylines, datelines, outlet names. Removed where a config asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterable

NEAR_TOP = 6
"""Lines, blank ones included, in which a byline or dateline can stand."""

_NAME = r"[^\W\d_][\w.’'-]*"
_NAMES = rf"{_NAME}(?:\s+{_NAME}){{0,4}}"
_BYLINE = re.compile(rf"(?i:by|von|par|por|di|door)\s+{_NAMES}(?:\s*(?:,|and|&|\||/|•|-|–)\s*{_NAMES}){{0,4}}\.?")
_PLACE = r"[A-Z][A-Z.’'-]+(?: [A-Z][A-Z.’'-]+){0,3}"
_REGION = r"(?:, [A-Z][\w.]*(?: [A-Z][\w.]*){0,2})?"
_DAY = r"(?:,? [A-Z][a-z]{2,8}\.? \d{1,2})?"
_DATELINE = re.compile(rf"{_PLACE}{_REGION}{_DAY}\s*(?:\([^()]{{2,40}}\)\s*)?(?:—|–|--|-)\s+")
LONGEST_BYLINE = 14
"""Words."""


def is_byline(text: str) -> bool:
    """Whether a line is nothing but "By" and names; most of its words must then be capitalised, so that "By noon the hall was full" is none."""
    words = text.split()
    if len(words) > LONGEST_BYLINE or not _BYLINE.fullmatch(text):
        return False
    return sum(word[0].isupper() for word in words[1:]) >= (len(words) - 1) / 2


def dateline_end(text: str) -> int:
    """Where the dateline that opens a paragraph ends ("EL PASO, Texas (Agency) — "); 0 where there is none."""
    match = _DATELINE.match(text)
    return match.end() if match else 0


def outlet_pattern(names: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern that finds outlet names, with or without "The" and with the dash that parts them from a headline.

    An outlet called "Time" must not take the word "time" with it: case counts, and names shorter than four letters are left.
    """
    forms = {form for name in names for form in (name, name.removeprefix("The ")) if len(form) >= 4}
    if not forms:
        return None
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    return re.compile(r"(?:\s?[-–—|]\s?|\s)?(?<!\w)(?:The )?(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")
