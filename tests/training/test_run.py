"""Training from start to end: what it promises of bytes, of test articles, of splits and of rows that it cannot use."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from color_articles import color_rows, contents, read_lines, write_rows
from safetensors.numpy import load_file

from newsclf.bundle import Bundle
from newsclf.codebook import Codebook
from newsclf.errors import DataError, InputError, OutputError
from newsclf.scores.decision import DecisionSpec
from newsclf.training.experiment import Experiment
from newsclf.training.learn import FEW, decide
from newsclf.training.run import train

MULTI = "codebook={task: color, kind: multi, labels: [red, blue]}"
STANCE = "codebook={task: view, kind: exclusive, labels: [red, blue], targets: [market, town]}"
TASKS = {"exclusive": [], "multi": [MULTI], "stance": [STANCE]}
JUNK = {"id": "junk", "text": "Advertisement\n\n3 Comments", "labels": "red", "outlet": "Outlet 1"}


@pytest.fixture
def folder(small):
    """The `small` folder with a corpus that can be parted."""
    write_rows(small / "corpus.jsonl", color_rows())
    return small


def toward_both(rows):
    """The rows coded as stances: one target of the row's color, the other of the other."""
    other = {"red": "blue", "blue": "red"}
    return [{**row, "labels": {"market": row["labels"], "town": other[row["labels"]]}} for row in rows]


def run(folder, *settings, output="models"):
    return train(folder / "config.yaml", [*settings, f"output={folder / output}"])


def parts(result):
    return {(row["id"], row["target"]): row["part"] for row in read_lines(result.run / "split.jsonl")}


def manifest(result):
    return json.loads((result.model / "manifest.json").read_text("utf-8"))


# what two runs share


@pytest.mark.parametrize("task", TASKS)
def test_two_runs_give_identical_bytes(folder, task):
    if task == "stance":
        write_rows(folder / "corpus.jsonl", toward_both(color_rows()))
    first, second = (run(folder, *TASKS[task], output=name) for name in ("one", "two"))
    assert contents(first.model) == contents(second.model)
    for name in ("split.jsonl", "metrics.jsonl", "test.jsonl"):
        assert (first.run / name).read_bytes() == (second.run / name).read_bytes()


def test_bytes_do_not_depend_on_how_python_hashes_text(folder):
    """Sets come out in another order in every process unless something sorts them."""
    settings = [MULTI, "clean.mask=[outlet, byline, dateline]", "split.keep_together=[near_duplicate, outlet]"]
    for seed in ("1", "2"):
        code = f"import newsclf; newsclf.train({str(folder / 'config.yaml')!r}, {[*settings, f'output={folder / seed}']!r})"
        subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONHASHSEED": seed})
    assert contents(folder / "1" / "color") == contents(folder / "2" / "color")


def test_the_record_keeps_the_same_bundle_as_the_models_folder(folder):
    result = run(folder)
    assert contents(result.run / "bundle") == contents(result.model)
    assert json.loads((result.run / "summary.json").read_text("utf-8"))["model_fingerprint"] == Bundle.load(result.model)[1]


def test_the_result_answers(folder):
    result = run(folder)
    assert result.bundle.predict("A poppy, a rose and a ruby by the road.").label == "red"
    assert result.bundle.predict("A lagoon, the ocean and the sky at evening.").label == "blue"
    assert (result.model, result.run.parent) == (folder / "models" / "color", folder / "models" / "runs")


# the test articles take no part in any choice


@pytest.mark.parametrize("task", TASKS)
def test_test_rows_never_influence_the_model(folder, task):
    learned = color_rows()
    one = color_rows(4, seed=1, prefix="held-")
    # other texts and labels, and a row that near-duplicates two training rows and so would tie them together
    other = [{**row, "labels": "red"} for row in color_rows(6, seed=2, prefix="other-")]
    other.append({"id": "link", "text": f"{learned[0]['text']} {learned[1]['text']}", "labels": "blue", "outlet": "Outlet 9"})
    if task == "stance":
        learned, one, other = toward_both(learned), toward_both(one), toward_both(other)
    write_rows(folder / "corpus.jsonl", learned)
    results = []
    for name, rows in (("one", one), ("other", other)):
        write_rows(folder / f"{name}.jsonl", rows)
        results.append(run(folder, *TASKS[task], "learner.C=auto", f"data.test={folder / name}.jsonl", output=name))
    first, second = (contents(result.model) for result in results)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == ["README.md", "manifest.json"]
    for key in ("calibration", "decision", "learner", "clean"):
        assert manifest(results[0])[key] == manifest(results[1])[key]
    assert manifest(results[0])["about"]["metrics"] != manifest(results[1])["about"]["metrics"]


def test_copies_of_test_articles_are_set_aside(folder):
    rows = color_rows()
    copies = [{**row, "id": f"copy-{row['id']}", "text": f"{row['text']} It was seen again."} for row in rows]
    write_rows(folder / "corpus.jsonl", rows + copies)
    result = run(folder, "split.keep_together=[outlet]")
    split = read_lines(result.run / "split.jsonl")
    tested = {row["story"] for row in split if row["part"] == "test"}
    assert {row["part"] for row in split if row["story"] in tested} <= {"test", "aside"}
    assert {row["part"] for row in split if row["story"] not in tested} == {"train"}
    assert len({row["story"] for row in split}) == len(rows)


# splits


def test_the_split_can_be_made_again_from_the_record(folder):
    first = run(folder, "split.seed=5", "split.test=0.4", "split.keep_together=[outlet]")
    again = train(Experiment.load(first.run / "config.yaml", [f"output={folder / 'again'}"]))
    assert (first.run / "split.jsonl").read_bytes() == (again.run / "split.jsonl").read_bytes()


def test_another_seed_gives_another_split(folder):
    assert parts(run(folder)) != parts(run(folder, "split.seed=1"))


def test_what_is_kept_together_stands_on_one_side(folder):
    result = run(folder, "split.keep_together=[outlet]")
    outlets = {row["id"]: row["outlet"] for row in color_rows()}
    sides = {(outlets[identifier], part) for (identifier, _), part in parts(result).items()}
    assert len(sides) == 4
    assert Counter(part for _, part in sides) == {"train": 3, "test": 1}


def test_a_given_test_file_is_tested_on_and_the_corpus_learned_from(folder):
    write_rows(folder / "held.jsonl", color_rows(3, seed=1, prefix="held-"))
    result = run(folder, "data.test=held.jsonl")
    assert {part for (identifier, _), part in parts(result).items() if identifier.startswith("held-")} == {"test"}
    assert Counter(parts(result).values()) == {"train": 24, "test": 6}
    assert "as in the split that was given" in (result.model / "README.md").read_text("utf-8")


def test_copies_across_a_given_split_stay_and_are_named(folder, caplog):
    rows = color_rows(3, seed=1, prefix="held-")
    write_rows(folder / "held.jsonl", [*rows, {**color_rows()[0], "id": "copy"}])
    result = run(folder, "data.test=held.jsonl")
    assert Counter(parts(result).values()) == {"train": 24, "test": 7}
    assert "1 of its 7 test rows near-duplicate a training row" in caplog.text


@pytest.mark.parametrize("path", ["corpus.jsonl", "."], ids=["the same file", "a folder that holds the test file"])
def test_a_row_cannot_be_to_learn_from_and_to_test_on(folder, path):
    with pytest.raises(DataError, match=r"corpus\.jsonl:1: this row is to learn from \(data\.path\) and to test on \(data\.test\)"):
        run(folder, f"data.path={folder / path}", f"data.test={folder / 'corpus.jsonl'}", "data.on_error=quarantine")


def folded(rows):
    return [{**row, "fold": number % 3, "year": "2024" if number % 2 else "2025"} for number, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("where", "tested"),
    [
        ("{fold: 0}", lambda row: row["fold"] == 0),
        ("{fold: [0, '2']}", lambda row: row["fold"] != 1),
        ("{fold: [0, 1], year: 2024}", lambda row: row["fold"] < 2 and row["year"] == "2024"),
        ("{outlet: Outlet 2}", lambda row: row["outlet"] == "Outlet 2"),
    ],
)
def test_a_column_can_say_what_to_test_on(folder, where, tested):
    rows = folded(color_rows())
    write_rows(folder / "corpus.jsonl", rows)
    assert {identifier for (identifier, _), part in parts(run(folder, f"split.where={where}")).items() if part == "test"} == {
        row["id"] for row in rows if tested(row)
    }


@pytest.mark.parametrize(
    ("where", "counts"), [("{fold: 9}", "leaves 24 rows to learn from and 0 to test on"), ("{fold: [0, 1, 2]}", "leaves 0 rows to learn from and 24")]
)
def test_a_split_by_column_needs_rows_on_both_sides(folder, where, counts):
    write_rows(folder / "corpus.jsonl", folded(color_rows()))
    with pytest.raises(DataError, match=counts):
        run(folder, f"split.where={where}")


@pytest.mark.parametrize("setting", ["split.where={outlt: Outlet 2}", "split.keep_together=[outlt]"])
def test_a_split_by_a_column_that_no_article_has_names_those_there_are(folder, setting):
    with pytest.raises(DataError) as error:
        run(folder, setting)
    assert f"{setting.split('=')[0]} names 'outlt' (did you mean 'outlet'?)" in str(error.value)
    assert "'id', 'outlet', 'labels'" in str(error.value)


def test_a_corpus_that_cannot_be_parted_is_refused_before_anything_is_learned(folder):
    one_story = "The same agency report, printed word for word by every outlet of the country that morning."
    write_rows(folder / "corpus.jsonl", [{**row, "text": one_story} for row in color_rows()])
    with pytest.raises(DataError, match=r"nothing is left to learn from"):
        run(folder, "split.keep_together=[outlet]")


# rows that cannot be used


@pytest.mark.parametrize("split", [[], ["data.test={held}"], ["split.where={{outlet: Outlet 2}}"]], ids=["split", "test file", "where"])
def test_rows_that_cannot_be_used_are_set_aside_whatever_the_split(folder, split):
    write_rows(folder / "corpus.jsonl", [*color_rows(), {"id": "empty", "text": " ", "labels": "red"}, JUNK])
    write_rows(folder / "held.jsonl", [*color_rows(3, seed=1, prefix="held-"), {**JUNK, "id": "held-junk"}])
    result = run(folder, "data.on_error=quarantine", *(setting.format(held=folder / "held.jsonl") for setting in split))
    bad = {row["place"].removeprefix(f"{folder}/"): row["reason"] for row in read_lines(result.run / "quarantine.jsonl")}
    wanted = {"corpus.jsonl:25", "corpus.jsonl:26"} | ({"held.jsonl:7"} if "test" in "".join(split) else set())
    assert set(bad) == wanted
    assert "nothing is left of the text after cleaning" in bad["corpus.jsonl:26"]
    assert "junk" not in {identifier for identifier, _ in parts(result)}


@pytest.mark.parametrize(("row", "reason"), [({"id": "empty", "text": "", "labels": "red"}, "is empty"), (JUNK, "nothing is left")])
def test_a_row_that_cannot_be_used_stops_the_run_unless_asked_otherwise(folder, row, reason):
    write_rows(folder / "corpus.jsonl", [*color_rows(), row])
    with pytest.raises(DataError, match=rf"corpus\.jsonl:25: .*{reason}.*data\.on_error: quarantine"):
        run(folder)


def test_a_corpus_without_a_single_code_says_how_many_rows_there_are(folder):
    write_rows(folder / "corpus.jsonl", [{**row, "labels": None} for row in color_rows()])
    with pytest.raises(DataError, match=r"no row is coded for the task 'color' \(rows without a code: 24, unusable: 0\)"):
        run(folder)


def test_a_corpus_of_nothing_but_junk_says_so(folder):
    write_rows(folder / "corpus.jsonl", [JUNK])
    with pytest.raises(DataError, match=r"no row is coded .*unusable: 1"):
        run(folder, "data.on_error=quarantine")


def test_integer_labels_are_their_digits(folder):
    rows = [{**row, "labels": 1 if row["labels"] == "red" else 0} for row in color_rows()]
    write_rows(folder / "corpus.jsonl", rows)
    result = run(folder, "codebook={task: color, kind: exclusive, labels: [0, 1]}")
    assert result.bundle.predict("A poppy, a rose and a ruby by the road.").label == "1"


# labels


def test_a_corpus_of_one_label_is_refused(folder):
    write_rows(folder / "corpus.jsonl", [row for row in color_rows() if row["labels"] == "red"])
    with pytest.raises(DataError, match=r"only the label 'red'; two labels are needed.*'blue': 0"):
        run(folder)


@pytest.mark.parametrize("kind", ["exclusive", "multi"])
def test_a_label_without_a_training_row_is_refused(folder, kind):
    with pytest.raises(DataError, match=r"the label 'green' has no training row: code articles for it, or take it out"):
        run(folder, f"codebook={{task: color, kind: {kind}, labels: [red, blue, green]}}")


def test_a_multi_label_corpus_without_any_label_names_them_all(folder):
    write_rows(folder / "corpus.jsonl", [{**row, "labels": []} for row in color_rows()])
    with pytest.raises(DataError, match="the label 'red', 'blue' has no training row"):
        run(folder, MULTI)


def test_a_label_with_few_training_rows_is_warned_of(folder, caplog):
    write_rows(folder / "corpus.jsonl", [{**row, "labels": "green"} if number < FEW - 1 else row for number, row in enumerate(color_rows())])
    write_rows(folder / "held.jsonl", color_rows(3, seed=1))
    run(folder, "codebook={task: color, kind: exclusive, labels: [red, blue, green]}", "data.test=held.jsonl")
    assert "few rows for 'green'" in caplog.text


def test_enough_rows_are_not_warned_of(folder, caplog):
    run(folder)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


# where it is written


def test_an_output_folder_that_holds_something_else_is_left_before_anything_is_read(folder):
    (folder / "corpus.jsonl").unlink()
    (folder / "models" / "color").mkdir(parents=True)
    (folder / "models" / "color" / "thesis.doc").write_text("years of work", "utf-8")
    with pytest.raises(OutputError, match=r"color: this folder holds something else \('thesis.doc'\)"):
        run(folder)
    assert [path.name for path in (folder / "models").rglob("*")] == ["color", "thesis.doc"]


def test_a_run_that_fails_leaves_no_record_and_the_older_model(folder):
    older = run(folder)
    before = contents(folder / "models")
    write_rows(folder / "corpus.jsonl", [row for row in color_rows() if row["labels"] == "red"])
    with pytest.raises(DataError):
        run(folder)
    assert contents(folder / "models") == before
    assert list((folder / "models" / "runs").iterdir()) == [older.run]


def test_a_newer_run_takes_the_place_of_the_older_model(folder):
    first = contents(run(folder).model)
    second = run(folder, "learner.C=10")
    assert contents(second.model) != first
    assert len(list((folder / "models" / "runs").iterdir())) == 2


def test_settings_beside_an_experiment_are_refused_not_ignored(experiment):
    with pytest.raises(InputError, match=r"Experiment\.load\(path, settings\)"):
        train(experiment, ["learner.C=4"])


# what is decided and recorded


def test_masked_outlets_are_those_of_the_corpus_and_of_the_config(folder):
    result = run(folder, "clean={mask: [outlet], outlets: [Zeitung]}")
    assert manifest(result)["clean"]["outlets"] == ["Outlet 0", "Outlet 1", "Outlet 2", "Outlet 3", "Zeitung"]


def test_outlets_are_not_collected_where_they_are_not_masked(folder):
    assert manifest(run(folder))["clean"]["outlets"] == []


@pytest.mark.parametrize(("rule", "thresholds"), [(0.3, [0.3, 0.3]), (0.0, [0.0, 0.0])])
def test_a_number_is_the_threshold_of_every_label(rule, thresholds):
    codebook = Codebook.parse({"task": "t", "kind": "multi", "labels": ["a", "b"], "min_labels": 1, "max_labels": 2}, where="here")
    decision = decide(codebook, DecisionSpec(threshold=rule), np.zeros((3, 2)), np.zeros((3, 2), bool))
    assert (decision.thresholds.tolist(), decision.fewest, decision.most) == (thresholds, 1, 2)


def test_an_exclusive_task_decides_by_the_most_probable_label():
    codebook = Codebook.parse({"task": "t", "kind": "exclusive", "labels": ["a", "b"]}, where="here")
    decision = decide(codebook, DecisionSpec(threshold=0.9, abstain_below=0.6), np.zeros((3, 2)), np.zeros((3, 2), bool))
    assert decision(np.array([[0.3, 0.7], [0.5, 0.5]])).tolist() == [[False, True], [False, False]]


def test_the_bundle_says_what_it_was_made_of(folder):
    about = manifest(run(folder, "split.keep_together=[near_duplicate, outlet]"))["about"]
    assert about["name"] == "color"
    assert about["chosen"] == {"C": 1.0, "calibration": "platt"}
    assert about["columns"] == {"on_error": "fail", "labels": "labels", "separator": ";"}
    assert (about["data"]["articles"], about["data"]["outlets"], about["data"]["kept together"]) == (24, 4, "near_duplicate, outlet")
    assert about["data"]["dates"] == "not given"
    assert set(about["telling"]) == {"red", "blue"}


@pytest.mark.parametrize("change", [{"labels": "blue"}, {"text": "Another text about a ruby."}, {"title": "A headline"}, {"id": "red-x"}])
def test_the_fingerprint_of_the_data_tells_every_change(folder, change):
    before = manifest(run(folder))["about"]["data"]["fingerprint"]
    first, *rest = color_rows()
    write_rows(folder / "corpus.jsonl", [{**first, **change}, *rest])
    assert manifest(run(folder))["about"]["data"]["fingerprint"] != before


def test_weights_are_saved_for_every_label_and_feature(folder):
    result = run(folder)
    weights = load_file(result.model / "weights.safetensors")["weights"]
    assert weights.shape[1] == 2
    assert np.isfinite(weights).all()


def test_train_is_the_function_that_the_front_door_gives(folder):
    import newsclf

    assert newsclf.train is train
    assert isinstance(train(Experiment.load(folder / "config.yaml")).model, Path)


def test_names_of_one_outlet_are_joined_recorded_and_said(folder, caplog):
    rows = color_rows()
    for number, row in enumerate(rows):
        row["outlet"] = ("CNN", "CNN (Web News)", "Harlow Courier", "Plains News")[number % 4]
    write_rows(folder / "corpus.jsonl", rows)
    with caplog.at_level(logging.INFO):
        result = run(folder, "split.keep_together=[outlet]")
    merges = json.loads((result.run / "outlets.json").read_text("utf-8"))
    assert [(merge["name"], {one["text"] for one in merge["spellings"]}) for merge in merges] == [("CNN", {"CNN", "CNN (Web News)"})]
    assert "one outlet: CNN = " in caplog.text
    part_of = {row["id"]: row["outlet"] for row in rows}
    sides = {(part_of[name].split(" ")[0], part) for (name, _), part in parts(result).items()}
    assert len([side for side in sides if side[0] == "CNN"]) == 1
    apart = run(folder, "split.keep_together=[outlet]", 'split.outlets={"CNN (Web News)": "CNN (Web News)"}', output="apart")
    assert json.loads((apart.run / "outlets.json").read_text("utf-8")) == []


def test_a_split_is_replayed(folder):
    first = run(folder, "split.seed=3")
    again = run(folder, f"split.replay={first.run / 'split.jsonl'}", output="again")
    assert parts(again) == parts(first)
    other = run(folder, "split.seed=4", output="other")
    assert parts(other) != parts(first)


def test_the_audit_of_the_split_is_in_the_findings(folder):
    found = json.loads((run(folder).run / "findings.json").read_text("utf-8"))
    assert any("articles to learn from" in sentence for sentence in found["leaks"])
    assert {verdict["kind"] for verdict in found["leak_verdicts"]} <= {"fine", "inflates", "mind"}
