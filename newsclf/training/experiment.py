"""An experiment: everything that a config file says, resolved and validated before the first article is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanSpec
from newsclf.corpus.coded import CodedSpec
from newsclf.corpus.split import SplitSpec
from newsclf.errors import ConfigError
from newsclf.learners.protocol import LEARNERS, LearnerSpec, learner_spec
from newsclf.scores.calibration import Method
from newsclf.scores.decision import DecisionSpec
from newsclf.spec import Spec, Tree, load_tree, override
from newsclf.training.settled import CodersSpec

RUNS = "runs"
"""Folder under `output` that holds the record of each run, beside the models."""


_SEVERAL: dict[str, Any] = {"uniqueItems": True, "not": {"type": "array", "minItems": 1, "maxItems": 1}}


class Experiment(Spec):
    """One training run: a codebook, coded articles, how to split, clean, learn and decide."""

    name: str = Field(pattern=r"^[^\s/\\.][^\s/\\]*$")
    """Name of the model: its folder under `output`."""

    codebook: str | Codebook
    """Codebook file, or the codebook itself."""

    data: CodedSpec
    """Coded articles."""

    coders: CodersSpec | None = None
    """Codings of the articles by several coders: how far they agree, and labels where they are settled."""

    clean: CleanSpec = CleanSpec()
    """Cleaning, the same in training and in use."""

    split: SplitSpec = SplitSpec()
    """Training and test articles, and folds."""

    learner: SerializeAsAny[LearnerSpec] = Field(default_factory=lambda: learner_spec({})())
    """The learner and its hyper-parameters; `kind` names it."""

    calibration: Method | Literal["auto"] = "auto"
    """From scores to probabilities: platt, isotonic or temperature; auto chooses on held-out scores of the training articles, platt when in doubt."""

    decision: DecisionSpec = DecisionSpec()
    """From probabilities to labels."""

    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(default=(), json_schema_extra=_SEVERAL)
    """A complete run for each of these seeds, in place of the seed of the split; the model that is saved is that of the first."""

    output: str = "models"
    """Folder for the model and, under runs/, for the record of each run."""

    @field_validator("name")
    @classmethod
    def _not_that_of_the_records(cls, value: str) -> str:
        if value == RUNS:
            raise ValueError(f"{value!r} is the folder of the records of all runs; give the model another name")
        return value

    @field_validator("seeds")
    @classmethod
    def _several_seeds(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(value) == 1:
            raise ValueError(f"one seed tells of no spread: name two or more, or set 'split.seed: {value[0]}' for one run")
        twice = [seed for seed, times in Counter(value).items() if times > 1]
        if twice:
            raise ValueError(f"the seed {twice[0]} stands twice; each gives one run")
        return value

    @field_validator("learner", mode="before")
    @classmethod
    def _by_kind(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return learner_spec(value).model_validate(value)  # imports the learner's module, only now that it is named

    @model_validator(mode="after")
    def _one_way_to_test(self) -> Self:
        if self.data.test and self.split.way:
            raise ValueError(f"'data.test' and 'split.{self.split.way}' both say what to test on; keep one of the two")
        return self

    @model_validator(mode="after")
    def _codings_are_somewhere(self) -> Self:
        if self.coders and not self.coders.path and self.coders.settle == "none":
            raise ValueError(
                "'coders.path' must name the file of the codings; where the rows of 'data.path' are the codings, say how their labels are settled "
                "(coders.settle: majority or dawid_skene)"
            )
        if self.coders and not self.coders.path and self.data.test:
            raise ValueError("'data.test' goes with articles in files of their own: name the codings in 'coders.path'")
        return self

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
        experiment.decision.check(experiment.load_codebook().kind, where=str(path))
        return experiment

    def load_codebook(self) -> Codebook:
        """The codebook that the experiment names; raises ConfigError."""
        return Codebook.load(self.codebook) if isinstance(self.codebook, str) else self.codebook


def _rooted(tree: Tree, folder: Path, data_root: Path | None) -> Tree:
    """A config tree with its relative paths made absolute."""
    result = dict(tree)
    for key, default in (("codebook", None), ("output", Experiment.model_fields["output"].default)):
        value = result.get(key, default)
        if isinstance(value, str):
            result[key] = _absolute(value, folder)
    for block in ("data", "coders"):
        if not isinstance(result.get(block), dict):
            continue
        data = dict(result[block])
        for key in ("path", "test"):
            paths = data.get(key)
            if isinstance(paths, str):
                data[key] = _absolute(paths, data_root or folder)
            elif isinstance(paths, list):
                data[key] = [_absolute(item, data_root or folder) if isinstance(item, str) else item for item in paths]
        result[block] = data
    learner = result.get("learner")
    if isinstance(learner, dict) and isinstance(learner.get("encoder"), str) and (folder / learner["encoder"]).is_dir():  # else it is a hub's name
        result["learner"] = learner | {"encoder": _absolute(learner["encoder"], folder)}
    split = result.get("split")
    if isinstance(split, dict) and isinstance(split.get("replay"), str):
        result["split"] = split | {"replay": _absolute(split["replay"], folder)}
    return result


def _absolute(path: str, folder: Path) -> str:
    # addresses (s3://…, hf:…) stand for themselves; so do absolute paths, which `/` lets win
    return path if "://" in path or path.startswith("hf:") else str((folder / Path(path).expanduser()).resolve())


def json_schema() -> dict[str, Any]:
    """JSON schema of config files, for editors: every key with its description, the learners as alternatives by kind."""
    schema = Experiment.model_json_schema()
    definitions, properties = schema["$defs"], schema["properties"]
    for kind in LEARNERS:
        learner = learner_spec({"kind": kind}).model_json_schema()
        definitions |= learner.pop("$defs", {}) | {f"learner_{kind}": learner}
    properties["learner"] = {
        "anyOf": [{"$ref": f"#/$defs/learner_{kind}"} for kind in LEARNERS],
        "description": "The learner and its hyper-parameters.",
    }
    properties["extends"] = {"type": "string", "description": "Config file whose keys these are laid on."}
    # what the file that is extended says need not be said again
    schema["anyOf"] = [{"required": schema.pop("required")}, {"required": ["extends"]}]
    _add_short_forms(*(definitions[name]["properties"] for name in ("CodedSpec", "CodersSpec", "SplitSpec", "Codebook")))
    return schema


def _add_short_forms(coded: Tree, coders: Tree, split: Tree, codebook: Tree) -> None:
    """What the validators take beside the full forms: one value for a list of one, names alone for labels."""
    scalar = {"type": ["string", "number", "boolean"]}
    for block in (coded, coders):
        for key in ("path", "test"):
            block[key] = _either({"type": "string"}, block[key])
        block["maps"]["additionalProperties"] = _either(scalar, {"type": "null"}, block["maps"]["additionalProperties"])
    split["where"]["additionalProperties"] = _either(scalar, {"type": "array", "items": scalar})
    for key in ("labels", "targets"):
        codebook[key]["additionalProperties"] = _either({"type": ["string", "null"]}, codebook[key]["additionalProperties"])
        codebook[key] = _either({"type": "array", "items": scalar}, codebook[key])


def _either(*forms: Tree) -> Tree:
    """A schema that takes any of these; what the last one says of itself stands around them, where editors look for it."""
    *others, full = forms
    about = {key: value for key, value in full.items() if key in ("description", "default", "title")}
    return about | {"anyOf": [*others, {key: value for key, value in full.items() if key not in about}]}
