"""Learning curves of finished runs: what is dealt out, what is measured, and what is written down."""

import json

import numpy as np
import pytest
from color_articles import color_rows
from studied_runs import run_of

from newsclf.errors import DataError, InputError, OutputError
from newsclf.scores.curves import fit_curve
from newsclf.training.beside import write_beside
from newsclf.training.plan import FEWEST, SHARES, LabelPlan, _articles, _parts, as_if_new, plan
from newsclf.training.prepared import revisit


def subtle(rows):
    """The rows with two words of their color each, which takes more than a few articles to learn."""
    return [{**row, "text": " ".join([*row["text"].split()[:2], *row["text"].split()[12:]])} for row in rows]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on 120 articles, of which every tenth has a copy that says one word more."""
    rows = subtle(color_rows(60))
    copies = [{**row, "id": f"{row['id']}-copy", "text": f"{row['text']} again"} for row in rows[::10]]
    return run_of(tmp_path_factory.mktemp("plan"), rows + copies)


@pytest.fixture(scope="module")
def found(run):
    return plan(run, repeats=3)


def test_more_articles_score_better_and_the_sentences_say_so(found):
    assert found.scores.shape == (len(SHARES), 3)
    assert found.scores[-1].mean() > found.scores[0].mean()
    grown, gain, luck = found.sentences()
    assert grown.startswith(f"With {found.curve.sizes[0]} coded articles macro-F1 is 0.")
    assert f"with all {found.articles} about" in grown
    assert gain == found.plan.note[0].upper() + found.plan.note[1:]
    assert "not in them" in luck


def test_what_is_written_is_what_was_found(run, found):
    written = json.loads((run / "plan.json").read_text("utf-8"))
    assert written == found.as_dict()
    assert [point["articles"] for point in written["points"]] == found.curve.sizes.tolist()
    assert all(point["low"] <= point["mean"] <= point["high"] and len(point["scores"]) == 3 for point in written["points"])
    assert written["curve"][-1]["articles"] == 2 * found.articles
    assert all(0 <= point["low"] <= point["estimate"] <= point["high"] <= 1 for point in written["curve"] if point["estimate"] <= 1)
    assert written["metric"] == "macro_f1"


def test_a_second_time_gives_the_same_and_another_seed_deals_out_anew(run, found):
    assert np.array_equal(plan(run, repeats=3).scores, found.scores)
    prepared, part = revisit(run)
    inside = np.flatnonzero(part == "train")
    one, other = (next(_parts(prepared, inside, seed)).tolist() for seed in (0, 1))
    assert one != other


def test_parts_grow_keep_copies_together_and_spread_the_labels(run):
    prepared, part = revisit(run)
    inside = np.flatnonzero(part == "train")
    before = np.array([], np.int64)
    for share, rows in zip(SHARES, _parts(prepared, inside, 7), strict=True):
        assert set(before) < set(rows) < set(inside)
        assert len(rows) == pytest.approx(share * len(inside), abs=3)
        rest = np.setdiff1d(inside, rows)
        assert not set(prepared.story[rows]) & set(prepared.story[rest])
        assert abs(prepared.every.truth[rows].mean(axis=0)[0] - 0.5) < 0.2
        before = rows


def test_articles_are_counted_once_however_many_rows_they_have(run):
    prepared, _ = revisit(run)
    assert _articles(prepared, np.array([3, 4, 3, 3])) == 2


def test_deviations_grow_to_those_of_articles_drawn_anew():
    scores = np.array([[0.4, 0.6], [0.49, 0.51]])
    assert as_if_new(scores, np.array([0.0, 0.99])) == pytest.approx(np.array([[0.4, 0.6], [0.4, 0.6]]))
    assert as_if_new(np.array([[0.9, 1.0]]), np.array([0.99])).max() == 1  # a score stays one


def test_parts_of_one_corpus_say_as_much_as_corpora_of_their_own():
    """Means of parts of 500 numbers, scaled, are as far apart as means of as many new numbers."""
    chance = np.random.default_rng(0)
    shares = np.array([0.2, 0.5, 0.9])
    spread = []
    for _ in range(200):
        luck = chance.normal(0, 0.5, size=500)
        orders = [chance.permutation(luck) for _ in range(5)]
        means = 0.5 + np.array([[order[: int(share * 500)].mean() for order in orders] for share in shares])
        spread.append(as_if_new(means, shares).var(axis=1, ddof=1))
    assert np.sqrt(np.mean(spread, axis=0)) == pytest.approx(0.5 / np.sqrt(shares * 500), rel=0.1)


def test_the_table_has_a_line_for_each_size():
    sizes, scores = [10, 15, 22, 33, 50], np.array([[0.5, 0.6, 0.55], [0.6, 0.6, 0.6], [0.65, 0.62, 0.6], [0.7, 0.68, 0.7], [0.72, 0.7, 0.71]])
    curve = fit_curve(sizes, scores)
    text = LabelPlan(56, curve, scores, curve.plan(0.02, now=56)).text()
    assert text.splitlines()[:2] == ["articles  macro F1   lowest to highest of 3", "      10     0.550   0.500 to 0.600"]
    assert text.count("\n") == 5 + 1 + 3


def test_too_few_articles_are_told_from_enough(tmp_path):
    run = run_of(tmp_path, color_rows(20))
    with pytest.raises(DataError, match=rf"takes {FEWEST} coded articles or more to learn from, near-duplicates counted once; this run has 30\."):
        plan(run)
    assert not (run / "plan.json").exists()


def test_a_part_that_no_model_can_be_made_of_is_named(tmp_path):
    # two blue articles in 90: the smallest part has none
    rows = [row for row in color_rows(100) if row["labels"] == "red" or row["id"] in ("blue-0", "blue-1", "blue-2")]
    run = run_of(tmp_path, rows, "split.test=0.3")
    with pytest.raises(DataError, match=r"^no learning curve: from \d+ of the training rows no model can be made: the training rows have only"):
        plan(run, repeats=3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [({"gain": 2.0}, "the gain is a difference .* not 2.0"), ({"gain": float("nan")}, "not nan"), ({"repeats": 2}, "3 repeats or more, not 2")],
)
def test_what_cannot_be_asked_is_said_before_anything_is_read(tmp_path, arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        plan(tmp_path, **arguments)


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(InputError, match="not the folder of a finished run"):
        plan(tmp_path)


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"plan\.json: cannot be written: "):
        write_beside(tmp_path / "gone", "plan.json", {})
