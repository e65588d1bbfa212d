"""Several seeds of one experiment: what a seed changes, where the run of each stands, and how far apart their scores are."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from newsclf.errors import DataError
from newsclf.training.experiment import Experiment
from newsclf.training.prepared import Part, Prepared
from newsclf.training.seed_folders import name_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seeds:
    """How the runs of several seeds came out on their test articles."""

    record: Path
    """Folder of the whole; the run of each seed stands in it."""

    values: Mapping[str, Mapping[int, float]]
    """Headline metric → seed → value."""

    @classmethod
    def of(cls, record: Path, summaries: Mapping[int, Mapping[str, float]]) -> Seeds:
        """From the headline metrics of each seed."""
        return cls(record, {metric: {seed: summary[metric] for seed, summary in summaries.items()} for metric in next(iter(summaries.values()))})

    @property
    def seeds(self) -> tuple[int, ...]:
        """In the order of the config; the model that was saved is that of the first."""
        return tuple(next(iter(self.values.values())))

    @property
    def runs(self) -> dict[int, Path]:
        """Folder of each seed's run."""
        return {seed: self.record / name_of(seed) for seed in self.seeds}

    def spread(self, metric: str) -> dict[str, float]:
        """Mean, sd (of n - 1), min and max of a headline metric over the seeds.

        The seeds test on articles of one corpus, many of them the same, so the sd divided by the root of n is no standard error: it is too small.
        """
        values = np.array(list(self.values[metric].values()))
        return {"mean": float(values.mean()), "sd": float(values.std(ddof=1)), "min": float(values.min()), "max": float(values.max())}

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, as they stand in the record's summary.json."""
        summary = {
            metric: {name: round(value, 6) for name, value in self.spread(metric).items()}
            | {"by_seed": {str(seed): round(value, 6) for seed, value in values.items()}}
            for metric, values in self.values.items()
        }
        return {"seeds": list(self.seeds), "model_of_seed": self.seeds[0], "summary": summary}

    def text(self, *, title: str) -> str:
        """The table of metrics, and whose model was saved."""
        width = max(map(len, self.values))
        lines = [title, f"  {'':<{width}}   mean     sd    min    max"]
        lines += [f"  {name.replace('_', ' '):<{width}}  {'  '.join(f'{value:.3f}' for value in self.spread(name).values())}" for name in self.values]
        saved = f"The model is that of seed {self.seeds[0]}, the first of the config: choosing by the test scores would make them too good."
        return "\n".join([*lines, "", saved])


def of_seed(prepared: Prepared, seed: int) -> Prepared:
    """The same rows for the run of one seed: that of the split and the folds, and of the learner where it has one."""
    return prepared.altered(experiment=experiment_of(prepared.experiment, seed))


def experiment_of(experiment: Experiment, seed: int) -> Experiment:
    """The experiment of one seed alone."""
    learner = experiment.learner
    if "seed" in type(learner).model_fields:
        learner = learner.model_copy(update={"seed": seed})
    return experiment.model_copy(update={"seeds": (), "split": experiment.split.model_copy(update={"seed": seed}), "learner": learner})


def parts_of(runs: Mapping[int, Prepared]) -> dict[int, Part]:
    """The split of each seed, before any is learned from; raises DataError, which names the seed, where one leaves nothing to part.

    Says so where all seeds have one split, because it is given.
    """
    parts = {}
    for seed, prepared in runs.items():
        with seed_named(seed):
            parts[seed] = prepared.part()
    first, *others = parts.values()
    if all((part == first).all() for part in others):
        logger.info(
            "all seeds have the same split, because it is given: their sd is that of the choices made in folds, not of which articles are tested on"
        )
    return parts


@contextmanager
def seed_named(seed: int) -> Iterator[None]:
    """Have a DataError say in the run of which seed it is raised."""
    try:
        yield
    except DataError as error:
        raise DataError(f"seed {seed}: {error}") from error
