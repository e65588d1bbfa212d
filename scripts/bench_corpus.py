"""What scripts/bench_linear.py works on: the articles of AllSides, any number of them with new words at the corpus's own rate, trained models."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from bench_measure import run, tell

import newsclf
from newsclf.codebook import Codebook
from newsclf.corpus.coded import CodedSpec
from newsclf.learners.linear import LinearSpec
from newsclf.training.experiment import Experiment

ROOT = Path(__file__).resolve().parent.parent
FILES = ("train", "dev", "test", "rest")
COLUMNS = ["id", "title", "text", "outlet", "date"]
FEWEST = 5
"""Training articles of a label, on both sides: CalibratedClassifierCV(cv=5) refuses labels that have fewer."""

COMMONEST = 20
PIECE = 2_500
"""Articles of a row group of an inflated corpus; a few groups even in a small one, so that every core has something to read."""

WORD = re.compile(r"\w+")
SYLLABLES = [consonant + vowel for consonant in "bcdfghjklmnpqrstvwxz" for vowel in "aeiou"]


LEARNER = LinearSpec(C=1.0)


@dataclass(frozen=True)
class Task:
    """Articles with a label each, to learn from and to test on."""

    name: str
    train: Path
    test: Path
    column: str
    """Where the label stands."""

    def read(self, part: str) -> tuple[list[str], list[str], list[str]]:
        """Titles, texts and labels of the part `train` or `test`."""
        table = pq.read_table(getattr(self, part), columns=["title", "text", self.column])
        titles, texts, labels = (column.to_pylist() for column in table.itercolumns())
        return titles, texts, labels

    def codebook(self) -> Codebook:
        """The labels of the training articles, in alphabetical order."""
        labels = sorted(pc.unique(pq.read_table(self.train, columns=[self.column])[self.column]).to_pylist())
        return Codebook.parse({"task": self.name, "kind": "exclusive", "labels": labels}, where=str(self.train))


def tasks(folder: Path) -> dict[str, Task]:
    """The three tasks of the benchmark, by name; their files are those that `prepare` writes into the folder."""
    topic, topic20 = ((folder / f"train{of}.parquet", folder / f"test{of}.parquet") for of in ("", str(COMMONEST)))
    return {
        "topic": Task("topic", *topic, "label"),
        f"topic{COMMONEST}": Task(f"topic{COMMONEST}", *topic20, "label"),
        "bias": Task("bias", *topic, "bias"),
    }


def prepare(data: Path, folder: Path, articles: int | None) -> None:
    """Write the files of the tasks, and corpus.parquet with the articles of all four files; `articles` cuts each of them for a trial."""
    if (folder / "corpus.parquet").exists():  # the last one: the others are there too
        return
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: pq.read_table(data / "allsides" / f"{name}.parquet", columns=[*COLUMNS, "label", "bias"]) for name in FILES}
    rows = parts["train"].num_rows
    train = _cut(parts["train"], articles)
    test = _cut(parts["dev"], None if articles is None else max(1, round(parts["dev"].num_rows * articles / rows)))
    counts = sorted(((count["counts"].as_py(), count["values"].as_py()) for count in train["label"].value_counts()), reverse=True)
    for suffix, known in (
        ("", [label for count, label in counts if count >= FEWEST]),
        (str(COMMONEST), [label for _, label in counts[:COMMONEST]]),
    ):
        for name, table in (("train", train), ("test", test)):
            chosen = table.filter(pc.is_in(table["label"], pa.array(known, table.schema.field("label").type)))
            pq.write_table(chosen, folder / f"{name}{suffix}.parquet")
    pq.write_table(_cut(pa.concat_tables(parts.values()).select(COLUMNS), articles), folder / "corpus.parquet")


def _cut(table: pa.Table, articles: int | None) -> pa.Table:
    if articles is None or articles >= table.num_rows:
        return table
    return table.take(np.sort(np.random.default_rng(0).permutation(table.num_rows)[:articles]))


def growth(texts: Sequence[str]) -> float:
    """New words an article: those of the second half of the texts that the first half does not have, over the articles of that half."""
    half = len(texts) // 2
    seen, later = ({word for text in part for word in WORD.findall(text.lower())} for part in (texts[:half], texts[half:]))
    return len(later - seen) / (len(texts) - half)


def pseudo_word(number: int) -> str:
    """A word that can be spoken and means nothing; another one for each number from 0 to 99,999,999."""
    base = len(SYLLABLES)
    return "".join(SYLLABLES[number // base**place % base] for place in (3, 2, 1, 0))


def with_words(text: str, words: Sequence[str], draw: np.random.Generator) -> str:
    """The text with as many of its words replaced by these, at places drawn."""
    pieces = text.split(" ")
    words = words[: len(pieces)]
    for place, word in zip(draw.choice(len(pieces), len(words), replace=False).tolist(), words, strict=True):
        pieces[place] = word
    return " ".join(pieces)


def inflate(source: pa.Table, target: Path, articles: int) -> float:
    """Write a corpus of so many articles, piece by piece; gives the new words an article that repeated ones get.

    The articles of `source` come first, in an order drawn, and as they are; then again and again, each with a new id and with words replaced by
    words that no article before it has, as many as the source itself goes on to bring.
    """
    source = source.take(np.random.default_rng(0).permutation(source.num_rows))
    rate = growth([f"{title}\n{text}" for title, text in zip(source["title"].to_pylist(), source["text"].to_pylist(), strict=True)])
    unfinished = target.with_suffix(".tmp")
    with pq.ParquetWriter(unfinished, source.schema) as writer:
        for piece in _pieces(source, articles, rate):
            writer.write_table(piece)
    unfinished.replace(target)
    return rate


def _pieces(source: pa.Table, articles: int, rate: float) -> Iterator[pa.Table]:
    for start in range(0, articles, PIECE):
        numbers = np.arange(start, min(start + PIECE, articles))
        piece = source.take(numbers % source.num_rows)
        ids, texts = piece["id"].to_pylist(), piece["text"].to_pylist()
        for row, number in enumerate(numbers.tolist()):
            if copy := number // source.num_rows:
                # 1.7 new words an article are 1 or 2 of an article, and 17 of ten
                words = [pseudo_word(word) for word in range(int(number * rate), int((number + 1) * rate))]
                ids[row] = f"{ids[row]}.{copy}"
                texts[row] = with_words(texts[row], words, np.random.default_rng(number))
        for name, values in (("id", ids), ("text", texts)):
            at = piece.schema.get_field_index(name)
            piece = piece.set_column(at, piece.schema.field(at), pa.array(values, piece.schema.field(at).type))
        yield piece


@dataclass(frozen=True)
class Bench:
    """What every benchmark needs: where things are, and how often to measure."""

    folder: Path
    """Corpora and models of this number of articles."""

    passes: int
    articles: int | None
    search_seconds: float

    @property
    def corpus(self) -> Path:
        """All articles, without labels."""
        return self.folder / "corpus.parquet"

    @property
    def tasks(self) -> dict[str, Task]:
        """The tasks, by name."""
        return tasks(self.folder)

    def experiment(self, task: Task) -> Experiment:
        """Training on a task with C = 1 and everything else as by default; the model goes to models/TASK."""
        data = CodedSpec(path=(str(task.train),), test=(str(task.test),), labels=task.column)
        return Experiment(name=task.name, codebook=task.codebook(), data=data, learner=LEARNER, output=str(self.folder / "models"))

    def model(self, name: str) -> Path:
        """The model of one of the tasks, or of configs/NAME.yaml; trained where it is not there yet."""
        path = self.folder / "models" / name
        if not path.exists():
            tell(f"training {name}")
            if name in self.tasks:
                newsclf.train(self.experiment(self.tasks[name]))
            else:
                newsclf.train(ROOT / "configs" / f"{name}.yaml", [f"output={self.folder / 'models'}"])
        return path

    def command(self, models: Sequence[Path], corpus: Path, *options: str) -> tuple[list[str], Path]:
        """The command that scores a corpus, and the folder that it writes."""
        output = self.folder / "scores"
        arguments = [*map(str, models), str(corpus), "--output", str(output), "--quiet", *options]
        return [sys.executable, "-m", "newsclf", "score", *arguments], output

    def scoring(self, models: Sequence[Path], corpus: Path, *options: str) -> Callable[[], None]:
        """What runs that command."""
        return partial(run, *self.command(models, corpus, *options))

    def once(self, path: Path, make: Callable[[], str]) -> str:
        """What `make` says of what it made; kept at `path`, and not made again where it stands there."""
        if not path.exists():
            tell(f"making {path.stem}")
            path.write_text(make(), "utf-8")
        return path.read_text("utf-8")
