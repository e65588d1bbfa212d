"""What stands on the terminal is what the answers say, in lines that fit."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import newsclf
from newsclf.article import Evidence, Phrase, Prediction, Reading
from newsclf.bundle import Bundle
from newsclf.corpus.coded import CodedSpec
from newsclf.render import BAR, LONGEST, WIDTH, evaluation_text, prediction_text, reading_text
from newsclf.training.evaluate import evaluate_corpus

ROOT = Path(__file__).resolve().parent.parent
PROBABILITIES = {"red": 0.25, "blue": 0.75}


def prediction(**changes) -> Prediction:
    return Prediction(**({"task": "color", "labels": ("blue",), "probabilities": PROBABILITIES} | changes))


def sentence(text: str, *phrases: str, label: str = "blue") -> Evidence:
    return Evidence(label, "text", 0, len(text), text, 1.0, tuple(Phrase(phrase, 0.5) for phrase in phrases))


def test_labels_come_most_probable_first_with_a_bar_and_a_mark_at_those_given():
    lines = prediction_text(prediction(), "color").splitlines()
    assert lines == ["color: blue", f"  ● blue  75.0%  {'█' * 15}", f"    red   25.0%  {'█' * 5}"]
    assert BAR == 20


def test_a_label_without_any_probability_has_no_bar_and_no_blanks_at_the_end():
    text = prediction_text(prediction(probabilities={"red": 0.0, "blue": 1.0}), "color")
    assert text.splitlines()[-1] == "    red    0.0%"


def test_several_labels_and_none_are_told_apart():
    assert prediction_text(prediction(labels=("blue", "red")), "t").startswith("t: blue, red\n")
    assert prediction_text(prediction(labels=()), "t").startswith("t: none of the labels\n")


def test_an_abstention_tells_why_it_may_be():
    assert prediction_text(prediction(labels=(), abstained=True), "color") == "color: no answer (not sure enough)"
    stance = prediction(labels=(), abstained=True, target="wall")
    assert prediction_text(stance, "stance toward wall") == "stance toward wall: no answer (not mentioned, or not sure enough)"


def test_a_set_stands_below_the_probabilities_and_below_no_answer():
    assert prediction_text(prediction(label_set=("blue", "red")), "color").splitlines()[3:] == ["  set: blue, red"]
    assert prediction_text(prediction(label_set=()), "color").splitlines()[3:] == ["  set: empty (no label is likely enough)"]
    silent = prediction(labels=(), abstained=True, label_set=("blue", "red"))
    assert prediction_text(silent, "color").splitlines() == ["color: no answer (not sure enough)", "  set: blue, red"]


def test_sentences_stand_under_their_label_with_their_phrases():
    pieces = (sentence("The sea.", "sea", "the sea"), sentence("A rose.", label="red"), sentence("The sky."))
    assert prediction_text(prediction(evidence=pieces), "color").splitlines()[3:] == [
        "  why blue:",
        "    “The sea.”  [sea, the sea]",
        "    “The sky.”",
        "  why red:",
        "    “A rose.”",
    ]


def test_a_sentence_that_an_encoder_read_tells_how_much_is_the_encoders_and_in_which_window():
    pieces = [
        replace(sentence("The sea.", "sea"), encoder=given, window=at, windows=of) for given, at, of in ((1.25, 2, 3), (-0.001, 0, 3), (1.25, 1, 1))
    ]
    assert prediction_text(prediction(evidence=tuple(pieces)), "color").splitlines()[4:] == [
        "    “The sea.”  [sea]  (words -0.25, encoder +1.25, window 2 of 3)",
        "    “The sea.”  [sea]  (words +1.00, encoder +0.00)",
        "    “The sea.”  [sea]  (words -0.25, encoder +1.25)",
    ]


def test_a_long_sentence_is_wrapped_and_cut():
    text = prediction_text(prediction(evidence=(sentence("word " * 200, "word"),)), "color")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert " ".join(text.split()).endswith("word word …” [word]")
    assert LONGEST / 5 - 5 <= text.count("word") <= LONGEST / 5 + 1


def test_a_sentence_without_spaces_is_cut_and_not_left_out():
    text = prediction_text(prediction(evidence=(sentence("電" * 1000),)), "color")
    assert text.count("電") == LONGEST
    assert text.endswith(" …”")


def test_a_reading_has_a_block_for_each_task_and_each_target_that_it_answers(models):
    reading = newsclf.load(*models.values()).predict(
        newsclf.Article(title="Finish the border wall", text="The border wall must be finished. Agents arrested nine people near it on Monday.")
    )
    blocks = reading_text(reading).split("\n\n")
    headings = ["topic: ", "framing: ", "stance toward border wall: ", "stance: no answer toward mass deportation, "]
    assert [block.startswith(heading) for block, heading in zip(blocks, headings, strict=True)] == [True] * 4
    for label, probability in reading["topic"].probabilities.items():
        assert re.search(rf"^  (●| ) {label} +{probability:.1%}", blocks[0], re.MULTILINE)
    assert "“The border wall must be finished.”" in "\n".join(blocks)
    assert reading_text(Reading()) == ""


def test_an_evaluation_is_a_headline_and_a_table_that_lines_up(models):
    bundle, _ = Bundle.load(models["topic"])
    metrics, _ = evaluate_corpus(bundle, CodedSpec(path=(str(ROOT / "data" / "articles.jsonl"),), labels="topic"))
    title, headline, blank, head, *rows = evaluation_text(metrics, title="topic: tested").splitlines()
    assert (title, blank) == ("topic: tested", "")
    assert headline.split() == [word for name, value in metrics.summary.items() for word in (*name.split("_"), f"{value:.3f}")]
    assert len({len(line) for line in (head, *rows)}) == 1
    assert [row.split() for row in rows] == [
        [row["label"], *(f"{row[name]:.3f}" for name in ("precision", "recall", "f1")), str(row["support"])] for row in metrics.labels
    ]


def test_targets_without_an_answer_share_one_line():
    silent = prediction(task="stance", labels=(), abstained=True, target="wall")
    shown = reading_text({"stance": Reading({"wall": silent, "visas": silent})})
    assert shown == "stance: no answer toward wall, visas (not mentioned, or not sure enough)"
