"""What people see on a terminal, as text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

from newsclf.article import Evidence, Prediction, Reading

if TYPE_CHECKING:
    from newsclf.training.evaluate import Evaluation

WIDTH = 110
BAR = 20
LONGEST = 300
"""Characters of a sentence of evidence."""


def reading_text(reading: Mapping[str, Prediction | Reading]) -> str:
    """What several models say of one article."""
    parts = []
    for task, answer in reading.items():
        if isinstance(answer, Prediction):
            parts.append(prediction_text(answer, task))
        else:
            parts += [prediction_text(each, f"{task} toward {target}") for target, each in answer.items() if not each.abstained]
            silent = [target for target, each in answer.items() if each.abstained]
            parts += [f"{task}: no answer toward {', '.join(silent)} (not mentioned, or not sure enough)"] if silent else []
    return "\n\n".join(parts)


def prediction_text(prediction: Prediction, heading: str) -> str:
    """One answer: the labels, every probability, the evidence."""
    if prediction.abstained:
        said = f"{heading}: no answer" + (" (not mentioned, or not sure enough)" if prediction.target else " (not sure enough)")
        return "\n".join([said, *_set_lines(prediction)])
    lines = [f"{heading}: {', '.join(prediction.labels) or 'none of the labels'}"]
    width = max(map(len, prediction.probabilities))
    for label, probability in sorted(prediction.probabilities.items(), key=lambda item: -item[1]):
        mark = "●" if label in prediction.labels else " "
        lines.append(f"  {mark} {label:<{width}}  {probability:5.1%}  {'█' * round(probability * BAR)}".rstrip())
    lines += _set_lines(prediction)
    for label in dict.fromkeys(piece.label for piece in prediction.evidence):
        lines.append(f"  why {label}:")
        for piece in (piece for piece in prediction.evidence if piece.label == label):
            phrases = ", ".join(phrase.text for phrase in piece.phrases)
            # cut anywhere: not every script has spaces to cut at
            shown = piece.text if len(piece.text) <= LONGEST else f"{piece.text[:LONGEST].rstrip()} …"
            told = f"“{shown}”" + (f"  [{phrases}]" if phrases else "") + _reading(piece)
            lines += textwrap.wrap(told, WIDTH, initial_indent="    ", subsequent_indent="      ")
    return "\n".join(lines)


def _reading(piece: Evidence) -> str:
    """What of a sentence's weight is an encoder's, and which window it read it in."""
    if not piece.windows:
        return ""
    place = f", window {piece.window} of {piece.windows}" if piece.window and piece.windows > 1 else ""
    words, encoder = (round(weight, 2) + 0.0 for weight in (piece.ngrams, piece.encoder))  # no -0.00
    return f"  (words {words:+.2f}, encoder {encoder:+.2f}{place})"


def _set_lines(prediction: Prediction) -> list[str]:
    if prediction.label_set is None:
        return []
    return [f"  set: {', '.join(prediction.label_set) or 'empty (no label is likely enough)'}"]


def evaluation_text(metrics: Evaluation, *, title: str) -> str:
    """Headline metrics and a line for each label."""
    headline = "   ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in metrics.summary.items())
    width = max(len(str(row["label"])) for row in metrics.labels)
    lines = [title, f"  {headline}", "", f"  {'':<{width}}  precision  recall     F1   rows"]
    lines += [
        f"  {row['label']:<{width}}  {row['precision']:9.3f}  {row['recall']:6.3f}  {row['f1']:5.3f}  {row['support']:5}" for row in metrics.labels
    ]
    return "\n".join(lines)
