"""Evidence points at what was read, in the original, and its weights are those of the score."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
import pytest
import sentencex
from hypothesis import example, given, settings
from hypothesis import strategies as st

import newsclf
from newsclf.article import Article, Evidence
from newsclf.corpus.clean import CleanArticle, Cleaner, CleanSpec
from newsclf.corpus.html import extract_html
from newsclf.inference.evidence import PHRASES, Sentences, sentence_spans
from newsclf.inference.predictor import Predictor
from newsclf.learners.ngrams import tokenise
from newsclf.learners.protocol import Contributions

CLEAN = Cleaner(CleanSpec())
SENTENCES = ("The border wall must be finished.", "Agents arrested nine people.", "None of them saw a judge.")
TITLE = "Finish the border wall"


@pytest.fixture(scope="module", params=["topic", "framing", "stance"])
def model(request, models) -> Predictor:
    return newsclf.load(models[request.param])


def pieces(model: Predictor, what: str | Article):
    """All evidence that a model has for its labels, of every target."""
    found = model.predict(what, sentences=100)
    return [piece for answer in (found.values() if model.bundle.codebook.is_stance else [found]) for piece in answer.evidence]


def all_of(article: Article) -> tuple[Evidence, ...]:
    """The evidence of a model for which every word speaks."""
    cleaned = CLEAN(article)
    count = len(words(f"{cleaned.title.text}\n{cleaned.text.text}"))
    return Sentences.of(cleaned).evidence("any", contributions(list(range(count)), [1.0] * count), most=100)


def words(text: str) -> list[str]:
    found = tokenise([text])
    return [found.vocabulary[number] for number in found.ids.tolist()]


def contributions(positions: list[int], weights: list[float], phrases: list[str] | None = None) -> Contributions:
    return Contributions(np.array(positions, np.int64), np.array(weights), phrases or [f"w{at}" for at in positions], 0.0)


# places in the original


@dataclass(frozen=True)
class Original:
    """An article as scraped, and its own sentences as they are read."""

    text: str
    sentences: tuple[str, ...] = SENTENCES
    title: str = TITLE


NFD = unicodedata.normalize("NFD", "Żółw café wall señor é.")
ORIGINALS = {
    "plain": Original(" ".join(SENTENCES)),
    "lines": Original("\n\n".join(SENTENCES)),
    "Windows lines": Original("\r\n\r\n".join(SENTENCES), title=f"\r\n{TITLE} \r\n"),
    "junk between": Original("Advertisement\n" + "\nShare this article\n\n- Advertisement -\n".join(SENTENCES) + "\n3 min read"),
    "odd spaces": Original("\u3000\t" + " \u00a0".join(sentence.replace(" ", "\u00a0") for sentence in SENTENCES) + "  \n"),
    "invisible characters": Original("\ufeff" + " ".join(sentence.replace("a", "a\u00ad\u200b") for sentence in SENTENCES), title=f"\u200b{TITLE}"),
    "decomposed": Original(
        f"{NFD} {' '.join(SENTENCES)}", (unicodedata.normalize("NFC", NFD), *SENTENCES), title=unicodedata.normalize("NFD", "É wall")
    ),
    "beyond the first plane": Original("🚧🧱 " + "\n🚧 ".join(SENTENCES), (f"🚧🧱 {SENTENCES[0]}", *(f"🚧 {text}" for text in SENTENCES[1:]))),
    "other separators": Original("\u2028".join(SENTENCES) + "\v\fNo end", (*SENTENCES, "No end")),
    "no title": Original(" ".join(SENTENCES), title=""),
}


def as_read(text: str) -> str:
    """What cleaning makes of a piece of the original."""
    return CLEAN(Article("x", title=text)).title.text


@pytest.mark.parametrize("name", ORIGINALS)
def test_the_sentences_are_those_of_the_article_whatever_came_with_them(name):
    original = ORIGINALS[name]
    found = all_of(Article(original.text, title=original.title))
    assert sorted(piece.text for piece in found if piece.field == "text") == sorted(original.sentences)
    assert [piece.text for piece in found if piece.field == "title"] == ([as_read(original.title)] if original.title else [])


@pytest.mark.parametrize("name", ORIGINALS)
def test_evidence_stands_in_the_original_where_it_says(model, name):
    article = Article(ORIGINALS[name].text, title=ORIGINALS[name].title)
    found = pieces(model, article)
    assert found
    for piece in (*found, *all_of(article)):
        source = getattr(article, piece.field)
        assert as_read(source[piece.start : piece.end]) == piece.text
        # neither white space nor anything invisible is cut off with it
        assert source[piece.start : piece.end].strip() == source[piece.start : piece.end]


def test_junk_is_never_evidence(model):
    junk = ("Advertisement", "Read more: The wall and the judge", "Photo: Jo Varga")
    text = "\n".join([junk[0], SENTENCES[0], junk[1], SENTENCES[1], junk[2]])
    assert {piece.text for piece in pieces(model, text)} <= set(SENTENCES[:2])
    assert {piece.text for piece in all_of(Article(text))} == set(SENTENCES[:2])


def test_what_a_mask_takes_is_no_evidence_but_lies_within_its_sentence(model):
    text = "By Ann Smith\n\nEL PASO, Texas (Agency) — The Wall Wire says the border wall must go. Agents agree."
    cleaned = next(iter(model.reader.clean([Article(text, outlet="The Wall Wire")]).values()))[0]
    places = {cleaned.text.text[start:end]: cleaned.text.original(start, end) for _, start, end in Sentences.of(cleaned).spans[1:]}
    assert {read: text[slice(*place)] for read, place in places.items()} == {
        "says the border wall must go.": "says the border wall must go.",
        "Agents agree.": "Agents agree.",
    }


def test_the_places_in_a_page_are_those_of_its_extracted_text(model):
    body = f"<nav>Menu</nav><article><p>{SENTENCES[0]}</p><p>{' '.join(SENTENCES[1:])}</p></article>"
    page = f"<html><head><title>{TITLE}</title></head><body>{body}</body></html>"
    title, text = extract_html(page)
    assert {piece.text for piece in all_of(Article(page))} == {TITLE, *SENTENCES}
    for piece in (*pieces(model, page), *all_of(Article(page))):
        assert (title if piece.field == "title" else text)[piece.start : piece.end] == piece.text


def test_repaired_mojibake_is_shown_by_its_line():
    text = f"{SENTENCES[0]}\n{'The mayor of Montréal fears the border wall. Señora García saw a judge.'.encode().decode('cp1252')}"
    places = {piece.text: (piece.start, piece.end) for piece in all_of(Article(text))}
    line = (len(SENTENCES[0]) + 1, len(text))
    assert places == {
        SENTENCES[0]: (0, len(SENTENCES[0])),
        "The mayor of Montréal fears the border wall.": line,
        "Señora García saw a judge.": line,
    }


# weights


@pytest.mark.parametrize("company", [0, 2])
def test_the_weights_of_all_sentences_and_the_rest_sum_to_the_score(model, company):
    articles = [Article("Something else, on Monday.")] * company + [Article(" ".join(SENTENCES), title=TITLE)]
    cleaned = model.reader.clean(articles)
    answers = model.reader.answer(cleaned)[0]
    row = len(answers.pairs) - 1
    labels = list(range(len(model.bundle.codebook.names)))
    split = Sentences.of(next(iter(cleaned.values()))[-1])
    found = model.bundle.model.contributions(answers.pairs, row, labels)
    for score, item in zip(model.bundle.model.scores(answers.pairs)[row], found, strict=True):
        place = np.searchsorted(split.starts, item.positions, side="right") - 1
        weights = np.bincount(place, item.weights, minlength=len(split.spans))
        assert weights.sum() + item.rest == pytest.approx(score, abs=1e-5)
        shown = split.evidence("any", item, most=100)
        assert [piece.weight for piece in shown] == sorted(weights[weights > 0], reverse=True)
        for piece in shown:
            strengths = [phrase.weight for phrase in piece.phrases]
            assert 0 < len(strengths) <= PHRASES
            assert min(strengths) > 0
            assert strengths == sorted(strengths, reverse=True)


def test_an_exclusive_label_is_given_what_speaks_more_for_it_than_for_the_labels_on_average(models):
    model = newsclf.load(models["topic"])
    cleaned = model.reader.clean([Article(" ".join(SENTENCES))])
    answers = model.reader.answer(cleaned)[0]
    every = model.bundle.model.contributions(answers.pairs, 0, range(8))
    label = int(answers.decided[0].argmax())
    wanted = Sentences.of(next(iter(cleaned.values()))[0]).evidence(
        model.bundle.codebook.names[label], every[label].less(np.mean([item.weights for item in every], axis=0)), most=3
    )
    assert model.predict(" ".join(SENTENCES)).evidence == wanted


def test_only_what_speaks_for_a_label_is_shown_the_strongest_first():
    split = Sentences.of(CLEAN(Article("One two. Three four. Five.", title="Zero")))
    found = split.evidence("x", contributions([0, 1, 2, 3, 4, 5], [0.5, 1.0, 1.0, -2.0, 1.0, 0.0]), most=9)
    assert [(piece.label, piece.text, piece.weight) for piece in found] == [("x", "One two.", 2.0), ("x", "Zero", 0.5)]
    assert [piece.text for piece in split.evidence("x", contributions([1, 4], [1.0, 1.0]), most=1)] == ["One two."]
    assert split.evidence("x", contributions([], []), most=9) == ()


def test_a_sentence_shows_its_strongest_phrases_each_once():
    split = Sentences.of(CLEAN(Article("A b a c d.")))
    found = split.evidence("x", contributions([0, 1, 2, 3, 4, 4], [0.2, 0.3, 0.2, 0.1, -1.0, 2.0], ["a", "b", "a", "c", "d", "e"]), most=1)
    assert [(phrase.text, phrase.weight) for phrase in found[0].phrases] == [("e", 2.0), ("a", 0.4), ("b", 0.3)]


# an encoder's reading


def reading(entries: list[tuple[int, float, int]], windows: int) -> Contributions:
    """Entries as their position, weight and window; those without a window are n-grams."""
    positions, weights, of_windows = (list(column) for column in zip(*entries, strict=True))
    phrases = ["" if window >= 0 else f"w{at}" for at, window in zip(positions, of_windows, strict=True)]
    return Contributions(np.array(positions), np.array(weights), phrases, 0.0, np.array(of_windows), windows)


def test_a_sentence_tells_what_n_grams_gave_what_the_encoder_did_and_where_it_was_read():
    split = Sentences.of(CLEAN(Article("One two. Three four. Five.", title="Zero")))
    found = split.evidence("x", reading([(1, 0.5, -1), (1, 0.25, 0), (2, 1.0, 1), (3, 2.0, -1), (4, -0.5, 1), (0, 0.25, 2)], 3), most=9)
    assert [(piece.text, piece.weight, piece.ngrams, piece.encoder, piece.window, piece.windows) for piece in found] == [
        ("One two.", 1.75, 0.5, 1.25, 2, 3),
        ("Three four.", 1.5, 2.0, -0.5, 2, 3),
        ("Zero", 0.25, 0.0, 0.25, 3, 3),
    ]
    assert [[phrase.text for phrase in piece.phrases] for piece in found] == [["w1"], ["w3"], []]


def test_a_sentence_that_no_window_holds_says_so():
    split = Sentences.of(CLEAN(Article("One two. Three four.")))
    first, second = split.evidence("x", reading([(0, 1.0, 0), (2, 0.5, -1)], 1), most=9)
    assert (first.window, first.encoder, first.phrases) == (1, 1.0, ())
    assert (second.window, second.encoder, second.windows) == (0, 0.0, 1)
    assert second.reading() == {"ngrams": 0.5, "encoder": 0.0, "window": None, "windows": 1}


def test_without_an_encoder_nothing_is_said_of_one(model):
    for piece in pieces(model, Article(" ".join(SENTENCES), title=TITLE)):
        assert (piece.encoder, piece.window, piece.windows, piece.reading()) == (0.0, 0, 0, {})
        assert piece.ngrams == piece.weight


# sentences that name the target


def test_what_names_the_target_comes_first_if_it_spoke_for_the_label():
    split = Sentences.of(CLEAN(Article("One two. Three four. Five. Six.")))
    given = contributions([0, 2, 4, 5], [4.0, 1.0, 2.0, -1.0])
    for named, texts in ([], ["One two.", "Five.", "Three four."]), ([3, 5], ["Three four.", "One two.", "Five."]):
        found = split.evidence("x", given, most=9, named=np.array(named, np.int64))
        assert [piece.text for piece in found] == texts
    assert [piece.text for piece in split.evidence("x", given, most=1, named=np.array([2]))] == ["Three four."]


def test_a_stance_shows_sentences_about_its_target_before_the_others(models):
    model = newsclf.load(models["stance"])
    text = "It must be finished now, at last. The council met on Monday. The border wall is long. Finish it. Agents arrested nine people."
    found = model.predict(text, sentences=9)["border wall"].evidence
    names = [("border wall" in piece.text, -piece.weight) for piece in found]
    assert len({named for named, _ in names}) == 2
    assert names == sorted(names, key=lambda item: (not item[0], item[1]))


# sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Mr. Smith paid $3.50 to the U.S. office. He left.", ["Mr. Smith paid $3.50 to the U.S. office.", "He left."]),
        ("No full stop\nand a line break", ["No full stop", "and a line break"]),
        ("“Stop it.” She left.", ["“Stop it.”", "She left."]),
        ("壁が続く。判事はいない。", ["壁が続く。", "判事はいない。"]),
        ("  One.   Two.  ", ["One.", "Two."]),
        ("", []),
        ("\n \n", []),
    ],
)
def test_text_is_split_into_sentences(text, sentences):
    assert [text[start:end] for start, end in sentence_spans(text)] == sentences


MARKS = [" ", "  ", ". ", "! ", "?", "…", "—", "_", '"', "[1]", "\t", "\n", "\n\n", "\r\n", "\u2028", "\u00ad", "\u0345"]
PIECES = [
    "Mr. Smith",
    "U.S.",
    "e\u0301",
    "日本語。",
    "😀",
    "“Hi,” he said. ",
    "a.b",
    "3.5",
    "İ",
    "नमस्ते। ",
    "مرحبا؟ ",
    "No. 5 ",
    "J. K. ",
    "www.x.com ",
    "wall",
]
SCRAPED = st.lists(st.sampled_from([*MARKS, *PIECES, "Advertisement"]), max_size=25).map("".join)


def check(split: Sentences, cleaned: CleanArticle) -> None:
    """Every word of the article is in the one sentence that its position says, and the sentences lie apart and in order."""
    whole = words(f"{cleaned.title.text}\n{cleaned.text.text}")
    end = 0
    for (field, start, stop), first, last in zip(split.spans, split.starts[:-1], split.starts[1:], strict=True):
        text = getattr(cleaned, field).text
        assert words(text[start:stop]) == whole[first:last]
        if field == "text":
            assert end <= start < stop <= len(text)
            assert not text[end:start].strip()
            end = stop
    assert not cleaned.text.text[end:].strip()
    assert split.starts[-1] == len(whole)


@settings(max_examples=150, deadline=None)
@given(SCRAPED, st.sampled_from(["", "A title", "e\u0301. \u200bB"]))
@example("", "")
@example("\n", "A title")
def test_the_words_of_the_sentences_are_those_of_the_article(text, title):
    cleaned = CLEAN(Article(text, title=title))
    check(Sentences.of(cleaned), cleaned)


@settings(max_examples=150, deadline=None)
@given(SCRAPED)
def test_every_sentence_is_found_again_in_the_original(text):
    cleaned = CLEAN(Article(text))
    for field, start, end in Sentences.of(cleaned).spans[1:]:
        assert field == "text"
        begin, stop = cleaned.text.original(start, end)
        assert as_read(text[begin:stop]) == cleaned.text.text[start:end]


def test_sentences_that_end_within_a_word_are_given_up_for_lines(monkeypatch):
    def halves(language: str, text: str) -> list[dict[str, int]]:
        return [{"start_index": 0, "end_index": len(text) // 2}, {"start_index": len(text) // 2, "end_index": len(text)}]

    monkeypatch.setattr(sentencex, "get_sentence_boundaries", halves)
    cleaned = CLEAN(Article("wonderful\nab cd", title="T"))
    split = Sentences.of(cleaned)
    assert split.spans == (("title", 0, 1), ("text", 0, 9), ("text", 10, 15))
    check(split, cleaned)
