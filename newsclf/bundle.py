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

from newsclf import __version__
from newsclf.card import model_card
from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanSpec
from newsclf.errors import BundleError, OutputError, listed
from newsclf.folder import replace_folder, sha256
from newsclf.golden import golden_pairs
from newsclf.learners.mentions import mentioned
from newsclf.learners.ngrams import TOKENS
from newsclf.learners.protocol import Documents, LearnerSpec, Model, Pairs, Parts, learner_spec
from newsclf.manifest import CODEBOOK, FORMAT, MANIFEST, Manifest, contents, refused
from newsclf.scores.calibration import Calibration
from newsclf.scores.decision import Decision
from newsclf.scores.metrics import Booleans, Floats
from newsclf.spec import parse_yaml
from newsclf.tensors import Arrays, tensor_bytes, tensors


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
        other = Path(folder) / MANIFEST
        if other.is_file() and b'"newsclf"' not in other.read_bytes():  # web sites and browser extensions have a manifest.json too
            raise OutputError(f"{other}: this is no bundle's manifest, so the folder is left as it is; name another output folder.")
        parts = self.model.parts()
        files = self._files(parts)
        manifest = Manifest(
            format=FORMAT,
            newsclf=__version__,
            task=self.codebook.task,
            labels=self.codebook.names,
            tokens=TOKENS,
            learner=self.learner.resolved(),
            clean=self.clean,
            calibration=self.calibration.as_dict(),
            decision=self.decision.as_dict(),
            about=dict(self.about),
            external=dict(parts.external),
            files={name: {"bytes": len(data), "sha256": sha256(data)} for name, data in sorted(files.items())},
        )
        text = json.dumps(manifest.resolved(), indent=1, ensure_ascii=False) + "\n"
        replace_folder(Path(folder), files | {MANIFEST: text.encode()}, mark=MANIFEST)
        return sha256(text.encode())

    def _files(self, parts: Parts) -> dict[str, bytes]:
        try:
            weights = tensor_bytes(parts.arrays)
        except ValueError as error:
            raise BundleError(f"the bundle was not saved: {error}.") from error
        pairs = golden_pairs(parts, self.codebook)
        scores = self.model.scores(pairs)
        golden = {
            "titles": list(pairs.documents.titles),
            "texts": list(pairs.documents.texts),
            "targets": list(pairs.targets),
            "scores": scores.tolist(),
            "probabilities": self.calibration(scores).tolist(),
            "tolerance": self.learner.tolerance,  # stated for people; what is allowed is not for a file to say
        }
        vocabularies = {f"vocabulary.{name}.txt": "\n".join(terms).encode() for name, terms in parts.vocabularies.items()}
        return vocabularies | {
            "weights.safetensors": weights,
            CODEBOOK: self.codebook.to_yaml().encode(),
            "golden.json": (json.dumps(golden, ensure_ascii=False) + "\n").encode(),
            "README.md": model_card(self.codebook, self.learner, self.about).encode(),
        }

    @classmethod
    def load(cls, folder: str | Path) -> tuple[Bundle, str]:
        """The bundle in a folder and its fingerprint; raises BundleError with a full sentence for everything that is not as it must be."""
        folder = Path(folder)
        with refused(folder):
            manifest, fingerprint, data = contents(folder)  # checked before any of them is parsed
            bundle = _construct(manifest, data, folder)
            _replay(bundle, data["golden.json"])
        return bundle, fingerprint


def outline(folder: str | Path) -> tuple[Codebook, str]:
    """The codebook and the fingerprint of a bundle whose weights are not read; raises BundleError as `Bundle.load` does for what it looks at."""
    folder = Path(folder)
    with refused(folder):
        _, fingerprint, data = contents(folder, only=(CODEBOOK,))
        codebook = Codebook.parse(parse_yaml(data[CODEBOOK].decode("utf-8"), where=CODEBOOK), where=CODEBOOK)
    return codebook, fingerprint


def _construct(manifest: Manifest, data: Mapping[str, bytes], folder: Path) -> Bundle:
    if manifest.tokens != TOKENS:
        raise ValueError(f"its words are defined by rule {manifest.tokens}, this newsclf knows rule {TOKENS}")
    codebook = Codebook.parse(parse_yaml(data[CODEBOOK].decode("utf-8"), where=CODEBOOK), where=CODEBOOK)
    told, written = ((item.task, *names) for item, names in ((manifest, manifest.labels), (codebook, codebook.names)))
    if told != written:
        raise ValueError(f"the manifest is for the task and labels {listed(told)}, the codebook for {listed(written)}")
    learner = learner_spec(manifest.learner).parse(manifest.learner, where=f"{MANIFEST}, learner")
    if strange := set(manifest.external) - set(learner.externals):
        raise ValueError(f"it refers to files stored elsewhere, {listed(strange)}, which this newsclf cannot find")
    vocabularies = {
        name.removeprefix("vocabulary.").removesuffix(".txt"): content.decode("utf-8").split("\n") if content else []  # not [""]
        for name, content in data.items()
        if name.startswith("vocabulary.")
    }
    model = learner.rebuild(Parts(_weights(data["weights.safetensors"]), vocabularies, manifest.external, folder), codebook)
    calibration = _calibration(manifest, codebook)
    decision = Decision.of_dict(codebook.kind, manifest.decision)
    if {calibration.slopes.shape, decision.thresholds.shape} != {(len(codebook.names),)}:
        raise ValueError("calibration and thresholds need one number for each label")
    return Bundle(codebook, learner, manifest.clean, model, calibration, decision, manifest.about)


def _calibration(manifest: Manifest, codebook: Codebook) -> Calibration:
    if manifest.format == 1 and codebook.kind == "exclusive":
        return Calibration.of_softmax(**{name: np.array(numbers) for name, numbers in manifest.calibration.items()})
    return Calibration.of_dict(codebook.kind, manifest.calibration)


def _weights(data: bytes) -> Arrays:
    try:
        return tensors(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"weights.safetensors cannot be read: {error}") from error


@np.errstate(all="ignore")  # damaged numbers may overflow; that they moved is what is told
def _replay(bundle: Bundle, data: bytes) -> None:
    """Answer the golden inputs again; raises ValueError where a score or a probability moved."""
    golden = json.loads(data)
    documents = Documents(golden["titles"], golden["texts"])
    pairs = Pairs(documents, np.arange(len(documents)), golden["targets"])
    before, probabilities = np.array(golden["scores"]), np.array(golden["probabilities"])
    # from the scores as they were: a steep calibration would make the rounding of another machine's sums look large
    calibrated = bundle.calibration(before)
    bundle.decision(calibrated)
    for was, now in ((before, bundle.model.scores(pairs)), (probabilities, calibrated)):
        moved = np.abs(was - now).max(initial=0.0) if was.shape == now.shape else np.inf
        if not moved <= bundle.learner.tolerance:
            raise ValueError(
                f"the golden inputs score differently here, by up to {moved:.3g} where {bundle.learner.tolerance:g} is allowed: the manifest has "
                "changed, or a library that scoring rests on. Train again, or install the versions that the bundle's README names"
            )
