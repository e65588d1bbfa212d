"""One pass gives the sums of every group and the rows that were asked for, however the parts are cut."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsclf.errors import InputError
from newsclf.estimates import tally as module
from newsclf.estimates.frame import Scores
from newsclf.estimates.tally import tally

COLUMNS = {"place": pa.string(), "id": pa.string(), "section": pa.string(), "color.label": pa.string()}
SCHEMA = pa.schema([*COLUMNS.items(), ("color.p.red", pa.float32()), ("color.p.blue", pa.float32())])


def cut(scores: Scores, folder: str | Path, rows: list[dict[str, object]], ends: list[int]) -> Scores:
    """The same scores, of these rows, in parts that end there."""
    paths = []
    for number, (start, end) in enumerate(zip([0, *ends], [*ends, len(rows)], strict=True)):
        paths.append(Path(folder) / f"part-{number:05}.parquet")
        pq.write_table(pa.Table.from_pylist(rows[start:end], SCHEMA), paths[-1])
    return replace(scores, parts=tuple(paths))


def row(number: int, section: str | None, red: float, label: str | None) -> dict[str, object]:
    return {"place": f"c:{number}", "id": f"a{number}", "section": section, "color.label": label, "color.p.red": red, "color.p.blue": 1 - red}


cells = st.tuples(st.sampled_from(["A", "B", None]), st.floats(0, 1, width=32), st.sampled_from(["red", "blue", None]))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(cells, min_size=1, max_size=30), st.lists(st.integers(0, 30), max_size=3))
def test_sums_do_not_depend_on_how_parts_are_cut(scored, rows, ends):
    scores = Scores.open(scored, "color")
    given = [row(number, *values) for number, values in enumerate(rows)]
    keys = [(f"c:{number}", "") for number in range(0, len(rows), 2)]
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        whole, parted = cut(scores, one, given, []), cut(scores, other, given, sorted(min(end, len(rows)) for end in ends))
        first, second = (tally(each, each.groups(["section"]), keys) for each in (whole, parted))
    assert set(first.cells) == set(second.cells)
    order = [second.cells.index(cell) for cell in first.cells]
    for name in ("counts", "sums", "squares", "decided"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name)[order], atol=1e-12)
    assert first.abstained == second.abstained == sum(label is None for _, _, label in rows)
    assert list(first.picked) == list(second.picked) == keys
    assert [found.row for found in second.picked.values()] == [int(place[2:]) for place, _ in keys]
    # and they are what adding up by hand gives
    by_hand = defaultdict[str, float](float)
    for section, red, _ in rows:
        by_hand[section or "(none)"] += red
    assert dict(zip([cell[0] for cell in first.cells], first.sums[:, 0], strict=True)) == pytest.approx(dict(by_hand), abs=1e-5)


def test_rows_are_picked_by_place_or_id_with_what_the_model_says(scored):
    scores = Scores.open(scored, "things")
    groups = scores.groups(["outlet"])
    (chunk, *_) = scores.chunks(scores.groups(["outlet"]))
    (place, _), *_ = chunk.keys(np.array([3]))
    found = tally(scores, groups, [(place, ""), ("a150", ""), ("nobody", "")])
    assert set(found.picked) == {(place, ""), ("a150", "")}
    assert (found.picked[place, ""].row, found.picked["a150", ""].row) == (3, 150)
    assert found.picked[place, ""].probabilities == pytest.approx(chunk.probabilities[3])
    assert (found.picked[place, ""].decided == chunk.decided[3]).all()
    assert found.cells[found.picked[place, ""].cell] == found.cells[int(chunk.cells[3])]


def test_rows_of_a_stance_are_picked_by_target(scored):
    scores = Scores.open(scored, "stance")
    found = tally(scores, scores.groups(["target"]), [("a7", "garden")])
    assert found.cells[found.picked["a7", "garden"].cell] == ("garden",)
    assert found.counts.tolist() == [600, 600]
    assert list(found.picked) == [("a7", "garden")]


def test_an_id_of_several_articles_is_remembered(scored, tmp_path):
    scores = Scores.open(scored, "color")
    rows = [row(number, "A", 0.5, "red") | {"id": "same"} for number in range(3)]
    parted = cut(scores, tmp_path, rows, [1])
    assert tally(parted, parted.groups([]), [("same", "")]).twice == {"same"}
    assert tally(parted, parted.groups([]), [("c:0", ""), ("c:2", "")]).twice == set()


def test_parts_without_a_row_add_nothing(scored, tmp_path):
    scores = Scores.open(scored, "color")
    rows = [row(number, "A", 0.25, "red") for number in range(4)]
    parted = cut(scores, tmp_path, rows, [0, 2, 2, 4])
    found = tally(parted, parted.groups(["section"]), look=True)
    assert (found.counts.tolist(), found.sums.tolist(), found.decided.tolist()) == ([4], [[1, 3]], [[4, 0]])
    assert found.looked is not None
    assert [len(rows) for rows in found.looked.of(np.array([[True]]))] == [4]


def test_too_many_groups_are_refused_before_they_fill_the_memory(scored, monkeypatch):
    monkeypatch.setattr(module, "MOST", 100)
    scores = Scores.open(scored, "color")
    with pytest.raises(InputError, match="--by day,outlet: these columns make more than 100 groups; group by fewer, or by longer periods"):
        tally(scores, scores.groups(["day", "outlet"]))
