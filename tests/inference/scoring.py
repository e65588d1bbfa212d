"""What tests of a scoring run share: what it wrote, and code that runs inside its workers."""

from __future__ import annotations

import textwrap
from pathlib import Path

from color_articles import contents


def written(folder: Path) -> dict[str, bytes]:
    """Every file but the locks: name → bytes."""
    return {name: data for name, data in contents(folder).items() if not name.startswith(".locks")}


def in_workers(folder: Path, code: str) -> Path:
    """A folder for PYTHONPATH that has this code run at the start of worker processes, and of no other."""
    folder.mkdir()
    source = f"import os, sys, time\nif 'newsclf.inference.worker' in sys.orig_argv:\n{textwrap.indent(textwrap.dedent(code), '    ')}"
    (folder / "sitecustomize.py").write_text(source, "utf-8")
    return folder
