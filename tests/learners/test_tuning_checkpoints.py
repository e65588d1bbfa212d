"""Checkpoints are whole and verified, or passed over."""

from __future__ import annotations

import json
import logging
import os
import time

import numpy as np
import pytest

from newsclf.learners import tuning_checkpoints
from newsclf.learners.tuning_checkpoints import FORGOTTEN_S, MARK, Checkpoints, sweep

ARRAYS = {"weights.a": np.arange(6, dtype=np.float32).reshape(2, 3), "validated.0": np.array([[0.1, 0.2]]), "count.a": np.full(1, 7, np.float32)}
FACTS = {"step": 3, "losses": [0.1, 1 / 3]}


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "fold-0", every_s=0)


def test_what_is_saved_comes_back_bit_for_bit(checkpoints):
    assert checkpoints.latest() is None
    checkpoints.save(3, ARRAYS, FACTS)
    saved = checkpoints.latest()
    assert saved.facts == FACTS
    assert set(saved.arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert saved.arrays[name].tobytes() == array.tobytes()
        assert saved.arrays[name].shape == array.shape


def test_the_newest_two_are_kept(checkpoints):
    for step in (9, 10, 100):
        checkpoints.save(step, ARRAYS, {"step": step})
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == ["step-00000010", "step-00000100"]
    assert checkpoints.latest().facts == {"step": 100}


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "weights.safetensors").write_bytes((folder / "weights.safetensors").read_bytes()[:-5]),
        lambda folder: (folder / "weights.safetensors").write_bytes((folder / "weights.safetensors").read_bytes()[:-1] + b"\x7f"),
        lambda folder: (folder / "weights.safetensors").unlink(),
        lambda folder: (folder / "facts.json").write_text('{"step": 5}', "utf-8"),
        lambda folder: (folder / MARK).unlink(),
        lambda folder: (folder / MARK).write_text("[1", "utf-8"),
        lambda folder: (folder / MARK).write_text("[1]", "utf-8"),
        lambda folder: (folder / MARK).write_text(json.dumps({"format": 2, "files": {}}), "utf-8"),
        lambda folder: (folder / MARK).write_text(json.dumps({"format": 1, "files": {"../../secret": {"bytes": 1, "sha256": ""}}}), "utf-8"),
        lambda folder: (folder / "more.safetensors").write_bytes(b"x"),
    ],
    ids=["cut", "changed", "gone", "other facts", "no mark", "half a mark", "no object", "of another format", "name outside", "more"],
)
def test_a_damaged_one_is_passed_over_for_the_one_before_and_that_is_said(checkpoints, damage, caplog):
    for step in (3, 4):
        checkpoints.save(step, ARRAYS, {"step": step})
    damage(checkpoints.folder / "step-00000004")
    with caplog.at_level(logging.WARNING, "newsclf"):
        assert checkpoints.latest().facts == {"step": 3}
    assert "step-00000004: this checkpoint is passed over: " in caplog.messages[0]


def test_what_a_kill_leaves_half_is_no_checkpoint(checkpoints):
    checkpoints.save(3, ARRAYS, {"step": 3})
    half = checkpoints.folder / ".step-00000004.new-12345678"
    half.mkdir()
    (half / "weights.safetensors").write_bytes(b"half")
    assert checkpoints.latest().facts == {"step": 3}


def test_what_was_concluded_stands_in_place_of_the_steps(checkpoints):
    assert checkpoints.concluded() is None
    checkpoints.save(3, ARRAYS, FACTS)
    checkpoints.conclude({"0": ARRAYS["validated.0"]}, {"losses": [1.0]})
    assert checkpoints.latest() is None
    done = checkpoints.concluded()
    assert (done.arrays["0"] == ARRAYS["validated.0"]).all()
    assert done.facts == {"losses": [1.0]}


def test_removed_nothing_is_left(checkpoints):
    checkpoints.save(3, ARRAYS, FACTS)
    checkpoints.remove()
    assert not checkpoints.folder.exists()
    checkpoints.remove()


def test_where_nothing_can_be_written_it_is_said_once_and_nothing_breaks(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way", "utf-8")
    blocked = Checkpoints(tmp_path / "file" / "fold-0", every_s=0)
    with caplog.at_level(logging.WARNING, "newsclf"):
        blocked.save(1, ARRAYS, FACTS)
        blocked.save(2, ARRAYS, FACTS)
        blocked.conclude(ARRAYS, FACTS)
    assert len(caplog.messages) == 1
    assert "No checkpoints are kept from here on" in caplog.messages[0]
    assert blocked.latest() is None
    assert blocked.concluded() is None


def test_it_is_time_for_one_when_so_many_seconds_have_passed(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(tuning_checkpoints.time, "monotonic", lambda: now[0])
    checkpoints = Checkpoints(tmp_path, every_s=60)
    assert not checkpoints.due()
    now[0] += 60
    assert checkpoints.due()
    checkpoints.save(1, ARRAYS, FACTS)
    assert not checkpoints.due()


def test_what_was_left_off_long_ago_is_swept_away(tmp_path):
    sweep(tmp_path / "none")
    for name, age in (("old", FORGOTTEN_S + 60), ("new", FORGOTTEN_S - 60)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
