"""Three small coded tasks, one of each kind, made of invented words."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import pytest

from newsclf.codebook import Codebook
from newsclf.learners.protocol import Documents, Folds, Pairs
from newsclf.scores.metrics import Booleans

FILLER = ["town", "week", "people", "road", "market", "office", "evening", "river", "season", "school", "letter", "garden"]
SIGNS = {
    "red": ["rose", "tomato", "brick", "ember", "rust", "cherry"],
    "blue": ["ocean", "sky", "cornflower", "ink", "denim", "cobalt"],
    "green": ["moss", "fern", "lime", "clover", "olive", "mint"],
}
TARGETS = ("bridge toll", "night trains", "fish market")


@dataclass(frozen=True)
class Task:
    """What a learner is fitted with."""

    codebook: Codebook
    pairs: Pairs
    truth: Booleans
    folds: Folds

    @property
    def fitting(self) -> tuple[Pairs, Booleans, Codebook, Folds]:
        return self.pairs, self.truth, self.codebook, self.folds


def _text(dice: random.Random, labels: list[str], about: str = "") -> str:
    signs = [dice.choice(SIGNS[label]) for label in labels for _ in range(4)]
    words = dice.choices(FILLER, k=8) + signs
    dice.shuffle(words)
    return " ".join([*words[:5], about, *words[5:]])


def _task(kind: str) -> Task:
    dice = random.Random(7)
    names = list(SIGNS)
    coded = [[dice.choice(names)] if kind != "multi" else dice.sample(names, dice.randint(0, 2)) for _ in range(66)]
    # two targets are coded often, the third is coded six times
    targets = [TARGETS[number % 2 if number < 60 else 2] for number in range(66)] if kind == "stance" else []
    texts = [_text(dice, labels, targets[row] if targets else "") for row, labels in enumerate(coded)]
    titles = [_text(dice, labels).upper() if row % 3 else "" for row, labels in enumerate(coded)]
    asked = {"targets": [*TARGETS], "open_targets": True} if kind == "stance" else {}
    codebook = Codebook(task="color", kind="multi" if kind == "multi" else "exclusive", labels=names, **asked)
    rows = np.arange(66)
    folds = [(rows[rows % 3 != fold], rows[rows % 3 == fold]) for fold in range(3)]
    return Task(codebook, Pairs(Documents(titles, texts), rows, targets), codebook.matrix(coded), folds)


@pytest.fixture(scope="session", params=["exclusive", "multi", "stance"])
def task(request: pytest.FixtureRequest) -> Task:
    """Each of the three."""
    return _task(request.param)


@pytest.fixture(scope="session")
def tasks() -> dict[str, Task]:
    """All three by name."""
    return {kind: _task(kind) for kind in ("exclusive", "multi", "stance")}
