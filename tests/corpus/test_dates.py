"""Dates as scraped: what day each can mean, what is none, and where a corpus can be parted."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.corpus.dates import LATEST, later, span, spans
from newsclf.errors import DataError


def days(first: str, last: str) -> tuple[int, int]:
    return date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal()


def late(dates: list[str], after: str, share: float = 0.25) -> list[bool]:
    places = [f"corpus.jsonl:{row}" for row in range(1, len(dates) + 1)]
    found = spans(dates, places, key="split.after")
    return later(found, after, share=share, dates=dates, places=places).tolist()


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024-02-29", "2024-02-29", "2024-02-29"),
        (" 2024-02-29\n", "2024-02-29", "2024-02-29"),
        ("2024-12-31T23:59:00-05:00", "2024-12-31", "2024-12-31"),
        ("2024-12-31 23:59", "2024-12-31", "2024-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2023", "2023-01-01", "2023-12-31"),
    ],
)
def test_a_date_means_all_days_that_it_can(text: str, first: str, last: str):
    assert span(text) == days(first, last)


@pytest.mark.parametrize(
    "text", ["", "n/a", "2023-02-29", "2024-13-01", "0000-01-01", "03/04/2024", "2024-1-5", "20240105", "24-01-05", "2024-01-05 ca.", "²024", "٢٠٢٤"]
)
def test_what_is_no_date_is_not_guessed(text: str):
    assert span(text) is None


@settings(deadline=None)
@given(st.dates())
def test_every_day_is_read_as_itself_and_lies_within_its_month_and_year(day: date):
    assert span(day.isoformat()) == (day.toordinal(), day.toordinal())
    for text in (day.isoformat()[:7], day.isoformat()[:4]):
        first, last = span(text) or (1, 0)
        assert first <= day.toordinal() <= last


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=12))
def test_any_text_is_a_date_or_none(text: str):
    found = span(text)
    assert found is None or found[0] <= found[1]


def test_rows_without_a_date_are_counted_and_the_first_is_named():
    with pytest.raises(DataError, match=r'split\.after: 2 of 4 rows have no date .* the first is corpus\.jsonl:2, which has the date "May 4"'):
        late(["2024-01-01", "May 4", "2024-01-02", ""], "2024-01-02")
    with pytest.raises(DataError, match=r"1 of 2 rows .* corpus\.jsonl:2, which has none \(its column is data\.date\)"):
        late(["2024-01-01", " "], "2024-01-02")


def test_the_day_itself_is_later():
    assert late(["2024-01-01", "2024-01-02", "2024-01-03T08:00"], "2024-01-02") == [False, True, True]


def test_a_year_and_a_month_stand_for_their_first_day():
    assert late(["2023", "2024", "2023-12-31"], "2024") == [False, True, False]
    assert late(["2023-05", "2023-06", "2023-05-31"], "2023-06") == [False, True, False]


def test_a_date_that_may_lie_on_either_side_is_refused():
    with pytest.raises(DataError, match=r"2023-06-01 lies within the date of 1 of 3 rows, .* the first is corpus\.jsonl:2, dated '2023'"):
        late(["2023-05-01", "2023", "2023-07-01"], "2023-06-01")


@pytest.mark.parametrize(("after", "counts"), [("2025", "3 rows to learn from and 0 to test on"), ("2023", "0 rows to learn from and 3 to test on")])
def test_a_date_that_leaves_one_side_empty_is_refused_with_the_dates_there_are(after: str, counts: str):
    with pytest.raises(DataError, match=rf"{counts}; both are needed\. The dates go from 2023-05-01 to 2024-02-29"):
        late(["2023-05-01", "2024-02", "2023-07-01"], after)


@pytest.mark.parametrize(("share", "tested"), [(0.25, 2), (0.5, 4), (0.01, 1), (0.99, 7)])
def test_the_latest_share_is_taken_to_the_nearest_row(share: float, tested: int):
    dates = [f"2024-01-{day:02}" for day in (3, 1, 4, 8, 5, 2, 7, 6)]
    assert [dates[row] for row in np.flatnonzero(late(dates, LATEST, share))] == [text for text in dates if text > f"2024-01-{8 - tested:02}"]


def test_articles_of_one_day_are_not_parted():
    assert late(["2024-01-01"] * 3 + ["2024-01-02"] * 5, LATEST, 0.1) == [False] * 3 + [True] * 5


def test_the_latest_share_begins_where_no_year_is_broken():
    dates = ["2022-05-01", "2022-06-01", "2023", "2023-11-01", "2023-12-01"]
    assert late(dates, LATEST, 0.2) == [False, False, True, True, True]


@pytest.mark.parametrize("dates", [["2024-01-01"] * 3, ["2024", "2024-05-01", "2024-12-31"]])
def test_a_corpus_that_no_day_parts_is_refused(dates: list[str]):
    with pytest.raises(DataError, match="the 3 rows cannot be parted by date: none is certainly later than another"):
        late(dates, LATEST)


@settings(deadline=None)
@given(st.lists(st.dates(date(2020, 1, 1), date(2020, 3, 1)), min_size=2, max_size=30), st.floats(0.05, 0.95))
def test_every_test_row_is_later_than_every_other(dates: list[date], share: float):
    texts = [day.isoformat() for day in dates]
    if len(set(texts)) < 2:
        return
    test = late(texts, LATEST, share)
    assert max(day for day, inside in zip(texts, test, strict=True) if not inside) < min(
        day for day, inside in zip(texts, test, strict=True) if inside
    )
