"""Training, start to end on one page: read, clean, split, fit, calibrate, decide, bundle, evaluate."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from newsclf.bundle import MANIFEST
from newsclf.errors import InputError
from newsclf.folder import check_replaceable
from newsclf.inference.predictor import Predictor
from newsclf.training.about import about
from newsclf.training.evaluate import Evaluation, evaluate
from newsclf.training.experiment import RUNS, Experiment
from newsclf.training.findings import Trained
from newsclf.training.learn import learn
from newsclf.training.prepared import Prepared
from newsclf.training.record import RunFolder

logger = logging.getLogger(__name__)


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
    model = Path(experiment.output) / experiment.name
    check_replaceable(model, mark=MANIFEST)
    record = RunFolder.create(Path(experiment.output) / RUNS, experiment)
    with record.discarded_on_error():
        prepared = Prepared.read(experiment)
        part = prepared.part()
        inside, outside = np.flatnonzero(part == "train"), np.flatnonzero(part == "test")
        record.split(prepared, part)
        record.quarantine(prepared.quarantined)
        logger.info("%s: %d rows to learn from, %d to test on, %d set aside", experiment.name, len(inside), len(outside), (part == "aside").sum())
        learned, tested = learn(prepared, inside), prepared.every.take(outside)
        metrics = evaluate(learned.bundle, tested)
        # the card has the metrics in it, and metrics need a bundle: it is made, tested, and told
        bundle = replace(learned.bundle, about=about(experiment, learned.bundle, learned.fitted, prepared.every, part, metrics))
        record.metrics(metrics, learned.fitted, tested, prepared.codebook)
        fingerprint = bundle.save(record.folder / "bundle")
        trained = Trained(bundle, learned.fitted, learned.rows, tested, prepared.story[outside], metrics, prepared.leaks(part))
        record.findings(trained, fingerprint)
        record.close(metrics, fingerprint)
        bundle.save(model)  # at last: whatever fails before leaves the older model where it is
    return Result(Predictor(model), metrics, record.folder, model)
