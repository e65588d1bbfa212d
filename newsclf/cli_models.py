"""The command that makes a saved model ready to go elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsclf.cli_options import Json, Model, print_json, remarks


def pack(
    model: Model,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for a packed copy; the model itself is packed unless given.")] = None,
    as_json: Json = False,
) -> None:
    """Put a model's encoder into its folder, so that the folder alone can be copied to another machine. Its fingerprint stays what it is."""
    remarks(quiet=True)
    from newsclf.packing import pack as run

    packed = run(model, output)
    print_json(packed.as_dict()) if as_json else print(packed.text())
