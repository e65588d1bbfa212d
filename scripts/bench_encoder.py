"""Articles a second through an encoder: ours beside transformers' pipeline, same weights, same tokens, in one run.

Usage: python scripts/bench_encoder.py --encoder FOLDER [--data FOLDER] [--articles 60]. Reads articles of BBC News; leave the machine idle.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from newsclf.learners.encoder_runtime import Encoder

ROOT = Path(__file__).resolve().parent.parent
TOKENS = 512
BATCHES = (1, 8, 32)


def main() -> None:
    """Encode the same articles both ways, twice each, and print the better pass."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data")), help="folder of the data sets"
    )
    parser.add_argument("--encoder", required=True, help="folder of a sentence encoder")
    parser.add_argument("--articles", type=int, default=60)
    options = parser.parse_args()
    texts = pq.read_table(options.data / "bbc_news" / "test.parquet")["text"].to_pylist()[: options.articles]
    encoder = Encoder.open(options.encoder, tokens=TOKENS)
    encoder.encode(texts[:4])
    ours, vectors = _best(partial(encoder.encode, texts))
    print(f"newsclf ({encoder.engine})     {len(texts) / ours:6.1f} articles/s")
    from transformers import pipeline

    peer: Any = pipeline("feature-extraction", model=options.encoder)
    for size in BATCHES:
        found, out = _best(partial(peer, texts, batch_size=size, tokenize_kwargs={"truncation": True, "max_length": TOKENS}))
        print(f"pipeline, batch of {size:>2}    {len(texts) / found:6.1f} articles/s   ours {found / ours:.2f} times as fast", flush=True)
        if size == 1:  # without padding the mean over tokens is the encoder's own
            means = np.array([np.mean(one[0], axis=0) for one in out])
            cosine = (means * vectors).sum(axis=1) / np.linalg.norm(means, axis=1) / np.linalg.norm(vectors, axis=1)
            print(f"                         least cosine between the two {cosine.min():.6f}")


def _best(run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the better of two passes, and what the last gave."""
    taken = []
    for _ in range(2):
        started = time.perf_counter()
        result = run()
        taken.append(time.perf_counter() - started)
    return min(taken), result


if __name__ == "__main__":
    main()
