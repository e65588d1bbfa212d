"""Documents to one vector each: cut into windows, encoded window by window, each window once on this machine, and pooled."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from newsclf.learners.encoder_engines import Choice, choose
from newsclf.learners.encoder_files import EncoderFiles, encoder_files
from newsclf.learners.encoder_runtime import Encoder
from newsclf.learners.encoder_store import encoder_of
from newsclf.learners.protocol import Documents, LearnerSpec, Parts
from newsclf.learners.sentences import sentence_spans
from newsclf.learners.vectors import Space, VectorCache, cache_folder, encoded
from newsclf.learners.windows import Cutter, Windows, WindowSpec, pooled
from newsclf.progress import progress
from newsclf.scores.metrics import Floats


@dataclass(frozen=True)
class Embedded:
    """What an encoder says of documents."""

    vectors: Floats
    """[documents, dim]"""

    windows: Windows
    of_windows: Floats
    """[windows, dim]"""

    shares: Floats | None
    """Weight of each window in its document's vector; None where each dimension takes its largest. [windows]"""


class Embedder:
    """An encoder that reads whole documents, and remembers what it has read."""

    def __init__(self, encoder: Encoder, windows: WindowSpec, *, kept: bool = True) -> None:
        self.encoder, self.windows = encoder, windows
        self._cutter = Cutter(windows, encoder.room, encoder.token_starts, sentence_spans)
        space = Space(encoder.files.fingerprint, encoder.engine, encoder.dim, {"tokens": encoder.tokens})
        self._cache = VectorCache(space, cache_folder() if kept else None)  # not where the encoder itself will not come again
        self._space = space.fingerprint
        self.key = json.dumps([space.fingerprint, windows.resolved()])
        """All that decides what is said of a document."""

    @property
    def fingerprint(self) -> str:
        """Of the encoder's files, whatever was tuned: what a model that rests on it is saved with."""
        return self.encoder.files.identity

    def read(self, documents: Documents) -> Embedded:
        """What the encoder says of documents; asked again of the same ones, by whichever model, it is not computed again."""
        if self.key not in documents.held:
            windows = self._cutter.cut(documents.titles, documents.texts)
            vectors = self._once(windows.texts, documents.read.setdefault(self._space, {}))
            shares = windows.shares if self.windows.pooling == "mean" else None
            documents.held[self.key] = Embedded(pooled(vectors, windows.starts, shares), windows, vectors, shares)
        found: Embedded = documents.held[self.key]
        return found

    def _once(self, texts: Sequence[str], known: dict[str, Floats]) -> Floats:
        """Vectors of windows, computed of those that are not `known` only; they are known from then on. [windows, dim]"""
        fresh = [text for text in texts if text not in known] if known else texts
        vectors = self.texts(fresh)
        known.update(zip(fresh, vectors, strict=True))
        return vectors if len(fresh) == len(texts) else np.stack([known[text] for text in texts])

    def texts(self, texts: Sequence[str]) -> Floats:
        """Vectors of short texts, cut where the encoder's reach ends. [texts, dim]"""
        with progress("encoding", len(texts)) as report:
            return encoded(texts, self._cache, lambda some: self.encoder.encode(some, progress=report)).astype(np.float64)


class EmbeddingSpec(LearnerSpec):
    """What learners have in common that go by an encoder's vectors of documents."""

    externals: ClassVar[tuple[str, ...]] = ("encoder",)

    tolerance: ClassVar[float] = 0.05
    """Engines of other machines compute in other precisions."""

    encoder: str = Field(default="sentence-transformers/all-MiniLM-L6-v2", min_length=1)
    """Hub name, or folder, of a sentence encoder: safetensors and tokenizer.json."""

    engine: str = "auto"
    """What it runs on; auto takes the fastest that the machine has."""

    windows: WindowSpec = WindowSpec()
    """How articles are cut that are longer than the encoder reads."""

    @model_validator(mode="after")
    def _learns_no_attention(self) -> Self:
        if self.windows.pooling == "attention":
            raise ValueError("'windows.pooling': attention is learnt with the encoder, and this one is frozen; take mean or max")
        return self


def embedder(name: str, engine: str, windows: WindowSpec) -> Embedder:
    """The embedder of an encoder, opened once in a process wherever its files lie. Raises what `Encoder.open` raises."""
    choice = choose(engine)
    return _opened(choice, encoder_files(name), windows)


def embedder_for(parts: Parts, spec: EmbeddingSpec) -> Embedder:
    """The embedder that a model was made with, from whichever place has it; raises what `encoder_of` and `choose` raise."""
    choice = choose(spec.engine)
    return _opened(choice, encoder_of(parts, spec.encoder), spec.windows)


_ENCODERS: dict[tuple[str, ...], Encoder] = {}
_EMBEDDERS: dict[tuple[str, ...], Embedder] = {}
_TURN = threading.Lock()


def _opened(choice: Choice, files: EncoderFiles, windows: WindowSpec) -> Embedder:
    """By content and not by name: models that came with copies of one encoder share it, and what it says of a document."""
    encoder = files.fingerprint, str(files.tokens), choice.engine.name
    key = *encoder, json.dumps(windows.resolved())
    with _TURN:
        if key not in _EMBEDDERS:
            if encoder not in _ENCODERS:
                _ENCODERS[encoder] = Encoder.of(files, choice)
            _EMBEDDERS[key] = Embedder(_ENCODERS[encoder], windows)
        return _EMBEDDERS[key]
