"""The coders of a training run: how far they agree, and how well people do beside the model, in the same metric."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from newsclf.codebook import Codebook
from newsclf.corpus.coded import Coded, CodedSpec
from newsclf.corpus.coders import Codings, Key, read_codings
from newsclf.errors import listed
from newsclf.scores.agreement import FEWEST, Alpha, Ratings
from newsclf.scores.reliability import METRICS, Ceiling, ceiling
from newsclf.training.settled import CodersSpec, read_settled
from newsclf.training.study import Study, study

logger = logging.getLogger(__name__)
NOT_PEOPLE = (
    "The codings are not of people who coded independently (coders.people: false): their agreement says that the labels can be found in the texts, "
    "not how well people do."
)
NAMES = {"accuracy": "an accuracy of", "micro_f1": "a micro-F1 of", "macro_f1": "a macro-F1 of"}
BY = {"majority": "the majority of the coders", "dawid_skene": "Dawid and Skene's model of the coders"}


@dataclass(frozen=True)
class Agreement:
    """What the codings of an experiment say beside its labels."""

    spec: CodersSpec
    codings: Codings
    settled: int = 0
    """Articles (for stance: with a target) that take their labels from the codings."""

    left_open: int = 0
    """Those of the data that the codings do not settle."""

    elsewhere: int = 0
    """Coded articles that are not among those of the data."""

    @cached_property
    def study(self) -> Study:
        """Alpha with intervals, kappas and confusions."""
        return study(self.codings)

    def ceilings(self, keys: Collection[Key] | None = None) -> dict[str, Ceiling]:
        """Each coder against the majority of the others, by metric; on some of the articles, where they are given."""
        codings = self.codings.once()
        ratings = Ratings(*codings.arrays())
        if keys is not None:
            ratings = ratings.take(np.array([(item.article.id, item.target) in keys for item in codings.examples], bool))
        return {name: ceiling(ratings, codings.codebook.kind, metric) for name, metric in METRICS[codings.codebook.kind].items()}

    def as_dict(self, summary: Mapping[str, float], tested: Collection[Key]) -> dict[str, Any]:
        """Plain JSON values; `summary` holds the model's metrics on the articles `tested`, by name.

        `ceiling` is None where the coders are no independent people, or too few of them coded the same articles.
        """
        once = self.codings.once()
        found = self.study.once
        counts = Counter(example.coder for example in once.examples)
        people = self._beside(summary, tested)
        return {
            "task": once.codebook.task,
            "people": self.spec.people,
            "settle": self.spec.settle,
            "coders": [{"name": name, "codings": counts[name]} for name in once.coders],
            "articles": next(iter(found.alphas.values())).articles,
            "alphas": [_alpha("name", name, alpha) for name, alpha in found.alphas.items()],
            "by_label": [_alpha("label", name, alpha) for name, alpha in found.labels.items()],
            "ceiling": people or None,
            "settled": self.settled,
            "left_open": self.left_open,
            "elsewhere": self.elsewhere,
            "sentences": [*self._agree(), *self._ceiling(people), *self.counted()],
        }

    def _beside(self, summary: Mapping[str, float], tested: Collection[Key]) -> list[dict[str, Any]]:
        """How well people do, and the model beside them: a row for each metric."""
        if not self.spec.people:
            return []
        names, on_test = self.codings.once().coders, self.ceilings(set(tested))
        return [
            {
                "metric": metric,
                "name": metric.replace("_", " "),
                **found.as_dict(names),
                "model": summary.get(metric),
                # of a handful of articles the figure would be luck
                "on_test": on_test[metric].as_dict(names) if on_test[metric].articles >= FEWEST else None,
            }
            for metric, found in self.ceilings().items()
            if found.value is not None
        ]

    def _agree(self) -> list[str]:
        """How far the coders agree, in sentences."""
        found, coders = self.study.once, self.codings.once().coders
        distance, alpha = next(iter(found.alphas.items()))
        if alpha.value is None:
            return [f"How far the coders ({listed(coders)}) agree cannot be told: {alpha.note}"]
        head = f"{alpha.articles} {_articles(self.codings)} were coded by two or more of {len(coders)} coders ({listed(coders)})"
        sentences = [f"{head}: Krippendorff's alpha ({distance}) is {_shown(alpha)}."]
        known = {name: label for name, label in found.labels.items() if label.value is not None}
        worst = min(known, key=lambda name: known[name].value or 0.0, default="")
        # of two exclusive labels each is as hard as the other
        if len({label.value for label in known.values()}) > 1:
            sentences.append(f"They agree least on {worst!r}: alpha {_shown(known[worst])}.")
        return sentences

    def _ceiling(self, people: list[dict[str, Any]]) -> list[str]:
        """How well people do beside the model, in a sentence."""
        if not self.spec.people:
            return [NOT_PEOPLE]
        if not people:
            return ["There is no human ceiling: " + next(iter(self.ceilings().values())).note]
        row = next((row for row in people if row["metric"] == "macro_f1"), people[0])
        against = "the other" if row["note"] else "the majority of the others"
        least, most = min(row["each"].values()), max(row["each"].values())
        model = "" if row["model"] is None else f"; the model reaches {row['model']:.3f} on the test articles"
        compared = f"{row['codings']} codings of {row['articles']} {_articles(self.codings)}; by coder {least:.3f} to {most:.3f}"
        sentence = f"A coder held against {against} reaches {NAMES[row['metric']]} {row['pooled']:.3f} ({compared}){model}"
        here = row["on_test"]
        return [f"{sentence}, where coders reach {here['pooled']:.3f}." if here and model else f"{sentence}."]

    def counted(self) -> list[str]:
        """Where the labels come from, and which codings are of no use to them, in sentences."""
        sentences = []
        if self.spec.settle != "none":
            sentences.append(f"The labels are those of {BY[self.spec.settle]}: {self.settled} settled, {self.left_open} left open and set aside.")
        if self.elsewhere:
            sentences.append(f"{self.elsewhere} articles that were coded are not among the coded articles of the data.")
        return sentences


def _articles(codings: Codings) -> str:
    return "articles with their targets" if codings.codebook.is_stance else "articles"


def _alpha(key: str, name: str, alpha: Alpha) -> dict[str, Any]:
    return {key: name, **asdict(alpha)}


def _shown(alpha: Alpha) -> str:
    return f"{alpha.value:.3f}" + (f" (95 % interval {alpha.low:.3f} to {alpha.high:.3f})" if alpha.low is not None else "")


def read_by_coders(data: CodedSpec, coders: CodersSpec, codebook: Codebook) -> tuple[Coded, frozenset[str] | None, Agreement]:
    """The rows of a corpus with the labels that coders settle on, the places of those to test on where files say so, and what the coders say.

    Raises DataError as `read_codings` and `read_settled` do.
    """
    codings = read_codings(coders.of(data), codebook)
    found = read_settled(data, coders, codings)
    elsewhere = len({key[0] for key in codings.keys} - found.ids) if coders.path else 0
    agreement = Agreement(coders, codings, len(found.coded.examples), found.left_open, elsewhere)
    for sentence in agreement.counted():
        logger.info("%s", sentence)
    return found.coded, found.given, agreement


def read_beside(data: CodedSpec, coders: CodersSpec, codebook: Codebook, coded: Coded) -> Agreement:
    """What coders say of a corpus whose labels are its own; raises DataError as `read_codings` does."""
    codings = read_codings(coders.of(data), codebook)
    known = {example.article.id for example in coded.examples}
    return Agreement(coders, codings, elsewhere=len({key[0] for key in codings.keys} - known))
