"""A bert of a few thousand random weights, in a folder as sentence-transformers writes it; made with numpy, so that reading it needs no torch."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from newsclf.learners.encoder_runtime import Encoder
from newsclf.tensors import tensor_bytes

MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
WORDS = [
    "the",
    "a",
    "rain",
    "river",
    "town",
    "bridge",
    "fish",
    "night",
    "train",
    "market",
    "council",
    "said",
    "over",
    "under",
    "long",
    "short",
    "old",
    "new",
    "week",
    "road",
    "mayor",
    "school",
]
DIM, LAYERS, POSITIONS = 16, 2, 24
CONFIG: dict[str, Any] = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "vocab_size": len(MARKS + WORDS),
    "hidden_size": DIM,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": 32,
    "hidden_act": "gelu",
    "max_position_embeddings": POSITIONS,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
}
TOKENIZER: dict[str, Any] = {
    "version": "1.0",
    "truncation": {"max_length": 8, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},  # must not be obeyed
    "padding": None,
    "added_tokens": [
        {"id": number, "content": mark, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for number, mark in enumerate(MARKS)
    ],
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
    "decoder": None,
    "model": {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": {word: number for number, word in enumerate(MARKS + WORDS)},
    },
}
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]


def weights(seed: int = 0, words: int = len(MARKS + WORDS)) -> dict[str, np.ndarray]:
    """Random weights under the names that transformers gives them, for a vocabulary of so many tokens."""
    dice = np.random.default_rng(seed)
    found: dict[str, np.ndarray] = {}

    def add(name: str, *shape: int) -> None:
        found[f"{name}.weight"] = dice.normal(0, 0.3, shape).astype(np.float32)

    def add_layer(name: str, out: int, into: int) -> None:
        add(name, out, into)
        found[f"{name}.bias"] = dice.normal(0, 0.1, out).astype(np.float32)

    def add_norm(name: str) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = np.ones(DIM, np.float32), np.zeros(DIM, np.float32)

    for name, rows in (("word", words), ("position", POSITIONS), ("token_type", 2)):
        add(f"embeddings.{name}_embeddings", rows, DIM)
    add_norm("embeddings.LayerNorm")
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            add_layer(f"{at}.attention.self.{part}", DIM, DIM)
        add_layer(f"{at}.attention.output.dense", DIM, DIM)
        add_layer(f"{at}.intermediate.dense", 32, DIM)
        add_layer(f"{at}.output.dense", DIM, 32)
        add_norm(f"{at}.attention.output.LayerNorm")
        add_norm(f"{at}.output.LayerNorm")
    return found


def write_json(path: Path, tree: Any) -> None:
    """A JSON file, in a folder that is made where it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tree), "utf-8")


def write_encoder(folder: Path, *, pooling: str = "mean", modules: int = 3, words: Sequence[str] = WORDS) -> Path:
    """The folder, with the first so many of the MODULES (none: a plain transformers folder), that knows these words."""
    vocabulary = {word: number for number, word in enumerate([*MARKS, *words])}
    write_json(folder / "config.json", {**CONFIG, "vocab_size": len(vocabulary)})
    write_json(folder / "tokenizer.json", {**TOKENIZER, "model": {**TOKENIZER["model"], "vocab": vocabulary}})
    (folder / "model.safetensors").write_bytes(tensor_bytes(weights(words=len(vocabulary))))
    if modules:
        write_json(folder / "modules.json", MODULES[:modules])
        write_json(folder / "sentence_bert_config.json", {"max_seq_length": 12, "do_lower_case": False})
    if modules > 1:
        modes = {f"pooling_mode_{mode}": mode.startswith(pooling) for mode in ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")}
        modes["pooling_mode_mean_sqrt_len_tokens"] = False
        write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": DIM, **modes})
    return folder


def encoded_texts(monkeypatch) -> Counter[str]:
    """How often each text is encoded from here on, in this process."""
    seen: Counter[str] = Counter()
    encode = Encoder.encode

    def counting(self, texts, **more):
        seen.update(texts)
        return encode(self, texts, **more)

    monkeypatch.setattr(Encoder, "encode", counting)
    return seen
