"""What lets a model learn the outlet instead of the content: bylines, datelines, outlet names. Removed where a config asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

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


class Outlets:
    """Finds outlet names, with or without "The", and with the dash that parts them from a headline.

    An outlet called "Time" must not take the word "time" with it: case counts, and names shorter than four letters are left.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.forms = sorted({name.removeprefix("The ") for name in names if len(name.removeprefix("The ")) >= 4})

    def find(self, text: str) -> list[tuple[int, int]]:
        """Spans of the names in a text, in order."""
        present = [form for form in self.forms if form in text]  # a plain search is far faster than the pattern, and most texts name none
        return [match.span() for match in _pattern(tuple(present)).finditer(text)] if present else []


@lru_cache(maxsize=1024)
def _pattern(forms: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile(r"(?:\s?[-–—|]\s?|\s)?(?<!\w)(?:The )?(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")
