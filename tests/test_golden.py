"""Golden inputs move when any part of a model is not what it was."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pytest

from newsclf.bundle import Bundle
from newsclf.codebook import Codebook
from newsclf.golden import DOCUMENTS, UNSEEN, golden_pairs
from newsclf.learners import features
from newsclf.learners.linear import LinearSpec
from newsclf.learners.protocol import Documents, LearnerSpec, Pairs, Parts

BINARY = {"task": "t", "labels": ["yes", "no"], "kind": "exclusive"}
TARGETS = [f"place {letter}" for letter in "abcdefghij"]


@dataclass(frozen=True)
class Golden:
    """A model's parts, and how far its golden scores move where one of them is changed."""

    codebook: Codebook
    learner: LearnerSpec
    parts: Parts

    @cached_property
    def pairs(self) -> Pairs:
        return golden_pairs(self.parts, self.codebook)

    @cached_property
    def scores(self) -> np.ndarray:
        return self.learner.rebuild(self.parts, self.codebook).scores(self.pairs)

    def moved(self, name: str, array: np.ndarray) -> float:
        changed = replace(self.parts, arrays=self.parts.arrays | {name: array.astype(self.parts.arrays[name].dtype)})
        return float(np.abs(self.scores - self.learner.rebuild(changed, self.codebook).scores(self.pairs)).max())


def off(array: np.ndarray, share: float = 0.05) -> np.ndarray:
    """Every number wrong by up to five percent."""
    return array * (1 + share * np.random.default_rng(5).uniform(-1, 1, array.shape))


def many_targets() -> Golden:
    """A stance model with characters, and with more targets that have columns of their own than a golden input has documents by default."""
    dice = random.Random(1)
    rows = np.arange(100)
    truth = np.stack([rows // 10 % 2 == 0, rows // 10 % 2 == 1], axis=1)
    asked = [TARGETS[row % 10] for row in rows]
    words = {True: ["good", "fair", "glad"], False: ["bad", "sad", "poor"]}
    texts = [f"{' '.join(dice.choices(['a', 'b', 'c', 'd', 'e', 'f', 'g'], k=6))} {asked[row]} {dice.choice(words[truth[row, 0]])}" for row in rows]
    titles = [dice.choice(words[truth[row, 0]]) for row in rows]
    # only the first of the targets stand in the codebook
    codebook = Codebook(**BINARY, targets=TARGETS[:3], open_targets=True)
    spec = LinearSpec(C=1, words=1, characters=(2, 2), lead=1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "OFTEN_CODED", 10)
        model = spec.fit(Pairs(Documents(titles, texts), rows, asked), truth, codebook, [(rows, rows)]).model
    return Golden(codebook, spec, model.parts())


@pytest.fixture(scope="module", params=["topic", "framing", "stance", "many targets"])
def golden(request) -> Golden:
    if request.param == "many targets":
        return many_targets()
    bundle, _ = Bundle.load(request.getfixturevalue("models")[request.param])
    return Golden(bundle.codebook, bundle.learner, bundle.model.parts())


def spans(parts: Parts) -> dict[str, slice]:
    """Rows of the weights: each block as all targets share it, and its copy and the constant of each target."""
    sizes = {name: len(terms) for name, terms in parts.vocabularies.items() if name != "targets"}
    targets = parts.vocabularies.get("targets", ())
    names = [f"{owner}: {name}" for owner in ("all", *targets) for name in sizes]
    stops = np.cumsum([*sizes.values()] * (1 + len(targets))).tolist()
    blocks = {name: slice(start, stop) for name, start, stop in zip(names, [0, *stops], stops, strict=False)}
    return blocks | {f"{target}: constant": slice(stops[-1] + number, stops[-1] + number + 1) for number, target in enumerate(targets)}


def test_every_array_of_a_model_is_exercised(golden):
    moved = {name: golden.moved(name, off(array)) for name, array in golden.parts.arrays.items()}
    assert {"weights", "intercepts", "idf.words", "idf.title"} <= set(moved)
    assert {name: move for name, move in moved.items() if move <= LearnerSpec.tolerance} == {}


def test_the_weights_of_every_block_and_every_target_are_exercised(golden):
    weights = golden.parts.arrays["weights"]
    moved = {}
    for name, rows in spans(golden.parts).items():
        changed = weights.copy()
        # a constant stands alone and is often small: it is changed by a number that must show, not by a share of itself
        changed[rows] = weights[rows] + 2 * LearnerSpec.tolerance if name.endswith("constant") else off(weights[rows])
        moved[name] = golden.moved("weights", changed)
    assert next(reversed(spans(golden.parts).values())).stop == len(weights)
    assert {name: move for name, move in moved.items() if move <= LearnerSpec.tolerance} == {}


def test_a_model_that_is_what_it_was_does_not_move(golden):
    assert golden.moved("intercepts", golden.parts.arrays["intercepts"]) == 0


def test_golden_texts_are_the_same_every_time(golden):
    again = golden_pairs(golden.parts, golden.codebook)
    assert (again.documents.titles, again.documents.texts) == (golden.pairs.documents.titles, golden.pairs.documents.texts)
    assert (again.targets, again.rows.tolist()) == (golden.pairs.targets, golden.pairs.rows.tolist())


def terms_of(pairs: Pairs, terms: Sequence[str]) -> set[int]:
    return {number for number, term in enumerate(terms) if any(f" {term} " in f" {text} " for text in pairs.documents.texts)}


@pytest.mark.parametrize("size", [1, 7, 24, 25, 100, 193, 300, 383, 5000])
def test_terms_are_taken_from_the_start_to_the_end_of_a_vocabulary(size):
    terms = [f"w{number}" for number in range(size)]
    pairs = golden_pairs(Parts({}, {"words": terms}), Codebook(**BINARY))
    found = terms_of(pairs, terms)
    assert len(found) == min(size, 192)
    # the largest gap, that before the first and after the last included
    assert np.diff([-1, *sorted(found), size]).max() <= size / 192 + 2
    assert len({*pairs.documents.texts}) == (DOCUMENTS if size > 24 else 1)


def test_titles_are_made_of_the_titles_words_and_none_are_without():
    with_titles = golden_pairs(Parts({}, {"words": ["a"], "title": ["b", "c"]}), Codebook(**BINARY))
    assert set(with_titles.documents.titles) == {"b c"}
    assert set(golden_pairs(Parts({}, {"words": ["a"]}), Codebook(**BINARY)).documents.titles) == {""}


def test_a_task_without_targets_is_asked_about_none():
    pairs = golden_pairs(Parts({}, {"words": ["a"]}), Codebook(**BINARY))
    assert (len(pairs), pairs.targets) == (DOCUMENTS, ())


@pytest.mark.parametrize(("in_codebook", "in_model"), [(TARGETS[:2], ()), (TARGETS, TARGETS[:2]), (TARGETS[:2], TARGETS[1:]), ((), TARGETS[:2])])
def test_a_stance_model_is_asked_about_every_target_it_knows_and_one_it_does_not(in_codebook, in_model):
    codebook = Codebook(**BINARY, targets=list(in_codebook), open_targets=True)
    vocabularies = {"words": ["a"], "near": ["n", "m"]} | ({"targets": in_model} if in_model else {})
    pairs = golden_pairs(Parts({}, vocabularies), codebook)
    assert set(pairs.targets) == {*in_codebook, *in_model, UNSEEN}
    assert all(f"n {target} m" in text for text, target in zip(pairs.documents.texts, pairs.targets, strict=True))
