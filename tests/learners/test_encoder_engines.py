"""Every engine that runs here gives what torch-fp32 gives, and every architecture of the table what transformers gives."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tiny_encoder import CONFIG, DIM, MARKS, TOKENIZER, WORDS, weights, write_encoder, write_json

from newsclf.errors import BundleError, ConfigError
from newsclf.learners.encoder_config import ARCHITECTURES
from newsclf.learners.encoder_engines import ENGINES, check_engine, choose
from newsclf.learners.encoder_files import encoder_files
from newsclf.learners.encoder_parity import COSINE, parity
from newsclf.tensors import tensor_bytes

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore:.*torch.jit:DeprecationWarning")

SMALL = {
    "vocab_size": len(MARKS + WORDS),
    "hidden_size": DIM,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
    "pad_token_id": 0,
}
OTHERWISE = {
    "distilbert": {"dim": DIM, "n_layers": 3, "n_heads": 4, "hidden_dim": 32, "vocab_size": 26, "max_position_embeddings": 40, "pad_token_id": 0},
    "electra": {**SMALL, "embedding_size": 8},
    "deberta-v2": {
        **SMALL,
        "relative_attention": True,
        "position_buckets": 8,
        "pos_att_type": ["p2c", "c2p"],
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
    },
    "modernbert": {**SMALL, "local_attention": 8, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return encoder_files(write_encoder(tmp_path_factory.mktemp("tiny")))


def some_tokens(pad, rows=3, width=9):
    """Sequences of 9, 6 and 3 tokens, padded."""
    ids = np.random.default_rng(5).integers(4, 26, (rows, width))
    mask = (np.arange(width) < np.array([9, 6, 3])[:rows, None]).astype(np.int64)
    return np.where(mask == 1, ids, pad), mask


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_an_encoder_of_each_architecture_gives_what_transformers_gives(kind, tmp_path):
    numbers = OTHERWISE.get(kind, {**SMALL, "pad_token_id": ARCHITECTURES[kind].pad})
    torch.manual_seed(1)
    model = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(kind, **numbers)).eval()
    model.save_pretrained(tmp_path)
    write_json(tmp_path / "tokenizer.json", TOKENIZER)
    files = encoder_files(tmp_path)
    ids, mask = some_tokens(files.numbers.pad)
    ours = choose("torch-fp32").engine.open(files, 1)(ids, mask)
    with torch.inference_mode():
        hidden = model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).last_hidden_state.numpy()
    wanted = [hidden[row, : mask[row].sum()].mean(axis=0) for row in range(len(ids))]
    np.testing.assert_allclose(ours, wanted, atol=2e-6)
    assert np.ptp(ours, axis=0).max() > 0.05  # it tells texts apart


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_that_runs_here_gives_what_torch_fp32_gives(name, files):
    if lacking := ENGINES[name].lacking():
        pytest.skip(f"{name}: {lacking}")
    found = check_engine(files, name, threads=1)
    assert found.holds
    assert found.difference < 0.05


def test_parity_tells_an_engine_that_gives_something_else(files):
    forward = choose("torch-fp32").engine.open(files, 1)
    assert parity(forward, forward, files).cosine == pytest.approx(1.0)

    def first_token_only(ids, mask):
        return forward(ids[:, :1], mask[:, :1])

    found = parity(first_token_only, forward, files)
    assert not found.holds
    assert found.cosine < COSINE
    assert found.difference > 0.05


def test_sixteen_bits_pass_the_check_also_where_they_are_emulated(files):
    found = parity(ENGINES["torch-bf16"].open(files, 1), ENGINES["torch-fp32"].open(files, 1), files)
    assert found.holds
    assert 0 < found.difference < 0.05


def test_cls_pooling_takes_the_first_token(tmp_path):
    files = encoder_files(write_encoder(tmp_path, pooling="cls"))
    ids, mask = some_tokens(0)
    forward = choose("torch-fp32").engine.open(files, 1)
    model = transformers.BertModel.from_pretrained(tmp_path, use_safetensors=True)
    with torch.inference_mode():
        hidden = model.eval()(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).last_hidden_state
    np.testing.assert_allclose(forward(ids, mask), hidden[:, 0].numpy(), atol=2e-6)


def test_auto_takes_the_first_that_runs_and_says_why():
    choice = choose("auto")
    running = [engine for engine in ENGINES.values() if engine.lacking() is None]
    assert choice.engine is running[0]
    assert choice.why.startswith(f"{choice.engine.name}: the first of cuda, ")
    for engine in list(ENGINES.values())[: list(ENGINES.values()).index(choice.engine)]:
        assert f"not {engine.name}, as {engine.lacking()}" in choice.why
    assert ENGINES["torch-fp32"] in running  # it runs everywhere


def test_an_unknown_engine_is_refused_with_a_suggestion():
    with pytest.raises(ConfigError, match=r"there is no engine 'torch-fp23' \(did you mean 'torch-fp32'\?\); the engines are 'auto', 'cuda'"):
        choose("torch-fp23")


def test_an_engine_that_cannot_run_here_is_refused_with_the_reason_and_the_rest():
    absent = next((engine for engine in ENGINES.values() if engine.lacking()), None)
    assert absent is not None  # no machine has both CUDA and Metal
    with pytest.raises(ConfigError) as caught:
        choose(absent.name)
    assert f"'{absent.name}' cannot run here: {absent.lacking()}; take 'auto', or one of " in str(caught.value)
    assert "'torch-fp32'" in str(caught.value)


def changed_weights(folder, change):
    arrays = weights()
    change(arrays)
    (folder / "model.safetensors").write_bytes(tensor_bytes(arrays))
    return encoder_files(folder)


def test_weights_that_are_missing_are_refused_and_not_made_up(tmp_path):
    files = changed_weights(write_encoder(tmp_path), lambda arrays: arrays.pop("encoder.layer.1.output.dense.bias"))
    with pytest.raises(BundleError, match=r"weights lack 'encoder\.layer\.1\.output\.dense\.bias'; copy it again"):
        choose("torch-fp32").engine.open(files, 1)


def test_weights_that_are_not_numbers_are_refused(tmp_path):
    data = (write_encoder(tmp_path) / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(data[:-4] + np.float32(np.nan).tobytes())
    with pytest.raises(BundleError, match=r"hold values that are not numbers \(NaN or infinite\)"):
        choose("torch-fp32").engine.open(encoder_files(tmp_path), 1)


def test_weights_of_another_shape_are_refused(tmp_path):
    write_encoder(tmp_path)
    write_json(tmp_path / "config.json", {**CONFIG, "intermediate_size": 64})
    with pytest.raises(BundleError, match="transformers cannot build this encoder"):
        choose("torch-fp32").engine.open(encoder_files(tmp_path), 1)


def test_a_head_beside_the_encoder_is_left_out(tmp_path):
    files = encoder_files(write_encoder(tmp_path / "plain"))
    headed = changed_weights(
        write_encoder(tmp_path / "headed"), lambda arrays: arrays.update({"pooler.dense.weight": np.ones((DIM, DIM), np.float32)})
    )
    ids, mask = some_tokens(0)
    plain, other = (choose("torch-fp32").engine.open(each, 1)(ids, mask) for each in (files, headed))
    assert plain.tobytes() == other.tobytes()


def test_transformers_and_torch_are_left_as_they_were(files, capfd):
    from transformers.utils import logging

    before = (torch.get_num_threads(), logging.get_verbosity(), logging.is_progress_bar_enabled())
    choose("torch-fp32").engine.open(files, 3)(*some_tokens(0))
    assert (torch.get_num_threads(), logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert capfd.readouterr() == ("", "")


def test_transformers_never_sees_the_config_file(files, tmp_path):
    """It is built from the listed keys: what is put into the file after it was checked changes nothing."""
    folder = write_encoder(tmp_path)
    checked = encoder_files(folder)
    write_json(
        folder / "config.json", {**json.loads((folder / "config.json").read_text()), "auto_map": {"AutoModel": "evil.Model"}, "hidden_act": "relu"}
    )
    ids, mask = some_tokens(0)
    one, other = (choose("torch-fp32").engine.open(each, 1)(ids, mask) for each in (files, checked))
    assert one.tobytes() == other.tobytes()
