"""The newsclf command: every command, every way in, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from color_articles import color_rows, contents, write_rows

import newsclf
from newsclf.bundle import Bundle
from newsclf.cli import main
from newsclf.inference.job import locked
from newsclf.training.experiment import json_schema
from newsclf.training.run import train

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = {
    "report": ["--output", "record"],
    "compare": ["--metric", "--clusters", "--fail-if-worse"],
    "coders": ["--codebook", "--column", "--json"],
    "disagree": ["--codebook", "--column", "csv"],
    "settle": ["--codebook", "--by", "--column"],
    "recode": ["--codebook", "--to", "--table", "--todo", "--draft"],
    "audit": ["CONFIG|RUN", "--set", "--inflation", "--json", "--quiet"],
    "plan": ["--gain", "--json", "--quiet"],
    "backtest": ["--period", "--json", "--quiet"],
    "audit-sample": ["--size", "--by", "--plan", "--strata", "--label", "--clusters", "--seed", "--top-up", "--task", "SCORES"],
    "estimate": ["--audit", "--by", "--output", "--run", "--change-at", "--small", "--by-hand", "SCORES"],
    "regress": ["--on", "--audit", "--label", "--logistic", "--reference", "SCORES"],
    "monitor": ["--by", "--since", "--bound", "--words", "--fail-if-drift", "SCORES"],
    "pack-replication": ["--audit", "--estimates", "--output", "--with-model", "--keep", "--drop", "SCORES"],
    "start": ["--output", "--encoder", "--json", "--quiet"],
    "train": ["--set", "--json", "--quiet", "config"],
    "predict": ["--target", "--sentences", "--json", "MODEL... [FILE|-]"],
    "score": [
        "--output",
        "--column",
        "--keep",
        "--language",
        "--limit",
        "--sample",
        "--workers",
        "--shard",
        "--restart",
        "--fail",
        "MODEL... CORPUS",
    ],
    "export": ["--table", "scores", "output"],
    "evaluate": ["--column", "--json", "corpus"],
    "inspect": ["--json", "model"],
    "pack": ["--output", "--json", "model"],
    "schema": [],
}
RAID = "Agents arrested forty people in a dawn raid. A judge later found that the detainees had never seen a lawyer."
Run = Callable[..., "Ended"]


class Ended:
    """How a command ended and what it printed."""

    def __init__(self, code: object, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def run(capsys) -> Run:
    """Runs the command in this process."""

    def run(*arguments: object) -> Ended:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        return Ended(end.value.code, *capsys.readouterr())

    return run


def command(*arguments: object, stdin: bytes | int | None = b"", **environment: str) -> Ended:
    """Runs the command in a process of its own."""
    given = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
    words = [sys.executable, "-m", "newsclf", *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, check=False, env=os.environ | environment, **given)
    return Ended(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


@pytest.fixture
def folder(small: Path) -> Path:
    """The `small` folder with a corpus that can be parted."""
    write_rows(small / "corpus.jsonl", color_rows())
    return small


@pytest.fixture
def model(folder: Path) -> Path:
    return train(folder / "config.yaml").model


# help


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_explains_itself(run, name, flag):
    ended = run(name, flag)
    assert (ended.code, ended.err) == (0, "")
    assert not [word for word in [*COMMANDS[name], f"newsclf {name}"] if word not in ended.out]


def test_the_help_lists_every_command_and_no_arguments_show_it(run):
    ended = run("--help")
    assert ended.code == 0
    assert set(re.findall(r"^  ([a-z][a-z-]+)  ", ended.out, re.MULTILINE)) == set(COMMANDS)
    assert "Usage: newsclf" in run().err


def test_the_version_is_the_package_s(run):
    assert run("--version").out == f"newsclf {newsclf.__version__}\n"


@pytest.mark.parametrize(
    "words", [["tarin"], ["train"], ["train", "a.yaml", "--sett", "x=1"], ["score", "a", "b"], ["predict", "m", "--sentences", "-1"]]
)
def test_a_command_that_is_not_one_ends_with_two_and_the_usage(run, words):
    ended = run(*words)
    assert (ended.code, ended.out) == (2, "")
    assert "Usage: newsclf" in ended.err
    assert "Error: " in ended.err


# train


def test_train_prints_metrics_and_where_the_model_is(run, folder, monkeypatch):
    monkeypatch.chdir(folder)
    ended = run("train", "config.yaml", "--set", "split.test=0.4")
    assert ended.code == 0
    assert ended.out.startswith("color: trained, and tested on ")
    assert "accuracy" in ended.out
    assert f"model   {Path('models/color')}\n" in ended.out
    record = ended.out.split("record  ")[1].splitlines()[0]
    assert (folder / record / "test.jsonl").is_file()
    assert ended.out.endswith(f"report  newsclf report {record}\n")


def test_train_as_json_says_the_same(run, folder):
    said = run("train", folder / "config.yaml", "--json", "--set", "learner.C=2").json
    assert (said["model"], said["rows"]) == (str(folder / "models" / "color"), 6)
    assert Bundle.load(said["model"])[0].about["metrics"] == {key: said[key] for key in ("rows", "summary", "labels")}


def test_train_is_the_training_script(folder):
    one = command("train", folder / "config.yaml", "--set", f"output={folder / 'one'}", "-q")
    words = [sys.executable, ROOT / "scripts" / "train.py", folder / "config.yaml", "--set", f"output={folder / 'two'}", "-q"]
    two = subprocess.run(words, capture_output=True, text=True, check=True)
    assert contents(folder / "one" / "color") == contents(folder / "two" / "color")
    assert one.out.replace("/one/", "/two/").split("record")[0] == two.stdout.split("record")[0]


def test_remarks_go_to_standard_error_and_quiet_silences_them(folder):
    loud, quiet = command("train", folder / "config.yaml"), command("train", folder / "config.yaml", "-q")
    assert loud.err == "color: 18 rows to learn from, 6 to test on, 0 set aside\n"
    assert quiet.err == ""
    assert loud.out.split("record")[0] == quiet.out.split("record")[0]


# predict


def test_an_article_comes_from_standard_input(model):
    for dash in (["-"], []):
        ended = command("predict", model, *dash, "--json", stdin="A poppy, a ruby and a tomato – „alle“.".encode())
        assert ended.json["color"]["labels"] == ["red"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("article.txt", "The ocean and a lagoon at evening."),
        ("article.html", "<html><head><title>Sky</title></head><body><article><p>The ocean and a lagoon at evening.</p></article></body></html>"),
        ("article.json", json.dumps({"title": "Sky", "text": "The ocean and a lagoon at evening."})),
        ("article.jsonl", json.dumps({"text": "The ocean and a lagoon at evening."}) + "\n"),
    ],
)
def test_an_article_comes_from_a_file(run, model, tmp_path, name, content):
    (tmp_path / name).write_text(content, "utf-8")
    answer = run("predict", model, tmp_path / name, "--json").json["color"]
    assert answer["labels"] == ["blue"]
    assert answer["evidence"][0]["text"].startswith(("The ocean", "Sky"))


def test_a_prediction_shows_labels_probabilities_and_the_reason(run, model, tmp_path):
    (tmp_path / "article.txt").write_text("The ocean and a lagoon at evening. A road.", "utf-8")
    ended = run("predict", model, tmp_path / "article.txt")
    assert ended.code == 0
    assert ended.out.startswith("color: blue\n")
    assert re.search(r"● blue +\d\d\.\d%  █+\n", ended.out)
    assert "why blue:" in ended.out
    assert "“The ocean and a lagoon at evening.”" in ended.out
    assert "why" not in run("predict", model, tmp_path / "article.txt", "--sentences", "0").out


def test_several_models_read_one_article_together(run, models, tmp_path):
    (tmp_path / "article.txt").write_text(RAID, "utf-8")
    said = run("predict", *models.values(), tmp_path / "article.txt", "--json", "--sentences", "1").json
    assert set(said) == {"topic", "framing", "stance"}
    assert said["topic"]["labels"] == ["immigration"]
    assert set(said["stance"]) == {"mass deportation", "sanctuary cities", "refugee resettlement", "border wall"}
    text = run("predict", *models.values(), tmp_path / "article.txt").out
    assert "topic: immigration" in text
    assert "stance: no answer toward " in text


def test_a_stance_is_asked_for_the_target_that_is_named(run, models, tmp_path):
    (tmp_path / "article.txt").write_text("The new tariff is a gift to nobody, and the tariff must go.", "utf-8")
    said = run("predict", models["stance"], tmp_path / "article.txt", "--json", "--target", "tariff").json
    assert list(said["stance"]) == ["tariff"]
    assert said["stance"]["tariff"]["target"] == "tariff"


@pytest.mark.parametrize(
    ("name", "content", "essentials"),
    [
        ("corpus.jsonl", b'{"text": "one"}\n{"text": "two"}\n', ["predict reads one article, this holds several", "newsclf score"]),
        ("corpus.jsonl", b"", ["predict reads one article, this holds none"]),
        ("article.txt", b"  \n", ["article.txt:1", "empty"]),
        ("article.txt", b"caf\xe9", ["article.txt:1", "UTF-8"]),
        ("article.txt", b"Advertisement\n", ["nothing is left of the text"]),
        ("article.json", b'{"body": "A road."}', ["there is no column 'text'", "'body'"]),
        ("article.docx", b"PK", ["article.docx", "no format is known by '.docx'"]),
    ],
)
def test_what_is_not_one_readable_article_is_a_mistake(run, model, tmp_path, name, content, essentials):
    (tmp_path / name).write_bytes(content)
    ended = run("predict", model, tmp_path / name)
    assert (ended.code, ended.out) == (2, "")
    assert not [essential for essential in essentials if essential not in ended.err], ended.err


def test_two_files_after_a_model_are_no_article(run, model, folder):
    ended = run("predict", model, folder / "nowhere", folder / "corpus.jsonl")
    assert ended.code == 2
    assert f"{folder / 'nowhere'}: there is no such model, and predict reads one article" in ended.err


@pytest.mark.parametrize(("stdin", "says"), [(b"", "the text is empty"), (b"caf\xe9", "standard input is not UTF-8 (byte 3)")])
def test_standard_input_must_hold_an_article(model, stdin, says):
    ended = command("predict", model, stdin=stdin)
    assert ended.code == 2
    assert says in ended.err


@pytest.mark.parametrize(("name", "says"), [("color", "name the article's file after the models"), ("colour", "there is no such model")])
def test_on_a_terminal_a_mistake_is_named_instead_of_waiting(model, name, says):
    theirs, ours = pytest.importorskip("pty").openpty()
    ended = command("predict", model.with_name(name), stdin=ours)
    os.close(theirs)
    os.close(ours)
    assert ended.code == 2
    assert says in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "nowhere"],
        ["predict", "nowhere", "corpus.jsonl"],
        ["score", "nowhere", "corpus.jsonl", "-o", "scores"],
        ["evaluate", "nowhere", "corpus.jsonl"],
        ["inspect", "nowhere"],
    ],
)
def test_a_model_that_does_not_exist_is_named_with_the_way_to_one(run, folder, monkeypatch, words):
    monkeypatch.chdir(folder)
    ended = run(*words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: nowhere: there is no such model. Train one with  newsclf train CONFIG\n"
    assert not (folder / "scores").exists()


# score


def test_a_corpus_is_scored_and_its_scores_are_read(run, model, folder):
    rows = [*color_rows(2, seed=3), {"id": "bad", "text": "", "labels": "red"}]
    write_rows(folder / "fresh.jsonl", rows)
    ended = run("score", model, folder / "fresh.jsonl", "-o", folder / "scores", "--keep", "labels", "--keep", "outlet")
    assert ended.code == 0
    assert ended.out.startswith("5 rows = 4 scored + 1 set aside   in ")
    table = newsclf.read_scores(folder / "scores").to_table()
    assert table["id"].to_pylist() == [row["id"] for row in rows[:4]]
    assert table["color.label"].to_pylist() == [row["labels"] for row in rows[:4]]
    assert table["labels"].to_pylist() == table["color.label"].to_pylist()
    assert table["extra.outlet"].to_pylist() == table["outlet"].to_pylist() == [row["outlet"] for row in rows[:4]]
    assert pq.read_table(folder / "scores" / "quarantine-00000.parquet")["place"].to_pylist() == [f"{folder / 'fresh.jsonl'}:5"]


def test_scoring_as_json_gives_the_counts(run, model, folder):
    said = run("score", model, folder / "corpus.jsonl", "-o", folder / "scores", "--json", "--limit", "5").json
    assert said == {"rows": 5, "scored": 5, "quarantined": 0, "before": 0, "missing": 0, "output": str(folder / "scores")}


def test_several_models_score_one_corpus(run, models, tmp_path):
    rows = [{"id": "a", "text": RAID}, {"id": "b", "text": "The council praised the border wall and asked for more of the wall."}]
    write_rows(tmp_path / "fresh.jsonl", rows)
    words = ["score", *models.values(), tmp_path / "fresh.jsonl", "-o", tmp_path / "scores", "--target", "border wall", "--sentences", "1"]
    assert run(*words).code == 0
    articles = newsclf.read_scores(tmp_path / "scores").to_table()
    assert {"topic.label", "topic.p.immigration", "framing.labels", "framing.evidence"} <= set(articles.column_names)
    stances = newsclf.read_scores(tmp_path / "scores", "stance").to_table()
    assert stances.select(["id", "stance.target"]).to_pylist() == [{"id": name, "stance.target": "border wall"} for name in "ab"]


def test_several_corpora_are_scored_in_one_go(run, model, folder):
    files = [write_rows(folder / f"{name}.jsonl", color_rows(1, seed=seed, prefix=name)) for seed, name in enumerate("ab")]
    assert run("score", model, *files, "-o", folder / "scores", "--json").json["rows"] == 4
    places = newsclf.read_scores(folder / "scores").to_table()["place"].to_pylist()
    assert places == [f"{file}:{row}" for file in files for row in (1, 2)]


def test_columns_of_another_name_are_named(run, model, folder):
    pq.write_table(pa.table({"nr": [7], "body": ["A poppy and a ruby."], "label": ["?"]}), folder / "other.parquet")
    words = ["score", model, folder / "other.parquet", "-o", folder / "scores", "--column", "text=body", "--column", "id=nr", "--keep", "label"]
    assert run(*words).code == 0
    [row] = newsclf.read_scores(folder / "scores").to_table().to_pylist()
    assert (row["id"], row["label"], row["color.label"]) == ("7", "?", "red")


@pytest.mark.parametrize(
    ("words", "essentials"),
    [
        (["{model}"], ["name the corpus after the models"]),
        (["{model}", "nowhere.jsonl"], ["nowhere.jsonl: there is no such file"]),
        (["{model}", "corpus.jsonl", "--column", "text"], ["--column 'text': write it as FIELD=COLUMN"]),
        (["{model}", "corpus.jsonl", "--column", "txet=body"], ["'txet'", "did you mean 'text'?"]),
        (["{model}", "corpus.jsonl", "--column", "text=body"], ["'body'", "the columns are", "'outlet'"]),
        (["{model}", "corpus.jsonl", "--keep", "outlets"], ["there is no column 'outlets' to keep (did you mean 'outlet'?)"]),
        (["{model}", "{model}", "corpus.jsonl"], ["two models answer the task 'color'"]),
        (["{model}", "corpus.jsonl", "--shard", "3/2"], ["'shard'", "job 2 of 8 is written 2/8", "this is '3/2'"]),
        (["{model}", "corpus.jsonl", "--shard", "1/2", "--restart"], ["--restart with --shard 1/2", "Move the folder"]),
        (["{model}", "corpus.jsonl", "--target", "market"], ["the targets 'market' cannot be asked for"]),
    ],
)
def test_what_cannot_be_scored_is_a_mistake(run, model, folder, monkeypatch, words, essentials):
    monkeypatch.chdir(folder)
    ended = run("score", *(word.format(model=model) for word in words), "-o", "scores")
    assert (ended.code, ended.out) == (2, "")
    assert not [essential for essential in essentials if essential not in ended.err], ended.err
    assert not (folder / "scores").exists()


@pytest.mark.parametrize(
    ("text", "words", "essentials"),
    [("", [], ["empty.jsonl", "no row to score"]), ("{\n", ["--fail"], ["empty.jsonl:1", "not JSON", "To set such rows aside"])],
)
def test_what_is_found_while_scoring_leaves_no_scores(run, model, folder, text, words, essentials):
    (folder / "empty.jsonl").write_text(text, "utf-8")
    ended = run("score", model, folder / "empty.jsonl", "-o", folder / "scores", *words)
    assert (ended.code, ended.out) == (2, "")
    assert not [essential for essential in essentials if essential not in ended.err], ended.err
    assert not list(folder.glob("scores/*.parquet"))
    assert not (folder / "scores" / "score.json").exists()


@pytest.mark.parametrize("words", [["--workers", "0"], ["--limit", "0"], ["--sample", "0"], ["--sentences", "-1"], ["--workers", "two"]])
def test_numbers_that_are_out_of_range_are_named(run, model, folder, words):
    ended = run("score", model, folder / "corpus.jsonl", "-o", folder / "scores", *words)
    assert (ended.code, ended.out) == (2, "")
    assert f"Invalid value for '{words[0]}'" in ended.err
    assert not (folder / "scores").exists()


def test_the_same_command_goes_on_and_another_one_is_refused(run, model, folder):
    words = ["score", model, folder / "corpus.jsonl", "-o", folder / "scores"]
    assert run(*words).out == f"24 rows = 24 scored + 0 set aside   in {folder / 'scores'}\n"
    before = contents(folder / "scores")
    again = run(*words)
    assert (again.code, again.out) == (0, f"24 rows = 24 scored + 0 set aside, 24 of them before   in {folder / 'scores'}\n")
    ended = run(*words, "--limit", "5", "--keep", "labels")
    assert (ended.code, ended.out) == (2, "")
    told = 'this folder holds scores of another job: the setting keep was [], is ["labels"]; the setting limit was null, is 5.'
    assert f"error: {folder / 'scores'}: {told}" in ended.err
    assert contents(folder / "scores") == before


def test_a_restart_says_where_the_older_scores_are(run, model, folder):
    words = ["score", model, folder / "corpus.jsonl", "-o", folder / "scores"]
    assert run(*words).code == 0
    assert run(*words, "--limit", "5", "--restart").out.startswith("5 rows = 5 scored")
    assert newsclf.read_scores(folder / "scores.1").count_rows() == 24
    assert newsclf.read_scores(folder / "scores").count_rows() == 5


def test_the_jobs_of_an_array_say_what_is_left_to_do(run, model, folder):
    words = ["score", model, folder / "corpus.jsonl", "-o", folder / "scores", "--shard"]
    ended = run(*words, "2/2")
    assert ended.code == 0
    assert ended.out.endswith(f"in {folder / 'scores'}\n1 shards are for the other jobs of the array to do\n")
    assert run(*words, "1/2", "--workers", "2").out == f"24 rows = 24 scored + 0 set aside   in {folder / 'scores'}\n"


def test_a_sample_is_of_so_many_rows(run, model, folder):
    said = run("score", model, folder / "corpus.jsonl", "-o", folder / "scores", "--sample", "7", "--json").json
    assert (said["rows"], newsclf.read_scores(folder / "scores").count_rows()) == (7, 7)


def test_a_folder_in_use_is_refused(run, model, folder):
    words = ["score", model, folder / "corpus.jsonl", "-o", folder / "scores"]
    with locked(folder / "scores", part=""):
        ended = run(*words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"error: {folder / 'scores'}: another job is at work in this folder. Wait until it is done, or name another folder.\n"
    assert run(*words).code == 0


# export


@pytest.mark.parametrize(("name", "read"), [("one.csv", pd.read_csv), ("one.parquet", pd.read_parquet), ("one.arrow", pd.read_feather)])
def test_scores_are_exported_as_one_file(run, model, folder, name, read):
    assert run("score", model, folder / "corpus.jsonl", "-o", folder / "scores").code == 0
    ended = run("export", folder / "scores", folder / name)
    assert (ended.code, ended.out) == (0, f"24 rows   in {folder / name}\n")
    assert read(folder / name)["color.label"].tolist() == newsclf.read_scores(folder / "scores").to_table()["color.label"].to_pylist()


def test_the_rows_of_a_stance_task_are_exported_by_its_name(run, models, tmp_path):
    write_rows(tmp_path / "fresh.jsonl", [{"text": RAID}])
    assert run("score", *models.values(), tmp_path / "fresh.jsonl", "-o", tmp_path / "scores").code == 0
    assert run("export", tmp_path / "scores", tmp_path / "stance.csv", "--table", "stance").out.startswith("4 rows   in ")
    assert "stance.target" in pd.read_csv(tmp_path / "stance.csv").columns


@pytest.mark.parametrize(
    ("words", "essential"),
    [
        (["nowhere", "one.csv"], "nowhere: there are no committed scores here"),
        (["scores", "one.xlsx"], "must be '.csv', '.parquet', '.arrow', not '.xlsx'"),
        (["scores", "mine.csv"], "mine.csv: this file is there already and is left as it is"),
        (["scores", "one.csv", "--table", "topic"], "there is no table 'topic'"),
        (["scores", "nowhere/one.csv"], "cannot be written: "),
    ],
)
def test_what_cannot_be_exported_is_a_mistake(run, model, folder, monkeypatch, words, essential):
    monkeypatch.chdir(folder)
    (folder / "mine.csv").write_text("mine")
    assert run("score", model, "corpus.jsonl", "-o", "scores").code == 0
    ended = run("export", *words)
    assert (ended.code, ended.out) == (2, "")
    assert essential in ended.err
    assert (folder / "mine.csv").read_text() == "mine"


# evaluate, inspect, schema


def test_evaluation_gives_the_metrics_of_training_on_the_same_rows(run, folder):
    held = write_rows(folder / "held.jsonl", color_rows(4, seed=1))
    trained = train(folder / "config.yaml", [f"data.test={held}"])
    said = run("evaluate", trained.model, held, "--json").json
    assert said == trained.metrics.as_dict() | {"uncoded": 0, "quarantined": 0}


def test_evaluation_names_columns_as_training_did_unless_told_otherwise(run, folder):
    renamed = [{"nr": row["id"], "body": row["text"], "hue": row["labels"]} for row in color_rows()]
    write_rows(folder / "corpus.jsonl", renamed)
    model = train(folder / "config.yaml", ["data.id=nr", "data.text=body", "data.labels=hue"]).model
    assert run("evaluate", model, folder / "corpus.jsonl", "--json").json["rows"] == 24
    write_rows(folder / "other.jsonl", [{"nr": row["nr"], "body": row["body"], "shade": row["hue"]} for row in renamed[:6]])
    assert run("evaluate", model, folder / "other.jsonl", "--json", "--column", "labels=shade").json["rows"] == 6
    ended = run("evaluate", model, folder / "other.jsonl")
    assert ended.code == 2
    assert "there is no column 'hue'" in ended.err


def test_evaluation_prints_a_table_and_what_was_left_out(run, model, folder):
    write_rows(folder / "held.jsonl", [*color_rows(3, seed=1), {"id": "x", "text": "A road.", "labels": None}])
    ended = run("evaluate", model, folder / "held.jsonl")
    assert ended.out.startswith(f"color on {folder / 'held.jsonl'}: 6 coded rows\n")
    assert re.search(r"^  red +\d\.\d{3} +\d\.\d{3} +\d\.\d{3} +3$", ended.out, re.MULTILINE)
    assert ended.out.endswith("\n1 rows without a code, 0 set aside\n")


def test_inspect_shows_the_card_and_vouches_for_the_files(run, model):
    ended = run("inspect", model)
    assert ended.code == 0
    assert ended.out.startswith((model / "README.md").read_text("utf-8"))
    assert f"Fingerprint {Bundle.load(model)[1][:16]}" in ended.out


def test_inspect_as_json_gives_what_the_model_is_made_of(run, model):
    said = run("inspect", model, "--json").json
    assert said["fingerprint"] == Bundle.load(model)[1]
    assert (said["codebook"]["task"], said["learner"]["C"], said["clean"]["junk"], said["name"]) == ("color", 1.0, True, "color")
    assert said["metrics"]["rows"] == 6


def test_the_schema_is_that_of_config_files(run):
    assert run("schema").json == json_schema()


# ends


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["schema"]])
def test_a_reader_that_has_seen_enough_is_no_error(words):
    ours, theirs = os.pipe()
    os.close(ours)
    quiet = os.environ | {"PYTHONUNBUFFERED": ""}
    done = subprocess.run([sys.executable, "-m", "newsclf", *words], stdout=theirs, stderr=subprocess.PIPE, check=False, env=quiet)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_output_is_utf_8_whatever_the_locale(model, encoding):
    ended = command("predict", model, "-", stdin="A poppy – „rubin“, tomato.".encode(), PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert ended.code == 0
    assert "● red" in ended.out
    assert "„rubin“" in ended.out


AT = """
import importlib, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started with it ignored
module, _, name = {place!r}.partition(":")
owner = importlib.import_module(module)
*inside, last = name.split(".")
for part in inside:
    owner = getattr(owner, part)

def wait(*args, **keys):
    print("here", flush=True)
    sys.stdin.read()

setattr(owner, last, wait)
from newsclf.cli import main
main(["train", {config!r}])
"""


@pytest.mark.parametrize(
    "place",
    [
        "newsclf.training.prepared:read_coded",
        "newsclf.learners.solver:solve",
        "newsclf.training.record:RunFolder.metrics",
        "newsclf.folder:write_file",
    ],
    ids=["reading", "fitting", "recording", "saving"],
)
def test_ctrl_c_leaves_no_half_model_and_the_older_one(model, folder, place):
    """Training is held at the place, which it says, and only then is it interrupted."""
    before = contents(folder / "models")
    write_rows(folder / "corpus.jsonl", color_rows(14, seed=5))
    words = [sys.executable, "-c", AT.format(place=place, config=str(folder / "config.yaml"))]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert err.endswith("interrupted: nothing half-written was left behind\n")
    assert "Traceback" not in err
    assert contents(folder / "models") == before
    assert [path.name for path in (folder / "models").iterdir() if path.name.startswith(".")] == []
    assert Bundle.load(model)
