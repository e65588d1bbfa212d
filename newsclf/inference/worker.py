"""A worker process: takes an order and then shards from standard input, one JSON value a line, and says on standard output what became of them.

A process of its own, not a fork: it starts on every system without running the user's script again, and what kills it kills nothing else.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from newsclf.corpus.shards import Shard
from newsclf.errors import UserError
from newsclf.inference.commit import is_done
from newsclf.inference.job import try_lock
from newsclf.inference.scorer import Order, Scorer
from newsclf.machine import keep_to

Say = Callable[[dict[str, Any]], None]


def main() -> None:
    """Serve until standard input ends: the parent closed it, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; what follows from it is the parent's to say
    say = _own_output()
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    try:
        order = json.loads(lines.get())
        import pyarrow as pa

        pa.set_cpu_count(order["threads"])
        keep_to(order["threads"])
        scorer = Scorer(Order.of_dict(order["order"]))
        say({"ready": True})
        while True:
            shard = Shard.of_dict(json.loads(lines.get()))
            say(score_once(scorer, shard, lambda rows: say({"rows": rows})))
    except UserError as error:
        say({"error": type(error).__name__, "message": str(error)})
    except MemoryError:
        os._exit(1)  # as if it had been killed for want of memory: the shard is tried again, and then named
    except Exception:  # noqa: BLE001 (the worker's boundary: whatever it was, the parent tells it)
        say({"error": "", "message": traceback.format_exc()})


def score_once(scorer: Scorer, shard: Shard, report: Callable[[int], None]) -> dict[str, Any]:
    """Score a shard that nobody else is at work on, and that nobody has committed meanwhile."""
    folder, job = scorer.order.folder, scorer.order.job.fingerprint
    with try_lock(folder, f"shard-{shard.number:05d}") as mine:
        if not mine:
            return {"busy": shard.number}
        if not is_done(folder, shard, job=job):
            scorer.score(shard, report)
        return {"done": shard.number}


def _own_output() -> Say:
    """Standard output for this module alone: what libraries print must not stand between its lines."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(message: dict[str, Any]) -> None:
        stream.write(json.dumps(message) + "\n")
        stream.flush()

    return say


def _listen(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    # at once, in the middle of a shard too: a shard without a commit is as if nobody had begun it
    os._exit(0)


if __name__ == "__main__":
    main()
