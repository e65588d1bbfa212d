"""newsclf estimate, as a user meets it: what it prints, and one sentence for each thing that can be wrong."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
from pathlib import Path

import pytest
from color_articles import BLUE, RED, color_rows, write_rows

from newsclf import cli
from newsclf.inference.batch import RunSpec, score
from newsclf.inference.scorer import ScoreSpec
from newsclf.training.run import train

OUTLETS = ("CNN", "CNN (Web News)", "Harbour Post")
BOOK = "{task: color, kind: exclusive, labels: {red: About red things., blue: About blue things., green: About green things.}}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with two scored corpora of 240 articles, of two models, a coded sample of 120 and their runs; do not write to it."""
    folder, dice = tmp_path_factory.mktemp("cli_estimates"), random.Random(3)
    rows = color_rows(20) + [{"id": f"green-{number}", "text": f"Grass and leaf {number}.", "labels": "green"} for number in range(8)]
    write_rows(folder / "coded.jsonl", rows)
    for name in ("one", "two"):
        config = f"name: {name}\ncodebook: {BOOK}\ndata: {{path: coded.jsonl}}\nlearner: {{kind: linear, C: {1 if name == 'one' else 2}}}\n"
        (folder / f"{name}.yaml").write_text(config, "utf-8")
    runs = {name: train(folder / f"{name}.yaml", [f"output={folder / 'models'}", "split.folds=2"]) for name in ("one", "two")}
    articles = []
    for number in range(240):
        words = dice.choices((RED if number % 3 else BLUE).split(), k=9)
        where = {"outlet": OUTLETS[number % 3] if number % 5 else "", "date": f"2025-{number % 6 + 1:02}-03" if number % 7 else ""}
        articles.append({"id": f"a{number}", "text": f"{number}: {' '.join(words)}.", **where})
    write_rows(folder / "corpus.jsonl", articles)
    here = Path.cwd()
    os.chdir(folder)
    try:
        for name, run in runs.items():
            score([run.model], "corpus.jsonl", folder / f"scores-{name}", ScoreSpec(rows_per_shard=100), run=RunSpec(workers=1))
            shutil.copytree(run.run, folder / f"run-{name}")
    finally:
        os.chdir(here)
    return folder


@pytest.fixture
def run(folder, tmp_path, monkeypatch, capsys):
    """Runs the command in a copy of the folder: exit code, what it prints, and what it says on standard error."""
    shutil.copytree(folder, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")

    def run(*arguments):
        try:
            cli.main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def audited(run, tmp_path):
    """The same with a sample that was drawn and coded: audit/."""
    assert run("audit-sample", "scores-one", "-n", 120, "--by", "outlet", "-o", "audit", "-q")[0] == 0
    code(tmp_path / "here" / "audit" / "sheet-1.csv")
    return run


def code(path):
    """Code a sheet: every third article is about blue things."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row |= {"label": "red" if int(row["id"][1:]) % 3 else "blue", "coder": "ada"}
    write(path, rows)


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def design(path, rows=range(60), **columns):
    """A coded file with a draw of the user's own."""
    write(path, [{"id": f"a{number}", "label": "red" if number % 3 else "blue", **columns} for number in rows])
    return path.name


def refused(found):
    """The one sentence of a user's mistake, on standard error."""
    status, out, err = found
    assert status == 2, (status, out, err)
    assert "Traceback" not in err
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    return line


def test_it_prints_shares_and_writes_them(audited, tmp_path):
    status, out, _ = audited("estimate", "scores-one", "--audit", "audit", "--by", "quarter", "-o", "shares", "-q")
    assert status == 0
    assert out.startswith("shares of color\n")
    assert "red: whole corpus" in out
    assert "written to shares: estimates.html, .csv, .md, .tex, .json, and pictures" in out
    names = {path.name for path in (tmp_path / "here" / "shares").iterdir()}
    assert {"estimates.json", "estimates.csv", "estimates.md", "estimates.tex", "estimates.html", "shares.svg"} <= names


def test_spellings_of_one_outlet_are_joined_and_said(audited):
    status, out, _ = audited("estimate", "scores-one", "--audit", "audit", "--by", "outlet", "--json", "-q")
    record = json.loads(out)
    assert status == 0
    assert {row["group"].get("outlet") for row in record["shares"]} == {None, "CNN", "Harbour Post", "(none)"}
    assert any(remark.startswith("Names of one outlet were joined") and "'CNN (Web News)'" in remark for remark in record["remarks"])


def test_labels_that_nobody_coded_are_at_most_so_much(audited):
    record = json.loads(audited("estimate", "scores-one", "--audit", "audit", "--json", "-q")[1])
    (green,) = [row for row in record["shares"] if row["label"] == "green"]
    assert green["estimate"] is None
    assert green["refused"].startswith("none of 120 coded has it: at most ")


def test_a_group_with_no_coded_article_is_refused_in_its_place(run, tmp_path):
    first = [number for number in range(240) if number % 5 and number % 3 == 2][:40]
    name = design(tmp_path / "here" / "own.csv", rows=first, inclusion_probability=0.5)
    status, out, _ = run("estimate", "scores-one", "--audit", name, "--by", "outlet", "--json", "-q")
    assert status == 0
    (cnn,) = [row for row in json.loads(out)["shares"] if row["group"] == {"outlet": "CNN"} and row["label"] == "red"]
    assert cnn["audited"] == 0
    assert cnn["refused"] == "0 coded, and 30 are needed: code about 30 more"


def test_it_needs_an_audit_or_a_run(run):
    assert "a share needs articles that people coded" in refused(run("estimate", "scores-one"))
    status, out, _ = run("estimate", "scores-one", "--run", "run-one", "-q")
    assert status == 0
    assert "for comparison: needs an assumption that no audit has tested" in out
    assert "this run made another model than the one whose scores are in" in refused(run("estimate", "scores-one", "--run", "run-two"))
    assert "this is no finished training run" in refused(run("estimate", "scores-one", "--run", "models"))


def test_a_column_that_is_not_there_names_the_nearest(audited):
    said = refused(audited("estimate", "scores-one", "--audit", "audit", "--by", "outlets"))
    assert "the scores have no column 'outlets' (did you mean 'outlet'?)" in said
    assert "(did you mean 'month'?)" in refused(audited("estimate", "scores-one", "--audit", "audit", "--by", "moth"))
    assert "--by names 'outlet' twice" in refused(audited("estimate", "scores-one", "--audit", "audit", "--by", "outlet,outlet"))


def test_a_change_is_at_the_first_day_of_a_period(audited):
    said = refused(audited("estimate", "scores-one", "--audit", "audit", "--by", "quarter", "--change-at", "2025-05-01"))
    assert "no quarter begins on this day" in said
    said = refused(audited("estimate", "scores-one", "--audit", "audit", "--change-at", "2025-04-01"))
    assert "needs periods to compare: --by month" in said
    status, out, _ = audited("estimate", "scores-one", "--audit", "audit", "--by", "quarter", "--change-at", "2025-04", "--json", "-q")
    assert status == 0
    assert {row["at"] for row in json.loads(out)["changes"]} == {"2025-04"}


def test_a_job_that_is_not_done_is_refused(audited, tmp_path):
    (tmp_path / "here" / "scores-one" / "score.json").unlink()
    assert "this job is not done" in refused(audited("estimate", "scores-one", "--audit", "audit"))
    assert "there are no scores here" in refused(audited("estimate", "audit", "--audit", "audit"))


def test_scores_of_two_models_mixed_are_refused(audited, tmp_path):
    here = tmp_path / "here"
    for suffix in ("json", "parquet"):
        shutil.copy(here / "scores-two" / f"part-00001.{suffix}", here / "scores-one" / f"part-00001.{suffix}")
    said = refused(audited("estimate", "scores-one", "--audit", "audit"))
    assert "'part-00001.json' come from another job than job.json, so that scores of two models are mixed" in said


def test_a_folder_of_which_a_part_was_lost_is_refused(audited, tmp_path):
    (tmp_path / "here" / "scores-one" / "part-00001.json").unlink()
    assert "2 of 3 parts are here" in refused(audited("estimate", "scores-one", "--audit", "audit"))


def test_a_part_that_cannot_be_read_is_named(audited, tmp_path):
    part = tmp_path / "here" / "scores-one" / "part-00001.parquet"
    part.write_bytes(part.read_bytes()[:200])
    assert "part-00001.parquet: this part cannot be read" in refused(audited("estimate", "scores-one", "--audit", "audit"))


def test_an_audit_of_other_scores_is_refused(audited):
    assert "this sample was drawn from other scores than scores-two holds" in refused(audited("estimate", "scores-two", "--audit", "audit"))


def test_codes_that_are_not_among_the_scores_are_refused(run, tmp_path):
    name = design(tmp_path / "here" / "own.csv", rows=range(230, 250), inclusion_probability=0.5)
    said = refused(run("estimate", "scores-one", "--audit", name))
    assert "own.csv': 10 of 20 coded articles are not among the scores; the first is 'a240'" in said


def test_an_audit_of_an_older_codebook_is_refused(audited, tmp_path):
    sample = tmp_path / "here" / "audit" / "sample.json"
    tree = json.loads(sample.read_bytes())
    sample.write_text(json.dumps(tree | {"codebook": "0" * 64}), "utf-8")
    assert "this sample was drawn with another codebook than the scores have now" in refused(audited("estimate", "scores-one", "--audit", "audit"))
    path = tmp_path / "here" / "old.csv"
    write(path, [{"id": f"a{number}", "label": "crimson", "inclusion_probability": 0.5} for number in range(9)])
    said = refused(audited("estimate", "scores-one", "--audit", path.name))
    assert "'crimson' is not a label of the task 'color'" in said
    assert "newsclf recode CODED --codebook OLD.yaml --to NEW.yaml" in said


@pytest.mark.parametrize("wrong", ["0", "1.5", "-0.5", "often"])
def test_chances_are_above_zero_and_at_most_one(run, tmp_path, wrong):
    name = design(tmp_path / "here" / "own.csv", inclusion_probability=wrong)
    assert "the inclusion_probability must be a number above 0 and at most 1" in refused(run("estimate", "scores-one", "--audit", name))


def test_every_coded_article_has_a_chance(run, tmp_path):
    path = tmp_path / "here" / "own.csv"
    write(path, [{"id": f"a{number}", "label": "red", "inclusion_probability": 0.5 if number else ""} for number in range(40)])
    assert "1 of 40 coded articles have no inclusion_probability; the first is 'a0'" in refused(run("estimate", "scores-one", "--audit", path.name))


def test_one_coder_codes_an_article_once(run, tmp_path):
    path = tmp_path / "here" / "own.csv"
    write(path, [{"id": "a1", "label": label, "inclusion_probability": 0.5, "coder": "ada"} for label in ("red", "blue")])
    assert "an article has one coding of each coder" in refused(run("estimate", "scores-one", "--audit", path.name))


def test_articles_that_people_chose_need_a_word_that_they_did(run, tmp_path):
    name = design(tmp_path / "here" / "chosen.csv")
    assert "nothing says how these articles were drawn" in refused(run("estimate", "scores-one", "--audit", name))
    status, out, _ = run("estimate", "scores-one", "--audit", name, "--by-hand", "-q")
    assert status == 0
    assert "they were chosen by hand, and nobody has checked this" in " ".join(out.split())


def test_a_folder_that_holds_something_else_is_left_as_it_is(audited):
    said = refused(audited("estimate", "scores-one", "--audit", "audit", "-o", "scores-two"))
    assert "scores-two: this folder holds something else and is left as it is" in said


def test_scores_of_an_older_newsclf_take_their_codebook_from_a_file(audited, tmp_path):
    here = tmp_path / "here"
    summary = json.loads((here / "scores-one" / "score.json").read_bytes())
    book = here / "book.yaml"
    book.write_text(BOOK, "utf-8")
    del summary["codebooks"]
    (here / "scores-one" / "score.json").write_text(json.dumps(summary), "utf-8")
    assert "it does not say what its labels mean" in refused(audited("estimate", "scores-one", "--audit", "audit"))
    assert audited("estimate", "scores-one", "--audit", "audit", "--codebook", "book.yaml", "-q")[0] == 0
    assert "there are no scores of the task 'colour' (did you mean 'color'?)" in refused(audited("estimate", "scores-one", "--task", "colour"))


def test_columns_of_the_coded_file_may_be_called_otherwise(audited):
    with Path("audit/sheet-1.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with Path("mine.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "colour"])
        writer.writerows([row["id"], row["label"]] for row in rows)
    named = ("--column", "id=number", "--column", "labels=colour", "--by-hand")
    for command in (("estimate", "scores-one", "--by", "outlet"), ("regress", "scores-one", "--on", "outlet", "--label", "red")):
        assert "--column" in audited(*command, "--audit", "mine.csv", "--by-hand")[2]
        code, out, err = audited(*command, "--audit", "mine.csv", *named)
        # all coded articles of an outlet have the label: a share can be told of the others, and no regression
        assert ("shares of color" in out) if command[0] == "estimate" else ("Harbour Post: 30 of 30 coded rows" in err)
        assert code == (0 if command[0] == "estimate" else 2)
