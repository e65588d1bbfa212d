"""Documents to one vector each: cut into windows, encoded window by window, each window once on this machine, and pooled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from newsclf.learners.encoder_runtime import Encoder
from newsclf.learners.protocol import Documents
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

    def __init__(self, encoder: Encoder, windows: WindowSpec) -> None:
        self.encoder, self.windows = encoder, windows
        self._cutter = Cutter(windows, encoder.room, encoder.token_starts, sentence_spans)
        space = Space(encoder.files.fingerprint, encoder.engine, encoder.dim, {"tokens": encoder.tokens})
        self._cache = VectorCache(space, cache_folder())
        self.key = json.dumps([space.fingerprint, windows.resolved()])
        """All that decides what is said of a document."""

    @property
    def fingerprint(self) -> str:
        """Of the encoder's files."""
        return self.encoder.files.fingerprint

    def read(self, documents: Documents) -> Embedded:
        """What the encoder says of documents; asked again of the same ones, by whichever model, it is not computed again."""
        if self.key not in documents.held:
            windows = self._cutter.cut(documents.titles, documents.texts)
            vectors = self.texts(windows.texts)
            shares = windows.shares if self.windows.pooling == "mean" else None
            documents.held[self.key] = Embedded(pooled(vectors, windows.starts, shares), windows, vectors, shares)
        found: Embedded = documents.held[self.key]
        return found

    def texts(self, texts: Sequence[str]) -> Floats:
        """Vectors of short texts, cut where the encoder's reach ends. [texts, dim]"""
        with progress("encoding", len(texts)) as report:
            return encoded(texts, self._cache, lambda some: self.encoder.encode(some, progress=report)).astype(np.float64)


@cache
def embedder(name: str, engine: str, windows: WindowSpec) -> Embedder:
    """The embedder of an encoder, opened once in a process. Raises what `Encoder.open` raises."""
    return Embedder(Encoder.open(name, engine), windows)
