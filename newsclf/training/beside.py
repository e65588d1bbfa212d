"""What a study of a finished run leaves in the run's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from newsclf.errors import OutputError


def write_beside(run: str | Path, name: str, found: Mapping[str, Any]) -> Path:
    """Write what a study found as JSON beside the run's record, in place of an earlier one, and say where; raises OutputError where it cannot be."""
    path = Path(run) / name
    try:
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}. Copy the run to where it can be, and name that.") from error
    return path
