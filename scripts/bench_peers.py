"""What scripts/bench_linear.py measures newsclf beside: scikit-learn and floret."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import os
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from bench_corpus import Task
from bench_measure import Timed, alternate, cores
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

import newsclf
from newsclf.article import Article

CALIBRATED, LOGISTIC = "CalibratedClassifierCV(LinearSVC)", "LogisticRegression"
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "LinearSVC": lambda: LinearSVC(C=1.0),
    "OneVsRest(LinearSVC)": lambda: OneVsRestClassifier(LinearSVC(C=1.0), n_jobs=-1),
    CALIBRATED: lambda: CalibratedClassifierCV(LinearSVC(C=1.0), cv=5, n_jobs=-1),
    LOGISTIC: lambda: LogisticRegression(max_iter=1000),
}
"""Classifiers behind tf-idf; n_jobs wherever there is one, so that both sides have the same cores. None of them changes its result by it."""

# the whole of a script that people write: parquet in, every label's probability out
SCORING = """
import sys, joblib, numpy, pandas
pipeline, corpus, output, jobs = sys.argv[1:]
frame = pandas.read_parquet(corpus, columns=["id", "title", "text"])
texts = frame["title"] + "\\n" + frame["text"]
pipeline = joblib.load(pipeline, mmap_mode="r" if int(jobs) > 1 else None)
if int(jobs) > 1:
    slices = numpy.array_split(numpy.arange(len(texts)), 4 * int(jobs))
    call = joblib.delayed(pipeline.predict_proba)
    scores = numpy.vstack(joblib.Parallel(int(jobs))(call(texts.iloc[rows]) for rows in slices))
else:
    scores = pipeline.predict_proba(texts)
scored = pandas.DataFrame(scores.astype("float32"), columns=pipeline.classes_)
scored.insert(0, "id", frame["id"])
scored.to_parquet(output)
"""

GRID = [
    {"dim": dim, "epoch": epoch, "lr": lr, "loss": loss}
    for loss, lr, epoch, dim in itertools.product(("softmax", "ova"), (0.5, 0.1), (10, 25), (50, 100))
]
NOT_INSTALLED = "floret is not installed: pip install floret"
BATCH = 2_000  # articles of one call of ours; floret takes the whole list


def pipeline(classifier: Any) -> Pipeline:
    """Word and word-pair tf-idf in front of a classifier."""
    return make_pipeline(TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2, lowercase=True), classifier)


def fit_peer(name: str, texts: Sequence[str], labels: Sequence[str]) -> Pipeline:
    """Fit one of CLASSIFIERS behind tf-idf."""
    return pipeline(CLASSIFIERS[name]()).fit(texts, labels)


def joined(titles: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Title and text of each article as one text."""
    return [f"{title}\n{text}" for title, text in zip(titles, texts, strict=True)]


def macro(truth: Sequence[str], given: Sequence[str]) -> float:
    """Macro-F1 over the labels that are coded or given at least once."""
    return float(f1_score(truth, given, average="macro", zero_division=0))


def save_scorer(task: Task, path: Path) -> str:
    """Save the pipeline that gives every label's probability in the shortest time; gives its name.

    Both score with one product of the same shape, so logistic regression takes over the weights of the calibrated machine: how long predict_proba
    takes does not depend on their values, and lbfgs on all topics needs more memory than most machines have.
    """
    joblib = importlib.import_module("joblib")
    titles, texts, labels = task.read("train")
    texts = joined(titles, texts)
    calibrated = pipeline(CalibratedClassifierCV(LinearSVC(C=1.0), cv=5, ensemble=False, n_jobs=-1)).fit(texts, labels)
    machine = calibrated[-1].calibrated_classifiers_[0].estimator
    logistic = LogisticRegression()
    logistic.classes_, logistic.coef_, logistic.intercept_ = machine.classes_, machine.coef_, machine.intercept_
    logistic.n_features_in_ = machine.n_features_in_
    candidates = {
        "CalibratedClassifierCV(LinearSVC, ensemble=False)": calibrated,
        "LogisticRegression with the weights of LinearSVC": Pipeline([calibrated.steps[0], ("logistic", logistic)]),
    }
    sample = texts[:2000]
    timed = alternate(3, {name: partial(fitted.predict_proba, sample) for name, fitted in candidates.items()})
    fastest = min(timed, key=lambda name: timed[name].median)
    joblib.dump(candidates[fastest], path)
    return fastest


def has_floret() -> bool:
    """Whether floret is installed."""
    return importlib.util.find_spec("floret") is not None


def normalise(text: str) -> str:
    """A text as fastText wants it: one line, lower case, words apart from punctuation (which is left out)."""
    return re.sub(r"\W+", " ", text.lower())


def train_floret(texts: Sequence[str], labels: Sequence[str], settings: Mapping[str, Any]) -> Any:
    """Train on normalised texts, with a thread a core."""
    floret = importlib.import_module("floret")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        path.write_text("".join(f"__label__{label} {text}\n" for label, text in zip(labels, texts, strict=True)), "utf-8")
        return floret.train_supervised(input=str(path), thread=cores(), verbose=0, **settings)


def save_floret(task: Task, path: Path, *, words: int, seconds: float) -> str:
    """Save the best floret model with n-grams of so many words; gives its settings and how many were tried, as text.

    Each of GRID is trained on four fifths of the training articles and tested by macro-F1 on the rest, until the time is over; the best is then
    trained on all of them.
    """
    titles, texts, labels = task.read("train")
    texts = [normalise(text) for text in joined(titles, texts)]
    order = np.random.default_rng(0).permutation(len(texts)).tolist()
    held, inside = order[: len(order) // 5], order[len(order) // 5 :]
    tried: list[tuple[float, dict[str, Any]]] = []
    started = time.monotonic()
    for number in np.random.default_rng(0).permutation(len(GRID)).tolist():
        if tried and time.monotonic() - started > seconds:
            break
        settings = GRID[number] | {"wordNgrams": words}
        model = train_floret([texts[row] for row in inside], [labels[row] for row in inside], settings)
        given = [found[0].removeprefix("__label__") for found in model.predict([texts[row] for row in held])[0]]
        tried.append((macro([labels[row] for row in held], given), settings))
    best = max(tried, key=lambda item: item[0])[1]
    train_floret(texts, labels, best).save_model(str(path))
    return f"{' '.join(f'{key} {value}' for key, value in best.items())}; best of {len(tried)} of {len(GRID)} settings tried on training articles"


def probabilities(predictor: Any, titles: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    """Every label's probability of each article, by newsclf's call for batches. [articles, labels]"""
    reader = predictor.reader
    parts = []
    for start in range(0, len(texts), BATCH):
        articles = [Article(title=title, text=text) for title, text in zip(titles[start : start + BATCH], texts[start : start + BATCH], strict=True)]
        parts.append(reader.answer(reader.clean(articles))[0].probabilities)
    return np.vstack(parts)


def race(model: Path, floret_model: Path, task: Task, corpus: Path, passes: int) -> tuple[dict[str, Timed], tuple[float, float]]:
    """Both sides read the corpus as lists in a process of its own that has one core; gives the times, and the macro-F1 of both on the task's test."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_one_core) as pool:
        return pool.submit(_race, model, floret_model, task, corpus, passes).result()


def _one_core() -> None:
    # before the first thread of a library starts: they inherit it
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)


def _race(model: Path, floret_model: Path, task: Task, corpus: Path, passes: int) -> tuple[dict[str, Timed], tuple[float, float]]:
    predictor = newsclf.load(model)
    peer = importlib.import_module("floret").load_model(str(floret_model))
    names = np.array(predictor.bundle.codebook.names)
    titles, texts, labels = task.read("test")
    ours = names[probabilities(predictor, titles, texts).argmax(axis=1)].tolist()
    theirs = [found[0].removeprefix("__label__") for found in peer.predict([normalise(text) for text in joined(titles, texts)], k=1)[0]]
    titles, texts = (column.to_pylist() for column in pq.read_table(corpus, columns=["title", "text"]).itercolumns())
    whole = joined(titles, texts)
    normalised = [normalise(text) for text in whole]
    contenders: dict[str, Callable[[], Any]] = {
        "newsclf": lambda: probabilities(predictor, titles, texts),
        "floret": lambda: peer.predict([normalise(text) for text in whole], k=-1),
        "floret, normalised before": lambda: peer.predict(normalised, k=-1),
    }
    timed = alternate(passes, contenders)
    return {name: Timed(found.seconds) for name, found in timed.items()}, (macro(labels, ours), macro(labels, theirs))
