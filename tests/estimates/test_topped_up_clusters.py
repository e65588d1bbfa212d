"""A sample of clusters is added to by what was asked for, whatever sizes chance drew: else large clusters would make their own chances."""

from __future__ import annotations

from pathlib import Path

from newsclf.estimates.draw import audit_sample
from newsclf.estimates.frame import Scores
from newsclf.estimates.sample import SampleSpec


def test_how_many_are_added_does_not_hang_on_what_was_drawn(scored: Path, tmp_path: Path) -> None:
    scores, drawn = Scores.open(scored, "color"), set[tuple[int, ...]]()
    sizes = set()
    for seed in range(6):
        spec = SampleSpec(n=150, by=("outlet",), clusters=("month", "section"), seed=seed)
        first = audit_sample(scores, spec, tmp_path / str(seed))
        sizes.add(len(first.sample.rows))
        both = audit_sample(scores, spec.model_copy(update={"n": 100}), tmp_path / str(seed), top_up=True).sample
        assert both.spec.n == 250
        drawn.add(tuple(stratum.drawn for stratum in both.strata))
    assert len(sizes) > 1  # chance drew more articles with one seed than with another
    assert len(drawn) == 1  # and as many clusters of each outlet with all
