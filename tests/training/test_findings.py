"""What a run found out: it agrees with the run's metrics, marks the phrases that misled, and holds in JSON."""

import json

import numpy as np
import pytest
from color_articles import color_rows, read_lines, write_rows

from newsclf.article import Evidence, Phrase
from newsclf.training.findings import confusion, marked
from newsclf.training.run import train

TASKS = {
    "exclusive": [],
    "multi": ["codebook={task: color, kind: multi, labels: [red, blue]}"],
    "stance": ["codebook={task: view, kind: exclusive, labels: [favor, against], targets: [market, town]}"],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    found = {}
    for task, settings in TASKS.items():
        folder = tmp_path_factory.mktemp(task)
        rows = color_rows()
        for number, row in enumerate(rows):
            if number % 9 == 0:  # some codes are wrong, so that there are errors to show
                row["labels"] = {"red": "blue", "blue": "red"}[row["labels"]]
            row["date"] = f"2024-0{1 + number % 3}-11"
            if task == "stance":
                row["labels"] = {target: {"red": "favor", "blue": "against"}[row["labels"]] for target in ("market", "town")}
        write_rows(folder / "corpus.jsonl", rows)
        (folder / "config.yaml").write_text(
            "name: color\ncodebook: {task: color, kind: exclusive, labels: [red, blue]}\ndata: {path: corpus.jsonl}\n"
            "learner: {kind: linear, C: 1}\nsplit: {folds: 3, test: 0.4}\n"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("newsclf.training.slices.FEWEST", 2)
            result = train(folder / "config.yaml", [*settings, f"output={folder / 'models'}"])
        found[task] = (result, json.loads((result.run / "findings.json").read_text("utf-8")))
    return found


@pytest.mark.parametrize("task", TASKS)
def test_the_headline_is_that_of_the_metrics_and_lies_in_its_interval(runs, task):
    result, found = runs[task]
    assert {row["metric"]: row["estimate"] for row in found["headline"]} == pytest.approx(result.metrics.summary)
    assert all(row["low"] <= row["estimate"] <= row["high"] for row in found["headline"])
    assert ("f_avg" in result.metrics.summary) == (task == "stance")


@pytest.mark.parametrize("task", TASKS)
def test_labels_have_the_scores_of_the_metrics(runs, task):
    result, found = runs[task]
    assert {row["label"]: row["f1"] for row in found["labels"]} == {row["label"]: row["f1"] for row in result.metrics.labels}
    assert [row["rows"] for row in found["labels"]] == sorted((row["support"] for row in result.metrics.labels), reverse=True)
    assert all(row["low"] <= row["f1"] <= row["high"] for row in found["labels"])


def test_the_confusion_counts_every_test_row_once(runs):
    result, found = runs["exclusive"]
    assert sum(map(sum, found["confusion"])) == result.metrics.rows
    assert np.trace(np.array(found["confusion"])) == round(result.metrics.summary["accuracy"] * result.metrics.rows)
    assert runs["multi"][1]["confusion"] is None


def test_rows_without_an_answer_have_a_column_of_their_own():
    truth = np.eye(2, dtype=bool)[[0, 0, 1]]
    decided = np.array([[True, False], [False, False], [True, False]])
    assert confusion(truth, decided) == [[1, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize("task", TASKS)
def test_errors_are_the_wrong_rows_and_their_evidence_reads_as_the_sentence(runs, task):
    result, found = runs[task]
    tested = {(row["id"], row["target"]): row for row in read_lines(result.run / "test.jsonl")}
    wrong = {key for key, row in tested.items() if set(row["labels"]) != set(row["decided"])}
    shown = {(row["id"], row["target"]) for row in found["errors"]}
    assert shown == wrong
    assert [row["sure"] for row in found["errors"]] == sorted((row["sure"] for row in found["errors"]), reverse=True)
    for row in found["errors"]:
        for piece in row["evidence"]:
            assert "".join(text for text, _ in piece["pieces"]).strip()


def test_slices_and_doubtful_codes_are_there(runs):
    found = runs["exclusive"][1]
    assert {row["by"] for row in found["slices"]} >= {"outlet", "month"}
    estimates = [row["estimate"] for row in found["slices"]]
    assert estimates == sorted(estimates)
    assert all(row["given"] != row["suggested"] and 0.5 <= row["score"] <= 1 for row in found["problems"])
    assert {row["target"] for row in runs["stance"][1]["problems"]} <= {"market", "town"}


def test_the_surest_answers_end_with_all_of_them(runs):
    result, found = runs["exclusive"]
    assert found["risk_coverage"][-1]["share"] == 1
    assert found["risk_coverage"][-1]["accuracy"] == pytest.approx(result.metrics.summary["accuracy"])


@pytest.mark.parametrize(
    ("text", "phrases", "pieces"),
    [
        ("Agents took them.", ["agents"], [("Agents", True), (" took them.", False)]),
        ("The U.S. border, closed", ["u s", "closed"], [("The ", False), ("U.S", True), (". border, ", False), ("closed", True)]),
        ("A law against lawyers", ["law"], [("A ", False), ("law", True), (" against lawyers", False)]),
        ("border wall and border", ["border", "border wall"], [("border wall", True), (" and ", False), ("border", True)]),
        ("Nothing.", [], [("Nothing.", False)]),
    ],
)
def test_phrases_are_marked_where_they_stand(text, phrases, pieces):
    evidence = Evidence("x", "text", 0, len(text), text, 1.0, tuple(Phrase(phrase, 1.0) for phrase in phrases))
    assert marked(evidence) == pieces


def test_near_duplicates_are_counted_by_article_and_outlet(small):
    rows = color_rows()
    rows += [{**rows[0], "id": "copy", "outlet": "Other"}]
    for row in rows:
        row["labels"] = {target: {"red": "favor", "blue": "against"}[row["labels"]] for target in ("market", "town")}
    write_rows(small / "corpus.jsonl", rows)
    found = json.loads((train(small / "config.yaml", TASKS["stance"]).run / "findings.json").read_text("utf-8"))["copies"]
    assert (found["texts"], found["repeated"]) == (len(rows), 2)  # an article has a row for each target, and is one text
    assert found["sizes"] == [{"texts": 2, "stories": 1}]
    assert found["between"] == [{"outlets": ["Other", "Outlet 0"], "stories": 1}]


def test_labels_with_parents_have_hierarchical_scores_with_intervals(small):
    rows = color_rows()
    for row in rows:
        row["labels"] = {"red": ["warm", "red"], "blue": ["blue"]}[row["labels"]]
    write_rows(small / "corpus.jsonl", rows)
    labels = "labels: {warm: Warm colors., red: {definition: Red., parent: warm}, blue: Blue.}"
    result = train(small / "config.yaml", [f"codebook={{task: color, kind: multi, {labels}}}"])
    found = json.loads((result.run / "findings.json").read_text("utf-8"))
    assert {row["metric"]: row["estimate"] for row in found["headline"]} == pytest.approx(result.metrics.summary)
    row = next(row for row in found["headline"] if row["metric"] == "hierarchical_f1")
    assert row["name"] == "hierarchical F1"
    assert row["low"] <= row["estimate"] <= row["high"]


def test_what_the_sets_promised_and_what_became_of_it_is_found(small):
    write_rows(small / "corpus.jsonl", color_rows(20))
    run = train(small / "config.yaml", ["decision={sets: {coverage: 0.8}}"]).run
    found = json.loads((run / "findings.json").read_text("utf-8"))
    assert found["sets"]["asked"] == 0.8
    assert 0 <= found["sets"]["estimate"] <= 1
    assert len(found["promises"]) == 1
    assert "exchangeable" in found["promises"][0]
