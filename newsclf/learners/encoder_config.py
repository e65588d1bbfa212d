"""What an encoder's config.json may say: the architectures that are known, and the keys that are read, left out, or refused.

transformers acts on keys of a config file that name code, other repositories or kernels (CVE-2026-4372: one of them ran code in spite of
`trust_remote_code=False`). So it never sees the file: it gets the keys that are listed here, and a file with any other key is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from newsclf.errors import BundleError, listed, nearest, shown


@dataclass(frozen=True)
class Architecture:
    """Where a kind of encoder keeps its numbers and its table of word embeddings."""

    embedding: str = "embeddings.word_embeddings.weight"
    """How the name of that tensor ends. [vocabulary, width]"""

    dim: str = "hidden_size"
    layers: str = "num_hidden_layers"
    layer: str = "layer."
    """What stands before a layer's number in the names of its tensors."""

    reserved: int = 0
    """Positions that no token gets, beyond the number of the padding token: roberta counts from there on."""

    pad: int = 0
    """Number of the padding token where the config does not say."""


ROBERTA = Architecture(reserved=1, pad=1)
ARCHITECTURES: Mapping[str, Architecture] = {
    "bert": Architecture(),
    "camembert": ROBERTA,
    "deberta-v2": Architecture(),
    "distilbert": Architecture(dim="dim", layers="n_layers"),
    "electra": Architecture(),
    "modernbert": Architecture("embeddings.tok_embeddings.weight", layer="layers.", pad=50283),
    "mpnet": ROBERTA,
    "roberta": ROBERTA,
    "xlm-roberta": ROBERTA,
}
"""`model_type`, as config.json names it → what is known of it. A new one is a row here, and a folder of it among the tests."""

READ = frozenset(
    [
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "hidden_act",
        "hidden_dropout_prob",
        "attention_probs_dropout_prob",
        "max_position_embeddings",
        "type_vocab_size",
        "initializer_range",
        "layer_norm_eps",
        "pad_token_id",
        "bos_token_id",
        "eos_token_id",
        "cls_token_id",
        "sep_token_id",
        "embedding_size",
        "relative_attention_num_buckets",
        "dim",
        "hidden_dim",
        "n_heads",
        "n_layers",
        "activation",
        "attention_dropout",
        "dropout",
        "sinusoidal_pos_embds",
        "relative_attention",
        "max_relative_positions",
        "pos_att_type",
        "norm_rel_ebd",
        "share_att_key",
        "position_buckets",
        "position_biased_input",
        "conv_kernel_size",
        "conv_act",
        "attention_bias",
        "embedding_dropout",
        "global_attn_every_n_layers",
        "global_rope_theta",
        "local_rope_theta",
        "hidden_activation",
        "initializer_cutoff_factor",
        "local_attention",
        "layer_types",
        "rope_parameters",
        "mlp_bias",
        "mlp_dropout",
        "norm_bias",
        "norm_eps",
    ]
)
"""Keys that make the encoder what it is."""

LEFT_OUT = frozenset(
    [
        "model_type",
        "_name_or_path",
        "architectures",
        "transformers_version",
        "torch_dtype",
        "dtype",
        "use_cache",
        "gradient_checkpointing",
        "id2label",
        "label2id",
        "num_labels",
        "finetuning_task",
        "problem_type",
        "output_past",
        "output_attentions",
        "output_hidden_states",
        "return_dict",
        "chunk_size_feed_forward",
        "directionality",
        "language",
        "tie_word_embeddings",
        "tie_weights_",
        "model_max_length",
        "classifier_dropout",
        "qa_dropout",
        "seq_classif_dropout",
        "summary_activation",
        "summary_last_dropout",
        "summary_type",
        "summary_use_proj",
        "pooler_fc_size",
        "pooler_num_attention_heads",
        "pooler_num_fc_layers",
        "pooler_size_per_head",
        "pooler_type",
        "pooler_dropout",
        "pooler_hidden_act",
        "pooler_hidden_size",
        "legacy",
        "classifier_activation",
        "classifier_bias",
        "classifier_pooling",
        "decoder_bias",
        "deterministic_flash_attn",
        "reference_compile",
        "repad_logits_with_grad",
        "sparse_pred_ignore_index",
        "sparse_prediction",
    ]
)
"""Keys that say nothing of what the encoder gives: heads, training, bookkeeping. Not handed on."""

FIXED: Mapping[str, Any] = {"is_decoder": False, "is_encoder_decoder": False, "add_cross_attention": False, "position_embedding_type": "absolute"}
"""Keys that may say one thing only: what they would change is not built here."""

CODE = ("auto_map", "custom_pipelines", "trust_remote_code")
"""Keys that name Python code to be run."""

LARGEST = 1 << 20
"""No number of a config is larger: such an encoder could not be held."""


@dataclass(frozen=True)
class Numbers:
    """What of a config the rest of the house needs, checked."""

    architecture: str
    dim: int
    """Numbers in a text's embedding."""

    embedding: tuple[int, int]
    """Shape that the table of word embeddings must have. [vocabulary, width]"""

    layers: int
    positions: int
    """The most tokens of one text, with those that mark its start and end."""

    pad: int
    """Number of the padding token."""

    kept: Mapping[str, Any]
    """The keys that are handed to transformers."""


def read_config(tree: Mapping[str, Any], *, where: str) -> Numbers:
    """What a config.json says; raises BundleError for an architecture, key or value that is not on the lists above."""
    kind = tree.get("model_type")
    if code := [key for key in CODE if key in tree]:
        raise BundleError(
            f"{where}: the key {code[0]!r} names code that the encoder wants to run; newsclf runs no code from a model. Use another encoder."
        )
    if not isinstance(kind, str) or kind not in ARCHITECTURES:
        raise BundleError(f"{where}: 'model_type' must be one of {listed(ARCHITECTURES)}, and is {shown(kind)}; use an encoder of these kinds.")
    for key, value in tree.items():
        _check(key, value, where)
    found = ARCHITECTURES[kind]
    dim, layers, vocabulary = (_count(tree, key, where) for key in (found.dim, found.layers, "vocab_size"))
    width = _count(tree, "embedding_size", where) if "embedding_size" in tree else dim
    pad = found.pad if tree.get("pad_token_id") is None else _count(tree, "pad_token_id", where, least=0)
    if pad >= vocabulary:
        raise BundleError(f"{where}: 'pad_token_id' must be below the vocabulary's size {vocabulary}, and is {pad}; the file is damaged.")
    positions = _count(tree, "max_position_embeddings", where) - (pad + 1 if found.reserved else 0)
    if positions < 3:  # start, end, and something between
        raise BundleError(f"{where}: an encoder must take at least 3 tokens, and this one takes {positions}; the file is damaged.")
    kept = {key: value for key, value in tree.items() if key in READ} | {"pad_token_id": pad}
    return Numbers(kind, dim, (vocabulary, width), layers, positions, pad, kept)


def _check(key: str, value: Any, where: str) -> None:
    """Raise BundleError for a key that is on no list, and for a value that is more than numbers and words."""
    if key in FIXED and value != FIXED[key]:
        raise BundleError(f"{where}: {key!r} must be {shown(FIXED[key])}, and is {shown(value)}; newsclf has no encoders of that kind.")
    if key not in READ and key not in LEFT_OUT and key not in FIXED:
        raise BundleError(
            f"{where}: the key {key!r} (it says {shown(value)}) is not among those that newsclf knows{nearest(key, READ)}, and a key may make "
            "transformers run code; look what it means, and take it out of a copy of the folder if it changes nothing."
        )
    if key in READ and not _plain(value):
        raise BundleError(f"{where}: {key!r} must be numbers and words no larger than {LARGEST:,}, and is {shown(value)}; the file is damaged.")


def _plain(value: Any, depth: int = 3) -> bool:
    if isinstance(value, Mapping):
        return depth > 0 and all(_plain(inner, depth - 1) for inner in value.values())
    if isinstance(value, list):
        return depth > 0 and all(_plain(inner, depth - 1) for inner in value)
    if isinstance(value, str):
        return value.replace("_", "").replace("|", "").isalnum()  # no path, no repository, no module
    return value is None or (isinstance(value, (bool, int, float)) and abs(value) <= LARGEST)


def _count(tree: Mapping[str, Any], key: str, where: str, *, least: int = 1) -> int:
    value = tree.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST:
        raise BundleError(f"{where}: {key!r} must be a whole number from {least} to {LARGEST:,}, and is {shown(value)}; the file is damaged.")
    return value
