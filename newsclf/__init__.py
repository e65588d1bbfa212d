"""newsclf: classifiers of news articles by topic, stance and framing, with numbers you can print.

Importing loads nothing heavy: each public name is fetched from its module when it is first used (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsclf.article import Article, Prediction
    from newsclf.codebook import Codebook
    from newsclf.inference.batch import score
    from newsclf.inference.predictor import load
    from newsclf.inference.scored import read_scores
    from newsclf.training.experiment import Experiment
    from newsclf.training.run import train

__version__ = "0.1.0"

_HOME = {
    "Article": "newsclf.article",
    "Codebook": "newsclf.codebook",
    "Experiment": "newsclf.training.experiment",
    "Prediction": "newsclf.article",
    "load": "newsclf.inference.predictor",
    "read_scores": "newsclf.inference.scored",
    "score": "newsclf.inference.batch",
    "train": "newsclf.training.run",
}

__all__ = ["Article", "Codebook", "Experiment", "Prediction", "__version__", "load", "read_scores", "score", "train"]


def __getattr__(name: str) -> object:
    """Fetch a public name from the module that defines it."""
    if name not in _HOME:
        raise AttributeError(f"module 'newsclf' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
