"""Junk lines of scraped articles: which rule of the table, if any, names a whole short line.

A rule never looks inside a sentence: "An advertisement for seasonal crews ran in two languages." is no junk, "- Advertisement -" is.
"""

from __future__ import annotations

import re

from newsclf.corpus.junk_abroad import ABROAD
from newsclf.corpus.junk_forms import FORMS, HEADLINES, NAMES
from newsclf.corpus.junk_pieces import PIECES

LONGEST = 160
"""Code points; a longer line is never junk."""


def _expanded(form: str) -> str:
    """A form as a regular expression: pieces put in, groups made non-capturing."""
    whole = re.sub(r"\{([a-z]+)\}", lambda name: f"({_expanded(PIECES[name[1]])})", form)
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", whole)


def _compiled(forms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(map(_expanded, forms))})\.?")


RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple((rule, _compiled((*forms, *ABROAD.get(rule, ())))) for rule, forms in FORMS.items())
"""Rule name → pattern, tried in order against the whole line in its plain form, which `junk_forms` describes."""

_DECORATION = re.compile(r"[\W_]+")
_EDGE = " :!-–—*_=~|•·›‹[]<>»«…→←↓▶►▸▼▲◀◆■●✉✓📷📸👉🎧🔊➡\ufe0f"
_SEPARATORS = ("|", "•", "·", "»", " - ", " – ", " — ", ". ")
_SMALL = re.compile(
    r"by|for|of|the|and|in|via|from|with|to|this|photos?|images?|courtesy|contribut(ed|ing)|report(ing)?|writing|editing|story|article|additional"
    r"|file|pool|toggle|caption|de|von|información|material"
)
"""Words of credit lines that stand in small letters between the names."""


def junk_rule(line: str) -> str | None:
    """The name of the rule by which a line is junk, or None for a line of the article."""
    if not line or len(line) > LONGEST:
        return None
    if _DECORATION.fullmatch(line):
        return "decoration"
    core = _core(line)
    return _whole(core) or _composed(core)


def _core(line: str) -> str:
    """The line without what stands around it."""
    core = " ".join(line.split()).strip(_EDGE).removesuffix("...")
    return core[1:-1].strip(_EDGE) if core.startswith("(") and core.endswith(")") else core


def _plain(core: str) -> str:
    return core.lower().replace("’", "'")


def _whole(core: str) -> str | None:
    plain = _plain(core)
    for rule, pattern in RULES:
        if pattern.fullmatch(plain) and _holds(rule, core):
            return rule
    return None


def _holds(rule: str, core: str) -> bool:
    """What a form cannot see in small letters."""
    if rule in NAMES:
        return _is_mostly_names(core)
    return rule not in HEADLINES or not core.partition(":")[2].lstrip()[:1].islower()


def _composed(core: str) -> str | None:
    """The first part's rule where every part of the line is junk: "Updated 3:14 p.m. | 4 min read", "Advertisement. Scroll to continue."."""
    for separator in _SEPARATORS:
        if separator in core:
            parts = [part.strip() for part in core.split(separator) if part.strip()]
            rule = _whole(parts[0]) if parts else None
            if rule and all(map(_whole, parts[1:])):
                return rule
    return None


def _is_mostly_names(core: str) -> bool:
    """Whether most words after the first are capitalised: "Photos by Jo Varga" is a credit, "Photos by satellite show the dam" a sentence."""
    words = [word for word in re.findall(r"[^\W\d_][\w'’-]*", core)[1:] if not _SMALL.fullmatch(word.lower())]
    return sum(not word[0].islower() for word in words) * 2 >= len(words)
