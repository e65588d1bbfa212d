"""Specs: frozen, validated values that a config file fills in.

Strict YAML in, dotted overrides, one fingerprint per spec, JSON schema out. Nothing here knows what the specs are for.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from newsclf.errors import ConfigError, shown
from newsclf.explain import explain

Tree = dict[str, Any]
"""What a YAML file holds: nested dicts and lists of plain values."""

_YAML = "tag:yaml.org,2002:"
_PLAIN = (
    ("bool", r"true|false", list("tf")),
    ("null", r"~|null|", ["~", "n", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    # 012 is a code with a leading zero (an outlet, a label), not ten and not twelve; so is 012.5
    ("float", r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf)|\.(?:nan|NaN)", list("-+.0123456789")),
)
"""What is no text though it stands without quotes: YAML type, pattern, first characters."""


class Spec(BaseModel):
    """Base of every config block: frozen, no unknown keys, fields documented by the string under each."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        validate_default=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,  # JSON, and so a manifest, has no word for either
    )

    @classmethod
    def parse(cls, tree: Mapping[str, Any], *, where: str) -> Self:
        """Validate a tree; raises ConfigError that names the key path, what it was and the nearest known key."""
        try:
            return cls.model_validate(dict(tree))
        except ValidationError as error:
            raise ConfigError("\n".join(f"{where}: {line}" for line in explain(error, cls, tree))) from error
        except ConfigError as error:  # a validator's own sentence, which does not know the file
            raise ConfigError(f"{where}: {error}") from error

    def resolved(self) -> Tree:
        """Every field, defaults included, as plain JSON values."""
        return self.model_dump(mode="json")

    def fingerprint(self) -> str:
        """sha256 of the resolved spec: two specs with the same fingerprint mean the same."""
        text = json.dumps(self.resolved(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader without YAML 1.1's surprises: `no` is a string, `1e-4` a number, `012` a string, a date a string."""

    yaml_implicit_resolvers = {}
    # tags of dates, bytes and sets are errors: those are no plain values, and no spec could write them back
    yaml_constructors = {
        tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items() if tag is None or tag.endswith((":null", ":str", ":seq"))
    }


class _StrictDumper(yaml.SafeDumper):
    """SafeDumper that quotes what either YAML would take for something other than text: other programs read the files too."""


def _quoted_where_needed(dumper: _StrictDumper, text: str) -> yaml.ScalarNode:
    # outside double quotes PyYAML writes these line breaks as they are, and reads them as blanks; \x85 is what a mistaken "…" often is
    return dumper.represent_scalar(f"{_YAML}str", text, style='"' if re.search("[\x85\u2028\u2029\ufeff]", text) else None)


def _mapping_without_duplicates(loader: _StrictLoader, node: yaml.Node) -> Tree:
    if not isinstance(node, yaml.MappingNode):  # the tag !!map, written by hand before something else
        raise _problem("a block of key: value lines is expected", node)
    result: Tree = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _problem("a key must be text, not a list or a block", key_node)
        key = str(key_node.value)  # as it is written: a label may be called 2024, 1.50 or true
        if key in result:
            raise _problem(f"the key {key!r} stands twice; keep one of the two", key_node)
        result[key] = loader.construct_object(value_node, deep=True)
    return result


def _bool_or_number(loader: _StrictLoader, node: yaml.Node) -> bool | int | float:
    text = str(node.value).lower()
    try:
        return _READ[node.tag](text)
    except (ValueError, KeyError) as error:  # a tag written by hand before something else, or thousands of digits
        raise _problem(f"{shown(text)} is no {node.tag.rpartition(':')[2]}", node) from error


def _problem(sentence: str, node: yaml.Node) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, sentence, node.start_mark)


_READ: Mapping[str, Callable[[str], bool | int | float]] = {
    f"{_YAML}bool": {"true": True, "false": False}.__getitem__,
    f"{_YAML}int": int,
    f"{_YAML}float": lambda text: float(re.sub(r"\.(?=inf|nan)", "", text)),
}
for _tag in _READ:
    _StrictLoader.add_constructor(_tag, _bool_or_number)
_StrictLoader.add_constructor(f"{_YAML}map", _mapping_without_duplicates)
_StrictDumper.add_representer(str, _quoted_where_needed)
for _name, _pattern, _first in _PLAIN:
    for _either in (_StrictLoader, _StrictDumper):
        _either.add_implicit_resolver(_YAML + _name, re.compile(rf"^(?:{_pattern})\Z"), _first)


def parse_yaml(text: str, *, where: str) -> Any:
    """Parse strict YAML; raises ConfigError with the line for bad syntax and for duplicate keys."""
    try:
        return yaml.load(text, _StrictLoader)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{where}{line}: this is not valid YAML: {problem}.") from error
    except RecursionError as error:
        raise ConfigError(f"{where}: this is nested too deeply to be read.") from error


def dump_yaml(tree: Tree) -> str:
    """A tree of plain values as YAML that `parse_yaml` reads back to an equal one."""
    return yaml.dump(tree, Dumper=_StrictDumper, sort_keys=False, allow_unicode=True, width=120)


def load_tree(path: Path) -> Tree:
    """Read a YAML file and what it `extends`, the nearer file winning key by key; raises ConfigError."""
    return _load_tree(path, ())


def _load_tree(path: Path, seen: tuple[Path, ...]) -> Tree:
    path = path.resolve()
    if path in seen:
        raise ConfigError(f"{path}: 'extends' goes in a circle: {' → '.join(p.name for p in (*seen, path))}.")
    tree = parse_yaml(_text_of(path, by=seen[-1:]), where=str(path))
    if not isinstance(tree, dict):
        found = "nothing" if tree is None else shown(tree)
        raise ConfigError(f"{path}: a YAML file of key: value lines is expected, this holds {found}.")
    parent = tree.pop("extends", None)
    if parent is None:
        return tree
    if not isinstance(parent, str):
        raise ConfigError(f"{path}: 'extends' must be the name of one file, not {shown(parent)}.")
    return merge(_load_tree(path.parent / parent, (*seen, path)), tree)


def _text_of(path: Path, *, by: tuple[Path, ...]) -> str:
    """The text of a config file, which another may name as the one that it extends."""
    named = "".join(f" ('extends' in {child} names it)" for child in by)
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file{named}.") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path}: this is a folder{named}; a config is one YAML file.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: this file is not UTF-8 text (byte {error.start}){named}; save it as UTF-8.") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read{named}: {error.strerror or error}.") from error


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
