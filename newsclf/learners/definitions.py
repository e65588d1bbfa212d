"""The definitions learner: goes by what the codebook says of its labels, from no coded article on, and learns away from that as articles are coded.

An article is nearer to one label's definition than to those of the others: that is the model before anything is coded, and what the machines of
the labels are pulled toward when a few articles are (`ridge.py`). Beside the encoder's vectors they see n-grams, as the encoder learner's do.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from newsclf.codebook import Codebook
from newsclf.errors import DataError, listed
from newsclf.learners.blocks import FeatureSpec
from newsclf.learners.definitions_model import DefinitionsModel
from newsclf.learners.embedding import EmbeddingSpec, embedder, embedder_for
from newsclf.learners.features import Counted, Features
from newsclf.learners.fused import vectors_of, width
from newsclf.learners.linear import LinearModel
from newsclf.learners.ngrams import Ids
from newsclf.learners.protocol import Fitted, Folds, Pairs, Parts
from newsclf.learners.prototypes import Prototypes
from newsclf.learners.ridge import PRIORS, STRENGTHS, Ridge
from newsclf.scores.calibration import Calibration, fit_calibration
from newsclf.scores.metrics import Booleans, Floats

logger = logging.getLogger(__name__)

MOST = 5000
"""Coded pairs from which another learner is the right one: this one compares each with each."""

SHARP = 12.0
"""What similarities are multiplied with where nothing is coded, so that their softmax is a probability. On 180 training articles of AllSides, twelve
topics, 20 fitted best (log loss .65; .78 at 12): other tasks are harder, and a model that nobody tested should not be sure."""

STANCE_SHARP = 3.0
"""The same of a stance, which frozen encoders hardly see: on training rows of SemEval-2016 definitions are no better than chance."""

CAUTIOUS = 0.75
"""The curve of a multi-label task is so much flatter, beside the softmax: whether a label is there at all is known less well than which is nearer."""


class DefinitionsSpec(EmbeddingSpec, FeatureSpec):
    """Hyper-parameters of the definitions learner."""

    kind: Literal["definitions"] = "definitions"
    """Which learner this block configures."""

    embedding: float = Field(default=2.0, gt=0)
    """Length of an article's vector beside 1 for its words."""

    strength: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    """How strongly labels are pulled toward their definitions; auto chooses by cross-validation on the training articles."""

    prior: Annotated[float, Field(ge=0)] | Literal["auto"] = "auto"
    """What the similarity to the definitions is multiplied with; auto chooses by cross-validation on the training articles."""

    def start(self, codebook: Codebook) -> Fitted:
        """The model of a codebook of which no article is coded.

        Its calibration is a guess that was made beforehand (`SHARP`), cautious, with every label as frequent as the others: nothing of the user's
        stands behind its probabilities. Raises what opening the encoder raises.
        """
        prototypes = self._prototypes(codebook)
        model = DefinitionsModel(prototypes, STANCE_SHARP if codebook.is_stance else SHARP, None, _nothing_learnt(prototypes))
        return Fitted(model, np.zeros((0, len(codebook.names))), _uncoded(codebook), {"coded pairs": 0})

    def fit(self, pairs: Pairs, truth: Booleans, codebook: Codebook, folds: Folds) -> Fitted:
        """Learn from coded pairs, away from the definitions as far as held-out rows are the better for it; raises DataError for more than `MOST`."""
        if len(pairs) > MOST:
            raise DataError(
                f"the learner 'definitions' is for the first articles that are coded, up to {MOST:,} rows, and these are {len(pairs):,}: take the "
                "learner 'encoder' or 'linear', which learn all from the rows."
            )
        prototypes = self._prototypes(codebook)
        rows = _Rows.of(self, pairs, codebook, vectors_of(pairs, prototypes.reader))
        ridge = Ridge(rows.products, truth, prototypes.similarity(pairs), _base(codebook))
        strengths = STRENGTHS if self.strength == "auto" else (self.strength,)
        tried = ridge.heldout(folds, strengths, PRIORS if self.prior == "auto" else (self.prior,))
        errors = {both: ridge.error(scores) for both, scores in tried.items()}
        strength, prior = min(errors, key=lambda both: (errors[both], -both[0], both[1]))
        heldout = tried[strength, prior]
        words, head = rows.machines(ridge.fit(strength, prior), ridge.base)
        chosen = {"strength": strength, "prior": prior, "engine": prototypes.reader.encoder.engine}
        losses = {f"{strength:g}, {prior:g}": round(error, 6) for (strength, prior), error in sorted(errors.items())}
        model = DefinitionsModel(prototypes, prior, words, head)
        return Fitted(model, heldout, fit_calibration(heldout, truth, codebook.kind), chosen | {"cross_validated_squared_error": losses})

    def rebuild(self, parts: Parts, codebook: Codebook) -> DefinitionsModel:
        """The model that `parts()` took apart; raises ValueError where they do not fit together, and BundleError where its encoder is not here."""
        prototypes = Prototypes(codebook, embedder_for(parts, self))
        head, prior = parts.array("head"), parts.array("prior")
        wanted = _nothing_learnt(prototypes).shape
        if head.shape != wanted or prior.shape != (1,):
            raise ValueError(f"the head is {list(head.shape)}, encoder and codebook need {list(wanted)}, and one weight of the definitions")
        words = None
        if "weights" in parts.arrays:
            features = Features.rebuild(self, parts, codebook)
            weights, intercepts = parts.array("weights"), parts.array("intercepts").astype(np.float64)
            if (weights.shape, intercepts.shape) != ((len(features), wanted[1]), wanted[1:]):
                raise ValueError(f"the weights are {list(weights.shape)}, vocabularies and codebook need {[len(features), wanted[1]]}")
            words = LinearModel(features, weights, intercepts)
        return DefinitionsModel(prototypes, float(prior[0]), words, head)

    def _prototypes(self, codebook: Codebook) -> Prototypes:
        prototypes = Prototypes(codebook, embedder(self.encoder, self.engine, self.windows))
        if names := prototypes.undefined():
            _warn(tuple(names))
        return prototypes


@dataclass(frozen=True)
class _Rows:
    """Coded pairs as the machines see them: weighed n-grams, vectors, and a column of ones."""

    features: Features
    counted: Counted
    vectors: Floats
    """[pairs, dims]"""

    embedding: float
    min_df: int

    @classmethod
    def of(cls, spec: DefinitionsSpec, pairs: Pairs, codebook: Codebook, vectors: Floats) -> _Rows:
        features, counted = Features.learn(spec, pairs, codebook)
        return cls(features, counted, vectors, spec.embedding, spec.min_df)

    def products(self, inside: Ids) -> Floats:
        """Products of all pairs with all pairs, n-grams weighed by some of them alone. [pairs, pairs]"""
        words = self.features.refitted(self.counted, inside, min_df=self.min_df).weigh(self.counted)
        return np.asarray((words @ words.T).toarray() + self.embedding**2 * self.vectors @ self.vectors.T + 1.0, np.float64)

    def machines(self, of_rows: Floats, base: float) -> tuple[LinearModel, np.ndarray]:
        """Weights over n-grams and over vectors (float32 [dims, labels]) from what each pair counts. [pairs, labels]"""
        weights = self.features.weigh(self.counted).T @ of_rows
        head = self.embedding**2 * self.vectors.T @ of_rows
        words = LinearModel(self.features, np.ascontiguousarray(weights, np.float32), base + of_rows.sum(axis=0))
        return words, np.ascontiguousarray(head, np.float32)


@cache  # studies fit many times
def _warn(names: tuple[str, ...]) -> None:
    logger.warning("the codebook does not define %s: their names alone stand for them, which says little; define them", listed(names))


def _nothing_learnt(prototypes: Prototypes) -> np.ndarray:
    dims = width(prototypes.reader.encoder.dim, is_stance=prototypes.codebook.is_stance)
    return np.zeros((dims, len(prototypes.codebook.names)), np.float32)


def _given(codebook: Codebook) -> float:
    """Share of its labels that an article has, as far as a codebook tells: halfway from the fewest to the most, else one."""
    few, most = codebook.min_labels, codebook.max_labels
    return (1.0 if codebook.kind == "exclusive" or most is None else max((few + most) / 2, 0.5)) / len(codebook.names)


def _base(codebook: Codebook) -> float:
    return 2 * _given(codebook) - 1


def _uncoded(codebook: Codebook) -> Calibration:
    """The calibration of a model that was shown no coded article; all labels alike."""
    ones = np.ones(len(codebook.names))
    if codebook.kind == "exclusive":
        return Calibration.of_softmax(ones, 0 * ones)
    share = min(_given(codebook), 0.5)
    return Calibration("multi", CAUTIOUS * ones, np.log(share / (1 - share)) * ones)
