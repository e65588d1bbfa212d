"""Encoders on torch: on graphics cards, and on processors in 32 or 16 bits. The only place where weights reach transformers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from newsclf.errors import BundleError, listed
from newsclf.learners.batching import Tokens
from newsclf.learners.encoder_files import EncoderFiles
from newsclf.learners.encoder_parity import Vectors

BF16 = ("amx_bf16", "avx512_bf16", "bf16", "arm_bf16", "sve_bf16")
"""What torch calls instructions for 16-bit floats, of any processor."""


def open_torch(files: EncoderFiles, threads: int, *, device: str, precisions: tuple[str, ...]) -> TorchForward:
    """What computes on a device, in the first of these precisions that it has; `threads` are a processor's. Raises BundleError as `loaded` does."""
    import torch

    wanted = [name for name in precisions if name != "bfloat16" or device != "cuda" or torch.cuda.is_bf16_supported()]
    model = loaded(files, getattr(torch, wanted[0])).to(device)

    return TorchForward(model, files, threads, device)


@dataclass(frozen=True)
class TorchForward:
    """What computes on torch: pooled embeddings, and beside them what they are pooled from."""

    model: Any
    files: EncoderFiles
    threads: int
    device: str

    def __call__(self, tokens: Tokens, mask: Tokens) -> Vectors:
        """Pooled embeddings, as `Forward` says."""
        return self._run(tokens, mask, lambda hidden, marks: pooled_tokens(hidden, marks, self.files))

    def hidden(self, tokens: Tokens, mask: Tokens) -> Vectors:
        """What the last layer says of each token. [batch, tokens, dim]; raises MemoryError as the call does."""
        return self._run(tokens, mask, lambda hidden, _: hidden.float())

    def _run(self, tokens: Tokens, mask: Tokens, wanted: Callable[[Any, Any], Any]) -> Vectors:
        import torch

        ids, marks = torch.from_numpy(tokens).to(self.device), torch.from_numpy(mask).to(self.device)
        try:
            with torch.inference_mode(), _threads(self.threads):
                found: Vectors = wanted(self.model(input_ids=ids, attention_mask=marks).last_hidden_state, marks).cpu().numpy()
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise MemoryError(f"{tokens.shape[0]} texts of {tokens.shape[1]} tokens") from error
        return found


def pooled_tokens(hidden: Any, marks: Any, files: EncoderFiles) -> Any:
    """One vector a text, in 32-bit floats: sums of many 16-bit ones lose digits. [batch, tokens, dim] → [batch, dim]"""
    if files.pooling == "cls":
        return hidden[:, 0].float()
    weights = marks.unsqueeze(-1).float()
    return (hidden.float() * weights).sum(1) / weights.sum(1).clamp(min=1)


def loaded(files: EncoderFiles, dtype: Any) -> Any:
    """The encoder as a module in evaluation mode; raises BundleError where its weights are not all there, or are not numbers."""
    import torch
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.for_model(files.numbers.architecture, **files.numbers.kept)
    with quiet():
        try:
            model, told = AutoModel.from_pretrained(
                files.folder,
                config=config,
                dtype=dtype,
                trust_remote_code=False,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
            )
        except (OSError, ValueError, RuntimeError, TypeError, KeyError) as error:
            raise BundleError(f"{files.folder}: transformers cannot build this encoder: {str(error).partition(chr(10))[0]}.") from error
    # what is missing would be filled with random numbers without a word
    if missing := sorted(name for name in told["missing_keys"] if not name.startswith("pooler.")):
        raise BundleError(f"{files.folder}: the encoder's weights lack {listed(missing, most=4)}; copy it again, or use another.")
    if broken := [name for name, values in model.named_parameters() if not torch.isfinite(values).all() and not name.startswith("pooler.")]:
        raise BundleError(f"{files.folder}: the encoder's weights {broken[0]!r} hold values that are not numbers (NaN or infinite); copy it again.")
    if getattr(model, "pooler", None) is not None:
        model.pooler = None  # a head of pre-training, whose result nobody reads
    _overlay(model, files)
    return model.eval()


def _overlay(model: Any, files: EncoderFiles) -> None:
    """Put tuned weights in place of the file's; raises ValueError for weights that are not this encoder's."""
    import torch

    own = dict(model.named_parameters())
    for name, values in files.tuned.items():
        if name not in own or tuple(own[name].shape) != values.shape:
            wanted = list(own[name].shape) if name in own else "not among its weights"
            raise ValueError(f"the tuned weights {name!r} are of shape {list(values.shape)}, in {files.folder} they are {wanted}")
        with torch.no_grad():
            own[name].copy_(torch.from_numpy(np.array(values)))  # a copy: arrays of a bundle are read-only


@contextmanager
def quiet() -> Iterator[None]:
    """Transformers without progress bars and reports of what it loads and lacks, and afterwards as it was."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Torch on so many threads, and afterwards on as many as before: other users of torch in the process have their own number."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def no_cuda() -> str | None:
    """What is lacking for a CUDA device, as a clause; None where it is there."""
    import torch

    return None if torch.cuda.is_available() else "torch sees no CUDA device"


def no_mps() -> str | None:
    """What is lacking for an Apple graphics processor, as a clause; None where it is there."""
    import torch

    return None if torch.backends.mps.is_available() else "this is no Apple machine with Metal"


def no_bf16() -> str | None:
    """What is lacking for 16-bit floats on this processor, as a clause; None where it is there."""
    import torch

    has = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    # emulated bf16 is slower than 32-bit floats
    return None if any(has.get(name) for name in BF16) else "this processor has no bf16 instructions"
