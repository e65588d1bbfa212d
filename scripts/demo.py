"""The demo: train three models on the starter corpus, study one, score a small corpus, read one article. `make demo` runs it."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import newsclf
from newsclf.render import reading_text
from newsclf.training.audit import audit
from newsclf.training.backtest import backtest
from newsclf.training.plan import plan
from newsclf.training.report import report

ROOT = Path(__file__).resolve().parent.parent
TASKS = ("topic", "stance", "framing")
ARTICLE = "exchangebrief-037"
"""One of the unlabelled articles: a removal flight is described, and the lawsuit against it."""


def main() -> None:
    """Train, study, score, read; each step says what it did and where it lies."""
    started = time.monotonic()
    print("newsclf demo, on a starter corpus of invented articles: what you see is how it works, not how well.\n")
    for task in TASKS:
        result = newsclf.train(ROOT / "configs" / f"{task}.yaml")
        headline = ", ".join(f"{name.replace('_', ' ')} {result.metrics.summary[name]:.2f}" for name in ("micro_f1", "macro_f1"))
        print(f"trained   {_short(result.model):<16} from configs/{task}.yaml   tested on {result.metrics.rows} held-out rows: {headline}")
    # what `newsclf plan`, `backtest` and `audit --inflation` do with a finished run: the report shows it
    studied = plan(result.run, repeats=3).sentences()[1], backtest(result.run).sentences()[-1]
    audit(result.run, with_inflation=True)
    print("studied   " + "\n          ".join(studied))
    print(f"report    {_short(report(result.run, ROOT / 'models' / 'framing-report.html'))}: what the numbers are worth; open it in a browser")
    models = [ROOT / "models" / task for task in TASKS]
    scores = ROOT / "models" / "demo-scores"
    shutil.rmtree(scores, ignore_errors=True)
    done = newsclf.score(models, str(ROOT / "data" / "unlabelled.jsonl"), scores)
    print(f"scored    {_short(scores)}: {done.rows} articles of data/unlabelled.jsonl = {done.scored} scored + {done.quarantined} set aside\n")
    article = _article()
    print(f"“{article.title}”, {article.outlet}, {article.date}\n")
    print(reading_text(newsclf.load(*models).predict(article, sentences=2)))
    print(f"\nDone in {time.monotonic() - started:.0f} s. The scores are Parquet: newsclf.read_scores('{_short(scores)}').to_table()")
    print("Next: copy configs/framing.yaml, point it at your own coded articles, and run  .venv/bin/newsclf train yours.yaml")


def _article() -> newsclf.Article:
    rows = map(json.loads, (ROOT / "data" / "unlabelled.jsonl").read_text("utf-8").splitlines())
    row = next(row for row in rows if row["id"] == ARTICLE)
    return newsclf.Article(text=row["text"], title=row["title"], outlet=row["outlet"], date=row["date"], id=row["id"])


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
