"""Every mistake with an encoder, through the commands: exit code 2, one sentence that names the thing and the way out, and no model left behind."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from color_articles import color_rows, write_rows
from tiny_encoder import write_encoder

from newsclf.cli import main
from newsclf.training.start import start

pytest.importorskip("torch", reason="the neural extra is not installed")
BOOK = "task: color\nkind: exclusive\nlabels: {red: The article is about red things., blue: The article is about blue things.}\n"


def edit(name: str, **values):
    """A JSON file of the encoder with these keys."""

    def spoil(folder):
        path = folder / name
        tree = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(tree | copy.deepcopy(values)), "utf-8")

    return spoil


def fewer_tokens(folder):
    tree = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tree["model"]["vocab"] = {word: number for word, number in tree["model"]["vocab"].items() if number < 20}
    (folder / "tokenizer.json").write_text(json.dumps(tree), "utf-8")


def pickled(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04")


MISTAKES = {
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), ["model.safetensors: this file is missing from the encoder"]),
    "a pickle for weights": (pickled, ["'pytorch_model.bin', which could run code and is never opened", "use a version", "has safetensors"]),
    "code": (edit("config.json", auto_map={"AutoModel": "modeling.Evil"}), ["config.json", "'auto_map' names code", "Use another encoder"]),
    "another tokenizer": (fewer_tokens, ["tokenizer.json: the tokenizer has 20 tokens", "embeddings for 26", "copy both from the same place"]),
    "cut weights": (lambda folder: os.truncate(folder / "model.safetensors", 5000), ["no whole safetensors file", "Copy the encoder again"]),
    "several files without their index": (
        lambda folder: (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors"),
        ["in several files", "model.safetensors.index.json is not there", "copy the encoder again"],
    ),
    "no folder": (shutil.rmtree, ["this is no encoder: give a folder with config.json", "or a hub name"]),
}


@pytest.fixture
def here(small, monkeypatch) -> Path:
    """A folder with articles, a config and an encoder."""
    monkeypatch.chdir(small)
    write_rows(small / "corpus.jsonl", color_rows())
    write_encoder(small / "encoder")
    (small / "book.yaml").write_text(BOOK, "utf-8")
    (small / "article.txt").write_text("A red rose.", "utf-8")
    return small


@pytest.fixture
def told(here, capsys):
    """Runs a command that must fail, and gives the one sentence that it prints."""

    def told(*arguments: str) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        out, err = capsys.readouterr()
        assert (ended.value.code, out) == (2, "")
        last = err.splitlines()[-1]
        assert last.startswith("error: ")
        assert "Traceback" not in err
        return last

    return told


TRAIN = ("train", "config.yaml", "--set=learner.kind=encoder", "--set=output=models", "-q")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_training_with_it_is_refused(here, told, mistake):
    spoil, essentials = MISTAKES[mistake]
    spoil(here / "encoder")
    said = told(*TRAIN, f"--set=learner.encoder={here / 'encoder'}")
    assert not [part for part in essentials if part not in said], said
    assert not (here / "models" / "color").exists()
    assert not (here / "models" / "encoders").exists()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_model_that_rests_on_it_is_refused(here, told, mistake):
    start("book.yaml", "models/color", encoder="encoder")
    shutil.rmtree("models/encoders")
    spoil, essentials = MISTAKES[mistake]
    spoil(here / "encoder")
    said = told("predict", "models/color", "article.txt")
    assert said.startswith("error: models/color: the encoder that this model was made with is not here")
    assert not [part for part in (*(part.rstrip(".") for part in essentials), "newsclf pack") if part not in said], said


def test_without_the_neural_extra_training_and_loading_say_how_to_get_it(here, told, monkeypatch):
    start("book.yaml", "models/color", encoder="encoder")
    monkeypatch.setitem(sys.modules, "torch", None)
    wanted = "error: an encoder needs the package 'torch', which is not installed: run  pip install 'newsclf[neural]'"
    assert told(*TRAIN, f"--set=learner.encoder={here / 'encoder'}") == wanted
    assert told("predict", "models/color", "article.txt") == wanted
    assert told("score", "models/color", "corpus.jsonl", "-o", "scores", "-q") == wanted


@pytest.mark.parametrize("command", ["train", "predict"])
def test_a_hub_name_without_network_says_what_was_tried_and_offers_the_folder(here, command):
    """In a process of its own: the hub's library looks at the environment when it is imported."""
    start("book.yaml", "models/color", encoder="encoder")
    shutil.rmtree("models/encoders")
    manifest = Path("models/color/manifest.json")
    manifest.write_text(manifest.read_text("utf-8").replace(str(here / "encoder"), "someone/encoder"), "utf-8")
    arguments = [*TRAIN, "--set=learner.encoder=someone/encoder"] if command == "train" else ["predict", "models/color", "article.txt"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(here / "hub")}
    run = subprocess.run([sys.executable, "-m", "newsclf", *arguments], env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    said = run.stderr.splitlines()[-1]
    assert said.startswith("error: ")
    for part in ("someone/encoder: there is no folder of that name here", "neither on this machine nor over the network", "give the folder"):
        assert part in said
