"""newsclf start, and the way from it to shares: score, audit-sample, estimate."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest
from color_articles import write_rows
from tiny_encoder import write_encoder

from newsclf import cli

pytest.importorskip("torch", reason="the neural extra is not installed")
BOOK = "task: news\nkind: exclusive\nlabels: {rain: The rain over the river., fish: The fish market.}\n"
SIGNS = {"rain": "rain river", "fish": "fish market"}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the command in a folder with a codebook, an encoder and 160 articles: exit code, what it prints, what it says on standard error."""
    dice = random.Random(2)
    write_encoder(tmp_path / "encoder")
    (tmp_path / "book.yaml").write_text(BOOK, "utf-8")
    articles = []
    for number in range(160):
        label = "rain" if number % 4 else "fish"
        words = dice.choices(["the", "a", "old", "night", "said", "town", "week", "road", "mayor"], k=8)
        outlet = "Harbour Post" if number % 2 else "Inland Mail"
        articles.append({"id": f"{label}-{number}", "text": f"{number}: {SIGNS[label]} {' '.join(words)}.", "outlet": outlet})
    write_rows(tmp_path / "corpus.jsonl", articles)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        return (int(ended.value.code or 0), *capsys.readouterr())

    return run


def code(path):
    """Code a sheet by the ids of its articles."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["label"] = row["id"].partition("-")[0]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_from_a_codebook_to_shares_that_hold_the_truth(run):
    done, out, _ = run("start", "book.yaml", "-o", "models/news", "--encoder", "encoder", "-q")
    assert done == 0
    assert out.startswith("models/news: 2 labels of the task 'news', from their definitions alone\n\nNo coded article stands behind this model.")
    assert run("score", "models/news", "corpus.jsonl", "-o", "scores", "-q")[0] == 0
    assert run("audit-sample", "scores", "-n", 80, "-o", "audit", "-q")[0] == 0
    code(Path("audit/sheet-1.csv"))
    done, out, _ = run("estimate", "scores", "--audit", "audit", "--json", "-q")
    assert done == 0
    shares = {row["label"]: row for row in json.loads(out)["shares"]}
    assert shares["fish"]["low"] <= 0.25 <= shares["fish"]["high"]


def test_json_says_that_nothing_is_coded(run):
    done, out, _ = run("start", "book.yaml", "--encoder", "encoder", "--json", "-q")
    assert done == 0
    assert json.loads(out)["coded_articles"] == 0
    assert json.loads(out)["model"] == str(Path("models") / "news")


def test_inspect_and_predict_read_it(run):
    run("start", "book.yaml", "--encoder", "encoder", "-q")
    done, out, _ = run("inspect", "models/news")
    assert done == 0
    assert "Not validated." in out
    Path("article.txt").write_text("The fish market under the old bridge.", "utf-8")
    done, out, _ = run("predict", "models/news", "article.txt")
    assert done == 0
    assert "why" in out


def test_a_codebook_that_is_not_there_is_an_error_of_the_user(run):
    done, _, err = run("start", "none.yaml", "--encoder", "encoder")
    assert done == 2
    assert err.startswith("error: ")
    assert "none.yaml: there is no such file" in err
