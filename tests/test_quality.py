"""What models must reach on real articles: floors on the official splits, and the real scrape read as a person would read it."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsclf
from newsclf.corpus.junk import junk_rule
from newsclf.training.experiment import Experiment
from newsclf.training.run import train

ROOT = Path(__file__).resolve().parent.parent

FLOORS = [
    ("reuters_r52", "accuracy", 0.950),
    pytest.param(
        "semeval2016_stance",
        "f_avg",
        0.670,
        marks=pytest.mark.xfail(strict=True, raises=AssertionError, reason=".667 since exclusive tasks are calibrated anew"),
    ),
    ("semeval2023_framing", "micro_f1", 0.690),
    ("gvfc", "micro_f1", 0.750),  # the first of five folds; the mean of all is in BENCHMARKS.md
    ("gvfc", "macro_f1", 0.690),
]


@pytest.mark.slow
@pytest.mark.public_data
@pytest.mark.parametrize(("name", "metric", "floor"), FLOORS)
def test_a_public_data_set_reaches_its_floor(public_data, tmp_path, name, metric, floor):
    config = ROOT / "configs" / "benchmarks" / f"{name}.yaml"
    result = train(Experiment.load(config, [f"output={tmp_path}"], data_root=public_data))
    assert result.metrics.summary[metric] >= floor


@pytest.fixture(scope="module")
def immigration(public_data, tmp_path_factory):
    """Recall and precision of immigration in real coverage, by a model of the starter corpus."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "scripts")
        import benchmark

        return list(benchmark.starter_topic(public_data, tmp_path_factory.mktemp("starter")))


@pytest.mark.slow
@pytest.mark.public_data
@pytest.mark.xfail(strict=True, raises=AssertionError, reason=".776 since exclusive tasks are calibrated anew; precision rose from .740 to .769")
def test_the_starter_corpus_teaches_what_immigration_is_in_real_coverage(immigration):
    assert immigration[0].ours >= 0.80


@pytest.mark.slow
@pytest.mark.public_data
def test_what_it_takes_for_immigration_mostly_is(immigration):
    assert immigration[1].ours >= 0.60


def test_a_real_scrape_is_read_as_a_person_would_read_it(models, public_data):
    scrape = public_data.parent / "examples" / "scraped_article.txt"
    if not scrape.is_file():
        pytest.skip(f"the real article is not at {scrape}")
    text = scrape.read_text("utf-8")
    reading = newsclf.load(models["topic"], models["framing"]).predict(text)
    assert reading["topic"].label == "immigration"
    assert {"enforcement", "human_rights"} <= set(reading["framing"].labels)
    assert sum(junk_rule(line) is not None for line in text.splitlines()) == 5
    for sentence in (*reading["topic"].evidence, *reading["framing"].evidence):
        assert text[sentence.start : sentence.end] == sentence.text
        assert junk_rule(sentence.text) is None
