"""The screen: which lines a step may change, told for many texts at once."""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsclf.corpus import screen as screening
from newsclf.corpus.clean import STEPS
from newsclf.corpus.lines import BREAKS, Line, split_lines
from newsclf.corpus.mask import Outlets
from newsclf.corpus.screen import CLEAN, JUNK, ODD_CHARACTERS, screen
from newsclf.corpus.steps import Context, drop_junk, mask_byline, mask_dateline, mask_outlets

OF_CHARACTERS = [entry.step for entry in STEPS if entry.step not in {drop_junk, mask_byline, mask_dateline, mask_outlets}]

texts = st.text(
    alphabet=st.sampled_from([*"ab  \n\n\r.’", *BREAKS, "\t", "\u00a0", "é", "\u0301", "\u200b", "👩", "\ud83d", "\U00016d67"]), max_size=30
)


def doubts(text: str, *, junk: bool = False) -> list[int]:
    return screen([text], junk=junk).lines(0)[1]


@pytest.mark.parametrize(
    ("line", "doubt"),
    [
        ("A plain line, with “quotes” – and … dashes • and so on’s.", CLEAN),
        (" indented", ODD_CHARACTERS),
        ("trailed ", ODD_CHARACTERS),
        (" ", ODD_CHARACTERS),
        ("a\tb", ODD_CHARACTERS),
        ("a\u00a0b", ODD_CHARACTERS),
        ("soft\u00ady", ODD_CHARACTERS),
        ("café", ODD_CHARACTERS),
        ("cafe\u0301", ODD_CHARACTERS),
        ("a\x7fb", ODD_CHARACTERS),
        ("👩", ODD_CHARACTERS),
        ("a\ud83db", ODD_CHARACTERS),
    ],
)
def test_a_line_with_an_odd_character_or_a_space_at_an_end_is_in_doubt(line: str, doubt: int) -> None:
    assert doubts(line) == [doubt]
    assert doubts(f"Above.\n{line}\n\nBelow.") == [CLEAN, doubt, CLEAN]


def test_a_short_line_may_be_junk_where_junk_goes_and_a_long_one_never() -> None:
    assert doubts("4 Min Read\nAbove.\n4 Min Read " + "x" * 160, junk=True)[0] == JUNK
    assert doubts("4 Min Read\nAbove.\n4 Min Read " + "x" * 160, junk=True)[2] == CLEAN
    assert doubts("4 Min Read\nAbove.") == [CLEAN, CLEAN]


def test_a_clean_line_is_one_that_no_step_changes_whatever_its_characters() -> None:
    characters = [chr(code) for code in range(sys.maxunicode + 1) if chr(code) not in BREAKS]
    spans, found = screen(["\n".join(f"a{character}e" for character in characters)], junk=False).lines(0)
    clean = [character for character, doubt in zip(characters, found, strict=True) if doubt == CLEAN]
    assert len(spans) == len(characters)
    assert set(map(chr, range(32, 127))) < set(clean)
    for character in clean:
        for line in (Line(f"a{character}e", 0, 3), Line(f"{character * 2}", 0, 2)):
            context = Context(Outlets(()), Counter())
            assert character == " " or all(step(line, context) == line for step in OF_CHARACTERS), hex(ord(character))


@settings(max_examples=300, deadline=None)
@given(texts)
@example("a\r\n\r\nb")
@example("\u2028a")
def test_lines_stand_where_splitting_finds_them(text: str) -> None:
    spans, found = screen([text], junk=False).lines(0)
    held = [line for line in split_lines(text) if line.text]
    assert spans == [(line.start, line.end) for line in held]
    for line, doubt in zip(held, found, strict=True):
        context = Context(Outlets(()), Counter())
        assert doubt == ODD_CHARACTERS or all(step(line, context) == line for step in OF_CHARACTERS)


@settings(max_examples=300, deadline=None)
@given(texts)
@example("")
@example("a\n\n\nb")
@example("a\n\nb")
@example("a\x85b")
@example("a\n")
def test_a_text_is_as_given_where_its_lines_make_it_again(text: str) -> None:
    screened = screen([text], junk=False)
    assert screened.as_given == ["\n".join(line.text for line in split_lines(text)) == text]
    assert screened.clear == [screened.as_given[0] and set(screened.lines(0)[1]) <= {CLEAN}]


@pytest.mark.parametrize("block", [1, 20, 200_000])
@settings(max_examples=100, deadline=None)
@given(some=st.lists(texts, max_size=12))
def test_texts_are_screened_each_for_itself(block: int, some: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(screening, "_BLOCK", block)
        together = screen(some, junk=False)
    alone = [screen([text], junk=False) for text in some]
    assert [together.lines(place) for place in range(len(some))] == [one.lines(0) for one in alone]
    assert (together.as_given, together.clear) == ([one.as_given[0] for one in alone], [one.clear[0] for one in alone])


def test_no_texts_have_no_lines() -> None:
    assert screen([], junk=True).clear == []
