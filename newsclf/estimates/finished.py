"""A scored folder, looked at before anything is made of it: its job is done, all of it is there, and it is of one model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from newsclf.codebook import Codebook
from newsclf.errors import DataError, listed
from newsclf.inference.commit import Commit, committed
from newsclf.inference.job import JOB, SUMMARY, Job


@dataclass(frozen=True)
class Finished:
    """A scoring job that was run to its end."""

    job: Job
    books: Mapping[str, Codebook]
    """Task → codebook; empty in folders of older versions."""

    commits: tuple[Commit, ...]
    """In the order of the corpus."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Look at a folder; raises DataError where it holds no scores, or not all of them, or those of several jobs."""
        if not (folder / JOB).exists():
            raise DataError(f"{folder}: there are no scores here; newsclf score MODEL CORPUS -o {folder}  writes them.")
        if not (folder / SUMMARY).exists():
            raise DataError(f"{folder}: this job is not done, and shares of what it has scored so far would be shares of nothing; run it to its end.")
        summary, job = _tree(folder / SUMMARY), Job.of_tree(_tree(folder / JOB))
        books = {name: Codebook.parse(tree, where=f"{folder / SUMMARY}") for name, tree in summary.get("codebooks", {}).items()}
        paths = committed(folder)
        commits = tuple(map(Commit.read, paths))
        if others := [path.name for path, commit in zip(paths, commits, strict=True) if commit.job != job.fingerprint]:
            raise DataError(
                f"{folder}: {listed(others, most=3)} come from another job than {JOB}, so that scores of two models are mixed; score again."
            )
        if len(commits) < summary.get("shards", 0):
            raise DataError(f"{folder}: {len(commits)} of {summary['shards']} parts are here; copy the whole folder again, or score again.")
        return cls(job, books, commits)

    def parts(self) -> list[str]:
        """Names of the articles' tables."""
        return [next(name for name in commit.files if name.count(".") == 1 and name.startswith("part-")) for commit in self.commits]


def _tree(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(path.read_bytes())
        if not isinstance(tree, dict):
            raise TypeError("it is no JSON object")
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: this file cannot be read ({error}); copy the whole folder again, or score again.") from error
    return tree


@contextmanager
def reading(part: Path) -> Iterator[None]:
    """What is done with a part; raises DataError, which names it, where it cannot be read."""
    try:
        yield
    except (pa.ArrowException, OSError, KeyError) as error:
        raise DataError(f"{part}: this part cannot be read ({str(error).rstrip('.')}); copy the whole folder again, or score again.") from error
