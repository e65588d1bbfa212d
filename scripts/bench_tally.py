"""How long a corpus of ten million scored rows takes to draw from and to estimate: python scripts/bench_tally.py [--rows 10000000]

Writes made-up scores of a five-label task (25 outlets × 20 months) as `newsclf score` lays them out, into a temporary folder; about 600 MB.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from newsclf.codebook import Codebook
from newsclf.corpus.shards import Piece, Shard
from newsclf.estimates.audited import audited, keys_of
from newsclf.estimates.codings import AuditCodings, Coding
from newsclf.estimates.frame import Scores
from newsclf.estimates.sample import SampleSpec
from newsclf.estimates.strata import Draw
from newsclf.estimates.tally import tally
from newsclf.estimates.told import Told
from newsclf.inference.commit import write_shard
from newsclf.inference.job import JOB, SUMMARY, Job
from newsclf.inference.tables import quarantine_table
from newsclf.scores.estimate import shares

LABELS = ("enforcement", "human_rights", "economic", "political", "human_interest")
BOOK = Codebook.parse({"task": "framing", "kind": "multi", "labels": list(LABELS)}, where="bench_tally")
ROWS = 20_000
OUTLETS, MONTHS = 25, 20


def main() -> None:
    """Write, draw, estimate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), options.rows // ROWS)
        scores = Scores.open(folder)
        started = time.perf_counter()
        _, drawn = Draw(scores, SampleSpec(n=5000, by=("outlet", "month"))).rows()
        print(f"drawn: {len(drawn):,} of {scores.rows:,} in {time.perf_counter() - started:.1f} s, peak {_peak()} MiB", flush=True)
        started = time.perf_counter()
        codings = AuditCodings(tuple(Coding(row.key, "", "coder", LABELS[: number % 3]) for number, row in enumerate(drawn[::5])))
        found = tally(scores, scores.groups(("outlet", "month")), keys_of(codings))
        rows = audited(codings, found, BOOK, drawn=None, by_hand=True)
        told = Told(scores, found, ("outlet", "month"), 0.95)
        best = shares(rows.sample(), told.corpus, told.members, "multi")
        count = sum(1 for part in (told.shares(best), told.differences(best), told.trends(rows)) for _ in part)
        took = time.perf_counter() - started
        print(f"estimated: {count:,} figures of {len(told.groups)} groups from {len(rows.keys):,} codes in {took:.1f} s, peak {_peak()} MiB")


def write(folder: Path, shards: int) -> None:
    """Scores of so many shards, as a finished job."""
    job = Job({"framing": "f" * 64}, {"path": ["made-up"]}, {}, {"made-up": "none"})
    (folder / JOB).write_text(json.dumps(job.tree()), "utf-8")
    chance = np.random.default_rng(0)
    for number in range(shards):
        values = chance.beta(0.4, 1.2, (ROWS, len(LABELS))).astype(np.float32)
        months = chance.integers(0, MONTHS, ROWS)
        columns = {
            "place": pa.array([f"made-up:{number * ROWS + row + 1}" for row in range(ROWS)]),
            "id": pa.array([str(number * ROWS + row) for row in range(ROWS)]),
            "outlet": pa.array([f"Outlet {outlet}" for outlet in chance.integers(0, OUTLETS, ROWS)]),
            "date": pa.array([f"{2024 + month // 12}-{month % 12 + 1:02}-15" for month in months.tolist()]),
            "framing.labels": pa.array([[label for label, given in zip(LABELS, row, strict=True) if given] for row in (values > 0.5).tolist()]),
            **{f"framing.p.{label}": pa.array(values[:, at]) for at, label in enumerate(LABELS)},
        }
        shard = Shard(number, (Piece("made-up", number * ROWS, (number + 1) * ROWS, number * ROWS, ROWS, ROWS),))
        write_shard(folder, shard, {"": pa.table(columns)}, quarantine_table([]), job=job.fingerprint, digest="")
    summary = {"rows": shards * ROWS, "scored": shards * ROWS, "quarantined": 0, **job.tree(), "codebooks": {"framing": BOOK.resolved()}}
    (folder / SUMMARY).write_text(json.dumps(summary), "utf-8")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
