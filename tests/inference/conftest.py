"""A corpus of several shards, good rows and bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from color_articles import color_rows, write_rows


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 rows, each 29th of them without a text. Do not write to it."""
    rows = [{**row, "text": "" if number % 29 == 0 else row["text"], "pages": number} for number, row in enumerate(color_rows(150))]
    return write_rows(tmp_path_factory.mktemp("corpus") / "many.jsonl", rows)
