"""Where the encoder of a model lies: inside its bundle, in a store that the models of a folder share, or where its spec says."""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
from pathlib import Path

from newsclf.errors import BundleError, ConfigError, OutputError
from newsclf.folder import fsync_folder
from newsclf.learners.encoder_files import EncoderFiles, encoder_files
from newsclf.learners.protocol import Parts

logger = logging.getLogger("newsclf")

INSIDE, BESIDE = "encoder", "encoders"
"""Folder of a bundle that holds its encoder; folder beside bundles that holds the encoders of all."""

ABOVE = 4
"""Folders above a bundle in which a store is looked for: the bundles in the record of a run share that of the models."""

FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def short(fingerprint: str) -> str:
    """Name of an encoder's folder in a store."""
    return fingerprint[:16]


def encoder_of(parts: Parts, name: str) -> EncoderFiles:
    """The encoder that a model was made with: of the places where it may be the first that has it. `name` is what the model's spec says.

    Raises ValueError where the parts do not say which encoder it is, MissingExtra where a hub is asked for without the `neural` extra, and
    BundleError, with all that was tried, where no place has it.
    """
    wanted = parts.external.get("encoder", "")
    if not FINGERPRINT.fullmatch(wanted):
        raise ValueError(f"its manifest must give the fingerprint of its encoder, and gives {wanted!r}")
    tried = []
    places: list[str | Path] = [*_places(parts.home, wanted), name]
    for place in places:
        if isinstance(place, Path) and not place.is_dir():
            continue
        try:
            files = encoder_files(place)
        except (BundleError, ConfigError) as error:
            tried.append(str(error).rstrip("."))
            continue
        if wanted in (files.identity, files.base):  # the second in models of an older newsclf
            return files
        tried.append(f"{place}: this encoder is another one than the model was made with")
    raise BundleError(_nowhere(parts.home, name, wanted, tried))


def _places(home: Path | None, wanted: str) -> list[Path]:
    if home is None:
        return []
    return [home / INSIDE, *(folder / BESIDE / short(wanted) for folder in home.resolve().parents[:ABOVE])]


def _nowhere(home: Path | None, name: str, wanted: str, tried: list[str]) -> str:
    """One paragraph: what is missing, where it was looked for, what to do."""
    if home is None:
        return f"{'; '.join(tried)}; get that one, or train again."
    looked = f"It is looked for in {home / INSIDE}, in {home.parent / BESIDE / short(wanted)}, and as {name!r}: {'; '.join(tried)}."
    advice = f"Where the model works, run  newsclf pack {home}  and copy the folder anew, or copy the folder {BESIDE!r} beside the models as well."
    return f"{home}: the encoder that this model was made with is not here (fingerprint {short(wanted)}). {looked} {advice}"


def stored(files: EncoderFiles, models: Path) -> Path:
    """The folder of an encoder in the store of a folder of models, where it is put unless it is there; raises OutputError as `put` does."""
    goal = models / BESIDE / short(files.identity)
    put(files, goal, workshop=models / BESIDE)
    return goal


def put(files: EncoderFiles, goal: Path, *, workshop: Path) -> None:
    """Have an encoder in a folder that appears whole or not at all; where it is there already, nothing is done.

    It is made in `workshop`, of the same file system. Any number of processes may do so at once. Raises OutputError where it cannot be written, or
    changes while it is copied.
    """
    if _holds(goal, files.identity):
        return
    final = files.folder.parent.name == BESIDE and files.folder.name == short(files.identity)
    fresh, old = (workshop / f".{goal.name}.{state}-{secrets.token_hex(4)}" for state in ("new", "old"))
    try:
        damaged = goal.exists()
        goal.parent.mkdir(parents=True, exist_ok=True)
        for name in files.names:
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            _same(files.folder / name, fresh / name, final=final)
        fsync_folder(fresh)
        if not _holds(fresh, files.identity):
            raise OutputError(f"{goal}: the encoder in {files.folder} has changed since it was opened, and is not stored; train again.")
        if damaged:
            goal.rename(old)
        fresh.rename(goal)
        fsync_folder(goal.parent)
    except OSError as error:
        if not _holds(goal, files.identity):  # nor has another process put it there meanwhile
            raise OutputError(f"{goal}: the encoder cannot be written here: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _holds(folder: Path, identity: str) -> bool:
    """Whether a folder has this encoder, whole."""
    try:
        return folder.is_dir() and encoder_files(folder).identity == identity
    except BundleError:
        return False


def _same(source: Path, target: Path, *, final: bool) -> None:
    """A hard link where nobody writes into the source again, as in a hub's cache (which links lead to) and in a store (`final`); else a copy."""
    if final or source.is_symlink():
        try:
            os.link(source.resolve(), target)
            return
        except (OSError, NotImplementedError):  # another file system, or one that has no links
            logger.debug("%s: copied, as it cannot be linked", source)
    shutil.copyfile(source, target)
    with target.open("rb+") as stream:
        os.fsync(stream.fileno())
