"""Strict YAML, what a config extends and overrides, and specs as values."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from newsclf.errors import ConfigError
from newsclf.spec import Spec, dump_yaml, load_tree, merge, override, parse_yaml

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
LOOKALIKES = st.sampled_from(
    [
        "no",
        "1e5",
        "1e-4",
        "012",
        "1_000",
        "0x1f",
        "1:30",
        "2024-01-01",
        "~",
        "",
        "null",
        "true",
        "True",
        ".inf",
        "<<",
        "=",
        "- a",
        "a: b",
        "a\x85b",
        "\u2028",
    ]
)
PLAIN = st.recursive(SCALARS | LOOKALIKES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | LOOKALIKES, inner, max_size=3))
TREES = st.dictionaries(st.text() | LOOKALIKES, PLAIN, max_size=4)


class Inner(Spec):
    """A block."""

    rate: float = 0.1
    names: tuple[str, ...] = ()


class Outer(Spec):
    """A block that holds a block."""

    title: str = "x"
    inner: Inner = Inner()
    table: dict[str, tuple[int, ...]] = {}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("true", True),
        ("True", "True"),
        ("~", None),
        ("", None),
        ("null", None),
        ("NULL", "NULL"),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("012", "012"),
        ("-012", "-012"),
        ("012.5", "012.5"),
        ("0x10", "0x10"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("1e-4", 1e-4),
        ("1E5", 1e5),
        (".5", 0.5),
        ("5.", 5.0),
        ("0.0", 0.0),
        ("-.inf", -math.inf),
        ("1.2.3", "1.2.3"),
        ("٣", "٣"),
        ("'1e-4'", "1e-4"),
        ("!!str 7", "7"),
        ("!!float 7", 7.0),
        ("!!int '7'", 7),
        ("[a, {b: [no]}]", ["a", {"b": ["no"]}]),
        ("<<", "<<"),
    ],
)
def test_a_scalar_means_what_it_looks_like(text: str, value: object):
    read = parse_yaml(f"key: {text}", where="a.yaml")["key"]
    assert (read, type(read)) == (value, type(value))


def test_nan_is_a_number_in_yaml():
    assert math.isnan(parse_yaml("key: .nan", where="a.yaml")["key"])


@pytest.mark.parametrize("key", ["2024", "1.50", "true", "no", "null", "~", "012", "1e-4"])
def test_a_key_is_text_as_it_is_written(key: str):
    assert parse_yaml(f"{key}: x", where="a.yaml") == {key: "x"}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: 2\na: 3", 3, "the key 'a' stands twice; keep one of the two"),
        ("a:\n  b: {c: 1, c: 2}", 2, "the key 'c' stands twice"),
        ("- x\n- {2024: a, '2024': b}", 2, "the key '2024' stands twice"),
        ("a: 1\n? [x, y]\n: 2", 2, "a key must be text, not a list or a block"),
        ("a: [1, 2", 1, "expected ',' or ']'"),
        ("a: 1\n\tb: 2", 2, "found character '\\t'"),
        ("a: x: y", 1, "mapping values are not allowed here"),
        ("a: 1\n---\nb: 2", 2, "found another document"),
        ("a: &x [*x]", 1, "recursive"),
        ("a: *x", 1, "found undefined alias 'x'"),
        ("a: !!python/object/apply:os.getcwd []", 1, "could not determine a constructor"),
        ("a: !!timestamp 2024-01-31", 1, "could not determine a constructor"),
        ("a: !!binary aGk=", 1, "could not determine a constructor"),
        ("a: !!set {x}", 1, "could not determine a constructor"),
        ("a: !!int seven", 1, '"seven" is no int'),
        ("a: !!float seven", 1, '"seven" is no float'),
        ("a: !!bool seven", 1, '"seven" is no bool'),
        ("a: !!map seven", 1, "a block of key: value lines is expected"),
        ("a: " + "9" * 5000, 1, "is no int"),
    ],
)
def test_what_is_not_strict_yaml_is_refused_with_its_line(text: str, line: int, problem: str):
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, where="a.yaml")
    assert str(caught.value).startswith(f"a.yaml:{line}: this is not valid YAML: ")
    assert problem in str(caught.value)


def test_a_character_that_yaml_forbids_is_named_on_one_line():
    with pytest.raises(ConfigError, match=r"^a\.yaml: this is not valid YAML: unacceptable character #x0000: [^\n]*$"):
        parse_yaml("a: \0", where="a.yaml")


def test_nesting_without_end_is_refused():
    with pytest.raises(ConfigError, match=r"a\.yaml: this is nested too deeply"):
        parse_yaml("[" * 100_000, where="a.yaml")


@given(st.text(alphabet="ab01.:-?![]{}&*'\"|>#%<~ \n\t,e_") | st.text())
def test_any_text_is_read_or_refused(text: str):
    with suppress(ConfigError):
        parse_yaml(text, where="a.yaml")


@given(TREES)
def test_any_plain_tree_dumped_as_yaml_reads_back(tree: dict[str, Any]):
    assert repr(parse_yaml(dump_yaml(tree), where="dumped")) == repr(tree)


@given(TREES)
def test_a_dumped_tree_means_the_same_to_other_programs(tree: dict[str, Any]):
    assert repr(yaml.safe_load(dump_yaml(tree))) == repr(tree)


def test_a_config_lies_on_what_it_extends_key_by_key(tmp_path: Path):
    write(tmp_path, "shared/grand.yaml", "a: {x: 1, y: [1, 2]}\nb: 1")
    write(tmp_path, "shared/parent.yaml", "extends: grand.yaml\na: {x: 2}\nc: 1")
    child = write(tmp_path, "mine/child.yaml", "extends: ../shared/parent.yaml\na: {y: [3]}")
    assert load_tree(child) == {"a": {"x": 2, "y": [3]}, "b": 1, "c": 1}


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        ({"a.yaml": "extends: a.yaml"}, "a.yaml → a.yaml"),
        ({"a.yaml": "extends: b.yaml", "b.yaml": "extends: c.yaml", "c.yaml": "extends: ./b.yaml"}, "a.yaml → b.yaml → c.yaml → b.yaml"),
    ],
)
def test_a_circle_of_extends_is_drawn(tmp_path: Path, files: dict[str, str], circle: str):
    for name, text in files.items():
        write(tmp_path, name, text)
    with pytest.raises(ConfigError, match=f"'extends' goes in a circle: {circle}"):
        load_tree(tmp_path / "a.yaml")


@pytest.mark.parametrize("value", ["[b.yaml, c.yaml]", "7", "false"])
def test_only_one_file_is_extended(tmp_path: Path, value: str):
    with pytest.raises(ConfigError, match="'extends' must be the name of one file, not "):
        load_tree(write(tmp_path, "a.yaml", f"extends: {value}"))


def test_a_missing_file_that_is_extended_is_named_with_the_file_that_names_it(tmp_path: Path):
    child = write(tmp_path, "a.yaml", "extends: gone.yaml")
    with pytest.raises(ConfigError) as caught:
        load_tree(child)
    assert str(caught.value) == f"{tmp_path / 'gone.yaml'}: there is no such file ('extends' in {child} names it)."


@pytest.mark.parametrize(
    ("text", "found"), [("", "nothing"), ("# remarks only", "nothing"), ("- a\n- b", '["a", "b"]'), ("just words", '"just words"')]
)
def test_a_file_that_holds_no_keys_is_refused(tmp_path: Path, text: str, found: str):
    with pytest.raises(ConfigError) as caught:
        load_tree(write(tmp_path, "a.yaml", text))
    assert f"a YAML file of key: value lines is expected, this holds {found}." in str(caught.value)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path):
    assert load_tree(write(tmp_path, "a.yaml", "\ufeffname: x")) == {"name": "x"}


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path):
    (tmp_path / "latin.yaml").write_bytes("name: café".encode("latin-1"))
    for path, message in [
        (tmp_path / "gone.yaml", "there is no such file."),
        (tmp_path, "this is a folder; a config is one YAML file."),
        (tmp_path / "latin.yaml", "this file is not UTF-8 text (byte 9); save it as UTF-8."),
        (tmp_path / "latin.yaml" / "inside", "cannot be read: Not a directory."),
    ]:
        with pytest.raises(ConfigError) as caught:
            load_tree(path)
        assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("settings", "tree"),
    [
        (["learner.C=4"], {"learner": {"C": 4, "kind": "linear"}, "name": "x"}),
        (["learner.C = 1e-4 "], {"learner": {"C": 1e-4, "kind": "linear"}, "name": "x"}),
        (["name=a=b"], {"learner": {"C": 1, "kind": "linear"}, "name": "a=b"}),
        (["name=no"], {"learner": {"C": 1, "kind": "linear"}, "name": "no"}),
        (["name="], {"learner": {"C": 1, "kind": "linear"}, "name": None}),
        (["learner={kind: other}"], {"learner": {"C": 1, "kind": "other"}, "name": "x"}),
        (["learner=7", "learner.deep.er=[1]"], {"learner": {"deep": {"er": [1]}}, "name": "x"}),
    ],
)
def test_settings_are_laid_on_a_tree_in_their_order(settings: list[str], tree: dict[str, Any]):
    before = {"learner": {"C": 1, "kind": "linear"}, "name": "x"}
    assert override(before, settings) == tree
    assert before == {"learner": {"C": 1, "kind": "linear"}, "name": "x"}


@pytest.mark.parametrize("setting", ["learner.C", "=4", "learner..C=4", ".C=4", "C.=4", ""])
def test_a_setting_without_key_or_value_is_shown_how_to_be_written(setting: str):
    with pytest.raises(ConfigError) as caught:
        override({}, [setting])
    assert str(caught.value) == f"--set {setting!r}: write it as key=value, for example  --set learner.C=4"


@given(TREES, TREES)
def test_merging_keeps_every_key_of_either_and_the_upper_value_wins(under: dict[str, Any], over: dict[str, Any]):
    merged = merge(under, over)
    assert merged.keys() == under.keys() | over.keys()
    assert merge(merged, over) == merged
    assert all(merged[key] == value for key, value in over.items() if not isinstance(value, dict))


def test_a_setting_that_is_not_valid_yaml_is_shown():
    with pytest.raises(ConfigError, match=r"^--set 'learner\.C=\[1':1: this is not valid YAML"):
        override({}, ["learner.C=[1"])


def test_a_spec_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Outer().title = "y"  # type: ignore[misc]


SPECS = st.builds(
    Outer,
    title=st.text(),
    inner=st.builds(Inner, rate=st.floats(min_value=0, allow_infinity=False), names=st.lists(st.text(), max_size=3).map(tuple)),
    table=st.dictionaries(st.text(), st.lists(st.integers(), max_size=3).map(tuple), max_size=3),
)


@given(SPECS)
def test_a_resolved_spec_reads_back_from_yaml_to_an_equal_one(spec: Outer):
    again = Outer.parse(parse_yaml(dump_yaml(spec.resolved()), where="resolved"), where="resolved")
    assert again == spec
    assert again.fingerprint() == spec.fingerprint()


@given(SPECS, SPECS)
def test_fingerprints_are_equal_just_where_the_specs_are(one: Outer, other: Outer):
    assert (one.fingerprint() == other.fingerprint()) == (one == other)


@pytest.mark.parametrize("tree", [{}, {"title": "x"}, {"inner": {"rate": 0.1}, "table": {}}, {"inner": {"names": []}}])
def test_a_default_that_is_written_out_changes_no_fingerprint(tree: dict[str, Any]):
    assert Outer.parse(tree, where="a.yaml").fingerprint() == Outer().fingerprint()


def test_a_fingerprint_stays_the_same_from_version_to_version():
    assert Outer().fingerprint() == "afbfb4a5d314096530db808f138bae8aed63b14872bbeb5223abc1b5deb32221"


def test_the_json_schema_describes_each_key():
    class Documented(Spec):
        """A block."""

        rate: float = 0.1
        """How fast."""

    assert Documented.model_json_schema()["properties"]["rate"]["description"] == "How fast."
