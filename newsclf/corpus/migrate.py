"""A codebook was revised: the table that says what becomes of each label, checked against both codebooks."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator

from newsclf.codebook import Codebook
from newsclf.errors import ConfigError, listed, nearest
from newsclf.spec import Spec, dump_yaml, load_tree

Fate = Literal["kept", "renamed", "merged", "split", "dropped"]

ALIKE = 0.6
"""Likeness of two names (difflib's ratio) from which a draft proposes the one for the other."""


# numbers become text: labels are often codes
class Migration(Spec, coerce_numbers_to_str=True):
    """What becomes of the labels of a codebook; labels that keep their name need no line."""

    renamed: dict[str, str] = {}
    """Old label: its new name."""

    merged: dict[str, tuple[str, ...]] = {}
    """New label: the old ones that go into it."""

    split: dict[str, tuple[str, ...]] = {}
    """Old label: the new ones that it is divided into; a person has to say which."""

    dropped: tuple[str, ...] = Field(default=())
    """Old labels that are no more; a person has to say what their articles are now."""

    @field_validator("merged", "split")
    @classmethod
    def _several(cls, value: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        few = next((name for name, others in value.items() if len(set(others)) < 2), None)
        if few is not None:
            raise ValueError(f"{few!r} needs two labels or more, each once, it has {listed(value[few])}; one for one is 'renamed'")
        return value

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a table; raises ConfigError that names the key that is wrong."""
        return cls.parse(load_tree(Path(path)), where=str(path))


@dataclass(frozen=True)
class Fates:
    """A table that was checked against both codebooks."""

    old: Codebook
    new: Codebook
    fate: Mapping[str, Fate]
    """Of each old label."""

    becomes: Mapping[str, tuple[str, ...]]
    """Old label → the new label, of a split the candidates, of a dropped one none."""

    @classmethod
    def check(cls, table: Migration, old: Codebook, new: Codebook, *, where: str) -> Self:
        """What becomes of each old label; raises ConfigError for a name that a codebook does not have and for a label without one fate."""
        if old.is_stance != new.is_stance:
            raise ConfigError(f"{where}: of the two codebooks one is of a stance toward targets and the other is not; articles must be coded anew.")
        lines = _lines(table)
        fate: dict[str, Fate] = {}
        becomes: dict[str, tuple[str, ...]] = {}
        for key, label, to in lines:
            _known(label, old, f"{where}: {key!r} names the old label")
            for name in to:
                _known(name, new, f"{where}: {key!r} names the new label")
            if label in fate:
                raise ConfigError(f"{where}: the old label {label!r} is {fate[label]} and {key}; it has one fate: keep one of the two.")
            fate[label], becomes[label] = key, to
        for name in old.names:
            if name not in fate and name in new.labels:
                fate[name], becomes[name] = "kept", (name,)
        lost = [name for name in old.names if name not in fate]
        if lost:
            raise ConfigError(f"{where}: nothing says what becomes of {listed(lost)}: renamed, merged, split or dropped.")
        fate = {name: fate[name] for name in old.names}
        _check_joined(fate, becomes, where)
        return cls(old, new, fate, becomes)

    @property
    def fresh(self) -> tuple[str, ...]:
        """New labels that no old one becomes: every article may have to be looked at for them."""
        reached = {name for to in self.becomes.values() for name in to}
        return tuple(name for name in self.new.names if name not in reached)


def _lines(table: Migration) -> list[tuple[Fate, str, tuple[str, ...]]]:
    """Each line of a table, as fate, old label, new labels."""
    found: list[tuple[Fate, str, tuple[str, ...]]] = [("renamed", old, (new,)) for old, new in table.renamed.items()]
    found += [("merged", old, (new,)) for new, olds in table.merged.items() for old in olds]
    found += [("split", old, news) for old, news in table.split.items()]
    return [*found, *(("dropped", old, ()) for old in table.dropped)]


def _known(label: str, codebook: Codebook, said: str) -> None:
    if label not in codebook.labels:
        raise ConfigError(f"{said} {label!r}, which the codebook does not have{nearest(label, codebook.labels)}; it has {listed(codebook.labels)}.")


def _check_joined(fate: Mapping[str, Fate], becomes: Mapping[str, tuple[str, ...]], where: str) -> None:
    """Old labels that become one are merged, and the table is to say so: whoever reviews it must see it."""
    first: dict[str, str] = {}
    for old, kind in fate.items():
        if kind in ("split", "dropped"):
            continue
        other = first.setdefault(becomes[old][0], old)
        if other != old and not fate[other] == kind == "merged":
            new = becomes[old][0]
            raise ConfigError(f"{where}: both {other!r} and {old!r} become {new!r}; write so:  merged: {{{new}: [{other}, {old}]}}")


def draft(old: Codebook, new: Codebook) -> str:
    """A table to begin with, as YAML: labels that keep their name are left out, near names are proposed, the rest is for a person to decide."""
    free = [name for name in new.names if name not in old.labels]
    renamed: dict[str, str] = {}
    left = []
    for name in (name for name in old.names if name not in new.labels):
        likeness = {other: difflib.SequenceMatcher(None, name.casefold(), other.casefold()).ratio() for other in free}
        best = max(likeness, key=lambda other: likeness[other], default="")
        if best and likeness[best] >= ALIKE:
            renamed[name] = best
            free.remove(best)
        else:
            left.append(name)
    lines = [f"# {old.task}: {len(old.names)} labels become {len(new.names)}; those that keep their name need no line"]
    if renamed:
        lines += ["# proposed by likeness of the names: check the definitions", dump_yaml({"renamed": renamed}).rstrip()]
    lines += [f"# still to be said what becomes of {name!r}: renamed, merged, split or dropped" for name in left]
    lines += [f"# no old label becomes {name!r} yet" for name in free]
    return "\n".join(lines) + "\n"
