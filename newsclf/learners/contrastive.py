"""The contrastive learner: a sentence encoder tuned on a few coded articles of each label, and n-grams beside it as in the encoder learner.

For some 8 to 64 articles a label, after SetFit (Tunstall et al. 2022, "Efficient few-shot learning without prompts"). An epoch reads the articles of
rare labels as often as those of frequent ones, so that it grows where a task has many.
"""

from __future__ import annotations

import logging
from typing import Literal

import numpy as np
from pydantic import Field

from newsclf.codebook import Codebook
from newsclf.learners.contrast import Contrast
from newsclf.learners.embedding import Embedder
from newsclf.learners.encoder import EncoderModel, HybridSpec, Reading
from newsclf.learners.encoder_engines import choose
from newsclf.learners.encoder_files import EncoderFiles, encoder_files
from newsclf.learners.encoder_runtime import Encoder
from newsclf.learners.encoder_store import encoder_of
from newsclf.learners.features import Features
from newsclf.learners.fused import vectors_of
from newsclf.learners.ngrams import Ids
from newsclf.learners.pair_sampler import PairSampler
from newsclf.learners.pair_windows import PairReader
from newsclf.learners.protocol import Fitted, Folds, Pairs, Parts
from newsclf.learners.tuning import TuningSpec
from newsclf.learners.windows import WindowSpec
from newsclf.machine import usable_cores
from newsclf.progress import progress
from newsclf.scores.metrics import Booleans

logger = logging.getLogger("newsclf")

MANY = 2000
"""Training pairs from which the log says that other learners are meant for so many."""


class ContrastiveSpec(HybridSpec):
    """Hyper-parameters of the contrastive learner."""

    kind: Literal["contrastive"] = "contrastive"
    """Which learner this block configures."""

    epochs: int = Field(default=8, ge=1)
    """How often each article is read in tuning; those of rare labels more often."""

    learning_rate: float = Field(default=5e-5, gt=0)
    """Of the encoder, at its highest."""

    batch: int = Field(default=16, ge=4)
    """Articles that are compared with each other in a step, some of each label."""

    temperature: float = Field(default=0.1, gt=0)
    """The lower, the more the most similar articles of other labels count."""

    tokens: int = Field(default=256, ge=16)
    """Tokens of an article's beginning that tuning reads, headline included; in use the whole article is read."""

    seed: int = Field(default=0, ge=0)
    """Of the order of the articles, and of dropout."""

    def fit(self, pairs: Pairs, truth: Booleans, codebook: Codebook, folds: Folds) -> Fitted:
        """Learn from coded pairs: the encoder is tuned once without each fold, for held-out scores, and then on all of them.

        Raises ConfigError where the loss is no number, and what `encoder_files` and `choose` raise.
        """
        if len(pairs) >= MANY:
            logger.warning("the contrastive learner is meant for few coded articles, and these are %d: try encoder or finetune first", len(pairs))
        files = encoder_files(self.encoder)
        features, counted = Features.learn(self, pairs, codebook)
        every = np.arange(len(pairs))
        runs: list[tuple[Ids, Folds]] = [*((inside, [(inside, held)]) for inside, held in folds), (every, ())]
        contrast = self._contrast(files, pairs)
        readings = []
        with progress("tuning the encoder", self.epochs * sum(len(inside) for inside, _ in runs)) as report:
            for inside, held in runs:
                targets = [pairs.targets[row] for row in inside.tolist()] if pairs.targets else ()
                sampler = PairSampler.of(truth[inside], targets, size=self.batch, seed=self.seed)
                reader = self._reader(contrast.tuned(sampler, inside, self._tuning, report), kept=not held)
                readings.append(Reading(counted, vectors_of(pairs, reader), reader.encoder.dim, held))
        return self.learn(reader, features, readings, truth, codebook.kind)

    def rebuild(self, parts: Parts, codebook: Codebook) -> EncoderModel:
        """The model that `parts()` took apart; raises ValueError where they do not fit together, and BundleError where its encoder is not here."""
        tuned = {name.removeprefix("encoder."): values for name, values in parts.arrays.items() if name.startswith("encoder.")}
        if not tuned:
            raise ValueError("the weights of the encoder that were tuned are missing")
        return self.put_together(parts, codebook, self._reader(encoder_of(parts, self.encoder).tuned_to(tuned)))

    @property
    def _tuning(self) -> TuningSpec:
        return TuningSpec(epochs=self.epochs, learning_rate=self.learning_rate, batch=self.batch, seed=self.seed)

    def _contrast(self, files: EncoderFiles, pairs: Pairs) -> Contrast:
        """What tunes the encoder: the first window of each pair's document; a target is what decides which are compared, and is not read."""
        beginning = WindowSpec(size=self.tokens, overlap=0, headline=self.windows.headline, most=1)
        windows = PairReader(files, beginning).read(Pairs(pairs.documents, pairs.rows))
        device = choose(self.engine).engine.name
        return Contrast(files, windows, device if device in ("cuda", "mps") else "cpu", self.temperature)

    def _reader(self, files: EncoderFiles, *, kept: bool = True) -> Embedder:
        return Embedder(Encoder(files, choose(self.engine), usable_cores(), tokens=files.tokens), self.windows, kept=kept)
