"""The pure parts of scripts/bench_linear.py and its neighbours: corpora with new words, passes, rows, the table. Nothing is timed for its figure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    """The scripts' folder, as Python has it for a script that runs there."""
    monkeypatch.syspath_prepend(ROOT / "scripts")


def corpus(articles: int) -> pa.Table:
    """Articles of 30 words of which three, in half of the articles four, no other article has."""
    rows = range(articles)
    own = [" ".join(f"own{row}{part}" for part in "abcd"[: 3 + row % 2]) for row in rows]
    texts = [f"{words} {' '.join(f'shared{number}' for number in range(30 - 3 - row % 2))}" for row, words in zip(rows, own, strict=True)]
    return pa.table({"id": [f"a{row}" for row in rows], "title": ["Shared0"] * articles, "text": texts, "date": [None] * articles})


def test_growth_counts_the_words_that_the_second_half_brings():
    from bench_corpus import growth

    assert growth(["one two", "two three", "Three four five", "ONE six"]) == 3 / 2
    assert growth(corpus(40)["text"].to_pylist()) == 3.5


def test_pseudo_words_are_words_and_never_the_same():
    from bench_corpus import WORD, pseudo_word

    numbers = [*range(20_000), 10**8 - 1]
    words = [pseudo_word(number) for number in numbers]
    assert len(set(words)) == len(numbers)
    assert all(WORD.fullmatch(word) for word in words)


def test_new_words_stand_in_the_place_of_others():
    from bench_corpus import with_words

    text = "a b c\nd e f"
    changed = with_words(text, ["xx", "yy"], np.random.default_rng(0))
    assert len(changed.split(" ")) == len(text.split(" "))
    assert {"xx", "yy"} <= set(changed.split(" "))
    assert sum(old != new for old, new in zip(text.split(" "), changed.split(" "), strict=True)) == 2
    assert with_words("one", ["xx", "yy"], np.random.default_rng(0)) == "xx"
    assert with_words(text, [], np.random.default_rng(0)) == text


def test_an_inflated_corpus_repeats_the_articles_with_new_ids_and_words_at_the_rate_of_the_corpus(tmp_path, monkeypatch):
    import bench_corpus

    monkeypatch.setattr(bench_corpus, "PIECE", 7)
    source, target = corpus(40), tmp_path / "large.parquet"
    rate = bench_corpus.inflate(source, target, 130)
    large = pq.read_table(target)
    assert large.schema.equals(source.schema)
    assert pq.ParquetFile(target).num_row_groups == 19
    ids, texts = large["id"].to_pylist(), large["text"].to_pylist()
    assert len(set(ids)) == 130
    assert sorted(ids[:40]) == sorted(source["id"].to_pylist())
    assert {name.partition(".")[0] for name in ids[120:]} <= set(source["id"].to_pylist())
    assert sorted(texts[:40]) == sorted(source["text"].to_pylist())
    assert all(len(text.split()) == 30 for text in texts)
    known = {word for text in texts[:40] for word in text.split()}
    fresh = [word for text in texts[40:] for word in text.split() if word not in known]
    assert len(fresh) == len(set(fresh)) == int(130 * rate) - int(40 * rate)
    assert list(tmp_path.iterdir()) == [target]


def test_articles_of_rare_labels_are_in_no_part(tmp_path):
    from bench_corpus import COMMONEST, prepare, tasks

    folder = tmp_path / "allsides"
    folder.mkdir()
    labels = [f"topic{number}" for number in range(COMMONEST + 3) for _ in range(30 - number)] + ["rare"] * 4
    table = pa.table({"id": [str(row) for row in range(len(labels))]})
    for name in ("title", "text", "outlet", "date", "bias"):
        table = table.append_column(name, pa.array([f"{name}{row % 3}" for row in range(len(labels))]))
    for name in ("train", "dev", "test", "rest"):
        pq.write_table(table.append_column("label", pa.array(labels)), folder / f"{name}.parquet")
    prepare(tmp_path, tmp_path / "work", None)
    found = tasks(tmp_path / "work")
    assert set(found["topic"].read("train")[2]) == set(found["topic"].read("test")[2]) == set(labels) - {"rare"}
    assert found[f"topic{COMMONEST}"].codebook().names == tuple(sorted(f"topic{number}" for number in range(COMMONEST)))
    assert found["bias"].codebook().names == ("bias0", "bias1", "bias2")
    assert pq.read_metadata(tmp_path / "work" / "corpus.parquet").num_rows == 4 * len(labels)
    prepare(tmp_path, tmp_path / "cut", 100)
    assert pq.read_metadata(tmp_path / "cut" / "corpus.parquet").num_rows == 100


def test_passes_alternate_and_a_judge_keeps_what_it_says():
    from bench_measure import alternate

    calls: list[str] = []
    timed = alternate(3, {name: lambda name=name: calls.append(name) or len(calls) for name in ("a", "b")})
    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert [len(timed[name].seconds) for name in "ab"] == [3, 3]
    assert timed["b"].result == 6
    assert alternate(1, {"a": lambda: 4}, lambda result: -result)["a"].result == -4


def test_memory_of_a_command_is_that_of_its_children_too(tmp_path):
    from bench_measure import run_watched

    if not Path("/proc/self/statm").exists():
        pytest.skip("this system has no /proc")
    output = tmp_path / "done"
    child = "held = bytearray(b'x' * 100_000_000); import time; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); open(sys.argv[1], 'w').close()"
    peak = run_watched([sys.executable, "-c", parent, str(output)], output)
    assert peak is not None
    assert 100_000_000 < peak < 300_000_000
    assert not output.exists()
    with pytest.raises(subprocess.CalledProcessError):
        run_watched([sys.executable, "-c", "raise SystemExit(3)"], output)


def test_a_row_says_by_how_much_it_misses_a_goal():
    from bench_measure import Row

    assert Row("fit", "reached", "s", 1.0, 2.0, 2.0, goal=2.0, f1=(0.500, 0.502), slack=0.003).missed() == []
    slow = Row("fit", "slow", "s", 1.0, 1.5, 1.5, goal=2.0, f1=(0.50, 0.51), slack=0.003).missed()
    assert slow == [
        "fit, slow: 1.50 ×, which is 0.50 below the goal of 2 ×.",
        "fit, slow: macro-F1 0.5000, which is 0.0100 below the peer's 0.5100; 0.003 is allowed.",
    ]
    assert Row("scale", "cost", "", 1.3, 1.0, 1.3, goal=1.1, at_most=True).missed() == ["scale, cost: 1.30 ×, which is 0.20 above the goal of 1.1 ×."]
    assert Row("three", "reported", "s", 9.0, 1.0, 0.1, f1=(0.1, 0.9)).missed() == []
    assert Row("floret", "absent", "", goal=1.5).missed() == []


def test_the_report_has_a_line_a_row_its_notes_and_the_goals_that_are_missed():
    from bench_measure import Row, report

    rows = [
        Row("score", "newsclf : script", "articles/s", 12345.6, 1000.0, 12.35, goal=6.0, note="start-up included"),
        Row("scale", "memory", "MiB", 300.0, 200.0, 1.5, goal=1.15, at_most=True, note="sampled"),
        Row("floret", "words", "", note="floret is not installed: pip install floret"),
    ]
    lines = report(rows).splitlines()
    assert lines[2].split() == ["score", "newsclf", ":", "script", "12,346", "1,000", "articles/s", "12.35", ">=", "6", "1"]
    assert lines[3].split() == ["scale", "memory", "300", "200", "MiB", "1.50", "<=", "1.15", "2"]
    assert lines[4].split() == ["floret", "words", "–", "–", "3"]
    assert len({len(line) for line in lines[1:5]}) == 1
    assert lines[6:9] == ["1  start-up included", "2  sampled", "3  floret is not installed: pip install floret"]
    assert lines[10:] == ["Goals missed:", "  scale, memory: 1.50 ×, which is 0.35 above the goal of 1.15 ×."]
    assert report(rows[:1]).splitlines()[-1] == "No goal of these rows is missed."


def test_without_floret_its_rows_say_how_to_get_it(tmp_path, monkeypatch):
    import bench_linear

    monkeypatch.setattr(bench_linear, "has_floret", lambda: False)
    bench = bench_linear.Bench(tmp_path, 1, None, 1.0)
    assert [row.note for row in bench_linear.floret(bench)] == ["floret is not installed: pip install floret"] * 2


def test_times_become_ratios():
    from bench_linear import costs, faster
    from bench_measure import Timed

    row = faster("fit", "a : b", Timed([1.0, 2.0, 9.0]), Timed([5.0, 6.0, 7.0]))
    assert (row.ours, row.peer, row.ratio, row.unit) == (2.0, 6.0, 3.0, "s")
    row = faster("score", "a : b", Timed([2.0]), Timed([4.0]), articles=100)
    assert (row.ours, row.peer, row.ratio, row.unit) == (50.0, 25.0, 2.0, "articles/s")
    assert costs("cost", "s", 3.0, 2.0, note="").ratio == 1.5
    assert costs("cost", "s", 3.0, -0.1, note="noise").note == "not measured: noise"
    assert costs("memory", "MiB", float("nan"), 1.0, note="").ratio is None
