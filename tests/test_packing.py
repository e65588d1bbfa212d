"""A model with an encoder works where it was made, beside a store, and alone once it is packed; never with another encoder than its own."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest
from color_articles import color_rows, contents, write_rows
from tiny_encoder import write_encoder

import newsclf
from newsclf.bundle import Bundle
from newsclf.errors import BundleError, OutputError
from newsclf.packing import pack, store_encoder
from newsclf.training.run import train
from newsclf.training.start import start

pytest.importorskip("torch", reason="the neural extra is not installed")
BOOK = "task: news\nkind: exclusive\nlabels: {rain: The rain over the river., fish: The fish market.}\n"
ARTICLE = "The rain fell over the old bridge, said the mayor."


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder with an encoder and models/news, which is made of it."""
    monkeypatch.chdir(tmp_path)
    write_encoder(tmp_path / "encoder")
    Path("book.yaml").write_text(BOOK, "utf-8")
    start("book.yaml", "models/news", encoder="encoder")
    return tmp_path


def store(models: str = "models") -> Path:
    (found,) = Path(models, "encoders").iterdir()
    return found


def spoil(folder: Path) -> None:
    """Another number among the weights, in a file of its own: those of a store and of what was packed from it may be one."""
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-2] ^= 1
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(data)


def test_a_model_finds_its_encoder_in_the_store_when_the_one_it_names_is_gone(here):
    before = newsclf.load("models/news").predict(ARTICLE).probabilities
    shutil.rmtree("encoder")
    shutil.copytree("models", "elsewhere")
    shutil.rmtree("models")
    assert newsclf.load("elsewhere/news").predict(ARTICLE).probabilities == before


def test_the_store_has_what_is_read_of_an_encoder_once_for_all_models(here):
    Path("encoder/README.md").write_text("of no matter", "utf-8")
    Path("encoder/pytorch_model.bin").write_bytes(b"\x80\x04")
    first = {path: path.stat().st_ino for path in store().rglob("*")}
    start("book.yaml", "models/again", encoder="encoder")
    assert {path: path.stat().st_ino for path in store().rglob("*")} == first
    assert [name for name in contents(store()) if "README" in name or name.endswith(".bin")] == []
    assert sorted(path.name for path in Path("models").iterdir()) == ["again", "encoders", "news"]


@pytest.fixture
def colors(small, monkeypatch) -> Path:
    """A folder with a config that trains in a blink, and an encoder."""
    monkeypatch.chdir(small)
    write_rows(small / "corpus.jsonl", color_rows())
    return write_encoder(small / "encoder").parent


def test_training_stores_the_encoder_and_the_record_of_the_run_finds_it(colors):
    settings = ["learner.kind=encoder", f"learner.encoder={colors / 'encoder'}", "learner.engine=torch-fp32", "learner.embedding=1", "output=models"]
    done = train("config.yaml", settings)
    shutil.rmtree("encoder")
    assert Bundle.load(done.run / "bundle")[1] == Bundle.load(done.model)[1]
    assert contents(store(str(done.model.parent)))


def test_a_packed_model_is_whole_alone_and_has_the_fingerprint_it_had(here):
    before = Bundle.load("models/news")[1]
    answers = newsclf.load("models/news").predict(ARTICLE).as_dict()
    packed = pack("models/news")
    assert (packed.fingerprint, packed.encoder[:16]) == (before, store().name)
    assert packed.size == sum(map(len, contents(packed.folder).values()))
    Path("models/news").rename("alone")
    shutil.rmtree("models")
    shutil.rmtree("encoder")
    assert Bundle.load("alone")[1] == before
    assert newsclf.load("alone").predict(ARTICLE).as_dict() == answers
    assert "copy the folder anywhere" in packed.text()


def test_a_packed_copy_leaves_the_model_as_it_is(here):
    before = contents(Path("models"))
    packed = pack("models/news", "out/copy")
    assert contents(Path("models")) == before
    inside = {name: data for name, data in contents(Path("out/copy")).items() if not name.startswith("encoder/")}
    assert inside == contents(Path("models/news"))
    assert packed.folder == Path("out/copy")
    assert [path.name for path in Path("out").iterdir()] == ["copy"]


def test_packing_again_changes_nothing_and_heals_what_was_damaged(here):
    pack("models/news")
    whole = {path: path.stat().st_ino for path in Path("models/news").rglob("*")}
    pack("models/news")
    assert {path: path.stat().st_ino for path in Path("models/news").rglob("*")} == whole
    healthy = contents(Path("models/news"))
    Path("models/news/encoder/config.json").unlink()
    pack("models/news")
    assert contents(Path("models/news")) == healthy


def test_a_packed_model_may_be_saved_over(here):
    pack("models/news")
    start("book.yaml", "models/news", encoder="encoder")
    assert not Path("models/news/encoder").exists()
    assert Bundle.load("models/news")


def test_a_model_without_an_encoder_has_nothing_to_pack(colors):
    model = train("config.yaml").model
    before = contents(model)
    assert "holds everything already" in pack(model).text()
    assert contents(model) == before
    assert pack(model, "copy").encoder == ""
    assert contents(Path("copy")) == before
    assert store_encoder(model) is None
    assert not (model.parent / "encoders").exists()


def test_where_the_encoder_is_nowhere_the_model_says_what_was_tried_and_what_to_do(here):
    fingerprint = store().name
    Path("models/news").rename("alone")
    shutil.rmtree("models")
    shutil.rmtree("encoder")
    with pytest.raises(BundleError) as refused:
        Bundle.load("alone")
    said = str(refused.value)
    assert said.startswith("alone: the encoder that this model was made with is not here")
    for part in (
        f"fingerprint {fingerprint}",
        "alone/encoder",
        f"encoders/{fingerprint}",
        str(here / "encoder"),
        "this is no encoder",
        "newsclf pack",
    ):
        assert part in said
    assert "\n" not in said
    with pytest.raises(BundleError, match="is not here"):
        pack("alone")


@pytest.mark.parametrize("place", ["encoders", "inside"])
def test_a_store_that_was_changed_is_never_used(here, place):
    if place == "inside":
        pack("models/news")
    spoil(store() if place == "encoders" else Path("models/news/encoder"))
    before = newsclf.load("models/news").predict(ARTICLE).probabilities  # of the folder that it names, or of the store
    shutil.rmtree("encoder")
    if place == "inside":
        assert newsclf.load("models/news").predict(ARTICLE).probabilities == before
        shutil.rmtree("models/encoders")
    with pytest.raises(BundleError, match="this encoder is another one than the model was made with"):
        Bundle.load("models/news")


def test_a_changed_store_is_put_right_by_the_next_training(here):
    healthy = contents(store())
    spoil(store())
    assert store_encoder("models/news") == store().resolve()
    assert contents(store()) == healthy


def test_files_of_a_model_that_do_not_belong_to_it_are_still_refused(here):
    pack("models/news")
    Path("models/news/encoders").mkdir()
    with pytest.raises(BundleError, match="'encoders' does not belong to this bundle"):
        Bundle.load("models/news")


def test_a_manifest_cannot_send_the_search_for_an_encoder_out_of_its_places(here):
    path = Path("models/news/manifest.json")
    path.write_text(path.read_text("utf-8").replace(f'"encoder": "{store().name}', '"encoder": "../../encoder'), "utf-8")
    with pytest.raises(BundleError, match=r"must give the fingerprint of its encoder, and gives '\.\./\.\./encoder"):
        Bundle.load("models/news")


def test_a_store_that_cannot_be_written_is_told_and_the_model_works(here, caplog):
    shutil.rmtree("models/encoders")
    Path("models/encoders").write_text("a file in the way", "utf-8")
    with caplog.at_level(logging.WARNING):
        start("book.yaml", "models/news", encoder="encoder")
    assert "the encoder cannot be written here" in caplog.text
    assert "newsclf pack models/news" in caplog.text
    assert Bundle.load("models/news")


def test_a_folder_that_holds_something_else_is_not_packed_into(here):
    Path("thesis").mkdir()
    Path("thesis/thesis.doc").write_text("years of work", "utf-8")
    with pytest.raises(OutputError, match="holds something else"):
        pack("models/news", "thesis")
    assert [path.name for path in Path("thesis").iterdir()] == ["thesis.doc"]
