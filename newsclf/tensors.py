"""Arrays as safetensors: written by its own library, read as views of bytes that were checked already.

The library's reader copies every array, which for a few hundred megabytes takes a second and twice the memory; the layout is its published one:
eight bytes of length, a JSON header with dtype, shape and place of each array, then the arrays one after another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST_HEADER = 1 << 20  # bytes; ours have a few hundred
KINDS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}
DTYPES: Mapping[str, np.dtype[Any]] = {name: np.dtype(kind) for name, kind in KINDS.items()}
Arrays = Mapping[str, NDArray[Any]]


def tensor_bytes(arrays: Arrays) -> bytes:
    """Arrays as safetensors, read back; raises ValueError where they would not be loaded as they are."""
    from safetensors.numpy import save

    # safetensors 0.8 scrambles arrays that are not C-contiguous without a word (issue 825)
    data: bytes = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    read = tensors(data)
    scrambled = sorted(name for name, array in arrays.items() if not np.array_equal(read[name], array))
    if scrambled:
        raise ValueError(f"safetensors did not write the array {scrambled[0]!r} as it is")
    return data


def tensors(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file, read-only views of its bytes; raises ValueError for what is none, and for values that are not numbers."""
    # before it is parsed: the header is JSON of any length
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(LARGEST_HEADER, len(data) - 8):
        raise ValueError(f"it announces a header of {length} bytes; at most {LARGEST_HEADER} are read")
    header = json.loads(data[8 : 8 + length])
    body = memoryview(data)[8 + length :]
    arrays, end = {}, 0
    # in the order of their places, so that none overlaps another or leaves a gap where something else could stand
    for name, entry in sorted(((name, entry) for name, entry in header.items() if name != "__metadata__"), key=lambda item: item[1]["data_offsets"]):
        dtype, shape, (start, stop) = DTYPES.get(entry["dtype"]), tuple(entry["shape"]), entry["data_offsets"]
        if dtype is None:
            raise ValueError(f"the array {name!r} is of type {entry['dtype']!r}; known are {', '.join(DTYPES)}")
        if start != end or stop - start != prod(shape) * dtype.itemsize or stop > len(body) or any(size < 0 for size in shape):
            raise ValueError(f"the array {name!r} of shape {list(shape)} does not fit its place, bytes {start} to {stop} of {len(body)}")
        arrays[name] = np.frombuffer(body[start:stop], dtype).reshape(shape)
        end = stop
    if end != len(body):
        raise ValueError(f"{len(body) - end} bytes follow the last array")
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"the weights {name!r} hold values that are not numbers (NaN or infinite)")
    return arrays
