"""Worker processes write what one process writes, whatever happens to them; what they cannot do is told as if it had happened here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from scoring import in_workers, written

from newsclf.corpus.read import CorpusSpec
from newsclf.errors import DataError, NewsclfError, WorkerError
from newsclf.inference.batch import RunSpec, Scored, score
from newsclf.inference.pool import TRIES
from newsclf.inference.scorer import ScoreSpec

SPEC = ScoreSpec(rows_per_shard=50, keep=("pages", "outlet"))
HERE, TWO = RunSpec(workers=1), RunSpec(workers=2)
Hook = Callable[[str], None]


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hook:
    """Has this code run in every worker when it is about to write a shard, whose number is `number`; `once` holds once for a name."""

    def install(code: str) -> None:
        lines = "\n".join(f"            {line}" for line in code.splitlines())
        source = f"""
        import signal, sys
        import newsclf.inference.scorer as scorer
        whole = scorer.write_shard

        def once(name):
            try:
                os.close(os.open(r"{tmp_path}/" + name, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return False
            return True

        def hooked(folder, shard, *args, **keys):
            number = shard.number
{lines}
            return whole(folder, shard, *args, **keys)

        scorer.write_shard = hooked
        """
        paths = [str(in_workers(tmp_path / "hooks", source)), os.environ.get("PYTHONPATH")]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))

    return install


@pytest.fixture
def wanted(models: dict[str, Path], many: Path, tmp_path: Path) -> dict[str, bytes]:
    """What one process writes."""
    score(models["topic"], str(many), tmp_path / "wanted", SPEC, run=HERE)
    return written(tmp_path / "wanted")


def test_workers_write_the_bytes_of_one_process(models: dict[str, Path], many: Path, tmp_path: Path) -> None:
    both = [models["topic"], models["stance"]]
    for workers in (1, 3):
        done = score(both, str(many), tmp_path / str(workers), SPEC, run=RunSpec(workers=workers))
        assert done == Scored(tmp_path / str(workers), 300, 289, 11)
    assert written(tmp_path / "3") == written(tmp_path / "1")
    assert sum(name.endswith((".parquet", ".json")) for name in written(tmp_path / "3")) == 6 * 4 + 2


def test_a_worker_that_is_killed_once_is_replaced(
    models: dict[str, Path], many: Path, tmp_path: Path, hook: Hook, wanted: dict[str, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    hook("if number == 2 and once('killed'): os.kill(os.getpid(), signal.SIGKILL)\nprint('what a library says')")
    done = score(models["topic"], str(many), tmp_path / "scores", SPEC, run=TWO)
    assert (tmp_path / "killed").exists()
    assert done == Scored(tmp_path / "scores", 300, 289, 11)
    assert written(tmp_path / "scores") == wanted
    out, err = capfd.readouterr()
    assert (out, set(err.splitlines())) == ("", {"what a library says"})


def test_a_shard_that_kills_every_worker_is_named_and_all_others_are_done(
    models: dict[str, Path], many: Path, tmp_path: Path, hook: Hook, wanted: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(
        "if number == 2:\n    once('killed' + str(os.getpid()))\n    (folder / 'part-00002.parquet.tmp').write_bytes(b'half')\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    with pytest.raises(WorkerError) as error:
        score(models["topic"], str(many), tmp_path / "scores", SPEC, run=TWO)
    assert str(error.value) == (
        f"shard 2 ({many}:101 to 150): {TRIES} workers died over it, at last by signal 9: for want of memory, as a rule. All other shards are "
        "committed. Run the same command again with fewer --workers."
    )
    assert len(list(tmp_path.glob("killed*"))) == TRIES
    assert {name: data for name, data in wanted.items() if "00002" not in name and name != "score.json"} == written(tmp_path / "scores")
    monkeypatch.delenv("PYTHONPATH")
    assert score(models["topic"], str(many), tmp_path / "scores", SPEC, run=TWO) == Scored(tmp_path / "scores", 300, 289, 11, before=250)
    assert written(tmp_path / "scores") == wanted


def test_workers_that_die_while_they_load_end_the_run(models: dict[str, Path], many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(in_workers(tmp_path / "hooks", "os._exit(7)")))
    with pytest.raises(WorkerError, match=rf"^{TRIES} workers died while they loaded the models, at last by exit code 7: .*Use fewer --workers"):
        score(models["topic"], str(many), tmp_path / "scores", SPEC, run=TWO)
    assert sorted(written(tmp_path / "scores")) == ["job.json"]


def test_a_mistake_that_a_worker_finds_is_raised_as_it_would_be_here(models: dict[str, Path], many: Path, tmp_path: Path) -> None:
    corpus = CorpusSpec(path=(str(many),), on_error="fail")
    errors = []
    for workers in (1, 2):
        with pytest.raises(DataError) as error:
            score(models["topic"], corpus, tmp_path / str(workers), ScoreSpec(rows_per_shard=29), run=RunSpec(workers=workers))
        errors.append(str(error.value))
    assert errors[0].startswith(f"{many}:1: the text (column 'text') is empty. (To set such rows aside")
    assert errors[1].partition(": the text")[2] == errors[0].partition(": the text")[2]
    assert not list(tmp_path.glob("*/*.tmp"))


def test_a_bug_in_a_worker_comes_with_its_traceback(models: dict[str, Path], many: Path, tmp_path: Path, hook: Hook) -> None:
    hook("if number == 3: raise ZeroDivisionError('a bug')")
    with pytest.raises(
        NewsclfError, match=r"(?s)a worker failed, which is a bug of newsclf:\nTraceback .*in hooked.*ZeroDivisionError: a bug"
    ) as error:
        score(models["topic"], str(many), tmp_path / "scores", SPEC, run=TWO)
    assert type(error.value) is NewsclfError
    assert error.value.exit_code == 1
    assert not list((tmp_path / "scores").glob("*.tmp"))


def test_a_module_of_the_user_is_not_taken_for_a_library(
    models: dict[str, Path], many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('mine')", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert score(models["topic"], str(many), tmp_path / "scores", ScoreSpec(rows_per_shard=150), run=TWO).scored == 289
