"""The demo: train three models on the starter corpus, study one, score a small corpus, read one article, estimate shares. `make demo` runs it."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from demo_corpus import FRAMES, OUTLETS, QUARTERS, fill_in, made_up, truth, write_corpus

import newsclf
from newsclf.estimates.draw import audit_sample
from newsclf.estimates.estimate import EstimateSpec, estimate
from newsclf.estimates.frame import Scores
from newsclf.estimates.sample import SampleSpec
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
    """Train, study, score, read, estimate; each step says what it did and where it lies."""
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
    shares(ROOT / "models" / "framing", result.run)
    print(f"\nDone in {time.monotonic() - started:.0f} s. The scores are Parquet: newsclf.read_scores('{_short(scores)}').to_table()")
    print("Next: copy configs/framing.yaml, point it at your own coded articles, and run  .venv/bin/newsclf train yours.yaml")


def shares(model: Path, run: Path) -> None:
    """Shares of two frames by outlet and quarter in a corpus of which everything is known: drawn, coded, estimated, and set beside the truth."""
    folder = ROOT / "models"
    held_out = {json.loads(line)["id"] for line in (run / "test.jsonl").read_text("utf-8").splitlines()}
    starter = map(json.loads, (ROOT / "data" / "articles.jsonl").read_text("utf-8").splitlines())
    corpus = made_up([article for article in starter if article["id"] in held_out])
    write_corpus(corpus, folder / "demo-corpus.jsonl")
    for old in ("demo-corpus-scores", "demo-audit", "demo-shares"):
        shutil.rmtree(folder / old, ignore_errors=True)
    newsclf.score(model, str(folder / "demo-corpus.jsonl"), folder / "demo-corpus-scores")
    scores = Scores.open(folder / "demo-corpus-scores")
    drawn = audit_sample(scores, SampleSpec(n=320, by=("outlet", "quarter")), folder / "demo-audit")
    fill_in(folder / "demo-audit" / "sheet-1.csv", corpus)
    found = estimate(scores, [folder / "demo-audit"], EstimateSpec(by=("outlet", "quarter")))
    found.write(folder / "demo-shares")
    rows = {(row["label"], *row["group"].values()): row for row in found.record["shares"]}
    coded = len(drawn.sample.rows)
    print(f"\nHow often two frames stand in {scores.rows:,} made-up articles, from {coded} that the demo coded for you, with 95 % intervals:\n")
    print(f"{'':<32}{'share':>7}{'interval':>16}{'counted':>9}{'truth':>8}")
    for label in FRAMES:
        for outlet in OUTLETS:
            for number, month in enumerate(QUARTERS, start=1):
                row = rows[label, outlet, f"2025 Q{number}"]
                right = truth(corpus, label, outlet, [f"2025-{int(month[5:]) + more:02}" for more in range(3)])
                limits = f"{row['low']:.0%} to {row['high']:.0%}"
                name = f"{label}, {outlet.removeprefix('The ')}, Q{number}"
                print(f"{name:<32}{row['estimate']:>7.0%}{limits:>16}{row['naive']:>9.0%}{right:>8.0%}")
    print("\nCounting labels repeats the model's errors. The coded sample takes them out, and says how surely: one interval of twenty misses.")
    print(f"plots     {_short(folder / 'demo-shares')}/estimates.html")


def _article() -> newsclf.Article:
    rows = map(json.loads, (ROOT / "data" / "unlabelled.jsonl").read_text("utf-8").splitlines())
    row = next(row for row in rows if row["id"] == ARTICLE)
    return newsclf.Article(text=row["text"], title=row["title"], outlet=row["outlet"], date=row["date"], id=row["id"])


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
