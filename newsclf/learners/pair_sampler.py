"""Which coded articles are compared with which while an encoder is tuned for few labels: small batches, in which like and unlike both stand.

Of n articles there are n² pairs; here none is ever listed. A batch is drawn group by group (a group is a label, for stance a label of one target),
each article once, and all of its articles are compared with each other: what is drawn and held grows with the articles, not with their pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from newsclf.learners.ngrams import Ids
from newsclf.scores.metrics import Booleans, Floats

LEAST = 2
"""Articles of each group in a batch: one alone has nothing that is like it."""


@dataclass(frozen=True)
class Compared:
    """The pairs of a batch, as a square of its rows."""

    alike: Floats
    """Labels that two rows share, as a share of those that either has: 1 for the same labels, 0 for none in common. [rows, rows]"""

    counts: Booleans
    """Whether two rows are compared at all: never a row with itself, nor across targets, nor two rows without any label. [rows, rows]"""


@dataclass(frozen=True)
class PairSampler:
    """Coded pairs of articles and targets, and the batches in which they are compared."""

    truth: Booleans
    """[pairs, labels]"""

    topics: Ids
    """Number of each pair's target; all 0 where the task has none. [pairs]"""

    size: int
    """Most rows of a batch."""

    seed: int = 0
    groups: Sequence[Sequence[Ids]] = ()
    """For each target the rows of each of its groups: those of a label, and those of none."""

    @classmethod
    def of(cls, truth: Booleans, targets: Sequence[str] = (), *, size: int = 16, seed: int = 0) -> Self:
        """A sampler of these coded pairs. Raises ValueError for a batch in which no two groups have room."""
        if size < 2 * LEAST:
            raise ValueError(f"a batch must have room for {LEAST} articles of each of two labels, {2 * LEAST} in all, and has {size}")
        topics = np.unique(np.array(targets, np.str_), return_inverse=True)[1] if len(targets) else np.zeros(len(truth), np.int64)
        columns = np.column_stack([truth, ~truth.any(axis=1)])
        of_topics = [np.flatnonzero(topics == topic) for topic in range(int(topics.max(initial=-1)) + 1)]
        groups = [[rows[columns[rows, column]] for column in range(columns.shape[1])] for rows in of_topics]
        return cls(truth, topics, size, seed, [[rows for rows in some if len(rows)] for some in groups])

    def epoch(self, number: int) -> list[Ids]:
        """The batches of an epoch, in a mixed order: each row stands in at least one, and the groups of a target take turns.

        A function of the seed and the epoch alone. A row comes twice in one batch only where it is all that its group has. [batches] of [rows]
        """
        dice = np.random.default_rng([self.seed, number])
        drawn = [(topic, batch) for topic, groups in enumerate(self.groups) for batch in _batches(groups, self.size, dice)]
        return _packed([drawn[place] for place in dice.permutation(len(drawn)).tolist()], self.size)

    def compare(self, rows: Ids) -> Compared:
        """How alike the rows of a batch are, and which of them are compared."""
        truth = self.truth[rows].astype(np.float64)
        shared = truth @ truth.T
        sizes = truth.sum(axis=1)
        either = sizes[:, None] + sizes[None, :] - shared
        counts = (either > 0) & (self.topics[rows][:, None] == self.topics[rows][None, :])
        np.fill_diagonal(counts, False)
        return Compared(np.divide(shared, either, out=np.zeros_like(shared), where=either > 0), counts)


def _batches(groups: Sequence[Ids], size: int, dice: np.random.Generator) -> Iterator[list[int]]:
    """Batches of one target until each of its rows was drawn."""
    together = min(len(groups), size // LEAST)
    turns, decks = _Deck(range(len(groups)), dice), [_Deck(rows.tolist(), dice) for rows in groups]
    unused = set(np.concatenate(groups).tolist())
    while unused:
        batch: list[int] = []
        for group in turns.draw(together, ()):
            # one article alone is compared with itself: dropout makes two of it
            batch += groups[group].tolist() * LEAST if len(groups[group]) == 1 else decks[group].draw(size // together, batch)
        unused.difference_update(batch)
        yield batch


def _packed(drawn: Sequence[tuple[int, list[int]]], size: int) -> list[Ids]:
    """Small batches of several targets as one: where many targets have few articles each, most would be of two or three rows."""
    found: list[list[int]] = []
    held: set[int] = set()
    for topic, batch in drawn:
        if not found or topic in held or len(found[-1]) + len(batch) > size:
            found.append([])
            held = set()
        found[-1] += batch
        held.add(topic)
    return [np.array(batch, np.int64) for batch in found]


class _Deck:
    """Cards that are drawn again and again, each as often as the others."""

    def __init__(self, cards: Sequence[int], dice: np.random.Generator) -> None:
        self.cards, self.dice = frozenset(cards), dice
        self.pile: list[int] = []

    def draw(self, number: int, taken: Sequence[int]) -> list[int]:
        """So many cards that are all different and not taken, or all there are; those passed over are the next."""
        wanted = min(number, len(self.cards) - len(self.cards.intersection(taken)))
        found: list[int] = []
        passed: list[int] = []
        while len(found) < wanted:
            if not self.pile:
                self.pile = self.dice.permutation(sorted(self.cards)).tolist()
            card = self.pile.pop()
            (passed if card in taken or card in found else found).append(card)
        self.pile += passed
        return found
