"""The encoder learner: a frozen sentence encoder and n-grams side by side, under one linear machine a label.

They see different things: together, on a laptop, they are level with a fine-tuned encoder (`scripts/benchmark.py`). The encoder itself is not
changed and not copied: a bundle names it and holds its fingerprint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from newsclf.codebook import Codebook
from newsclf.errors import BundleError
from newsclf.learners.blocks import FeatureSpec
from newsclf.learners.embedding import Embedder, embedder
from newsclf.learners.features import Features
from newsclf.learners.fused import CountedBeside, Fused, vectors_of
from newsclf.learners.linear import LinearModel, search_order
from newsclf.learners.protocol import Contributions, Fitted, Folds, LearnerSpec, Pairs, Parts
from newsclf.learners.solver import Machines
from newsclf.learners.windows import WindowSpec
from newsclf.scores.calibration import Calibration, fit_calibration
from newsclf.scores.metrics import Booleans, Floats, log_loss

SCALES = (1.0, 2.0, 4.0)
"""Lengths of an article's vector that `embedding: auto` tries, beside 1 for its words."""


FIRST = 1.0
"""C at which the length is chosen."""


class EncoderSpec(LearnerSpec, FeatureSpec):
    """Hyper-parameters of the encoder learner."""

    kind: Literal["encoder"] = "encoder"
    """Which learner this block configures."""

    externals: ClassVar[tuple[str, ...]] = ("encoder",)

    tolerance: ClassVar[float] = 0.05
    """Engines of other machines compute in other precisions."""

    encoder: str = Field(default="sentence-transformers/all-MiniLM-L6-v2", min_length=1)
    """Hub name, or folder, of a sentence encoder: safetensors and tokenizer.json."""

    engine: str = "auto"
    """What it runs on; auto takes the fastest that the machine has."""

    windows: WindowSpec = WindowSpec()
    """How articles are cut that are longer than the encoder reads."""

    embedding: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Length of an article's vector beside 1 for its words; auto chooses by cross-validation on the training articles."""

    C: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Inverse strength of regularisation; auto chooses by cross-validation on the training articles."""

    class_weight: Literal["none", "balanced"] = "none"
    """balanced gives rare labels the weight of frequent ones, as n / (classes · n_class)."""

    @model_validator(mode="after")
    def _learns_no_attention(self) -> EncoderSpec:
        if self.windows.pooling == "attention":
            raise ValueError("'windows.pooling': attention is learnt with the encoder, and this one is frozen; take mean or max")
        return self

    def fit(self, pairs: Pairs, truth: Booleans, codebook: Codebook, folds: Folds) -> Fitted:
        """Learn from coded pairs; C, the vectors' length, held-out scores and final weights from one reading of the articles."""
        reader = embedder(self.encoder, self.engine, self.windows)
        features, counted = Features.learn(self, pairs, codebook)
        beside = CountedBeside(counted.blocks, counted.targets, vectors_of(pairs, reader))
        machines = Machines(beside, truth, self.class_weight, self.min_df)
        tried: dict[tuple[float, float], tuple[float, Floats, Calibration]] = {}

        def hold_out(scale: float, values: Sequence[float]) -> None:
            for C, heldout in machines.heldout(Fused.of(features, scale), folds, values).items():
                calibration = fit_calibration(heldout, truth, codebook.kind)
                tried[scale, C] = log_loss(truth, calibration(heldout), codebook.kind), heldout, calibration

        # one after the other: every pair of a length and a C would take several times as long
        for scale in SCALES if self.embedding == "auto" else (self.embedding,):
            hold_out(scale, (FIRST if self.C == "auto" else self.C,))
        scale, _ = min(tried, key=lambda key: (tried[key][0], key))
        of_scale = {C: found for (length, C), found in tried.items() if length == scale}
        for wanted in search_order(self.C, of_scale):
            hold_out(scale, [C for C in wanted if C not in of_scale])
            of_scale |= {C: found for (length, C), found in tried.items() if length == scale}
        scale, C = min(tried, key=lambda key: (tried[key][0], key))
        weights, intercepts = machines.fit(Fused.of(features, scale), C)
        words = LinearModel(features, np.ascontiguousarray(weights[: len(features)]), intercepts)
        model = EncoderModel(words, np.ascontiguousarray(weights[len(features) :] * np.float32(scale)), reader)
        losses = {f"{length:g}, {value:g}": round(found[0], 6) for (length, value), found in sorted(tried.items())}
        chosen = {"C": C, "embedding": scale, "engine": reader.encoder.engine, "cross_validated_log_loss": losses}
        return Fitted(model, *tried[scale, C][1:], chosen)

    def rebuild(self, parts: Parts, codebook: Codebook) -> EncoderModel:
        """The model that `parts()` took apart; raises ValueError where the parts do not fit together, and BundleError for another encoder."""
        features = Features.rebuild(self, parts, codebook)
        weights, intercepts = parts.array("weights"), parts.array("intercepts").astype(np.float64)
        head = parts.array("head")
        reader = embedder(self.encoder, self.engine, self.windows)
        if parts.external.get("encoder") != reader.fingerprint:
            raise BundleError(f"{self.encoder}: this encoder is another one than the model was trained with; get that one, or train again.")
        dims = reader.encoder.dim * (2 if codebook.is_stance else 1)
        wanted = ((len(features), len(codebook.names)), (len(codebook.names),), (dims, len(codebook.names)))
        if (weights.shape, intercepts.shape, head.shape) != wanted:
            raise ValueError(f"the weights are {[list(weights.shape), list(head.shape)]}, codebook, vocabularies and encoder need {list(wanted)}")
        return EncoderModel(LinearModel(features, weights, intercepts), head, reader)


@dataclass(frozen=True)
class EncoderModel:
    """Weights over n-grams and over the encoder's vectors."""

    words: LinearModel
    head: np.ndarray
    """float32 [dims, labels]"""

    reader: Embedder

    def scores(self, pairs: Pairs) -> Floats:
        """Margins of the labels' machines. [pairs, labels]"""
        if not len(pairs):
            return self.words.scores(pairs)
        return np.asarray(self.words.scores(pairs) + vectors_of(pairs, self.reader) @ self.head.astype(np.float64))

    def coverage(self, pairs: Pairs) -> Floats:
        """1, but where `windows.most` cuts an article off. [pairs]"""
        return np.asarray(self.reader.read(pairs.documents).windows.coverage[pairs.rows])

    def contributions(self, pairs: Pairs, pair: int, labels: Sequence[int]) -> list[Contributions]:
        """What each n-gram added, exactly; what the encoder's vector added stands for the article as a whole, in `rest`."""
        one = Pairs(pairs.documents, pairs.rows[pair : pair + 1], pairs.targets[pair : pair + 1])
        beside = (vectors_of(one, self.reader) @ self.head.astype(np.float64))[0]
        found = self.words.contributions(pairs, pair, labels)
        return [
            Contributions(each.positions, each.weights, each.phrases, each.rest + float(beside[label]))
            for each, label in zip(found, labels, strict=True)
        ]

    def telling(self, label: int, most: int) -> list[tuple[str, float]]:
        """The words and phrases of the whole article with the largest weights for a label."""
        return self.words.telling(label, most)

    def parts(self) -> Parts:
        """Those of the n-grams, and the head; the encoder is named, not held."""
        words = self.words.parts()
        return Parts(dict(words.arrays) | {"head": self.head}, words.vocabularies, {"encoder": self.reader.fingerprint})
