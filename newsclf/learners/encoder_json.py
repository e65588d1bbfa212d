"""The JSON files of an encoder's folder, which anybody may have written: never longer than such files are, and what is none is one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from newsclf.errors import BundleError, shown

LARGEST_JSON = 1 << 27
"""Bytes; multilingual tokenizers have up to 3e7."""


def read_json(path: Path) -> Any:
    """What a file holds; raises BundleError for what is too large, cannot be read, or is no JSON."""
    try:
        size = path.stat().st_size
        if size > LARGEST_JSON:
            raise BundleError(f"{path}: this file must have at most {LARGEST_JSON:,} bytes, and has {size:,}; it is no encoder's.")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise BundleError(f"{path}: this file of the encoder cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: this file of the encoder must be JSON, and is not: {error}.") from error


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object, empty where the file is not there; raises BundleError as `read_json` does, and for other JSON."""
    found = read_json(path) if path.exists() else {}
    if not isinstance(found, dict):
        raise BundleError(f"{path}: this file of the encoder must hold a JSON object, and holds {shown(found)}.")
    return found
