"""What was encoded once comes back as it was, to any process, whatever was killed, cut short or taken away; and never as another text's."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from newsclf.learners import vectors as module
from newsclf.learners.vectors import Space, VectorCache, cache_folder, encoded, text_key

SPACE = Space("f1", "fp32", 8, {"longest": 256})


def keys_of(numbers):
    return [text_key(f"Report {number}") for number in numbers]


def rows_of(numbers, dim=8):
    """A vector that says which text it is of."""
    return np.array([[number + column / 16 for column in range(dim)] for number in numbers], np.float32).reshape(-1, dim)


def put(cache, numbers):
    cache.put_many(keys_of(numbers), rows_of(numbers))


def found(cache, numbers):
    """Which of the numbers the cache has; none of them as another's vector."""
    vectors, missing = cache.get_many(keys_of(numbers))
    absent = set(missing.tolist())
    for place, number in enumerate(numbers):
        assert vectors[place].tolist() == ([0.0] * 8 if place in absent else rows_of([number])[0].tolist())
    return [number for place, number in enumerate(numbers) if place not in absent]


def held(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.suffix in (".index", ".vectors"))


# what comes back


def test_what_was_kept_comes_back_and_the_rest_is_said_to_be_missing(tmp_path: Path):
    cache = VectorCache(SPACE, tmp_path)
    put(cache, [3, 1, 2])
    put(cache, [7])
    vectors, missing = cache.get_many(keys_of([1, 9, 7, 1, 8]))
    assert missing.tolist() == [1, 4]
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [*rows_of([1]).tolist(), [0.0] * 8, *rows_of([7, 1]).tolist(), [0.0] * 8]
    assert found(VectorCache(SPACE, tmp_path), range(10)) == [1, 2, 3, 7]


def test_nothing_asked_is_nothing(tmp_path: Path):
    cache = VectorCache(SPACE, tmp_path)
    cache.put_many([], np.zeros((0, 8)))
    assert [part.shape for part in cache.get_many([])] == [(0, 8), (0,)]
    assert found(cache, [1]) == []


@pytest.mark.parametrize(
    "change",
    [{"encoder": "f2"}, {"precision": "bf16"}, {"settings": {"longest": 128}}, {"stored": "float16"}, {"dim": 4}],
    ids=lambda change: next(iter(change)),
)
def test_another_encoder_precision_or_setting_has_other_vectors(tmp_path: Path, change):
    put(VectorCache(SPACE, tmp_path), range(4))
    other = replace(SPACE, **change)
    assert other.fingerprint != SPACE.fingerprint
    assert VectorCache(other, tmp_path).get_many(keys_of(range(4)))[1].tolist() == [0, 1, 2, 3]
    assert found(VectorCache(replace(SPACE, settings={"longest": 256}), tmp_path), range(4)) == [0, 1, 2, 3]


def test_half_precision_comes_back_rounded(tmp_path: Path):
    cache = VectorCache(replace(SPACE, stored="float16"), tmp_path)
    cache.put_many(keys_of([1]), np.full((1, 8), 1 / 3))
    assert cache.get_many(keys_of([1]))[0].tolist() == np.full((1, 8), 1 / 3, np.float16).tolist()


def test_vectors_of_another_length_are_an_error(tmp_path: Path):
    with pytest.raises(ValueError, match=r"shape \[2, 8\], not \[2, 3\]"):
        VectorCache(SPACE, tmp_path).put_many(keys_of([1, 2]), np.zeros((2, 3)))


def test_a_key_is_that_of_any_text():
    assert len({text_key(text) for text in ("", " ", "a", "\ud800", "\U0001f309")}) == 5


# encoding through it


def test_a_text_is_encoded_once_and_a_second_run_encodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "AT_ONCE", 2)
    seen = Counter()

    def encode(texts):
        seen.update(texts)
        return rows_of([len(text) for text in texts]) / 3

    texts = ["one", "three", "one", "seventeen", "", "three"]
    space = replace(SPACE, stored="float16")
    first = encoded(texts, VectorCache(space, tmp_path), encode)
    assert set(seen.values()) == {1}
    second = encoded([*texts, "nineteen"], VectorCache(space, tmp_path), encode)
    assert set(seen.values()) == {1}
    assert second[:6].tolist() == first.tolist() == (rows_of([3, 5, 3, 9, 0, 5]) / 3).astype(np.float16).tolist()
    assert encoded([], VectorCache(space, tmp_path), encode).shape == (0, 8)


def test_a_run_that_fails_has_kept_what_was_encoded_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "AT_ONCE", 2)

    def encode(texts):
        if "Report 2" in texts:
            raise RuntimeError("out of memory")
        return rows_of([int(text.split()[1]) for text in texts])

    with pytest.raises(RuntimeError):
        encoded([f"Report {number}" for number in range(4)], VectorCache(SPACE, tmp_path), encode)
    assert found(VectorCache(SPACE, tmp_path), range(4)) == [0, 1]


# its place


def test_a_cache_is_where_it_was_said_to_be(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_folder({"NEWSCLF_CACHE": "/x"}) == Path("/x/vectors")
    assert cache_folder({"NEWSCLF_CACHE": "Off"}) is None
    assert cache_folder({"XDG_CACHE_HOME": "/y", "NEWSCLF_CACHE": " "}) == Path("/y/newsclf/vectors")
    assert cache_folder({}) == Path.home() / ".cache/newsclf/vectors"


@pytest.mark.parametrize(("platform", "environ", "expected"), [("darwin", {}, "~/Library/Caches"), ("win32", {"LOCALAPPDATA": "/z"}, "/z")])
def test_every_platform_has_a_place(monkeypatch: pytest.MonkeyPatch, platform, environ, expected):
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_folder(environ) == Path(expected).expanduser() / "newsclf/vectors"


def test_without_a_home_there_is_no_cache(monkeypatch: pytest.MonkeyPatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Path, "home", homeless)
    assert cache_folder({}) is None
    assert cache_folder({"NEWSCLF_CACHE": "~nobody-of-that-name/x"}) is None


def test_off_keeps_nothing(caplog: pytest.LogCaptureFixture):
    cache = VectorCache(SPACE, None)
    put(cache, [1])
    assert found(cache, [1]) == []
    assert not caplog.records


def test_a_place_that_cannot_be_written_is_done_without_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / "file").write_text("in the way")
    cache = VectorCache(SPACE, tmp_path / "file" / "vectors")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert encoded(["Report 1"], cache, lambda texts: rows_of([1] * len(texts))).tolist() == rows_of([1]).tolist()
    (record,) = caplog.records
    assert "file/vectors: the cache of vectors cannot be written" in record.getMessage()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_cache_that_may_only_be_read_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    put(VectorCache(SPACE, tmp_path), [1])
    folder = tmp_path / SPACE.fingerprint
    places = [*folder.iterdir(), folder]
    for path in places:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        cache = VectorCache(SPACE, tmp_path)
        put(cache, [2])
        assert found(cache, [1, 2]) == [1]
        assert len(caplog.records) == 1
    finally:
        for path in places:
            path.chmod(0o755)


def test_a_file_that_cannot_be_read_is_done_without(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    put(VectorCache(SPACE, tmp_path), [1])
    (file,) = tmp_path.rglob("*.vectors")
    file.unlink()
    file.mkdir()
    (file / "x").write_bytes(bytes(99))
    assert found(VectorCache(SPACE, tmp_path), [1]) == []


# its bound


def test_the_bound_holds_and_what_was_used_stays(tmp_path: Path):
    limit = 40_000
    cache = VectorCache(SPACE, tmp_path, limit=limit)
    other = VectorCache(replace(SPACE, encoder="f2"), tmp_path, limit=limit)
    put(cache, range(50))
    for start in range(1000, 4000, 100):
        put(other, range(start, start + 100))
        assert found(cache, range(50)) == list(range(50))
        assert held(tmp_path) <= limit
    kept = found(other, range(1000, 4000))
    assert 500 < len(kept) < 860
    assert kept == list(range(4000 - len(kept), 4000))


def test_more_at_once_than_the_cache_holds_leaves_a_part(tmp_path: Path):
    cache = VectorCache(SPACE, tmp_path, limit=10_000)
    put(cache, range(1000))
    assert held(tmp_path) <= 10_000
    kept = found(cache, range(1000))
    assert kept == list(range(1000 - len(kept), 1000))
    assert len(kept) > 50


def test_small_additions_fill_one_segment(tmp_path: Path):
    cache = VectorCache(SPACE, tmp_path)
    for number in range(20):
        put(cache, [number])
    assert len(list(tmp_path.rglob("*.index"))) == 1
    assert found(cache, range(20)) == list(range(20))


# several at once


def work(folder, first, last, barrier):
    """Of a process of its own: keep numbers by tens, and look for everybody's."""
    cache = VectorCache(SPACE, Path(folder))
    barrier.wait(60)
    for start in range(first, last, 10):
        put(cache, range(start, start + 10))
        assert found(cache, range(first, start + 10)) == list(range(first, start + 10))
        found(cache, range(1000))


def write_for_ever(folder):
    cache = VectorCache(SPACE, Path(folder))
    start = 0
    while True:
        put(cache, range(start, start + 200))
        start += 200


def test_two_processes_write_at_once(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    processes = [context.Process(target=work, args=(str(tmp_path), first, first + 400, barrier)) for first in (0, 300)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    assert found(VectorCache(SPACE, tmp_path), range(800)) == list(range(700))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_a_process_killed_while_it_writes_leaves_whole_vectors(tmp_path: Path):
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=write_for_ever, args=(str(tmp_path),))
    process.start()
    try:
        until = time.monotonic() + 60
        while held(tmp_path) < 200_000 and time.monotonic() < until:
            time.sleep(0.005)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.join(30)
    cache = VectorCache(SPACE, tmp_path)
    kept = found(cache, range(100_000))
    assert len(kept) >= 200
    assert kept == list(range(len(kept)))
    put(cache, range(len(kept), len(kept) + 50))
    assert found(VectorCache(SPACE, tmp_path), range(len(kept) + 60)) == list(range(len(kept) + 50))


def test_one_who_writes_keeps_nobody_waiting(tmp_path: Path):
    cache = VectorCache(SPACE, tmp_path)
    put(cache, [1])
    (index,) = tmp_path.rglob("*.index")
    with FileLock(index.with_suffix(".lock")):
        put(VectorCache(SPACE, tmp_path), [2])
    assert len(list(tmp_path.rglob("*.index"))) == 2
    assert found(cache, [1, 2]) == [1, 2]


def test_threads_share_a_cache(tmp_path: Path):
    cache = VectorCache(SPACE, tmp_path)

    def go(first):
        for start in range(first, first + 100, 10):
            put(cache, range(start, start + 10))
            assert len(found(cache, range(first, start + 10))) == start + 10 - first

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(go, range(0, 400, 100)))
    assert found(VectorCache(SPACE, tmp_path), range(400)) == list(range(400))
