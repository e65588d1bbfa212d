"""What fine-tuning makes small: the loss of pairs whose windows were scored, in torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from newsclf.learners.ngrams import Ids
from newsclf.scores.metrics import Booleans, Floats, Kind


def pooled_values(values: Any, sizes: Ids, shares: Floats, pooling: str) -> Any:
    """One row a pair of what a head says of its windows: `windows.pooled` with gradients. [windows, columns] → [pairs, labels]

    `sizes` are the windows of each pair [pairs]; `shares` need not sum to 1 over those of a pair [windows].
    """
    import torch

    weights = torch.from_numpy(shares).to(values)
    found = []
    for some, given in zip(values.split(sizes.tolist()), weights.split(sizes.tolist()), strict=True):
        if pooling == "max":
            found.append(some.max(0).values)
        elif pooling == "attention":
            found.append(some[:, -1].softmax(0) @ some[:, :-1])
        else:
            found.append((given / given.sum()) @ some)
    return torch.stack(found)


@dataclass(frozen=True)
class Objective:
    """Cross-entropy of an exclusive task, binary cross-entropy of each label of any other."""

    kind: Kind
    weights: Floats
    """What a label counts where a pair has it [labels, 0], and where it has not [labels, 1]."""

    focal: float = 0.0
    """Lin et al. 2017: a pair that is known with probability p counts (1 - p)^focal of its loss."""

    @classmethod
    def of(cls, truth: Booleans, kind: Kind, class_weight: Literal["none", "balanced"], focal: float) -> Objective:
        """The objective of a task; balanced gives rare labels the weight of frequent ones, as n / (classes · n_class)."""
        rows, labels = truth.shape
        if class_weight == "none":
            return cls(kind, np.ones((labels, 2)), focal)
        having = truth.sum(axis=0)
        if kind == "exclusive":
            given = rows / (np.count_nonzero(having) * np.maximum(having, 1))
            return cls(kind, np.stack([given, np.ones(labels)], axis=1), focal)
        counts = np.stack([having, rows - having], axis=1)
        return cls(kind, rows / (2 * np.maximum(counts, 1)), focal)

    def __call__(self, scores: Any, truth: Booleans) -> Any:
        """Sum of the pairs' losses. [pairs, labels] each"""
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax

        given = torch.from_numpy(truth).to(scores.device)
        weights = torch.from_numpy(self.weights).to(scores)
        if self.kind == "exclusive":
            of_label = log_softmax(scores, 1)
            # a pair of several labels is shared among them, one of none says nothing
            losses = -of_label * given * weights[:, 0] / given.sum(1, keepdim=True).clamp(min=1)
            return (losses * (1 - of_label.exp()) ** self.focal if self.focal else losses).sum()
        losses = binary_cross_entropy_with_logits(scores, given.to(scores), reduction="none")
        if self.focal:
            losses = losses * (1 - (-losses).exp()) ** self.focal
        return (losses * torch.where(given, weights[:, 0], weights[:, 1])).sum() / scores.shape[1]
