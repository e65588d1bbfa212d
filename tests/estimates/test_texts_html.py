"""Of an HTML page a coder reads the text, as the model did: tags are no part of the article."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from color_articles import write_rows

from newsclf.estimates.draw import audit_sample
from newsclf.estimates.frame import Scores
from newsclf.estimates.sample import SampleSpec
from newsclf.inference.batch import RunSpec, score
from newsclf.inference.scorer import ScoreSpec


def test_of_a_page_the_text_is_coded(color_models: dict[str, Path], corpus_rows: list[dict[str, Any]], tmp_path: Path) -> None:
    pages = [
        row | {"text": f"<html><head><title>Page {at}</title></head><body><p>{row['text']}</p><p>It is said &amp; done.</p></body></html>"}
        for at, row in enumerate(corpus_rows[:40])
    ]
    corpus = write_rows(tmp_path / "pages.jsonl", pages)
    score([color_models["color"]], str(corpus), tmp_path / "scores", ScoreSpec(rows_per_shard=15), run=RunSpec(workers=1))
    drawn = audit_sample(Scores.open(tmp_path / "scores"), SampleSpec(n=12), tmp_path / "audit")
    sheet = next(file for file in drawn.files if file.name == "sheet-1.csv")
    rows = list(csv.DictReader(sheet.read_text("utf-8-sig").splitlines(keepends=True)))
    texts = {row["id"]: row["text"] for row in corpus_rows}
    assert len(rows) == 12
    for row in rows:
        assert row["text"].split("\n")[0].strip() == texts[row["id"]]
        assert "It is said & done." in row["text"]
        assert "<" not in row["text"]
        assert row["title"].startswith("Page ")
