"""Documents to one matrix: the blocks side by side, and for stance a copy of every column for each target that was often coded.

What all targets share stands once; beside it each often-coded target has columns of its own (Daumé III 2007, "Frustratingly easy domain
adaptation"). One model so serves many targets, and answers for an unseen one from what is shared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from newsclf.codebook import Codebook
from newsclf.errors import DataError
from newsclf.learners.blocks import LAYOUTS, Block, FeatureSpec, Matrix, inverse_document_frequency, learn_block, read_block
from newsclf.learners.mentions import Mentions
from newsclf.learners.ngrams import Ids, Words
from newsclf.learners.protocol import Pairs, Parts
from newsclf.scores.metrics import Floats

LEAD = 50
"""Words of the lead: a headline and a first paragraph."""

OFTEN_CODED = 20
"""Training rows from which a target gets columns of its own."""

MOST_OWN = 32
"""Targets that may have them: where more are coded often, as headlines are in FNC-1, it is new ones that will be asked about."""


@dataclass(frozen=True)
class Counted:
    """N-gram counts of pairs, block by block, before they are weighed."""

    blocks: tuple[Matrix, ...]
    """float32 [pairs, n-grams] each"""

    targets: tuple[str, ...]


@dataclass(frozen=True)
class Occurrences:
    """Where the n-grams of one pair stand, and what each occurrence puts into the matrix."""

    positions: Ids
    """Place of the first word among the words of title and text."""

    columns: Ids
    values: Floats
    phrases: tuple[str, ...]
    constant: Ids
    """Columns that are 1 whatever the words."""


@dataclass(frozen=True)
class Features:
    """Blocks, and the targets that have columns of their own."""

    blocks: tuple[Block, ...]
    mentions: Mentions
    crossed: tuple[str, ...] = ()

    @property
    def shared(self) -> int:
        """How many columns all targets share."""
        return sum(len(block.vocabulary) for block in self.blocks)

    def __len__(self) -> int:
        return self.shared * (1 + len(self.crossed)) + len(self.crossed)

    @classmethod
    def learn(cls, spec: FeatureSpec, pairs: Pairs, codebook: Codebook) -> tuple[Features, Counted]:
        """Vocabularies of training pairs, and the pairs' counts; raises DataError where no n-gram is frequent enough."""
        mentions = Mentions.of(codebook)
        blocks, counts = [], []
        for name, layout in LAYOUTS.items():
            if layout.wanted(spec) and (layout.field != "near" or pairs.targets):
                block, block_counts = learn_block(name, spec, words_of(pairs, layout.field, mentions))
                if len(block.vocabulary):
                    blocks.append(block)
                    counts.append(block_counts)
        if not blocks:
            raise DataError(
                f"no word stands in min_df = {spec.min_df} of the {len(pairs)} training texts: lower learner.min_df or code more articles."
            )
        # for one target alone, its own columns would be the shared ones again
        often = [target for target, rows in sorted(Counter(pairs.targets).items()) if rows >= OFTEN_CODED]
        return cls(tuple(blocks), mentions, tuple(often) if 1 < len(often) <= MOST_OWN else ()), Counted(tuple(counts), tuple(pairs.targets))

    def refitted(self, counted: Counted, rows: Ids, *, min_df: int) -> Features:
        """The same columns with the idf, and the pruning of rare n-grams, of some of the rows alone."""
        idf = [inverse_document_frequency(counts[rows], min_df=min_df) for counts in counted.blocks]
        return replace(self, blocks=tuple(replace(block, idf=values) for block, values in zip(self.blocks, idf, strict=True)))

    def count(self, pairs: Pairs) -> Counted:
        """How often each n-gram occurs in each pair."""
        return Counted(tuple(self._count(block, pairs) for block in self.blocks), tuple(pairs.targets))

    def _count(self, block: Block, pairs: Pairs) -> Matrix:
        if block.field == "near" or not pairs.targets:
            return block.vocabulary.counts(words_of(pairs, block.field, self.mentions))
        # what does not depend on the target is counted once for all targets of a document
        documents, place = np.unique(pairs.rows, return_inverse=True)
        counts: Matrix = block.vocabulary.counts(words_of(Pairs(pairs.documents, documents), block.field, self.mentions))[place]
        return counts

    def weigh(self, counted: Counted) -> Matrix:
        """The matrix that weights are multiplied with. float32 [pairs, features]"""
        shared = sparse.hstack([block.weigh(counts) for block, counts in zip(self.blocks, counted.blocks, strict=True)], format="csr")
        if not self.crossed:
            return _narrow(shared)
        own = self.own(counted.targets)  # [pairs]
        # the copies are cut out of the arrays of the shared columns: the same values, moved to the right by whole copies
        rows, lengths = np.flatnonzero(own >= 0), np.diff(shared.indptr)
        inside = np.repeat(own >= 0, lengths)
        columns = shared.indices[inside] + np.repeat(own, lengths)[inside] * self.shared
        starts = np.concatenate(([0], np.cumsum(np.where(own >= 0, lengths, 0))))
        copies = Matrix((shared.data[inside], columns, starts), shape=(len(own), len(self.crossed) * self.shared))
        constants = sparse.csr_array((np.ones(len(rows), np.float32), (rows, own[rows])), shape=(len(own), len(self.crossed)))
        return _narrow(sparse.hstack([shared, copies, constants], format="csr"))

    def own(self, targets: Sequence[str]) -> Ids:
        """Which columns of its own each pair's target has, -1 for none. [pairs]"""
        number = {target: at for at, target in enumerate(self.crossed)}
        return np.array([number.get(target, -1) for target in targets], np.int64)

    def shared_only(self) -> Features:
        """The columns that all targets share."""
        return replace(self, crossed=())

    def occurrences(self, pairs: Pairs, pair: int) -> Occurrences:
        """Every n-gram of one pair where it stands; the occurrences of an n-gram share its value evenly."""
        one = Pairs(pairs.documents, pairs.rows[pair : pair + 1], pairs.targets[pair : pair + 1])
        positions, columns, phrases, offset = [], [], [], 0
        for block in self.blocks:
            words = words_of(one, block.field, self.mentions)
            found, at = block.vocabulary.occurrences(words)
            # a title's words are the first of title and text, so their positions are the same in both
            positions.append(at if words.places is None else words.places[at])
            columns.append(found + offset)
            phrases += [block.vocabulary.term(column) for column in found.tolist()]
            offset += len(block.vocabulary)
        place, column = np.concatenate(positions), np.concatenate(columns)
        # counted and weighed as for scoring, so that evidence cannot drift away from the score
        shared = self.shared_only().weigh(self.count(one)).toarray()[0].astype(np.float64)
        values = shared[column] / np.bincount(column, minlength=self.shared)[column]
        own = int(self.own(one.targets)[0]) if one.targets else -1
        if own < 0:
            return Occurrences(place, column, values, tuple(phrases), np.empty(0, np.int64))
        both = np.concatenate([column, column + (1 + own) * self.shared])
        constant = np.array([self.shared * (1 + len(self.crossed)) + own])
        return Occurrences(np.tile(place, 2), both, np.tile(values, 2), (*phrases, *phrases), constant)

    def parts(self) -> Parts:
        """Vocabularies as text, idf as float32."""
        arrays = {f"idf.{block.name}": block.idf.astype(np.float32) for block in self.blocks}
        vocabularies = {block.name: block.vocabulary.terms() for block in self.blocks}
        return Parts(arrays, vocabularies | ({"targets": self.crossed} if self.crossed else {}))

    @classmethod
    def rebuild(cls, spec: FeatureSpec, parts: Parts, codebook: Codebook) -> Features:
        """The features that `parts()` took apart; raises ValueError where the parts do not fit together."""
        blocks = [
            read_block(name, spec, parts.vocabularies[name], parts.array(f"idf.{name}").astype(np.float64))
            for name in LAYOUTS
            if name in parts.vocabularies
        ]
        return cls(tuple(blocks), Mentions.of(codebook), tuple(parts.vocabularies.get("targets", ())))


def words_of(pairs: Pairs, field: str, mentions: Mentions) -> Words:
    """The words of a field of each pair. [pairs]"""
    words = pairs.documents.title.take(pairs.rows) if field == "title" else pairs.whole
    if field == "near":
        return words.only(mentions.near(words, pairs.targets))
    if field == "lead":
        return words.only(np.flatnonzero(np.arange(len(words.ids)) - words.starts[words.owner] < LEAD))
    return words


def _narrow(matrix: Matrix) -> Matrix:
    # scikit-learn's solvers take 32-bit indices only
    return Matrix((matrix.data, matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)), shape=matrix.shape)
