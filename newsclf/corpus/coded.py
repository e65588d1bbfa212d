"""Coded articles: rows of a corpus with what a coder said of them, read as Examples under a codebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, field_validator

from newsclf.article import Article, Example
from newsclf.codebook import Codebook
from newsclf.corpus.formats import BadRow
from newsclf.corpus.read import FIELDS, CorpusSpec, as_text, read_articles
from newsclf.errors import DataError, listed, nearest


class CodedSpec(CorpusSpec):
    """A corpus with codes, and how to read them."""

    labels: str | tuple[str, ...] = "labels"
    """Column of the labels: a label, a list, several labels in one cell, or target → label. A list of columns: each named as a label, 0 or 1."""

    target: str | None = None
    """Stance: column of the target, where each row is coded for one."""

    separator: str = Field(default=";", min_length=1)
    """What parts the labels in a cell, for multi-label tasks."""

    maps: dict[str, tuple[str, ...]] = {}
    """Label of the corpus → label or labels of the codebook (none: []); "*" stands for every label not named."""

    test: tuple[str, ...] = ()
    """Files to test on, where they are given; `path` is then all for training."""

    @field_validator("test", mode="before")
    @classmethod
    def _test_files(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("maps", mode="before")
    @classmethod
    def _map_targets(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        lists = {key: [] if to is None else to if isinstance(to, (list, tuple)) else [to] for key, to in value.items()}
        return {str(key): tuple(map(str, labels)) for key, labels in lists.items()}


@dataclass
class Coded:
    """What was read: examples in order, rows set aside with their reasons, and how many rows bear no code."""

    examples: list[Example] = field(default_factory=list)
    quarantined: list[BadRow] = field(default_factory=list)
    uncoded: int = 0


def read_coded(spec: CodedSpec, codebook: Codebook, *, paths: tuple[str, ...] | None = None) -> Coded:
    """Read a coded corpus; raises DataError for a label, target or id that must not be, and for a bad row where `on_error` is fail."""
    spec = spec if paths is None else spec.model_copy(update={"path": paths})
    coded = Coded()
    seen: dict[tuple[str, str], str] = {}
    columns: set[str] = set()  # rows of JSON may leave out a column that others have
    for article in read_articles(spec):
        if isinstance(article, BadRow):
            if spec.on_error == "fail":
                raise DataError(f"{article.place}: {article.reason} (To set such rows aside and go on: data.on_error: quarantine)")
            coded.quarantined.append(article)
            continue
        columns.update(article.extra)
        examples = list(examples_of(article, spec, codebook, columns))
        coded.uncoded += not examples
        for example in examples:
            key = (article.id, example.target)  # an article is coded once for each target
            if key in seen:
                about = f" and target {example.target!r}" if example.target else ""
                raise DataError(f"{article.place}: the id {article.id!r}{about} stands at {seen[key]} already; ids must be unique in training.")
            seen[key] = article.place
        coded.examples += examples
    return coded


def examples_of(article: Article, spec: CodedSpec, codebook: Codebook, columns: set[str]) -> Iterator[Example]:
    """What a row says of its article: one example, or for stances one a target; none where it is not coded. `columns` are those of any row.

    Raises DataError for a label or target that must not be, and for a column that no row has.
    """
    codes = _codes(article, spec, codebook, columns)
    if isinstance(codes, Mapping):
        for target, label in codes.items():
            # a target that a coder left open, or that only other rows of a Parquet struct have
            if label not in ("", []) and _is_coded(label, codebook):
                yield from _example(article, label, _one_line(str(target)), spec, codebook)
    elif _is_coded(codes, codebook):
        target = _one_line(as_text(_cell(article, spec.target, spec, columns))) if spec.target else ""
        if codebook.is_stance and not target:
            place = f"column {spec.target!r} is empty" if spec.target else "data.target is not set"
            raise DataError(f"{article.place}: the task {codebook.task!r} is a stance toward a target, but {place}.")
        yield from _example(article, codes, target, spec, codebook)


def _codes(article: Article, spec: CodedSpec, codebook: Codebook, columns: set[str]) -> Any:
    if isinstance(spec.labels, str):
        return _cell(article, spec.labels, spec, columns)
    cells = {name: _cell(article, name, spec, columns) for name in spec.labels}
    if not any(_is_coded(cell, codebook) for cell in cells.values()):
        return None
    return [name for name, cell in cells.items() if _is_one(cell, article.place, name)]


def _is_coded(codes: Any, codebook: Codebook) -> bool:
    """Whether a cell says anything: in a multi-label task an empty one says that no label applies, a null nothing."""
    if codes is None or codes != codes:  # NaN, as pandas writes a cell without a code, is not itself
        return False
    return codebook.kind == "multi" or not isinstance(codes, str) or bool(codes.strip())


def _one_line(target: str) -> str:
    # a bundle keeps its targets one a line, and "border\nwall" is no other target than "border wall"
    return " ".join(target.split())


def _example(article: Article, codes: Any, target: str, spec: CodedSpec, codebook: Codebook) -> Iterator[Example]:
    if isinstance(codes, str):
        cells: Iterable[Any] = codes.split(spec.separator) if codebook.kind == "multi" else [codes]
    else:
        cells = codes if isinstance(codes, (list, tuple)) else [codes]
    labels = [text for cell in cells if (text := as_text(cell).strip())]
    if spec.maps:
        labels = _mapped(labels, spec.maps, article.place)
        # mapped to nothing: of a multi-label task the row is coded with no label, of an exclusive one it is not coded
        if not labels and codebook.kind == "exclusive":
            return
    if codebook.is_stance:
        codebook.check_target(target, where=article.place)
    elif target:
        raise DataError(
            f"{article.place}: this row is coded for the target {target!r}, but the task {codebook.task!r} has no targets. "
            "Write targets, or open_targets: true, in the codebook, or name another column (data.labels, data.target)."
        )
    yield Example(article, codebook.check(labels, where=article.place), target)


def _mapped(labels: Iterable[str], maps: Mapping[str, tuple[str, ...]], place: str) -> list[str]:
    result: dict[str, None] = {}
    for label in labels:
        if label not in maps and "*" not in maps:
            raise DataError(
                f"{place}: data.maps has no entry for the label {label!r}{nearest(label, maps)}; it has {listed(maps)}. "
                'Add one, or  "*": []  for all others.'
            )
        result.update(dict.fromkeys(maps.get(label, maps.get("*", ()))))
    return list(result)


def _cell(article: Article, column: str, spec: CodedSpec, columns: set[str]) -> Any:
    if column in article.extra:
        return article.extra[column]
    for name in FIELDS:
        if column == (name if getattr(spec, name) is None else getattr(spec, name)):  # a column that a field of the article claims
            return getattr(article, name)
    if column in columns:
        return None
    raise DataError(
        f"{article.place}: there is no column {column!r} (data.labels, data.target){nearest(column, columns)}; the columns are {listed(columns)}."
    )


def _is_one(value: Any, place: str, column: str) -> bool:
    text = as_text(value).strip().lower()
    if text in ("1", "1.0", "true", "yes", "x"):  # 1.0: pandas writes whole numbers so where a column has gaps
        return True
    if text in ("0", "0.0", "false", "no", ""):
        return False
    raise DataError(f"{place}: the column {column!r} must hold 0 or 1 for the label {column!r}; it holds {value!r}.")
