"""New months are compared with those the model was checked on, and people are asked to code where they differ."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from color_articles import PLAIN, WORDS, write_rows

from newsclf.errors import ConfigError, DataError, InputError
from newsclf.estimates.frame import Scores
from newsclf.estimates.monitor import MonitorSpec, monitor
from newsclf.estimates.moves import corpus_texts
from newsclf.inference.batch import RunSpec, score
from newsclf.inference.scorer import ScoreSpec
from newsclf.training.run import train

OUTLETS = {"Harbour Post": 0.5, "Valley Courier": 0.3, "Inland Mail": 0.6}
"""Outlet → its share of red articles."""

Write = Callable[..., Scores]


def month(
    number: int, days: int, *, shift: dict[str, float] | None = None, words: str = PLAIN, outlets: dict[str, float] = OUTLETS
) -> list[dict[str, Any]]:
    """Six articles a day and outlet; half of the words of each are of its color, some of the other one."""
    dice = random.Random(number)
    rows = []
    for day in range(days):
        for outlet, share in outlets.items():
            for item in range(6):
                color, other = ("red", "blue") if dice.random() < share + (shift or {}).get(outlet, 0) else ("blue", "red")
                said = (
                    dice.choices(WORDS[color].split(), k=6)
                    + dice.choices(WORDS[other].split(), k=dice.randrange(5))
                    + dice.choices(words.split(), k=9)
                )
                rows.append(
                    {
                        "id": f"{number}-{day}-{outlet}-{item}",
                        "text": " ".join(said) + ".",
                        "outlet": outlet,
                        "date": f"2025-{number:02}-{day + 1:02}",
                    }
                )
    return rows


def trained(folder: Path, seed: int = 0) -> Path:
    """A model of the two colors; another seed gives another one."""
    dice = random.Random(seed)
    rows = [{"text": " ".join(dice.choices(WORDS[color].split(), k=8)) + ".", "labels": color} for _ in range(36) for color in WORDS]
    write_rows(folder / "corpus.jsonl", rows)
    labels = "labels: {red: The article is about red things., blue: The article is about blue things.}"
    (folder / "codebook.yaml").write_text(f"task: color\nkind: exclusive\n{labels}\n", "utf-8")
    config = "name: color\ncodebook: codebook.yaml\ndata: {path: corpus.jsonl}\nlearner: {kind: linear, C: 1}\nsplit: {folds: 3}\n"
    (folder / "config.yaml").write_text(config, "utf-8")
    return train(folder / "config.yaml", [f"output={folder / 'models'}"]).model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("color"))


@pytest.fixture
def scored(model: Path, tmp_path: Path) -> Write:
    """Scores rows into a folder of that name."""

    def write(name: str, rows: list[dict[str, Any]], **how: Any) -> Scores:
        corpus = write_rows(tmp_path / f"{name}.jsonl", rows)
        score(model, str(corpus), tmp_path / name, ScoreSpec(rows_per_shard=150, **how), run=RunSpec(workers=1))
        return Scores.open(tmp_path / name)

    return write


BY = MonitorSpec(by=("outlet",))


def drifts(record: dict[str, Any]) -> set[tuple[str, str]]:
    """Group and what drifted in it."""
    return {("".join(row["group"].values()), what) for row in record["groups"] for what, move in row["moves"].items() if move["drift"]}


def test_months_that_are_alike_ask_for_nothing(scored):
    found = monitor(scored("scores", month(1, 28)), scored("new", month(2, 20)), BY, texts=corpus_texts)
    record = found.as_dict()
    assert not found.drifted
    assert record["asks"] == []
    assert drifts(record) == set()
    assert (record["units"], record["tests"]) == ("days", 4 * 4)  # four groups; probabilities, no label, coverage, words
    whole = record["groups"][0]
    assert (whole["group"], whole["before"], whole["after"]) == ({}, 28 * 18, 20 * 18)
    assert (whole["a_day_before"], whole["a_day_after"]) == (18, 18)
    assert "\nNothing moved farther than the bound. That is no proof" in found.text()
    assert json.loads(json.dumps(record)) == record


def test_an_outlet_that_shifted_is_found_and_its_codes_are_asked_for(scored):
    shifted = month(2, 28, shift={"Valley Courier": 0.5})
    found = monitor(scored("scores", month(1, 28)), scored("new", shifted), BY)
    record = found.as_dict()
    assert ("Valley Courier", "probabilities") in drifts(record)
    assert not {group for group, _ in drifts(record)} & {"Harbour Post", "Inland Mail"}
    row = next(row for row in record["groups"] if row["group"] == {"outlet": "Valley Courier"})
    red = row["labels"][0]
    assert red["label"] == "red"
    assert red["counted"]["difference"] == pytest.approx(0.5, abs=0.12)
    assert red["counted"]["low"] < 0.5 < red["counted"]["high"]
    ask = next(ask for ask in record["asks"] if ask["group"] == {"outlet": "Valley Courier"})
    assert 30 <= ask["n"] <= 168
    assert record["command"].startswith("newsclf audit-sample ")
    assert f"-n {record['n']} --by outlet -o audit-new" in record["command"]
    assert "Valley Courier: red: mean probability" in found.text()
    assert f"\n  {record['command']}" in found.text()


def test_other_words_are_a_drift_and_are_named(scored):
    others = "harvest ballot ferry strike tunnel budget museum orchard tariff stadium bakery ledger"
    found = monitor(scored("scores", month(1, 28)), scored("new", month(2, 28, words=others)), BY, texts=corpus_texts)
    moves = found.as_dict()["groups"][0]["moves"]
    assert moves["words"]["drift"]
    assert set(moves["words"]["came"]) == set(others.split())
    assert set(moves["words"]["went"]) <= set(PLAIN.split())
    assert not moves["probabilities"]["drift"]  # the model does not know them
    assert found.text().count("words that came: ") == 1  # not once more for each outlet


def test_one_folder_is_parted_by_day(scored):
    whole = scored("scores", month(1, 28) + month(2, 28, shift={"Harbour Post": -0.45}))
    found = monitor(whole, None, MonitorSpec(by=("outlet",), since="2025-02-01"))
    record = found.as_dict()
    assert ("Harbour Post", "probabilities") in drifts(record)
    assert record["groups"][0]["after"] == 28 * 18
    assert "and those from 2025-02-01 on (after)" in found.text()
    assert "That draws from the whole folder" in found.text()


def test_groups_that_are_new_gone_and_tiny_are_told_and_not_tested(scored):
    before = month(1, 28, outlets={**OUTLETS, "Old Gazette": 0.5}) + month(1, 2, outlets={"Small Leaf": 0.5})
    after = month(2, 28, outlets={**OUTLETS, "New Herald": 0.5}) + month(2, 1, outlets={"Small Leaf": 0.5}, shift={"Small Leaf": 0.5})
    record = monitor(scored("scores", before), scored("new", after), BY).as_dict()
    told = {row["group"]["outlet"]: (row["why_not"], row["moves"]) for row in record["groups"][1:]}
    assert told["New Herald"] == ("new: the model was never checked on it", {})
    assert told["Old Gazette"] == ("gone: no new article is of it", {})
    assert told["Small Leaf"] == ("fewer than 30 articles, or one day, on a side", {})
    assert [ask["group"] for ask in record["asks"]] == [{"outlet": "New Herald"}]
    assert record["n"] == record["asks"][0]["n"] + 3 * 30 + 6


def test_without_dates_neighbours_in_the_corpus_stay_together(scored):
    sides = [[{**row, "date": ""} for row in month(number, 28, shift=shift)] for number, shift in ((1, None), (2, {"Inland Mail": -0.5}))]
    found = monitor(scored("scores", sides[0]), scored("new", sides[1]), BY)
    assert found.as_dict()["units"] == "blocks"
    assert ("Inland Mail", "probabilities") in drifts(found.as_dict())
    assert found.as_dict()["groups"][0]["a_day_before"] is None
    assert "blocks of articles that follow one another" in " ".join(found.text().split())


def test_an_outlet_has_one_name_on_both_sides(scored):
    after = [{**row, "outlet": row["outlet"].upper()} for row in month(2, 20)]
    record = monitor(scored("scores", month(1, 28)), scored("new", after), BY).as_dict()
    assert {row["group"]["outlet"] for row in record["groups"][1:]} == set(OUTLETS)


def test_a_second_run_says_the_same(scored):
    sides = scored("scores", month(1, 28)), scored("new", month(2, 20))
    assert monitor(*sides, BY, texts=corpus_texts).as_dict() == monitor(*sides, BY, texts=corpus_texts).as_dict()


def test_rows_without_a_day_are_on_neither_side(scored):
    rows = month(1, 28) + month(2, 28)
    rows[3]["date"], rows[900]["date"] = "", "2025"
    found = monitor(scored("scores", rows), None, MonitorSpec(since="2025-02-01"))
    assert found.as_dict()["undated"] == 2
    assert "2 rows without a day are on neither side" in found.text()


# mistakes


def test_what_is_new_must_be_said_once(scored):
    scores = scored("scores", month(1, 3))
    with pytest.raises(InputError, match=r"name a second folder .* or say from which day on .*--since 2025-07-01"):
        monitor(scores, None)
    with pytest.raises(InputError, match="--since parts one folder by day; with two folders the second is what is new"):
        monitor(scores, scores, MonitorSpec(since="2025-01-02"))
    with pytest.raises(InputError, match="both folders are the same; to part one by day:  --since 2025-07-01"):
        monitor(scores, scores)
    with pytest.raises(ConfigError, match="the day is written as 2025-07-01; this is '07/2025'"):
        MonitorSpec.parse({"since": "07/2025"}, where="monitor")
    with pytest.raises(DataError, match=r"scores: there are no new articles to compare\. The day that parts them is 2026-01-01"):
        monitor(scores, None, MonitorSpec(since="2026-01-01"))


def test_times_cannot_group_and_columns_must_be_there(scored):
    sides = scored("scores", month(1, 3)), scored("new", month(2, 3))
    with pytest.raises(InputError, match="--by quarter: new articles are of other times than the earlier ones"):
        monitor(*sides, MonitorSpec(by=("quarter",)))
    with pytest.raises(InputError, match="--by desk: the scores have no column 'desk'"):
        monitor(*sides, MonitorSpec(by=("desk",)))


def test_scores_of_another_model_or_codebook_are_not_compared(scored, models, tmp_path, tmp_path_factory):
    scores = scored("scores", month(1, 3))
    score(models["framing"], str(tmp_path / "scores.jsonl"), tmp_path / "framing", run=RunSpec(workers=1))
    with pytest.raises(DataError, match=r"framing: its codebook is not that of .*scores"):
        monitor(scores, Scores.open(tmp_path / "framing"))
    other = trained(tmp_path_factory.mktemp("other"), seed=1)
    score(other, str(tmp_path / "scores.jsonl"), tmp_path / "other", run=RunSpec(workers=1))
    with pytest.raises(DataError, match=r"other: scored by another model \(.*…\) than .*Score the new articles with the earlier model"):
        monitor(scores, Scores.open(tmp_path / "other"))
