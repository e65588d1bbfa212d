"""Arrays come back from safetensors as they were, and whatever is no safetensors file is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.numpy import load as library_load

from newsclf.tensors import LARGEST_HEADER, tensor_bytes, tensors

FEW = settings(max_examples=50, deadline=None)
ARRAYS = st.sampled_from(["<f4", "<f8", "<i4", "<i8"]).flatmap(
    lambda kind: arrays(
        kind,
        array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
        elements={"allow_nan": False, "allow_infinity": False} if "f" in kind else None,
    )
)
GOOD = tensor_bytes({"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.arange(3, dtype=np.int64)})


@FEW
@given(st.dictionaries(st.text(min_size=1, max_size=5), ARRAYS, max_size=4))
def test_arrays_come_back_as_they_were_and_as_the_library_reads_them(given_arrays):
    data = tensor_bytes(given_arrays)
    ours, theirs = tensors(data), library_load(data)
    assert ours.keys() == given_arrays.keys() == theirs.keys()
    for name, array in given_arrays.items():
        assert ours[name].dtype == array.dtype == theirs[name].dtype
        assert ours[name].tobytes() == array.tobytes() == theirs[name].tobytes()
        assert ours[name].shape == array.shape


def test_a_fortran_ordered_array_is_written_as_it_is():
    array = np.asfortranarray(np.arange(12, dtype=np.float64).reshape(3, 4))
    assert (tensors(tensor_bytes({"w": array}))["w"] == array).all()


def test_what_is_read_is_a_view_that_cannot_be_written_to():
    array = tensors(GOOD)["a"]
    with pytest.raises(ValueError, match="read-only"):
        array[0, 0] = 1.0


def file(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "announces a header"),
        (b"\x08", "announces a header"),
        ((LARGEST_HEADER + 1).to_bytes(8, "little") + b" " * (LARGEST_HEADER + 1), f"header of {LARGEST_HEADER + 1} bytes"),
        (file(b"{"), "Expecting"),
        (file({"a": entry(dtype="BF16")}, bytes(8)), "'BF16'"),
        (file({"a": entry(shape=(3,))}, bytes(8)), r"shape \[3\] does not fit"),
        (file({"a": entry(shape=(-1, -2))}, bytes(8)), "does not fit"),
        (file({"a": entry()}, bytes(4)), "does not fit"),
        (file({"a": entry(offsets=(4, 12))}, bytes(12)), "does not fit"),
        (file({"a": entry(), "b": entry()}, bytes(8)), "does not fit"),
        (file({"a": entry()}, bytes(9)), "1 bytes follow"),
        (file({"a": entry()}, np.array([1, math.nan], np.float32).tobytes()), "not numbers"),
        (file({"a": entry()}, np.array([1, math.inf], np.float32).tobytes()), "not numbers"),
    ],
)
def test_what_is_no_safetensors_file_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        tensors(data)


@FEW
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_changes_a_value_and_never_reads_beyond_the_file(at, value):
    data = bytes([*GOOD[:at], value, *GOOD[at + 1 :]])
    try:
        read = tensors(data)
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    assert sum(array.nbytes for array in read.values()) <= len(data)
