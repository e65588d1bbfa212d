"""HTML pages: which texts are one, and what is left of them."""

from __future__ import annotations

import sys

import pytest

from newsclf.corpus.html import extract_html, looks_like_html
from newsclf.errors import MissingExtra

VOTE = "The council voted six to three on Tuesday to keep the shelter open through March, after two hours of testimony from people who sleep there."
PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Council keeps shelter open - The Lamp</title><style>p {{ color: red }}</style><script>var ad = '<p>tracked</p>';</script></head>
<body>
<header><nav><ul><li><a href="/">Front page</a></li><li><a href="/sport">Sport pages</a></li></ul></nav></header>
<div class="ad advertisement"><p>Buy a truck today</p></div>
<main><article>
<h1>Council keeps
  shelter open</h1>
<p class="byline">By Ada Moss</p>
<p>{VOTE}</p>
<p>&ldquo;We &amp; they&rdquo; met, <em>at last</em>, in <a href="/hall">the hall</a>.</p>
<script>track()</script>
<h2>What happens next</h2>
<ul><li>The first winter bed opens.</li><li>The <a href="/r">rules</a> are read once more to all.</li></ul>
<p>{VOTE}</p>
<ul class="related"><li><a href="/x">Another shelter closes</a></li></ul>
<img src="a.jpg" alt="A bed by a wall">
<blockquote><p>A bed is a bed.</p></blockquote>
</article></main>
<div id="comments" class="comments"><p>First! says a reader of the page.</p></div>
<footer><p>Imprint and so on</p></footer>
</body></html>"""


@pytest.fixture(autouse=True)
def _with_the_extra() -> None:
    pytest.importorskip("resiliparse")


def test_a_page_gives_its_title_and_its_paragraphs_in_order() -> None:
    title, text = extract_html(PAGE)
    assert title == "Council keeps shelter open - The Lamp"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    assert lines == [
        *("Council keeps shelter open", "By Ada Moss", VOTE, "“We & they” met, at last, in the hall.", "What happens next"),
        *("The first winter bed opens.", "The rules are read once more to all.", VOTE, "A bed is a bed."),
    ]


@pytest.mark.parametrize(
    "left_out", ["Front page", "truck", "tracked", "track()", "color", "Another shelter", "by a wall", "says a reader", "Imprint", "<", "&amp;"]
)
def test_what_is_no_article_is_left_out(left_out: str) -> None:
    assert left_out not in extract_html(PAGE)[1]


def test_a_page_without_a_title_takes_its_heading() -> None:
    assert extract_html(f"<html><body><h1> Beds\n stay </h1><p>{VOTE}</p></body></html>") == ("Beds stay", f"Beds stay\n\n{VOTE}")


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("<p>One.</p>\n<p>Two.</p>", "One.\n\nTwo."),
        ("<div>Only <b>text</b><br>next line</div>", "Only text\nnext line"),
        ("<h2>Beds</h2><p>They stay.</p>", "Beds\n\nThey stay."),
        ("<p></p>", ""),
        ("<html></html>", ""),
    ],
)
def test_a_fragment_gives_all_of_its_text(fragment: str, text: str) -> None:
    assert looks_like_html(fragment)
    assert extract_html(fragment) == ("", text)


def test_a_list_within_a_list_stays() -> None:
    text = extract_html(f"<article><p>{VOTE}</p><ul><li>Beds<ul><li>Ten of them</li></ul></li><li>Meals</li></ul><p>{VOTE}</p></article>")[1]
    assert [line.strip() for line in text.splitlines() if line.strip()] == [VOTE, "Beds", "Ten of them", "Meals", VOTE]


@pytest.mark.parametrize(
    "text",
    [
        PAGE,
        "\ufeff" + PAGE,
        "\n\n  <!-- saved --> <!-- twice -->\n" + PAGE,
        '<?xml version="1.0" encoding="utf-8"?>\n' + PAGE,
        "<P CLASS=x>One.</P>",
        "<article data-id='4'>x</article>",
        "<figure><img></figure><p>x</p >",
        "<ul><li>x</li></ul>",
    ],
)
def test_a_page_or_fragment_is_one(text: str) -> None:
    assert looks_like_html(text)
    assert extract_html(text)[1] != ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A judge ruled.",
        "<3 was all she wrote.",
        "< 5 percent of voters, and > 2 percent of others",
        "x < y and <p>so on</p>",
        "He wrote <b>no</b>.",
        "<p> is the tag of a paragraph.",
        "<b>Bold</b> move",
        "<http://example.org> said so.</p>",
        "<prologue>x</prologue>",
        "<!-- a comment --> and a text",
        "The page said </html>.",
    ],
)
def test_a_text_that_merely_has_angle_brackets_is_none(text: str) -> None:
    assert not looks_like_html(text)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["<!-- a -->" * 5_000 + "x", "<!-- " * 5_000, "<p " * 5_000, " " * 50_000 + "x", "<p>" + "</ " * 50_000])
def test_a_hostile_text_is_answered_at_once(text: str) -> None:
    assert not looks_like_html(text)


def test_without_the_extra_a_page_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resiliparse", None)
    with pytest.raises(MissingExtra, match=r"reading an HTML page needs the package 'resiliparse'.* pip install 'newsclf\[html\]'"):
        extract_html(PAGE)


def test_without_the_extra_a_text_is_still_told_from_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resiliparse", None)
    assert looks_like_html(PAGE)
    assert not looks_like_html("A judge ruled.")
