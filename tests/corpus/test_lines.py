"""Lines that remember where every character stood."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsclf.corpus.lines import Cleaned, Line, split_lines

LINE = Line("a judge ruled", 10, 23)


def places(line: Line) -> list[tuple[int, int]]:
    return [line.span(at, at + 1) for at in range(len(line.text))]


def test_a_line_as_given_stands_where_it_starts() -> None:
    assert LINE.span(2, 7) == (12, 17)


@pytest.mark.parametrize(
    ("spans", "left", "first", "last"),
    [
        ([(0, 2)], "judge ruled", (12, 13), (22, 23)),
        ([(7, 13)], "a judge", (10, 11), (16, 17)),
        ([(1, 7)], "a ruled", (10, 11), (22, 23)),
        ([(0, 2), (7, 13)], "judge", (12, 13), (16, 17)),
        ([], "a judge ruled", (10, 11), (22, 23)),
    ],
)
def test_what_is_left_after_a_cut_keeps_its_places(spans: list[tuple[int, int]], left: str, first: tuple[int, int], last: tuple[int, int]) -> None:
    cut = LINE.without(spans)
    assert cut.text == left
    assert (places(cut)[0], places(cut)[-1]) == (first, last)


def test_cutting_everything_leaves_an_empty_line() -> None:
    assert LINE.without([(0, 13)]).text == ""
    assert Line("   ", 4, 7).stripped().text == ""


def test_a_line_cut_twice_still_knows_its_places() -> None:
    cut = LINE.without([(1, 7)]).without([(0, 2)])
    assert cut.text == "ruled"
    assert places(cut) == [(at, at + 1) for at in range(18, 23)]


def test_rewritten_characters_share_the_span_they_come_from() -> None:
    line = LINE.rewritten([("A", (0, 1)), ("JDG", (2, 7))])
    assert line.text == "AJDG"
    assert places(line) == [(10, 11), (12, 17), (12, 17), (12, 17)]
    assert line.span(0, 2) == (10, 17)


def test_a_repaired_line_answers_with_its_own_span_whatever_is_cut() -> None:
    line = Line("It’s here", 5, 20, repaired=True)
    assert {line.span(0, 2), line.without([(4, 5)]).span(1, 3), line.stripped().span(0, 1), line.composed().span(0, 9)} == {(5, 20)}


def test_stripping_moves_the_first_and_last_place_only() -> None:
    line = Line("  a b \t", 3, 10).stripped()
    assert (line.text, places(line)) == ("a b", [(5, 6), (6, 7), (7, 8)])
    assert LINE.stripped() is LINE


@pytest.mark.parametrize(
    ("text", "composed", "spans"),
    [
        ("e\u0301a", "éa", [(0, 2), (2, 3)]),
        ("q\u0301a\u0308", "q\u0301ä", [(0, 1), (1, 2), (2, 4)]),  # no q with an acute: both characters keep their own place
        ("a\u0327\u0301", "á\u0327", [(0, 3), (0, 3)]),  # the marks change their order, so the cluster stays whole
        ("\u1112\u1161\u11ab글", "한글", [(0, 3), (3, 4)]),
        ("가\u11a8", "각", [(0, 2)]),
        ("\u0b47\u0b56", "\u0b48", [(0, 2)]),  # Oriya: the second is a mark of combining class 0
        ("\u1025\u102e", "\u1026", [(0, 2)]),  # Burmese, likewise
        ("\u212b", "Å", [(0, 1)]),
        ("\ufb1d", "\u05d9\u05b4", [(0, 1), (0, 1)]),  # one character that NFC makes two of
        ("\u0301a", "\u0301a", [(0, 1), (1, 2)]),
    ],
)
def test_composed_characters_keep_their_place(text: str, composed: str, spans: list[tuple[int, int]]) -> None:
    line = Line(text, 0, len(text)).composed()
    assert (line.text, places(line)) == (composed, spans)


def test_every_character_that_has_a_decomposition_is_composed_again() -> None:
    every = [chr(code) for code in range(0x30000) if not 0xD800 <= code < 0xE000 and unicodedata.normalize("NFD", chr(code)) != chr(code)]
    wrong = [text for text in every if Line(unicodedata.normalize("NFD", text), 0, 1).composed().text != unicodedata.normalize("NFC", text)]
    assert len(every) > 13_000
    assert wrong == []


@given(st.text(max_size=60))
def test_composing_cluster_by_cluster_is_composing_the_whole(text: str) -> None:
    line = Line(text, 0, len(text)).composed()
    assert line.text == unicodedata.normalize("NFC", text)
    assert len(places(line)) == len(line.text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("one", ["one"]),
        ("one\n", ["one"]),
        ("one\ntwo", ["one", "two"]),
        ("one\r\ntwo\rthree", ["one", "two", "three"]),
        ("one\n\ntwo", ["one", "", "two"]),
        ("one\r\n\r\n\r\ntwo", ["one", "", "two"]),
        ("\n\n\none", ["one"]),
        ("one\x85two\u2028three\u2029four\x0bfive\x0csix", ["one", "two", "three", "four", "five", "six"]),
        ("a \nb", ["a ", "b"]),
    ],
)
def test_a_text_is_split_where_any_line_ends_and_one_blank_line_is_kept(text: str, lines: list[str]) -> None:
    assert [line.text for line in split_lines(text)] == lines


@given(st.text(alphabet="ab \n\r\x85\u2028\x0c", max_size=40))
def test_lines_are_those_of_splitlines_and_stand_where_they_say(text: str) -> None:
    lines = split_lines(text)
    assert [line.text for line in lines if line.text] == [line for line in text.splitlines() if line]
    assert all(text[line.start : line.end] == line.text for line in lines)


CLEANED = Cleaned.of([Line("", 0, 0), Line("one", 2, 5), Line("", 6, 6), Line("", 7, 7), Line("two", 9, 12), Line("", 13, 13)], Counter(junk=1))


def test_blank_lines_at_the_ends_and_in_a_row_go_and_no_newline_ends_the_text() -> None:
    assert CLEANED.text == "one\n\ntwo"
    assert CLEANED.removed == {"junk": 1}
    assert Cleaned.of([Line("", 0, 0)], Counter()).text == ""


@pytest.mark.parametrize(
    ("span", "original"),
    [
        ((0, 3), (2, 5)),
        ((1, 2), (3, 4)),
        ((5, 8), (9, 12)),
        ((0, 8), (2, 12)),
        ((2, 6), (4, 10)),
        ((1, 1), (3, 3)),  # an empty span stands where it stood
        ((3, 4), (5, 5)),  # so does a line break
        ((8, 8), (12, 12)),
    ],
)
def test_a_span_of_the_text_is_found_in_the_original(span: tuple[int, int], original: tuple[int, int]) -> None:
    assert CLEANED.original(*span) == original


SEVERAL = Cleaned.of([Line("one\n\ntwo", 3, 11), Line("", 11, 11), Line("three", 20, 25)], Counter())


def test_lines_that_stood_together_are_told_apart_when_asked_for() -> None:
    assert SEVERAL.text == "one\n\ntwo\n\nthree"
    assert SEVERAL.lines == (Line("one", 3, 6), Line("", 7, 7), Line("two", 8, 11), Line("", 11, 11), Line("three", 20, 25))


@given(st.text(alphabet="ab\n", max_size=12).map(lambda text: Cleaned.of(split_lines(text), Counter())), st.integers(0, 12), st.integers(0, 12))
def test_a_text_as_it_was_given_finds_spans_as_its_lines_do(cleaned: Cleaned, one: int, other: int) -> None:
    text = cleaned.text
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    given_lines = Cleaned.of(split_lines(text), Counter())
    assert Cleaned(text).lines == given_lines.lines
    assert Cleaned(text).original(start, end) == given_lines.original(start, end)


def test_an_empty_text_has_only_the_empty_span() -> None:
    assert Cleaned("").original(0, 0) == (0, 0)
