"""What can go wrong, as a tree.

    NewsclfError
    ├── UserError            a mistake that its maker can mend: exit code 2
    │   ├── ConfigError      a config, an override, a codebook
    │   ├── DataError        a corpus, a file, a row
    │   ├── BundleError      a saved model that must not be trusted or cannot be read
    │   ├── OutputError      a place that cannot be written
    │   ├── InputError       an argument of a Python call or a command
    │   ├── WorkerError      a worker process that was killed, for want of memory as a rule
    │   └── MissingExtra     an optional dependency that is not installed
    └── CheckFailed          a check that was asked for did not hold: exit code 3

Every message is a full sentence: which thing, where, what it must be, what it was, what to do.
"""

from __future__ import annotations

import difflib
import importlib
import json
from collections.abc import Iterable
from types import ModuleType
from typing import Any

INSTALL = "pip install 'newsclf[{extra}]'"


class NewsclfError(Exception):
    """Base of every error that newsclf raises on purpose."""

    exit_code = 1


class UserError(NewsclfError):
    """A mistake that the person who made it can mend."""

    exit_code = 2


class ConfigError(UserError):
    """A config, override or codebook says something that it must not say."""


class DataError(UserError):
    """A corpus, file or row cannot be read as it was asked to be."""


class BundleError(UserError):
    """A saved model is incomplete, changed, of another format or does not answer as it did."""


class OutputError(UserError):
    """A file or folder cannot be written."""


class InputError(UserError):
    """An argument of a call is not what the call takes."""


class WorkerError(UserError):
    """A worker process was killed from outside again and again: for want of memory, as a rule."""


class MissingExtra(UserError):
    """An optional dependency is not installed."""


class CheckFailed(NewsclfError):
    """A check that was asked for did not hold."""

    exit_code = 3


def need(package: str, extra: str, *, why: str) -> ModuleType:
    """Import an optional dependency, or say in one sentence how to get it.

    Raises MissingExtra where the package cannot be imported.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        # a package that is there may still fail to import, for want of a library of its own: what it says then is what helps
        absent = isinstance(error, ModuleNotFoundError) and error.name == package.partition(".")[0]
        problem = "is not installed" if absent else f"cannot be imported ({error})"
        raise MissingExtra(f"{why} needs the package {package!r}, which {problem}: run  {INSTALL.format(extra=extra)}") from error


def nearest(word: str, known: Iterable[str]) -> str:
    """' (did you mean …?)' for the closest known word, or nothing where none is close."""
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f" (did you mean {folded[close[0]]!r}?)" if close else ""


def listed(names: Iterable[str], *, most: int = 12) -> str:
    """Names in quotes, comma-separated, cut after `most` with a count of the rest."""
    quoted = [repr(str(name)) for name in names]
    rest = f" and {len(quoted) - most} more" if len(quoted) > most else ""
    return (", ".join(quoted[:most]) or "none") + rest


def shown(value: Any, *, most: int = 60) -> str:
    """A value as it would stand in a config file, cut after `most` characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= most else text[: most - 3] + "..."
