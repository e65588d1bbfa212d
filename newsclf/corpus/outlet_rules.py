"""Which outlet a name stands for, by rules and by the package's table, outlet_names.yaml, whose head says what is one outlet and what is not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from newsclf.spec import parse_yaml

TABLE = "outlet_names.yaml"

NEWS = frozenset({"news", "web news", "online news", "online", "web", "website", "web site", "newspaper", "print", "digital"}) | {
    f"{kind} edition" for kind in ("print", "web", "online", "digital", "late", "final", "eastern")
}
"""Sections that are the outlet itself."""

OPINION = frozenset({"opinion", "opinions", "editorial", "editorials", "editorial board", "op-ed", "op-eds", "commentary", "comment is free"}) | {
    "opinion/editorial",
    "commentisfree",
}
"""Sections that are an outlet of their own."""

OPINION_WORDS = ("editorial board", "editorials", "editorial", "opinions", "opinion", "op-ed")
"""Those that end a name without brackets or dash, too."""

SUFFIXES = (".com", ".org", ".net", ".co.uk")
"""What a site's name ends in when the rest may be the name of an outlet without spaces."""

_THE = re.compile(r"^(?:(?i:the)\s+|The(?=[A-Z]))|,\s*(?i:the)$")
_SECTION = re.compile(r"\s*(?:\((?P<round>[^()]*)\)|\[(?P<square>[^][]*)\]|(?:\s[-–—|]|[:;,|])\s*(?P<dash>[^-–—|:;,()]+(?:-[Ee]ds?)?))$")
_WORDS = re.compile(rf"\s(?P<words>{'|'.join(OPINION_WORDS)})$", re.IGNORECASE)
_HOST = re.compile(r"^(?:https?://)?(?P<host>(?:[a-z0-9-]+\.)+[a-z]{2,24})(?P<path>/\S*)?$")


class Node(NamedTuple):
    """An outlet that names lead to."""

    key: str
    """Letters and digits of its name; its host, for a site that has no other name."""

    opinion: bool = False
    apart: bool = False
    """Whether the user holds it apart: its key is its name."""


class Row(NamedTuple):
    """An outlet of the table."""

    name: str
    same: bool
    """Whether its opinion section is no outlet of its own."""


class Table(NamedTuple):
    """The table by what is looked up in it."""

    rows: Mapping[str, Row]
    """Key of the outlet's name → the outlet."""

    keys: Mapping[str, str]
    """Key of any of its names → key of its name."""

    domains: Mapping[str, str]
    """Host → key of the outlet's name."""


def tidy(name: str) -> str:
    """A name without outer, doubled and odd white space."""
    return " ".join(name.split())


def by_rules(text: str, known: frozenset[str] = frozenset()) -> tuple[Node, tuple[str, ...]]:
    """The outlet of a tidy spelling by the rules and the package's table, and which of them; `known` holds the keys that names of sites may have."""
    table = known_outlets()
    steps: list[str] = []
    opinion = False
    while True:
        bare = _THE.sub("", text)
        key, host = _key(bare) or _key(text) or text, _HOST.match(text.casefold())
        row = table.keys.get(key)
        if row is None and host:
            key, why, section = _site(host, table, known)
            row, steps, opinion = table.keys.get(key), [*steps, why], opinion or section
        elif bare != text and _key(bare):
            steps.append("a leading The")
        cut = None if row or host else _section(text)
        if cut is None:
            break
        text, word, is_opinion = cut
        opinion = opinion or is_opinion
        steps = [one for one in steps if one != "a leading The"] + [f"section {word}"]
    if row is None:
        return Node(key, opinion), tuple(filter(None, steps))
    if key != row:
        steps.append(f"table row {table.rows[row].name}")
    return Node(row, opinion and not table.rows[row].same), tuple(filter(None, steps))


def _site(host: re.Match[str], table: Table, known: frozenset[str]) -> tuple[str, str, bool]:
    """The key of a site, the rule that gives it, and whether it is an opinion section."""
    whole = host["host"].removeprefix("www.")
    section = (host["path"] or "/").split("/")[1]
    labels = whole.split(".")
    for start in range(len(labels) - 1):
        domain = ".".join(labels[start:])
        if domain in table.domains:
            return table.domains[domain], f"domain {domain} in the table", not OPINION.isdisjoint([section, *labels[:start]])
    ending = max((one for one in SUFFIXES if whole.endswith(one)), key=len, default="")
    label = _key(whole.removesuffix(ending)) if ending and whole.count(".") == ending.count(".") else ""
    for key in (label, label.removeprefix("the")):
        if key and key in known:
            return key, f"{ending} after the name", section in OPINION
    return whole, "www." if whole != host["host"] else "", section in OPINION


def _section(text: str) -> tuple[str, str, bool] | None:
    """The name before its last section, the section, and whether that is one of opinion; None where there is none."""
    match = _SECTION.search(text) or _WORDS.search(text)
    if not match or not _key(_THE.sub("", text[: match.start()])):
        return None
    word = next(group for group in match.groups() if group is not None).strip().casefold()
    return (text[: match.start()].rstrip(), word, word in OPINION) if word in NEWS | OPINION else None


def _key(text: str) -> str:
    """The letters and digits of a name, in one case and without accents."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).replace("&", "and")
    # vowel signs and the like stay, accents of Latin, Greek and Cyrillic letters go
    return "".join(one for one in plain if unicodedata.category(one)[0] in "LNM" and not "\u0300" <= one <= "\u036f")


@lru_cache(maxsize=1)
def known_outlets() -> Table:
    """The package's table."""
    tree = parse_yaml(files("newsclf.corpus").joinpath(TABLE).read_text("utf-8"), where=TABLE)
    rows: dict[str, Row] = {}
    keys: dict[str, str] = {}
    domains: dict[str, str] = {}
    for name, row in tree.items():
        own = _key(_THE.sub("", name))
        rows[own] = Row(name, row.get("opinion") == "same")
        keys |= {_key(_THE.sub("", alias)): own for alias in (name, *row.get("also", ()))}
        domains |= dict.fromkeys(row.get("domains", ()), own)
    return Table(rows, keys, domains)
