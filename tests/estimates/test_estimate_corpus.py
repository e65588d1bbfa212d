"""From the draw over filled-in sheets to shares, on a corpus whose true codes are known."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

import pytest
from known_codes import codes_of, fill, run_of, share_of, write_table

from newsclf.errors import DataError, InputError
from newsclf.estimates.draw import audit_sample
from newsclf.estimates.estimate import EstimateSpec, estimate, read_record
from newsclf.estimates.frame import Scores
from newsclf.estimates.page import page
from newsclf.estimates.pictures import pictures
from newsclf.estimates.sample import SampleSpec
from newsclf.estimates.tables import to_csv, to_latex, to_markdown
from newsclf.inference.batch import RunSpec, score
from newsclf.inference.scorer import ScoreSpec

Record = dict[str, Any]


@pytest.fixture(scope="module")
def audit(scored, corpus_rows, tmp_path_factory):
    """A sample of 240 articles by outlet, every one of them coded by one who is never wrong."""
    folder = tmp_path_factory.mktemp("audits") / "audit"
    audit_sample(Scores.open(scored, "color"), SampleSpec(n=240, by=("outlet",)), folder)
    fill(folder, corpus_rows, "color")
    return folder


def of(record: Record, label: str, **group: str) -> Record:
    """The share of a label in a group."""
    return next(row for row in record["shares"] if row["label"] == label and row["group"] == group)


@pytest.mark.parametrize(("task", "label"), [("color", "red"), ("things", "blue")])
def test_a_corpus_that_is_coded_whole_gives_its_true_shares_and_no_width(scored, corpus_rows, tmp_path, task, label):
    scores = Scores.open(scored, task)
    audit_sample(scores, SampleSpec(n=600, by=("outlet",)), tmp_path / "audit")
    fill(tmp_path / "audit", corpus_rows, task)
    record = dict(estimate(scores, [tmp_path / "audit"], EstimateSpec(by=("outlet", "month"))).record)
    assert record["audit"]["articles"] == 600
    assert all(row["refused"] is None for row in record["shares"])
    for row in record["shares"]:
        truth = share_of(corpus_rows, task, row["label"], **{name: value.replace("(none)", "") for name, value in row["group"].items()})
        assert row["estimate"] == pytest.approx(truth, abs=1e-12)
        assert row["low"] == pytest.approx(truth, abs=1e-7)
        assert row["high"] == pytest.approx(truth, abs=1e-7)
        assert row["total"] == pytest.approx(truth * row["scored"], abs=1e-6)
    for row in record["differences"]:
        assert row["difference"] == pytest.approx(row["low"], abs=1e-6) == pytest.approx(row["high"], abs=1e-6)
    assert of(record, label)["scored"] == 600


def test_the_interval_of_a_sample_holds_the_truth_and_is_narrower_than_that_of_its_codes_alone(scored, audit, corpus_rows):
    record = dict(estimate(Scores.open(scored, "color"), [audit], EstimateSpec(by=("outlet",), level=0.999)).record)
    told = [row for row in record["shares"] if row["refused"] is None]
    for row in told:
        assert row["low"] - 1e-9 <= share_of(corpus_rows, "color", row["label"], **row["group"]) <= row["high"] + 1e-9
    whole = of(record, "red")
    assert (whole["audited"], whole["scored"]) == (240, 600)
    assert whole["worth"] > 240
    assert record["audit"]["design"].startswith("stratified random sample of 240 articles by outlet, the model's score, seed 0")


def test_shares_of_an_exclusive_task_sum_to_one_and_others_need_not(scored, audit, corpus_rows, tmp_path):
    record = dict(estimate(Scores.open(scored, "color"), [audit], EstimateSpec(by=("outlet",))).record)
    groups = {json.dumps(row["group"]) for row in record["shares"]}
    for group in groups:
        rows = [row for row in record["shares"] if json.dumps(row["group"]) == group and row["refused"] is None]
        assert not rows or sum(row["estimate"] for row in rows) == pytest.approx(1, abs=1e-7)  # scores are stored with seven digits
    scores = Scores.open(scored, "things")
    audit_sample(scores, SampleSpec(n=200), tmp_path / "audit")
    fill(tmp_path / "audit", corpus_rows, "things")
    many = dict(estimate(scores, [tmp_path / "audit"]).record)
    assert sum(row["estimate"] or 0 for row in many["shares"]) > 1.2


def test_a_label_that_nobody_coded_is_at_most_so_much(scored, corpus_rows, tmp_path):
    scores = Scores.open(scored, "things")
    audit_sample(scores, SampleSpec(n=200), tmp_path / "audit")
    fill(tmp_path / "audit", corpus_rows, "things")
    row = of(dict(estimate(scores, [tmp_path / "audit"]).record), "plain")
    assert (row["positives"], row["estimate"], row["total"]) == (0, None, None)
    assert row["refused"].startswith("none of 200 coded has it: at most ")


def test_stances_are_told_of_each_target_and_never_of_both(scored, corpus_rows, tmp_path):
    scores = Scores.open(scored, "stance")
    audit_sample(scores, SampleSpec(n=300), tmp_path / "audit")
    fill(tmp_path / "audit", corpus_rows, "stance")
    record = dict(estimate(scores, [tmp_path / "audit"], EstimateSpec(by=("outlet",), level=0.999)).record)
    assert record["by"] == ["target", "outlet"]
    assert all("target" in row["group"] for row in record["shares"])
    bridge = of(record, "favor", target="bridge")
    assert bridge["scored"] == 600
    assert bridge["low"] <= share_of(corpus_rows, "stance", "favor", "bridge") <= bridge["high"]
    garden = of(record, "favor", target="garden")
    assert garden["refused"].startswith(f"all {garden['audited']} coded have it: at least ")
    assert all(row["a"]["target"] == row["b"]["target"] for row in record["differences"])


def test_rows_without_a_date_are_a_group_that_is_not_compared(scored, audit):
    record = dict(estimate(Scores.open(scored, "color"), [audit], EstimateSpec(by=("quarter",))).record)
    assert [row["group"].get("quarter") for row in record["shares"] if row["label"] == "red"] == [None, "(none)", "2025 Q1", "2025 Q2"]
    assert of(record, "red", quarter="(none)")["scored"] == 60
    assert [(row["a"], row["b"]) for row in record["differences"] if row["label"] == "red"] == [({"quarter": "2025 Q2"}, {"quarter": "2025 Q1"})]


def test_a_group_with_few_codes_is_refused_in_its_place_with_what_it_would_take(scored, corpus_rows, tmp_path):
    scores = Scores.open(scored, "color")
    audit_sample(scores, SampleSpec(n=60, strata="score"), tmp_path / "audit")
    fill(tmp_path / "audit", corpus_rows, "color")
    record = dict(estimate(scores, [tmp_path / "audit"], EstimateSpec(by=("outlet",))).record)
    row = of(record, "red", outlet="Lone Star")
    assert row["audited"] < 20
    assert row["estimate"] is row["low"] is row["total"] is None
    assert row["refused"] == f"{row['audited']} coded, and 30 are needed: code the other {20 - row['audited']}"
    assert of(record, "red")["estimate"] is not None
    told = {json.dumps(side) for found in record["differences"] for side in (found["a"], found["b"])}
    assert json.dumps(row["group"]) not in told


def test_what_is_drawn_and_not_coded_is_said(scored, corpus_rows, tmp_path):
    scores = Scores.open(scored, "color")
    audit_sample(scores, SampleSpec(n=200), tmp_path / "audit")
    fill(tmp_path / "audit", corpus_rows, "color", leave=lambda number: number % 4 == 0)
    record = dict(estimate(scores, [tmp_path / "audit"]).record)
    assert record["audit"]["articles"] == 150
    assert any(remark.startswith("50 of 200 drawn articles are not coded") for remark in record["remarks"])


def test_articles_that_could_not_be_scored_are_said(scored, audit):
    assert "Articles that could not be scored, and are in no share: 1." in estimate(Scores.open(scored, "color"), [audit]).record["remarks"]


def test_coders_who_differ_have_shares_of_their_own_and_the_consensus_lies_between(scored, audit, corpus_rows, tmp_path):
    drawn = json.loads((audit / "sample.json").read_bytes())["rows"]
    known = {row["id"]: codes_of(row, "color")[0] for row in corpus_rows}
    rows = [{"key": row["key"], "label": known[row["id"]], "coder": "ada"} for row in drawn]
    rows += [{**row, "coder": "bo", "label": "red" if at % 5 == 0 else row["label"]} for at, row in enumerate(rows)]
    (tmp_path / "sample.json").write_bytes((audit / "sample.json").read_bytes())
    record = dict(estimate(Scores.open(scored, "color"), [write_table(tmp_path / "coded.csv", rows)]).record)
    assert record["audit"]["coders"] == 2
    found = {row["coder"]: row["estimate"] for row in record["coders"] if row["label"] == "red"}
    assert list(found) == ["ada", "bo", "consensus"]
    assert found["ada"] < found["consensus"] < found["bo"]
    assert found["consensus"] == pytest.approx(of(record, "red")["estimate"])


def test_a_design_of_ones_own_in_columns_is_that_of_the_sample(scored, audit, tmp_path, corpus_rows):
    scores, spec = Scores.open(scored, "color"), EstimateSpec(by=("outlet",))
    drawn = json.loads((audit / "sample.json").read_bytes())["rows"]
    known = {row["id"]: codes_of(row, "color")[0] for row in corpus_rows}
    rows = [{**row, "label": known[row["id"]], "coder": "ada"} for row in drawn]
    kept = ("id", "label", "coder", "inclusion_probability", "stratum")
    own = write_table(tmp_path / "own.csv", [{name: row[name] for name in kept} for row in rows])
    one, other = (dict(estimate(scores, [path], spec).record) for path in (audit, own))
    assert other["audit"]["design"] == "a draw of the user's own, with the inclusion probabilities of the coded file"
    for mine, theirs in zip(one["shares"], other["shares"], strict=True):
        assert (theirs["group"], theirs["audited"], theirs["refused"]) == (mine["group"], mine["audited"], mine["refused"])
        numbers = ("estimate", "low", "high", "worth", "total")
        assert [theirs[name] for name in numbers] == [pytest.approx(mine[name], rel=1e-6) for name in numbers]
    assert [row["difference"] for row in one["differences"]] == pytest.approx([row["difference"] for row in other["differences"]])


def test_clusters_of_ones_own_widen_the_interval(scored, audit, tmp_path, corpus_rows):
    scores = Scores.open(scored, "color")
    rows = [{"id": row["id"], "label": codes_of(row, "color")[0], "inclusion_probability": 0.5} for row in corpus_rows[:300]]
    alone = dict(estimate(scores, [write_table(tmp_path / "alone.csv", rows)]).record)
    pairs = sorted(rows, key=lambda row: row["label"])
    pairs = [{**row, "cluster": f"pair {at // 10}"} for at, row in enumerate(pairs)]
    together = dict(estimate(scores, [write_table(tmp_path / "together.csv", pairs)]).record)
    wide, narrow = of(together, "red"), of(alone, "red")
    assert wide["estimate"] == pytest.approx(narrow["estimate"], abs=0.01)
    assert wide["high"] - wide["low"] > 1.1 * (narrow["high"] - narrow["low"])


def test_articles_chosen_by_hand_are_taken_on_trust_and_said(scored, corpus_rows, tmp_path):
    scores = Scores.open(scored, "color")
    rows = [{"id": row["id"], "label": codes_of(row, "color")[0]} for row in corpus_rows[:120]]
    path = write_table(tmp_path / "chosen.csv", rows)
    with pytest.raises(InputError, match=r"nothing says how these articles were drawn.*--by-hand"):
        estimate(scores, [path])
    found = estimate(scores, [path], EstimateSpec(by_hand=True))
    assert found.record["audit"]["by_hand"]
    assert "every interval takes the coded articles of a group for a random draw from it, which nobody has checked" in found.record["remarks"][0]
    assert "they were chosen by hand, and nobody has checked this" in " ".join(found.text().split())


def test_without_an_audit_a_model_says_what_it_takes_for_granted(scored, color_models):
    found = estimate(Scores.open(scored, "color"), [], EstimateSpec(by=("outlet",)), run=run_of(color_models["color"]))
    record = dict(found.record)
    assert (record["audit"]["articles"], record["audit"]["fingerprint"]) == (0, None)
    assert all(
        row["refused"] == f"0 coded, and 30 are needed: code about {min(30, row['scored'])} more" for row in record["shares"] if row["scored"] > 30
    )
    assert record["differences"] == record["trends"] == record["coders"] == []
    assert any(remark.startswith("Nothing is coded: what follows is what a model can say by assumption") for remark in record["remarks"])
    assert any("could not be scored" in remark for remark in record["remarks"])
    told = [row for row in record["comparators"] if row["estimate"] is not None and not row["group"] and row["label"] == "red"]
    assert len({row["method"] for row in told}) >= 3
    assert all(0 <= row["estimate"] <= 1 and row["assumes"] for row in told)
    with pytest.raises(InputError, match=r"a share needs articles that people coded.*--run"):
        estimate(Scores.open(scored, "color"), [])


def test_quantifiers_stand_beside_the_estimates_and_change_none(scored, audit, color_models):
    scores, spec = Scores.open(scored, "color"), EstimateSpec(by=("outlet",))
    alone, beside = (dict(estimate(scores, [audit], spec, run=run).record) for run in (None, run_of(color_models["color"])))
    assert alone["shares"] == beside["shares"]
    assert len(beside["comparators"]) > len(alone["comparators"])
    with pytest.raises(InputError, match="this run made another model than the one whose scores are in"):
        estimate(scores, [audit], spec, run=run_of(color_models["things"]))


def test_the_same_call_gives_the_same_bytes_and_reads_back(scored, audit, tmp_path):
    scores, spec = Scores.open(scored, "color"), EstimateSpec(by=("quarter",), change_at="2025-04-01")
    one, other = (estimate(scores, [audit], spec) for _ in range(2))
    assert json.dumps(one.record) == json.dumps(other.record)
    assert json.loads(json.dumps(one.record, allow_nan=False)) == one.record
    one.write(tmp_path / "out")
    assert read_record(tmp_path / "out") == one.record == read_record(tmp_path / "out" / "estimates.json")
    for wrong in ("{}", '{"format": 99}', "[]", "no json"):
        (tmp_path / "wrong.json").write_text(wrong, "utf-8")
        with pytest.raises(InputError, match="these are no estimates of newsclf"):
            read_record(tmp_path / "wrong.json")


def test_small_groups_may_lean_on_their_outlets(scored, audit):
    scores = Scores.open(scored, "color")
    record = dict(estimate(scores, [audit], EstimateSpec(by=("outlet", "month"), small="pool")).record)
    pooled = [row for row in record["shares"] if row["pooled"]]
    assert pooled
    assert all(len(row["group"]) == 2 and row["refused"] is None and row["low"] < row["estimate"] < row["high"] for row in pooled)
    with pytest.raises(InputError, match=r"--small pool: groups lean on one that takes them in, which needs two columns"):
        estimate(scores, [audit], EstimateSpec(by=("outlet",), small="pool"))


@pytest.mark.parametrize(
    ("by", "at", "message"),
    [
        (("outlet",), "2025-04-01", "needs periods to compare: --by outlet,month"),
        (("month",), "2025-04-02", "no month begins on this day"),
        (("quarter",), "2025-05-01", "no quarter begins on this day"),
        (("month",), "spring", "write a date as 2025-04-01"),
    ],
)
def test_a_change_that_no_period_begins_with_is_refused(scored, audit, by, at, message):
    with pytest.raises(InputError, match=message):
        estimate(Scores.open(scored, "color"), [audit], EstimateSpec(by=by, change_at=at))


def test_codes_of_other_articles_are_refused(scored, audit, tmp_path):
    scores = Scores.open(scored, "color")
    (tmp_path / "sample.json").write_bytes((audit / "sample.json").read_bytes())
    path = write_table(tmp_path / "coded.csv", [{"key": "other.jsonl:1", "label": "red"}])
    with pytest.raises(DataError, match=r"1 of 1 coded articles are not among the scores; the first is 'other.jsonl:1'"):
        estimate(scores, [path])
    there = {row["id"] for row in json.loads((audit / "sample.json").read_bytes())["rows"]}
    stranger = next(f"a{number}" for number in range(600) if f"a{number}" not in there)
    with pytest.raises(DataError, match=f"no article that was drawn has its id '{stranger}'"):
        estimate(scores, [write_table(path, [{"id": stranger, "label": "red"}])])


def test_families_hold_every_difference_once(scored, audit):
    record = dict(estimate(Scores.open(scored, "color"), [audit], EstimateSpec(by=("outlet",))).record)
    families = {name: list(rows) for name, rows in groupby(record["differences"], key=lambda row: (row["label"], row["family"]))}
    assert {family for _, family in families} == {"pairs of outlet"}
    for rows in families.values():
        pairs = [frozenset((row["a"]["outlet"], row["b"]["outlet"])) for row in rows]
        assert len(set(pairs)) == len(pairs)
        assert all(row["low"] <= row["difference"] <= row["high"] for row in rows)
        estimates = {name: of(record, rows[0]["label"], outlet=name)["estimate"] for pair in pairs for name in pair}
        assert all(row["difference"] == pytest.approx(estimates[row["a"]["outlet"]] - estimates[row["b"]["outlet"]]) for row in rows)


def test_a_corpus_of_which_no_row_was_scored_is_refused(color_models, tmp_path):
    (tmp_path / "corpus.jsonl").write_text('{"id": "a", "text": ""}\n{"id": "b", "text": " "}\n', "utf-8")
    folder = tmp_path / "scores"
    score([color_models["color"]], str(tmp_path / "corpus.jsonl"), folder, ScoreSpec(), run=RunSpec(workers=1))
    scores = Scores.open(folder)
    with pytest.raises(DataError, match="none of its 2 articles could be scored"):
        estimate(scores, [], run=run_of(color_models["color"]))
    with pytest.raises(DataError, match="none of its 2 articles could be scored"):
        estimate(scores, [write_table(tmp_path / "own.csv", [{"id": "a", "label": "red"}])], EstimateSpec(by_hand=True, by=("outlet",)))


@pytest.mark.parametrize("case", ["without an audit", "by hand", "a stance", "nobody is sure"])
def test_every_record_can_be_printed(scored, color_models, corpus_rows, tmp_path, case):
    task, spec, paths, run = "color", EstimateSpec(by=("month",), by_hand=True), [tmp_path / "own.csv"], None
    rows = [{"id": row["id"], "label": codes_of(row, "color")[0]} for row in corpus_rows[:90]]
    if case == "without an audit":
        paths, run = [], run_of(color_models["color"])
    elif case == "a stance":
        task, rows = "stance", [{"id": row["id"], "target": "bridge", "label": codes_of(row, "stance", "bridge")[0]} for row in corpus_rows[:90]]
    elif case == "nobody is sure":
        rows = [{**row, "label": "not sure"} for row in rows]
    write_table(tmp_path / "own.csv", rows)
    found = estimate(Scores.open(scored, task), paths, spec, run=run)
    assert json.loads(json.dumps(found.record, allow_nan=False)) == found.record
    rest = {name: [] for name in ("shares", "differences", "trends", "changes", "comparators", "coders")}
    assert found.text().startswith(f"shares of {task}\n")
    for written in (to_csv, to_markdown, to_latex, page):
        assert written(found.record) != written(found.record | rest)
    for picture in pictures(found.record).values():
        assert picture.height > 0
