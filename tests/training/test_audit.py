"""The audit of a split that a config would make, and of one that a run has made."""

from __future__ import annotations

import json

import pytest
from color_articles import color_rows, write_rows

from newsclf.errors import ConfigError, InputError
from newsclf.training.audit import MOST, audit
from newsclf.training.run import train

OUTLETS = "split.keep_together=[near_duplicate, outlet]"


@pytest.fixture
def folder(small):
    """The `small` folder with a corpus that can be parted: four outlets, one under two spellings, and two stories that several outlets ran."""
    rows = color_rows(12)
    for row in rows[:3]:
        row["outlet"] = "The Outlet 0"
    for outlet in (1, 2):
        rows.append({**rows[0], "id": f"wire-{outlet}", "outlet": f"Outlet {outlet}"})
    rows.append({**rows[1], "id": "again", "outlet": "Outlet 3", "text": f"{rows[1]['text']} Update."})
    write_rows(small / "corpus.jsonl", rows)
    return small


@pytest.fixture
def config(folder):
    return folder / "config.yaml"


def test_a_config_is_audited_as_training_would_split_and_nothing_is_written(config, folder):
    before = {path.name for path in folder.iterdir()}
    found = audit(config, [OUTLETS])
    assert {path.name for path in folder.iterdir()} == before
    run = train(config, [OUTLETS, f"output={folder / 'models'}"]).run
    parts = [json.loads(line)["part"] for line in (run / "split.jsonl").read_text("utf-8").splitlines()]
    assert found.parts == {name: parts.count(name) for name in ("train", "test", "aside")}
    assert found.leaks.as_dict()["verdicts"] == json.loads((run / "findings.json").read_text("utf-8"))["leak_verdicts"]
    assert audit(run) == found


def test_settings_make_another_split(config):
    assert audit(config, ["split.test=0.5"]).parts["test"] > audit(config, ["split.test=0.2"]).parts["test"]


def test_copies_are_counted_by_size_and_by_pairs_of_outlets(config):
    found = audit(config)
    assert dict(found.copies.sizes) == {2: 1, 3: 1}
    assert found.copies.repeated == 5
    text = found.text()
    assert "near-duplicates: 5 of 27 articles, in 2 stories\n" in text
    assert "\n       1  Outlet 1 – Outlet 2\n" in text


def test_every_target_of_an_article_is_one_text(folder, config):
    rows = [{**row, "labels": {"market": row["labels"], "town": row["labels"]}} for row in color_rows(12)]
    write_rows(folder / "corpus.jsonl", rows)
    found = audit(config, ["codebook={task: view, kind: exclusive, labels: [red, blue], targets: [market, town]}"])
    assert sum(found.parts.values()) == 48
    assert (found.copies.texts, found.copies.repeated) == (24, 0)
    assert "near-duplicates: none among 24 articles" in found.text()


def test_joined_outlets_are_named_and_those_that_were_only_renamed_are_counted(config, folder):
    lines = audit(config).text().splitlines()
    at = lines.index("outlets that were joined: 1 (to keep names apart: split.outlets)")
    assert "'The Outlet 0' (3" in lines[at + 1]
    rows = color_rows(12)
    for row in rows[:6]:
        row["outlet"] = "www.foxnews.com"
    write_rows(folder / "corpus.jsonl", rows)
    assert "\noutlets that were joined: none; 1 outlet has another name than in the corpus\n" in audit(config).text()
    write_rows(folder / "corpus.jsonl", color_rows(12))
    assert "\noutlets that were joined: none\n" in audit(config).text()


def test_the_labels_of_both_parts_stand_side_by_side_the_farthest_apart_first(folder, config):
    write_rows(folder / "corpus.jsonl", [{**row, "fold": int(row["labels"] == "red" and row["id"] > "red-2")} for row in color_rows(12)])
    found = audit(config, ["split.where={fold: [1]}"])
    lines = found.text().splitlines()
    start = lines.index("  label  training     test   points")
    assert lines[start + 1].split()[0] in ("red", "blue")
    rates = {line.split()[0]: line.split()[1:] for line in lines[start + 1 : start + 3]}
    assert rates["red"][1:] == ["100.0%", f"{100 * (1 - found.leaks.labels.train['red']):+.1f}"]


def test_given_files_are_audited_too(folder, config):
    rows = color_rows(12)
    write_rows(folder / "train.jsonl", rows)
    write_rows(folder / "test.jsonl", [{**rows[0], "id": "copy"}, *color_rows(4, seed=9, prefix="new-")])
    found = audit(config, [f"data.path={folder / 'train.jsonl'}", f"data.test={folder / 'test.jsonl'}"])
    assert found.parts == {"train": 24, "test": 9, "aside": 0}
    assert "Inflates: Test articles that stand in training word for word: 1 of 9 (11.1%)" in found.text()


def test_long_lists_end_with_how_many_more_there_are(folder, config):
    rows = color_rows(30)
    for number, row in enumerate(rows):
        row["outlet"] = f"Outlet {number}"
    write_rows(folder / "corpus.jsonl", [*rows, *({**row, "id": f"copy-{row['id']}", "outlet": f"Agency {at}"} for at, row in enumerate(rows[:20]))])
    found = audit(config)
    assert len(found.copies.between) == 20
    assert f"  … and {20 - MOST} more pairs" in found.text().splitlines()


def test_inflation_is_measured_where_it_is_asked_for_and_kept_beside_a_run(config, folder):
    assert audit(config).inflation is None
    settings = ["split.test=0.5", f"output={folder / 'models'}"]
    found = audit(config, settings, with_inflation=True)
    assert found.text().endswith(found.inflation.text())
    run = train(config, settings).run
    assert audit(run, with_inflation=True).inflation == found.inflation
    assert json.loads((run / "inflation.json").read_text("utf-8")) == found.inflation.as_dict() == found.as_dict()["inflation"]


def test_it_is_plain_values(config):
    plain = audit(config).as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["inflation"] is None


def test_settings_on_a_run_are_refused(folder):
    with pytest.raises(InputError, match=r"settings \('learner.C=4'\) are laid on a config file, and this is a folder"):
        audit(folder, ["learner.C=4"])


def test_a_folder_that_is_no_run_and_a_file_that_is_not_there_are_errors(folder):
    with pytest.raises(InputError, match=r"this is not the folder of a finished run"):
        audit(folder)
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        audit(folder / "nowhere.yaml")
