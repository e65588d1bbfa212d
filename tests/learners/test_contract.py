"""The contract of learners: what every one of them keeps, for every kind of task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from tiny_encoder import write_encoder

from newsclf.learners.protocol import LEARNERS, Documents, Fitted, LearnerSpec, Pairs, learner_spec

TUNED = {"device": "cpu", "epochs": 24, "patience": 24, "learning_rate": 3e-3, "head_learning_rate": 2e-2, "batch": 6, "dropout": 0}
CONFIGS = {
    "linear": [{"C": 1}, {"C": 1, "words": 3, "characters": [2, 4], "class_weight": "balanced", "lead": 0.5}],
    "encoder": [{"C": 1, "embedding": 1, "engine": "torch-fp32", "windows": {"headline": "none"}}],
    "finetune": [
        TUNED | {"windows": {"headline": "none"}},
        TUNED | {"tuning": "lora", "learning_rate": 1e-3, "windows": {"headline": "none", "pooling": "attention"}, "class_weight": "balanced"},
    ],
    "contrastive": [{"C": 1, "embedding": 1, "engine": "torch-fp32", "epochs": 2, "learning_rate": 1e-3, "windows": {"headline": "none"}}],
    "definitions": [{"engine": "torch-fp32", "windows": {"headline": "none"}}],
}
"""Kind → the config blocks that the contract is tried with; a learner without a row is tried with its defaults."""

ROUNDING = {"definitions": 1e-4, "encoder": 1e-4, "contrastive": 1e-4, "finetune": 1e-4}
"""Kind → how far scores may differ with the pairs beside them: sums of a batch are rounded by its shape."""

WHOLE = {"finetune"}
"""Kinds that read sentences as a whole: no phrase of theirs has a weight of its own."""

TRIED = [{"kind": kind} | block for kind in LEARNERS for block in CONFIGS.get(kind, [{}])]


@dataclass(frozen=True)
class Case:
    """A learner that was fitted to a task."""

    spec: LearnerSpec
    task: object
    fitted: Fitted

    @property
    def model(self):
        return self.fitted.model

    @property
    def labels(self):
        return len(self.task.codebook.names)


@pytest.fixture(scope="module", params=TRIED, ids=lambda block: "-".join(str(value) for value in block.values()))
def case(request, task, tmp_path_factory):
    block = dict(request.param)
    if "encoder" in learner_spec(block).model_fields:
        torch = pytest.importorskip("torch", reason="the neural extra is not installed")
        torch.set_num_threads(1)  # so little is computed that a second one is waited for only
        documents = task.pairs.documents
        words = sorted({word for text in (*documents.titles, *documents.texts) for word in text.lower().split()})
        block["encoder"] = str(write_encoder(tmp_path_factory.mktemp("encoder"), words=words))
    spec = learner_spec(block).parse(block, where="config.yaml")
    return Case(spec, task, spec.fit(*task.fitting))


def asked(case, titles, texts):
    """New documents; for stance each is about a target that has weights of its own, one that has none, and one that was never coded."""
    documents = Documents(titles, texts)
    if not case.task.codebook.is_stance:
        return Pairs.of(documents)
    targets = ["bridge toll", "fish market", "the moon"]
    return Pairs(documents, np.repeat(np.arange(len(documents)), 3), targets * len(documents))


def news(case):
    return asked(
        case, ["Rose season", "", "ÎLE"], ["The ocean and the rose, the bridge toll. " * 9, "A fern on the moon", "moss\0 clover 中文 fish market"]
    )


def test_fitting_gives_held_out_scores_for_every_pair_and_label(case):
    assert isinstance(case.fitted, Fitted)
    assert case.fitted.heldout.shape == case.task.truth.shape
    assert case.fitted.heldout.dtype == np.float64
    assert np.isfinite(case.fitted.heldout).all()


def test_held_out_scores_are_not_those_of_a_model_that_saw_the_pair(case):
    seen = case.model.scores(case.task.pairs)
    assert (seen != case.fitted.heldout).all()
    # what was seen is known better than what was not
    sign = np.where(case.task.truth, 1, -1)
    assert (sign * seen).mean() > (sign * case.fitted.heldout).mean()


def test_what_was_not_seen_is_still_told_apart(case):
    positive, negative = case.fitted.heldout[case.task.truth], case.fitted.heldout[~case.task.truth]
    assert positive.mean() > negative.mean() + 0.5


def test_scores_are_finite_floats_one_row_a_pair(case):
    pairs = news(case)
    scores = case.model.scores(pairs)
    assert scores.shape == (len(pairs), case.labels)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()


def test_a_pairs_scores_do_not_depend_on_the_pairs_beside_it(case):
    pairs = news(case)
    together = case.model.scores(pairs)
    for number, row in enumerate(pairs.rows.tolist()):
        alone = Pairs(Documents([pairs.documents.titles[row]], [pairs.documents.texts[row]]), np.array([0]), pairs.targets[number : number + 1])
        np.testing.assert_allclose(case.model.scores(alone), together[[number]], rtol=0, atol=ROUNDING.get(case.spec.kind, 0))
    backward = Pairs(pairs.documents, pairs.rows[::-1], pairs.targets[::-1])
    np.testing.assert_allclose(case.model.scores(backward), together[::-1], rtol=0, atol=ROUNDING.get(case.spec.kind, 0))


def test_contributions_sum_to_the_score(case):
    pairs = news(case)
    scores = case.model.scores(pairs)
    for pair in range(len(pairs)):
        found = case.model.contributions(pairs, pair, range(case.labels))
        sums = [one.weights.sum() + one.rest for one in found]
        np.testing.assert_allclose(sums, scores[pair], atol=1e-5)


def test_contributions_stand_within_their_document(case):
    pairs = news(case)
    for pair, row in enumerate(pairs.rows.tolist()):
        words = np.diff(pairs.documents.whole.starts)[row]
        for one in case.model.contributions(pairs, pair, [0]):
            assert len(one.positions) == len(one.weights) == len(one.phrases) > 0
            assert one.positions.min() >= 0
            assert one.positions.max() < words


def test_contributions_say_which_window_an_encoder_read_them_in(case):
    pairs = news(case)
    for pair in range(len(pairs)):
        for one in case.model.contributions(pairs, pair, [0, 1]):
            if one.windows is None:
                assert one.window_count == 0
                assert all(one.phrases)
            else:
                assert len(one.windows) == len(one.positions)
                assert -1 <= one.windows.min() <= one.windows.max() < one.window_count
                # n-grams have a phrase and no window, what an encoder read has a window and no phrase
                assert [bool(phrase) for phrase in one.phrases] == (one.windows < 0).tolist()


def test_contributions_come_in_the_order_asked_for(case):
    pairs = news(case)
    first, last = case.model.contributions(pairs, 0, [0, case.labels - 1])
    again = case.model.contributions(pairs, 0, [case.labels - 1])[0]
    assert (again.weights == last.weights).all()
    assert again.rest == last.rest
    assert (again.weights != first.weights).any() or again.rest != first.rest


def test_a_model_comes_back_from_its_parts_bit_for_bit(case):
    again = case.spec.rebuild(case.model.parts(), case.task.codebook)
    for pairs in (news(case), case.task.pairs):
        assert (again.scores(pairs) == case.model.scores(pairs)).all()
        assert (again.coverage(pairs) == case.model.coverage(pairs)).all()
    assert again.telling(0, 9) == case.model.telling(0, 9)


def test_parts_of_another_codebook_are_refused(case):
    codebook = case.task.codebook.model_copy(update={"labels": dict(list(case.task.codebook.labels.items())[:2])})
    with pytest.raises(ValueError, match=r"\S+ \S+"):
        case.spec.rebuild(case.model.parts(), codebook)


def test_parts_can_be_written_as_they_are(case):
    parts = case.model.parts()
    for array in parts.arrays.values():
        assert array.flags.c_contiguous
        assert array.dtype.kind == "f"
        assert np.isfinite(array).all()
    # a bundle keeps one term a line
    assert not any("\n" in term or not term for terms in parts.vocabularies.values() for term in terms)


def test_coverage_is_a_share(case):
    pairs = news(case)
    coverage = case.model.coverage(pairs)
    assert coverage.shape == (len(pairs),)
    assert ((coverage >= 0) & (coverage <= 1)).all()


@pytest.mark.parametrize("text", ["", "zzz qqq 🙂", "\0"])
def test_a_text_without_a_known_word_has_scores_too(case, text):
    pairs = asked(case, [""], [text])
    scores = case.model.scores(pairs)
    assert np.isfinite(scores).all()
    found = case.model.contributions(pairs, 0, [0])[0]
    assert found.weights.sum() + found.rest == pytest.approx(scores[0, 0], abs=1e-5)


def test_no_pairs_have_no_scores(case):
    pairs = asked(case, [], [])
    assert case.model.scores(pairs).shape == (0, case.labels)
    assert case.model.coverage(pairs).shape == (0,)


def test_an_empty_title_is_as_good_as_none_of_its_words(case):
    with_title, without = asked(case, ["zzz"], ["rose ocean fern"]), asked(case, [""], ["rose ocean fern"])
    np.testing.assert_allclose(case.model.scores(with_title), case.model.scores(without), atol=1e-6)


def test_telling_phrases_come_from_the_vocabulary_strongest_first(case):
    vocabulary = {term for name, terms in case.model.parts().vocabularies.items() if name != "targets" for term in terms}
    for label in range(case.labels):
        told = case.model.telling(label, 7)
        assert (case.spec.kind not in WHOLE) <= len(told) <= 7
        assert {phrase for phrase, _ in told} <= vocabulary
        assert [weight for _, weight in told] == sorted((weight for _, weight in told), reverse=True)


def test_what_was_chosen_can_be_written_down(case):
    assert isinstance(case.fitted.chosen, dict)
    assert all(isinstance(name, str) for name in case.fitted.chosen)
