"""Where sentences begin and end."""

from __future__ import annotations

import re

_HALVES = re.compile("[\ud800-\udfff]")
"""Halves of surrogate pairs, which a broken JSON escape leaves: a splitter that reads UTF-8 cannot have them."""


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of every sentence, white space around it left out. Line breaks always end one."""
    from sentencex import get_sentence_boundaries

    spans = []
    for line_start, line_end in line_spans(text):
        for found in get_sentence_boundaries("en", _HALVES.sub("\ufffd", text[line_start:line_end])):
            start, end = line_start + found["start_index"], line_start + found["end_index"]
            inner = text[start:end].strip()
            if inner:
                start += text[start:end].index(inner)
                spans.append((start, start + len(inner)))
    return spans


def line_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of every line that is not empty."""
    spans, at = [], 0
    for line in text.split("\n"):
        if line:
            spans.append((at, at + len(line)))
        at += len(line) + 1
    return spans
