"""The training loop: batches, schedule, optimiser, and what is done where a loss is no number, where memory is short, and after a kill.

It knows nothing of what is learnt: it gets a module, batches of row numbers, and a loss of some rows. Every step draws its random numbers (dropout)
from a seed of its own, so that a run that goes on from a checkpoint draws what it would have drawn: on one machine the weights are the same ones.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from newsclf.errors import ConfigError, WorkerError
from newsclf.learners.ngrams import Ids
from newsclf.learners.tuning_checkpoints import Checkpoints
from newsclf.learners.tuning_optimiser import Optimiser, bf16_where_there_is, of_memory, own_randomness, scheduled
from newsclf.progress import Progress
from newsclf.spec import Spec

logger = logging.getLogger("newsclf")

Validate = Callable[[], tuple[float, NDArray[np.float64]]]
"""Called after each epoch: how bad the module is (less is better), and what that was told by (any array, which is kept of each epoch)."""


class TuningSpec(Spec):
    """How an encoder is tuned."""

    epochs: int = Field(default=4, ge=1)
    """Most passes over the training articles."""

    learning_rate: float = Field(default=5e-5, gt=0)
    """Of the encoder, at its highest."""

    batch: int = Field(default=16, ge=1)
    """Articles of a batch."""

    accumulation: int = Field(default=1, ge=1)
    """Batches of a step."""

    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps in which the learning rate rises; from then on it falls to zero."""

    weight_decay: float = Field(default=0.01, ge=0)
    """Of matrices; biases and norms have none."""

    clip: float = Field(default=1.0, gt=0)
    """Most length of a step's gradient."""

    patience: int = Field(default=2, ge=1)
    """Epochs without gain on held-out articles after which it stops."""

    seed: int = Field(default=0, ge=0)
    """Of the order of the articles, and of dropout."""


@dataclass(frozen=True)
class Work:
    """What is tuned, and on what."""

    module: Any
    """A torch module; the parameters that want gradients are tuned."""

    batches: Callable[[int], Sequence[Ids]]
    """Epoch → batches of row numbers; the same ones however often it is asked."""

    loss: Callable[[Ids, int], Any]
    """Row numbers of a batch and the epoch it is of → the sum of the rows' losses, a tensor of one number."""

    size: Callable[[Ids], int] = len
    """How much memory rows take, in any unit."""

    most: int | None = None
    """Rows of a larger size are passed in parts, whose gradients add up."""

    rate: Callable[[str], float] = lambda _: 1.0
    """Name of a parameter → its learning rate, as a multiple of the spec's."""


@dataclass
class Tuned:
    """How far tuning has come, and how it went."""

    epoch: int = 0
    """Epochs that are whole."""

    place: int = 0
    """Steps of the epoch after them."""

    step: int = 0
    """Steps of all epochs."""

    loss: float = 0.0
    """Sum of the rows' losses in the epoch that is not whole."""

    rows: int = 0
    """Rows of the epoch that is not whole."""

    losses: list[float] = field(default_factory=list)
    """Mean loss of a row, by epoch."""

    values: list[float] = field(default_factory=list)
    """What validation said, by epoch; less is better."""

    validated: list[NDArray[np.float64]] = field(default_factory=list)
    """What validation told that by, by epoch."""

    def facts(self) -> dict[str, Any]:
        """All but the arrays, as plain JSON values."""
        return {name: value for name, value in vars(self).items() if name != "validated"}

    def out_of_patience(self, patience: int) -> bool:
        """Whether the best epoch is so many behind."""
        return bool(self.values) and len(self.values) - 1 - int(np.argmin(self.values)) >= patience


def tune(
    work: Work,
    spec: TuningSpec,
    *,
    epochs: int | None = None,
    validate: Validate | None = None,
    checkpoints: Checkpoints | None = None,
    report: Progress | None = None,
) -> Tuned:
    """Tune a module in place, and say how it went; the schedule is that of `spec.epochs`, of which the first `epochs` are run.

    From the newest whole checkpoint on, where there is one. Raises ConfigError for a loss or gradient that is no number, WorkerError where a single
    row does not fit into memory.
    """
    loop = _Loop(work, spec, checkpoints)
    with own_randomness():
        for tuned in loop.steps(spec.epochs if epochs is None else epochs, validate):
            if report is not None:
                report.advance(tuned)
    work.module.eval()
    return loop.tuned


class _Loop:
    """One tuning, with what changes as it goes."""

    def __init__(self, work: Work, spec: TuningSpec, checkpoints: Checkpoints | None) -> None:
        self.work, self.spec, self.checkpoints = work, spec, checkpoints
        self.optimiser = Optimiser(work.module, spec.weight_decay, work.rate)
        self.tuned, self._most = Tuned(), work.most
        if checkpoints and (saved := checkpoints.latest()):
            self.optimiser.restore(saved.arrays)
            validated = [saved.arrays[f"validated.{epoch}"] for epoch in range(len(saved.facts["values"]))]
            self.tuned = Tuned(**saved.facts, validated=validated)
            logger.info("goes on from the checkpoint of step %d, epoch %d", self.tuned.step, self.tuned.epoch + 1)

    def steps(self, epochs: int, validate: Validate | None) -> Iterator[int]:
        """Step by step, the rows of each."""
        tuned, spec = self.tuned, self.spec
        while tuned.epoch < epochs and not tuned.out_of_patience(spec.patience):
            found = self.work.batches(tuned.epoch)
            groups = [found[start : start + spec.accumulation] for start in range(0, len(found), spec.accumulation)]
            self.work.module.train()
            for group in groups[tuned.place :]:
                share = (tuned.epoch + tuned.place / len(groups)) / spec.epochs
                tuned.loss += self._step(group, spec.learning_rate * scheduled(share, spec.warmup))
                rows = sum(map(len, group))
                tuned.rows, tuned.place, tuned.step = tuned.rows + rows, tuned.place + 1, tuned.step + 1
                if self.checkpoints and self.checkpoints.due():
                    self._save(self.checkpoints)
                yield rows
            self._close_epoch(validate)

    def _close_epoch(self, validate: Validate | None) -> None:
        tuned = self.tuned
        tuned.losses.append(tuned.loss / max(tuned.rows, 1))
        if validate is not None:
            self.work.module.eval()
            value, array = validate()
            tuned.values.append(value)
            tuned.validated.append(array)
        tuned.epoch, tuned.place, tuned.loss, tuned.rows = tuned.epoch + 1, 0, 0.0, 0
        logger.info("epoch %d: loss %.4f%s", tuned.epoch, tuned.losses[-1], f", held out {tuned.values[-1]:.4f}" if tuned.values else "")
        if self.checkpoints:
            self._save(self.checkpoints)

    def _save(self, checkpoints: Checkpoints) -> None:
        validated = {f"validated.{epoch}": array for epoch, array in enumerate(self.tuned.validated)}
        checkpoints.save(self.tuned.step, self.optimiser.arrays() | validated, self.tuned.facts())

    def _step(self, group: Sequence[Ids], rate: float) -> float:
        """One step of the optimiser; the sum of the rows' losses before it."""
        while True:
            parts = [part for rows in group for part in self._parts(rows)]
            tried = iter(parts)
            try:
                loss = self._gradients(tried, sum(map(len, parts)))
                break
            except (MemoryError, RuntimeError) as error:
                if not of_memory(error):
                    raise
                self._halve(parts[-1 - len(list(tried))], error)
        length = self.optimiser.step(rate, self.spec.clip)
        if not np.isfinite(length):
            self._no_number("gradient", np.concatenate(group))
        return loss

    def _gradients(self, parts: Iterator[Ids], total: int) -> float:
        import torch

        self.optimiser.clear()
        seed = int(np.random.SeedSequence([self.spec.seed, self.tuned.step]).generate_state(1)[0])
        # torch.manual_seed notes the whole call stack for devices that are not there
        torch.default_generator.manual_seed(seed) if self.optimiser.device == "cpu" else torch.manual_seed(seed)
        summed = 0.0
        for rows in parts:
            with bf16_where_there_is(self.optimiser.device):
                loss = self.work.loss(rows, self.tuned.epoch)
            value = float(loss.detach())
            if not np.isfinite(value):
                self._no_number("loss", rows)
            (loss / total).backward()
            summed += value
        return summed

    def _parts(self, rows: Ids) -> list[Ids]:
        if self._most is None or len(rows) < 2 or self.work.size(rows) <= self._most:
            return [rows]
        return [part for half in np.array_split(rows, 2) for part in self._parts(half)]

    def _halve(self, rows: Ids, error: BaseException) -> None:
        """Pass at most half as much at once as what did not fit."""
        if len(rows) < 2:
            raise WorkerError(
                f"step {self.tuned.step + 1}: row {int(rows[0])} alone does not fit into memory; free some, tune fewer of the weights "
                "(tuning: lora), read less of an article at once (windows), or take a smaller encoder."
            ) from error
        self._most = max(1, self.work.size(rows) // 2)
        logger.warning("a batch of %d rows does not fit into memory: halved, with the same steps as before", len(rows))
        self.optimiser.clear()
        self.optimiser.free()

    def _no_number(self, what: str, rows: Ids) -> NoReturn:
        some = ", ".join(map(str, rows[:20].tolist())) + (" …" if len(rows) > 20 else "")
        raise ConfigError(
            f"'learner.learning_rate': the {what} of step {self.tuned.step + 1} (epoch {self.tuned.epoch + 1}, rows {some}) is not a number; "
            f"lower it from {self.spec.learning_rate:g}, or lengthen the warmup from {self.spec.warmup:g}."
        )
