"""A scoring job may be stopped at any moment, in any way, and goes on to the same bytes: processes are killed, disks filled and files changed here."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from color_articles import color_rows, write_rows
from survival import DEADLINE_S, HERE, PARENT, WORKER, at_work, environment, hooked, places, started, wait_for, written

from newsclf.errors import DataError, NewsclfError, OutputError
from newsclf.inference import scorer
from newsclf.inference.batch import RunSpec, Scored, ScoreSpec, score
from newsclf.inference.job import try_lock
from newsclf.inference.scored import read_scores

posix = pytest.mark.skipif(os.name == "nt", reason="signals and process groups are those of POSIX")
ROWS = 30
"""Rows of a shard."""


@dataclass
class Work:
    """A corpus in a folder, the model that it is scored with, and what an uninterrupted run writes."""

    model: Path
    corpus: Path
    places: list[str]
    whole: dict[str, bytes]
    rows: int = ROWS
    sentences: int = 0

    def score(self, output: Path, **run: Any) -> Scored:
        """Score in this process, or another part of the job."""
        spec = ScoreSpec(rows_per_shard=self.rows, sentences=self.sentences)
        return score(self.model, str(self.corpus), output, spec, run=RunSpec(**{"workers": 1} | run))

    def arguments(self, output: Path, workers: int = 2) -> list[Any]:
        """The same as arguments of the command."""
        return ["score", self.model, self.corpus, "-o", output, "--workers", workers, "--sentences", self.sentences, "--quiet"]

    def check(self, output: Path) -> None:
        """That an output is what an uninterrupted run writes, each row in it once."""
        found = written(output)
        assert sorted(found) == sorted(self.whole)
        assert [name for name, data in found.items() if data != self.whole[name]] == []
        assert places(output) == self.places


def written_corpus(folder: Path, rows: list[dict[str, Any]]) -> list[str]:
    """Write rows as files of several formats, some rows bad; the place of each, sorted."""
    folder.mkdir()
    rows = [row | ({"text": ""} if number % 29 == 17 else {}) for number, row in enumerate(rows)]
    parts = [rows[at::6] for at in range(6)]
    write_rows(folder / "a.jsonl", parts[0])
    for name, delimiter, part in (("b.csv", ",", parts[1]), ("f.tsv", "\t", parts[5])):
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, rows[0].keys(), delimiter=delimiter)
            writer.writeheader()
            writer.writerows(part)
    pq.write_table(pa.Table.from_pylist(parts[2]), folder / "c.parquet", row_group_size=max(len(parts[2]) // 3, 1))
    write_rows(folder / "d", parts[3])
    (folder / "d.jsonl.gz").write_bytes(gzip.compress((folder / "d").read_bytes() + b"{broken\n", mtime=0))
    (folder / "d").unlink()
    (folder / "e.json").write_text(json.dumps(parts[4]), "utf-8")
    (folder / "g.txt").write_text("The harbor was closed for a day.", "utf-8")
    counts = dict(zip(("a.jsonl", "b.csv", "c.parquet", "d.jsonl.gz", "e.json", "f.tsv"), map(len, parts), strict=True))
    counts["d.jsonl.gz"] += 1
    return sorted(f"{folder / name}:{number + 1}" for name, count in (counts | {"g.txt": 1}).items() for number in range(count))


def work_of(model: Path, folder: Path, rows: list[dict[str, Any]], rows_per_shard: int = ROWS, *, sentences: int = 0) -> Work:
    work = Work(model, folder / "corpus", written_corpus(folder / "corpus", rows), {}, rows_per_shard, sentences)
    work.score(folder / "whole")
    work.whole = written(folder / "whole")
    work.check(folder / "whole")
    return work


@pytest.fixture(scope="module")
def shared_work(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Work:
    return work_of(models["topic"], tmp_path_factory.mktemp("work"), color_rows(100))


@pytest.fixture
def work(shared_work: Work) -> Work:
    """A corpus of some 200 rows in seven files and seven shards; not to be written into."""
    return shared_work


@pytest.fixture
def own(models: dict[str, Path], tmp_path: Path) -> Work:
    """A smaller one of the test's own, whose files it may change."""
    return work_of(models["topic"], tmp_path, color_rows(30), 10)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "scores"


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command; what a test leaves running is killed."""
    processes = []

    def start(*arguments: Any, **settings: Any) -> subprocess.Popen[str]:
        processes.append(started(*arguments, **settings))
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ended(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Exit code and the lines of standard error."""
    _, told = process.communicate(timeout=DEADLINE_S)
    return process.returncode, told.splitlines()


def half_written(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("*.tmp")]


# kill -9


Moment = Callable[[Path], bool]
"""Whether the moment to kill has come, told from the folder of scores."""


def after(seconds: float) -> Moment:
    end = time.monotonic() + seconds
    return lambda folder: time.monotonic() >= end


def with_commits(number: int) -> Moment:
    return lambda folder: commits_in(folder) >= number


def never(_: Path) -> bool:
    return False


def commits_in(folder: Path) -> int:
    return len(list(folder.glob("part-*.json")))


def killed(work: Work, folder: Path, moments: Iterable[Callable[[], Moment]]) -> int:
    """Kill a job and all of its processes at a moment, its resumption at the next, and so on until it is done; how often it was killed."""
    kills = 0
    for moment in (made() for made in (*moments, lambda: never)):
        process = started(work.arguments(folder), rows=work.rows)
        while process.poll() is None and not moment(folder):
            time.sleep(0.001)
        if process.poll() is not None:
            break
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        kills += 1
        print(f"killed with {commits_in(folder)} shards committed, half-written: {half_written(folder)}")
    assert ended(process) == (0, [])
    work.check(folder)
    return kills


@posix
def test_a_job_that_was_killed_three_times_writes_the_same_bytes(work, output):
    assert killed(work, output, [lambda: with_commits(1), lambda: with_commits(3), lambda: with_commits(5)]) == 3


@posix
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_job_that_is_killed_at_thirty_random_moments_loses_no_row(models, starter, tmp_path):
    rows = [{"id": f"{number}", "title": row["title"], "text": row["text"]} for number, row in enumerate(starter * 10)][:3000]
    # with evidence, which takes time: or most of these moments would fall before the first shard
    work = work_of(models["topic"], tmp_path, rows, 30, sentences=2)
    begun = time.monotonic()
    killed(work, tmp_path / "first", [])
    seconds, dice, kills, jobs = time.monotonic() - begun, random.Random(30), 0, 0
    while kills < 30:
        # in each thirtieth part of the time that a run takes, and again in what is left of it
        first = seconds * (jobs % 30 + dice.random()) / 30
        second = (seconds - first) * dice.random()
        kills += killed(work, tmp_path / f"job{jobs}", [partial(after, first), partial(after, second)])
        jobs += 1
    print(f"{kills} kills in {jobs} jobs of {seconds:.1f} s")


# an end at any write, fsync and rename


def ended_everywhere(model: Path, folder: Path, step: int) -> list[list[Any]]:
    """End a job of three shards at every `step`th point and resume it; the points."""
    rows = [row | ({"text": ""} if number % 5 == 3 else {}) for number, row in enumerate(color_rows(6))]
    corpus = write_rows(folder / "corpus.jsonl", rows)
    score(model, str(corpus), folder / "whole", ScoreSpec(rows_per_shard=4), run=RunSpec(workers=1))
    whole, table = written(folder / "whole"), read_scores(folder / "whole").to_table().to_pylist()
    assert [name for name in whole if name.endswith(".json")] == ["job.json", "part-00000.json", "part-00001.json", "part-00002.json", "score.json"]
    settings = {"folder": str(folder), "models": [str(model)], "corpus": str(corpus), "rows": 4, "step": step}
    told = subprocess.run([sys.executable, HERE, "faults", json.dumps(settings)], capture_output=True, text=True, env=environment(), check=False)
    assert told.returncode == 0, told.stderr
    points = json.loads(told.stdout)
    for number, *point in points:
        assert written(folder / str(number)) == whole, point
        broken = folder / f"{number}.broken"
        if commits := commits_in(broken):
            # what readers see of a job that was stopped is whole shards
            assert read_scores(broken).to_table().to_pylist() == [row for row in table if int(row["place"].rpartition(":")[2]) <= 4 * commits], point
    return points


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the names of open files are read from /proc")
class TestFaults:
    def test_a_job_that_ends_at_some_write_fsync_or_rename_writes_the_same_bytes(self, models, tmp_path):
        points = ended_everywhere(models["topic"], tmp_path, 6)
        assert len({(when, call) for _, when, call, _ in points}) == 5
        assert len(points) > 10

    @pytest.mark.slow
    def test_a_job_that_ends_at_any_write_fsync_or_rename_writes_the_same_bytes(self, models, tmp_path):
        points = [tuple(point) for _, *point in ended_everywhere(models["topic"], tmp_path, 1)]
        files = [name for when, call, name in points if (when, call) == ("after", "replace")]
        kinds = ("part-0000{}.parquet", "quarantine-0000{}.parquet", "part-0000{}.json")
        assert files == ["job.json", *(kind.format(number) for number in range(3) for kind in kinds), "score.json"]
        # on disk before it takes its name, and its name on disk before anything else is begun
        steps = [("amid", "write"), ("before", "fsync"), ("after", "fsync"), ("before", "replace"), ("after", "replace"), ("before", "fsync")]
        assert [point[:2] for point in points] == [*steps, ("after", "fsync")] * len(files)
        assert [points[at * 7 + 2][2] for at in range(len(files))] == [f"{name}.tmp" for name in files]
        print(f"{len(points)} points")


# a worker that dies

DEADLY = """
    import json, signal
    loads = json.loads
    def deadly(text, *arguments, **settings):
        if "poison" in str(text) and not os.path.exists({once!r}):
            {once!r} and open({once!r}, "w").close()
            {how}
        return loads(text, *arguments, **settings)
    json.loads = deadly
"""
KILLED = "os.kill(os.getpid(), signal.SIGKILL)"
LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 20, -1)); bytearray(1 << 30)"


@pytest.fixture
def poisoned(own: Work) -> Work:
    """A corpus whose second shard is the death of workers that have a hook for it."""
    rows = color_rows(20)
    rows[12]["id"] = "poison"
    shutil.rmtree(own.corpus)
    own.corpus.mkdir()
    write_rows(own.corpus / "only.jsonl", rows)
    own.score(own.corpus.parent / "poisoned")
    own.whole, own.places = written(own.corpus.parent / "poisoned"), sorted(f"{own.corpus / 'only.jsonl'}:{number + 1}" for number in range(40))
    return own


@posix
def test_a_worker_that_dies_once_is_replaced(poisoned, output, tmp_path, start):
    hooks = hooked(tmp_path / "hooks", DEADLY.format(once=str(tmp_path / "died"), how=KILLED))
    assert ended(start(poisoned.arguments(output), rows=10, hooks=hooks)) == (0, [])
    assert (tmp_path / "died").exists()
    poisoned.check(output)


@posix
@pytest.mark.parametrize(("how", "by"), [(KILLED, "signal 9"), (LIMITED, "exit code")], ids=["killed", "limited"])
def test_a_shard_that_kills_its_workers_is_named_and_the_others_are_committed(poisoned, output, tmp_path, start, how, by):
    hooks = hooked(tmp_path / "hooks", DEADLY.format(once="", how=how))
    code, (told,) = ended(start(poisoned.arguments(output), rows=10, hooks=hooks))
    assert code == 2
    file = poisoned.corpus / "only.jsonl"
    assert told.startswith(f"error: shard 1 ({file}:11 to 20): 3 workers died over it, at last by {by}")
    assert "All other shards are committed." in told
    assert [path.name for path in sorted(output.glob("part-*.json"))] == ["part-00000.json", "part-00002.json", "part-00003.json"]
    assert not half_written(output)
    assert poisoned.score(output) == Scored(output, 40, 40, 0, before=30)
    poisoned.check(output)


@posix
def test_workers_that_die_at_their_start_end_the_run(work, output, tmp_path, start):
    code, (told,) = ended(start(work.arguments(output), rows=ROWS, hooks=hooked(tmp_path / "hooks", "os.kill(os.getpid(), 9)")))
    assert code == 2
    assert told.startswith("error: 3 workers died while they loaded the models, at last by signal 9")
    assert work.score(output).before == 0
    work.check(output)


def test_a_shard_that_another_process_holds_is_waited_for(work, output, start):
    (output / ".locks").mkdir(parents=True)
    with try_lock(output, "shard-00002") as mine:
        assert mine
        process = start(work.arguments(output), rows=ROWS)
        wait_for(lambda: commits_in(output) == shards_of(work) - 1, process)
        assert not (output / "part-00002.json").exists()
    assert ended(process) == (0, [])
    work.check(output)


def shards_of(work: Work) -> int:
    return json.loads(work.whole["score.json"])["shards"]


# SIGTERM, Ctrl-C, and a parent that is gone

STALLED = """
    replace = os.replace
    def stalled(source, target):
        if "part-00002.parquet" in str(target):
            # in naps: a signal that comes just before a sleep begins is not seen until it ends
            for _ in range(60_000):
                time.sleep(0.01)
        replace(source, target)
    os.replace = stalled
"""


def stalled(work: Work, output: Path, hooks: Path, start: Callable[..., subprocess.Popen[str]], where: str = WORKER) -> subprocess.Popen[str]:
    """A run that has come to the middle of a shard, a file of it half-written."""
    process = start(work.arguments(output, 2 if where == WORKER else 1), rows=ROWS, hooks=hooked(hooks, STALLED, where=where))
    wait_for((output / "part-00002.parquet.tmp").exists, process)
    return process


def to_all(process: subprocess.Popen[str], number: signal.Signals) -> None:
    os.killpg(process.pid, number)


def to_one(process: subprocess.Popen[str], number: signal.Signals) -> None:
    process.send_signal(number)


@posix
@pytest.mark.parametrize(
    ("number", "send", "where"),
    [
        (signal.SIGINT, to_all, WORKER),
        (signal.SIGTERM, to_one, WORKER),
        (signal.SIGTERM, to_all, WORKER),
        (signal.SIGTERM, to_one, PARENT),
    ],
)
def test_an_interrupted_job_ends_clean_and_can_go_on(work, output, tmp_path, start, number, send, where):
    process = stalled(work, output, tmp_path / "hooks", start, where)
    send(process, number)
    assert ended(process) == (130, ["interrupted: nothing half-written was left behind"])
    assert not half_written(output)
    assert not at_work(output)
    assert work.score(output).rows == len(work.places)
    work.check(output)


@posix
def test_ctrl_c_is_not_for_workers_from_their_first_moment_on(work, output, tmp_path, start):
    begun = tmp_path / "begun"
    hooks = hooked(tmp_path / "hooks", f"open(f'{begun}-{{os.getpid()}}', 'w').close(); time.sleep(1)")
    process = start(work.arguments(output), rows=ROWS, hooks=hooks)
    wait_for(lambda: len(list(tmp_path.glob("begun-*"))) == 2, process)
    for path in tmp_path.glob("begun-*"):
        os.kill(int(path.name.partition("-")[2]), signal.SIGINT)
    assert ended(process) == (0, [])
    work.check(output)


@posix
def test_the_workers_of_a_parent_that_was_killed_end_by_themselves(work, output, tmp_path, start):
    process = stalled(work, output, tmp_path / "hooks", start)
    assert "shard-00002" in at_work(output)
    process.kill()
    process.wait()
    wait_for(lambda: not at_work(output))
    assert "part-00002.parquet.tmp" in half_written(output)
    work.score(output)
    work.check(output)


# the disk


def filled(place: Path, room: int) -> Path:
    """Fill a disk but for so many bytes; what fills it."""
    ballast = place / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(place).free - room))
    return ballast


@pytest.mark.parametrize("room", [0, 10_000, 30_000, 60_000])
def test_a_full_disk_is_an_error_and_the_job_goes_on_when_there_is_room(work, disk, room):
    output = disk("size=4m")
    (output / "scores").mkdir()
    ballast, output = filled(output, room), output / "scores"
    with pytest.raises(OutputError, match=r"cannot be written: No space left on device\. What is committed is whole; the same command goes on"):
        work.score(output)
    assert not half_written(output)
    assert (room >= 30_000) <= commits_in(output) < shards_of(work)
    ballast.unlink()
    work.score(output)
    work.check(output)


def test_the_command_tells_of_a_full_disk_in_one_sentence(work, disk, start):
    place = disk("size=4m")
    ballast, output = filled(place, 60_000), place / "scores"
    code, (told,) = ended(start(work.arguments(output), rows=ROWS))
    assert code == 2
    assert told.startswith(f"error: {output}")
    assert "No space left on device" in told
    assert not half_written(output)
    assert 0 < commits_in(output) < shards_of(work)
    ballast.unlink()
    work.score(output)
    work.check(output)


@pytest.mark.parametrize("inodes", [3, 4, 5, 7, 9, 12])
def test_a_disk_that_holds_no_more_files_is_told(own, disk, inodes):
    place = disk(f"nr_inodes={inodes}")
    with pytest.raises(OutputError, match=r"cannot be written: No space left on device"):
        own.score(place / "scores")
    subprocess.run(["mount", "-o", "remount,nr_inodes=1000", str(place)], check=True)
    own.score(place / "scores")
    own.check(place / "scores")


def test_a_folder_that_cannot_be_written_is_told(own, disk):
    place = disk("ro")
    with pytest.raises(OutputError, match=rf"{place / 'scores'}: cannot be written: Read-only file system"):
        own.score(place / "scores")


def test_a_folder_that_became_read_only_is_told_and_goes_on_when_it_is_not(own, disk):
    place = disk("size=4m")
    own.score(place / "scores", shard="1/2")
    before = written(place / "scores")
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    with pytest.raises(OutputError, match="cannot be written: Read-only file system"):
        own.score(place / "scores")
    assert written(place / "scores") == before
    subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True)
    own.score(place / "scores")
    own.check(place / "scores")


def test_an_output_that_is_a_file_stays_as_it_is(own, output):
    output.write_text("mine")
    with pytest.raises(OutputError, match="a file of that name is in the way; name another output folder"):
        own.score(output)
    with pytest.raises(OutputError, match=r"scores.deeper: .*(in the way|Not a directory)"):
        own.score(output / "deeper")
    assert output.read_text() == "mine"


def test_a_folder_that_holds_something_else_stays_as_it_is(own, output):
    output.mkdir()
    (output / "thesis.docx").write_text("mine")
    with pytest.raises(OutputError, match=r"this folder holds something else \('thesis.docx'\) and is left as it is"):
        own.score(output)
    assert [path.name for path in output.iterdir()] == ["thesis.docx"]


# the input

CHANGES: dict[str, Callable[[Path], object]] = {
    "truncated": lambda file: os.truncate(file, file.stat().st_size // 2),
    "emptied": lambda file: os.truncate(file, 0),
    "replaced": lambda file: file.write_bytes(file.read_bytes()[::-1]),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"\n"),
    "deleted": lambda file: file.unlink(),
}
FILES = ("a.jsonl", "b.csv", "c.parquet", "d.jsonl.gz", "e.json", "g.txt")
CHANGED = [(name, change) for name in FILES for change in ("truncated", "replaced", "deleted")] + [("a.jsonl", "emptied"), ("a.jsonl", "longer")]


@pytest.mark.parametrize(("name", "change"), CHANGED)
def test_an_input_that_changed_before_the_job_goes_on_is_refused(own, output, tmp_path, name, change):
    own.score(output, shard="1/2")
    before, kept = written(output), tmp_path / "kept"
    shutil.copyfile(own.corpus / name, kept)
    CHANGES[change](own.corpus / name)
    told = "is not read now" if change == "deleted" else "has changed since"
    with pytest.raises(OutputError, match=rf"holds scores of another job: the file {own.corpus / name} {told}\. Name another folder, or .*--restart"):
        own.score(output)
    assert written(output) == before
    shutil.copyfile(kept, own.corpus / name)
    assert own.score(output).before > 0
    own.check(output)


def test_a_new_file_before_the_job_goes_on_is_refused(own, output):
    own.score(output, shard="1/2")
    new = write_rows(own.corpus / "aa.jsonl", color_rows(1))
    with pytest.raises(OutputError, match=f"holds scores of another job: the file {new} is new"):
        own.score(output)
    new.unlink()
    own.score(output)
    own.check(output)


@pytest.mark.parametrize(("name", "change"), CHANGED)
def test_an_input_that_changes_while_it_is_read_is_refused(own, output, tmp_path, monkeypatch, name, change):
    kept, real = tmp_path / "kept", scorer.articles_of
    shutil.copyfile(own.corpus / name, kept)

    def changing(*arguments: Any, **settings: Any) -> Iterator[Any]:
        for row in real(*arguments, **settings):
            if row.place == f"{own.corpus / name}:1":
                CHANGES[change](own.corpus / name)
            yield row

    monkeypatch.setattr(scorer, "articles_of", changing)
    with pytest.raises(NewsclfError, match=rf"{own.corpus / name}: .*") as error:
        own.score(output)
    assert isinstance(error.value, DataError)
    assert not half_written(output)
    commits = list(output.glob("part-*.json"))
    assert all(own.whole[path.name] == path.read_bytes() for path in commits)
    monkeypatch.undo()
    shutil.copyfile(kept, own.corpus / name)
    own.score(output)
    own.check(output)


# clocks


@pytest.mark.parametrize("moment", [0, 2_000_000_000, 4_000_000_000])
def test_times_of_files_do_not_matter_and_none_is_written(own, output, monkeypatch, moment):
    own.score(output, shard="1/2")
    for path in (*own.corpus.iterdir(), *output.iterdir()):
        os.utime(path, (moment, moment))
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + moment)
    assert own.score(output).before > 0
    own.check(output)
