"""The tree of errors, and the words that messages are made of."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsclf import errors
from newsclf.errors import CheckFailed, MissingExtra, NewsclfError, UserError, listed, nearest, need, shown

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, NewsclfError)]


def test_every_error_is_drawn_in_the_tree():
    assert [kind.__name__ for kind in KINDS if kind.__name__ not in (errors.__doc__ or "")] == []


@pytest.mark.parametrize("kind", KINDS)
def test_exit_codes_tell_a_users_mistake_from_a_failed_check_and_from_our_bug(kind: type[NewsclfError]):
    wanted = 2 if issubclass(kind, UserError) else 3 if kind is CheckFailed else 1
    assert kind("what happened").exit_code == wanted


def test_an_installed_package_is_imported():
    assert need("json", "text", why="this test") is json


@pytest.mark.parametrize("package", ["newsclf_is_not_there", "newsclf_is_not_there.inside"])
def test_a_package_that_is_not_installed_is_named_with_the_command_that_installs_it(package: str):
    with pytest.raises(MissingExtra) as caught:
        need(package, "html", why="reading HTML")
    assert str(caught.value) == f"reading HTML needs the package {package!r}, which is not installed: run  pip install 'newsclf[html]'"


def test_a_package_that_is_there_but_cannot_be_imported_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "half_installed.py").write_text("import the_library_it_needs", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtra, match=r"'half_installed', which cannot be imported \(No module named 'the_library_it_needs'\)"):
        need("half_installed", "text", why="languages")


@pytest.mark.parametrize(
    ("word", "hint"),
    [("enforcment", " (did you mean 'Enforcement'?)"), ("HUMAN_RIGHTS", " (did you mean 'human_rights'?)"), ("zebra", ""), ("", "")],
)
def test_the_nearest_known_word_is_suggested_whatever_its_case(word: str, hint: str):
    assert nearest(word, ["Enforcement", "human_rights"]) == hint


@pytest.mark.parametrize(
    ("names", "text"),
    [([], "none"), (["a"], "'a'"), (["a", "b", "c"], "'a', 'b', 'c'"), (list("abcde"), "'a', 'b', 'c' and 2 more")],
)
def test_names_are_listed_in_quotes_and_cut_with_a_count(names: list[str], text: str):
    assert listed(names, most=3) == text


@given(st.recursive(st.none() | st.integers() | st.text() | st.binary(), st.lists))
def test_a_shown_value_is_never_longer_than_asked(value: object):
    assert len(shown(value, most=20)) <= 20


def test_a_value_is_shown_as_a_config_would_hold_it():
    assert shown({"labels": ["é", None, True]}) == '{"labels": ["é", null, true]}'
