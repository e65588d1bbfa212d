"""Training labels from the codings of several coders: which codings, how they are settled, and what is left open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from newsclf.article import Article, Example
from newsclf.corpus.coded import Coded, CodedSpec
from newsclf.corpus.coders import Codings, CodingSpec, Key
from newsclf.corpus.formats import BadRow
from newsclf.corpus.read import read_articles
from newsclf.corpus.settle import coded_rows
from newsclf.errors import DataError, listed
from newsclf.scores.agreement import Ratings
from newsclf.scores.votes import Votes, posteriors

Settling = Literal["majority", "dawid_skene"]
WAYS: tuple[Settling, ...] = get_args(Settling)
EVEN = 1e-6
"""Probabilities that are no further apart are those of a tie."""


class CodersSpec(CodingSpec):
    """Codings by several coders beside the corpus, or in place of its labels.

    Without a `path` the rows of `data.path` are the codings, texts and all, and columns that are not named here are those of `data`.
    """

    settle: Literal["none", "majority", "dawid_skene"] = "none"
    """Where the labels come from: none: from `data`, the codings tell of agreement alone; else from the codings, settled so."""

    people: bool = True
    """Whether the coders are people who coded independently: only their agreement is a human ceiling."""

    @model_validator(mode="after")
    def _no_test_files(self) -> Self:
        if self.test:
            raise ValueError("'test' is no key of 'coders': the files to test on are named in 'data.test', their codings stand in 'coders.path'")
        return self

    def of(self, data: CodedSpec) -> CodingSpec:
        """How to read the codings."""
        if self.path:
            return self
        plain = type(self)()
        # by value, not by what was set: a config that was written out in full names every key
        under = {name: getattr(data, name) for name in CodedSpec.model_fields if name != "test" and getattr(self, name) == getattr(plain, name)}
        return self.model_copy(update=under)


@dataclass(frozen=True)
class Settled:
    """What most coders, or Dawid and Skene's model, say of each article."""

    labels: dict[Key, tuple[str, ...]]
    left_open: dict[Key, str]
    """Articles that are not settled, with what was said of them."""

    def examples(self, article: Article, targets: Iterable[str]) -> Iterator[Example]:
        """The article with its labels, once for each of the targets that is settled."""
        yield from (Example(article, self.labels[article.id, target], target) for target in targets if (article.id, target) in self.labels)


def decided(codings: Codings, by: Settling) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    """The labels taken as coded, which articles are open, and the share of each label; in the order of `codings.keys`.

    majority: see `Votes.majority`; shares are those of the votes. dawid_skene: the most probable label, in multi-label tasks every label that is
    more probable than not; shares are the probabilities, and an article is open where two labels (or yes and no) are equally probable.
    [articles, labels], [articles], [articles, labels]
    """
    ratings, articles = Ratings(*codings.arrays()), len(codings.keys)
    votes = Votes.of(ratings, codings.codebook.kind, articles=articles)
    if by == "majority" or not len(ratings):
        return *votes.majority(), votes.shares()
    shares = posteriors(ratings, votes.kind, articles=articles, coders=len(codings.coders))
    if votes.kind == "exclusive":
        highest = shares >= shares.max(axis=1, keepdims=True) - EVEN
        chosen, left_open = highest, highest.sum(axis=1) != 1
    else:
        chosen, left_open = shares > 0.5, (np.abs(shares - 0.5) <= EVEN).any(axis=1)
    left_open |= votes.coders == 0  # of an article that nobody coded the model says how common each label is
    return chosen & ~left_open[:, None], left_open, shares


def settled(codings: Codings, by: Settling) -> Settled:
    """The labels of each article that is settled, and why the others are not."""
    chosen, left_open, _ = decided(codings, by)
    rows, unsettled = coded_rows(codings, chosen, left_open)
    said = _said(codings, unsettled)
    labels = {(row["id"], row.get("target", "")): _several(row["labels"]) for row in rows}
    return Settled(labels, {key: f"left open by {by}{f' toward {key[1]!r}' if key[1] else ''}: {said[key]}." for key in unsettled})


def _several(labels: str | Sequence[str]) -> tuple[str, ...]:
    return (labels,) if isinstance(labels, str) else tuple(labels)


def _said(codings: Codings, keys: Sequence[Key]) -> dict[Key, str]:
    """What the coders of some articles said."""
    answers: dict[Key, list[str]] = {key: [] for key in keys}
    every = [((example.article.id, example.target), example.coder, ", ".join(example.labels) or "none") for example in codings.examples]
    for key, coder, answer in sorted([*every, *((key, coder, "not sure") for key, coder in codings.unsure)]):
        if key in answers:
            answers[key].append(f"{coder} says {answer}")
    return {key: "; ".join(said) for key, said in answers.items()}


@dataclass
class Found:
    """The rows to learn from and to test on, by what coders said."""

    coded: Coded = field(default_factory=Coded)
    given: frozenset[str] | None = None
    """Places of the rows to test on, where files say so."""

    ids: set[str] = field(default_factory=set)
    """Of every article of the data."""

    left_open: int = 0


def read_settled(data: CodedSpec, coders: CodersSpec, codings: Codings) -> Found:
    """The articles of a corpus with the labels that their coders settle on; those left open are set aside, with what was said of them.

    Raises DataError for an id that stands for two texts, for a coding without a text where the codings are all there is, and where no coding is
    about any article of the corpus.
    """
    answers, found = settled(codings, "dawid_skene" if coders.settle == "dawid_skene" else "majority"), Found()
    targets: dict[str, list[str]] = defaultdict(list)
    for identifier, target in codings.keys:
        targets[identifier].append(target)
    tests: set[str] = set()
    for path in (data.path, data.test):
        articles = _articles(data, path, found) if coders.path else _coded_texts(codings)
        for article in articles if path else ():
            found.coded.examples += answers.examples(article, targets.get(article.id, ()))
            found.coded.uncoded += article.id not in targets
            open_here = [answers.left_open[key] for target in targets.get(article.id, ()) if (key := (article.id, target)) in answers.left_open]
            found.coded.quarantined += [BadRow(article.place, reason) for reason in open_here]
            found.left_open += len(open_here)
            if path is data.test:
                tests.add(article.place)
    found.coded.quarantined += codings.quarantined
    found.given = frozenset(tests) if data.test else None
    if not found.ids.intersection(targets) and coders.path:
        raise DataError(
            f"{listed(coders.path)}: no coding is about an article of {listed(data.path)}. Both must call an article by the same id: the columns "
            f"are data.id and coders.id; codings are of {listed(targets, most=3)}, articles of {listed(sorted(found.ids), most=3)}."
        )
    return found


def _articles(data: CodedSpec, path: tuple[str, ...], found: Found) -> Iterator[Article]:
    """Each article of the data once; what cannot be read is an error or is set aside, as `data.on_error` says."""
    seen: dict[str, Article] = {}
    for article in read_articles(data.model_copy(update={"path": path})):
        if isinstance(article, BadRow):
            if data.on_error == "fail":
                raise DataError(f"{article.place}: {article.reason} (To set such rows aside and go on: data.on_error: quarantine)")
            found.coded.quarantined.append(article)
            continue
        before = seen.setdefault(article.id, article)
        if before is article and article.id not in found.ids:
            found.ids.add(article.id)
            yield article
        elif before is article or before.text != article.text:  # a stance may have a row for each target
            where = "in data.path" if before is article else f"at {before.place}"
            raise DataError(f"{article.place}: the id {article.id!r} stands {where} already; the codings of an article are told by its id.")


def _coded_texts(codings: Codings) -> Iterator[Article]:
    for article in codings.articles.values():
        if not article.text:
            raise DataError(
                f"{article.place}: this coding has no text, and no other coding of the id {article.id!r} has. Name the texts' column (data.text), or "
                "keep the articles in data.path and their codings in coders.path."
            )
        yield article
