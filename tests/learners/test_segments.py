"""A segment that was cut short or garbled anywhere gives the rows that are whole, and takes the others again."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st
from test_vectors import SPACE, found, held, put

from newsclf.learners.segments import ENTRY, Index, append, index_of, known_entries, segments_in, shrink, vectors_of
from newsclf.learners.vectors import VectorCache, text_key

KEYS = [text_key(str(number)) for number in range(6)]
ROWS = np.arange(24, dtype=np.float32).reshape(6, 4)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of ten vectors. Do not write into it."""
    folder = tmp_path_factory.mktemp("cache")
    put(VectorCache(SPACE, folder), range(10))
    return folder


@pytest.fixture
def copied(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "copy")
    return tmp_path / "copy"


def takes_all_again(folder):
    """A cache gives no wrong vector, takes what it lacks, and has all of it then."""
    cache = VectorCache(SPACE, folder)
    before = found(cache, range(10))
    put(cache, [number for number in range(10) if number not in before])
    assert found(cache, range(10)) == list(range(10))
    assert found(VectorCache(SPACE, folder), range(10)) == list(range(10))
    return before


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([".index", ".vectors"]), st.integers(0, 320))
def test_a_file_cut_short_costs_its_last_rows(written, tmp_path_factory, suffix, size):
    folder = tmp_path_factory.mktemp("cut") / "copy"
    shutil.copytree(written, folder)
    (file,) = folder.rglob(f"*{suffix}")
    os.truncate(file, min(size, file.stat().st_size))
    assert takes_all_again(folder) == list(range(min(10, size // (32 if suffix == ".vectors" else ENTRY.itemsize))))
    assert len(list(folder.rglob("*.index"))) == 1
    shutil.rmtree(folder)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([(".index", at) for at in range(120)]) | st.sampled_from([(".vectors", at) for at in range(320)]), st.integers(1, 255))
def test_a_garbled_byte_costs_one_row(written, tmp_path_factory, where, change):
    suffix, place = where
    folder = tmp_path_factory.mktemp("garbled") / "copy"
    shutil.copytree(written, folder)
    (file,) = folder.rglob(f"*{suffix}")
    data = bytearray(file.read_bytes())
    data[place] ^= change
    file.write_bytes(data)
    lost = place // (32 if suffix == ".vectors" else ENTRY.itemsize)
    assert takes_all_again(folder) == [number for number in range(10) if number != lost]
    shutil.rmtree(folder)


@pytest.mark.parametrize("suffix", [".index", ".vectors"])
def test_a_file_of_zeros_holds_nothing(copied: Path, suffix: str):
    (file,) = copied.rglob(f"*{suffix}")
    file.write_bytes(bytes(file.stat().st_size))
    assert takes_all_again(copied) == []


@pytest.mark.parametrize("suffix", [".index", ".vectors"])
def test_a_file_that_is_gone_holds_nothing(copied: Path, suffix: str):
    (file,) = copied.rglob(f"*{suffix}")
    cache = VectorCache(SPACE, copied)
    assert found(cache, [1]) == [1]
    file.unlink()
    assert found(cache, [1]) == []
    assert takes_all_again(copied) == []


def test_rows_without_entries_are_written_over(copied: Path):
    (file,) = copied.rglob("*.vectors")
    with file.open("ab") as stream:
        stream.write(bytes(77))
    assert takes_all_again(copied) == list(range(10))
    put(VectorCache(SPACE, copied), [10])
    assert file.stat().st_size == 11 * 32
    assert found(VectorCache(SPACE, copied), [10]) == [10]


def test_a_key_that_comes_twice_is_found_where_it_is_whole(copied: Path):
    put(VectorCache(SPACE, copied), range(10))
    (file,) = copied.rglob("*.vectors")
    data = bytearray(file.read_bytes())
    data[10 * 32 :] = bytes(10 * 32)
    file.write_bytes(data)
    assert found(VectorCache(SPACE, copied), range(10)) == list(range(10))


def test_a_segment_takes_as_many_as_it_has_room_for(tmp_path: Path):
    assert append(tmp_path, KEYS[:3], ROWS[:3], most=4) == 3
    assert append(tmp_path, KEYS[3:], ROWS[3:], most=4) == 1
    assert append(tmp_path, KEYS[4:], ROWS[4:], most=4) == 2
    counts = sorted(index_of(segment).stat().st_size // ENTRY.itemsize for segment in segments_in(tmp_path))
    assert counts == [2, 4]


def test_an_index_knows_segment_and_row_of_every_key(tmp_path: Path):
    append(tmp_path, KEYS[:4], ROWS[:4], most=4)
    append(tmp_path, KEYS[4:], ROWS[4:], most=4)
    index = Index.of({segment: known_entries(segment, 4) for segment in segments_in(tmp_path)})
    ((places, entries),) = index.candidates([*KEYS, text_key("another")], np.array([True] * 6 + [False]))
    assert places.tolist() == [0, 1, 2, 3, 4, 5]
    for segment, mine, rows in index.by_segment(entries):
        read = np.fromfile(vectors_of(segment), np.float32).reshape(-1, 4)
        assert read[rows].tolist() == ROWS[places[mine]].tolist()


def test_keys_that_begin_alike_are_told_apart(tmp_path: Path):
    alike = [bytes(31) + bytes([number]) for number in range(4)]
    cache = VectorCache(replace(SPACE, dim=4), tmp_path)
    cache.put_many(alike[:3], ROWS[:3])
    vectors, missing = cache.get_many(alike)
    assert vectors[:3].tolist() == ROWS[:3].tolist()
    assert missing.tolist() == [3]


def test_room_is_made_from_the_oldest_on_and_not_where_somebody_writes(tmp_path: Path):
    for number, name in enumerate("abcd"):
        (tmp_path / name).mkdir()
        append(tmp_path / name, KEYS, ROWS, most=6)
        (segment,) = segments_in(tmp_path / name)
        os.utime(index_of(segment), (number, number))
    each = held(tmp_path) // 4
    (oldest,) = segments_in(tmp_path / "a")
    with FileLock(oldest.with_suffix(".lock")):
        shrink(tmp_path, 2 * each)
    assert [name for name in "abcd" if segments_in(tmp_path / name)] == ["a", "d"]
    shrink(tmp_path, 0)
    assert not [path for path in tmp_path.rglob("*.*") if path.suffix != ".lock"]


def test_one_process_makes_room_at_a_time(tmp_path: Path):
    (tmp_path / "a").mkdir()
    append(tmp_path / "a", KEYS, ROWS, most=6)
    with FileLock(tmp_path / "shrink.lock"):
        shrink(tmp_path, 0)
    assert held(tmp_path) > 0
