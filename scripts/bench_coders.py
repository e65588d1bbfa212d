"""What 400 coders of 2,300 sentences on global warming agree on, and whether their votes teach the linear learner more than their majority.

Usage: python scripts/bench_coders.py [--data FOLDER]

The data are those of Luo, Card & Jurafsky 2020 ("Detecting Stance in Media on Global Warming"), FOLDER/gwsd. Alpha is computed on the sentences that
occur once, and on all rows; the rows of the screening sentences are not independent, so the interval of the latter is too narrow. Then the learner
is trained on the authors' training rows with labels made in several ways from the same codings, and tested on the authors' test rows: on their
labels, and on the shares of the coders' votes. Test rows take no part in any choice.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from newsclf.codebook import Codebook
from newsclf.corpus.coders import Codings, CodingSpec, read_codings
from newsclf.corpus.dedup import near_duplicates
from newsclf.corpus.split import Rows, SplitSpec, cross_validation
from newsclf.learners.linear import LinearSpec
from newsclf.learners.protocol import Documents, Pairs
from newsclf.scores.agreement import Ratings
from newsclf.scores.metrics import Booleans, Floats, Kind, macro_f1
from newsclf.scores.reliability import reliability
from newsclf.scores.votes import Votes, dawid_skene

ROOT = Path(__file__).resolve().parent.parent
LABELS = ("disagree", "neutral", "agree")
KIND: Kind = "exclusive"
RESAMPLES = 2000


@dataclass(frozen=True)
class Part:
    """Training or test rows of the authors' split."""

    texts: list[str]
    truth: Booleans
    """The authors' labels: the most probable one of their model of the coders. [articles, labels]"""

    ratings: Ratings
    """The codings of these articles, numbered as they stand here."""

    votes: Votes


def main() -> int:
    """Print how far the coders agree, and what the learner makes of their votes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data")), help="folder of the data sets"
    )
    folder = parser.parse_args().data / "gwsd"
    codebook = Codebook(task="global_warming", kind=KIND, labels=list(LABELS))
    codings = read_codings(CodingSpec(path=(str(folder / "codings.parquet"),)), codebook)
    for title, chosen in (("sentences that occur once", codings.once()), ("all rows", codings)):
        print(agreement(title, chosen))
    train, test = (part(folder / f"{name}.parquet", codings) for name in ("train", "test"))
    print(comparison(train, test, codebook))
    return 0


def agreement(title: str, codings: Codings) -> str:
    """Alpha with its interval, of each label too, and how well people do by people."""
    ratings = Ratings(*codings.arrays())
    head = f"{title}: {len(codings.keys)} articles, {len(codings.examples)} codings, {len(codings.coders)} coders"
    return f"{head}\n{reliability(ratings, KIND, LABELS, resamples=RESAMPLES).text(codings.coders)}\n"


def part(file: Path, codings: Codings) -> Part:
    """The rows of a file, with the codings of each."""
    rows = pq.read_table(file, columns=["id", "text", "label"]).to_pylist()
    number = {row["id"]: at for at, row in enumerate(rows)}
    article, coder, given = codings.arrays()
    place = np.array([number.get(identifier, -1) for identifier, _ in codings.keys])[article]
    ratings = Ratings(place[place >= 0], coder[place >= 0], given[place >= 0])
    truth = np.array([[row["label"] == label for label in LABELS] for row in rows])
    return Part([row["text"] for row in rows], truth, ratings, Votes.of(ratings, KIND, articles=len(rows)))


def comparison(train: Part, test: Part, codebook: Codebook) -> str:
    """Scores on the test rows of models that learn from labels made in different ways, and their differences from the majority's."""
    majority, left_open = train.votes.majority()
    settled, every = np.flatnonzero(~left_open), np.arange(len(train.texts))
    skill = dawid_skene(train.ratings, articles=len(train.texts), coders=int(train.ratings.coder.max()) + 1)
    likely = np.arange(len(LABELS)) == skill.posterior.argmax(axis=1)[:, None]
    ways = {
        f"majority ({left_open.sum()} ties left out)": fitted(train, test, codebook, settled, majority[settled]),
        "every vote a row": fitted(train, test, codebook, train.ratings.article, train.ratings.given),
        "most probable by Dawid and Skene": fitted(train, test, codebook, every, likely),
        "the authors' labels": fitted(train, test, codebook, every, train.truth),
    }
    return table(ways, test)


def fitted(train: Part, test: Part, codebook: Codebook, rows: np.ndarray, truth: Booleans) -> Floats:
    """Probabilities of the test rows by a learner that saw these training rows, an article once or once a vote. [articles, labels]"""
    documents = Documents([""] * len(train.texts), train.texts)
    pairs = Pairs(documents, rows)
    copies = int(np.bincount(rows).max())
    # a word of one article stands in as many rows as the article has votes
    learner = LinearSpec(min_df=copies * (LinearSpec().min_df - 1) + 1)
    words = documents.whole
    folds = cross_validation(Rows(truth, rows, near_duplicates(words.ids, words.starts)[rows]), SplitSpec())
    found = learner.fit(pairs, truth, codebook, folds)
    return found.calibration(found.model.scores(Pairs.of(Documents([""] * len(test.texts), test.texts))))


def table(ways: Mapping[str, Floats], test: Part) -> str:
    """A line for each way, with bootstrap intervals over the test articles of what sets it apart from the first."""
    shares = test.votes.shares()
    draws = np.random.default_rng(0).integers(len(test.texts), size=(RESAMPLES, len(test.texts)))
    first = next(iter(ways.values()))
    lines = [f"trained on the same articles, tested on {len(test.texts)}; differences from the first line with 95 % intervals"]
    lines.append(f"  {'':<36} accuracy  macro-F1  cross-entropy to the votes")
    for name, probabilities in ways.items():
        values = measure(probabilities, test.truth, shares)
        line = f"  {name:<36} {values[0]:8.3f}  {values[1]:8.3f}  {values[2]:8.3f}"
        if probabilities is not first:
            apart = np.array([measure(probabilities[d], test.truth[d], shares[d]) - measure(first[d], test.truth[d], shares[d]) for d in draws])
            low, high = np.quantile(apart, [0.025, 0.975], axis=0)
            line += "   " + "  ".join(f"[{one:+.3f}, {other:+.3f}]" for one, other in zip(low, high, strict=True))
        lines.append(line)
    return "\n".join(lines)


def measure(probabilities: Floats, truth: Booleans, shares: Floats) -> Floats:
    """Accuracy and macro-F1 by the authors' labels, and the mean cross-entropy, in nats, from the shares of votes."""
    decided = np.arange(truth.shape[1]) == probabilities.argmax(axis=1)[:, None]
    entropy = -(shares * np.log(np.clip(probabilities, 1e-9, 1))).sum(axis=1).mean()
    return np.array([(decided == truth).all(axis=1).mean(), macro_f1(truth, decided), entropy])


if __name__ == "__main__":
    raise SystemExit(main())
