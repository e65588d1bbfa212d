from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.article import Article
from newsclf.codebook import Codebook
from newsclf.errors import InputError, OutputError
from newsclf.estimates.sheets import CELL, SheetRow, choices, fitting, guarded, readme, unguarded, write_sheets

TOPIC = Codebook(task="topic", kind="exclusive", labels={"sport": "Games & players.", "money": 'Prices, "wages" <and> budgets.'})
FRAMES = Codebook(task="frames", kind="multi", question="Which lenses?", labels=["law", "health"])
STANCE = Codebook(task="stance", kind="exclusive", labels=["for", "against"], targets=["wall", "tax"])

ARTICLE = Article(
    "First line.\nSecond; line.", id="007", title='A "title", with commas', outlet="The Pine", date="2025-03-01", url="https://pine.example/7"
)


def sheet(folder: Path, number: int = 1) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / f"sheet-{number}.csv").read_bytes().decode("utf-8-sig"), newline="")))


def test_a_sheet_has_the_article_and_empty_cells_to_fill_in(tmp_path):
    rows = [SheetRow("corpus.parquet:2", ARTICLE), SheetRow("corpus.parquet:1", Article("Other."))]
    paths = write_sheets(tmp_path / "new", rows, TOPIC)
    assert sorted(paths) == sorted((tmp_path / "new").iterdir())
    first, second = sheet(tmp_path / "new")
    assert list(first) == ["key", "id", "title", "outlet", "date", "url", "text", "label", "coder", "note"]
    assert first == {
        "key": "corpus.parquet:2",
        "id": "007",
        "title": 'A "title", with commas',
        "outlet": "The Pine",
        "date": "2025-03-01",
        "url": "https://pine.example/7",
        "text": "First line.\nSecond; line.",
        "label": "",
        "coder": "",
        "note": "",
    }
    assert second["key"] == "corpus.parquet:1"  # the order given is kept


def test_columns_follow_the_kind_of_task(tmp_path):
    write_sheets(tmp_path / "multi", [SheetRow("a.csv:1", ARTICLE)], FRAMES)
    assert "labels" in sheet(tmp_path / "multi")[0]
    write_sheets(tmp_path / "stance", [SheetRow("a.csv:1", ARTICLE, "wall"), SheetRow("a.csv:1", ARTICLE, "tax")], STANCE)
    assert [row["target"] for row in sheet(tmp_path / "stance")] == ["wall", "tax"]


def test_the_coder_sees_nothing_of_a_model_or_of_the_draw(tmp_path):
    hidden = {"topic.label": "sport", "topic.p.sport": 0.987654, "stratum": "stratum-of-the-draw", "inclusion_probability": 0.123456}
    write_sheets(tmp_path / "a", [SheetRow("a.csv:1", Article("Words.", id="7", extra=hidden, place="somewhere:9"))], TOPIC)
    for path in (tmp_path / "a").iterdir():
        text = path.read_text("utf-8-sig")
        for secret in ("0.987654", "0.123456", "stratum-of-the-draw", "somewhere:9", "topic.p"):
            assert secret not in text, (path.name, secret)


def test_spreadsheets_and_pandas_know_the_encoding_by_its_mark(tmp_path):
    write_sheets(tmp_path / "a", [SheetRow("a.csv:1", Article("Žižek était là"))], TOPIC)
    assert (tmp_path / "a" / "sheet-1.csv").read_bytes().startswith(b"\xef\xbb\xbfkey,id")
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(tmp_path / "a" / "sheet-1.csv", dtype=str)
    assert frame.columns[0] == "key"
    assert frame.text[0] == "Žižek était là"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", '=HYPERLINK("http://x","y")', "'=1"])
def test_no_cell_is_a_formula(tmp_path, cell):
    write_sheets(tmp_path / "a", [SheetRow("a.csv:1", Article(cell, id=cell, title=cell, outlet=cell, url=cell))], TOPIC)
    (row,) = sheet(tmp_path / "a")
    for name in ("id", "title", "outlet", "url", "text"):
        assert row[name] == "'" + cell
        assert unguarded(row[name]) == cell


@pytest.mark.parametrize("cell", ["", "'Never again', they said", "plain", "1-1", "'"])
def test_other_cells_stay_as_they_are(cell):
    assert guarded(cell) == cell == unguarded(cell)


@given(st.text(alphabet="'=+-@ \t\r\nab", max_size=6))
def test_what_is_guarded_comes_back(cell):
    assert unguarded(guarded(cell)) == cell
    assert not guarded(cell).startswith(("\t", "\r", "\n"))
    assert not guarded(cell).lstrip().startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("letter", ["a", "\N{GRINNING FACE}"])
def test_a_long_text_is_cut_for_the_cell_only(tmp_path, letter):
    text = letter * (CELL + 5)
    write_sheets(tmp_path / "a", [SheetRow("a.csv:1", Article(text))], TOPIC)
    cell = sheet(tmp_path / "a")[0]["text"]
    assert len(cell.encode("utf-16-le")) // 2 <= 32_767
    assert cell.startswith(letter * 1000)
    assert f"of {len(text):,} characters" in cell
    (task,) = json.loads((tmp_path / "a" / "label-studio-1.json").read_text("utf-8"))
    assert task["data"]["text"] == text


def test_a_text_that_fits_is_not_cut():
    assert fitting("a" * CELL) == "a" * CELL


def test_label_studio_gets_tasks_and_an_interface(tmp_path):
    write_sheets(tmp_path / "a", [SheetRow("a.csv:1", ARTICLE, "wall")], STANCE, number=2)
    (task,) = json.loads((tmp_path / "a" / "label-studio-2.json").read_text("utf-8"))
    assert list(task) == ["data"]
    assert task["data"] | {"key": "a.csv:1", "article_id": "007", "target": "wall", "text": ARTICLE.text} == task["data"]
    assert "id" not in task["data"]  # JSON-MIN puts the number of the task there
    config = ET.parse(tmp_path / "a" / "label-studio-config.xml").getroot()
    texts = {tag.get("value") for tag in config.iter() if (tag.get("value") or "").startswith("$")}
    assert {name.removeprefix("$") for name in texts} <= set(task["data"])
    assert "$target" in texts


@pytest.mark.parametrize(("codebook", "name", "choice"), [(TOPIC, "label", "single"), (FRAMES, "labels", "multiple")])
def test_the_interface_offers_the_labels_of_the_codebook(tmp_path, codebook, name, choice):
    write_sheets(tmp_path / "a", [SheetRow("a.csv:1", ARTICLE)], codebook)
    config = ET.parse(tmp_path / "a" / "label-studio-config.xml").getroot()
    (tag,) = config.iter("Choices")
    text = config.find("Text")
    assert (tag.get("name"), tag.get("choice"), tag.get("toName")) == (name, choice, text.get("name"))
    assert [each.get("value") for each in tag] == list(choices(codebook))
    for each in tag:
        if each.get("value") in codebook.labels:
            assert each.get("hint") == codebook.labels[each.get("value")].definition


def test_doccano_gets_lines_and_labels(tmp_path):
    write_sheets(tmp_path / "a", [SheetRow("a.csv:1", ARTICLE), SheetRow("a.csv:2", Article("Other."))], FRAMES)
    lines = [json.loads(line) for line in (tmp_path / "a" / "doccano-1.jsonl").read_text("utf-8").splitlines()]
    assert [(line["text"], line["label"], line["key"]) for line in lines] == [(ARTICLE.text, [], "a.csv:1"), ("Other.", [], "a.csv:2")]
    labels = json.loads((tmp_path / "a" / "doccano-labels.json").read_text("utf-8"))
    assert [label["text"] for label in labels] == ["law", "health", "none", "not sure"]


def test_the_codebook_goes_with_the_sheet(tmp_path):
    write_sheets(tmp_path / "a", [SheetRow("a.csv:1", ARTICLE)], TOPIC)
    assert Codebook.load(tmp_path / "a" / "codebook.yaml") == TOPIC


def test_the_coder_is_told_what_to_do():
    topic, frames, stance = map(readme, (TOPIC, FRAMES, STANCE))
    assert 'Write exactly one label into the column "label"' in topic
    assert "sport: Games & players." in topic
    assert '"none"' not in topic
    assert 'write "none"' in frames
    assert "parted by semicolons" in frames
    assert "one target" in stance
    for text in (topic, frames, stance):
        assert 'write "not sure"' in text
        assert "Do not look up what a model" in " ".join(text.split())
        assert max(map(len, text.splitlines())) <= 100


def test_none_is_offered_only_where_it_says_something():
    assert choices(TOPIC) == ("sport", "money", "not sure")
    assert choices(Codebook(task="t", kind="multi", labels=["none", "some"])) == ("none", "some", "not sure")
    assert "none" not in choices(Codebook(task="t", kind="multi", labels=["a", "b"], min_labels=1))


def test_somebodys_work_is_not_written_over(tmp_path):
    rows = [SheetRow("a.csv:1", ARTICLE)]
    write_sheets(tmp_path, rows, TOPIC)
    write_sheets(tmp_path, rows, TOPIC)  # the same once more: nothing is lost
    coded = (tmp_path / "sheet-1.csv").read_text("utf-8").replace(",,,", ",sport,Ada,")
    (tmp_path / "sheet-1.csv").write_text(coded, "utf-8")
    with pytest.raises(OutputError, match=r"sheet-1\.csv: this file holds something else already, a coder's work"):
        write_sheets(tmp_path, rows, TOPIC)
    assert (tmp_path / "sheet-1.csv").read_text("utf-8") == coded
    write_sheets(tmp_path, [SheetRow("a.csv:2", ARTICLE)], TOPIC, number=2)
    assert sheet(tmp_path, 2)[0]["key"] == "a.csv:2"


def test_what_cannot_be_a_sheet_is_said(tmp_path):
    with pytest.raises(InputError, match="needs at least one row"):
        write_sheets(tmp_path, [], TOPIC)
    with pytest.raises(InputError, match=r"'a\.csv:1' is to be coded twice"):
        write_sheets(tmp_path, [SheetRow("a.csv:1", ARTICLE)] * 2, TOPIC)
    with pytest.raises(InputError, match="needs a target"):
        write_sheets(tmp_path, [SheetRow("a.csv:1", ARTICLE)], STANCE)
    with pytest.raises(InputError, match="has no targets; this row has the target 'wall'"):
        write_sheets(tmp_path, [SheetRow("a.csv:1", ARTICLE, "wall")], TOPIC)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        write_sheets(tmp_path / "file", [SheetRow("a.csv:1", ARTICLE)], TOPIC)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(WORDS.filter(bool), WORDS, WORDS), min_size=1, max_size=20))
def test_any_text_is_in_every_file(tmp_path_factory, texts):
    folder = tmp_path_factory.mktemp("any")
    write_sheets(folder, [SheetRow(f"a.csv:{n}", Article(text, id=i, title=title)) for n, (text, i, title) in enumerate(texts)], TOPIC)
    cells = [tuple(unguarded(row[name]) for name in ("text", "id", "title")) for row in sheet(folder)]
    tasks = [task["data"] for task in json.loads((folder / "label-studio-1.json").read_text("utf-8"))]
    lines = [json.loads(line) for line in (folder / "doccano-1.jsonl").read_text("utf-8").split("\n")[:-1]]
    assert cells == texts
    assert [(task["text"], task["article_id"], task["title"]) for task in tasks] == texts
    assert [(line["text"], line["article_id"], line["title"]) for line in lines] == texts
