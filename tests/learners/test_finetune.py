"""Fine-tuning: held-out scores, bundles, what is refused, and that a kill changes nothing. The contract of all learners is in test_contract.py."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_encoder import WORDS, weights, write_encoder

from newsclf.codebook import Codebook
from newsclf.errors import BundleError, ConfigError
from newsclf.learners import tuning_checkpoints
from newsclf.learners.finetune import FinetuneSpec
from newsclf.learners.finetune_folds import log_odds
from newsclf.learners.protocol import Documents, Pairs, Parts
from newsclf.tensors import tensor_bytes

torch = pytest.importorskip("torch", reason="the neural extra is not installed")

ROWS = 24
CODEBOOK = Codebook(task="place", kind="exclusive", labels=["river", "school"])
STANCE = Codebook(task="stance", kind="exclusive", labels=["for", "against"], targets=["the bridge", "the train"], open_targets=True)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder"))


def coded():
    """Articles about rivers and about schools, some of several windows."""
    dice = np.random.default_rng(4)
    rows = np.arange(ROWS)
    signs = [["river", "fish", "rain"], ["school", "mayor", "council"]]
    texts = [" ".join(dice.choice([*signs[row % 2], "the", "said", "old"], 6 + 9 * (row % 3))) for row in rows]
    truth = np.stack([rows % 2 == 0, rows % 2 == 1], axis=1)
    folds = [(rows[rows // 2 % 2 != fold], rows[rows // 2 % 2 == fold]) for fold in range(2)]
    return Pairs.of(Documents([""] * ROWS, texts)), truth, folds


def spec_of(folder, **changes):
    given = {"encoder": str(folder), "device": "cpu", "epochs": 3, "patience": 3, "learning_rate": 5e-3, "head_learning_rate": 2e-2, "batch": 4}
    return FinetuneSpec.parse(given | changes, where="config.yaml")


def fitted(folder, **changes):
    pairs, truth, folds = coded()
    return spec_of(folder, **changes).fit(pairs, truth, CODEBOOK, folds)


@pytest.fixture(scope="module")
def found(folder):
    """What fitting with these settings gives."""
    return fitted(folder)


def same(one, other):
    return one.keys() == other.keys() and all(one[name].tobytes() == other[name].tobytes() for name in one)


def test_the_same_seed_gives_the_same_weights_and_another_others(folder, found):
    again, other = fitted(folder), fitted(folder, seed=1, epochs=1)
    assert same(found.model.parts().arrays, again.model.parts().arrays)
    assert found.heldout.tobytes() == again.heldout.tobytes()
    assert not same(found.model.parts().arrays, other.model.parts().arrays)


def test_a_model_that_scores_a_held_out_row_has_not_seen_it(folder):
    pairs, truth, folds = coded()
    texts, changed, (held, other) = list(pairs.documents.texts), truth.copy(), (folds[0][1], folds[1][1])
    for row in held[1:].tolist():
        texts[row], changed[row] = "night market week road", ~changed[row]
    one = spec_of(folder, epochs=1).fit(pairs, truth, CODEBOOK, folds)
    another = spec_of(folder, epochs=1).fit(Pairs.of(Documents(pairs.documents.titles, texts)), changed, CODEBOOK, folds)
    np.testing.assert_allclose(one.heldout[held[0]], another.heldout[held[0]], atol=1e-5)
    assert (one.heldout[other] != another.heldout[other]).all()


def test_one_number_of_epochs_is_chosen_by_all_held_out_rows_together(found):
    losses = found.chosen["cross_validated_log_loss"]
    assert list(losses) == ["1", "2", "3"]
    assert str(found.chosen["epochs"]) == min(losses, key=losses.get)


def test_low_rank_changes_are_small_and_merged_into_the_encoder(folder, found):
    low_rank = fitted(folder, tuning="lora", rank=2, learning_rate=2e-3, epochs=1)
    parts = low_rank.model.parts()
    assert {name.partition(".")[0] for name in parts.arrays} == {"head", "lora"}
    full = found.model.parts()
    assert sum(array.size for array in parts.arrays.values()) < sum(array.size for array in full.arrays.values()) / 2
    # the table of words and the norms are those of the encoder
    ours = low_rank.model.classifier.arrays("encoder")
    assert (ours["encoder.embeddings.word_embeddings.weight"] == weights()["embeddings.word_embeddings.weight"]).all()
    assert (ours["encoder.encoder.layer.0.output.dense.weight"] != weights()["encoder.layer.0.output.dense.weight"]).any()


@pytest.mark.parametrize("tuning", ["full", "lora"])
def test_another_encoder_and_other_arrays_are_refused(folder, tmp_path, tuning):
    parts = fitted(folder, tuning=tuning, epochs=1).model.parts()
    other = write_encoder(tmp_path)
    (other / "model.safetensors").write_bytes(tensor_bytes(weights(seed=2)))
    with pytest.raises(BundleError, match="this encoder is another one than the model was made with"):
        spec_of(other, tuning=tuning).rebuild(parts, CODEBOOK)
    name = next(name for name in parts.arrays if not name.startswith("head"))
    fewer = {key: array for key, array in parts.arrays.items() if key != name}
    cut = {**parts.arrays, name: parts.arrays[name][:-1]}
    for wrong in (fewer, cut, {**parts.arrays, "encoder.more": parts.arrays["head.bias"]}):
        with pytest.raises(ValueError, match=r"\S+ \S+"):
            spec_of(folder, tuning=tuning).rebuild(Parts(wrong, {}, parts.external), CODEBOOK)


def test_a_target_that_was_never_coded_is_read(folder):
    texts = ["the mayor said over the bridge"] * 8 + ["the mayor said under the train"] * 8
    targets = ["the bridge", "the train"] * 8
    documents, rows = Documents([""] * 16, texts), np.arange(16)
    truth = np.stack([rows % 4 < 2, rows % 4 > 1], axis=1)
    folds = [(rows[rows % 2 != fold], rows[rows % 2 == fold]) for fold in range(2)]
    model = spec_of(folder).fit(Pairs(documents, rows, targets), truth, STANCE, folds).model
    asked = Pairs(documents, np.array([0, 0, 0, 0]), ["the bridge", "the long night market", "fish", ""])
    scores = model.scores(asked)
    assert np.isfinite(scores).all()
    assert len({str(row) for row in scores.tolist()}) == 4


def test_a_text_of_two_hundred_thousand_tokens_is_learnt_from_and_scored(folder):
    pairs, truth, folds = coded()
    pairs = Pairs.of(Documents(pairs.documents.titles, [*pairs.documents.texts[:-1], "school " * 200_000]))
    found = spec_of(folder, epochs=1, windows={"most": 300, "overlap": 0}, windows_at_once=3).fit(pairs, truth, CODEBOOK, folds)
    assert np.isfinite(found.heldout).all()
    coverage = found.model.coverage(pairs)
    assert coverage[-1] == pytest.approx(300 * 10 / 200_000, rel=1e-3)
    assert (coverage[:-1] == 1).all()


def test_a_learning_rate_that_breaks_it_is_one_sentence(folder, tmp_path):
    broken = write_encoder(tmp_path)
    huge = weights()
    huge["encoder.layer.1.output.dense.weight"] = np.full((16, 32), 3e38, np.float32)
    (broken / "model.safetensors").write_bytes(tensor_bytes(huge))
    with pytest.raises(
        ConfigError, match=r"'learner.learning_rate': the (loss|gradient) of step 1 \(epoch 1, rows [\d, ]+\) is not a number; lower it"
    ):
        fitted(broken)


def test_settings_of_n_grams_are_left_and_that_is_said_and_unknown_ones_are_errors(folder, caplog):
    with caplog.at_level(logging.WARNING, "newsclf"):
        spec = spec_of(folder, words=3, characters=[2, 5], C=1)
    assert caplog.messages == ["learner: finetune counts no n-grams and has no C: it leaves the settings 'words', 'characters', 'C'"]
    assert "words" not in spec.resolved()
    with pytest.raises(ConfigError, match="learning_rat"):
        spec_of(folder, learning_rat=1)


def test_a_device_that_is_not_there_is_refused(folder):
    with pytest.raises(ConfigError, match=r"'learner.device': there is no device 'gpu'.*'auto', 'cuda', 'mps', 'cpu'"):
        fitted(folder, device="gpu")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match=r"'learner.device': this machine has no 'cuda'; take 'auto', or one of"):
            fitted(folder, device="cuda")


def test_without_the_extra_one_sentence_says_how_to_get_it(folder):
    program = (
        "import sys\nsys.modules['torch'] = None\n"
        "from newsclf.errors import MissingExtra\nfrom newsclf.learners.finetune import FinetuneSpec\n"
        f"try: FinetuneSpec(encoder={str(folder)!r}).fit(None, None, None, [])\nexcept MissingExtra as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120).stdout
    assert "fine-tuning needs the package 'torch'" in said
    assert "pip install 'newsclf[neural]'" in said


def test_log_odds_say_how_a_label_stands_against_all_others():
    scores = np.array([[1.0, 2.0, -1.0], [0.0, 0.0, 800.0]])
    shares = np.exp(scores[0]) / np.exp(scores[0]).sum()
    np.testing.assert_allclose(log_odds(scores, "exclusive")[0], np.log(shares / (1 - shares)))
    np.testing.assert_allclose(log_odds(scores + 5, "exclusive"), log_odds(scores, "exclusive"))
    assert np.isfinite(log_odds(scores, "exclusive")).all()
    assert log_odds(scores, "multi") is scores


PROGRAM = """
import os, signal, sys
sys.path[:0] = {here!r}
from pathlib import Path
from newsclf.learners import tuning_checkpoints as kept
import test_finetune as tests
import torch
torch.set_num_threads(1)
kept.Checkpoints.__init__.__kwdefaults__["every_s"] = 0
save, left = kept.Checkpoints.save, [{steps}]
def killing(self, step, arrays, facts):
    save(self, step, arrays, facts)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
kept.Checkpoints.save = killing
tests.fitted(Path({folder!r}), **{changes!r})
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGKILL")
@pytest.mark.parametrize(("steps", "changes"), [(7, {}), (27, {"tuning": "lora"})], ids=["in the second epoch", "after the folds"])
def test_killed_and_started_again_it_comes_to_the_same_model(folder, found, tmp_path, monkeypatch, steps, changes):
    expected = fitted(folder, **changes) if changes else found
    monkeypatch.setenv("NEWSCLF_CACHE", str(tmp_path))
    program = PROGRAM.format(here=[str(Path(__file__).parent), str(Path(__file__).parent.parent)], steps=steps, folder=str(folder), changes=changes)
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    (run,) = (tmp_path / "tuning").iterdir()
    assert sorted(path.parent.name for path in run.glob("fold-*/done")) == ([] if steps == 7 else ["fold-0", "fold-1"])
    again, saved = _counting(monkeypatch, lambda: fitted(folder, **changes))
    assert same(again.model.parts().arrays, expected.model.parts().arrays)
    assert again.heldout.tobytes() == expected.heldout.tobytes()
    assert again.chosen == expected.chosen
    # what was done is not done again: of each of three trainings every epoch ends with a checkpoint
    assert saved == (3 + 3 + expected.chosen["epochs"] - (1 if steps == 7 else 6))
    assert not run.exists()


def _counting(monkeypatch, call):
    """What a call gives, and how many checkpoints it wrote."""
    save, written = tuning_checkpoints.Checkpoints.save, []
    monkeypatch.setattr(tuning_checkpoints.Checkpoints, "save", lambda self, *given: (written.append(1), save(self, *given)))
    return call(), len(written)


def test_another_seed_does_not_go_on_from_the_checkpoints_of_the_first(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("NEWSCLF_CACHE", str(tmp_path))
    names = []
    monkeypatch.setattr(tuning_checkpoints.Checkpoints, "remove", lambda self: names.append(self.folder.name))
    for changes in ({}, {"seed": 1}, {}):
        fitted(folder, epochs=1, **changes)
    assert names[0] == names[2] != names[1]


def test_that_no_checkpoints_are_kept_is_said(folder, caplog):
    with caplog.at_level(logging.INFO, "newsclf"):
        fitted(folder, epochs=1)
    assert caplog.messages.count("no checkpoints are kept, for NEWSCLF_CACHE is off: a run that is killed starts anew") == 1


def test_the_words_of_these_tests_are_known_to_the_encoder():
    assert {"river", "fish", "rain", "school", "mayor", "council", "the", "said", "old"} <= set(WORDS)
