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

PIECE = 1 << 16
LONGEST = 1 << 26
"""Bytes or characters of a line, cell or JSON object: what is longer is no article, and must not fill the memory."""


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    """A file or fsspec address as a stream of bytes, decompressed by its suffix; raises DataError where there is none."""
    import pyarrow as pa

    codec = COMPRESSIONS.get(PurePosixPath(path).suffix.lower())
    # Arrow's decompressors, not gzip's: they know zstd too, and gzip files of several members
    with _raw(path) as raw:
        yield pa.CompressedInputStream(pa.PythonFile(raw, "r"), codec) if codec else raw


def _raw(path: str) -> Any:
    try:
        if "://" not in path:
            return Path(path).open("rb")
        import fsspec

        return fsspec.open(path, "rb").open()
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file.") from error
    except Exception as error:  # every kind of address has its own errors: no package, no credentials, no such host
        raise DataError(f"{path}: this cannot be opened: {str(error).rstrip('.')}.") from error


def buffered(stream: IO[bytes]) -> io.BufferedReader:
    """A stream that io's text readers accept and that has lines.

    It is read in small pieces: where a compressed stream breaks off, Arrow gives nothing of the piece that it was asked for.
    """
    return io.BufferedReader(Readable(stream))


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8: it has no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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
