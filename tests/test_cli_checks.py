"""The commands that say what a number is worth, as a user meets them."""

import json
import re

import pytest

from newsclf.cli import main
from newsclf.training.run import train

BOOK = "task: color\nkind: exclusive\nlabels: {red: The article is about red things., blue: The article is about blue things.}\n"
CODINGS = "id,coder,label\n1,ann,red\n1,bob,red\n2,ann,blue\n2,bob,blue\n3,ann,blue\n3,bob,red\n"


def ended(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    out = capsys.readouterr()
    return end.value.code, out.out, out.err


@pytest.fixture
def codings(tmp_path):
    (tmp_path / "book.yaml").write_text(BOOK, "utf-8")
    (tmp_path / "codings.csv").write_text(CODINGS, "utf-8")
    return [tmp_path / "codings.csv", "--codebook", tmp_path / "book.yaml"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    rows = [
        {"id": f"{label}-{number}", "text": f"Report {number}: {word} in town {number * 7} today, item {number}.", "labels": label}
        for number in range(24)
        for label, word in (("red", "roses and tomatoes"), ("blue", "oceans and skies"))
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (folder / "config.yaml").write_text(
        f"name: color\ncodebook: {{{BOOK.strip().replace(chr(10), ', ')}}}\ndata: {{path: corpus.jsonl}}\nlearner: {{kind: linear, C: 1}}\n"
    )
    first = train(folder / "config.yaml", [f"output={folder}"]).run
    return first, train(folder / "config.yaml", [f"output={folder}", f"split.replay={first / 'split.jsonl'}", "learner.words=1"]).run


def test_report_prints_where_it_was_written(runs, capsys):
    code, out, err = ended(["report", runs[0]], capsys)
    assert (code, out, err) == (0, f"{runs[0] / 'report.html'}\n", "")


def test_compare_says_which_run_is_better_and_prints_a_table(runs, capsys):
    code, out, _ = ended(["compare", *runs], capsys)
    assert code == 0
    assert "no difference in macro-F1" in out
    assert re.search(r"\| run .*macro-F1", out)


def test_compare_ends_with_3_where_the_margin_does_not_hold(runs, capsys, tmp_path):
    worse = tmp_path / "worse"
    worse.mkdir()
    for name in ("summary.json", "split.jsonl", "test.jsonl"):
        text = (runs[1] / name).read_text("utf-8")
        worse.joinpath(name).write_text(text.replace('"decided": ["red"]', '"decided": ["blue"]') if name == "test.jsonl" else text, "utf-8")
    assert ended(["compare", runs[0], worse, "--fail-if-worse", "0.01"], capsys)[0] == 3
    assert ended(["compare", runs[0], worse], capsys)[0] == 0


def test_coders_prints_alpha_and_as_json(codings, capsys):
    code, out, _ = ended(["coders", *codings], capsys)
    assert code == 0
    assert "alpha, nominal" in out
    code, out, _ = ended(["coders", *codings, "--json"], capsys)
    assert json.loads(out)["alpha"]["nominal"]["articles"] == 3


def test_disagree_prints_the_disputed_articles_as_csv(codings, capsys):
    code, out, _ = ended(["disagree", *codings], capsys)
    assert code == 0
    assert out.splitlines() == ["disagreement,id,coder.ann,coder.bob", "1.0,3,blue,red"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "nowhere"], "there is no findings.json"),
        (["compare", "nowhere", "elsewhere"], "this is not the folder of a finished run"),
        (["coders", "nowhere.csv", "--codebook", "nowhere.yaml"], "nowhere.yaml: there is no such file"),
    ],
)
def test_a_mistake_gets_one_sentence(arguments, message, capsys):
    code, out, err = ended(arguments, capsys)
    assert code == 2
    assert not out
    assert message in err
    assert err.count("\n") == 1
