"""The score command as a process that can be stopped, and ways to stop it: what the survival tests share.

Run as a script it is that process. `survival.py command ROWS ARGUMENT...` is `newsclf ARGUMENT...` with shards of so many rows; `survival.py faults
JSON` runs a job again and again, ends it at each write, fsync and rename, and resumes it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from color_articles import contents

from newsclf.inference.job import try_lock

HERE = Path(__file__)
DEADLINE_S = 60
"""So that a test fails and does not hang; no test looks at how long anything takes."""


# a run that can be stopped


def started(arguments: Sequence[Any], *, rows: int, hooks: Path | None = None) -> subprocess.Popen[str]:
    """The newsclf command, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, str(HERE), "command", str(rows), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment(hooks),
    )


def environment(hooks: Path | None = None) -> dict[str, str]:
    """This process's, with the folders that a script of these tests needs to find modules in."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(hooks or ""), str(HERE.parents[1]), os.environ.get("PYTHONPATH")]))}


WORKER, PARENT = "newsclf.inference.worker", HERE.name
"""What stands in the command lines of a worker process, and of the one that the command is."""


def hooked(folder: Path, code: str, *, where: str = WORKER) -> Path:
    """A folder for PYTHONPATH that has this code run at the start of worker processes, or of the parent, and of no other."""
    folder.mkdir()
    source = f"import os, sys, time\nif any(part.endswith({where!r}) for part in sys.orig_argv):\n{textwrap.indent(textwrap.dedent(code), '    ')}"
    (folder / "sitecustomize.py").write_text(source, "utf-8")
    return folder


def wait_for(what: Callable[[], Any], process: subprocess.Popen[str] | None = None) -> None:
    """Wait until something is so."""
    end = time.monotonic() + DEADLINE_S
    while not what():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def at_work(folder: Path) -> list[str]:
    """The locks in a folder of scores that a process holds."""
    held = []
    for path in sorted((folder / ".locks").glob("*.lock")):
        with try_lock(folder, path.stem) as free:
            held += [] if free else [path.stem]
    return held


# what is in a folder of scores


def written(folder: Path) -> dict[str, bytes]:
    """Every file but the locks: name → bytes."""
    return {name: data for name, data in contents(folder).items() if not name.startswith(".locks")}


def places(folder: Path) -> list[str]:
    """The place of every row, scored or set aside."""
    found: list[str] = []
    for path in sorted(folder.glob("part-*.json")):
        for kind in ("part", "quarantine"):
            # opened and closed here: a data set's threads may still hold a file when its disk is to be unmounted
            with pq.ParquetFile(path.with_name(f"{kind}-{path.stem.partition('-')[2]}.parquet")) as file:
                found += file.read(["place"])["place"].to_pylist()
    return sorted(found)


# the process itself


def command(rows: str, *arguments: str) -> None:
    """`newsclf ARGUMENT...`, with shards of so many rows."""
    import newsclf.inference.batch  # noqa: F401 (it has the name by now)
    from newsclf import cli
    from newsclf.inference import scorer

    scorer.ScoreSpec = partial(scorer.ScoreSpec, rows_per_shard=int(rows))  # type: ignore[misc, assignment]
    cli.main(arguments)


def faults(settings: str) -> None:
    """End a run at every `step`th point, by turns; copy what it left to K.broken, resume it in K, and print which points there were."""
    import filelock  # noqa: F401 (what each run would load anew)
    import pandas as pd  # noqa: F401 (as pyarrow does where it is there)

    from newsclf.inference.batch import RunSpec, score
    from newsclf.inference.scorer import ScoreSpec

    told: Mapping[str, Any] = json.loads(settings)
    folder, points = Path(told["folder"]), []

    def run(number: int) -> None:
        score(told["models"], told["corpus"], folder / str(number), ScoreSpec(rows_per_shard=told["rows"]), run=RunSpec(workers=1))

    for number in range(0, sys.maxsize, told["step"]):
        point = _forked(partial(_broken, number, run))
        if point is None:
            break
        points.append([number, *json.loads(point)])
        shutil.copytree(folder / str(number), folder / f"{number}.broken")
        assert _forked(partial(run, number)) is None
    print(json.dumps(points))


def _forked(what: Callable[[], None]) -> str | None:
    """Do something in a process of its own; what that told of its end, or None where it came through."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(write, TELL)
        what()
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        told = stream.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == (9 if told else 0), f"exit code {code}"
    return told or None


TELL = 99
"""Number of the file that a child tells its end to."""


def _broken(number: int, run: Callable[[int], None]) -> None:
    """Run, and end at the point of that number, as by kill -9."""
    from newsclf import folder
    from newsclf.inference import commit

    points = iter(range(sys.maxsize))

    def point(*what: str) -> None:
        if next(points) == number:
            os.write(TELL, json.dumps(what).encode())
            os._exit(9)

    def around(name: str) -> None:
        call = getattr(os, name)

        def wrapped(*arguments: Any) -> Any:
            what = Path(f"/proc/self/fd/{arguments[0]}").readlink() if name == "fsync" else Path(arguments[-1])
            point("before", name, what.name)
            call(*arguments)
            point("after", name, what.name)

        setattr(os, name, wrapped)

    def write_file(path: Path, data: bytes) -> None:
        path.write_bytes(data[: len(data) // 2])
        point("amid", "write", path.name)
        folder.write_file(path, data)

    vars(commit)["write_file"] = write_file
    for name in ("fsync", "replace", "rename"):
        around(name)
    run(number)


if __name__ == "__main__":
    # what a shell runs in the background ignores Ctrl-C and hands that on, and these tests may be run so
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command(*sys.argv[2:]) if sys.argv[1] == "command" else faults(sys.argv[2])
