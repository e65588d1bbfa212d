"""A model card says what the bundle knows, and nothing breaks its tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from newsclf.bundle import Bundle
from newsclf.card import LIMITS, model_card, table
from newsclf.codebook import Codebook
from newsclf.learners.linear import LinearSpec

COLORS = Codebook(task="color", kind="exclusive", labels={"red": "It is red.", "blue": "It is blue."})


def sections(card: str) -> dict[str, str]:
    """Heading → what stands below it."""
    parts = re.split(r"^## (.*)$", card, flags=re.MULTILINE)
    return {heading: text.strip() for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize("task", ["topic", "framing", "stance"])
def test_the_card_tells_labels_scores_data_and_limits_of_a_trained_model(models, task):
    bundle, _ = Bundle.load(models[task])
    card = (models[task] / "README.md").read_text("utf-8")
    found = sections(card)
    assert card == model_card(bundle.codebook, bundle.learner, bundle.about)
    assert card.startswith(f"# {task}: a newsclf model for the task `{task}`\n\n{bundle.codebook.question} (")
    for name, label in bundle.codebook.labels.items():
        assert f"| `{name}` | {label.definition} |" in found["Labels"]
        assert f"* `{name}`: " in found["What it goes by"]
    metrics = bundle.about["metrics"]
    assert f"On {metrics['rows']} held-out rows" in found["How it did"]
    assert all(f"{name} {value:.3f}" in found["How it did"] for name, value in metrics["summary"].items())
    assert sum(line.startswith("| `") for line in found["How it did"].splitlines()) == len(bundle.codebook.names)
    assert all(f"* {key}: {value}" in found["What it was trained on"] for key, value in bundle.about["data"].items())
    assert LIMITS in found["Limits"]
    assert "Learner: `linear`, C 1.0, calibration platt. Written by python 3." in found["Limits"]


def test_thresholds_stand_beside_the_labels_of_a_multi_label_task(models):
    bundle, _ = Bundle.load(models["framing"])
    rows = sections((models["framing"] / "README.md").read_text("utf-8"))["Labels"].splitlines()[2:]
    assert [row.split(" | ")[-1] for row in rows] == [f"p ≥ {threshold:.2f} |" for threshold in bundle.decision.thresholds]


def test_the_targets_of_a_stance_stand_under_the_title(models):
    card = (models["stance"] / "README.md").read_text("utf-8")
    assert "(exactly one label an article, toward mass deportation, sanctuary cities, refugee resettlement, border wall)" in card


def test_the_lines_under_use_run_as_they_stand(models, monkeypatch, capsys):
    monkeypatch.chdir(models["topic"].parent)
    code = re.search(r"```python\n(.*?)```", Path("topic/README.md").read_text("utf-8"), re.DOTALL)
    assert code
    exec(code[1], {})
    assert capsys.readouterr().out.startswith("Prediction(task='topic'")


@pytest.mark.parametrize("name", ["o'clock", 'a "name"', "back\\slash"])
def test_a_name_with_quotes_is_still_one_piece_of_python(name):
    code = sections(model_card(COLORS, LinearSpec(), {"name": name}))["Use"]
    assert f"newsclf.load({name!r})" in code
    compile(code.strip("`").removeprefix("python"), "card", "exec")


def test_what_was_not_recorded_is_said_to_be_so():
    card = model_card(COLORS, LinearSpec(), {})
    found = sections(card)
    assert card.startswith("# color: a newsclf model for the task `color`\n\n(exactly one label an article)\n")
    assert found["How it did"] == "It was not tested."
    assert found["What it was trained on"] == found["What it goes by"] == "Not recorded."
    assert found["Limits"].endswith("Learner: `linear`, as configured. The versions that wrote it are not recorded.")
    assert all(found.values())


def test_what_was_promised_for_doubtful_articles_has_a_section_where_anything_was():
    assert "When it is not sure" not in sections(model_card(COLORS, LinearSpec(), {"name": "x"}))
    about = {"abstention": "send 12 % to a person", "sets": "sets of labels (lac)"}
    assert sections(model_card(COLORS, LinearSpec(), about))["When it is not sure"] == "* Send 12 % to a person.\n* Sets of labels (lac)."
    assert sections(model_card(COLORS, LinearSpec(), {"sets": "sets"}))["When it is not sure"] == "* Sets."


def test_the_same_model_gives_the_same_card():
    assert model_card(COLORS, LinearSpec(), {"name": "x"}) == model_card(COLORS, LinearSpec(), {"name": "x"})
    assert model_card(COLORS, LinearSpec(), {"name": "x"}) != model_card(COLORS, LinearSpec(), {"name": "y"})


def test_a_cell_can_neither_end_its_cell_nor_its_row():
    rows = table(["a", "b"], [["one|two", "three\nfour"], [5, ""]]).splitlines()
    assert rows == ["| a | b |", "| --- | --- |", "| one\\|two | three four |", "| 5 |  |"]
