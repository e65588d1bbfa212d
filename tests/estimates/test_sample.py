"""What was drawn is written with its chances, read back as it was, and refused where somebody has changed it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsclf.errors import ConfigError, DataError, InputError
from newsclf.estimates.draw import audit_sample
from newsclf.estimates.frame import Scores
from newsclf.estimates.sample import SAMPLE, AuditSample, DrawnRow, SampleSpec, Stratum, column_of, same_draw, sample_beside
from newsclf.scores.survey import covariance

SPEC = SampleSpec(n=5, by=("outlet",), seed=3)


def made(sizes: list[tuple[int, int]], *, cluster_of: int = 0) -> AuditSample:
    """A sample of strata of so many units, so many of which were drawn; clusters hold so many articles."""
    strata = tuple(Stratum({"outlet": f"Outlet {number}"}, (0.0, 0.5) if number else None, *size) for number, size in enumerate(sizes))
    rows = [
        DrawnRow(f"c.jsonl:{stratum}-{unit}-{item}", f"a{stratum}-{unit}-{item}", "", stratum, f"{stratum} | {unit}" if cluster_of else "", 1)
        for stratum, (_, drawn) in enumerate(sizes)
        for unit in range(drawn)
        for item in range(cluster_of or 1)
    ]
    spec = SPEC.model_copy(update={"clusters": ("outlet", "day")}) if cluster_of else SPEC
    return AuditSample("scores", "model", "color", "codebook", spec, strata, tuple(rows))


def keys_of(sample: AuditSample) -> list[tuple[str, str]]:
    return [(row.key, row.target) for row in sample.rows]


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def samples(draw: st.DrawFn) -> AuditSample:
    """Any sample that can be: names of any script, targets, rounds."""
    sizes = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 10**9)), min_size=1, max_size=4))
    scores = st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1))
    strata = tuple(Stratum(draw(st.dictionaries(NAMES, NAMES, max_size=2)), draw(scores), drawn + more, drawn) for drawn, more in sizes)
    places = [(stratum, unit) for stratum, (drawn, _) in enumerate(sizes) for unit in range(drawn)]
    rows = tuple(
        DrawnRow(f"{draw(NAMES)}:{stratum}-{unit}", draw(NAMES), draw(NAMES), stratum, "", draw(st.integers(1, 9))) for stratum, unit in places
    )
    spec = SampleSpec(n=draw(st.integers(1, 10**6)), by=tuple(draw(st.lists(NAMES, max_size=2))), seed=draw(st.integers(0, 2**40)))
    return AuditSample(*draw(st.tuples(NAMES, NAMES, NAMES, NAMES)), spec, strata, rows)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples())
def test_a_sample_is_read_as_it_was_written(tmp_path, sample):
    sample.write(tmp_path)
    assert AuditSample.read(tmp_path / SAMPLE) == sample
    assert json.loads((tmp_path / SAMPLE).read_text("utf-8")) == json.loads(json.dumps(sample.as_dict()))


def test_every_row_is_written_with_its_chance(tmp_path):
    made([(4, 2), (3, 3)]).write(tmp_path)
    rows = json.loads((tmp_path / SAMPLE).read_text("utf-8"))["rows"]
    assert [row["inclusion_probability"] for row in rows] == [0.5, 0.5, 1, 1, 1]


def changed(where: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Sets a value of the tree, as rows.0.stratum."""

    def change(tree: dict[str, Any]) -> None:
        *path, last = [int(name) if name.isdigit() else name for name in where.split(".")]
        for name in path:
            tree = tree[name]  # type: ignore[index]
        tree[last] = value  # type: ignore[index]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed("format", 2), "its format is 2 and this newsclf reads 1"),
        (changed("rows.0.inclusion_probability", 1.5), r"the inclusion probability of 'c\.jsonl:0-0-0' is 1\.5, and its stratum says 0\.5"),
        (changed("rows.4.inclusion_probability", 0), r"of 'c\.jsonl:1-2-0' is 0, and its stratum says 1"),
        (changed("rows.1.inclusion_probability", 0.4999), "is 0.4999, and its stratum says 0.5"),
        (changed("rows.1.inclusion_probability", float("nan")), "is nan, and its stratum says 0.5"),
        (changed("rows.1.inclusion_probability", "half"), "str"),
        (changed("rows.1.stratum", 1), "stratum 0 has 1 of 4 drawn, and says 2"),
        (changed("rows.1.stratum", -1), "stratum 0 has 1 of 4 drawn, and says 2"),
        (changed("strata.0.drawn", 3), "stratum 0 has 2 of 4 drawn, and says 3"),
        (changed("strata.1.units", 2), "stratum 1 has 3 of 2 drawn, and says 3"),
        (changed("strata.1.units", 0), "stratum 1 has 3 of 0 drawn"),
        (changed("strata.1", {}), "it has no 'scores'"),
        (lambda tree: tree["strata"].pop(), "'c.jsonl:1-0-0' is of stratum 1, and there are 1"),
        (lambda tree: tree["rows"].pop(0), "stratum 0 has 1 of 4 drawn, and says 2"),
        (lambda tree: tree["rows"].append(tree["rows"][0]), "comes twice"),
        (lambda tree: tree["rows"][2].pop("inclusion_probability"), "inclusion_probability"),
        (lambda tree: tree["rows"][2].update(score=0.3), "score"),
        (lambda tree: tree.pop("model"), "model"),
        (lambda tree: tree.clear(), "format"),
    ],
)
def test_what_somebody_has_changed_is_refused(tmp_path, change, message):
    made([(4, 2), (3, 3)]).write(tmp_path)
    tree = json.loads((tmp_path / SAMPLE).read_text("utf-8"))
    change(tree)
    (tmp_path / SAMPLE).write_text(json.dumps(tree), "utf-8")
    with pytest.raises(DataError, match=r"sample\.json: this is no sample that audit-sample wrote \(.*" + message) as caught:
        AuditSample.read(tmp_path / SAMPLE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"7", b'{"format": 1}', b"\xff\xfe{", b'{"format": 1, "strata": 3}'])
def test_what_is_no_sample_is_refused(tmp_path, data):
    (tmp_path / SAMPLE).write_bytes(data)
    with pytest.raises(
        DataError, match=r"sample\.json: this is no sample that audit-sample wrote .* Copy it again, or draw again with the same seed"
    ):
        AuditSample.read(tmp_path / SAMPLE)


def test_a_spec_that_cannot_be_says_where(tmp_path):
    made([(4, 2)]).write(tmp_path)
    tree = json.loads((tmp_path / SAMPLE).read_text("utf-8"))
    tree["spec"]["strata"] = "all"
    (tmp_path / SAMPLE).write_text(json.dumps(tree), "utf-8")
    with pytest.raises(ConfigError, match=r"sample\.json.*strata"):
        AuditSample.read(tmp_path / SAMPLE)


def test_a_sample_of_other_scores_is_refused(scored):
    scores = Scores.open(scored, "color")
    sample = replace(made([(4, 2)]), scores=scores.fingerprint, codebook=scores.codebook.fingerprint())
    where = Path("audit/sample.json")
    sample.check(scores, where)
    with pytest.raises(DataError, match=r"^audit/sample\.json: this sample was drawn from other scores than .*scores holds; name the folder"):
        replace(sample, scores="others").check(scores, where)
    with pytest.raises(DataError, match=r"this sample was drawn from scores of another task than .*scores holds"):
        replace(sample, task="things").check(scores, where)
    with pytest.raises(DataError, match=r"drawn with another codebook than the scores have now; give the one it was drawn with: --codebook"):
        replace(sample, codebook="older").check(scores, where)


# what follows for the estimates


def test_the_design_is_that_of_the_draw():
    sample = made([(10, 2), (3, 3)])
    design = sample.design(keys_of(sample))
    assert design.strata.tolist() == [0, 0, 1, 1, 1]
    assert len(set(design.clusters.tolist())) == 5
    assert design.sizes.tolist() == [10, 3]
    assert design.weights.tolist() == pytest.approx([5, 5, 1, 1, 1])


def test_what_came_back_stands_for_what_did_not():
    sample = made([(10, 4), (3, 3)])
    coded = [keys_of(sample)[at] for at in (5, 0, 2)]
    design = sample.design(coded)
    assert design.strata.tolist() == [1, 0, 0]
    assert design.weights.tolist() == pytest.approx([3, 5, 5])
    assert sample.remarks(coded) == ("4 of 7 drawn articles are not coded: the coded ones stand for them, as if chance had decided which.",)
    assert sample.remarks(keys_of(sample)) == ()
    _, empty = sample.remarks(coded[1:])
    assert empty == "Of 1 strata (3 articles) nothing is coded: the others stand for them, which may be wrong; code theirs too."


def test_clusters_are_units_of_the_design():
    sample = made([(10, 2)], cluster_of=3)
    design = sample.design(keys_of(sample))
    assert np.bincount(design.clusters).tolist() == [3, 3]
    assert design.weights.tolist() == pytest.approx([5] * 6)
    # an article of one cluster did not come back: the two others of it stand for three
    part = sample.design(keys_of(sample)[1:])
    assert part.weights.tolist() == pytest.approx([7.5, 7.5, 5, 5, 5])
    spread, _ = covariance(design, np.array([[1.0], [0], [0], [-1], [0], [0]]))
    assert spread[0, 0] == pytest.approx(100 * (1 - 0.2) * 2 / 2)  # N² (1 - f) s² / n of the clusters' sums 1 and -1


def test_rows_that_were_not_drawn_are_refused():
    sample = made([(4, 2)])
    message = r"1 of 3 coded articles were not drawn; the first is 'c\.jsonl:99'\. Estimate from the drawn ones alone, .*--by-hand"
    with pytest.raises(DataError, match=message):
        sample.design([*keys_of(sample), ("c.jsonl:99", "")])


def test_how_it_was_drawn_is_a_sentence():
    assert made([(4, 2)]).sentence() == "stratified random sample of 2 articles by outlet, the model's score, seed 3"
    assert made([(4, 2)], cluster_of=2).sentence() == "stratified random sample of 2 clusters of one outlet and day with 4 articles by outlet, seed 3"
    simple = replace(made([(4, 2)]), spec=SampleSpec(n=2, strata="group"))
    assert simple.sentence() == "simple random sample of 2 articles, seed 0"
    twice = replace(simple, rows=tuple(replace(row, round=number + 1) for number, row in enumerate(simple.rows)))
    assert twice.sentence() == "simple random sample of 2 articles, in 2 rounds, seed 0"


def test_an_addition_is_drawn_the_same_way():
    same_draw(SPEC, SPEC.model_copy(update={"n": 99}))
    other = SPEC.model_copy(update={"seed": 4, "strata": "group"})
    message = (
        r'--top-up adds to a sample .* the same way: strata was "both" and is "group"; seed was 3 and is 4\. Give the same, or draw into another'
    )
    with pytest.raises(InputError, match=message):
        same_draw(SPEC, other)


def test_a_label_that_is_not_there_is_named(scored):
    codebook = Scores.open(scored, "color").codebook
    assert column_of("blue", codebook) == 1
    with pytest.raises(InputError, match=r"--label blu: the task 'color' has no such label \(did you mean 'blue'\?\); it has 'red', 'blue'\."):
        column_of("blu", codebook)


def test_the_sample_of_a_coded_sheet_lies_beside_it(scored, tmp_path):
    scores = Scores.open(scored, "color")
    drawn = audit_sample(scores, SampleSpec(n=10), tmp_path / "audit")
    assert sample_beside([tmp_path / "audit"], scores) == drawn.sample
    assert sample_beside([tmp_path / "audit" / "sheet-1.csv", tmp_path / "audit"], scores) == drawn.sample
    assert sample_beside([tmp_path / "elsewhere.csv"], scores) is None
    audit_sample(scores, SampleSpec(n=10, seed=1), tmp_path / "other")
    with pytest.raises(InputError, match=r"audit.sample\.json', '.*other.sample\.json': these are several samples; .*audit-sample --top-up"):
        sample_beside([tmp_path / "audit", tmp_path / "other" / "sheet-1.csv"], scores)
