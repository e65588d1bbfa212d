"""The page of estimates: one file, whole by itself, that says what the numbers are before it says them."""

import re
from html.parser import HTMLParser

import pytest
from estimate_records import record, share

from newsclf.estimates.page import MOST, page


class Page(HTMLParser):
    """Tags that are left open, ids, links, and the text."""

    VOID = ("meta", "br", "path", "use", "link", "rect", "image")

    def __init__(self, html):
        super().__init__()
        self.open, self.ids, self.links, self.words, self.tags = [], [], [], [], []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.ids.append(values.get("id"))
        self.links += [values[name] for name in ("href", "src", "xlink:href") if name in values]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def whole():
    return page(record())


def test_the_page_is_whole_and_needs_nothing_else(whole):
    found = Page(whole)
    assert not found.open
    assert "<script" not in whole
    assert not re.search(r"https?://(?!www\.w3\.org)", whole)
    sections = {link for link in found.links if link.startswith("#") and len(link) < 16}
    assert {"#label-1", "#label-2", "#differences", "#trends", "#comparators", "#coders", "#again"} <= sections
    assert {link[1:] for link in sections} <= set(found.ids)
    assert all(link.startswith("#") for link in found.links)
    assert found.tags.count("svg") == 6
    assert page(record()) == whole


def test_what_the_number_is_stands_before_the_tables(whole):
    text = Page(whole).text
    assert text.index("that the coded articles were drawn by chance") < text.index("Counting what the model says") < text.index("The whole corpus")
    assert "40.0 % enforcement 95 %: 30.0 to 50.0 counted: 30.0 %" in text


@pytest.mark.parametrize(
    "said",
    [
        "refused: only 12 articles of this group were coded",
        "+12.5 +5.0 to +20.0 pairs of outlet, simultaneous",
        "+1.3 a quarter -1.0 to +3.0",
        "2024-04-01 +8.1 -1.0 to +3.0",
        "For comparison: needs an assumption that no audit has tested.",
        "PCC assumes: Odds are right.",
        "33.0 % 31.0 to 35.0",
        "anna enforcement whole corpus 44.0 % 40.0 to 48.0",
        "12 articles have no outlet.",
        "sha256:9f31ab44c0de77aa",
        "sha256:0123456789abcdef , 300 articles, 2 coders, stratified by outlet, 2 draws",
        "difference estimator (PPI++). Intervals: With a t distribution.",
        "enforcement 0.91",
    ],
)
def test_everything_of_the_record_is_said(whole, said):
    assert said in Page(whole).text


def test_nothing_of_a_record_becomes_markup():
    odd = "<script>alert(1)</script> & {{ 7 * 7 }} \"'"
    made = record(outlets=[odd, "B"], labels=[odd], quarters=["2024 Q1", odd], task=odd, remarks=[odd])
    made["audit"] = {**made["audit"], "design": odd}
    made["shares"] += [share(odd, {"outlet": odd, "quarter": "2024 Q2"}, None) | {"refused": odd}]
    for row in [*made["comparators"], *made["coders"]]:
        row |= {"method": odd, "assumes": odd, "coder": odd}
    html = page(made)
    assert "<script" not in html
    assert "{{ 7 * 7 }}" in html
    assert not Page(html).open


def test_sections_that_would_be_empty_are_left_out():
    made = record(shares=[share("a", {})], labels=["a"], by=[], time=None)
    for name in ("differences", "trends", "changes", "comparators", "coders", "remarks"):
        del made[name]
    found = Page(page(made))
    assert not {"differences", "trends", "comparators", "coders", "remarks"} & set(found.ids)
    assert "svg" not in found.tags
    assert "by nothing but the label" in found.text


def test_a_long_table_says_how_many_groups_are_elsewhere():
    made = record(outlets=[f"Outlet {number}" for number in range(MOST + 9)], quarters=[], labels=["a"], differences=[])
    assert "10 more groups are in the record" in Page(page(made)).text
    assert "Outlet 208" not in Page(page(made)).text


def test_other_long_tables_say_so_too():
    row = record()["comparators"][0]
    text = Page(page(record(comparators=[row] * (MOST + 3)))).text
    assert "3 more are in the record" in text
    assert "more are in the record" not in Page(page(record(comparators=[row] * 3))).text


def test_the_mark_of_shares_of_several_groups_is_told_where_it_stands(whole):
    pooled = page(record(shares=[share("a", {}) | {"pooled": True}]))
    assert "<b>40.0 %</b>*" in pooled
    assert "* estimated from the codes of several groups together" in pooled
    assert "several groups together" not in whole
