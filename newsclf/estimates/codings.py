"""Codings that people made elsewhere, read back: which labels each coder gives each article of an audit sample."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from newsclf.codebook import Codebook
from newsclf.errors import DataError, listed, nearest
from newsclf.estimates.exports import DESIGN, Design, Mark, marks_of
from newsclf.estimates.files import coded_files, coder_names
from newsclf.estimates.sheets import NONE, UNSURE
from newsclf.folder import sha256

MANY = 5
"""Rows with unknown labels, from which on it looks like another codebook and not like a slip."""

Key = tuple[str, str, str]
"""Place of an article in the corpus, target ("" where the task has none), coder."""


@dataclass(frozen=True)
class Coding:
    """What one coder gives one article (for stance: one article and one target)."""

    key: str
    """Place of the article in the corpus."""

    target: str
    coder: str
    labels: tuple[str, ...]
    """In codebook order: one of an exclusive task, any number of a multi-label one."""


@dataclass(frozen=True)
class AuditCodings:
    """Codings that were read and checked: a coder coded an article (and target) once."""

    codings: tuple[Coding, ...]
    unsure: tuple[Key, ...] = ()
    """What a coder was not sure of, or passed over."""

    uncoded: int = 0
    """Rows that nobody coded."""

    repeated: int = 0
    """Rows that say once more what a coder said already."""

    files: tuple[str, ...] = ()
    untouched: tuple[str, ...] = ()
    """Files of a folder in which nothing is coded: the other forms of a sheet, or one that nobody has begun."""

    design: Mapping[str, Design] = field(default_factory=dict)
    """By place of the article; empty where the files say nothing of it."""

    def by_coder(self) -> dict[str, tuple[Coding, ...]]:
        """Coder → codings, coders sorted."""
        return {name: tuple(coding for coding in self.codings if coding.coder == name) for name in self.coders}

    @cached_property
    def coders(self) -> tuple[str, ...]:
        """Names of those who coded anything, sorted."""
        return tuple(sorted({coding.coder for coding in self.codings}))

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of the codings, whatever their order and files."""
        said = sorted((coding.key, coding.target, coding.coder, coding.labels) for coding in self.codings)
        return sha256(json.dumps(said).encode())

    def sentence(self) -> str:
        """What was read and what was left out, in a sentence."""
        parts = [f"codings: {len(self.codings)} of {len({coding.key for coding in self.codings})} articles (coders: {listed(self.coders)})"]
        parts += [f"rows not sure: {len(self.unsure)}"] * bool(self.unsure)
        parts += [f"rows taken as not coded, for their cell is empty: {self.uncoded}"] * bool(self.uncoded)
        parts += [f"rows that repeat what the same coder said already: {self.repeated}"] * bool(self.repeated)
        parts += [f"nothing is coded in {listed(self.untouched)}"] * bool(self.untouched)
        return "; ".join(parts) + "."


def read_audit(
    paths: Sequence[Path | str], codebook: Codebook, *, keys: Mapping[str, str] | None = None, columns: Mapping[str, str] | None = None
) -> AuditCodings:
    """Read coded files, or folders of them: sheets as csv or tsv, exports of Label Studio and doccano, jsonl and Parquet.

    Rows are told apart by `key`; where a file has lost that column, by id, through `keys` (id → key) or other files that have both. A row without
    a coder's name is by the one coder whose name stands in its file, or else by the file's name. Labels may be spelled with other capitals. An empty
    cell, and doccano's empty list, is "not coded"; the word "none", and an annotation of Label Studio without a choice, say of a multi-label task
    that no label applies. Raises DataError for what a coder or file must not say, with file and row.
    """
    reading = _Reading(codebook, dict(keys or {}))
    files, untouched = [], []
    found = list(coded_files(paths))
    names = coder_names([path for path, _ in found])
    for path, chosen in found:
        marks = list(marks_of(path, codebook, columns))
        if any(mark.labels is not None or mark.skipped for mark in marks):
            files.append(path)
            reading.take(marks, names[path])
        elif chosen:
            raise DataError(
                f"{path}: none of its {len(marks)} rows is coded; fill in the column of labels (README.txt beside the sheets tells how), "
                "or name the file that is coded."
            )
        else:
            untouched.append(path)
    if not files:
        raise DataError(f"{listed(map(str, paths))}: no file here is coded; name the coded sheets, or exports of Label Studio or doccano.")
    return reading.done(tuple(files), tuple(untouched))


class _Reading:
    """Marks of all files, and what they come to."""

    def __init__(self, codebook: Codebook, keys: dict[str, str]) -> None:
        self.codebook = codebook
        self.keys = keys
        self.marks: list[tuple[Mark, str]] = []
        """With the coder of each."""

        self.twofold: set[str] = set()
        """Ids that several articles have."""

        self.said: dict[Key, tuple[tuple[str, ...] | None, str]] = {}
        """Labels, None for not sure, and the place."""

        self.design: dict[str, Design] = {}
        self.uncoded = self.repeated = 0
        names = [name for name in codebook.names if [other.casefold() for other in codebook.names].count(name.casefold()) == 1]
        self.spelled = {name.casefold(): name for name in names}
        """Labels as coders may write them: spreadsheets make true TRUE, and begin cells with a capital."""

    def take(self, marks: Sequence[Mark], name: str) -> None:
        """Take in the marks of a file; where one coder's name stands in it, it is that of all its rows, and `name` where none or several do."""
        told = {mark.coder for mark in marks if mark.coder}
        name = next(iter(told)) if len(told) == 1 else name
        for mark in marks:
            words = mark.labels and tuple(self._spelled(word) for word in mark.labels)
            self.marks.append((replace(mark, labels=words), mark.coder or name))

    def _spelled(self, word: str) -> str:
        return word if word in self.codebook.labels else self.spelled.get(word.casefold(), word)

    def done(self, files: tuple[str, ...], untouched: tuple[str, ...]) -> AuditCodings:
        """Check all marks; raises DataError."""
        for mark, _ in self.marks:
            if mark.key and mark.id and self.keys.setdefault(mark.id, mark.key) != mark.key:
                self.twofold.add(mark.id)
        self._check_words()
        for mark, coder in self.marks:
            self._add(mark, coder)
        codings = tuple(Coding(*key, labels) for key, (labels, _) in self.said.items() if labels is not None)
        unsure = tuple(key for key, (labels, _) in self.said.items() if labels is None)
        return AuditCodings(codings, unsure, self.uncoded, self.repeated, files, untouched, self.design)

    def _check_words(self) -> None:
        """Raise DataError where labels stand that the codebook does not have, all at once: it may be another codebook."""
        unknown: dict[str, list[str]] = {}
        for mark, _ in self.marks:
            for word in () if self._is_unsure(mark) or self._is_none(mark) else mark.labels or ():
                if word not in self.codebook.labels:
                    unknown.setdefault(word, []).append(mark.place)
        if not unknown:
            return
        rows = len({place for places in unknown.values() for place in places})
        (word, places), *_ = unknown.items()
        hint = nearest(word, self.codebook.labels)
        first = f"{places[0]}: {word!r} is not a label of the task {self.codebook.task!r}{hint}; its labels are {listed(self.codebook.labels)}."
        if rows < MANY:
            commas = " Part several labels by semicolons." if "," in word and self.codebook.kind == "multi" else ""
            others = f" Others that are none: {listed(list(unknown)[1:])}." if len(unknown) > 1 else ""
            raise DataError(f"{first}{commas}{others} Correct the cell.")
        raise DataError(
            f"{first} {rows} rows have labels that it does not have ({listed(unknown)}). If they are of an older codebook, bring the file under "
            "this one:  newsclf recode CODED --codebook OLD.yaml --to NEW.yaml --draft"
        )

    def _is_unsure(self, mark: Mark) -> bool:
        return mark.skipped or any(word not in self.codebook.labels and word.casefold() == UNSURE for word in mark.labels or ())

    def _is_none(self, mark: Mark) -> bool:
        """Whether the coder said that no label applies."""
        words = mark.labels or ()
        return self.codebook.kind == "multi" and len(words) == 1 and words[0] not in self.codebook.labels and words[0].casefold() == NONE

    def _add(self, mark: Mark, coder: str) -> None:
        if mark.labels is None and not mark.skipped:
            self.uncoded += 1
            return
        key = self._key(mark)
        target = self.codebook.check_target(mark.target, where=mark.place) if self.codebook.is_stance else ""
        self._take_design(mark, key)
        labels = None
        if not self._is_unsure(mark):
            labels = self.codebook.check(() if self._is_none(mark) else mark.labels or (), where=mark.place)
        if (key, target, coder) not in self.said:
            self.said[key, target, coder] = labels, mark.place
            return
        before, place = self.said[key, target, coder]
        if before != labels:
            about = f" and target {target!r}" if target else ""
            was, now = ("not sure" if said is None else listed(said) for said in (before, labels))
            raise DataError(
                f"{mark.place}: the coder {coder!r} coded {key!r}{about} as {now}, and as {was} at {place}; an article has one coding of each coder. "
                'Keep the right one; if two people coded, name them in the column "coder".'
            )
        self.repeated += 1

    def _key(self, mark: Mark) -> str:
        if mark.key:
            return mark.key
        if not mark.id:
            raise DataError(f"{mark.place}: the row has no key and no id, so that nobody can tell which article it codes; restore the column key.")
        if mark.id in self.twofold:
            raise DataError(f"{mark.place}: the row has no key, and several articles have its id {mark.id!r}; restore the column key.")
        if self.keys and mark.id not in self.keys:
            hint = nearest(mark.id, self.keys)
            raise DataError(
                f"{mark.place}: the row has no key, and no article that was drawn has its id {mark.id!r}{hint}; spreadsheets change long numbers and "
                "leading zeros: restore the column key, or the ids."
            )
        return self.keys.get(mark.id, mark.id)

    def _take_design(self, mark: Mark, key: str) -> None:
        if mark.design and self.design.setdefault(key, mark.design) != mark.design:
            raise DataError(
                f"{mark.place}: the columns {listed(DESIGN)} say something else of {key!r} than a row before; an article was drawn one way."
            )
