"""The nouns that everything else speaks: what is read (Article, Example) and what is answered (Prediction, Reading)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from newsclf.errors import InputError, listed, nearest


@dataclass(frozen=True, slots=True)
class Article:
    """One article as it was given; text as scraped, junk included. Only `text` is needed."""

    text: str
    id: str = ""
    title: str = ""
    outlet: str = ""
    date: str = ""
    url: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Columns that no field claims; they pass through to scored output."""

    place: str = ""
    """Where it was read, as file:row, for messages."""


@dataclass(frozen=True, slots=True)
class Example:
    """A coded article: what a coder (or several, merged) said of it."""

    article: Article
    labels: tuple[str, ...]
    target: str = ""
    """What the stance is about; empty for topic and framing."""

    coder: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """An n-gram and what it added to a label's score, in logits of the uncalibrated model."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that spoke for a label.

    `start` and `end` are code points into the original `field` ("title" or "text"): the text as given, or the extracted text where
    the article came as HTML; where mojibake was repaired they are those of the line. `weight` is the sum over the sentence's n-grams, and over its
    words as an encoder read them, of what each added to the label's score (for exclusive tasks, above its mean over the labels).
    """

    label: str
    field: str
    start: int
    end: int
    text: str
    weight: float
    phrases: tuple[Phrase, ...] = ()
    encoder: float = 0.0
    """Of `weight`, what comes from an encoder's reading; the rest comes from n-grams."""

    window: int = 0
    """Where that reading is from: the number, from 1, of the window that gave the sentence most; 0 where no encoder read it."""

    windows: int = 0
    """In how many windows an encoder read the article; 0 where the model has none."""

    @property
    def ngrams(self) -> float:
        """Of `weight`, what comes from n-grams."""
        return self.weight - self.encoder

    def reading(self) -> dict[str, Any]:
        """Plain JSON values of what an encoder took part in; none where it did not."""
        if not self.windows:
            return {}
        return {"ngrams": round(self.ngrams, 4), "encoder": round(self.encoder, 4), "window": self.window or None, "windows": self.windows}


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one article (for stance: of one article and one target)."""

    task: str
    labels: tuple[str, ...]
    """The decided labels, most probable first: one for exclusive tasks, any number for multi-label ones, none where it abstained."""

    probabilities: Mapping[str, float]
    """Calibrated probability of every label, in codebook order."""

    evidence: tuple[Evidence, ...] = ()
    coverage: float = 1.0
    """Share of the cleaned article that the model read, 0 to 1."""

    abstained: bool = False
    target: str = ""
    label_set: tuple[str, ...] | None = None
    """The labels, most probable first, that together hold the right one for a stated share (`decision.sets.coverage`, as 90 %) of articles like those
    that it was trained on; empty where none is likely enough. None where the model was not trained to give sets."""

    @property
    def label(self) -> str | None:
        """The label of an exclusive task, None where the model abstained; raises InputError where there are several."""
        if len(self.labels) > 1:
            raise InputError(f"the prediction for {self.task!r} has {len(self.labels)} labels ({listed(self.labels)}): use .labels, not .label.")
        return self.labels[0] if self.labels else None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        result: dict[str, Any] = {"task": self.task}
        if self.target:
            result["target"] = self.target
        spans = [
            {
                "label": item.label,
                "field": item.field,
                "start": item.start,
                "end": item.end,
                "text": item.text,
                "weight": round(item.weight, 4),
                **item.reading(),
                "phrases": [[phrase.text, round(phrase.weight, 4)] for phrase in item.phrases],
            }
            for item in self.evidence
        ]
        probabilities = {label: round(value, 6) for label, value in self.probabilities.items()}
        decided = {"labels": list(self.labels), "abstained": self.abstained, "coverage": round(self.coverage, 4)}
        sets = {} if self.label_set is None else {"label_set": list(self.label_set)}
        return result | decided | sets | {"probabilities": probabilities, "evidence": spans}


@dataclass(frozen=True, slots=True)
class Reading(Mapping[str, Any]):
    """What several models say of one article: task → Prediction, or for stance target → Prediction."""

    answers: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        """The answer for a task (or target); raises InputError that lists those there are."""
        if key not in self.answers:
            raise InputError(f"no answer for {key!r}{nearest(str(key), self.answers)}; there are answers for {listed(self.answers)}.")
        return self.answers[key]

    # Mapping rests these two on a KeyError, which an InputError is not
    def __contains__(self, key: object) -> bool:
        return key in self.answers

    def get(self, key: str, default: Any = None) -> Any:
        """The answer for a task (or target), or the default where there is none."""
        return self.answers.get(key, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self.answers)

    def __len__(self) -> int:
        return len(self.answers)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, nested as the answers are."""
        return {key: answer.as_dict() for key, answer in self.answers.items()}
