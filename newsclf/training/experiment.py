"""An experiment: everything that a config file says, resolved and validated before the first article is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SerializeAsAny, field_validator

from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanSpec
from newsclf.corpus.coded import CodedSpec
from newsclf.corpus.split import SplitSpec
from newsclf.errors import ConfigError
from newsclf.learners.protocol import LEARNERS, LearnerSpec, learner_spec
from newsclf.scores.decision import DecisionSpec
from newsclf.spec import Spec, Tree, load_tree, override


class Experiment(Spec):
    """One training run: a codebook, coded articles, how to split, clean, learn and decide."""

    name: str = Field(pattern=r"^[^\s/\\.][^\s/\\]*$")
    """Name of the model: its folder under `output`."""

    codebook: str
    """Codebook file."""

    data: CodedSpec
    """Coded articles."""

    clean: CleanSpec = CleanSpec()
    """Cleaning, the same in training and in use."""

    split: SplitSpec = SplitSpec()
    """Training and test articles, and folds."""

    learner: SerializeAsAny[LearnerSpec] = Field(default_factory=lambda: learner_spec({})())
    """The learner and its hyper-parameters; `kind` names it."""

    decision: DecisionSpec = DecisionSpec()
    """From probabilities to labels."""

    output: str = "models"
    """Folder for the model and, under runs/, for the record of each run."""

    @field_validator("learner", mode="before")
    @classmethod
    def _by_kind(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return learner_spec(value).model_validate(value)

    @classmethod
    def load(cls, path: str | Path, settings: Sequence[str] = (), *, data_root: str | Path | None = None) -> Self:
        """Read a config file and lay `a.b=value` settings on it.

        Relative paths are relative to the config file; those of the corpus to `data_root`, where one is given. Raises ConfigError for whatever is
        wrong, before any article is read.
        """
        path = Path(path)
        tree = override(load_tree(path), settings)
        experiment = cls.parse(_rooted(tree, path.resolve().parent, Path(data_root).resolve() if data_root else None), where=str(path))
        if not experiment.data.path:
            raise ConfigError(f"{path}: the key 'data.path' is missing: name the file or folder of the coded articles.")
        experiment.load_codebook()
        return experiment

    def load_codebook(self) -> Codebook:
        """The codebook that the experiment names; raises ConfigError."""
        return Codebook.load(self.codebook)


def _rooted(tree: Tree, folder: Path, data_root: Path | None) -> Tree:
    """A config tree with its relative paths made absolute."""
    result = dict(tree)
    for key, default in (("codebook", None), ("output", Experiment.model_fields["output"].default)):
        value = result.get(key, default)
        if isinstance(value, str):
            result[key] = _absolute(value, folder)
    if isinstance(result.get("data"), dict):
        data = dict(result["data"])
        for key in ("path", "test"):
            paths = data.get(key)
            if isinstance(paths, str):
                data[key] = _absolute(paths, data_root or folder)
            elif isinstance(paths, list):
                data[key] = [_absolute(item, data_root or folder) if isinstance(item, str) else item for item in paths]
        result["data"] = data
    return result


def _absolute(path: str, folder: Path) -> str:
    # addresses (s3://…, hf:…) stand for themselves; so do absolute paths, which `/` lets win
    return path if "://" in path or path.startswith("hf:") else str((folder / Path(path).expanduser()).resolve())


def json_schema() -> dict[str, Any]:
    """JSON schema of config files, for editors: every key with its description, the learners as alternatives by kind."""
    schema = Experiment.model_json_schema()
    learners = {kind: learner_spec({"kind": kind}).model_json_schema() for kind in LEARNERS}
    definitions = schema.setdefault("$defs", {})
    for kind, learner in learners.items():
        definitions |= learner.pop("$defs", {})
        definitions[f"learner_{kind}"] = learner
    schema["properties"]["learner"] = {
        "anyOf": [{"$ref": f"#/$defs/learner_{kind}"} for kind in learners],
        "description": "The learner and its hyper-parameters.",
    }
    schema["properties"]["extends"] = {"type": "string", "description": "Config file whose keys these are laid on."}
    whole: dict[str, Any] = _strings_for_tuples(schema)
    return whole


def _strings_for_tuples(node: Any) -> Any:
    """Where a list of strings is expected one string does too, as the validators have it."""
    if isinstance(node, list):
        return [_strings_for_tuples(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _strings_for_tuples(value) for key, value in node.items()}
    if node.get("type") == "array" and node.get("items") == {"type": "string"}:
        rest = {key: node.pop(key) for key in ("description", "default", "title") if key in node}
        return rest | {"anyOf": [{"type": "string"}, node]}
    return node
