"""The inflation study: what shared outlets and copies add to a score under a random split, and what they do not."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from color_articles import PLAIN, color_rows, write_rows

from newsclf.errors import DataError
from newsclf.scores.metrics import accuracy, macro_f1
from newsclf.training import inflation as study
from newsclf.training.experiment import Experiment
from newsclf.training.inflation import GAINS, WAYS, inflation
from newsclf.training.prepared import Prepared

OUTLETS = "split.keep_together=[near_duplicate, outlet]"


def outlet_rows(outlets=12, of_each=8, seed=1):
    """Articles whose color is that of their outlet, which shows in nothing but a word of the outlet's own."""
    dice = random.Random(seed)
    return [
        {
            "id": f"{outlet}-{number}",
            "text": " ".join(dice.choices(PLAIN.split(), k=30) + [f"housestyle{outlet}"] * 8) + ".",
            "labels": "red" if outlet % 2 else "blue",
            "outlet": f"Outlet {outlet}",
        }
        for outlet in range(outlets)
        for number in range(of_each)
    ]


def copied_rows(stories=90, seed=2):
    """Stories whose words hardly tell their color, each in two outlets."""
    dice = random.Random(seed)
    rows = []
    for story in range(stories):
        words = [*dice.choices([f"{word}{dice.randrange(40)}" for word in PLAIN.split()], k=40), "red" if story % 4 == 1 else "plain"]
        for copy in range(2):
            text = " ".join([f"lede{copy}", *words])
            rows.append(
                {"id": f"story-{story}-{copy}", "text": text, "labels": "red" if story % 2 else "blue", "outlet": f"Wire {(story + 3 * copy) % 8}"}
            )
    return rows


def prepared_of(folder, rows, *settings):
    write_rows(folder / "corpus.jsonl", rows)
    return Prepared.read(Experiment.load(folder / "config.yaml", settings))


def gains_of(found, metric=0):
    return {name: gain.estimate for name, gain in found.metrics[metric].gains.items()}


def test_labels_that_hang_on_the_outlet_are_inflated_by_what_is_shared_and_not_by_copies(small):
    prepared = prepared_of(small, outlet_rows(44, 5), OUTLETS, "learner.C=10")
    found = inflation(prepared, prepared.part())
    gains = gains_of(found)
    assert gains["inflation"] > 0.25
    assert gains["rest"] == pytest.approx(gains["inflation"])  # there are no copies: both random ways are one
    assert found.metrics[0].gains["inflation"].low > 0
    assert found.sentences()[0].startswith("A random split would inflate the score: +")
    assert "0.0 by near-duplicates" in found.sentences()[0]


def test_copies_inflate_where_only_they_tell_the_label(small):
    prepared = prepared_of(small, copied_rows(), "learner.C=10", "learner.min_df=1")
    part = prepared.part()
    assert (part == "test").sum() >= 20
    gains = gains_of(inflation(prepared, part))
    assert gains["copies"] > 0.1
    assert gains["copies"] > gains["rest"]


def test_a_random_split_adds_nothing_where_the_words_tell_the_label(small):
    prepared = prepared_of(small, color_rows(40), OUTLETS)
    found = inflation(prepared, prepared.part())
    assert gains_of(found)["inflation"] == pytest.approx(0, abs=0.05)
    assert found.sentences()[0].endswith("(no interval), which may be chance.")
    # one outlet of four is tested on: nothing to resample
    assert (found.clusters, found.cluster_kind) == (1, "groups by outlet")
    assert found.metrics[0].gains["inflation"].low is None
    assert found.sentences()[1] == "From fewer than 20 groups by outlet (here 1) an interval promises more than it keeps."


def test_parts_of_the_inflation_add_up_to_the_whole(small):
    prepared = prepared_of(small, [*outlet_rows(), *copied_rows(20)], OUTLETS)
    found = inflation(prepared, prepared.part())
    for measured in found.metrics:
        gains = {name: gain.estimate for name, gain in measured.gains.items()}
        assert gains["copies"] + gains["rest"] == pytest.approx(gains["inflation"])
        for name, (_, lower, upper) in GAINS.items():
            assert measured.scores[upper] - measured.scores[lower] == pytest.approx(gains[name])


@pytest.fixture
def trials(monkeypatch):
    """What each model learned from and was tested on, and what it said."""
    seen = []
    real = study.trial

    def trial(prepared, inside, tested):
        answer = real(prepared, inside, tested)
        seen.append((inside, tested, answer))
        return answer

    monkeypatch.setattr(study, "trial", trial)
    return seen


def test_every_model_learns_from_equally_many_rows_and_every_test_row_is_scored_once_each_way(small, trials):
    prepared = prepared_of(small, [*outlet_rows(), *copied_rows(20)], OUTLETS)
    part = prepared.part()
    found = inflation(prepared, part)
    assert len(trials) == 2 * len(WAYS)
    for at, way in enumerate(WAYS):
        mine = trials[at :: len(WAYS)]
        assert sorted(np.concatenate([tested for _, tested, _ in mine]).tolist()) == np.flatnonzero(part == "test").tolist()
        for inside, tested, _ in mine:
            assert len(set(inside.tolist())) == len(inside) == found.training_rows
            assert not set(inside) & set(tested)
            if way == "strict":
                assert set(part[inside]) == {"train"}
            assert np.isin(prepared.story[inside], prepared.story[tested]).any() == (way == "random")
        rows = np.concatenate([tested for _, tested, _ in mine])
        decided = np.concatenate([decided for _, _, (_, decided) in mine])
        scores = [measured.scores[way] for measured in found.metrics]
        assert scores == pytest.approx([accuracy(prepared.every.truth[rows], decided), macro_f1(prepared.every.truth[rows], decided)])
    other_half = np.isin(trials[2][0], trials[3][1])
    assert other_half.any()  # the random split learns from the other half of the test articles


def test_two_studies_of_a_split_give_the_same_numbers(small):
    prepared = prepared_of(small, outlet_rows(), OUTLETS)
    part = prepared.part()
    assert inflation(prepared, part) == inflation(prepared, part)


def test_models_of_the_random_ways_choose_by_random_folds(small, monkeypatch):
    kept = []
    real = study.trial

    def trial(prepared, inside, tested):
        kept.append(prepared.experiment.split.keep_together)
        return real(prepared, inside, tested)

    monkeypatch.setattr(study, "trial", trial)
    prepared = prepared_of(small, outlet_rows(), OUTLETS)
    inflation(prepared, prepared.part())
    assert kept == 2 * [("near_duplicate", "outlet"), ("near_duplicate",), ("near_duplicate",)]


def test_rows_of_one_article_are_never_parted(small, trials):
    book = "codebook={task: view, kind: exclusive, labels: [red, blue], targets: [market, town]}"
    other = {"red": "blue", "blue": "red"}
    rows = [{**row, "labels": {"market": row["labels"], "town": other[row["labels"]]}} for row in color_rows(30)]
    prepared = prepared_of(small, rows, book)
    found = inflation(prepared, prepared.part())
    assert found.rows == 2 * found.articles
    for inside, tested, _ in trials:
        assert not np.isin(prepared.every.pairs.rows[inside], prepared.every.pairs.rows[tested]).any()


def test_multi_label_tasks_are_measured_by_micro_and_macro_f1(small):
    prepared = prepared_of(small, color_rows(20), "codebook={task: color, kind: multi, labels: [red, blue]}")
    assert [measured.metric for measured in inflation(prepared, prepared.part()).metrics] == ["micro_f1", "macro_f1"]


def test_it_prints_a_table_and_gives_plain_values(small):
    prepared = prepared_of(small, outlet_rows(), OUTLETS)
    found = inflation(prepared, prepared.part())
    text, plain = found.text(), found.as_dict()
    assert f"{found.rows:,} test rows, {found.training_rows:,} training rows for every model" in text
    for title in WAYS.values():
        assert f"\n  {title} " in text
    assert json.loads(json.dumps(plain)) == plain
    first = plain["metrics"][0]
    assert [way["key"] for way in first["ways"]] == list(WAYS)
    assert [gain["key"] for gain in first["differences"]] == list(GAINS)
    assert first["differences"][0]["points"] == pytest.approx(100 * (first["ways"][2]["estimate"] - first["ways"][0]["estimate"]))
    assert plain["sentences"] == found.sentences()


def test_too_few_test_articles_are_an_error(small):
    prepared = prepared_of(small, color_rows(12))
    part = np.where(np.arange(24) < 9, "test", "train")
    with pytest.raises(DataError, match=r"the split has 9 articles to test on; 10 or more are needed"):
        inflation(prepared, part)


def test_training_rows_of_one_label_are_an_error_before_any_model_is_made(small, trials):
    prepared = prepared_of(small, color_rows(20))
    red = prepared.every.truth[:, 0]
    with pytest.raises(DataError, match=r"in one of these draws stand only 1 of the 2 labels; 2 are needed"):
        inflation(prepared, np.where(red, "train", "test"))
    assert not trials


def test_a_label_that_a_draw_has_not_is_missed_and_no_error(small):
    prepared = prepared_of(small, color_rows(20), "codebook={task: color, kind: exclusive, labels: [red, blue, green]}")
    found = inflation(prepared, prepared.part())
    assert 0 <= found.metrics[0].scores["strict"] <= 1
