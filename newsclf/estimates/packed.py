"""A pack of files for others: a zip archive or a folder with the sha256 of each, of the same bytes whenever the same is packed."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from newsclf.errors import DataError, OutputError, listed
from newsclf.folder import sha256, write_file

CHECKSUMS = "CHECKSUMS.sha256"
"""As sha256sum writes it: `sha256sum -c CHECKSUMS.sha256` checks a pack without newsclf."""

BEGAN = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive: when it was packed must not show in the bytes."""

Files = Iterable[tuple[str, bytes]]
"""Name with / between its parts → content, one at a time."""


def write_pack(output: Path, files: Files) -> dict[str, str]:
    """Write files and their checksums, as a zip archive where the name ends in .zip and as a folder elsewhere; gives name → sha256.

    The pack appears whole or not at all. Raises OutputError where something of that name is there already, or it cannot be written.
    """
    if output.exists():
        raise OutputError(f"{output}: there is something of that name already and it is left as it is; name another, or remove it first.")
    fresh = output.with_name(f".{output.name}.new")
    digests: dict[str, str] = {}
    try:
        shutil.rmtree(fresh, ignore_errors=True)  # of a run that was killed
        (_zip if output.suffix == ".zip" else _folder)(fresh, _summed(files, digests))
        fresh.rename(output)
    except OSError as error:
        raise OutputError(f"{output}: cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            fresh.unlink()  # an archive
        shutil.rmtree(fresh, ignore_errors=True)
    return digests


def _summed(files: Files, digests: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """The files, and at last their checksums."""
    for name, data in files:
        digests[name] = sha256(data)
        yield name, data
    yield CHECKSUMS, "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode("utf-8")


def _zip(path: Path, files: Files) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, BEGAN)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, data)


def _folder(path: Path, files: Files) -> None:
    for name, data in files:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        write_file(path / name, data)


def check_pack(path: str | Path) -> dict[str, str]:
    """Whether every file of a pack is as it was written, and no other is there; gives name → sha256.

    Raises DataError for what is no pack, and names the files that have changed, are gone, or were added.
    """
    path = Path(path)
    try:
        if path.is_dir():
            names = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
            return _checked(path, ((name, (path / name).read_bytes()) for name in sorted(names)))
        with zipfile.ZipFile(path) as archive:
            return _checked(path, ((name, archive.read(name)) for name in sorted(archive.namelist())))
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError, ValueError) as error:
        raise DataError(f"{path}: this pack cannot be read ({str(error).rstrip('.')}); get it again from where it was published.") from error


def _checked(path: Path, files: Files) -> dict[str, str]:
    found, wanted = {}, None
    for name, data in files:
        if name == CHECKSUMS:
            wanted = _read(data.decode("utf-8"))
        else:
            found[name] = sha256(data)
    if wanted is None:
        raise DataError(f"{path}: this is no replication pack of newsclf: there is no {CHECKSUMS} in it.")
    changed = [name for name in sorted(found.keys() & wanted.keys()) if found[name] != wanted[name]]
    kinds: Mapping[str, list[str]] = {"changed": changed, "gone": sorted(wanted.keys() - found.keys()), "added": sorted(found.keys() - wanted.keys())}
    if any(kinds.values()):
        told = "; ".join(f"{what}: {listed(names, most=4)}" for what, names in kinds.items() if names)
        raise DataError(f"{path}: this pack is not as it was written ({told}); get it again from where it was published.")
    return found


def _read(text: str) -> dict[str, str]:
    pairs = [line.partition("  ")[::2] for line in text.splitlines()]
    return {name: digest for digest, name in pairs}


def unpack(path: str | Path, folder: str | Path) -> Path:
    """Check an archive and write its files into a new folder, which is given back.

    Raises DataError as `check_pack` does, and for names that lead out of the folder; OutputError where the folder is there or cannot be written.
    """
    path, folder = Path(path), Path(folder)
    names = check_pack(path)
    if out := [name for name in names if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name or ":" in name]:
        raise DataError(f"{path}: the pack names the file {out[0]!r}, which lies outside of it; it was not made by newsclf. Do not unpack it.")
    if folder.exists():
        raise OutputError(f"{folder}: there is something of that name already and it is left as it is; name another folder.")
    try:
        with zipfile.ZipFile(path) as archive:
            _folder(folder, ((name, archive.read(name)) for name in [*names, CHECKSUMS]))
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}.") from error
    return folder
