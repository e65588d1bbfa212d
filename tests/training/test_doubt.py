"""What doubtful articles cost: a description of the test rows that adds up."""

from types import SimpleNamespace

import numpy as np

from newsclf.scores.abstain import risk_coverage
from newsclf.scores.sets import LabelSets
from newsclf.training.doubt import doubt, points, spared

BOTH = np.eye(2, dtype=bool)


def answered(sure, right):
    """Rows of two labels, the first one coded, answered as surely as this."""
    sure, right = np.array(sure), np.array(right)
    probabilities = np.column_stack([np.where(right, sure, 1 - sure), np.where(right, 1 - sure, sure)])
    return probabilities, BOTH[np.zeros(len(sure), int)]


def bundle(kind="exclusive", sets=None, **about):
    return SimpleNamespace(codebook=SimpleNamespace(kind=kind), decision=SimpleNamespace(sets=sets), about=about)


def test_the_curve_ends_with_all_rows():
    found = points(risk_coverage(*answered([0.9, 0.8, 0.7, 0.6], [True, True, False, False])))
    assert found[-1] == {"share": 1.0, "accuracy": 0.5, "below": 0.6}
    assert found[0]["accuracy"] == 1.0


def test_what_a_person_would_have_been_sent_is_counted():
    curve = risk_coverage(*answered(np.linspace(0.6, 0.99, 20), np.arange(20) >= 4))
    assert spared(curve) == (
        "Of all test rows 80.0 % are answered rightly; with the least sure tenth (2 of 20) sent to a person, of the rest 88.9 %; with the least sure "
        "fifth (4 of 20) sent to a person, of the rest 100.0 %. This describes these rows and promises nothing of others."
    )


def test_rows_without_an_error_or_an_order_cannot_tell():
    assert "cannot tell" in spared(risk_coverage(*answered([0.9, 0.8], [True, True])))
    assert spared(risk_coverage(*answered([0.8] * 4, [True, True, True, False]))) == ""


def test_sets_are_held_against_the_test_rows():
    probabilities, truth = answered([0.9, 0.9, 0.9, 0.55], [True, True, False, False])
    sets = LabelSets(0.9, "lac", np.array([0.6, 0.6]), size=1.1)
    found = doubt(bundle(sets=sets), truth, probabilities, np.arange(4))["sets"]
    assert found["estimate"] == 0.75  # the row that is wrong but unsure has both labels
    assert (found["asked"], found["size"], found["single"], found["empty"]) == (0.9, 1.25, 0.75, 0.0)
    assert found["low"] <= 0.75 <= found["high"]


def test_what_was_promised_is_said_as_a_sentence():
    probabilities, truth = answered([0.9, 0.8], [True, False])
    found = doubt(bundle(abstention="send 3 % to a person"), truth, probabilities, np.arange(2))
    assert found["promises"] == ["Send 3 % to a person."]
    assert found["sets"] is None


def test_a_multi_label_task_has_none_of_it():
    probabilities, truth = answered([0.9], [True])
    assert not any(doubt(bundle(kind="multi"), truth, probabilities, np.arange(1)).values())
