"""Texts in, embeddings out: an encoder with its tokenizer on one engine, whatever the number of texts and their lengths."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np

from newsclf.errors import BundleError, ConfigError, InputError, WorkerError
from newsclf.learners.batching import Batch, Shape, batches, cost, filled
from newsclf.learners.encoder_engines import Choice, choose, hidden_of
from newsclf.learners.encoder_files import EncoderFiles, encoder_files
from newsclf.learners.encoder_parity import Forward, Hidden, Vectors
from newsclf.learners.encoder_tokens import Tokenizer
from newsclf.learners.ngrams import Ids
from newsclf.machine import usable_cores
from newsclf.progress import Progress

logger = logging.getLogger("newsclf")

BUFFER = 4096
"""Texts whose tokens are held at once: batches of like length are made among them."""


@dataclass(frozen=True)
class Encoded:
    """What encoding some texts gave."""

    vectors: Vectors
    """[texts, dim]"""

    lengths: Ids
    """Tokens of each text, before any were cut, with those that mark start and end. [texts]"""

    most: int
    """Tokens of a text that were read."""

    padded: float
    """Share of the computed tokens that were padding, 0 to 1."""

    @property
    def truncated(self) -> int:
        """How many texts were longer than what was read of them."""
        return int((self.lengths > self.most).sum())


class Encoder:
    """A pre-trained encoder that gives one vector for each text. Several threads may use one; pickled, it is its folder and opens it again."""

    def __init__(self, files: EncoderFiles, choice: Choice, threads: int, *, tokens: int) -> None:
        self.files = files
        self.engine = choice.engine.name
        self.why = choice.why
        """Which engine it is and why it was taken."""
        self.threads = threads
        self.tokens = tokens
        """Tokens of a text that are read, at most."""
        self._shape: Shape = choice.engine.shape
        self._tokenizer = Tokenizer(files)
        self._forward: Forward = choice.engine.open(files, threads)
        self._hidden: Hidden | None = hidden_of(self._forward)
        self._lock = threading.Lock()

    @classmethod
    def open(cls, name: str | Path, engine: str = "auto", *, threads: int | None = None, tokens: int | None = None) -> Self:
        """The encoder of a folder or hub name, on an engine of `encoder_engines.ENGINES`.

        `threads` are all cores that the process may use where it is None, `tokens` (the most that is read of a text) what the encoder's files say.
        Raises what `encoder_files` and `choose` raise, and ConfigError for numbers that the encoder cannot take.
        """
        choice = choose(engine)
        files = encoder_files(name)
        most = files.tokens if tokens is None else tokens
        if not 3 <= most <= files.numbers.positions:
            raise ConfigError(f"'tokens': {files.folder} takes from 3 to {files.numbers.positions} tokens, and not {tokens}.")
        if threads is not None and threads < 1:
            raise ConfigError(f"'threads' must be 1 or more, and is {threads}.")
        return cls.of(files, choice, threads=threads, tokens=most)

    @classmethod
    def of(cls, files: EncoderFiles, choice: Choice, *, threads: int | None = None, tokens: int | None = None) -> Self:
        """An encoder whose files were checked, on an engine that was chosen; the rest as `open` takes it."""
        logger.info("encoder %s on %s", files.folder.name, choice.why)
        return cls(files, choice, threads or usable_cores(), tokens=tokens or files.tokens)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return _reopened, (self.files, self.engine, self.threads, self.tokens)

    @property
    def dim(self) -> int:
        """Numbers in an embedding."""
        return self.files.numbers.dim

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Embeddings of texts. [texts, dim]; a text that is longer than `tokens` is read that far. Raises as `read` does."""
        return self.read(texts, progress=progress).vectors

    def token_counts(self, texts: Sequence[str]) -> Ids:
        """Tokens of each text with those that mark start and end, however long it is. [texts]; raises InputError for what is no text."""
        return np.fromiter((length for _, length in self._tokenizer(_checked(texts), most=1)), np.int64, len(texts))

    def token_starts(self, texts: Sequence[str]) -> list[Ids]:
        """Where each token of each text begins, in code points, without start and end marks. [texts] of [tokens]"""
        return self._tokenizer.starts(_checked(texts))

    @property
    def room(self) -> int:
        """Tokens of a text that are read at most, without those that mark start and end."""
        return self.tokens - int(self.token_counts([""])[0])

    def read(self, texts: Sequence[str], *, progress: Progress | None = None) -> Encoded:
        """Embeddings of texts, with what was cut and what was padded.

        A text's embedding does not depend on its neighbours but for the rounding of sums: 1e-5 in 32-bit floats. An empty text has the embedding of
        its start and end marks, or zeros where the tokenizer has none. Beyond the result, memory holds the tokens of twice `BUFFER` texts.
        Raises InputError for what is no text, WorkerError where not even a single text fits into the device's memory.
        """
        texts = _checked(texts)
        vectors = np.zeros((len(texts), self.dim), np.float32)
        lengths = np.zeros(len(texts), np.int64)
        computed = real = 0
        for start, buffer in self._ahead(texts):
            rows = [ids for ids, _ in buffer]
            sizes = np.array([len(ids) for ids in rows], np.int64)
            lengths[start : start + len(rows)] = [length for _, length in buffer]
            found = batches(sizes, self._shape, most=self.tokens)
            for batch in found:
                self._fill(vectors[start : start + len(rows)], rows, sizes, batch)
                if progress is not None:
                    progress.advance(len(batch.rows))
            vectors[start : start + len(rows)][sizes == 0] = 0  # an encoder gives a text without a token something, but nothing that means anything
            real, computed = real + int(sizes.sum()), computed + cost(found)
        return Encoded(vectors, lengths, self.tokens, 1 - real / computed if computed else 0.0)

    def _ahead(self, texts: Sequence[str]) -> Iterator[tuple[int, list[tuple[Ids, int]]]]:
        """Buffers of tokenised texts with their start; the next is made in a thread while one is computed with."""

        def buffer(start: int) -> list[tuple[Ids, int]]:
            return list(self._tokenizer(texts[start : start + BUFFER], most=self.tokens))

        with ThreadPoolExecutor(1, "tokenise") as pool:
            following = pool.submit(buffer, 0)
            for start in range(0, len(texts), BUFFER):
                ready = following.result()
                following = pool.submit(buffer, start + BUFFER)  # empty after the last
                yield start, ready

    def token_parts(self, texts: Sequence[str]) -> Iterator[tuple[int, Ids, Vectors]]:
        """What each token of each text gave to its embedding: the text's place, where its tokens begin (-1 for the marks), and their parts.

        The parts [tokens, dim] of a text sum to its embedding, to rounding: it is their mean, brought to length 1 where the encoder does so. Texts
        come in the order of their batches. Raises as `read` does; only where `splits`.
        """
        if self._hidden is None or not self.splits:
            raise InputError(f"what an embedding of {self.files.folder.name} owes to each token cannot be told on {self.engine}.")
        places = list(self._tokenizer.placed(_checked(texts), most=self.tokens))
        rows = [ids for ids, _ in places]
        sizes = np.array([len(ids) for ids in rows], np.int64)
        for batch in batches(sizes, self._shape, most=self.tokens):
            for done, found in self._computed(self._hidden, rows, sizes, batch):
                for row, states in zip(done.rows.tolist(), found, strict=True):
                    parts = states[: sizes[row]] / max(int(sizes[row]), 1)
                    length = np.linalg.norm(parts.sum(axis=0)) if self.files.normalise else np.float32(1)
                    yield row, places[row][1], parts / max(length, np.finfo(np.float32).tiny)

    @property
    def splits(self) -> bool:
        """Whether an embedding is a sum over the tokens of its text, and the engine tells the parts."""
        return self.files.pooling == "mean" and self._hidden is not None

    def _computed(self, compute: Forward | Hidden, rows: Sequence[Ids], sizes: Ids, batch: Batch) -> Iterator[tuple[Batch, Vectors]]:
        """A batch with what is computed of it; in halves where it does not fit into memory."""
        ids, mask = filled(rows, batch, self.files.numbers.pad)
        try:
            with self._lock:
                found = compute(ids, mask)
        except MemoryError as error:
            if len(batch.rows) == 1:
                _too_long(batch.width, self.engine, error)
            logger.warning("a batch of %d texts of %d tokens does not fit into memory on %s: halved", len(batch.rows), batch.width, self.engine)
        else:
            yield batch, found
            return
        for half in batch.halves(sizes, self._shape):
            yield from self._computed(compute, rows, sizes, half)

    def _fill(self, into: Vectors, rows: Sequence[Ids], sizes: Ids, batch: Batch) -> None:
        """Compute the embeddings of a batch."""
        for done, found in self._computed(self._forward, rows, sizes, batch):
            if self.files.normalise:  # here, where few are held
                found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.finfo(np.float32).tiny)
            into[done.rows] = found


def _too_long(width: int, engine: str, error: MemoryError) -> NoReturn:
    raise WorkerError(
        f"a single text of {width} tokens does not fit into the memory of {engine}; free some, take another engine, or read fewer tokens of a text."
    ) from error


def _reopened(files: EncoderFiles, engine: str, threads: int, tokens: int) -> Encoder:
    """A pickled encoder in another process; raises BundleError where its folder has changed since."""
    if encoder_files(files.folder).fingerprint != files.base:
        raise BundleError(f"{files.folder}: this encoder has changed since it was opened; open it again.")
    return Encoder(files, choose(engine), threads, tokens=tokens)


def _checked(texts: Sequence[str]) -> Sequence[str]:
    if isinstance(texts, str):
        raise InputError("the texts to encode must be a list of texts, and this is a single one; put it into a list.")
    wrong = next((place for place, text in enumerate(texts) if not isinstance(text, str)), None)
    if wrong is not None:
        raise InputError(f"text {wrong} of those to encode must be a text, and is {texts[wrong]!r:.60}.")
    return texts
