"""The codebook: a YAML file that a social scientist can review, and the only place that maps label names to columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from newsclf.errors import DataError, InputError, listed, nearest, shown
from newsclf.spec import Spec, dump_yaml, load_tree


# numbers become text: labels, parents and aliases are often codes, such as 101 under 1
class Label(Spec, coerce_numbers_to_str=True):
    """One label: what a coder must see in an article to give it."""

    definition: str = Field(min_length=1)
    """One or two sentences that tell when the label applies."""

    include: str = ""
    """Borderline cases that belong here."""

    exclude: str = ""
    """Cases that look alike and belong elsewhere."""

    examples: tuple[str, ...] = ()
    """Sentences that a coder would recognise."""

    parent: str = ""
    """The broader label, for hierarchical codebooks."""


class Target(Spec, coerce_numbers_to_str=True):
    """Something that articles take a stance toward."""

    definition: str = ""
    """What is meant by the target."""

    aliases: tuple[str, ...] = ()
    """Other words for it in running text; they tell which sentences mention it."""


class Codebook(Spec):
    """A task and its labels."""

    task: str
    """Name of the task: first part of the column names in scored output."""

    kind: Literal["exclusive", "multi"]
    """exclusive: exactly one label an article; multi: any number of labels."""

    question: str = ""
    """What a coder is asked."""

    labels: dict[str, Label] = Field(min_length=2)
    """Label name → definition, in the order of the columns."""

    targets: dict[str, Target] = {}
    """For stance: what the stance is toward."""

    open_targets: bool = False
    """Whether a stance model may be asked about targets that are not in the codebook."""

    min_labels: int = Field(default=0, ge=0)
    """For multi-label tasks: the fewest labels that a coder gives an article."""

    max_labels: int | None = Field(default=None, ge=1)
    """For multi-label tasks: the most labels that a coder gives an article."""

    @field_validator("task")
    @classmethod
    def _one_word(cls, task: str) -> str:
        if not re.fullmatch(r"[^\s./]+", task):
            raise ValueError(f"columns and files are named after the task, so it is one word without spaces, dots and slashes, not {task!r}")
        return task

    @field_validator("labels", "targets", mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """A list of names, or name: "definition", reads as the full form."""
        if isinstance(value, list):
            value = dict.fromkeys(_names(value))
        if not isinstance(value, Mapping):
            return value
        full = {str(name): _full_form(str(name), body) for name, body in value.items()}
        for name in full:
            if not name or name != name.strip():
                raise ValueError(f"the name {name!r} must not be empty, nor begin or end with a space: no cell of a corpus could match it")
        return full

    @model_validator(mode="after")
    def _parents(self) -> Self:
        for name in self.labels:
            above = [name]
            while parent := self.labels[above[-1]].parent:
                if parent not in self.labels:
                    hint = nearest(parent, self.labels)
                    raise ValueError(f"the label {above[-1]!r} has the parent {parent!r}, which is not a label of this codebook{hint}")
                if parent in above:
                    raise ValueError(f"the parents of the label {name!r} go in a circle: {' → '.join([*above, parent])}")
                above.append(parent)
        return self

    @model_validator(mode="after")
    def _numbers_of_labels(self) -> Self:
        if self.kind == "exclusive" and (self.min_labels or self.max_labels):
            raise ValueError("min_labels and max_labels are for kind: multi; an exclusive task has exactly one label")
        if self.max_labels is not None and self.min_labels > self.max_labels:
            raise ValueError(f"min_labels ({self.min_labels}) must not exceed max_labels ({self.max_labels})")
        if self.min_labels > len(self.labels):
            raise ValueError(f"min_labels ({self.min_labels}) must not exceed the number of labels ({len(self.labels)})")
        return self

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a codebook file; raises ConfigError that names the key that is wrong."""
        return cls.parse(load_tree(Path(path)), where=str(path))

    @property
    def names(self) -> tuple[str, ...]:
        """Label names in column order."""
        return tuple(self.labels)

    @property
    def is_stance(self) -> bool:
        """Whether answers are about (article, target) pairs."""
        return bool(self.targets) or self.open_targets

    def check(self, labels: Sequence[str], *, where: str) -> tuple[str, ...]:
        """The labels of one coded article, in codebook order, or a DataError that names the place and the nearest label."""
        for label in labels:
            if label not in self.labels:
                hint = nearest(label, self.labels)
                raise DataError(f"{where}: {label!r} is not a label of the task {self.task!r}{hint}; its labels are {listed(self.labels)}.")
        given = set(labels)
        if self.kind == "exclusive" and len(given) != 1:
            raise DataError(f"{where}: the task {self.task!r} is exclusive, so exactly one label is needed; this row has {listed(labels)}.")
        if len(given) < self.min_labels or len(given) > (self.max_labels or len(self.labels)):
            wanted = f"{self.min_labels} to {self.max_labels or len(self.labels)}"
            raise DataError(f"{where}: the task {self.task!r} takes {wanted} labels a row; this row has {len(given)} ({listed(labels)}).")
        return tuple(name for name in self.labels if name in given)

    def check_target(self, target: str, *, where: str) -> str:
        """The target, or a DataError where the codebook does not know it and is not open."""
        if not target.strip():
            raise DataError(f"{where}: the target is empty; the targets of the task {self.task!r} are {listed(self.targets)}.")
        if target not in self.targets and not self.open_targets:
            hint = nearest(target, self.targets)
            raise DataError(
                f"{where}: {target!r} is not a target of the task {self.task!r}{hint}; its targets are {listed(self.targets)}. "
                "Add it to the codebook, or write open_targets: true there."
            )
        return target

    def aliases(self, target: str) -> tuple[str, ...]:
        """The target and every other word for it."""
        known = self.targets.get(target)
        return (target, *known.aliases) if known else (target,)

    def matrix(self, labels: Iterable[Sequence[str]]) -> NDArray[np.bool_]:
        """Label names a row, as `check` gives them → booleans. [rows, labels]"""
        column = {name: index for index, name in enumerate(self.labels)}
        rows = list(labels)
        result = np.zeros((len(rows), len(column)), dtype=bool)
        for row, names in enumerate(rows):
            for name in names:
                result[row, column[name]] = True
        return result

    def restricted(self, targets: Sequence[str]) -> tuple[str, ...]:
        """Which targets to answer for: those asked, or the codebook's.

        Raises InputError where there are none, DataError for one that the codebook does not know where it is not open.
        """
        # one string is one target, not its letters; a target asked twice is answered once
        asked = (targets,) if isinstance(targets, str) else targets
        chosen = tuple(dict.fromkeys(asked)) or tuple(self.targets)
        if not chosen:
            raise InputError(
                f"the task {self.task!r} is a stance toward a target and its codebook has none: name one, for example "
                "predict(article, targets=['border wall']) or  --target 'border wall'."
            )
        return tuple(self.check_target(target, where="targets") for target in chosen)

    def to_yaml(self) -> str:
        """The codebook as a YAML file that `load` reads back to an equal value."""
        return dump_yaml(self.resolved())


def _names(entries: Sequence[Any]) -> list[str]:
    """The names of a list; raises ValueError for what is no name, and for one that stands twice."""
    names: list[str] = []
    for entry in entries:
        if isinstance(entry, (Mapping, list)) or entry is None:
            raise ValueError(f"a list holds names alone, this one holds {shown(entry)}; to define them write name: definition, without the dashes")
        name = entry if isinstance(entry, str) else shown(entry)  # the label true is the same in a list and as a key
        if name in names:
            raise ValueError(f"the name {name!r} stands twice; keep one of the two")
        names.append(name)
    return names


def _full_form(name: str, body: Any) -> Any:
    if body is None or body == {}:
        return {"definition": name}
    return {"definition": body} if isinstance(body, (str, int, float)) else body
