"""The commands that study a finished run further: plan and backtest. What they find, the run's report shows."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from newsclf.cli_options import Json, Quiet, print_json, remarks

Run = Annotated[Path, typer.Argument(help="Folder of a training run, which train prints as `record`.")]


class Periods(StrEnum):
    """What time is cut into."""

    auto = "auto"
    month = "month"
    quarter = "quarter"
    year = "year"


def plan(
    run: Run,
    gain: Annotated[float, typer.Option(help="Gain of macro-F1 to plan for: 0.02 is two points.")] = 0.02,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Would more coding help? The learning curve of a run, and about how many more articles a gain would take."""
    remarks(quiet)
    from newsclf.training.plan import plan as study

    found = study(run, gain=gain)
    print_json(found.as_dict()) if as_json else print(found.text())


def backtest(
    run: Run,
    period: Annotated[Periods, typer.Option(help="What time is cut into; auto takes the finest with twelve or fewer.")] = Periods.auto,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Does a model age? Train up to a date, test on the periods after it, for several dates: the decay curve."""
    remarks(quiet)
    from newsclf.training.backtest import backtest as study

    found = study(run, period=period.value)
    print_json(found.as_dict()) if as_json else print(found.text())
