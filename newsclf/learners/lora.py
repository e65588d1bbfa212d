"""Low-rank changes of an encoder's linear layers, in place of changes of all their weights (Hu et al. 2022, LoRA).

Forty lines of our own and not peft: what is stored is two small matrices a layer under plain names, what is loaded is checked like any other array
of a bundle, and no code or config of an adapter's folder is ever read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCALE = 2.0
"""What the product of the two matrices is multiplied with (alpha / rank of the paper)."""

RATE = 10.0
"""Learning rate of the matrices beside that of a layer's own weights."""


def add_lora(module: Any, rank: int, seed: int) -> Callable[[], None]:
    """Freeze `module["encoder"]`, and put two matrices beside each of its linear layers, as `module["lora"]`; gives what takes them off again.

    Layer W [out, in] computes W x + SCALE · B A x, with A [rank, in] drawn by the seed and B [out, rank] zero: at first nothing changes.
    """
    import torch

    matrices = torch.nn.ParameterDict()
    hooks = []
    drawn = torch.Generator().manual_seed(seed)
    for values in module["encoder"].parameters():
        values.requires_grad_(False)
    for name, layer in module["encoder"].named_modules():
        if isinstance(layer, torch.nn.Linear):
            device, key = layer.weight.device, name.replace(".", "/")  # torch allows no points in names
            down = torch.randn(rank, layer.in_features, generator=drawn) / rank
            matrices[f"{key}/a"] = torch.nn.Parameter(down.to(device))
            matrices[f"{key}/b"] = torch.nn.Parameter(torch.zeros(layer.out_features, rank, device=device))
            hooks.append(layer.register_forward_hook(_change(matrices, key)))
    module["lora"] = matrices

    def remove() -> None:
        for hook in hooks:
            hook.remove()
        del module["lora"]

    return remove


def _change(matrices: Any, key: str) -> Callable[[Any, tuple[Any, ...], Any], Any]:
    from torch.nn.functional import linear

    def changed(_: Any, given: tuple[Any, ...], out: Any) -> Any:
        return out + SCALE * linear(linear(given[0], matrices[f"{key}/a"]), matrices[f"{key}/b"])

    return changed


def merge_lora(module: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Add what matrices `lora.LAYER/a`, `lora.LAYER/b` change to the layers of `module["encoder"]`.

    Raises ValueError for layers that the encoder does not have and matrices that do not fit them.
    """
    import torch

    layers = {name.replace(".", "/"): layer for name, layer in module["encoder"].named_modules() if isinstance(layer, torch.nn.Linear)}
    named = {name.removeprefix("lora.").rpartition("/")[0] for name in arrays}
    if named != set(layers) or len(arrays) != 2 * len(layers):
        raise ValueError(f"the changes are of {len(named)} layers, and the encoder has {len(layers)} linear ones; they are not of one encoder")
    for key, layer in layers.items():
        up, down = (np.array(arrays[f"lora.{key}/{side}"], np.float32) for side in ("b", "a"))
        if up.ndim != 2 or down.ndim != 2 or (up.shape[0], up.shape[1], down.shape[1]) != (layer.out_features, down.shape[0], layer.in_features):
            raise ValueError(f"the changes of {key} are {list(up.shape)} and {list(down.shape)}, its weights {list(layer.weight.shape)}")
        with torch.no_grad():
            layer.weight += SCALE * (torch.from_numpy(up) @ torch.from_numpy(down)).to(layer.weight.device)
