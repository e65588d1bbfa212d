"""What this machine gives a process."""

from __future__ import annotations

import os

_share: list[int] = []
"""What this process was told to keep to, if it was."""


def usable_cores() -> int:
    """Cores that this process may use: those that the system gives it, and no more than its share of them where it has one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([cores, *_share])


def keep_to(cores: int) -> None:
    """Leave the other cores to processes that work beside this one, from now on; raises ValueError where none is left.

    Not by binding it to some of them: which are free the system knows better.
    """
    if cores < 1:
        raise ValueError(f"a process needs 1 core or more, not {cores}")
    _share[:] = [cores]
