"""A coding study: how far its coders agree, and which articles they should talk about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from newsclf.corpus.coders import Codings
from newsclf.corpus.settle import csv_text, queue_rows
from newsclf.scores.agreement import Ratings
from newsclf.scores.reliability import Reliability, reliability
from newsclf.scores.votes import Votes, queue


@dataclass(frozen=True)
class Study:
    """The agreement of a study's coders on one task."""

    codings: Codings
    once: Reliability
    """On the articles that are not repeated: those that tell how far the coders agree on the corpus."""

    raw: Reliability | None
    """On all, screening items among them; None where nothing is repeated."""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        raw = {"with_repeated": self.raw.as_dict(self.codings.coders)} if self.raw else {}
        return {"task": self.codings.codebook.task, "repeated": len(self.codings.repeated), **self.once.as_dict(self.codings.once().coders), **raw}

    def text(self) -> str:
        """What can be printed."""
        lines = [self.once.text(self.codings.once().coders)]
        if self.raw:
            alphas = ", ".join(f"{name} {alpha.value:.3f}" for name, alpha in self.raw.alphas.items() if alpha.value is not None)
            lines.append(f"left out: {len(self.codings.repeated)} repeated articles, which everybody knows by heart; with them alpha is {alphas}")
        return "\n".join(lines)


def study(codings: Codings) -> Study:
    """Agreement of coders; where items were repeated for screening, without and with them: they are coded more often than others, and better."""
    return Study(codings, _reliability(codings.once()), _reliability(codings) if codings.repeated else None)


def _reliability(codings: Codings) -> Reliability:
    return reliability(Ratings(*codings.arrays()), codings.codebook.kind, codings.codebook.names)


def disputed(codings: Codings) -> str:
    """Articles whose coders disagree or were not sure, the most disputed first, with what each coder said: a csv file; nothing where all agree."""
    votes = Votes.of(Ratings(*codings.arrays()), codings.codebook.kind, articles=len(codings.keys))
    order = queue(votes, codings.unsure_of(), [" ".join(key) for key in codings.keys])
    return csv_text(queue_rows(codings, order, votes.entropy()))
