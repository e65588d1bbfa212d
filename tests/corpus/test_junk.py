"""Junk lines: what must go, and the sentences that must survive."""

from __future__ import annotations

import pytest

from newsclf.corpus.junk import junk_rule

JUNK = """4 Min Read|Reading time: 3 minutes|5-minute read|- Advertisement -|ADVERTISEMENT|Advertisement. Scroll to continue.|Story continues below advertisement
8 Comments|Leave a comment|View comments|Comments (12)|Join the conversation|Share on Facebook|Facebook Twitter Email Print|Share this article|Copy link
Sign up for our newsletter|Subscribe to continue reading|Already a subscriber? Log in|Read more: House passes the bill|Related: A judge steps in|RELATED STORIES
Listen to this article|Photo by Jo Varga/The Harlow Courier|Copyright 2025 The Harlow Courier. All rights reserved.|© 2025 Meridian|Skip to main content|Loading...
Click here to subscribe|Updated 3:14 p.m.|Published: March 3, 2025|Follow us on Instagram|Tags: immigration, courts|This will close in 20 seconds|Back to top
Publicidad|12 comentarios|Lesezeit: 4 Minuten|Kommentare|Lire aussi : Le mur|Tous droits réservés|* * *|-----"""
SENTENCES = """An advertisement for seasonal crews ran in two languages.|No comments were made.|Share prices fell.|Print is dead.|Comments on the draft rule are due Friday.
Loading docks were closed.|Follow the money.|Copyright law was rewritten in 2024.|Updated 2024 figures show a drop.|Five minutes later he was gone.|Watch what they do.
What does the order change?|Related charges were dropped.|Subscribe to the idea of freedom and you pay for it.|Email the mayor if you disagree.|Two views|Finish the wall.
He read the comments and wept.|The advertising budget doubled.|Photos by satellite show the dam.|Sign-ups rose in March.|Close the border, she said.|Home is a trailer.
A reply came in May.|The video was played in court.|Listen to the judge.|Search teams found no one.|Tagged deer crossed the river.|Share of imports: 12%|It took 4 minutes."""


@pytest.mark.parametrize("line", [line for row in JUNK.splitlines() for line in row.split("|")])
def test_junk_goes(line):
    assert junk_rule(line)


@pytest.mark.parametrize("line", [line for row in SENTENCES.splitlines() for line in row.split("|")])
def test_sentences_survive(line):
    assert junk_rule(line) is None


def test_a_long_line_is_never_junk():
    assert junk_rule("Related: " + "word " * 40) is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["share ", "facebook, ", "1:00 ", "a b ", "read more ", "at on of "])
def test_hostile_lines_end(piece):
    junk_rule((piece * 160)[:159] + "!")
