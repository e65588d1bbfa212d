"""The commands about coders and codebooks, as a user meets them."""

from __future__ import annotations

import csv
import io
import json

import pytest
import typer

from newsclf import cli_coders
from newsclf.errors import ConfigError, InputError, OutputError

BOOK = "task: color\nkind: exclusive\nlabels: {red: The article is about red things., blue: The article is about blue things.}\n"
CODINGS = "id,coder,label\n1,ann,red\n1,bob,red\n2,ann,blue\n2,bob,blue\n3,ann,blue\n3,bob,red\n"
REVISED = "task: color\nkind: exclusive\nlabels: {crimson: Dark red., sea blue: Blue as the sea., sky blue: Blue as the sky.}\n"
TABLE = "renamed: {red: crimson}\nsplit: {blue: [sea blue, sky blue]}\n"
CODED = "id,text,labels,outlet\n1,Roses.,red,Herald\n2,Oceans.,blue,Herald\n3,Fire.,red,Courier\n"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command in a folder of its own: what it prints, and what it says on standard error."""
    for name, text in {"book": BOOK, "revised": REVISED, "table": TABLE}.items():
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    (tmp_path / "codings.csv").write_text(CODINGS, "utf-8")
    (tmp_path / "coded.csv").write_text(CODED, "utf-8")
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    for command in (cli_coders.coders, cli_coders.disagree, cli_coders.settle, cli_coders.recode):
        app.command()(command)

    def run(*arguments):
        app(list(arguments), standalone_mode=False)
        return tuple(capsys.readouterr())

    return run


def test_coders_prints_alpha_and_as_json(run):
    assert "alpha, nominal" in run("coders", "codings.csv", "--codebook", "book.yaml")[0]
    assert json.loads(run("coders", "codings.csv", "--codebook", "book.yaml", "--json")[0])["alpha"]["nominal"]["articles"] == 3


def test_disagree_prints_the_disputed_articles_as_csv(run):
    assert run("disagree", "codings.csv", "--codebook", "book.yaml")[0].splitlines() == ["disagreement,id,coder.ann,coder.bob", "1.0,3,blue,red"]


def test_settle_prints_what_is_settled_with_shares_and_counts_what_is_not(run):
    out, err = run("settle", "codings.csv", "--codebook", "book.yaml")
    assert out.splitlines() == ["id,labels,coders,p.red,p.blue", "1,red,2,1.0,0.0", "2,blue,2,0.0,1.0"]
    assert err.startswith("2 settled, 1 left open")


def test_settle_by_the_model_gives_probabilities(run):
    rows = list(csv.DictReader(io.StringIO(run("settle", "codings.csv", "--codebook", "book.yaml", "--by", "dawid_skene")[0])))
    assert {row["id"]: row["labels"] for row in rows}.items() >= {"1": "red", "2": "blue"}.items()
    assert all(float(row["p.red"]) + float(row["p.blue"]) == pytest.approx(1) for row in rows)
    assert 0.5 < float(rows[0]["p.red"]) < 1


RECODE = ("recode", "coded.csv", "--codebook", "book.yaml", "--to", "revised.yaml", "--table", "table.yaml")


def test_recode_prints_what_the_table_decides_and_a_summary(run):
    out, err = run(*RECODE)
    assert out.splitlines() == ["id,text,outlet,labels", "1,Roses.,Herald,crimson", "3,Fire.,Courier,crimson"]
    assert "red   →  crimson (renamed): 2" in err
    assert "2 coded rows recoded, 1 to recode by hand" in err
    assert "--todo todo.csv" in err


def test_recode_writes_files_and_the_list_for_people(run, tmp_path):
    out, err = run(*RECODE, "-o", "new.jsonl", "--todo", "todo.csv")
    assert not out
    assert "--todo" not in err
    assert [json.loads(line)["labels"] for line in (tmp_path / "new.jsonl").read_text("utf-8").splitlines()] == ["crimson", "crimson"]
    (row,) = csv.DictReader((tmp_path / "todo.csv").open(encoding="utf-8"))
    assert (row["id"], row["was"], row["candidates"], row["text"]) == ("2", "blue", "sea blue; sky blue", "Oceans.")


def test_recode_prints_a_draft_of_the_table(run):
    out, _ = run("recode", "--draft", "--codebook", "book.yaml", "--to", "revised.yaml")
    assert "what becomes of 'red'" in out
    assert "blue: sea blue" in out


def test_recode_counts_rows_without_a_code(run, tmp_path):
    (tmp_path / "coded.csv").write_text(CODED + "4,Grass.,,Herald\n", "utf-8")
    assert "rows without a code, which are left out: 1" in run(*RECODE)[1]


def test_mistakes_are_told(run, tmp_path):
    with pytest.raises(InputError, match="name the coded corpus and the table"):
        run("recode", "--codebook", "book.yaml", "--to", "revised.yaml")
    with pytest.raises(OutputError, match=r"nowhere.new\.csv: cannot be written"):
        run(*RECODE, "-o", "nowhere/new.csv")
    (tmp_path / "table.yaml").write_text("renamed: {red: crimson}\n", "utf-8")
    with pytest.raises(ConfigError, match=r"table.yaml: nothing says what becomes of 'blue'"):
        run(*RECODE)
