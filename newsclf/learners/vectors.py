"""Vectors of texts that were encoded already, kept on disk between runs: training a second task on a corpus encodes nothing.

A cache has a folder for each space of vectors (encoder, precision, settings) and is bounded over all of them; the folders hold plain rows of numbers.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from newsclf.folder import sha256
from newsclf.learners.ngrams import Ids
from newsclf.learners.segments import ENTRY, Entries, Index, Vectors, append, check_of, index_of, known_entries, rows_of, segments_in, shrink, size_of

logger = logging.getLogger(__name__)
FORMAT = 1
"""Number of the layout of a cache. Raise it when an older newsclf would read a new cache wrongly: it then makes other folders."""

LIMIT = 4 << 30
"""Bytes of all spaces of a cache together."""

SEGMENT = 64 << 20
"""Bytes of a segment's vectors: what goes at once when the cache is full."""

AT_ONCE = 4096
"""Texts that are encoded before their vectors are written: what a killed run loses."""


@dataclass(frozen=True)
class Space:
    """What makes two vectors of one text the same: everything but the text."""

    encoder: str
    """Fingerprint of the encoder's files."""

    precision: str
    """What the engine computes in."""

    dim: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON values that decide how a text becomes a vector: longest input, pooling, windows."""

    stored: Literal["float32", "float16"] = "float32"
    """What is kept; in float16 what comes back is rounded, and the vectors of a first run should be too."""

    def tree(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"format": FORMAT, **vars(self), "settings": dict(self.settings)}

    @property
    def fingerprint(self) -> str:
        """sha256 of all of it."""
        return sha256(json.dumps(self.tree(), sort_keys=True).encode())


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where vectors are kept: $NEWSCLF_CACHE, or the cache folder of the platform; None where NEWSCLF_CACHE=off or there is no home."""
    given = environ.get("NEWSCLF_CACHE", "").strip()
    if given.lower() == "off":
        return None
    name, place = {"darwin": ("", "Library/Caches"), "win32": ("LOCALAPPDATA", "AppData/Local")}.get(sys.platform, ("XDG_CACHE_HOME", ".cache"))
    try:
        if given:
            return Path(given).expanduser() / "vectors"
        return (Path(environ[name]) if environ.get(name) else Path.home() / place) / "newsclf" / "vectors"
    except RuntimeError:  # no home
        return None


def text_key(text: str) -> bytes:
    """sha256 of what the encoder reads."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class VectorCache:
    """The vectors of one space; for any number of threads and processes at once.

    What cannot be read or written is said once in the log and then done without: a cache is never why a run fails.
    """

    def __init__(self, space: Space, folder: Path | None, *, limit: int = LIMIT) -> None:
        self.space, self.limit, self.root = space, limit, folder
        self._row = np.dtype(space.stored).newbyteorder("<")
        self._most = max(1, min(SEGMENT, limit // 8) // (self._row.itemsize * space.dim))  # rows of a segment
        self._turn = threading.Lock()
        self._known: dict[Path, Entries] = {}
        self._index = Index.of({})
        self._told = False

    def get_many(self, keys: Sequence[bytes]) -> tuple[Vectors, Ids]:
        """The vectors of these keys [keys, dim], zeros where there is none, and the places of those, in order. [missing]"""
        out, missing = np.zeros((len(keys), self.space.dim), self._row), np.ones(len(keys), np.bool_)
        if self.root and keys:
            with self._turn:
                try:
                    self._look(self.root / self.space.fingerprint)
                    for places, entries in self._index.candidates(keys, missing):
                        for place, vector in self._found(keys, places, entries):
                            out[place], missing[place] = vector, False
                except OSError as error:
                    self._tell(error, "read")
        return out, np.flatnonzero(missing)

    def put_many(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Keep vectors [keys, dim]; where the cache is full, the segments go that were not used for longest.

        Raises ValueError where the vectors are not of the space's length.
        """
        if vectors.shape != (len(keys), self.space.dim):
            raise ValueError(f"{len(keys)} keys need vectors of shape {[len(keys), self.space.dim]}, not {list(vectors.shape)}")
        if not self.root or self._told:
            return
        rows, folder = np.ascontiguousarray(vectors, self._row), self.root / self.space.fingerprint
        with self._turn:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                about = folder / "space.json"  # for people only
                if not about.exists():
                    about.write_text(json.dumps(self.space.tree(), indent=1), "utf-8")
                start = 0
                while start < len(keys):
                    start += append(folder, keys[start : start + self._most], rows[start : start + self._most], most=self._most)
                    shrink(self.root, self.limit)
            except (OSError, NotImplementedError) as error:  # the second: a file system without locks
                self._tell(error, "written")

    def _tell(self, error: Exception, what: str) -> None:
        if not self._told:
            logger.warning("%s: the cache of vectors cannot be %s (%s); texts are encoded anew instead", self.root, what, error)
        self._told = True

    def _look(self, folder: Path) -> None:
        """Read what was added to the index since the last look, by whomever."""
        sizes = {segment: size_of(index_of(segment)) // ENTRY.itemsize for segment in segments_in(folder)}
        if sizes != {segment: len(entries) for segment, entries in self._known.items()}:
            same = {segment: entries for segment, entries in self._known.items() if sizes.get(segment) == len(entries)}
            self._known = {segment: same[segment] if segment in same else known_entries(segment, size) for segment, size in sizes.items()}
            self._index = Index.of(self._known)

    def _found(self, keys: Sequence[bytes], places: Ids, entries: Ids) -> Iterator[tuple[int, Vectors]]:
        """Places and vectors of those entries that are theirs and as they were written."""
        for segment, mine, rows in self._index.by_segment(entries):
            vectors, whole = rows_of(segment, rows, dtype=self._row, dim=self.space.dim)
            with suppress(OSError):  # the order of use is for those who may write
                os.utime(index_of(segment))
            checks = self._index.checks[entries[mine]]
            for place, check, vector in zip(places[mine][whole].tolist(), checks[whole].tolist(), vectors[whole], strict=True):
                if check_of(keys[place], vector) == check:
                    yield place, vector


def encoded(texts: Sequence[str], cache: VectorCache, encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
    """The vectors of texts [texts, dim]: those the cache has, and those of `encode` for the others, which it has from then on.

    A text that comes twice is encoded once. The same vectors come back on the first run and on the next.
    """
    distinct: dict[bytes, str] = {}
    keys = [text_key(text) for text in texts]
    for key, text in zip(keys, texts, strict=True):
        distinct.setdefault(key, text)
    wanted, number = list(distinct), {key: place for place, key in enumerate(distinct)}
    vectors, missing = cache.get_many(wanted)
    for start in range(0, len(missing), AT_ONCE):
        some = missing[start : start + AT_ONCE]
        vectors[some] = encode([distinct[wanted[place]] for place in some])
        cache.put_many([wanted[place] for place in some], vectors[some])
    return vectors[[number[key] for key in keys]]
