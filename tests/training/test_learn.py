"""Learning from some rows of a prepared corpus, and revisiting those of a finished run."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from color_articles import color_rows, write_rows

from newsclf.corpus.split import SplitSpec
from newsclf.errors import ConfigError, DataError, InputError
from newsclf.inference.predictor import Predictor
from newsclf.training import prepared as preparing
from newsclf.training.experiment import Experiment
from newsclf.training.learn import learn, trial
from newsclf.training.prepared import Prepared, revisit
from newsclf.training.run import train


@pytest.fixture
def prepared(small):
    write_rows(small / "corpus.jsonl", color_rows())
    return Prepared.read(Experiment.load(small / "config.yaml"))


def test_one_preparation_is_split_in_several_ways(prepared):
    first, again, other = prepared.part(), prepared.part(), prepared.part(SplitSpec(seed=5, test=0.5))
    assert first.tolist() == again.tolist()
    assert (other == "test").sum() > (first == "test").sum() > 0


def test_learning_takes_the_rows_that_it_is_given_and_no_others(prepared):
    inside = np.flatnonzero(prepared.part() == "train")
    learned = learn(prepared, inside)
    assert [item.article.id for item in learned.rows.examples] == [prepared.every.examples[row].article.id for row in inside.tolist()]
    assert len(learned.fitted.heldout) == len(inside)


def test_a_trial_gives_what_the_learned_model_gives(prepared):
    part = prepared.part()
    inside, outside = np.flatnonzero(part == "train"), np.flatnonzero(part == "test")
    probabilities, decided = trial(prepared, inside, outside)
    expected = learn(prepared, inside).bundle.answer(prepared.every.take(outside).pairs)
    assert probabilities.tolist() == expected[0].tolist()
    assert decided.tolist() == expected[1].tolist()


def test_a_trial_of_one_label_is_refused(prepared):
    truth = prepared.every.truth
    with pytest.raises(DataError, match="have only the label"):
        trial(prepared, np.flatnonzero(~truth[:, 0]), np.flatnonzero(truth[:, 0]))


def test_a_trial_never_gives_a_label_that_it_has_no_row_of(small):
    green = [{"id": f"green-{number}", "text": f"Meadows and moss of town {number}.", "labels": "green"} for number in range(3)]
    write_rows(small / "corpus.jsonl", [*color_rows(), *green])
    codebook = {"task": "color", "kind": "exclusive", "labels": ["green", "red", "blue"]}
    prepared = Prepared.read(Experiment.load(small / "config.yaml", [f"codebook={json.dumps(codebook)}"]))
    truth = prepared.every.truth
    inside, outside = np.flatnonzero(~truth[:, 0]), np.flatnonzero(truth[:, 0])
    probabilities, decided = trial(prepared, inside, outside)
    assert probabilities[:, 0].tolist() == [0, 0, 0]
    assert probabilities.sum(axis=1) == pytest.approx([1, 1, 1])
    assert not decided[:, 0].any()
    assert decided.any(axis=1).all()


@pytest.mark.parametrize("method", ["platt", "isotonic", "temperature", "auto"])
def test_the_calibration_of_the_config_is_that_of_the_saved_model(small, method):
    write_rows(small / "corpus.jsonl", color_rows())
    result = train(small / "config.yaml", [f"calibration={method}"])
    chosen = json.loads((result.run / "metrics.jsonl").read_text("utf-8").splitlines()[0])
    assert chosen["calibration"] == ("platt" if method == "auto" else method)
    knots = json.loads((result.model / "manifest.json").read_text("utf-8"))["calibration"].get("knots")
    assert (knots is not None) == (method == "isotonic")
    assert sum(Predictor(result.model).predict("A red rose on a red fence.").probabilities.values()) == pytest.approx(1)


def test_a_calibration_that_there_is_not_is_named(small):
    write_rows(small / "corpus.jsonl", color_rows())
    with pytest.raises(ConfigError, match="calibration"):
        Experiment.load(small / "config.yaml", ["calibration=plat"])


def test_a_finished_run_is_revisited_with_its_own_split(small):
    write_rows(small / "corpus.jsonl", color_rows())
    result = train(small / "config.yaml", ["split.seed=7"])
    prepared, part = revisit(result.run)
    recorded = [json.loads(line)["part"] for line in (result.run / "split.jsonl").read_text("utf-8").splitlines()]
    assert part.tolist() == recorded
    assert prepared.experiment.split.seed == 7


def test_a_folder_that_is_no_run_cannot_be_revisited(small):
    with pytest.raises(InputError, match="not the folder of a finished run; name the one that training prints"):
        revisit(small)


def test_a_run_whose_corpus_is_gone_cannot_be_revisited(small):
    write_rows(small / "corpus.jsonl", color_rows())
    result = train(small / "config.yaml")
    (small / "corpus.jsonl").unlink()
    with pytest.raises(DataError, match=r"corpus\.jsonl"):
        revisit(result.run)


def test_a_run_whose_corpus_has_changed_is_refused(small):
    write_rows(small / "corpus.jsonl", color_rows())
    result = train(small / "config.yaml")
    shutil.copyfile(write_rows(small / "more.jsonl", color_rows(14)), small / "corpus.jsonl")
    with pytest.raises(DataError, match="split"):
        revisit(result.run)


def test_trials_do_not_look_for_the_stories_of_the_whole_corpus_again(prepared, monkeypatch):
    part, compared = prepared.part(), []
    real = preparing.near_duplicates

    def counted(ids, starts, **settings):
        compared.append(len(starts) - 1)
        return real(ids, starts, **settings)

    monkeypatch.setattr(preparing, "near_duplicates", counted)
    inside, outside = np.flatnonzero(part == "train"), np.flatnonzero(part == "test")
    trial(prepared, inside, outside)
    trial(prepared, inside[1:], outside)
    assert compared == [len(inside), len(inside) - 1]  # for the folds, among the rows that are learned from
