"""Sentences for what a config says wrongly: which key, what it must be, what it was."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, field_validator, model_validator

from newsclf.errors import ConfigError
from newsclf.spec import Spec


class Inner(Spec):
    """A block inside a block."""

    depth: int = 1
    """How deep."""


class Kind(Spec):
    """A block whose keys depend on which kind of it is named."""

    kind: str = "plain"
    """Which kind."""


class Special(Kind):
    """A kind with keys of its own."""

    sharpness: float = 1.0
    """How sharp."""


class Block(Spec):
    """One key of every sort that a config holds."""

    C: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    share: float = Field(default=0.5, ge=0, lt=1)
    share_up_to: float = Field(default=0.5, le=1)
    count: int = Field(default=1, ge=1)
    on: bool = False
    name: str = Field(default="x", pattern=r"^\w+$")
    note: str = Field(default="x", min_length=1)
    mode: Literal["fast", "slow"] = "fast"
    names: tuple[str, ...] = ()
    columns: str | tuple[str, ...] = ()
    few: list[str] = Field(default=["x"], max_length=1)
    pair: tuple[int, int] | None = None
    table: dict[str, int] = Field(default={"a": 1}, min_length=1)
    inner: Inner = Inner()
    deep: dict[str, Inner] = {}
    rows: tuple[Inner, ...] = ()
    either: str | Inner = ""
    maybe: Inner | None = None
    kind: Kind = Kind()

    @field_validator("kind", mode="before")
    @classmethod
    def _by_kind(cls, value: Any) -> Any:
        if value == {"kind": "unheard-of"}:
            raise ConfigError("'kind.kind': there is no such kind.")
        return Special.model_validate(value) if isinstance(value, dict) else value

    @field_validator("names")
    @classmethod
    def _no_x(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "X" in value:
            raise ValueError("X marks no spot.")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Block:
        if self.count > 9 and self.on:
            raise ValueError("C and count do not go together")
        return self


class Needy(Spec):
    """A block with keys that must be given."""

    inner: dict[str, Block] = {}
    needed: str


def complaint(tree: dict[str, Any], kind: type[Spec] = Block) -> str:
    with pytest.raises(ConfigError) as caught:
        kind.parse(tree, where="a.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"C": "atuo"}, "'C' must be a number or 'auto', not \"atuo\"."),
        ({"C": -1}, "'C' must be greater than 0 or 'auto', not -1."),
        ({"C": float("inf")}, "'C' must be a finite number or 'auto', not Infinity."),
        ({"C": [1]}, "'C' must be a number or 'auto', not [1]."),
        ({"share": -0.5}, "'share' must be at least 0, not -0.5."),
        ({"share": 1}, "'share' must be less than 1, not 1."),
        ({"share_up_to": 1.5}, "'share_up_to' must be at most 1, not 1.5."),
        ({"count": 2.5}, "'count' must be a whole number, not 2.5."),
        ({"count": "two"}, "'count' must be a whole number, not \"two\"."),
        ({"count": None}, "'count' must be a whole number, not null."),
        ({"on": "maybe"}, "'on' must be true or false, not \"maybe\"."),
        ({"name": "a b"}, "'name' must be text that matches ^\\w+$, not \"a b\"."),
        ({"name": 2024}, "'name' must be text, not 2024."),
        ({"note": ""}, "'note' must be text of 1 or more characters, not \"\"."),
        ({"mode": "medium"}, "'mode' must be 'fast' or 'slow', not \"medium\"."),
        ({"names": "one"}, "'names' must be a list, not \"one\"."),
        ({"names": ["one", 2]}, "'names.1' must be text, not 2."),
        ({"columns": 5}, "'columns' must be text or a list, not 5."),
        ({"columns": ["one", 2]}, "'columns.1' must be text, not 2."),
        ({"few": 5}, "'few' must be a list, not 5."),
        ({"few": ["a", "b"]}, '\'few\' must be at most 1 entries long, not ["a", "b"].'),
        ({"pair": [2]}, "'pair' must be a list of more entries, not [2]."),
        ({"table": 5}, "'table' must be a block of key: value lines, not 5."),
        ({"table": {}}, "'table' must be at least 1 entries long, not {}."),
        ({"inner": [1]}, "'inner' must be a block of key: value lines, not [1]."),
        ({"inner": {"depth": "x"}}, "'inner.depth' must be a whole number, not \"x\"."),
        ({"rows": [{"depth": 1}, {"depth": "x"}]}, "'rows.1.depth' must be a whole number, not \"x\"."),
        ({"either": 5}, "'either' must be text or a block of key: value lines, not 5."),
        ({"either": {"depth": "x"}}, "'either.depth' must be a whole number, not \"x\"."),
        ({"name": ["x" * 99]}, f"'name' must be text, not [\"{'x' * 55}...."),
    ],
)
def test_a_wrong_value_is_one_sentence_with_key_what_it_must_be_and_what_it_was(tree: dict[str, Any], sentence: str):
    assert complaint(tree) == f"a.yaml: {sentence}"


@pytest.mark.parametrize(
    ("tree", "key", "suggestion"),
    [
        ({"coutn": 1}, "coutn", "count"),
        ({"inner": {"dpeth": 1}}, "inner.dpeth", "depth"),
        ({"maybe": {"dpeth": 1}}, "maybe.dpeth", "depth"),
        ({"either": {"dpeth": 1}}, "either.dpeth", "depth"),
        ({"deep": {"any name": {"dpeth": 1}}}, "deep.any name.dpeth", "depth"),
        ({"rows": [{}, {"dpeth": 1}]}, "rows.1.dpeth", "depth"),
        ({"kind": {"sharpnes": 1}}, "kind.sharpnes", "sharpness"),
    ],
)
def test_an_unknown_key_gets_a_suggestion_at_every_depth(tree: dict[str, Any], key: str, suggestion: str):
    message = complaint(tree)
    assert message.startswith(f"a.yaml: unknown key {key!r} (did you mean {suggestion!r}?); known here: ")
    assert suggestion in message.rpartition("known here: ")[2]


def test_a_missing_key_is_named_beside_what_is_wrong_in_other_blocks():
    assert complaint({"inner": {"a": {"count": 0}}}, Needy).splitlines() == [
        "a.yaml: 'inner.a.count' must be at least 1, not 0.",
        "a.yaml: the key 'needed' is missing.",
    ]


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"names": ["X"]}, "'names': X marks no spot."),
        ({"count": 10, "on": True}, "C and count do not go together."),
        ({"kind": {"kind": "unheard-of"}}, "'kind.kind': there is no such kind."),
    ],
)
def test_a_validators_own_sentence_stands_as_it_is_written(tree: dict[str, Any], sentence: str):
    assert complaint(tree) == f"a.yaml: {sentence}"


def test_a_rule_of_a_block_inside_names_the_block():
    assert complaint({"needed": "x", "inner": {"a": {"count": 10, "on": True}}}, Needy) == "a.yaml: 'inner.a': C and count do not go together."


def test_a_key_that_is_no_text_is_refused_in_pydantics_words():
    assert complaint({1: 2}) == "a.yaml: '1': Keys should be strings."  # type: ignore[dict-item]
