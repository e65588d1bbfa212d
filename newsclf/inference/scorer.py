"""One shard, from its rows to its commit: the same step in this process, in a worker process, and on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from pydantic import Field

from newsclf.corpus.identity import identity
from newsclf.corpus.read import CorpusSpec, articles_of
from newsclf.corpus.shards import Shard, ShardReader
from newsclf.errors import BundleError, DataError, listed
from newsclf.inference.commit import Commit, write_shard
from newsclf.inference.job import Job
from newsclf.inference.predictor import Reader
from newsclf.inference.rows import Batch, batches, kept_columns
from newsclf.inference.tables import Tables, joined, quarantine_table, score_tables, with_kept
from newsclf.spec import Spec


class ScoreSpec(Spec):
    """What scoring a corpus writes."""

    targets: tuple[str, ...] = ()
    """Stance: ask about these targets instead of the codebook's."""

    sentences: int = Field(default=0, ge=0)
    """Sentences of evidence for each label; 0 writes none, and is several times faster."""

    keep: tuple[str, ...] = ()
    """Columns of the corpus, beside id, title, outlet, date and url, that are written with the scores."""

    limit: int | None = Field(default=None, ge=1)
    """Score the first so many rows only, for a trial."""

    sample: int | None = Field(default=None, ge=1)
    """Score a random sample of so many rows, for a trial."""

    seed: int = Field(default=0, ge=0)
    """Seed of the sample."""

    rows_per_shard: int = Field(default=20_000, ge=1)
    """Input rows of each shard: what is lost at most when a worker dies, and one file of the output."""


@dataclass(frozen=True)
class Order:
    """Everything that a process needs to score shards of a job."""

    models: tuple[str, ...]
    corpus: CorpusSpec
    spec: ScoreSpec
    folder: Path
    job: Job

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**vars(self), "corpus": self.corpus.resolved(), "spec": self.spec.resolved(), "folder": str(self.folder), "job": self.job.tree()}

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> Self:
        """The order that `as_dict` wrote."""
        corpus, spec = CorpusSpec.parse(values["corpus"], where="order"), ScoreSpec.parse(values["spec"], where="order")
        return cls(tuple(values["models"]), corpus, spec, Path(values["folder"]), Job.of_tree(values["job"]))


class Scorer:
    """Scores shards of one job; loads its models once."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._reader = Reader(order.models)
        if dict(zip(self._reader.tasks, self._reader.fingerprints, strict=True)) != dict(order.job.models):
            raise BundleError(f"{listed(order.models)}: a model was trained again while the job ran. Begin anew with --restart.")
        self._job = order.job.fingerprint
        self._shards = ShardReader(order.corpus.columns(), order.spec.keep)

    def score(self, shard: Shard, report: Callable[[int], None] = lambda rows: None) -> Commit:
        """Score a shard and commit it; `report` is told of every so many rows.

        Raises DataError where an input file is not the one that the job began with, or a row is bad and the corpus says to stop there, and
        OutputError where the folder cannot be written.
        """
        corpus = self.order.corpus
        self._check_inputs(shard)
        tables: dict[str, list[pa.Table]] = {}
        kept: dict[str, list[Any]] = {name: [] for name in self.order.spec.keep}
        quarantine, count = [quarantine_table([])], 0
        read = articles_of(self._shards.rows(shard), corpus, checked=True)
        for rows in chain(batches(read), [[]]):  # an empty batch at last: a shard without a row has its columns too
            batch = Batch.of(rows, self._reader.clean)
            if batch.bad and corpus.on_error == "fail":
                raise DataError(f"{batch.bad[0].place}: {batch.bad[0].reason} (To set such rows aside and go on: on_error: quarantine)")
            for name, table in self._tables(batch).items():
                tables.setdefault(name, []).append(table)
            for name, values in kept_columns(batch.articles, self.order.spec.keep, corpus).items():
                kept[name] += values
            quarantine.append(quarantine_table(batch.bad))
            count += batch.rows
            report(batch.rows)
        self._check_inputs(shard)  # a file may have been replaced while it was read
        whole, aside = {name: joined(found) for name, found in tables.items()}, joined(quarantine)
        whole[""] = with_kept(whole[""], kept, self._reader.tasks)
        if whole[""].num_rows + aside.num_rows != count:
            raise AssertionError(f"{shard}: {count} rows were read, and {whole[''].num_rows} scored and {aside.num_rows} set aside do not add up")
        return write_shard(self.order.folder, shard, whole, aside, job=self._job, digest=self._shards.digest)

    def _tables(self, batch: Batch) -> Tables:
        answers = self._reader.answer(batch.cleaned, self.order.spec.targets)
        return score_tables(batch.articles, answers, batch.cleaned, sentences=self.order.spec.sentences)

    def _check_inputs(self, shard: Shard) -> None:
        for file in dict.fromkeys(piece.file for piece in shard.pieces):
            if identity(file) != self.order.job.inputs[file]:
                raise DataError(f"{file}: this file has changed since the job began. Put it back as it was, or begin anew with --restart.")
