"""What can be printed of a study's coders: alpha overall and of each label, kappa of every two of them, and how well people do by people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from newsclf.scores.agreement import FEWEST, RESAMPLES, Alpha, Coincidences, Distance, Ids, Ratings, alphas, distances
from newsclf.scores.metrics import Booleans, Floats, Kind, macro_f1, micro_f1
from newsclf.scores.votes import Votes

Metric = Callable[[Booleans, Booleans], float]

METRICS: Mapping[Kind, Mapping[str, Metric]] = {
    "exclusive": {"accuracy": micro_f1, "macro_f1": macro_f1},  # with one label on both sides they are the same
    "multi": {"micro_f1": micro_f1, "macro_f1": macro_f1},
}
PAIRS = 15
"""Pairs of coders up to which each has a line."""

SWAPS = 5
"""Pairs of labels to name."""

DISTANCES: Mapping[Kind, tuple[Distance, ...]] = {"exclusive": ("nominal",), "multi": ("masi", "jaccard", "nominal")}


@dataclass(frozen=True)
class Kappa:
    """How far two coders agree on the articles that both coded."""

    first: int
    second: int
    """Numbers of the coders."""

    articles: int
    agreement: float
    """1 less the mean distance: for nominal the share of equal codings."""

    value: float | None
    """Cohen's kappa; None where both give one and the same answer throughout."""


def kappas(ratings: Ratings, distance: Distance = "nominal", *, fewest: int = FEWEST) -> list[Kappa]:
    """Cohen's kappa (1960) of every two coders with so many articles in common; for a distance that is not nominal, weighted kappa (Cohen 1968).

    κ = 1 − observed / expected distance, each coder with an own distribution of answers (Artstein & Poesio 2008, "Inter-Coder Agreement for
    Computational Linguistics").
    """
    sets, which = ratings.sets
    apart = distances(sets, distance)
    found = []
    for first, second, one, other in _beside(ratings, max(fewest, 1)):
        mine, yours = which[one], which[other]
        observed = float(apart[mine, yours].mean())
        expected = float(np.bincount(mine, minlength=len(sets)) @ apart @ np.bincount(yours, minlength=len(sets))) / len(one) ** 2
        found.append(Kappa(first, second, len(one), 1 - observed, 1 - observed / expected if expected else None))
    return found


def _beside(ratings: Ratings, fewest: int) -> list[tuple[int, int, Ids, Ids]]:
    """Two coders, and their codings of the articles that both coded, for every two with so many of those."""
    order = np.lexsort((ratings.coder, ratings.article))
    article, coder = ratings.article[order], ratings.coder[order]
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for start, stop in pairwise([*np.flatnonzero(np.diff(article, prepend=-1)).tolist(), len(article)]):
        numbers = list(zip(coder[start:stop].tolist(), order[start:stop].tolist(), strict=True))
        for at, (first, one) in enumerate(numbers):
            for second, other in numbers[at + 1 :]:
                found.setdefault((first, second), []).append((one, other))
    common = {coders: np.array(rows, np.int64) for coders, rows in sorted(found.items()) if len(rows) >= fewest}
    return [(first, second, rows[:, 0], rows[:, 1]) for (first, second), rows in common.items()]


@dataclass(frozen=True)
class Ceiling:
    """How well a coder does by what the others say: about as well as a model can be shown to do on such codes."""

    value: float | None
    """Mean over the coders, each weighed by the codings compared; None where it cannot be computed."""

    pooled: float | None
    """The metric of all comparisons at once: the one to hold beside a model's macro-F1, which the mean of small sets of rows is not."""

    articles: int
    coders: int
    codings: int
    ties: int
    """Left out because half of the others say one thing and half another: codings, of multi-label tasks single labels of codings.

    These are the hardest ones, so the ceiling is rather too high than too low.
    """

    note: str = ""
    """What was compared where it is no majority, or why there is no ceiling."""

    each: Mapping[int, float] = field(default_factory=dict)
    """Number of a coder → the metric on that coder's codings."""

    def as_dict(self, coders: Sequence[str]) -> dict[str, Any]:
        """Plain JSON values; `coders` are the names of the coders by number."""
        return asdict(self) | {"each": {coders[number]: value for number, value in self.each.items()}}


def ceiling(ratings: Ratings, kind: Kind, metric: Metric) -> Ceiling:
    """Each coder against the majority of the others on the same articles, which takes articles with three coders.

    Where no article has three, one coder is held against the other, and the note says so. The others are a coder fewer than the majority that a
    model is tested on, which is a little harder to meet.
    """
    most = int(ratings.coders_of.max(initial=0))
    if most < 2:
        return Ceiling(None, None, 0, 0, 0, 0, "no article has two coders: how well people do cannot be computed.")
    note = "no article has three coders: this is one coder against the other, not against a majority." if most == 2 else ""
    compared = ratings.take(ratings.coders_of >= min(most, 3))
    votes = Votes.of(compared, kind, articles=int(compared.article.max()) + 1)
    others = Votes(votes.counts[compared.article] - compared.given, votes.coders[compared.article] - 1, kind)  # of each coding
    truth, left_open = others.majority()
    if kind == "multi":
        # a tie is one about a label, and the coding is compared in the others: F1 counts nothing where neither side has a label
        tied = 2 * others.counts == others.coders[:, None]
        truth = 2 * others.counts > others.coders[:, None]
        compared, left_open = Ratings(compared.article, compared.coder, compared.given & ~tied), tied.all(axis=1)
    ties = int(tied.sum()) if kind == "multi" else int(left_open.sum())
    if left_open.all():
        return Ceiling(None, None, 0, 0, 0, ties, "the others are tied on every article: how well people do cannot be computed.")
    left, truth = compared.take(~left_open), truth[~left_open]
    coders, rows = np.unique(left.coder, return_counts=True)
    each = [metric(truth[left.coder == coder], left.given[left.coder == coder]) for coder in coders]
    mean = float(np.average(each, weights=rows))
    pooled = metric(truth, left.given)
    return Ceiling(mean, pooled, len(np.unique(left.article)), len(coders), len(left), ties, note, dict(zip(coders.tolist(), each, strict=True)))


@dataclass(frozen=True)
class Reliability:
    """How far a study's coders agree."""

    alphas: Mapping[Distance, Alpha]
    """Of the whole codings; exclusive tasks have the nominal distance only."""

    labels: Mapping[str, Alpha]
    """Of each label against the rest."""

    table: Floats
    """See Coincidences.table. [labels, labels]"""

    kappas: Sequence[Kappa]
    ceilings: Mapping[str, Ceiling]
    """Metric → how well coders do by each other."""

    note: str = ""

    def as_dict(self, coders: Sequence[str]) -> dict[str, Any]:
        """Plain JSON values; `coders` are the names of the coders by number."""
        names = list(self.labels)
        return {
            "note": self.note,
            "alpha": {name: asdict(alpha) for name, alpha in self.alphas.items()},
            "labels": {name: asdict(alpha) for name, alpha in self.labels.items()},
            "coincidences": {name: dict(zip(names, row, strict=True)) for name, row in zip(names, self.table.tolist(), strict=True)},
            "kappa": [asdict(kappa) | {"first": coders[kappa.first], "second": coders[kappa.second]} for kappa in self.kappas],
            "ceiling": {name: found.as_dict(coders) for name, found in self.ceilings.items()},
        }

    def text(self, coders: Sequence[str]) -> str:
        """What can be printed; `coders` are the names of the coders by number."""
        names = [*(f"alpha, {name}" for name in self.alphas), *(f"  {name}" for name in self.labels)]
        width = max(map(len, names))
        lines = [f"{name:<{width}}  {_shown(alpha)}" for name, alpha in zip(names, [*self.alphas.values(), *self.labels.values()], strict=True)]
        whole = next(iter(self.alphas.values()))
        head = f"{whole.articles} articles with two coders or more, {whole.codings} codings" + (f"; {self.note}" if self.note else "")
        if not whole.articles:
            return head
        for name, found in self.ceilings.items():
            if found.value is None:
                lines.append(f"coder against coders, {name}: {found.note}")
                continue
            lines.append(
                f"coder against {'coder' if found.note else 'the majority of the others'}, {name.replace('_', ' ')}: {found.value:.3f} (mean of "
                f"{found.coders} coders), {found.pooled:.3f} (all {found.codings} codings of {found.articles} articles; {found.ties} tied left out)"
            )
        return "\n".join([head, *lines, *_kappa_lines(self.kappas, coders), *_table_lines(list(self.labels), self.table)])


def _shown(alpha: Alpha) -> str:
    if alpha.value is None:
        return f"none: {alpha.note}"
    return f"{alpha.value:6.3f}  " + (f"[{alpha.low:.3f}, {alpha.high:.3f}]" if alpha.low is not None else f"({alpha.note.rstrip('.')})")


def _kappa_lines(found: Sequence[Kappa], coders: Sequence[str]) -> list[str]:
    if len(found) > PAIRS:
        values = [kappa.value for kappa in found if kappa.value is not None]
        return [f"kappa of {len(values)} pairs of coders: median {np.median(values):.3f}, {min(values):.3f} to {max(values):.3f}"] if values else []
    return [
        f"kappa of {coders[kappa.first]} and {coders[kappa.second]}: {'none' if kappa.value is None else f'{kappa.value:.3f}'} "
        f"({kappa.articles} articles, agreement {kappa.agreement:.3f})"
        for kappa in found
    ]


def _table_lines(names: Sequence[str], table: Floats) -> list[str]:
    """The pairs of labels that coders take for one another most often."""
    pairs = [(float(table[k, m]), names[k], names[m]) for k in range(len(names)) for m in range(k + 1, len(names)) if table[k, m] > 0]
    most = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:SWAPS]
    # each pair of codings stands in the table twice
    return [f"one says {one}, another {other}: {2 * weight:.1f} codings" for weight, one, other in most]


def reliability(ratings: Ratings, kind: Kind, names: Sequence[str], *, resamples: int = RESAMPLES, seed: int = 0) -> Reliability:
    """Everything about the coders of a task; `names` are its labels in column order. What cannot be computed says why, nothing is raised."""
    wholes = {distance: Coincidences.of(ratings, distance) for distance in DISTANCES[kind]}
    singles = [Coincidences.of(ratings.only(label)) for label in range(len(names))]
    found = alphas([*wholes.values(), *singles], resamples=resamples, seed=seed)
    nearest = DISTANCES[kind][0]
    return Reliability(
        dict(zip(wholes, found, strict=False)),
        dict(zip(names, found[len(wholes) :], strict=True)),
        wholes[nearest].table(),
        kappas(ratings, nearest),
        {name: ceiling(ratings, kind, metric) for name, metric in METRICS[kind].items()},
        _about(ratings),
    )


def _about(ratings: Ratings) -> str:
    coders, rows = np.unique(ratings.coder, return_counts=True)
    if not len(coders):
        return "no coding: nobody gave a label."
    if len(coders) == 1:
        return "one coder only: agreement takes two, so there is nothing to compare."
    single = int((rows == 1).sum())
    return f"{single} of {len(coders)} coders coded one article only, which says little of them." if single else ""
