"""Training, start to end on one page: read, clean, split, fit, calibrate, decide, bundle, evaluate."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from newsclf.bundle import Bundle
from newsclf.errors import InputError
from newsclf.folder import check_replaceable
from newsclf.inference.predictor import Predictor
from newsclf.manifest import MANIFEST
from newsclf.packing import store_encoder
from newsclf.training.about import about
from newsclf.training.evaluate import Evaluation, evaluate
from newsclf.training.experiment import RUNS, Experiment
from newsclf.training.findings import Trained
from newsclf.training.learn import learn
from newsclf.training.prepared import Part, Prepared
from newsclf.training.record import RunFolder
from newsclf.training.seed_folders import name_of
from newsclf.training.seeds import Seeds, of_seed, parts_of, seed_named

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

    seeds: Seeds | None = None
    """How the runs of all seeds came out, where the config names several; the rest is of the first of them."""


def train(config: str | Path | Experiment, settings: Sequence[str] = ()) -> Result:
    """Train from a config file (with `a.b=value` settings laid on it) or an Experiment.

    Raises ConfigError before the first article is read, DataError for rows that must not be, OutputError where nothing can be written. The test
    articles take no part in any choice. Two runs of one config on one machine give the same bytes.

    Where the config names `seeds` there is a run for each, in one record. The model is that of the first seed, whichever did best: to choose by the
    test scores would make them too good.
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
        done, seeds = _run_seeds(prepared, record) if experiment.seeds else (_run(prepared, prepared.part(), record), None)
        done.bundle.save(model)  # at last: whatever fails before leaves the older model where it is
        store_encoder(model)
    return Result(Predictor(model), done.metrics, done.folder, model, seeds)


@dataclass(frozen=True)
class _Done:
    """A run whose record is complete."""

    folder: Path
    bundle: Bundle
    metrics: Evaluation
    fingerprint: str


def _run(prepared: Prepared, part: Part, record: RunFolder) -> _Done:
    """Learn from the rows of one part, test on those of the other, and record it all."""
    experiment = prepared.experiment
    inside, outside = np.flatnonzero(part == "train"), np.flatnonzero(part == "test")
    record.split(prepared, part)
    record.quarantine(prepared.quarantined)
    logger.info("%s: %d rows to learn from, %d to test on, %d set aside", experiment.name, len(inside), len(outside), (part == "aside").sum())
    learned, tested = learn(prepared, inside), prepared.every.take(outside)
    metrics = evaluate(learned.bundle, tested)
    # the card has the metrics in it, and metrics need a bundle: it is made, tested, and told
    bundle = replace(learned.bundle, about=about(experiment, learned.bundle, learned.fitted, prepared.every, part, metrics))
    record.metrics(metrics, learned.fitted, tested, prepared.codebook)
    record.agreement(prepared.agreement, metrics, tested)
    fingerprint = bundle.save(record.folder / "bundle")
    trained = Trained(bundle, learned.fitted, learned.rows, tested, prepared.story[outside], metrics, prepared.leaks(part), prepared.copies())
    record.findings(trained, fingerprint)
    record.close(metrics, fingerprint)
    return _Done(record.folder, bundle, metrics, fingerprint)


def _run_seeds(prepared: Prepared, record: RunFolder) -> tuple[_Done, Seeds]:
    """A run for each seed, each in its own folder of the record: that of the first, and how all came out."""
    runs = {seed: of_seed(prepared, seed) for seed in prepared.experiment.seeds}
    parts = parts_of(runs)  # first: a seed that leaves nothing to learn from must not come to light after the runs of the others

    def run(seed: int) -> _Done:
        logger.info("%s: seed %d", prepared.experiment.name, seed)
        with seed_named(seed):
            return _run(runs[seed], parts[seed], record.inside(name_of(seed), runs[seed].experiment))

    first, *others = runs
    done = run(first)
    seeds = Seeds.of(record.folder, {first: done.metrics.summary} | {seed: run(seed).metrics.summary for seed in others})
    record.close_seeds(seeds.as_dict(), done.fingerprint)
    return done, seeds
