"""Codings by several coders, in long form: one row says what one coder gives one article (for stance: one article and target)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsclf.article import Article, Example
from newsclf.codebook import Codebook
from newsclf.corpus.coded import CodedSpec, examples_of
from newsclf.corpus.formats import BadRow, Row, Rows
from newsclf.corpus.read import articles_of, as_text, rows_of
from newsclf.errors import DataError, listed, nearest

NO_TEXT = "\N{REPLACEMENT CHARACTER}"
"""Stands for the text of a coding that comes without one: who coded what can be read all the same."""

YES = ("1", "1.0", "true", "yes", "x")

Key = tuple[str, str]
"""Id of an article, and the target; "" where the task has none."""


class CodingSpec(CodedSpec):
    """A file of codings, and how to read it.

    Without a column `labels` the column `label` is taken; columns that are called target, task and repeated need not be named.
    """

    coder: str = "coder"
    """Column that says who coded the row."""

    task: str | None = None
    """Column that says which task the row is about; rows of other tasks are passed over."""

    repeated: str | None = None
    """Column that marks rows shown for screening or practice, which a coder may have coded more than once; 1, true, yes or x."""

    unsure: tuple[str, ...] = ("not sure",)
    """What coders wrote where they could not decide, upper or lower case; such rows give no label, and are counted."""


@dataclass(frozen=True)
class Codings:
    """Codings that were read and checked: a coder coded an article once."""

    codebook: Codebook
    examples: tuple[Example, ...]
    """One a coding, with its coder."""

    articles: Mapping[str, Article] = field(default_factory=dict)
    """By id."""

    unsure: tuple[tuple[Key, str], ...] = ()
    """Articles that a coder could not decide on, with the coder."""

    repeated: frozenset[Key] = frozenset()
    """Articles that are marked as repeated, and those whose text stands under several ids: they are coded more often than others, and better."""

    again: int = 0
    """Rows left out in which a coder coded a marked article once more."""

    uncoded: int = 0
    other_tasks: int = 0
    quarantined: tuple[BadRow, ...] = ()

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """The articles (for stance: with their targets) that anybody coded or was not sure of, in order of appearance."""
        coded = ((example.article.id, example.target) for example in self.examples)
        return tuple(dict.fromkeys([*coded, *(key for key, _ in self.unsure)]))

    @cached_property
    def coders(self) -> tuple[str, ...]:
        """Names of the coders, sorted."""
        return tuple(sorted({example.coder for example in self.examples} | {coder for _, coder in self.unsure}))

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Numbers of the article and of the coder of each coding, in `keys` and `coders`, and its labels. [codings], [codings], [codings, labels]"""
        article = {key: number for number, key in enumerate(self.keys)}
        coder = {name: number for number, name in enumerate(self.coders)}
        articles = [article[example.article.id, example.target] for example in self.examples]
        coders = [coder[example.coder] for example in self.examples]
        return np.array(articles, np.int64), np.array(coders, np.int64), self.codebook.matrix(example.labels for example in self.examples)

    def unsure_of(self) -> NDArray[np.int64]:
        """How many coders were not sure of each article. [articles]"""
        counts = Counter(key for key, _ in self.unsure)
        return np.array([counts[key] for key in self.keys], np.int64)

    def once(self) -> Codings:
        """The codings of articles that are not repeated: those that tell how far coders agree on the corpus."""
        examples = tuple(example for example in self.examples if (example.article.id, example.target) not in self.repeated)
        unsure = tuple(item for item in self.unsure if item[0] not in self.repeated)
        return replace(self, examples=examples, unsure=unsure, repeated=frozenset())


def read_codings(spec: CodingSpec, codebook: Codebook) -> Codings:
    """Read codings of one task; texts are not needed.

    Raises DataError for what `read_coded` raises it for, for a row without id or coder, for an id that stands for two texts, and where a coder coded
    an article twice: with both places, unless one of them is marked as repeated; the first then counts.
    """
    reading = _Reading(spec, codebook)
    for article in articles_of(_with_text(rows_of(spec.path), spec.text), spec):
        if isinstance(article, BadRow):
            if spec.on_error == "fail":
                raise DataError(f"{article.place}: {article.reason} (To set such rows aside and go on: data.on_error: quarantine)")
            reading.quarantined.append(article)
            continue
        # in every row: those of other tasks, or without a mark, may lack a column that others have
        reading.spec = _found(reading.spec, codebook, article)
        reading.add(article)
    if not (reading.examples or reading.unsure):
        tasks = f"; rows of the tasks {listed(reading.tasks)}: {sum(reading.tasks.values())}" if reading.tasks else ""
        raise DataError(f"{listed(spec.path)}: no row is coded for the task {codebook.task!r}{tasks}. The labels' column is data.labels.")
    return reading.done()


def _with_text(rows: Rows, column: str | None) -> Rows:
    name = column or "text"
    for row in rows:
        if isinstance(row, Row) and (column is None or column in row.values):
            text = row.values.get(name)
            row = row if isinstance(text, str) and text.strip() else Row(row.place, {**row.values, name: NO_TEXT})
        yield row


def _found(spec: CodingSpec, codebook: Codebook, article: Article) -> CodingSpec:
    """The spec with the columns of a row that go by their own names."""
    names = article.extra
    columns = {name: name for name in ("task", "repeated") if getattr(spec, name) is None and name in names}
    if codebook.is_stance and spec.target is None and "target" in names:
        columns["target"] = "target"
    if spec.labels == "labels" and "labels" not in names and "label" in names:
        columns["labels"] = "label"
    return spec.model_copy(update=columns) if columns else spec


@dataclass
class _Reading:
    """What was read so far."""

    spec: CodingSpec
    codebook: Codebook
    quarantined: list[BadRow] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    examples: list[Example] = field(default_factory=list)
    unsure: list[tuple[Key, str]] = field(default_factory=list)
    marked: set[Key] = field(default_factory=set)
    articles: dict[str, Article] = field(default_factory=dict)
    places: dict[tuple[Key, str], tuple[str, bool]] = field(default_factory=dict)
    """Where a coder coded an article, and whether that row is marked."""

    again: int = 0
    uncoded: int = 0
    tasks: Counter[str] = field(default_factory=Counter)
    """Rows of other tasks."""

    def add(self, article: Article) -> None:
        """Take in a row."""
        self.columns.update(article.extra)
        if self.spec.task and (task := self._cell(article, self.spec.task, "data.task")) != self.codebook.task:
            self.tasks[task] += 1
            return
        coder = self._cell(article, self.spec.coder, "data.coder")
        if not coder:
            raise DataError(f"{article.place}: the column {self.spec.coder!r} is empty, and a coding must say who coded (data.coder).")
        marked = bool(self.spec.repeated) and self._cell(article, str(self.spec.repeated), "data.repeated").lower() in YES
        article = self._same(article)
        doubted, sure = self._doubted(article)
        examples = [] if sure is None else list(examples_of(sure, self.spec, self.codebook, self.columns))
        self.uncoded += not examples and not doubted
        for target in doubted:
            if self._is_new((article.id, target), coder, article.place, marked=marked):
                self.unsure.append(((article.id, target), coder))
        for example in examples:
            if self._is_new((article.id, example.target), coder, article.place, marked=marked):
                self.examples.append(replace(example, article=self.articles[article.id], coder=coder))

    def _cell(self, article: Article, column: str, key: str) -> str:
        if column not in self.columns:
            raise DataError(
                f"{article.place}: there is no column {column!r} ({key}){nearest(column, self.columns)}; there are {listed(sorted(self.columns))}."
            )
        return as_text(article.extra.get(column)).strip()

    def _same(self, article: Article) -> Article:
        """The article, without what stands for a text; raises DataError where it has no id, or where the id stands for another text."""
        if article.id == article.place:
            raise DataError(f"{article.place}: this row has no id, and codings of one article are told by it; name its column (data.id).")
        article = replace(article, text="") if article.text == NO_TEXT else article
        before = self.articles.setdefault(article.id, article)
        if before.text and article.text and before.text != article.text and before.text.split() != article.text.split():
            raise DataError(f"{article.place}: the id {article.id!r} stands for another text at {before.place}; an article has one id.")
        if article.text and not before.text:
            self.articles[article.id] = article
        return article

    def _doubted(self, article: Article) -> tuple[list[str], Article | None]:
        """The targets that the coder is not sure of ("" where there are none), and the row without them; None where nothing else is in it."""
        column = self.spec.labels
        cell = article.extra.get(column) if isinstance(column, str) else None
        if isinstance(cell, Mapping):
            doubted = [str(target) for target, label in cell.items() if self._is_unsure(label)]
            sure = {target: label for target, label in cell.items() if str(target) not in doubted}
            return [" ".join(target.split()) for target in doubted], replace(article, extra={**article.extra, str(column): sure})
        if not self._is_unsure(cell):
            return [], article
        target = as_text(article.extra.get(self.spec.target)) if self.spec.target else ""
        return [" ".join(target.split())], None

    def _is_unsure(self, cell: Any) -> bool:
        text = as_text(cell[0] if isinstance(cell, list) and len(cell) == 1 else cell).strip()
        return text not in self.codebook.labels and text.casefold() in {word.casefold() for word in self.spec.unsure}

    def _is_new(self, key: Key, coder: str, place: str, *, marked: bool) -> bool:
        if marked:
            self.marked.add(key)
        if (key, coder) not in self.places:
            self.places[key, coder] = place, marked
            return True
        before, was_marked = self.places[key, coder]
        if not (marked or was_marked):
            about = f" and target {key[1]!r}" if key[1] else ""
            raise DataError(
                f"{place}: the coder {coder!r} coded the id {key[0]!r}{about} at {before} already. Keep one of the two rows; "
                "where articles were shown again on purpose, mark their rows in a column (data.repeated)."
            )
        self.again += 1
        return False

    def done(self) -> Codings:
        """What was read, with the articles that are repeated."""
        texts: dict[str, list[str]] = defaultdict(list)
        for article in self.articles.values():
            texts[" ".join(article.text.split())].append(article.id)
        copies = {identifier for text, ids in texts.items() if text and len(ids) > 1 for identifier in ids}
        repeated = self.marked | {key for key, _ in self.places if key[0] in copies}
        # texts are kept once, and a later row may be the one that has it
        examples = tuple(replace(example, article=self.articles[example.article.id]) for example in self.examples)
        counts = self.again, self.uncoded, sum(self.tasks.values())
        return Codings(self.codebook, examples, self.articles, tuple(self.unsure), frozenset(repeated), *counts, tuple(self.quarantined))
