"""Texts to token numbers, by the tokenizer that an encoder's folder holds as data: no Python of the model's or of transformers' takes part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from newsclf.errors import BundleError, need
from newsclf.learners.encoder_files import TOKENIZER, EncoderFiles
from newsclf.learners.ngrams import Ids

CHARACTERS = 1 << 20
"""Characters that are tokenised at once, so that long texts do not pile up; a longer text goes alone."""

PAIRS = 256
"""Pairs of texts that are tokenised at once; they are no longer than windows."""


class Tokenizer:
    """The tokenizer of an encoder; several threads may use one."""

    def __init__(self, files: EncoderFiles) -> None:
        need("tokenizers", "neural", why="an encoder")
        from tokenizers import Tokenizer as RustTokenizer

        path = files.folder / TOKENIZER
        try:
            self._rust = RustTokenizer.from_file(str(path))
        except Exception as error:  # the library raises no narrower class
            raise BundleError(f"{path}: the tokenizers library cannot read this: {error}; copy the encoder again.") from error
        # what the file says of these belongs to whoever trained it
        self._rust.no_truncation()
        self._rust.no_padding()
        marks = self._rust.encode("a").special_tokens_mask
        self._closing = next((place for place, mark in enumerate(reversed(marks)) if not mark), 0)
        """Marks after a text's last token, which stay when it is cut."""

    def __call__(self, texts: Sequence[str], *, most: int) -> Iterator[tuple[Ids, int]]:
        """Token numbers of each text, at most so many, and how many there would be."""
        for few in _by_characters(texts):
            for encoding in self._rust.encode_batch_fast([_whole(text) for text in few]):
                ids = encoding.ids
                kept = ids if len(ids) <= most else ids[: most - self._closing] + ids[len(ids) - self._closing :]
                yield np.array(kept, np.int64), len(ids)

    def placed(self, texts: Sequence[str], *, most: int) -> Iterator[tuple[Ids, Ids]]:
        """Token numbers of each text, at most so many, and where each token begins, in code points; -1 for the marks."""
        for few in _by_characters(texts):
            for encoding in self._rust.encode_batch([_whole(text) for text in few]):
                kept = self._kept(len(encoding.ids), most)
                starts = np.where(encoding.special_tokens_mask, -1, [start for start, _ in encoding.offsets])
                yield np.array(encoding.ids, np.int64)[kept], starts.astype(np.int64)[kept]

    def _kept(self, tokens: int, most: int) -> Ids:
        """Which of so many tokens are read: the first ones, and the marks after the last."""
        every = np.arange(tokens)
        return every if tokens <= most else np.concatenate([every[: most - self._closing], every[tokens - self._closing :]])

    def pairs(self, firsts: Sequence[str], seconds: Sequence[str], *, most: int) -> Iterator[tuple[Ids, Ids]]:
        """Token numbers of two texts as one, at most so many, and the segment of each token: 0 and 1 where the tokenizer tells the two apart."""
        for start in range(0, len(firsts), PAIRS):
            both = zip(firsts[start : start + PAIRS], seconds[start : start + PAIRS], strict=True)
            for encoding in self._rust.encode_batch([(_whole(first), _whole(second)) for first, second in both]):
                kept = self._kept(len(encoding.ids), most)
                yield np.array(encoding.ids, np.int64)[kept], np.array(encoding.type_ids, np.int64)[kept]

    def starts(self, texts: Sequence[str]) -> list[Ids]:
        """Where each token of each text begins, in code points; without the marks, and of the whole text. [texts] of [tokens]"""
        found: list[Ids] = []
        for few in _by_characters(texts):
            encodings = self._rust.encode_batch([_whole(text) for text in few], add_special_tokens=False)
            found += [np.array([start for start, _ in encoding.offsets], np.int64) for encoding in encodings]
        return found


def _by_characters(texts: Sequence[str]) -> Iterator[list[str]]:
    few: list[str] = []
    size = 0
    for text in texts:
        if few and size + len(text) > CHARACTERS:
            yield few
            few, size = [], 0
        few.append(text)
        size += len(text)
    if few:
        yield few


def _whole(text: str) -> str:
    """A text that UTF-8 can write: half of a surrogate pair, which a broken JSON escape leaves, becomes the mark for an unreadable character."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
