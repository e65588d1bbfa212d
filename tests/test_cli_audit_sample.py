"""newsclf audit-sample, as a user meets it: what it prints, and one sentence for each thing that can be wrong."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from color_articles import PLAIN, WORDS, color_rows, contents, write_rows

from newsclf.cli import main
from newsclf.inference.batch import RunSpec, score
from newsclf.inference.scorer import ScoreSpec
from newsclf.training.run import train

BOOK = "{task: color, kind: exclusive, labels: {red: Mainly about red things., blue: Mainly about blue things.}}"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 scored articles of two outlets and three months in four shards, paths as of this folder; do not write to it."""
    folder, dice = tmp_path_factory.mktemp("cli_audit_sample"), random.Random(5)
    write_rows(folder / "coded.jsonl", color_rows(20))
    config = f"name: color\ncodebook: {BOOK}\ndata: {{path: coded.jsonl}}\nlearner: {{kind: linear, C: 1}}\nsplit: {{folds: 2}}\n"
    (folder / "config.yaml").write_text(config, "utf-8")
    model = train(folder / "config.yaml", [f"output={folder / 'models'}"]).model
    rows = []
    for number in range(200):
        words = [
            *dice.choices(WORDS["red"].split(), k=dice.randint(0, 6)),
            *dice.choices(WORDS["blue"].split(), k=4),
            *dice.choices(PLAIN.split(), k=6),
        ]
        outlet = "Harbour Post" if number % 5 else "Inland Mail"
        rows.append({"id": f"a{number}", "text": f"{number}: {' '.join(words)}.", "outlet": outlet, "date": f"2025-0{number % 3 + 1}-11"})
    write_rows(folder / "corpus.jsonl", rows)
    here = Path.cwd()
    os.chdir(folder)
    try:
        score(model, "corpus.jsonl", folder / "scores", ScoreSpec(rows_per_shard=50), run=RunSpec(workers=1))
    finally:
        os.chdir(here)
    return folder


@pytest.fixture
def run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs newsclf audit-sample in a copy of the folder: exit code, what it prints, and what it says on standard error."""
    shutil.copytree(folder, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["audit-sample", *map(str, arguments)])
        code = ended.value.code
        return (int(code or 0), *capsys.readouterr())

    return run


def test_it_draws_and_says_what_comes_next(run):
    code, out, _ = run("scores", "-n", 80, "--by", "outlet", "-o", "audit")
    assert code == 0
    assert out.startswith("80 articles to code of 200 scored: stratified random sample of 80 articles by outlet, the model's score, seed 0\n")
    assert out.endswith("next    newsclf estimate scores --audit audit --by outlet\n")
    assert "sheets  " in out
    assert Path("audit/sheet-1.csv").exists()


def test_without_groups_and_into_a_folder_of_its_own_name(run):
    code, out, _ = run("scores", "-n", 20, "--strata", "group")
    assert code == 0
    assert out.startswith("20 articles to code of 200 scored: simple random sample of 20 articles, seed 0\n")
    assert Path("audit/sample.json").exists()


def test_it_adds_to_a_sample(run):
    run("scores", "-n", 60, "--by", "outlet, quarter", "--label", "red", "--seed", 7)
    code, out, _ = run("scores", "-n", 40, "--by", "outlet,quarter", "--label", "red", "--seed", 7, "--top-up")
    assert code == 0
    assert out.startswith("40 articles to code of 200 scored, 100 with those of before")
    assert "in 2 rounds, seed 7" in out
    assert Path("audit/sheet-2.csv").exists()


def test_a_plan_draws_nothing(run):
    code, out, _ = run("scores", "--plan", 0.1, "--by", "outlet", "--clusters", "")
    assert code == 0
    assert out.startswith("For ±10 points on the share of every label in every outlet: code ")
    assert not Path("audit").exists()
    code, out, _ = run("scores", "--plan", ".1", "--by", "outlet", "--json")
    assert set(json.loads(out)) == {"half_width", "by", "label", "groups", "simple", "with_model", "without_model"}


def test_json_is_for_scripts(run):
    code, out, _ = run("scores", "-n", 80, "--by", "outlet", "--json")
    assert code == 0
    drawn = json.loads(out)
    assert (drawn["articles"], drawn["new"], drawn["scored"], drawn["output"]) == (80, 80, 200, "audit")
    assert sum(group["drawn"] for group in drawn["groups"].values()) == 80


def test_more_than_there_are_is_all_and_said(run):
    code, out, _ = run("scores", "-n", 5000)
    assert code == 0
    assert out.startswith("200 articles to code of 200 scored")
    assert "\nThat is all there is: when all are coded" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scores"], "say how many articles to code, as in  -n 300; or ask how many it takes for ±3 points:  --plan 0.03"),
        (["nowhere", "-n", 9], "nowhere: there are no scores here; newsclf score MODEL CORPUS -o nowhere  writes them."),
        (["scores", "-n", 9, "--task", "colour"], "scores: there are no scores of the task 'colour' (did you mean 'color'?)"),
        (["scores", "-n", 9, "--by", "outlte"], "--by outlte: the scores have no column 'outlte' (did you mean 'outlet'?)"),
        (["scores", "-n", 9, "--by", "outlet,outlet"], "--by names 'outlet' twice; each column groups once."),
        (["scores", "-n", 9, "--label", "rde"], "--label rde: the task 'color' has no such label (did you mean 'red'?)"),
        (["scores", "-n", 3, "--by", "outlet"], "-n 3 is fewer than two of each group, and one tells no variance: give -n 4 at least"),
        (["scores", "-n", 9, "--clusters", "outlet"], "-n 9 articles cannot be drawn in clusters of one outlet: Harbour Post alone has 160."),
        (["scores", "-n", 9, "--top-up"], "audit: --top-up adds to a sample, and there is none here; leave it out to draw a first one."),
        (["scores", "-n", 9, "-o", "scores"], "scores: this holds something else and is left as it is; name another folder."),
        (["scores", "-n", 9, "-o", "config.yaml"], "config.yaml: this holds something else and is left as it is; name another folder."),
        (["scores", "--plan", 3], "--plan 3: a half-width is a share, above 0 and below .5, as 0.03 for ±3 points."),
    ],
    ids=str,
)
def test_a_mistake_is_one_sentence_and_writes_nothing(run, arguments, message):
    before = contents(Path())
    code, out, said = run(*arguments)
    assert (code, out) == (2, "")
    assert said.startswith(f"error: {message}")
    assert said.count("\n") == 1
    assert contents(Path()) == before


@pytest.mark.parametrize(
    ("arguments", "option"),
    [(["-n", 0], "-n"), (["-n", "many"], "-n"), (["-n", 9, "--seed", -1], "--seed"), (["-n", 9, "--strata", "groups"], "--strata")],
    ids=str,
)
def test_what_is_no_value_of_an_option(run, arguments, option):
    code, out, said = run("scores", *arguments)
    assert (code, out) == (2, "")
    assert option in said
    assert not Path("audit").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--seed", 2], "--top-up adds to a sample that was drawn the same way: seed was 0 and is 2."),
        (["--by", "month"], '--top-up adds to a sample that was drawn the same way: by was ["outlet"] and is ["month"].'),
    ],
    ids=str,
)
def test_an_addition_that_is_drawn_another_way(run, change, message):
    run("scores", "-n", 80, "--by", "outlet")
    before = contents(Path())
    code, _, said = run("scores", "-n", 20, "--by", "outlet", "--top-up", *change)
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith(f"error: {message}")
    assert contents(Path()) == before


def test_a_sample_that_somebody_changed(run):
    run("scores", "-n", 80, "--by", "outlet")
    file = Path("audit/sample.json")
    tree = json.loads(file.read_text("utf-8"))
    tree["rows"][3]["inclusion_probability"] = 0.9
    file.write_text(json.dumps(tree), "utf-8")
    code, _, said = run("scores", "-n", 20, "--by", "outlet", "--top-up")
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith(f"error: {file}: this is no sample that audit-sample wrote (the inclusion probability of 'corpus.jsonl:")


def test_a_corpus_that_is_not_where_it_was(run):
    Path("corpus.jsonl").rename("moved.jsonl")
    code, _, said = run("scores", "-n", 80)
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith("error: corpus.jsonl: this file of the corpus cannot be read, and the articles to code are in it (")
    assert not Path("audit").exists()


def test_scores_that_are_not_done(run):
    Path("scores/score.json").unlink()
    code, _, said = run("scores", "-n", 80)
    assert code == 2
    assert said.startswith("error: scores: this job is not done")
