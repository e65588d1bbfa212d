"""What data/README.md says of the starter corpus, counted."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from newsclf.codebook import Codebook

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
COLUMNS = {"id", "title", "text", "outlet", "date", "byline", "section", "junk", "topic", "frames", "stance", "story"}
CODES = {"topic", "frames", "stance", "story"}
SECTIONS = {"news", "opinion", "feature", "explainer"}

CODEBOOKS = {task: Codebook.load(DATA / "codebooks" / f"{task}.yaml") for task in ("topic", "framing", "stance")}


@pytest.fixture
def unlabelled() -> list[dict[str, object]]:
    return [json.loads(line) for line in (DATA / "unlabelled.jsonl").read_text("utf-8").splitlines()]


def test_every_article_has_every_column(starter, unlabelled):
    assert {frozenset(row) for row in starter} == {frozenset(COLUMNS)}
    assert {frozenset(row) for row in unlabelled} == {frozenset(COLUMNS - CODES)}


def test_there_are_as_many_articles_as_promised(starter, unlabelled):
    assert len(starter) >= 240
    assert len(unlabelled) == 40


def test_ids_are_unique_over_both_files(starter, unlabelled):
    counted = Counter(row["id"] for row in [*starter, *unlabelled])
    assert max(counted.values()) == 1


def test_articles_have_the_length_of_articles(starter, unlabelled):
    lengths = [len(row["text"].split()) for row in [*starter, *unlabelled]]
    assert min(lengths) >= 150
    assert max(lengths) <= 480


def test_there_are_eight_outlets_and_the_readme_names_each(starter, unlabelled):
    outlets = {row["outlet"] for row in starter}
    assert len(outlets) == 8
    assert {row["outlet"] for row in unlabelled} == outlets
    readme = " ".join((DATA / "README.md").read_text("utf-8").split())
    assert not [outlet for outlet in outlets if outlet not in readme]


def test_dates_run_over_eighteen_months(starter, unlabelled):
    dates = [date.fromisoformat(row["date"]) for row in [*starter, *unlabelled]]
    assert min(dates) >= date(2024, 7, 1)
    assert max(dates) <= date(2025, 12, 31)
    assert {(day.year, day.month) for day in dates} == {(2024, month) for month in range(7, 13)} | {(2025, month) for month in range(1, 13)}


def test_sections_titles_and_bylines_are_filled(starter, unlabelled):
    assert {row["section"] for row in starter} == SECTIONS
    assert all(row["title"].strip() and row["byline"].strip() for row in [*starter, *unlabelled])


@pytest.mark.parametrize(("task", "column"), [("topic", "topic"), ("framing", "frames"), ("stance", "stance")])
def test_every_label_of_a_codebook_has_fifteen_rows_and_no_other_is_used(starter, task, column):
    codes = [row[column] for row in starter if row[column] is not None]
    labels = [label for code in codes for label in ([code] if isinstance(code, str) else code.values() if isinstance(code, dict) else code)]
    counted = Counter(labels)
    assert set(counted) == set(CODEBOOKS[task].names)
    assert min(counted.values()) >= 15


def test_stances_are_coded_for_enough_pairs_and_known_targets(starter):
    pairs = [(target, label) for row in starter for target, label in (row["stance"] or {}).items()]
    assert len(pairs) >= 120
    assert {target for target, _ in pairs} == set(CODEBOOKS["stance"].targets)


def test_frames_and_stance_are_coded_for_immigration_only(starter):
    for column in ("frames", "stance"):
        assert {row["topic"] for row in starter if row[column] is not None} == {"immigration"}


def test_both_frames_of_the_brief_stand_together_and_apart(starter):
    both = Counter(frozenset({"enforcement", "human_rights"} & set(row["frames"] or [])) for row in starter)
    assert both[frozenset({"enforcement", "human_rights"})] >= 15
    assert both[frozenset({"enforcement"})] >= 10
    assert both[frozenset({"human_rights"})] >= 10


def test_about_a_third_has_what_scrapers_leave_behind(starter):
    share = sum(row["junk"] for row in starter) / len(starter)
    assert 0.25 <= share <= 0.45


def test_thirty_wire_copies_carry_the_labels_of_an_original_that_is_there(starter):
    by_id = {row["id"]: row for row in starter}
    copies = [row for row in starter if row["story"] != row["id"]]
    assert len(copies) >= 30
    for copy in copies:
        original = by_id[copy["story"]]
        assert original["story"] == original["id"]
        assert original["outlet"] != copy["outlet"]
        assert [original[key] for key in ("topic", "frames", "stance")] == [copy[key] for key in ("topic", "frames", "stance")]
        assert original["text"] != copy["text"]


def test_no_text_stands_twice(starter, unlabelled):
    counted = Counter(row["text"] for row in [*starter, *unlabelled])
    assert max(counted.values()) == 1
