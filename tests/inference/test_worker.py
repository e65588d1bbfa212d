"""A worker process speaks JSON, one value a line, and nothing that a library prints stands in between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from color_articles import write_rows
from scoring import in_workers

from newsclf.bundle import outline
from newsclf.corpus.identity import identity
from newsclf.corpus.read import CorpusSpec
from newsclf.corpus.shards import plan
from newsclf.errors import DataError
from newsclf.inference.commit import commit_of, is_done
from newsclf.inference.job import LOCKS, Job, try_lock
from newsclf.inference.scorer import Order, Scorer, ScoreSpec
from newsclf.inference.worker import score_once

ROWS = [{"id": f"a{number}", "text": f"Report {number}: the hospital opened a ward."} for number in range(4)]


@pytest.fixture
def order(models: dict[str, Path], tmp_path: Path) -> Order:
    """Four rows as two shards."""
    corpus, spec = CorpusSpec(path=(str(write_rows(tmp_path / "corpus.jsonl", ROWS)),)), ScoreSpec(rows_per_shard=2)
    inputs = {file: identity(file) for file in corpus.path}
    (tmp_path / "scores" / LOCKS).mkdir(parents=True)
    job = Job({"topic": outline(models["topic"])[1]}, corpus.resolved(), spec.resolved(), inputs)
    return Order((str(models["topic"]),), corpus, spec, tmp_path / "scores", job)


class Line:
    """A worker at the other end of a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def say(self, message: Mapping[str, Any]) -> None:
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        return json.loads(self.process.stdout.readline())


@contextmanager
def worker(order: Order, hooks: str = "") -> Iterator[Line]:
    words = [sys.executable, "-m", "newsclf.inference.worker"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    paths = os.pathsep.join(filter(None, [hooks, os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(words, **pipes, text=True, env={**os.environ, "PYTHONPATH": paths}) as process:
        line = Line(process)
        line.say({"order": order.as_dict(), "threads": 1})
        yield line
        process.stdin.close()


def shards_of(order: Order) -> list[Any]:
    return list(plan(order.job.inputs, rows=2))


def test_a_worker_scores_what_it_is_given_and_ends_with_its_input(order: Order):
    with worker(order) as line:
        assert line.hear() == {"ready": True}
        for shard in shards_of(order):
            line.say(shard.as_dict())
            assert [line.hear() for _ in range(3)] == [{"rows": 2}, {"rows": 0}, {"done": shard.number}]
            assert is_done(order.folder, shard, job=order.job.fingerprint)
        line.process.stdin.close()
        assert (line.process.stdout.read(), line.process.stderr.read(), line.process.wait()) == ("", "", 0)


def test_what_a_library_prints_goes_to_standard_error(order: Order, tmp_path: Path):
    loud = """
    import newsclf.inference.scorer as scorer
    whole = scorer.write_shard

    def printing(*args, **keys):
        print('{"done": 99}')
        os.write(1, b"from C\\n")
        return whole(*args, **keys)

    scorer.write_shard = printing
    """
    with worker(order, str(in_workers(tmp_path / "hooks", loud))) as line:
        line.hear()
        line.say(shards_of(order)[1].as_dict())
        assert [line.hear() for _ in range(3)] == [{"rows": 2}, {"rows": 0}, {"done": 1}]
        line.process.stdin.close()
        assert sorted(line.process.stderr.read().splitlines()) == ["from C", '{"done": 99}']


def test_models_are_loaded_for_the_workers_share_of_the_cores(order: Order, tmp_path: Path):
    telling = """
    import newsclf.inference.scorer as scorer
    from newsclf.machine import usable_cores
    os.sched_getaffinity = lambda process: set(range(8))
    whole = scorer.Reader

    def reader(models):
        print(f"loaded for {usable_cores()} of 8")
        return whole(models)

    scorer.Reader = reader
    """
    with worker(order, str(in_workers(tmp_path / "hooks", telling))) as line:
        assert line.hear() == {"ready": True}
        line.process.stdin.close()
        assert line.process.stderr.read() == "loaded for 1 of 8\n"


def test_a_mistake_is_told_by_its_kind_and_sentence(order: Order):
    with worker(order) as line:
        line.hear()
        write_rows(Path(order.corpus.path[0]), ROWS[:3])
        line.say(shards_of(order)[0].as_dict())
        told = line.hear()
    assert told["error"] == "DataError"
    assert "corpus.jsonl: this file has changed since the job began" in told["message"]


def test_a_bug_is_told_with_its_traceback(order: Order):
    shard = shards_of(order)[0].as_dict()
    shard["pieces"][0]["file"] = other = str(order.folder.parent / "other.jsonl")
    write_rows(Path(other), ROWS)
    with worker(order) as line:
        line.hear()
        line.say(shard)
        told = line.hear()
    assert told["error"] == ""
    assert told["message"].startswith("Traceback")
    assert f"KeyError: {other!r}" in told["message"]


def test_a_worker_leaves_off_at_once_when_its_parent_is_gone(order: Order, tmp_path: Path):
    sleepy = """
    import newsclf.inference.scorer as scorer
    scorer.write_shard = lambda *args, **keys: time.sleep(600)
    """
    with worker(order, str(in_workers(tmp_path / "hooks", sleepy))) as line:
        line.hear()
        line.say(shards_of(order)[0].as_dict())
        line.hear()
        line.process.stdin.close()
        assert line.process.wait(60) == 0
    assert not commit_of(order.folder, 0).exists()


def test_a_shard_that_another_process_holds_is_left_to_it(order: Order):
    scorer, shard, told = Scorer(order), shards_of(order)[1], []
    with try_lock(order.folder, "shard-00001"):
        assert score_once(scorer, shard, told.append) == {"busy": 1}
    assert not commit_of(order.folder, 1).exists()
    assert score_once(scorer, shard, told.append) == {"done": 1}
    before = commit_of(order.folder, 1).stat().st_mtime_ns
    assert score_once(scorer, shard, told.append) == {"done": 1}  # somebody did it meanwhile
    assert commit_of(order.folder, 1).stat().st_mtime_ns == before
    assert told == [2, 0]


def test_an_error_gives_the_shard_back(order: Order):
    scorer, shard = Scorer(order), shards_of(order)[0]
    write_rows(Path(order.corpus.path[0]), ROWS[:3])
    for _ in range(2):
        with pytest.raises(DataError, match="has changed since the job began"):
            score_once(scorer, shard, lambda rows: None)
