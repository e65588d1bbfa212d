"""scripts/bench_estimates.py and scripts/simulate_estimates.py on corpora that are made here: draws, tallies, tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ["people", "said", "today", "report", "city", "week"]


@pytest.fixture(autouse=True, scope="module")
def scripts():
    """The scripts' folder, as Python has it for a script that runs there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "scripts")
        yield


def world(rows: int = 2000, *, kind: str = "exclusive"):
    from estimate_draws import World

    chance = np.random.default_rng(0)
    odds = chance.dirichlet([1, 2, 0.5], rows)
    truth = np.eye(3)[(odds.cumsum(axis=1) < chance.random((rows, 1))).sum(axis=1).clip(max=2)]
    return World(truth, odds, np.repeat(np.arange(4), rows // 4), kind)


def write_allsides(folder: Path) -> None:
    """Articles of ten outlets whose topic and bias their words tell, some of them badly."""
    chance = np.random.default_rng(0)
    columns: dict[str, list[str]] = {name: [] for name in ("id", "title", "text", "label", "outlet", "date", "bias", "source_url")}
    for row in range(900):
        topic, bias = f"topic{chance.integers(0, 12)}", ("left", "center", "right")[chance.integers(0, 3)]
        words = [*chance.choice(SHARED, 12), *[f"{topic}word"] * 2, *[f"{bias}ward"] * int(chance.random() < 0.6), f"own{row}"]
        host = f"www.paper{chance.integers(0, 10)}.example"
        values = (f"a{row}", f"About {row}", " ".join(words), topic, "unknown", f"{2015 + row % 6}-03-01", bias, host)
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    folder.mkdir()
    table = pa.table(columns)
    for part, name in enumerate(("train", "dev", "test", "rest")):
        pq.write_table(table.slice(part * 225, 225), folder / f"{name}.parquet")


def test_the_benchmark_writes_its_page(tmp_path, monkeypatch, capsys):
    import bench_estimates

    write_allsides(tmp_path / "allsides")
    page = tmp_path / "page.md"
    arguments = ["--data", str(tmp_path), "--draws", "20", "--codes", "160", "--output", str(page)]
    monkeypatch.setattr("sys.argv", ["bench_estimates.py", *arguments])
    assert bench_estimates.main() == 0
    text = page.read_text("utf-8")
    assert text in capsys.readouterr().out
    lines = text.splitlines()
    # three labels, in five groups and all together, of both tasks; three ways of each task
    assert sum(line.count("|") == 13 and line[2:].startswith(("topic", "left", "center", "right")) for line in lines) == 2 * 18
    assert sum(line.startswith(("| topic | 160 |", "| bias | 160 |")) for line in lines) == 6
    assert sum("counting said" in line for line in lines) == 2


def test_codes_are_dealt_out_by_size_and_enough_to_each():
    from estimate_draws import proportional

    assert proportional(np.array([1000, 500, 40, 20]), 200).tolist() == [100, 50, 30, 20]
    assert proportional(np.array([1000, 500, 300, 200]), 200).tolist() == [93, 47, 30, 30]
    assert proportional(np.array([1000, 500, 300, 200]), 200, least=0).tolist() == [100, 50, 30, 20]


def test_more_is_drawn_where_the_model_is_unsure():
    from estimate_draws import by_score

    made = world()
    unsure = (made.scores * (1 - made.scores)).sum(axis=1)
    rows, design = by_score(made.cells, unsure, 400, unsure=unsure)(np.random.default_rng(0))
    assert len(set(rows.tolist())) == 400
    assert np.bincount(made.cells[rows]).min() >= 30
    assert np.bincount(design.strata).min() >= 2
    assert unsure[rows].mean() > unsure.mean()
    assert design.weights.sum() == pytest.approx(2000)


@pytest.mark.parametrize("way", ["strata", "clusters"])
def test_every_row_is_drawn_as_often_as_its_weight_says(way):
    from estimate_draws import in_strata, of_clusters

    strata = np.array([0] * 10 + [1] * 20)
    draw = in_strata(strata, np.array([5, 4])) if way == "strata" else of_clusters(np.arange(30) // 3, 4)
    chance, times, weights = np.random.default_rng(0), np.zeros(30), np.zeros(30)
    for _ in range(3000):
        rows, design = draw(chance)
        times[rows] += 1
        weights[rows] = design.weights
    assert np.allclose(times / 3000, 1 / weights, atol=0.05)


def test_a_tally_counts_what_held():
    from estimate_draws import Tally, in_strata

    made = world()
    draw = in_strata(made.cells, np.full(4, 50))
    found = Tally.of(made, draw, draws=60, seed=0)
    assert found.truth.shape == (5, 3)
    assert np.allclose(found.truth[0], made.truth.mean(axis=0))
    assert 0.85 < np.nanmean(found.held) <= 1
    assert (np.abs(found.bias) < 4 * np.sqrt(found.spread / 60)).all()
    assert (found.said >= found.held * found.told - 1e-12).all()
    assert (Tally.of(made, draw, draws=60, seed=0, tuned=False).half_width[0] > found.half_width[0]).all()


def test_sections_are_written_in_place_of_their_older_selves():
    from estimate_draws import between_markers

    page = between_markers("# Page\n", "one", ["first"])
    page = between_markers(page, "two", ["second"])
    again = between_markers(page, "one", ["changed", "lines"])
    assert again == page.replace("first", "changed\nlines")
    assert between_markers(again, "one", ["first"]) == page


def test_the_simulation_writes_its_section(tmp_path, monkeypatch):
    import simulate_estimates

    monkeypatch.setattr(simulate_estimates, "MODELS", simulate_estimates.MODELS[8:10])
    page = tmp_path / "page.md"
    page.write_text("# Simulations\n", "utf-8")
    monkeypatch.setattr("sys.argv", ["simulate_estimates.py", "--draws", "10", "--codes", "200", "--output", str(page)])
    assert simulate_estimates.main() == 0
    text = page.read_text("utf-8")
    assert text.startswith("# Simulations\n\n<!-- simulate_estimates -->\n")
    assert sum(line.startswith("| 10% | 200 |") for line in text.splitlines()) == 4
    assert sum(line.startswith(("| 200 |", "| 500 |", "| 1,000 |")) for line in text.splitlines()) == 12


def test_models_of_the_simulation_are_as_accurate_and_as_right_as_is_said():
    from simulate_estimates import Model, scored

    truth = np.repeat([0.0, 1.0], [9000, 1000])
    found = scored(np.random.default_rng(0), Model(0.1, 0.85), truth)
    right = [(found[truth == 0] < 0.1).mean(), (found[truth == 1] > 0.1).mean()]
    assert right == pytest.approx([0.85, 0.85], abs=0.02)
    assert found.mean() == pytest.approx(0.1, abs=0.01)
    assert scored(np.random.default_rng(0), Model(0.1, 0.85, 1.5), truth).mean() > 0.2
