"""The report: one file, whole by itself, that says what the run found."""

import json
import re
import shutil
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
        self.open, self.ids, self.links, self.text, self.bare = [], set(), [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids.add(values.get("id"))
        self.links += [values[name] for name in ("href", "src", "xlink:href") if name in values]
        if tag == "th" and "scope" not in values:
            self.bare.append(self.getpos())
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
    assert not page.bare  # every heading of a table says what it heads
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


# studies


NUMBERS = {"low": 0.6, "high": 0.9}
STUDIES = {
    "agreement": {
        "articles": 40,
        "people": True,
        "alphas": [{"name": "nominal", "value": 0.7123, **NUMBERS}],
        "by_label": [{"label": "odd <label>", "value": None, "low": None, "high": None}],
        "ceiling": [{"metric": "macro_f1", "pooled": 0.8765, "each": {"Ana": 0.8111}, "on_test": {"pooled": 0.8222, "articles": 12}}],
        "sentences": ["Three coders agree so far."],
    },
    "inflation": {
        "metrics": [
            {
                "metric": "accuracy",
                "ways": [{"way": "random", "estimate": 0.9123}],
                "differences": [{"way": "more", "points": 7.1, "low": 1, "high": 13}],
            }
        ],
        "sentences": ["A random split flatters."],
    },
    "plan": {
        "metric": "macro_f1",
        "points": [{"articles": size, "mean": 0.7, "low": 0.6, "high": 0.8} for size in (10, 20, 40)],
        "curve": [{"articles": size, "estimate": 0.71, **NUMBERS} for size in (10, 40, 80)],
        "sentences": ["About 150 more for 2 points."],
    },
    "decay": {
        "metric": "macro_f1",
        "period": "month",
        "horizons": [{"ahead": ahead, "rows": 1234, "estimate": 0.7, "low": None, "high": None} for ahead in (1, 2)],
        "sentences": ["It loses 6 points."],
    },
}


@pytest.fixture
def studied(runs, tmp_path):
    """A copy of a run, in which every study was made."""
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(runs["topic"] / "findings.json", folder)
    for name, found in STUDIES.items():
        (folder / f"{name}.json").write_text(json.dumps(found), "utf-8")
    return folder


@pytest.mark.parametrize("name", ["report.html", "report.md"])
def test_every_study_is_shown_where_it_was_made(studied, tmp_path, name):
    text = report(studied, tmp_path / name).read_text("utf-8")
    assert all(found["sentences"][0] in text for found in STUDIES.values())
    assert all(number in text for number in ("0.712", "0.876", "0.822", "0.912", "+7.1", "+1.0 to +13.0", "human ceiling", "1234"))
    assert "newsclf plan" not in text
    if name.endswith("html"):
        assert not Page(text).open
        assert all(f'aria-label="{start}' in text for start in ("Learning curve:", "Back-test:"))
        assert "0.811" in text


@pytest.mark.parametrize("name", ["report.html", "report.md"])
def test_a_study_that_was_not_made_says_how_to_make_it(runs, tmp_path, name):
    text = report(runs["topic"], tmp_path / name).read_text("utf-8")
    assert all(command in text for command in ("newsclf plan RUN", "newsclf backtest RUN", "newsclf audit RUN --inflation"))


@pytest.mark.parametrize("name", ["report.html", "report.md"])
def test_two_readings_of_one_reader_are_no_ceiling(studied, tmp_path, name):
    (studied / "agreement.json").write_text(json.dumps(STUDIES["agreement"] | {"people": False}), "utf-8")
    text = report(studied, tmp_path / name).read_text("utf-8")
    assert "two readings of one kind of reader" in text
    assert "ceiling" not in text


# Markdown


@pytest.mark.parametrize("task", ["topic", "framing", "stance"])
def test_markdown_says_the_same_without_pictures_and_article_text(runs, tmp_path, task):
    text = report(runs[task], tmp_path / "card.md").read_text("utf-8")
    found = json.loads((runs[task] / "findings.json").read_text("utf-8"))
    assert "<" not in text.replace("\\<", "")
    assert all(f"{row['estimate']:.3f}" in text for row in found["headline"])
    assert all(row["label"] in text for row in found["labels"])
    tables = [block.split("\n") for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) >= 4
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table if line}) == 1
    pieces = [(row, piece) for row in found["errors"] for piece in row["evidence"]]
    sentences = {"".join(text for text, _ in piece["pieces"]).strip() for _, piece in pieces} - {row["title"] for row, _ in pieces}
    assert not [sentence for sentence in sentences if len(sentence) > 40 and sentence in text]


# odd runs


def odd(kind, rows, **labels):
    return [f"codebook={json.dumps({'task': 'odd', 'kind': kind, 'labels': labels})}"], rows


def no_errors():
    rows = [{"id": f"{label}{n}", "text": f"{label} {label} thing{n} told{n}", "labels": [label]} for n in range(20) for label in ("日本", "港")]
    return odd("multi", rows, 日本="Japan.", 港="Ports.")


def one_story():
    texts = ["the very same story told once more by everybody in the town"] * 3
    tested = [{"id": f"t{n}", "text": text, "labels": "red", "part": "test"} for n, text in enumerate(texts)]
    rows = [{key: value for key, value in row.items() if key != "outlet"} | {"part": "train"} for row in color_rows()]
    settings, rows = odd("exclusive", rows + tested, red="Red.", blue="Blue.")
    return [*settings, "split.where={part: [test]}"], rows


@pytest.mark.parametrize("make", [no_errors, one_story])
def test_odd_runs_have_a_report_too(small, tmp_path, make):
    settings, rows = make()
    write_rows(small / "corpus.jsonl", rows)
    run = train(small / "config.yaml", [*settings, f"output={tmp_path}", "split.keep_together=[near_duplicate]"]).run
    page = Page(report(run).read_text("utf-8"))
    assert not page.open
    assert {link[1:] for link in page.links if len(link) < 12} <= page.ids
    found = json.loads((run / "findings.json").read_text("utf-8"))
    text = report(run, tmp_path / "report.md").read_text("utf-8")
    assert all(row["label"].replace("|", "\\|") in text for row in found["labels"])


def test_findings_of_an_earlier_version_are_shown_as_far_as_they_go(runs, tmp_path):
    found = json.loads((runs["topic"] / "findings.json").read_text("utf-8"))
    later = ("promises", "spared", "sets", "copies", "doubtful")
    (tmp_path / "findings.json").write_text(json.dumps({name: value for name, value in found.items() if name not in later}), "utf-8")
    assert "How well it does" in report(tmp_path).read_text("utf-8")


def test_a_hundred_long_labels_and_ids_have_a_report(runs, tmp_path):
    found = json.loads((runs["framing"] / "findings.json").read_text("utf-8"))
    names = [f"a label $number_{number}$ of a very long codebook | {number}" for number in range(100)]
    for key in ("labels", "labels_in_order"):
        found[key] = [{**found[key][number % 5], "label": name} for number, name in enumerate(names)]
    found["thresholds"] = dict.fromkeys(names, 0.5)
    found["problems"] = [{**row, "id": "long-" * 60} for row in found["problems"]]
    (tmp_path / "findings.json").write_text(json.dumps(found), "utf-8")
    html = report(tmp_path).read_text("utf-8")
    assert not Page(html).open
    assert "The forty labels with the most rows are drawn." in html
    assert all(name in html for name in names)
    text = report(tmp_path, tmp_path / "report.md").read_text("utf-8")
    assert all(name.replace("|", "\\|") in text for name in names)
