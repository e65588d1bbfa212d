"""AdamW over the parameters of a module that want gradients (Loshchilov & Hutter 2019), its state as plain arrays, and what else is torch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsclf.learners.encoder_torch import BF16

STATE = {"first": "exp_avg", "second": "exp_avg_sq", "count": "step"}
"""Our names of what AdamW remembers of a parameter, and torch's."""


class Optimiser:
    """AdamW with a learning rate for each parameter."""

    def __init__(self, module: Any, weight_decay: float, rate: Callable[[str], float]) -> None:
        import torch

        self.named: dict[str, Any] = {name: values for name, values in module.named_parameters() if values.requires_grad}
        groups: dict[tuple[float, float], list[Any]] = {}
        for name, values in self.named.items():
            groups.setdefault((rate(name), weight_decay if values.ndim > 1 else 0.0), []).append(values)
        self._rates = [multiple for multiple, _ in groups]
        self.device: str = next(iter(self.named.values())).device.type
        given = [{"params": some, "weight_decay": decay} for (_, decay), some in groups.items()]
        self._torch = torch.optim.AdamW(given, fused=self.device in ("cpu", "cuda"))

    def clear(self) -> None:
        """Forget the gradients."""
        self._torch.zero_grad(set_to_none=True)

    def step(self, rate: float, clip: float) -> float:
        """Cut the gradient to length `clip` and go one step; gives its length before, and goes nowhere where that is no number."""
        import torch

        length = float(torch.nn.utils.clip_grad_norm_(list(self.named.values()), clip))
        if np.isfinite(length):
            for group, multiple in zip(self._torch.param_groups, self._rates, strict=True):
                group["lr"] = rate * multiple
            self._torch.step()
        return length

    def free(self) -> None:
        """Give memory that is held for nothing back to the device."""
        import torch

        if self.device == "cuda":
            torch.cuda.empty_cache()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Parameters and state, by name: `weights.NAME`, `first.NAME`, `second.NAME`, `count.NAME`."""
        found = {f"weights.{name}": _array(values) for name, values in self.named.items()}
        for name, values in self.named.items():
            state = self._torch.state.get(values, {})
            found |= {f"{ours}.{name}": _array(state[theirs]) for ours, theirs in STATE.items() if theirs in state}
        return found

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Bring parameters and state to what `arrays` gave; raises KeyError where one is missing."""
        import torch

        with torch.no_grad():
            for name, values in self.named.items():
                values.copy_(torch.from_numpy(np.array(arrays[f"weights.{name}"])))
                if f"count.{name}" in arrays:
                    state = {theirs: torch.from_numpy(np.array(arrays[f"{ours}.{name}"])) for ours, theirs in STATE.items()}
                    state["step"] = state["step"].reshape(())
                    self._torch.state[values] = {key: value.to(values.device) for key, value in state.items()}


def _array(values: Any) -> NDArray[Any]:
    # safetensors knows no arrays without an axis
    return np.atleast_1d(values.detach().cpu().numpy())


@contextmanager
def bf16_where_there_is(device: str) -> Iterator[None]:
    """Matrix products in 16-bit floats where the device has instructions for them; sums and weights stay in 32-bit floats."""
    import torch

    has = torch.cpu.get_capabilities() if device == "cpu" and hasattr(torch.cpu, "get_capabilities") else {}
    able = torch.cuda.is_bf16_supported(including_emulation=False) if device == "cuda" else any(has.get(name) for name in BF16)
    with torch.autocast(device, torch.bfloat16, enabled=able):
        yield


def scheduled(share: float, warmup: float) -> float:
    """Multiple of the learning rate when this share of all steps is done: up to 1 in the warm-up, then down to 0, both in a line."""
    # one step after none is done, so that the first one moves something
    return max(share, warmup / 100) / warmup if share < warmup else (1 - share) / (1 - warmup)


def of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is short; torch has a class of its own for that on CUDA only."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in said or "can't allocate memory" in said


@contextmanager
def own_randomness() -> Iterator[None]:
    """Whoever else draws from torch's generators finds them as they were."""
    import torch

    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        yield
