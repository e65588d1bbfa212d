"""The finetune learner: all of an encoder, or low-rank changes of it, learnt together with a linear head over its pooled vectors.

A pair's target is read together with the text, so targets that were never coded are understood as far as the encoder understands them. What a bundle
holds is what has changed; the encoder it changed is named by its fingerprint.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from newsclf.codebook import Codebook
from newsclf.errors import listed
from newsclf.learners.attribution import InWindows
from newsclf.learners.blocks import FeatureSpec
from newsclf.learners.encoder_classifier import Classifier, choose_device
from newsclf.learners.encoder_files import encoder_files
from newsclf.learners.encoder_store import encoder_of
from newsclf.learners.finetune_folds import Learning, log_odds, tune_folds
from newsclf.learners.lora import merge_lora
from newsclf.learners.pair_windows import PairReader
from newsclf.learners.protocol import Contributions, Fitted, Folds, LearnerSpec, Pairs, Parts
from newsclf.learners.tuning import TuningSpec
from newsclf.learners.windows import WindowSpec
from newsclf.scores.metrics import Booleans, Floats, Kind

logger = logging.getLogger("newsclf")

OF_OTHERS = frozenset(FeatureSpec.model_fields) | {"C", "embedding"}
"""Keys of learners that count n-grams, or regularise; this one does neither."""

CHUNK = 512
"""Pairs whose tokens are held at once in scoring."""


class FinetuneSpec(LearnerSpec, TuningSpec):
    """Hyper-parameters of the finetune learner."""

    kind: Literal["finetune"] = "finetune"
    """Which learner this block configures."""

    externals: ClassVar[tuple[str, ...]] = ("encoder",)

    tolerance: ClassVar[float] = 0.1
    """Devices of other machines compute in other precisions."""

    encoder: str = Field(default="sentence-transformers/all-MiniLM-L6-v2", min_length=1)
    """Hub name, or folder, of the encoder to start from: safetensors and tokenizer.json."""

    device: str = "auto"
    """What it runs on: cuda, mps or cpu; auto takes the fastest that the machine has."""

    windows: WindowSpec = WindowSpec()
    """How articles are cut that are longer than the encoder reads, and how the scores of their windows are pooled."""

    windows_at_once: int = Field(default=8, ge=1)
    """Most windows of an article that a step of training reads, drawn anew for each epoch; in use all are read."""

    tuning: Literal["full", "lora"] = "full"
    """What is learnt of the encoder: all its weights, or low-rank changes of its linear layers."""

    rank: int = Field(default=8, ge=1)
    """Rank of the changes where tuning is lora."""

    head_learning_rate: float = Field(default=1e-3, gt=0)
    """Of the head, which starts from nothing."""

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of numbers that each step of training leaves out."""

    class_weight: Literal["none", "balanced"] = "none"
    """balanced gives rare labels the weight of frequent ones, as n / (classes · n_class)."""

    focal: float = Field(default=0.0, ge=0)
    """Above 0, articles that are known already count less: gamma of the focal loss."""

    @model_validator(mode="before")
    @classmethod
    def _leaves_what_is_of_others(cls, tree: Any) -> Any:
        """A config that says how n-grams are counted serves with `--set learner.kind=finetune` too."""
        if not isinstance(tree, Mapping) or not (left := [key for key in tree if key in OF_OTHERS]):
            return tree
        logger.warning("learner: finetune counts no n-grams and has no C: it leaves the settings %s", listed(left))
        return {key: value for key, value in tree.items() if key not in OF_OTHERS}

    def fit(self, pairs: Pairs, truth: Booleans, codebook: Codebook, folds: Folds) -> Fitted:
        """Learn from coded pairs: once without each fold, for held-out scores and the number of epochs, and then from all of them.

        A run that was killed goes on where it stopped when it is started again. Raises ConfigError where the loss is no number, WorkerError where
        not even one article fits into memory, and what `encoder_files` and `choose_device` raise.
        """
        device = choose_device(self.device)
        reader = PairReader(encoder_files(self.encoder), self.windows)
        learning = Learning(self, reader.files, device, reader.read(pairs), truth, codebook.kind)
        found = tune_folds(learning, folds)
        model = FinetuneModel(found.classifier, reader, codebook.kind, found.low_rank)
        losses = {str(epoch + 1): round(loss, 6) for epoch, loss in enumerate(found.losses)}
        chosen = {"epochs": found.epochs, "device": device, "tuning": self.tuning, "cross_validated_log_loss": losses}
        return Fitted(model, found.heldout, found.calibration, chosen)

    def rebuild(self, parts: Parts, codebook: Codebook) -> FinetuneModel:
        """The model that `parts()` took apart; raises ValueError where they do not fit together, and BundleError where its encoder is not here."""
        device = choose_device(self.device)
        files = encoder_of(parts, self.encoder)
        classifier = Classifier.open(files, len(codebook.names), pooling=self.windows.pooling, device=device)
        of_head = {name: parts.array(name) for name in classifier.arrays("head")}
        of_encoder = {name: parts.array(name) for name in classifier.names("encoder")} if self.tuning == "full" else {}
        low_rank = {name: array for name, array in parts.arrays.items() if name.startswith("lora.")}
        if strange := sorted(set(parts.arrays) - set(of_head) - set(of_encoder) - set(low_rank)):
            raise ValueError(f"the encoder has no array {strange[0]!r}")
        classifier.put(of_head | of_encoder)
        if self.tuning == "lora":
            merge_lora(classifier.module, low_rank)
        return FinetuneModel(classifier, PairReader(files, self.windows), codebook.kind, low_rank)


@dataclass(frozen=True)
class FinetuneModel:
    """A fine-tuned encoder with its head."""

    classifier: Classifier
    reader: PairReader
    kind: Kind
    low_rank: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Changes of the encoder that are in its weights already; none where all its weights were learnt."""

    def scores(self, pairs: Pairs) -> Floats:
        """Log-odds of each label, of an exclusive task against all others. [pairs, labels]"""
        chunks = [slice(start, start + CHUNK) for start in range(0, len(pairs), CHUNK)] or [slice(0, 0)]
        some = [Pairs(pairs.documents, pairs.rows[chunk], pairs.targets[chunk]) for chunk in chunks]
        return np.concatenate([log_odds(self.classifier.scores(self.reader.read(one)), self.kind) for one in some])

    def coverage(self, pairs: Pairs) -> Floats:
        """1, but where `windows.most` cuts an article off. [pairs]"""
        return self.reader.coverage(pairs)

    def contributions(self, pairs: Pairs, pair: int, labels: Sequence[int]) -> list[Contributions]:
        """What the headline and each sentence added: the score, less that of the windows without it. What they leave of it is in `rest`."""
        one = Pairs(pairs.documents, pairs.rows[pair : pair + 1], pairs.targets[pair : pair + 1])
        windows = self.reader.windows_of(one)
        article = InWindows(one.documents.titles[one.rows[0]], one.documents.texts[one.rows[0]], windows)
        found = article.by_sentence(
            lambda texts: self.classifier.said(*self.reader.tokens(texts, one)),
            lambda values: log_odds(self.classifier.pooled(values, windows.shares, windows.starts), self.kind)[0],
        )
        score, nothing = self.scores(one)[0], Contributions(np.zeros(0, np.int64), np.zeros(0), (), 0.0)
        return [found.beside(nothing, label, float(score[label])) for label in labels]

    def telling(self, label: int, most: int) -> list[tuple[str, float]]:
        """None: there are no weights of single phrases."""
        return []

    def parts(self) -> Parts:
        """The head, and what was changed of the encoder; the encoder itself by its fingerprint."""
        changed = self.low_rank or self.classifier.arrays("encoder")
        return Parts(self.classifier.arrays("head") | dict(changed), {}, {"encoder": self.reader.files.identity})
