"""What a person who is about to print a number should know first, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from newsclf.errors import listed
from newsclf.scores.intervals import FEW

FEW_ROWS, WEAK, UNSURE, OFF = 10, 0.5, 0.1, 0.05
"""Test rows of a label below which its score says little; F1 too low to use; half-width of a wide interval; a large calibration error."""

FEW_OUTLETS = 5
"""Outlets of the test rows below which a score says little of outlets that are new."""

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
    if 0 < found.get("outlets", 0) < FEW_OUTLETS:
        some = "one outlet" if found["outlets"] == 1 else f"{found['outlets']} outlets"
        yield Verdict("bad", f"The test rows are of {some}: the intervals do not say how it does on others.")


def _by_label(labels: Sequence[Mapping[str, Any]]) -> Iterator[Verdict]:
    few = [row["label"] for row in labels if row["rows"] < FEW_ROWS]
    weak = [row["label"] for row in labels if row["rows"] >= FEW_ROWS and row["f1"] < WEAK]
    if few:
        yield Verdict("bad", f"Fewer than {FEW_ROWS} test rows are coded {listed(few)}: what stands beside such a label says little.")
    if weak:
        yield Verdict("bad", f"Do not print {listed(weak)} alone: F1 is below {WEAK}.")
    if not few and not weak:
        yield Verdict("good", f"Every label has {FEW_ROWS} test rows or more, and an F1 of {min(row['f1'] for row in labels):.2f} or more.")


class Answer(NamedTuple):
    """A question that the first page answers, in a few sentences, and the section with more."""

    question: str
    tone: Literal["good", "bad", ""]
    sentences: tuple[str, ...]
    section: str


Studies = Mapping[str, Mapping[str, Any] | None]


def answers(found: Mapping[str, Any], made: Studies) -> list[Answer]:
    """Whether the number can be printed, what would break it, who disagrees, and what to code next; of a run's findings and its studies."""
    against = [verdict["text"] for verdict in found["verdicts"] if verdict["tone"] == "bad"]
    return [
        Answer("Can I print this number?", "bad" if against else "good", tuple(_printable(found, against)), "print"),
        Answer("What would break it?", "", tuple(_breaks(found, made)), "slices" if found["slices"] else "leaks"),
        Answer("Who disagrees?", "", tuple(_disagree(found, made["agreement"])), "disagree"),
        Answer("What to code next?", "", tuple(_next(found, made["plan"])), "next"),
    ]


def weak_slices(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Slices whose whole interval lies below the score of all test rows."""
    whole = next(row["estimate"] for row in found["headline"] if row["name"] == found["slice_measure"])
    return [row for row in found["slices"] if row["high"] is not None and row["high"] < whole]


def _printable(found: Mapping[str, Any], against: Sequence[str]) -> Iterator[str]:
    first = found["headline"][0]
    interval = f" ({first['low']:.2f} to {first['high']:.2f})" if first["low"] is not None else ""
    yield f"{first['name'][:1].upper()}{first['name'][1:]} is {first['estimate']:.2f}{interval} on {found['rows']:,} test rows."
    if not against:
        yield "Nothing was found that speaks against it."
        return
    yield "One thing speaks against it:" if len(against) == 1 else f"{len(against)} things speak against it, first:"
    yield against[0]


def _breaks(found: Mapping[str, Any], made: Studies) -> Iterator[str]:
    yield from (verdict["text"] for verdict in found["leak_verdicts"] if verdict["kind"] == "inflates")
    weak = weak_slices(found)
    if weak:
        named = ", ".join(f"{row['by']} {row['value']} ({row['estimate']:.2f})" for row in weak[:3])
        yield f"It is worse on {named}."
    else:
        yield "No outlet, month, target or length of ten test rows or more is shown to be worse than the whole."
    yield from (made["inflation"] or {}).get("sentences", ())[:1]
    yield from (made["decay"] or {"sentences": ["How it does on later articles was not measured."]})["sentences"][:2]


def _disagree(found: Mapping[str, Any], agreement: Mapping[str, Any] | None) -> Iterator[str]:
    if agreement is None:
        yield "No second coding was read, so it is not known how far people agree on these labels."
    else:
        yield from agreement["sentences"][:2]
    if found["problems"]:
        yield f"Models that had not seen them doubt {found['doubtful']:,} codes of the training rows."


def _next(found: Mapping[str, Any], plan: Mapping[str, Any] | None) -> Iterator[str]:
    yield from (plan or {}).get("sentences", ())[:2]
    fewest = sorted(found["labels_in_order"], key=lambda row: row["learned"])[:2]
    named = ", ".join(f"{row['label']} ({row['learned']:,})" for row in fewest)
    yield f"Fewest rows to learn from: {named}."
    if plan is None:
        yield "What more articles would buy was not measured."
