"""Estimates as tables: nothing is lost in csv, and nothing that a name may hold breaks the others."""

import csv
import io
import re

import pytest
from estimate_records import record, share
from hypothesis import given, settings
from hypothesis import strategies as st

from newsclf.estimates.sheets import unguarded
from newsclf.estimates.tables import NUMBERS, WIDE, latex, to_csv, to_latex, to_markdown, to_text
from newsclf.estimates.wording import ordered

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12) | st.sampled_from(
    ["100%", r"a\b_c{", "}$#~^&", "=1+1", "'-x", "[x]", "|`*", "--"]
)
FRACTIONS = st.none() | st.floats(0, 1)


def rows_of(written):
    return list(csv.DictReader(io.StringIO(written, newline="")))


def number(cell):
    return float(cell) if cell else None


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES, NAMES, FRACTIONS, NAMES | st.none()), min_size=1, max_size=4))
def test_csv_reads_back_as_it_was(drawn):
    shares = []
    for label, outlet, quarter, estimate, why in drawn:
        for group in ({}, {"outlet": outlet}, {"outlet": outlet, "quarter": quarter}):
            shares.append(share(label, group) | {"estimate": estimate, "refused": why, "pooled": estimate is None})
    made = record(shares=shares, labels=[label for label, *_ in drawn])
    for row, cells in zip(ordered(made), rows_of(to_csv(made)), strict=True):
        assert unguarded(cells["label"]) == row["label"]
        levels = {"whole corpus": [], "outlet": ["outlet"], "outlet × quarter": ["outlet", "quarter"]}
        assert {key: unguarded(cells[key]) for key in levels[cells["level"]]} == row["group"]
        assert {name: number(cells[name]) for name in NUMBERS} == {name: row[name] for name in NUMBERS}
        assert (cells["refused"] or None, cells["pooled"] == "yes") == (row["refused"], row["pooled"])


def test_csv_keeps_columns_apart_that_are_called_alike():
    shares = [share("a", {"label": "x", "low": "y"})]
    (row,) = rows_of(to_csv(record(by=["label", "low"], shares=shares)))
    assert (row["label"], row["by label"], row["by low"], row["low"]) == ("a", "x", "y", str(0.4 - 0.1))


def test_csv_runs_no_formula():
    assert "'=cmd()" in to_csv(record(shares=[share("a", {"outlet": "=cmd()"})]))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=30) | st.text("\\{}$&#%_~^-'`,<>|\"[]*\n\x00é漢", max_size=12))
def test_latex_of_any_text_has_no_command_but_its_own(text):
    written = latex(text)
    bare = re.sub(
        r"\\(?:textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|textquotedbl|textasciigrave)\{\}|\\[&%$#_{}]", "", written
    )
    bare = re.sub(r"(?<=[-',])\{\}", "", bare)
    assert not set(bare) & set('\\{}$&#%_~^<>|"`\n\r\x00')
    assert not re.search("--|''|,,", written)


def unescaped(text, character):
    return len(re.findall(rf"(?<!\\){re.escape(character)}", text.replace(r"\textbackslash{}", "")))


@settings(max_examples=60, deadline=None)
@given(NAMES, NAMES, NAMES)
def test_a_latex_table_is_whole_whatever_the_names(label, outlet, why):
    shares = [share(label, {"outlet": outlet}), share(label, {"outlet": outlet, "quarter": why}, None) | {"refused": why}]
    lines = to_latex(record(shares=shares, labels=[label])).splitlines()
    body = lines[1:]  # the first is a comment
    assert unescaped("\n".join(body), "{") == unescaped("\n".join(body), "}")
    assert not unescaped("\n".join(body), "%")
    rows = [line for line in body if line.startswith(r"\quad")]
    assert len(rows) == 2
    assert all(unescaped(row, "&") == 4 and row.endswith(r" \\") for row in rows)


def test_latex_has_the_interval_the_count_and_where_it_is_from():
    written = to_latex(record())
    assert r"\quad whole corpus & 40.0\,\% [30.0, 50.0] & 30.0\,\% & 50 & 1,000 \\" in written
    assert r"share, 95\,\% interval & counted (biased) & coded & scored" in written
    assert "model 9f31ab44c0de, audit 0123456789ab" in written
    assert "Refused: only 12 articles of this group were coded." in written
    assert r"\toprule" in written


def test_a_long_latex_table_may_break_over_pages():
    short, long = to_latex(record()), to_latex(record(outlets=[f"Outlet {n}" for n in range(12)]))
    assert r"\begin{tabular}" in short
    assert r"\begin{longtable}" in long
    assert "longtable" in long.splitlines()[0]
    assert r"\begin{table}" not in long


@settings(max_examples=60, deadline=None)
@given(NAMES, NAMES)
def test_a_markdown_table_keeps_its_columns(label, outlet):
    written = to_markdown(record(shares=[share(label, {}), share(label, {"outlet": outlet})], labels=[label], differences=[]))
    table = [line for line in written.splitlines() if line.startswith("|")]
    assert len(table) == 4
    assert all(len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 6 for line in table)


def test_markdown_has_a_table_for_each_label_and_the_differences():
    written = to_markdown(record())
    assert re.findall(r"^## (.+)$", written, re.MULTILINE) == ["enforcement", "economy", "Differences, in percentage points"]
    assert r"| whole corpus | 40.0 % \[30.0, 50.0\] | 30.0 % | 50 | 1,000 |" in written
    assert "| enforcement: Courier − Harbour Post | +12.5 | +5.0 to +20.0 |" in written
    assert "12 articles have no outlet." in written


def test_the_terminal_shows_the_coarsest_first_and_the_count_apart():
    lines = to_text(record()).splitlines()
    assert re.split(r"\s{2,}", lines[1].strip()) == ["share", "95 %", "counted (biased)", "coded", "scored", "worth"]
    assert re.split(r"\s{2,}", lines[2].strip()) == ["enforcement: whole corpus", "40.0 %", "30.0 to 50.0", "30.0 %", "50", "1,000", "60"]
    assert lines[3].strip().startswith("economy: whole corpus")
    (refused,) = [line for line in lines if "enforcement: Courier, 2024 Q2" in line]
    assert re.split(r"\s{2,}", refused.strip())[1:] == ["refused", "–", "30.0 %", "12", "1,000", "–"]


def test_long_tables_are_cut_with_where_the_rest_is():
    text = to_text(record(), most=3, rest="see estimates.csv")
    assert text.count("whole corpus") == 3  # of two labels, and by another method
    assert "… and 19 more: see estimates.csv" in text
    assert "more:" not in to_text(record())


@settings(max_examples=60, deadline=None)
@given(NAMES, st.text(st.characters(codec="utf-8"), min_size=20, max_size=90) | st.just("漢字" * 40))
def test_the_terminal_is_never_too_narrow(label, outlet):
    shares = [share(label, {"outlet": outlet}), share(label, {})]
    gap = record()["differences"][0] | {"label": label, "a": {"outlet": outlet}}
    lines = to_text(record(shares=shares, labels=[label], differences=[gap])).splitlines()
    assert all(len(line) <= WIDE for line in lines)
    assert sum("40.0 %" in line and "30.0 to 50.0" in line for line in lines) >= 2


def test_columns_stay_aligned_beside_wide_letters():
    shares = [share("a", {"outlet": "漢字"}), share("a", {"outlet": "abcd"})]
    two, one = to_text(record(shares=shares, labels=["a"])).splitlines()[2:4]
    assert two.index("40.0 %") + 2 == one.index("40.0 %")  # two letters that are as wide as four


@pytest.mark.parametrize("write", [to_csv, to_latex, to_markdown, to_text])
def test_marks_are_told_where_they_are(write):
    pooled = [share("a", {}) | {"pooled": True}]
    assert ("*" in write(record(shares=pooled, differences=[]))) == (write is not to_csv)
    if write is not to_csv:
        assert "estimated from the codes of several groups together" in write(record(shares=pooled, differences=[]))


@pytest.mark.parametrize("write", [to_csv, to_latex, to_markdown, to_text])
def test_a_record_may_lack_what_was_not_asked_for(write):
    made = record()
    for name in ("differences", "trends", "changes", "comparators", "coders", "remarks"):
        del made[name]
    assert "enforcement" in write(made)
