"""What moved between earlier articles and new ones, group by group, and which of the new ones people should code for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from newsclf.estimates.frame import Cell, Scores
from newsclf.estimates.sides import WHOLE, Layout, Side, Sides
from newsclf.estimates.texts import articles_at
from newsclf.learners.ngrams import learn_ngrams, tokenise
from newsclf.scores.drift import Moved, Shares, alarms, audit_size, gap, words_between
from newsclf.scores.estimate import LEAST
from newsclf.scores.metrics import Booleans
from newsclf.scores.survey import Ids

ENOUGH_TEXTS = 100
"""Sampled articles of a group on each side below which its words are not compared."""

MIN_DF = 5
"""Sampled articles that a word must stand in to be compared."""

WORDS = 12
"""Words that are told of those that came, and of those that went."""

COMMON = 2000
"""Words, of those in most articles, that the distance is made of."""

WORD_DRAWS = 4000
"""Random deals of days with thousands of words each."""

TextsOf = Callable[[Scores, Sequence[str]], Mapping[str, str]]
"""Scores and places → the text of each article; one that is not to be had is left out."""


def corpus_texts(scores: Scores, places: Sequence[str]) -> dict[str, str]:
    """Titles and texts as scoring read them, from the corpus where it was then; raises DataError where that is gone or has changed."""
    return {place: f"{article.title}\n{article.text}" for place, article in articles_at(scores, places).items()}


@dataclass(frozen=True)
class Test:
    """One thing of one group, on both sides."""

    group: Cell
    what: str
    moved: Moved
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sampled:
    """Articles of both sides and the words that they have."""

    there: sparse.csr_array
    """Whether an article has a word. [articles, words]"""

    words: Sequence[str]
    unit: Ids
    """[articles]"""

    late: Booleans
    """Whether an article is new. [articles]"""

    @property
    def sizes(self) -> tuple[int, int]:
        """Earlier articles, and new ones."""
        return int((~self.late).sum()), int(self.late.sum())

    @property
    def days(self) -> tuple[int, int]:
        """Units of either side."""
        return len(np.unique(self.unit[~self.late])), len(np.unique(self.unit[self.late]))

    def take(self, rows: Ids) -> Sampled:
        """Some of the articles."""
        return Sampled(self.there[rows], self.words, self.unit[rows], self.late[rows])

    def moved(self, seed: int) -> tuple[Moved, dict[str, Any]]:
        """How far the words moved, and which of them came and went most surely."""
        pairs, inverse = np.unique(np.column_stack([self.unit, self.late]), axis=0, return_inverse=True)
        add = sparse.csr_array((np.ones(len(self.unit)), (inverse.reshape(-1), np.arange(len(self.unit)))), shape=(len(pairs), len(self.unit)))
        common = np.sort(np.argsort(-self.there.sum(axis=0), kind="stable")[:COMMON])
        units = Shares((add @ self.there[:, common]).toarray().astype(np.float64), add.sum(axis=1).astype(np.float64), per=None)
        far = units.moved(pairs[:, 1] == 1, draws=WORD_DRAWS, seed=seed)
        before, after = (np.asarray(self.there[np.flatnonzero(self.late == side)].sum(axis=0), np.float64).reshape(-1) for side in (False, True))
        sure = words_between(before, after, self.sizes)
        order = np.argsort(-sure, kind="stable")
        came = [self.words[at] for at in order[:WORDS] if sure[at] > 0]
        went = [self.words[at] for at in order[::-1][:WORDS] if sure[at] < 0]
        return far, {"came": came, "went": went}


@dataclass(frozen=True)
class Told:
    """What is said of two sides, as plain values."""

    sides: Sides
    before: Side
    after: Side
    seed: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """In codebook order."""
        return self.sides.earlier.codebook.names

    @property
    def layout(self) -> Layout:
        """Where the sums of a unit stand."""
        return Layout(len(self.labels))

    def groups(self) -> list[Cell]:
        """All articles first, then the groups of either side by size."""
        met = {group for side in (self.before, self.after) for group in side.units} - {WHOLE}
        return [WHOLE, *sorted(met, key=lambda group: (-self.before.rows(group) - self.after.rows(group), group))]

    def comparable(self, group: Cell) -> bool:
        """Whether both sides have enough to say anything."""
        sides = (self.before, self.after)
        return all(side.rows(group) >= LEAST and len(side.units[group]) > 1 for side in sides)

    def of_scores(self) -> Iterator[Test]:
        """What the model said, of each group that is on both sides."""
        silent = self.sides.earlier.codebook.kind == "exclusive"
        for group in filter(self.comparable, self.groups()):
            units = np.vstack([self.before.units[group], self.after.units[group]])
            new = np.arange(len(units)) >= len(self.before.units[group])
            bins = self.layout.of("bins")
            binned = Shares(units[:, bins], units[:, 0], labels=len(self.labels), per=2)
            yield Test(group, "probabilities", binned.moved(new, seed=self.seed))
            for what, column in (("no label", 1), ("coverage", 2))[1 - silent :]:
                mean = Shares(units[:, [column]], units[:, 0], least=float(column == 1))
                sides = [mean.sums[new == late].sum() / mean.rows[new == late].sum() for late in (False, True)]
                yield Test(group, what, mean.moved(new, seed=self.seed), dict(zip(("before", "after"), map(float, sides), strict=True)))

    def of_words(self, texts: TextsOf) -> Iterator[Test]:
        """The words of sampled articles."""
        found: list[str] = []
        where: list[tuple[Cell, int, bool]] = []
        for late, side in enumerate((self.before, self.after)):
            folder = self.sides.new if late and self.sides.new else self.sides.earlier
            read = texts(folder, [place for place, _, _ in side.sampled])
            found += [read[place] for place, _, _ in side.sampled if place in read]
            where += [(group, unit, bool(late)) for place, group, unit in side.sampled if place in read]
        if not found:
            return
        grams, counts = learn_ngrams(tokenise(found), longest=1, min_df=MIN_DF)
        counts.data[:] = 1  # how many articles have the word, not how often
        sampled = Sampled(counts, grams.terms(), np.array([unit for _, unit, _ in where]), np.array([late for _, _, late in where]))
        for group in self.groups():
            some = sampled.take(np.flatnonzero([group in (WHOLE, one) for one, _, _ in where]))
            if grams.words and min(some.sizes) >= ENOUGH_TEXTS and min(some.days) > 1:
                yield Test(group, "words", *some.moved(self.seed))

    def record(self, tests: Sequence[Test], bound: float, level: float) -> dict[str, Any]:
        """All of it as plain values."""
        judged = alarms([test.moved for test in tests], bound, level=level)
        rows, asks = [], []
        for group in self.groups():
            mine = [(test, p, alarm) for test, (p, alarm) in zip(tests, judged, strict=True) if test.group == group]
            moves = {test.what: {**test.moved.as_dict(), **test.more, "p_holm": p, "drift": alarm} for test, p, alarm in mine}
            row = {
                "group": self.named(group),
                **self.volume(group),
                "moves": moves,
                "labels": self.gaps(group, level),
                "why_not": self.why_not(group),
            }
            rows.append(row)
            drifts = [what for what, move in moves.items() if move["drift"]]
            if drifts or row["why_not"] == NEW:
                asks.append(self.ask(group, drifts, bound))
        return {"groups": rows, "tests": len(tests), "asks": asks}

    def named(self, group: Cell) -> dict[str, str]:
        """Column → value."""
        return dict(zip(self.sides.by, group, strict=True)) if group != WHOLE else {}

    def volume(self, group: Cell) -> dict[str, Any]:
        """Articles on both sides, and a day where there are days."""
        rows = {name: side.rows(group) for name, side in (("before", self.before), ("after", self.after))}
        spans = (self.before.span, self.after.span)
        daily = [count / span if span else None for count, span in zip(rows.values(), spans, strict=True)]
        return {**rows, "a_day_before": daily[0], "a_day_after": daily[1]}

    def gaps(self, group: Cell, level: float) -> list[dict[str, Any]]:
        """Mean probability and counted share of each label on both sides; none where a side has no article."""
        if not (self.before.rows(group) and self.after.rows(group)):
            return []
        told = []
        for at, label in enumerate(self.labels):
            found = {}
            for name, what in (("probability", "p"), ("counted", "counted")):
                columns = [self.layout.of(what).start + at, 0]
                found[name] = gap(self.before.units[group][:, columns], self.after.units[group][:, columns], level=level).as_dict()
            told.append({"label": label, **found})
        return told

    def why_not(self, group: Cell) -> str:
        """Why a group is not compared; "" where it is."""
        counts = self.before.rows(group), self.after.rows(group)
        if self.comparable(group):
            return ""
        if 0 in counts:
            return NEW if counts[1] >= LEAST else GONE if counts[0] >= LEAST else FEW
        return FEW

    def ask(self, group: Cell, drifts: Sequence[str], bound: float) -> dict[str, Any]:
        """How many articles of a group people should code, and why.

        Half of the variance of an error is taken to be what it would be without the model, for models are surer than they are right.
        """
        sums = self.after.units[group].sum(axis=0)
        p, doubt = (sums[self.layout.of(name)] / sums[0] for name in ("p", "doubt"))
        variance = float((doubt + p * (1 - p)).max() / 2)
        return {"group": self.named(group), "drifts": list(drifts), "variance": variance, "n": audit_size(variance, float(sums[0]), bound)}

    def sample(self, asks: Sequence[Mapping[str, Any]]) -> int:
        """Articles of the whole audit sample: what is asked for, and LEAST of every other group, as audit-sample takes of each."""
        asked = {tuple(ask["group"].values()): int(ask["n"]) for ask in asks}
        others = sum(min(LEAST, self.after.rows(group)) for group in self.groups() if group not in asked and group != WHOLE)
        apart = sum(n for group, n in asked.items() if group != WHOLE)
        return max(asked.get(WHOLE, 0), apart + others)


NEW = "new: the model was never checked on it"
GONE = "gone: no new article is of it"
FEW = f"fewer than {LEAST} articles, or one day, on a side"
