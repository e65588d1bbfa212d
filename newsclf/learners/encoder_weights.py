"""The weights of an encoder's folder: one safetensors file, or several with an index. Their headers are checked; the numbers are not read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import prod
from pathlib import Path

from newsclf.errors import BundleError, shown
from newsclf.learners.encoder_config import ARCHITECTURES, Numbers
from newsclf.learners.encoder_json import read_object

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors", re.ASCII)
"""How transformers names each of several files; what an index may name, and so nothing outside of the folder."""

LARGEST_HEADER = 1 << 23
"""Bytes of a file's header."""

BYTES: Mapping[str, int] = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


def weight_files(folder: Path) -> list[str]:
    """Names of the files that hold the weights, after the index where there is one; raises BundleError for an index that is none."""
    whole = (folder / WEIGHTS).exists() or not (folder / INDEX).exists()
    return [WEIGHTS] if whole else [INDEX, *sorted(set(_index(folder).values()))]


def check_weights(folder: Path, numbers: Numbers) -> None:
    """Raise BundleError where a header does not fit its file or the config, or an index not the files that it names."""
    names = weight_files(folder)
    shapes: dict[str, list[int]] = {}
    for name in names[names[0] == INDEX :]:
        try:
            shapes |= (found := _shapes(folder / name))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise BundleError(f"{folder / name}: this is no whole safetensors file: {error}. Copy the encoder again.") from error
        if names[0] == INDEX and (lost := sorted(array for array, file in _index(folder).items() if file == name and array not in found)):
            raise BundleError(f"{folder / name}: {INDEX} says that this file holds {lost[0]!r}, and it does not; copy the encoder again.")
    _check_shapes(folder / names[0], shapes, numbers)


def _index(folder: Path) -> dict[str, str]:
    """Array → name of the file that holds it."""
    found = read_object(folder / INDEX).get("weight_map")
    if not isinstance(found, dict) or not found:
        raise BundleError(f"{folder / INDEX}: it must say in 'weight_map' which file holds each array, and that is {shown(found)}.")
    for array, name in found.items():
        if not isinstance(name, str) or not SHARD.fullmatch(name):
            raise BundleError(f"{folder / INDEX}: the file of {array!r} must be named like model-00001-of-00002.safetensors, and is {shown(name)}.")
        if not (folder / name).is_file():
            raise BundleError(f"{folder / name}: this file is missing from the encoder, and {INDEX} names it; copy the encoder again.")
    return found


def _check_shapes(path: Path, shapes: Mapping[str, list[int]], numbers: Numbers) -> None:
    known = ARCHITECTURES[numbers.architecture]
    tables = [tuple(shape) for name, shape in shapes.items() if name.endswith(known.embedding)]
    if tables != [numbers.embedding]:
        raise BundleError(
            f"{path}: config.json says that the word embeddings are {list(numbers.embedding)} numbers (tokens, width), and the weights have "
            f"{[list(table) for table in tables] or 'none'}; the two files are not of one encoder."
        )
    layers = {int(found[1]) for name in shapes if (found := re.search(rf"(?:^|\.){re.escape(known.layer)}(\d+)\.", name))}
    if layers != set(range(numbers.layers)):
        raise BundleError(
            f"{path}: config.json says {numbers.layers} layers, and the weights have {len(layers)}; the two files are not of one encoder."
        )


def _shapes(path: Path) -> dict[str, list[int]]:
    """Shape of every array of a safetensors file; raises ValueError where the header does not fit the file."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        left = path.stat().st_size - 8 - length
        if length > LARGEST_HEADER or left < 0:
            raise ValueError(f"it announces a header of {length:,} bytes")
        header = json.loads(stream.read(length))
    entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
    for name, entry in entries.items():
        start, stop = entry["data_offsets"]
        if not 0 <= start <= stop <= left or stop - start != prod(entry["shape"]) * BYTES[entry["dtype"]]:
            raise ValueError(f"the array {name!r} does not fit its place, bytes {start} to {stop} of {left}")
    return {name: entry["shape"] for name, entry in entries.items()}
