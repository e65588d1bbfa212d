"""Chance picks every article with the probability that is recorded, in each stratum, in clusters, and also where a sample was added to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from newsclf.errors import InputError
from newsclf.estimates import strata
from newsclf.estimates.frame import Chunk, Groups, Scores
from newsclf.estimates.sample import AuditSample, SampleSpec
from newsclf.estimates.strata import Draw
from newsclf.scores.allocate import allocate

MANY, SOME = 2000, 400
"""Seeds that are drawn with."""


@pytest.fixture
def kept(scored: Path, monkeypatch: pytest.MonkeyPatch) -> Scores:
    """Scores that are read once for each way to group and then held, so that thousands of draws take seconds."""
    read, held, grouped = Scores.chunks, dict[Any, Any](), dict[Any, Any]()
    named = Scores.groups

    def chunks(self: Scores, groups: Groups) -> Iterator[Chunk]:
        if groups.by not in held:
            held[groups.by] = [joined(parts) for parts in in_two(list(read(self, groups)))], dict(groups.numbers)
        groups.numbers.update(held[groups.by][1])
        yield from held[groups.by][0]

    def groups(self: Scores, by: tuple[str, ...], **how: Any) -> Groups:
        if by not in grouped:
            grouped[by] = named(self, by, **how)
        return replace(grouped[by], numbers={})

    shared: dict[Any, Any] = {}

    def allocated(*arrays: Any, **how: Any) -> Any:
        asked = repr((arrays, how))  # as many are drawn with every seed
        if asked not in shared:
            shared[asked] = allocate(*arrays, **how)
        return shared[asked]

    monkeypatch.setattr(strata, "allocate", allocated)
    monkeypatch.setattr(Scores, "chunks", chunks)
    monkeypatch.setattr(Scores, "groups", groups)
    return Scores.open(scored, "color")


def in_two(chunks: list[Chunk]) -> tuple[list[Chunk], list[Chunk]]:
    return chunks[:3], chunks[3:]


def joined(chunks: list[Chunk]) -> Chunk:
    """Several parts as one, so that a draw takes less time."""
    cells, probabilities, decided = (np.concatenate([vars(chunk)[name] for chunk in chunks]) for name in ("cells", "probabilities", "decided"))
    return Chunk(cells, probabilities, decided, pa.concat_tables([chunk.table for chunk in chunks]).combine_chunks(), chunks[0].first)


def sample_of(scores: Scores, spec: SampleSpec, before: AuditSample | None = None) -> AuditSample:
    parts, rows = Draw(scores, spec, before).rows()
    return AuditSample(scores.fingerprint, scores.model, scores.codebook.task, scores.codebook.fingerprint(), spec, parts, tuple(rows))


def rows_of(sample: AuditSample) -> set[tuple[str, str]]:
    return {(row.key, row.target) for row in sample.rows}


def counts_of(sample: AuditSample, what: str = "outlet") -> dict[str, int]:
    """Value of a column that groups → units drawn."""
    found: Counter[str] = Counter()
    for stratum in sample.strata:
        found[stratum.group[what]] += stratum.drawn
    return dict(found)


def check_frequencies(samples: list[AuditSample], units: int) -> None:
    """How often each article was drawn is what its recorded probability says, within four standard errors, and as spread as chance is."""
    times: Counter[tuple[str, str]] = Counter()
    chances: dict[tuple[str, str], set[float]] = defaultdict(set)
    for sample in samples:
        for row in sample.rows:
            times[row.key, row.target] += 1
            chances[row.key, row.target].add(sample.chance(row.stratum))
    assert len(times) == units  # everything has its chance
    assert {len(said) for said in chances.values()} == {1}  # which is the same for every seed
    certain = [key for key, said in chances.items() if said == {1.0}]
    assert all(times[key] == len(samples) for key in certain)
    chance = np.array([said for key, (said,) in ((key, tuple(said)) for key, said in chances.items()) if said < 1])
    found = np.array([times[key] for key, said in chances.items() if said != {1.0}]) / len(samples)
    away = (found - chance) / np.sqrt(chance * (1 - chance) / len(samples))
    assert np.abs(away).max() < 4
    if not samples[0].spec.clusters:  # those of a cluster move together, and there are few
        assert 0.7 < (away**2).mean() < 1.3


@pytest.mark.parametrize(
    "how",
    [
        {"by": ("outlet",), "n": 130},  # three strata of each outlet
        {"by": ("outlet",), "n": 130, "label": "red"},
        {"by": ("outlet",), "n": 60, "strata": "score"},
        {"n": 40, "strata": "group"},
        {"by": ("outlet",), "n": 140, "clusters": ("outlet", "month", "section")},
    ],
    ids=str,
)
def test_the_recorded_probability_is_the_true_one(kept, how):
    check_frequencies([sample_of(kept, SampleSpec(**how, seed=seed)) for seed in range(MANY if "label" in how else SOME)], 600)


@pytest.mark.parametrize("how", [{"by": ("outlet",)}, {"by": ("outlet",), "clusters": ("outlet", "section", "month")}], ids=str)
def test_also_where_a_sample_was_added_to(kept, how):
    samples = []
    for seed in range(SOME):
        first = sample_of(kept, SampleSpec(**how, n=120, seed=seed))
        both = sample_of(kept, SampleSpec(**how, n=220, seed=seed), first)
        assert rows_of(first) < rows_of(both)
        samples.append(both)
    check_frequencies(samples, 600)


def test_the_same_seed_draws_the_same_and_another_seed_others(kept):
    spec = SampleSpec(n=100, by=("outlet",))
    first = sample_of(kept, spec)
    assert sample_of(kept, spec) == first
    assert rows_of(sample_of(kept, spec.model_copy(update={"seed": 1}))) != rows_of(first)


@pytest.mark.parametrize("how", [{"strata": "group"}, {"by": ("outlet",), "strata": "group"}, {"strata": "score", "label": "red"}], ids=str)
def test_a_larger_sample_holds_the_smaller(kept, how):
    sizes = [sample_of(kept, SampleSpec(**how, n=n)) for n in (30, 60, 200, 599, 600)]
    for smaller, larger in pairwise(sizes):
        assert rows_of(smaller) < rows_of(larger)
    assert len(sizes[-1].rows) == 600


def test_a_sample_can_be_added_to_any_number_of_times(kept):
    # 80 are too few to cut four outlets by score, and the sum of both is enough: what was not cut stays so
    sample = sample_of(kept, SampleSpec(n=80, by=("outlet",)))
    parts = len(sample.strata)
    for n in (130, 200, 300):
        larger = sample_of(kept, SampleSpec(n=n, by=("outlet",)), sample)
        assert rows_of(sample) < rows_of(larger)
        assert len(larger.rows) == n
        sample = larger
    assert parts == len(sample.strata) == 4


def test_a_sample_whose_strata_are_gone_is_not_added_to(kept):
    sample = sample_of(kept, SampleSpec(n=130, by=("outlet",)))
    with pytest.raises(InputError, match=r"--top-up: the sample was drawn from 11 strata, and now there are 12; draw into another folder"):
        sample_of(kept, SampleSpec(n=200, by=("outlet",)), replace(sample, strata=sample.strata[:-1]))


def test_strata_hold_every_article_once(kept):
    sample = sample_of(kept, SampleSpec(n=130, by=("outlet",), label="red"))
    assert sum(stratum.units for stratum in sample.strata) == 600
    assert len(sample.strata) == 12
    bounds = [stratum.scores for stratum in sample.strata if stratum.group == {"outlet": "Harbour Post"}]
    assert (bounds[0][0], bounds[-1][1]) == (0, 1)
    assert [end for _, end in bounds[:-1]] == [start for start, _ in bounds[1:]]
    assert all(stratum.drawn >= min(2, stratum.units) for stratum in sample.strata)


def test_rows_lie_within_the_bounds_of_their_stratum(kept):
    sample = sample_of(kept, SampleSpec(n=130, by=("outlet",), label="red"))
    groups = kept.groups(("outlet",))
    said = {key[0]: float(score) for chunk in kept.chunks(groups) for key, score in zip(*every(chunk), strict=True)}
    for row in sample.rows:
        start, end = sample.strata[row.stratum].scores
        assert start - 1e-9 <= said[row.key] <= end + 1e-9


def every(chunk: Chunk) -> tuple[list[tuple[str, str]], list[float]]:
    """The keys of a part, and the probabilities of the first label."""
    return chunk.keys(np.arange(len(chunk.cells))), chunk.probabilities[:, 0].tolist()


def test_groups_get_enough_and_a_small_one_is_taken_whole(kept):
    counts = counts_of(sample_of(kept, SampleSpec(n=130, by=("outlet",))))
    assert sum(counts.values()) == 130
    assert counts["Lone Star"] == 20  # all of it
    assert min(counts.values()) == 20
    assert sorted(counts.values())[1] >= 30


def test_clusters_are_taken_whole(kept, corpus_rows):
    sample = sample_of(kept, SampleSpec(n=150, by=("outlet",), clusters=("outlet", "month", "section")))
    drawn: dict[str, set[str]] = defaultdict(set)
    for row in sample.rows:
        drawn[row.cluster].add(row.id)
    there: dict[str, set[str]] = defaultdict(set)
    for row in corpus_rows:
        there[" | ".join([row["outlet"], row["date"][:7] or "(none)", row["section"]])].add(row["id"])
    assert all(ids == there[name] for name, ids in drawn.items())
    assert sum(stratum.drawn for stratum in sample.strata) == len(drawn)
    assert sum(stratum.units for stratum in sample.strata) == len(there)
    assert all(stratum.drawn >= 2 for stratum in sample.strata)
    assert 75 < len(sample.rows) < 225  # about as many as were asked for


def test_clusters_are_not_cut_by_score_but_the_label_counts(kept):
    how = {"n": 200, "by": ("outlet",), "clusters": ("outlet", "section", "month")}
    sample = sample_of(kept, SampleSpec(**how, strata="both", label="red"))
    assert {stratum.scores for stratum in sample.strata} == {None}
    assert [row.key for row in sample_of(kept, SampleSpec(**how, strata="group", label="red")).rows] == [row.key for row in sample.rows]
    assert "the model's score" not in sample.sentence()


def test_clusters_that_n_cannot_hold_are_refused(kept):
    with pytest.raises(InputError, match=r"-n 40 articles cannot be drawn in clusters of one outlet: Harbour Post alone has 300\. Give a larger -n"):
        sample_of(kept, SampleSpec(n=40, clusters=("outlet",)))
    with pytest.raises(
        InputError, match=r"-n 40 articles .*: two of each group, for its variance, are about \d+\. Give a larger -n, or wider groups"
    ):
        sample_of(kept, SampleSpec(n=40, by=("outlet",), clusters=("outlet", "month", "section")))


def test_fewer_than_two_of_each_group_are_refused(kept):
    message = r"-n 20 is fewer than two of each group.*: give -n 5\d at least for these 2\d groups, better \d+; or group by fewer columns"
    with pytest.raises(InputError, match=message):
        sample_of(kept, SampleSpec(n=20, by=("outlet", "month")))


def test_more_than_there_are_is_all(kept):
    sample = sample_of(kept, SampleSpec(n=10_000, by=("outlet",)))
    assert len(sample.rows) == 600
    assert {sample.chance(row.stratum) for row in sample.rows} == {1.0}


@pytest.mark.parametrize("label", [None, "favor"])
def test_stances_are_drawn_of_each_target(scored, label):
    scores = Scores.open(scored, "stance")
    spec = SampleSpec(n=200, label=label).of(scores)
    assert spec.by == ("target",)
    sample = sample_of(scores, spec)
    assert sum(stratum.units for stratum in sample.strata) == 1200
    assert min(counts_of(sample, "target").values()) >= 30
    assert all(row.target == sample.strata[row.stratum].group["target"] for row in sample.rows)


def test_scores_of_several_labels_are_cut_by_what_is_unsure(scored):
    scores = Scores.open(scored, "things")
    sample = sample_of(scores, SampleSpec(n=200, by=("outlet",)))
    ends = [stratum.scores[1] for stratum in sample.strata if stratum.scores]
    assert max(ends) == pytest.approx(0.75)  # three labels of which each is open by a quarter at most
    assert sum(stratum.units for stratum in sample.strata) == 600
    assert len(sample.rows) == 200


def test_group_names_are_the_corpus_own(kept):
    sample = sample_of(kept, SampleSpec(n=200, by=("quarter", "section")))
    assert {stratum.group["quarter"] for stratum in sample.strata} == {"2025 Q1", "2025 Q2", "(none)"}
    assert {stratum.group["section"] for stratum in sample.strata} == {"A", "B"}
