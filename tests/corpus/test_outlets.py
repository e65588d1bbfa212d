"""One name for each outlet: the rules one by one, the table, the user's own table, and what must hold whatever the names are."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.corpus.outlet_rules import tidy
from newsclf.corpus.outlets import canonical
from newsclf.errors import InputError


@pytest.mark.parametrize(
    ("name", "spellings"),
    [
        ("CNN", ["CNN (Web News)", "cnn", "CNN.com", "https://edition.cnn.com/politics", "CNN - News"]),
        ("New York Times", ["The New York Times", "www.nytimes.com", "NYTimes.com", "NYT", "New York Times, The", "new york  times [Late Edition]"]),
        ("New York Times (Opinion)", ["New York Times - Opinion", "NYT (Editorial)", "nytimes.com/opinion/a", "The New York Times Editorial Board"]),
        ("Fox News", ["Fox News (Online News)", "Fox Online News", "FOX NEWS", "foxnews.com"]),
        ("Fox News (Opinion)", ["Fox News Opinion", "Fox News: Opinion", "Fox News (Online) - Op-Ed", "opinion.foxnews.com"]),
        ("Breitbart", ["breitbart", "Breitbart News", "breitbart.com"]),
        ("Reason", ["reason", "Reason - Opinion", "Reason.com"]),
        ("RTÉ News", ["RTE", "rte.ie", "RTÉ news"]),
        ("TheBlaze", ["The Blaze", "theblaze.com", "blaze"]),
        ("Public Opinion", ["public opinion", "The Public Opinion"]),
    ],
)
def test_outlets_of_the_table_have_its_name(name: str, spellings: list[str]):
    assert [canonical([one]).of(one) for one in [name, *spellings]] == [name] * (1 + len(spellings))


@pytest.mark.parametrize(
    ("spellings", "why"),
    [
        (["Elm Valley Herald", "elm valley HERALD"], "case"),
        (["Elm Valley Herald", "The Elm Valley Herald"], "a leading The"),
        (["The Elm Valley Herald", "Elm Valley Herald"], "a leading The"),
        (["Elm Valley Herald", "Elm Valley Herald (Web News)"], "section web news"),
        (["The Elm Valley Herald", "The Elm Valley Herald, Print"], "section print"),
        (["Elm Valley Herald", "ElmValleyHerald.com"], ".com after the name"),
        (["The Elm Valley Herald", "www.theelmvalleyherald.co.uk"], ".co.uk after the name"),
        (["Elm & Valley Herald", "Elm and Valley Herald"], "spaces, accents or punctuation"),
        (["Dom Críost", "Dom Criost"], "spaces, accents or punctuation"),
        (["elmvalley.news", "www.elmvalley.news"], "www."),
    ],
)
def test_every_rule_alone_merges_under_the_most_frequent_spelling_and_says_so(spellings: list[str], why: str):
    first, second = spellings
    (merge,) = canonical([first, second, first]).merges
    assert merge.name == first
    assert [(one.text, one.count, one.why) for one in merge.spellings] == [(first, 2, ""), (second, 1, why)]
    assert str(merge) == f"{first} = {first!r} (2), {second!r} (1: {why})"
    assert merge.as_dict()["spellings"][1] == {"text": second, "count": 1, "why": why}


@pytest.mark.parametrize(
    "names",
    [
        ["Guest Writer - Left", "Guest Writer - Right", "Guest Writer"],
        ["Fox News", "Fox News Latino", "Fox News Opinion", "Fox Business"],
        ["BuzzFeed", "BuzzFeed News"],
        ["The Guardian", "The Guardian (Nigeria)"],
        ["ABC News", "ABC", "abc.net.au"],
        ["The Independent", "independent.ie"],
        ["Elm Valley Herald", "Elm Valley Herald (Opinion)", "Elm Valley Herald (blog)"],
        ["one.substack.com", "two.substack.com", "substack.com"],
        ["elm.org", "elm.com"],
        ["The", "!!!", "???", "(Opinion)", ""],
        ["Правда", "Известия", "दैनिक जागरण", "दिनक जगरण", "読売新聞", "毎日新聞"],  # the vowel signs tell the third from the fourth
    ],
)
def test_what_is_not_the_same_stays_apart(names: list[str]):
    found = canonical(names)
    assert len({found.of(name) for name in names}) == len(names)


def test_the_name_is_the_most_frequent_spelling_and_the_first_by_code_point_of_equals():
    names = ["elm valley herald", "Elm Valley Herald", "The Elm Valley Herald"]
    assert {canonical(order).of("ELM VALLEY HERALD") for order in (names, names[::-1])} == {"Elm Valley Herald"}
    assert canonical([*names, "elm valley herald"]).of("ELM VALLEY HERALD") == "elm valley herald"


def test_an_outlet_that_is_only_renamed_is_a_merge_too_and_one_that_is_not_is_none():
    found = canonical(["Time Magazine", "Time Magazine", "Grist", "Elm Valley Herald", "", " "])
    assert [str(merge) for merge in found.merges] == ["Time = 'Time Magazine' (2: table row Time)"]
    assert (found.of(""), found.of(" "), found.of(" Elm  Valley Herald ")) == ("", "", "Elm Valley Herald")


def test_the_users_table_goes_first_extends_the_other_and_takes_the_spellings_along():
    mine = {"Elm Herald": "Elm Valley Herald", "Fox News Opinion": "Fox News", "NYT": "Times of New York", "elm-herald.net": "Elm Herald"}
    found = canonical(["The Elm Herald", "Fox News - Editorial", "nytimes.com", "NYT (Opinion)", "www.elm-herald.net"], mine)
    assert found.of("The Elm Herald") == found.of("www.elm-herald.net") == "Elm Valley Herald"
    assert found.of("Fox News - Editorial") == "Fox News"
    assert found.of("nytimes.com") == "Times of New York"
    assert found.of("NYT (Opinion)") == "New York Times (Opinion)"
    assert "'The Elm Herald' (1: your table: Elm Valley Herald)" in str(next(merge for merge in found.merges if merge.name == "Elm Valley Herald"))


def test_a_name_mapped_to_itself_stays_apart_and_leaves_the_others_together():
    found = canonical(["CNN", "CNN (Web News)", "cnn.com", "CNN (Web News)", "The Western Journal", "western journal"], {"CNN": "CNN"})
    assert found.of("CNN") == "CNN"
    assert found.of("cnn.com") == "CNN (Web News)"  # the table's name is taken
    assert found.of("The Western Journal") == found.of("western journal")
    apart = canonical(["Elm Herald", "The Elm Herald", "elm herald"], {"The Elm Herald": "The Elm Herald"})
    assert [apart.of(one) for one in ("Elm Herald", "The Elm Herald", "elm herald")] == ["Elm Herald", "The Elm Herald", "Elm Herald"]


def test_two_spellings_that_the_user_tells_apart_take_no_third_one_along():
    found = canonical(["Sun", "SUN", "The Sun"], {"Sun": "Baltimore Sun", "SUN": "Elm Sun"})
    assert [found.of(one) for one in ("Sun", "SUN", "The Sun")] == ["Baltimore Sun", "Elm Sun", "The Sun"]


@pytest.mark.parametrize(
    ("mine", "sentence"),
    [
        ({"Elm": "Oak", "Oak": "Elm"}, 'go round in a circle: "Elm" → "Oak" → "Elm"'),
        ({"Elm": "Oak", "oak": "Ash", "Ash": "ELM"}, "go round in a circle"),
        ({"Elm": "NYT", "Oak": "New York Times"}, 'one outlet to "NYT" and to "New York Times"'),
        ({"Elm": " "}, 'map "Elm" to ""; neither may be empty'),
        ({"": "Elm"}, 'map "" to "Elm"; neither may be empty'),
    ],
)
def test_a_table_that_contradicts_itself_is_refused_in_a_sentence(mine: dict[str, str], sentence: str):
    with pytest.raises(InputError, match=sentence):
        canonical(["Elm"], mine)


# pieces that the rules look at, put together at random, so that names of one outlet are common
STEMS = ["NYT", "New York Times", "Fox News", "Reason", "Elm Herald", "elm herald", "ElmHerald", "Élm", "Elm", "The", "", "Opinion", "CNN"]
names_of_outlets = st.builds(
    lambda the, stem, end, section: f"{the}{stem}{end}{section}",
    st.sampled_from(["", "", "The ", "the ", "The", "www.", "https://www."]),
    st.sampled_from(STEMS) | st.text(max_size=6),
    st.sampled_from(["", "", "", ".com", ".org", ".co.uk", ".com/opinion/x", ", The"]),
    st.sampled_from(["", "", "", " (Web News)", " - Opinion", " Opinion", " [Print]", ": News", " (blog)"]),
)
tables = st.dictionaries(names_of_outlets, names_of_outlets, max_size=4)


@settings(max_examples=400, deadline=None)
@given(st.lists(names_of_outlets, max_size=12), tables, st.randoms(use_true_random=False))
def test_names_that_come_out_stay_and_neither_order_nor_a_second_pass_changes_anything(names: list[str], mine: dict[str, str], chance: random.Random):
    try:
        found = canonical(names, mine)
    except InputError:
        return  # tables drawn at random contradict themselves at times
    out = [found.of(name) for name in names]
    again = canonical(out, mine)
    assert [again.of(name) for name in out] == out
    assert not again.merges
    shuffled = chance.sample(names, len(names))
    other = canonical(shuffled, mine)
    assert (other.merges, other.spelled) == (found.merges, found.spelled)
    # nothing is silent: every name that changed or met another one is in a merge, with its count
    listed = {one.text: (merge.name, one.count) for merge in found.merges for one in merge.spellings}
    for name in names:
        text, name_of = tidy(name), found.of(name)
        alone = text == name_of and {tidy(other) for other in names if found.of(other) == name_of} == {text}
        assert listed.get(text) == (None if alone else (name_of, sum(tidy(other) == text for other in names)))
    assert all(one.why or one.text == merge.name for merge in found.merges for one in merge.spellings)


@given(tables)
def test_what_the_user_maps_has_the_users_name(mine: dict[str, str]):
    try:
        found = canonical(mine, mine)
    except InputError:
        return
    names = {tidy(name) for name in mine.values()}
    assert {found.of(name) for name in mine} <= names
