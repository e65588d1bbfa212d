"""Pictures that several rooms draw: a part of a page, and a file of its own."""

import re

import pytest

from newsclf.errors import InputError, OutputError
from newsclf.pictures import INK, Picture, cut, drawn, style


def line(figure):
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=INK)
    axes.set_title("up & $down$ <b>")


PICTURE = Picture('a "line" & more', 2, line)


def test_a_part_of_a_page_has_the_pages_ink_and_a_name():
    svg = PICTURE.inline()
    assert svg.startswith('<svg role="img" aria-label="a &quot;line&quot; &amp; more"')
    assert "currentColor" in svg
    assert INK not in svg
    assert "up &amp; $down$ &lt;b&gt;" in svg
    assert PICTURE.inline() == svg


def test_a_file_of_its_own_is_black(tmp_path):
    PICTURE.write(tmp_path / "one.svg")
    written = (tmp_path / "one.svg").read_text("utf-8")
    assert written.startswith("<?xml")
    assert "#000000" in written
    assert "currentColor" not in written
    assert INK not in written
    assert "up &amp; $down$ &lt;b&gt;" in written


@pytest.mark.parametrize(("name", "begin"), [("one.png", b"\x89PNG"), ("one.PNG", b"\x89PNG"), ("one.pdf", b"%PDF"), ("one.svg", b"<?xml")])
def test_a_file_is_of_its_kind_and_does_not_change_from_day_to_day(tmp_path, name, begin):
    PICTURE.write(tmp_path / name)
    first = (tmp_path / name).read_bytes()
    PICTURE.write(tmp_path / name)
    assert first.startswith(begin)
    assert (tmp_path / name).read_bytes() == first
    assert not re.search(rb"20\d\d-\d\d-\d\d|matplotlib v", first)


def test_another_kind_of_file_and_a_place_that_is_none_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"must end in '\.svg', '\.png', '\.pdf', not in '\.bmp'"):
        PICTURE.write(tmp_path / "one.bmp")
    with pytest.raises(OutputError, match=r"nowhere.one\.svg: the picture cannot be written"):
        PICTURE.write(tmp_path / "nowhere" / "one.svg")


def test_axes_that_are_drawn_on_become_the_picture():
    with drawn("a line", height=2) as (axes, svg):
        axes.plot([0, 1], [0, 1])
    assert 'aria-label="a line"' in svg.getvalue()


def test_names_leave_room():
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "ab…"


def test_the_style_is_for_light_and_dark_paper_and_asks_for_nothing():
    assert "prefers-color-scheme: dark" in style()
    assert "url(" not in style()
    assert "@import" not in style()
