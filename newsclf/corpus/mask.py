"""What lets a model learn the outlet instead of the content: bylines, datelines, outlet names. Removed where a config asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

NEAR_TOP = 4
"""Lines kept, blank ones not counted, among which a byline or dateline can stand; junk above them does not push them down."""

LONGEST_BYLINE = 14
"""Words."""

# possessive throughout: a long line of words and dashes is read in one way only
_AND = r"(?:and|with|und|et|y)\s"
_WORD = rf"(?!{_AND})[^\W\d_][\w.’'-]*+"
_NAME = rf"{_WORD}(?:\s++{_WORD}){{0,5}}+"
_JOINT = rf"(?:\s*+[,&|/•]\s*+(?:{_AND}\s*+)?|\s++(?:{_AND}|[-–]\s)\s*+)"
_DATE = r"(?:[A-Z][a-z]{2,8}\.? \d{1,2}(?:, \d{4})?|\d{1,2} [A-Za-zé]{3,10}\.?(?: \d{4})?)"
_BYLINE = re.compile(
    r"(?P<by>(?i:(?:written |story |text |reported )?by|von|par|por|di|door))\s++"
    rf"(?P<names>{_NAME}(?:{_JOINT}(?!{_DATE}){_NAME}){{0,5}}+)(?:\s*[-–|•,]\s*{_DATE})?(?:\s*\(?\s?@\w+\s?\)?)?\.?"
)
_NO_NAME = re.compile(
    r"(?:the numbers|law|design|contrast|comparison|night|christmas|thanksgiving|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|(?:jan|febr)uary|march|july|(?:sept|nov|dec)ember|october)\b",
    re.IGNORECASE,
)
_PARTICLES = frozenset("and with und et y e en von van de del di da der den la le".split())  # noqa: SIM905  # a list of these would fill the page

# re has no class of capital letters: those of the languages whose agencies write datelines
_CAPITAL = "A-ZÀ-ÖØ-ÞĆČĐĞİŁŐŚŞŠŰŹŻŽ"
_PLACE = rf"(?:Mc)?[{_CAPITAL}][{_CAPITAL}.’'-]+(?: (?:Mc)?[{_CAPITAL}][{_CAPITAL}.’'-]+){{0,4}}"
_REGION = r", [A-Z][\w.]*(?: [A-Z][\w.]*){0,2}"
_AGENCY = r"\([^()]{2,40}\)|/[A-Z][\w ]{2,20}/"
_DASH = r"(?:(?:—|--|(?<=\s)–)\s*+|[–-]\s++)(?![a-z])"
# "EL PASO, Texas, March 3 (Agency) — "; capitals alone must be a name of four letters: "ICE — The agency" is no place
_DATELINE = re.compile(
    rf"(?P<place>{_PLACE})(?P<more>(?:{_REGION})?(?:\s?/\s?{_PLACE}(?:{_REGION})?){{0,2}}(?:,? {_DATE})?,?\s*(?:{_AGENCY})?\s*){_DASH}"
)
# Berlin (dpa) - or only the agency, as in (CNN) --
_AGENCY_LINE = re.compile(
    rf"(?:[A-Z][\w.’-]+(?: [A-Z][\w.’-]+){{0,3}}(?:{_REGION})? )?\([A-Za-z][A-Za-z.]{{1,15}}\)\s*{_DASH}|\((?:CNN|AP|AFP|UPI|RNS|EFE)\)\s+"
)


def is_byline(text: str) -> bool:
    """Whether a line is nothing but "By" and names; most of its words must then be capitalised, so that "By noon the hall was full" is none."""
    match = _BYLINE.fullmatch(text) if len(text.split()) <= LONGEST_BYLINE else None
    if match is None or _NO_NAME.match(match["names"]):
        return False
    words = re.findall(r"[^\W\d_][\w.’'-]*", match["names"])
    small = [word for word in words if word[0].islower()]
    if match["by"] == "by" and text.endswith("."):
        return False  # the end of a sentence that was broken over two lines
    if not match["by"].lower().endswith("by"):
        # where nouns are capitalised, or "por" and "par" open many a phrase, every small word must belong to a name
        return _PARTICLES.issuperset(small) and len(small) < len(words)
    return len(small) * 2 <= len(words)


def dateline_end(text: str) -> int:
    """Where the dateline that opens a paragraph ends ("EL PASO, Texas (Agency) — "); 0 where there is none."""
    match = _DATELINE.match(text)
    if match and (match["more"].strip() or sum(map(str.isalpha, match["place"])) >= 4):
        return match.end()
    match = _AGENCY_LINE.match(text)
    return match.end() if match else 0


class Outlets:
    """Finds outlet names, with or without "The", with the dash that parts them from a headline and with their possessive.

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
    name = r"(?<!\w)(?:[Tt]he )?(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)(?:[’']s\b)?"
    return re.compile(rf"^{name}\s?[-–—|:]\s|(?:\s?[-–—|]\s?|\s)?{name}")
