"""Every row that is read is an article to score or a row that says why not, in bounded batches, in order."""

from __future__ import annotations

from newsclf.article import Article
from newsclf.corpus.clean import Cleaner, CleanSpec
from newsclf.corpus.formats import BadRow
from newsclf.corpus.read import Columns
from newsclf.inference import rows as rows_module
from newsclf.inference.rows import Batch, batches, kept_columns

GOOD, JUNK, BAD = Article("The road is long.", place="x:1"), Article("Advertisement", place="x:2"), BadRow("x:3", "broken")


def clean(articles):
    plain, loud = Cleaner(CleanSpec()), Cleaner(CleanSpec(junk=False))
    return {"plain": [plain(article) for article in articles], "loud": [loud(article) for article in articles]}


def test_rows_are_told_apart_in_their_order():
    batch = Batch.of([BAD, GOOD, JUNK, GOOD, JUNK, BAD], clean)
    assert (batch.rows, batch.articles) == (6, [GOOD, GOOD])
    assert {key: [item.text.text for item in items] for key, items in batch.cleaned.items()} == dict.fromkeys(("plain", "loud"), [GOOD.text] * 2)
    reason = "nothing is left of the text after cleaning (removed: junk.advertisement 1)."
    assert batch.bad == [BAD, BadRow("x:2", reason), BadRow("x:2", reason), BAD]


def test_nothing_is_an_empty_batch_and_good_rows_have_no_bad_ones():
    assert Batch.of([], clean) == Batch(0, [], {"plain": [], "loud": []}, [])
    assert Batch.of([GOOD], clean).bad == []


def test_batches_are_bounded_by_rows_and_by_characters(monkeypatch):
    monkeypatch.setattr(rows_module, "ROWS", 3)
    monkeypatch.setattr(rows_module, "CHARACTERS", 100)
    short, long = Article("short"), Article("x" * 250)
    for row, sizes in ((short, [3, 3, 1]), (long, [1] * 7), (BAD, [3, 3, 1])):
        assert [len(batch) for batch in batches(iter([row] * 7))] == sizes
    assert [row for batch in batches(iter([short, long, BAD, short])) for row in batch] == [short, long, BAD, short]
    assert list(batches(iter([]))) == []


def test_a_kept_column_has_the_value_of_the_row_or_of_the_field_that_took_it():
    articles = [Article("t", title="T", id="7", extra={"x": 0, "outlet": "mine"}), Article("t")]
    found = kept_columns(articles, ["x", "headline", "nr", "outlet", "none"], Columns(title="headline", id="nr", outlet=""))
    assert found == {"x": [0, None], "headline": ["T", None], "nr": ["7", None], "outlet": ["mine", None], "none": [None, None]}
