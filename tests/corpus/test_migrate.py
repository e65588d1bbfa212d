"""The table that says what becomes of the labels of a revised codebook."""

from __future__ import annotations

import pytest

from newsclf.codebook import Codebook
from newsclf.corpus.migrate import Fates, Migration, draft
from newsclf.errors import ConfigError
from newsclf.spec import parse_yaml

OLD = Codebook(task="frames", kind="multi", labels=["law", "crime", "safety", "econmy", "morals", "other"])
NEW = Codebook(task="frames", kind="multi", labels=["law", "security", "economy", "duty", "faith", "health"])
TABLE = {"renamed": {"econmy": "economy"}, "merged": {"security": ["crime", "safety"]}, "split": {"morals": ["duty", "faith"]}, "dropped": ["other"]}


def checked(old=OLD, new=NEW, **changes):
    return Fates.check(Migration.parse({**TABLE, **changes}, where="table.yaml"), old, new, where="table.yaml")


def test_every_old_label_has_one_fate():
    found = checked()
    assert found.fate == {"law": "kept", "crime": "merged", "safety": "merged", "econmy": "renamed", "morals": "split", "other": "dropped"}
    assert found.becomes["safety"] == ("security",)
    assert found.becomes["morals"] == ("duty", "faith")
    assert found.becomes["other"] == ()
    assert found.fresh == ("health",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dropped": []}, "nothing says what becomes of 'other': renamed, merged, split or dropped"),
        ({"dropped": ["other", "crime"]}, "the old label 'crime' is merged and dropped; it has one fate"),
        (
            {"renamed": {"economy": "econmy"}},
            r"'renamed' names the old label 'economy', which the codebook does not have \(did you mean 'econmy'\?\)",
        ),
        ({"split": {"morals": ["duty", "fait"]}}, r"'split' names the new label 'fait', which the codebook does not have \(did you mean 'faith'\?\)"),
        ({"renamed": {"econmy": "law"}}, r"both 'law' and 'econmy' become 'law'; write so:  merged: \{law: \[law, econmy\]\}"),
        ({"split": {"morals": ["duty"]}}, "'morals' needs two labels or more, each once, it has 'duty'; one for one is 'renamed'"),
        ({"merged": {"security": ["crime", "crime"]}}, "'security' needs two labels or more, each once"),
        ({"rename": {}}, r"unknown key 'rename' \(did you mean 'renamed'\?\)"),
    ],
)
def test_a_table_that_does_not_fit_the_codebooks_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        checked(**changes)


def test_a_label_may_go_into_one_of_its_own_name():
    merged = {"security": ["crime", "safety"], "law": ["law", "other"]}
    assert checked(merged=merged, dropped=[]).fate["law"] == "merged"


def test_a_stance_does_not_become_a_topic():
    stance = Codebook(task="view", kind="exclusive", labels=["for", "against"], targets=["wall"])
    plain = Codebook(task="view", kind="exclusive", labels=["for", "against"])
    with pytest.raises(ConfigError, match="one is of a stance toward targets and the other is not"):
        Fates.check(Migration(), stance, plain, where="table.yaml")


def test_labels_may_be_numbers_and_tables_are_files(tmp_path):
    (tmp_path / "table.yaml").write_text("renamed: {101: 201}\nmerged: {202: [102, 103]}\n", "utf-8")
    old, new = (Codebook(task="t", kind="exclusive", labels=names) for names in (["101", "102", "103"], ["201", "202"]))
    assert Fates.check(Migration.load(tmp_path / "table.yaml"), old, new, where="t").becomes == {"101": ("201",), "102": ("202",), "103": ("202",)}


def test_a_draft_proposes_near_names_and_leaves_the_rest_to_people():
    text = draft(OLD, NEW)
    assert parse_yaml(text, where="draft") == {"renamed": {"econmy": "economy"}}
    assert "# still to be said what becomes of 'crime'" in text
    assert "# no old label becomes 'security' yet" in text
    assert "'law'" not in text
    with pytest.raises(ConfigError, match="nothing says what becomes of 'crime', 'safety', 'morals', 'other'"):
        Fates.check(Migration.parse(parse_yaml(text, where="draft"), where="draft"), OLD, NEW, where="draft")
