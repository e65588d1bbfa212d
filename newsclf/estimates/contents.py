"""What stands in a replication pack: every file of it, and what it says of itself."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from newsclf import __version__
from newsclf.estimates.codings import AuditCodings
from newsclf.estimates.frame import Scores
from newsclf.estimates.renamed import Renamed, codings_csv, json_bytes
from newsclf.manifest import MANIFEST

FORMAT = 1
"""Number of the layout of a pack. Raise it when an older newsclf would read a new pack wrongly."""

LEVEL = 0.95
"""The level that `newsclf estimate` takes where none is named."""

ENVIRONMENT = {"newsclf": __version__, "python": platform.python_version(), "numpy": np.__version__, "pyarrow": pa.__version__}

HASHED = "\n- Ids that were web addresses are the first 16 digits of their sha256."


@dataclass(frozen=True)
class Contents:
    """What is packed, checked before."""

    scores: Scores
    codings: AuditCodings
    record: Mapping[str, Any]
    """What estimates.json holds."""

    sample: Mapping[str, Any] | None
    """How the coded articles were drawn, as audit-sample wrote it beside them."""

    columns: tuple[str, ...]
    """Of the articles' tables, that are packed."""

    left_out: tuple[str, ...]
    said: tuple[str, ...]
    """Columns that the user says are no text."""

    model: Path | None
    whole: bool
    """Whether the model is packed whole, or its manifest and card alone."""

    @cached_property
    def renamed(self) -> Renamed:
        """The scores under their new names."""
        return Renamed(self.scores, self.columns)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """All files but the checksums, one at a time."""
        codings = codings_csv(self.renamed.codings(self.codings), self.scores.codebook)
        yield "README.md", self.readme().encode("utf-8")
        yield "audit/codings.csv", codings
        if self.sample:
            yield "audit/sample.json", json_bytes(self.renamed.named(self.sample, ids=True))
        yield "codebook.yaml", self.scores.codebook.to_yaml().encode("utf-8")
        yield "environment.json", json_bytes(ENVIRONMENT)
        yield "estimates.json", json_bytes({**self.record, "scores": {**self.record["scores"], "folder": "scores"}})
        yield "pack.json", json_bytes(self.about())
        for name, data in self.renamed.files():
            yield f"scores/{name}", data
        if self.model:
            for name in sorted(path.name for path in self.model.iterdir()) if self.whole else (MANIFEST, "README.md"):
                yield f"model/{name}", (self.model / name).read_bytes()

    def about(self) -> dict[str, Any]:
        """What the pack says of itself: which fingerprints were published, and what they are under the names here."""
        return {
            "format": FORMAT,
            "newsclf": __version__,
            "model": self.scores.model,
            "published": {"job": self.scores.fingerprint, "codings": self.codings.fingerprint},
            "here": {"job": self.renamed.job.fingerprint, "codings": self.renamed.codings(self.codings).fingerprint},
            "columns": list(self.columns),
            "left_out": list(self.left_out),
            "said_to_be_no_text": sorted(self.said),
            "command": self.command(),
        }

    def command(self) -> str:
        """What makes the shares again."""
        record = self.record
        by = [name for name in record["by"] if not (name == "target" and self.scores.codebook.is_stance)]
        options = ["--by", ",".join(by)] * bool(by) + ["--level", f"{record['method']['level']:g}"] * (record["method"]["level"] != LEVEL)
        options += ["--change-at", str(record["change_at"])] * bool(record.get("change_at"))
        options += ["--small", "pool"] * (record.get("small") == "pool")
        options += ["--by-hand"] * bool(record["audit"].get("by_hand"))
        return shlex.join(["newsclf", "estimate", "scores", "--audit", "audit", *options, "-o", "again"])

    def readme(self) -> str:
        """What a reviewer reads first."""
        held = "the whole model" if self.model and self.whole else "the manifest and model card" if self.model else "nothing"
        template = (Path(__file__).parent / "replication.md").read_text("utf-8")
        return template.format(
            task=self.scores.codebook.task,
            version=__version__,
            command=self.command(),
            rows=self.scores.rows,
            aside=self.scores.set_aside,
            codings=len(self.codings.codings),
            columns=", ".join(self.columns),
            left_out=", ".join(self.left_out) or "none",
            hashed=HASHED if self.renamed.hashes_ids else "",
            model=held,
            fingerprint=self.scores.model,
        )
