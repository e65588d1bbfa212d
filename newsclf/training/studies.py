"""What the studies of a finished run left in its folder, read back and checked: the report shows each that is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from newsclf.errors import InputError


class Found(BaseModel):
    """What a study found; keys that are not shown are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Number(Found):
    """A number with a name and an interval; None where there is none to be had."""

    name: str = Field(validation_alias=AliasChoices("name", "label", "way"))
    value: float | None = Field(default=None, validation_alias=AliasChoices("value", "estimate", "points"))
    low: float | None = None
    high: float | None = None


class OnTest(Found):
    """How well coders do by the others on the test articles."""

    pooled: float | None = None
    articles: int


class Ceiling(Found):
    """How well coders do by the others, in a metric of the model."""

    metric: str
    pooled: float | None = None
    """All codings at once."""

    each: dict[str, float] = {}
    """Coder → score."""

    on_test: OnTest | None = None


class Agreement(Found):
    """How far coders agree on the articles of the run."""

    articles: int
    """With two coders or more."""

    alphas: tuple[Number, ...] = ()
    by_label: tuple[Number, ...] = ()
    ceiling: tuple[Ceiling, ...] | None = None
    people: bool = True
    sentences: tuple[str, ...] = ()


class Ways(Found):
    """One metric by each way to split; differences in points."""

    metric: str
    ways: tuple[Number, ...] = ()
    differences: tuple[Number, ...] = ()


class Inflation(Found):
    """The same test articles under the strict split and under random ones."""

    metrics: tuple[Ways, ...]
    sentences: tuple[str, ...] = ()


class Grown(Found):
    """A score from so many coded articles."""

    articles: float
    value: float = Field(validation_alias=AliasChoices("mean", "estimate"))
    low: float | None = None
    high: float | None = None


class LabelPlan(Found):
    """The learning curve."""

    metric: str
    points: tuple[Grown, ...]
    """As measured."""

    curve: tuple[Grown, ...]
    """As fitted."""

    sentences: tuple[str, ...] = ()


class Horizon(Found):
    """The score so many periods after the training articles."""

    ahead: int
    rows: int
    estimate: float
    low: float | None = None
    high: float | None = None


class Decay(Found):
    """The back-test in time."""

    metric: str
    period: str
    horizons: tuple[Horizon, ...]
    sentences: tuple[str, ...] = ()


FILES: Mapping[str, tuple[str, type[Found]]] = {
    "agreement": ("agreement.json", Agreement),
    "inflation": ("inflation.json", Inflation),
    "plan": ("plan.json", LabelPlan),
    "decay": ("decay.json", Decay),
}
"""Study → the file in the run's folder, and what is in it."""

MAKERS: Mapping[str, str] = {
    "agreement": "train with the key `coders:` in the config",
    "inflation": "newsclf audit RUN --inflation",
    "plan": "newsclf plan RUN",
    "decay": "newsclf backtest RUN",
}
"""What leaves each file there."""


def studies(run: Path) -> dict[str, dict[str, Any] | None]:
    """Each study of a run as plain values, None for one that was not made; raises InputError for a file that no study wrote."""
    return {name: _read(run / file, kind) if (run / file).is_file() else None for name, (file, kind) in FILES.items()}


def _read(path: Path, kind: type[Found]) -> dict[str, Any]:
    hint = "Remove it, or make it anew"
    try:
        return kind.model_validate(json.loads(path.read_text("utf-8"))).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: {where} is not what a study of this newsclf writes: {first['msg']}. {hint}.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}. {hint}.") from error
