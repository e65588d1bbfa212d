"""newsclf audit, as a user meets it."""

from __future__ import annotations

import json
import logging

import pytest
from color_articles import color_rows, write_rows
from typer import Typer

from newsclf import cli_checks
from newsclf.errors import InputError
from newsclf.training.run import train

app = Typer()
app.command()(cli_checks.audit)


def printed(arguments, capsys):
    logging.getLogger().handlers.clear()
    app(args=[str(argument) for argument in arguments], standalone_mode=False)
    return capsys.readouterr().out


@pytest.fixture
def config(small):
    write_rows(small / "corpus.jsonl", color_rows(16))
    return small / "config.yaml"


def test_it_prints_what_the_parts_share(config, capsys):
    out = printed([config, "--quiet"], capsys)
    assert out.startswith("color: 24 rows to learn from, 8 to test on, 0 set aside\n")
    assert "Fine: No test article stands in training word for word." in out
    assert "same articles" not in out


def test_settings_are_laid_on_the_config(config, capsys):
    assert "16 rows to learn from, 16 to test on" in printed([config, "--set", "split.test=0.5", "-q"], capsys)


def test_json_is_one_document_with_the_inflation_where_it_was_asked_for(config, small, capsys):
    run = train(config, ["split.test=0.5", f"output={small / 'models'}"]).run
    found = json.loads(printed([run, "--json", "--inflation", "--quiet"], capsys))
    assert found["parts"] == {"train": 16, "test": 16, "aside": 0}
    assert found["inflation"] == json.loads((run / "inflation.json").read_text("utf-8"))


def test_a_folder_that_is_no_run_is_a_users_mistake(small, capsys):
    with pytest.raises(InputError, match="this is not the folder of a finished run") as error:
        printed([small], capsys)
    assert error.value.exit_code == 2
