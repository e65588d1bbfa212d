"""Codings, scores and the draw are put together, or it is said why they do not belong together."""

from __future__ import annotations

import json

import numpy as np
import pytest
from known_codes import codes_of

from newsclf.errors import DataError, InputError
from newsclf.estimates.audited import audited, keys_of
from newsclf.estimates.codings import AuditCodings, Coding
from newsclf.estimates.draw import audit_sample
from newsclf.estimates.exports import Design
from newsclf.estimates.frame import Scores
from newsclf.estimates.sample import AuditSample, SampleSpec
from newsclf.estimates.tally import tally


@pytest.fixture(scope="module")
def scores(scored):
    return Scores.open(scored, "color")


def put(scores, codings, by=("outlet",), **how):
    found = AuditCodings(tuple(codings), files=("coded.csv",), design=how.pop("design", {}))
    return audited(found, tally(scores, scores.groups(by), keys_of(found)), scores.codebook, drawn=how.pop("drawn", None), **how)


def coded(*numbers, coder="ada", label="red"):
    return [Coding(f"a{number}", "", coder, (label,)) for number in numbers]


def test_consensus_is_the_share_of_those_who_coded_a_row(scores):
    codings = [*coded(1, 2, 3), *coded(1, coder="bo", label="blue"), *coded(2, coder="bo"), *coded(1, coder="cy")]
    rows = put(scores, codings, by_hand=True)
    assert list(rows.votes) == ["ada", "bo", "cy"]
    assert rows.consensus == pytest.approx(np.array([[2 / 3, 1 / 3], [1, 0], [1, 0]]))
    assert np.isnan(rows.votes["cy"]).all(axis=1).tolist() == [False, True, True]


def test_rows_of_one_coder_stand_for_all_of_their_strata(scores):
    design = {f"a{number}": Design(0.1 if number < 20 else 0.5, "hard" if number < 20 else "easy") for number in range(60)}
    rows = put(scores, [*coded(*range(60)), *coded(*range(0, 60, 2), coder="bo")], design=design)
    sample, share = rows.of("bo")
    assert share == 0.5
    assert len(sample.truth) == 30
    for stratum in (0, 1):
        whole, part = (each.weights[each.strata == stratum].sum() for each in (rows.design, sample.design))
        assert part == pytest.approx(whole)
    assert sample.design.sizes.tolist() == rows.design.sizes.tolist()


def test_a_draw_of_which_some_is_not_coded_is_still_one_from_the_whole_corpus(scores, corpus_rows):
    rows = put(scores, coded(*range(100)), design={f"a{number}": Design(1.0) for number in range(100)})
    assert rows.design.weights.sum() == pytest.approx(600)
    assert rows.design.sizes.tolist() == [pytest.approx(600)]  # 100 of 600, and not 100 of 100, of which nothing were left to chance
    said = "By their inclusion probabilities the coded articles stand for 100 articles, and 600 of their groups are scored: "
    assert rows.remarks == (f"{said}they are taken for a random part of what was drawn.",)
    lone = [int(row["id"][1:]) for row in corpus_rows if row["outlet"] == "Lone Star"]
    rows = put(scores, coded(*lone), design={f"a{number}": Design(1.0) for number in lone})  # nothing else was to be drawn
    assert (rows.design.sizes.tolist(), rows.remarks) == ([20], ())
    rows = put(scores, coded(*range(100)), design={f"a{number}": Design(0.1) for number in range(100)})
    assert rows.design.weights.tolist() == [10.0] * 100
    assert rows.remarks[0].endswith("stand for 1,000 articles, and 600 are scored: see whether the column says what it should.")
    with pytest.raises(DataError, match=r"stand for 1e\+08 articles, and 600 are scored: the column holds the chance, above 0"):
        put(scores, coded(*range(100)), design={f"a{number}": Design(1e-6) for number in range(100)})


def test_columns_of_a_file_make_the_design(scores):
    design = {f"a{number}": Design(0.02 if number < 8 else 0.04, "one" if number < 8 else "two", f"c{number // 2}") for number in range(16)}
    rows = put(scores, coded(*range(16)), design=design)
    assert rows.how == "a draw of the user's own, with the inclusion probabilities of the coded file"
    assert rows.design.weights == pytest.approx([50.0] * 8 + [25.0] * 8)
    assert rows.design.sizes == pytest.approx([200, 100])  # clusters there must have been: 4 of one in fifty, 4 of one in twenty-five
    assert len(np.unique(rows.design.clusters)) == 8
    assert [rows.design.strata[0], rows.design.strata[-1]] == [0, 1]


def test_a_row_that_says_nothing_of_its_draw_is_refused(scores):
    for lacking in (Design(None, "one"), None):
        design = {"a0": Design(0.5)} | ({"a1": lacking} if lacking else {})
        with pytest.raises(DataError, match="1 of 2 coded articles have no inclusion_probability; the first is 'a1'"):
            put(scores, coded(0, 1), design=design)


def test_rows_chosen_by_hand_are_as_a_draw_from_their_groups(scores, corpus_rows):
    rows = put(scores, coded(*range(50)), by_hand=True)
    assert (rows.by_hand, rows.how) == (True, "chosen by hand")
    assert rows.design.weights.sum() == pytest.approx(sum(row["outlet"] in {row["outlet"] for row in corpus_rows[:50]} for row in corpus_rows))
    assert len(rows.remarks) == 1
    with pytest.raises(InputError, match=r"'coded\.csv': nothing says how these articles were drawn.*--by-hand"):
        put(scores, coded(0))


def test_codes_of_articles_that_are_not_scored_are_refused(scores):
    with pytest.raises(DataError, match="1 of 3 coded articles are not among the scores; the first is 'a600'"):
        put(scores, coded(1, 600, 2), by_hand=True)


def test_an_article_under_its_key_and_its_id_is_refused(scores):
    (chunk, *_) = scores.chunks(scores.groups([]))
    (place, _), *_ = chunk.keys(np.array([5]))
    with pytest.raises(DataError, match="some articles are coded under their key and under their id; keep one of the two"):
        put(scores, [*coded(5), Coding(place, "", "ada", ("red",))], by_hand=True)


def test_without_codes_there_is_no_row(scores):
    rows = put(scores, [])
    assert (rows.keys, rows.votes, len(rows.design), rows.how) == ((), {}, 0, "nothing is coded")
    assert rows.consensus.shape == rows.scores.shape == (0, 2)


def test_the_draw_of_audit_sample_is_the_design(scores, corpus_rows, tmp_path):
    audit_sample(scores, SampleSpec(n=100, by=("outlet",)), tmp_path / "audit")
    drawn = AuditSample.read(tmp_path / "audit" / "sample.json")
    known = {row["id"]: codes_of(row, "color") for row in corpus_rows}
    codings = [Coding(row.key, "", "ada", tuple(known[row.id])) for row in drawn.rows]
    rows = put(scores, codings, drawn=drawn)
    assert rows.design.weights.sum() == pytest.approx(600)
    assert rows.consensus.tolist() == [[float(label in known[row.id]) for label in ("red", "blue")] for row in drawn.rows]
    assert json.loads((tmp_path / "audit" / "sample.json").read_bytes())["rows"][0]["key"] == rows.keys[0][0]
    (chunk, *_) = scores.chunks(scores.groups([]))
    stranger = next(key for key in chunk.keys(np.arange(100)) if key not in rows.keys)
    with pytest.raises(DataError, match=f"1 of 101 coded articles were not drawn; the first is '{stranger[0]}'"):
        put(scores, [*codings, Coding(*stranger, "ada", ("red",))], drawn=drawn)
