"""OpenVINO gives what torch gives for every architecture, and what it would give otherwise is refused."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from test_encoder_engines import OTHERWISE, SMALL, some_tokens
from tiny_encoder import DIM, TOKENIZER, write_encoder, write_json

from newsclf.errors import BundleError, ConfigError
from newsclf.learners import encoder_openvino
from newsclf.learners.encoder_config import ARCHITECTURES
from newsclf.learners.encoder_engines import ENGINES, choose
from newsclf.learners.encoder_files import encoder_files
from newsclf.learners.encoder_openvino import no_openvino, open_openvino
from newsclf.learners.encoder_runtime import Encoder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("openvino")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore:.*torch.jit:DeprecationWarning")

BOTH = ("openvino-fp32", "torch-fp32")
TEXTS = ["The river rose over the old bridge.", "rain", "", "the " * 100, "A short night train to town"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("tiny"))


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_an_encoder_of_each_architecture_gives_what_torch_gives(kind, tmp_path):
    numbers = OTHERWISE.get(kind, {**SMALL, "pad_token_id": ARCHITECTURES[kind].pad})
    torch.manual_seed(1)
    transformers.AutoModel.from_config(transformers.AutoConfig.for_model(kind, **numbers)).save_pretrained(tmp_path)
    write_json(tmp_path / "tokenizer.json", TOKENIZER)
    files = encoder_files(tmp_path)
    ours, theirs = (choose(name).engine.open(files, 1) for name in BOTH)
    for rows, width in ((3, 9), (1, 33), (2, 16)):
        ids, mask = some_tokens(files.numbers.pad, rows, width)
        np.testing.assert_allclose(ours(ids, mask), theirs(ids, mask), atol=5e-6)
        read = mask.astype(np.bool_)
        np.testing.assert_allclose(ours.hidden(ids, mask)[read], theirs.hidden(ids, mask)[read], atol=2e-5)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_texts_have_the_embeddings_of_torch_whatever_their_length(tmp_path, pooling):
    folder = write_encoder(tmp_path, pooling=pooling)
    ours, theirs = (Encoder.open(folder, name, threads=1) for name in BOTH)
    assert ours.encode(TEXTS).shape == (5, DIM)
    np.testing.assert_allclose(ours.encode(TEXTS), theirs.encode(TEXTS), atol=2e-6)


def test_what_tokens_gave_is_told_as_on_torch(folder):
    ours, theirs = ({row: parts for row, _, parts in Encoder.open(folder, name, threads=1).token_parts(TEXTS)} for name in BOTH)
    assert ours.keys() == theirs.keys() == set(range(5))
    for row, parts in theirs.items():
        np.testing.assert_allclose(ours[row], parts, atol=2e-6)


def test_it_runs_on_as_many_threads_as_it_is_given_and_is_bound_to_no_core(folder):
    for threads in (1, 2):
        compiled = open_openvino(encoder_files(folder), threads, precision="f32").compiled
        assert compiled.get_property("INFERENCE_NUM_THREADS") == threads
        assert not compiled.get_property("ENABLE_CPU_PINNING")


def test_lengths_are_padded_to_few(folder):
    assert ENGINES["openvino-fp32"].shape.multiple == ENGINES["openvino-bf16"].shape.multiple == 16
    assert ENGINES["torch-fp32"].shape.multiple == 1


def test_pickled_it_opens_again(folder):
    encoder = Encoder.open(folder, "openvino-fp32", threads=1)
    again = pickle.loads(pickle.dumps(encoder))
    assert again.engine == "openvino-fp32"
    assert again.encode(TEXTS).tobytes() == encoder.encode(TEXTS).tobytes()


def test_tuned_weights_are_those_that_count(folder):
    files = encoder_files(folder)
    name = "encoder.layer.1.output.dense.weight"
    own = dict(transformers.BertModel.from_pretrained(folder, use_safetensors=True).named_parameters())[name]
    tuned = files.tuned_to({name: np.zeros(own.shape, np.float32)})
    ids, mask = some_tokens(0)
    found = open_openvino(tuned, 1, precision="f32")(ids, mask)
    np.testing.assert_allclose(found, choose("torch-fp32").engine.open(tuned, 1)(ids, mask), atol=2e-6)
    assert np.abs(found - open_openvino(files, 1, precision="f32")(ids, mask)).max() > 0.01


def test_a_graph_that_lost_its_mask_is_refused(folder, monkeypatch):
    """A tracer that sees a text without padding may leave the mask out, and then padding counts as words."""
    hidden = encoder_openvino.OpenVinoForward.hidden
    monkeypatch.setattr(encoder_openvino.OpenVinoForward, "hidden", lambda self, tokens, mask: hidden(self, tokens, np.ones_like(mask)))
    with pytest.raises(BundleError, match=r"is not what torch gives \(least cosine 0\.\d+, and 0\.999 is asked\); take the engine 'torch-fp32'"):
        open_openvino(encoder_files(folder), 1, precision="f32")


def test_an_encoder_that_cannot_be_converted_is_refused_with_the_reason(folder, monkeypatch):
    def fails(files):
        raise RuntimeError("Check 'false' failed at somewhere:\nNo conversion rule found for operations: aten::strange\n\n")

    monkeypatch.setattr(encoder_openvino, "_converted", fails)
    with pytest.raises(BundleError, match=r"OpenVINO cannot run this encoder \(No conversion rule found for operations: aten::strange\); take"):
        open_openvino(encoder_files(folder), 1, precision="f32")


def test_without_the_package_it_is_passed_over_and_asked_for_it_is_refused(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(encoder_openvino, "find_spec", lambda name: None if name == "openvino" else find(name))
    assert no_openvino() == "the package openvino is not installed"
    assert choose("auto").engine.name != "openvino-bf16"
    with pytest.raises(ConfigError, match="'openvino-fp32' cannot run here: the package openvino is not installed; take 'auto', or one of "):
        choose("openvino-fp32")


def test_nothing_is_printed_and_nobody_is_called(folder, capfd):
    """The converter of the package's front door tells its makers over the network that it was used."""
    program = """
import socket, sys
def refuse(*args): raise AssertionError(f"a connection was asked for: {args}")
socket.socket.connect = refuse
import openvino.tools.ovc.telemetry_utils as told
told.init_ovc_telemetry = told.init_telemetry_class = refuse
from newsclf.learners.encoder_runtime import Encoder
print(Encoder.open(sys.argv[1], "openvino-fp32", threads=1).encode(["rain"]).shape)
"""
    done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, env=os.environ, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (f"(1, {DIM})\n", "", 0)
