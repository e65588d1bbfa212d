"""The folder of a run: every number in it can be recomputed from what stands beside it."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version

import numpy as np
import pytest
from color_articles import color_rows, read_lines, write_rows
from sklearn.metrics import accuracy_score, f1_score, log_loss, precision_recall_fscore_support

from newsclf.bundle import Bundle
from newsclf.corpus.formats import BadRow
from newsclf.errors import OutputError
from newsclf.training.experiment import Experiment
from newsclf.training.record import RunFolder
from newsclf.training.run import train

CODEBOOKS = {
    "exclusive": "{task: color, kind: exclusive, labels: [red, blue]}",
    "multi": "{task: color, kind: multi, labels: [red, blue]}",
    "stance": "{task: view, kind: exclusive, labels: [favor, against, neutral], targets: [market, town]}",
}


def corpus(task):
    rows = color_rows(18)
    if task == "multi":
        return [{**row, "labels": [row["labels"], "blue"] if number % 3 == 0 else row["labels"]} for number, row in enumerate(rows)]
    if task == "stance":
        sides = ["favor", "against", "neutral"]
        return [{**row, "labels": {"market": sides[number % 3], "town": sides[(number // 2) % 3]}} for number, row in enumerate(rows)]
    return rows


@pytest.fixture(params=CODEBOOKS)
def recorded(request, small):
    """A run of each kind of task, on labels that are partly noise, so that its metrics are not all 1."""
    rows = corpus(request.param)
    for row, other in zip(rows[::5], rows[1::5], strict=False):
        row["labels"], other["labels"] = other["labels"], row["labels"]
    write_rows(small / "corpus.jsonl", rows)
    return train(small / "config.yaml", [f"codebook={CODEBOOKS[request.param]}", "split.test=0.5", "learner.C=auto"])


def matrix(rows, names):
    """Labels coded, labels decided and probabilities of test.jsonl. [rows, labels] each"""
    truth = np.array([[name in row["labels"] for name in names] for row in rows])
    decided = np.array([[name in row["decided"] for name in names] for row in rows])
    return truth, decided, np.array([[row["p"][name] for name in names] for row in rows])


def test_a_run_leaves_these_files(recorded):
    found = ["findings.json", "metrics.jsonl", "outlets.json", "quarantine.jsonl", "split.jsonl", "summary.json", "test.jsonl"]
    assert sorted(path.name for path in recorded.run.iterdir()) == ["bundle", "config.yaml", "environment.json", *found]


def test_the_metrics_can_be_recomputed_from_the_test_rows(recorded):
    codebook = recorded.bundle.bundle.codebook
    names = codebook.names
    said = read_lines(recorded.run / "metrics.jsonl")[1]
    truth, decided, p = matrix(read_lines(recorded.run / "test.jsonl"), names)
    summary = {
        "micro_f1": f1_score(truth, decided, average="micro", zero_division=0),
        "macro_f1": f1_score(truth, decided, average="macro", zero_division=0),
    }
    if codebook.kind == "exclusive":
        summary["accuracy"] = accuracy_score(truth.argmax(axis=1), decided.argmax(axis=1))
        summary["log_loss"] = log_loss(truth.argmax(axis=1), p, labels=range(len(names)))
        summary["brier"] = ((p - truth) ** 2).sum(axis=1).mean()
    else:
        summary["log_loss"] = -np.log(np.where(truth, p, 1 - p)).mean()
        summary["brier"] = ((p - truth) ** 2).mean()
    if codebook.is_stance:
        summary["f_avg"] = f1_score(truth, decided, average=None, zero_division=0)[:2].mean()
    assert said["rows"] == len(truth)
    assert said["summary"] == pytest.approx(summary, abs=1e-5)
    precision, recall, f1, support = precision_recall_fscore_support(truth, decided, average=None, zero_division=0)
    for column, row in enumerate(said["labels"]):
        assert row["label"] == names[column]
        assert [row[key] for key in ("precision", "recall", "f1")] == pytest.approx([precision[column], recall[column], f1[column]], abs=1e-5)
        assert (row["support"], row["decided"]) == (support[column], decided[:, column].sum())


def test_the_decisions_follow_from_the_probabilities_and_the_saved_thresholds(recorded):
    decision = Bundle.load(recorded.run / "bundle")[0].decision
    _, decided, p = matrix(read_lines(recorded.run / "test.jsonl"), recorded.bundle.bundle.codebook.names)
    assert decision(p).tolist() == decided.tolist()


def test_the_test_rows_are_those_of_the_split_in_order(recorded):
    split = read_lines(recorded.run / "split.jsonl")
    assert [(row["id"], row["target"]) for row in split if row["part"] == "test"] == [
        (row["id"], row["target"]) for row in read_lines(recorded.run / "test.jsonl")
    ]
    assert {row["part"] for row in split} <= {"train", "test", "aside"}


def test_the_choice_of_c_is_recorded_with_what_it_was_chosen_by(recorded):
    stage, chosen, losses, *calibration = read_lines(recorded.run / "metrics.jsonl")[0].values()
    assert stage == "cross_validation"
    assert f"{chosen:g}" == min(losses, key=losses.__getitem__)
    assert len(losses) >= 3
    assert calibration == ["platt", {}]  # so few rows choose no calibration


def test_summary_model_and_card_say_the_same(recorded):
    summary = json.loads((recorded.run / "summary.json").read_text("utf-8"))
    bundle, fingerprint = Bundle.load(recorded.model)
    assert summary.pop("model_fingerprint") == fingerprint
    assert summary.pop("seconds") >= 0
    assert summary == bundle.about["metrics"] == recorded.metrics.as_dict()
    assert (
        f"accuracy {summary['summary'].get('accuracy', 0):.3f}" in (recorded.model / "README.md").read_text("utf-8")
        or "accuracy" not in summary["summary"]
    )


def test_the_config_is_the_resolved_one_and_loads_as_it_is(recorded, small):
    experiment = Experiment.load(recorded.run / "config.yaml")
    assert experiment.split.test == 0.5
    assert experiment.data.path == (str(small / "corpus.jsonl"),)
    assert "min_df" in (recorded.run / "config.yaml").read_text("utf-8")


@pytest.mark.parametrize("label", ["1e-4", "012", "no", "2024-01-01", "~", "grün: hell"])
def test_labels_that_yaml_might_misread_come_back_from_the_record(experiment, tmp_path, label):
    codebook = {"task": "t", "kind": "multi", "labels": [label, "other"]}
    record = RunFolder.create(tmp_path / "runs", Experiment.parse(experiment.resolved() | {"codebook": codebook}, where="here"))
    assert Experiment.load(record.folder / "config.yaml").load_codebook().names == (label, "other")


# the folder itself


def test_the_environment_names_python_and_every_package(experiment, tmp_path):
    record = RunFolder.create(tmp_path / "runs", experiment)
    environment = json.loads((record.folder / "environment.json").read_text("utf-8"))
    assert environment["python"] == sys.version.split()[0]
    assert environment["packages"]["numpy"] == version("numpy")
    assert set(environment) == {"python", "platform", "machine", "packages"}


def test_the_leftovers_of_a_package_do_not_stop_a_run(experiment, tmp_path, monkeypatch):
    (tmp_path / "site" / "gone-1.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "site")
    record = RunFolder.create(tmp_path / "runs", experiment)
    assert None not in json.loads((record.folder / "environment.json").read_text("utf-8"))["packages"]


def test_runs_of_one_second_get_a_folder_each(experiment, tmp_path):
    folders = [RunFolder.create(tmp_path / "runs", experiment).folder for _ in range(4)]
    assert len(set(folders)) == 4
    assert all(folder.name.startswith("color-2") for folder in folders)
    assert all(len(list(folder.iterdir())) == 2 for folder in folders)


@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt])
def test_a_run_that_does_not_end_well_leaves_nothing(experiment, tmp_path, end):
    record = RunFolder.create(tmp_path / "runs", experiment)
    with pytest.raises(end), record.discarded_on_error():
        raise end
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_that_ends_well_stays(experiment, tmp_path):
    record = RunFolder.create(tmp_path / "runs", experiment)
    with record.discarded_on_error():
        record.quarantine([BadRow("corpus.jsonl:3", "der Text ist leer – „nichts“")])
    assert read_lines(record.folder / "quarantine.jsonl") == [{"place": "corpus.jsonl:3", "reason": "der Text ist leer – „nichts“"}]
    assert "„nichts“" in (record.folder / "quarantine.jsonl").read_text("utf-8")


def test_a_place_that_cannot_be_written_is_named_with_the_way_out(experiment, tmp_path):
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(OutputError, match=r"file/runs: cannot be written: .*--set output=FOLDER"):
        RunFolder.create(tmp_path / "file" / "runs", experiment)


def test_a_file_that_cannot_be_written_is_named(experiment, tmp_path):
    record = RunFolder.create(tmp_path / "runs", experiment)
    (record.folder / "quarantine.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"quarantine\.jsonl: cannot be written: "):
        record.quarantine([])
