"""Splits that do not leak, for any corpus that hypothesis can think of."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from newsclf.corpus.dates import span
from newsclf.corpus.split import Rows, SplitSpec, cross_validation, joined, leaks, parts, split
from newsclf.corpus.stratify import assign
from newsclf.errors import ConfigError, DataError, InputError

SPEC = SplitSpec()
OUTLETS = SplitSpec(keep_together=("near_duplicate", "outlet"))


@st.composite
def corpora(draw: st.DrawFn) -> Rows:
    count = draw(st.integers(1, 30))

    def column(most: int) -> list[int]:
        return draw(st.lists(st.integers(0, most), min_size=count, max_size=count))

    truth = np.array(draw(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=count, max_size=count)))
    article = np.array(column(count))
    story = np.array(column(count))[article % count]  # rows of one article have one story
    outlets = [["", "Gazette", "Herald", "Courier", "Post", "Sun"][outlet] for outlet in column(5)]
    days = [f"2024-01-{day + 1:02}" for day in column(8)]
    dates = [days[number % count] for number in article.tolist()]  # and one date
    return Rows(truth, article, story, draw(st.sampled_from([(), (outlets,)])), dates, [f"corpus.jsonl:{row}" for row in range(count)])


def rows(stories: list[int], outlets: list[str] | None = None, truth: list[list[bool]] | None = None) -> Rows:
    labels = np.array(truth or [[True, False]] * len(stories))
    return Rows(labels, np.arange(len(stories)), np.array(stories), (outlets,) if outlets else ())


def crossing(values: np.ndarray, held: np.ndarray, rest: np.ndarray) -> set[int]:
    return set(values[held].tolist()) & set(values[rest].tolist())


@settings(deadline=None)
@given(corpora(), st.floats(0.05, 0.95), st.integers(0, 5))
def test_no_group_crosses_and_no_copy_of_a_test_row_trains(corpus: Rows, share: float, seed: int):
    try:
        part = split(corpus, SplitSpec(test=share, seed=seed))
    except DataError:
        assume(False)
    assert set(part.tolist()) <= {"train", "test", "aside"}
    assert {"train", "test"} <= set(part.tolist())
    assert not crossing(corpus.groups(), part == "test", part != "test")
    assert not crossing(corpus.article, part == "test", part != "test")
    assert not crossing(corpus.story, part == "test", part == "train")
    assert set(corpus.story[part == "aside"].tolist()) <= set(corpus.story[part == "test"].tolist())


@settings(deadline=None)
@given(corpora(), st.integers(2, 6), st.integers(0, 5))
def test_cross_validation_holds_every_row_out_once_by_the_same_rules(corpus: Rows, folds: int, seed: int):
    try:
        found = cross_validation(corpus, SplitSpec(folds=folds, seed=seed))
    except DataError:
        assume(False)
    assert 2 <= len(found) <= folds
    assert sorted(np.concatenate([held for _, held in found]).tolist()) == list(range(len(corpus.article)))
    for inside, held in found:
        assert len(inside) > 0
        assert len(held) > 0
        assert not crossing(corpus.story, held, inside)
        assert not crossing(corpus.article, held, inside)
        if len(set(corpus.groups().tolist())) > 1:
            assert not crossing(corpus.groups(), held, inside)


@settings(deadline=None)
@given(corpora(), st.sampled_from(["latest", "2024-01-04", "2024-01-07"]), st.floats(0.05, 0.95), st.integers(0, 5))
def test_by_time_every_test_row_is_later_than_training_and_nothing_else_leaks(corpus: Rows, after: str, share: float, seed: int):
    try:
        part = split(corpus, SplitSpec(after=after, test=share, seed=seed))
    except DataError:
        assume(False)
    days = np.array([span(date)[0] for date in corpus.dates])
    assert {"train", "test"} <= set(part.tolist()) <= {"train", "test", "aside"}
    assert days[part == "train"].max() < days[part == "test"].min()
    assert not crossing(corpus.story, part == "test", part == "train")
    groups = joined(len(days), [corpus.article.tolist(), *corpus.keys])
    assert not crossing(groups, part == "test", part == "train")
    # nothing is set aside without a reason: each such row shares a story with the test or a group with a row of another day
    for row in np.flatnonzero(part == "aside"):
        fellows = days[groups == groups[row]]
        assert corpus.story[row] in corpus.story[part == "test"] or fellows.min() < fellows.max()


@pytest.mark.parametrize("stratify", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_the_share_is_met_whether_labels_are_spread_or_not(stratify: bool, seed: int):
    truth = (np.random.default_rng(seed).random((200, 2)) < 0.3).tolist()
    part = split(rows(list(range(200)), truth=truth), SplitSpec(stratify=stratify, seed=seed))
    assert (part == "test").sum() == 50


def test_without_stratification_a_rare_label_may_miss_the_test_and_with_it_it_does_not():
    truth = [[row < 8, row >= 8] for row in range(200)]
    counts = [
        [
            int(np.array(truth)[split(rows(list(range(200)), truth=truth), SplitSpec(stratify=stratify, seed=seed)) == "test", 0].sum())
            for seed in range(20)
        ]
        for stratify in (True, False)
    ]
    assert counts[0] == [2] * 20
    assert min(counts[1]) < 2 < max(counts[1])


def test_the_same_seed_gives_the_same_split_and_another_another():
    splits = [tuple(split(rows(list(range(40))), SplitSpec(seed=seed)).tolist()) for seed in (*range(5), *range(5))]
    assert splits[:5] == splits[5:]
    assert len(set(splits)) == 5


@settings(deadline=None)
@given(corpora(), st.integers(1, 5))
def test_no_part_is_empty_where_there_are_groups_enough(corpus: Rows, number: int):
    groups = corpus.groups()
    part = assign(groups, corpus.truth, [1.0] * number, seed=0)
    assert len(set(part.tolist())) == min(number, len(set(groups.tolist())))


@pytest.mark.parametrize("shares", [(0.75, 0.25), (0.9, 0.1), (1, 1, 1), (1, 1, 1, 1, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_labels_are_spread_in_proportion_to_within_two_rows(shares: tuple[float, ...], seed: int):
    rates = [0.5, 0.3, 0.2, 0.1, 0.05, 0.02]
    truth = np.random.default_rng(seed).random((300, len(rates))) < rates
    part = assign(np.arange(300), truth, shares, seed=seed)
    for index, share in enumerate(np.array(shares) / sum(shares)):
        assert abs((part == index).sum() - 300 * share) <= 2
        assert np.abs(truth[part == index].sum(axis=0) - truth.sum(axis=0) * share).max() <= 2


@pytest.mark.parametrize("seed", range(3))
def test_a_rare_class_of_an_exclusive_task_is_in_every_fold(seed: int):
    truth = np.eye(3, dtype=bool)[np.repeat([0, 1, 2], [140, 55, 5])]
    fold = assign(np.arange(200), truth, [1.0] * 5, seed=seed)
    counts = np.array([truth[fold == index].sum(axis=0) for index in range(5)])
    assert counts.tolist() == [[28, 11, 1]] * 5


def test_labels_that_no_row_has_change_nothing():
    truth = np.random.default_rng(0).random((60, 3)) < 0.4
    wider = np.hstack([truth, np.zeros((60, 2), bool)])
    one, other = (assign(np.arange(60), labels, (0.75, 0.25), seed=0) for labels in (truth, wider))
    assert one.tolist() == other.tolist()


def test_of_two_outlets_of_one_size_one_is_tested_on():
    corpus = rows(list(range(10)), ["Gazette", "Herald"] * 5)
    assert sorted(split(corpus, OUTLETS).tolist()) == ["test"] * 5 + ["train"] * 5


def test_outlets_stay_whole_and_wire_copies_between_them_are_set_aside():
    wire = 99
    stories = [*range(8), wire, *range(8, 16), wire, 16, 17, wire]
    outlets = ["Gazette"] * 9 + ["Herald"] * 9 + ["Courier"] * 3
    part = split(rows(stories, outlets), OUTLETS)
    assert part.tolist() == ["train"] * 8 + ["aside"] + ["train"] * 8 + ["aside"] + ["test"] * 3


def dated(dates: list[str], stories: list[int] | None = None, outlets: list[str] | None = None) -> Rows:
    corpus = rows(stories or list(range(len(dates))), outlets)
    return replace(corpus, dates=dates, places=[f"corpus.jsonl:{row}" for row in range(1, len(dates) + 1)])


MONTHS = [f"2024-{month:02}-15" for month in range(1, 9)]


def test_by_time_the_copy_of_a_later_article_is_set_aside():
    part = split(dated(MONTHS, [0, 1, 2, 7, 4, 5, 6, 7]), SplitSpec(after="2024-07-01"))
    assert part.tolist() == ["train"] * 3 + ["aside"] + ["train"] * 2 + ["test"] * 2


def test_by_time_the_latest_share_is_tested_on():
    assert split(dated(MONTHS[::-1]), SplitSpec(after="latest", test=0.25)).tolist() == ["test"] * 2 + ["train"] * 6


def test_by_time_an_outlet_on_both_sides_gives_up_one_of_them():
    outlets = ["Gazette", "Herald", "Herald", "Gazette", "Gazette", "Courier", "Herald", "Courier"]
    part = split(dated(MONTHS, outlets=outlets), SplitSpec(after="2024-05-01", keep_together=("near_duplicate", "outlet")))
    assert part[5] == part[7] == "test"
    sides = {outlet: {str(one) for one, name in zip(part, outlets, strict=True) if name == outlet} for outlet in ("Gazette", "Herald")}
    assert sorted(map(sorted, sides.values())) == [["aside", "test"], ["aside", "train"]]


def test_by_time_a_single_outlet_on_both_sides_leaves_nothing_to_test_on():
    with pytest.raises(
        DataError, match=r"'near_duplicate', 'outlet' with after = 2024-05-01 leaves 4 rows to learn from and 0 to test on: 8 of 8 rows"
    ):
        split(dated(MONTHS, outlets=["Gazette"] * 8), SplitSpec(after="2024-05-01", keep_together=("near_duplicate", "outlet")))


def test_by_time_a_row_without_a_date_is_named():
    with pytest.raises(DataError, match=r"1 of 8 rows have no date that can be read; the first is corpus\.jsonl:8"):
        split(dated([*MONTHS[:7], ""]), SplitSpec(after="2024-05-01"))


def test_by_time_copies_of_everything_earlier_leave_nothing_to_learn_from():
    with pytest.raises(DataError, match="the 2 rows to learn from all near-duplicate the 2 rows to test on"):
        split(dated(MONTHS[:4], [0, 1, 0, 1]), SplitSpec(after="2024-03"))


def test_a_split_that_is_to_be_replayed_is_not_made_anew():
    with pytest.raises(InputError, match=r"the split of runs/first/split\.jsonl is read with newsclf\.corpus\.replay\.replayed\(\), not made anew"):
        split(rows([0, 1]), SplitSpec(replay="runs/first/split.jsonl"))


def test_a_split_by_time_needs_dates():
    with pytest.raises(InputError, match=r"needs Rows\.dates and Rows\.places, one of each for 2 rows"):
        split(rows([0, 1]), SplitSpec(after="latest"))


def test_near_duplicates_stay_together_where_nothing_else_is_kept_together():
    assert rows([5, 6, 5, 7]).groups().tolist() == [0, 1, 0, 2]


def test_near_duplicates_do_not_join_outlets():
    assert rows([5, 6, 5, 7], ["Gazette", "Gazette", "Herald", ""]).groups().tolist() == [0, 0, 1, 2]


def test_rows_of_one_article_stay_together_whatever_their_outlet():
    corpus = Rows(np.ones((3, 1), bool), np.array([0, 1, 0]), np.array([0, 1, 0]), (["Gazette", "Herald", "Post"],))
    assert corpus.groups().tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([], [0, 1, 2, 3]),
        ([["a", "b", "a", "c"]], [0, 1, 0, 2]),
        ([["a", "b", "a", "c"], [1, 1, 2, 3]], [0, 0, 0, 1]),
        ([["", None, "", None]], [0, 1, 2, 3]),
        ([[0, 0, 1, 1]], [0, 0, 1, 1]),
        ([["a", "b", "c", "d"], [1, 2, 2, 3], ["x", "y", "z", "x"]], [0, 1, 1, 0]),
    ],
)
def test_rows_that_agree_in_any_key_are_joined_and_empty_values_join_nothing(keys: list[list[object]], expected: list[int]):
    assert joined(4, keys).tolist() == expected


def test_taking_rows_takes_their_keys_along():
    taken = rows([5, 6, 7], ["Gazette", "Herald", "Post"]).take(np.array([2, 0]))
    assert taken.story.tolist() == [7, 5]
    assert taken.keys == (["Post", "Gazette"],)
    assert (taken.dates, taken.places) == ((), ())
    later = dated(MONTHS).take(np.array([2, 0]))
    assert (later.dates, later.places) == ([MONTHS[2], MONTHS[0]], ["corpus.jsonl:3", "corpus.jsonl:1"])


def test_a_given_test_set_is_kept_and_its_copies_are_set_aside():
    test = np.array([True, False, False, False])
    corpus = rows([1, 1, 2, 2])
    assert parts(corpus, test).tolist() == ["test", "aside", "train", "train"]
    assert leaks(corpus.story, ~test, test).tolist() == [False, True, False, False]


def test_with_fewer_groups_than_folds_each_group_is_a_fold():
    found = cross_validation(rows(list(range(6)), ["Gazette", "Herald", "Post"] * 2), SplitSpec(folds=5))
    assert sorted(held.tolist() for _, held in found) == [[0, 3], [1, 4], [2, 5]]


def test_with_a_single_outlet_left_articles_are_the_groups_of_cross_validation():
    found = cross_validation(rows([0, 0, 1, 2], ["Gazette"] * 4), SplitSpec(folds=5))
    assert sorted(held.tolist() for _, held in found) == [[0, 1], [2], [3]]


def test_a_corpus_of_one_group_cannot_be_split():
    with pytest.raises(DataError, match=r"keep_together = 'near_duplicate', 'outlet' joins all 3 rows into one group"):
        split(rows([0, 1, 2], ["Gazette"] * 3), OUTLETS)


def test_a_corpus_of_one_story_cannot_be_cross_validated():
    with pytest.raises(DataError, match="needs two groups of training rows at least; all 3 rows belong together"):
        cross_validation(rows([4, 4, 4]), SPEC)


def test_a_split_that_sets_all_training_rows_aside_is_refused():
    with pytest.raises(DataError, match="the 2 rows to learn from all near-duplicate the 2 rows to test on"):
        split(rows([0, 1, 0, 1], ["Gazette", "Gazette", "Herald", "Herald"]), OUTLETS)


def test_a_fold_that_leaves_nothing_to_learn_from_is_refused():
    with pytest.raises(DataError, match="all rows near-duplicate the 2 rows of one fold"):
        cross_validation(rows([0, 1, 0, 1], ["Gazette", "Gazette", "Herald", "Herald"]), SPEC)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"test": 0}, "'test'.*0"),
        ({"test": 1}, "'test'.*1"),
        ({"folds": 1}, "'folds'.*2.*not 1"),
        ({"seed": -1}, "'seed'.*0.*not -1"),
        ({"after": "May 2024"}, "'after': must be a date such as 2024-01-31, or latest, not \"May 2024\""),
        ({"after": "2024-02-30"}, "'after': must be a date"),
        ({"after": 2024.5}, "'after': must be a date .*, not 2024.5"),
        ({"after": True}, "'after': must be a date .*, not true"),
        ({"after": "latest", "where": {"fold": 0}}, "'where', 'after' each say what to test on; keep one of them"),
        ({"after": "2024", "replay": "split.jsonl"}, "'after', 'replay' each say what to test on"),
        ({"stratify": "perhaps"}, "'stratify' must be true or false"),
        ({"where": "fold"}, "'where'.*not \"fold\""),
        ({"keep_togther": ["outlet"]}, r"unknown key 'keep_togther' \(did you mean 'keep_together'\?\)"),
    ],
)
def test_a_wrong_split_block_is_refused_by_key(tree: dict[str, object], message: str):
    with pytest.raises(ConfigError, match=message):
        SplitSpec.parse(tree, where="config.yaml")


@pytest.mark.parametrize("values", [[0, "dev"], (0, "dev"), ("0", "dev")])
def test_the_values_of_where_are_texts_however_they_are_listed(values: object):
    assert SplitSpec.parse({"where": {"fold": values, 2024: True}}, where="config.yaml").where == {"fold": ("0", "dev"), "2024": ("True",)}


@pytest.mark.parametrize("value", [2024, "2024", "2024-01", "2024-01-31", "latest", None])
def test_a_date_is_kept_as_text_and_a_year_may_be_a_number(value: object):
    assert SplitSpec.parse({"after": value}, where="config.yaml").after == (None if value is None else str(value))
