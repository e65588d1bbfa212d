"""The model card of a bundle: what the model is, what it was trained on, how it did, what it must not be used for (Mitchell et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from newsclf.codebook import Codebook
from newsclf.learners.protocol import LearnerSpec

LIMITS = (
    "It was measured on articles like those it was trained on. On other outlets, years or subjects code a sample and run `newsclf evaluate` before "
    "printing a number. Counting its labels is not an estimate of a share."
)


def model_card(codebook: Codebook, learner: LearnerSpec, about: Mapping[str, Any]) -> str:
    """Markdown, the same bytes for the same model."""
    called = about.get("name", codebook.task)
    kind = {"exclusive": "exactly one label an article", "multi": "any number of labels an article"}[codebook.kind]
    labels = [[f"`{name}`", label.definition, _thresholds(about).get(name, "")] for name, label in codebook.labels.items()]
    # no date, place or duration among them: two runs of one config give the same bytes
    sections = [
        f"# {called}: a newsclf model for the task `{codebook.task}`",
        *([f"> **Not validated.** {about['warning']}"] if "warning" in about else []),
        f"{codebook.question} ({kind}{', toward ' + ', '.join(codebook.targets) if codebook.targets else ''})".strip(),
        "## Labels",
        table(["label", "definition", "given from"], labels),
        "## How it did",
        _scores(about),
        *_promises(about),
        "## What it was trained on",
        "\n".join(f"* {key}: {value}" for key, value in about.get("data", {}).items()) or "Not recorded.",
        "## What it goes by",
        _telling(about) or "Not recorded.",
        "## Use",
        f"```python\nimport newsclf\nmodel = newsclf.load({called!r})\nprint(model.predict('text of an article'))\n```",
        "## Limits",
        about.get("warning", LIMITS),
        f"Learner: `{learner.kind}`, {_pairs(about.get('chosen', {})) or 'as configured'}. {_written_by(about.get('versions', {}))}",
    ]
    return "\n\n".join(sections) + "\n"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A markdown table; what would end a cell or a row is taken out of the cells."""
    # markdown knows no other way to have either inside a cell
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines)


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _written_by(versions: Mapping[str, str]) -> str:
    return f"Written by {_pairs(versions)}." if versions else "The versions that wrote it are not recorded."


def _thresholds(about: Mapping[str, Any]) -> dict[str, str]:
    return {label: f"p ≥ {value:.2f}" for label, value in about.get("thresholds", {}).items()}


def _scores(about: Mapping[str, Any]) -> str:
    metrics = about.get("metrics")
    if not metrics:
        return "It was not tested."
    head = ", ".join(f"{name} {value:.3f}" for name, value in metrics["summary"].items())
    rows = [[f"`{row['label']}`", f"{row['precision']:.3f}", f"{row['recall']:.3f}", f"{row['f1']:.3f}", row["support"]] for row in metrics["labels"]]
    return f"On {metrics['rows']} held-out rows: {head}.\n\n" + table(["label", "precision", "recall", "F1", "rows"], rows)


def _promises(about: Mapping[str, Any]) -> list[str]:
    """The section of what was promised for doubtful articles, where anything was."""
    said = [about[name] for name in ("abstention", "sets") if name in about]
    return ["## When it is not sure", "\n".join(f"* {text[:1].upper()}{text[1:]}." for text in said)] if said else []


def _telling(about: Mapping[str, Any]) -> str:
    return "\n".join(f"* `{label}`: {', '.join(phrases)}" for label, phrases in about.get("telling", {}).items())
