"""The leak audit, on small splits whose leaks are known."""

import json
from dataclasses import replace

import numpy as np
import pytest

from newsclf.article import Article
from newsclf.corpus.leaks import Facts, Leaks, audit, text_hash
from newsclf.errors import DataError

NAMES = ["left", "right"]


def articles(count: int, **columns: list[str]) -> list[Article]:
    fields = {"outlet", "date"}
    return [
        Article(
            f"Text number {row}.",
            id=f"a{row}",
            **{name: values[row] for name, values in columns.items() if name in fields},
            extra={name: values[row] for name, values in columns.items() if name not in fields},
        )
        for row in range(count)
    ]


def exclusive(labels: str) -> np.ndarray:
    return np.array([[label == "l", label == "r"] for label in labels])


def audited(corpus: list[Article], labels: str, parts: str, *, story: list[int] | None = None) -> Leaks:
    facts = Facts.of(corpus, exclusive(labels), story=np.array(story or range(len(corpus))))
    return audit(facts, np.array([{"t": "train", "e": "test", "-": "aside"}[part] for part in parts]), NAMES)


def test_a_clean_split_by_outlet_and_time_is_fine_in_every_respect():
    corpus = articles(
        6,
        outlet=["Gazette", "Gazette", "Herald", "Herald", "Post", "Post"],
        date=["2023-01-01", "2023-02", "2023-03-01", "2023-04-01", "2024", "2024-05-05"],
    )
    found = audited(corpus, "lrlrlr", "tttt" + "ee")
    assert {verdict.kind for verdict in found.verdicts()} == {"fine"}
    assert not found.inflates
    assert (found.train, found.test, found.aside) == (4, 2, 0)
    assert found.times.train == ("2023-01-01", "2023-04-01")
    assert found.times.test == ("2024-01-01", "2024-12-31")
    assert found.sentences()[0] == "4 articles to learn from, 2 to test on."
    assert all(line.startswith("Fine: ") for line in found.sentences()[1:])


def test_exact_and_near_copies_are_told_apart_and_named():
    corpus = articles(6)
    corpus[4] = replace(corpus[4], text="Text  number\n0. ")
    found = audited(corpus, "lrlrlr", "ttt" + "-" + "ee", story=[0, 1, 2, 3, 0, 2])
    assert (found.exact.articles, found.exact.share, found.exact.examples) == (1, 0.5, (("a4", "a0"),))
    assert (found.near.articles, found.near.share, found.near.examples) == (2, 1.0, (("a4", "a0"), ("a5", "a2")))
    assert found.aside == 1
    assert found.inflates
    sizes, exact, near = found.sentences()[:3]
    assert sizes == "3 articles to learn from, 2 to test on, 1 rows set aside."
    assert exact == (
        "Inflates: Test articles that stand in training word for word: 1 of 2 (50.0%), for example 'a4', which is 'a0' there. "
        "The model has seen their answers, which can raise accuracy by 50.0 points at most; set the training copies aside."
    )
    assert near.startswith("Inflates: Test articles that stand in training as the same text or a near-duplicate of it: 2 of 2 (100.0%)")


def test_a_copy_that_is_set_aside_is_no_leak():
    found = audited(articles(4), "lrlr", "tt-e", story=[0, 1, 5, 5])
    assert found.near.articles == 0


def test_equal_texts_without_words_are_near_duplicates_though_no_shingle_links_them():
    corpus = [replace(article, text="🎈🎈 !") if row in (0, 3) else article for row, article in enumerate(articles(4))]
    found = audited(corpus, "lrlr", "ttee")
    assert found.exact.articles == found.near.articles == 1


def test_at_most_five_examples_are_named():
    found = audited(articles(12), "lr" * 6, "t" * 6 + "e" * 6, story=[*range(6), *range(6)])
    assert found.near.articles == 6
    assert len(found.near.examples) == 5


def test_an_outlet_that_gives_the_label_away_inflates():
    outlets = ["Gazette", "Gazette", "Herald", "Herald", "Gazette", "Herald"]
    found = audited(articles(6, outlet=outlets), "llrr" + "lr", "tttt" + "ee")
    assert found.inflates
    assert found.columns["outlet"].told == 1.0
    assert "Inflates: Test articles whose outlet stands in training: 2 of 2 (100.0%)" in found.sentences()[3]


def test_any_column_can_be_looked_at_and_one_without_values_is_left_out():
    corpus = articles(4, outlet=["Gazette"] * 4, section=["home", "abroad", "home", ""])
    facts = Facts.of(corpus, exclusive("lrlr"), story=np.arange(4), columns=("outlet", "section", "desk"))
    assert list(facts.columns) == ["outlet", "section"]
    found = audit(facts, np.array(["train", "train", "test", "test"]), NAMES)
    assert (found.columns["section"].known, found.columns["section"].share) == (1, 1.0)


def test_an_article_with_several_targets_counts_once_and_leaks_where_they_are_parted():
    one, other, third = articles(3)
    facts = Facts.of([one, other, one, one, third], exclusive("lrrll"), story=np.array([0, 1, 0, 0, 2]))
    found = audit(facts, np.array(["train", "train", "test", "test", "test"]), NAMES)
    assert (found.train, found.test) == (2, 2)
    assert (found.exact.articles, found.exact.examples) == (1, (("a0", "a0"),))


@pytest.mark.parametrize("part", [["train", "aside"], ["test", "test"]])
def test_a_split_with_one_side_is_refused(part: list[str]):
    facts = Facts.of(articles(2), exclusive("lr"), story=np.arange(2))
    with pytest.raises(DataError, match=r"the audit: the split has \d rows to learn from and \d to test on; both are needed"):
        audit(facts, np.array(part), NAMES)


def test_the_findings_are_json_and_carry_their_verdicts():
    found = audited(articles(4, outlet=["Gazette"] * 4, date=["2024"] * 4), "lrlr", "ttee", story=[0, 1, 0, 3])
    tree = found.as_dict()
    assert json.loads(json.dumps(tree)) == tree
    assert tree["near"] == {"articles": 1, "share": 0.5, "examples": [["a2", "a0"]]}
    assert [f"{verdict['kind'].capitalize()}: {verdict['text']}" for verdict in tree["verdicts"]] == found.sentences()[1:]


@pytest.mark.parametrize(("one", "other", "equal"), [("a b", " a\n\tb ", True), ("a b", "A b", False), ("ab", "a b", False), ("\ud800", "?", False)])
def test_texts_are_equal_whatever_their_white_space(one: str, other: str, equal: bool):
    assert (text_hash(one) == text_hash(other)) == equal
