"""An encoder's folder, read and checked before anything in it reaches a library: what it is, what it takes, how its tokens become one vector.

Only four kinds of file are read: config.json, tokenizer.json, model.safetensors, and what sentence-transformers writes of pooling. Pickles that lie
beside them are never opened.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Literal, get_args

from newsclf.errors import BundleError, ConfigError, listed, need, shown
from newsclf.learners.encoder_config import ARCHITECTURES, Numbers, read_config

CONFIG, TOKENIZER, WEIGHTS = "config.json", "tokenizer.json", "model.safetensors"
MODULES, LENGTH, TOKENIZING = "modules.json", "sentence_bert_config.json", "tokenizer_config.json"
FETCHED = (CONFIG, TOKENIZER, WEIGHTS, MODULES, LENGTH, TOKENIZING, "*_Pooling/config.json")
"""All that is ever taken from a hub."""

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".h5", ".msgpack")
LARGEST_JSON, LARGEST_HEADER = 1 << 27, 1 << 23
"""Bytes of a JSON file, and of the header of the weights; multilingual tokenizers have up to 3e7."""

BYTES: Mapping[str, int] = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
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


def encoder_files(name: str | Path) -> EncoderFiles:
    """The encoder in a folder, or of a hub name like `sentence-transformers/all-MiniLM-L6-v2`, optionally with `@revision`.

    Raises ConfigError where the name leads to none, MissingExtra where a hub is asked for without the `neural` extra, and BundleError for files that
    are missing, damaged, of a kind that newsclf does not know, or that would run code.
    """
    folder = _located(name)
    for file in (CONFIG, TOKENIZER, WEIGHTS):
        _present(folder, file)
    if (adapter := folder / "adapter_config.json").exists():
        raise BundleError(f"{adapter}: this folder holds an adapter to another encoder; merge the two, save them as one, and name that folder.")
    numbers = read_config(_object(folder / CONFIG), where=str(folder / CONFIG))
    _check_weights(folder / WEIGHTS, numbers)
    _check_tokenizer(folder / TOKENIZER, numbers)
    pooling, normalise = _pooling(folder, numbers)
    stated = (_object(folder / LENGTH).get("max_seq_length"), _object(folder / TOKENIZING).get("model_max_length"))
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


def _fetched(name: str) -> Path:
    """The folder where the hub's files lie after they were fetched, or were before."""
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
    if file == WEIGHTS and any(name.startswith("model-0") and name.endswith(".safetensors") for name in names):
        advice = "its weights are cut into several files; save it with a max_shard_size above its size"
    elif file == WEIGHTS and (pickles := [name for name in names if name.endswith(PICKLES)]):
        advice = f"its weights are in {pickles[0]!r}, which could run code and is never opened; use a version of the encoder that has safetensors"
    elif file == TOKENIZER:
        advice = f"it has {listed(names, most=6)}; save the tokenizer again with transformers' fast tokenizer, which writes {TOKENIZER}"
    raise BundleError(f"{folder / file}: this file is missing from the encoder: {advice}.")


def _json(path: Path) -> Any:
    try:
        size = path.stat().st_size
        if size > LARGEST_JSON:
            raise BundleError(f"{path}: this file must have at most {LARGEST_JSON:,} bytes, and has {size:,}; it is no encoder's.")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise BundleError(f"{path}: this file of the encoder cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: this file of the encoder must be JSON, and is not: {error}.") from error


def _object(path: Path) -> dict[str, Any]:
    """A JSON object; empty where the file is not there."""
    found = _json(path) if path.exists() else {}
    if not isinstance(found, dict):
        raise BundleError(f"{path}: this file of the encoder must hold a JSON object, and holds {shown(found)}.")
    return found


def _check_weights(path: Path, numbers: Numbers) -> None:
    """Raise BundleError where the header of the weights does not fit the file or the config; the weights themselves are not read."""
    try:
        shapes = _shapes(path)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BundleError(f"{path}: this is no whole safetensors file: {error}. Copy the encoder again.") from error
    known = ARCHITECTURES[numbers.architecture]
    tables = [tuple(shape) for name, shape in shapes.items() if name.endswith(known.embedding)]
    if tables != [numbers.embedding]:
        raise BundleError(
            f"{path}: {CONFIG} says that the word embeddings are {list(numbers.embedding)} numbers (tokens, width), and the weights have "
            f"{[list(table) for table in tables] or 'none'}; the two files are not of one encoder."
        )
    layers = {int(found[1]) for name in shapes if (found := re.search(rf"(?:^|\.){re.escape(known.layer)}(\d+)\.", name))}
    if layers != set(range(numbers.layers)):
        raise BundleError(f"{path}: {CONFIG} says {numbers.layers} layers, and the weights have {len(layers)}; the two files are not of one encoder.")


def _shapes(path: Path) -> dict[str, list[int]]:
    """Shape of every array of a safetensors file; raises ValueError where the header does not fit the file."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        left = path.stat().st_size - 8 - length
        if length > LARGEST_HEADER or left < 0:
            raise ValueError(f"it announces a header of {length:,} bytes")
        header = json.loads(stream.read(length))
    entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
    for name, entry in entries.items():
        start, stop = entry["data_offsets"]
        if not 0 <= start <= stop <= left or stop - start != prod(entry["shape"]) * BYTES[entry["dtype"]]:
            raise ValueError(f"the array {name!r} does not fit its place, bytes {start} to {stop} of {left}")
    return {name: entry["shape"] for name, entry in entries.items()}


def _check_tokenizer(path: Path, numbers: Numbers) -> None:
    """Raise BundleError where the tokenizer's numbers are not those of the embeddings."""
    tree = _object(path)
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


def _pooling(folder: Path, numbers: Numbers) -> tuple[Pooling, bool]:
    """How a text's vector is made of its tokens', as sentence-transformers' files say: the mean where they are not there."""
    modules = _json(folder / MODULES) if (folder / MODULES).exists() else []
    where = folder / MODULES
    try:
        steps = [(str(step["type"]).rpartition(".")[2], str(step["path"])) for step in modules]
    except (KeyError, TypeError) as error:
        raise BundleError(f"{where}: each of its modules must have a type and a path: {error!r}.") from error
    kinds = [kind for kind, _ in steps]
    if kinds not in ([], ["Transformer"], ["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]) or (steps and steps[0][1]):
        raise BundleError(
            f"{where}: an encoder must be a transformer, a pooling and at most a normalisation, and is {listed(kinds)}; use another encoder."
        )
    if "Pooling" not in kinds:
        return "mean", False
    if not re.fullmatch(r"\w+", steps[1][1], re.ASCII):
        raise BundleError(f"{where}: the pooling's path must be the name of a folder beside it, and is {shown(steps[1][1])}.")
    path = folder / steps[1][1] / CONFIG
    _present(path.parent, CONFIG) if path.parent.is_dir() else _present(folder, f"{steps[1][1]}/{CONFIG}")
    tree = _object(path)
    modes = {key.removeprefix("pooling_mode_").partition("_token")[0] for key, on in tree.items() if key.startswith("pooling_mode_") and on is True}
    modes |= {str(tree["pooling_mode"])} if "pooling_mode" in tree else set()
    width = tree.get("word_embedding_dimension", numbers.dim)
    for known in get_args(Pooling):
        if modes == {known} and width == numbers.dim:
            return known, "Normalize" in kinds
    raise BundleError(f"{path}: the pooling must be 'mean' or 'cls' of {numbers.dim} numbers, and is {listed(sorted(modes))} of {shown(width)}.")


def _fingerprint(folder: Path, said: str) -> str:
    total = hashlib.sha256(said.encode())
    for file in (CONFIG, TOKENIZER, WEIGHTS):
        with (folder / file).open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()
