"""Devices and precisions that an encoder runs on, a table; and the check that each gives what 32-bit floats on the processor give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsclf.errors import BundleError, ConfigError, listed, nearest, need
from newsclf.learners.batching import Shape, Tokens
from newsclf.learners.encoder_files import EncoderFiles

Vectors = NDArray[np.float32]
"""Embeddings. [texts, dim]"""

Forward = Callable[[Tokens, Tokens], Vectors]
"""Token numbers and mask → pooled embeddings, not normalised: [batch, tokens] twice → [batch, dim]. Raises MemoryError for too large a batch."""

COSINE = 0.999
"""Least cosine between what an engine gives for a text and what torch-fp32 gives: 16-bit floats have .99997, dynamic 8-bit weights .8."""

PROCESSOR, ACCELERATOR = Shape(tokens=2048, rows=64), Shape(tokens=65_536, rows=1024)
"""Larger batches do not stay in a processor's cache; `scripts/bench_encoder.py` prints articles a second."""


@dataclass(frozen=True)
class Engine:
    """One way to run an encoder."""

    name: str
    lacking: Callable[[], str | None]
    """What this machine lacks for it, as a clause; None where it runs here."""

    open: Callable[[EncoderFiles, int], Forward]
    """Files and threads → what computes."""

    shape: Shape = PROCESSOR


@dataclass(frozen=True)
class Choice:
    """An engine, and why it was taken."""

    engine: Engine
    why: str


def choose(name: str = "auto") -> Choice:
    """The engine of that name; `auto` takes the first of the table that this machine can run.

    Raises ConfigError where there is none of that name or this machine lacks what it needs, MissingExtra without the `neural` extra.
    """
    need("torch", "neural", why="an encoder")
    need("transformers", "neural", why="an encoder")
    if name != "auto":
        if name not in ENGINES:
            raise ConfigError(f"'engine': there is no engine {name!r}{nearest(name, ENGINES)}; the engines are 'auto', {listed(ENGINES)}.")
        if lacking := ENGINES[name].lacking():
            raise ConfigError(f"'engine': {name!r} cannot run here: {lacking}; take 'auto', or one of {listed(_running())}.")
        return Choice(ENGINES[name], f"{name}: it was asked for")
    passed: list[str] = []
    for engine in ENGINES.values():
        lacking = engine.lacking()
        if lacking is None:
            return Choice(engine, f"{engine.name}: the first of {', '.join(ENGINES)} that runs here" + "".join(f"; {why}" for why in passed))
        passed.append(f"not {engine.name}, as {lacking}")
    raise ConfigError(f"'engine': no engine runs here: {'; '.join(passed)}.")


def _running() -> list[str]:
    return [engine.name for engine in ENGINES.values() if engine.lacking() is None]


@dataclass(frozen=True)
class Parity:
    """How near an engine's embeddings are to those of torch-fp32."""

    cosine: float
    """The least of any text."""

    difference: float
    """The largest of any number of an embedding."""

    @property
    def holds(self) -> bool:
        """Whether the engine may be used."""
        return self.cosine >= COSINE


def parity(one: Forward, reference: Forward, files: EncoderFiles, *, texts: int = 8) -> Parity:
    """Compare two engines on token sequences drawn with a fixed seed, from three tokens to as many as the encoder takes, in one padded batch."""
    dice = np.random.default_rng(0)
    lengths = np.linspace(3, files.tokens, texts).astype(np.int64)
    ids = dice.integers(0, files.numbers.embedding[0], (texts, files.tokens))
    mask = (np.arange(files.tokens) < lengths[:, None]).astype(np.int64)
    # the padding token moves the positions of those after it in encoders that count positions by it
    pad = files.numbers.pad
    ids = np.where(mask == 1, np.where(ids == pad, pad + 1 if pad == 0 else pad - 1, ids), pad)
    ours, theirs = one(ids, mask).astype(np.float64), reference(ids, mask).astype(np.float64)
    lengths_of = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    cosines = (ours * theirs).sum(axis=1) / np.maximum(lengths_of, np.finfo(np.float64).tiny)
    return Parity(float(cosines.min()), float(np.abs(ours - theirs).max()))


def check_engine(files: EncoderFiles, name: str, threads: int) -> Parity:
    """How near an engine of the table is to torch-fp32 with this encoder on this machine; raises what `choose` raises."""
    return parity(choose(name).engine.open(files, threads), choose("torch-fp32").engine.open(files, threads), files)


def _open_torch(files: EncoderFiles, threads: int, *, device: str, precisions: tuple[str, ...]) -> Forward:
    import torch

    wanted = [name for name in precisions if name != "bfloat16" or device != "cuda" or torch.cuda.is_bf16_supported()]
    model = _loaded(files, getattr(torch, wanted[0])).to(device)

    def forward(tokens: Tokens, mask: Tokens) -> Vectors:
        ids, marks = torch.from_numpy(tokens).to(device), torch.from_numpy(mask).to(device)
        try:
            with torch.inference_mode(), _threads(threads):
                hidden = model(input_ids=ids, attention_mask=marks).last_hidden_state  # [batch, tokens, dim]
                pooled: Vectors = _pooled(hidden, marks, files).cpu().numpy()
        except torch.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise MemoryError(f"{tokens.shape[0]} texts of {tokens.shape[1]} tokens") from error
        return pooled

    return forward


def _pooled(hidden: Any, marks: Any, files: EncoderFiles) -> Any:
    """One vector a text, in 32-bit floats: sums of many 16-bit ones lose digits. [batch, tokens, dim] → [batch, dim]"""
    if files.pooling == "cls":
        return hidden[:, 0].float()
    weights = marks.unsqueeze(-1).float()
    return (hidden.float() * weights).sum(1) / weights.sum(1).clamp(min=1)


def _loaded(files: EncoderFiles, dtype: Any) -> Any:
    """The encoder as a module in evaluation mode; raises BundleError where its weights are not all there, or are not numbers."""
    import torch
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.for_model(files.numbers.architecture, **files.numbers.kept)
    with _quiet():
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
    return model.eval()


@contextmanager
def _quiet() -> Iterator[None]:
    """Transformers without progress bars and reports of what it loads, and afterwards as it was."""
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


def _no_cuda() -> str | None:
    import torch

    return None if torch.cuda.is_available() else "torch sees no CUDA device"


def _no_mps() -> str | None:
    import torch

    return None if torch.backends.mps.is_available() else "this is no Apple machine with Metal"


def _no_bf16() -> str | None:
    import torch

    has = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    # emulated bf16 is slower than 32-bit floats
    return None if any(has.get(name) for name in BF16) else "this processor has no bf16 instructions"


BF16 = ("amx_bf16", "avx512_bf16", "bf16", "arm_bf16", "sve_bf16")
ENGINES: Mapping[str, Engine] = {
    engine.name: engine
    for engine in (
        Engine("cuda", _no_cuda, partial(_open_torch, device="cuda", precisions=("bfloat16", "float16")), ACCELERATOR),
        Engine("mps", _no_mps, partial(_open_torch, device="mps", precisions=("float32",)), ACCELERATOR),
        Engine("torch-bf16", _no_bf16, partial(_open_torch, device="cpu", precisions=("bfloat16",))),
        Engine("torch-fp32", lambda: None, partial(_open_torch, device="cpu", precisions=("float32",))),
    )
}
"""By speed, the fastest first; a new one is a row here."""
