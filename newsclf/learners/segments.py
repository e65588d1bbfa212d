"""Files of a cache of vectors: segments that only grow, safe under several writers and under one that is killed.

A segment is two files: `.vectors` with one row a text, and `.index` with what its key begins with and a checksum. A row counts when its entry is
whole and the checksum holds, so that a process killed while it wrote, a disk that filled up or a file cut short costs some vectors and never gives
a wrong one.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from newsclf.learners.ngrams import Ids

ENTRY = np.dtype([("key", "<u8"), ("check", "<u4")])
"""Of the index file: the first bytes of a key, and a checksum of all of it and the vector: 96 bits that another text would have to share."""

Entries = NDArray[np.void]
Vectors = NDArray[np.floating]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Index:
    """Where the vectors of a space are: entry i is row i - starts[s] of segment s; `order` sorts the entries by the first bytes of their keys."""

    segments: Sequence[Path]
    starts: Ids
    order: Ids
    sorted_keys: NDArray[np.uint64]
    checks: NDArray[np.uint32]

    @classmethod
    def of(cls, segments: Mapping[Path, Entries]) -> Index:
        """The index of these segments' entries."""
        whole = np.concatenate([np.zeros(0, ENTRY), *segments.values()])
        order = np.argsort(whole["key"], kind="stable")
        return cls(tuple(segments), np.cumsum([0, *map(len, segments.values())]), order, whole["key"][order], whole["check"])

    def candidates(self, keys: Sequence[bytes], missing: Booleans) -> Iterator[tuple[Ids, Ids]]:
        """Places among the keys and entries that may be theirs, until none is missing that the index has; the caller notes what it found."""
        first = numbers(keys)
        at, last = (np.searchsorted(self.sorted_keys, first, side) for side in ("left", "right"))
        while len(places := np.flatnonzero(missing & (at < last))):
            last[places] -= 1
            yield places, self.order[last[places]]

    def by_segment(self, entries: Ids) -> Iterator[tuple[Path, Ids, Ids]]:
        """Segments that hold some of these entries, which ones those are, and their rows in it."""
        segments = np.searchsorted(self.starts, entries, "right") - 1
        for number in np.unique(segments).tolist():
            mine = np.flatnonzero(segments == number)
            yield self.segments[number], mine, entries[mine] - self.starts[number]


def segments_in(folder: Path) -> list[Path]:
    """Segments of a folder, without their suffix, in a fixed order."""
    return sorted(path.with_suffix("") for path in folder.glob("*.index"))


def vectors_of(segment: Path) -> Path:
    """The file of a segment's rows."""
    return segment.with_suffix(".vectors")


def index_of(segment: Path) -> Path:
    """The file of a segment's entries."""
    return segment.with_suffix(".index")


def size_of(path: Path) -> int:
    """Bytes of a file, 0 where it is not there: another process may have taken it away to make room."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def numbers(keys: Sequence[bytes]) -> NDArray[np.uint64]:
    """The first eight bytes of each key, as a number. [keys]"""
    return np.frombuffer(b"".join(key[:8] for key in keys), "<u8")


def check_of(key: bytes, row: Vectors) -> int:
    """Checksum of a key and its vector."""
    return zlib.crc32(row.tobytes(), zlib.crc32(key))


def known_entries(segment: Path, count: int) -> Entries:
    """The first `count` entries of a segment, fewer where it went to make room."""
    try:
        return np.fromfile(index_of(segment), ENTRY, count)
    except FileNotFoundError:
        return np.zeros(0, ENTRY)


def rows_of(segment: Path, rows: Ids, *, dtype: np.dtype[np.floating], dim: int) -> tuple[Vectors, Booleans]:
    """Rows of a segment [rows, dim], and which of them its file has; zeros for the others."""
    out = np.zeros((len(rows), dim), dtype)
    there = size_of(vectors_of(segment)) // out[:1].nbytes if len(rows) else 0
    whole = rows < there
    if whole.any():
        try:
            # mapped for this one copy only: elsewhere a file may be taken away
            out[whole] = np.memmap(vectors_of(segment), dtype, "r", shape=(there, dim))[rows[whole]]
        except FileNotFoundError:  # it went to make room
            whole[:] = False
    return out, whole


def append(folder: Path, keys: Sequence[bytes], rows: Vectors, *, most: int) -> int:
    """Add to a segment of less than `most` rows that nobody writes to now, or to a new one; how many vectors it took, at least one.

    Raises OSError where nothing can be written.
    """
    new = folder / secrets.token_hex(8)
    for segment in [*segments_in(folder), new]:
        if size_of(index_of(segment)) // ENTRY.itemsize < most:
            with locked(segment) as mine:
                # a segment that was listed and is gone made room: its name is never used again
                if mine and (segment == new or index_of(segment).exists()):
                    taken = _fill(segment, keys, rows, most=most)
                    if taken:
                        return taken
    raise OSError(f"{new.with_suffix('.lock')} is held by another process")


def _fill(segment: Path, keys: Sequence[bytes], rows: Vectors, *, most: int) -> int:
    held = min(size_of(index_of(segment)) // ENTRY.itemsize, size_of(vectors_of(segment)) // rows[:1].nbytes)
    taken = min(len(keys), most - held)
    if taken > 0:
        entries = np.zeros(taken, ENTRY)
        entries["key"] = numbers(keys[:taken])
        entries["check"] = [check_of(key, row) for key, row in zip(keys[:taken], rows[:taken], strict=True)]
        # an entry comes after its row; the file of entries comes first, or nothing would ever find the rows that a killed process left
        _write(index_of(segment), held * ENTRY.itemsize, b"")
        _write(vectors_of(segment), held * rows[:1].nbytes, rows[:taken].tobytes())
        _write(index_of(segment), held * ENTRY.itemsize, entries.tobytes())
    return max(taken, 0)


def _write(path: Path, place: int, data: bytes) -> None:
    """Write bytes at a place, over what a killed process left there."""
    # no fsync: what a power cut loses is encoded again, and checksums keep out what it garbles
    with path.open("r+b" if path.exists() else "w+b") as stream:
        stream.seek(place)
        stream.truncate()
        stream.write(data)


@contextmanager
def locked(segment: Path) -> Iterator[bool]:
    """Whether nobody else has the lock of a segment; it is held meanwhile, and ends with its process."""
    from filelock import FileLock, Timeout

    lock = FileLock(segment.with_suffix(".lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def shrink(root: Path, limit: int) -> None:
    """Take away the segments that were not used for longest, of all folders in `root`, until the others have at most `limit` bytes."""
    with locked(root / "shrink") as mine:
        if not mine:  # another process does it
            return
        held = []
        for path in root.glob("*/*.index"):
            with suppress(FileNotFoundError):
                held.append((path.stat().st_mtime_ns, size_of(path) + size_of(vectors_of(path)), path.with_suffix("")))
        total = sum(size for _, size, _ in held)
        for _, size, segment in sorted(held):
            if total <= limit:
                return
            with locked(segment) as idle:
                if idle:
                    # the index last: what is left of a half-done removal is then still found
                    for suffix in (".vectors", ".index", ".lock"):
                        segment.with_suffix(suffix).unlink(missing_ok=True)
                    total -= size
