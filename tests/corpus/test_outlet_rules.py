"""The rules and the table of outlets' names: nothing twice, and every name of a row leads to it."""

from importlib.resources import files

import pytest

from newsclf.corpus.outlet_rules import TABLE, Node, by_rules
from newsclf.corpus.outlets import canonical
from newsclf.spec import parse_yaml

ROWS = parse_yaml(files("newsclf.corpus").joinpath(TABLE).read_text("utf-8"), where=TABLE)


def test_in_the_table_no_name_and_no_domain_stands_twice_and_every_row_leads_to_its_own_name():
    alone = canonical([])
    for name, row in ROWS.items():
        assert set(row) <= {"also", "domains", "opinion"}
        assert row.get("opinion", "same") == "same"
        for one in (name, *row.get("also", ()), *row.get("domains", ()), *(f"www.{domain}" for domain in row.get("domains", ()))):
            assert alone.of(one) == name, one  # a name or domain of two rows would lead to the later one
        assert alone.of(f"{name} (Opinion)") == (name if "opinion" in row else f"{name} (Opinion)")


@pytest.mark.parametrize(
    ("name", "known", "node", "steps"),
    [
        ("Elm Valley Herald", (), Node("elmvalleyherald"), ()),
        ("The Elm & Valley Herald", (), Node("elmandvalleyherald"), ("a leading The",)),
        ("Elm Herald (Web News) - Opinion", (), Node("elmherald", opinion=True), ("section opinion", "section web news")),
        ("NYT, Late Edition", (), Node("newyorktimes"), ("section late edition", "table row New York Times")),
        ("https://m.cnn.com/opinions/x", (), Node("cnn", opinion=True), ("domain cnn.com in the table",)),
        ("TheElmHerald.com", (), Node("theelmherald.com"), ()),
        ("TheElmHerald.com", ("elmherald",), Node("elmherald"), (".com after the name",)),
        ("blog.elmherald.com", ("elmherald", "blog"), Node("blog.elmherald.com"), ()),
        ("elmherald.ie", ("elmherald",), Node("elmherald.ie"), ()),
        ("The The", (), Node("the"), ("a leading The",)),
        ("Opinion", (), Node("opinion"), ()),
        ("…", (), Node("…"), ()),
    ],
)
def test_what_a_spelling_stands_for_and_by_which_rules(name: str, known: tuple[str, ...], node: Node, steps: tuple[str, ...]):
    assert by_rules(name, frozenset(known)) == (node, steps)
