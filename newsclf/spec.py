"""Specs: frozen, validated values that a config file fills in.

Strict YAML in, dotted overrides, one fingerprint per spec, JSON schema out. Nothing here knows what the specs are for.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from newsclf.errors import ConfigError, nearest

Tree = dict[str, Any]
"""What a YAML file holds: nested dicts and lists of plain values."""

_FLOAT = re.compile(r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?\.(?:inf|Inf)|\.(?:nan|NaN)")
_INT = re.compile(r"[-+]?(?:0|[1-9]\d*)")


class Spec(BaseModel):
    """Base of every config block: frozen, no unknown keys, fields documented by the string under each."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True, hide_input_in_errors=True)

    @classmethod
    def parse(cls, tree: Mapping[str, Any], *, where: str) -> Self:
        """Validate a tree; raises ConfigError that names the key path, what it was and the nearest known key."""
        try:
            return cls.model_validate(dict(tree))
        except ValidationError as error:
            raise ConfigError("\n".join(f"{where}: {line}" for line in _explain(error, cls, tree))) from error

    def resolved(self) -> Tree:
        """Every field, defaults included, as plain JSON values."""
        return self.model_dump(mode="json")

    def fingerprint(self) -> str:
        """sha256 of the resolved spec: two specs with the same fingerprint mean the same."""
        text = json.dumps(self.resolved(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader without YAML 1.1's surprises: `no` is a string, `1e-4` a number, `012` a string, a date a string."""


def _mapping_without_duplicates(loader: _StrictLoader, node: yaml.MappingNode, deep: bool = False) -> Tree:
    result: Tree = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            key = str(key)  # a label may be called 2024 or true
        if key in result:
            raise ConfigError(f"line {line}: the key {key!r} stands twice; keep one of the two.")
        result[key] = loader.construct_object(value_node, deep=True)
    return result


_StrictLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", re.compile(r"true|false"), "tf"),
    ("null", re.compile(r"~|null|"), ["~", "n", ""]),
    ("int", _INT, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
):
    _StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern.pattern})$"), list(_first))
_StrictLoader.add_constructor("tag:yaml.org,2002:map", _mapping_without_duplicates)


def _float(loader: _StrictLoader, node: yaml.ScalarNode) -> float | str:
    text = str(node.value)
    # 012 is a code with a leading zero (an outlet, a label), not ten and not twelve
    return text if re.fullmatch(r"[-+]?0\d+", text) else float(text.replace("_", "").replace(".inf", "inf").replace(".Inf", "inf"))


_StrictLoader.add_constructor("tag:yaml.org,2002:float", _float)


def parse_yaml(text: str, *, where: str) -> Any:
    """Parse strict YAML; raises ConfigError with the line for bad syntax and for duplicate keys."""
    try:
        return yaml.load(text, _StrictLoader)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{where}{line}: this is not valid YAML: {getattr(error, 'problem', None) or error}.") from error
    except ConfigError as error:
        raise ConfigError(f"{where}, {error}") from error


def load_tree(path: Path) -> Tree:
    """Read a YAML file and what it `extends`, the nearer file winning key by key; raises ConfigError."""
    return _load_tree(path, ())


def _load_tree(path: Path, seen: tuple[Path, ...]) -> Tree:
    path = path.resolve()
    if path in seen:
        raise ConfigError(f"{path}: 'extends' goes in a circle: {' → '.join(p.name for p in (*seen, path))}.")
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file.") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path}: this is a folder; a config is one YAML file.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: this file is not UTF-8 text (byte {error.start}); save it as UTF-8.") from error
    tree = parse_yaml(text, where=str(path))
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: a YAML file of key: value lines is expected, this holds {type(tree).__name__}.")
    parent = tree.pop("extends", None)
    return merge(_load_tree(path.parent / str(parent), (*seen, path)), tree) if parent else tree


def merge(under: Tree, over: Tree) -> Tree:
    """A tree with `over` laid on `under`; blocks merge, everything else is replaced."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def override(tree: Tree, settings: Sequence[str]) -> Tree:
    """A tree with `a.b=value` settings laid on; the value is read as YAML; raises ConfigError."""
    for setting in settings:
        path, equals, value = setting.partition("=")
        keys = path.strip().split(".")
        if not equals or not all(keys):
            raise ConfigError(f"--set {setting!r}: write it as key=value, for example  --set learner.C=4")
        leaf: Tree = {keys[-1]: parse_yaml(value, where=f"--set {setting!r}")}
        for key in reversed(keys[:-1]):
            leaf = {key: leaf}
        tree = merge(tree, leaf)
    return tree


def _explain(error: ValidationError, model: type[BaseModel], tree: Mapping[str, Any]) -> list[str]:
    """A sentence for each key that is wrong: key path, what it must be, what it was."""
    unknown: list[str] = []
    wrong: dict[str, tuple[Any, str, list[str]]] = {}
    for item in error.errors(include_url=False):
        path = [str(part) for part in item["loc"]]
        if item["type"] == "extra_forbidden":
            names = _keys_at(model, path[:-1])
            known = ", ".join(sorted(names)) or "none"
            unknown.append(f"unknown key {'.'.join(path)!r}{nearest(path[-1], names)}; known here: {known}.")
        elif item["type"] == "missing":
            unknown.append(f"the key {'.'.join(path)!r} is missing.")
        else:  # the alternatives of a union report one error each: they are joined under their key
            key, value = _value_at(tree, item["loc"])
            message = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
            wrong.setdefault(key, (value, item["type"], []))[2].append(message[:1].lower() + message[1:])
    for key, (value, kind, messages) in wrong.items():
        was = "" if kind == "value_error" else f", not {_short(value)}"
        unknown.append(f"{key or 'the file'!r}: {' or '.join(dict.fromkeys(messages))}{was}.")
    return unknown


def _keys_at(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    here: type[BaseModel] | None = model
    for part in path:
        field = here.model_fields.get(part) if here else None
        annotation = field.annotation if field else None
        options = [annotation, *get_args(annotation)]
        here = next((kind for kind in options if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    return list(here.model_fields) if here else []


def _value_at(tree: Any, location: Sequence[Any]) -> tuple[str, Any]:
    """The dotted key as far as the tree goes along a location, and the value there."""
    path: list[str] = []
    for part in location:
        inside = part in tree if isinstance(tree, Mapping) else isinstance(tree, list) and isinstance(part, int) and part < len(tree)
        if not inside:
            break
        tree = tree[part]
        path.append(str(part))
    return ".".join(path), tree


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
