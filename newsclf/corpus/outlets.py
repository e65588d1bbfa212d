"""One name for each outlet, however its articles spell it: by rules, by the reviewable table outlet_names.yaml, and by the user's own table."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from newsclf.corpus.outlet_rules import Node, by_rules, known_outlets, tidy
from newsclf.errors import InputError, shown


@dataclass(frozen=True)
class Spelling:
    """One spelling of an outlet's name."""

    text: str
    count: int
    why: str
    """The rules or the table row that make it the outlet's; nothing where it is the outlet's name itself."""


@dataclass(frozen=True)
class Merge:
    """An outlet whose articles do not all call it by the name it has here; `str` says all of it."""

    name: str
    spellings: tuple[Spelling, ...]
    """Most frequent first."""

    @property
    def count(self) -> int:
        """Its articles."""
        return sum(one.count for one in self.spellings)

    def __str__(self) -> str:
        return f"{self.name} = " + ", ".join(f"{one.text!r} ({one.count}{f': {one.why}' if one.why else ''})" for one in self.spellings)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"name": self.name, "spellings": [vars(one) for one in self.spellings]}


@dataclass(frozen=True)
class Outlets:
    """What each outlet is called."""

    merges: tuple[Merge, ...]
    """Every outlet that has several spellings, or another one than its name: most articles first."""

    spelled: Mapping[str, str]
    """Tidy spelling → name, of those that were given."""

    named: Mapping[Node, str]
    rules: Rules

    def of(self, name: str) -> str:
        """The outlet's one name; for a name that was not among those given, what the rules and tables make of it. "" stays ""."""
        text = tidy(name)
        if text in self.spelled:
            return self.spelled[text]
        node, _ = self.rules.node(text)
        return self.named.get(node) or self.rules.name_of(node, text)


def canonical(names: Iterable[str], overrides: Mapping[str, str] | None = None) -> Outlets:
    """One name for each outlet, and every merge that this took.

    `names` are the outlets of the articles, one an article, or a Counter of them; `overrides` is the user's table, spelling → name, which goes before
    the package's: all spellings that the rules take for the same follow, and a name that is mapped to itself stays apart. The name of an outlet is
    the user's, else the table's, else its most frequent spelling, of equally frequent ones the first by code point; the order of the names does not
    matter, and names that come out stay as they are when they go in again.
    Raises InputError where overrides have an empty name, go round in a circle, or give one outlet two names.
    """
    counts: Counter[str] = Counter()
    for name, times in (names if isinstance(names, Counter) else Counter(iter(names))).items():
        counts[tidy(name)] += times
    rules = Rules.of(counts, {tidy(one): tidy(other) for one, other in (overrides or {}).items()})
    held: dict[Node, list[str]] = defaultdict(list)
    for text in sorted(counts, key=lambda one: (-counts[one], one)):
        held[rules.node(text)[0]].append(text)
    called = {node: rules.name_of(node, texts[0]) for node, texts in held.items()}
    merges = [
        Merge(called[node], tuple(Spelling(text, counts[text], _why(text, called[node], rules)) for text in texts))
        for node, texts in held.items()
        if texts != [called[node]]
    ]
    merges.sort(key=lambda merge: (-merge.count, merge.name))
    return Outlets(tuple(merges), {text: called[node] for node, texts in held.items() for text in texts}, called, rules)


def _why(text: str, name: str, rules: Rules) -> str:
    if text == name:
        return ""
    its, of_name = (rules.node(one)[1] for one in (text, name))
    # what both have is no difference; "Herald" is called "The Herald" by the rule that takes the The off
    apart = [step for step in its if step not in of_name] or [step for step in of_name if step not in its]
    return ", ".join(apart) or ("case" if text.casefold() == name.casefold() else "spaces, accents or punctuation")


@dataclass(frozen=True)
class Rules:
    """Which outlet a spelling stands for."""

    known: frozenset[str]
    """Keys of all names there are: what the name of a site is looked for in."""

    overrides: Mapping[str, str]
    """Spelling → name, as the user gave them."""

    follow: Mapping[Node, str]
    """Outlet that the rules give → the user's name for what it belongs to."""

    given: Mapping[Node, str]
    """Outlet → the name that the user gave it."""

    @classmethod
    def of(cls, names: Iterable[str], overrides: Mapping[str, str]) -> Self:
        """Those for these names and the user's table; raises InputError as `canonical` does."""
        known = frozenset(known_outlets().keys) | {node.key for name in (*names, *overrides, *overrides.values()) for node in [by_rules(name)[0]]}
        literal, told = cls(known, overrides, {}, {}), defaultdict[Node, set[str]](set)
        for one, other in overrides.items():
            if not (one and other):
                raise InputError(f"the outlet names map {shown(one)} to {shown(other)}; neither may be empty.")
            if one != other:
                told[by_rules(one, known)[0]].add(literal.end(one)[0])
        # where the user tells two spellings of one outlet apart, no third one follows
        follow = {node: others.pop() for node, others in told.items() if len(others) == 1}
        rules = cls(known, overrides, follow, {})
        given: dict[Node, str] = {}
        for one in sorted(overrides):
            name, node = rules.end(one)
            if given.setdefault(node, name) != name:
                raise InputError(
                    f"the outlet names map one outlet to {shown(given[node])} and to {shown(name)}, spellings of the same; keep one of them."
                )
        return cls(known, overrides, follow, given)

    def node(self, text: str) -> tuple[Node, tuple[str, ...]]:
        """The outlet that a spelling stands for, and the rules and rows that say so."""
        name, node = self.end(text)
        return node, (f"your table: {name}",) if name != text else by_rules(text, self.known)[1]

    def end(self, text: str) -> tuple[str, Node]:
        """Where the user's table leads from a spelling: the name that it gives last, and its outlet; raises InputError for a circle."""
        seen = [text]
        while True:
            last = seen[-1]
            node = by_rules(last, self.known)[0]
            following = self.overrides.get(last) or self.follow.get(node, last)
            if following == last:
                return last, Node(last, apart=True) if last in self.overrides else node
            if following in seen:
                raise InputError(f"the outlet names go round in a circle: {' → '.join(map(shown, [*seen, following]))}; leave one of them out.")
            seen.append(following)

    def name_of(self, node: Node, spelling: str) -> str:
        """What an outlet is called: by the user, by the table, or else so."""
        if node in self.given:
            return self.given[node]
        row = known_outlets().rows.get(node.key)
        name = f"{row.name} (Opinion)" if row and node.opinion else row.name if row else spelling
        return name if self.end(name)[1] == node else spelling  # the table's name may be that of an outlet that the user holds apart
