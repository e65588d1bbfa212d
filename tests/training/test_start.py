"""A bundle of a codebook alone: what it is made from, and what it says of itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_encoder import write_encoder

from newsclf.bundle import Bundle
from newsclf.codebook import Codebook
from newsclf.errors import ConfigError, OutputError
from newsclf.training.start import STANCE, WARNING, start

pytest.importorskip("torch", reason="the neural extra is not installed")
BOOK = "task: news\nkind: multi\nmax_labels: 2\nlabels:\n  rain: The rain over the river.\n  fish: The fish market.\n  school: The new school.\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with an encoder, a codebook, and a config that names both."""
    write_encoder(tmp_path / "encoder")
    (tmp_path / "book.yaml").write_text(BOOK, "utf-8")
    learner = "{kind: encoder, encoder: encoder, engine: torch-fp32, windows: {most: 3}}"
    config = f"name: news\ncodebook: book.yaml\ndata: {{path: none.jsonl}}\nclean: {{mask: [byline]}}\nlearner: {learner}\n"
    (tmp_path / "config.yaml").write_text(config, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_codebook_becomes_a_model_named_after_its_task(here):
    made = start("book.yaml", encoder="encoder")
    assert made.model == Path("models/news")
    bundle, fingerprint = Bundle.load(made.model)
    assert fingerprint == made.fingerprint
    assert bundle.codebook == Codebook.load("book.yaml")
    assert bundle.learner.encoder == str(here / "encoder")  # found again from another folder
    assert bundle.decision.thresholds.tolist() == [0.5, 0.5, 0.5]
    assert bundle.decision.most == 2


def test_the_bundle_says_everywhere_that_nothing_is_coded(here):
    made = start("book.yaml", "out/mine", encoder="encoder")
    bundle, _ = Bundle.load("out/mine")
    assert bundle.about["name"] == "mine"
    assert bundle.about["warning"] == WARNING
    assert "metrics" not in bundle.about
    card = Path("out/mine/README.md").read_text("utf-8")
    assert card.split("\n\n")[1] == f"> **Not validated.** {WARNING}"
    assert "It was not tested." in card
    assert "It was measured on articles" not in card
    assert made.as_dict()["coded_articles"] == 0
    json.dumps(made.as_dict())


def test_the_text_names_what_to_do_next_and_what_not(here):
    text = start("book.yaml", "out/mine", encoder="encoder").text()
    assert "newsclf score out/mine CORPUS" in text
    assert "do not print its labels" in text
    assert "`" not in text


def test_of_a_config_cleaning_and_encoder_are_taken(here):
    start("config.yaml", "out/mine")
    bundle, _ = Bundle.load("out/mine")
    assert bundle.clean.mask == ("byline",)
    assert (bundle.learner.kind, bundle.learner.engine, bundle.learner.windows.most) == ("definitions", "torch-fp32", 3)


def test_a_config_of_the_definitions_learner_is_taken_as_it_is(here):
    text = (here / "config.yaml").read_text("utf-8").replace("kind: encoder", "kind: definitions, embedding: 3")
    (here / "config.yaml").write_text(text, "utf-8")
    start("config.yaml", "out/mine")
    assert Bundle.load("out/mine")[0].learner.embedding == 3


def test_a_codebook_can_be_given_as_a_value(here):
    book = Codebook.load("book.yaml")
    assert start(book, "out/mine", encoder="encoder").fingerprint == start("book.yaml", "out/mine", encoder="encoder").fingerprint


def test_a_file_that_is_neither_codebook_nor_config_is_refused(here):
    Path("other.yaml").write_text("name: rain\n", "utf-8")
    with pytest.raises(ConfigError, match=r"other\.yaml: this is neither a codebook, which has 'task', 'kind' and 'labels', nor a config"):
        start("other.yaml", encoder="encoder")


def test_a_folder_of_something_else_is_left_as_it_is(here):
    Path("out").mkdir()
    Path("out/letter.txt").write_text("mine", "utf-8")
    with pytest.raises(OutputError):
        start("book.yaml", "out", encoder="encoder")
    assert [path.name for path in Path("out").iterdir()] == ["letter.txt"]


def test_of_a_stance_it_says_how_little_is_known_and_to_name_the_target(here):
    book = Codebook(task="stance", kind="exclusive", labels={"favor": "For the target.", "against": "Not so."}, open_targets=True)
    made = start(book, "out/mine", encoder="encoder")
    assert "--target" in made.text()
    assert STANCE in made.text()
    assert Bundle.load("out/mine")[0].about["warning"] == WARNING + STANCE
