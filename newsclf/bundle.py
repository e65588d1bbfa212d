"""A bundle: the folder that holds everything needed to score later, and nothing that executes.

Saving writes beside the goal, reads back, fsyncs, and renames. Loading validates everything, then constructs: manifest, names, sizes, hashes,
tensors, codebook, and at last the golden inputs, whose scores must come out as they were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load as read_tensors
from safetensors.numpy import save as tensor_bytes

from newsclf.card import model_card
from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanSpec
from newsclf.errors import BundleError, ConfigError, listed
from newsclf.folder import checked_files, replace_folder, sha256
from newsclf.golden import golden_pairs
from newsclf.learners.mentions import mentioned
from newsclf.learners.ngrams import TOKENS
from newsclf.learners.protocol import Documents, LearnerSpec, Model, Pairs, Parts, learner_spec
from newsclf.scores.calibration import Calibration
from newsclf.scores.decision import Decision
from newsclf.scores.metrics import Booleans, Floats
from newsclf.spec import Spec, Tree

FORMAT = 1
"""Number of the bundle format. Raise it when an older newsclf could not read a new bundle rightly; keep reading every older one, and put a bundle
of the old format under tests/fixtures so that the suite proves it."""

TOLERANCE = 1e-4
"""How far a golden score may move, in logits: the rounding of float32 sums on other machines, and no more."""

LARGEST_HEADER = 1 << 20
MANIFEST = "manifest.json"


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
    """Slope and shift of each label."""

    decision: dict[str, Any]
    """Thresholds and limits of the decision."""

    about: dict[str, Any]
    """What it was trained on and how it did, for people and model cards."""

    external: dict[str, str] = {}
    """Large parts stored once beside several bundles: name → sha256."""

    files: dict[str, dict[str, int | str]]
    """Name → size in bytes and sha256 of every other file."""


@dataclass(frozen=True)
class Bundle:
    """A model with everything around it that makes its scores mean something."""

    codebook: Codebook
    learner: LearnerSpec
    clean: CleanSpec
    model: Model
    calibration: Calibration
    decision: Decision
    about: Mapping[str, Any] = field(default_factory=dict)

    def answer(self, pairs: Pairs) -> tuple[Floats, Booleans]:
        """Calibrated probabilities and decided labels. [pairs, labels] each"""
        probabilities = self.calibration(self.model.scores(pairs))
        return probabilities, self.decision(probabilities, mentioned(self.codebook, pairs) if pairs.targets else None)

    def save(self, folder: str | Path) -> str:
        """Write the bundle, in place of an older one if there is one; gives its fingerprint.

        Raises OutputError where the folder holds something else or cannot be written: nothing is lost then.
        """
        files = self._files()
        manifest = Manifest(
            format=FORMAT,
            newsclf=_version(),
            task=self.codebook.task,
            labels=self.codebook.names,
            tokens=TOKENS,
            learner=self.learner.resolved(),
            clean=self.clean,
            calibration=self.calibration.as_dict(),
            decision=self.decision.as_dict(),
            about=dict(self.about),
            files={name: {"bytes": len(data), "sha256": sha256(data)} for name, data in sorted(files.items())},
        )
        text = json.dumps(manifest.resolved(), indent=1, ensure_ascii=False) + "\n"
        replace_folder(Path(folder), files | {MANIFEST: text.encode()}, mark=MANIFEST)
        return sha256(text.encode())

    def _files(self) -> dict[str, bytes]:
        parts = self.model.parts()
        arrays = {name: np.ascontiguousarray(array) for name, array in parts.arrays.items()}
        weights = tensor_bytes(arrays)
        # safetensors 0.8 scrambles arrays that are not C-contiguous without a word (issue 825): what was written is read and compared
        for name, array in read_tensors(weights).items():
            if not np.array_equal(array, arrays[name]):
                raise BundleError(f"{name}: safetensors did not write this array as it is; the bundle was not saved.")
        pairs = golden_pairs(parts, self.codebook)
        scores = self.model.scores(pairs)
        golden = {
            "titles": list(pairs.documents.titles),
            "texts": list(pairs.documents.texts),
            "targets": list(pairs.targets),
            "scores": scores.tolist(),
            "probabilities": self.calibration(scores).tolist(),
            "tolerance": TOLERANCE,
        }
        vocabularies = {f"vocabulary.{name}.txt": "\n".join(terms).encode() for name, terms in parts.vocabularies.items()}
        return vocabularies | {
            "weights.safetensors": weights,
            "codebook.yaml": self.codebook.to_yaml().encode(),
            "golden.json": (json.dumps(golden, ensure_ascii=False) + "\n").encode(),
            "README.md": model_card(self.codebook, self.learner, self.about).encode(),
        }

    @classmethod
    def load(cls, folder: str | Path) -> tuple[Bundle, str]:
        """The bundle in a folder and its fingerprint; raises BundleError with a full sentence for everything that is not as it must be."""
        folder = Path(folder)
        tree, fingerprint = _manifest_tree(folder)
        try:
            manifest = Manifest.parse(tree, where=f"{folder / MANIFEST}")
            data = checked_files(folder, manifest.files, mark=MANIFEST)
            bundle = _construct(folder, manifest, data)
        except (ConfigError, ValidationError, ValueError, KeyError, TypeError) as error:
            raise BundleError(f"{folder}: this bundle does not fit together: {error}") from error
        _replay(folder, bundle, data["golden.json"])
        return bundle, fingerprint


def _version() -> str:
    from newsclf import __version__

    return __version__


def _manifest_tree(folder: Path) -> tuple[Tree, str]:
    path = folder / MANIFEST
    if not folder.exists():
        raise BundleError(f"{folder}: there is no such model. Train one with  newsclf train CONFIG")
    if not folder.is_dir() or path.is_symlink() or not path.is_file():
        raise BundleError(f"{folder}: this is no newsclf bundle: a bundle is a folder with a {MANIFEST}.")
    data = path.read_bytes()
    try:
        tree = json.loads(data)
        number = tree["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError(f"{path}: this is not the manifest of a bundle ({error!r}).") from error
    if number != FORMAT:
        made = f"It was written by newsclf {tree.get('newsclf', '(unknown)')}; this is {_version()}."
        raise BundleError(f"{path}: the bundle has format {number!r} and this newsclf reads format {FORMAT}. {made} Upgrade newsclf, or train again.")
    return tree, sha256(data)


def _construct(folder: Path, manifest: Manifest, data: Mapping[str, bytes]) -> Bundle:
    if manifest.tokens != TOKENS:
        raise ValueError(f"its words are defined by rule {manifest.tokens}, this newsclf knows rule {TOKENS}")
    if manifest.external:
        raise ValueError(f"it refers to files stored elsewhere, {listed(manifest.external)}, which this newsclf cannot find")
    codebook = Codebook.parse(yaml.safe_load(data["codebook.yaml"]), where=str(folder / "codebook.yaml"))
    if codebook.names != manifest.labels or codebook.task != manifest.task:
        raise ValueError(f"the manifest lists the labels {listed(manifest.labels)}, the codebook {listed(codebook.names)}")
    learner = learner_spec(manifest.learner).parse(manifest.learner, where=str(folder / MANIFEST))
    vocabularies = {
        name.removeprefix("vocabulary.").removesuffix(".txt"): content.decode("utf-8").split("\n") if content else []
        for name, content in data.items()
        if name.startswith("vocabulary.")
    }
    model = learner.rebuild(Parts(_tensors(data["weights.safetensors"]), vocabularies), codebook)
    calibration = Calibration(codebook.kind, **{name: np.array(values) for name, values in manifest.calibration.items()})
    decision = Decision.of_dict(codebook.kind, manifest.decision)
    if {len(calibration.slopes), len(decision.thresholds)} != {len(codebook.names)}:
        raise ValueError("calibration and thresholds need one number for each label")
    return Bundle(codebook, learner, manifest.clean, model, calibration, decision, manifest.about)


def _tensors(data: bytes) -> dict[str, np.ndarray]:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(LARGEST_HEADER, len(data) - 8):
        raise ValueError(f"weights.safetensors announces a header of {length} bytes; at most {LARGEST_HEADER} are read")
    try:
        arrays = read_tensors(data)
    except SafetensorError as error:
        raise ValueError(f"weights.safetensors cannot be read: {error}") from error
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"the weights {name!r} hold values that are not numbers (NaN or infinite)")
    return arrays


def _replay(folder: Path, bundle: Bundle, data: bytes) -> None:
    """Score the golden inputs again; raises BundleError where a score moved."""
    golden = json.loads(data)
    documents = Documents(golden["titles"], golden["texts"])
    pairs = Pairs(documents, np.arange(len(documents)), golden["targets"])
    before, now = np.array(golden["scores"]), bundle.model.scores(pairs)
    moved = np.abs(before - now).max(initial=0.0) if before.shape == now.shape else np.inf
    if not moved <= TOLERANCE:
        raise BundleError(
            f"{folder}: the golden inputs score differently here: the largest difference is {moved:.3g}, allowed is {TOLERANCE:g}. "
            "A library that scoring rests on has changed: train again, or install the versions that the bundle's README names."
        )
