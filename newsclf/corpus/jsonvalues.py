"""The values of a JSON text, one by one, in time that grows with the text and memory that does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

from newsclf.corpus.streams import LONGEST, PIECE

GAP = " \t\r\n,"
AFTER = len("e+1")
"""Characters after a value that can belong to it still: 12 at the end of a piece may go on as 12e+1."""


def json_values(text: IO[str]) -> Iterator[tuple[Any, str]]:
    """The items of an array, or values one after another, each with its source; raises ValueError where what follows is neither."""
    decode = json.JSONDecoder().raw_decode
    buffer = text.read(PIECE).lstrip()
    array = buffer.startswith("[")
    at = int(array)
    while True:
        while at < len(buffer) and buffer[at] in GAP:
            at += 1
        if array and buffer.startswith("]", at):
            array, at = False, at + 1
            continue
        failure: Exception | None = None
        try:
            values, end = decode(buffer, at)
        except (ValueError, RecursionError) as error:
            failure, end = error, len(buffer)
        # what is not whole is tried again with twice as much, so that a long value takes linear time
        if end + AFTER > len(buffer) and end - at < LONGEST and (more := text.read(max(PIECE, end - at))):
            buffer, at = buffer[at:] + more, 0
        elif failure and at == end and not array:
            return
        elif failure:
            raise failure
        else:
            yield values, buffer[at:end]
            at = end
