"""An encoder with a linear head over its pooled vectors, as one torch module: what fine-tuning changes, and what scores afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from newsclf.errors import ConfigError, WorkerError, listed, nearest, need
from newsclf.learners.batching import Batch, Shape, batches, filled
from newsclf.learners.encoder_engines import ACCELERATOR, PROCESSOR
from newsclf.learners.encoder_files import EncoderFiles
from newsclf.learners.encoder_torch import loaded, pooled_tokens
from newsclf.learners.ngrams import Ids
from newsclf.learners.pair_windows import PairWindows
from newsclf.learners.tuning_optimiser import bf16_where_there_is
from newsclf.learners.windows import attention_shares, pooled
from newsclf.scores.metrics import Floats

logger = logging.getLogger("newsclf")

Pooling = str
"""Of the windows of a pair: mean, max or attention, as `WindowSpec.pooling` has it."""


@dataclass(frozen=True)
class Classifier:
    """A pre-trained encoder and a head that has a column for each label; with attention a last one, which says how much a window counts."""

    module: Any
    """torch.nn.ModuleDict of `encoder` and `head`."""

    files: EncoderFiles
    pooling: Pooling
    device: str

    @classmethod
    def open(cls, files: EncoderFiles, labels: int, *, pooling: Pooling, device: str, dropout: float = 0.1) -> Classifier:
        """The encoder as it was pre-trained under a head of zeros. Raises BundleError for weights that are missing or no numbers."""
        import torch

        encoder = loaded(files, torch.float32)
        for name, part in encoder.named_modules():
            if isinstance(part, torch.nn.Dropout):
                # without dropout of their weights attentions run in one fused kernel: a third of the time of a step on long texts
                part.p = 0.0 if _of_attention(name) else dropout
        head = torch.nn.Linear(files.numbers.dim, labels + (pooling == "attention"))
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
        module = torch.nn.ModuleDict({"encoder": encoder, "dropout": torch.nn.Dropout(dropout), "head": head})
        return cls(module.to(device).eval(), files, pooling, device)

    @property
    def shape(self) -> Shape:
        """How large a batch may be."""
        return PROCESSOR if self.device == "cpu" else ACCELERATOR

    def values(self, windows: PairWindows, which: Ids) -> Any:
        """What the head says of some windows, in their order, with gradients where the module trains. [which, columns]"""
        return self.module["head"](self.module["dropout"](self.vectors(windows, which))).float()

    def vectors(self, windows: PairWindows, which: Ids) -> Any:
        """Pooled vectors of some windows, in their order, with gradients where the module trains. [which, dim]"""
        import torch

        some = [(windows.ids[window], windows.segments[window]) for window in which.tolist()]
        found = batches(np.array([len(ids) for ids, _ in some], np.int64), self.shape)
        vectors = torch.cat([self._vectors(some, batch) for batch in found])
        back = np.empty(len(which), np.int64)
        back[np.concatenate([batch.rows for batch in found])] = np.arange(len(which))
        return vectors[torch.from_numpy(back).to(self.device)]

    def scores(self, windows: PairWindows, advance: Callable[[int], None] = lambda _: None) -> Floats:
        """The head's labels, pooled over the windows of each pair. [pairs, labels]

        Raises WorkerError where a single window does not fit into memory.
        """
        if not len(windows):
            return np.zeros((0, self.module["head"].out_features - (self.pooling == "attention")))
        return self.pooled(self.said(windows.ids, windows.segments, advance), windows.shares, windows.starts)

    def said(self, ids: Sequence[Ids], segments: Sequence[Ids], advance: Callable[[int], None] = lambda _: None) -> Floats:
        """What the head says of windows, in their order. [windows, columns]; raises as `scores` does."""
        values = np.zeros((len(ids), self.module["head"].out_features))
        some = list(zip(ids, segments, strict=True))
        for batch in batches(np.array([len(window) for window in ids], np.int64), self.shape):
            for rows, said in self._said(some, batch):
                values[rows] = said
            advance(len(batch.rows))
        return values

    def pooled(self, values: Floats, shares: Floats, starts: Ids) -> Floats:
        """What the head says of pairs from what it says of their windows; `shares` [windows] as the mean has them. [pairs, labels]"""
        if self.pooling == "attention":
            return pooled(values[:, :-1], starts, attention_shares(values[:, -1], starts))
        return pooled(values, starts, shares if self.pooling == "mean" else None)

    def _said(self, some: list[tuple[Ids, Ids]], batch: Batch) -> Iterator[tuple[Ids, NDArray[np.float32]]]:
        """What the head says of a batch's windows; in halves where it does not fit into memory."""
        import torch

        try:
            with torch.inference_mode(), bf16_where_there_is(self.device):
                said = self.module["head"](self._vectors(some, batch)).float().cpu().numpy()
        except (MemoryError, torch.OutOfMemoryError) as error:
            if len(batch.rows) == 1:
                _too_long(batch.width, self.device, error)
            said = None
        if said is not None:
            yield batch.rows, said
            return
        logger.warning("a batch of %d windows of %d tokens does not fit into memory on %s: halved", len(batch.rows), batch.width, self.device)
        for half in batch.halves(np.array([len(ids) for ids, _ in some], np.int64), self.shape):
            yield from self._said(some, half)

    def _vectors(self, some: list[tuple[Ids, Ids]], batch: Batch) -> Any:
        """Pooled vectors of a batch's windows. [batch, dim]"""
        import torch

        encoder = self.module["encoder"]
        tokens, mask = (torch.from_numpy(array).to(self.device) for array in filled([ids for ids, _ in some], batch, self.files.numbers.pad))
        asked = {"input_ids": tokens, "attention_mask": mask}
        if getattr(encoder.config, "type_vocab_size", 0) > 1:
            asked["token_type_ids"] = torch.from_numpy(filled([segments for _, segments in some], batch, 0)[0]).to(self.device)
        return pooled_tokens(encoder(**asked).last_hidden_state, mask, self.files)

    def put(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Set parameters by their names; raises ValueError for names or shapes that are not the module's."""
        import torch

        mine = dict(self.module.named_parameters())
        for name, array in arrays.items():
            if name not in mine or tuple(mine[name].shape) != array.shape:
                wanted = list(mine[name].shape) if name in mine else "no such array"
                raise ValueError(f"the array {name!r} is {list(array.shape)}, the encoder has {wanted}")
            with torch.no_grad():
                mine[name].copy_(torch.from_numpy(np.array(array, np.float32)))

    def arrays(self, part: str) -> dict[str, NDArray[np.float32]]:
        """The parameters of `encoder`, `head` or `lora`, by the names that `put` takes."""
        named = dict(self.module.named_parameters())
        return {name: np.array(named[name].detach().cpu().numpy(), order="C") for name in self.names(part)}

    def names(self, part: str) -> list[str]:
        """The names of these parameters."""
        return [name for name, _ in self.module.named_parameters() if name.startswith(f"{part}.")]


def _too_long(width: int, device: str, error: BaseException) -> NoReturn:
    raise WorkerError(
        f"a single window of {width} tokens does not fit into the memory of {device}; free some, or take smaller windows (windows.size)."
    ) from error


def _of_attention(name: str) -> bool:
    """Whether a dropout is that of an attention's weights, by its place: after the attention's output stands another one, which stays."""
    return ("attention" in name or "attn" in name) and "output" not in name


def choose_device(name: str = "auto") -> str:
    """The device of that name; `auto` takes the first of DEVICES that this machine has.

    Raises ConfigError where there is none of that name or this machine lacks it, MissingExtra without the `neural` extra.
    """
    need("torch", "neural", why="fine-tuning")
    need("transformers", "neural", why="fine-tuning")
    here = [device for device, present in DEVICES.items() if present()]
    if name == "auto":
        return here[0]
    if name not in DEVICES:
        raise ConfigError(f"'learner.device': there is no device {name!r}{nearest(name, DEVICES)}; the devices are 'auto', {listed(DEVICES)}.")
    if name not in here:
        raise ConfigError(f"'learner.device': this machine has no {name!r}; take 'auto', or one of {listed(here)}.")
    return name


def _has_cuda() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def _has_mps() -> bool:
    import torch

    return bool(torch.backends.mps.is_available())


DEVICES: Mapping[str, Callable[[], bool]] = {"cuda": _has_cuda, "mps": _has_mps, "cpu": lambda: True}
"""Device → whether this machine has it; the fastest first."""
