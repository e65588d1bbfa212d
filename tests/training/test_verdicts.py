"""What is said before a number is printed."""

import pytest

from newsclf.training.verdicts import answers, verdicts, weak_slices


def found(**changes):
    headline = [
        {"metric": "accuracy", "estimate": 0.8, "low": 0.7, "high": 0.9},
        {"metric": "macro_f1", "estimate": 0.8, "low": 0.75, "high": 0.85},
    ]
    labels = [{"label": "a", "rows": 100, "f1": 0.8}, {"label": "b", "rows": 50, "f1": 0.7}]
    leaks = [{"kind": "fine", "text": "No copies."}]
    plain = {"headline": headline, "labels": labels, "rows": 150, "clusters": 90, "cluster_kind": "stories", "ece": 0.02}
    return plain | {"leak_verdicts": leaks, "reliability": [{"rows": 300}]} | changes


def said(share=0.5, **changes):
    return {verdict.text: verdict.tone for verdict in verdicts(found(**changes), commonest=("a", share))}


def one(pattern, verdict):
    matching = [(text, tone) for text, tone in verdict.items() if pattern in text]
    assert len(matching) == 1, verdict
    return matching[0]


def test_a_good_run_has_nothing_against_it():
    assert "bad" not in said().values()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"share": 0.75}, "not shown to be better"),
        ({"clusters": 12}, "of 12 stories: the intervals may be too narrow"),
        ({"outlets": 2}, "of 2 outlets: the intervals do not say how it does on others"),
        ({"outlets": 1}, "of one outlet: the intervals do not say how it does on others"),
        ({"ece": 0.2}, "off by 20 points"),
        ({"labels": [{"label": "a", "rows": 9, "f1": 1.0}]}, "Fewer than 10 test rows are coded 'a'"),
        ({"labels": [{"label": "a", "rows": 90, "f1": 0.3}]}, "Do not print 'a' alone"),
        ({"leak_verdicts": [{"kind": "inflates", "text": "Half of them are copies."}]}, "Half of them are copies."),
    ],
)
def test_what_speaks_against_printing_is_said(changes, text):
    assert one(text, said(**changes))[1] == "bad"


def test_a_wide_interval_and_one_that_cannot_be_told_are_said():
    wide = [{"metric": "accuracy", "estimate": 0.8, "low": 0.7, "high": 0.9}, {"metric": "macro_f1", "estimate": 0.7, "low": 0.4, "high": 0.9}]
    assert one("anywhere from 0.40 to 0.90", said(headline=wide))[1] == "bad"
    none = [{"metric": "accuracy", "estimate": 0.8, "low": None, "high": None}, {"metric": "macro_f1", "estimate": 0.7, "low": None, "high": None}]
    assert one("cannot be told", said(headline=none))[1] == "bad"


def test_few_probabilities_are_not_judged():
    assert one("cannot be told from 30", said(ece=0.5, reliability=[{"rows": 30}]))[1] == ""


# the four answers of the first page


NONE = dict.fromkeys(("agreement", "inflation", "plan", "decay"))


def first_page(made=(), **changes):
    headline = [{"metric": "accuracy", "name": "accuracy", "estimate": 0.8, "low": 0.7, "high": 0.9}]
    shown = {"headline": headline, "verdicts": [], "slices": [], "slice_measure": "accuracy", "problems": [], "doubtful": 0, "leak_verdicts": []}
    labels = [{"label": "a", "learned": 90}, {"label": "b", "learned": 30}]
    found = {"rows": 150, "labels_in_order": labels, **shown, **changes}
    return {answer.question.split()[-1].rstrip("?"): answer for answer in answers(found, NONE | dict(made))}


def test_a_number_that_nothing_speaks_against_can_be_printed():
    printable = first_page()["number"]
    assert printable.tone == "good"
    assert printable.sentences == ("Accuracy is 0.80 (0.70 to 0.90) on 150 test rows.", "Nothing was found that speaks against it.")


def test_what_speaks_against_it_is_counted_and_the_first_told():
    bad = [{"tone": "bad", "text": "Too few."}, {"tone": "good", "text": "Fine."}, {"tone": "bad", "text": "Too old."}]
    assert first_page(verdicts=bad)["number"].tone == "bad"
    assert first_page(verdicts=bad)["number"].sentences[1:] == ("2 things speak against it, first:", "Too few.")
    assert first_page(verdicts=bad[:2])["number"].sentences[1:] == ("One thing speaks against it:", "Too few.")


def test_only_a_slice_whose_interval_lies_below_the_whole_is_named():
    slices = [
        {"by": "outlet", "value": "Low", "estimate": 0.4, "low": 0.2, "high": 0.6},
        {"by": "outlet", "value": "Wide", "estimate": 0.4, "low": 0.1, "high": 0.9},
        {"by": "month", "value": "2024-05", "estimate": 0.3, "low": None, "high": None},
    ]
    breaks = first_page(slices=slices)["it"]
    assert breaks.sentences[0] == "It is worse on outlet Low (0.40)."
    assert breaks.section == "slices"
    assert first_page()["it"].section == "leaks"
    assert weak_slices({"headline": [{"name": "accuracy", "estimate": 0.8}], "slice_measure": "accuracy", "slices": slices}) == slices[:1]


def test_studies_speak_for_themselves_and_missing_ones_are_said():
    none = first_page(doubtful=7, problems=[{}])
    assert none["disagrees"].sentences == (
        "No second coding was read, so it is not known how far people agree on these labels.",
        "Models that had not seen them doubt 7 codes of the training rows.",
    )
    assert none["next"].sentences == ("Fewest rows to learn from: b (30), a (90).", "What more articles would buy was not measured.")
    assert none["it"].sentences[-1] == "How it does on later articles was not measured."
    made = {name: {"sentences": (f"The {name}.",)} for name in NONE}
    every = first_page(made)
    assert every["disagrees"].sentences == ("The agreement.",)
    assert every["next"].sentences == ("The plan.", "Fewest rows to learn from: b (30), a (90).")
    assert every["it"].sentences[1:] == ("The inflation.", "The decay.")
