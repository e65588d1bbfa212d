"""Folders that are whole or not there at all, whatever happens while they are written."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from newsclf.errors import BundleError, OutputError
from newsclf.folder import checked_files, fsync_folder, replace_folder, sha256, write_file

MARK = "manifest.json"
OLD = {MARK: b"old", "weights": b"old weights"}
NEW = {MARK: b"new", "weights": b"new weights", "words": b""}


class InTheMiddle(Mapping[str, bytes]):
    """Files of which the last cannot be had: something happens first."""

    def __init__(self, what: BaseException) -> None:
        self.what = what

    def __getitem__(self, name: str) -> bytes:
        if name == "words":
            raise self.what
        return NEW[name]

    def __iter__(self) -> Iterator[str]:
        return iter(NEW)

    def __len__(self) -> int:
        return len(NEW)


@pytest.fixture
def tiny_disk() -> Iterator[Path]:
    """A file system of 64 KiB."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
        if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("only root can mount a file system that is soon full")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder of root's, while the test is a user who owns nothing."""
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def content(folder: Path) -> dict[str, bytes]:
    return {item.name: item.read_bytes() for item in folder.iterdir()}


def listing(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    return {name: {"bytes": len(data), "sha256": sha256(data)} for name, data in files.items() if name != MARK}


def test_a_hash_is_that_of_the_standard():
    assert sha256(b"abc") == hashlib.sha256(b"abc").hexdigest()


def test_a_file_is_written_over_what_was_there(tmp_path: Path):
    write_file(tmp_path / "a", b"a longer text")
    write_file(tmp_path / "a", b"short")
    fsync_folder(tmp_path)
    assert content(tmp_path) == {"a": b"short"}


def test_a_folder_that_cannot_be_synced_is_no_error(tmp_path: Path):
    fsync_folder(tmp_path / "gone")


@pytest.mark.parametrize("before", [None, {}, OLD, OLD | {"left-over": b"x"}])
def test_a_folder_takes_the_place_of_none_an_empty_or_an_older_one(tmp_path: Path, before: dict[str, bytes] | None):
    folder = tmp_path / "deep" / "model"
    if before is not None:
        folder.mkdir(parents=True)
        for name, data in before.items():
            (folder / name).write_bytes(data)
    replace_folder(folder, NEW, mark=MARK)
    assert content(folder) == NEW
    assert [item.name for item in folder.parent.iterdir()] == ["model"]


def test_the_current_folder_can_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    replace_folder(Path(), NEW, mark=MARK)
    assert content(tmp_path / "here") == NEW


def test_what_a_killed_run_left_behind_is_not_in_the_way(tmp_path: Path):
    for state in ("new", "old"):
        replace_folder(tmp_path / f".model.{state}-{os.getpid()}", OLD, mark=MARK)
    replace_folder(tmp_path / "model", NEW, mark=MARK)
    assert content(tmp_path / "model") == NEW


def test_a_folder_that_holds_something_else_is_left_as_it_is(tmp_path: Path):
    folder = tmp_path / "thesis"
    folder.mkdir()
    for number in range(6):
        (folder / f"chapter{number}").write_bytes(b"years of work")
    before = content(folder)
    with pytest.raises(OutputError, match=r"thesis: this folder holds something else \('chapter0', .*'chapter3' and 2 more\) and is left as it is"):
        replace_folder(folder, NEW, mark=MARK)
    assert content(folder) == before


@pytest.mark.parametrize("kind", ["file", "link to a folder", "broken link"])
def test_a_file_or_link_in_the_way_is_left_as_it_is(tmp_path: Path, kind: str):
    place = tmp_path / "model"
    if kind == "file":
        place.write_bytes(b"mine")
    else:
        replace_folder(tmp_path / "other", OLD, mark=MARK)
        place.symlink_to(tmp_path / ("other" if kind == "link to a folder" else "gone"))
    with pytest.raises(OutputError, match="model: a file of that name is in the way; name another output folder"):
        replace_folder(place, NEW, mark=MARK)
    assert place.read_bytes() == b"mine" if kind == "file" else place.is_symlink()


@pytest.mark.parametrize("length", [300, 250])
def test_a_name_that_the_file_system_refuses_is_an_output_error(tmp_path: Path, length: int):
    with pytest.raises(OutputError, match="cannot be written: File name too long"):
        replace_folder(tmp_path / ("x" * length), NEW, mark=MARK)


def test_a_folder_below_a_file_cannot_be_written(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"cannot be written: Not a directory. Nothing was changed there"):
        replace_folder(tmp_path / "file" / "model", NEW, mark=MARK)


def test_a_full_disk_leaves_the_older_folder_and_nothing_else(tiny_disk: Path):
    folder = tiny_disk / "model"
    replace_folder(folder, OLD, mark=MARK)
    with pytest.raises(OutputError, match=r"model: cannot be written: No space left on device. Nothing was changed there"):
        replace_folder(folder, NEW | {"weights": bytes(1 << 20)}, mark=MARK)
    assert content(folder) == OLD
    assert list(tiny_disk.iterdir()) == [folder]


def test_a_folder_that_others_may_not_write_into_is_told(nobody: Path):
    replace_folder(nobody / "model", OLD, mark=MARK)
    os.seteuid(65534)
    try:
        with pytest.raises(OutputError, match=r"cannot be written: Permission denied. Nothing was changed there"):
            replace_folder(nobody / "model", NEW, mark=MARK)
    finally:
        os.seteuid(0)
    assert content(nobody / "model") == OLD


@pytest.mark.parametrize("what", [KeyboardInterrupt(), MemoryError(), OSError("the cable came out")], ids=lambda what: type(what).__name__)
@pytest.mark.parametrize("before", [True, False])
def test_an_interruption_between_two_files_changes_nothing(tmp_path: Path, what: BaseException, before: bool):
    folder = tmp_path / "model"
    if before:
        replace_folder(folder, OLD, mark=MARK)
    with pytest.raises((type(what), OutputError)):
        replace_folder(folder, InTheMiddle(what), mark=MARK)
    assert {item.name: content(item) for item in tmp_path.iterdir()} == ({"model": OLD} if before else {})


@pytest.mark.parametrize("what", [KeyboardInterrupt(), OSError("the cable came out")], ids=lambda what: type(what).__name__)
@pytest.mark.parametrize(("renames", "after"), [(0, OLD), (1, OLD), (2, NEW)])
def test_an_interruption_between_two_renames_leaves_one_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: BaseException, renames: int, after: dict[str, bytes]
):
    folder = tmp_path / "model"
    replace_folder(folder, OLD, mark=MARK)
    rename, fallen = Path.rename, []

    def interrupted(self: Path, target: Path) -> Path:
        before = len(fallen) == renames
        fallen.append(self)
        if before:  # instead of this rename
            raise what
        result = rename(self, target)
        if len(fallen) == renames == 2:  # after the last
            raise what
        return result

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises((type(what), OutputError)):
        replace_folder(folder, NEW, mark=MARK)
    assert {item.name: content(item) for item in tmp_path.iterdir()} == {"model": after}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder whose files are as they are listed."""
    replace_folder(tmp_path / "model", NEW, mark=MARK)
    return tmp_path / "model"


def test_files_that_are_as_listed_are_read(bundle: Path):
    assert checked_files(bundle, listing(NEW), mark=MARK) == {"weights": b"new weights", "words": b""}


def test_only_some_files_are_read_but_all_must_be_there_and_whole(bundle: Path):
    (bundle / "weights").write_bytes(b"new weightz")
    assert checked_files(bundle, listing(NEW), mark=MARK, only=("words",)) == {"words": b""}
    assert checked_files(bundle, listing(NEW), mark=MARK, only=()) == {}
    with pytest.raises(BundleError, match="weights: the file has changed since it was saved"):
        checked_files(bundle, listing(NEW), mark=MARK, only=("words", "weights"))
    (bundle / "weights").write_bytes(b"new")
    with pytest.raises(BundleError, match="weights: the file has 3 bytes, the manifest says 11; copy the whole folder again"):
        checked_files(bundle, listing(NEW), mark=MARK, only=("words",))
    (bundle / "weights").unlink()
    with pytest.raises(BundleError, match="model: the file 'weights' is missing"):
        checked_files(bundle, listing(NEW), mark=MARK, only=("words",))


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "../weights", "/etc/passwd", "a/b", "a/", "a\\b", "C:weights", "a\0b"])
def test_a_name_that_leads_out_of_the_folder_is_refused(bundle: Path, name: str):
    with pytest.raises(BundleError) as caught:
        checked_files(bundle, listing(NEW) | {name: {"bytes": 0, "sha256": ""}}, mark=MARK)
    assert f"the manifest names the file {name!r}; only plain file names inside the folder are read." in str(caught.value)


def test_a_missing_file_is_named(bundle: Path):
    (bundle / "words").unlink()
    with pytest.raises(BundleError, match="model: the file 'words' is missing; copy the whole folder again"):
        checked_files(bundle, listing(NEW), mark=MARK)


def test_a_file_that_is_not_listed_is_named(bundle: Path):
    (bundle / "run_me.py").write_bytes(b"")
    with pytest.raises(BundleError, match=r"model: the file 'run_me.py' does not belong to this bundle; remove it"):
        checked_files(bundle, listing(NEW), mark=MARK)


@pytest.mark.parametrize("kind", ["link", "folder", "fifo"])
def test_what_is_no_plain_file_is_refused(bundle: Path, kind: str):
    path = bundle / "words"
    path.unlink()
    if kind == "link":
        (bundle.parent / "elsewhere").write_bytes(b"")
        path.symlink_to(bundle.parent / "elsewhere")
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(BundleError, match="words: this is a link or a folder; a bundle holds plain files only"):
        checked_files(bundle, listing(NEW), mark=MARK)


@pytest.mark.parametrize("data", [b"new weights!", b""])
def test_a_file_of_another_size_is_refused(bundle: Path, data: bytes):
    (bundle / "weights").write_bytes(data)
    with pytest.raises(BundleError, match=rf"weights: the file has {len(data)} bytes, the manifest says 11; copy the whole folder again"):
        checked_files(bundle, listing(NEW), mark=MARK)


def test_a_file_with_one_other_byte_is_refused(bundle: Path):
    (bundle / "weights").write_bytes(b"new weightz")
    wanted, found = sha256(b"new weights")[:12], sha256(b"new weightz")[:12]
    with pytest.raises(BundleError, match=rf"weights: the file has changed since it was saved \(sha256 {found}…, the manifest says {wanted}…\)"):
        checked_files(bundle, listing(NEW), mark=MARK)


@pytest.mark.parametrize("entry", [{}, {"bytes": "11"}, {"bytes": 11}, {"bytes": 11, "sha256": None}])
def test_an_entry_that_says_too_little_is_refused(bundle: Path, entry: dict[str, Any]):
    with pytest.raises(BundleError, match="weights: the file has"):
        checked_files(bundle, listing(NEW) | {"weights": entry}, mark=MARK)


def test_a_folder_that_is_gone_cannot_be_read(tmp_path: Path):
    with pytest.raises(BundleError, match="gone: cannot be read: No such file or directory"):
        checked_files(tmp_path / "gone", {}, mark=MARK)


def test_a_file_that_may_not_be_read_is_told(nobody: Path):
    replace_folder(nobody / "model", NEW, mark=MARK)
    (nobody / "model" / "weights").chmod(0o600)
    os.seteuid(65534)
    try:
        with pytest.raises(BundleError, match="weights: cannot be read: Permission denied"):
            checked_files(nobody / "model", listing(NEW), mark=MARK)
    finally:
        os.seteuid(0)
