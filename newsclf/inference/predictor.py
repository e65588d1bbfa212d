"""Loaded bundles: cleaning → scores → calibration → decision, the same code that evaluation uses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from newsclf.article import Article, Prediction, Reading
from newsclf.bundle import Bundle
from newsclf.codebook import Codebook
from newsclf.corpus.clean import Cleaner
from newsclf.corpus.streams import is_unicode
from newsclf.errors import InputError, listed
from newsclf.inference.answers import Answers, answer, answer_of
from newsclf.inference.evidence import Sentences
from newsclf.inference.rows import Cleaned, nothing_left
from newsclf.learners.protocol import Documents

if TYPE_CHECKING:
    import pyarrow as pa

    from newsclf.corpus.read import Columns

Readable = str | Article
SENTENCES = 3
"""Evidence sentences for each label, unless asked otherwise."""


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
        self.tasks = tuple(bundle.codebook.task for bundle in self.bundles)
        check_tasks(self.tasks)
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
        check_targets([bundle.codebook for bundle in self.bundles], targets)

    def _read(self, articles: Sequence[Article], targets: Sequence[str], sentences: int) -> list[Reading]:
        self.check_targets(targets)
        cleaned = self.clean(articles)
        for articles_of_one in cleaned.values():
            for number, article in enumerate(articles_of_one):
                if article.is_empty:
                    raise InputError(f"article {number + 1}: {nothing_left(article)}")
        answers = self.answer(cleaned, targets)
        split = {key: [Sentences.of(item) for item in items] for key, items in cleaned.items()} if sentences else {}
        return [Reading({item.bundle.codebook.task: answer_of(item, row, split, sentences) for item in answers}) for row in range(len(articles))]

    def clean(self, articles: Sequence[Article]) -> Cleaned:
        """The articles cleaned in each way that a bundle asks for: fingerprint of the CleanSpec → articles."""
        return {key: cleaner.clean(articles) for key, cleaner in self._cleaners.items()}

    def answer(self, cleaned: Cleaned, targets: Sequence[str] = ()) -> list[Answers]:
        """What each bundle says of cleaned articles, in the order of the bundles."""
        read: dict[str, Any] = {}  # texts that several ways of cleaning leave alike are encoded once
        documents = {key: Documents([item.title.text for item in items], [item.text.text for item in items], read) for key, items in cleaned.items()}
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

    def score_batch(
        self, batch: pa.RecordBatch, *, columns: Columns | None = None, targets: Sequence[str] = (), sentences: int = 0
    ) -> pa.RecordBatch:
        """Score an Arrow batch, the step that Ray Data, Spark's `mapInArrow` or Dask run: a row out for each row in, in order.

        `batch` has a column `text` and, where there are, id, title, outlet, date and url; `columns` says where they are called otherwise. Gives id,
        the task's columns as `newsclf.score` writes them, and `reason`: null, or why the row could not be scored and all else of it is null. A
        stance model gives a row for each row and target. A batch without rows gives the schema. Raises DataError where there is no text column.
        """
        from newsclf.inference.tables import score_batch

        self.reader.check_targets(targets)
        return score_batch(batch, self.reader, columns=columns, targets=targets, sentences=sentences)


@overload
def load(path: str | Path, /) -> Predictor: ...
@overload
def load(path: str | Path, second: str | Path, /, *more: str | Path) -> Reader: ...
def load(*paths: str | Path) -> Predictor | Reader:
    """Load a bundle as a Predictor, or several as a Reader that cleans and tokenises each article once.

    Every file is checked against the manifest and the golden inputs are scored before anything is answered; raises BundleError with a full sentence.
    """
    return Predictor(paths[0]) if len(paths) == 1 else Reader(paths)


def check_tasks(tasks: Sequence[str]) -> None:
    """Raise InputError where two models answer one task."""
    twice = sorted({task for task in tasks if tasks.count(task) > 1})
    if twice:
        raise InputError(f"two models answer the task {listed(twice)}: load one of them, or load them apart.")


def check_targets(codebooks: Sequence[Codebook], targets: Sequence[str]) -> None:
    """Raise InputError or DataError where models of these codebooks cannot be asked about these targets."""
    stances = [codebook for codebook in codebooks if codebook.is_stance]
    if targets and not stances:
        asked = (targets,) if isinstance(targets, str) else targets
        raise InputError(f"the targets {listed(asked)} cannot be asked for: only stance models take targets, and none of these is one.")
    for codebook in stances:
        codebook.restricted(targets)


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
