"""How a model does on coded articles, through the same code that answers users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from newsclf.article import Article, Example
from newsclf.bundle import Bundle
from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanArticle, Cleaner, CleanSpec
from newsclf.corpus.coded import Coded, CodedSpec, read_coded
from newsclf.corpus.formats import BadRow
from newsclf.errors import DataError, listed
from newsclf.learners.ngrams import Ids
from newsclf.learners.protocol import Documents, Pairs
from newsclf.progress import progress
from newsclf.scores.metrics import Booleans, Floats, f_avg, hierarchical, per_label, summary

ROWS = 1000
"""Articles that are cleaned together."""


@dataclass(frozen=True)
class CodedPairs:
    """Coded articles, cleaned and tokenised, with their labels as a matrix."""

    examples: tuple[Example, ...]
    articles: tuple[CleanArticle, ...]
    pairs: Pairs
    truth: Booleans
    """[pairs, labels]"""

    def __len__(self) -> int:
        return len(self.examples)

    def take(self, chosen: Ids) -> CodedPairs:
        """Some of the rows; the documents stay as they are."""
        targets = [self.pairs.targets[row] for row in chosen.tolist()] if self.pairs.targets else ()
        pairs = Pairs(self.pairs.documents, self.pairs.rows[chosen], targets)
        return CodedPairs(tuple(self.examples[row] for row in chosen.tolist()), self.articles, pairs, self.truth[chosen])


@dataclass(frozen=True)
class Evaluation:
    """What a test gives: metrics, and the probabilities that they can be recomputed from."""

    rows: int
    summary: dict[str, float]
    labels: list[dict[str, float | str]]
    probabilities: Floats
    decided: Booleans
    """[rows, labels] each"""

    def as_dict(self) -> dict[str, Any]:
        """Metrics as plain JSON values."""
        rounded = {name: round(value, 6) for name, value in self.summary.items()}
        labels = [{key: round(value, 6) if isinstance(value, float) else value for key, value in row.items()} for row in self.labels]
        return {"rows": self.rows, "summary": rounded, "labels": labels}


def prepare(coded: Coded, codebook: Codebook, clean: CleanSpec, *, on_error: str) -> CodedPairs:
    """Clean and tokenise what was read; rows of which nothing is left are errors or are added to the quarantine, as `on_error` says."""
    given = {id(example.article): example.article for example in coded.examples}  # the targets of a stance share their article: it is cleaned once
    index: dict[int, int] = {}
    articles: list[CleanArticle] = []
    for key, cleaned in zip(given, _cleaned(list(given.values()), clean), strict=True):
        if cleaned.is_empty:
            _set_aside(coded, cleaned, given[key].place, on_error)
        else:
            index[key] = len(articles)
            articles.append(cleaned)
    kept = [example for example in coded.examples if id(example.article) in index]
    documents = Documents([item.title.text for item in articles], [item.text.text for item in articles])
    rows = np.array([index[id(example.article)] for example in kept], np.int64)
    targets = [example.target for example in kept] if codebook.is_stance else ()
    return CodedPairs(tuple(kept), tuple(articles), Pairs(documents, rows, targets), codebook.matrix(example.labels for example in kept))


def _cleaned(articles: Sequence[Article], clean: CleanSpec) -> Iterator[CleanArticle]:
    cleaner = Cleaner(clean)
    with progress("cleaning", len(articles)) as report:
        for start in range(0, len(articles), ROWS):
            batch = articles[start : start + ROWS]
            yield from cleaner.clean(batch)
            report.advance(len(batch))


def _set_aside(coded: Coded, cleaned: CleanArticle, place: str, on_error: str) -> None:
    reason = f"nothing is left of the text after cleaning (removed: {dict(cleaned.removed)})."
    if on_error == "fail":
        raise DataError(f"{place}: {reason} (To set such rows aside and go on: data.on_error: quarantine)")
    coded.quarantined.append(BadRow(place, reason))


def evaluate(bundle: Bundle, coded: CodedPairs) -> Evaluation:
    """Metrics of a bundle on coded articles; raises DataError where there are none."""
    if not len(coded):
        raise DataError("there is no coded article to evaluate on.")
    codebook = bundle.codebook
    probabilities, decided = bundle.answer(coded.pairs)
    headline = summary(coded.truth, probabilities, decided, codebook.kind)
    if sides := sides_of(codebook):
        headline["f_avg"] = f_avg(coded.truth, decided, sides)
    if parents := parents_of(codebook):
        headline |= hierarchical(coded.truth, decided, parents)
    return Evaluation(len(coded), headline, per_label(coded.truth, decided, codebook.names), probabilities, decided)


def sides_of(codebook: Codebook) -> list[int]:
    """Columns of the two sides of a stance, whose mean F1 is the usual figure: it leaves the neutral ones out. None of other tasks."""
    sides = [column for column, name in enumerate(codebook.names) if name.lower() in ("favor", "against")]
    return sides if codebook.is_stance and len(sides) == 2 else []


def parents_of(codebook: Codebook) -> list[int | None]:
    """The column of each label's parent, None for a label at the top; nothing where no label has one."""
    columns = {name: column for column, name in enumerate(codebook.names)}
    parents = [columns.get(label.parent) for label in codebook.labels.values()]
    return [] if all(parent is None for parent in parents) else parents


def evaluate_corpus(bundle: Bundle, spec: CodedSpec) -> tuple[Evaluation, Coded]:
    """Metrics of a bundle on a coded corpus, and what was read; raises DataError where no row is coded for the bundle's task."""
    coded = read_coded(spec, bundle.codebook)
    pairs = prepare(coded, bundle.codebook, bundle.clean, on_error=spec.on_error)
    if not len(pairs):
        raise nothing_coded(spec, bundle.codebook, coded)
    return evaluate(bundle, pairs), coded


def nothing_coded(spec: CodedSpec, codebook: Codebook, coded: Coded) -> DataError:
    """The error for a corpus without a single row to learn from or to test on."""
    counts = f"rows without a code: {coded.uncoded}, unusable: {len(coded.quarantined)}"
    return DataError(f"{listed(spec.path)}: no row is coded for the task {codebook.task!r} ({counts}). The labels' column is data.labels.")
