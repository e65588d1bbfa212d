"""A corpus for the demo whose truth is known: paragraphs of held-out starter articles, put together anew under other outlets and dates."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

OUTLETS = ("The Common Thread", "The Iron Ledger")
QUARTERS = ("2025-01", "2025-04", "2025-07", "2025-10")
FRAMES = ("enforcement", "human_rights")
ARTICLES = 2400


def made_up(articles: Sequence[Mapping[str, Any]], *, seed: int = 0) -> list[dict[str, Any]]:
    """Articles of two outlets over four quarters; `frames` are those of the article that the paragraphs are from.

    How often each outlet takes from an article of a frame differs, and moves: that is what there is to find.
    """
    chance = random.Random(seed)  # noqa: S311 (a demo, not a secret)
    corpus = []
    for number in range(ARTICLES):
        outlet, quarter = chance.choice(OUTLETS), chance.choice(QUARTERS)
        pulls = [_pull(article["frames"], outlet, QUARTERS.index(quarter)) for article in articles]
        source = chance.choices(articles, pulls)[0]
        paragraphs = source["text"].split("\n\n")
        kept = sorted(chance.sample(range(len(paragraphs)), max(2, len(paragraphs) // 2)))
        date = f"{quarter[:5]}{int(quarter[5:]) + chance.randrange(3):02}-{chance.randint(1, 28):02}"
        text = "\n\n".join(paragraphs[at] for at in kept)
        corpus.append({"id": f"demo-{number:04}", "title": source["title"], "text": text, "outlet": outlet, "date": date, "frames": source["frames"]})
    return corpus


def _pull(frames: Sequence[str], outlet: str, quarter: int) -> float:
    """How readily an outlet prints articles of these frames in a quarter."""
    wanted = "enforcement" if outlet == "The Iron Ledger" else "human_rights"
    return 1 + (wanted in frames) * (1 + quarter / 2)


def write_corpus(corpus: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the articles as JSON lines, without their frames."""
    lines = [json.dumps({name: value for name, value in article.items() if name != "frames"}, ensure_ascii=False) for article in corpus]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def fill_in(sheet: Path, corpus: Sequence[Mapping[str, Any]]) -> None:
    """Code a sheet as a person would who is never wrong."""
    known = {article["id"]: article["frames"] for article in corpus}
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with sheet.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(row | {"labels": "; ".join(known[row["id"]]) or "none", "coder": "demo"} for row in rows)


def truth(corpus: Sequence[Mapping[str, Any]], label: str, outlet: str | None = None, months: Sequence[str] = ()) -> float:
    """The share that coding every article would give, of an outlet and of some months."""
    group = [article for article in corpus if outlet in (None, article["outlet"]) and (not months or article["date"][:7] in months)]
    return sum(label in article["frames"] for article in group) / len(group)
