"""Peak memory of a process that encodes so many texts of 64 tokens, in bytes, alone on standard output. `bench_encoder.py` starts it.

Usage: python scripts/bench_encoder_peak.py FOLDER TEXTS
"""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

import numpy as np

from newsclf.learners.encoder_runtime import Encoder

TOKENS = 64
WORDS = ("the", "old", "man", "went", "down", "to", "river", "and", "saw", "that", "his", "boat", "was", "gone", "for", "long", "day", "of", "work")
"""Words of one token in every English vocabulary."""


def main() -> None:
    """Encode, and print what the process held at most."""
    encoder, number, dice = Encoder.open(sys.argv[1]), int(sys.argv[2]), np.random.default_rng(0)
    texts = [" ".join(dice.choice(WORDS, TOKENS - 2)) for _ in range(number)]
    vectors = encoder.encode(texts)
    if len(vectors) != number:
        raise AssertionError(f"{number} texts gave {len(vectors)} vectors")
    print(peak())


def peak() -> int:
    """The most bytes that this process has held."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says of a new process may be its parent's
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        return int(found[1]) * 1024 if found else 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
