"""The contrastive learner beyond its contract: honest held-out scores, bundles, and vectors that are never taken for the base encoder's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_encoder import write_encoder

from newsclf.bundle import Bundle
from newsclf.corpus.clean import CleanSpec
from newsclf.errors import BundleError, ConfigError
from newsclf.learners import contrastive
from newsclf.learners.contrastive import ContrastiveSpec
from newsclf.learners.encoder import EncoderSpec
from newsclf.learners.protocol import Documents, Pairs, learner_spec
from newsclf.scores.decision import Decision

torch = pytest.importorskip("torch", reason="the neural extra is not installed")

HEAD = {"C": 1.0, "embedding": 1.0, "engine": "torch-fp32"}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    torch.set_num_threads(1)
    return str(write_encoder(tmp_path_factory.mktemp("encoder")))


@pytest.fixture(scope="module")
def spec(encoder):
    return ContrastiveSpec(encoder=encoder, epochs=1, learning_rate=1e-3, **HEAD)


@pytest.fixture(scope="module")
def fitted(spec, tasks):
    return spec.fit(*tasks["exclusive"].fitting)


def without(task, rows):
    """The task with other labels on some rows."""
    truth = task.truth.copy()
    truth[rows] = np.roll(truth[rows], 1, axis=1)
    return replace(task, truth=truth)


def test_its_kind_names_it():
    assert learner_spec({"kind": "contrastive"}) is ContrastiveSpec


def test_held_out_scores_do_not_depend_on_the_labels_of_their_fold(spec, fitted, tasks):
    task = tasks["exclusive"]
    held = task.folds[0][1]
    again = spec.fit(*without(task, held).fitting)
    np.testing.assert_array_equal(again.heldout[held], fitted.heldout[held])
    # the others were tuned with these labels
    assert (again.heldout[task.folds[1][1]] != fitted.heldout[task.folds[1][1]]).any()


def test_the_same_fit_gives_the_same_bytes(spec, fitted, tasks):
    again = spec.fit(*tasks["exclusive"].fitting)
    np.testing.assert_array_equal(again.heldout, fitted.heldout)
    for name, array in fitted.model.parts().arrays.items():
        np.testing.assert_array_equal(again.model.parts().arrays[name], array)


def test_vectors_are_not_those_of_the_base_encoder(encoder, spec, fitted, tasks):
    task = tasks["exclusive"]
    frozen = EncoderSpec(encoder=encoder, **HEAD).fit(*task.fitting)
    reader, base = fitted.model.reader, frozen.model.reader
    assert reader.key != base.key
    assert reader.fingerprint == base.fingerprint
    # both read the same documents, which hold what each said of them
    documents = task.pairs.documents
    assert not np.allclose(reader.read(documents).vectors, base.read(documents).vectors)


def test_a_cache_on_disk_tells_the_tuned_encoder_from_its_base(encoder, spec, tasks, tmp_path, monkeypatch):
    monkeypatch.setenv("NEWSCLF_CACHE", str(tmp_path / "cache"))
    task = tasks["exclusive"]
    fresh = Pairs(Documents(task.pairs.documents.titles, task.pairs.documents.texts), task.pairs.rows)  # which hold nothing that was said of them yet
    found = spec.fit(fresh, *task.fitting[1:])
    # vectors of the folds' encoders, which never come again, are not kept
    (folder,) = (tmp_path / "cache" / "vectors").glob("*/space.json")
    assert found.model.reader.encoder.files.fingerprint in folder.read_text("utf-8")
    again = spec.rebuild(found.model.parts(), task.codebook)
    np.testing.assert_array_equal(
        again.scores(Pairs(Documents(task.pairs.documents.titles, task.pairs.documents.texts), task.pairs.rows)), found.model.scores(fresh)
    )


def test_a_bundle_comes_back_with_its_scores(spec, fitted, tasks, tmp_path):
    task = tasks["exclusive"]
    bundle = Bundle(task.codebook, spec, CleanSpec(), fitted.model, fitted.calibration, Decision(task.codebook.kind, np.full(3, 0.5)))
    bundle.save(tmp_path / "model")
    loaded, _ = Bundle.load(tmp_path / "model")
    fresh = Pairs(Documents(task.pairs.documents.titles, task.pairs.documents.texts), task.pairs.rows)
    np.testing.assert_allclose(loaded.model.scores(fresh), fitted.model.scores(task.pairs), atol=1e-5)


def test_parts_without_the_tuned_weights_are_refused(spec, fitted, tasks):
    parts = fitted.model.parts()
    few = replace(parts, arrays={name: array for name, array in parts.arrays.items() if not name.startswith("encoder.")})
    with pytest.raises(ValueError, match="tuned are missing"):
        spec.rebuild(few, tasks["exclusive"].codebook)


@pytest.mark.parametrize("name", ["encoder.encoder.layer.0.output.dense.weight", "encoder.made.up.weight"])
def test_tuned_weights_of_another_shape_or_name_are_refused(spec, fitted, tasks, name):
    parts = fitted.model.parts()
    changed = replace(parts, arrays=dict(parts.arrays) | {name: np.zeros((3, 3), np.float32)})
    with pytest.raises(ValueError, match=rf"{name.removeprefix('encoder.')}'.* \[3, 3\]"):
        spec.rebuild(changed, tasks["exclusive"].codebook)


def test_another_base_encoder_is_refused(spec, fitted, tasks, tmp_path):
    other = str(write_encoder(tmp_path / "other", pooling="cls"))
    with pytest.raises(BundleError, match="another one than the model was made with"):
        spec.model_copy(update={"encoder": other}).rebuild(fitted.model.parts(), tasks["exclusive"].codebook)


def test_a_learning_rate_that_breaks_the_encoder_is_said(encoder, tasks):
    spec = ContrastiveSpec(encoder=encoder, epochs=3, learning_rate=1e30, **HEAD)
    with pytest.raises(ConfigError, match=r"learning_rate.*lower it"):
        spec.fit(*tasks["exclusive"].fitting)


def test_many_articles_are_told_of_a_better_learner(spec, tasks, monkeypatch, caplog):
    monkeypatch.setattr(contrastive, "MANY", 66)
    spec.fit(*tasks["multi"].fitting)
    assert "meant for few coded articles, and these are 66" in caplog.text


@pytest.mark.parametrize("block", [{"batch": 3}, {"temperature": 0}, {"windows": {"pooling": "attention"}}, {"tokens": 2}])
def test_settings_that_cannot_be_are_refused(block):
    with pytest.raises(ConfigError, match=next(iter(block))):
        ContrastiveSpec.parse({"kind": "contrastive"} | block, where="config.yaml")
