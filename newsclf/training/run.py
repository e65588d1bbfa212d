"""Training, start to end on one page: read, clean, split, fit, calibrate, decide, bundle, evaluate."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from newsclf.article import Article
from newsclf.bundle import MANIFEST, Bundle
from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanSpec
from newsclf.corpus.coded import Coded, read_coded
from newsclf.corpus.dedup import Ids, near_duplicates
from newsclf.corpus.leaks import COLUMNS, Facts, audit
from newsclf.corpus.outlets import Merge, canonical
from newsclf.corpus.read import as_text
from newsclf.corpus.replay import replayed
from newsclf.corpus.split import NEAR_DUPLICATE, Rows, cross_validation, split
from newsclf.errors import DataError, InputError, listed, nearest
from newsclf.folder import check_replaceable
from newsclf.inference.predictor import Predictor
from newsclf.learners.protocol import Fitted, Pairs
from newsclf.scores.abstain import choose_abstention
from newsclf.scores.decision import Decision, DecisionSpec
from newsclf.scores.metrics import Booleans
from newsclf.scores.thresholds import choose_thresholds
from newsclf.training.about import about
from newsclf.training.evaluate import CodedPairs, Evaluation, evaluate, nothing_coded, prepare
from newsclf.training.experiment import RUNS, Experiment
from newsclf.training.findings import Trained
from newsclf.training.record import RunFolder

logger = logging.getLogger(__name__)
FEW = 5
"""Training rows of a label below which its threshold and calibration are mostly those of the other labels."""

FIELDS = ("id", "outlet", "date", "url", "title")


@dataclass(frozen=True)
class Result:
    """What training gives."""

    bundle: Predictor
    """The trained model, loaded from where it was saved."""

    metrics: Evaluation
    """How it did on the test articles."""

    run: Path
    """Folder with the record of the run."""

    model: Path
    """Folder of the model."""


def train(config: str | Path | Experiment, settings: Sequence[str] = ()) -> Result:
    """Train from a config file (with `a.b=value` settings laid on it) or an Experiment.

    Raises ConfigError before the first article is read, DataError for rows that must not be, OutputError where nothing can be written. The test
    articles take no part in any choice. Two runs of one config on one machine give the same bytes.
    """
    if isinstance(config, Experiment) and settings:
        raise InputError(
            "train() lays settings on a config file; an Experiment says everything itself: make it with them, Experiment.load(path, settings)."
        )
    experiment = config if isinstance(config, Experiment) else Experiment.load(config, settings)
    codebook = experiment.load_codebook()
    model = Path(experiment.output) / experiment.name
    check_replaceable(model, mark=MANIFEST)
    record = RunFolder.create(Path(experiment.output) / RUNS, experiment)
    with record.discarded_on_error():
        coded, given = _read(experiment, codebook)
        clean = _with_outlets(experiment.clean, coded)
        merges = _join_outlets(coded, experiment.split.outlets)
        every = prepare(coded, codebook, clean, on_error=experiment.data.on_error)
        if not len(every):
            raise nothing_coded(experiment.data, codebook, coded)
        part, rows = _split(experiment, every, given)
        inside = np.flatnonzero(part == "train")
        learned, tested = every.take(inside), every.take(np.flatnonzero(part == "test"))
        _check_classes(codebook, learned)
        record.split(every, part, rows)
        record.outlets(merges)
        # near-duplicates anew: two articles that only a test article links must not share a fold for its sake
        folds = cross_validation(replace(rows.take(inside), story=_stories(learned.pairs)), experiment.split)
        logger.info("%s: %d rows to learn from, %d to test on, %d set aside", experiment.name, len(learned), len(tested), (part == "aside").sum())
        fitted = experiment.learner.fit(learned.pairs, learned.truth, codebook, folds)
        bundle = assemble(codebook, experiment, clean, fitted, learned.truth)
        metrics = evaluate(bundle, tested)
        # the card has the metrics in it, and metrics need a bundle: it is made, tested, and told
        bundle = replace(bundle, about=about(experiment, bundle, fitted, every, part, metrics))
        record.quarantine(coded.quarantined)
        record.metrics(metrics, fitted, tested, codebook)
        fingerprint = bundle.save(record.folder / "bundle")
        leaks = audit(_facts(experiment, every, rows), part, codebook.names)
        record.findings(Trained(bundle, fitted, learned, tested, rows.story[part == "test"], metrics, leaks), fingerprint)
        record.close(metrics, fingerprint)
        bundle.save(model)  # at last: whatever fails before leaves the older model where it is
    return Result(Predictor(model), metrics, record.folder, model)


def assemble(codebook: Codebook, experiment: Experiment, clean: CleanSpec, fitted: Fitted, truth: Booleans) -> Bundle:
    """Thresholds on the held-out probabilities of the training rows, and the bundle of it all."""
    decision = decide(codebook, experiment.decision, fitted.calibration(fitted.heldout), truth)
    return Bundle(codebook, experiment.learner, clean, fitted.model, fitted.calibration, decision)


def decide(codebook: Codebook, spec: DecisionSpec, heldout: NDArray[np.float64], truth: Booleans) -> Decision:
    """The decision that a spec asks for, chosen on held-out probabilities; raises ConfigError or DataError where they cannot reach what is asked."""
    spec.check(codebook.kind)
    if codebook.kind == "exclusive":
        below = spec.abstain_below
        if spec.abstain is not None:
            chosen = choose_abstention(heldout, truth, spec.abstain)
            logger.info("%s: %s", codebook.task, chosen)
            below = chosen.below
        return Decision("exclusive", np.zeros(truth.shape[1]), abstain_below=below, abstain_unmentioned=spec.abstain_unmentioned)
    thresholds = choose_thresholds(heldout, truth, spec.threshold)
    for sentence in thresholds.warnings(codebook.names):
        logger.warning("%s", sentence)
    return Decision("multi", thresholds.values, fewest=codebook.min_labels, most=codebook.max_labels)


def _read(experiment: Experiment, codebook: Codebook) -> tuple[Coded, frozenset[str] | None]:
    """Everything coded, and the places of the rows to test on where files or columns say so."""
    spec, where = experiment.data, experiment.split.where
    coded = read_coded(spec, codebook)
    if spec.test:
        tests = read_coded(spec, codebook, paths=spec.test)
        given = frozenset(example.article.place for example in tests.examples)
        both = next((example.article.place for example in coded.examples if example.article.place in given), "")
        if both:
            raise DataError(f"{both}: this row is to learn from (data.path) and to test on (data.test); it must be one of the two.")
        return Coded(coded.examples + tests.examples, coded.quarantined + tests.quarantined, coded.uncoded + tests.uncoded), given
    if not where:
        return coded, None
    articles = [example.article for example in coded.examples]
    values = {column: _values(articles, column, key="split.where") for column in where}
    # by place, not by number: rows may still be set aside when they are cleaned
    return coded, frozenset(article.place for row, article in enumerate(articles) if all(values[column][row] in where[column] for column in where))


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


def _split(experiment: Experiment, every: CodedPairs, given: frozenset[str] | None) -> tuple[NDArray[np.str_], Rows]:
    """The part of each row, and what is kept together."""
    articles = [example.article for example in every.examples]
    columns = [column for column in experiment.split.keep_together if column != NEAR_DUPLICATE]
    keys = tuple(_values(articles, column, key="split.keep_together") for column in columns)
    rows = Rows(
        every.truth,
        every.pairs.rows,
        _stories(every.pairs),
        keys,
        dates=[article.date for article in articles],
        places=[article.place for article in articles],
    )
    if experiment.split.replay:
        return replayed([(example.article.id, example.target) for example in every.examples], experiment.split.replay), rows
    if given is None:
        return split(rows, experiment.split), rows
    test = np.array([article.place in given for article in articles])
    if test.all() or not test.any():
        raise DataError(
            f"the given split (data.test or split.where) leaves {(~test).sum()} rows to learn from and {test.sum()} to test on; both are needed."
        )
    # a given split is an official one: it is kept as it is, and copies across it are named, not removed
    copies = np.isin(rows.story[test], rows.story[~test])
    if copies.any():
        logger.warning("the split is kept as given, though %d of its %d test rows near-duplicate a training row", copies.sum(), len(copies))
    return np.where(test, "test", "train"), rows


def _facts(experiment: Experiment, every: CodedPairs, rows: Rows) -> Facts:
    """What the leak audit looks at: outlets, authors, and what else is kept together."""
    columns = dict.fromkeys([*COLUMNS, *(column for column in experiment.split.keep_together if column != NEAR_DUPLICATE)])
    return Facts.of([example.article for example in every.examples], every.truth, story=rows.story, columns=tuple(columns))


def _stories(pairs: Pairs) -> Ids:
    """A number for each row; rows about near-duplicates share one. Only the articles of these rows are compared. [rows]"""
    documents, document = np.unique(pairs.rows, return_inverse=True)
    words = pairs.documents.whole.take(documents)
    return near_duplicates(words.ids, words.starts)[document]


def _values(articles: Sequence[Article], column: str, *, key: str) -> list[str]:
    """What each article has in a column; raises DataError where none has anything, listing the columns that there are."""
    values = [as_text(getattr(article, column) if column in FIELDS else article.extra.get(column)) for article in articles]
    if articles and not any(values):
        known = [name for name in FIELDS if any(getattr(article, name) for article in articles)]
        known += dict.fromkeys(name for article in articles for name in article.extra)
        raise DataError(f"{key} names {column!r}{nearest(column, known)}, but no article has a value there; the columns are {listed(known)}.")
    return values


def _check_classes(codebook: Codebook, learned: CodedPairs) -> None:
    """Raise DataError for labels that cannot be learned; warn of those with few rows."""
    support = dict(zip(codebook.names, learned.truth.sum(axis=0).tolist(), strict=True))
    present = [name for name, rows in support.items() if rows]
    if codebook.kind == "exclusive" and len(present) == 1:
        raise DataError(f"the training rows have only the label {present[0]!r}; two labels are needed to tell apart. Rows: {support}.")
    missing = [name for name in support if name not in present]
    if missing:
        raise DataError(f"the label {listed(missing)} has no training row: code articles for it, or take it out of the codebook. Rows: {support}.")
    few = [name for name, rows in support.items() if rows < FEW]
    if few:
        logger.warning(
            "few rows for %s: cross-validation has no row of it in some folds, so its threshold leans on those of the other labels", listed(few)
        )
