"""What estimates say of every label and group is what a computation by hand gives."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from known_codes import codes_of

from newsclf.estimates.audited import audited, keys_of
from newsclf.estimates.codings import AuditCodings, Coding
from newsclf.estimates.exports import Design
from newsclf.estimates.frame import Scores
from newsclf.estimates.tally import tally
from newsclf.estimates.told import Told
from newsclf.scores.differences import differences
from newsclf.scores.estimate import shares
from newsclf.scores.regress import change, trend


class Study:
    """A corpus, codings of it, and what is told of them."""

    def __init__(self, scores, codings, by, chance=0.5, level=0.95):
        self.codings = AuditCodings(tuple(codings), files=("coded.csv",), design={coding.key: Design(chance) for coding in codings})
        self.found = tally(scores, scores.groups(by), keys_of(self.codings))
        self.rows = audited(self.codings, self.found, scores.codebook, drawn=None)
        self.told = Told(scores, self.found, tuple(by), level)
        self.best = shares(self.rows.sample(), self.told.corpus, self.told.members, scores.codebook.kind)

    def shares(self):
        return {(row["label"], *row["group"].values()): row for row in self.told.shares(self.best)}


@pytest.fixture(scope="module")
def scores(scored):
    return Scores.open(scored, "color")


@pytest.fixture(scope="module")
def codings(corpus_rows):
    return [Coding(row["id"], "", "ada", tuple(codes_of(row, "color"))) for row in corpus_rows[::2]]


@pytest.fixture(scope="module")
def study(scores, codings):
    """Half of the corpus is coded; by outlet and quarter."""
    return Study(scores, codings, ("outlet", "quarter"))


def test_shares_are_the_count_corrected_by_how_it_errs(study, scores, corpus_rows):
    probability = {}
    for chunk in scores.chunks(scores.groups([])):
        probability |= dict(zip(chunk.ids(np.arange(len(chunk.cells))), chunk.probabilities[:, 0].tolist(), strict=True))
    for outlet in ("Harbour Post", "Valley Courier"):
        inside = [row for row in corpus_rows if row["outlet"] == outlet]
        coded = [row for row in corpus_rows[::2] if row["outlet"] == outlet]
        weight = study.best.weight[0]
        model = sum(probability[row["id"]] for row in inside) / len(inside)
        wrong = sum(("red" in codes_of(row, "color")) - weight * probability[row["id"]] for row in coded) / len(coded)
        found = study.shares()["red", outlet]
        assert found["estimate"] == pytest.approx(weight * model + wrong, abs=1e-9)
        assert (found["scored"], found["audited"]) == (len(inside), len(coded))
        assert found["positives"] == sum("red" in codes_of(row, "color") for row in coded)
        assert found["naive"] == pytest.approx(sum(probability[row["id"]] > 0.5 for row in inside) / len(inside))
        assert [found[name] for name in ("total", "total_low", "total_high")] == pytest.approx(
            [found[name] * len(inside) for name in ("estimate", "low", "high")]
        )


def test_a_group_counts_as_much_as_it_has_rows(study, corpus_rows):
    sizes = Counter(row["outlet"] for row in corpus_rows)
    assert {outlet: study.shares()["red", outlet]["scored"] for outlet in sizes} == dict(sizes)
    assert sum(row["scored"] for name, row in study.shares().items() if len(name) == 3 and name[0] == "red") == 600
    assert sum(row["naive"] * row["scored"] for name, row in study.shares().items() if len(name) == 3 and name[0] == "red") == pytest.approx(
        study.shares()["red",]["naive"] * 600
    )


def test_a_refusal_says_how_many_more_codes_it_takes(study, scores, codings):
    refused = study.shares()["red", "Lone Star"]
    assert refused["refused"] == f"{refused['audited']} coded, and 30 are needed: code the other {20 - refused['audited']}"
    assert [refused[name] for name in ("estimate", "low", "high", "total", "total_low", "total_high", "worth")] == [None] * 7
    few = Study(scores, codings[:80], ("outlet",), chance=80 / 600).shares()
    mail = few["red", "Inland Mail"]
    assert mail["refused"] == f"{mail['audited']} coded, and 30 are needed: code about {30 - mail['audited']} more"
    red = [coding for coding in codings if coding.labels == ("red",)][:60]
    every = Study(scores, red, (), chance=0.1).shares()
    assert every["red",]["refused"].startswith("all 60 coded have it: at least ")
    assert every["blue",]["refused"].startswith("none of 60 coded has it: at most ")
    assert every["blue",]["refused"].endswith("more")


def test_a_group_that_is_coded_whole_has_a_share_however_small(scores, corpus_rows):
    whole = [row for row in corpus_rows if row["outlet"] == "Lone Star"]
    codings = [Coding(row["id"], "", "ada", tuple(codes_of(row, "color"))) for row in whole]
    found = Study(scores, codings, ("outlet",), chance=1).shares()["red", "Lone Star"]
    truth = sum("red" in codes_of(row, "color") for row in whole) / 20
    assert (found["estimate"], found["low"], found["high"], found["refused"]) == (*[pytest.approx(truth)] * 3, None)


def test_differences_are_those_of_their_family(study):
    names = [dict(group) for group in study.told.groups]
    rows = [row for row in study.told.differences(study.best) if row["label"] == "red" and row["family"] == "pairs of outlet"]
    pairs = [(names.index(row["a"]), names.index(row["b"])) for row in rows]
    by_hand = differences(study.best, 0, pairs, level=0.95)
    for at, row in enumerate(rows):
        assert (row["difference"], row["low"], row["high"]) == pytest.approx((by_hand.difference[at], by_hand.low[at], by_hand.high[at]))
        assert row["simultaneous"]
    (quarter,) = [row for row in study.told.differences(study.best) if row["family"] == "one quarter and the one before" and row["label"] == "red"]
    assert (quarter["a"], quarter["b"], quarter["simultaneous"]) == ({"quarter": "2025 Q2"}, {"quarter": "2025 Q1"}, False)


def test_trends_and_changes_are_the_regressions(scores, codings):
    study = Study(scores, codings, ("outlet", "month"))
    sample, corpus = study.rows.sample(), study.told.corpus
    numbers = np.array([int(cell[1][5:]) if cell[1] != "(none)" else -1 for cell in study.found.cells])
    slope = trend(sample, corpus, numbers, inside=numbers >= 0)
    told = next(row for row in study.told.trends(study.rows) if row["group"] == {} and row["label"] == "red")
    assert (told["slope"], told["per"]) == (pytest.approx(slope.coefficients[-1]), "month")
    assert (told["low"], told["high"]) == pytest.approx([limit[-1] for limit in slope.interval()])
    changed = change(sample, corpus, numbers, 4, inside=numbers >= 0)
    told = next(row for row in study.told.changes(study.rows, "2025-04-01") if row["group"] == {} and row["label"] == "red")
    assert (told["change"], told["at"]) == (pytest.approx(changed.coefficients[-1]), "2025-04-01")
    assert (told["low"], told["high"]) == pytest.approx([limit[-1] for limit in changed.interval()])
    assert list(Study(scores, codings, ("outlet",)).told.trends(study.rows)) == []


def test_coders_have_a_section_where_several_coded_enough(scores, codings):
    assert list(Study(scores, codings, ()).told.coders(Study(scores, codings, ()).rows)) == []
    few = [Coding(coding.key, "", "bo", coding.labels) for coding in codings[:29]]
    other = [Coding(coding.key, "", "cy", ("red",) if at % 4 == 0 else coding.labels) for at, coding in enumerate(codings)]
    study = Study(scores, [*codings, *few, *other], ())
    found = {row["coder"]: row for row in study.told.coders(study.rows) if row["label"] == "red"}
    assert list(found) == ["ada", "cy", "consensus"]  # 29 codes of bo say nothing by themselves
    assert found["ada"]["estimate"] < found["consensus"]["estimate"] < found["cy"]["estimate"]
    assert all(row["low"] < row["estimate"] < row["high"] for row in found.values())


def test_coders_of_stances_have_a_share_for_each_target(scored, corpus_rows):
    scores = Scores.open(scored, "stance")
    codings = [
        Coding(row["id"], target, coder, tuple(codes_of(row, "stance", target) if target == "bridge" or number % 3 else ["against"]))
        for number, row in enumerate(corpus_rows[::4])
        for target in ("bridge", "garden")
        for coder in ("ada", "bo")
    ]
    study = Study(scores, codings, ("target", "outlet"), chance=0.25)
    found = {(row["coder"], row["group"]["target"]) for row in study.told.coders(study.rows) if row["label"] == "favor"}
    assert found == {(coder, target) for coder in ("ada", "bo", "consensus") for target in ("bridge", "garden")}


def test_a_model_that_says_nothing_is_left_out_and_said(scores, corpus_rows):
    dice = np.random.default_rng(5)
    codings = [Coding(row["id"], "", "ada", ("blue" if "red" in codes_of(row, "color") else "red",)) for row in dice.permutation(corpus_rows)[:200]]
    study = Study(scores, codings, (), chance=1 / 3)
    assert study.best.weight.tolist() == [0, 0]
    said = list(study.told.remarks(study.best, study.codings))
    assert "For 'red', 'blue' the model says nothing that the codes do not say better: these shares are those of the coded articles alone." in said


def test_remarks_say_what_was_read_and_what_was_left_out(study):
    unsure = AuditCodings(study.codings.codings, (("a1", "", "ada"),), uncoded=3, files=study.codings.files)
    said = list(study.told.remarks(study.best, unsure))
    assert any("rows not sure: 1; rows taken as not coded, for their cell is empty: 3" in remark for remark in said)
    assert "Articles that could not be scored, and are in no share: 1." in said


def test_everything_is_plain_json(study):
    parts = [list(study.told.shares(study.best)), list(study.told.differences(study.best)), list(study.told.comparators(None))]
    assert json.loads(json.dumps(parts, allow_nan=False)) == parts
