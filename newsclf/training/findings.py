"""What a finished training run found out, as plain values: the contents of its report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from newsclf.article import Evidence
from newsclf.bundle import Bundle
from newsclf.corpus.dedup import Clusters
from newsclf.corpus.leaks import Leaks
from newsclf.inference.answers import Answers, predictions
from newsclf.inference.evidence import Sentences
from newsclf.learners.ngrams import Ids
from newsclf.learners.protocol import Fitted
from newsclf.scores.metrics import Booleans
from newsclf.scores.parts import headline as summed
from newsclf.scores.parts import label_f1
from newsclf.scores.problems import find_problems
from newsclf.scores.ranking import bins, calibration_error
from newsclf.training.doubt import doubt
from newsclf.training.evaluate import CodedPairs, Evaluation, parents_of, sides_of
from newsclf.training.measured import hierarchical_parts, interval_of, named
from newsclf.training.slices import slices
from newsclf.training.verdicts import verdicts

ERRORS, PROBLEMS, WORST, CURVES = 20, 25, 15, 4
"""Most errors, doubtful codes and slices that are shown, and labels whose precision is drawn."""


@dataclass(frozen=True)
class Trained:
    """A run that is done but for its report."""

    bundle: Bundle
    fitted: Fitted
    learned: CodedPairs
    tested: CodedPairs
    stories: Ids
    """Near-duplicates share a number. [test rows]"""

    metrics: Evaluation
    leaks: Leaks
    copies: Clusters
    """Near-duplicates among all articles."""

    @property
    def names(self) -> tuple[str, ...]:
        """Labels in the order of the columns."""
        return tuple(self.bundle.codebook.names)


def findings(trained: Trained) -> dict[str, Any]:
    """What the report of a run says beside its config and fingerprint, as plain JSON values."""
    bundle, codebook, tested = trained.bundle, trained.bundle.codebook, trained.tested
    about, is_exclusive = bundle.about, codebook.kind == "exclusive"
    learned = trained.learned.truth.sum(axis=0).tolist()
    leaks = trained.leaks.as_dict()
    found = {
        "name": about["name"],
        "task": codebook.task,
        "kind": codebook.kind,
        "question": codebook.question,
        "targets": list(codebook.targets),
        "rows": len(tested),
        "clusters": len(np.unique(trained.stories)),
        "outlets": len({example.article.outlet for example in tested.examples} - {""}),
        "cluster_kind": "stories",
        "headline": headline(trained),
        "labels": labels(trained),
        "labels_in_order": [
            {"label": name, "definition": label.definition, "learned": rows}
            for (name, label), rows in zip(codebook.labels.items(), learned, strict=True)
        ],
        "thresholds": dict(about["thresholds"]),
        "confusion": confusion(tested.truth, trained.metrics.decided) if is_exclusive else None,
        "precision_recall": [] if is_exclusive else precision_recall(trained),
        "reliability": reliability(trained),
        "ece": calibration_error(tested.truth, trained.metrics.probabilities, codebook.kind),
        **doubt(bundle, tested.truth, trained.metrics.probabilities, trained.stories),
        "leaks": trained.leaks.sentences(),
        "leak_verdicts": leaks["verdicts"],
        "copies": trained.copies.as_dict(),
        **sliced(trained),
        **problems(trained),
        "errors": errors(trained),
        "data": dict(about["data"]),
        "telling": {name: list(phrases) for name, phrases in about["telling"].items()},
        "versions": ", ".join(f"{name} {version}" for name, version in about["versions"].items()),
    }
    shares = tested.truth.mean(axis=0)
    commonest = (trained.names[int(shares.argmax())], float(shares.max())) if is_exclusive else None
    return {**found, "verdicts": [verdict._asdict() for verdict in verdicts(found, commonest=commonest)]}


def reliability(trained: Trained) -> list[dict[str, Any]]:
    """Probabilities beside what came true, in bins: of the most probable label for exclusive tasks, of every label for others."""
    probabilities, truth = trained.metrics.probabilities, trained.tested.truth
    if trained.bundle.codebook.kind == "exclusive":
        best = probabilities.argmax(axis=1)[:, None]
        probabilities, truth = np.take_along_axis(probabilities, best, 1), np.take_along_axis(truth, best, 1)
    return [{"predicted": found.probability, "observed": found.observed, "rows": found.n} for found in bins(truth.ravel(), probabilities.ravel())]


def sliced(trained: Trained) -> dict[str, Any]:
    """Slices of the test rows, the worst fifteen first, and by what they are measured."""
    kind = trained.bundle.codebook.kind
    name = "accuracy" if kind == "exclusive" else "micro_f1"
    parts, statistic = summed(trained.tested.truth, trained.metrics.probabilities, trained.metrics.decided, kind)[name]
    words = np.diff(trained.tested.pairs.documents.whole.starts)[trained.tested.pairs.rows]
    found = slices(trained.tested.examples, words, trained.stories, parts, statistic)
    return {"slice_measure": named(name), "slices": [item.as_dict() for item in found[:WORST]]}


def confusion(truth: Booleans, decided: Booleans) -> list[list[int]]:
    """How often each coded label (rows) was given each label (columns), for exclusive tasks; the last column is no answer, where there is any."""
    abstained = ~decided.any(axis=1)
    given = np.column_stack([decided, abstained]) if abstained.any() else decided
    counts: list[list[int]] = (truth.astype(np.int64).T @ given.astype(np.int64)).tolist()
    return counts


def errors(trained: Trained) -> list[dict[str, Any]]:
    """The test rows that the model got wrong and was surest of, with the sentences that misled it."""
    metrics, tested = trained.metrics, trained.tested
    wrong = tested.truth != metrics.decided
    # how sure it was of the worst that it said, or kept silent of
    sure = np.where(wrong, np.where(metrics.decided, metrics.probabilities, 1 - metrics.probabilities), 0.0).max(axis=1)
    asked = ("",) if trained.bundle.codebook.is_stance else ()
    answers = Answers(trained.bundle, tested.pairs, asked, metrics.probabilities, metrics.decided, np.ones(len(tested)))
    surest = [row for row in np.argsort(-sure, kind="stable")[:ERRORS].tolist() if wrong[row].any()]
    found = []
    for row in surest:
        example = tested.examples[row]
        prediction = predictions(answers, row, Sentences.of(tested.articles[tested.pairs.rows[row]]), 2)
        about = {"id": example.article.id, "title": example.article.title, "outlet": example.article.outlet, "date": example.article.date[:10]}
        said = {"target": example.target, "coded": list(example.labels), "given": list(prediction.labels), "sure": float(sure[row])}
        found.append(about | said | {"evidence": [{"label": piece.label, "pieces": marked(piece)} for piece in prediction.evidence]})
    return found


def marked(evidence: Evidence) -> list[tuple[str, bool]]:
    """A sentence of evidence in pieces, each with whether it is one of the phrases that moved the score."""
    # words of a phrase may stand apart by any punctuation
    phrases = [r"\W+".join(map(re.escape, phrase.text.split())) for phrase in evidence.phrases if phrase.text.strip()]
    if not phrases:
        return [(evidence.text, False)]
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(phrases, key=len, reverse=True))})(?!\w)", re.IGNORECASE)
    pieces, end = [], 0
    for match in pattern.finditer(evidence.text):
        pieces += [(evidence.text[end : match.start()], False), (match[0], True)]
        end = match.end()
    return [piece for piece in [*pieces, (evidence.text[end:], False)] if piece[0]]


def precision_recall(trained: Trained, most: int = 60) -> list[dict[str, Any]]:
    """Precision at every recall of the labels with the most test rows, at no more than so many points each; multi-label tasks only."""
    truth, probabilities = trained.tested.truth, trained.metrics.probabilities
    found = []
    for column in np.argsort(-truth.sum(axis=0), kind="stable")[:CURVES].tolist():
        if not truth[:, column].any():
            continue
        right = truth[np.argsort(-probabilities[:, column], kind="stable"), column].cumsum()
        at = np.unique(np.linspace(0, len(right) - 1, most).astype(np.int64))
        points = [(float(right[place] / right[-1]), float(right[place] / (place + 1))) for place in at.tolist()]
        found.append({"label": trained.names[column], "points": points})
    return found


def headline(trained: Trained) -> list[dict[str, Any]]:
    """Each headline metric with its interval, by resampling stories."""
    metrics, codebook = trained.metrics, trained.bundle.codebook
    sides = sides_of(codebook)
    found = summed(trained.tested.truth, metrics.probabilities, metrics.decided, codebook.kind, sides=sides)
    if parents := parents_of(codebook):
        found |= hierarchical_parts(trained.tested.truth, metrics.decided, parents)
    return [{"metric": name, "name": named(name), **interval_of(parts, trained.stories)} for name, parts in found.items()]


def labels(trained: Trained) -> list[dict[str, Any]]:
    """Each label on the test rows with the interval of its F1, those with the most rows first."""
    truth, decided = trained.tested.truth, trained.metrics.decided
    found = []
    for column, row in enumerate(trained.metrics.labels):
        interval = interval_of(label_f1(truth, decided, column), trained.stories, resamples=2000)  # there may be a hundred labels
        found.append({**row, "rows": row["support"], "low": interval["low"], "high": interval["high"]})
    return sorted(found, key=lambda row: (-row["rows"], row["label"]))


def problems(trained: Trained) -> dict[str, Any]:
    """Training rows whose codes look wrong to models that had not seen them: how many, and the likeliest."""
    given = trained.learned.truth
    probabilities = trained.bundle.calibration(trained.fitted.heldout)
    doubtful = find_problems(probabilities, given, trained.bundle.codebook.kind)
    found = []
    for problem in doubtful[:PROBLEMS]:
        example = trained.learned.examples[problem.row]
        codes = {"given": _named(trained, problem.given), "suggested": _named(trained, problem.suggested), "score": problem.score}
        found.append({"id": example.article.id, "title": example.article.title, "target": example.target, **codes})
    return {"doubtful": len(doubtful), "problems": found}


def _named(trained: Trained, columns: tuple[int, ...]) -> str:
    return ", ".join(trained.names[column] for column in columns) or "none"
