"""The report: one file, whole by itself, that says what the run found."""

import json
import re
from html.parser import HTMLParser

import pytest
from color_articles import color_rows, write_rows

from newsclf.errors import InputError, OutputError
from newsclf.training.report import report
from newsclf.training.run import train


class Page(HTMLParser):
    """Tags that are opened and closed, ids, links, and the text."""

    VOID = ("meta", "br", "path", "use", "link", "rect", "image")

    def __init__(self, html):
        super().__init__()
        self.open, self.ids, self.links, self.text = [], set(), [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids.add(values.get("id"))
        self.links += [values[name] for name in ("href", "src", "xlink:href") if name in values]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("href", "src", "xlink:href")]

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def runs(models):
    return {task: next((folder.parent / "runs").glob(f"{task}-*")) for task, folder in models.items()}


@pytest.mark.parametrize("task", ["topic", "framing", "stance"])
def test_the_page_is_whole_and_needs_nothing_else(runs, tmp_path, task):
    html = report(runs[task], tmp_path / "report.html").read_text("utf-8")
    page = Page(html)
    assert not page.open
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links if len(link) < 12} <= page.ids  # the page's own sections
    assert "<script" not in html
    assert not re.search(r"https?://(?!www\.w3\.org)", html)
    found = json.loads((runs[task] / "findings.json").read_text("utf-8"))
    text = " ".join(page.text)
    assert all(f"{row['estimate']:.3f}" in text for row in found["headline"])
    assert all(row["label"] in text for row in found["labels"])
    assert all(verdict["text"] in text for verdict in found["verdicts"])
    assert all(svg in html for svg in ('role="img"', "aria-label="))


def test_two_reports_of_a_run_are_the_same_bytes(runs, tmp_path):
    assert report(runs["topic"], tmp_path / "one.html").read_bytes() == report(runs["topic"], tmp_path / "two.html").read_bytes()


def test_what_an_article_holds_cannot_become_markup(small, tmp_path):
    hostile = '<script>alert(1)</script> & "red" {{ 7 * 7 }}'
    rows = color_rows()
    for number, row in enumerate(rows):
        row["outlet"] = hostile
        row["labels"] = ("red", "blue")[number % 3 == 0]
    write_rows(small / "corpus.jsonl", rows)
    run = train(small / "config.yaml", [f"output={tmp_path}", "split.test=0.5"]).run
    html = report(run).read_text("utf-8")
    assert "<script" not in html
    assert json.loads((run / "findings.json").read_text("utf-8"))["errors"]
    assert "{{ 7 * 7 }}" in html


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"there is no findings\.json, so this is no finished run"):
        report(tmp_path)


@pytest.mark.parametrize("content", ["[]", "{", "\xff"])
def test_findings_that_are_none_are_refused(runs, tmp_path, content):
    (tmp_path / "findings.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=r"findings\.json: "):
        report(tmp_path)


def test_a_place_that_cannot_be_written_is_named(runs, tmp_path):
    with pytest.raises(OutputError, match=r"nowhere.*: cannot be written"):
        report(runs["topic"], tmp_path / "nowhere" / "report.html")
