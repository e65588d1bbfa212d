"""What a bundle says of its making: on what it was trained, what was chosen, how it did."""

from __future__ import annotations

import hashlib
import platform
from collections import Counter
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsclf.bundle import Bundle
from newsclf.learners.protocol import Fitted
from newsclf.training.evaluate import CodedPairs, Evaluation
from newsclf.training.experiment import Experiment

LIBRARIES = ("numpy", "scipy", "scikit-learn", "pyarrow", "safetensors", "pydantic")


def about(experiment: Experiment, bundle: Bundle, fitted: Fitted, every: CodedPairs, part: NDArray[np.str_], metrics: Evaluation) -> dict[str, Any]:
    """What the bundle says of its making."""
    articles = [cleaned.article for cleaned in every.articles]
    dates = sorted(article.date[:10] for article in articles if article.date)
    counts = Counter(part.tolist())
    spec = experiment.split
    given = experiment.data.test or spec.where or spec.replay
    together = ", ".join(spec.keep_together) + (f"; split by date, after: {spec.after}" if spec.after else "")
    data = {
        "articles": len(articles),
        "rows": f"{counts['train']} to learn from, {counts['test']} to test on, {counts['aside']} set aside",
        "outlets": len({article.outlet for article in articles if article.outlet}),
        "dates": f"{dates[0]} to {dates[-1]}" if dates else "not given",
        "kept together": "as in the split that was given" if given else together,
        "fingerprint": data_fingerprint(every),
    }
    names = bundle.codebook.names
    thresholds = dict(zip(names, bundle.decision.thresholds.tolist(), strict=True)) if bundle.codebook.kind == "multi" else {}
    decision = bundle.decision
    promises = {name: str(found) for name, found in (("abstention", decision.abstention), ("sets", decision.sets)) if found is not None}
    return {
        "name": experiment.name,
        # where it is written to does not make it another model
        "config": experiment.model_copy(update={"output": ""}).fingerprint()[:12],
        "data": data,
        "columns": {key: value for key, value in experiment.data.resolved().items() if key not in ("path", "test") and value},
        "chosen": {key: value for key, value in fitted.chosen.items() if not isinstance(value, dict)},
        "thresholds": thresholds,
        **promises,
        "metrics": metrics.as_dict(),
        "telling": {name: [phrase for phrase, _ in bundle.model.telling(column, 12)] for column, name in enumerate(names)},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
    }


def data_fingerprint(every: CodedPairs) -> str:
    """sha256 over ids, texts, targets and labels, in order."""
    digest = hashlib.sha256()
    for example in every.examples:
        digest.update("\x1f".join([example.article.id, example.article.title, example.article.text, example.target, *example.labels]).encode())
        digest.update(b"\x1e")
    return digest.hexdigest()
