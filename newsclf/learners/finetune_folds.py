"""Cross-validated fine-tuning: once without each fold, and then on all rows for as many epochs as did best on those held out.

The number of epochs is chosen as C is elsewhere: one for all folds, by the log loss of all held-out rows together. The best epoch of each fold apart
would have held-out scores that are better than those of new articles.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from newsclf.learners.encoder_classifier import Classifier
from newsclf.learners.encoder_files import EncoderFiles
from newsclf.learners.finetune_loss import Objective, pooled_values
from newsclf.learners.lora import RATE, add_lora, merge_lora
from newsclf.learners.ngrams import Ids
from newsclf.learners.pair_windows import PairWindows
from newsclf.learners.protocol import Folds
from newsclf.learners.tuning import Tuned, Work, tune
from newsclf.learners.tuning_batches import epoch_batches
from newsclf.learners.tuning_checkpoints import Checkpoints, sweep
from newsclf.learners.vectors import cache_folder
from newsclf.progress import Progress, progress
from newsclf.scores.calibration import Calibration, fit_calibration
from newsclf.scores.metrics import Booleans, Floats, Kind, log_loss

if TYPE_CHECKING:
    from newsclf.learners.finetune import FinetuneSpec

logger = logging.getLogger("newsclf")

AT_ONCE = {"cpu": 4096}
"""Device → tokens whose gradients are computed at once; what is not here takes `batching.Shape.tokens`."""


@dataclass(frozen=True)
class Learning:
    """What is learnt from, and how."""

    spec: FinetuneSpec
    files: EncoderFiles
    device: str
    windows: PairWindows
    truth: Booleans
    kind: Kind

    def fingerprint(self, folds: Folds) -> str:
        """sha256 of all that decides what comes out."""
        said = [self.spec.fingerprint(), self.files.fingerprint, self.device, self.kind, list(self.truth.shape)]
        total = hashlib.sha256(json.dumps(said).encode())
        held = [outside for _, outside in folds]
        for array in (*self.windows.ids, *self.windows.segments, self.windows.starts, self.truth, *(inside for inside, _ in folds), *held):
            total.update(len(array).to_bytes(8, "little") + np.ascontiguousarray(array).tobytes())
        return total.hexdigest()


@dataclass(frozen=True)
class Found:
    """What cross-validated fine-tuning came to."""

    classifier: Classifier
    low_rank: dict[str, NDArray[np.float32]]
    """Changes of the encoder that are in its weights already; none where all its weights were learnt."""

    heldout: Floats
    """[pairs, labels]"""

    calibration: Calibration
    epochs: int
    losses: list[float]
    """Log loss of the held-out rows, by epoch."""


def tune_folds(learning: Learning, folds: Folds) -> Found:
    """Tune without each fold and then on all rows; what was done before a kill is not done again."""
    root = _checkpoint_folder(learning, folds)
    rows = sum(len(inside) for inside, _ in folds) + len(learning.truth)
    with progress("fine-tuning", rows * learning.spec.epochs) as report:
        by_fold = [_heldout(learning, fold, root / f"fold-{number}" if root else None, report) for number, fold in enumerate(folds)]
        tried = []
        for epoch in range(min(map(len, by_fold))):
            heldout = np.zeros(learning.truth.shape)
            for (_, outside), scores in zip(folds, by_fold, strict=True):
                heldout[outside] = scores[epoch]
            tried.append((*_judged(heldout, learning.truth, learning.kind), heldout))
        losses = [loss for loss, _, _ in tried]
        best = int(np.argmin(losses))
        checkpoints = Checkpoints(root / "all") if root else None
        run = _Run(learning, np.arange(len(learning.truth)))
        tune(run.work(), learning.spec, epochs=best + 1, checkpoints=checkpoints, report=report)
    low_rank = run.merged()
    if root:
        Checkpoints(root).remove()
    return Found(run.classifier, low_rank, tried[best][2], tried[best][1], best + 1, losses)


def _checkpoint_folder(learning: Learning, folds: Folds) -> Path | None:
    cache = cache_folder()
    if cache is None:
        logger.info("no checkpoints are kept, for NEWSCLF_CACHE is off: a run that is killed starts anew")
        return None
    sweep(cache.parent / "tuning")
    return cache.parent / "tuning" / learning.fingerprint(folds)


def _heldout(learning: Learning, fold: tuple[Ids, Ids], folder: Path | None, report: Progress) -> Sequence[Floats]:
    """Scores of a fold's held-out rows after each epoch, by a module that has not seen them. [epochs] of [rows, labels]"""
    inside, outside = fold
    checkpoints = Checkpoints(folder) if folder else None
    if checkpoints and (done := checkpoints.concluded()):
        report.advance(len(inside) * len(done.arrays))
        return [done.arrays[str(epoch)] for epoch in range(len(done.arrays))]
    run = _Run(learning, inside)
    asked, truth = learning.windows.take(outside), learning.truth[outside]

    def validate() -> tuple[float, Floats]:
        scores = log_odds(run.classifier.scores(asked), learning.kind)
        return _judged(scores, truth, learning.kind)[0], scores

    tuned: Tuned = tune(run.work(), learning.spec, validate=validate, checkpoints=checkpoints, report=report)
    if checkpoints:
        checkpoints.conclude({str(epoch): scores for epoch, scores in enumerate(tuned.validated)}, {"losses": tuned.losses})
    return tuned.validated


def _judged(heldout: Floats, truth: Booleans, kind: Kind) -> tuple[float, Calibration]:
    """Log loss of held-out scores when they are calibrated, as they will be, and the calibration."""
    calibration = fit_calibration(heldout, truth, kind)
    return log_loss(truth, calibration(heldout), kind), calibration


class _Run:
    """One classifier that is tuned on some rows."""

    def __init__(self, learning: Learning, inside: Ids) -> None:
        self.learning, self.inside = learning, inside
        spec, labels = learning.spec, learning.truth.shape[1]
        self.classifier = Classifier.open(learning.files, labels, pooling=learning.spec.windows.pooling, device=learning.device, dropout=spec.dropout)
        self._take_off: Callable[[], None] | None = add_lora(self.classifier.module, spec.rank, spec.seed) if spec.tuning == "lora" else None
        self._objective = Objective.of(learning.truth[inside], learning.kind, spec.class_weight, spec.focal)
        sizes = np.diff(learning.windows.starts)
        tokens = np.add.reduceat(learning.windows.lengths, learning.windows.starts[:-1])
        self._tokens = (tokens * np.minimum(1.0, spec.windows_at_once / sizes)).astype(np.int64)
        """Tokens of each pair that a step reads, about. [pairs]"""

    def work(self) -> Work:
        """What `tune` is given."""
        spec, device = self.learning.spec, self.learning.device
        return Work(
            self.classifier.module,
            batches=lambda epoch: [self.inside[rows] for rows in epoch_batches(self._tokens[self.inside], spec.batch, seed=spec.seed, epoch=epoch)],
            loss=self._loss,
            size=lambda rows: int(self._tokens[rows].sum()),
            most=AT_ONCE.get(device, self.classifier.shape.tokens),
            rate=lambda name: {"head": spec.head_learning_rate / spec.learning_rate, "lora": RATE}.get(name.partition(".")[0], 1.0),
        )

    def _loss(self, rows: Ids, epoch: int) -> Any:
        windows = self.learning.windows
        drawn = [self._drawn(row, epoch) for row in rows.tolist()]
        which = np.concatenate(drawn)
        values = self.classifier.values(windows, which)
        scores = pooled_values(values, np.array([len(some) for some in drawn]), windows.shares[which], self.learning.spec.windows.pooling)
        return self._objective(scores, self.learning.truth[rows])

    def _drawn(self, row: int, epoch: int) -> Ids:
        """The windows of a pair that an epoch reads, in their order."""
        spec, every = self.learning.spec, self.learning.windows.of(row)
        if len(every) <= spec.windows_at_once:
            return every
        return np.sort(np.random.default_rng([spec.seed, epoch, row]).choice(every, spec.windows_at_once, replace=False))

    def merged(self) -> dict[str, NDArray[np.float32]]:
        """Take low-rank changes off, put them into the weights, and give them."""
        if self._take_off is None:
            return {}
        low_rank = self.classifier.arrays("lora")
        self._take_off()
        merge_lora(self.classifier.module, low_rank)
        return low_rank


def log_odds(scores: Floats, kind: Kind) -> Floats:
    """What a head says, as log-odds of each label; of an exclusive task against all others together. [pairs, labels] both"""
    if kind == "multi" or scores.shape[1] < 2:
        return scores
    others = [np.logaddexp.reduce(np.delete(scores, label, axis=1), axis=1) for label in range(scores.shape[1])]
    return np.asarray(scores - np.stack(others, axis=1))
