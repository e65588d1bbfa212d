"""The commands that study a finished run further, as functions and as what they print."""

import json

import pytest
from color_articles import color_rows
from studied_runs import dated, run_of

from newsclf.cli_studies import Periods, backtest, plan
from newsclf.errors import InputError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_of(tmp_path_factory.mktemp("studied"), dated(color_rows(60), periods=4))


def test_plan_prints_its_table_and_leaves_it_with_the_run(run, capsys):
    plan(run, gain=0.03, quiet=True)
    out = capsys.readouterr().out
    assert out.startswith("articles  macro F1")
    assert "3 points more" in out
    assert json.loads((run / "plan.json").read_text("utf-8"))["plan"]["gain"] == 0.03


def test_backtest_prints_what_it_writes(run, capsys):
    backtest(run, period=Periods.month, quiet=True, as_json=True)
    assert json.loads(capsys.readouterr().out) == json.loads((run / "decay.json").read_text("utf-8"))
    backtest(run, period=Periods.auto, quiet=True)
    assert capsys.readouterr().out.startswith("months ahead")


def test_a_folder_that_is_no_run_is_an_error_of_the_user(tmp_path):
    for command in (plan, backtest):
        with pytest.raises(InputError, match="not the folder of a finished run"):
            command(tmp_path, quiet=True)
