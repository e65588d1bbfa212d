"""Files and addresses as streams of bytes, decompressed by their suffix."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from newsclf.errors import DataError

COMPRESSIONS: Mapping[str, str] = {".gz": "gzip", ".zst": "zstd"}
"""Suffix → codec, as Arrow names it."""


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    """A file or fsspec address as a stream of bytes, decompressed by its suffix; raises DataError where there is none."""
    import pyarrow as pa

    codec = COMPRESSIONS.get(PurePosixPath(path).suffix.lower())
    try:
        if "://" in path:
            import fsspec

            raw: Any = fsspec.open(path, "rb").open()
        else:
            raw = Path(path).open("rb")  # noqa: SIM115 (closed below, after the decompressor)
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file.") from error
    except (ImportError, ValueError) as error:
        raise DataError(f"{path}: this address cannot be opened: {error}") from error
    with raw:
        yield pa.CompressedInputStream(pa.PythonFile(raw, "r"), codec) if codec else raw


class Readable(io.RawIOBase):
    """Any object with read(n) as a raw stream that io's readers accept."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the stream has bytes."""
        data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
