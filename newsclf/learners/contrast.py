"""Tuning an encoder by comparing coded articles: those of one label come together, those of different labels apart.

The loss is the supervised contrastive one (Khosla et al. 2020, "Supervised contrastive learning", L_out) over all pairs of a batch, each article of
which is encoded once. Setfit's regression of cosines on 0 and 1 takes the same time over the same batches: on two draws of 64 AllSides articles
(8 topics, 8 articles each, their first 96 tokens; 320 and 200 others asked) machines over vectors and n-grams had an accuracy of .717 with this loss,
.706 with that one and .685 with the encoder as it was. So few draws do not tell the two losses apart; this one is kept as it was not the worse. At
four times the learning rate neither gained anything on the first draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsclf.learners.encoder_classifier import Classifier
from newsclf.learners.encoder_files import EncoderFiles
from newsclf.learners.ngrams import Ids
from newsclf.learners.pair_sampler import Compared, PairSampler
from newsclf.learners.pair_windows import PairWindows
from newsclf.learners.tuning import TuningSpec, Work, tune
from newsclf.progress import Progress


@dataclass(frozen=True)
class Contrast:
    """What an encoder is tuned by."""

    files: EncoderFiles
    windows: PairWindows
    """One window an article. [pairs]"""

    device: str
    temperature: float
    dropout: float = 0.1

    def tuned(self, sampler: PairSampler, inside: Ids, spec: TuningSpec, report: Progress | None = None) -> EncoderFiles:
        """The encoder, tuned on the pairs `inside`, of which `sampler` has nothing but the labels and targets.

        Where a batch does not fit into memory its halves are compared each for itself. Raises what `tune` and `Classifier.open` raise.
        """
        classifier = Classifier.open(self.files, 1, pooling="mean", device=self.device, dropout=self.dropout)
        classifier.module["head"].requires_grad_(False)
        # the table of word embeddings: most of the weights, of which a few articles touch a few rows
        classifier.module["encoder"].get_input_embeddings().requires_grad_(False)

        def loss(rows: Ids, epoch: int) -> Any:
            return contrastive_loss(classifier.vectors(self.windows, inside[rows]), sampler.compare(rows), self.temperature)

        work = Work(classifier.module, batches=sampler.epoch, loss=loss)
        tune(work, spec, report=report)
        return self.files.tuned_to(_changed(classifier))


def contrastive_loss(vectors: Any, compared: Compared, temperature: float) -> Any:
    """Sum over rows of the mean of -ln softmax(cosine / temperature) at the rows that are like it, by how alike they are. [rows, dim] → one number

    A row that is like no other counts only as what others are unlike.
    """
    import torch

    unit = torch.nn.functional.normalize(vectors.float(), dim=1)
    cosines = (unit[:, None] * unit[None, :]).sum(-1)  # no matrix product, which autocast would take in 16-bit floats
    logits = (cosines / temperature).masked_fill(torch.from_numpy(~compared.counts).to(unit.device), -torch.inf)
    alike = torch.from_numpy(np.where(compared.counts, compared.alike, 0.0)).to(unit)
    told = alike.sum(1) > 0
    if not told.any():
        return cosines.sum() * 0.0
    logits, alike = logits[told], alike[told]
    surprise = logits.logsumexp(1, keepdim=True) - logits.masked_fill(alike == 0, 0.0)
    return ((alike * surprise).sum(1) / alike.sum(1)).sum()


def _changed(classifier: Classifier) -> Mapping[str, NDArray[np.float32]]:
    """The weights of the encoder that were tuned, by the names that transformers gives them."""
    tuned = {name for name, values in classifier.module.named_parameters() if values.requires_grad}
    return {name.removeprefix("encoder."): values for name, values in classifier.arrays("encoder").items() if name in tuned}
