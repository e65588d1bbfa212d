"""The folder of a training run: everything that its numbers can be recomputed from."""

from __future__ import annotations

import json
import logging
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from newsclf.codebook import Codebook
from newsclf.corpus.formats import BadRow
from newsclf.errors import OutputError
from newsclf.learners.protocol import Fitted
from newsclf.spec import dump_yaml
from newsclf.training.coders import Agreement
from newsclf.training.evaluate import CodedPairs, Evaluation
from newsclf.training.experiment import Experiment
from newsclf.training.findings import Trained, findings
from newsclf.training.prepared import Part, Prepared

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunFolder:
    """Writes config.yaml, environment.json, split.jsonl, outlets.json, quarantine.jsonl, metrics.jsonl, test.jsonl, findings.json, summary.json.

    Where several coders coded the articles also agreement.json.
    """

    folder: Path
    started: float

    @classmethod
    def create(cls, root: Path, experiment: Experiment) -> RunFolder:
        """A new folder named after the experiment and the time; raises OutputError before anything is read where it cannot be written."""
        return cls._begun(_new_folder(root, f"{experiment.name}-{time.strftime('%Y%m%d-%H%M%S')}"), experiment)

    def inside(self, name: str, experiment: Experiment) -> RunFolder:
        """The folder of one of several runs, within this one; raises OutputError where it cannot be written."""
        return self._begun(_new_folder(self.folder, name), experiment)

    @classmethod
    def _begun(cls, folder: Path, experiment: Experiment) -> RunFolder:
        record = cls(folder, time.monotonic())
        with record.discarded_on_error():
            record._text("config.yaml", dump_yaml(experiment.resolved()))
            record._json("environment.json", _environment())
        return record

    @contextmanager
    def discarded_on_error(self) -> Iterator[None]:
        """Remove the folder where the run does not end well: no half run stays behind, Ctrl-C included."""
        try:
            yield
        except BaseException:  # whatever it is goes on its way after the folder is gone
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def split(self, prepared: Prepared, part: Part) -> None:
        """The part and the story (near-duplicates share one) of every row: the split as a value; and names of outlets that were taken for one."""
        lines = [
            {"id": example.article.id, "target": example.target, "part": str(part[row]), "story": int(prepared.story[row])}
            for row, example in enumerate(prepared.every.examples)
        ]
        self._lines("split.jsonl", lines)
        self._json("outlets.json", [merge.as_dict() for merge in prepared.merges])

    def quarantine(self, bad: Sequence[BadRow]) -> None:
        """Rows that were not used, with place and reason."""
        self._lines("quarantine.jsonl", [asdict(row) for row in bad])

    def metrics(self, metrics: Evaluation, fitted: Fitted, tested: CodedPairs, codebook: Codebook) -> None:
        """What was chosen on the training rows, what came out on the test rows, and the test probabilities themselves."""
        self._lines("metrics.jsonl", [{"stage": "cross_validation", **fitted.chosen}, {"stage": "test", **metrics.as_dict()}])
        lines = [
            {
                "id": example.article.id,
                "target": example.target,
                "labels": list(example.labels),
                "decided": [name for column, name in enumerate(codebook.names) if metrics.decided[row, column]],
                "p": dict(zip(codebook.names, metrics.probabilities[row].tolist(), strict=True)),
            }
            for row, example in enumerate(tested.examples)
        ]
        self._lines("test.jsonl", lines)

    def agreement(self, agreement: Agreement | None, metrics: Evaluation, tested: CodedPairs) -> None:
        """How far the coders agree, and how well people do beside the model; nothing where there are no codings."""
        if agreement:
            found = agreement.as_dict(metrics.summary, {(example.article.id, example.target) for example in tested.examples})
            self._json("agreement.json", found)
            for sentence in found["sentences"]:
                logger.info("%s", sentence)

    def findings(self, trained: Trained, fingerprint: str) -> None:
        """What the report of the run says, which `newsclf report` makes a page of."""
        config = (self.folder / "config.yaml").read_text("utf-8")
        self._json("findings.json", findings(trained) | {"config": config, "fingerprint": fingerprint})

    def close(self, metrics: Evaluation, fingerprint: str) -> None:
        """The run at a glance."""
        seconds = round(time.monotonic() - self.started, 2)
        self._json("summary.json", {"model_fingerprint": fingerprint, "seconds": seconds, **metrics.as_dict()})

    def close_seeds(self, found: Mapping[str, Any], fingerprint: str) -> None:
        """The runs of several seeds at a glance, and which model was saved."""
        seconds = round(time.monotonic() - self.started, 2)
        self._json("summary.json", {"model_fingerprint": fingerprint, "seconds": seconds, **found})

    def _lines(self, name: str, rows: Sequence[Any]) -> None:
        self._text(name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    def _json(self, name: str, value: Any) -> None:
        self._text(name, json.dumps(value, ensure_ascii=False, indent=1) + "\n")

    def _text(self, name: str, text: str) -> None:
        try:
            (self.folder / name).write_text(text, "utf-8")
        except OSError as error:
            raise _unwritable(self.folder / name, error) from error


def _new_folder(root: Path, stamp: str) -> Path:
    number = 1
    try:
        root.mkdir(parents=True, exist_ok=True)
        while True:
            folder = root / (stamp if number == 1 else f"{stamp}-{number}")
            with suppress(FileExistsError):  # another run has started within the same second
                folder.mkdir()
                return folder
            number += 1
    except OSError as error:
        raise _unwritable(root, error) from error


def _unwritable(place: Path, error: OSError) -> OutputError:
    return OutputError(f"{place}: cannot be written: {error.strerror or error}. Name another folder (from the config on):  --set output=FOLDER")


def _environment() -> dict[str, Any]:
    # what is left of a package that was removed by half has no name
    packages = {item.name: item.version for item in distributions() if item.name}
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": dict(sorted(packages.items())),
    }
