"""Junk lines of scraped articles: which rule of the table, if any, names a whole short line.

A rule never looks inside a sentence: "An advertisement for seasonal crews ran in two languages." is no junk, "- Advertisement -" is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

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
    return _rule(line) if 0 < len(line) <= LONGEST else None


@lru_cache(maxsize=10_000)  # the same few lines stand in all articles of a site
def _rule(line: str) -> str | None:
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


ENOUGH = 250
"""Lines from which it is faster to ask all of them at once which may be junk than each of them by which rule it is."""


def may_be_junk(lines: Sequence[str]) -> list[int]:
    """Which lines may be junk, as indices: all that `junk_rule` names and few others; white space in them must be spaces only.

    A loosened form of the whole table is asked, by an engine (RE2, in pyarrow) whose time does not grow with the number of forms.
    """
    if len(lines) < ENOUGH:
        return list(range(len(lines)))
    # the letters that are not ASCII and become it in lower case; what else is not ASCII stands as "?", which `_loose` knows
    text = "".join(f"{line}\n" for line in lines).replace("\u0130", "i?").replace("\u212a", "k")
    data = _simple(text).encode("ascii", "replace").lower()
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    # two patterns, for one of both would have as many states as both multiplied
    return sorted({index for pattern in _loose_table() for index in _matching(data, pattern)})


def _matching(lines: bytes, pattern: str) -> list[int]:
    """The lines, each with a newline at its end, in which a pattern is found."""
    # a command that cleans nothing need not wait for them; the array is made of buffers because `pa.array` loads pandas, where there is one
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n")) + 1
    array = pa.Array.from_buffers(pa.large_string(), len(ends), [None, pa.py_buffer(np.append(0, ends)), pa.py_buffer(lines)])
    indices: list[int] = pc.indices_nonzero(pc.match_substring_regex(array, pattern=pattern)).to_pylist()
    return indices


@dataclass(frozen=True, slots=True)
class _Atom:
    """A piece of a form that matches one thing."""

    text: str
    """A character or several, an escape, a class, or what opens a group."""

    times: str
    """How often: "", "?", "*", "+" or "{2,4}"; possessive or not is forgotten."""

    ways: tuple[tuple[_Atom, ...], ...] = ()
    """Of a group: what it holds, one or the other."""


_TOKEN = re.compile(r"(\(\?[:=!]|\\.|\[[^\]]*\]|[a-z ]+(?![?*+{])|.)((?:[?*+]|\{[\d,]+\})?)\+?")
_WILD = re.compile(r"\.|\\[wS]|\[\^.*|\[.*\\w.*")
_END = r"[^a-z0-9]*(?:$|[|?]| - |\. )"
"""What follows a form in its line: decoration up to the end, or a separator and the next part."""


def _parsed(tokens: Iterator[re.Match[str]]) -> tuple[tuple[tuple[_Atom, ...], ...], str]:
    """What stands up to the closing bracket or the end of the form, and how often the bracket says."""
    ways: list[list[_Atom]] = [[]]
    times = ""
    for token in tokens:
        text, times = token.groups()
        if text == ")":
            break
        if text == "|":
            ways.append([])
        elif text.startswith("(?"):
            inner, times = _parsed(tokens)
            ways[-1].append(_Atom(text, times, inner))
        else:
            ways[-1].append(_Atom(text, times))
    return tuple(map(tuple, ways)), times


def _loose(atom: _Atom) -> str | None:
    """A pattern that matches what the atom matches, and more; None for a wildcard, which matches nearly everything."""
    if atom.ways:
        if atom.text != "(?:":
            return ""
        ways = [[_loose(inner) for inner in way] for way in atom.ways]
        return None if any(None in way for way in ways) else _any("".join(filter(None, way)) for way in ways) + atom.times
    if _WILD.fullmatch(atom.text):
        return None
    if atom.text in ("$", r"\b"):
        return ""
    return _ascii(atom.text) + atom.times


@cache
def _ascii(atom: str) -> str:
    known = _simple(atom).replace(r"\d", "0-9?" if atom.startswith("[") else "[0-9?]").replace(r"\W", "[^a-z0-9]")
    return re.sub(r"[^\x00-\x7f]", "?" if atom.startswith("[") else r"\?", known)


def _simple(text: str) -> str:
    return text.replace("’", "'").replace("“", '"')


def _head(way: Sequence[_Atom], end: str = _END) -> str:
    """What a line of this form begins with, up to the first wildcard."""
    head = ""
    for place, atom in enumerate(way):
        if not head and atom.text == "(?=" and all(inner[-1].text == "$" for inner in atom.ways):
            return _any(map(_head, atom.ways))
        loose = _loose(atom)
        if loose is not None:
            head += loose
        elif not atom.ways:
            return head
        elif atom.times in ("", "?"):
            rest = way[place + 1 :]
            return head + _any([_head((*inner, *rest), end) for inner in atom.ways] + [_head(rest, end)] * (atom.times == "?"))
        else:
            return head + _any([_head(inner, "") for inner in atom.ways] + [""] * atom.times.startswith(("*", "{0")))
    return head + end


def _any(patterns: Iterable[str]) -> str:
    return f"(?:{'|'.join(patterns)})"


def _needle(way: Sequence[_Atom]) -> str:
    """What stands in a line of this form, wherever it begins."""
    needle = "".join(".*" if (loose := _loose(atom)) is None else loose for atom in way)
    return re.sub(r"^(\.\*)+|(\.\*)+$", "", needle)


@cache
def _loose_table() -> tuple[str, str]:
    """Two patterns, of which every junk line matches one: what lines begin with, and what those hold that begin with anything."""
    heads, needles = [r"$"], []
    for table in (FORMS, ABROAD):
        for form in (form for forms in table.values() for form in forms):
            for way in _parsed(_TOKEN.finditer(_expanded(form)))[0]:
                head = _head(way)
                if _matching(b"\n", head):  # any line begins so
                    needles.append(_needle(way))
                else:
                    heads.append(head)
    return f"^[^a-z0-9]*{_any(heads)}", "|".join(needles)
