"""A folder of scores belongs to one job, says what another would do otherwise, and lets two jobs do no shard twice."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from color_articles import contents
from filelock import FileLock

from newsclf.errors import InputError, OutputError
from newsclf.inference import job as job_module
from newsclf.inference.job import FORMAT, JOB, LOCKS, Job, in_turn, locked, move_aside, try_lock

ONE = Job({"topic": "f1"}, {"text": None, "on_error": "quarantine"}, {"sentences": 0, "keep": ["x"]}, {"a.jsonl": "3 bytes", "b.jsonl": "4 bytes"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scores" / LOCKS).mkdir(parents=True)
    return tmp_path / "scores"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for anybody."""
    monkeypatch.setattr(job_module, "LOOK_S", 0)
    monkeypatch.setattr(job_module, "TURN_S", 0)


# the same job


def test_a_job_is_what_its_tree_says():
    assert Job.of_tree(json.loads(json.dumps(ONE.tree()))) == ONE
    assert ONE.tree()["format"] == FORMAT
    assert (
        len({job.fingerprint for job in (ONE, replace(ONE, models={}), replace(ONE, corpus={}), replace(ONE, spec={}), replace(ONE, inputs={}))}) == 5
    )


def test_a_new_folder_becomes_the_job_s_and_stays_it(folder: Path):
    assert not ONE.is_in(folder)
    ONE.enter(folder)
    before = contents(folder)
    assert ONE.is_in(folder)
    ONE.enter(folder)
    assert contents(folder) == before
    assert json.loads(before[JOB]) == ONE.tree()


def test_tuples_and_lists_are_one(folder: Path):
    replace(ONE, spec={"keep": ("x", "y")}).enter(folder)
    assert replace(ONE, spec={"keep": ["x", "y"]}).is_in(folder)


def test_a_name_that_is_not_utf_8_is_written(folder: Path):
    job = replace(ONE, inputs={"caf\udce9.jsonl": "3 bytes"})
    job.enter(folder)
    assert job.is_in(folder)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"models": {"topic": "f2"}}, "the model for 'topic' is another one than then"),
        ({"models": {}}, "the model for 'topic' is not asked now"),
        ({"models": {"topic": "f1", "stance": "f3"}}, "the model for 'stance' is new"),
        ({"corpus": {"text": "body", "on_error": "quarantine"}}, 'corpus.text was null, is "body"'),
        ({"spec": {"sentences": 2, "keep": []}}, 'the setting sentences was 0, is 2; the setting keep was ["x"], is []'),
        ({"inputs": {"a.jsonl": "3 bytes"}}, "the file b.jsonl is not read now"),
        ({"inputs": {"a.jsonl": "5 bytes", "b.jsonl": "4 bytes"}}, "the file a.jsonl has changed since"),
        ({"inputs": {"a.jsonl": "3 bytes", "b.jsonl": "4 bytes", "c.jsonl": "1 byte"}}, "the file c.jsonl is new"),
        (
            {"models": {}, "spec": {"sentences": 0, "keep": ["x"], "limit": 3}},
            "the model for 'topic' is not asked now; the setting limit was null, is 3",
        ),
    ],
)
def test_every_difference_is_told(folder: Path, change: dict[str, Any], told: str):
    ONE.enter(folder)
    with pytest.raises(OutputError) as error:
        replace(ONE, **change).enter(folder)
    assert str(error.value) == (
        f"{folder}: this folder holds scores of another job: {told}. Name another folder, or begin anew with --restart, which moves what is there aside."
    )


def test_many_differences_are_cut_with_a_count(folder: Path):
    ONE.enter(folder)
    with pytest.raises(OutputError, match=r"the file 0.jsonl is new; .*the file 3.jsonl is new and 16 more\. Name another folder"):
        replace(ONE, inputs={f"{number}.jsonl": "" for number in range(20)}).is_in(folder)


def test_a_folder_of_another_format_is_told(folder: Path):
    (folder / JOB).write_text(json.dumps(ONE.tree() | {"format": 99}), "utf-8")
    with pytest.raises(OutputError, match=rf"of another job: its format is 99 and this newsclf writes {FORMAT}\. Name another folder"):
        ONE.is_in(folder)


@pytest.mark.parametrize("text", ["{", "[]", "3", "null", '"a"', json.dumps({"format": FORMAT, "models": 3}), "\xff"])
def test_another_program_s_file_of_that_name_is_no_job(folder: Path, text: str):
    (folder / JOB).write_text(text, "latin-1")
    with pytest.raises(OutputError, match=r"scores/job.json: this is no job of newsclf \(.*\); name another output folder"):
        ONE.is_in(folder)


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["thesis.doc"], r"something else \('thesis.doc'\)"),
        ([f"{name}.txt" for name in "abcdef"], r"something else \('a.txt', 'b.txt', 'c.txt', 'd.txt' and 2 more\)"),
        (["part-00000.json", "part-00000.parquet", "score.json"], "scores of an older newsclf"),
    ],
)
def test_what_is_not_ours_is_left_as_it_is(folder: Path, names: list[str], what: str):
    for name in names:
        (folder / name).write_text("{}", "utf-8")
    before = contents(folder)
    with pytest.raises(OutputError, match=rf"scores: this folder holds {what} and is left as it is; name another output folder"):
        ONE.is_in(folder)
    assert contents(folder) == before


def test_a_run_that_was_killed_before_it_had_begun_is_not_in_the_way(folder: Path):
    (folder / f"{JOB}.tmp").write_text('{"for', "utf-8")
    ONE.enter(folder)
    assert ONE.is_in(folder)


def test_a_file_in_the_way_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="file: a file of that name is in the way; name another output folder"):
        ONE.is_in(tmp_path / "file")


# locks


def held(folder: Path, part: str) -> None:
    with locked(folder, part=part):
        pass


@pytest.mark.parametrize(
    ("first", "second", "who"),
    [
        ("", "", "another job"),
        ("2/8", "2/8", "part 2/8 of this job"),
        ("", "1/2", "a whole job"),
        ("1/2", "", "part 1/2 of a job"),
    ],
)
def test_two_jobs_that_would_do_the_same_shards_are_kept_apart(folder: Path, hurried: None, first: str, second: str, who: str):
    message = f"scores: {who} is at work in this folder. Wait until it is done, or name another folder"
    with locked(folder, part=first), pytest.raises(OutputError, match=message):
        held(folder, second)
    held(folder, second)


def test_the_refused_job_holds_nothing(folder: Path, hurried: None):
    with locked(folder, part="1/2"):
        with pytest.raises(OutputError):
            held(folder, "")
        held(folder, "2/2")


def test_parts_of_an_array_work_side_by_side(folder: Path, hurried: None):
    with locked(folder, part="1/3"), locked(folder, part="3/3"), locked(folder, part="2/3"):
        assert sorted(path.name for path in (folder / LOCKS).glob("job-*")) == ["job-1-of-3.lock", "job-2-of-3.lock", "job-3-of-3.lock"]


def test_a_folder_is_made_for_its_locks(tmp_path: Path):
    with locked(tmp_path / "deep" / "scores", part=""):
        assert (tmp_path / "deep" / "scores" / LOCKS).is_dir()


def test_locks_below_a_file_cannot_be_written(tmp_path: Path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="file/scores: cannot be written: Not a directory"):
        held(tmp_path / "file" / "scores", "")
    with pytest.raises(OutputError, match="file: cannot be written: Not a directory"), try_lock(tmp_path / "file", "shard-00000"):
        pass


def test_one_who_only_looks_is_not_taken_for_one_at_work(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Of parts that begin at once, each looks whether a whole job has its lock, and for that has it for a blink."""
    look, looks = FileLock(folder / LOCKS / "whole.lock", thread_local=False), []
    real = try_lock

    @contextmanager
    def meanwhile(place: Path, name: str, *, wait: float = 0) -> Iterator[bool]:
        if name == "whole":
            look.acquire()
            looks.append(name)
            threading.Timer(0.1, look.release).start()
        with real(place, name, wait=wait) as mine:
            yield mine

    monkeypatch.setattr(job_module, "try_lock", meanwhile)
    held(folder, "1/2")
    assert len(looks) == 1


def test_a_lock_is_taken_once_and_given_back(folder: Path):
    with try_lock(folder, "shard-00003") as first, try_lock(folder, "shard-00003") as second, try_lock(folder, "shard-00004") as other:
        assert (first, second, other) == (True, False, True)
    with try_lock(folder, "shard-00003") as again:
        assert again


def test_who_never_gives_a_turn_is_told(folder: Path, hurried: None):
    with in_turn(folder), pytest.raises(OutputError, match="another job is at work in this folder"), in_turn(folder):
        pass
    with in_turn(folder):
        pass


# beginning anew


def test_what_is_there_takes_the_next_free_number(folder: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "newsclf")
    (folder.parent / "scores.2").mkdir()
    for number in (1, 3):
        ONE.enter(folder)
        before = contents(folder)
        move_aside(folder, part="")
        aside = folder.with_name(f"scores.{number}")
        assert {name: data for name, data in contents(aside).items() if LOCKS not in name} == {JOB: before[JOB]}
        assert not folder.exists()
        assert caplog.records[-1].getMessage() == f"what was in {folder} is in {aside} now"
        (folder / LOCKS).mkdir(parents=True)


def test_a_folder_without_a_job_is_not_moved(folder: Path):
    (folder / "thesis.doc").write_text("years of work")
    move_aside(folder, part="")
    assert contents(folder) == {"thesis.doc": b"years of work"}
    move_aside(folder.with_name("nowhere"), part="")


def test_a_folder_in_which_a_job_is_at_work_is_not_moved(folder: Path, hurried: None):
    ONE.enter(folder)
    for part in ("", "1/2"):
        with locked(folder, part=part), pytest.raises(OutputError, match="is at work in this folder"):
            move_aside(folder, part="")
    assert ONE.is_in(folder)


def test_a_part_moves_nothing(folder: Path):
    ONE.enter(folder)
    with pytest.raises(InputError, match=r"--restart with --shard 1/2: each part would move the work of the others aside. Move the folder"):
        move_aside(folder, part="1/2")
    assert ONE.is_in(folder)


def test_the_folder_one_stands_in_is_not_moved(folder: Path, monkeypatch: pytest.MonkeyPatch):
    ONE.enter(folder)
    monkeypatch.chdir(folder)
    with pytest.raises(InputError, match=r"--restart: the folder '\.' cannot be moved aside under that name; call it by its own"):
        move_aside(Path(), part="")
    assert ONE.is_in(folder)
