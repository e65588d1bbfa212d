"""A corpus that was scored, and whose true codes are known: what samples are drawn from, and what shares are estimated of."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from color_articles import PLAIN, WORDS, write_rows

from newsclf.inference.batch import RunSpec, score
from newsclf.inference.scorer import ScoreSpec
from newsclf.training.run import train

OUTLETS = {"Harbour Post": (0.5, 300), "Valley Courier": (0.3, 180), "Inland Mail": (0.7, 100), "Lone Star": (0.4, 20)}
"""Outlet → its share of red articles, and how many it has."""

BOOKS = {
    "color": "{task: color, kind: exclusive, labels: {red: Mainly about red things., blue: Mainly about blue things.}}",
    "things": "{task: things, kind: multi, labels: {red: Tells of red things., blue: Tells of blue things., plain: Tells of neither.}}",
    "stance": "{task: stance, kind: exclusive, targets: {bridge: {definition: The bridge.}, garden: {definition: The garden.}}, "
    "labels: {favor: Is for it., against: Is against it.}}",
}
"""Task → its codebook."""


def _row(number: int, color: str, dice: random.Random) -> dict[str, Any]:
    """An article with up to half of its colored words of the other color, and its true codes."""
    other = "blue" if color == "red" else "red"
    strange = dice.choice((0, 0, 2, 4, 5))
    words = [*dice.choices(WORDS[color].split(), k=6), *dice.choices(WORDS[other].split(), k=strange), *dice.choices(PLAIN.split(), k=9)]
    dice.shuffle(words)
    codes = {"color": color, "things": [color, other][: 1 + (strange > 1)], "bridge": "favor" if color == "red" else "against", "garden": "favor"}
    return {"id": f"a{number}", "text": f"Report {number}: {' '.join(words)}.", "codes": json.dumps(codes)}


@pytest.fixture(scope="session")
def corpus_rows() -> list[dict[str, Any]]:
    """600 articles of four outlets over the first half of 2025, each tenth of which has no date; `codes` are their true codes, as JSON."""
    dice = random.Random(7)
    rows = []
    for outlet, (share, many) in OUTLETS.items():
        for _ in range(many):
            row = _row(0, "red" if dice.random() < share else "blue", dice)
            rows.append(row | {"outlet": outlet, "date": f"2025-{dice.randint(1, 6):02}-{dice.randint(1, 28):02}", "section": dice.choice("AB")})
    dice.shuffle(rows)
    return [{**row, "id": f"a{number}", "date": "" if number % 10 == 9 else row["date"]} for number, row in enumerate(rows)]


@pytest.fixture(scope="session")
def corpus_path(tmp_path_factory: pytest.TempPathFactory, corpus_rows: list[dict[str, Any]]) -> Path:
    """The file of the corpus; its last row has no text and is set aside in scoring. Do not write to it."""
    nothing = {"id": "empty", "text": "", "outlet": "Harbour Post", "date": "2025-01-01"}
    return write_rows(tmp_path_factory.mktemp("made_up") / "articles.jsonl", [*corpus_rows, nothing])


@pytest.fixture(scope="session")
def color_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Models of the three tasks, trained on 60 articles of the same making: task → folder of its run's model."""
    folder, dice = tmp_path_factory.mktemp("color_models"), random.Random(1)
    rows = []
    for number in range(60):
        row = _row(number, "red" if number % 2 else "blue", dice)
        codes = json.loads(row["codes"])
        stances = {"bridge": codes["bridge"], "garden": "favor" if number % 3 else "against"}
        rows.append(row | {"color": codes["color"], "things": codes["things"] if number % 5 else ["plain"], "stance": stances})
    write_rows(folder / "coded.jsonl", rows)
    models = {}
    for task, book in BOOKS.items():
        config = folder / f"{task}.yaml"
        config.write_text(f"name: {task}\ncodebook: {book}\ndata: {{path: coded.jsonl, labels: {task}}}\nlearner: {{kind: linear, C: 1}}\n", "utf-8")
        models[task] = train(config, [f"output={folder}", "split.folds=2"]).model
    return models


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory, color_models: dict[str, Path], corpus_path: Path) -> Path:
    """The scored corpus: tasks color (exclusive), things (multi-label) and stance (two targets), in seven shards. Do not write to it."""
    folder = tmp_path_factory.mktemp("made_up_scores") / "scores"
    score(list(color_models.values()), str(corpus_path), folder, ScoreSpec(rows_per_shard=100, keep=("section",)), run=RunSpec(workers=1))
    return folder
