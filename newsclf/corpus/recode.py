"""Coded articles under a revised codebook, as far as a migration table decides it, and those that a person has to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from newsclf.article import Example
from newsclf.corpus.coded import CodedSpec
from newsclf.corpus.migrate import Fates
from newsclf.errors import listed

UNDECIDED = ("split", "dropped")


@dataclass(frozen=True)
class ToRecode:
    """A coded article that a person has to look at."""

    example: Example
    """As it was coded under the old codebook."""

    decided: tuple[str, ...]
    """New labels that the table decides."""

    candidates: tuple[str, ...]
    """New labels to choose from."""

    why: str


@dataclass(frozen=True)
class Recoded:
    """Coded articles under a new codebook: each is either in `examples` or in `todo`."""

    fates: Fates
    examples: tuple[Example, ...]
    todo: tuple[ToRecode, ...]
    counts: Mapping[tuple[str, str], int]
    """Old label and what became of it → codings."""

    def text(self) -> str:
        """The summary that is printed."""
        rows = [(old, becomes, count) for (old, becomes), count in self.counts.items()]
        width = max((len(old) for old, _, _ in rows), default=0)
        lines = [f"  {old:<{width}}  →  {becomes}: {count}" for old, becomes, count in rows]
        lines.append(f"{len(self.examples)} coded rows recoded, {len(self.todo)} to recode by hand")
        if self.fates.fresh:
            lines.append(f"no old label becomes {listed(self.fates.fresh)}: articles that it applies to are known to nobody yet")
        return "\n".join(lines)


def recode(examples: Iterable[Example], fates: Fates) -> Recoded:
    """Coded articles under the new codebook where the table decides, and those that a person has to look at.

    By hand are articles with a label that is split or dropped, those whose new labels the new codebook does not allow (two of an exclusive task,
    none), and stances toward a target that it does not have.
    """
    done: list[Example] = []
    todo: list[ToRecode] = []
    counts: Counter[tuple[str, str]] = Counter()
    for example in examples:
        counts.update((label, _shown(fates, label)) for label in example.labels)
        decided, candidates, why = _one(example, fates)
        if why:
            todo.append(ToRecode(example, decided, candidates, why))
        else:
            done.append(Example(example.article, decided, example.target, example.coder))
    order = {label: number for number, label in enumerate(fates.old.names)}
    return Recoded(fates, tuple(done), tuple(todo), dict(sorted(counts.items(), key=lambda item: order[item[0][0]])))


def _one(example: Example, fates: Fates) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """New labels that are decided, candidates, and why a person has to look; "" where nobody has."""
    new = fates.new
    undecided = [label for label in example.labels if fates.fate[label] in UNDECIDED]
    sure = {name for label in example.labels if label not in undecided for name in fates.becomes[label]}
    decided = tuple(name for name in new.names if name in sure)
    if example.target and example.target not in new.targets and not new.open_targets:
        return decided, new.names, f"the target {example.target!r} is not in the new codebook"
    if undecided:
        every = any(fates.fate[label] == "dropped" for label in undecided)
        could = set(new.names) if every else {name for label in undecided for name in fates.becomes[label]}
        return decided, tuple(name for name in new.names if name in could), "; ".join(f"{label!r} is {fates.fate[label]}" for label in undecided)
    if new.kind == "exclusive" and len(decided) != 1:
        return decided, decided or new.names, f"the new codebook takes one label, these are {len(decided)}"
    most = new.max_labels or len(new.names)
    if new.kind == "multi" and not new.min_labels <= len(decided) <= most:
        return decided, new.names, f"the new codebook takes {new.min_labels} to {most} labels, these are {len(decided)}"
    return decided, (), ""


def _shown(fates: Fates, label: str) -> str:
    to, fate = ", ".join(fates.becomes[label]), fates.fate[label]
    return {"kept": f"{to} (kept)", "split": f"{to} (split: by hand)", "dropped": "nothing (dropped: by hand)"}.get(fate, f"{to} ({fate})")


def rows_of(recoded: Recoded, spec: CodedSpec) -> list[dict[str, Any]]:
    """The articles that the table decides, as rows that the same spec reads: every column that the articles had, with the new labels.

    A stance comes in long form, a row for each target, in the column `data.target` (target unless named); labels that stood in columns of their own
    come in one, `labels`.
    """
    column = spec.labels if isinstance(spec.labels, str) else "labels"
    target = spec.target or "target"
    gone = {column, target, *(() if isinstance(spec.labels, str) else spec.labels)}

    def cell(labels: tuple[str, ...]) -> str | list[str]:
        if recoded.fates.new.kind == "exclusive":
            return labels[0]
        # a file of comma-separated values parts a list by semicolons
        return list(labels) if spec.separator == ";" else spec.separator.join(labels)

    rows = []
    for example in recoded.examples:
        extra = {name: value for name, value in example.article.extra.items() if name not in gone}
        stance = {target: example.target} if example.target else {}
        rows.append(_about(example, spec) | stance | extra | {column: cell(example.labels)})
    return rows


def todo_rows(todo: Sequence[ToRecode], spec: CodedSpec) -> list[dict[str, Any]]:
    """Articles to recode by hand, as rows: what they were, what is decided, what to choose from, why, and the article; a cell to fill in is empty."""
    rows = []
    for item in todo:
        said = {"was": list(item.example.labels), "why": item.why, "decided": list(item.decided), "candidates": list(item.candidates), "labels": ""}
        target = {"target": item.example.target} if item.example.target else {}
        rows.append({"id": item.example.article.id} | target | said | _about(item.example, spec))
    return rows


def _about(example: Example, spec: CodedSpec) -> dict[str, Any]:
    fields = {getattr(spec, name) or name: getattr(example.article, name) for name in ("id", "title", "text", "outlet", "date", "url")}
    return {name: value for name, value in fields.items() if value}
