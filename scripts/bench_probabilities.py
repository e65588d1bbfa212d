"""What scripts/benchmark.py says of probabilities: whether they are right before and after calibration, beside a linear SVM of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from bench_splits import Finished
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from newsclf.learners.ngrams import Ids
from newsclf.learners.protocol import Folds, Pairs
from newsclf.scores.calibration import Calibration, fit_calibration
from newsclf.scores.metrics import Booleans, Floats, Kind, log_loss
from newsclf.scores.ranking import calibration_error
from newsclf.training.learn import learn

GOAL = 0.03
"""Expected calibration error that calibrated probabilities shall not exceed."""

ABSENT = -10.0
"""The peer's score for a label that the rows it learns from do not have."""

DRAWS = 20
Fit = Callable[[Floats, Booleans, Kind], Callable[[Floats], Floats]]
"""Held-out scores and what is true of them → probabilities of scores. [rows, labels] each"""


@dataclass(frozen=True)
class Off:
    """Expected calibration errors of one set of rows: ten bins of equal mass, for multi-label tasks the mean over the labels."""

    benchmark: str
    where: str
    """held-out folds (calibrated on one half of them, measured on the other, the mean of both ways) or test."""

    rows: int
    before: float
    after: float
    by_chance: float
    """What it would be on average were every calibrated probability right: with few rows it is not 0."""

    peer_before: float
    peer_after: float

    def line(self) -> str:
        """A row of the table in Markdown."""
        figures = (self.before, self.after, self.by_chance, self.peer_before, self.peer_after)
        return f"| {self.benchmark} | {self.where} | {self.rows:,} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |"

    def text(self) -> str:
        """A line for the terminal."""
        ours = f"calibration error {self.before:.3f} raw, {self.after:.3f} calibrated ({self.by_chance:.3f} by chance)"
        return f"{self.benchmark:<22} {self.where:<24} {ours}, LinearSVC {self.peer_before:.3f}, {self.peer_after:.3f} with a temperature"

    @property
    def missed(self) -> str:
        """By how much the goal is missed, as a sentence; empty where it is met."""
        if self.after <= GOAL:
            return ""
        above = f"{self.after - GOAL:.3f} above the goal of {GOAL}"
        return f"{self.benchmark}, {self.where}: {self.after:.3f}, which is {above} ({self.by_chance:.3f} is chance)."


def off(name: str, finished: Finished) -> Iterator[Off]:
    """How far a run's probabilities are off on its held-out training rows, and on its test rows."""
    prepared, inside, outside = finished.prepared, finished.inside, finished.outside
    kind, truth, tested = prepared.codebook.kind, prepared.every.truth[inside], prepared.every.truth[outside]
    learned = learn(prepared, inside)
    in_halves = prepared.experiment.split.model_copy(update={"folds": 2})
    halves = replace(prepared, experiment=prepared.experiment.model_copy(update={"split": in_halves})).folds(inside)
    pairs = prepared.every.take(outside).pairs
    method = learned.fitted.chosen["calibration"]

    def own(some: Floats, told: Booleans, kind: Kind) -> Calibration:
        return fit_calibration(some, told, kind, method)

    ours, scores = learned.fitted.heldout, learned.fitted.model.scores(pairs)
    peer = Peer.of(prepared.every.take(inside).pairs, truth, prepared.folds(inside), pairs)
    held = [apart(found, truth, kind, fit, halves) for found, fit in ((ours, own), (peer.heldout, peers))]
    yield Off(
        name,
        "held-out folds",
        len(inside),
        calibration_error(truth, raw(ours, kind), kind),
        held[0][0],
        held[0][1],
        calibration_error(truth, raw(peer.heldout, kind), kind),
        held[1][0],
    )
    given = learned.fitted.calibration(scores)
    yield Off(
        name,
        "test",
        len(outside),
        calibration_error(tested, raw(scores, kind), kind),
        calibration_error(tested, given, kind),
        by_chance(given, kind),
        calibration_error(tested, raw(peer.tested, kind), kind),
        calibration_error(tested, peers(peer.heldout, truth, kind)(peer.tested), kind),
    )


def apart(scores: Floats, truth: Booleans, kind: Kind, fit: Fit, halves: Folds) -> tuple[float, float]:
    """The error where calibration is fitted on one half and measured on the other, and that by chance: means of both ways. [rows, labels] each

    On the rows that it was fitted on, a calibration looks better than it is; both halves in one table would let their errors cancel.
    """
    found = []
    for some, held in halves:
        given = fit(scores[some], truth[some], kind)(scores[held])
        found.append((calibration_error(truth[held], given, kind), by_chance(given, kind)))
    error, chance = np.mean(found, axis=0).tolist()
    return error, chance


def raw(scores: Floats, kind: Kind) -> Floats:
    """Scores read as log-odds, uncalibrated. [rows, labels] → [rows, labels]"""
    return np.asarray(softmax(scores, axis=1) if kind == "exclusive" else expit(scores), np.float64)


def peers(scores: Floats, truth: Booleans, kind: Kind) -> Callable[[Floats], Floats]:
    """A temperature (Guo et al. 2017, "On Calibration of Modern Neural Networks"); for multi-label tasks a sigmoid for each label."""
    if kind == "exclusive":
        found = minimize_scalar(lambda power: log_loss(truth, raw(np.exp(power) * scores, kind), kind), bounds=(-5, 5), method="bounded")
        power = float(np.exp(found.x))
        return lambda others: raw(power * others, kind)
    columns = [sigmoid(scores[:, k], truth[:, k]) for k in range(truth.shape[1])]
    return lambda others: np.column_stack([column(others[:, k]) for k, column in enumerate(columns)])


def sigmoid(scores: Floats, truth: Booleans) -> Callable[[Floats], Floats]:
    """A label's probability by its score alone; its share where all rows have it, or none. [rows] each"""
    if truth.all() or not truth.any():
        return lambda others: np.full(len(others), truth.mean())
    fitted = LogisticRegression(C=1e6).fit(scores[:, None], truth)
    return lambda others: np.asarray(fitted.predict_proba(others[:, None])[:, 1], np.float64)


def by_chance(probabilities: Floats, kind: Kind) -> float:
    """The mean error of labels that are drawn by these probabilities. [rows, labels]"""
    chance = np.random.default_rng(0)
    found = []
    for _ in range(DRAWS):
        drawn = chance.random((len(probabilities), probabilities.shape[1] if kind == "multi" else 1))
        if kind == "exclusive":
            label = (drawn > probabilities.cumsum(axis=1)[:, :-1]).sum(axis=1)
            truth = np.arange(probabilities.shape[1]) == label[:, None]
        else:
            truth = drawn < probabilities
        found.append(calibration_error(truth, probabilities, kind))
    return float(np.mean(found))


@dataclass(frozen=True)
class Peer:
    """Scores of LinearSVC(C=1), one a label, on tf-idf of words and word pairs; of rows that it has not learned from."""

    heldout: Floats
    tested: Floats
    """[rows, labels] each"""

    @classmethod
    def of(cls, pairs: Pairs, truth: Booleans, folds: Folds, tested: Pairs) -> Peer:
        """Held out by the folds that ours has."""
        texts = words_of(pairs)
        heldout = np.zeros(truth.shape)
        for some, held in folds:
            heldout[held] = scores_of([texts[row] for row in some.tolist()], truth[some], [texts[row] for row in held.tolist()])
        return cls(heldout, scores_of(texts, truth, words_of(tested)))


def words_of(pairs: Pairs) -> list[str]:
    """Target, title and text of each pair as one text."""
    documents, rows = pairs.documents, pairs.rows.tolist()
    targets = pairs.targets or [""] * len(rows)
    return [f"{target}\n{documents.titles[row]}\n{documents.texts[row]}" for row, target in zip(rows, targets, strict=True)]


def scores_of(texts: Sequence[str], truth: Booleans, others: Sequence[str]) -> Floats:
    """Scores of the other texts. [others, labels]"""
    tfidf = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
    matrix, asked = tfidf.fit_transform(texts), tfidf.transform(others)
    scores = np.full((len(others), truth.shape[1]), ABSENT)
    known: Ids = np.flatnonzero(truth.any(axis=0) & ~truth.all(axis=0))
    for k in known.tolist():
        scores[:, k] = LinearSVC(C=1.0, random_state=0).fit(matrix, truth[:, k]).decision_function(asked)
    return scores
