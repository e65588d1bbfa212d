"""Every mistake that a user can make: exit code 2, one error that names the thing and the way out, and nothing half-written left."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from color_articles import color_rows, contents, write_rows

from newsclf.bundle import Bundle
from newsclf.cli import main
from newsclf.training.run import train

ROWS = color_rows()
STANCE = "codebook={task: view, kind: exclusive, labels: [red, blue], open_targets: true}"
Prepare = Callable[[Path], list[str]]
"""Makes the mistake in a folder that has a config, a codebook and a corpus, and gives what is laid on `newsclf train config.yaml`."""


def add(*rows: dict[str, object]) -> Prepare:
    """Rows after the good ones: the first is row 25."""
    return lambda folder: write_rows(folder / "corpus.jsonl", [*ROWS, *rows]) and []


def line(data: bytes, name: str = "corpus.jsonl") -> Prepare:
    """Bytes after the good rows."""

    def prepare(folder):
        path = folder / name
        path.write_bytes((folder / "corpus.jsonl").read_bytes() + data)
        return [f"--set=data.path={name}"]

    return prepare


def config(text: str) -> Prepare:
    def prepare(folder):
        with (folder / "config.yaml").open("a", encoding="utf-8") as stream:
            stream.write(text)
        return []

    return prepare


def settings(*given: str) -> Prepare:
    return lambda _: [f"--set={setting}" for setting in given]


def without(name: str) -> Prepare:
    return lambda folder: (folder / name).unlink() or []


def changed(**columns) -> Prepare:
    """Every row with other values in some columns."""
    return lambda folder: write_rows(folder / "corpus.jsonl", [{**row, **columns} for row in ROWS]) and []


def only(label: str, *, codebook: str = "[red, blue]") -> Prepare:
    def prepare(folder):
        write_rows(folder / "corpus.jsonl", [row for row in ROWS if row["labels"] in label])
        return [f"--set=codebook={{task: color, kind: exclusive, labels: {codebook}}}"]

    return prepare


def ragged_csv(folder: Path) -> list[str]:
    lines = ["id,text,labels", *(f"{row['id']},{row['text']},{row['labels']}" for row in ROWS), "x,one,two,three"]
    (folder / "corpus.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return ["--set=data.path=corpus.csv"]


def cut(name: str, pack: Callable[[Path], bytes]) -> Prepare:
    """A packed corpus that breaks off in the middle."""

    def prepare(folder):
        data = pack(folder)
        (folder / name).write_bytes(data[: len(data) // 2])
        return [f"--set=data.path={name}"]

    return prepare


def gzipped(folder: Path) -> bytes:
    return gzip.compress((folder / "corpus.jsonl").read_bytes(), mtime=0)


def as_parquet(folder: Path) -> bytes:
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "whole.parquet")
    return (folder / "whole.parquet").read_bytes()


def occupied(folder: Path) -> list[str]:
    (folder / "models" / "color").mkdir(parents=True)
    (folder / "models" / "color" / "thesis.doc").write_text("years of work", "utf-8")
    return []


def behind_a_file(folder: Path) -> list[str]:
    (folder / "models").write_text("a file", "utf-8")
    return []


HALF = json.dumps({"id": "half", "text": "A text that breaks"})[:30].encode()

MISTAKES: dict[str, tuple[Prepare, list[str]]] = {
    "unknown key": (settings("spilt.test=0.5"), ["config.yaml", "'spilt'", "did you mean 'split'?"]),
    "unknown key deep down": (settings("learner.wrods=2"), ["config.yaml", "'learner.wrods'", "did you mean 'words'?"]),
    "unknown key of one learner": (settings("learner.kind=contrastive", "learner.epoch=2"), ["'learner.epoch'", "did you mean 'epochs'?"]),
    "duplicate key": (config("name: again\n"), ["config.yaml:6", "'name' stands twice"]),
    "wrong type": (settings("split.folds=many"), ["config.yaml", "'split.folds'", "a whole number", '"many"']),
    "broken YAML": (config("split: [1\n"), ["config.yaml", "not valid YAML"]),
    "no config": (without("config.yaml"), ["config.yaml: there is no such file"]),
    "no corpus": (without("corpus.jsonl"), ["corpus.jsonl: there is no such file"]),
    "no codebook": (without("codebook.yaml"), ["codebook.yaml: there is no such file"]),
    "no learner of that kind": (settings("learner.kind=liner"), ["'liner'", "did you mean 'linear'?"]),
    "empty corpus": (lambda folder: write_rows(folder / "corpus.jsonl", []) and [], ["corpus.jsonl", "no row is coded"]),
    "unknown format": (settings("data.path=codebook.yaml"), ["codebook.yaml", "'.yaml'", ".jsonl"]),
    "unknown label": (add({"id": "x", "text": "A rose.", "labels": "rde"}), ["corpus.jsonl:25", "'rde' is not a label", "did you mean 'red'?"]),
    "two labels": (add({"id": "x", "text": "A rose.", "labels": ["red", "blue"]}), ["corpus.jsonl:25", "exclusive", "'red', 'blue'"]),
    "null text": (add({"id": "x", "text": None, "labels": "red"}), ["corpus.jsonl:25", "null", "quarantine"]),
    "no text": (add({"id": "x", "labels": "red"}), ["corpus.jsonl:25", "text", "quarantine"]),
    "empty text": (add({"id": "x", "text": "", "labels": "red"}), ["corpus.jsonl:25", "is empty", "quarantine"]),
    "white text": (add({"id": "x", "text": " \n\t\u00a0", "labels": "red"}), ["corpus.jsonl:25", "is empty", "quarantine"]),
    "number for text": (add({"id": "x", "text": 7, "labels": "red"}), ["corpus.jsonl:25", "int", "not text"]),
    "half a character": (line(b'{"id": "x", "text": "\\ud800", "labels": "red"}\n'), ["corpus.jsonl:25", "surrogate"]),
    "half a character in the id": (line(b'{"id": "\\ud800", "text": "A rose.", "labels": "red"}\n'), ["corpus.jsonl:25"]),
    "nothing left": (add({"id": "x", "text": "Advertisement", "labels": "red"}), ["corpus.jsonl:25", "nothing is left of the text"]),
    "not UTF-8": (line(b'{"id": "x", "text": "caf\xe9", "labels": "red"}\n'), ["corpus.jsonl:25", "UTF-8"]),
    "duplicate ids": (add({"id": "red-3", "text": "A rose.", "labels": "red"}), ["corpus.jsonl:25", "'red-3'", "corpus.jsonl:7"]),
    "ragged CSV": (ragged_csv, ["corpus.csv:25", "4 cells", "3 columns"]),
    "truncated JSONL": (line(HALF), ["corpus.jsonl:25", "not JSON"]),
    "not an object": (line(b"[1, 2]\n"), ["corpus.jsonl:25", "list", "not an object"]),
    "truncated gzip": (cut("corpus.jsonl.gz", gzipped), ["corpus.jsonl.gz:", "breaks off"]),
    "truncated Parquet": (cut("corpus.parquet", as_parquet), ["corpus.parquet", "cannot be read"]),
    "one class": (only("red"), ["only the label 'red'", "'blue': 0"]),
    "a class without a row": (only("red blue", codebook="[red, blue, green]"), ["'green' has no training row", "take it out of the codebook"]),
    "no such text column": (settings("data.text=body"), ["'body'", "data.text", "'id', 'text', 'labels', 'outlet'"]),
    "no such label column": (settings("data.labels=lables"), ["'lables'", "did you mean 'labels'?", "the columns are"]),
    "no such column to keep together": (
        settings("split.keep_together=[outlets]"),
        ["split.keep_together", "did you mean 'outlet'?", "'id', 'outlet'"],
    ),
    "no such column to test by": (settings("split.where={fold: 1}"), ["split.where", "'fold'", "'id', 'outlet'"]),
    "stance without targets": (settings(STANCE), ["corpus.jsonl:1", "stance", "data.target"]),
    "stance with empty targets": (
        lambda folder: [*changed(about="")(folder), f"--set={STANCE}", "--set=data.target=about"],
        ["corpus.jsonl:1", "'about' is empty"],
    ),
    "unknown target": (
        lambda folder: [*changed(about="sky")(folder), f"--set={STANCE.replace('open_targets: true', 'targets: [ski]')}", "--set=data.target=about"],
        ["corpus.jsonl:1", "'sky' is not a target", "did you mean 'ski'?"],
    ),
    "no code at all": (changed(labels=None), ["no row is coded", "rows without a code: 24"]),
    "the model named like the records": (settings("name=runs"), ["'name'", "'runs'"]),
    "an output folder of somebody else's": (occupied, ["color: this folder holds something else ('thesis.doc')", "name another output folder"]),
    "an output behind a file": (behind_a_file, ["models", "cannot be written"]),
}


@pytest.fixture
def folder(small: Path) -> Path:
    write_rows(small / "corpus.jsonl", ROWS)
    return small


def error_of(run: Callable[[], object], capsys: pytest.CaptureFixture[str]) -> str:
    """The one error of a command that ends with exit code 2."""
    with pytest.raises(SystemExit) as end:
        run()
    out, err = capsys.readouterr()
    assert end.value.code == 2, err
    assert not out
    return one_error(err)


def one_error(err: str) -> str:
    assert [line[:7] for line in err.splitlines()] == ["error: "], err
    return err


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_with_one_clear_error_and_nothing_half_written(mistake, folder, capsys):
    prepare, essentials = MISTAKES[mistake]
    given = prepare(folder)
    before = contents(folder)
    error = error_of(lambda: main(["train", str(folder / "config.yaml"), *given]), capsys)
    assert not [essential for essential in essentials if essential not in error], error
    assert contents(folder) == before
    assert not list(folder.glob("models/runs/*"))


def test_the_same_error_in_a_process_of_its_own(folder):
    command = [sys.executable, "-m", "newsclf", "train", str(folder / "config.yaml"), "--set", "spilt.test=0.5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'split'?" in one_error(done.stderr)


@pytest.mark.parametrize(
    ("labels", "codebook"),
    [([0, 1], "[0, 1]"), ([0.0, 1.0], "['0', '1']"), (["0", "1"], "[0, 1]"), ([2024, 2025], "{2024: This year., 2025: The next.}")],
    ids=["integers", "whole floats", "digits", "years"],
)
def test_labels_that_are_numbers_are_no_mistake(folder, capsys, labels, codebook):
    write_rows(folder / "corpus.jsonl", [{**row, "labels": labels[row["labels"] == "red"]} for row in ROWS])
    codebook = f"codebook={{task: color, kind: exclusive, labels: {codebook}}}"
    with pytest.raises(SystemExit) as end:
        main(["train", str(folder / "config.yaml"), "--json", "--set", codebook])
    assert end.value.code == 0
    assert [row["label"] for row in json.loads(capsys.readouterr().out)["labels"]] == [str(int(label)) for label in labels]


# a saved model that must not be used


@pytest.fixture
def model(folder: Path) -> Path:
    return train(folder / "config.yaml").model


def newer(model: Path) -> None:
    tree = json.loads((model / "manifest.json").read_text("utf-8"))
    (model / "manifest.json").write_text(json.dumps({**tree, "format": 99, "newsclf": "9.0.0"}), "utf-8")


@pytest.mark.parametrize("command", ["predict", "score", "evaluate", "inspect"])
@pytest.mark.parametrize(
    ("damage", "essentials"),
    [
        (newer, ["manifest.json", "format 99", "9.0.0", "Upgrade newsclf"]),
        (lambda model: (model / "weights.safetensors").write_bytes(b"short"), ["weights.safetensors", "5 bytes", "copy the whole folder again"]),
        (lambda model: (model / "golden.json").unlink(), ["golden.json", "missing"]),
        (lambda model: (model / "manifest.json").unlink(), ["color", "no newsclf bundle"]),
    ],
    ids=["a newer format", "a short file", "a missing file", "no manifest"],
)
def test_a_model_that_cannot_be_trusted_answers_nothing(command, damage, essentials, model, folder, capsys):
    damage(model)
    rest = {"predict": ["-"], "score": [str(folder / "corpus.jsonl"), "-o", str(folder / "scores")], "evaluate": [str(folder / "corpus.jsonl")]}
    error = error_of(lambda: main([command, str(model), *rest.get(command, [])]), capsys)
    assert not [essential for essential in essentials if essential not in error], error
    assert not (folder / "scores").exists()


def test_a_stance_model_with_no_target_anywhere_asks_for_one(folder, capsys):
    write_rows(folder / "corpus.jsonl", [{**row, "about": "market"} for row in ROWS])
    trained = train(folder / "config.yaml", [STANCE, "data.target=about"])
    error = error_of(lambda: main(["predict", str(trained.model), str(write_text(folder, "The market was full of roses."))]), capsys)
    assert "--target" in error
    with pytest.raises(SystemExit) as end:
        main(["predict", str(trained.model), str(folder / "article.txt"), "--target", "market", "--json"])
    assert end.value.code == 0
    assert set(json.loads(capsys.readouterr().out)["view"]) == {"market"}


def write_text(folder: Path, text: str) -> Path:
    (folder / "article.txt").write_text(text, "utf-8")
    return folder / "article.txt"


# disks


def test_a_read_only_output_is_named_before_anything_is_read(folder, disk, capsys):
    place = disk("ro,size=1m")
    (folder / "corpus.jsonl").unlink()
    error = error_of(lambda: main(["train", str(folder / "config.yaml"), "--set", f"output={place}"]), capsys)
    assert f"{place}/runs: cannot be written: Read-only file system" in error
    assert "--set output=FOLDER" in error


@pytest.mark.parametrize("size", ["4k", "16k", "40k"], ids=["at once", "at the test rows", "at the bundle"])
def test_a_full_disk_leaves_nothing_behind(folder, disk, capsys, size):
    place = disk(f"size={size}")
    error = error_of(lambda: main(["train", str(folder / "config.yaml"), "--set", f"output={place}"]), capsys)
    assert "cannot be written: No space left on device" in error
    assert [path.name for path in place.rglob("*")] == ["runs"]


def test_a_full_disk_leaves_the_older_model_as_it_is(folder, disk, capsys):
    place = disk("size=200k")
    settings = [str(folder / "config.yaml"), "--set", f"output={place}"]
    model = train(settings[0], [settings[2]]).model
    before = contents(place)
    with (place / "filler").open("wb") as stream:
        stream.write(b"x" * (os.statvfs(place).f_bavail * os.statvfs(place).f_frsize - 12_000))
    error = error_of(lambda: main(["train", *settings]), capsys)
    assert "cannot be written: No space left on device" in error
    (place / "filler").unlink()
    assert contents(place) == before
    assert Bundle.load(model)


@pytest.mark.parametrize(("options", "says"), [("ro,size=1m", "Read-only file system"), ("size=8k", "No space left on device")])
def test_scores_that_cannot_be_written_are_one_error_too(model, folder, disk, capsys, options, says):
    place = disk(options)
    error = error_of(lambda: main(["score", str(model), str(folder / "corpus.jsonl"), "-o", str(place / "scores")]), capsys)
    assert "cannot be written" in error
    assert says in error
    assert not list(place.rglob("*.tmp"))
    assert not list(place.rglob("score.json"))
