"""A scored folder is one job that was run to its end, or it is refused."""

from __future__ import annotations

import json
import shutil

import pytest

from newsclf.errors import DataError, NewsclfError
from newsclf.estimates.finished import Finished, reading


@pytest.fixture
def folder(scored, tmp_path):
    """A scored folder to spoil."""
    return shutil.copytree(scored, tmp_path / "scores")


def test_a_finished_job_tells_of_its_parts_and_codebooks(scored):
    found = Finished.read(scored)
    assert list(found.books) == ["color", "things", "stance"]
    assert found.parts() == [f"part-{number:05}.parquet" for number in range(7)]
    assert sum(commit.rows for commit in found.commits) == 601


def test_nothing_there_and_not_done_are_told_apart(folder, tmp_path):
    with pytest.raises(DataError, match="there are no scores here; newsclf score MODEL CORPUS -o"):
        Finished.read(tmp_path)
    (folder / "score.json").unlink()
    with pytest.raises(DataError, match="this job is not done"):
        Finished.read(folder)


def test_a_lost_part_is_missed(folder):
    (folder / "part-00004.json").unlink()
    with pytest.raises(DataError, match="6 of 7 parts are here; copy the whole folder again"):
        Finished.read(folder)


def test_commits_of_another_job_are_named(folder):
    commit = json.loads((folder / "part-00002.json").read_bytes())
    (folder / "part-00002.json").write_text(json.dumps(commit | {"job": "0" * 64}), "utf-8")
    with pytest.raises(DataError, match=r"'part-00002\.json' come from another job than job\.json, so that scores of two models are mixed"):
        Finished.read(folder)


@pytest.mark.parametrize("name", ["score.json", "job.json", "part-00001.json"])
@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_file_that_was_cut_short_is_a_users_matter(folder, name, data):
    (folder / name).write_bytes(data)
    with pytest.raises(NewsclfError, match=name):
        Finished.read(folder)


def test_a_part_is_named_whatever_is_wrong_with_it(tmp_path):
    for error in (OSError("gone"), KeyError("column")):
        with pytest.raises(DataError, match=r"part\.parquet: this part cannot be read"), reading(tmp_path / "part.parquet"):
            raise error
    with pytest.raises(ZeroDivisionError), reading(tmp_path / "part.parquet"):  # our own bugs stay bugs
        raise ZeroDivisionError
