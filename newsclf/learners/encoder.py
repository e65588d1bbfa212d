"""The encoder learner: a frozen sentence encoder and n-grams side by side, under one linear machine a label.

They see different things: together, on a laptop, they are level with a fine-tuned encoder (`scripts/benchmark.py`). The encoder itself is not
changed: a bundle names it and holds its fingerprint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from newsclf.codebook import Codebook
from newsclf.learners.attribution import attribute
from newsclf.learners.blocks import FeatureSpec
from newsclf.learners.embedding import Embedder, EmbeddingSpec, embedder, embedder_for
from newsclf.learners.features import Counted, Features
from newsclf.learners.fused import CountedBeside, Fused, Head, vectors_of, width
from newsclf.learners.linear import LinearModel, search_order
from newsclf.learners.ngrams import Ids
from newsclf.learners.protocol import Contributions, Fitted, Folds, Pairs, Parts
from newsclf.learners.solver import BESIDE, Machines
from newsclf.scores.calibration import Calibration, fit_calibration
from newsclf.scores.metrics import Booleans, Floats, Kind, log_loss

SCALES = (1.0, 2.0, 4.0)
"""Lengths of an article's vector that `embedding: auto` tries, beside 1 for its words."""


FIRST = 1.0
"""C at which the length is chosen."""


@dataclass(frozen=True)
class Reading:
    """Counted pairs with vectors beside them, and the folds whose held-out scores rest on these vectors."""

    counted: Counted
    vectors: Floats
    """[pairs, dims]"""

    dim: int
    """How many of them are the document's own."""

    folds: Folds

    def machines(self, spec: HybridSpec, truth: Booleans) -> Machines:
        """What fits the labels' machines to them."""
        beside = CountedBeside(self.counted.blocks, self.counted.targets, self.vectors, self.dim)
        return Machines(beside, truth, spec.class_weight, spec.min_df, BESIDE)


class HybridSpec(EmbeddingSpec, FeatureSpec):
    """What learners have in common that put an encoder's vectors and n-grams under one machine a label."""

    embedding: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Length of an article's vector beside 1 for its words; auto chooses by cross-validation on the training articles."""

    C: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """Inverse strength of regularisation; auto chooses by cross-validation on the training articles."""

    class_weight: Literal["none", "balanced"] = "none"
    """balanced gives rare labels the weight of frequent ones, as n / (classes · n_class)."""

    def learn(self, reader: Embedder, features: Features, readings: Sequence[Reading], truth: Booleans, kind: Kind) -> Fitted:
        """Choose the vectors' length and C by held-out scores, and fit the last reading's rows with them.

        Each fold stands in one of `readings`; `reader` is what gave the last one its vectors.
        """
        machines = [(reading.machines(self, truth), reading.folds) for reading in readings]
        tried: dict[tuple[float, float], tuple[float, Floats, Calibration]] = {}

        def hold_out(scale: float, values: Sequence[float]) -> None:
            some = [of_vectors.heldout(Fused.of(features, scale), folds, values) for of_vectors, folds in machines if folds]
            for C in values:
                # a row is held out once: the scores of the other readings are zeros there
                heldout = np.sum([scores[C] for scores in some], axis=0)
                calibration = fit_calibration(heldout, truth, kind)
                tried[scale, C] = log_loss(truth, calibration(heldout), kind), heldout, calibration

        # one after the other: every pair of a length and a C would take several times as long
        for scale in SCALES if self.embedding == "auto" else (self.embedding,):
            hold_out(scale, (FIRST if self.C == "auto" else self.C,))
        scale, _ = min(tried, key=lambda key: (tried[key][0], key))
        of_scale = {C: found for (length, C), found in tried.items() if length == scale}
        for wanted in search_order(self.C, of_scale):
            hold_out(scale, [C for C in wanted if C not in of_scale])
            of_scale |= {C: found for (length, C), found in tried.items() if length == scale}
        scale, C = min(tried, key=lambda key: (tried[key][0], key))
        weights, intercepts = machines[-1][0].fit(Fused.of(features, scale), C)
        words = LinearModel(features, np.ascontiguousarray(weights[: len(features)]), intercepts)
        head = Head.of(weights[len(features) :] * np.float32(scale), dim=reader.encoder.dim, targets=len(features.crossed))
        model = EncoderModel(words, head, reader)
        losses = {f"{length:g}, {value:g}": round(found[0], 6) for (length, value), found in sorted(tried.items())}
        chosen = {"C": C, "embedding": scale, "engine": reader.encoder.engine, "cross_validated_log_loss": losses}
        return Fitted(model, *tried[scale, C][1:], chosen)

    def put_together(self, parts: Parts, codebook: Codebook, reader: Embedder) -> EncoderModel:
        """The model of these parts and vectors; raises ValueError where the parts do not fit together."""
        features = Features.rebuild(self, parts, codebook)
        weights, intercepts = parts.array("weights"), parts.array("intercepts").astype(np.float64)
        dim, own = reader.encoder.dim, len(features.crossed)
        head = np.concatenate([parts.array("head"), *([parts.array("head.own").reshape(own * dim, -1)] if own else [])])
        dims = width(dim, is_stance=codebook.is_stance) + own * dim
        wanted = ((len(features), len(codebook.names)), (len(codebook.names),), (dims, len(codebook.names)))
        if (weights.shape, intercepts.shape, head.shape) != wanted:
            raise ValueError(f"the weights are {[list(weights.shape), list(head.shape)]}, codebook, vocabularies and encoder need {list(wanted)}")
        return EncoderModel(LinearModel(features, weights, intercepts), Head.of(head, dim=dim, targets=own), reader)


class EncoderSpec(HybridSpec):
    """Hyper-parameters of the encoder learner."""

    kind: Literal["encoder"] = "encoder"
    """Which learner this block configures."""

    def fit(self, pairs: Pairs, truth: Booleans, codebook: Codebook, folds: Folds) -> Fitted:
        """Learn from coded pairs; C, the vectors' length, held-out scores and final weights from one reading of the articles."""
        reader = embedder(self.encoder, self.engine, self.windows)
        features, counted = Features.learn(self, pairs, codebook)
        return self.learn(reader, features, [Reading(counted, vectors_of(pairs, reader), reader.encoder.dim, folds)], truth, codebook.kind)

    def rebuild(self, parts: Parts, codebook: Codebook) -> EncoderModel:
        """The model that `parts()` took apart; raises ValueError where they do not fit together, and BundleError where its encoder is not here."""
        return self.put_together(parts, codebook, embedder_for(parts, self))


@dataclass(frozen=True)
class EncoderModel:
    """Weights over n-grams and over the encoder's vectors."""

    words: LinearModel
    head: Head
    reader: Embedder

    def scores(self, pairs: Pairs) -> Floats:
        """Margins of the labels' machines. [pairs, labels]"""
        if not len(pairs):
            return self.words.scores(pairs)
        return np.asarray(self.words.scores(pairs) + self.head.scores(vectors_of(pairs, self.reader), self._own(pairs)))

    def _own(self, pairs: Pairs) -> Ids:
        return self.words.features.own(pairs.targets or [""] * len(pairs))

    def coverage(self, pairs: Pairs) -> Floats:
        """1, but where `windows.most` cuts an article off. [pairs]"""
        return np.asarray(self.reader.read(pairs.documents).windows.coverage[pairs.rows])

    def contributions(self, pairs: Pairs, pair: int, labels: Sequence[int]) -> list[Contributions]:
        """What each n-gram added, exactly, and what each word did in the encoder's reading, as `attribute` splits it."""
        one = Pairs(pairs.documents, pairs.rows[pair : pair + 1], pairs.targets[pair : pair + 1])
        head = self.head.about(int(self._own(one)[0]))
        beside = (vectors_of(one, self.reader) @ head)[0]
        read = attribute(one, self.reader, head)
        found = self.words.contributions(pairs, pair, labels)
        return [read.beside(each, label, float(beside[label])) for each, label in zip(found, labels, strict=True)]

    def telling(self, label: int, most: int) -> list[tuple[str, float]]:
        """The words and phrases of the whole article with the largest weights for a label."""
        return self.words.telling(label, most)

    def parts(self) -> Parts:
        """Those of the n-grams, the head, and weights of the encoder that were tuned; the encoder itself is named, not held."""
        words = self.words.parts()
        tuned = {f"encoder.{name}": values for name, values in self.reader.encoder.files.tuned.items()}
        head = {"head": self.head.shared} | ({"head.own": self.head.own} if len(self.head.own) else {})
        return Parts(dict(words.arrays) | head | tuned, words.vocabularies, {"encoder": self.reader.fingerprint})
