"""The two ways that `bench_encoder.py` compares: newsclf's encoder with heads on it, and transformers' pipelines, of the same weights and heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsclf.learners.encoder_engines import choose
from newsclf.learners.encoder_files import encoder_files
from newsclf.learners.encoder_runtime import Encoder
from newsclf.machine import usable_cores

TOKENS, LABELS, TASKS = 512, 5, 3
Shares = NDArray[np.float64]
"""Probabilities of the labels. [texts, labels]"""


def head(task: int, dim: int) -> NDArray[np.float32]:
    """Random weights of a task, large enough that its labels are told apart. [labels, dim]"""
    return np.random.default_rng(task).normal(0, 0.5, (LABELS, dim)).astype(np.float32)


class Ours:
    """One encoding of the texts, and a product with each task's head."""

    def __init__(self, folder: str, engine: str) -> None:
        # the first token's vector, as BERT's classifiers take it: the mean of padded batches is not what a pipeline can be asked for
        files = replace(encoder_files(folder), pooling="cls", normalise=False)
        self.encoder = Encoder(files, choose(engine), usable_cores(), tokens=min(TOKENS, files.numbers.positions))

    def ask(self, texts: Sequence[str], tasks: int = 1) -> list[Shares]:
        """Probabilities for each task."""
        vectors = self.encoder.encode(texts).astype(np.float64)
        return [_softmax(vectors @ head(task, self.encoder.dim).T) for task in range(tasks)]


class Theirs:
    """A pipeline for each task."""

    def __init__(self, folder: str, tokens: int) -> None:
        self._tokens = tokens
        self._pipelines = [_pipeline(folder, task) for task in range(TASKS)]

    def ask(self, texts: Sequence[str], tasks: int = 1, *, batch: int | None = None) -> list[Shares]:
        """Probabilities for each task; without a batch size as the pipeline does by itself."""
        more = {} if batch is None else {"batch_size": batch}
        return [_matrix(pipeline(list(texts), truncation=True, max_length=self._tokens, **more)) for pipeline in self._pipelines[:tasks]]


def _pipeline(folder: str, task: int) -> Any:
    import torch
    from transformers import BertForSequenceClassification, pipeline
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model = BertForSequenceClassification.from_pretrained(folder, num_labels=LABELS, use_safetensors=True).eval()
    first = torch.nn.Identity()
    first.forward = lambda hidden: hidden[:, 0]
    model.bert.pooler = first
    with torch.no_grad():
        model.classifier.weight.copy_(torch.from_numpy(head(task, model.config.hidden_size)))
        model.classifier.bias.zero_()
    return pipeline("text-classification", model=model, tokenizer=folder, device="cpu", top_k=None)


def _matrix(answers: Sequence[Sequence[dict[str, Any]]]) -> Shares:
    """Answers that stand in the order of their scores, by label."""
    out = np.zeros((len(answers), LABELS))
    for row, answer in enumerate(answers):
        for one in answer:
            out[row, int(one["label"].rpartition("_")[2])] = one["score"]
    return out


def _softmax(logits: Shares) -> Shares:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: Shares = raised / raised.sum(axis=1, keepdims=True)
    return found
