"""What every learner and every model must do, and the table of those there are.

A new learner is one file and one row in LEARNERS. Fitting changes the type: a spec's `fit` returns a Fitted, whose model cannot be unfitted.
"""

from __future__ import annotations

import importlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from newsclf.codebook import Codebook
from newsclf.errors import ConfigError, listed, nearest
from newsclf.learners.ngrams import Ids, Words, tokenise
from newsclf.scores.calibration import Calibration
from newsclf.scores.metrics import Booleans, Floats
from newsclf.spec import Spec

LEARNERS: Mapping[str, str] = {
    "linear": "newsclf.learners.linear:LinearSpec",
    "encoder": "newsclf.learners.encoder:EncoderSpec",
    "finetune": "newsclf.learners.finetune:FinetuneSpec",
    "contrastive": "newsclf.learners.contrastive:ContrastiveSpec",
    "definitions": "newsclf.learners.definitions:DefinitionsSpec",
}
"""Kind, as configs and bundles name it → where its spec is defined; imported only when named."""


@dataclass(frozen=True)
class Documents:
    """Cleaned articles, tokenised once for whatever number of models reads them."""

    titles: Sequence[str]
    texts: Sequence[str]
    read: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What encoders said of texts, by encoder and text: documents that were made of the same articles share it."""

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def _both(self) -> Words:
        """Title, text, title, text …"""
        return tokenise([field for both in zip(self.titles, self.texts, strict=True) for field in both])

    @cached_property
    def held(self) -> dict[str, Any]:
        """What was made of these documents, by all that it depends on besides: models that share an encoder share what it says of them."""
        return {}

    @cached_property
    def title(self) -> Words:
        """Words of the titles."""
        return self._both.take(np.arange(0, 2 * len(self), 2))

    @cached_property
    def whole(self) -> Words:
        """Words of each title, followed by those of its text."""
        both = self._both
        return Words(both.vocabulary, both.ids, both.starts[::2])


@dataclass(frozen=True)
class Pairs:
    """What a model is asked: documents, each with the target that the answer is about; without targets one pair a document."""

    documents: Documents
    rows: Ids
    """Which document each pair is about. [pairs]"""

    targets: Sequence[str] = ()
    """Target of each pair; empty where the task has none."""

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def whole(self) -> Words:
        """Words of each pair's title and text. [pairs]"""
        words = self.documents.whole
        return words if np.array_equal(self.rows, np.arange(len(words))) else words.take(self.rows)

    @classmethod
    def of(cls, documents: Documents) -> Self:
        """One pair a document, no targets."""
        return cls(documents, np.arange(len(documents)))


@dataclass(frozen=True)
class Contributions:
    """What each n-gram of one document, and each word in an encoder's reading of it, added to the score of one label.

    The sum of `weights` and `rest` is the score, to rounding.
    """

    positions: Ids
    """Place of the entry's first word among the words of title and text. [entries]"""

    weights: Floats
    phrases: Sequence[str]
    """The n-gram of each entry; empty for what an encoder made of a word, or of the sentence that it begins."""

    rest: float
    """Intercept, and what no single word stands for."""

    windows: Ids | None = None
    """In which of the document's windows an encoder read it, -1 for an n-gram; None where all are n-grams. [entries]"""

    window_count: int = 0
    """Windows that an encoder read of the document."""

    def less(self, weights: Floats) -> Self:
        """The same entries with these weights taken off theirs."""
        return replace(self, weights=self.weights - weights)


@dataclass(frozen=True)
class Parts:
    """Everything a model is made of, as plain data."""

    arrays: Mapping[str, NDArray[Any]]
    vocabularies: Mapping[str, Sequence[str]]
    external: Mapping[str, str] = field(default_factory=dict)
    """Large parts that are stored once for several models: name → fingerprint."""

    home: Path | None = None
    """Folder of the bundle that they were read from; None for those of a model that was not read."""

    def array(self, name: str) -> NDArray[Any]:
        """One of the arrays; raises ValueError where it is not there."""
        if name not in self.arrays:
            raise ValueError(f"the array {name!r} is missing; there are {listed(self.arrays)}")
        return self.arrays[name]


Folds = Sequence[tuple[Ids, Ids]]
"""Cross-validation: for each fold the pairs to learn from, and those held out; every pair is held out once."""


class Model(Protocol):
    """A fitted model: scores pairs, explains scores, and can be taken apart and put together again."""

    @abstractmethod
    def scores(self, pairs: Pairs) -> Floats:
        """Uncalibrated scores. [pairs, labels]; independent of which other pairs stand beside a pair."""

    @abstractmethod
    def contributions(self, pairs: Pairs, pair: int, labels: Sequence[int]) -> list[Contributions]:
        """What moved the scores of one pair, for each of these label columns."""

    @abstractmethod
    def coverage(self, pairs: Pairs) -> Floats:
        """Share of each pair's document that is read, 0 to 1. [pairs]"""

    @abstractmethod
    def telling(self, label: int, most: int) -> list[tuple[str, float]]:
        """The phrases that speak most for a label, with their weights."""

    @abstractmethod
    def parts(self) -> Parts:
        """The model as plain data."""


@dataclass(frozen=True)
class Fitted:
    """What fitting gives: the model, and scores of the training pairs by models that had not seen them."""

    model: Model
    heldout: Floats
    """Scores of each training pair by a model fitted without its fold. [pairs, labels]"""

    calibration: Calibration
    """Fitted on the held-out scores."""

    chosen: Mapping[str, Any] = field(default_factory=dict)
    """What cross-validation chose, and the scores it chose by."""


class LearnerSpec(Spec):
    """Base of learners: a frozen spec whose fields are the hyper-parameters, and so the config block."""

    kind: str = ""
    """Which learner: a key of LEARNERS."""

    externals: ClassVar[tuple[str, ...]] = ()
    """Large parts that its bundles name and do not hold."""

    tolerance: ClassVar[float] = 1e-4
    """How far a golden score may move, in logits: the rounding of float32 sums on other machines, and no more."""

    def fit(self, pairs: Pairs, truth: Booleans, codebook: Codebook, folds: Folds) -> Fitted:
        """Learn from coded pairs; `truth` is [pairs, labels], each fold is the pairs to learn from and those held out."""
        raise NotImplementedError(self.kind)

    def rebuild(self, parts: Parts, codebook: Codebook) -> Model:
        """The model that `parts()` took apart; raises ValueError where the parts do not fit together."""
        raise NotImplementedError(self.kind)


def learner_spec(tree: Mapping[str, Any]) -> type[LearnerSpec]:
    """The spec class that a config block or manifest names by its `kind`; raises ConfigError that lists the known kinds."""
    kind = str(tree.get("kind", "linear"))
    if kind not in LEARNERS:
        raise ConfigError(f"'learner.kind': there is no learner {kind!r}{nearest(kind, LEARNERS)}; the learners are {listed(LEARNERS)}.")
    module, _, name = LEARNERS[kind].partition(":")
    found: type[LearnerSpec] = getattr(importlib.import_module(module), name)
    return found
