"""Pairs as the tokens of their windows: what stands in them, what is cut, and that none depends on another."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_encoder import TOKENIZER, WORDS, write_encoder, write_json

from newsclf.learners.encoder_files import encoder_files
from newsclf.learners.pair_windows import PairReader
from newsclf.learners.protocol import Documents, Pairs
from newsclf.learners.windows import WindowSpec

NUMBER = {word: number + 4 for number, word in enumerate(WORDS)}
CLS, SEP = 2, 3


def numbers(*texts):
    return [CLS, *(number for text in texts for number in [*(NUMBER[word] for word in text.split()), SEP])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("tokenizers", reason="the neural extra is not installed")
    return write_encoder(tmp_path_factory.mktemp("encoder"))


def reader(folder, **spec):
    return PairReader(encoder_files(folder), WindowSpec(**spec))


def test_a_window_is_the_headline_and_the_text(folder):
    found = reader(folder).read(Pairs.of(Documents(["the mayor"], ["rain over the town"])))
    assert [ids.tolist() for ids in found.ids] == [numbers("the mayor rain over the town")]
    assert [segments.tolist() for segments in found.segments] == [[0] * 8]
    assert found.shares.tolist() == [1.0]
    assert found.coverage.tolist() == [1.0]


def test_a_target_stands_before_each_window_as_a_text_of_its_own(folder):
    text = "rain over the town . river under the bridge . fish over the market ."
    found = reader(folder, headline="none", overlap=0).read(Pairs(Documents([""], [text]), np.array([0]), ["the mayor"]))
    assert len(found.ids) > 1
    for ids, segments in zip(found.ids, found.segments, strict=True):
        assert len(ids) <= 12
        assert ids[:4].tolist() == numbers("the mayor")
        assert segments.tolist() == [0] * 4 + [1] * (len(ids) - 4)
    assert found.shares.sum() == pytest.approx(1)


def test_what_is_read_of_a_pair_does_not_depend_on_the_others(folder):
    documents = Documents(["the mayor said", "", "old news"], ["rain " * 40, "", "fish under the long bridge"])
    targets = ["the river", "", "night", "a town school council", "the river"]
    pairs = Pairs(documents, np.array([2, 0, 1, 0, 0]), targets)
    together = reader(folder).read(pairs)
    assert len(together) == 5
    for pair, (row, target) in enumerate(zip(pairs.rows.tolist(), targets, strict=True)):
        alone = reader(folder).read(Pairs(documents, np.array([row]), [target]))
        mine = together.take(np.array([pair]))
        for one, other in ((alone.ids, mine.ids), (alone.segments, mine.segments)):
            assert [array.tolist() for array in one] == [array.tolist() for array in other]
        assert alone.shares.tolist() == mine.shares.tolist()
        assert alone.starts.tolist() == mine.starts.tolist()


def test_some_pairs_in_another_order_are_theirs(folder):
    documents = Documents(["", "", ""], ["rain " * 30, "fish", "town " * 15])
    found = reader(folder).read(Pairs.of(documents))
    some = found.take(np.array([2, 0]))
    assert [ids.tolist() for ids in some.ids] == [found.ids[window].tolist() for pair in (2, 0) for window in found.of(pair).tolist()]
    assert np.diff(some.starts).tolist() == [len(found.of(2)), len(found.of(0))]


def test_of_a_long_target_a_quarter_of_the_reach_is_read(folder):
    found = reader(folder).read(Pairs(Documents([""], ["rain " * 20]), np.array([0]), ["the old bridge over the river"]))
    assert all(ids[:5].tolist() == numbers("the old bridge") for ids in found.ids)
    assert all(len(ids) <= 12 for ids in found.ids)


def test_an_empty_target_is_one_of_no_tokens(folder):
    found = reader(folder).read(Pairs(Documents([""], ["rain"]), np.array([0]), [""]))
    assert [ids.tolist() for ids in found.ids] == [numbers("", "rain")]


def test_a_text_of_two_hundred_thousand_tokens_is_read_whole(folder):
    found = reader(folder, overlap=0).read(Pairs.of(Documents([""], ["rain " * 200_000])))
    assert sum(len(ids) - 2 for ids in found.ids) == 200_000
    assert max(len(ids) for ids in found.ids) <= 12


def test_of_windows_at_most_so_many_are_read_and_coverage_says_so(folder):
    pairs = Pairs.of(Documents(["", ""], ["rain " * 200, "rain"]))
    few = reader(folder, most=2)
    assert np.diff(few.read(pairs).starts).tolist() == [2, 1]
    assert few.coverage(pairs).tolist() == few.read(pairs).coverage.tolist()
    assert few.coverage(pairs)[0] < 0.2
    assert reader(folder).coverage(pairs).tolist() == [1, 1]


def test_no_pairs_have_no_windows(folder):
    found = reader(folder).read(Pairs.of(Documents([], [])))
    assert (len(found), len(found.ids), found.starts.tolist()) == (0, 0, [0])


def test_a_text_without_a_token_has_one_that_can_be_read(tmp_path):
    pytest.importorskip("tokenizers", reason="the neural extra is not installed")
    write_encoder(tmp_path)
    write_json(tmp_path / "tokenizer.json", {**TOKENIZER, "post_processor": None})
    found = reader(tmp_path).read(Pairs.of(Documents(["", ""], ["", "rain"])))
    assert [ids.tolist() for ids in found.ids] == [[0], [NUMBER["rain"]]]
