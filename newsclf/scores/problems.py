"""Rows that may be coded wrongly: where a model that did not learn from the row is surer of another label than of the given one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsclf.scores.metrics import Booleans, Floats, Kind
from newsclf.scores.thresholds import check_probabilities

Ids = NDArray[np.int64]

TOLERANCE = 0.01
"""How far the probabilities of an exclusive row may miss a sum of 1: rounded ones do."""


@dataclass(frozen=True)
class Problem:
    """A coding to look at again."""

    row: int

    given: tuple[int, ...]
    """Columns of the labels that it was coded with."""

    suggested: tuple[int, ...]
    """Columns of the labels that the model would give: another one for exclusive tasks, one more or one less for multi-label ones."""

    score: float
    """0.5 to 1: how much surer the model is of the suggestion than of the coding; 1 is certain."""


def find_problems(probabilities: Floats, given: Booleans, kind: Kind) -> list[Problem]:
    """Codings that are likely to be wrong, the likeliest first; a multi-label row stands once for each doubtful label.

    `probabilities` must come from models that did not learn from the row (out of fold); both are [rows, labels].

    Confident learning (Northcutt, Jiang & Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels"): the model is confident of a
    label where its probability reaches the label's mean probability among the rows that are coded with it. The rows that it is confident of say what
    share of those coded with one label have another; so many of them are problems, those where the model is surest of the other one, as long as it
    is surer of that than of the given one ("prune by noise rate"). For multi-label tasks each label is a task of two classes, has it and has not.
    Ranked by the normalised margin, (1 - (p of the given label - p of the other)) / 2; equal ones in the order of the rows.
    The model's own errors are among them: the list says what to read again, not what to change.

    Raises ValueError for what are no such tables, for no rows, and for exclusive rows without exactly one label or with probabilities that do
    not sum to 1.
    """
    check_probabilities(probabilities, given)
    if not len(given):
        raise ValueError("there are no rows to look for problems in")
    probabilities = np.asarray(probabilities, np.float64)
    if kind == "exclusive":
        _check_exclusive(probabilities, given)
        row, column, margin = _others(probabilities, given)
        changed = np.arange(given.shape[1]) == column[:, None]  # [problems, labels]
    else:
        row, column, margin = _flips(probabilities, given)
        changed = given[row]
        changed[np.arange(len(row)), column] ^= True
    order = np.lexsort((column, row, -margin))
    return [Problem(int(row[at]), _columns(given[row[at]]), _columns(changed[at]), float((1 + margin[at]) / 2)) for at in order]


def _check_exclusive(probabilities: Floats, given: Booleans) -> None:
    if given.shape[1] < 2:
        raise ValueError(f"an exclusive task has two labels or more, not {given.shape[1]}")
    labels, total = given.sum(axis=1), probabilities.sum(axis=1)
    if (labels != 1).any():
        row = int(np.argmax(labels != 1))
        raise ValueError(f"a row of an exclusive task has one label: row {row} has {labels[row]}")
    off = np.abs(total - 1) > TOLERANCE
    if off.any():
        row = int(np.argmax(off))
        raise ValueError(f"the probabilities of an exclusive row sum to 1: those of row {row} sum to {total[row]:.3g}")


def _flips(probabilities: Floats, given: Booleans) -> tuple[Ids, Ids, Floats]:
    """Rows, the label that should be turned over, and by how much the model is surer of that. [problems] each"""
    found = []
    for label in range(given.shape[1]):
        has = given[:, label]
        row, _, margin = _others(np.column_stack([1 - probabilities[:, label], probabilities[:, label]]), np.column_stack([~has, has]))
        found.append((row, np.full(len(row), label), margin))
    row, column, margin = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return row, column, margin


def _others(probabilities: Floats, given: Booleans) -> tuple[Ids, Ids, Floats]:
    """Rows, the label that the model has instead, and by how much it is surer of it. [problems] each"""
    rows = len(given)
    coded = given.argmax(axis=1)
    beyond = probabilities - probabilities[given][:, None]  # [rows, labels]
    margin, column = np.zeros(rows), np.zeros(rows, np.int64)
    errors = np.rint(_joint(probabilities, given)).astype(np.int64)
    np.fill_diagonal(errors, 0)
    for one, other in np.argwhere(errors):
        among = np.flatnonzero(coded == one)
        surest = among[np.argsort(-beyond[among, other], kind="stable")[: errors[one, other]]]
        better = surest[beyond[surest, other] > margin[surest]]  # a row may be taken for several labels
        margin[better], column[better] = beyond[better, other], other
    row = np.flatnonzero(margin > 0)
    return row, column[row], margin[row]


def _joint(probabilities: Floats, given: Booleans) -> Floats:
    """How many of the rows that are coded with one label have another one in truth. [labels, labels]"""
    total = given.sum(axis=0)  # [labels]
    mean = np.where(given, probabilities, 0.0).sum(axis=0) / np.maximum(total, 1)
    # of a label that no row is coded with, the model is never confident
    confident = np.where((probabilities >= mean) & (total > 0), probabilities, -1.0)
    sure = confident.max(axis=1) >= 0
    counts = np.zeros((len(total), len(total)))
    np.add.at(counts, (given.argmax(axis=1)[sure], confident.argmax(axis=1)[sure]), 1)
    of = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, of, out=np.zeros_like(counts), where=of > 0)
    return np.asarray(shares * total[:, None])


def _columns(labels: Booleans) -> tuple[int, ...]:
    return tuple(np.flatnonzero(labels).tolist())
