"""A model before the first article is coded: a bundle made of a codebook alone, which says so wherever it is looked at."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from newsclf.bundle import Bundle
from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanSpec
from newsclf.errors import ConfigError
from newsclf.folder import check_replaceable
from newsclf.learners.definitions import DefinitionsSpec
from newsclf.learners.protocol import Fitted, LearnerSpec
from newsclf.manifest import MANIFEST
from newsclf.packing import store_encoder
from newsclf.scores.decision import Decision
from newsclf.spec import load_tree
from newsclf.training.about import LIBRARIES
from newsclf.training.experiment import Experiment

WARNING = (
    "No coded article stands behind this model. It goes by the definitions of the codebook alone; its probabilities were never compared with what "
    "people code. Use it to choose what to code, and with coded samples (`newsclf estimate`); do not print its labels, their counts or their "
    "probabilities."
)
STANCE = " Of stances definitions tell next to nothing: on SemEval-2016 such a model was no better than chance, until articles were coded."
"""What is added for a stance."""

MODELS = Path("models")
"""Where models lie unless a folder is named."""


@dataclass(frozen=True)
class Started:
    """A model of a codebook alone."""

    model: Path
    """Folder of the bundle."""

    codebook: Codebook
    fingerprint: str

    @property
    def warning(self) -> str:
        """What it must not be used for."""
        return _warning(self.codebook)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"model": str(self.model), "task": self.codebook.task, "coded_articles": 0, "warning": self.warning, "fingerprint": self.fingerprint}

    def text(self) -> str:
        """What was made, what it must not be used for, and what to do next."""
        targets = "  --target '…'" if self.codebook.is_stance and not self.codebook.targets else ""
        lines = [
            f"{self.model}: {len(self.codebook.names)} labels of the task {self.codebook.task!r}, from their definitions alone",
            "",
            self.warning.replace("`", ""),
            "",
            "next",
            f"  score a corpus         newsclf score {self.model} CORPUS -o scores{targets}",
            "  draw articles to code  newsclf audit-sample scores -n 200 -o audit",
            "  print shares           newsclf estimate scores --audit audit",
            "  learn from the codes   newsclf train CONFIG, with  learner: {kind: definitions}",
            "",
            "Shares that are estimated from a drawn and coded sample hold whatever the model is: a poor one makes their intervals wider, not wrong.",
        ]
        return "\n".join(lines)


def start(source: str | Path | Codebook, output: str | Path | None = None, *, encoder: str = "") -> Started:
    """Make a bundle from a codebook: its file, a config file that names one (its cleaning is taken, too), or the codebook itself.

    `output` is the folder of the bundle, models/TASK unless given; `encoder` a folder or hub name. Labels without a definition are warned of. Raises
    ConfigError for what is no codebook, what opening the encoder raises, OutputError where nothing can be written.
    """
    codebook, clean, learner = _read(source)
    if encoder:
        given = Path(encoder).expanduser()
        learner = learner.model_copy(update={"encoder": str(given.resolve()) if given.is_dir() else encoder})
    folder = MODELS / codebook.task if output is None else Path(output)
    check_replaceable(folder, mark=MANIFEST)
    fitted = learner.start(codebook)
    share = 0.5 if codebook.kind == "multi" else 0.0
    thresholds = np.full(len(codebook.names), share)
    decision = Decision(codebook.kind, thresholds, fewest=codebook.min_labels, most=codebook.max_labels)
    bundle = Bundle(codebook, learner, clean, fitted.model, fitted.calibration, decision, _about(folder.name, codebook, fitted))
    fingerprint = bundle.save(folder)
    store_encoder(folder)
    return Started(folder, codebook, fingerprint)


def _read(source: str | Path | Codebook) -> tuple[Codebook, CleanSpec, DefinitionsSpec]:
    """The codebook; and cleaning and learner, those of a config where that is what was given."""
    if isinstance(source, Codebook):
        return source, CleanSpec(), DefinitionsSpec()
    tree = load_tree(Path(source))
    if "codebook" not in tree:
        if not {"labels", "task"} & tree.keys():
            raise ConfigError(f"{source}: this is neither a codebook, which has 'task', 'kind' and 'labels', nor a config, which has 'codebook'.")
        return Codebook.parse(tree, where=str(source)), CleanSpec(), DefinitionsSpec()
    experiment = Experiment.load(source)
    return experiment.load_codebook(), experiment.clean, _definitions(experiment.learner)


def _definitions(learner: LearnerSpec) -> DefinitionsSpec:
    """The config's learner where it is this one; else this one with its encoder, if it has one."""
    if isinstance(learner, DefinitionsSpec):
        return learner
    shared = {name: getattr(learner, name) for name in ("encoder", "engine", "windows") if learner.kind == "encoder"}
    return DefinitionsSpec().model_copy(update=shared)


def _warning(codebook: Codebook) -> str:
    return WARNING + STANCE * codebook.is_stance


def _about(name: str, codebook: Codebook, fitted: Fitted) -> dict[str, Any]:
    return {
        "name": name,
        "warning": _warning(codebook),
        "data": {"coded articles": "0: made from the definitions of the codebook alone"},
        "columns": {},
        "chosen": dict(fitted.chosen),
        "thresholds": {},
        "telling": {label: [text for text, _ in fitted.model.telling(column, 12)] for column, label in enumerate(codebook.names)},
        "versions": {"python": platform.python_version()} | {library: version(library) for library in LIBRARIES},
    }
