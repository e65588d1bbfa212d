"""What this machine gives a process."""

from __future__ import annotations

import os

import pytest

from newsclf.machine import keep_to, usable_cores


def test_a_process_that_is_held_to_one_core_has_one():
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system holds no process to some cores")
    before = os.sched_getaffinity(0)
    assert usable_cores() == len(before)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(("cores", "usable"), [(6, 6), (None, 1)])
def test_elsewhere_all_cores_count_and_there_is_one_at_least(monkeypatch, cores, usable):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert usable_cores() == usable


def test_a_process_keeps_to_its_share_of_the_cores(monkeypatch):
    monkeypatch.setattr("newsclf.machine._share", [])
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 5}, raising=False)
    keep_to(3)
    assert usable_cores() == 3
    keep_to(2)
    assert usable_cores() == 2
    keep_to(16)  # the system gives no more than it has
    assert usable_cores() == 4
    with pytest.raises(ValueError, match="a process needs 1 core or more, not 0"):
        keep_to(0)
