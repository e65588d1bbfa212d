"""Cleaning: what goes, what stays, and where what stays stood in the original."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.article import Article
from newsclf.corpus.clean import Cleaner, CleanSpec

SCRAPE = """Council votes to keep the shelter open

4 Min Read

The council voted 6-3 on Tuesday to keep the shelter open through March.

- Advertisement -

An advertisement for beds ran in two languages, and no comments were made at the hearing.

8 Comments

This will close in 20 seconds"""
MASKS = CleanSpec(mask=("outlet", "byline", "dateline"), outlets=("The Harlow Courier", "Time"))


def clean(text: str, spec: CleanSpec | None = None, **fields: str):
    return Cleaner(spec or CleanSpec())(Article(text=text, **fields))


def test_junk_lines_go_and_sentences_that_mention_them_stay():
    cleaned = clean(SCRAPE)
    assert cleaned.text.text.split("\n\n") == [
        "Council votes to keep the shelter open",
        "The council voted 6-3 on Tuesday to keep the shelter open through March.",
        "An advertisement for beds ran in two languages, and no comments were made at the hearing.",
    ]
    assert sum(count for rule, count in cleaned.removed.items() if rule.startswith("junk.")) == 4


def test_junk_stays_where_the_spec_says_so():
    assert "8 Comments" in clean(SCRAPE, CleanSpec(junk=False)).text.text


def test_a_headline_alone_is_no_junk_and_a_button_alone_is():
    assert clean("WATCH: Senator walks out of the hearing room").text.text
    assert clean("4 Min Read").is_empty
    assert not clean("4 Min Read", title="Senator walks out").is_empty


@pytest.mark.parametrize(
    ("text", "expected", "counted"),
    [
        ("Cafe\u0301 owners met.\nThey left.", "Café owners met.\nThey left.", "decomposed"),
        ("Soft\u00ady and zero\u200bwidth.\nEnd.", "Softy and zerowidth.\nEnd.", "invisible"),
        ("Itâ€™s bad.\nEnd.", "It’s bad.\nEnd.", "mojibake"),
        ("A\u00a0b\tc.\r\nEnd.", "A b c.\nEnd.", None),
        ("One.\u2028Two.\x85Three.", "One.\nTwo.\nThree.", None),
    ],
)
def test_what_each_repair_gives(text, expected, counted):
    cleaned = clean(text)
    assert cleaned.text.text == expected
    assert counted is None or cleaned.removed[counted] >= 1


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.data())
def test_every_kept_span_is_found_in_the_original(text, data):
    cleaned = clean(text, CleanSpec(mojibake=False, junk=False, html=False)).text
    if not cleaned.text:
        return
    start = data.draw(st.integers(0, len(cleaned.text) - 1))
    if cleaned.text[start] == "\n":
        return
    begin, end = cleaned.original(start, start + 1)
    assert 0 <= begin < end <= len(text)
    original = text[begin:end]
    assert cleaned.text[start] == " " or cleaned.text[start] in unicodedata.normalize("NFC", original)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=120))
def test_cleaning_twice_is_cleaning_once(text):
    once = clean(text, CleanSpec(mojibake=False, html=False)).text.text
    assert clean(once, CleanSpec(mojibake=False, html=False, junk=False)).text.text == once


def test_masks_cut_byline_dateline_and_outlet():
    text = "By Ann Lee and Jo Ortiz, Staff Writers\n\nEL PASO, Texas (Agency) — A judge ruled, The Harlow Courier reported.\n\nBy noon the hall was full."
    cleaned = clean(text, MASKS, title="Judge rules - The Harlow Courier")
    assert cleaned.text.text == "A judge ruled, reported.\n\nBy noon the hall was full."
    assert cleaned.title.text == "Judge rules"
    assert cleaned.removed == {"mask.byline": 1, "mask.dateline": 1, "mask.outlet": 2}


def test_a_common_word_that_is_also_an_outlet_stays():
    assert clean("It took time. Timely, too.\nNext.", MASKS).text.text == "It took time. Timely, too.\nNext."


def test_the_articles_own_outlet_is_masked_too():
    assert "Beacon" not in clean("The Daily Beacon has learned of it.\nNext.", MASKS, outlet="Daily Beacon").text.text


PAGE = "<!doctype html><html><head><title>Rents rise</title><script>var x=1;</script></head><body><nav><a href='/'>Home</a></nav><article><h1>Rents rise</h1>{}</article></body></html>"


def test_a_page_becomes_its_text_and_offsets_point_into_that():
    pytest.importorskip("resiliparse")
    page = PAGE.format(
        "".join(f"<p>Rents rose again in ward {n}, the third time this year, tenants told the city council on Tuesday night.</p>" for n in range(5))
    )
    cleaned = clean(page)
    assert cleaned.article.title == "Rents rise"
    assert "ward 3" in cleaned.text.text
    assert "var x" not in cleaned.text.text
    at = cleaned.text.text.index("ward 3")
    begin, end = cleaned.text.original(at, at + 6)
    assert cleaned.article.text[begin:end] == "ward 3"


def test_without_the_extra_a_page_says_how_to_get_it(monkeypatch):
    from newsclf.errors import MissingExtra

    monkeypatch.setitem(__import__("sys").modules, "resiliparse", None)
    with pytest.raises(MissingExtra, match=r"newsclf\[html\]"):
        clean(PAGE.format("<p>Text.</p>"))


def test_a_text_that_merely_has_angle_brackets_is_no_page():
    assert clean("<3 was all she wrote.\nNext <b>line</b>.").text.text == "<3 was all she wrote.\nNext <b>line</b>."
