"""What bundles say of cleaned articles: probabilities and decisions of a batch, and the Prediction of each article."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from newsclf.article import Evidence, Prediction, Reading
from newsclf.bundle import Bundle
from newsclf.inference.evidence import Sentences
from newsclf.learners.mentions import Mentions
from newsclf.learners.ngrams import Ids
from newsclf.learners.protocol import Documents, Pairs
from newsclf.scores.metrics import Booleans, Floats


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

    def sets(self, rows: slice = slice(None)) -> Booleans | None:
        """Which labels stand in the set of each row, None where the bundle has no sets. [rows, labels]"""
        sets = self.bundle.decision.sets
        return sets(self.probabilities[rows]) if sets is not None else None


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
    names, sets = codebook.names, answers.sets(slice(row, row + 1))
    return Prediction(
        task=codebook.task,
        labels=tuple(names[column] for column in given),
        probabilities=dict(zip(names, probabilities.tolist(), strict=True)),
        evidence=_evidence(answers, row, given or ranked[:1], split, sentences) if split else (),
        coverage=float(answers.coverage[row]),
        abstained=codebook.kind == "exclusive" and not given,
        target=answers.pairs.targets[row] if answers.targets else "",
        label_set=None if sets is None else tuple(names[column] for column in ranked if sets[0, column]),
    )


def answer_of(answers: Answers, article: int, split: Mapping[str, Sequence[Sentences]], sentences: int) -> Prediction | Reading:
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
        mean = np.mean([item.weights for item in found], axis=0)  # [entries]
        found = [item.less(mean) for item in (found[column] for column in columns)]
    named = _named(answers, row)
    return tuple(
        piece
        for column, item in zip(columns, found, strict=True)
        for piece in split.evidence(codebook.names[column], item, most=sentences, named=named)
    )


def _named(answers: Answers, row: int) -> Ids | None:
    """Where an article has words of its target's names, which is where a reader looks first; None where the task has no targets."""
    pairs = answers.pairs
    if not pairs.targets:
        return None
    return Mentions.of(answers.bundle.codebook).named(pairs.documents.whole.take(pairs.rows[row : row + 1]), pairs.targets[row : row + 1])
