"""Masks: bylines, datelines and outlet names that go, and the words that look like them and stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsclf.corpus.mask import Outlets, dateline_end, is_byline

BYLINES = """
    By Ann Lee
    BY ANN LEE
    By ANN LEE, Associated Press
    By Ann Lee and Jo Ortiz
    By Ann Lee and Jo Ortiz, Staff Writers
    By Ann Lee, Jo Ortiz & Kim Oh
    By Ann Lee, staff writer
    By Ann Lee | The Harlow Courier
    By Ann Lee / Contributor
    By Ann Lee - August 22, 2024
    By Ann Lee • 3 March 2025
    By Ann Lee (@annlee)
    By Ann Lee, with reporting from Jo Ortiz
    By Ann O’Grady-Smith Jr.
    By J. D. Ortiz
    By Ledger World Desk
    By Reuters
    By Beacon deputy political editor Ann Lee
    By Ann Lee, senior North America correspondent
    By Élodie Çelik
    by Ann Lee, Beacon News, Houston
    Written by Ann Lee
    Story by Ann Lee
    Von Anna Müller
    Von Anna Müller und Jan de Vries
    Por María López
    Par Jean Dupont et Zoé Petit
    Door Jan van den Berg
    Di Marco Rossi
"""
NO_BYLINES = """
    By noon the hall was full.
    By noon the hall was full
    By the time it ended, nobody was left.
    By Friday, the county had run out of beds
    By Monday, Congress
    By the numbers
    By The Numbers
    By law
    By Design
    By definition, a wall would not stop any of that.
    By a 54-34 margin, voters agree
    By June 2026
    By March, Rents Had Doubled
    By one count, 44
    By
    By 2030
    Bypass Road reopens
    Byron Lee
    Standby crews
    by the Economic Ministry showed.
    by Kidder and Co.
    Von Hamburg nach Berlin
    Von Donnerstag an gilt das Gesetz
    Por favor
    Por Dios y por la patria
    Par exemple
    Di nuovo
    By Ann Lee and a great many others who never once in all of the years that followed said so
"""
DATELINES = """
    EL PASO — |
    EL PASO, Texas (Agency) — |
    EL PASO, Texas — |
    EL PASO, Texas—|
    McALLEN, Texas (AP) — |
    NOGALES, Ariz. -- |
    NOGALES, Ariz.--|
    WASHINGTON (AP) — |
    WASHINGTON, D.C. — |
    WASHINGTON –|
    NEW YORK, March 3 (Reuters) - |
    NEW YORK, 3 March (Reuters) - |
    BRUSSELS, Oct. 3, 2025 (AFP) – |
    NEW YORK, March 3, 2025 /Newswire/ -- |
    NEW DELHI, Mar 3 (PTI) - |
    MEXICO CITY, 3 mar (EFE) - |
    LONDON/PARIS (Reuters) - |
    STERLING, Va./ WHITE SULPHUR SPRINGS, W. Va. (Reuters) - |
    ST. LOUIS — |
    ABU DHABI, United Arab Emirates (AP) — |
    COEUR D’ALENE, Idaho — |
    SÃO PAULO — |
    MÜNCHEN (dpa) - |
    ROME — |
    UNITED NATIONS (AP) — |
    ABOARD AIR FORCE ONE (AP) — |
    US-MEXICO BORDER — |
    Berlin (dpa) - |
    Salt Lake City, Utah (CNN) -- |
    (CNN) -- |
    (CNN) |
    (RNS) — |
"""
NO_DATELINES = """
    ICE — The agency said so.
    NATO — which was founded in 1949 — met.
    FBI - Crime fell in most cities.
    GOP—The party of no.
    US - China talks resume.
    COVID-19 cases rose.
    COVID–19 Cases rose.
    F-16 – Pilots trained there.
    MS-13 members were named.
    U.S. officials — two of them — agreed.
    THE JUDGE RULED.
    EL PASO is a city.
    El Paso — The city is hot.
    Senator Ada Moss (D) — The vote is hers.
    The city (pop. 4,000) — a farm town — voted.
    (AP Photo) The fence.
    A — B
    WALL—which nobody wanted—rose.
    — A judge ruled.
"""


def rows(block: str) -> list[str]:
    return [row.strip() for row in block.strip().splitlines()]


@pytest.mark.parametrize("line", rows(BYLINES))
def test_a_byline_is_one(line: str) -> None:
    assert is_byline(line)


@pytest.mark.parametrize("line", rows(NO_BYLINES))
def test_a_line_that_opens_like_a_byline_is_none(line: str) -> None:
    assert not is_byline(line)


@pytest.mark.parametrize("dateline", [row.removesuffix("|") for row in rows(DATELINES)])
@pytest.mark.parametrize("rest", ["A judge ruled on Tuesday — again.", "“We won,” she said (twice) - and left.", "5,000 people came."])
def test_a_dateline_ends_where_the_sentence_begins(dateline: str, rest: str) -> None:
    assert dateline_end(dateline + rest) == len(dateline)


@pytest.mark.parametrize("line", rows(NO_DATELINES))
def test_a_paragraph_without_a_dateline_keeps_its_first_words(line: str) -> None:
    assert dateline_end(line) == 0


OUTLETS = Outlets(["The Harlow Courier", "Harlow Courier Weekly", "Time", "A+ News (West)", "Sun", "The Sun"])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Judge rules - The Harlow Courier", "Judge rules"),
        ("Judge rules | Harlow Courier", "Judge rules"),
        ("Judge rules — The Harlow Courier", "Judge rules"),
        ("Harlow Courier | Judge rules", "Judge rules"),
        ("The Harlow Courier: Judge rules", "Judge rules"),
        ("Judge rules - Harlow Courier Weekly", "Judge rules"),
        ("He told The Harlow Courier that he won.", "He told that he won."),
        ("He told the Harlow Courier that he won.", "He told that he won."),
        ("The Harlow Courier’s editor left.", " editor left."),
        ("He left the Harlow Courier's board.", "He left board."),
        ("Time asked, and time ran out.", " asked, and time ran out."),
        ("He reads A+ News (West).", "He reads."),
        ("Timely. Times. Daytime. Overtime.", "Timely. Times. Daytime. Overtime."),
        ("Harlow Couriers ran.", "Harlow Couriers ran."),
        ("The Sun rose over the Sun Belt.", "The Sun rose over the Sun Belt."),  # a name of three letters is too common a word
        ("harlow courier", "harlow courier"),
        ("", ""),
    ],
)
def test_outlet_names_go_and_words_that_look_like_them_stay(text: str, left: str) -> None:
    for start, end in reversed(OUTLETS.find(text)):
        text = text[:start] + text[end:]
    assert text == left


def test_no_names_find_nothing() -> None:
    assert Outlets([]).find("The Harlow Courier") == []
    assert Outlets(["", "The ", "Sun"]).find("The Sun rose.") == []


@given(st.text(alphabet="By Ann-/|,&.’()@—AB1 ", max_size=80))
def test_spans_of_any_text_are_in_order_and_within_it(text: str) -> None:
    spans = Outlets(["Ann An", "AnnB"]).find(text)
    assert [edge for span in spans for edge in span] == sorted(edge for span in spans for edge in span)
    assert 0 <= dateline_end(text) <= len(text)
    assert is_byline(text) in {True, False}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["a-", "A, ", "A and ", "A - ", "A|", "and", "A.", "AA ", "AA/", "A’", "A-A ", "A (", "@a "])
def test_a_hostile_paragraph_is_answered_at_once(piece: str) -> None:
    for opening in ("By ", "", "EL PASO, ", "Berlin ("):
        assert not is_byline(opening + piece * 5_000 + "!")
        assert dateline_end(opening + piece * 5_000 + "!") < 20
