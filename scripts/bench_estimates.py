"""Do shares of labels hold on articles of outlets that the model has never seen? Counting, codes alone, and both together, on AllSides.

Usage: python scripts/bench_estimates.py [--data FOLDER] [--draws N] [--rows N] [--codes N ...] [--output FILE]

On AllSides (Baly et al. 2020), of which the topic and the bias of every article are known. Models of both tasks learn from the outlets of one half
of the articles and score those of the other half. Topics are estimated in the five biggest of the outlets that were not learned from, biases in the
five years that have most of their articles (within an outlet nearly all articles have one bias). Then as many articles as `--codes` says are drawn,
their codes are looked up, and what newsclf says of the shares is held against the shares of all articles; and again, `--draws` times.
An outlet is the host of the address: the column `outlet` is unreliable. `--rows` cuts the corpus, for a trial.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench_estimates_table import ALONE, BY_SCORE, WITH, Study, Told, report
from bench_leaks import allsides, cut
from estimate_draws import Tally, World, by_score, in_strata, proportional

from newsclf.article import Article, Example
from newsclf.bundle import Bundle
from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanSpec
from newsclf.corpus.coded import Coded
from newsclf.corpus.outlets import canonical
from newsclf.corpus.split import Rows, SplitSpec, cross_validation, joined, leaks
from newsclf.corpus.stratify import assign
from newsclf.learners.linear import LinearSpec
from newsclf.learners.ngrams import Ids
from newsclf.scores.decision import Decision
from newsclf.scores.metrics import Booleans, Floats
from newsclf.training.evaluate import CodedPairs, prepare
from newsclf.training.prepared import stories

ROOT = Path(__file__).resolve().parent.parent
TOPICS = 20
"""The commonest topics are labels; the others together are one."""

OTHER = "other"
PLACES = (1, 4, 10)
"""Which topics are estimated: so commonest among the articles that were learned from."""

GROUPS = 5
"""Of the corpus: so many outlets, or years."""


@dataclass(frozen=True)
class Scored:
    """Articles of outlets that the model did not learn from, and what it says of them."""

    outlets: list[str]
    years: list[str]
    """[articles] each"""

    labels: tuple[str, ...]
    truth: Booleans
    probabilities: Floats
    decided: Booleans
    """[articles, labels] each"""

    learned: int
    """How many articles it learned from."""

    def within(self, names: Sequence[str]) -> tuple[World, list[str], Booleans]:
        """The articles of the groups that have most, as a corpus; the groups' names, and what was decided of the articles. [articles]"""
        kept = [name for name, _ in Counter(name for name in names if name).most_common(GROUPS)]
        kept.sort()
        rows = np.array([row for row, name in enumerate(names) if name in kept], np.int64)
        cells = np.array([kept.index(names[row]) for row in rows.tolist()], np.int64)
        world = World(self.truth[rows].astype(float), self.probabilities[rows], cells, "exclusive")
        return world, kept, self.decided[rows]


def main() -> int:
    """Train, score, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data")), help="folder of the data sets"
    )
    parser.add_argument("--draws", type=int, default=2000, help="samples of each size")
    parser.add_argument("--codes", type=int, nargs="+", default=[200, 500], help="articles in a sample")
    parser.add_argument("--rows", type=int, help="articles that are read; all unless given")
    parser.add_argument("--C", type=float, default=1.0, help="strength of the learner, which is not searched for")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=ROOT / "configs" / "benchmarks" / "ESTIMATES.md")
    options = parser.parse_args()
    articles = list(allsides(options.data))
    articles = [articles[row] for row in cut(np.arange(len(articles)), options.rows).tolist()]
    outlets = hosts(articles)
    inside = half(articles, outlets, options.seed)
    found: list[Study] = []
    for task in ("topic", "bias"):
        scored = score(articles, outlets, inside, task=task, C=options.C)
        found += study(scored, task, options.codes, draws=options.draws, seed=options.seed)
    page = report(found, places=", ".join(ordinal(place) for place in PLACES), draws=options.draws)
    options.output.write_text(page, "utf-8")
    print(page)
    return 0


def hosts(articles: Sequence[Article]) -> list[str]:
    """The outlet of each article: its host, one name for spellings of one."""
    given = [str(article.extra["source_url"] or "") for article in articles]
    known = canonical(given)
    return [known.of(name) or name for name in given]


def half(articles: Sequence[Article], outlets: Sequence[str], seed: int) -> Booleans:
    """Which articles are learned from: outlets whole, biases and topics in both halves alike. [articles]"""
    told = [[str(article.extra["bias"]), str(article.extra["label"])] for article in articles]
    names = [name for name, _ in Counter(name for both in told for name in both).most_common(TOPICS + 3)]
    truth = np.array([[name in both for name in names] for both in told])
    return np.asarray(assign(joined(len(articles), [outlets]), truth, (0.5, 0.5), seed=seed) == 0)


def score(articles: Sequence[Article], outlets: Sequence[str], inside: Booleans, *, task: str, C: float) -> Scored:
    """Learn from some, score the others: near-duplicates of them are not learned from."""
    started = time.perf_counter()
    given = labels_of(articles, inside, task)
    names = [name for name, _ in Counter(name for name, learned in zip(given, inside.tolist(), strict=True) if learned).most_common()]
    names.sort(key=lambda name: name == OTHER)
    codebook = Codebook.parse({"task": task, "kind": "exclusive", "labels": names}, where="AllSides")
    coded = Coded([Example(article, (label,)) for article, label in zip(articles, given, strict=True)])
    every = prepare(coded, codebook, CleanSpec(), on_error="quarantine")
    row = {id(article): number for number, article in enumerate(articles)}
    at = np.array([row[id(example.article)] for example in every.examples], np.int64)  # what could not be cleaned is out
    inner = inside[at]
    story = stories(every.pairs)
    learned = np.flatnonzero(inner & ~leaks(story, inner, ~inner))
    bundle = fitted(every.take(learned), codebook, story[learned], C)
    tested = every.take(np.flatnonzero(~inner))
    probabilities, decided = bundle.answer(tested.pairs)
    print(f"{task}: {len(learned):,} articles learned from, {len(tested):,} scored in {time.perf_counter() - started:.0f} s", flush=True)
    tested_at = at[~inner].tolist()
    years = [str(articles[number].date)[:4] for number in tested_at]
    return Scored([outlets[number] for number in tested_at], years, codebook.names, tested.truth, probabilities, decided, len(learned))


def labels_of(articles: Sequence[Article], inside: Booleans, task: str) -> list[str]:
    """The label of each article: its bias, or its topic where that is common."""
    given = [str(article.extra["bias" if task == "bias" else "label"]) for article in articles]
    common = {name for name, _ in Counter(name for name, learned in zip(given, inside.tolist(), strict=True) if learned).most_common(TOPICS)}
    return [name if name in common else OTHER for name in given]


def fitted(rows: CodedPairs, codebook: Codebook, story: Ids, C: float) -> Bundle:
    """The linear learner, calibrated as by default: on articles of the same outlets that it was not fitted on."""
    split = Rows(rows.truth, rows.pairs.rows, story)
    learner = LinearSpec(C=C)
    found = learner.fit(rows.pairs, rows.truth, codebook, cross_validation(split, SplitSpec()))
    decision = Decision("exclusive", np.zeros(len(codebook.names)))
    return Bundle(codebook, learner, CleanSpec(), found.model, found.calibration, decision)


def study(scored: Scored, task: str, codes: Sequence[int], *, draws: int, seed: int) -> Iterator[Study]:
    """Draw samples of each size; each by the model and without it, and more where the model is unsure."""
    world, groups, decided = scored.within(scored.outlets if task == "topic" else scored.years)
    labels = [scored.labels[place - 1] for place in PLACES] if task == "topic" else list(scored.labels)
    unsure = (world.scores * (1 - world.scores)).sum(axis=1)  # of all labels together: none is asked for
    for number in codes:
        started = time.perf_counter()
        draw = in_strata(world.cells, proportional(np.bincount(world.cells), number))
        scored_draw = by_score(world.cells, unsure, number, unsure=unsure)
        ways = {
            WITH: Tally.of(world, draw, draws=draws, seed=seed),
            ALONE: Tally.of(world, draw, draws=draws, seed=seed, tuned=False),
            BY_SCORE: Tally.of(world, scored_draw, draws=draws, seed=seed),
        }
        yield Study.of(world, decided, ways, told=Told(task, scored.labels, groups, labels, number, scored.learned))
        print(f"{task}: {draws:,} samples of {number} in {time.perf_counter() - started:.0f} s", flush=True)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, for numbers below 11."""
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }"


if __name__ == "__main__":
    raise SystemExit(main())
