"""The coded rows of an audit with what the model says of them and how they were drawn: what estimates are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from newsclf.codebook import Codebook
from newsclf.errors import DataError, InputError, listed
from newsclf.estimates.codings import AuditCodings
from newsclf.estimates.exports import Design as Drawn
from newsclf.estimates.sample import AuditSample
from newsclf.estimates.tally import Key, Tally
from newsclf.scores.estimate import Sample
from newsclf.scores.metrics import Floats
from newsclf.scores.survey import Design, Ids

BY_HAND = "chosen by hand: every interval takes the coded articles of a group for a random draw from it, which nobody has checked"

NEAR, FAR = 1.25, 100
"""Times as many articles, or as few, as the scored ones that a draw may stand for before it is said, and before it is refused."""


@dataclass(frozen=True)
class Audited:
    """Coded rows, all that is known of them."""

    keys: tuple[Key, ...]
    votes: Mapping[str, Floats]
    """Coder → what he gave each row, [sample, labels]; NaN where he did not code it."""

    scores: Floats
    """[sample, labels]"""

    cells: Ids
    design: Design
    how: str
    """How the rows were drawn, as part of a sentence."""

    by_hand: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def consensus(self) -> Floats:
        """The share of those who coded a row that gave it each label. [sample, labels]"""
        if not self.votes:
            return self.scores
        return np.asarray(np.nanmean(np.stack(list(self.votes.values())), axis=0))

    def sample(self) -> Sample:
        """All of them, under the consensus."""
        return Sample(self.consensus, self.scores, self.cells, self.design)

    def of(self, coder: str) -> tuple[Sample, float]:
        """The rows that one coder coded, taken for a random part of their strata, and their share of all."""
        votes = self.votes[coder]
        there = ~np.isnan(votes[:, 0])
        return Sample(votes[there], self.scores[there], self.cells[there], _thinned(self.design, there)), float(there.mean())


def keys_of(codings: AuditCodings) -> list[Key]:
    """Place and target of every article that somebody coded."""
    return list(dict.fromkeys((coding.key, coding.target) for coding in codings.codings))


def audited(codings: AuditCodings, tally: Tally, codebook: Codebook, *, drawn: AuditSample | None, by_hand: bool = False) -> Audited:
    """Put codings, scores and the draw together.

    The draw is `drawn`, else the columns of the coded files, else, where `by_hand` says that there was none, a random one from each group.
    Raises DataError where rows that were coded are not among the scores, or were not drawn, and InputError where nothing says how they were drawn.
    """
    keys = keys_of(codings)
    if not keys:
        nothing = np.zeros((0, len(codebook.names)))
        return Audited((), {}, nothing, np.zeros(0, np.int64), Design.simple(0, float(tally.counts.sum())), "nothing is coded")
    _check(keys, tally, codings)
    cells = np.array([tally.picked[key].cell for key in keys], np.int64)
    scores = np.array([tally.picked[key].probabilities for key in keys])
    remarks: tuple[str, ...] = ()
    if by_hand:
        design, how = _of_cells(cells, tally.counts), "chosen by hand"
        remarks = (f"The coded articles were {BY_HAND}.",)
    elif drawn is not None:
        design, how, remarks = drawn.design(keys), drawn.sentence(), drawn.remarks(keys)
    elif codings.design:
        design, remarks = _fitted(_of_columns(keys, codings.design), cells, tally.counts)
        how = "a draw of the user's own, with the inclusion probabilities of the coded file"
    else:
        raise InputError(
            f"{listed(codings.files, most=3)}: nothing says how these articles were drawn, and intervals come from that. Keep sample.json, which "
            "audit-sample wrote, beside the coded file; or give a column inclusion_probability; or, if people chose them, say so:  --by-hand"
        )
    return Audited(tuple(keys), _votes(codings, keys, codebook), scores, cells, design, how, by_hand, remarks)


def _check(keys: Sequence[Key], tally: Tally, codings: AuditCodings) -> None:
    strangers = [place for place, target in keys if (place, target) not in tally.picked]
    if strangers:
        raise DataError(
            f"{listed(codings.files, most=3)}: {len(strangers)} of {len(keys)} coded articles are not among the scores; the first is "
            f"{strangers[0]!r}. Were they drawn from other scores, or is the column key (or id) another one?"
        )
    if tally.twice:
        raise DataError(
            f"{listed(codings.files, most=3)}: several scored articles have the id {listed(sorted(tally.twice), most=3)}; name rows by key."
        )
    rows = Counter(tally.picked[key].row for key in keys)
    if rows and rows.most_common(1)[0][1] > 1:
        raise DataError(f"{listed(codings.files, most=3)}: some articles are coded under their key and under their id; keep one of the two.")


def _votes(codings: AuditCodings, keys: Sequence[Key], codebook: Codebook) -> dict[str, Floats]:
    at = {key: row for row, key in enumerate(keys)}
    column = {label: number for number, label in enumerate(codebook.names)}
    votes: dict[str, Floats] = {}
    for coding in codings.codings:
        mine = votes.setdefault(coding.coder, np.full((len(keys), len(column)), np.nan))
        row = mine[at[coding.key, coding.target]]
        row[:] = 0
        row[[column[label] for label in coding.labels]] = 1
    return dict(sorted(votes.items()))


def _of_cells(cells: Ids, counts: Floats) -> Design:
    """As if the rows of each group were a simple random sample of it."""
    drawn = np.bincount(cells, minlength=len(counts))
    return Design(cells, np.arange(len(cells)), counts, counts[cells] / drawn[cells])


def _of_columns(keys: Sequence[Key], columns: Mapping[str, Drawn]) -> Design:
    """The draw that a coded file tells of; how many units a stratum has follows from their inclusion probability."""
    found = [columns.get(place) for place, _ in keys]
    missing = [place for (place, _), one in zip(keys, found, strict=True) if one is None or one.probability is None]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(keys)} coded articles have no inclusion_probability; the first is {missing[0]!r}. Every one needs it."
        )
    chances = np.array([one.probability for one in found if one and one.probability])
    _, strata = np.unique([one.stratum for one in found if one], return_inverse=True)
    names = [one.cluster or place for one, (place, _) in zip(found, keys, strict=True) if one]
    _, first, clusters = np.unique(names, return_index=True, return_inverse=True)
    sizes = np.bincount(strata[first], 1 / chances[first])  # units, each counted once
    return Design(strata.astype(np.int64), clusters.astype(np.int64), sizes.astype(float), 1 / chances)


def _fitted(design: Design, cells: Ids, counts: Floats) -> tuple[Design, tuple[str, ...]]:
    """The draw that a coded file tells of as one from this corpus, and what is to be said of it; `cells` [sample] are those of `counts` [cells].

    Where the coded articles stand for fewer than their groups have, some that were drawn are not coded: the rest is taken for a random part of them.
    Else a file that says 1 for every article would have it that nothing is left to chance. Raises DataError for chances that cannot be.
    """
    total, rows, near = float(design.weights.sum()), float(counts.sum()), float(counts[np.unique(cells)].sum())
    if total > FAR * rows:
        raise DataError(
            f"By their inclusion_probability the coded articles stand for {total:,.3g} articles, and {rows:,.0f} are scored: the column holds the "
            "chance, above 0 and at most 1, that an article had to be drawn."
        )
    more = max(near / total, 1.0)
    said = f"By their inclusion probabilities the coded articles stand for {total:,.0f} articles, and "
    remarks = (f"{said}{near:,.0f} of their groups are scored: they are taken for a random part of what was drawn.",) if more > NEAR else ()
    remarks = (f"{said}{rows:,.0f} are scored: see whether the column says what it should.",) if total > NEAR * rows else remarks
    return Design(design.strata, design.clusters, design.sizes * more, design.weights * more), remarks


def _thinned(design: Design, there: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Design:
    """Of a sample some rows, as if they were a random part of each stratum."""
    strata = design.strata[there]
    whole, kept = (
        np.bincount(strata, weights, len(design.sizes)) for strata, weights in ((design.strata, design.weights), (strata, design.weights[there]))
    )
    return Design(strata, design.clusters[there], design.sizes, design.weights[there] * (whole / np.where(kept > 0, kept, 1))[strata])
