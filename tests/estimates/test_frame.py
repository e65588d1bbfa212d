"""Scored rows are streamed with the group that each is in; a folder that is not whole, or not of one model, is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from newsclf.codebook import Codebook
from newsclf.errors import DataError, InputError
from newsclf.estimates.frame import Groups, Scores


def groups_of(by, **columns):
    """The name of each row's group."""
    groups = Groups(tuple(by))
    found = groups.of(pa.table(columns))
    names = list(groups.numbers)
    return [names[number] for number in found.tolist()]


def chunks_of(scores, *by):
    groups = scores.groups(by)
    return groups, list(scores.chunks(groups))


def test_groups_are_the_values_of_columns():
    assert groups_of(["a", "b"], a=["x", "y", "x", None], b=["1", "1", "2", ""]) == [("x", "1"), ("y", "1"), ("x", "2"), ("(none)", "(none)")]
    assert groups_of([], a=["x", "y"]) == [(), ()]
    assert groups_of(["a"], a=pa.array([], pa.string())) == []
    assert groups_of(["a"], a=[1, 2, 1]) == [("1",), ("2",), ("1",)]
    assert groups_of(["a"], a=[True, None, False]) == [("True",), ("(none)",), ("False",)]


def test_groups_keep_their_numbers_from_part_to_part():
    groups = Groups(("a",))
    assert groups.of(pa.table({"a": ["x", "y"]})).tolist() == [0, 1]
    assert groups.of(pa.table({"a": ["z", "y", "x"]})).tolist() == [2, 1, 0]
    assert groups.numbers == {("x",): 0, ("y",): 1, ("z",): 2}


@pytest.mark.parametrize(
    ("period", "names"),
    [
        ("day", ["2025-05-09", "2025-05-09", "(none)", "(none)", "(none)", "(none)", "(none)"]),
        ("month", ["2025-05", "2025-05", "2025-05", "(none)", "(none)", "(none)", "(none)"]),
        ("quarter", ["2025 Q2", "2025 Q2", "2025 Q2", "(none)", "(none)", "(none)", "(none)"]),
        ("year", ["2025", "2025", "2025", "2025", "(none)", "(none)", "(none)"]),
    ],
)
def test_a_date_is_of_a_period_where_it_says_which(period, names):
    dates = ["2025-05-09", "2025-05-09T23:30:00Z", "2025-05", "2025", "09/05/2025", "", None]
    assert groups_of([period], date=dates) == [(name,) for name in names]


def test_columns_that_are_not_there_are_named_with_the_nearest(scored):
    scores = Scores.open(scored, "color")
    with pytest.raises(InputError, match=r"--by sektion: .*\(did you mean 'section'\?\); there are 'date', 'day', .*--keep sektion"):
        scores.groups(["sektion"])
    with pytest.raises(InputError, match="--by names 'outlet' twice"):
        scores.groups(["outlet", "month", "outlet"])
    with pytest.raises(InputError, match="the scores have no column 'target'"):
        scores.groups(["target"])  # of a task that has none
    with pytest.raises(InputError, match=r"the scores have no column 'color\.label'"):
        scores.groups(["color.label"])


def test_a_table_of_ones_own_names_outlets(scored, corpus_rows):
    groups = Scores.open(scored, "color").groups(["outlet"], outlets={"Lone Star": "Inland Mail"})
    chunks = list(Scores.open(scored, "color").chunks(groups))
    cells = np.concatenate([chunk.cells for chunk in chunks])
    names = list(groups.numbers)
    wanted = [row["outlet"].replace("Lone Star", "Inland Mail") for row in corpus_rows]
    assert [names[cell] for cell in cells.tolist()] == [(name,) for name in wanted]


def test_rows_come_in_the_order_of_the_corpus_with_what_the_model_says(scored, corpus_rows):
    scores = Scores.open(scored, "color")
    groups, chunks = chunks_of(scores, "section", "month")
    assert [chunk.first for chunk in chunks] == [0, 100, 200, 300, 400, 500, 600]
    assert [row for chunk in chunks for row in chunk.ids(np.arange(len(chunk.cells)))] == [row["id"] for row in corpus_rows]
    names = list(groups.numbers)
    found = [names[cell] for chunk in chunks for cell in chunk.cells.tolist()]
    assert found == [(row["section"], row["date"][:7] or "(none)") for row in corpus_rows]
    probabilities = np.concatenate([chunk.probabilities for chunk in chunks])
    decided = np.concatenate([chunk.decided for chunk in chunks])
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert (decided == (probabilities == probabilities.max(axis=1, keepdims=True))).all()


def test_of_a_stance_there_is_a_row_for_each_target(scored):
    scores = Scores.open(scored, "stance")
    groups, chunks = chunks_of(scores, "target", "outlet")
    assert sum(len(chunk.cells) for chunk in chunks) == 1200
    assert {name[0] for name in groups.numbers} == {"bridge", "garden"}
    (place, target), (same, other) = chunks[0].keys(np.array([0, 1]))
    assert place == same
    assert (target, other) == ("bridge", "garden")
    assert scores.rows == 600


def test_labels_of_a_multi_label_task_are_any_number(scored):
    scores = Scores.open(scored, "things")
    _, chunks = chunks_of(scores)
    told = pq.read_table(scores.parts[0], columns=["things.labels"])["things.labels"].to_pylist()
    assert [[label for label, given in zip(scores.codebook.names, row, strict=True) if given] for row in chunks[0].decided] == told


def test_a_row_that_the_model_abstained_on_has_no_label(scored, tmp_path):
    scores = Scores.open(scored, "color")
    table = pq.read_table(scores.parts[0])
    labels = pa.array([None, *table["color.label"].to_pylist()[1:]], pa.string())
    pq.write_table(table.set_column(table.column_names.index("color.label"), "color.label", labels), tmp_path / "part.parquet")
    _, chunks = chunks_of(replace(scores, parts=(tmp_path / "part.parquet",)))
    assert chunks[0].decided.sum(axis=1).tolist() == [0, *[1] * 99]


def test_a_part_without_a_column_has_no_values_in_it(scored, tmp_path):
    scores = Scores.open(scored, "color")
    pq.write_table(pq.read_table(scores.parts[1]).drop_columns(["section", "date"]), tmp_path / "part.parquet")
    groups, _ = chunks_of(replace(scores, parts=(scores.parts[0], tmp_path / "part.parquet")), "section", "year")
    assert set(groups.numbers) == {("A", "2025"), ("B", "2025"), ("A", "(none)"), ("B", "(none)"), ("(none)", "(none)")}


def test_a_part_that_cannot_be_read_is_named(scored, tmp_path):
    scores = Scores.open(scored, "stance")
    (tmp_path / "part-00000.parquet").write_bytes(scores.parts[0].read_bytes())
    broken = replace(scores, parts=(tmp_path / "part-00000.parquet",))
    with pytest.raises(DataError, match=r"part-00000\.parquet: this part cannot be read"):  # the table of stances is not beside it
        chunks_of(broken)
    (tmp_path / "part-00000.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"part-00000\.parquet: this part cannot be read"):
        broken.groups(["outlet"])


def test_the_task_is_named_where_there_are_several(scored):
    with pytest.raises(InputError, match="there are scores of the tasks 'color', 'things', 'stance'; say which:  --task stance"):
        Scores.open(scored)
    with pytest.raises(DataError, match=r"there are no scores of the task 'thing' \(did you mean 'things'\?\)"):
        Scores.open(scored, "thing")
    assert Scores.open(scored, codebook=Codebook(task="color", kind="exclusive", labels=["red", "blue"])).codebook.task == "color"


def test_what_was_set_aside_is_counted(scored):
    scores = Scores.open(scored, "color")
    assert (scores.rows, scores.set_aside) == (600, 1)
    assert scores.fingerprint == scores.job.fingerprint
