"""Cleaning: what goes, what stays, and where what stays stood in the original."""

from __future__ import annotations

import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_junk import EVERY

from newsclf.article import Article
from newsclf.corpus import clean as cleaning
from newsclf.corpus import junk, steps
from newsclf.corpus.clean import PASSES, STEPS, CleanArticle, Cleaned, Cleaner, CleanSpec
from newsclf.corpus.lines import split_lines
from newsclf.corpus.mask import NEAR_TOP, Outlets
from newsclf.corpus.steps import Context, Step
from newsclf.errors import ConfigError

SCRAPE = """Council votes to keep the shelter open

4 Min Read

The council voted 6-3 on Tuesday to keep the shelter open through March.

- Advertisement -

An advertisement for beds ran in two languages, and no comments were made at the hearing.

8 Comments

This will close in 20 seconds"""
MASKS = CleanSpec(mask=("outlet", "byline", "dateline"), outlets=("The Harlow Courier", "Time"))


def clean(text: str, spec: CleanSpec | None = None, **fields: str) -> CleanArticle:
    return Cleaner(spec or CleanSpec())(Article(text=text, **fields))


def test_junk_lines_go_and_sentences_that_mention_them_stay() -> None:
    cleaned = clean(SCRAPE)
    assert cleaned.text.text.split("\n\n") == [
        "Council votes to keep the shelter open",
        "The council voted 6-3 on Tuesday to keep the shelter open through March.",
        "An advertisement for beds ran in two languages, and no comments were made at the hearing.",
    ]
    assert cleaned.removed == {"junk.reading_time": 1, "junk.advertisement": 1, "junk.comments": 1, "junk.popup": 1}


def test_junk_stays_where_the_spec_says_so() -> None:
    assert "8 Comments" in clean(SCRAPE, CleanSpec(junk=False)).text.text


def test_a_title_is_never_junk() -> None:
    cleaned = clean("Text of it.\nMore.", title="Comments")
    assert cleaned.title.text == "Comments"
    assert not cleaned.removed


def test_a_headline_alone_is_no_junk_and_a_button_alone_is() -> None:
    assert clean("WATCH: Senator walks out of the hearing room").text.text
    assert clean("4 Min Read").is_empty
    assert not clean("4 Min Read", title="Senator walks out").is_empty


def test_blank_lines_do_not_make_a_headline_less_alone() -> None:
    assert clean("\n\nWATCH: Senator walks out of the hearing room\n \n\n").text.text == "WATCH: Senator walks out of the hearing room"


REPAIRS = [
    ("Cafe\u0301 owners met.", "Café owners met.", {"decomposed": 1}),
    ("\u1112\u1161\u11ab\u1100\u1173\u11af", "한글", {"decomposed": 1}),
    ("Soft\u00ady and zero\u200bwidth.", "Softy and zerowidth.", {"invisible": 2}),
    ("\ufeffA\x00B\x07 \ufffcC", "AB C", {"invisible": 4}),
    ("\u2067שלום\u2069 \u200fעולם\u061c", "שלום עולם", {"invisible": 4}),
    ("A 👩\u200d👧 ran.", "A 👩👧 ran.", {"invisible": 1}),
    ("Itâ€™s bad.", "It’s bad.", {"mojibake": 1}),
    ("MÃ¡s de ZÃ¼rich", "Más de Zürich", {"mojibake": 1}),
    ("\u00a0ÐœÐ¾Ñ\x81ÐºÐ²Ð°", "Москва", {"mojibake": 1}),
    ("VoilÃ\u00a0", "Voilà", {"mojibake": 1}),
    ("e\u200b\u0301", "é", {"invisible": 1, "decomposed": 1}),
    ("A\u00a0b\tc\u2009d\u3000e\x1ff.", "A b c d e f.", {}),
    ("  indented \t", "indented", {}),
    ("“Curly” — and … fine", "“Curly” — and … fine", {}),
    ("Ünïcödé is good text", "Ünïcödé is good text", {}),
]


@pytest.mark.parametrize(("text", "expected", "removed"), REPAIRS)
def test_a_line_is_repaired_and_what_was_done_is_counted(text: str, expected: str, removed: dict[str, int]) -> None:
    cleaned = clean(f"{text}\nEnd.")
    assert cleaned.text.text == f"{expected}\nEnd."
    assert cleaned.removed == removed


@pytest.mark.parametrize(("text", "expected", "removed"), REPAIRS)
def test_a_title_is_repaired_as_well(text: str, expected: str, removed: dict[str, int]) -> None:
    cleaned = clean("Text.\nEnd.", title=text)
    assert cleaned.title.text == expected
    assert cleaned.removed == removed


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029", "\x0b", "\x0c"])
def test_every_line_break_becomes_a_newline_and_none_ends_the_text(line_break: str) -> None:
    assert clean(line_break.join(["One.", "Two.", "", "", "Three.", ""])).text.text.rstrip("\n") == "One.\nTwo.\n\nThree."
    assert not clean(line_break.join(["One.", "Two.", ""])).text.text.endswith("\n")


def test_mojibake_stays_where_the_spec_says_so() -> None:
    assert clean("Itâ€™s bad.\nEnd.", CleanSpec(mojibake=False)).text.text == "Itâ€™s bad.\nEnd."


def test_the_evidence_of_a_repaired_line_is_the_line() -> None:
    text = "First.\n\n\tItâ€™s bad.\nEnd."
    cleaned = clean(text).text
    at = cleaned.text.index("bad")
    begin, end = cleaned.original(at, at + 3)
    assert text[begin:end] == "\tItâ€™s bad."


def test_what_is_removed_is_counted_for_title_and_text_together() -> None:
    cleaned = clean("A\u200b b\u200b.\n8 Comments\nEnd.", title="C\u200b")
    assert cleaned.removed == {"invisible": 3, "junk.comments": 1}
    assert cleaned.title.removed == {"invisible": 1}


# words and characters as they come out of PDFs, editors, phones and wrong decoders
ODD = [
    *(
        "e\u0301",
        "\u1112\u1161\u11ab",
        "가\u11a8",
        "\u00ad",
        "\u200b",
        "\u200d",
        "\ufeff",
        "\u2067",
        "\u00a0",
        "\t",
        "\u3000",
        "Itâ€™s",
        "ZÃ¼rich",
        "Å\u0327",
    ),
    *(
        "\r\n",
        "\n",
        "\n\n",
        "\x85",
        "\u2028",
        "\x0c",
        "👩\u200d👧",
        "עברית",
        "العربية",
        "日本",
        "Москва",
        "\u0b47\u0b56",
        "\ufb1d",
        " ",
        ". ",
        "He said. ",
        "8 Comments",
    ),
]
texts = st.lists(st.sampled_from(ODD) | st.text(max_size=6), max_size=25).map("".join)


def visible(text: str) -> str:
    """What cleaning should leave of a piece of one line, found in another way: by category."""
    gone = {character for character in text if unicodedata.category(character) in {"Cc", "Cf"} and not character.isspace()} | {"\ufffc"}
    kept = [character for character in text if character not in gone]
    return unicodedata.normalize("NFC", "".join(" " if character.isspace() else character for character in kept))


@settings(max_examples=200, deadline=None)
@given(texts, st.data())
@example("ab\r\n\r\n  Cafe\u0301 \u00adhere\u2028x", None)
@example("\u00a0\u0b47\u0b56e\u0301", None)
def test_every_span_of_a_line_is_found_in_the_original(text: str, data: st.DataObject | None) -> None:
    cleaned = clean(text, CleanSpec(html=False)).text
    at = 0
    for line in cleaned.lines:
        start, end = at, at + len(line.text)
        at = end + 1
        if not line.text:
            continue
        begin, stop = cleaned.original(start, end)
        if line.repaired:
            assert (begin, stop) == (line.start, line.end)
            continue
        assert visible(text[begin:stop]) == visible(line.text)
        if data is not None:
            start = data.draw(st.integers(start, end - 1))
            end = data.draw(st.integers(start + 1, end))
        begin, stop = cleaned.original(start, end)
        assert 0 <= begin < stop <= len(text)
        assert visible(cleaned.text[start:end]) in visible(text[begin:stop])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Top.\r\n\r\nThe cafe\u0301 was\u00a0full.", "café"),
        ("Top.\x85The co\u00adop was full.", "coop"),
        ("Top.\u2028\t The zero\u200bwidth\u200b one.", "zerowidth"),
        ("Top.\n8 Comments\n\n  The \u1112\u1161\u11ab\u1100\u1173\u11af school.", "한글"),
        ("\u200fTop.\n\u2067The שלום\u2069 sign.", "שלום"),
        ("Top. 👩\u200d👧 The 👍🏽 sign.", "👍🏽"),
    ],
)
def test_a_word_is_found_where_it_stood(text: str, word: str) -> None:
    cleaned = clean(text).text
    at = cleaned.text.index(word)
    begin, end = cleaned.original(at, at + len(word))
    assert visible(text[begin:end]) == word
    assert text[begin - 1] in " \t\u200f\u2067"


@settings(max_examples=200, deadline=None)
@given(texts)
@example(" \u00a0â\x80¦\n")
@example("ab\u200b‚Äî \u2067\nx")
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean(text, CleanSpec(html=False)).text.text
    assert clean(once, CleanSpec(html=False)).text.text == once
    assert unicodedata.is_normalized("NFC", once)
    assert once == once.strip()


@pytest.mark.parametrize("junk", ["", "Skip to main content\n\nShare on Facebook\n\n4 Min Read\n\n- Advertisement -\n\n"])
def test_masks_cut_byline_dateline_and_outlet_however_much_junk_stands_above(junk: str) -> None:
    text = "By Ann Lee and Jo Ortiz, Staff Writers\n\nEL PASO, Texas (Agency) — A judge ruled, The Harlow Courier reported.\n\nBy noon the hall was full."
    cleaned = clean(junk + text, MASKS, title="Judge rules - The Harlow Courier")
    assert cleaned.text.text == "A judge ruled, reported.\n\nBy noon the hall was full."
    assert cleaned.title.text == "Judge rules"
    assert {rule: count for rule, count in cleaned.removed.items() if rule.startswith("mask.")} == {
        "mask.byline": 1,
        "mask.dateline": 1,
        "mask.outlet": 2,
    }


@pytest.mark.parametrize("spec", [CleanSpec(), CleanSpec(mask=("outlet",))])
def test_a_mask_that_was_not_asked_for_cuts_nothing(spec: CleanSpec) -> None:
    assert clean("By Ann Lee\n\nEL PASO — A judge ruled.", spec).text.text == "By Ann Lee\n\nEL PASO — A judge ruled."


def test_far_from_the_top_a_byline_is_a_line() -> None:
    text = "\n\n".join([f"Paragraph {number}." for number in range(NEAR_TOP)])
    assert clean(f"{text}\n\nBy Ann Lee", MASKS).text.text.endswith("By Ann Lee")
    assert clean(f"{text}\n\nROME — A judge ruled.", MASKS).text.text.endswith("ROME — A judge ruled.")


def test_a_masked_paragraph_is_found_where_its_words_stood() -> None:
    text = "EL PASO, Texas (Agency) — A judge, The Harlow Courier said, ruled."
    cleaned = clean(f"{text}\nEnd.", MASKS).text
    assert cleaned.text == "A judge, said, ruled.\nEnd."
    assert cleaned.original(0, 7) == (text.index("A judge"), text.index("A judge") + 7)
    assert text[slice(*cleaned.original(0, 13))] == "A judge, The Harlow Courier said"


def test_a_common_word_that_is_also_an_outlet_stays() -> None:
    assert clean("It took time. Timely, too.\nNext.", MASKS).text.text == "It took time. Timely, too.\nNext."


@pytest.mark.parametrize("outlet", ["Daily Beacon", "The Daily Beacon"])
def test_the_articles_own_outlet_is_masked_too(outlet: str) -> None:
    assert clean("The Daily Beacon has learned of it.\nNext.", MASKS, outlet=outlet).text.text == "has learned of it.\nNext."
    assert "Beacon" in clean("The Daily Beacon has learned of it.\nNext.", CleanSpec(), outlet=outlet).text.text


PAGE = (
    "<!doctype html><html><head><title>Rents rise</title><script>var x=1;</script></head>"
    "<body><nav><a href='/'>Home</a></nav><article><h1>Rents rise</h1>{}</article></body></html>"
)


def test_a_page_becomes_its_text_and_offsets_point_into_that() -> None:
    pytest.importorskip("resiliparse")
    ward = "<p>Rents rose again in ward {}, the third time this year, tenants told the city council on Tuesday night.</p>"
    cleaned = clean(PAGE.format("".join(ward.format(number) for number in range(5))))
    assert cleaned.article.title == "Rents rise"
    assert "var x" not in cleaned.text.text
    at = cleaned.text.text.index("ward 3")
    assert cleaned.article.text[slice(*cleaned.text.original(at, at + 6))] == "ward 3"


def test_a_title_that_came_with_the_article_is_kept() -> None:
    pytest.importorskip("resiliparse")
    assert clean(PAGE.format("<p>Text.</p>"), title="Rents").title.text == "Rents"


def test_a_page_stays_a_page_where_the_spec_says_so() -> None:
    assert clean(PAGE.format("<p>Text.</p>"), CleanSpec(html=False)).text.text.startswith("<!doctype html>")


def test_a_text_that_merely_has_angle_brackets_is_no_page() -> None:
    assert clean("<3 was all she wrote.\nNext <b>line</b>.").text.text == "<3 was all she wrote.\nNext <b>line</b>."


def test_one_cleaner_gives_the_same_answer_whatever_it_cleaned_before() -> None:
    cleaner = Cleaner(MASKS)
    first = cleaner(Article(text=SCRAPE, outlet="Daily Beacon"))
    cleaner(Article(text="By Ann Lee\nThe Daily Beacon.", outlet="The Other"))
    assert cleaner(Article(text=SCRAPE, outlet="Daily Beacon")) == first


def test_cleaning_by_rules_of_another_number_is_refused():
    with pytest.raises(ConfigError, match="'rules' must be 1, not 2"):
        CleanSpec.parse({"rules": 2}, where="a bundle")


def step_by_step(text: str, table: list[Step], outlets: Outlets) -> Cleaned:
    """What cleaning is, whatever is spared: every line through every step."""
    given = split_lines(text)
    context = Context(outlets, Counter(), alone=sum(bool(line.text.strip()) for line in given) == 1)
    lines = []
    for line in given:
        kept = cleaning._through(line, [table] * PASSES, context)
        if kept is not None:
            lines.append(kept)
            context.above += bool(kept.text)
    return Cleaned.of(lines, +context.removed)


def reference(article: Article, spec: CleanSpec) -> CleanArticle:
    """An article, no page, cleaned step by step."""
    outlets = Outlets((*spec.outlets, article.outlet) if article.outlet else spec.outlets)
    table = [entry.step for entry in STEPS if entry.wanted(spec)]
    of_titles = [step for step in table if step not in cleaning._TEXT_ONLY]
    return CleanArticle(article, step_by_step(article.title, of_titles, outlets), step_by_step(article.text, table, outlets))


HOSTILE = [
    *ODD,
    *("\r", "\n\n\n", "\r\n\r\n", "\u2029", "\x1c", "\x0b", "\ud83d", "\udc69", "\U00016d67", "\u0130", "\u212a", "“", "”", "—", "\x7f", "\x85\n"),
    *(
        "\nBy Ann Lee\n",
        "EL PASO, Texas (Agency) — ",
        "ROME — ",
        "(CNN) ",
        "The Harlow Courier",
        " - Time",
        "Daily Beacon’s ",
        "\n - Advertisement -\n",
    ),
    *("A judge ruled on Tuesday that the shelter may stay open.\n", "The council voted.\n\n", "â€™", "â\x80\x9c", "Â ", "œ", "x" * 150),
]
lines_of_junk = st.sampled_from(EVERY).map(lambda line: f"\n{line}\n")
hostile = st.lists(st.sampled_from(HOSTILE) | lines_of_junk | st.text(max_size=3), max_size=20).map("".join)
articles = st.builds(Article, text=hostile, title=hostile, outlet=st.sampled_from(["", "Daily Beacon", "The Harlow Courier"]))
specs = st.builds(
    CleanSpec,
    html=st.just(False),
    mojibake=st.booleans(),
    junk=st.booleans(),
    mask=st.sets(st.sampled_from(["outlet", "byline", "dateline"])).map(tuple),
    outlets=st.sampled_from([(), MASKS.outlets]),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(articles, max_size=5), specs, st.booleans(), st.randoms(use_true_random=False))
@example([Article(text="\n\nOne.\r\n\r\n4 Min Read\n\nTwo.\n\n\nThree.\u2028", title=" A ")], CleanSpec(), True, None)
@example([Article(text="One.\n\n4 Min Read\nTwo."), Article(text=""), Article(text="One.\n4 Min Read\n\n8 Comments\nTwo.")], CleanSpec(), True, None)
@example(
    [Article(text="By Ann Lee\nROME — A judge ruled on it.\nThe council voted.")], CleanSpec(html=False, mask=("byline", "dateline")), True, None
)
@example([Article(text=" \nThe Harlow Courier - Sign up for our free daily newsletter")], MASKS, True, None)
def test_cleaning_many_at_once_is_cleaning_each_line_step_by_step(some: list[Article], spec: CleanSpec, all_at_once: bool, random: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(junk, "ENOUGH", 0 if all_at_once else junk.ENOUGH)
        found = Cleaner(spec).clean(some)
    assert len(found) == len(some)
    for article, cleaned in zip(some, found, strict=True):
        expected = reference(article, spec)
        assert cleaned.article is article
        for one, other in ((cleaned.title, expected.title), (cleaned.text, expected.text)):
            assert (one.text, one.lines, one.removed) == (other.text, other.lines, other.removed)
            length = len(one.text)
            spans = [(0, length), (0, 0), (length, length)]
            if random is not None:
                spans += [tuple(sorted(random.randint(0, length) for _ in range(2))) for _ in range(8)]
            assert [one.original(*span) for span in spans] == [other.original(*span) for span in spans]


def test_an_article_is_cleaned_alike_among_many_and_alone() -> None:
    some = [Article(text=f"{line}\n\nThe council voted.\n{line}", title=line, outlet="Daily Beacon") for line in EVERY]
    for spec in (CleanSpec(), MASKS):
        assert Cleaner(spec).clean(some) == [Cleaner(spec)(article) for article in some]


def test_more_articles_than_are_screened_at_once_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "TOGETHER", 2)
    some = [Article(text=f"Paragraph {number}.\n4 Min Read") for number in range(5)]
    assert [item.text.text for item in Cleaner(CleanSpec()).clean(some)] == [f"Paragraph {number}." for number in range(5)]
    assert Cleaner(CleanSpec()).clean([]) == []


def test_a_page_among_texts_is_extracted() -> None:
    pytest.importorskip("resiliparse")
    page, text = Cleaner(CleanSpec()).clean([Article(text=PAGE.format("<p>The council voted.</p>")), Article(text="<3\nNext.")])
    assert (page.article.title, text.text.text) == ("Rents rise", "<3\nNext.")
    assert "The council voted." in page.text.text


def test_threads_may_share_a_cleaner() -> None:
    cleaner = Cleaner(MASKS)
    some = [
        [Article(text=f"{line}\nBy Ann Lee\nThe council voted.", title=line) for line in EVERY[start : start + 300]] for start in (0, 150, 300)
    ] * 3
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(cleaner.clean, some)) == [cleaner.clean(batch) for batch in some]


def test_what_ftfy_calls_bad_is_asked_of_it() -> None:
    badness = pytest.importorskip("ftfy.badness")
    characters = sorted({*"".join(badness.MOJIBAKE_CATEGORIES.values()), *" aZ.°×²√±≈‚ÄГўВЂВâó\t"})
    pairs = [one + other for one in characters for other in characters]
    wrong = [text for pair in pairs for text in (pair, f"a{pair}", f"{pair} ", f"a {pair}b") if badness.is_bad(text) and not steps._BAD.search(text)]
    assert wrong == []


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from([*" aZ.?\n", *"ÃÂØÙàâœŒ°×²√±≈‚ÄГўВЂ€™‰ ¡‘“”•–—´»«„ŠšŸž¢£β"]), max_size=8))
def test_any_text_that_ftfy_calls_bad_is_asked_of_it(text: str) -> None:
    from ftfy.badness import is_bad

    assert steps._BAD.search(text) or not is_bad(text)
