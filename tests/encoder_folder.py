"""The tiny encoder of the learners' tests, for tests that stand outside their folder."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "learners"))

from tiny_encoder import write_encoder

__all__ = ["write_encoder"]
