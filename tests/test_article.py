"""Predictions and readings: what is asked of them, and their plain form."""

from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from newsclf.article import Article, Evidence, Example, Phrase, Prediction, Reading
from newsclf.errors import InputError

SURE = Prediction("topic", ("crime",), {"crime": 0.9, "world": 0.1})
BOTH = Prediction("framing", ("law", "money"), {"law": 0.8123456789, "money": 0.7}, coverage=0.123456)
TOWARD = Prediction("stance", ("against",), {"for": 0.2, "against": 0.8}, target="border wall")
READING = Reading({"topic": SURE, "stance": Reading({"border wall": TOWARD})})


def test_an_article_needs_a_text_only_and_cannot_be_changed():
    article = Article("A text.")
    assert (article.id, article.title, article.outlet, article.date, article.url, article.place, article.extra) == ("", "", "", "", "", "", {})
    with pytest.raises(FrozenInstanceError):
        article.text = "Another."  # type: ignore[misc]


def test_articles_share_no_columns():
    assert Article("a").extra is not Article("b").extra


def test_the_label_of_an_exclusive_task_is_its_one_label():
    assert SURE.label == "crime"


def test_a_prediction_that_abstained_has_no_label():
    assert Prediction("topic", (), {"crime": 0.5, "world": 0.5}, abstained=True).label is None


def test_several_labels_are_not_asked_for_as_one():
    with pytest.raises(InputError, match=r"the prediction for 'framing' has 2 labels \('law', 'money'\): use \.labels, not \.label\."):
        _ = BOTH.label


def test_a_prediction_as_a_dict_is_plain_json_in_a_fixed_order():
    evidence = Evidence("law", "text", 3, 9, "Six of", 1.23456, (Phrase("six of", 0.98765),))
    plain = Prediction("framing", ("law",), {"law": 0.8123456789}, (evidence,), 0.123456).as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert list(plain) == ["task", "labels", "abstained", "coverage", "probabilities", "evidence"]
    assert plain["coverage"] == 0.1235
    assert plain["probabilities"] == {"law": 0.812346}
    assert plain["evidence"] == [
        {"label": "law", "field": "text", "start": 3, "end": 9, "text": "Six of", "weight": 1.2346, "phrases": [["six of", 0.9877]]}
    ]


def test_evidence_that_an_encoder_read_says_so_in_json():
    evidence = Evidence("law", "text", 3, 9, "Six of", 1.23456, (), encoder=1.0, window=2, windows=3)
    plain = Prediction("framing", ("law",), {"law": 0.8}, (evidence,)).as_dict()["evidence"][0]
    assert list(plain) == ["label", "field", "start", "end", "text", "weight", "ngrams", "encoder", "window", "windows", "phrases"]
    assert (plain["ngrams"], plain["encoder"], plain["window"], plain["windows"]) == (0.2346, 1.0, 2, 3)


def test_a_set_that_was_asked_for_is_told_even_where_it_is_empty():
    assert SURE.label_set is None
    assert "label_set" not in SURE.as_dict()
    for labels in ((), ("crime", "world")):
        plain = replace(SURE, label_set=labels).as_dict()
        assert plain["label_set"] == list(labels)
        assert json.loads(json.dumps(plain)) == plain


def test_only_a_stance_names_its_target():
    assert TOWARD.as_dict()["target"] == "border wall"
    assert "target" not in SURE.as_dict()


def test_a_reading_is_a_mapping_of_task_and_then_of_target():
    assert READING["stance"]["border wall"].label == "against"
    assert (list(READING), len(READING)) == (["topic", "stance"], 2)
    assert dict(READING["stance"].items()) == {"border wall": TOWARD}


def test_a_reading_can_be_asked_whether_it_has_an_answer():
    assert "topic" in READING
    assert "framing" not in READING
    assert READING.get("topic") == SURE
    assert READING.get("framing") is None
    assert READING.get("framing", SURE) is SURE


@pytest.mark.parametrize(
    ("reading", "key", "message"),
    [
        (READING, "topics", "no answer for 'topics' (did you mean 'topic'?); there are answers for 'topic', 'stance'."),
        (READING["stance"], "zebra", "no answer for 'zebra'; there are answers for 'border wall'."),
        (READING, 0, "no answer for 0; there are answers for 'topic', 'stance'."),
        (Reading(), "topic", "no answer for 'topic'; there are answers for none."),
    ],
)
def test_an_answer_that_is_not_there_is_told_with_those_there_are(reading: Reading, key: str, message: str):
    with pytest.raises(InputError) as caught:
        reading[key]
    assert str(caught.value) == message


def test_a_reading_as_a_dict_is_nested_as_its_answers_are():
    assert READING.as_dict() == {"topic": SURE.as_dict(), "stance": {"border wall": TOWARD.as_dict()}}


@pytest.mark.parametrize("value", [READING, BOTH, Example(Article("a", extra={"section": "A1"}), ("law",), coder="c1")])
def test_the_nouns_travel_between_processes(value: object):
    assert pickle.loads(pickle.dumps(value)) == value
