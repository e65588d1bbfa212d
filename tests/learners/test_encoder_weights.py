"""Weights in several files, as transformers writes large ones: read as one encoder, and never a file that the index had no business to name."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from tiny_encoder import weights, write_encoder, write_json

from newsclf.errors import BundleError
from newsclf.learners.encoder_files import encoder_files
from newsclf.learners.encoder_runtime import Encoder
from newsclf.learners.encoder_store import stored
from newsclf.learners.encoder_weights import INDEX, weight_files
from newsclf.tensors import tensor_bytes

NAMES = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]


@pytest.fixture
def folder(tmp_path):
    """An encoder whose weights are in two files."""
    made = write_encoder(tmp_path / "cut")
    (made / "model.safetensors").unlink()
    arrays = weights()
    half = len(arrays) // 2
    parts = dict(zip(NAMES, (dict(list(arrays.items())[:half]), dict(list(arrays.items())[half:])), strict=True))
    for name, some in parts.items():
        (made / name).write_bytes(tensor_bytes(some))
    write_json(made / INDEX, {"metadata": {}, "weight_map": {array: name for name, some in parts.items() for array in some}})
    return made


def change(folder, edit):
    """The index with its map edited."""
    tree = json.loads((folder / INDEX).read_text("utf-8"))
    edit(tree["weight_map"])
    write_json(folder / INDEX, tree)


def test_weights_in_several_files_are_those_of_one(folder, tmp_path):
    pytest.importorskip("torch", reason="the neural extra is not installed")
    whole = write_encoder(tmp_path / "whole")
    ours, theirs = (Encoder.open(where, "torch-fp32", threads=1).encode(["the river", "a long road"]) for where in (folder, whole))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_files_are_listed_and_each_counts_in_the_fingerprint(folder, tmp_path):
    assert weight_files(folder) == [INDEX, *NAMES]
    first = encoder_files(folder)
    assert {INDEX, *NAMES} < set(first.names)
    assert encoder_files(stored(first, tmp_path)).fingerprint == first.fingerprint
    data = bytearray((folder / NAMES[1]).read_bytes())
    data[-2] ^= 1
    (folder / NAMES[1]).write_bytes(data)
    assert encoder_files(folder).fingerprint != first.fingerprint


def test_one_file_comes_before_several(folder, tmp_path):
    shutil.copy(write_encoder(tmp_path / "whole") / "model.safetensors", folder)
    assert weight_files(folder) == ["model.safetensors"]


@pytest.mark.parametrize(
    "name", ["../model-00001-of-00002.safetensors", "/etc/passwd", "model.bin", "config.json", "model-00001-of-00002.safetensors\n", 3]
)
def test_an_index_that_names_other_files_is_refused(folder, name):
    change(folder, lambda table: table.update({"embeddings.LayerNorm.bias": name}))
    with pytest.raises(BundleError, match=r"must be named like model-00001-of-00002\.safetensors, and is"):
        encoder_files(folder)


def test_a_missing_file_of_several_is_named(folder):
    (folder / NAMES[1]).unlink()
    with pytest.raises(BundleError, match=rf"{NAMES[1]}: this file is missing from the encoder, and {INDEX} names it"):
        encoder_files(folder)


def test_an_array_that_is_not_where_the_index_says_is_named(folder):
    change(folder, lambda table: table.update({"embeddings.word_embeddings.weight": NAMES[1]}))
    with pytest.raises(BundleError, match=r"says that this file holds 'embeddings.word_embeddings.weight', and it does not"):
        encoder_files(folder)


@pytest.mark.parametrize("tree", [{}, {"weight_map": {}}, {"weight_map": [1]}, {"weight_map": None}])
def test_an_index_without_a_map_is_refused(folder, tree):
    write_json(folder / INDEX, tree)
    with pytest.raises(BundleError, match="must say in 'weight_map' which file holds each array"):
        encoder_files(folder)


def test_a_cut_file_of_several_is_named(folder):
    (folder / NAMES[1]).write_bytes((folder / NAMES[1]).read_bytes()[:-8])
    with pytest.raises(BundleError, match=rf"{NAMES[1]}: this is no whole safetensors file"):
        encoder_files(folder)
