"""newsclf pack: what it prints, and how it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from color_articles import color_rows, write_rows
from tiny_encoder import write_encoder

from newsclf import cli
from newsclf.bundle import Bundle
from newsclf.training.run import train
from newsclf.training.start import start

BOOK = "task: news\nkind: exclusive\nlabels: {rain: The rain over the river., fish: The fish market.}\n"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the command in a folder of its own: exit code, what it prints, what it says on standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        return (int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def news(run):
    """models/news, which has an encoder."""
    pytest.importorskip("torch", reason="the neural extra is not installed")
    write_encoder(Path("encoder"))
    Path("book.yaml").write_text(BOOK, "utf-8")
    return start("book.yaml", "models/news", encoder="encoder")


def test_it_prints_size_and_fingerprint(run, news):
    done, out, err = run("pack", "models/news")
    assert (done, err) == (0, "")
    assert out.startswith("models/news: 33 kB with its encoder ")
    assert f"fingerprint {news.fingerprint[:16]}, as before" in out
    done, out, _ = run("pack", "models/news", "-o", "copy", "--json")
    told = json.loads(out)
    assert (done, told["model"], told["fingerprint"]) == (0, "copy", news.fingerprint)
    shutil.rmtree("encoder")
    shutil.rmtree("models")
    assert run("inspect", "copy")[0] == 0


def test_where_there_is_nothing_to_pack_it_says_so_and_ends_well(run, small):
    write_rows(small / "corpus.jsonl", color_rows())
    model = train(small / "config.yaml").model
    assert run("inspect", model)[0] == 0  # and what training said is read off
    done, out, err = run("pack", model)
    assert (done, err) == (0, "")
    assert "has no encoder, so its folder holds everything already" in out
    assert Bundle.load(model)


def test_a_missing_model_or_encoder_is_one_sentence_and_exit_code_2(run, news):
    assert run("pack", "nowhere")[::2] == (2, "error: nowhere: there is no such model. Train one with  newsclf train CONFIG\n")
    shutil.rmtree("encoder")
    shutil.rmtree("models/encoders")
    for command in (("pack", "models/news"), ("predict", "models/news", "book.yaml"), ("score", "models/news", "book.yaml", "-o", "scores")):
        done, out, err = run(*command)
        assert (done, out) == (2, "")
        assert err.startswith("error: models/news: the encoder that this model was made with is not here") or command[0] == "score"
