"""Near-duplicates, against a reference that compares every pair of texts by hand."""

import json
import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.corpus import dedup
from newsclf.corpus.dedup import COMMON, SHINGLE, clusters, near_duplicates, shingles, similar_pairs
from newsclf.learners.ngrams import tokenise

Texts = list[list[int]]
few_words = st.lists(st.lists(st.integers(0, 2), max_size=12), max_size=9)


def arrays(texts: Texts) -> tuple[np.ndarray, np.ndarray]:
    starts = np.concatenate(([0], np.cumsum([len(text) for text in texts]))).astype(np.int64)
    return np.array([word for text in texts for word in text], np.int64), starts


def reference(text: list[int]) -> set[tuple[int, ...]]:
    if not text:
        return set()
    return {tuple(text[first : first + SHINGLE]) for first in range(max(len(text) - SHINGLE + 1, 1))}


def jaccard(one: list[int], other: list[int]) -> float:
    first, second = reference(one), reference(other)
    return len(first & second) / len(first | second) if first & second else 0.0


def by_hand(texts: Texts, threshold: float) -> dict[tuple[int, int], float]:
    pairs = {(i, j): jaccard(texts[i], texts[j]) for i, j in combinations(range(len(texts)), 2)}
    return {pair: value for pair, value in pairs.items() if value >= threshold}


def found(texts: Texts, threshold: float = dedup.SIMILAR) -> dict[tuple[int, int], float]:
    first, second, similarity = similar_pairs(shingles(*arrays(texts)), threshold=threshold)
    assert len(set(zip(first.tolist(), second.tolist(), strict=True))) == len(first)
    return dict(zip(zip(first.tolist(), second.tolist(), strict=True), similarity.tolist(), strict=True))


def groups(texts: Texts) -> list[list[int]]:
    numbers = near_duplicates(*arrays(texts)).tolist()
    return [[text for text, number in enumerate(numbers) if number == group] for group in dict.fromkeys(numbers)]


def article(number: int, words: int = 60) -> list[int]:
    return list(range(1000 * number, 1000 * number + words))


@settings(deadline=None)
@given(few_words)
def test_two_texts_share_a_column_for_each_shingle_that_they_share(texts: Texts):
    table = shingles(*arrays(texts))
    assert table.data.tolist() == [1] * table.nnz
    shared = (table @ table.T).toarray()
    expected = [[len(reference(one) & reference(other)) for other in texts] for one in texts]
    assert shared.tolist() == expected


@pytest.mark.parametrize("text", [[7], [7, 8], [7, 8, 9, 1], [7, 8, 9, 1, 2]])
def test_a_text_shorter_than_a_shingle_is_one_shingle_of_its_own_length(text: list[int]):
    table = shingles(*arrays([text, text, text[:-1], [*text, 3]]))
    assert table[[0]].nnz == 1
    assert (table[[0]] != table[[1]]).nnz == 0
    assert table[[0]].multiply(table[[2]]).nnz == 0
    assert table[[0]].multiply(table[[3]]).nnz == (len(text) >= SHINGLE)


@settings(max_examples=200, deadline=None)
@given(few_words, st.sampled_from([0.05, 0.3, 0.5, 1.0]))
def test_similar_pairs_are_exactly_those_of_a_comparison_of_all_with_all(texts: Texts, threshold: float):
    assert found(texts, threshold) == by_hand(texts, threshold)


def test_how_much_is_compared_at_a_time_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    chance = np.random.default_rng(0)
    texts = [chance.integers(0, 2, chance.integers(0, 15)).tolist() for _ in range(40)]
    expected = found(texts)
    assert len(expected) > 20
    monkeypatch.setattr(dedup, "_WORK", 5)
    assert found(texts) == expected


@pytest.mark.parametrize("texts", [[], [[]], [[], [], []], [[1]]])
def test_without_a_repeated_word_each_text_is_a_group_of_its_own(texts: Texts):
    assert found(texts) == {}
    assert near_duplicates(*arrays(texts)).tolist() == list(range(len(texts)))


def test_empty_texts_are_not_copies_of_each_other():
    assert groups([[], [1, 2], [], [1, 2]]) == [[0], [1, 3], [2]]


def test_a_chain_of_copies_is_one_group_though_its_ends_differ():
    first, middle, last = list(range(100)), list(range(50, 150)), list(range(100, 200))
    assert jaccard(first, last) == 0
    assert groups([first, last, article(9), middle]) == [[0, 1, 3], [2]]


def test_a_copy_with_a_new_lede_and_its_end_cut_is_found_and_a_quotation_is_not():
    story = article(1, words=100)
    edited = article(2, words=15) + story[10:70]
    quoting = article(3, words=80) + story[40:60]
    assert groups([story, edited, quoting]) == [[0, 1], [2]]


def test_texts_that_share_much_boilerplate_and_nothing_else_are_not_joined():
    footer = article(0, words=50)
    texts = [article(number) + footer for number in range(1, COMMON + 50)]
    assert len(groups(texts)) == len(texts)


def test_boilerplate_counts_in_the_similarity_of_texts_that_share_more_than_it():
    footer = article(0, words=10)
    texts = [article(number) + footer for number in range(1, COMMON + 50)]
    texts.append(article(5, words=30) + article(999, words=25) + footer)
    assert jaccard(texts[4], texts[-1][:-10]) < dedup.SIMILAR
    assert found(texts) == {(4, len(texts) - 1): jaccard(texts[4], texts[-1])}


@settings(deadline=None)
@given(few_words)
def test_what_is_common_never_makes_a_pair_that_is_not_similar(texts: Texts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dedup, "COMMON", 2)
        assert found(texts).items() <= by_hand(texts, dedup.SIMILAR).items()


def test_equal_texts_are_joined_though_others_that_quote_them_stand_between():
    story = article(0, words=20)
    texts = [story]
    for number in range(COMMON):
        texts += [story[4 * part :][:9] + article(4 * number + part + 1, words=20) for part in range(4)]
        texts.append(story)
    assert max(jaccard(story, text) for text in texts if text != story) < dedup.SIMILAR
    assert [len(group) for group in groups(texts)] == [COMMON + 1] + [1] * 4 * COMMON


def test_a_story_that_ran_more_often_than_boilerplate_does_is_one_group():
    story = article(0, words=200)
    copies = [article(number, words=10) + story[number % 40 :] for number in range(1, COMMON + 100)]
    others = [article(number) for number in range(1000, 1005)]
    assert [len(group) for group in groups(others + copies)] == [1] * 5 + [len(copies)]


def test_three_thousand_equal_texts_are_one_group_by_as_many_pairs():
    texts = [article(0, words=80)] * 3000
    assert len(found(texts)) == 2999
    assert len(groups(texts)) == 1


def test_memory_does_not_grow_with_the_square_of_the_copies():
    # just rare enough to be compared all with all, under one footer: 40,000 pairs that share 200 shingles of it are 8 million numbers
    table = shingles(*arrays([article(story, words=200) + article(9, words=200) for story in range(2) for _ in range(COMMON)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dedup, "_WORK", 1 << 18)
        tracemalloc.start()
        first, _, _ = similar_pairs(table)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert len(first) >= COMMON * (COMMON - 1)
    assert peak < 24e6


def test_the_copies_in_the_starter_corpus_are_found_and_nothing_else_is_joined(starter: list[dict[str, object]]):
    words = tokenise([str(row["text"]) for row in starter])
    group = near_duplicates(words.ids, words.starts).tolist()
    stories = [row["story"] for row in starter]
    assert len(stories) - len(set(stories)) == 34
    assert len(set(group)) == len(set(stories)) == len(set(zip(group, stories, strict=True)))


LEDES = [
    "Crews reached the flooded lower town of Ellmar late on Monday, hours after the second dam gave way.",
    "Rescue teams worked through the night as the river Tamm broke its banks for the second time in a week.",
    "Hundreds have fled their homes along the Tamm, where a dam that was repaired only last year has failed.",
]
DATELINES = ["ELLMAR (Northern Wire) — ", "TAMMFORD, Sept. 9 — ", "By our own correspondent in Ellmar. "]
STORY = (
    "The regional council said that about four hundred people had been taken to schools and sports halls on higher ground. Two bridges are closed, "
    "and the railway along the valley will not run before the weekend. An engineer who inspected the dam in spring told the council then that its "
    "spillway was too narrow, according to minutes of that meeting. The operator says that the repairs were done as ordered and paid for. Farmers "
    "fear for the potato harvest, which was to begin this week. Forecasters expect the water to fall from Wednesday, unless the rain over the "
    "mountains returns. The governor will visit the valley on Tuesday and has promised help to those who lost their homes."
)
OTHER = (
    "The water in the valley of the Tamm has risen again, and with it the anger of those who live there. For years they have asked for a wider "
    "spillway. What they were given was a coat of concrete, a ribbon and a speech. Nobody on the council has said a word about who signed the papers, "
    "and the governor, who comes on Tuesday, will find that promises float no better than potatoes do."
)


def test_wire_copies_with_another_lede_and_dateline_are_found_and_a_comment_on_the_event_is_not():
    cut = " ".join(STORY.split(". ")[:4]) + "."
    texts = [f"{dateline}{lede} {STORY}" for dateline, lede in zip(DATELINES, LEDES, strict=True)]
    texts += [f"{DATELINES[1]}{LEDES[0]} {cut}", OTHER, f"{LEDES[1]} {OTHER}"]
    words = tokenise(texts)
    numbers = near_duplicates(words.ids, words.starts).tolist()
    assert numbers[0] == numbers[1] == numbers[2] == numbers[3]
    assert numbers[4] == numbers[5] != numbers[0]


def test_clusters_are_counted_by_size_and_by_the_outlets_that_share_them():
    story = np.array([7, 7, 7, 2, 2, 5, 9, 9, 4, 4])
    outlets = ["Gazette", "Herald", "Herald", "Herald", "Gazette", "Post", "", "Gazette", "Post", "Post"]
    found = clusters(story, outlets)
    assert found.texts == 10
    assert found.sizes == {2: 3, 3: 1}
    assert found.repeated == 9
    assert found.between == {("Gazette", "Herald"): 2}
    assert found.within == {"Herald": 1, "Post": 1}
    assert list(found.within) == ["Herald", "Post"]
    assert json.loads(json.dumps(found.as_dict())) == {
        "texts": 10,
        "repeated": 9,
        "sizes": [{"texts": 2, "stories": 3}, {"texts": 3, "stories": 1}],
        "outlets_that_repeat": 2,
        "within": [{"outlet": "Herald", "stories": 1}, {"outlet": "Post", "stories": 1}],
        "outlet_pairs": 1,
        "between": [{"outlets": ["Gazette", "Herald"], "stories": 2}],
    }


def test_the_pairs_of_outlets_that_share_most_stand_first_and_the_others_are_counted():
    story = np.repeat(np.arange(6), 2)
    found = clusters(story, ["Post", "Sun", "Gazette", "Herald", "Sun", "Post", "Herald", "Gazette", "Sun", "Post", "Courier", "Sun"])
    assert list(found.between.items()) == [(("Post", "Sun"), 3), (("Gazette", "Herald"), 2), (("Courier", "Sun"), 1)]
    assert found.as_dict(most=1)["between"] == [{"outlets": ["Post", "Sun"], "stories": 3}]
    assert found.as_dict(most=1)["outlet_pairs"] == 3


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["", "Gazette", "Herald", "Post"])), max_size=25))
def test_clusters_agree_with_a_count_by_hand(texts: list[tuple[int, str]]):
    found = clusters(np.array([story for story, _ in texts], np.int64), [outlet for _, outlet in texts])
    stories = [[outlet for story, outlet in texts if story == number] for number in range(6)]
    assert found.repeated == sum(len(story) for story in stories if len(story) > 1)
    assert sum(found.sizes.values()) == sum(len(story) > 1 for story in stories)
    for one, other in combinations(["Gazette", "Herald", "Post"], 2):
        assert found.between.get((one, other), 0) == sum(one in story and other in story for story in stories)
    for outlet in ["Gazette", "Herald", "Post"]:
        assert found.within.get(outlet, 0) == sum(story.count(outlet) > 1 for story in stories)


def test_stories_and_outlets_must_be_of_one_length():
    with pytest.raises(ValueError, match="2 stories and 1 outlets"):
        clusters(np.array([0, 1]), ["Gazette"])
