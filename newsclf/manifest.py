"""The manifest of a bundle: what it says of itself, and the files that it vouches for, checked before any of them is parsed."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from newsclf import __version__
from newsclf.corpus.clean import CleanSpec
from newsclf.errors import BundleError, ConfigError
from newsclf.folder import checked_files, sha256
from newsclf.learners.encoder_store import INSIDE
from newsclf.spec import Spec, Tree

FORMAT = 2
"""Number of the bundle format. Raise it when an older newsclf could not read a new bundle rightly; keep reading every older one, and put a bundle
of the old format under tests/fixtures so that the suite proves it."""

MANIFEST = "manifest.json"
CODEBOOK = "codebook.yaml"
EXTERNALS = {INSIDE}
"""Folders that `newsclf pack` puts into a bundle; what is in them the manifest's `external` vouches for, by its fingerprint."""


class Manifest(Spec):
    """What a bundle says of itself; every number that scoring needs and that is not a weight."""

    format: int
    """Number of the bundle format."""
    newsclf: str
    """Version that wrote it."""
    task: str
    """The codebook's task."""
    labels: tuple[str, ...]
    """Label names in the order of the weights' columns."""
    tokens: int
    """Number of the token definition."""
    learner: dict[str, Any]
    """The learner's spec."""
    clean: CleanSpec
    """How articles are cleaned before they are read."""
    calibration: dict[str, list[float]]
    """What its Calibration is made of."""
    decision: dict[str, Any]
    """Thresholds and limits of the decision."""
    about: dict[str, Any]
    """What it was trained on and how it did, for people and model cards."""
    external: dict[str, str] = {}
    """Large parts stored once beside several bundles: name → sha256."""
    files: dict[str, dict[str, int | str]]
    """Name → size in bytes and sha256 of every other file."""


def contents(folder: Path, *, only: Container[str] | None = None) -> tuple[Manifest, str, dict[str, bytes]]:
    """Manifest, fingerprint and files of a bundle, or `only` some; raises BundleError as `Bundle.load` does for what it looks at."""
    with refused(folder):
        tree, fingerprint = _manifest_tree(folder)
        manifest = Manifest.parse(tree, where=MANIFEST)
        packed = set(manifest.external) & EXTERNALS
        return manifest, fingerprint, checked_files(folder, manifest.files, mark=MANIFEST, only=only, beside=packed)


@contextmanager
def refused(folder: Path) -> Iterator[None]:
    """Whatever is wrong with what a folder holds, as a BundleError."""
    try:
        yield
    except OSError as error:
        raise BundleError(f"{folder}: this model cannot be read: {error.strerror or error}.") from error
    except KeyError as error:
        raise BundleError(f"{folder}: this bundle does not fit together: {error} is missing.") from error
    # a file of the right hash may still hold anything: whoever makes a bundle also writes its hashes
    except (ConfigError, ValueError, TypeError, IndexError, RecursionError) as error:
        raise BundleError(f"{folder}: this bundle does not fit together: {str(error).rstrip('.')}.".replace("\n", " ")) from error


def _manifest_tree(folder: Path) -> tuple[Tree, str]:
    path = folder / MANIFEST
    if not folder.exists():
        raise BundleError(f"{folder}: there is no such model. Train one with  newsclf train CONFIG")
    if not folder.is_dir() or path.is_symlink() or not path.is_file():
        raise BundleError(f"{folder}: this is no newsclf bundle: a bundle is a folder with a {MANIFEST}.")
    data = path.read_bytes()
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: this is not JSON, and so no bundle's manifest: {error}.") from error
    number = tree.get("format") if isinstance(tree, dict) else None
    if number is None:
        raise BundleError(f"{path}: this is no newsclf bundle: its {MANIFEST} has no format number.")
    if number not in range(1, FORMAT + 1):
        made = f"It was written by newsclf {tree.get('newsclf', '(unknown)')}; this is {__version__}."
        raise BundleError(f"{path}: it has format {number!r}; this newsclf reads formats up to {FORMAT}. {made} Upgrade newsclf, or train again.")
    return tree, sha256(data)
