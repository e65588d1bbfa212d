"""Whether an input file is the one that it was: told from its size and content or from what its store says, never from its time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from newsclf.corpus.formats import suffix_of
from newsclf.corpus.read import is_dataset
from newsclf.corpus.streams import raw_stream
from newsclf.errors import DataError

EDGE = 1 << 16
"""Bytes of a file's beginning and end that are looked at."""
MAGIC = b"PAR1"
TAGS = ("etag", "checksum", "md5hash", "content_md5", "contentmd5", "crc32c", "sha256", "contenthash")
"""What stores call a content's mark, in lower case."""


def identity(file: str) -> str:
    """What stays the same as long as a file does, as a line of text; raises DataError where the file is gone or cannot be read.

    Size and sha256 of head and tail (Parquet: of the footer); a store's etag or checksum where it keeps one; of a saved data set the fingerprints;
    of a data set on the hub its name, which does not tell one revision from another.
    """
    if file.startswith("hf:"):
        return file
    try:
        if is_dataset(file):
            return _fingerprints(file)
        return _tag(file) if "://" in file and _tag(file) else _edges(file)
    except DataError:
        raise
    except Exception as error:  # every kind of address has its own errors
        raise DataError(f"{file}: this cannot be read to see whether it changed: {str(error).rstrip('.')}.") from error


def size_of(file: str) -> int:
    """Bytes of a file as it is stored, of a saved data set all of them; 0 where nobody knows; raises DataError where the file is gone."""
    if file.startswith("hf:"):
        return 0
    if is_dataset(file):
        return sum(part.stat().st_size for part in Path(file).rglob("*") if part.is_file())
    if "://" in file:
        return int(_info(file).get("size") or 0)
    try:
        return Path(file).stat().st_size
    except OSError as error:
        raise DataError(f"{file}: this cannot be opened: {error.strerror or error}.") from error


def _info(file: str) -> Mapping[str, Any]:
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(file)
        return dict(system.info(path))
    except FileNotFoundError as error:
        raise DataError(f"{file}: there is no such file.") from error
    except Exception as error:  # as in streams: every kind of address has its own errors
        raise DataError(f"{file}: this cannot be opened: {str(error).rstrip('.')}.") from error


def _tag(file: str) -> str:
    info = _info(file)
    found = {name.lower(): str(value) for name, value in info.items() if name.lower() in TAGS and value}
    return next((f"{info.get('size')} bytes, {name} {found[name]}" for name in TAGS if name in found), "")


def _edges(file: str) -> str:
    with raw_stream(file) as stream:
        size = stream.seek(0, 2)
        # not every address's seek() tells where it went
        size = stream.tell() if size is None else size
        footer = _footer(stream, size) if suffix_of(file) == ".parquet" else b""
        edges = footer or _at(stream, 0, EDGE) + _at(stream, max(size - EDGE, 0), EDGE)
    return f"{size} bytes, {'footer' if footer else 'edges'} {hashlib.sha256(edges).hexdigest()}"


def _footer(stream: IO[bytes], size: int) -> bytes:
    """A Parquet file's footer; nothing where it has none."""
    end = _at(stream, max(size - 8, 0), 8)
    length = int.from_bytes(end[:4], "little") + 8
    return _at(stream, size - length, length) if end[4:] == MAGIC and length <= size else b""


def _at(stream: IO[bytes], start: int, length: int) -> bytes:
    stream.seek(start)
    return stream.read(length)


def _fingerprints(folder: str) -> str:
    states = sorted(Path(folder).rglob("state.json"))
    if not states:
        raise DataError(f"{folder}: this saved data set has no state.json; save it again.")
    found = [(state.parent.relative_to(folder).as_posix(), json.loads(state.read_text("utf-8"))["_fingerprint"]) for state in states]
    return "fingerprint " + " ".join(f"{fingerprint}" if name == "." else f"{name}={fingerprint}" for name, fingerprint in found)
