"""Scoring a corpus of any size: shard by shard, in worker processes, so that it can be stopped at any moment and go on, every row accounted for."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from newsclf.bundle import outline
from newsclf.codebook import Codebook
from newsclf.corpus.identity import identity, size_of
from newsclf.corpus.read import CorpusSpec, check_columns, files_of
from newsclf.corpus.shards import Shard, plan, sampled
from newsclf.errors import DataError, InputError, listed
from newsclf.inference.commit import Commit, commit_of, discard, is_done, write_whole
from newsclf.inference.job import SUMMARY, Job, in_turn, locked, move_aside
from newsclf.inference.pool import POLL_S, Pool
from newsclf.inference.predictor import check_targets, check_tasks
from newsclf.inference.scorer import Order, Scorer, ScoreSpec
from newsclf.inference.worker import score_once
from newsclf.machine import usable_cores
from newsclf.progress import progress
from newsclf.spec import Spec


class RunSpec(Spec):
    """How a scoring job is run: nothing here changes what it writes."""

    workers: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Worker processes; auto takes one a core, and no more than there are shards."""

    shard: str = ""
    """One part of an array of jobs that share a folder, as 2/8: every eighth shard, from the second on."""

    restart: bool = False
    """Begin anew; what the folder holds is moved aside, not deleted."""

    @field_validator("shard")
    @classmethod
    def _one_of_many(cls, shard: str) -> str:
        found = re.fullmatch(r"(\d+)/(\d+)", shard)
        if shard and not (found and 1 <= int(found[1]) <= int(found[2])):
            raise ValueError(f"job 2 of 8 is written 2/8, and the first is 1/8; this is {shard!r}")
        return shard

    @property
    def part(self) -> tuple[int, int]:
        """This job's number among so many, from 0."""
        number, _, many = (self.shard or "1/1").partition("/")
        return int(number) - 1, int(many)


@dataclass(frozen=True)
class Scored:
    """What the shards of a folder came to; `rows` = `scored` + `quarantined`, always."""

    output: Path
    rows: int
    scored: int
    quarantined: int
    before: int = 0
    """Rows that were scored or set aside before, and were not read again."""

    missing: int = 0
    """Shards that other jobs of an array have still to do."""


def score(
    models: Sequence[str | Path] | str | Path,
    corpus: CorpusSpec | str,
    output: str | Path,
    spec: ScoreSpec | None = None,
    *,
    run: RunSpec | None = None,
) -> Scored:
    """Score a corpus of any size with one or several models; stopped at any moment, the same call goes on where it was.

    Writes `part-K.parquet` (one row an article), `part-K.TASK.parquet` (stance: one row an article and target), `quarantine-K.parquet` (rows that
    cannot be scored, with place and reason) and `part-K.json` (the commit) for each shard, and at last `score.json`
    with the counts, all that the job was asked, and the codebooks. A corpus given by its path
    alone has its bad rows set aside; a CorpusSpec says itself. Memory does not grow with the corpus. Raises BundleError, DataError, WorkerError, or
    OutputError where the folder holds another job or something else, is in use, or cannot be written: what is committed is then whole.
    """
    spec, run = spec or ScoreSpec(), run or RunSpec()
    paths = [models] if isinstance(models, (str, Path)) else list(models)
    corpus = corpus if isinstance(corpus, CorpusSpec) else CorpusSpec(path=(str(corpus),), on_error="quarantine")
    files = list(dict.fromkeys(file for path in corpus.path for file in files_of(path)))
    check_columns(corpus, spec.keep)
    outlines = _outlines(paths, spec.targets)
    prints = {codebook.task: fingerprint for codebook, fingerprint in outlines}
    job = Job(prints, corpus.resolved(), spec.resolved(), {file: identity(file) for file in files})
    order = Order(tuple(str(Path(path).resolve()) for path in paths), corpus, spec, Path(output), job)
    if run.restart:
        move_aside(order.folder, part=run.shard)
    job.is_in(order.folder)  # before a lock is put there: a folder that holds something else is left as it is
    with locked(order.folder, part=run.shard), _terminable():
        job.enter(order.folder)
        ledger = Ledger(order, run, tuple(codebook for codebook, _ in outlines))
        _run(order, run, ledger)
        return ledger.closed()


@dataclass
class Ledger:
    """The shards of a job as they are planned, which of them are this run's and still to do, and what all came to."""

    order: Order
    run: RunSpec
    codebooks: tuple[Codebook, ...] = ()
    numbers: list[int] = field(default_factory=list)
    before: int = 0

    def to_do(self, passed: Callable[[Shard], None]) -> Iterator[Shard]:
        """This run's shards that have no commit; `passed` is told of those that have one."""
        spec, job = self.order.spec, self.order.job
        shards = plan(job.inputs, rows=spec.rows_per_shard, limit=spec.limit)
        mine, of = self.run.part
        for shard in sampled(shards, size=spec.sample, seed=spec.seed) if spec.sample else shards:
            self.numbers.append(shard.number)
            if shard.number % of != mine:
                continue
            if is_done(self.order.folder, shard, job=job.fingerprint):
                self.before += shard.rows
                passed(shard)
            else:
                yield shard

    def closed(self) -> Scored:
        """Count what is committed, and write the summary where nothing is missing; raises DataError where the corpus has no row."""
        folder, job = self.order.folder, self.order.job
        if not self.numbers:
            raise DataError(f"{listed(self.order.corpus.path)}: there is no row to score.")
        there = [path for number in self.numbers if (path := commit_of(folder, number)).exists()]
        commits = [Commit.read(path) for path in there]
        rows, scored = sum(commit.rows for commit in commits), sum(commit.scored for commit in commits)
        missing = len(self.numbers) - len(there)
        if missing and not self.run.shard:
            raise AssertionError(f"{folder}: {missing} shards of a whole job have no commit")
        if not missing:
            summary = {"rows": rows, "scored": scored, "quarantined": rows - scored, "shards": len(there), **job.tree()}
            summary["codebooks"] = {
                codebook.task: codebook.resolved() for codebook in self.codebooks
            }  # what the labels mean, for people who check them
            with in_turn(folder):  # backslashreplace: half a character in the name of a file becomes JSON's own escape for it
                write_whole(folder / SUMMARY, (json.dumps(summary, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))
        return Scored(folder, rows, scored, rows - scored, before=self.before, missing=missing)


def _run(order: Order, run: RunSpec, ledger: Ledger) -> None:
    """Have the shards scored that are to do: one or few in this process, more in others."""
    size = sum(map(size_of, order.job.inputs)) // run.part[1]
    with progress("scoring", size=size) as report:

        def done(shard: Shard, rows: int) -> None:
            report.advance(rows, shard.bytes * rows // max(shard.rows, 1))

        to_do = ledger.to_do(lambda shard: report.advance(0, shard.bytes))
        cores = usable_cores()
        wanted = cores if run.workers == "auto" else run.workers
        first = list(islice(to_do, wanted))
        if len(first) > 1:
            Pool(order, len(first), threads=max(cores // len(first), 1)).run(chain(first, to_do), done)
        elif first:
            _here(order, chain(first, to_do), done)


def _here(order: Order, shards: Iterator[Shard], report: Callable[[Shard, int], None]) -> None:
    """Score shards in this process."""
    scorer = Scorer(order)
    for shard in shards:
        try:
            while "busy" in score_once(scorer, shard, partial(report, shard)):
                time.sleep(POLL_S)  # a worker of a job that was killed has not noticed yet
        except BaseException:
            discard(order.folder, [shard.number])
            raise


def _outlines(models: Sequence[str | Path], targets: Sequence[str]) -> list[tuple[Codebook, str]]:
    """Codebook and fingerprint of each; raises BundleError, InputError or DataError where they cannot be asked together, or about these targets."""
    if not models:
        raise InputError("there is no model: give the folder of one or several, as in newsclf.score('models/framing', 'corpus.jsonl', 'scores').")
    outlines = [outline(model) for model in models]
    check_tasks([codebook.task for codebook, _ in outlines])
    check_targets([codebook for codebook, _ in outlines], targets)
    return outlines


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM, which a cluster sends before it kills, ends the run as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
