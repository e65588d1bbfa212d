"""Back-tests in time: models of earlier articles on later ones, and whether they age."""

import json

import numpy as np
import pytest
from color_articles import color_rows
from studied_runs import dated, run_of

from newsclf.corpus.dates import period_name, periods
from newsclf.errors import DataError, InputError
from newsclf.training import backtest as tested_module
from newsclf.training.backtest import FEWEST, ORIGINS, _fitting, _origins, _ratio, _right, _slope, backtest

SWAP = {"red": "blue", "blue": "red"}


@pytest.fixture(scope="module")
def ageing(tmp_path_factory):
    """A run whose labels are swapped from the fifth of six months on, with three rows that have no month."""
    rows = [{**row, "labels": SWAP[row["labels"]]} if row["date"] >= "2024-05" else row for row in dated(color_rows(90), periods=6)]
    undated = [{**row, "date": date} for row, date in zip(color_rows(2, seed=5, prefix="undated-"), ("", "2024", "May 2024"), strict=False)]
    return run_of(tmp_path_factory.mktemp("ageing"), rows + undated)


@pytest.fixture(scope="module")
def aged(ageing):
    return backtest(ageing)


def test_a_change_of_meaning_is_seen_as_age(aged):
    assert (aged.period, aged.metric, aged.undated) == ("month", "accuracy", 3)
    assert aged.origins[0] == "2024-03"  # 60 rows before it
    of_first = {cell.period: cell.estimate for cell in aged.cells if cell.origin == "2024-03"}
    assert min(of_first["2024-03"], of_first["2024-04"]) > 0.8
    assert max(of_first["2024-05"], of_first["2024-06"]) < 0.2
    assert aged.slope.high < 0
    assert any(sentence.startswith("It falls with time: -") for sentence in aged.sentences())
    assert "3 rows have no date that says the month, and are left out." in aged.sentences()


def test_horizons_pool_the_cells_of_all_dates(aged):
    for ahead, rows, interval, estimate in aged.horizons:
        cells = [cell for cell in aged.cells if cell.ahead == ahead]
        assert rows == sum(cell.rows for cell in cells)
        assert estimate == pytest.approx(sum(cell.rows * cell.estimate for cell in cells) / rows)
        assert interval.low <= estimate <= interval.high


def test_what_is_written_is_what_was_found_and_twice_the_same(ageing, aged):
    first = (ageing / "decay.json").read_bytes()
    assert json.loads(first) == json.loads(json.dumps(aged.as_dict()))
    assert {"metric", "period", "horizons", "table", "slope", "undated", "sentences"} == set(json.loads(first))
    backtest(ageing, period="month")
    assert (ageing / "decay.json").read_bytes() == first


def test_the_text_has_each_horizon_each_date_and_the_sentences(aged):
    lines = aged.text().splitlines()
    assert lines[0].startswith("months ahead   rows   accuracy")
    assert sum(line.startswith("  2024-") for line in lines) == len(aged.origins)
    assert lines[-len(aged.sentences()) :] == aged.sentences()


def test_where_nothing_changes_no_age_is_shown(tmp_path):
    found = backtest(run_of(tmp_path, dated(color_rows(60), periods=4)))
    assert found.slope.low <= 0 <= found.slope.high
    assert any(sentence.startswith("That it falls with time is not shown: ") for sentence in found.sentences())


def test_one_later_period_gives_no_slope(tmp_path):
    found = backtest(run_of(tmp_path, dated(color_rows(39), periods=3)))
    assert found.slope is None
    assert any("cannot be told: no date has two months" in sentence for sentence in found.sentences())
    assert found.as_dict()["slope"] is None


def test_a_copy_of_a_later_article_is_not_learned_from(tmp_path, monkeypatch):
    rows = dated(color_rows(60), periods=4)
    rows.append({**rows[-1], "id": "copy", "date": "2024-01-01"})
    run, learned = run_of(tmp_path, rows), []
    trial = tested_module.trial

    def watched(prepared, inside, tested):
        learned.append(({prepared.every.examples[row].article.id for row in inside}, {prepared.every.examples[row].article.id for row in tested}))
        return trial(prepared, inside, tested)

    monkeypatch.setattr(tested_module, "trial", watched)
    backtest(run)
    assert learned
    for inside, tested in learned:
        assert "copy" not in inside | tested
        assert not inside & tested


@pytest.mark.parametrize(
    ("dates", "sentence"),
    [
        ([""], "dated articles of three months or more, and they are of 0"),
        (["2024-01-03", "2024-02-03"], "three months or more, and they are of 2"),
        (["2024-01-03", "2024-02-03", "2024-03-03", "2024-04-03"], rf"takes {FEWEST} dated rows before its last month, and there are 18\."),
    ],
)
def test_too_few_periods_and_too_few_rows_are_said(tmp_path, dates, sentence):
    rows = [{**row, "date": dates[at % len(dates)]} for at, row in enumerate(color_rows(12))]
    with pytest.raises(DataError, match=sentence):
        backtest(run_of(tmp_path, rows))


def test_another_period_is_named(tmp_path):
    with pytest.raises(InputError, match="the period must be one of 'month', 'quarter', 'year', 'auto', not \"week\""):
        backtest(tmp_path, period="week")


def test_the_finest_period_of_twelve_or_fewer_is_taken():
    months = [f"{year}-{month:02}-01" for year in range(2010, 2026) for month in range(1, 13)]
    assert [_fitting(months[:count]) for count in (3, 12, 13, 36, 37, 190)] == ["month", "month", "quarter", "quarter", "year", "year"]


def test_a_date_has_a_period_only_where_it_is_as_fine():
    dates = ["2024-03-31", "2024-03", "2024", "31.3.2024", "", "2024-04-01T10:00"]
    assert (periods(dates, "month") >= 0).tolist() == [True, True, False, False, False, True]
    assert (periods(dates, "year") >= 0).tolist() == [True, True, True, False, False, True]
    named = {
        period: [period_name(number, period) for number in periods(dates, period).tolist() if number >= 0] for period in ("month", "quarter", "year")
    }
    assert named == {"month": ["2024-03", "2024-03", "2024-04"], "quarter": ["2024 Q1", "2024 Q1", "2024 Q2"], "year": ["2024"] * 4}


def test_dates_to_train_up_to_are_spread_and_have_rows_before_them():
    number = np.repeat(np.arange(100, 112), 10)
    origins = _origins(number, where="run", period="month")
    assert len(origins) == ORIGINS
    assert origins[0] == 100 + FEWEST // 10
    assert origins[-1] == 111


def test_parts_add_up_to_accuracy_and_to_micro_f1():
    truth, decided = np.array([[1, 0], [0, 1], [0, 1]], bool), np.array([[1, 0], [1, 0], [0, 0]], bool)
    assert float(_ratio(_right(truth, decided, "exclusive").sum(axis=0))) == pytest.approx(1 / 3)
    assert float(_ratio(_right(truth, decided, "multi").sum(axis=0))) == pytest.approx(2 * 1 / (3 + 2))


def test_the_slope_is_that_within_dates_not_that_between_them():
    # [origins, ahead, 2]: the better model has the nearer periods alone, and both lose 0.1 a period
    sums = np.array([[[50.0, 100], [40, 100], [30, 100]], [[90, 100], [80, 100], [0, 0]]])
    assert float(_slope(sums)) == pytest.approx(-0.1)
    assert _slope(np.stack([sums, sums])).shape == (2,)
