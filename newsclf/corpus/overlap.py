"""What test articles have in common with those to learn from, each finding with its verdict in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date  # noqa: N812 (a type; `date` is what articles have)
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from newsclf.corpus.dates import span
from newsclf.errors import listed

Ids = NDArray[np.int64]
Booleans = NDArray[np.bool_]

EXAMPLES = 5
TELLS = 0.05
"""By how much more often the training labels of an outlet must be right than the commonest label before the outlet counts as giving labels away."""

NOTABLE = 0.005
"""Share of test articles from which copies in training show in the second digit of a score."""

DIFFERS = 0.03
"""Total variation below which the labels of both sides count as alike, however many articles there are."""


@dataclass(frozen=True)
class Verdict:
    """What a finding means for the score on the test articles."""

    kind: Literal["fine", "inflates", "mind"]
    """inflates: the score is higher than it would be on articles of other outlets, authors or stories; mind: it is a score of something else."""

    text: str
    """A full sentence, or two."""

    def __str__(self) -> str:
        """The verdict as it is printed."""
        return f"{self.kind.capitalize()}: {self.text}"


@dataclass(frozen=True)
class Copies:
    """Test articles whose text is also among those to learn from."""

    articles: int
    share: float
    """Of the test articles."""

    examples: tuple[tuple[str, str], ...]
    """The first few: id of the test article, id of the training article."""

    @classmethod
    def find(cls, test: Mapping[str, Any], train: Mapping[str, Any]) -> Copies:
        """Copies by what tells that a text is one of them; both are id → that."""
        first: dict[Any, str] = {}
        for identifier, value in train.items():
            first.setdefault(value, identifier)
        pairs = [(identifier, first[value]) for identifier, value in test.items() if value in first]
        return cls(len(pairs), len(pairs) / len(test), tuple(pairs[:EXAMPLES]))

    def verdict(self, test: int, *, how: str) -> Verdict:
        """In words; `test` is the number of test articles, `how` says what makes a copy."""
        if not self.articles:
            return Verdict("fine", f"No test article stands in training {how}.")
        one, other = self.examples[0]
        among = f"{self.articles:,} of {test:,} ({self.share:.1%})"
        found = f"Test articles that stand in training {how}: {among}, for example {one!r}, which is {other!r} there"
        if self.share < NOTABLE:
            return Verdict("mind", f"{found}. They are too few to move the score; set the training copies aside all the same.")
        gain = f"which can raise accuracy by {100 * self.share:.1f} points at most"
        return Verdict("inflates", f"{found}. The model has seen their answers, {gain}; set the training copies aside.")


@dataclass(frozen=True)
class Shared:
    """Test articles whose outlet (or author, or whatever the column holds) also stands in training."""

    known: int
    """Test articles that have a value in the column."""

    articles: int
    share: float
    """Of the test articles that have a value."""

    values: int
    """Different values among the test articles that stand in training too."""

    examples: tuple[str, ...]
    """The commonest of these values."""

    told: float
    """How often the commonest training label of the value would be right, on the test rows whose value stands in training; for multi-label tasks, how
    many of their yes-or-no answers. 0 where there is no such row."""

    untold: float
    """The same for the commonest label of all training rows, on the same test rows."""

    def verdict(self, column: str) -> Verdict:
        """In words."""
        among = f"{self.articles:,} of {self.known:,} ({self.share:.1%})"
        if not self.articles:
            looked = f"No test article has its {column} in training ({self.known:,} looked at)"
            return Verdict("fine", f"{looked}: the score is one on articles whose {column} is new.")
        guess = f"naming the commonest training label of that {column} is right {self.told:.0%} of the time, the commonest of all {self.untold:.0%}"
        if self.told - self.untold < TELLS:
            return Verdict("fine", f"Test articles whose {column} stands in training: {among}; it gives the labels hardly away: {guess}.")
        return Verdict(
            "inflates",
            f"Test articles whose {column} stands in training: {among}, and it gives labels away: {guess}. Another {column}'s articles will score "
            f"lower; keep_together: [near_duplicate, {column}] tests that.",
        )


def shared(column: Sequence[str], ids: Sequence[str], truth: Booleans, *, train: Ids, test: Ids) -> Shared:
    """How much of a column's values both sides have, and how much it tells of the labels; `train` and `test` are row numbers."""
    number = {value: at for at, value in enumerate(dict.fromkeys(column[row] for row in train.tolist() if column[row]))}
    values = {ids[row]: column[row] for row in test.tolist() if column[row]}  # an article may have several rows
    seen = Counter(value for value in values.values() if value in number)
    articles = sum(seen.values())
    asked = np.array([row for row in test.tolist() if column[row] in number], np.int64)
    told = untold = 0.0
    if len(asked):
        taught = np.array([row for row in train.tolist() if column[row]], np.int64)
        counts = np.zeros((len(number), truth.shape[1]))
        of = np.array([number[column[row]] for row in taught.tolist()], np.int64)
        np.add.at(counts, of, truth[taught].astype(np.float64))
        rates = counts / np.bincount(of, minlength=len(number))[:, None]
        guess = rates[[number[column[row]] for row in asked.tolist()]]
        exclusive = _exclusive(truth)
        told = _right(guess, truth[asked], exclusive=exclusive)
        untold = _right(np.broadcast_to(truth[train].mean(axis=0), guess.shape), truth[asked], exclusive=exclusive)
    examples = tuple(value for value, _ in sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:EXAMPLES])
    return Shared(len(values), articles, articles / max(len(values), 1), len(seen), examples, told, untold)


def _exclusive(truth: Booleans) -> bool:
    return bool((truth.sum(axis=1) == 1).all())


def _right(rates: NDArray[np.float64], truth: Booleans, *, exclusive: bool) -> float:
    """How often the commonest label, or of each label the commoner answer, is right. Arrays are [rows, labels]."""
    if exclusive:
        return float(truth[np.arange(len(truth)), rates.argmax(axis=1)].mean())
    return float(((rates >= 0.5) == truth).mean())


@dataclass(frozen=True)
class Shift:
    """How the labels of the test rows differ from those of the training rows."""

    train: Mapping[str, float]
    test: Mapping[str, float]
    """Label → share of the rows that have it."""

    distance: float
    """Total variation: for exclusive tasks half the sum of the differences; for multi-label ones their mean, each label being a yes or no."""

    by_chance: float
    """What the distance would be on average were the rows of both dealt out by lot."""

    label: str
    """The label that differs most."""

    @classmethod
    def between(cls, train: Booleans, test: Booleans, names: Sequence[str]) -> Shift:
        """Of two matrices [rows, labels], whose columns are `names`."""
        one, other, both = (truth.mean(axis=0) for truth in (train, test, np.vstack([train, test])))
        scale = 0.5 if _exclusive(train) and _exclusive(test) else 1 / len(names)
        # mean of the absolute value of a normal variable with the variance of a difference of two rates
        chance = np.sqrt(2 / np.pi * both * (1 - both) * (1 / len(train) + 1 / len(test)))
        apart = np.abs(one - other)
        before, after = (dict(zip(names, rate.tolist(), strict=True)) for rate in (one, other))
        return cls(before, after, float(scale * apart.sum()), float(scale * chance.sum()), names[int(apart.argmax())])

    def verdict(self) -> Verdict:
        """In words."""
        rates = f"{self.label!r} most, {self.train[self.label]:.1%} of the rows in training and {self.test[self.label]:.1%} in the test"
        figures = f"total variation {self.distance:.3f}, about {self.by_chance:.3f} by chance alone"
        if self.distance < max(DIFFERS, 2 * self.by_chance):
            return Verdict("fine", f"The labels are as frequent in the test as in training ({figures}; {rates}).")
        return Verdict(
            "mind", f"The labels are not as frequent in the test as in training: {figures}; {rates}. Thresholds and shares lean on training."
        )


@dataclass(frozen=True)
class Times:
    """When the articles are from; what is no date is left out."""

    train: tuple[str, str]
    test: tuple[str, str]
    """First and last day; empty where no article has a date."""

    dated: int
    """Test articles with a date."""

    overlap: float
    """Share of these that are no later than the last training article."""

    @classmethod
    def between(cls, train: Sequence[str], test: Sequence[str]) -> Times:
        """Of the dates of both sides, one an article."""
        learned, tested = ([days for date in dates if (days := span(date))] for dates in (train, test))
        if not learned or not tested:
            return cls(_range(learned), _range(tested), len(tested), 0.0)
        last = max(day for _, day in learned)
        return cls(_range(learned), _range(tested), len(tested), sum(day <= last for day, _ in tested) / len(tested))

    def verdict(self) -> Verdict:
        """In words."""
        if not all((*self.train, *self.test)):
            return Verdict("mind", f"No date can be read in {listed(self._undated())}: whether the test is later than training is not known.")
        between = f"training goes from {self.train[0]} to {self.train[1]}, the test from {self.test[0]} to {self.test[1]}"
        if not self.overlap:
            return Verdict("fine", f"Every dated test article is later than training: the score is one on articles to come ({between}).")
        return Verdict(
            "mind",
            f"{self.overlap:.1%} of the {self.dated:,} dated test articles are no later than the last training article ({between}): the score is one "
            "on articles of the same time, not on later ones; split.after tests that.",
        )

    def _undated(self) -> list[str]:
        return [name for name, days in (("training", self.train), ("the test", self.test)) if not days[0]]


def _range(days: Sequence[tuple[int, int]]) -> tuple[str, str]:
    if not days:
        return "", ""
    return str(Date.fromordinal(min(first for first, _ in days))), str(Date.fromordinal(max(last for _, last in days)))
