"""The command that makes a model before the first article is coded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsclf.cli_options import Json, Quiet, print_json, remarks


def start(
    codebook: Annotated[Path, typer.Argument(help="Codebook (YAML) with a definition of each label, or a config that names one.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder of the model; models/TASK unless given.")] = None,
    encoder: Annotated[str, typer.Option("--encoder", help="Folder or hub name of a sentence encoder.")] = "",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make a model from a codebook's definitions, before anything is coded: to choose what to code, not to print what it says."""
    remarks(quiet)
    from newsclf.training.start import start as run

    made = run(codebook, output, encoder=encoder)
    print_json(made.as_dict()) if as_json else print(made.text())
