"""An encoder's folder, read and checked before anything in it reaches a library: what it is, what it takes, how its tokens become one vector.

Only four kinds of file are read: config.json, tokenizer.json, safetensors, and what sentence-transformers writes of pooling. Pickles that lie
beside them are never opened.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from newsclf.errors import BundleError, ConfigError, listed, need, shown
from newsclf.learners.encoder_config import Numbers, read_config
from newsclf.learners.encoder_json import read_json, read_object
from newsclf.learners.encoder_weights import INDEX, SHARD, WEIGHTS, check_weights, weight_files

CONFIG, TOKENIZER = "config.json", "tokenizer.json"
MODULES, LENGTH, TOKENIZING = "modules.json", "sentence_bert_config.json", "tokenizer_config.json"
FETCHED = (CONFIG, TOKENIZER, WEIGHTS, INDEX, "model-?????-of-?????.safetensors", MODULES, LENGTH, TOKENIZING, "*_Pooling/config.json")
"""All that is ever taken from a hub."""

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".h5", ".msgpack")
UNUSED = 0.1
"""Share of the embeddings that no token may have: tables are padded to round numbers, and more than that is another encoder's tokenizer."""

HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*(@[\w.-]+)?", re.ASCII)
Pooling = Literal["mean", "cls"]


@dataclass(frozen=True)
class EncoderFiles:
    """An encoder whose files were checked."""

    folder: Path
    numbers: Numbers
    fingerprint: str
    """sha256 over the files that decide what a text's embedding is, and over what was read of the rest."""

    tokens: int
    """The most tokens of one text as the encoder's own files say; `numbers.positions` is what it can take."""

    pooling: Pooling
    """Mean over the tokens of a text, or its first token's vector."""

    normalise: bool
    """Whether embeddings are brought to length 1."""

    tuned: Mapping[str, NDArray[Any]] = field(default_factory=dict, compare=False)
    """Weights, by the names that transformers gives them, that stand in place of the file's."""

    @property
    def base(self) -> str:
        """Fingerprint of the encoder as its folder has it, whatever was tuned."""
        return self.fingerprint.partition("+")[0]

    @property
    def identity(self) -> str:
        """What a model says of the encoder that it rests on: `base`, and how far a text is read."""
        return hashlib.sha256(f"{self.base} {self.tokens}".encode()).hexdigest()

    @property
    def names(self) -> list[str]:
        """Its files, each from the folder on; whatever else lies there is not read."""
        some = [
            CONFIG,
            TOKENIZER,
            *weight_files(self.folder),
            MODULES,
            LENGTH,
            TOKENIZING,
            *(f"{path}/{CONFIG}" for _, path in _steps(self.folder)[1:2]),
        ]
        return [name for name in some if (self.folder / name).is_file()]

    def tuned_to(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """The same encoder with these weights in place of its own, and a fingerprint of its own; `loaded` raises ValueError where they do not fit."""
        total = hashlib.sha256()
        for name, values in sorted(weights.items()):
            total.update(f"{name} {values.dtype.str} {values.shape}".encode())
            total.update(np.ascontiguousarray(values).data)
        return replace(self, tuned=dict(weights), fingerprint=f"{self.base}+{total.hexdigest()}")


def encoder_files(name: str | Path) -> EncoderFiles:
    """The encoder in a folder, or of a hub name like `sentence-transformers/all-MiniLM-L6-v2`, optionally with `@revision`.

    Raises ConfigError where the name leads to none, MissingExtra where a hub is asked for without the `neural` extra, and BundleError for files that
    are missing, damaged, of a kind that newsclf does not know, or that would run code.
    """
    folder = _located(name)
    for file in (CONFIG, TOKENIZER, *weight_files(folder)):
        _present(folder, file)
    if (adapter := folder / "adapter_config.json").exists():
        raise BundleError(f"{adapter}: this folder holds an adapter to another encoder; merge the two, save them as one, and name that folder.")
    numbers = read_config(read_object(folder / CONFIG), where=str(folder / CONFIG))
    check_weights(folder, numbers)
    _check_tokenizer(folder / TOKENIZER, numbers)
    pooling, normalise = _pooling(folder, numbers)
    stated = (read_object(folder / LENGTH).get("max_seq_length"), read_object(folder / TOKENIZING).get("model_max_length"))
    tokens = min([numbers.positions, *(int(most) for most in stated if isinstance(most, (int, float)) and 3 <= most <= numbers.positions)])
    said = f"{pooling} {normalise}"
    return EncoderFiles(folder, numbers, _fingerprint(folder, said), tokens, pooling, normalise)


def _located(name: str | Path) -> Path:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder.resolve()
    if not isinstance(name, str) or not HUB_NAME.fullmatch(name) or folder.exists():
        raise ConfigError(
            f"{name}: this is no encoder: give a folder with {CONFIG}, {TOKENIZER} and {WEIGHTS}, or a hub name like 'organisation/model'."
        )
    return _fetched(name)


@cache
def _fetched(name: str) -> Path:
    """The folder where the hub's files lie after they were fetched, or were before; the hub is asked once in a process."""
    need("huggingface_hub", "neural", why=f"fetching the encoder {name!r}")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    repository, _, revision = name.partition("@")
    try:
        return Path(snapshot_download(repository, revision=revision or None, allow_patterns=list(FETCHED)))
    except (OSError, HfHubHTTPError, HFValidationError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
        raise ConfigError(
            f"{name}: there is no folder of that name here, and the hub's encoder of that name could be found neither on this machine nor over the "
            f"network ({type(error).__name__}: {reason}). Copy it from a machine with network and give the folder."
        ) from error


def _present(folder: Path, file: str) -> None:
    """Raise BundleError, with what stands in its place, where a file is not there."""
    if (folder / file).is_file():
        return
    names = sorted(path.name for path in folder.iterdir())
    advice = f"the folder has {listed(names, most=6)}"
    if file == WEIGHTS and any(SHARD.fullmatch(name) for name in names):
        advice = f"its weights are in several files, and {INDEX} is not there, which says what is where; copy the encoder again"
    elif file == WEIGHTS and (pickles := [name for name in names if name.endswith(PICKLES)]):
        advice = f"its weights are in {pickles[0]!r}, which could run code and is never opened; use a version of the encoder that has safetensors"
    elif file == TOKENIZER:
        advice = f"it has {listed(names, most=6)}; save the tokenizer again with transformers' fast tokenizer, which writes {TOKENIZER}"
    raise BundleError(f"{folder / file}: this file is missing from the encoder: {advice}.")


def _check_tokenizer(path: Path, numbers: Numbers) -> None:
    """Raise BundleError where the tokenizer's numbers are not those of the embeddings."""
    tree = read_object(path)
    try:
        vocabulary = tree["model"]["vocab"]
        numbered = set(vocabulary.values()) if isinstance(vocabulary, dict) else set(range(len(vocabulary)))
        numbered |= {token["id"] for token in tree.get("added_tokens") or ()}
        largest = max(numbered)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"{path}: this is no tokenizer as the tokenizers library writes it: {error!r}.") from error
    rows = numbers.embedding[0]
    if largest >= rows or len(numbered) < rows * (1 - UNUSED):
        raise BundleError(
            f"{path}: the tokenizer has {len(numbered):,} tokens, numbered up to {largest:,}, and the encoder has embeddings for {rows:,}; "
            "they are not of one encoder: copy both from the same place."
        )


def _steps(folder: Path) -> list[tuple[str, str]]:
    """Kind and folder of what sentence-transformers does one after the other; none where its files are not there."""
    where = folder / MODULES
    modules = read_json(where) if where.exists() else []
    try:
        steps = [(str(step["type"]).rpartition(".")[2], str(step["path"])) for step in modules]
    except (KeyError, TypeError) as error:
        raise BundleError(f"{where}: each of its modules must have a type and a path: {error!r}.") from error
    kinds = [kind for kind, _ in steps]
    if kinds not in ([], ["Transformer"], ["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]) or (steps and steps[0][1]):
        raise BundleError(
            f"{where}: an encoder must be a transformer, a pooling and at most a normalisation, and is {listed(kinds)}; use another encoder."
        )
    if len(steps) > 1 and not re.fullmatch(r"\w+", steps[1][1], re.ASCII):
        raise BundleError(f"{where}: the pooling's path must be the name of a folder beside it, and is {shown(steps[1][1])}.")
    return steps


def _pooling(folder: Path, numbers: Numbers) -> tuple[Pooling, bool]:
    """How a text's vector is made of its tokens', as sentence-transformers' files say: the mean where they are not there."""
    steps = _steps(folder)
    kinds = [kind for kind, _ in steps]
    if "Pooling" not in kinds:
        return "mean", False
    path = folder / steps[1][1] / CONFIG
    _present(path.parent, CONFIG) if path.parent.is_dir() else _present(folder, f"{steps[1][1]}/{CONFIG}")
    tree = read_object(path)
    modes = {key.removeprefix("pooling_mode_").partition("_token")[0] for key, on in tree.items() if key.startswith("pooling_mode_") and on is True}
    modes |= {str(tree["pooling_mode"])} if "pooling_mode" in tree else set()
    width = tree.get("word_embedding_dimension", numbers.dim)
    for known in get_args(Pooling):
        if modes == {known} and width == numbers.dim:
            return known, "Normalize" in kinds
    raise BundleError(f"{path}: the pooling must be 'mean' or 'cls' of {numbers.dim} numbers, and is {listed(sorted(modes))} of {shown(width)}.")


def _fingerprint(folder: Path, said: str) -> str:
    total = hashlib.sha256(said.encode())
    for file in (CONFIG, TOKENIZER, *weight_files(folder)):
        with (folder / file).open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()
