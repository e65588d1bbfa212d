"""What is wrong with a config, in sentences: key path, what it must be, what it was, the nearest known key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from newsclf.errors import nearest, shown

_MUST_BE: Mapping[str, str] = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a block of key: value lines",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "greater than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "missing": "a list of more entries",
    "model_type": "a block of key: value lines",
    "string_pattern_mismatch": "text that matches {pattern}",
    "string_too_short": "text of {min_length} or more characters",
    "string_type": "text",
    "too_long": "at most {max_length} entries long",
    "too_short": "at least {min_length} entries long",
    "tuple_type": "a list",
}
"""pydantic's name of an error → what the value must be, in words for someone who has never seen the code."""


Path = tuple[str, ...]


@dataclass(frozen=True)
class _Fault:
    """What is wrong at a key path: a sentence, or what the value there must be."""

    path: Path
    sentence: str = ""
    must_be: str = ""
    value: Any = None


def explain(error: ValidationError, model: type[BaseModel], tree: Mapping[str, Any]) -> list[str]:
    """A sentence for each key of a tree that a model refused."""
    faults: dict[Path, list[_Fault]] = {}
    for item in error.errors(include_url=False, include_input=False):
        fault = _fault(item, model, tree)
        faults.setdefault(fault.path, []).append(fault)
    lines: list[str] = []
    for path, here in faults.items():
        sentences = [fault.sentence for fault in here if fault.sentence]
        inside = any(other != path and other[: len(path)] == path for other in faults)
        # the alternatives of a union report one error each. One that took the value's form, and failed on an entry or by a rule of its own, is the
        # one that was meant; where none did, they are joined
        if not sentences and not inside:
            must = " or ".join(dict.fromkeys(fault.must_be for fault in here))
            sentences = [f"{'.'.join(path)!r} must be {must}, not {shown(here[0].value)}."]
        lines += sentences
    return lines


def _fault(item: ErrorDetails, model: type[BaseModel], tree: Mapping[str, Any]) -> _Fault:
    kind, message = item["type"], item["msg"]
    path, value = _value_at(tree, item["loc"])
    if kind == "extra_forbidden":
        known = _keys_at(model, path[:-1])
        return _Fault(path, f"unknown key {'.'.join(path)!r}{nearest(path[-1], known)}; known here: {', '.join(sorted(known))}.")
    if kind == "missing" and isinstance(value, Mapping):
        path = (*path, str(item["loc"][-1]))
        return _Fault(path, f"the key {'.'.join(path)!r} is missing.")
    if kind in _MUST_BE or message.startswith("Input should be "):
        must_be = _MUST_BE[kind].format(**item.get("ctx", {})) if kind in _MUST_BE else message.removeprefix("Input should be ")
        return _Fault(path, must_be=must_be, value=value)
    message = message.removeprefix("Value error, ").rstrip(".")
    return _Fault(path, f"{'.'.join(path)!r}: {message}." if path else f"{message}.")


def _keys_at(kind: Any, path: Sequence[str]) -> set[str]:
    """The keys that a type (a spec, or what holds specs) knows at the end of a path; a list or mapping takes a step for its index or key."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if not path:
            return set(kind.model_fields)
        found = kind.model_fields.get(path[0])
        return _keys_of_kinds(found.annotation, path[1:]) if found else set()
    inside = path[1:] if get_origin(kind) in (dict, list, tuple) else path
    return {key for option in get_args(kind) for key in _keys_of_kinds(option, inside)}


def _keys_of_kinds(kind: Any, path: Sequence[str]) -> set[str]:
    """As `_keys_at`, with the keys of the kinds of a spec that are loaded: the block `learner` takes those of the learner that it names."""
    kinds = _descendants(kind) if isinstance(kind, type) and issubclass(kind, BaseModel) else [kind]
    return {key for each in kinds for key in _keys_at(each, path)}


def _descendants(kind: type[BaseModel]) -> list[type[BaseModel]]:
    """A spec and all that build upon it, at whatever distance."""
    return [kind, *(each for child in kind.__subclasses__() for each in _descendants(child))]


def _value_at(tree: Any, location: Sequence[Any]) -> tuple[Path, Any]:
    """The key path as far as the tree goes along a location, and the value there."""
    path: list[str] = []
    for part in location:
        inside = part in tree if isinstance(tree, Mapping) else isinstance(tree, list) and isinstance(part, int) and part < len(tree)
        if inside:  # else a step that names an alternative of a union, or a key that a validator filled in for a short form
            tree = tree[part]
            path.append(str(part))
    return tuple(path), tree
