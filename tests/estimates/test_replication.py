"""A replication pack gives the published shares again, holds no article's text, and tells when a byte of it has changed."""

from __future__ import annotations

import csv
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from color_articles import color_rows, contents, write_rows

from newsclf.errors import BundleError, DataError, InputError, OutputError
from newsclf.estimates.draw import audit_sample
from newsclf.estimates.estimate import EstimateSpec, estimate
from newsclf.estimates.frame import Scores
from newsclf.estimates.packed import CHECKSUMS, check_pack, unpack, write_pack
from newsclf.estimates.replication import PackSpec, pack_replication
from newsclf.estimates.sample import SampleSpec
from newsclf.estimates.sheets import UNSURE
from newsclf.estimates.tally import tally
from newsclf.inference.batch import RunSpec, score
from newsclf.inference.scored import read_scores
from newsclf.inference.scorer import ScoreSpec

SECRET = "Nobody but the publisher may print this sentence"


@pytest.fixture
def study(models: dict[str, Path], tmp_path: Path) -> Path:
    """A folder with scores of two tasks, codings and estimates of one of them."""
    rows = [
        {**row, "text": f"{SECRET}. {row['text']} The border wall.", "title": f"Title {number}", "url": f"https://example.org/{number}"}
        | {"date": f"2025-{number % 6 + 1:02}-{number % 27 + 1:02}", "desk": "home" if number % 3 else "abroad"}
        for number, row in enumerate(color_rows(60))
    ]
    rows[50]["text"] = ""
    (tmp_path / "corpus").mkdir()
    write_rows(tmp_path / "corpus" / "a.jsonl", rows[:70])
    write_rows(tmp_path / "corpus" / "b.jsonl", rows[70:])
    made(tmp_path, models, keep=("desk",), rows_per_shard=40, sentences=1)
    return tmp_path


def made(folder: Path, models: dict[str, Path], **how: Any) -> None:
    """Score the corpus, code some of it, and estimate."""
    spec = RunSpec(workers=1, restart=True)
    score([models["framing"], models["topic"]], str(folder / "corpus"), folder / "scores", ScoreSpec(**how), run=spec)
    shares = estimate(Scores.open(folder / "scores", "framing"), [coded(folder)], EstimateSpec(by=("outlet",), by_hand=True))
    (folder / "estimates.json").write_text(json.dumps(shares.record), "utf-8")


def coded(folder: Path) -> Path:
    """Codings of every second article by two coders, some of them not sure."""
    scores = Scores.open(folder / "scores", "framing")
    dice = random.Random(0)
    places = read_scores(folder / "scores").to_table(columns=["place"])["place"].to_pylist()[::2]
    with (folder / "coded.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["key", "coder", "labels"])
        for place in places:
            for coder in ("anna", "-ben"):
                labels = [name for name in scores.codebook.names if dice.random() < 0.3]
                writer.writerow([place, coder, UNSURE if dice.random() < 0.1 else "; ".join(labels) or "none"])
    return folder / "coded.csv"


def pack(study: Path, output: str = "pack.zip", audit: str = "coded.csv", **spec: Any) -> Path:
    scores = Scores.open(study / "scores", "framing")
    return pack_replication(scores, [study / audit], study / "estimates.json", study / output, PackSpec(**spec)).output


@pytest.fixture
def opened(study: Path) -> Path:
    """The pack of the study, unpacked."""
    return unpack(pack(study), study / "unpacked")


# what is in it


def test_the_pack_gives_the_published_shares_again(study, opened):
    record = json.loads((study / "estimates.json").read_bytes())
    scores = Scores.open(opened / "scores")
    again = json.loads(json.dumps(estimate(scores, [opened / "audit"], EstimateSpec(by=("outlet",), by_hand=True)).record))
    for part in ("shares", "differences", "comparators", "coders", "method"):
        assert again[part] == record[part]
    told = json.loads((opened / "pack.json").read_bytes())
    assert told["published"] == {"job": record["scores"]["fingerprint"], "codings": record["audit"]["fingerprint"]}
    assert told["here"] == {"job": again["scores"]["fingerprint"], "codings": again["audit"]["fingerprint"]}
    assert told["command"] == "newsclf estimate scores --audit audit --by outlet --by-hand -o again"
    assert told["command"] in (opened / "README.md").read_text("utf-8")


def test_the_scores_open_as_scoring_wrote_them_and_sum_to_the_same(study, opened):
    before, after = Scores.open(study / "scores", "framing"), Scores.open(opened / "scores")
    assert (after.rows, after.set_aside, after.model, after.codebook) == (before.rows, 1, before.model, before.codebook)
    for by in (("outlet", "quarter"), ("desk",), ()):
        sums = [tally(scores, scores.groups(by)) for scores in (before, after)]
        assert sums[0].cells == sums[1].cells
        for name in ("counts", "sums", "decided"):
            assert np.array_equal(getattr(sums[0], name), getattr(sums[1], name))
    assert read_scores(opened / "scores").count_rows() == 119


def test_nothing_of_an_article_and_nothing_of_the_machine_is_in_it(study, opened):
    columns = pq.read_table(opened / "scores" / "part-00000.parquet").column_names
    assert columns[:5] == ["place", "id", "outlet", "date", "desk"]
    assert not {"title", "url", "framing.evidence"} & set(columns)
    assert not [name for name in columns if name.startswith("topic.")]
    assert {row["place"].split(":")[0] for row in read_scores(opened / "scores").to_table().to_pylist()} == {"a.jsonl", "b.jsonl"}
    held = contents(opened)
    values = json.dumps(read_scores(opened / "scores").to_table().to_pylist())
    for secret in (SECRET, "Title 3", "example.org", str(study)):
        assert secret not in values
        assert not [name for name, data in held.items() if secret.encode() in data]


def test_a_model_is_packed_where_it_is_named(study, models):
    assert not [name for name in check_pack(pack(study)) if name.startswith("model/")]
    card = check_pack(pack(study, "card.zip", model=str(models["framing"])))
    assert {name for name in card if name.startswith("model/")} == {"model/manifest.json", "model/README.md"}
    whole = unpack(pack(study, "whole.zip", model=str(models["framing"]), with_model=True), study / "whole")
    assert contents(whole / "model") == contents(models["framing"])


def test_the_draw_is_packed_under_the_new_names(study):
    scores = Scores.open(study / "scores", "framing")
    audit_sample(scores, SampleSpec(n=60, by=("outlet",)), study / "audit")
    sheet = study / "audit" / "sheet-1.csv"
    rows = list(csv.DictReader(sheet.open(encoding="utf-8-sig", newline="")))
    dice = random.Random(2)
    with sheet.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows({**row, "coder": "anna", "labels": dice.choice(["enforcement", "economic; political", "none"])} for row in rows)
    record = estimate(scores, [study / "audit"], EstimateSpec(by=("outlet",))).record
    (study / "estimates.json").write_text(json.dumps(record), "utf-8")
    opened = unpack(pack(study, audit="audit"), study / "unpacked")
    again = estimate(Scores.open(opened / "scores"), [opened / "audit"], EstimateSpec(by=("outlet",))).record
    assert again["audit"]["design"] == record["audit"]["design"]
    for part in ("shares", "differences"):
        assert json.dumps(again[part]) == json.dumps(record[part])
    assert json.loads((opened / "pack.json").read_bytes())["command"] == "newsclf estimate scores --audit audit --by outlet -o again"
    held = b"".join(contents(opened).values())
    assert SECRET.encode() not in held
    assert str(study).encode() not in held


def test_a_stance_task_has_its_own_table(models, tmp_path):
    write_rows(tmp_path / "corpus.jsonl", [{"id": f"a{n}", "text": f"The border wall must be finished, sheriff {n} said."} for n in range(40)])
    score(models["stance"], str(tmp_path / "corpus.jsonl"), tmp_path / "scores", ScoreSpec(rows_per_shard=15, sentences=1), run=RunSpec(workers=1))
    scores = Scores.open(tmp_path / "scores")
    (target, *_), (label, *_) = scores.codebook.targets, scores.codebook.names
    with (tmp_path / "coded.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [["key", "target", "coder", "label"], *([f"{tmp_path}/corpus.jsonl:{n}", target, "anna", label] for n in range(1, 37))]
        )
    record = estimate(scores, [tmp_path / "coded.csv"], EstimateSpec(by_hand=True)).record
    (tmp_path / "estimates.json").write_text(json.dumps(record))
    pack_replication(scores, [tmp_path / "coded.csv"], tmp_path / "estimates.json", tmp_path / "pack")
    again = estimate(Scores.open(tmp_path / "pack" / "scores"), [tmp_path / "pack" / "audit"], EstimateSpec(by_hand=True)).record
    assert json.dumps(again["shares"]) == json.dumps(record["shares"])
    assert not [name for name in read_scores(tmp_path / "pack" / "scores", "stance").schema.names if "evidence" in name]


def test_ids_that_are_web_addresses_are_hashed(study, models):
    rows = [{"id": f"https://example.org/{number}", "text": row["text"], "outlet": row["outlet"]} for number, row in enumerate(color_rows(40))]
    write_rows(study / "corpus" / "a.jsonl", rows)
    (study / "corpus" / "b.jsonl").unlink()
    made(study, models)
    table = list(csv.DictReader((study / "coded.csv").open(encoding="utf-8")))
    ids = {row["place"]: row["id"] for row in read_scores(study / "scores").to_table(columns=["place", "id"]).to_pylist()}
    with (study / "by_id.csv").open("w", newline="", encoding="utf-8") as stream:  # as the coders of a project of one's own name articles
        csv.writer(stream).writerows([["id", "coder", "labels"], *([ids[row["key"]], row["coder"], row["labels"]] for row in table)])
    spec = EstimateSpec(by=("outlet",), by_hand=True)
    shares = estimate(Scores.open(study / "scores", "framing"), [study / "by_id.csv"], spec).record
    (study / "estimates.json").write_text(json.dumps(shares), "utf-8")
    opened = unpack(pack(study, audit="by_id.csv"), study / "unpacked")
    again = estimate(Scores.open(opened / "scores"), [opened / "audit"], spec).record
    assert json.dumps(again["shares"]) == json.dumps(shares["shares"])
    assert all(len(row["id"]) == 16 for row in read_scores(opened / "scores").to_table().to_pylist())
    assert "Ids that were web addresses are the first 16 digits of their sha256" in (opened / "README.md").read_text("utf-8")


# the archive


def test_the_same_is_packed_into_the_same_bytes(study):
    first, second = (pack(study, name).read_bytes() for name in ("one.zip", "two.zip"))
    assert first == second


def test_a_folder_holds_what_an_archive_holds(study):
    folder, archive = pack(study, "pack"), pack(study, "pack.zip")
    assert check_pack(folder) == check_pack(archive)
    assert contents(unpack(archive, study / "unpacked")) == contents(folder)


@pytest.mark.parametrize("name", ["estimates.json", "audit/codings.csv", "scores/part-00001.parquet", "README.md"])
def test_a_byte_that_has_changed_is_named(study, name):
    archive = pack(study)
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(study / "bad.zip", "w") as new:
        for item in old.namelist():
            data = old.read(item)
            new.writestr(item, data[:-3] + bytes([data[-3] ^ 1]) + data[-2:] if item == name else data)
    with pytest.raises(DataError, match=rf"bad.zip: this pack is not as it was written \(changed: '{name}'\); get it again"):
        unpack(study / "bad.zip", study / "unpacked")
    assert not (study / "unpacked").exists()


def test_files_that_are_gone_or_were_added_are_named(study):
    folder = pack(study, "pack")
    (folder / "codebook.yaml").rename(folder / "codes.yaml")
    with pytest.raises(DataError, match=r"\(gone: 'codebook.yaml'; added: 'codes.yaml'\)"):
        check_pack(folder)


def test_what_is_no_pack_is_told(tmp_path):
    (tmp_path / "text.zip").write_text("no archive")
    with pytest.raises(DataError, match=r"text.zip: this pack cannot be read \(.*\); get it again"):
        check_pack(tmp_path / "text.zip")
    with pytest.raises(DataError, match=f"there is no {CHECKSUMS} in it"):
        check_pack(tmp_path)
    write_pack(tmp_path / "evil.zip", [("../evil", b"x")])
    with pytest.raises(DataError, match=r"names the file '../evil', which lies outside of it"):
        unpack(tmp_path / "evil.zip", tmp_path / "unpacked")
    assert not (tmp_path / "evil").exists()


def test_nothing_is_overwritten_and_nothing_half_written_stays(study):
    (study / "pack.zip").write_text("years of work")
    with pytest.raises(OutputError, match=r"pack.zip: there is something of that name already and it is left as it is"):
        pack(study)
    with pytest.raises(OutputError, match=r"nowhere/pack.zip: cannot be written: No such file or directory"):
        pack(study, "nowhere/pack.zip")
    before = contents(study)

    def files():
        yield "a", b"a"
        raise OSError(28, "No space left on device")

    for name in ("new.zip", "new"):
        with pytest.raises(OutputError, match="cannot be written: No space left on device"):
            write_pack(study / name, files())
    assert contents(study) == before


# mistakes


def change(path: Path, *keys: str, value: Any) -> None:
    tree = json.loads(path.read_bytes())
    inner = tree
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    path.write_text(json.dumps(tree), "utf-8")


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("task",), "topic", "these shares are of other scores than .*scores: the task is topic, there framing"),
        (("model",), "abc", "the model is abc, there"),
        (("scores", "rows"), 7, "the number of articles is 7, there 119"),
        (("scores", "fingerprint"), "abc", "the job is abc, there"),
        (("audit", "fingerprint"), None, "these shares were made without coded articles"),
        (("audit", "fingerprint"), "abc", "these shares were made with other codings than '.*coded.csv' hold now; run newsclf estimate again"),
    ],
)
def test_estimates_of_something_else_are_not_packed(study, keys, value, message):
    change(study / "estimates.json", *keys, value=value)
    with pytest.raises(DataError, match=message):
        pack(study)
    assert not (study / "pack.zip").exists()


def test_columns_that_may_hold_text_are_refused_unless_named(study, models):
    for name in ("a.jsonl", "b.jsonl"):
        path = study / "corpus" / name
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        write_rows(path, [{**row, "lead": f"{SECRET} " * 3, "link": row["url"]} for row in rows])
    made(study, models, keep=("lead", "link"))
    with pytest.raises(
        DataError, match=r"column 'lead' may hold text of articles \(a value of more than 100 characters at .*a.jsonl:1\).*--drop lead"
    ):
        pack(study)
    with pytest.raises(DataError, match=r"column 'link' may hold text of articles \(a web address at .*\).*--keep link"):
        pack(study, drop=("lead",))
    opened = unpack(pack(study, drop=("lead",), keep=("link",)), study / "unpacked")
    names = read_scores(opened / "scores").schema.names
    assert ("lead" in names, "link" in names) == (False, True)
    assert json.loads((opened / "pack.json").read_bytes())["said_to_be_no_text"] == ["link"]


def test_columns_must_be_there_and_may_be_needed(study):
    with pytest.raises(InputError, match=r"--drop dsk: the scores have no such column \(did you mean 'desk'\?\)"):
        pack(study, drop=("dsk",))
    with pytest.raises(InputError, match="the column 'outlet' groups the shares or tells articles apart"):
        pack(study, drop=("outlet",))


def test_a_model_must_be_the_one(study, models):
    with pytest.raises(DataError, match="this model is not the one that the scores are by"):
        pack(study, model=str(models["topic"]))
    with pytest.raises(BundleError, match="there is no such model"):
        pack(study, model=str(study / "nowhere"))
    with pytest.raises(InputError, match="--with-model: name the folder of the model as well"):
        pack(study, with_model=True)


def test_scores_that_have_changed_are_not_packed(study):
    part = study / "scores" / "part-00001.parquet"
    part.write_bytes(part.read_bytes() + b"x")
    with pytest.raises(DataError, match=r"part-00001.parquet: this part has changed since it was scored"):
        pack(study)
