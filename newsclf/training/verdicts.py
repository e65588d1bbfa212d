"""What a person who is about to print a number should know first, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from newsclf.errors import listed
from newsclf.scores.intervals import FEW

FEW_ROWS, WEAK, UNSURE, OFF = 10, 0.5, 0.1, 0.05
"""Test rows of a label below which its score says little; F1 too low to use; half-width of a wide interval; a large calibration error."""

TELLING = 200
"""Probabilities from which a calibration error is more than chance."""


class Verdict(NamedTuple):
    """A sentence, and whether it speaks for printing the number, against it, or only has to be known."""

    tone: Literal["good", "bad", ""]
    text: str


def verdicts(found: Mapping[str, Any], *, commonest: tuple[str, float] | None) -> Iterator[Verdict]:
    """What speaks for and against printing a run's numbers.

    `found` are the findings of the run so far; `commonest` is the label that most test rows are coded with, and their share, of exclusive tasks.
    """
    if commonest:
        yield _beside_guessing(found["headline"], *commonest)
    yield from _widths(found)
    yield from _by_label(found["labels"])
    told = sum(row["rows"] for row in found["reliability"])
    if told < TELLING:
        yield Verdict("", f"Whether its probabilities can be believed cannot be told from {told} of them.")
    elif found["ece"] > OFF:
        yield Verdict("bad", f"Its probabilities are off by {100 * found['ece']:.0f} points on average: do not read them as shares.")
    else:
        yield Verdict("good", f"Its probabilities can be believed: on average they are off by {100 * found['ece']:.1f} points.")
    yield from (Verdict("bad", verdict["text"]) for verdict in found["leak_verdicts"] if verdict["kind"] == "inflates")
    yield Verdict(
        "", "Counting its labels is not an estimate of a share: the errors do not cancel. Code a random sample of what was scored for that."
    )


def _beside_guessing(headline: Sequence[Mapping[str, Any]], label: str, share: float) -> Verdict:
    accuracy = next(row for row in headline if row["metric"] == "accuracy")
    low = accuracy["low"] if accuracy["low"] is not None else accuracy["estimate"]
    text = (
        f"It is right on {100 * accuracy['estimate']:.0f} % of the test rows; answering {label!r} every time would be right on {100 * share:.0f} %."
    )
    return Verdict("good", text) if low > share else Verdict("bad", f"{text} It is not shown to be better than that.")


def _widths(found: Mapping[str, Any]) -> Iterator[Verdict]:
    macro = next(row for row in found["headline"] if row["metric"] == "macro_f1")
    if macro["low"] is None:
        yield Verdict("bad", "All test rows are of one story: how sure the numbers are cannot be told.")
    elif (macro["high"] - macro["low"]) / 2 > UNSURE:
        yield Verdict(
            "bad", f"{found['rows']} test rows leave macro-F1 anywhere from {macro['low']:.2f} to {macro['high']:.2f}: code more to say more."
        )
    if found["clusters"] < FEW:
        yield Verdict("bad", f"The test rows are of {found['clusters']} {found['cluster_kind']}: the intervals may be too narrow.")


def _by_label(labels: Sequence[Mapping[str, Any]]) -> Iterator[Verdict]:
    few = [row["label"] for row in labels if row["rows"] < FEW_ROWS]
    weak = [row["label"] for row in labels if row["rows"] >= FEW_ROWS and row["f1"] < WEAK]
    if few:
        yield Verdict("bad", f"Fewer than {FEW_ROWS} test rows are coded {listed(few)}: what stands beside such a label says little.")
    if weak:
        yield Verdict("bad", f"Do not print {listed(weak)} alone: F1 is below {WEAK}.")
    if not few and not weak:
        yield Verdict("good", f"Every label has {FEW_ROWS} test rows or more, and an F1 of {min(row['f1'] for row in labels):.2f} or more.")
