"""Articles a second in fine-tuning: ours beside transformers' Trainer, same weights, rows, batch, length and loss, in one run.

Usage: python scripts/bench_finetune.py --encoder FOLDER [--data FOLDER] [--articles 96] [--tokens 512] [--passes 2]. Reads articles of BBC News.

The Trainer is set up as transformers' example run_classification.py sets it up, but for batch and length: articles padded to the full length, its own
AdamW, dropout 0.1. A second line leaves the padding to each batch, for comparison. The passes of both alternate, the better one of each counts, so
that the ratio tells even where the machine is not idle. Needs accelerate for the Trainer.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from newsclf.learners.classifier import Classifier, choose_device
from newsclf.learners.encoder_files import EncoderFiles, encoder_files
from newsclf.learners.objective import Objective
from newsclf.learners.pair_windows import PairReader
from newsclf.learners.protocol import Documents, Pairs
from newsclf.learners.tuning import TuningSpec, Work, tune
from newsclf.learners.tuning_batches import epoch_batches
from newsclf.learners.windows import WindowSpec

ROOT = Path(__file__).resolve().parent.parent
BATCH, RATE = 8, 5e-5
"""Articles of a step and learning rate: the Trainer's defaults."""


def main() -> None:
    """Train on the same articles each way, one epoch a pass."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data")), help="folder of the data sets"
    )
    parser.add_argument("--encoder", required=True, help="folder of a sentence encoder")
    parser.add_argument("--articles", type=int, default=96)
    parser.add_argument("--tokens", type=int, default=512, help="most tokens of an article, for both")
    parser.add_argument("--passes", type=int, default=2)
    options = parser.parse_args()
    table = pq.read_table(options.data / "bbc_news" / "train.parquet")
    every = np.linspace(0, len(table) - 1, options.articles).astype(np.int64)  # the rows come by label
    texts, labels = (table[name].take(every).to_pylist() for name in ("text", "label"))
    names = sorted(set(labels))
    given = [names.index(label) for label in labels]
    ways: Mapping[str, Callable[[], float]] = {
        "newsclf": Ours(options.encoder, texts, given, tokens=options.tokens).epoch,
        "Trainer, padded to the full length": Theirs(options.encoder, texts, given, tokens=options.tokens).epoch,
        "Trainer, padded to the batch": Theirs(options.encoder, texts, given, tokens=options.tokens, pad=False).epoch,
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.passes):
        for name, epoch in ways.items():
            taken[name].append(epoch())
    ours = min(taken["newsclf"])
    for name, seconds in taken.items():
        ratio = "" if name == "newsclf" else f"   ours {min(seconds) / ours:.2f} times as fast"
        print(f"{name:36} {len(texts) / min(seconds):6.2f} articles/s{ratio}", flush=True)


class Ours:
    """The loop of the finetune learner, on the first window of each article."""

    def __init__(self, encoder: str, texts: list[str], labels: list[int], *, tokens: int) -> None:
        self.files = _reaching(encoder_files(encoder), tokens)
        self.windows = PairReader(self.files, WindowSpec(most=1, headline="none")).read(Pairs.of(Documents([""] * len(texts), texts)))
        self.truth = np.arange(max(labels) + 1) == np.array(labels)[:, None]

    def epoch(self) -> float:
        """Seconds of an epoch, the model's making not counted."""
        device = choose_device()
        classifier = Classifier.open(self.files, self.truth.shape[1], pooling="mean", device=device)
        objective = Objective.of(self.truth, "exclusive", "none", 0.0)
        lengths = self.windows.lengths

        def loss(rows: NDArray[np.int64], epoch: int) -> Any:
            return objective(classifier.values(self.windows, rows), self.truth[rows])

        work = Work(classifier.module, lambda epoch: epoch_batches(lengths, BATCH, seed=0, epoch=epoch), loss)
        started = time.perf_counter()
        tune(work, TuningSpec(epochs=1, learning_rate=RATE, batch=BATCH))
        return time.perf_counter() - started


class Theirs:
    """transformers' Trainer on the same articles."""

    def __init__(self, encoder: str, texts: list[str], labels: list[int], *, tokens: int, pad: bool = True) -> None:
        from transformers import AutoTokenizer

        self.encoder, self.pad, self.labels = encoder, pad, max(labels) + 1
        self.tokenizer = AutoTokenizer.from_pretrained(encoder, local_files_only=True)
        padding = "max_length" if pad else False
        self.rows = [
            {**self.tokenizer(text, truncation=True, max_length=tokens, padding=padding), "label": label}
            for text, label in zip(texts, labels, strict=True)
        ]

    def epoch(self) -> float:
        """Seconds of an epoch, the model's making not counted."""
        from transformers import AutoModelForSequenceClassification, DataCollatorWithPadding, Trainer, TrainingArguments, default_data_collator
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        model = AutoModelForSequenceClassification.from_pretrained(self.encoder, num_labels=self.labels, local_files_only=True)
        with tempfile.TemporaryDirectory() as folder:
            said = {"output_dir": folder, "num_train_epochs": 1, "save_strategy": "no", "report_to": [], "disable_tqdm": True}
            settings: Any = TrainingArguments(**said, per_device_train_batch_size=BATCH, learning_rate=RATE)
            collate = default_data_collator if self.pad else DataCollatorWithPadding(self.tokenizer)
            trainer = Trainer(model=model, args=settings, train_dataset=self.rows, data_collator=collate)
            started = time.perf_counter()
            trainer.train()
            return time.perf_counter() - started


def _reaching(files: EncoderFiles, tokens: int) -> EncoderFiles:
    """The same encoder, read as far as it can take."""
    from dataclasses import replace

    return replace(files, tokens=min(tokens, files.numbers.positions))


if __name__ == "__main__":
    main()
