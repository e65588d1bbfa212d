"""Encoders of saved models: stored once for all models of a folder, and put into a model that is to go elsewhere."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsclf.errors import OutputError
from newsclf.folder import replace_folder
from newsclf.learners.encoder_files import EncoderFiles
from newsclf.learners.encoder_store import INSIDE, encoder_of, put, stored
from newsclf.learners.protocol import Parts
from newsclf.manifest import MANIFEST, Manifest, contents, refused

logger = logging.getLogger("newsclf")


@dataclass(frozen=True)
class Packed:
    """A model that needs nothing beside its folder."""

    folder: Path
    fingerprint: str
    """Of the model; packing does not change it."""

    size: int
    """Bytes of all its files."""

    encoder: str = ""
    """Fingerprint of the encoder inside it; empty where it has none."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"model": str(self.folder), "fingerprint": self.fingerprint, "bytes": self.size, "encoder": self.encoder}

    def text(self) -> str:
        """What was done, for people."""
        if not self.encoder:
            return f"{self.folder}: this model has no encoder, so its folder holds everything already, {_bytes(self.size)}; there is nothing to pack"
        sizes = f"{_bytes(self.size)} with its encoder {self.encoder[:16]}"
        return f"{self.folder}: {sizes}; copy the folder anywhere\nfingerprint {self.fingerprint[:16]}, as before"


def pack(model: str | Path, output: str | Path | None = None) -> Packed:
    """Put a model's encoder into its folder, or into a copy of it in `output`; a model without an encoder is left, or copied, as it is.

    Neither the model nor the encoder is run: their files are checked by their hashes. Raises BundleError where the model is damaged or its encoder is
    not here, OutputError where the folder cannot be written or holds something else than a model.
    """
    source = Path(model)
    goal = source if output is None else Path(output)
    manifest, fingerprint, data = contents(source)
    files = _encoder_of(manifest, source)
    if goal.resolve() != source.resolve():
        replace_folder(goal, data | {MANIFEST: (source / MANIFEST).read_bytes()}, mark=MANIFEST)
    if files is not None:
        home = goal.resolve()
        put(files, home / INSIDE, workshop=home.parent)
    size = sum(path.stat().st_size for path in goal.rglob("*") if path.is_file())
    return Packed(goal, fingerprint, size, files.identity if files else "")


def store_encoder(model: str | Path) -> Path | None:
    """Have the encoder of a saved model in the store beside it, where other models of the folder find it too: its place, None where it has none.

    What stands in the way of that is told in the log: the model is whole, and works here without it. Raises what `pack` raises of the model.
    """
    home = Path(model)
    manifest, _, _ = contents(home, only=())
    files = _encoder_of(manifest, home)
    try:
        return stored(files, home.resolve().parent) if files else None
    except OutputError as error:
        logger.warning("%s The model works here; for another machine, run  newsclf pack %s", error, model)
        return None


def _encoder_of(manifest: Manifest, home: Path) -> EncoderFiles | None:
    with refused(home):
        parts = Parts({}, {}, manifest.external, home)
        return encoder_of(parts, str(manifest.learner.get("encoder", ""))) if manifest.external else None


def _bytes(number: int) -> str:
    return f"{number / 1e6:,.1f} MB" if number >= 1e6 else f"{number / 1e3:,.0f} kB"
