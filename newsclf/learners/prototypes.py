"""What a codebook says of its labels as vectors of a sentence encoder: what a model goes by before an article is coded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from newsclf.codebook import Codebook
from newsclf.learners.embedding import Embedder
from newsclf.learners.fused import unit
from newsclf.learners.protocol import Pairs
from newsclf.scores.metrics import Floats

NAME = 0.5
"""Weight of a label's name, beside 1 each for its definition, what it includes, and its examples together: names may be codes such as `acq`."""

THE_TARGET = re.compile(r"\b(the |its |their |a )?targets?\b", re.IGNORECASE)
"""What stands in a definition for what the stance is toward."""


@dataclass(frozen=True)
class Prototypes:
    """A direction for each label: its definition, what it includes, its name and its examples, less what all labels have in common."""

    codebook: Codebook
    reader: Embedder

    def texts(self, label: str) -> list[tuple[str, float]]:
        """What stands for a label, with how much each counts; one line each."""
        entry = self.codebook.labels[label]
        examples = [(text, 1.0 / len(entry.examples)) for text in entry.examples if text.strip()]
        said = [(entry.definition, 1.0), (entry.include, 1.0), *examples]
        # names of labels are often written as columns are
        named = [] if entry.definition == label else [(re.sub(r"[_\-/.]+", " ", label).strip() or label, NAME)]
        return [(" ".join(text.split()), weight) for text, weight in (*said, *named) if text.strip()]

    def undefined(self) -> list[str]:
        """Labels of which the codebook has the name alone."""
        return [name for name, label in self.codebook.labels.items() if label.definition == name and not label.include and not label.examples]

    def directions(self, target: str = "") -> Floats:
        """One a label, toward a target where there is one. [dims, labels]; the mean over the labels is 0

        Of a stance, `the target` in a definition is read as the target, and one that does not name it is followed by it: how an article goes with
        "supports the border wall" more than with "opposes the border wall". Frozen encoders tell these apart badly.
        """
        told = [[(_toward(text, target) if target else text, weight) for text, weight in self.texts(name)] for name in self.codebook.names]
        vectors = unit(self.reader.texts([text for texts in told for text, _ in texts]))
        vectors *= np.array([[weight] for texts in told for _, weight in texts])
        starts = np.cumsum([0, *(len(texts) for texts in told)])[:-1]
        of_labels = unit(np.add.reduceat(vectors, starts, axis=0))
        return np.ascontiguousarray((of_labels - of_labels.mean(axis=0)).T)

    @cached_property
    def _known(self) -> dict[str, Floats]:
        return {}

    def toward(self, target: str) -> Floats:
        """`directions`, computed once for each target. [dims, labels]"""
        if target not in self._known:
            self._known[target] = self.directions(target)
        return self._known[target]

    def similarity(self, pairs: Pairs) -> Floats:
        """How much nearer each pair's article is to a label than to the labels on average, in cosines. [pairs, labels]"""
        found = np.zeros((len(pairs), len(self.codebook.names)))
        if not len(pairs):
            return found
        documents = unit(self.reader.read(pairs.documents).vectors)[pairs.rows]
        if not pairs.targets:
            return np.asarray(documents @ self.toward(""))
        asked = np.array(pairs.targets)
        for target in dict.fromkeys(pairs.targets):
            rows = asked == target
            found[rows] = documents[rows] @ self.toward(target)
        return found


def _toward(text: str, target: str) -> str:
    told, times = THE_TARGET.subn(lambda _: target, text)
    return told if times else f"{text} ({target})"
