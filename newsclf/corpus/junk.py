"""Junk lines of scraped articles: which rule of the table, if any, names a whole short line.

A rule never looks inside a sentence: "An advertisement for seasonal crews ran in two languages." is no junk, "- Advertisement -" is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from newsclf.corpus.junk_abroad import ABROAD
from newsclf.corpus.junk_forms import FORMS, NAMES
from newsclf.corpus.junk_pieces import PIECES

LONGEST = 160
"""Code points; a longer line is never junk."""

RULES: Mapping[str, tuple[str, ...]] = {rule: (*forms, *ABROAD.get(rule, ())) for rule, forms in FORMS.items()}
"""Rule → its forms, in the order in which they are tried; `junk_forms` says how a form reads."""


def _expanded(form: str) -> str:
    """A form as a regular expression: pieces put in, groups made non-capturing."""
    whole = re.sub(r"\{([a-z]+)\}", lambda name: f"({_expanded(PIECES[name[1]])})", form)
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", whole)


# one pattern for the whole table: the name of its group is the rule, and most sentences fail on their first letters
_JUNK = re.compile("|".join(f"(?P<{rule}>(?:{'|'.join(map(_expanded, forms))})[.:!]*)" for rule, forms in RULES.items()))
_DECORATION = re.compile(r"[\W_]+")
_EDGE = " -–—*_=~|•·›‹[]<>»«…→←↓▶►▸▼▲◀◆■●✉✓📷📸👉🎧🔊➡\ufe0f"
_PARTS = re.compile(r" ?[|•·] ?| [-–—»›>] |(?<=[a-z])\. ")


def junk_rule(line: str) -> str | None:
    """The name of the rule by which a line is junk, or None for a line of the article."""
    if not line or len(line) > LONGEST:
        return None
    if _DECORATION.fullmatch(line):
        return "decoration"
    core = " ".join(line.split()).strip(_EDGE)
    if core.startswith("(") and core.endswith(")"):
        core = core[1:-1].strip(_EDGE)
    plain = core.lower().replace("’", "'")
    return _named(plain, core) or _composed(plain, core)


def _named(plain: str, core: str) -> str | None:
    match = _JUNK.fullmatch(plain)
    if match is None or (match.lastgroup in NAMES and not _is_mostly_names(core)):
        return None
    return match.lastgroup


def _composed(plain: str, core: str) -> str | None:
    """The first part's rule where a line is put together of junk: "Updated 3:14 p.m. | 4 min read"."""
    parts = _PARTS.split(plain)
    if len(parts) == 1:
        return None
    rules = [_named(part, core) for part in parts if part]
    return rules[0] if rules and all(rules) else None


def _is_mostly_names(core: str) -> bool:
    """Whether most words after the first are capitalised: "Photo by Jo Varga" is a credit, "Photos by satellite show the dam" is a sentence."""
    words = [word for word in re.findall(r"[^\W\d_][\w.'’-]*", core)[1:] if word.lower() not in {"by", "for", "of", "the", "and", "via", "/"}]
    return sum(word[0].isupper() for word in words) * 2 >= len(words)
