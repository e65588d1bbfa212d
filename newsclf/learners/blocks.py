"""Blocks of features: a field of the article, counted in one way and weighed by tf-idf.

A block's columns fall into segments (single words, phrases), each scaled to its own length, so that a headline of eight words and an article of a
thousand both count, and phrases do not drown words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field, field_validator
from scipy import sparse

from newsclf.learners.characters import Characters, learn_characters
from newsclf.learners.ngrams import Ngrams, Words, learn_ngrams
from newsclf.scores.metrics import Floats
from newsclf.spec import Spec

Matrix = sparse.csr_array
Vocabulary = Ngrams | Characters
Segments = tuple[tuple[int, float], ...]
"""End column and weight of each segment."""


class FeatureSpec(Spec):
    """What is counted, and how much each count weighs."""

    words: int = Field(default=2, ge=1, le=5)
    """Longest n-gram of words."""

    phrases: float = Field(default=0.5, gt=0)
    """Weight of the n-grams of two and more words, beside 1 for single words."""

    characters: tuple[int, int] | None = None
    """Shortest and longest n-gram of characters within words, for example [2, 5]; none unless given."""

    title: float = Field(default=0.5, ge=0)
    """Weight of the headline's words as a field of their own; they also count among the article's."""

    lead: float = Field(default=0.0, ge=0)
    """Weight of the first words of headline and text as a field of their own, for texts that say first what they are about."""

    near: float = Field(default=1.0, ge=0)
    """Stance: weight of the words around mentions of the target."""

    min_df: int = Field(default=2, ge=1)
    """An n-gram counts if it stands in at least this many training articles; for stance, in the articles of this many coded pairs."""

    @field_validator("characters")
    @classmethod
    def _shortest_first(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value and not 1 <= value[0] <= value[1]:
            raise ValueError(f"the shortest n-gram of characters must be at least 1 and not above the longest, not {list(value)}")
        return value


@dataclass(frozen=True)
class Layout:
    """How a kind of block is learned, read back and weighed."""

    field: str
    """whole (title and text), title, lead (the first words of the whole), or near (the words around mentions of the target)"""

    wanted: Callable[[FeatureSpec], bool]
    learn: Callable[[FeatureSpec, Words], tuple[Vocabulary, Matrix]]
    read: Callable[[FeatureSpec, Sequence[str]], Vocabulary]
    segments: Callable[[FeatureSpec, Any], Segments]


def _words_then_phrases(weight: float, spec: FeatureSpec, grams: Ngrams) -> Segments:
    words = ((len(grams.words), weight),)
    return (*words, (len(grams), weight * spec.phrases)) if grams.higher else words


def _character_range(spec: FeatureSpec) -> tuple[int, int]:
    return spec.characters or (1, 1)


LAYOUTS: Mapping[str, Layout] = {
    "words": Layout(
        field="whole",
        wanted=lambda spec: True,
        learn=lambda spec, words: learn_ngrams(words, longest=spec.words, min_df=spec.min_df),
        read=lambda spec, terms: Ngrams.of_terms(terms),
        segments=lambda spec, grams: _words_then_phrases(1.0, spec, grams),
    ),
    "title": Layout(
        field="title",
        wanted=lambda spec: spec.title > 0,
        learn=lambda spec, words: learn_ngrams(words, longest=1, min_df=spec.min_df),
        read=lambda spec, terms: Ngrams.of_terms(terms),
        segments=lambda spec, grams: ((len(grams), spec.title),),
    ),
    "characters": Layout(
        field="whole",
        wanted=lambda spec: spec.characters is not None,
        learn=lambda spec, words: learn_characters(words, *_character_range(spec), min_df=spec.min_df),
        read=lambda spec, terms: Characters(tuple(terms), *_character_range(spec)),
        segments=lambda spec, grams: ((len(grams), 1.0),),
    ),
    "lead": Layout(
        field="lead",
        wanted=lambda spec: spec.lead > 0,
        learn=lambda spec, words: learn_ngrams(words, longest=1, min_df=spec.min_df),
        read=lambda spec, terms: Ngrams.of_terms(terms),
        segments=lambda spec, grams: ((len(grams), spec.lead),),
    ),
    "near": Layout(
        field="near",
        wanted=lambda spec: spec.near > 0,
        learn=lambda spec, words: learn_ngrams(words, longest=spec.words, min_df=spec.min_df),
        read=lambda spec, terms: Ngrams.of_terms(terms),
        segments=lambda spec, grams: _words_then_phrases(spec.near, spec, grams),
    ),
}
"""Every kind of block, in the order of their columns."""


@dataclass(frozen=True)
class Block:
    """A learned block."""

    name: str
    """Its kind: a key of LAYOUTS."""

    vocabulary: Vocabulary
    segments: Segments
    idf: Floats
    """[n-grams]"""

    @property
    def field(self) -> str:
        """Which words of a document it counts."""
        return LAYOUTS[self.name].field

    def weigh(self, counts: Matrix) -> Matrix:
        """(1 + ln count) · idf, each row's segment scaled to the segment's weight; float32 [texts, n-grams]."""
        stops, weights = (np.array(part) for part in zip(*self.segments, strict=True))
        values = (1 + np.log(counts.data.astype(np.float64))) * self.idf[counts.indices]
        # which of all rows' segments each count falls into  [counts]
        segment = np.searchsorted(stops, counts.indices, side="right")
        group = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr)) * len(stops) + segment
        length = np.sqrt(np.bincount(group, values**2, minlength=counts.shape[0] * len(stops)))
        scale = np.divide(np.tile(weights, counts.shape[0]), length, out=np.zeros_like(length), where=length > 0)
        return Matrix(((values * scale[group]).astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)


def learn_block(name: str, spec: FeatureSpec, words: Words) -> tuple[Block, Matrix]:
    """A block and the counts it was learned from. float32 [texts, n-grams]"""
    layout = LAYOUTS[name]
    vocabulary, counts = layout.learn(spec, words)
    return Block(name, vocabulary, layout.segments(spec, vocabulary), inverse_document_frequency(counts, min_df=spec.min_df)), counts


def read_block(name: str, spec: FeatureSpec, terms: Sequence[str], idf: Floats) -> Block:
    """A block of a saved model; raises ValueError where vocabulary and idf do not fit together."""
    layout = LAYOUTS[name]
    vocabulary = layout.read(spec, terms)
    if idf.shape != (len(vocabulary),):
        raise ValueError(f"the block {name!r} has {len(vocabulary)} n-grams and {len(idf)} idf values")
    return Block(name, vocabulary, layout.segments(spec, vocabulary), idf)


def inverse_document_frequency(counts: Matrix, *, min_df: int) -> Floats:
    """Smoothed idf, ln((1 + n) / (1 + df)) + 1 (Salton & Buckley 1988, as scikit-learn has it); 0 where df is below `min_df`. [n-grams]"""
    df = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.where(df >= min_df, np.log((1 + counts.shape[0]) / (1 + df)) + 1, 0.0)
    return idf.astype(np.float32).astype(np.float64)  # stored as float32: the same number before and after
