"""Checkpoints of a tuning: whole and verified, or not there.

Each is a folder of its own, which appears when all of it is on disk: arrays as safetensors, numbers as JSON, the hash of each file. What a kill has
left half, and what was changed since, is passed over for the one before.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from newsclf.errors import BundleError, OutputError
from newsclf.folder import checked_files, replace_folder, sha256
from newsclf.tensors import tensor_bytes, tensors

logger = logging.getLogger("newsclf")

FORMAT = 1
"""Number of the layout. Raise it when an older newsclf would go on wrongly from a new checkpoint: it then passes it over."""

MARK, FACTS = "checkpoint.json", "facts.json"
DONE = "done"
"""Folder of what is left of a tuning that has ended."""

KEPT = 2
EVERY_S = 300.0
"""Seconds between two checkpoints; beside these, each epoch ends with one."""

FORGOTTEN_S = 30 * 86_400.0
"""Seconds after which nobody will go on from a checkpoint."""


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds."""

    arrays: Mapping[str, NDArray[Any]]
    facts: dict[str, Any]


class Checkpoints:
    """The checkpoints of one tuning, in a folder. Where nothing can be written that is said once, and the tuning goes on without."""

    def __init__(self, folder: Path, *, every_s: float = EVERY_S) -> None:
        self.folder, self.every_s = folder, every_s
        self._last = time.monotonic()
        self._told = False

    def due(self) -> bool:
        """Whether it is time for the next one."""
        return time.monotonic() - self._last >= self.every_s

    def save(self, step: int, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        """Keep the state after a step; the newest two stay."""
        if self._written(self.folder / f"step-{step:08d}", arrays, facts):
            for old in self._steps()[KEPT:]:
                shutil.rmtree(old, ignore_errors=True)
        self._last = time.monotonic()

    def latest(self) -> Saved | None:
        """The newest that is whole; None where there is none."""
        return next((saved for folder in self._steps() if (saved := self._read(folder))), None)

    def conclude(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        """Keep what a tuning has come to, in place of its checkpoints."""
        if self._written(self.folder / DONE, arrays, facts):
            for old in self._steps():
                shutil.rmtree(old, ignore_errors=True)

    def concluded(self) -> Saved | None:
        """What `conclude` has kept; None where the tuning has not ended."""
        return self._read(self.folder / DONE) if (self.folder / DONE).is_dir() else None

    def remove(self) -> None:
        """Take them all away."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _steps(self) -> list[Path]:
        """Folders of the checkpoints, the newest first."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted((path for path in found if re.fullmatch(r"step-\d{8,}", path.name)), key=lambda path: int(path.name[5:]), reverse=True)

    def _written(self, folder: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> bool:
        if self._told:
            return False
        try:
            files = {f"{part}.safetensors": tensor_bytes(some) for part, some in _by_part(arrays).items()}
            files[FACTS] = json.dumps(dict(facts)).encode()
            listing = {name: {"bytes": len(data), "sha256": sha256(data)} for name, data in files.items()}
            files[MARK] = json.dumps({"format": FORMAT, "files": listing}).encode()
            replace_folder(folder, files, mark=MARK)
        except OutputError as error:
            self._told = True
            logger.warning("%s No checkpoints are kept from here on: a run that is killed starts anew.", error)
        return not self._told

    def _read(self, folder: Path) -> Saved | None:
        try:
            mark = json.loads((folder / MARK).read_bytes())
            if mark["format"] != FORMAT:
                raise ValueError(f"it is of format {mark['format']!r}, and this newsclf reads {FORMAT}")
            files = checked_files(folder, mark["files"], mark=MARK)
            facts = json.loads(files.pop(FACTS))
            arrays = {name: array for data in files.values() for name, array in tensors(data).items()}
        except (BundleError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("%s: this checkpoint is passed over: %s", folder, error)
            return None
        return Saved(arrays, facts)


def _by_part(arrays: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, NDArray[Any]]]:
    """Arrays by what stands before the first point of their names: in files of their own they are held twice one after the other."""
    found: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in arrays.items():
        found.setdefault(name.partition(".")[0], {})[name] = array
    return found


def sweep(root: Path, *, now: float | None = None) -> None:
    """Take away the tunings under a folder that were left off long ago."""
    for folder in root.iterdir() if root.is_dir() else ():
        with suppress(OSError):  # another run may take it away at the same time
            if (time.time() if now is None else now) - folder.stat().st_mtime > FORGOTTEN_S:
                shutil.rmtree(folder, ignore_errors=True)
