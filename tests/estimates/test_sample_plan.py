"""A plan tells how many to code before anybody codes one, with the model's help and without."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow.parquet as pq
import pytest

from newsclf.errors import InputError
from newsclf.estimates.frame import Scores
from newsclf.estimates.plan import plan_sample
from newsclf.estimates.sample import SampleSpec

BY_OUTLET = SampleSpec(n=1, by=("outlet",))


def fitting(variance: float, size: int, half_width: float) -> int:
    """How many of a finite group, by the textbook, and 30 at least where it has them."""
    endless = 1.96**2 * variance / half_width**2
    return min(max(math.ceil(endless / (1 + endless / size)), 30), size)


@pytest.mark.parametrize("half_width", [0.03, 0.1])
def test_numbers_are_those_of_the_textbook(scored, half_width):
    scores = Scores.open(scored, "color")
    table = pq.ParquetDataset([str(part) for part in scores.parts]).read(["outlet", "color.p.red"]).to_pandas()
    plan = plan_sample(scores, BY_OUTLET, half_width=half_width)
    assert [group.group for group in plan.groups] == ["Harbour Post", "Inland Mail", "Lone Star", "Valley Courier"]
    for group in plan.groups:
        red = table.loc[table["outlet"] == group.group, "color.p.red"].to_numpy(float)
        assert group.scored == len(red)
        assert group.with_model == fitting(float(np.mean(red * (1 - red))), len(red), half_width)
        assert group.without_model == fitting(float(red.mean() * (1 - red.mean())), len(red), half_width)
    assert plan.with_model == sum(group.with_model for group in plan.groups) < plan.without_model
    # of the whole corpus so many that the group that is hardest to fill has its number
    assert plan.simple == math.ceil(max(group.without_model / group.scored for group in plan.groups) * 600)


def test_it_says_what_to_code_and_what_it_leans_on(scored):
    plan = plan_sample(Scores.open(scored, "color"), BY_OUTLET, half_width=0.1)
    first, *_ = plan.text().split("\n")
    assert first == (
        f"For ±10 points on the share of every label in every outlet: code {plan.with_model} articles, drawn by group; {plan.without_model} without "
        f"the model's scores; {plan.simple} with simple random sampling and without the scores."
    )
    assert f"Lone Star{' ' * 35} {20:>9} {20:>7} {20:>18}" in plan.text().split("\n")
    assert "The numbers take the model's probabilities for right; at least 30 of a group are coded, or all of it." in plan.text()
    assert json.loads(json.dumps(plan.as_dict()))["with_model"] == plan.with_model


def test_narrower_intervals_take_more(scored):
    scores = Scores.open(scored, "things")
    numbers = [plan_sample(scores, BY_OUTLET, half_width=half_width).with_model for half_width in (0.2, 0.1, 0.05, 0.01, 0.001)]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 600


def test_the_label_that_takes_most_decides(scored):
    scores = Scores.open(scored, "things")
    of_each = [plan_sample(scores, SampleSpec(n=1, label=label), half_width=0.05).with_model for label in scores.codebook.names]
    assert plan_sample(scores, SampleSpec(n=1), half_width=0.05).with_model == max(of_each)
    assert len(set(of_each)) > 1


def test_the_whole_corpus_is_one_group(scored):
    plan = plan_sample(Scores.open(scored, "color"), SampleSpec(n=1, label="red"), half_width=0.05)
    assert [group.group for group in plan.groups] == ["all"]
    assert plan.simple == plan.without_model
    assert plan.text().startswith("For ±5 points on the share of red in the corpus: code ")


def test_stances_are_planned_of_each_target(scored):
    plan = plan_sample(Scores.open(scored, "stance"), SampleSpec(n=1), half_width=0.1)
    assert [(group.group, group.scored) for group in plan.groups] == [("bridge", 600), ("garden", 600)]


def test_many_groups_are_told_in_part(scored):
    plan = plan_sample(Scores.open(scored, "color"), SampleSpec(n=1, by=("outlet", "month", "section")), half_width=0.1)
    assert len(plan.groups) > 40
    assert f"\n… and {len(plan.groups) - 40} more groups\n" in plan.text()


@pytest.mark.parametrize("half_width", [0, -0.1, 0.5, 3, float("nan")])
def test_a_half_width_that_is_none(scored, half_width):
    with pytest.raises(InputError, match=rf"^--plan {half_width:g}: a half-width is a share, above 0 and below \.5, as 0\.03 for ±3 points\.$"):
        plan_sample(Scores.open(scored, "color"), BY_OUTLET, half_width=half_width)


def test_columns_and_labels_that_are_not_there(scored):
    scores = Scores.open(scored, "color")
    with pytest.raises(InputError, match=r"--by outlets: the scores have no column 'outlets' \(did you mean 'outlet'\?\)"):
        plan_sample(scores, SampleSpec(n=1, by=("outlets",)), half_width=0.1)
    with pytest.raises(InputError, match=r"--label Red: the task 'color' has no such label"):
        plan_sample(scores, SampleSpec(n=1, label="Red"), half_width=0.1)
