"""Worker processes for the shards of a job: each gets the next shard when it is done with one; what dies is replaced, and its shard tried again."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from newsclf import errors
from newsclf.corpus.shards import Shard
from newsclf.errors import NewsclfError, WorkerError
from newsclf.inference.commit import discard
from newsclf.inference.scorer import Order

TRIES = 3
"""Workers that may die over one shard."""
LIBRARIES = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")
"""Names by which libraries in Fortran, C and Rust are told how many threads they may start."""
POLL_S = 0.2
"""Before a shard is asked for again that another process holds."""
GRACE_S = 3.0
"""For workers to end before they are killed."""


@dataclass(eq=False)
class Worker:
    """A worker process, and the shard that it has."""

    process: subprocess.Popen[str]
    shard: Shard | None = None
    ready: bool = False


@dataclass
class Pool:
    """Runs shards in `size` worker processes."""

    order: Order
    size: int
    threads: int
    _messages: queue.SimpleQueue[tuple[Worker, dict[str, Any] | None]] = field(default_factory=queue.SimpleQueue)
    _workers: list[Worker] = field(default_factory=list)
    _again: deque[Shard] = field(default_factory=deque)
    _deaths: dict[int, int] = field(default_factory=dict)
    _lost: dict[int, str] = field(default_factory=dict)

    def run(self, shards: Iterator[Shard], report: Callable[[Any, int], None]) -> None:
        """Have every shard scored; `report` is told of rows as they are done.

        An error that a worker tells is raised here. A shard that killed TRIES workers is left out; when all others are done, WorkerError names it.
        """
        try:
            for _ in range(self.size):
                self._start()
            while self._workers:
                worker, message = self._messages.get()
                if message is None:
                    self._ended(worker)
                elif "error" in message:
                    raise _told(message)
                elif "rows" in message:
                    report(worker.shard, message["rows"])
                else:
                    self._next(worker, message, shards)
        finally:
            self._stop()
        if self._lost:
            raise WorkerError(f"{' '.join(self._lost.values())} All other shards are committed. Run the same command again with fewer --workers.")

    def _start(self) -> None:
        package = str(Path(errors.__file__).parents[1])
        paths = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
        with _deaf():
            # -P: a file in the user's folder that is called like a library must not be taken for it
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "newsclf.inference.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                env={**os.environ, "PYTHONPATH": paths, **dict.fromkeys(LIBRARIES, str(self.threads))},
            )
        worker = Worker(process)
        self._workers.append(worker)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        self._tell(worker, {"order": self.order.as_dict(), "threads": self.threads})

    def _listen(self, worker: Worker) -> None:
        assert worker.process.stdout  # noqa: S101 (opened as a pipe)
        for line in worker.process.stdout:
            if line.endswith("\n"):  # a worker may be killed in the middle of one
                self._messages.put((worker, json.loads(line)))
        self._messages.put((worker, None))

    def _tell(self, worker: Worker, message: dict[str, Any]) -> None:
        assert worker.process.stdin  # noqa: S101 (opened as a pipe)
        try:
            worker.process.stdin.write(json.dumps(message) + "\n")
            worker.process.stdin.flush()
        except OSError:
            pass  # it died: its output ends, and that is what is dealt with

    def _next(self, worker: Worker, message: dict[str, Any], shards: Iterator[Shard]) -> None:
        """Give a worker that has nothing to do its next shard, or let it end."""
        worker.ready = True
        if "busy" in message and worker.shard:
            self._again.append(worker.shard)
            time.sleep(POLL_S)
        # planned shards first: one that another process held may be done by then
        worker.shard = next(shards, None) or (self._again.popleft() if self._again else None)
        if worker.shard:
            self._tell(worker, worker.shard.as_dict())
        else:
            worker.process.stdin.close()  # type: ignore[union-attr]

    def _ended(self, worker: Worker) -> None:
        """A worker's output is at its end: as it was let, or it died."""
        self._workers.remove(worker)
        code = worker.process.wait()
        if worker.ready and worker.shard is None:
            return
        how = f"at last by {f'signal {-code}' if code < 0 else f'exit code {code}'}: for want of memory, as a rule"
        shard = worker.shard
        number = shard.number if shard else -1
        self._deaths[number] = self._deaths.get(number, 0) + 1
        if shard:
            discard(self.order.folder, [number])
        if self._deaths[number] < TRIES:
            self._again.extend([shard] if shard else [])
        elif shard:
            self._lost[number] = f"{shard}: {TRIES} workers died over it, {how}."
        else:
            raise WorkerError(f"{TRIES} workers died while they loaded the models, {how}. Use fewer --workers.")
        self._start()

    def _stop(self) -> None:
        """End what still runs, at once, and take away what it had half-written."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.wait(GRACE_S)
        discard(self.order.folder, [worker.shard.number for worker in self._workers if worker.shard])


@contextmanager
def _deaf() -> Iterator[None]:
    """What is started here does not hear Ctrl-C from its first moment on: a worker that hears it while it loads would print where it stood."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _told(message: dict[str, Any]) -> NewsclfError:
    """The error that a worker tells of."""
    kind = getattr(errors, message["error"], None) if message["error"] else None
    return kind(message["message"]) if kind else NewsclfError(f"a worker failed, which is a bug of newsclf:\n{message['message']}")
