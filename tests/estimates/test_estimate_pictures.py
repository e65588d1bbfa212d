"""Pictures of estimates: what is drawn, what is told beside it, and what is left out."""

import re
from xml.etree import ElementTree as ET

import pytest
from estimate_records import LABELS, record, share

from newsclf.estimates.pictures import LABELS as MOST_LABELS
from newsclf.estimates.pictures import PANELS, ROWS, pictures
from newsclf.pictures import Picture, figure


def words(picture):
    """The text of a picture as one reads it."""
    svg = ET.fromstring(picture.inline())
    return [" ".join("".join(each.itertext()).split()) for each in svg.iter("text")]


def axes_of(picture: Picture):
    with figure(picture.height) as drawing:
        picture.paint(drawing)
        return drawing.axes


def test_every_label_has_its_pictures():
    found = pictures(record())
    assert list(found) == ["shares", "time-1", "groups-1", "differences-1", "time-2", "groups-2"]
    assert all(label in found[f"time-{number}"].title for number, label in enumerate(LABELS, start=1))


@pytest.mark.parametrize("name", ["shares", "time-1", "groups-1", "differences-1"])
def test_every_picture_says_what_it_was_made_from_and_how_sure_it_is(name):
    picture = pictures(record())[name]
    assert "37,554 scored, 300 coded; model 9f31ab44c0de, audit 0123456789ab" in words(picture)
    assert any("95 %" in word for word in words(picture))
    assert "95 %" in picture.title
    assert ("counted (biased)" in words(picture)) == (name != "differences-1")


def test_a_panel_for_each_outlet_with_a_gap_where_a_share_was_refused_or_a_period_is_missing():
    picture = pictures(record())["time-1"]
    panels = axes_of(picture)
    assert [axes.get_title(loc="left") for axes in panels] == ["Courier", "Harbour Post"]
    lines = [line.get_xdata() for line in panels[0].lines]
    assert [list(line) for line in lines[0:1]] == [[0, 1, 2, 4]]  # the count goes through
    dots = [list(line.get_xdata()) for line in panels[0].lines if line.get_marker() == "o"]
    assert dots == [[0], [2], [4]]
    assert [list(line.get_xdata()) for line in panels[0].lines if line.get_marker() == "x"] == [[1]]
    assert "refused" in words(picture)


def test_periods_in_a_row_have_a_band():
    shares = [share("a", {"month": f"2024-0{month}"}) for month in (1, 2, 3)]
    picture = pictures(record(labels=["a"], by=["month"], time="month", shares=shares, differences=[]))["time-1"]
    (axes,) = axes_of(picture)
    (band,) = axes.collections
    assert band.get_paths()[0].vertices[:, 0].max() == 2
    assert "refused" not in words(picture)


def test_a_refused_group_is_greyed_and_says_how_many_were_coded():
    shares = [share("a", {"outlet": "Courier"}), share("a", {"outlet": "Gazette"}, None, audited=7)]
    picture = pictures(record(labels=["a"], by=["outlet"], time=None, shares=shares, differences=[]))["groups-1"]
    assert {"refused: 7 coded", "7 / 1,000", "50 / 1,000", "Gazette"} <= set(words(picture))
    (axes,) = axes_of(picture)
    assert len({label.get_color() for label in axes.get_yticklabels()}) == 2
    rings = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert len(rings) == 1  # a biased count alone would be read as the share


def test_differences_have_a_line_at_zero_and_signs():
    picture = pictures(record())["differences-1"]
    (axes,) = axes_of(picture)
    assert list(axes.lines[0].get_xdata()) == [0, 0]
    assert "Courier − Harbour Post" in words(picture)
    assert "percentage points" in words(picture)
    assert "simultaneous" in picture.title
    assert any(re.fullmatch(r"\+\d+", word) for word in words(picture))


def test_what_could_not_be_read_is_not_drawn_but_told():
    many = [f"Outlet {number:02}" for number in range(ROWS + 5)]
    found = pictures(record(outlets=many, labels=["a"], quarters=["2024 Q1", "2024 Q2"]))
    assert len(axes_of(found["time-1"])) == PANELS
    assert f"the first {PANELS} of {len(many)} groups" in found["time-1"].title
    assert f"drawn: the first {PANELS} of {len(many)} groups" in " ".join(words(found["time-1"]))
    assert f"the first {ROWS} of {len(many) + 1} groups" in found["groups-1"].title
    assert f"the first {ROWS} of 990 differences" in found["differences-1"].title


def test_of_many_labels_the_first_are_drawn_by_group():
    labels = [f"label {number}" for number in range(MOST_LABELS + 2)]
    found = pictures(record(labels=labels, quarters=["2024 Q1"]))
    assert f"groups-{MOST_LABELS}" in found
    assert f"groups-{MOST_LABELS + 1}" not in found
    assert set(labels) <= set(words(found["shares"]))


def test_names_are_shown_as_they_are():
    name = "$x$ <b>&amp;"
    shares = [share("a", {"outlet": name}), share("a", {})]
    assert name in words(pictures(record(labels=["a"], by=["outlet"], time=None, shares=shares, differences=[]))["groups-1"])


def test_nothing_is_drawn_of_nothing():
    assert pictures(record(shares=[share("a", {})], differences=[])) == {}


def test_every_share_refused_is_drawn_all_the_same():
    shares = [share("a", {"quarter": quarter}, None) for quarter in ("2024 Q1", "2024 Q2")] + [share("a", {}, None), share("b", {}, None)]
    found = pictures(record(labels=["a", "b"], by=["quarter"], shares=shares, differences=[]))
    assert all("refused" in " ".join(words(found[name])) for name in ("shares", "time-1"))
