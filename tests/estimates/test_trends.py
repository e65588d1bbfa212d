"""Slopes and changes are those of the regressions that they are made by, for every group of which enough is coded."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from newsclf.errors import InputError
from newsclf.estimates.trends import Study, changes, first_period, numbered, slopes
from newsclf.scores.estimate import Corpus, Sample
from newsclf.scores.regress import change, trend
from newsclf.scores.survey import Design

MONTHS = np.array([24300, 24301, 24302, 24303, -1, 24300, 24301])
"""Of seven cells: one outlet in four months and without a date, another in two months."""


@pytest.fixture
def study():
    """A sample of 400 of 7,000 rows, the share of whose label grows by 0.1 a month."""
    chance = np.random.default_rng(0)
    counts = np.full(7, 1000.0)
    cells = chance.integers(7, size=400)
    share = 0.2 + 0.1 * (MONTHS[cells] - 24300) * (MONTHS[cells] > 0)
    truth = (chance.random(400) < share).astype(float)[:, None]
    scores = np.clip(0.7 * truth + 0.3 * chance.random((400, 1)), 0, 1)
    sums = np.array([[scores[cells == cell].mean() * 1000] for cell in range(7)])
    return Sample(truth, scores, cells, Design.simple(400, 7000)), Corpus(counts, sums)


def lines():
    whole, one, other = np.ones(7, bool), np.arange(7) < 5, np.arange(7) >= 5
    return [({}, whole), ({"outlet": "one"}, one), ({"outlet": "other"}, other)]


def test_periods_are_numbered_whatever_their_length():
    assert numbered(["2025-01", "2025-03", "(none)"], "month").tolist() == [24300, 24302, -1]
    assert numbered(["2025 Q1", "2025 Q4", "(none)", "2026 Q1"], "quarter").tolist() == [8100, 8103, -1, 8104]
    assert numbered(["2024", "(none)", "2026"], "year").tolist() == [2024, -1, 2026]
    assert numbered(["2025-03-31", "2025-04-01", "(none)"], "day").tolist() == [date(2025, 3, 31).toordinal(), date(2025, 4, 1).toordinal(), -1]


@pytest.mark.parametrize(
    ("at", "time", "name"),
    [
        ("2025-04-01", "month", "2025-04"),
        ("2025-04", "month", "2025-04"),
        ("2025-04", "quarter", "2025 Q2"),
        ("2025-01-01", "year", "2025"),
        ("2025", "year", "2025"),
        ("2025-04-17", "day", "2025-04-17"),
    ],
)
def test_a_change_is_at_the_first_day_of_a_period(at, time, name):
    assert first_period(at, time) == numbered([name], time)[0]


@pytest.mark.parametrize(("at", "time"), [("2025-04-02", "month"), ("2025-05", "quarter"), ("2025-04-01", "year")])
def test_a_day_within_a_period_parts_nothing(at, time):
    with pytest.raises(InputError, match=rf"--change-at {at}: no {time} begins on this day; name the first day of one, or group by shorter periods"):
        first_period(at, time)


@pytest.mark.parametrize("at", ["", "01/04/2025", "April", "2025-13"])
def test_what_is_no_date_is_refused(at):
    with pytest.raises(InputError, match="write a date as 2025-04-01 or 2025-04"):
        first_period(at, "month")


def test_slopes_are_those_of_the_regression_on_the_period(study):
    sample, corpus = study
    found = list(slopes(Study(sample, corpus), lines(), MONTHS, level=0.9, label=0))
    assert [row["group"] for row in found] == [{}, {"outlet": "one"}]  # two months make no trend
    for row, (_, inside) in zip(found, lines(), strict=False):
        by_hand = trend(sample, corpus, MONTHS, inside=inside & (MONTHS >= 0))
        low, high = by_hand.interval(0.9)
        assert (row["slope"], row["low"], row["high"]) == pytest.approx((by_hand.coefficients[-1], low[-1], high[-1]))
        assert row["low"] < row["slope"] < row["high"]
        assert row["slope"] == pytest.approx(0.1, abs=0.05)


def test_changes_are_those_of_the_regression_on_before_and_after(study):
    sample, corpus = study
    found = list(changes(Study(sample, corpus), lines(), MONTHS, since=24301, level=0.95, label=0))
    assert [row["group"] for row in found] == [{}, {"outlet": "one"}, {"outlet": "other"}]
    for row, (_, inside) in zip(found, lines(), strict=True):
        by_hand = change(sample, corpus, MONTHS, 24301, inside=inside & (MONTHS >= 0))
        assert row["change"] == pytest.approx(by_hand.coefficients[-1])
        assert row["low"] < row["change"] < row["high"]


def test_groups_of_which_too_little_is_coded_have_none(study):
    sample, corpus = study
    few = Sample(sample.truth[:40], sample.scores[:40], sample.cells[:40], Design.simple(40, 7000))
    assert list(slopes(Study(few, corpus), lines()[1:], MONTHS, level=0.95, label=0)) == []
    assert list(changes(Study(sample, corpus), lines(), MONTHS, since=30000, level=0.95, label=0)) == []  # nothing comes after
