"""What is said before a number is printed."""

import pytest

from newsclf.training.verdicts import verdicts


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
