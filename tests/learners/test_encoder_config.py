"""A config.json is read key by key; what is not on the list never reaches transformers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_encoder import CONFIG, DIM, LAYERS, MARKS, POSITIONS, WORDS

from newsclf.errors import BundleError
from newsclf.learners.encoder_config import ARCHITECTURES, FIXED, LEFT_OUT, READ, read_config

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
KEYS = st.sampled_from([*sorted(READ), *sorted(LEFT_OUT), *FIXED, "auto_map", "other"])


def read(**changed):
    return read_config({**CONFIG, **changed}, where="config.json")


def test_the_numbers_of_a_config():
    found = read(id2label={"0": "LABEL_0"}, transformers_version="4.8.2", is_decoder=False)
    assert (found.architecture, found.dim, found.layers, found.positions, found.pad) == ("bert", DIM, LAYERS, POSITIONS, 0)
    assert found.embedding == (len(MARKS + WORDS), DIM)
    assert found.kept.keys() == {*CONFIG, "pad_token_id"} - {"model_type", "architectures"}


@pytest.mark.parametrize(
    ("changed", "positions", "pad", "width"),
    [
        ({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}, 512, 1, DIM),
        ({"model_type": "mpnet", "max_position_embeddings": 514, "pad_token_id": None}, 512, 1, DIM),
        ({"model_type": "electra", "embedding_size": 8}, POSITIONS, 0, 8),
        ({"model_type": "distilbert", "dim": 48, "n_layers": 6}, POSITIONS, 0, 48),
    ],
)
def test_what_architectures_call_their_numbers(changed, positions, pad, width):
    found = read(**changed)
    assert (found.positions, found.pad, found.embedding[1]) == (positions, pad, width)


@pytest.mark.parametrize("key", ["auto_map", "custom_pipelines", "trust_remote_code"])
def test_a_key_that_names_code_is_refused(key):
    with pytest.raises(BundleError, match=rf"config\.json: the key '{key}' names code .* runs no code from a model"):
        read(**{key: {"AutoModel": "modeling.Evil"}})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"attn_implementation": "someone/kernels"}, "'attn_implementation' .*someone/kernels.* not among those that newsclf knows"),
        ({"_attn_implementation_internal": "someone/kernels"}, "not among those"),
        ({"quantization_config": {"quant_method": "x"}}, "not among those"),
        ({"hidden_sise": 3}, "did you mean 'hidden_size'"),
        ({"hidden_act": "someone/kernels"}, "'hidden_act' must be numbers and words"),
        ({"rope_parameters": {"a": {"b": {"c": {"d": 1}}}}}, "'rope_parameters' must be numbers and words"),
        ({"layer_norm_eps": float("nan")}, "'layer_norm_eps' must be numbers"),
        ({"intermediate_size": 10**12}, "'intermediate_size' must be numbers and words no larger than 1,048,576"),
        ({"model_type": "llama"}, "'model_type' must be one of .*'roberta'.* and is \"llama\""),
        ({"model_type": ["bert"]}, "'model_type' must be one of"),
        ({"is_decoder": True}, "'is_decoder' must be false, and is true"),
        ({"position_embedding_type": "relative_key"}, "'position_embedding_type' must be \"absolute\""),
        ({"hidden_size": "16"}, "'hidden_size' must be a whole number from 1"),
        ({"num_hidden_layers": True}, "'num_hidden_layers' must be a whole number"),
        ({"vocab_size": 0}, "'vocab_size' must be a whole number"),
        ({"pad_token_id": 999}, "'pad_token_id' must be below the vocabulary's size 26"),
        ({"max_position_embeddings": 2}, "at least 3 tokens"),
    ],
)
def test_whatever_is_not_as_it_must_be_is_said_in_a_sentence(changed, said):
    with pytest.raises(BundleError, match=said):
        read(**changed)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, JSON, max_size=6), st.sampled_from([*ARCHITECTURES, "gpt2"]))
def test_any_config_is_read_or_refused_and_only_listed_keys_are_kept(changed, kind):
    try:
        found = read(**{**changed, "model_type": kind})
    except BundleError:
        return
    assert set(found.kept) <= READ
    assert min(found.dim, found.layers, found.positions) > 0


def test_a_key_stands_on_one_list_only():
    assert not READ & LEFT_OUT
    assert not (READ | LEFT_OUT) & FIXED.keys()
