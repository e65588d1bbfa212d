"""Loaded bundles: cleaning → scores → calibration → decision, the same code that evaluation uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from newsclf.article import Article, Evidence, Prediction, Reading
from newsclf.bundle import Bundle
from newsclf.corpus.clean import CleanArticle, Cleaner
from newsclf.corpus.streams import is_unicode
from newsclf.errors import InputError, listed
from newsclf.inference.evidence import Sentences
from newsclf.learners.protocol import Documents, Pairs
from newsclf.scores.metrics import Booleans, Floats

Readable = str | Article
SENTENCES = 3
"""Evidence sentences for each label, unless asked otherwise."""


@dataclass(frozen=True)
class Answers:
    """What one bundle says of a batch of articles."""

    bundle: Bundle
    pairs: Pairs
    targets: tuple[str, ...]
    """Targets asked for each article, in this order; empty where the task has none."""

    probabilities: Floats
    decided: Booleans
    """[articles · targets, labels] each, the targets of an article one after another"""

    coverage: Floats


class Reader:
    """Bundles that read each article together: one cleaning and one tokenisation wherever they clean alike.

    Holds no state of a call, so threads may share it; pickled as the paths it was loaded from.
    """

    def __init__(self, paths: Sequence[str | Path]) -> None:
        if not paths:
            raise InputError("there is no model: give the folder of one or several, for example newsclf.load('models/framing').")
        loaded = [Bundle.load(path) for path in paths]
        self.paths = tuple(str(Path(path).resolve()) for path in paths)  # a worker that unpickles them may stand in another folder
        self.bundles = tuple(bundle for bundle, _ in loaded)
        self.fingerprints = tuple(fingerprint for _, fingerprint in loaded)
        tasks = [bundle.codebook.task for bundle in self.bundles]
        twice = sorted({task for task in tasks if tasks.count(task) > 1})
        if twice:
            raise InputError(f"two models answer the task {listed(twice)}: load one of them, or load them apart.")
        self._cleaners = {bundle.clean.fingerprint(): Cleaner(bundle.clean) for bundle in self.bundles}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.paths,)

    @overload
    def predict(self, what: Readable, *, targets: Sequence[str] = (), sentences: int = SENTENCES) -> Reading: ...
    @overload
    def predict(self, what: list[Readable] | tuple[Readable, ...], *, targets: Sequence[str] = (), sentences: int = SENTENCES) -> list[Reading]: ...
    def predict(self, what: Readable | list[Readable] | tuple[Readable, ...], *, targets: Sequence[str] = (), sentences: int = SENTENCES) -> Any:
        """Read an article (its text, or an Article) or several.

        Gives a Reading, task → Prediction; for a stance task → Reading, target → Prediction. A list gives a list. `targets` asks stance models about
        these instead of their codebook's; `sentences` is how many sentences of evidence each label gets.
        Raises InputError for an empty text, something that is no article, or a stance model without a target, DataError for a target that a
        codebook does not know.
        """
        if isinstance(what, (list, tuple)):
            return self._read([_article(item, number) for number, item in enumerate(what)], targets, sentences)
        return self._read([_article(what, 0)], targets, sentences)[0]

    def check_targets(self, targets: Sequence[str]) -> None:
        """Raise InputError or DataError where these targets cannot be asked for, as `predict` does."""
        stances = [bundle.codebook for bundle in self.bundles if bundle.codebook.is_stance]
        if targets and not stances:
            asked = (targets,) if isinstance(targets, str) else targets
            raise InputError(f"the targets {listed(asked)} cannot be asked for: only stance models take targets, and none of these is one.")
        for codebook in stances:
            codebook.restricted(targets)

    def _read(self, articles: Sequence[Article], targets: Sequence[str], sentences: int) -> list[Reading]:
        self.check_targets(targets)
        cleaned = self.clean(articles)
        for articles_of_one in cleaned.values():
            for number, article in enumerate(articles_of_one):
                if article.is_empty:
                    raise InputError(f"article {number + 1}: {nothing_left(article)}")
        answers = self.answer(cleaned, targets)
        split = {key: [Sentences.of(item) for item in items] for key, items in cleaned.items()} if sentences else {}
        return [Reading({item.bundle.codebook.task: _answer_of(item, row, split, sentences) for item in answers}) for row in range(len(articles))]

    def clean(self, articles: Sequence[Article]) -> dict[str, list[CleanArticle]]:
        """The articles cleaned in each way that a bundle asks for: fingerprint of the CleanSpec → articles."""
        return {key: [cleaner(article) for article in articles] for key, cleaner in self._cleaners.items()}

    def answer(self, cleaned: dict[str, list[CleanArticle]], targets: Sequence[str] = ()) -> list[Answers]:
        """What each bundle says of cleaned articles, in the order of the bundles."""
        documents = {key: Documents([item.title.text for item in items], [item.text.text for item in items]) for key, items in cleaned.items()}
        return [answer(bundle, documents[bundle.clean.fingerprint()], targets) for bundle in self.bundles]


class Predictor:
    """One loaded bundle: a Reader whose answers are those of its one task."""

    def __init__(self, path: str | Path) -> None:
        self.reader = Reader([path])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.reader.paths

    @property
    def bundle(self) -> Bundle:
        """The bundle."""
        return self.reader.bundles[0]

    @overload
    def predict(self, what: Readable, *, targets: Sequence[str] = (), sentences: int = SENTENCES) -> Prediction: ...
    @overload
    def predict(
        self, what: list[Readable] | tuple[Readable, ...], *, targets: Sequence[str] = (), sentences: int = SENTENCES
    ) -> list[Prediction]: ...
    def predict(self, what: Readable | list[Readable] | tuple[Readable, ...], *, targets: Sequence[str] = (), sentences: int = SENTENCES) -> Any:
        """Read an article (its text, or an Article) or several; as `Reader.predict`, without the task's name around the answer.

        Gives a Prediction, for a stance model a Reading, target → Prediction. A list gives a list.
        """
        task = self.bundle.codebook.task
        found = self.reader.predict(what, targets=targets, sentences=sentences)
        return found[task] if isinstance(found, Reading) else [reading[task] for reading in found]


@overload
def load(path: str | Path, /) -> Predictor: ...
@overload
def load(path: str | Path, second: str | Path, /, *more: str | Path) -> Reader: ...
def load(*paths: str | Path) -> Predictor | Reader:
    """Load a bundle as a Predictor, or several as a Reader that cleans and tokenises each article once.

    Every file is checked against the manifest and the golden inputs are scored before anything is answered; raises BundleError with a full sentence.
    """
    return Predictor(paths[0]) if len(paths) == 1 else Reader(paths)


def answer(bundle: Bundle, documents: Documents, targets: Sequence[str] = ()) -> Answers:
    """Ask a bundle about documents; a stance bundle about every document with each target."""
    asked = bundle.codebook.restricted(targets) if bundle.codebook.is_stance else ()
    rows = np.repeat(np.arange(len(documents)), max(len(asked), 1))  # [articles · targets]
    pairs = Pairs(documents, rows, tuple(asked) * len(documents))
    probabilities, decided = bundle.answer(pairs)
    return Answers(bundle, pairs, tuple(asked), probabilities, decided, bundle.model.coverage(pairs))


def predictions(answers: Answers, row: int, split: Sentences | None, sentences: int) -> Prediction:
    """The Prediction of one row of answers, with evidence for its labels (for the most probable one where there are none)."""
    codebook, probabilities = answers.bundle.codebook, answers.probabilities[row]
    ranked = np.argsort(-probabilities, kind="stable").tolist()  # columns; of equals the first in the codebook
    given = [column for column in ranked if answers.decided[row, column]]
    names = codebook.names
    return Prediction(
        task=codebook.task,
        labels=tuple(names[column] for column in given),
        probabilities=dict(zip(names, probabilities.tolist(), strict=True)),
        evidence=_evidence(answers, row, given or ranked[:1], split, sentences) if split else (),
        coverage=float(answers.coverage[row]),
        abstained=codebook.kind == "exclusive" and not given,
        target=answers.pairs.targets[row] if answers.targets else "",
    )


def _answer_of(answers: Answers, article: int, split: Mapping[str, Sequence[Sentences]], sentences: int) -> Prediction | Reading:
    """What one bundle says of one article; `split` holds the sentences of the articles in each way that they were cleaned."""
    own = split[answers.bundle.clean.fingerprint()][article] if split else None
    if not answers.targets:
        return predictions(answers, article, own, sentences)
    rows = range(article * len(answers.targets), (article + 1) * len(answers.targets))
    return Reading({target: predictions(answers, row, own, sentences) for target, row in zip(answers.targets, rows, strict=True)})


def _evidence(answers: Answers, row: int, columns: Sequence[int], split: Sentences, sentences: int) -> tuple[Evidence, ...]:
    codebook = answers.bundle.codebook
    every = range(len(codebook.names))
    found = answers.bundle.model.contributions(answers.pairs, row, list(every) if codebook.kind == "exclusive" else columns)
    if codebook.kind == "exclusive":  # what speaks for a label is what speaks more for it than for the labels on average
        mean = np.mean([item.weights for item in found], axis=0)  # [n-grams]
        found = [item.less(mean) for item in (found[column] for column in columns)]
    return tuple(piece for column, item in zip(columns, found, strict=True) for piece in split.evidence(codebook.names[column], item, most=sentences))


def _article(what: Any, number: int) -> Article:
    article = Article(text=what) if isinstance(what, str) else what
    if not isinstance(article, Article):
        raise InputError(f"article {number + 1}: predict() takes text, an Article, or a list of either, not {type(what).__name__}.")
    for name in ("text", "title", "outlet"):  # what cleaning looks at
        value = getattr(article, name)
        if not isinstance(value, str):
            raise InputError(f"article {number + 1}: the {name} must be text, not {type(value).__name__}.")
        if not is_unicode(value):
            raise InputError(f"article {number + 1}: the {name} holds half a character (a lone surrogate); it was damaged before it came here.")
    if not article.text.strip():
        raise InputError(f"article {number + 1}: the text is empty.")
    return article


def nothing_left(article: CleanArticle) -> str:
    """Why a cleaned article without a text cannot be read, as a sentence."""
    # a page without text is gone before cleaning counts anything
    removed = ", ".join(f"{step} {count}" for step, count in article.removed.items()) or "markup"
    return f"nothing is left of the text after cleaning (removed: {removed})."
