"""What both sides of a split have in common, by hand-made cases, and the verdicts word for word."""

import numpy as np
import pytest

from newsclf.corpus.overlap import Copies, Shared, Shift, Times, shared


def exclusive(labels: str) -> np.ndarray:
    return np.array([[label == "l", label == "r"] for label in labels])


def of_column(values: list[str], truth: np.ndarray, *, train: int) -> Shared:
    ids = [f"a{row}" for row in range(len(values))]
    return shared(values, ids, truth, train=np.arange(train), test=np.arange(train, len(values)))


def test_copies_are_counted_and_the_first_training_article_is_named():
    found = Copies.find({"a3": 7, "a4": 8, "a5": 9}, {"a0": 9, "a1": 7, "a2": 7})
    assert (found.articles, found.share, found.examples) == (2, 2 / 3, (("a3", "a1"), ("a5", "a0")))
    assert str(found.verdict(3, how="as a copy")) == (
        "Inflates: Test articles that stand in training as a copy: 2 of 3 (66.7%), for example 'a3', which is 'a1' there. "
        "The model has seen their answers, which can raise accuracy by 66.7 points at most; set the training copies aside."
    )


def test_without_copies_all_is_fine():
    found = Copies.find({"a1": 1}, {"a0": 0})
    assert str(found.verdict(1, how="as a copy")) == "Fine: No test article stands in training as a copy."


def test_a_copy_among_very_many_test_articles_is_named_and_does_not_count_as_inflation():
    found = Copies.find({f"a{row}": row for row in range(1, 251)}, {"a0": 250})
    assert str(found.verdict(250, how="as a copy")) == (
        "Mind: Test articles that stand in training as a copy: 1 of 250 (0.4%), for example 'a250', which is 'a0' there. "
        "They are too few to move the score; set the training copies aside all the same."
    )


def test_an_outlet_that_gives_the_label_away_inflates():
    found = of_column(["Gazette", "Gazette", "Herald", "Herald", "Gazette", "Herald", "Post", ""], exclusive("llrr" + "lrlr"), train=4)
    assert (found.known, found.articles, found.share, found.values, found.examples) == (3, 2, 2 / 3, 2, ("Gazette", "Herald"))
    assert (found.told, found.untold) == (1.0, 0.5)
    assert str(found.verdict("outlet")) == (
        "Inflates: Test articles whose outlet stands in training: 2 of 3 (66.7%), and it gives labels away: naming the commonest training label of "
        "that outlet is right 100% of the time, the commonest of all 50%. Another outlet's articles will score lower; "
        "keep_together: [near_duplicate, outlet] tests that."
    )


def test_an_outlet_that_tells_nothing_of_the_label_is_fine():
    found = of_column(["Gazette"] * 8, exclusive("llrl" + "lrlr"), train=4)
    assert (found.share, found.told, found.untold) == (1.0, 0.5, 0.5)
    assert found.verdict("outlet").kind == "fine"


def test_outlets_that_are_all_new_are_fine_and_tell_nothing():
    found = of_column(["Gazette", "Herald", "Post", ""], exclusive("lrlr"), train=2)
    assert (found.known, found.articles, found.told, found.untold) == (1, 0, 0.0, 0.0)
    assert str(found.verdict("outlet")) == (
        "Fine: No test article has its outlet in training (1 looked at): the score is one on articles whose outlet is new."
    )


def test_of_multi_label_tasks_every_yes_or_no_counts():
    truth = np.array([[1, 1], [1, 1], [0, 0], [0, 0], [0, 0], [1, 0], [0, 0]], bool)
    found = of_column(["Rees", "Rees", "Lund", "Lund", "Lund", "Rees", "Lund"], truth, train=5)
    assert (found.told, found.untold) == (0.75, 0.75)
    found = of_column(["Rees", "Rees", "Lund", "Lund", "Lund", "Rees", "Lund"], truth | np.array([[0, 0]] * 5 + [[1, 1], [0, 0]], bool), train=5)
    assert (found.told, found.untold) == (1.0, 0.5)


def test_rows_of_one_article_are_one_article():
    found = shared(["Gazette"] * 4, ["a0", "a1", "a1", "a1"], exclusive("lrrl"), train=np.array([0]), test=np.array([1, 2, 3]))
    assert (found.known, found.articles) == (1, 1)
    assert found.told == pytest.approx(1 / 3)


def test_labels_that_shift_are_measured_beside_what_chance_does():
    found = Shift.between(exclusive("l" * 150 + "r" * 50), exclusive("l" * 50 + "r" * 150), ["left", "right"])
    assert found.train == {"left": 0.75, "right": 0.25}
    assert found.test == {"left": 0.25, "right": 0.75}
    assert found.distance == pytest.approx(0.5)
    verdict = found.verdict()
    assert verdict.kind == "mind"
    assert "total variation 0.500, about 0.040 by chance alone; 'left' most, 75.0% of the rows in training and 25.0% in the test" in verdict.text


def test_of_multi_label_tasks_the_distance_is_the_mean_of_the_labels():
    found = Shift.between(np.array([[1, 1], [0, 0]], bool), np.array([[1, 1], [0, 1]], bool), ["border", "courts"])
    assert found.distance == pytest.approx((0.0 + 0.5) / 2)
    assert found.label == "courts"


def test_the_distance_by_chance_is_that_of_splits_by_lot():
    random = np.random.default_rng(0)
    truth = np.eye(3, dtype=bool)[random.choice(3, 600, p=[0.5, 0.3, 0.2])]
    orders = [random.permutation(600) for _ in range(200)]
    found = [Shift.between(truth[order[150:]], truth[order[:150]], ["a", "b", "c"]) for order in orders]
    assert np.mean([shift.distance for shift in found]) == pytest.approx(found[0].by_chance, rel=0.15)
    assert np.mean([shift.verdict().kind == "fine" for shift in found]) > 0.9


def test_a_test_of_the_same_time_is_said_to_be_one():
    found = Times.between(["2024-01-01", "2024-03-01", "not known"], ["2024-02-01", "2024-04-01", "last week"])
    assert (found.dated, found.overlap) == (2, 0.5)
    assert str(found.verdict()) == (
        "Mind: 50.0% of the 2 dated test articles are no later than the last training article (training goes from 2024-01-01 to 2024-03-01, "
        "the test from 2024-02-01 to 2024-04-01): the score is one on articles of the same time, not on later ones; split.after tests that."
    )


def test_a_test_of_later_articles_is_fine():
    found = Times.between(["2023-01-01", "2023-02"], ["2024", "2024-05-05"])
    assert (found.train, found.test, found.overlap) == (("2023-01-01", "2023-02-28"), ("2024-01-01", "2024-12-31"), 0.0)
    assert found.verdict().kind == "fine"


@pytest.mark.parametrize(("train", "test", "who"), [("", "", "'training', 'the test'"), ("2024", "", "'the test'"), ("soon", "2024", "'training'")])
def test_without_dates_nothing_is_said_of_time_but_that(train: str, test: str, who: str):
    verdict = Times.between([train], [test]).verdict()
    assert verdict.kind == "mind"
    assert verdict.text.startswith(f"No date can be read in {who}")
