"""Evaluation: the same code as prediction, on the same rows, with the same answers."""

from __future__ import annotations

import numpy as np
import pytest
from color_articles import color_rows, write_rows

from newsclf.article import Article, Example
from newsclf.bundle import Bundle
from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanSpec
from newsclf.corpus.coded import Coded, CodedSpec
from newsclf.errors import DataError
from newsclf.training.evaluate import evaluate, evaluate_corpus, parents_of, prepare
from newsclf.training.run import train

STANCE = Codebook.parse({"task": "view", "kind": "exclusive", "labels": ["FAVOR", "AGAINST", "none"], "targets": ["market", "town"]}, where="here")
COLOR = Codebook.parse({"task": "color", "kind": "exclusive", "labels": ["red", "blue"]}, where="here")


def stances(*articles):
    return [Example(article, (label,), target) for article in articles for target, label in (("market", "FAVOR"), ("town", "none"))]


@pytest.fixture
def trained(small):
    """A model of colors, and a file that it has been tested on."""
    write_rows(small / "corpus.jsonl", color_rows())
    held = write_rows(small / "held.jsonl", color_rows(5, seed=1, prefix="held-"))
    return train(small / "config.yaml", [f"data.test={held}"]), held


# prepare


def test_the_targets_of_an_article_share_its_text():
    articles = [Article(text="The market opened.", id="a"), Article(text="The town slept.", title="Night", id="b")]
    pairs = prepare(Coded(stances(*articles)), STANCE, CleanSpec(), on_error="fail")
    assert len(pairs) == 4
    assert [item.article.id for item in pairs.articles] == ["a", "b"]
    assert pairs.pairs.rows.tolist() == [0, 0, 1, 1]
    assert list(pairs.pairs.targets) == ["market", "town", "market", "town"]
    assert pairs.truth.tolist() == [[True, False, False], [False, False, True]] * 2
    assert (pairs.pairs.documents.titles[1], pairs.pairs.documents.texts[1]) == ("Night", "The town slept.")


def test_what_is_read_is_what_is_left_after_cleaning():
    pairs = prepare(Coded([Example(Article(text="Advertisement\n\nA rose."), ("red",))]), COLOR, CleanSpec(), on_error="fail")
    assert pairs.pairs.documents.texts == ["A rose."]
    assert not pairs.pairs.targets


def test_an_article_of_which_nothing_is_left_is_set_aside_once_with_all_its_targets():
    junk, good = Article(text="Advertisement", place="c:1"), Article(text="The market opened.", place="c:2")
    coded = Coded(stances(junk, good))
    pairs = prepare(coded, STANCE, CleanSpec(), on_error="quarantine")
    assert [(row.place, row.reason[:40]) for row in coded.quarantined] == [("c:1", "nothing is left of the text after cleani")]
    assert pairs.pairs.rows.tolist() == [0, 0]


def test_an_article_of_which_nothing_is_left_is_an_error_where_rows_must_not_fail():
    coded = Coded([Example(Article(text="Advertisement", place="c:1"), ("red",))])
    with pytest.raises(DataError, match=r"^c:1: nothing is left .*on_error: quarantine"):
        prepare(coded, COLOR, CleanSpec(), on_error="fail")


def test_some_rows_can_be_taken_and_documents_stay():
    articles = [Article(text=f"The market opened {number} times.") for number in range(3)]
    pairs = prepare(Coded(stances(*articles)), STANCE, CleanSpec(), on_error="fail").take(np.array([5, 2]))
    assert [(example.article.text[18:19], example.target) for example in pairs.examples] == [("2", "town"), ("1", "market")]
    assert pairs.pairs.rows.tolist() == [2, 1]
    assert list(pairs.pairs.targets) == ["town", "market"]
    assert pairs.truth.tolist() == [[False, False, True], [True, False, False]]
    assert len(pairs.pairs.documents) == 3


# evaluate


def test_a_corpus_is_evaluated_as_training_evaluated_it(trained):
    result, held = trained
    metrics, coded = evaluate_corpus(Bundle.load(result.model)[0], CodedSpec(path=(str(held),)))
    assert metrics.as_dict() == result.metrics.as_dict()
    assert metrics.probabilities.tolist() == result.metrics.probabilities.tolist()
    assert (coded.uncoded, coded.quarantined) == (0, [])


def test_evaluation_and_prediction_give_the_same_answers(trained):
    result, _ = trained
    answers = result.bundle.predict([row["text"] for row in color_rows(5, seed=1)], sentences=0)
    assert [list(answer.probabilities.values()) for answer in answers] == result.metrics.probabilities.tolist()
    assert [[label in answer.labels for label in ("red", "blue")] for answer in answers] == result.metrics.decided.tolist()


def test_rows_without_a_code_are_counted_and_left(trained):
    result, held = trained
    write_rows(held, [*color_rows(2, seed=1), {"id": "x", "text": "A road.", "labels": None}])
    metrics, coded = evaluate_corpus(result.bundle.bundle, CodedSpec(path=(str(held),)))
    assert (metrics.rows, coded.uncoded) == (4, 1)


def test_bad_rows_are_set_aside_where_that_is_asked_for(trained):
    result, held = trained
    write_rows(held, [*color_rows(2, seed=1), {"id": "x", "text": "", "labels": "red"}, {"id": "y", "text": "Advertisement", "labels": "red"}])
    _, coded = evaluate_corpus(result.bundle.bundle, CodedSpec(path=(str(held),), on_error="quarantine"))
    assert [row.place for row in coded.quarantined] == [f"{held}:5", f"{held}:6"]


@pytest.mark.parametrize("rows", [[], [{"text": "A road.", "labels": None}]], ids=["empty", "uncoded"])
def test_a_corpus_without_a_code_is_named_with_its_rows(trained, rows):
    result, held = trained
    write_rows(held, rows)
    with pytest.raises(DataError, match=rf"held\.jsonl'?: no row is coded for the task 'color' \(rows without a code: {len(rows)}, unusable: 0\)"):
        evaluate_corpus(result.bundle.bundle, CodedSpec(path=(str(held),)))


def test_no_rows_are_no_evaluation(trained):
    result, _ = trained
    with pytest.raises(DataError, match="no coded article to evaluate on"):
        evaluate(result.bundle.bundle, prepare(Coded(), COLOR, CleanSpec(), on_error="fail"))


def test_metrics_are_plain_rounded_values(trained):
    said = trained[0].metrics.as_dict()
    assert set(said) == {"rows", "summary", "labels"}
    assert said["summary"]["log_loss"] == round(trained[0].metrics.summary["log_loss"], 6)
    assert {type(value) for row in said["labels"] for value in row.values()} == {str, float, int}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(["FAVOR", "AGAINST", "none"], True), (["against", "Favor"], True), (["for", "against"], False), (["favor", "none"], False)],
)
def test_stances_for_and_against_get_the_figure_of_their_shared_task(small, labels, expected):
    rows = color_rows()
    for number, row in enumerate(rows):
        row["labels"] = {"market": labels[number % len(labels)]}
    write_rows(small / "corpus.jsonl", rows)
    codebook = f"codebook={{task: view, kind: exclusive, labels: [{', '.join(labels)}], targets: [market]}}"
    result = train(small / "config.yaml", [codebook, "split.test=0.4"])
    assert ("f_avg" in result.metrics.summary) is expected
    if expected:
        sides = [row["f1"] for row in result.metrics.labels if row["label"].lower() in ("favor", "against")]
        assert result.metrics.summary["f_avg"] == pytest.approx(np.mean(sides))


# hierarchical


def test_labels_with_parents_are_scored_along_the_tree(small):
    codebook = "codebook={task: color, kind: multi, labels: {warm: Warm colors., red: {definition: Red., parent: warm}, blue: Blue.}}"
    rows = color_rows()
    for row in rows:
        row["labels"] = {"red": ["red", "warm"], "blue": ["blue"]}[row["labels"]]
    write_rows(small / "corpus.jsonl", rows)
    summary = train(small / "config.yaml", [codebook]).metrics.summary
    assert {"hierarchical_precision", "hierarchical_recall", "hierarchical_f1"} <= summary.keys()
    assert summary["hierarchical_f1"] == pytest.approx(summary["micro_f1"])  # the codes have the parents in them already


def test_the_parent_of_a_label_is_a_column():
    tree = {"a": {"definition": "A.", "parent": "b"}, "b": "B."}
    assert parents_of(Codebook.parse({"task": "t", "kind": "multi", "labels": tree}, where="here")) == [1, None]
    assert parents_of(COLOR) == []
