"""Encoders on OpenVINO, converted in memory from torch's module.

On two Zen 4 cores, which have instructions for 16-bit floats, it read 27 articles a second where torch read 20 (measured once, before this module was
written); without them it is no faster. `scripts/bench_encoder.py` and `bench_encoder_ways.py` print it for a machine.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from newsclf.errors import BundleError
from newsclf.learners.batching import Tokens
from newsclf.learners.encoder_files import EncoderFiles
from newsclf.learners.encoder_parity import COSINE, Vectors, parity
from newsclf.learners.encoder_torch import loaded, open_torch, quiet

NAMES = ("input_ids", "attention_mask")
BY_PARTS = ("modernbert",)
"""Kinds whose attention is converted as the products that it is made of, which is slower: each token of these sees some neighbours only, and where
all of them are padding, OpenVINO's own gives no number."""


def no_openvino() -> str | None:
    """What is lacking for OpenVINO, as a clause; None where it is there."""
    return None if find_spec("openvino") else "the package openvino is not installed"


def open_openvino(files: EncoderFiles, threads: int, *, precision: str) -> OpenVinoForward:
    """What computes in this precision (`f32` or `bf16`, as OpenVINO calls them) on so many threads.

    Raises BundleError where OpenVINO cannot run the encoder, or does not give what torch gives: a traced module may hold what was true of one text.
    """
    import openvino

    settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision, "ENABLE_CPU_PINNING": False}
    try:
        compiled = openvino.Core().compile_model(_converted(files), "CPU", settings)
        forward = OpenVinoForward(compiled, files)
        found = parity(forward, open_torch(files, threads, device="cpu", precisions=("float32",)), files, texts=4, tokens=48)
    except RuntimeError as error:
        raise BundleError(f"{files.folder}: OpenVINO cannot run this encoder ({_first_line(error)}); take the engine 'torch-fp32'.") from error
    if not found.holds:
        raise BundleError(
            f"{files.folder}: what OpenVINO gives for this encoder is not what torch gives (least cosine {found.cosine:.4f}, and {COSINE} is asked); "
            "take the engine 'torch-fp32'."
        )
    return forward


@dataclass(frozen=True)
class OpenVinoForward:
    """What computes on OpenVINO: pooled embeddings, and beside them what they are pooled from."""

    compiled: Any
    files: EncoderFiles

    def __call__(self, tokens: Tokens, mask: Tokens) -> Vectors:
        """Pooled embeddings, as `Forward` says."""
        hidden = self.hidden(tokens, mask)
        if self.files.pooling == "cls":
            return hidden[:, 0].copy()  # the rest of it need not be held
        weights = mask.astype(np.float32)
        sums: Vectors = (weights[:, None] @ hidden)[:, 0]
        sums /= np.maximum(weights.sum(axis=1, keepdims=True), 1)
        return sums

    def hidden(self, tokens: Tokens, mask: Tokens) -> Vectors:
        """What the last layer says of each token. [batch, tokens, dim]"""
        found: Vectors = self.compiled(dict(zip(NAMES, (tokens, mask), strict=True)))["last_hidden_state"]
        return found


def _converted(files: EncoderFiles) -> Any:
    """The encoder as OpenVINO's graph, for any number of texts of any length.

    By its frontend and not by `openvino.convert_model`, which tells its makers over the network that it was called.
    """
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    width = min(16, files.tokens)
    mask = torch.ones(2, width, dtype=torch.int64)
    mask[1, width // 2 :] = 0  # so that the mask is seen to be used
    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")  # of the tracer, about what the check finds
        model = loaded(files, torch.float32)
        if files.numbers.architecture in BY_PARTS:
            model.set_attn_implementation("eager")
        decoder = TorchScriptPythonDecoder(model, example_input=dict(zip(NAMES, (torch.ones_like(mask), mask), strict=True)))
        frontend = FrontEndManager().load_by_framework("pytorch")
        return frontend.convert(frontend.load(decoder))


def _first_line(error: RuntimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".")[:200] if lines else type(error).__name__
