"""An encoder's folder is checked whole before any library reads it; whatever is wrong with it is one sentence."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import pytest
from tiny_encoder import CONFIG, DIM, MODULES, POSITIONS, TOKENIZER, weights, write_encoder, write_json

from newsclf.errors import BundleError, ConfigError
from newsclf.learners.encoder_files import encoder_files
from newsclf.tensors import tensor_bytes


@pytest.fixture
def folder(tmp_path):
    return write_encoder(tmp_path / "tiny")


def test_what_a_sentence_transformers_folder_says(folder):
    found = encoder_files(folder)
    assert found.folder == folder.resolve()
    assert (found.numbers.dim, found.numbers.positions, found.tokens) == (DIM, POSITIONS, 12)
    assert (found.pooling, found.normalise) == ("mean", True)


@pytest.mark.parametrize(("modules", "pooling", "normalise"), [(0, "mean", False), (1, "mean", False), (2, "cls", False), (3, "cls", True)])
def test_pooling_is_as_the_files_say_and_else_the_mean(tmp_path, modules, pooling, normalise):
    found = encoder_files(write_encoder(tmp_path, pooling="cls", modules=modules))
    assert (found.pooling, found.normalise) == (pooling, normalise)


def test_pooling_as_later_sentence_transformers_write_it(folder):
    write_json(folder / "1_Pooling" / "config.json", {"embedding_dimension": DIM, "pooling_mode": "cls", "include_prompt": True})
    assert encoder_files(folder).pooling == "cls"


@pytest.mark.parametrize(("stated", "tokens"), [(512, 12), (8, 8), (1e30, 12), ("many", 12)])
def test_the_tokens_of_a_text_are_the_least_that_any_file_states(folder, stated, tokens):
    write_json(folder / "tokenizer_config.json", {"model_max_length": stated})
    assert encoder_files(folder).tokens == tokens


def test_without_a_stated_length_an_encoder_takes_what_it_has_positions_for(tmp_path):
    assert encoder_files(write_encoder(tmp_path, modules=0)).tokens == POSITIONS


def test_the_fingerprint_is_that_of_the_content(folder, tmp_path):
    first = encoder_files(folder).fingerprint
    assert encoder_files(write_encoder(tmp_path / "again")).fingerprint == first
    (folder / "README.md").write_text("of no matter")
    assert encoder_files(folder).fingerprint == first
    seen = {first}
    for change in ("weights", "tokenizer", "pooling", "config"):
        other = write_encoder(tmp_path / change)
        if change == "weights":
            (other / "model.safetensors").write_bytes(tensor_bytes(weights(seed=1)))
        elif change == "tokenizer":
            write_json(other / "tokenizer.json", {**TOKENIZER, "normalizer": None})
        elif change == "pooling":
            write_json(other / "modules.json", MODULES[:2])
        else:
            write_json(other / "config.json", {**CONFIG, "layer_norm_eps": 1e-5})
        seen.add(encoder_files(other).fingerprint)
    assert len(seen) == 5


def test_a_pickle_beside_the_weights_is_no_matter_and_instead_of_them_it_is_refused(folder):
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    encoder_files(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(BundleError, match=r"its weights are in 'pytorch_model.bin', which could run code and is never opened"):
        encoder_files(folder)


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"])
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(BundleError, match=rf"{file}: this file is missing from the encoder"):
        encoder_files(folder)


def test_weights_in_several_files_are_refused_with_what_to_do(folder):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    with pytest.raises(BundleError, match=r"weights are in several files, and model.safetensors.index.json is not there"):
        encoder_files(folder)


def test_an_adapter_is_refused(folder):
    write_json(folder / "adapter_config.json", {"base_model_name_or_path": "someone/else"})
    with pytest.raises(BundleError, match="adapter to another encoder; merge"):
        encoder_files(folder)


def test_a_config_that_names_code_is_refused(folder):
    write_json(folder / "config.json", {**CONFIG, "auto_map": {"AutoModel": "modeling.Evil"}})
    with pytest.raises(BundleError, match="'auto_map' names code"):
        encoder_files(folder)


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json", "sentence_bert_config.json"])
@pytest.mark.parametrize("text", ["{", "[" * 100_000, "\udcff", "[1]", '"a"'])
def test_a_file_that_is_no_json_object_is_refused(folder, file, text):
    (folder / file).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BundleError, match=rf"{file}: "):
        encoder_files(folder)


def cut(tree):
    tree["model"]["vocab"] = {word: number for word, number in tree["model"]["vocab"].items() if number < 20}


def grow(tree):
    tree["added_tokens"].append({**tree["added_tokens"][0], "id": 26, "content": "[NEW]"})


def lists(tree):
    tree["model"] = {"type": "Unigram", "vocab": [[word, 0.0] for word in tree["model"]["vocab"]] + [["more", 0.0]]}


@pytest.mark.parametrize(
    ("change", "said"), [(cut, "has 20 tokens, numbered up to 19,"), (grow, "has 27 tokens, numbered up to 26"), (lists, "27 tokens")]
)
def test_a_tokenizer_that_is_not_the_embeddings_is_refused(folder, change, said):
    tree = copy.deepcopy(TOKENIZER)
    change(tree)
    write_json(folder / "tokenizer.json", tree)
    with pytest.raises(BundleError, match=rf"tokenizer\.json: .*{said}.* and the encoder has embeddings for 26"):
        encoder_files(folder)


@pytest.mark.parametrize("tree", [{}, {"model": {"vocab": {}}}, {"model": {"vocab": 3}}, {"model": []}, {"model": {"vocab": {"a": "b", "c": 1}}}])
def test_what_is_no_tokenizer_is_refused(folder, tree):
    write_json(folder / "tokenizer.json", tree)
    with pytest.raises(BundleError, match="no tokenizer as the tokenizers library writes it"):
        encoder_files(folder)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"vocab_size": 27}, r"says that the word embeddings are \[27, 16\] .* the weights have \[\[26, 16\]\]"),
        ({"hidden_size": 32}, r"\[26, 32\]"),
        ({"num_hidden_layers": 3}, "says 3 layers, and the weights have 2"),
        ({"num_hidden_layers": 1}, "says 1 layers, and the weights have 2"),
        ({"model_type": "modernbert"}, "the weights have none"),
    ],
)
def test_weights_that_are_not_the_configs_are_refused(folder, changed, said):
    write_json(folder / "config.json", {**CONFIG, **changed})
    with pytest.raises(BundleError, match=said):
        encoder_files(folder)


@pytest.mark.parametrize("length", [0, 4, 8, 200, 5000])
def test_cut_weights_are_refused(folder, length):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(BundleError, match=r"model\.safetensors: this is no whole safetensors file"):
        encoder_files(folder)


@pytest.mark.parametrize(
    "header",
    [{"a": 1}, {"a": {"dtype": "F9", "shape": [1], "data_offsets": [0, 4]}}, [1], {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}],
)
def test_a_header_that_lies_is_refused(folder, header):
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
    with pytest.raises(BundleError, match="no whole safetensors file"):
        encoder_files(folder)


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        ([*MODULES[:2], {"path": "2_Dense", "type": "sentence_transformers.models.Dense"}], "'Transformer', 'Pooling', 'Dense'"),
        ([{"path": "", "type": "custom_st.Transformer2"}], "and is 'Transformer2'"),
        ([{**MODULES[0], "path": "0_Transformer"}], "and is 'Transformer'"),
        ([MODULES[0], {**MODULES[1], "path": "../elsewhere"}], "must be the name of a folder beside it"),
        ([{"path": ""}], "must have a type and a path"),
    ],
)
def test_modules_that_newsclf_does_not_compute_are_refused(folder, modules, said):
    write_json(folder / "modules.json", modules)
    with pytest.raises(BundleError, match=said):
        encoder_files(folder)


@pytest.mark.parametrize(
    "tree", [{"pooling_mode_max_tokens": True}, {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}, {"pooling_mode": "lasttoken"}, {}]
)
def test_another_pooling_is_refused(folder, tree):
    write_json(folder / "1_Pooling" / "config.json", tree)
    with pytest.raises(BundleError, match="the pooling must be 'mean' or 'cls' of 16 numbers"):
        encoder_files(folder)


@pytest.mark.parametrize("name", ["nowhere", "./nowhere", "/nowhere/at/all", "a/b/c", "", "org/na me", "org/name@"])
def test_a_name_that_leads_nowhere_is_refused_with_what_to_give(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name == "":  # the folder itself
        with pytest.raises(BundleError, match=r"config\.json: this file is missing"):
            encoder_files(name)
        return
    with pytest.raises(ConfigError, match=r"this is no encoder: give a folder with config\.json"):
        encoder_files(name)


def test_a_hub_name_without_network_says_what_was_tried_and_what_to_do(tmp_path):
    pytest.importorskip("huggingface_hub")
    program = (
        "from newsclf.errors import ConfigError\n"
        "from newsclf.learners.encoder_files import encoder_files\n"
        "try: encoder_files('someone/encoder@1.0')\n"
        "except ConfigError as error: print(error)"
    )
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PATH": ""}
    said = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=120).stdout
    assert said.startswith("someone/encoder@1.0: there is no folder of that name here")
    assert "neither on this machine nor over the network" in said
    assert said.rstrip().endswith("Copy it from a machine with network and give the folder.")


def test_reading_the_files_loads_no_torch(folder):
    program = f"import sys; from newsclf.learners.encoder_files import encoder_files; encoder_files({str(folder)!r}); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120).stdout.split()
    assert not {"torch", "transformers", "tokenizers", "huggingface_hub", "safetensors"} & set(loaded)
