"""Which texts go through an encoder together: of like length, within a budget of tokens, so that little of the work is padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsclf.learners.ngrams import Ids

Tokens = NDArray[np.int64]
"""Token numbers. [tokens] or [texts, tokens]"""


@dataclass(frozen=True)
class Shape:
    """How large a batch may be, and to which lengths its texts are padded."""

    tokens: int = 8192
    """Budget of a batch: texts times the length that they are padded to. A text that is longer goes alone."""

    rows: int = 64
    """The most texts in a batch, however short they are."""

    multiple: int = 1
    """Lengths are rounded up to multiples of this: engines that compile for each length get few of them."""

    def __post_init__(self) -> None:
        if min(self.tokens, self.rows, self.multiple) < 1:
            raise ValueError(f"the tokens, rows and multiple of a batch must be 1 or more, and are {self.tokens}, {self.rows} and {self.multiple}")

    def width(self, length: int, *, most: int | None = None) -> int:
        """The length that a text of so many tokens is padded to, never beyond `most` where the text is not."""
        rounded = -(-max(length, 1) // self.multiple) * self.multiple
        return rounded if most is None else max(min(rounded, most), length)


@dataclass(frozen=True)
class Batch:
    """Texts that are encoded together."""

    rows: Ids
    """Their places among the texts. [batch]"""

    width: int
    """Tokens that each of them is padded to."""

    def halves(self, lengths: Ids, shape: Shape) -> tuple[Batch, Batch]:
        """The same texts in two batches of half the size; raises ValueError where there is one text only."""
        if len(self.rows) < 2:
            raise ValueError("a batch of one text has no halves")
        first, second = np.array_split(self.rows, 2)
        return tuple(Batch(rows, min(shape.width(int(lengths[rows].max())), self.width)) for rows in (first, second))  # type: ignore[return-value]


def batches(lengths: Ids, shape: Shape, *, most: int | None = None) -> list[Batch]:
    """Every text in one batch, longest first, so that what does not fit into memory shows at once.

    `lengths` [texts] in tokens; `most` is the longest that the encoder takes. Texts of one length stay in their order: the same lengths give the
    same batches.
    """
    found: list[Batch] = []
    order = np.argsort(-np.asarray(lengths, np.int64), kind="stable")
    at = 0
    while at < len(order):
        width = shape.width(int(lengths[order[at]]), most=most)
        rows = order[at : at + max(1, min(shape.rows, shape.tokens // width))]
        found.append(Batch(rows, width))
        at += len(rows)
    return found


def cost(found: Sequence[Batch]) -> int:
    """Tokens that batches have an encoder compute, padding included."""
    return sum(len(batch.rows) * batch.width for batch in found)


def filled(texts: Sequence[NDArray[Any]], batch: Batch, pad: int) -> tuple[Tokens, Tokens]:
    """Token numbers of a batch's texts, padded on the right, and 1 where a token stands, 0 where padding does. [batch, tokens] each"""
    tokens = np.full((len(batch.rows), batch.width), pad, np.int64)
    mask = np.zeros(tokens.shape, np.int64)
    for place, row in enumerate(batch.rows):
        length = len(texts[row])
        tokens[place, :length], mask[place, :length] = texts[row], 1
    return tokens, mask
