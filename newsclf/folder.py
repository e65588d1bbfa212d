"""Folders that are written whole or not at all, and read only when every file is as it was written."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from newsclf.errors import BundleError, OutputError, listed


def sha256(data: bytes) -> str:
    """Hex digest of bytes."""
    return hashlib.sha256(data).hexdigest()


def write_file(path: Path, data: bytes) -> None:
    """Write bytes and have them on disk before returning."""
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def fsync_folder(folder: Path) -> None:
    """Have a folder's entries on disk, where the system can say so."""
    # Windows opens no folders and some network file systems sync none: the files themselves are on disk already
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def check_replaceable(folder: Path, *, mark: str) -> None:
    """Raise OutputError where a folder of that name holds something other than what has the `mark` file, or cannot be looked into."""
    try:
        in_the_way = folder.is_symlink() or (folder.exists() and not folder.is_dir())
        found = [] if in_the_way or not folder.exists() or (folder / mark).is_file() else sorted(item.name for item in folder.iterdir())
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}.") from error
    if in_the_way:
        raise OutputError(f"{folder}: a file of that name is in the way; name another output folder.")
    if found:
        raise OutputError(f"{folder}: this folder holds something else ({listed(found, most=4)}) and is left as it is; name another output folder.")


def replace_folder(folder: Path, files: Mapping[str, bytes], *, mark: str) -> None:
    """Write files into a folder that appears whole or not at all, in place of an older one that has the `mark` file.

    Raises OutputError where it cannot be written; what was there before is then still there.
    """
    check_replaceable(folder, mark=mark)
    folder = folder.resolve()  # "." has no name to put a suffix to
    # a number of its own: what a killed run left behind must not be in the way of the next, nor another machine's run
    number = secrets.token_hex(4)
    fresh, old = (folder.with_name(f".{folder.name}.{state}-{number}") for state in ("new", "old"))
    try:
        fresh.mkdir(parents=True)
        for name, data in files.items():
            write_file(fresh / name, data)
        fsync_folder(fresh)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        fsync_folder(folder.parent)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}. Nothing was changed there.") from error
    finally:
        # also on Ctrl-C, wherever it fell: no half folder stays behind, and the older one comes back where the new one has not taken its place
        with suppress(OSError):  # there is an older one aside only if it came to that
            if not folder.exists():
                old.rename(folder)
        shutil.rmtree(fresh, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)


def checked_files(
    folder: Path, listed_files: Mapping[str, Mapping[str, Any]], *, mark: str, only: Container[str] | None = None, beside: Iterable[str] = ()
) -> dict[str, bytes]:
    """The content of every listed file, or of `only` some; the others are then not read, nor is what lies in the folders `beside` them.

    Raises BundleError for names that are not plain, for files that are not listed or not there, for links and sizes that are not as listed, and for
    hashes of what is read that are not.
    """
    for name in listed_files:
        if not name or name.startswith(".") or Path(name).name != name or "\\" in name or ":" in name or "\0" in name:
            raise BundleError(f"{folder}: the manifest names the file {name!r}; only plain file names inside the folder are read.")
    try:
        present = {item.name for item in folder.iterdir()}
    except OSError as error:
        raise BundleError(f"{folder}: cannot be read: {error.strerror or error}.") from error
    missing, extra = set(listed_files) - present, present - set(listed_files) - {mark, *beside}
    if missing:
        raise BundleError(f"{folder}: the file {listed(sorted(missing))} is missing; copy the whole folder again.")
    if extra:
        raise BundleError(f"{folder}: the file {listed(sorted(extra))} does not belong to this bundle; remove it, or copy the whole folder again.")
    for name, entry in listed_files.items():  # before any is read: it may be larger than the memory
        _check_size(folder / name, entry)
    return {name: _checked(folder / name, entry) for name, entry in listed_files.items() if only is None or name in only}


def _check_size(path: Path, entry: Mapping[str, Any]) -> None:
    if path.is_symlink() or not path.is_file():
        raise BundleError(f"{path}: this is a link or a folder; a bundle holds plain files only.")
    size = path.stat().st_size
    if size != entry.get("bytes"):
        raise BundleError(f"{path}: the file has {size} bytes, the manifest says {entry.get('bytes')}; copy the whole folder again.")


def _checked(path: Path, entry: Mapping[str, Any]) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror or error}.") from error
    found = sha256(data)
    if found != entry.get("sha256"):
        raise BundleError(
            f"{path}: the file has changed since it was saved (sha256 {found[:12]}…, the manifest says {str(entry.get('sha256'))[:12]}…)."
        )
    return data
