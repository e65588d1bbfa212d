"""A scoring job: what makes it the same one, so that it can go on where it was stopped, and the locks that keep two from doing one shard."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from newsclf.errors import InputError, OutputError, listed, shown
from newsclf.folder import sha256
from newsclf.inference.commit import committed, write_whole

logger = logging.getLogger(__name__)
JOB, SUMMARY, LOCKS = "job.json", "score.json", ".locks"
LOOK_S = 1.0
"""For the lock of one who only looks who is at work: he has it for a blink, and one who is at work keeps it."""
TURN_S = 60.0
"""For other jobs of an array to have written the small files that all of them write."""
FORMAT = 1
"""Number of the layout of a scores folder. Raise it when an older newsclf would read a new folder wrongly."""


@dataclass(frozen=True)
class Job:
    """What decides every byte that a job writes: a folder goes on only with the same one."""

    models: Mapping[str, str]
    """Task → fingerprint of its model."""

    corpus: Mapping[str, Any]
    spec: Mapping[str, Any]
    inputs: Mapping[str, str]
    """File → its identity: size and a hash of head and tail, footer or etag; never a time."""

    def tree(self) -> dict[str, Any]:
        """Plain JSON values."""
        kinds = {"models": self.models, "corpus": self.corpus, "spec": self.spec, "inputs": self.inputs}
        return {"format": FORMAT, **{name: dict(values) for name, values in kinds.items()}}

    @classmethod
    def of_tree(cls, tree: Mapping[str, Any]) -> Self:
        """The job that `tree` wrote."""
        return cls(**{name: tree[name] for name in ("models", "corpus", "spec", "inputs")})

    @property
    def fingerprint(self) -> str:
        """sha256 of all of it."""
        return sha256(json.dumps(self.tree(), sort_keys=True).encode())

    def is_in(self, folder: Path) -> bool:
        """Whether a folder is this job's; if not, it is a new one: raises OutputError where it holds another job, with the differences, or else."""
        try:
            # half a job file: a run was killed before it had begun
            held = sorted(item.name for item in folder.iterdir() if item.name not in (LOCKS, f"{JOB}.tmp")) if folder.exists() else []
            if JOB in held:
                self._check(folder, json.loads((folder / JOB).read_bytes()))
                return True
        except NotADirectoryError as error:
            raise OutputError(f"{folder}: a file of that name is in the way; name another output folder.") from error
        except OSError as error:
            raise OutputError(f"{folder}: cannot be written: {error.strerror or error}.") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise OutputError(f"{folder / JOB}: this is no job of newsclf ({error}); name another output folder.") from error
        if held:
            what = "scores of an older newsclf" if committed(folder) else f"something else ({listed(held, most=4)})"
            raise OutputError(f"{folder}: this folder holds {what} and is left as it is; name another output folder.")
        return False

    def enter(self, folder: Path) -> None:
        """Make a folder this job's if it is not; raises OutputError as `is_in` does, and where it cannot be written."""
        with in_turn(folder):
            if not self.is_in(folder):
                text = json.dumps(self.tree(), indent=1, ensure_ascii=False) + "\n"
                write_whole(folder / JOB, text.encode("utf-8", "backslashreplace"))

    def _check(self, folder: Path, other: Mapping[str, Any]) -> None:
        differences = list(_differences(other, json.loads(json.dumps(self.tree()))))
        if differences:
            more = f" and {len(differences) - 6} more" if len(differences) > 6 else ""
            raise OutputError(
                f"{folder}: this folder holds scores of another job: {'; '.join(differences[:6])}{more}. Name another folder, or begin anew with "
                "--restart, which moves what is there aside."
            )


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two jobs, as parts of a sentence."""
    if before.get("format") != FORMAT:
        yield f"its format is {before.get('format')!r} and this newsclf writes {FORMAT}"
        return
    for kind, noun in (("models", "the model"), ("corpus", "corpus."), ("spec", "the setting"), ("inputs", "the file")):
        old, new = before.get(kind, {}), now[kind]
        for name in dict.fromkeys([*old, *new]):
            if old.get(name) == new.get(name):
                continue
            if kind == "inputs":
                yield f"the file {name} {'is new' if name not in old else 'is not read now' if name not in new else 'has changed since'}"
            elif kind == "models":
                how = "is not asked now" if name not in new else "is new" if name not in old else "is another one than then"
                yield f"the model for {name!r} {how}"
            else:
                yield f"{noun}{'' if noun.endswith('.') else ' '}{name} was {shown(old.get(name), most=200)}, is {shown(new.get(name), most=200)}"


def move_aside(folder: Path, *, part: str) -> None:
    """Give what a folder holds the next free number, so that nothing is lost; raises OutputError where a job is at work in it."""
    if part:
        raise InputError(f"--restart with --shard {part}: each part would move the work of the others aside. Move the folder, then start the parts.")
    if not (folder / JOB).exists():
        return
    if folder.name in ("", ".."):
        raise InputError(f"--restart: the folder {str(folder)!r} cannot be moved aside under that name; call it by its own.")
    with locked(folder, part=""):
        pass
    number = 1
    while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    try:
        folder.rename(aside)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be moved aside: {error.strerror or error}.") from error
    logger.info("what was in %s is in %s now", folder, aside)


@contextmanager
def locked(folder: Path, *, part: str) -> Iterator[None]:
    """Hold a folder for a whole job (`part` is "") or for one of an array of jobs, as "2/8".

    Raises OutputError where a whole job is at work there, the same part of an array, or for a whole job any part. A lock ends with its process,
    however that ends.
    """
    with ExitStack() as stack:
        try:
            (folder / LOCKS).mkdir(parents=True, exist_ok=True)
            own = f"job-{part.replace('/', '-of-')}" if part else "whole"
            if not stack.enter_context(try_lock(folder, own, wait=LOOK_S)):
                raise _busy(folder, f"part {part} of this job" if part else "another job")
            # first one's own lock, then a look at the others': of two that come at once at least one sees the other
            others = ["whole"] if part else [path.stem for path in (folder / LOCKS).glob("job-*.lock")]
            for name in others:
                with try_lock(folder, name, wait=LOOK_S) as free:
                    if not free:
                        raise _busy(folder, "a whole job" if part else f"part {name.removeprefix('job-').replace('-of-', '/')} of a job")
        except OSError as error:
            raise OutputError(f"{folder}: cannot be written: {error.strerror or error}.") from error
        yield


def _busy(folder: Path, who: str) -> OutputError:
    return OutputError(f"{folder}: {who} is at work in this folder. Wait until it is done, or name another folder.")


@contextmanager
def in_turn(folder: Path) -> Iterator[None]:
    """Wait until no other job of an array writes what they all write; raises OutputError where that does not come to an end."""
    with try_lock(folder, "files", wait=TURN_S) as mine:
        if not mine:
            raise _busy(folder, "another job")
        yield


@contextmanager
def try_lock(folder: Path, name: str, *, wait: float = 0) -> Iterator[bool]:
    """Take the lock of that name if nobody has it, or gives it back within `wait` seconds; whether it was taken.

    Raises OutputError where the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCKS / f"{name}.lock", timeout=wait)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}.") from error
    try:
        yield True
    finally:
        lock.release()
