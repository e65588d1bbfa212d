"""How much a split leaks and what it costs: near-duplicates against brute force, the audit of two official splits, scores on the same test articles.

Usage: python scripts/bench_leaks.py [--data FOLDER] [--articles N] [--sample N] [--C C]

On AllSides (Baly et al. 2020). Its official splits by media and by lot have the same test articles, but on topics of their own, so inflation is
measured on a drawn set of outlets too. --articles cuts the sides of the trials, and the corpus that near-duplicates are timed on; the audit is
of all articles.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import sparse

from newsclf.article import Article, Example
from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanSpec
from newsclf.corpus.coded import Coded
from newsclf.corpus.dedup import SHINGLE, SIMILAR, clusters, near_duplicates, shingles, similar_pairs
from newsclf.corpus.leaks import Facts, Leaks, audit
from newsclf.corpus.read import CorpusSpec, read_articles
from newsclf.corpus.split import Rows, SplitSpec, cross_validation, joined, leaks
from newsclf.corpus.stratify import assign
from newsclf.learners.linear import LinearSpec
from newsclf.learners.ngrams import Ids, tokenise
from newsclf.scores.metrics import Booleans, macro_f1
from newsclf.training.evaluate import CodedPairs, prepare

ROOT = Path(__file__).resolve().parent.parent
FILES = ("train", "dev", "test", "rest")
SPLITS = {"media": "split_media", "random": "split_random"}
THRESHOLDS = (SIMILAR, 0.5)
"""Jaccard similarities at which near-duplicates are held against brute force."""

RECALL = 0.95


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data")), help="folder of the data sets"
    )
    parser.add_argument("--articles", type=int, help="articles on each side that is cut; all unless given")
    parser.add_argument("--sample", type=int, default=3000, help="articles compared by brute force")
    parser.add_argument("--C", type=float, default=1.0, help="strength of the learner, which is not searched for")
    options = parser.parse_args()
    articles = list(allsides(options.data))
    corpus = cut(np.arange(len(articles)), options.articles)
    story_table([articles[row] for row in corpus.tolist()])
    brute_table(with_copies(consecutive(articles, options.sample)))
    whole = stories(articles)
    audit_table(articles, whole)
    for trial in (drawn, official):
        inflation_table(articles, trial(articles, whole, options.articles), options.C)
    return 0


def allsides(data: Path) -> Iterator[Article]:
    """The articles of all four files."""
    spec = CorpusSpec(path=tuple(str(data / "allsides" / f"{name}.parquet") for name in FILES))
    return (item for item in read_articles(spec) if isinstance(item, Article))


def cut(rows: Ids, most: int | None) -> Ids:
    """So many of the rows, drawn, in order."""
    if most is None or most >= len(rows):
        return rows
    return np.sort(np.random.default_rng(0).permutation(rows)[:most])


def consecutive(articles: Sequence[Article], number: int) -> list[Article]:
    """Articles of consecutive days from the middle of the corpus: copies run within days of each other, and a sample drawn would part them."""
    dated = sorted((article for article in articles if article.date), key=lambda article: (article.date, article.id))
    start = max((len(dated) - number) // 2, 0)
    return dated[start : start + number]


def with_copies(articles: Sequence[Article], share: float = 0.2) -> list[Article]:
    """The last articles replaced by wire copies of the first as an editor leaves them: with a new dateline and lede, cut, a few words changed."""
    draw = np.random.default_rng(0)
    result = list(articles)
    for at in range(int(share * len(articles))):
        words = articles[at].text.split()
        lede = articles[-1 - at].text.split()[: draw.integers(10, 40)]
        kept = words[draw.integers(0, 20) : int(len(words) * draw.uniform(0.3, 1))]
        for place in draw.integers(0, max(len(kept), 1), draw.integers(0, 10)).tolist() if kept else []:
            kept[place] = "indeed"
        result[-1 - at] = replace(articles[at], text=" ".join(["SPRINGFIELD", "(Wire)", "-", *lede, *kept]))
    return result


def stories(articles: Sequence[Article]) -> Ids:
    """Story numbers by title and text. [articles]"""
    words = tokenise([f"{article.title}\n{article.text}" for article in articles])
    return near_duplicates(words.ids, words.starts)


def story_table(articles: Sequence[Article]) -> None:
    """How long near-duplicates take, and what they are."""
    started = time.perf_counter()
    words = tokenise([f"{article.title}\n{article.text}" for article in articles])
    tokenised = time.perf_counter()
    story = near_duplicates(words.ids, words.starts)
    found = clusters(story, [article.outlet for article in articles])
    print(f"near-duplicates: {len(articles):,} articles in {time.perf_counter() - tokenised:.2f} s, beside {tokenised - started:.2f} s to tokenise")
    print(f"  {found.repeated:,} articles are a near-duplicate of another, in {sum(found.sizes.values()):,} stories")
    print("  texts a story: " + ", ".join(f"{size} in {number:,}" for size, number in found.sizes.items()))
    for names, number in list(found.between.items())[:8]:
        print(f"  {number:>4} stories in both {names[0]} and {names[1]}")
    for name, number in list(found.within.items())[:4]:
        print(f"  {number:>4} stories more than once in {name}")


def brute_table(articles: Sequence[Article]) -> None:
    """Recall and precision of the pairs against a comparison of all with all, on shingles made another way; exits where a goal is missed."""
    words = tokenise([f"{article.title}\n{article.text}" for article in articles])
    texts = [words.ids[one:end].tolist() for one, end in zip(words.starts[:-1].tolist(), words.starts[1:].tolist(), strict=True)]
    started = time.perf_counter()
    truth = all_with_all(texts)
    brute = time.perf_counter() - started
    for threshold in THRESHOLDS:
        started = time.perf_counter()
        first, second, _ = similar_pairs(shingles(words.ids, words.starts), threshold=threshold)
        seconds = time.perf_counter() - started
        ours = set(zip(first.tolist(), second.tolist(), strict=True))
        wanted = {pair for pair, value in truth.items() if value >= threshold}
        both = len(ours & wanted)
        recall, precision = both / max(len(wanted), 1), both / max(len(ours), 1)
        print(
            f"pairs of {len(articles):,} articles, a fifth of them edited copies, at Jaccard >= {threshold}: "
            f"{len(wanted)} by brute force in {brute:.2f} s, {len(ours)} ours in {seconds:.2f} s: recall {recall:.4f}, precision {precision:.4f}"
        )
        if recall < RECALL or precision < 1:
            raise SystemExit(f"at Jaccard {threshold} the goals are recall {RECALL} and precision 1.")


def all_with_all(texts: Sequence[Sequence[int]]) -> dict[tuple[int, int], float]:
    """Jaccard similarity of every pair of texts that share a shingle; shingles are tuples of words, not hashes."""
    number: dict[tuple[int, ...], int] = {}
    rows = [
        sorted({number.setdefault(tuple(text[at : at + SHINGLE]), len(number)) for at in range(max(len(text) - SHINGLE + 1, 1))}) for text in texts
    ]
    sizes = np.array([len(row) for row in rows])
    columns = np.array([column for row in rows for column in row])
    table = sparse.csr_array((np.ones(len(columns), np.int32), columns, np.concatenate(([0], np.cumsum(sizes)))), shape=(len(rows), len(number)))
    shared = sparse.triu(table @ table.T, k=1).tocoo()
    one, other = shared.coords
    jaccard = shared.data / (sizes[one] + sizes[other] - shared.data)
    return dict(zip(zip(one.tolist(), other.tolist(), strict=True), jaccard.tolist(), strict=True))


def parts_of(articles: Sequence[Article], column: str) -> np.ndarray:
    """The part of each article in an official split; what is neither train nor test is aside."""
    return np.array([part if (part := article.extra[column]) in ("train", "test") else "aside" for article in articles])


def audit_table(articles: Sequence[Article], story: Ids) -> None:
    """The audits of both official splits side by side, and their sentences."""
    biases = sorted({str(article.extra["bias"]) for article in articles})
    truth = np.array([[article.extra["bias"] == bias for bias in biases] for article in articles])
    facts = Facts.of(articles, truth, story=story, columns=("outlet", "source_url"))
    found = {name: audit(facts, parts_of(articles, column), biases) for name, column in SPLITS.items()}
    lines = {name: dict(figures(leak)) for name, leak in found.items()}
    print("\n" + f"{'audit, bias labels':<46}" + "".join(f"{name:>16}" for name in found))
    for what in next(iter(lines.values())):
        print(f"{what:<46}" + "".join(f"{line[what]:>16}" for line in lines.values()))
    for name, leak in found.items():
        print(f"\n{name}:", *leak.sentences(), sep="\n  ")


def figures(leak: Leaks) -> Iterator[tuple[str, str]]:
    """Lines of the table."""
    yield "training articles", f"{leak.train:,}"
    yield "test articles", f"{leak.test:,}"
    yield "exact copies in training", f"{leak.exact.share:.1%}"
    yield "near-duplicates in training", f"{leak.near.share:.1%}"
    for column, found in leak.columns.items():
        yield f"{column} in training", f"{found.share:.1%}"
        yield f"{column}: label told (majority)", f"{found.told:.0%} ({found.untold:.0%})" if found.articles else "–"
    yield "label shift, total variation (chance)", f"{leak.labels.distance:.3f} ({leak.labels.by_chance:.3f})"
    yield "no later than the last training article", f"{leak.times.overlap:.1%}"


@dataclass(frozen=True)
class Trial:
    """Articles to test on, and training articles by each split, equally many."""

    name: str
    test: Ids
    inside: dict[str, Ids]

    @classmethod
    def of(cls, name: str, test: Booleans, *, strict: Booleans, random: Booleans, story: Ids, most: int | None) -> Trial:
        """Cut to the smallest split, or to `most`; the random split without what near-duplicates a test article is a third one."""
        articles = np.arange(len(test))
        sides = {"strict": strict, "random": random, "random without copies": random & ~leaks(story, random, test)}
        number = min(int(inside.sum()) for inside in sides.values())
        number = number if most is None else min(most, number)
        return cls(name, cut(articles[test], most), {side: cut(articles[inside], number) for side, inside in sides.items()})


def official(articles: Sequence[Article], story: Ids, most: int | None) -> Trial:
    """The test articles that both official splits have: of 13 outlets, on other topics than those outlets' training articles."""
    media, random = (parts_of(articles, column) for column in SPLITS.values())
    test = (media == "test") & (random == "test")
    return Trial.of("official splits", test, strict=media == "train", random=random == "train", story=story, most=most)


def drawn(articles: Sequence[Article], story: Ids, most: int | None) -> Trial:
    """Half of the articles of a quarter of the outlets, as `assign` deals outlets out: the random split learns from the other half as well."""
    biases = sorted({str(article.extra["bias"]) for article in articles})
    truth = np.array([[article.extra["bias"] == bias for bias in biases] for article in articles])
    outlets = joined(len(articles), [[article.extra["source_url"] for article in articles]])
    apart = assign(outlets, truth, (0.75, 0.25), seed=0) == 1
    test = apart & (np.random.default_rng(0).random(len(articles)) < 0.5)
    return Trial.of("outlets drawn", test, strict=~apart & ~leaks(story, ~apart, test), random=~test, story=story, most=most)


def inflation_table(articles: Sequence[Article], trial: Trial, C: float) -> None:
    """Scores on the same test articles, whatever the split."""
    number = len(trial.inside["strict"])
    print(f"\n{trial.name}: scores on the same {len(trial.test):,} test articles, {number:,} training articles each, C = {C:g}")
    print(f"  {'labels':<8}{'split':<24}{'accuracy':>10}{'macro-F1':>10}{'above strict':>14}{'seconds':>9}")
    tested = [articles[row] for row in trial.test.tolist()]
    for column, task in (("bias", "bias"), ("label", "topic")):
        strict = None
        for side, inside in trial.inside.items():
            started = time.perf_counter()
            accuracy, f1 = score([articles[row] for row in inside.tolist()], tested, column, C)
            strict = accuracy if strict is None else strict
            gain = f"{100 * (accuracy - strict):+.1f} points"
            print(f"  {task:<8}{side:<24}{accuracy:>10.3f}{f1:>10.3f}{gain:>14}{time.perf_counter() - started:>9.1f}", flush=True)


def score(learned: Sequence[Article], tested: Sequence[Article], column: str, C: float) -> tuple[float, float]:
    """Accuracy and macro-F1 of the label with the best score; labels that training has not are missed."""
    labels = sorted({str(article.extra[column]) for article in [*learned, *tested]})
    codebook = Codebook.parse({"task": column, "kind": "exclusive", "labels": labels}, where="AllSides")
    train, test = (coded(articles, column, codebook) for articles in (learned, tested))
    rows = Rows(train.truth, train.pairs.rows, train.pairs.rows)
    fitted = LinearSpec(C=C).fit(train.pairs, train.truth, codebook, cross_validation(rows, SplitSpec(folds=2)))
    scores = fitted.model.scores(test.pairs)
    scores[:, ~train.truth.any(axis=0)] = -np.inf
    decided = np.eye(len(labels), dtype=bool)[scores.argmax(axis=1)]
    return float((decided & test.truth).any(axis=1).mean()), macro_f1(test.truth, decided)


def coded(articles: Sequence[Article], column: str, codebook: Codebook) -> CodedPairs:
    """Articles cleaned as by default, with a column as their label."""
    examples = [Example(article, (str(article.extra[column]),)) for article in articles]
    return prepare(Coded(examples), codebook, CleanSpec(), on_error="quarantine")


if __name__ == "__main__":
    raise SystemExit(main())
