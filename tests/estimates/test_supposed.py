"""Quantifiers on scored rows: what the held-out rows of the run say of every group."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from known_codes import run_of

from newsclf.errors import InputError
from newsclf.estimates.frame import Scores
from newsclf.estimates.supposed import held_out, supposed
from newsclf.estimates.tally import tally
from newsclf.scores.quantifiers import METHODS


@pytest.fixture(scope="module")
def scores(scored):
    return Scores.open(scored, "color")


@pytest.fixture(scope="module")
def run(color_models):
    return run_of(color_models["color"])


def told(scores, tested):
    found = tally(scores, scores.groups(["outlet"]), look=tested is not None)
    groups = [{}, *({"outlet": name} for (name,) in found.cells)]
    members = np.vstack([np.ones(len(found.cells), bool), np.eye(len(found.cells), dtype=bool)])
    return found, list(supposed(scores, found, groups, members, tested=tested))


def test_held_out_rows_are_those_that_the_run_was_tested_on(scores, run):
    rows = held_out(run, scores)
    lines = [json.loads(line) for line in (run / "test.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == len(lines) > 10
    assert rows.truth[:, 0].tolist() == [line["labels"] == ["red"] for line in lines]
    assert rows.probabilities[:, 1].tolist() == [line["p"]["blue"] for line in lines]


def test_without_held_out_rows_probabilities_are_taken_at_their_word(scores):
    found, rows = told(scores, None)
    assert {row["method"] for row in rows} == {METHODS["pcc"].title}
    assert all(row["low"] is row["high"] is None for row in rows)
    whole = next(row for row in rows if not row["group"] and row["label"] == "red")
    assert whole["estimate"] == pytest.approx(found.sums[:, 0].sum() / 600)


def test_every_method_but_counting_is_told_of_every_group_and_label(scores, run):
    found, rows = told(scores, held_out(run, scores))
    titles = {method.title for name, method in METHODS.items() if name != "cc"}
    assert {row["method"] for row in rows} == titles
    assert len(rows) == len(titles) * 2 * (1 + len(found.cells))
    for row in rows:
        assert row["estimate"] is None or 0 <= row["estimate"] <= 1
        assert row["low"] is None or row["low"] <= row["estimate"] <= row["high"]
        assert row["assumes"]
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_what_is_no_run_of_this_model_is_refused(scores, run, color_models, tmp_path):
    with pytest.raises(InputError, match="this run made another model than the one whose scores are in"):
        held_out(run_of(color_models["things"]), scores)
    with pytest.raises(InputError, match="this is no finished training run"):
        held_out(tmp_path, scores)
    for name, text in (("test.jsonl", ""), ("test.jsonl", "{"), ("summary.json", "{}"), ("summary.json", "[]")):
        spoiled = shutil.copytree(run, tmp_path / "spoiled")
        (spoiled / name).write_text(text, "utf-8")
        with pytest.raises(InputError, match="this is no finished training run"):
            held_out(spoiled, scores)
        shutil.rmtree(spoiled)
    older = shutil.copytree(run, tmp_path / "older")
    (older / "test.jsonl").write_text('{"id": "a1", "labels": ["red"]}\n', "utf-8")
    with pytest.raises(InputError, match="its rows do not say what the model decided"):
        held_out(older, scores)
