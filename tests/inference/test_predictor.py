"""Loaded models answer the same whoever asks, in whatever company, and say in a sentence what they cannot read."""

from __future__ import annotations

import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from color_articles import color_rows, write_rows
from hypothesis import given, settings
from hypothesis import strategies as st

import newsclf
from newsclf.article import Article, Prediction, Reading
from newsclf.bundle import Bundle
from newsclf.corpus.clean import Cleaner
from newsclf.corpus.html import extract_html
from newsclf.corpus.read import Columns
from newsclf.errors import BundleError, DataError, InputError
from newsclf.inference.batch import score
from newsclf.inference.predictor import Predictor, Reader
from newsclf.inference.scored import read_scores
from newsclf.inference.scorer import ScoreSpec
from newsclf.learners import protocol
from newsclf.training.run import train

TITLE = "Finish the border wall"
TEXT = "The border wall must be finished, the sheriff said.\nAgents arrested nine people near it on Monday.\nNone of them saw a judge."
ARTICLES = [
    Article(TEXT, title=TITLE),
    Article("The hospital opened a ward for children with the flu.", title="More beds", outlet="The Wire"),
    Article("Growers fear for the harvest: without seasonal crews a third of it rots.", id="g"),
    Article("zzz"),
]
MIXED = [
    "A rose, a cherry, a brick, a ruby and a poppy.",
    "The ocean, the sky, a lagoon and denim.",
    "A rose on the ocean.",
    "A ruby and a sapphire.",
]
PAGE = f"<html><head><title>{TITLE}</title></head><body><article><h1>{TITLE}</h1><p>{'</p><p>'.join(TEXT.splitlines())}</p></article></body></html>"


@pytest.fixture(scope="module")
def topic(models) -> Predictor:
    return newsclf.load(models["topic"])


@pytest.fixture(scope="module")
def stance(models) -> Predictor:
    return newsclf.load(models["stance"])


@pytest.fixture(scope="module")
def reader(models) -> Reader:
    return newsclf.load(*models.values())


@pytest.fixture
def colors(small: Path):
    """Trains on the colors with settings of the config laid on, and gives the model's folder."""
    write_rows(small / "corpus.jsonl", color_rows())
    return lambda *given: train(small / "config.yaml", [f"output={small / 'models'}", *given]).model


# what can be read


def test_a_text_an_article_a_list_and_a_tuple_are_read(topic):
    alone = topic.predict(TEXT)
    assert isinstance(alone, Prediction)
    assert topic.predict(Article(TEXT, id="x", date="2024", extra={"a": 1})) == alone
    assert topic.predict([TEXT, Article(TEXT)]) == topic.predict((TEXT, TEXT)) == [alone, alone]
    assert topic.predict([]) == []


def test_the_title_is_read_too(topic):
    assert topic.predict(Article(TEXT, title="A vaccine for the flu")).probabilities != topic.predict(TEXT).probabilities


def test_a_text_of_junk_alone_is_read_by_its_title(reader):
    reading = reader.predict(Article("Advertisement\n3 min read", title=TITLE))
    assert {piece.field for piece in reading["topic"].evidence} == {"title"}
    assert reading["topic"].probabilities == reader.predict(Article("Advertisement", title=TITLE))["topic"].probabilities


def test_a_page_is_read_as_its_title_and_text(reader):
    title, text = extract_html(PAGE)
    assert title == TITLE
    assert TEXT.split() == text.removeprefix(TITLE).split()
    assert reader.predict(PAGE) == reader.predict(Article(text, title=title))
    assert reader.predict(Article(PAGE, title="Another")) == reader.predict(Article(text, title="Another"))


def test_the_probabilities_of_an_exclusive_task_sum_to_one_and_name_every_label_in_order(topic, reader):
    prediction = topic.predict(TEXT)
    assert tuple(prediction.probabilities) == topic.bundle.codebook.names
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert prediction.labels == (max(prediction.probabilities, key=prediction.probabilities.get),)
    assert (prediction.task, prediction.target, prediction.coverage, prediction.abstained) == ("topic", "", 1.0, False)


def test_any_number_of_labels_is_given_the_most_probable_first(reader, starter):
    thresholds = dict(zip(reader.bundles[1].codebook.names, reader.bundles[1].decision.thresholds, strict=True))
    counts = set()
    for article in starter[:40]:
        prediction = reader.predict(article["text"], sentences=0)["framing"]
        given = [label for label, probability in prediction.probabilities.items() if probability >= thresholds[label]]
        assert list(prediction.labels) == sorted(given, key=lambda label: -prediction.probabilities[label])
        assert not prediction.abstained
        counts.add(len(given))
    assert counts >= {1, 2}


@pytest.mark.parametrize("company", [ARTICLES[::-1], ARTICLES * 3, ARTICLES[:1]])
def test_an_article_is_answered_alone_as_in_any_company(reader, company):
    assert reader.predict(company) == [reader.predict(article) for article in company]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1).map(lambda text: f"{text}\nThe wall is long and old."), min_size=1, max_size=4))
def test_any_text_is_answered_and_the_same_in_any_company(reader, texts):
    assert reader.predict(texts, sentences=1) == [reader.predict(text, sentences=1) for text in texts]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("", "article 1: the text is empty"),
        (" \n\t\u00a0\u3000", "article 1: the text is empty"),
        (Article("", title="A title is no text"), "article 1: the text is empty"),
        ([TEXT, ""], "article 2: the text is empty"),
        ("Advertisement", r"article 1: nothing is left of the text after cleaning \(removed: junk.advertisement 1\)"),
        ([TEXT, TEXT, "3 min read\n\u200b"], "article 3: nothing is left of the text .*junk.reading_time 1"),
        ("<html><body><p></p></body></html>", r"nothing is left of the text after cleaning \(removed: markup\)"),
        ("half \ud800", "article 1: the text holds half a character"),
        (Article(TEXT, title="\udfff"), "article 1: the title holds half a character"),
        (Article(None), "article 1: the text must be text, not NoneType"),
        (Article(TEXT, title=None), "article 1: the title must be text, not NoneType"),
        ([Article(TEXT, outlet=float("nan"))], "article 1: the outlet must be text, not float"),
        (None, r"predict\(\) takes text, an Article, or a list of either, not NoneType"),
        (TEXT.encode(), "not bytes"),
        ({"text": TEXT}, "not dict"),
        ((text for text in [TEXT]), "not generator"),
        ([TEXT, 5], "article 2: .* not int"),
        ([[TEXT]], "article 1: .* not list"),
    ],
)
def test_what_cannot_be_read_is_named_in_a_sentence(reader, what, message):
    with pytest.raises(InputError, match=message):
        reader.predict(what)


# one model and several


@pytest.mark.parametrize("count", [1, 4])
def test_several_models_give_the_numbers_that_each_gives_alone(models, reader, count):
    together = reader.predict(ARTICLES[:count])
    assert [list(reading) for reading in together] == [["topic", "framing", "stance"]] * count
    for task, path in models.items():
        assert [reading[task] for reading in together] == newsclf.load(path).predict(ARTICLES[:count])


@pytest.mark.parametrize(("change", "times"), [({}, 1), ({"mojibake": False}, 2), ({"mask": ()}, 2)])
def test_an_article_is_cleaned_and_tokenised_once_where_the_models_clean_alike(models, tmp_path, monkeypatch, change, times):
    topic, _ = Bundle.load(models["topic"])
    framing, _ = Bundle.load(models["framing"])
    replace(framing, clean=topic.clean.model_copy(update=change)).save(tmp_path / "framing")
    reader = newsclf.load(models["topic"], tmp_path / "framing")
    calls = {"clean": 0, "tokenise": 0}

    def counted(name, function):
        def call(*arguments):
            calls[name] += 1
            return function(*arguments)

        return call

    monkeypatch.setattr(Cleaner, "clean", counted("clean", Cleaner.clean))
    monkeypatch.setattr(protocol, "tokenise", counted("tokenise", protocol.tokenise))
    reader.predict(ARTICLES, sentences=0)
    assert calls == {"clean": times, "tokenise": times}


def test_models_that_clean_otherwise_read_what_they_would_read_alone(colors, models):
    plain, loud = colors("name=plain"), colors("name=loud", "clean.junk=false", "codebook={task: loud, kind: exclusive, labels: [red, blue]}")
    both, text = newsclf.load(plain, loud), "A rose.\nAdvertisement"
    assert both.predict(text)["loud"] == newsclf.load(loud).predict(text)
    assert both.predict(text)["color"] == newsclf.load(plain).predict(text)
    with pytest.raises(InputError, match="nothing is left of the text"):  # for one of the two
        both.predict("Advertisement")
    assert newsclf.load(loud).predict("Advertisement").label


def test_two_models_of_one_task_and_no_model_are_refused(models):
    with pytest.raises(InputError, match=r"two models answer the task 'topic': load one of them, or load them apart"):
        newsclf.load(models["topic"], models["framing"], models["topic"])
    with pytest.raises(InputError, match=r"there is no model: .*newsclf.load\('models/framing'\)"):
        newsclf.load()
    with pytest.raises(BundleError, match="nowhere: there is no such model"):
        newsclf.load(models["topic"], "nowhere")


# targets


def test_a_stance_is_answered_for_the_targets_of_the_codebook_unless_others_are_asked(stance):
    reading = stance.predict(TEXT)
    assert isinstance(reading, Reading)
    assert tuple(reading) == tuple(stance.bundle.codebook.targets)
    assert {target: answer.target for target, answer in reading.items()} == {target: target for target in reading}
    asked = stance.predict(TEXT, targets=["border wall", "the sheriff", "border wall"])
    assert list(asked) == ["border wall", "the sheriff"]
    assert asked["border wall"] == reading["border wall"]
    assert asked["the sheriff"].labels


def test_one_string_is_one_target(stance):
    assert stance.predict(TEXT, targets="border wall") == stance.predict(TEXT, targets=["border wall"])


def test_a_list_of_articles_gives_each_its_targets(stance):
    both = stance.predict(ARTICLES, targets=["agents", "border wall"])
    assert both == [stance.predict(article, targets=["agents", "border wall"]) for article in ARTICLES]


def test_a_model_abstains_where_the_target_is_not_mentioned(stance):
    answer = stance.predict("The council met on Monday.")["border wall"]
    assert (answer.label, answer.labels, answer.abstained) == (None, (), True)
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert not stance.predict("The wall is long.")["border wall"].abstained  # an alias


def test_a_model_abstains_where_it_is_not_sure_enough(colors):
    model = newsclf.load(colors("decision.abstain_below=0.9"))
    sure, unsure = model.predict(["A rose, a tomato, a cherry, a brick and a ruby.", "A report."])
    assert (sure.label, sure.abstained) == ("red", False)
    assert (unsure.label, unsure.abstained) == (None, True)
    assert max(unsure.probabilities.values()) < 0.9


@pytest.mark.parametrize("method", ["lac", "aps"])
def test_a_set_of_labels_stands_beside_the_label_where_the_model_was_trained_to_give_one(colors, tmp_path, method):
    trained, folder = newsclf.load(colors(f"decision.sets={{method: {method}}}", "decision.abstain_below=0.8")).bundle, tmp_path / "model"
    assert trained.decision.sets.method == method
    # the small corpus is told apart too well for any article to be doubtful at the thresholds that were chosen
    wider = replace(trained.decision.sets, thresholds=np.full(2, 0.7))
    replace(trained, decision=replace(trained.decision, sets=wider)).save(folder)
    model, plain = newsclf.load(folder), newsclf.load(colors("name=plain"))
    batch = pa.RecordBatch.from_pylist([{"id": str(at), "text": text} for at, text in enumerate([*MIXED, "A report."])])
    rows = model.score_batch(batch).to_pylist()
    found = model.predict(batch["text"].to_pylist())
    sets = model.bundle.decision.sets
    for prediction, row in zip(found, rows, strict=True):
        inside = sets(np.array([list(prediction.probabilities.values())]))[0]
        names = [name for name, is_inside in zip(model.bundle.codebook.names, inside, strict=True) if is_inside]
        assert row["color.set"] == names
        assert list(prediction.label_set) == sorted(names, key=lambda name: -prediction.probabilities[name])
    assert {len(prediction.label_set) for prediction in found} == {1, 2}
    assert [prediction.label_set for prediction in found if prediction.abstained]  # a doubtful article has a set, though no label
    assert [without(row, "place") for row in scored(folder, batch, tmp_path)] == [without(row, "reason") for row in rows]
    assert plain.predict(MIXED[0]).label_set is None
    assert "color.set" not in plain.score_batch(batch).schema.names


def test_targets_that_no_model_can_be_asked_about_are_refused(models, topic, colors, small):
    with pytest.raises(InputError, match=r"the targets 'border wall' cannot be asked for: only stance models take targets"):
        topic.predict(TEXT, targets="border wall")
    rows = [{**row, "about": "market"} for row in color_rows()]
    write_rows(small / "stance.jsonl", rows)
    closed = "codebook={task: view, kind: exclusive, labels: [red, blue], targets: [market]}"
    model = newsclf.load(colors("name=view", closed, f"data.path={small / 'stance.jsonl'}", "data.target=about"))
    assert list(model.predict(TEXT)) == ["market"]
    with pytest.raises(DataError, match=r"targets: 'markt' is not a target of the task 'view' \(did you mean 'market'\?\)"):
        model.predict(TEXT, targets=["markt"])


def test_a_stance_model_without_targets_anywhere_asks_for_one(colors, small):
    write_rows(small / "stance.jsonl", [{**row, "about": "market"} for row in color_rows()])
    bare = "codebook={task: view, kind: exclusive, labels: [red, blue], open_targets: true}"
    model = newsclf.load(colors("name=view", bare, f"data.path={small / 'stance.jsonl'}", "data.target=about"))
    with pytest.raises(InputError, match=r"the task 'view' is a stance toward a target and its codebook has none: name one"):
        model.predict(TEXT)
    assert list(model.predict(TEXT, targets=["market", "unseen"])) == ["market", "unseen"]


# evidence, as asked for


@pytest.mark.parametrize("sentences", [0, 1, 2, 50])
def test_each_label_gets_at_most_so_many_sentences(reader, sentences):
    prediction, every = (reader.predict(ARTICLES[0], sentences=count)["framing"] for count in (sentences, 100))
    assert prediction.labels
    for label in prediction.labels:
        of_label, strongest = ([piece for piece in found.evidence if piece.label == label] for found in (prediction, every))
        assert len(strongest) > 2
        assert of_label == strongest[:sentences]
    assert prediction.probabilities == every.probabilities


def test_without_a_label_the_evidence_is_for_the_most_probable_one(stance):
    answer = stance.predict("The council met on Monday and heard two reports.")["border wall"]
    assert answer.abstained
    assert {piece.label for piece in answer.evidence} == {max(answer.probabilities, key=answer.probabilities.get)}


# Arrow batches


BATCH = pa.RecordBatch.from_pylist([{"id": f"a{number}", "title": article.title, "text": article.text} for number, article in enumerate(ARTICLES)])
HOLES = pa.record_batch(
    {
        "text": pa.array([TEXT, None, " \n", "Advertisement", ARTICLES[1].text]),
        "id": pa.array([7, 8, 9, None, 11]),
        "title": pa.array([None, "T", "T", None, None], pa.string()),
    }
)


def scored(model: Path, batch: pa.RecordBatch, folder: Path, table: str | None = None, **spec: object) -> list[dict[str, object]]:
    """What newsclf.score makes of the same rows."""
    pq.write_table(pa.table(batch), folder / "batch.parquet")
    score(model, str(folder / "batch.parquet"), folder / "scores", ScoreSpec(**spec))
    return read_scores(folder / "scores", table).to_table().to_pylist()


def without(row: dict[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in names}


def test_a_batch_gives_row_for_row_what_a_scoring_run_writes(models, topic, tmp_path):
    rows = topic.score_batch(BATCH, sentences=1).to_pylist()
    wanted = scored(models["topic"], BATCH, tmp_path, sentences=1)
    assert [without(row, "reason") for row in rows] == [without(row, "place", "title") for row in wanted]
    assert {row["reason"] for row in rows} == {None}
    assert "topic.evidence" in rows[0]


def test_a_stance_batch_gives_a_row_for_each_target(models, stance, tmp_path):
    for targets in ((), ("border wall", "agents")):
        rows = stance.score_batch(BATCH, targets=targets).to_pylist()
        folder = tmp_path / str(len(targets))
        folder.mkdir()
        assert [without(row, "reason") for row in rows] == [
            without(row, "place") for row in scored(models["stance"], BATCH, folder, "stance", targets=targets)
        ]
    assert [row["stance.target"] for row in rows] == ["border wall", "agents"] * len(ARTICLES)


def test_a_row_that_cannot_be_scored_stands_in_its_place_with_the_reason(topic, stance):
    rows = topic.score_batch(HOLES).to_pylist()
    assert [row["id"] for row in rows] == [7, 8, 9, None, 11]
    reasons = ["is null, not text", "is empty", "nothing is left of the text after cleaning (removed: junk.advertisement 1)"]
    for row, reason in zip(rows[1:4], reasons, strict=True):
        assert reason in row["reason"]
        assert set(without(row, "id", "reason").values()) == {None}
    assert [row["reason"] for row in (rows[0], rows[4])] == [None, None]
    assert (rows[0]["topic.label"], rows[4]["topic.label"]) == (topic.predict(TEXT).label, topic.predict(ARTICLES[1].text).label)
    asked = stance.score_batch(HOLES, targets=["border wall", "agents"]).to_pylist()
    assert [(row["id"], row["stance.target"], row["reason"] is None) for row in asked] == [
        (7, "border wall", True),
        (7, "agents", True),
        (8, None, False),
        (9, None, False),
        (None, None, False),
        (11, "border wall", True),
        (11, "agents", True),
    ]


def test_texts_that_are_no_text_have_a_reason_each(topic):
    rows = topic.score_batch(pa.record_batch({"text": pa.array([3, None])})).to_pylist()
    assert ["is int 3, not text" in rows[0]["reason"], "is null" in rows[1]["reason"]] == [True, True]
    broken = pa.array([b"caf\xe9", TEXT.encode()]).view(pa.string())
    rows = topic.score_batch(pa.record_batch({"text": broken})).to_pylist()
    assert rows[0]["reason"].startswith("this row cannot be read: 'utf-8' codec can't decode byte 0xe9")
    assert (rows[1]["reason"], rows[1]["topic.label"]) == (None, topic.predict(TEXT).label)


@pytest.mark.parametrize("sentences", [0, 1])
def test_a_batch_without_rows_gives_the_schema_and_so_does_one_of_bad_rows(topic, stance, sentences):
    for model in (topic, stance):
        whole = model.score_batch(BATCH, sentences=sentences)
        none = model.score_batch(BATCH.slice(0, 0), sentences=sentences)
        bad = pa.RecordBatch.from_pylist([{"id": "a", "title": "T", "text": " "}])
        assert none.num_rows == 0
        assert none.schema == whole.schema == model.score_batch(bad, sentences=sentences).schema


def test_without_an_id_the_column_is_there_and_empty(topic):
    batch = topic.score_batch(BATCH.select(["text"]))
    assert batch.schema.field("id").type == pa.string()
    assert batch["id"].null_count == len(ARTICLES)


def test_columns_of_a_batch_may_have_other_names(topic):
    renamed = BATCH.rename_columns(["nr", "headline", "body"])
    assert topic.score_batch(renamed, columns=Columns(id="nr", title="headline", text="body")) == topic.score_batch(BATCH)
    with pytest.raises(DataError, match=r"the batch: there is no column 'text' .*the columns are 'nr', 'headline', 'body'"):
        topic.score_batch(renamed)
    with pytest.raises(DataError, match=r"the batch: there is no column 'bodi' .*\(did you mean 'body'\?\)"):
        topic.score_batch(renamed, columns=Columns(text="bodi"))


def test_targets_are_checked_before_a_batch_is_scored(topic, stance):
    with pytest.raises(InputError, match="only stance models take targets"):
        topic.score_batch(BATCH, targets=["border wall"])
    with pytest.raises(DataError, match="the target is empty"):
        stance.score_batch(BATCH, targets=[" "])


def test_a_pipeline_of_batches_has_one_schema_and_the_rows_of_the_whole(topic, tmp_path):
    """As Ray Data, Spark's mapInArrow and Dask run it: batch after batch from a file to a file."""
    rows = BATCH.to_pylist() + HOLES.set_column(1, "id", HOLES["id"].cast(pa.string())).to_pylist()
    table = pa.Table.from_pylist([{name: row.get(name) for name in ("id", "title", "text")} for row in rows])
    pq.write_table(table, tmp_path / "in.parquet")
    schema = topic.score_batch(pa.RecordBatch.from_pylist([], schema=table.schema)).schema
    with pq.ParquetWriter(tmp_path / "out.parquet", schema) as writer:
        for batch in pq.ParquetFile(tmp_path / "in.parquet").iter_batches(2):
            writer.write_batch(topic.score_batch(batch))
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == topic.score_batch(table.combine_chunks().to_batches()[0]).to_pylist()


# threads and processes


def test_threads_share_a_predictor(reader):
    wanted = reader.predict(ARTICLES)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(reader.predict, ARTICLES * 8)) == wanted * 8


@pytest.mark.parametrize("kind", ["one", "several"])
def test_a_pickle_is_the_paths_and_no_more(models, kind, monkeypatch, tmp_path):
    monkeypatch.chdir(models["topic"].parent)
    model = newsclf.load("topic") if kind == "one" else newsclf.load("topic", "stance")
    data = pickle.dumps(model)
    assert len(data) < 500
    monkeypatch.chdir(tmp_path)  # as a worker that stands elsewhere
    again = pickle.loads(data)
    assert type(again) is type(model)
    assert again.predict(TEXT) == model.predict(TEXT)


def test_worker_processes_answer_as_the_process_that_made_them(reader):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(reader.predict, ARTICLES).result() == reader.predict(ARTICLES)


def test_a_predictor_shows_its_bundle(models, topic):
    bundle, fingerprint = Bundle.load(models["topic"])
    assert topic.bundle.codebook == bundle.codebook
    assert topic.reader.fingerprints == (fingerprint,)
    assert np.array_equal(topic.bundle.model.weights, bundle.model.weights)
