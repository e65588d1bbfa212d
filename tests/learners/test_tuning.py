"""The training loop on a module of a few numbers: what it computes, where it stops, and that a kill changes nothing."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from newsclf.errors import ConfigError, WorkerError
from newsclf.learners.tuning import TuningSpec, Work, tune
from newsclf.learners.tuning_batches import epoch_batches
from newsclf.learners.tuning_checkpoints import Checkpoints
from newsclf.learners.tuning_optimiser import scheduled

torch = pytest.importorskip("torch", reason="the neural extra is not installed")

ROWS = 40
DICE = np.random.default_rng(3)
INPUTS = DICE.normal(size=(ROWS, 5)).astype(np.float32)
ANSWERS = INPUTS @ np.array([1, -2, 0.5, 0, 3], np.float32) + 0.5
SPEC = TuningSpec(epochs=3, learning_rate=0.05, batch=8, seed=5)


def module(dropout=0.2):
    torch.manual_seed(1)
    return torch.nn.ModuleDict(
        {"first": torch.nn.Linear(5, 7), "norm": torch.nn.LayerNorm(7), "dropout": torch.nn.Dropout(dropout), "head": torch.nn.Linear(7, 1)}
    )


def work_on(net, **changes):
    def loss(rows, epoch):
        inner = net["dropout"](net["norm"](net["first"](torch.from_numpy(INPUTS[rows]))))
        return ((net["head"](inner)[:, 0] - torch.from_numpy(ANSWERS[rows])) ** 2).sum()

    def batches(epoch):
        return epoch_batches(np.ones(ROWS, np.int64), SPEC.batch, seed=SPEC.seed, epoch=epoch)

    return Work(**{"module": net, "batches": batches, "loss": loss} | changes)


def weights(net):
    return np.concatenate([values.detach().numpy().ravel() for values in net.parameters()])


def tuned_weights(spec=SPEC, dropout=0.2, **changes):
    net = module(dropout)
    tune(work_on(net, **changes), spec)
    return weights(net)


class Killed(Exception):
    """Stands for whatever ends a process."""


def killed_after(steps):
    """A report that ends the run after so many steps."""

    class Report:
        left = steps

        def advance(self, rows, size=0):
            self.left -= 1
            if not self.left:
                raise Killed

    return Report()


def test_it_learns_and_says_how_it_went():
    net = module(0)
    tuned = tune(work_on(net), SPEC.model_copy(update={"epochs": 10}))
    assert (tuned.epoch, tuned.step) == (10, 50)
    assert len(tuned.losses) == 10
    assert tuned.losses[-1] < tuned.losses[0] / 2
    assert not net.training


def test_the_same_seed_gives_the_same_weights_and_another_others():
    assert tuned_weights().tobytes() == tuned_weights().tobytes()
    assert (tuned_weights(SPEC.model_copy(update={"seed": 6})) != tuned_weights()).any()


def test_torchs_own_generator_is_left_as_it_was():
    torch.manual_seed(11)
    before = torch.get_rng_state()
    tune(work_on(module_of_nothing_drawn()), SPEC)
    assert torch.equal(torch.get_rng_state(), before)


def module_of_nothing_drawn():
    with torch.random.fork_rng():
        return module()


def test_it_computes_what_torchs_own_adamw_computes():
    net, theirs = module(0), module(0)
    spec = SPEC.model_copy(update={"clip": 0.7, "weight_decay": 0.1, "accumulation": 2})
    tune(work_on(net), spec)
    flat = [values for values in theirs.parameters() if values.ndim < 2]
    matrices = [values for values in theirs.parameters() if values.ndim > 1]
    optimiser = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": flat, "weight_decay": 0.0}])
    step = 0
    for epoch in range(3):
        found = work_on(theirs).batches(epoch)
        for group in (found[:2], found[2:4], found[4:]):
            optimiser.zero_grad()
            rows = np.concatenate(group)
            (work_on(theirs).loss(rows, epoch) / len(rows)).backward()
            torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.7)
            for part in optimiser.param_groups:
                part["lr"] = 0.05 * scheduled(step / 9, 0.1)
            optimiser.step()
            step += 1
    np.testing.assert_allclose(weights(net), weights(theirs), atol=1e-5)


def test_the_learning_rate_rises_in_the_warmup_and_falls_to_zero():
    found = [scheduled(share, 0.1) for share in (0.0, 0.05, 0.1, 0.55, 1.0)]
    assert 0 < found[0] < 0.02
    np.testing.assert_allclose(found[1:], [0.5, 1, 0.5, 0])
    assert scheduled(0, 0) == 1


def test_parameters_have_learning_rates_of_their_own():
    net = module()
    before = net["first"].weight.detach().clone(), net["head"].weight.detach().clone()
    tune(work_on(net, rate=lambda name: float(name.startswith("head"))), SPEC)
    assert torch.equal(net["first"].weight, before[0])
    assert not torch.equal(net["head"].weight, before[1])


def test_parameters_that_want_no_gradient_stay():
    net = module()
    net["first"].requires_grad_(False)
    before = net["first"].weight.clone()
    tune(work_on(net), SPEC)
    assert torch.equal(net["first"].weight, before)


def test_it_stops_when_patience_is_out():
    values = iter([3.0, 1.0, 2.0, 2.0, 0.0])
    spec = SPEC.model_copy(update={"epochs": 9, "patience": 2})
    tuned = tune(work_on(module()), spec, validate=lambda: (next(values), np.zeros(1)))
    assert tuned.values == [3.0, 1.0, 2.0, 2.0]
    assert len(tuned.validated) == 4


def test_of_a_schedule_as_many_epochs_are_run_as_asked_for():
    net, longer = module(), module()
    tuned = tune(work_on(net), SPEC, epochs=2)
    assert tuned.epoch == 2
    seen = []
    tune(work_on(longer), SPEC, validate=lambda: (seen.append(weights(longer)) or 0.0, np.zeros(1)))
    assert weights(net).tobytes() == seen[1].tobytes()


@pytest.mark.parametrize("steps", [1, 4, 5, 6, 11, 14, 15])
def test_killed_anywhere_it_goes_on_to_the_same_weights(tmp_path, steps):
    def validate_of(net):
        return lambda: (float(np.abs(weights(net)).sum()), weights(net)[None, :].astype(np.float64))

    whole = module()
    expected = tune(work_on(whole), SPEC, validate=validate_of(whole))
    net = module()
    with pytest.raises(Killed):
        tune(work_on(net), SPEC, validate=validate_of(net), checkpoints=Checkpoints(tmp_path, every_s=0), report=killed_after(steps))
    again = module()
    found = tune(work_on(again), SPEC, validate=validate_of(again), checkpoints=Checkpoints(tmp_path, every_s=0))
    assert weights(again).tobytes() == weights(whole).tobytes()
    assert found.facts() == expected.facts()
    assert all(one.tobytes() == other.tobytes() for one, other in zip(found.validated, expected.validated, strict=True))


def test_from_the_checkpoint_before_where_the_last_one_is_cut(tmp_path):
    net = module()
    with pytest.raises(Killed):
        tune(work_on(net), SPEC, checkpoints=Checkpoints(tmp_path, every_s=0), report=killed_after(7))
    newest = max(tmp_path.glob("step-*/weights.safetensors"))
    newest.write_bytes(newest.read_bytes()[:50])
    again = module()
    tune(work_on(again), SPEC, checkpoints=Checkpoints(tmp_path, every_s=0))
    assert weights(again).tobytes() == tuned_weights().tobytes()


def test_between_two_checkpoints_in_time_there_is_one_an_epoch(tmp_path):
    tune(work_on(module()), SPEC, checkpoints=Checkpoints(tmp_path, every_s=1e9))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000010", "step-00000015"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_no_number_stops_it_and_the_last_good_checkpoint_stays(tmp_path, value):
    net = module()
    work = work_on(net)

    def loss(rows, epoch):
        return work.loss(rows, epoch) * (value if epoch == 1 and 17 in rows else 1)

    said = r"'learner.learning_rate': the loss of step \d+ \(epoch 2, rows [\d, ]*17[\d, ]*\) is not a number; lower it from 0.05"
    with pytest.raises(ConfigError, match=said):
        tune(work_on(net, loss=loss), SPEC, checkpoints=Checkpoints(tmp_path, every_s=0))
    assert np.isfinite(weights(net)).all()
    assert Checkpoints(tmp_path).latest().facts["epoch"] == 1


def test_a_gradient_that_is_no_number_stops_it_before_any_weight_is_changed():
    net = module()
    before = weights(net)

    def loss(rows, epoch):
        return torch.sqrt(net["head"].weight * 0).sum()

    with pytest.raises(ConfigError, match="the gradient of step 1 "):
        tune(work_on(net, loss=loss), SPEC)
    assert weights(net).tobytes() == before.tobytes()


def small_memory(most, error):
    net = module(0)
    work = work_on(net)
    passed = []

    def loss(rows, epoch):
        if len(rows) > most:
            raise error
        passed.append(len(rows))
        return work.loss(rows, epoch)

    return net, work_on(net, loss=loss), passed


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_short_of_memory_it_passes_half_as_much_and_takes_the_same_steps(error, caplog):
    net, work, passed = small_memory(3, error)
    with caplog.at_level(logging.WARNING, "newsclf"):
        tune(work, SPEC)
    np.testing.assert_allclose(weights(net), tuned_weights(dropout=0), atol=1e-5)
    assert caplog.messages == [f"a batch of {rows} rows does not fit into memory: halved, with the same steps as before" for rows in (8, 4)]
    assert max(passed) <= 3


def test_a_single_row_that_does_not_fit_is_an_error_with_what_to_do():
    _, work, _ = small_memory(0, MemoryError())
    with pytest.raises(WorkerError, match=r"step 1: row \d+ alone does not fit into memory; .* lora"):
        tune(work, SPEC)


def test_other_errors_are_not_taken_for_want_of_memory():
    _, work, _ = small_memory(3, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        tune(work, SPEC)


def test_what_is_too_large_is_passed_in_parts_with_the_same_result():
    net, work, passed = small_memory(4, AssertionError())
    tune(work_on(net, loss=work.loss, most=40, size=lambda rows: 10 * len(rows)), SPEC)
    assert set(passed) == {4}
    np.testing.assert_allclose(weights(net), tuned_weights(dropout=0), atol=1e-5)


def test_progress_counts_every_row():
    class Counted:
        rows = 0

        def advance(self, rows, size=0):
            self.rows += rows

    counted = Counted()
    tune(work_on(module()), SPEC, report=counted)
    assert counted.rows == 3 * ROWS
