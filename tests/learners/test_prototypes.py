"""What a codebook says as directions: which texts stand for a label, how they count, and what a target does to them."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_encoder import write_encoder

from newsclf.codebook import Codebook
from newsclf.learners.embedding import embedder
from newsclf.learners.protocol import Documents, Pairs
from newsclf.learners.prototypes import NAME, Prototypes
from newsclf.learners.windows import WindowSpec

pytest.importorskip("torch", reason="the neural extra is not installed")
LABELS = {
    "rain_news": {"definition": "The rain over\n the town.", "include": "A long night.", "examples": ["old road", "new road", " "]},
    "fish": "The fish market.",
    "school": None,
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return embedder(str(write_encoder(tmp_path_factory.mktemp("encoder"))), "torch-fp32", WindowSpec())


@pytest.fixture
def prototypes(reader):
    return Prototypes(Codebook(task="news", kind="exclusive", labels=LABELS), reader)


def test_a_label_is_its_definition_what_it_includes_its_examples_and_its_name(prototypes):
    found = dict(prototypes.texts("rain_news"))
    assert found == pytest.approx({"The rain over the town.": 1, "A long night.": 1, "old road": 1 / 3, "new road": 1 / 3, "rain news": NAME})
    assert prototypes.texts("fish") == [("The fish market.", 1.0), ("fish", NAME)]


def test_a_label_without_a_definition_is_its_name_and_is_told(prototypes):
    assert prototypes.texts("school") == [("school", 1.0)]
    assert prototypes.undefined() == ["school"]


def test_directions_have_nothing_in_common(prototypes, reader):
    found = prototypes.directions()
    assert found.shape == (reader.encoder.dim, 3)
    np.testing.assert_allclose(found.mean(axis=1), 0, atol=1e-12)
    assert np.linalg.norm(found, axis=0).min() > 0.01


def test_what_stands_for_a_label_is_nearest_to_it(reader):
    prototypes = Prototypes(Codebook(task="news", kind="exclusive", labels=["the rain over the town", "the fish market"]), reader)
    found = prototypes.similarity(Pairs.of(Documents(["", ""], list(prototypes.codebook.names))))
    assert found.argmax(axis=1).tolist() == [0, 1]
    np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-12)


def test_of_a_stance_the_target_stands_where_the_definition_has_it(reader):
    labels = {"favor": "The writer praises the target.", "against": "The writer is angry."}
    asked = []

    class Listening:
        def texts(self, texts):
            asked.extend(texts)
            return reader.texts(texts)

    Prototypes(Codebook(task="stance", kind="exclusive", labels=labels, open_targets=True), Listening()).directions("old bridge")
    assert asked == ["The writer praises old bridge.", "favor (old bridge)", "The writer is angry. (old bridge)", "against (old bridge)"]


def test_a_target_with_backslashes_is_taken_as_it_is(reader):
    codebook = Codebook(task="stance", kind="exclusive", labels={"favor": "For the target.", "against": "Against it."}, open_targets=True)
    assert np.isfinite(Prototypes(codebook, reader).directions(r"a \1 \g<0> bridge")).all()


def test_pairs_are_compared_with_the_definitions_for_their_own_target(reader):
    codebook = Codebook(task="stance", kind="exclusive", labels={"favor": "The old target.", "against": "The new target."}, open_targets=True)
    prototypes, documents = Prototypes(codebook, reader), Documents(["", ""], ["the old road", "the long night"])
    found = prototypes.similarity(Pairs(documents, np.array([0, 1, 0]), ["road", "fish", "fish"]))
    for row, (text, target) in enumerate([(0, "road"), (1, "fish"), (0, "fish")]):
        alone = Pairs(Documents([""], [documents.texts[text]]), np.array([0]), [target])
        np.testing.assert_allclose(found[[row]], prototypes.similarity(alone), atol=1e-5)
    assert abs(found[0] - found[2]).max() > 1e-4


def test_no_pairs_have_no_similarities(prototypes):
    assert prototypes.similarity(Pairs.of(Documents([], []))).shape == (0, 3)
