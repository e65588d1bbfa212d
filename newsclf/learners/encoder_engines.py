"""Devices and precisions that an encoder runs on, a table; and the check that each gives what 32-bit floats on the processor give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from newsclf.errors import ConfigError, listed, nearest, need
from newsclf.learners.batching import Shape
from newsclf.learners.encoder_files import EncoderFiles
from newsclf.learners.encoder_openvino import no_openvino, open_openvino
from newsclf.learners.encoder_parity import Forward, Hidden, Parity, parity
from newsclf.learners.encoder_torch import no_bf16, no_cuda, no_mps, open_torch

PROCESSOR, ACCELERATOR = Shape(tokens=2048, rows=64), Shape(tokens=65_536, rows=1024)
"""Larger batches do not stay in a processor's cache; `scripts/bench_encoder.py` prints articles a second."""

SHAPED = replace(PROCESSOR, multiple=16)
"""OpenVINO prepares itself for each length of a batch anew."""


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


def hidden_of(forward: Forward) -> Hidden | None:
    """What tells the tokens' parts of what an engine computes; None where it gives pooled embeddings only."""
    found: Hidden | None = getattr(forward, "hidden", None)
    return found


def _running() -> list[str]:
    return [engine.name for engine in ENGINES.values() if engine.lacking() is None]


def check_engine(files: EncoderFiles, name: str, threads: int) -> Parity:
    """How near an engine of the table is to torch-fp32 with this encoder on this machine; raises what `choose` raises."""
    return parity(choose(name).engine.open(files, threads), choose("torch-fp32").engine.open(files, threads), files)


def _no_openvino_bf16() -> str | None:
    return no_openvino() or no_bf16()


ENGINES: Mapping[str, Engine] = {
    engine.name: engine
    for engine in (
        Engine("cuda", no_cuda, partial(open_torch, device="cuda", precisions=("bfloat16", "float16")), ACCELERATOR),
        Engine("mps", no_mps, partial(open_torch, device="mps", precisions=("float32",)), ACCELERATOR),
        Engine("openvino-bf16", _no_openvino_bf16, partial(open_openvino, precision="bf16"), SHAPED),
        Engine("torch-bf16", no_bf16, partial(open_torch, device="cpu", precisions=("bfloat16",))),
        Engine("torch-fp32", lambda: None, partial(open_torch, device="cpu", precisions=("float32",))),
        Engine("openvino-fp32", no_openvino, partial(open_openvino, precision="f32"), SHAPED),
    )
}
"""By speed, the fastest first; a new one is a row here. In 32 bits OpenVINO is no faster than torch, and opens later: it is taken where asked for."""
