"""Drawn articles come as blind coding sheets with a record of the draw, can be added to, and a mistake writes nothing."""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from color_articles import contents, write_rows

from newsclf.codebook import Codebook
from newsclf.errors import DataError, InputError, OutputError, UserError
from newsclf.estimates.draw import Drawn, audit_sample
from newsclf.estimates.frame import Scores
from newsclf.estimates.plan import plan_sample
from newsclf.estimates.sample import SAMPLE, AuditSample, SampleSpec
from newsclf.inference.batch import RunSpec, score
from newsclf.inference.scorer import ScoreSpec

BY_OUTLET = SampleSpec(n=130, by=("outlet",))


@pytest.fixture
def scores(scored: Path) -> Scores:
    return Scores.open(scored, "color")


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    return tmp_path / "audit"


def sheet(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))


def keys(path: Path) -> list[str]:
    return [row["key"] for row in sheet(path)]


def scored_with(model: Path, folder: Path, rows: list[dict[str, Any]], **how: Any) -> Scores:
    corpus = write_rows(folder / "articles.jsonl", rows)
    score(model, str(corpus), folder / "scores", ScoreSpec(rows_per_shard=100, **how), run=RunSpec(workers=1))
    return Scores.open(folder / "scores")


def test_sheets_and_the_record_of_the_draw_are_written(scores, audit, corpus_rows):
    drawn = audit_sample(scores, BY_OUTLET, audit)
    names = "README.txt codebook.yaml doccano-1.jsonl doccano-labels.json label-studio-1.json label-studio-config.xml sample.json sheet-1.csv"
    assert sorted(contents(audit)) == sorted(names.split())
    assert AuditSample.read(audit / SAMPLE) == drawn.sample
    rows, texts = sheet(audit / "sheet-1.csv"), {row["id"]: row["text"] for row in corpus_rows}
    assert len(rows) == drawn.new == len(drawn.sample.rows) == 130
    assert {row["key"] for row in rows} == {row.key for row in drawn.sample.rows}
    assert all(row["text"] == texts[row["id"]] for row in rows)
    assert all(row["label"] == "" for row in rows)
    assert (drawn.sample.scores, drawn.sample.model, drawn.sample.task) == (scores.fingerprint, scores.model, "color")
    assert Codebook.load(audit / "codebook.yaml").fingerprint() == drawn.sample.codebook


@pytest.mark.parametrize("task", ["color", "things", "stance"])
def test_sheets_are_blind(scored, audit, task):
    drawn = audit_sample(Scores.open(scored, task), BY_OUTLET.model_copy(update={"n": 200}), audit)
    files = {name: data.decode("utf-8") for name, data in contents(audit).items() if name != SAMPLE}
    for text in files.values():
        assert not re.search(r"probabilit|inclusion|strat(um|a)|uncertain|weight|\b0\.\d{3,}", text)
    columns = ["key", "id", "title", "outlet", "date", "url", *(["target"] if task == "stance" else []), "text"]
    assert list(sheet(audit / "sheet-1.csv")[0]) == [*columns, "labels" if task == "things" else "label", "coder", "note"]
    about = json.loads(files["label-studio-1.json"])[0]["data"]
    assert set(about) == {*columns} - {"id"} | {"article_id"}
    # nor does the order tell: articles of all strata are mixed
    of = {(row.key, row.target): row.stratum for row in drawn.sample.rows}
    told = [of[row["key"], row.get("target", "")] for row in sheet(audit / "sheet-1.csv")]
    assert sum(before != after for before, after in pairwise(told)) > len(told) / 2


def test_the_same_seed_writes_the_same_bytes(scores, tmp_path):
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        audit_sample(scores, BY_OUTLET.model_copy(update={"seed": seed}), tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert set(keys(tmp_path / "one" / "sheet-1.csv")) != set(keys(tmp_path / "three" / "sheet-1.csv"))


def test_a_top_up_adds_new_articles_alone(scores, audit):
    first = audit_sample(scores, BY_OUTLET, audit)
    before = contents(audit)
    more = audit_sample(scores, BY_OUTLET.model_copy(update={"n": 70}), audit, top_up=True)
    assert (more.new, len(more.sample.rows), more.sample.rounds) == (70, 200, 2)
    assert len(set(keys(audit / "sheet-2.csv")) - set(keys(audit / "sheet-1.csv"))) == 70
    assert {row.key for row in more.sample.rows if row.round == 1} == {row.key for row in first.sample.rows}
    after = contents(audit)
    assert {name: after[name] for name in before if name != SAMPLE} == {name: data for name, data in before.items() if name != SAMPLE}
    assert more.text().startswith("70 articles to code of 600 scored, 200 with those of before: stratified random sample of 200 articles by outlet")
    third = audit_sample(scores, BY_OUTLET.model_copy(update={"n": 400}), audit, top_up=True)
    assert (third.new, third.sample.rounds) == (400, 3)
    assert {third.sample.chance(row.stratum) for row in third.sample.rows} == {1.0}
    assert "That is all there is: when all are coded, shares are counted, and nothing is left to chance." in third.text()
    with pytest.raises(InputError, match=r"audit: --top-up -n 5 adds no article: all 600 are in the sample already\.$"):
        audit_sample(scores, BY_OUTLET.model_copy(update={"n": 5}), audit, top_up=True)


def test_a_top_up_leaves_the_work_of_coders_alone(scores, audit):
    audit_sample(scores, BY_OUTLET, audit)
    (audit / "sheet-1.csv").write_text("coded meanwhile", "utf-8")
    audit_sample(scores, BY_OUTLET, audit, top_up=True)
    assert (audit / "sheet-1.csv").read_text("utf-8") == "coded meanwhile"


def test_clusters_come_whole_and_are_told(scores, audit):
    spec = SampleSpec(n=140, by=("outlet",), clusters=("outlet", "month", "section"))
    drawn = audit_sample(scores, spec, audit)
    clusters = sum(stratum.drawn for stratum in drawn.sample.strata)
    assert drawn.text().startswith(
        f"{len(drawn.sample.rows)} articles to code of 600 scored: stratified random sample of {clusters} clusters of one outlet and month and section"
    )
    assert re.search(r"\n  Harbour Post {28} +\d+ of 14 clusters\n", drawn.text())
    with pytest.raises(InputError, match=r"--top-up -n 1 adds no article: no cluster fits into so few; give a larger -n\.$"):
        audit_sample(scores, spec.model_copy(update={"n": 1}), audit, top_up=True)
    more = audit_sample(scores, spec, audit, top_up=True)
    assert more.new > 50


def test_stances_are_coded_by_target(scored, audit):
    drawn = audit_sample(Scores.open(scored, "stance"), SampleSpec(n=1200), audit)
    assert len(sheet(audit / "sheet-1.csv")) == 1200
    assert drawn.text().startswith("1,200 pairs of article and target to code of 1,200 scored: stratified random sample of 1,200 articles by target")
    assert drawn.groups == {"bridge": (600, 600), "garden": (600, 600)}
    assert drawn.audit.endswith("--task stance --audit " + str(audit) + " --by target")


# what is told


def test_what_was_drawn_and_what_comes_next_are_told(scores, audit):
    drawn = audit_sample(scores, BY_OUTLET, audit)
    first, *rest = drawn.text().split("\n")
    assert first == "130 articles to code of 600 scored: stratified random sample of 130 articles by outlet, the model's score, seed 0"
    assert f"  {'Lone Star':<40} {20:>6} of 20" in rest
    assert "too few for a share" not in drawn.text()
    assert drawn.text().endswith(f"next    newsclf estimate {scores.folder} --task color --audit {audit} --by outlet")
    assert json.loads(json.dumps(drawn.as_dict()))["groups"]["Lone Star"] == {"drawn": 20, "there": 20}


def test_groups_that_get_too_few_are_told(scores, audit):
    drawn = audit_sample(scores, SampleSpec(n=200, by=("outlet", "month")), audit)
    assert len(drawn.groups) > 25
    assert f"  … and {len(drawn.groups) - 20} more groups" in drawn.text()
    few = sum(got < min(30, there) for got, there in drawn.groups.values())
    enough = sum(min(30, there) for _, there in drawn.groups.values())
    assert f"{few} of {len(drawn.groups)} groups get fewer than 30, too few for a share: -n {enough}, or wider groups." in drawn.text()
    # and as many as that do
    wide = audit_sample(scores, SampleSpec(n=enough, by=("outlet", "month")), audit.with_name("wide"))
    assert all(got >= min(30, there) for got, there in wide.groups.values())
    assert "too few" not in wide.text()


def test_names_of_any_script_and_folders_with_spaces(tmp_path, corpus_rows, color_models):
    names = {"Harbour Post": "東京の長い名前を持つ新聞 | 朝刊", "Valley Courier": "الجريدة", "Inland Mail": "=SUM(A1)", "Lone Star": ""}
    folder = tmp_path / "two words"
    folder.mkdir()
    scores = scored_with(color_models["color"], folder, [{**row, "outlet": names[row["outlet"]]} for row in corpus_rows])
    drawn = audit_sample(scores, BY_OUTLET, folder / "the audit")
    assert set(drawn.groups) == {"東京の長い名前を持つ新聞 | 朝刊", "الجريدة", "=SUM(A1)", "(none)"}
    assert AuditSample.read(folder / "the audit" / SAMPLE) == drawn.sample
    assert drawn.audit == f"newsclf estimate '{folder / 'scores'}' --audit '{folder / 'the audit'}' --by outlet"


# mistakes


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"by": ("outlets",)}, r"--by outlets: the scores have no column 'outlets' \(did you mean 'outlet'\?\)"),
        ({"by": ("outlet", "outlet")}, "--by names 'outlet' twice"),
        ({"label": "redd"}, r"--label redd: the task 'color' has no such label \(did you mean 'red'\?\); it has 'red', 'blue'\."),
        ({"clusters": ("outlett",)}, r"the scores have no column 'outlett' \(did you mean 'outlet'\?\)"),
        ({"clusters": ("outlet",)}, "-n 130 articles cannot be drawn in clusters of one outlet: Harbour Post alone has 300"),
        ({"n": 3, "by": ("outlet",)}, r"-n 3 is fewer than two of each group, and one tells no variance: give -n 8 at least for these 4 groups"),
        ({"by": ("id",)}, r"-n 130 is fewer than two of each group"),
    ],
    ids=str,
)
def test_a_mistake_writes_nothing(scores, audit, how, message):
    with pytest.raises(UserError, match=message) as caught:
        audit_sample(scores, SampleSpec(**({"n": 130} | how)), audit)
    assert "\n" not in str(caught.value)
    assert not audit.exists()


def test_a_folder_that_holds_something_is_left_as_it_is(scores, audit):
    audit.mkdir()
    (audit / "notes.txt").write_text("ours", "utf-8")
    with pytest.raises(OutputError, match=r"audit: this holds something else and is left as it is; name another folder\."):
        audit_sample(scores, BY_OUTLET, audit)
    with pytest.raises(OutputError, match=r"notes\.txt: this holds something else"):
        audit_sample(scores, BY_OUTLET, audit / "notes.txt")
    assert list(contents(audit)) == ["notes.txt"]


def test_a_sample_is_not_drawn_over(scores, audit):
    audit_sample(scores, BY_OUTLET, audit)
    before = contents(audit)
    with pytest.raises(OutputError, match=r"audit: a sample is here already, and people may be coding it; add to it with --top-up"):
        audit_sample(scores, BY_OUTLET, audit)
    for how in ({"seed": 1}, {"by": ("section",)}, {"strata": "group"}, {"label": "red"}, {"clusters": ("month",)}):
        (name,) = how
        with pytest.raises(InputError, match=rf"--top-up adds to a sample that was drawn the same way: {name} was .* and is .*Give the same"):
            audit_sample(scores, BY_OUTLET.model_copy(update=how), audit, top_up=True)
    assert contents(audit) == before


def test_a_top_up_of_nothing(scores, audit):
    with pytest.raises(InputError, match=r"audit: --top-up adds to a sample, and there is none here; leave it out to draw a first one\."):
        audit_sample(scores, BY_OUTLET, audit, top_up=True)
    assert not audit.exists()


def test_a_sample_is_added_to_from_its_own_scores_only(scored, scores, audit, tmp_path, corpus_rows, color_models):
    audit_sample(scores, BY_OUTLET, audit)
    before = contents(audit)
    with pytest.raises(DataError, match=r"sample\.json: this sample was drawn from scores of another task than .* holds; name the folder"):
        audit_sample(Scores.open(scored, "things"), BY_OUTLET, audit, top_up=True)
    other = scored_with(color_models["color"], tmp_path, corpus_rows)
    with pytest.raises(DataError, match=r"sample\.json: this sample was drawn from other scores than .* holds; name the folder"):
        audit_sample(other, BY_OUTLET, audit, top_up=True)
    assert contents(audit) == before


def test_a_corpus_that_has_changed_writes_nothing(tmp_path, audit, corpus_rows, color_models):
    scores = scored_with(color_models["color"], tmp_path, corpus_rows[:60])
    write_rows(tmp_path / "articles.jsonl", corpus_rows[1:61])
    with pytest.raises(DataError, match=r"articles\.jsonl: this file has changed since it was scored"):
        audit_sample(scores, SampleSpec(n=10), audit)
    assert not audit.exists()


def test_scores_of_nothing(tmp_path, audit, color_models):
    scores = scored_with(color_models["color"], tmp_path, [{"id": "a", "text": ""}])
    with pytest.raises(InputError, match=r"scores: no article was scored, so there is none to draw; quarantine-\*\.parquet there says why\.$"):
        audit_sample(scores, SampleSpec(n=10), audit)
    with pytest.raises(InputError, match=r"scores: no article was scored, so there is none to plan for; quarantine-\*\.parquet there says why\.$"):
        plan_sample(scores, SampleSpec(n=10), half_width=0.1)
    assert not audit.exists()


def test_an_article_that_is_all_there_is(tmp_path, audit, color_models):
    scores = scored_with(color_models["color"], tmp_path, [{"id": "a", "text": "Roses and tomatoes were seen today."}])
    drawn = audit_sample(scores, SampleSpec(n=10), audit)
    assert isinstance(drawn, Drawn)
    assert drawn.text().startswith("1 articles to code of 1 scored: ")
    assert len(sheet(audit / "sheet-1.csv")) == 1
