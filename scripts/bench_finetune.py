"""Articles a second in fine-tuning: ours beside transformers' Trainer, same weights, rows, batch, length and loss, in one run.

Usage: python scripts/bench_finetune.py --encoder FOLDER [--data FOLDER] [--articles 48] [--tokens 512] [--passes 2]. Reads articles of BBC News.

The Trainer is set up as transformers' example run_classification.py sets it up: articles padded to the full length, its own AdamW, batches of 8,
dropout 0.1. The other lines leave the padding to each batch, and the attention's weights whole. Ours has batches of like length, and drops none of
the attention's weights, which keeps attention in one fused kernel. The passes of all alternate, the better one of each counts, so that the ratio
tells even where the machine is not idle. Needs accelerate for the Trainer.
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

from newsclf.learners.encoder_classifier import Classifier, choose_device
from newsclf.learners.encoder_files import encoder_files
from newsclf.learners.encoder_tokens import Tokenizer
from newsclf.learners.finetune_loss import Objective
from newsclf.learners.pair_windows import PairWindows
from newsclf.learners.tuning import TuningSpec, Work, tune
from newsclf.learners.tuning_batches import epoch_batches

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
    parser.add_argument("--articles", type=int, default=48)
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
        "  and no dropout of attentions": Theirs(options.encoder, texts, given, tokens=options.tokens, pad=False, attention=0.0).epoch,
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
    """The loop of the finetune learner, on the tokens that the Trainer reads: a first window would end with a sentence."""

    def __init__(self, encoder: str, texts: list[str], labels: list[int], *, tokens: int) -> None:
        self.files = encoder_files(encoder)
        ids = [found for found, _ in Tokenizer(self.files)(texts, most=min(tokens, self.files.numbers.positions))]
        self.windows = PairWindows(ids, [np.zeros_like(one) for one in ids], np.ones(len(ids)), np.arange(len(ids) + 1), np.ones(len(ids)))
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

    def __init__(self, encoder: str, texts: list[str], labels: list[int], *, tokens: int, pad: bool = True, attention: float = 0.1) -> None:
        from transformers import AutoTokenizer

        self.encoder, self.pad = encoder, pad
        self.settings: Any = {"num_labels": max(labels) + 1, "attention_probs_dropout_prob": attention}
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
        model = AutoModelForSequenceClassification.from_pretrained(self.encoder, local_files_only=True, **self.settings)
        with tempfile.TemporaryDirectory() as folder:
            said = {"output_dir": folder, "num_train_epochs": 1, "save_strategy": "no", "report_to": [], "disable_tqdm": True}
            settings: Any = TrainingArguments(**said, per_device_train_batch_size=BATCH, learning_rate=RATE)
            collate = default_data_collator if self.pad else DataCollatorWithPadding(self.tokenizer)
            trainer = Trainer(model=model, args=settings, train_dataset=self.rows, data_collator=collate)
            started = time.perf_counter()
            trainer.train()
            return time.perf_counter() - started


if __name__ == "__main__":
    main()
