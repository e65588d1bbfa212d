"""A coded corpus made ready to train on: read, outlets joined, cleaned and tokenised once, and then split as often as anyone likes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from newsclf.article import Article
from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanSpec
from newsclf.corpus.coded import Coded, CodedSpec, read_coded
from newsclf.corpus.dedup import Clusters, Ids, clusters, near_duplicates
from newsclf.corpus.formats import BadRow
from newsclf.corpus.leaks import COLUMNS, Facts, Leaks, audit
from newsclf.corpus.outlets import Merge, canonical
from newsclf.corpus.read import as_text
from newsclf.corpus.replay import replayed
from newsclf.corpus.split import NEAR_DUPLICATE, Rows, SplitSpec, cross_validation, split
from newsclf.errors import DataError, InputError, listed, nearest
from newsclf.learners.protocol import Folds, Pairs
from newsclf.training.coders import Agreement, read_beside, read_by_coders
from newsclf.training.evaluate import CodedPairs, nothing_coded, prepare
from newsclf.training.experiment import Experiment
from newsclf.training.seed_folders import folders_listed, seeds_of

logger = logging.getLogger(__name__)

FIELDS = ("id", "outlet", "date", "url", "title")

Part = NDArray[np.str_]
"""train, test or aside, of each row."""


@dataclass(frozen=True)
class Prepared:
    """The coded rows of an experiment, not yet split."""

    experiment: Experiment
    codebook: Codebook
    clean: CleanSpec
    """With the corpus's outlets in it, where outlets are masked."""

    every: CodedPairs
    merges: tuple[Merge, ...]
    """Names of outlets that were taken for one."""

    quarantined: tuple[BadRow, ...]
    given: frozenset[str] | None = None
    """Places of the rows to test on, where files or columns say so."""

    agreement: Agreement | None = None
    """What several coders say of the articles, where there are codings."""

    @classmethod
    def read(cls, experiment: Experiment) -> Prepared:
        """Read and clean what an experiment names; raises DataError for rows that must not be, and where none is coded."""
        codebook = experiment.load_codebook()
        coded, given, agreement = _read(experiment, codebook)
        clean = _with_outlets(experiment.clean, coded)
        merges = _join_outlets(coded, experiment.split.outlets)
        every = prepare(coded, codebook, clean, on_error=experiment.data.on_error)
        if not len(every):
            raise nothing_coded(experiment.data, codebook, coded)
        return cls(experiment, codebook, clean, every, merges, tuple(coded.quarantined), given, agreement)

    @cached_property
    def story(self) -> Ids:
        """A number for each row; rows about near-duplicates share one. [rows]"""
        return stories(self.every.pairs)

    def altered(self, *, experiment: Experiment | None = None, codebook: Codebook | None = None, every: CodedPairs | None = None) -> Prepared:
        """The same rows under another experiment, or under fewer labels; stories, which lie in the texts, are not looked for again."""
        other = replace(self, experiment=experiment or self.experiment, codebook=codebook or self.codebook, every=every or self.every)
        vars(other)["story"] = self.story
        return other

    def copies(self) -> Clusters:
        """Near-duplicates among the articles, by size and by the outlets that share them."""
        first = np.unique(self.every.pairs.rows, return_index=True)[1]  # a row of each article: those of one share its story
        return clusters(self.story[first], [self.every.examples[row].article.outlet for row in first.tolist()])

    def rows(self, spec: SplitSpec | None = None) -> Rows:
        """What a split (the experiment's, or another) has to know of the rows."""
        articles = [example.article for example in self.every.examples]
        columns = (column for column in (spec or self.experiment.split).keep_together if column != NEAR_DUPLICATE)
        return Rows(
            self.every.truth,
            self.every.pairs.rows,
            self.story,
            tuple(values_of(articles, column, key="split.keep_together") for column in columns),
            dates=[article.date for article in articles],
            places=[article.place for article in articles],
        )

    def part(self, spec: SplitSpec | None = None) -> Part:
        """The part of each row by a split: the experiment's, as files or columns give it or as it is drawn, or another. [rows]"""
        if spec is None and self.given is not None:
            return self._given(self.given)
        chosen = spec or self.experiment.split
        if chosen.replay:
            return replayed([(example.article.id, example.target) for example in self.every.examples], chosen.replay)
        return split(self.rows(chosen), chosen)

    def folds(self, inside: Ids) -> Folds:
        """Folds of cross-validation among some of the rows; they count from the first of those."""
        # near-duplicates anew: two articles that only a test article links must not share a fold for its sake
        story = stories(self.every.take(inside).pairs)
        return cross_validation(replace(self.rows().take(inside), story=story), self.experiment.split)

    def leaks(self, part: Part) -> Leaks:
        """The leak audit of a split: outlets, authors, and what else is kept together."""
        columns = dict.fromkeys([*COLUMNS, *(column for column in self.experiment.split.keep_together if column != NEAR_DUPLICATE)])
        articles = [example.article for example in self.every.examples]
        return audit(Facts.of(articles, self.every.truth, story=self.story, columns=tuple(columns)), part, self.codebook.names)

    def _given(self, places: frozenset[str]) -> Part:
        test = np.array([example.article.place in places for example in self.every.examples])
        if test.all() or not test.any():
            raise DataError(
                f"the given split (data.test or split.where) leaves {(~test).sum()} rows to learn from and {test.sum()} to test on; both are needed."
            )
        # a given split is an official one: it is kept as it is, and copies across it are named, not removed
        copies = np.isin(self.story[test], self.story[~test])
        if copies.any():
            logger.warning("the split is kept as given, though %d of its %d test rows near-duplicate a training row", copies.sum(), len(copies))
        return np.where(test, "test", "train")


def revisit(run: str | Path) -> tuple[Prepared, Part]:
    """The rows of a finished run and their parts, from its folder and the corpus that it names.

    Raises InputError where the folder is not that of a run, DataError where the corpus is no longer what it was.
    """
    folder = Path(run)
    config, lines = folder / "config.yaml", folder / "split.jsonl"
    if not config.is_file() or not lines.is_file():
        if seeds := seeds_of(folder):
            raise InputError(f"{folder}: this is the record of several seeds, not one run: name one of {folders_listed(folder, seeds)}.")
        raise InputError(
            f"{folder}: this is not the folder of a finished run; name the one that training prints as its record, models/runs/NAME-DATE-TIME."
        )
    prepared = Prepared.read(Experiment.load(config))
    return prepared, prepared.part(SplitSpec(replay=str(lines)))


def stories(pairs: Pairs) -> Ids:
    """A number for each row; rows about near-duplicates share one. Only the articles of these rows are compared. [rows]"""
    documents, document = np.unique(pairs.rows, return_inverse=True)
    words = pairs.documents.whole.take(documents)
    return near_duplicates(words.ids, words.starts)[document]


def values_of(articles: Sequence[Article], column: str, *, key: str) -> list[str]:
    """What each article has in a column; raises DataError, which begins with `key`, where none has anything, listing the columns that there are."""
    values = [as_text(getattr(article, column) if column in FIELDS else article.extra.get(column)) for article in articles]
    if articles and not any(values):
        known = [name for name in FIELDS if any(getattr(article, name) for article in articles)]
        known += dict.fromkeys(name for article in articles for name in article.extra)
        raise DataError(f"{key} names {column!r}{nearest(column, known)}, but no article has a value there; the columns are {listed(known)}.")
    return values


def _read(experiment: Experiment, codebook: Codebook) -> tuple[Coded, frozenset[str] | None, Agreement | None]:
    """Everything coded, the places of the rows to test on where files or columns say so, and what coders say where there are codings."""
    spec, coders = experiment.data, experiment.coders
    agreement = None
    if coders and coders.settle != "none":
        coded, given, agreement = read_by_coders(spec, coders, codebook)
    else:
        coded, given = _coded(spec, codebook)
        agreement = read_beside(spec, coders, codebook, coded) if coders else None
    if experiment.split.where:
        given = _chosen(coded, experiment.split.where)
    return coded, given, agreement


def _coded(spec: CodedSpec, codebook: Codebook) -> tuple[Coded, frozenset[str] | None]:
    """The rows of a corpus that has its labels in it, and the places of those to test on where files say so."""
    coded = read_coded(spec, codebook)
    if not spec.test:
        return coded, None
    tests = read_coded(spec, codebook, paths=spec.test)
    given = frozenset(example.article.place for example in tests.examples)
    both = next((example.article.place for example in coded.examples if example.article.place in given), "")
    if both:
        raise DataError(f"{both}: this row is to learn from (data.path) and to test on (data.test); it must be one of the two.")
    return Coded(coded.examples + tests.examples, coded.quarantined + tests.quarantined, coded.uncoded + tests.uncoded), given


def _chosen(coded: Coded, where: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The places of the rows whose columns hold what `split.where` says."""
    articles = [example.article for example in coded.examples]
    values = {column: values_of(articles, column, key="split.where") for column in where}
    # by place, not by number: rows may still be set aside when they are cleaned
    return frozenset(article.place for row, article in enumerate(articles) if all(values[column][row] in where[column] for column in where))


def _join_outlets(coded: Coded, names: Mapping[str, str]) -> tuple[Merge, ...]:
    """Give each article's outlet its one name, and say which names were joined: of two names of an outlet one would train and one test."""
    articles = {id(example.article): example.article for example in coded.examples}  # the targets of a stance share their article
    outlets = canonical((article.outlet for article in articles.values()), names)
    for merge in outlets.merges:
        logger.info("one outlet: %s  (to keep names apart: split.outlets)", merge)
    named = {key: replace(article, outlet=outlets.of(article.outlet)) for key, article in articles.items()}
    coded.examples = [replace(example, article=named[id(example.article)]) for example in coded.examples]
    return outlets.merges


def _with_outlets(clean: CleanSpec, coded: Coded) -> CleanSpec:
    """The cleaning with the corpus's outlets in it, where outlets are to be masked."""
    if "outlet" not in clean.mask:
        return clean
    # those of test articles too: a split by near-duplicates needs cleaned texts, so the test articles are not known yet
    outlets = {example.article.outlet for example in coded.examples} | set(clean.outlets)
    return clean.model_copy(update={"outlets": tuple(sorted(outlets - {""}))})
