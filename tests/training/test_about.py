"""What a bundle says of its making, with what was promised for doubtful articles."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from color_articles import color_rows, write_rows

from newsclf.bundle import Bundle
from newsclf.codebook import Codebook
from newsclf.errors import ConfigError, DataError
from newsclf.scores.decision import DecisionSpec
from newsclf.scores.sets import SetsSpec, choose_sets
from newsclf.training.learn import decide
from newsclf.training.run import train

COLORS = Codebook.parse({"task": "color", "kind": "exclusive", "labels": ["red", "blue"]}, where="here")
BOTH = Codebook.parse({"task": "color", "kind": "multi", "labels": ["red", "blue"]}, where="here")


@pytest.fixture
def folder(small: Path) -> Path:
    """The `small` folder with a corpus that can be parted."""
    write_rows(small / "corpus.jsonl", color_rows(40))
    return small


def heldout(rows: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of two labels, and labels that are drawn by them."""
    dice = np.random.default_rng(0)
    probability = dice.beta(0.5, 0.5, rows)
    red = dice.random(rows) < probability
    return np.column_stack([probability, 1 - probability]), np.column_stack([red, ~red])


def test_sets_and_abstention_are_chosen_on_the_held_out_rows_and_told_in_the_log(caplog):
    probabilities, truth = heldout()
    with caplog.at_level(logging.INFO):
        decision = decide(COLORS, DecisionSpec(sets=SetsSpec(coverage=0.8), abstain={"share": 0.2}), probabilities, truth)
    wanted = choose_sets(probabilities, truth, SetsSpec(coverage=0.8), COLORS.names)
    assert decision.sets.as_dict() == wanted.as_dict()
    assert decision.abstain_below == decision.abstention.below > 0.5
    assert decision.abstention.share == pytest.approx(0.2, abs=0.01)
    assert [record.getMessage() for record in caplog.records] == [f"color: {decision.abstention}", f"color: {decision.sets}"]


def test_what_was_not_asked_for_is_not_there():
    decision = decide(COLORS, DecisionSpec(abstain_below=0.6), np.full((4, 2), 0.5), np.eye(2, dtype=bool)[[0, 1, 0, 1]])
    assert (decision.sets, decision.abstention, decision.abstain_below) == (None, None, 0.6)


def test_sets_that_cannot_be_given_are_refused_with_what_to_do():
    rows = np.eye(2, dtype=bool)[[0, 1, 0, 1]]
    with pytest.raises(ConfigError, match=r"'decision\.sets' is for exclusive tasks"):
        decide(BOTH, DecisionSpec(sets=SetsSpec()), np.full((4, 2), 0.5), rows)
    with pytest.raises(DataError, match="need 9 held-out rows or more; there are 4"):
        decide(COLORS, DecisionSpec(sets=SetsSpec()), np.full((4, 2), 0.5), rows)


def test_the_bundle_and_its_card_keep_what_was_promised(folder):
    result = train(folder / "config.yaml", [f"output={folder / 'models'}", "decision={abstain: {share: 0.1}, sets: {coverage: 0.8}}"])
    bundle, _ = Bundle.load(result.model)
    about, card = bundle.about, (result.model / "README.md").read_text("utf-8")
    assert about["abstention"] == str(bundle.decision.abstention)
    assert about["sets"] == str(bundle.decision.sets)
    assert "## When it is not sure\n\n* Send " in card
    assert f"* {about['sets'][0].upper()}{about['sets'][1:]}.\n" in card
    assert "exchangeable with the training rows, which those of new outlets" in card


def test_a_bundle_that_was_asked_for_neither_has_no_word_of_them(folder):
    result = train(folder / "config.yaml", [f"output={folder / 'models'}"])
    bundle, _ = Bundle.load(result.model)
    assert {"abstention", "sets"}.isdisjoint(bundle.about)
    assert "When it is not sure" not in (result.model / "README.md").read_text("utf-8")
    assert list(bundle.about) == ["name", "config", "data", "columns", "chosen", "thresholds", "metrics", "telling", "versions"]
