"""Learn from some rows of a prepared corpus: fit, calibrate, choose thresholds, and put it into a bundle."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from newsclf.bundle import Bundle
from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanSpec
from newsclf.corpus.dedup import Ids
from newsclf.errors import DataError, listed
from newsclf.learners.protocol import Fitted
from newsclf.scores.abstain import choose_abstention
from newsclf.scores.calibration import Method, choose_calibration, fit_calibration
from newsclf.scores.decision import Decision, DecisionSpec
from newsclf.scores.metrics import Booleans, Floats
from newsclf.scores.sets import choose_sets
from newsclf.scores.thresholds import choose_thresholds
from newsclf.training.evaluate import CodedPairs
from newsclf.training.experiment import Experiment
from newsclf.training.prepared import Prepared

logger = logging.getLogger(__name__)
FEW = 5
"""Training rows of a label below which its threshold and calibration are mostly those of the other labels."""


@dataclass(frozen=True)
class Learned:
    """What was learned, and from what."""

    rows: CodedPairs
    fitted: Fitted
    bundle: Bundle


def learn(prepared: Prepared, inside: Ids) -> Learned:
    """A bundle from some of the rows, every choice made among them alone.

    Raises DataError where a label has no row, or an exclusive task one label alone.
    """
    learned = _learn(prepared, inside, quiet=False)
    few = [name for name, rows in zip(prepared.codebook.names, learned.rows.truth.sum(axis=0).tolist(), strict=True) if rows < FEW]
    if few:
        logger.warning(
            "few rows for %s: cross-validation has no row of it in some folds, so its threshold leans on those of the other labels", listed(few)
        )
    return learned


def _learn(prepared: Prepared, inside: Ids, *, quiet: bool) -> Learned:
    rows, codebook, experiment = prepared.every.take(inside), prepared.codebook, prepared.experiment
    check_labels(codebook, rows.truth)
    fitted = calibrated(experiment, experiment.learner.fit(rows.pairs, rows.truth, codebook, prepared.folds(inside)), rows.truth, codebook)
    return Learned(rows, fitted, assemble(codebook, experiment, prepared.clean, fitted, rows.truth, quiet=quiet))


def trial(prepared: Prepared, inside: Ids, tested: Ids) -> tuple[Floats, Booleans]:
    """Probabilities and labels of some rows by a model of some others, which is thrown away. [tested, labels] each

    For the studies that fit many times, on few rows too: a label without a training row has probability 0 and is never given, and every article is
    answered, for what abstention and sets promise cannot be promised on a handful of rows. Raises DataError where fewer than two labels of an
    exclusive task have a row.
    """
    present = np.flatnonzero(prepared.every.truth[inside].any(axis=0))
    answering = prepared.experiment.decision.model_copy(update={"abstain": None, "abstain_below": 0.0, "sets": None})
    prepared = prepared.altered(experiment=prepared.experiment.model_copy(update={"decision": answering}))
    learned = _learn(_restricted(prepared, present), inside, quiet=True)
    some, given = learned.bundle.answer(prepared.every.take(tested).pairs)
    probabilities = np.zeros((len(tested), len(prepared.codebook.names)))
    decided = np.zeros(probabilities.shape, bool)
    probabilities[:, present], decided[:, present] = some, given
    return probabilities, decided


def _restricted(prepared: Prepared, present: Ids) -> Prepared:
    """The same rows under a codebook that has some of the labels."""
    codebook = prepared.codebook
    if len(present) == len(codebook.names):
        return prepared
    names = {codebook.names[column] for column in present.tolist()}
    labels = {name: label.model_copy(update={"parent": ""}) for name, label in codebook.labels.items() if name in names}
    fewer = codebook.model_copy(update={"labels": labels, "min_labels": min(codebook.min_labels, len(labels))})
    return prepared.altered(codebook=fewer, every=replace(prepared.every, truth=prepared.every.truth[:, present]))


def calibrated(experiment: Experiment, fitted: Fitted, truth: Booleans, codebook: Codebook) -> Fitted:
    """With the calibration that the experiment asks for, on the held-out scores that there are anyway."""
    losses: dict[Method, float] = {}
    if (asked := experiment.calibration) == "auto":
        method, losses = choose_calibration(fitted.heldout, truth, codebook.kind)
    else:
        method = asked
    chosen = {**fitted.chosen, "calibration": method, "calibration_log_loss": {name: round(loss, 6) for name, loss in losses.items()}}
    if method == "platt":
        return replace(fitted, chosen=chosen)  # as learners leave it
    return replace(fitted, calibration=fit_calibration(fitted.heldout, truth, codebook.kind, method), chosen=chosen)


def assemble(codebook: Codebook, experiment: Experiment, clean: CleanSpec, fitted: Fitted, truth: Booleans, *, quiet: bool = False) -> Bundle:
    """Thresholds on the held-out probabilities of the training rows, and the bundle of it all."""
    decision = decide(codebook, experiment.decision, fitted.calibration(fitted.heldout), truth, quiet=quiet)
    return Bundle(codebook, experiment.learner, clean, fitted.model, fitted.calibration, decision)


def decide(codebook: Codebook, spec: DecisionSpec, heldout: NDArray[np.float64], truth: Booleans, *, quiet: bool = False) -> Decision:
    """The decision that a spec asks for, chosen on held-out probabilities, its warnings logged unless `quiet`.

    Raises ConfigError or DataError where they cannot reach what is asked.
    """
    spec.check(codebook.kind)
    if codebook.kind == "exclusive":
        chosen = choose_abstention(heldout, truth, spec.abstain) if spec.abstain is not None else None
        sets = choose_sets(heldout, truth, spec.sets, codebook.names) if spec.sets is not None else None
        for found in (chosen, sets):
            if found is not None:
                logger.info("%s: %s", codebook.task, found)
        return Decision(
            "exclusive",
            np.zeros(truth.shape[1]),
            abstain_below=chosen.below if chosen is not None else spec.abstain_below,
            abstain_unmentioned=spec.abstain_unmentioned,
            abstention=chosen,
            sets=sets,
        )
    thresholds = choose_thresholds(heldout, truth, spec.threshold)
    for sentence in () if quiet else thresholds.warnings(codebook.names):
        logger.warning("%s", sentence)
    return Decision("multi", thresholds.values, fewest=codebook.min_labels, most=codebook.max_labels)


def check_labels(codebook: Codebook, truth: Booleans) -> None:
    """Raise DataError for labels that cannot be learned from these rows. [rows, labels]"""
    support = dict(zip(codebook.names, truth.sum(axis=0).tolist(), strict=True))
    present = [name for name, rows in support.items() if rows]
    if codebook.kind == "exclusive" and len(present) == 1:
        raise DataError(f"the training rows have only the label {present[0]!r}; two labels are needed to tell apart. Rows: {support}.")
    missing = [name for name in support if name not in present]
    if missing:
        raise DataError(f"the label {listed(missing)} has no training row: code articles for it, or take it out of the codebook. Rows: {support}.")
