"""Files and addresses as streams of bytes, decompressed by their suffix, and their lines."""

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
STEP = 8192
"""Bytes that are asked of a compressed stream at once, always: see `buffered`."""


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    """A file or fsspec address as a stream of bytes, decompressed by its suffix; raises DataError where there is none."""
    with raw_stream(path) as raw:
        yield _decompressed(path, raw)


def _codec(path: str) -> str | None:
    return COMPRESSIONS.get(PurePosixPath(path).suffix.lower())


def _decompressed(path: str, raw: Any) -> Any:
    import pyarrow as pa

    # Arrow's decompressors, not gzip's: they know zstd too, and gzip files of several members
    return pa.CompressedInputStream(pa.PythonFile(raw, "r"), codec) if (codec := _codec(path)) else raw


def raw_stream(path: str) -> Any:
    """The bytes of a file or fsspec address as they are stored; raises DataError where there is none."""
    try:
        if "://" not in path:
            return Path(path).open("rb", buffering=PIECE)
        import fsspec

        return fsspec.open(path, "rb").open()
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file.") from error
    except Exception as error:  # every kind of address has its own errors: no package, no credentials, no such host
        raise DataError(f"{path}: this cannot be opened: {str(error).rstrip('.')}.") from error


def buffered(stream: IO[bytes]) -> io.BufferedReader:
    """A stream that io's text readers accept and that has lines.

    It is read in small pieces: where a compressed stream breaks off, Arrow gives nothing of the piece that it was asked for. The pieces begin at
    multiples of STEP, however one came there, so that a broken file always gives the same rows.
    """
    return io.BufferedReader(Readable(stream), STEP)


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


class Lines:
    """The lines of a file from any byte on, with their ends; they know where they stand.

    A line ends at a line feed; with `any_break` at a carriage return too, as in CSV. `at` counts the bytes of the (decompressed) stream before
    the next line; at `stop` the lines end; the bytes of the lines that are given enter the hash `taken`, where there is one.
    """

    def __init__(self, path: str, *, any_break: bool = False) -> None:
        self.path, self.any_break = path, any_break
        self.stop: int | None = None
        self.taken: Any = None
        self._text: io.TextIOWrapper | None = None
        self._open()

    def _open(self) -> None:
        self._raw = raw_stream(self.path)
        self._stream = _decompressed(self.path, self._raw)
        self._stands_at(0)

    def _stands_at(self, at: int) -> None:
        if self._text:
            self._text.detach()  # or it closes the file when it goes
        self.at, self._broken = at, False
        self._bytes = self._stream if isinstance(self._stream, io.BufferedReader) else buffered(self._stream)
        # as Latin-1 every byte is a character, and io finds the breaks of every kind
        self._text = io.TextIOWrapper(self._bytes, "latin-1", newline="") if self.any_break else None

    def readline(self, limit: int = -1) -> bytes:
        """The next line, or so much of it; nothing at the end of the file and at `stop`. Raises OSError or EOFError where the file breaks off."""
        if self.stop is not None and self.at >= self.stop:
            return b""
        try:
            line = self._text.readline(limit).encode("latin-1") if self._text else self._bytes.readline(limit)
        except (OSError, EOFError):
            self._broken = True
            raise
        self.at += len(line)
        if self.taken:
            self.taken.update(line)
        return line

    def go(self, at: int) -> None:
        """Stand at a byte where a line begins; raises DataError where the file ends or breaks off before it."""
        if at == self.at and not self._broken:
            return
        if self._sought(at):
            return
        if at < self.at or self._broken:
            self.close()
            self._open()
        try:
            while self.at < at and (skipped := (self._text or self._bytes).read(min(at - self.at, STEP))):
                self.at += len(skipped)
        except (OSError, EOFError) as error:
            self._broken = True
            raise DataError(f"{self.path}: the file breaks off before byte {at}, where its next rows began: {str(error).rstrip('.')}.") from error
        if self.at < at:
            raise DataError(f"{self.path}: the file ends at byte {self.at}; its next rows began at byte {at}.")

    def _sought(self, at: int) -> bool:
        if _codec(self.path):
            return False
        try:
            self._stream.seek(at)
        except (OSError, ValueError):  # an address that can only be read from its beginning
            return False
        self._stands_at(at)
        return True

    @property
    def used(self) -> int:
        """Bytes of the stored file that were read for the lines so far (compressed: and for some after them)."""
        return int(self._raw.tell()) if _codec(self.path) else self.at

    def close(self) -> None:
        """Close the file."""
        self._raw.close()
