"""A bundle comes back as it was saved, or is refused with one sentence.

tests/fixtures/bundle_v1 is a bundle of format 1: what `dozen()` below gave when the format was made. It is never written again, but for this by hand,
before the first release only:  python tests/test_bundle.py  A new format gets a folder of its own beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from color_articles import contents
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as read_tensors
from safetensors.numpy import save as tensor_bytes

import newsclf
from newsclf.bundle import Bundle, outline
from newsclf.codebook import Codebook
from newsclf.corpus.clean import CleanSpec
from newsclf.errors import BundleError, OutputError
from newsclf.folder import sha256
from newsclf.learners.linear import LinearModel, LinearSpec
from newsclf.learners.protocol import Documents, Pairs, Parts
from newsclf.manifest import FORMAT
from newsclf.scores.abstain import Abstention
from newsclf.scores.calibration import fit_calibration
from newsclf.scores.decision import Decision
from newsclf.scores.sets import LabelSets
from newsclf.tensors import LARGEST_HEADER

FIXTURE = Path(__file__).parent / "fixtures" / "bundle_v1"
CODED = (
    ("The trams pay", "The new tram line is a joy, and the city should build two more.", "tram line", "favor"),
    ("Ride it", "Anyone who rides the tram line knows that it is a joy and a bargain.", "tram line", "favor"),
    ("Stop the digging", "The tram line is a folly, and the city should stop it now.", "tram line", "against"),
    ("A costly folly", "Nobody wants the tram line, a folly that ruins every shop.", "tram line", "against"),
    ("Council meets", "The council heard two reports on the tram line on Monday.", "tram line", "neutral"),
    ("Works begin", "Work on the tram line began on Monday, two reports say.", "tram line", "neutral"),
    ("Light the lamps", "The night market is a joy, and the city should open it all year.", "night market", "favor"),
    ("Eat out", "A bargain and a joy: the night market knows what the city wants.", "night market", "favor"),
    ("Close the stalls", "The night market is a folly that ruins every street; stop it.", "night market", "against"),
    ("No sleep", "Nobody sleeps, and the night market should stop, for it is a folly.", "night market", "against"),
    ("Market day", "The night market opens on Monday, the council said in two reports.", "night market", "neutral"),
    ("Stalls counted", "Two reports on the night market say that work began on Monday.", "night market", "neutral"),
)


def dozen() -> Bundle:
    """A stance model of a dozen sentences, with every kind of block."""
    codebook = Codebook(
        task="view",
        kind="exclusive",
        question="Is the article for the target?",
        labels={"favor": "It is for it.", "against": "It is against it.", "neutral": "It takes no side."},
        targets={"tram line": {"aliases": ["trams"]}, "night market": {"aliases": ["stalls"]}},
        open_targets=True,
    )
    titles, texts, targets, labels = zip(*CODED, strict=True)
    rows = np.arange(len(CODED))
    pairs, truth = Pairs(Documents(titles, texts), rows, targets), codebook.matrix([label] for label in labels)
    learner = LinearSpec(C=1, characters=(3, 4), min_df=1)
    fitted = learner.fit(pairs, truth, codebook, [(rows[rows % 2 != part], rows[rows % 2 == part]) for part in (0, 1)])
    decision = Decision("exclusive", np.zeros(3), abstain_unmentioned=True)
    return Bundle(codebook, learner, CleanSpec(), fitted.model, fit_calibration(fitted.heldout, truth, "exclusive"), decision, {"name": "view"})


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return dozen()


@pytest.fixture
def model(bundle: Bundle, tmp_path: Path) -> Path:
    """The bundle as saved."""
    bundle.save(tmp_path / "view")
    return tmp_path / "view"


def asked(bundle: Bundle) -> Pairs:
    """Pairs that no golden input holds."""
    texts = ["Trams are a folly.", "The stalls: a joy, said two reports in Monday's paper", "ÉTÉ \U0001f68b 電車", ""]
    targets = ["tram line", "night market", "harbor", "tram line"] if bundle.codebook.is_stance else ()
    return Pairs(Documents(["Joy", "", "A night", "x"], texts), np.arange(4), targets)


# what is saved comes back


@pytest.mark.parametrize("task", ["topic", "framing", "stance"])
def test_scores_and_answers_come_back_bit_for_bit(models, task, tmp_path):
    first, fingerprint = Bundle.load(models[task])
    assert first.save(tmp_path / "again") == fingerprint
    second, _ = Bundle.load(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(models[task])
    assert np.array_equal(first.model.scores(asked(first)), second.model.scores(asked(first)))
    assert all(map(np.array_equal, first.answer(asked(first)), second.answer(asked(first))))


def test_a_bundle_that_was_never_on_disk_answers_as_the_one_that_was(bundle, model):
    loaded, _ = Bundle.load(model)
    assert np.array_equal(bundle.model.scores(asked(bundle)), loaded.model.scores(asked(bundle)))
    assert all(map(np.array_equal, bundle.answer(asked(bundle)), loaded.answer(asked(bundle))))
    for name in ("codebook", "learner", "clean", "about"):
        assert getattr(bundle, name) == getattr(loaded, name)


def test_the_fingerprint_is_the_same_for_the_same_model_and_another_for_another(bundle, tmp_path):
    fingerprints = [bundle.save(tmp_path / name) for name in ("one", "two")]
    assert fingerprints == [Bundle.load(tmp_path / name)[1] for name in ("one", "two")]
    other = replace(bundle, decision=replace(bundle.decision, abstain_below=0.5)).save(tmp_path / "three")
    assert len({*fingerprints, other}) == 2


def test_sets_and_what_choosing_an_abstention_found_come_back_and_leave_no_trace_where_they_were_not_asked_for(bundle, model, tmp_path):
    assert {"sets", "abstention"}.isdisjoint(manifest(model)["decision"])
    sets = LabelSets(0.9, "aps", np.array([0.1, 1 / 3, 0.7]), size=1.25, by_class=True)
    told = replace(bundle.decision, abstain_below=0.4, abstention=Abstention(0.4, 0.1, 0.96, 0.95), sets=sets)
    replace(bundle, decision=told).save(tmp_path / "sets")
    loaded, _ = Bundle.load(tmp_path / "sets")
    assert loaded.decision.as_dict() == told.as_dict()
    assert loaded.decision.abstention == told.abstention
    probabilities, _ = loaded.answer(asked(bundle))
    assert loaded.decision.sets(probabilities).tolist() == sets(probabilities).tolist()
    assert Bundle.load(FIXTURE)[0].decision.sets is Bundle.load(model)[0].decision.sets is None


def test_names_that_yaml_and_file_formats_might_stumble_over_come_back(bundle, tmp_path):
    labels = {"no": "a: b # c", "012": "1e5", "x|y — “é\u0085”": "two\nlines"}
    codebook = bundle.codebook.model_copy(update={"labels": Codebook(task="t", kind="exclusive", labels=labels).labels})
    replace(bundle, codebook=codebook).save(tmp_path / "odd")
    assert Bundle.load(tmp_path / "odd")[0].codebook == codebook


def test_a_folder_is_read_through_a_link_and_from_a_relative_path(model, monkeypatch):
    (model.parent / "latest").symlink_to(model)
    monkeypatch.chdir(model.parent)
    assert Bundle.load("latest")[1] == Bundle.load(Path("view"))[1]


@dataclass(frozen=True)
class Strided(LinearModel):
    """A model whose arrays lie otherwise in memory than safetensors believes."""

    layout: Callable[[np.ndarray], np.ndarray] = np.asfortranarray

    def parts(self) -> Parts:
        parts = super().parts()
        return Parts({name: self.layout(array) for name, array in parts.arrays.items()}, parts.vocabularies)


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2], lambda a: a[::-1].copy()[::-1]])
def test_arrays_that_are_not_in_rows_are_written_rightly(bundle, tmp_path, layout):
    """Issue 825 of safetensors: it writes the memory of such an array as it lies."""
    model = bundle.model
    strided = replace(bundle, model=Strided(model.features, model.weights, model.intercepts, layout))
    assert any(not array.flags.c_contiguous for array in strided.model.parts().arrays.values())
    strided.save(tmp_path / "view")
    assert np.array_equal(Bundle.load(tmp_path / "view")[0].model.weights, model.weights)


@pytest.mark.parametrize("task", ["topic", "framing", "stance"])
def test_a_bundle_holds_text_and_numbers_only(models, task):
    for name, data in contents(models[task]).items():
        if name == "weights.safetensors":
            assert json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        else:
            assert Path(name).suffix in (".json", ".yaml", ".txt", ".md")
            assert "\0" not in data.decode("utf-8")


def test_nothing_is_executed_imported_or_written_on_load(model):
    code = """
import sys
from newsclf.bundle import Bundle
Bundle.load(sys.argv[1])  # what is imported when it is first needed is imported here
events = []
watched = ("exec", "compile", "import", "pickle.find_class", "marshal.loads", "subprocess.Popen", "os.system", "ctypes.dlopen", "socket.connect")
sys.addaudithook(lambda event, args: events.append((event, args)) if event in watched or (event == "open" and args[1] not in ("r", "rb")) else None)
Bundle.load(sys.argv[1])
print(events)
"""
    run = subprocess.run([sys.executable, "-c", code, str(model)], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


# what is damaged is refused


def manifest(model: Path) -> dict[str, Any]:
    return json.loads((model / "manifest.json").read_text("utf-8"))


def told(**changes: Any) -> Callable[[Path], None]:
    """A manifest that says something else; None takes a key out."""

    def damage(model):
        tree = {name: value for name, value in (manifest(model) | changes).items() if value is not None}
        (model / "manifest.json").write_text(json.dumps(tree), "utf-8")

    return damage


def hashed(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Another content, with its size and hash in the manifest: only a check of the content itself can tell."""

    def damage(model):
        data = change((model / name).read_bytes())
        (model / name).write_bytes(data)
        told(files=manifest(model)["files"] | {name: {"bytes": len(data), "sha256": sha256(data)}})(model)

    return damage


def inside(name: str, **changes: Any) -> Callable[[Path], None]:
    """A number of the manifest's block changed."""
    return lambda model: told(**{name: manifest(model)[name] | changes})(model)


def listing(name: str) -> Callable[[Path], None]:
    return lambda model: told(files=manifest(model)["files"] | {name: {"bytes": 1, "sha256": "0" * 64}})(model)


def unlisted(name: str) -> Callable[[Path], None]:
    """A file that is neither there nor in the manifest."""

    def damage(model):
        (model / name).unlink()
        told(files={key: value for key, value in manifest(model)["files"].items() if key != name})(model)

    return damage


def golden(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Path], None]:
    return hashed("golden.json", lambda data: json.dumps(change(json.loads(data))).encode())


def moved(name: str, by: float) -> Callable[[Path], None]:
    return golden(lambda tree: tree | {name: (np.array(tree[name]) + by).tolist()})


def weights(change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> Callable[[Path], None]:
    return hashed("weights.safetensors", lambda data: tensor_bytes(change(read_tensors(data))))


def with_value(name: str, value: float) -> Callable[[Path], None]:
    def change(arrays):
        arrays[name].flat[1] = value
        return arrays

    return weights(change)


def terms(change: Callable[[list[bytes]], list[bytes]], name: str = "words") -> Callable[[Path], None]:
    return hashed(f"vocabulary.{name}.txt", lambda data: b"\n".join(change(data.split(b"\n"))))


def changed_byte(model: Path) -> None:
    data = bytearray((model / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (model / "weights.safetensors").write_bytes(bytes(data))


def linked(name: str) -> Callable[[Path], None]:
    def damage(model):
        (model / name).rename(model.parent / name)
        (model / name).symlink_to(model.parent / name)

    return damage


def file_in_its_place(model: Path) -> None:
    for path in model.iterdir():
        path.unlink()
    model.rmdir()
    model.write_text("a file")


DEEP = b"[" * 100_000
LONG_HEADER = (LARGEST_HEADER + 8).to_bytes(8, "little") + b"{}".ljust(LARGEST_HEADER + 8)
SETS = {"coverage": 0.9, "method": "lac", "thresholds": [0.5, 0.5, 0.5], "size": 1.0, "by_class": False}
CALIBRATION = {"slopes": [1.0, 1.0], "shifts": [0.0, 0.0]}

DAMAGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a missing file": (lambda model: (model / "golden.json").unlink(), ["'golden.json' is missing", "copy the whole folder again"]),
    "a file that the manifest does not list": (unlisted("golden.json"), ["does not fit together", "'golden.json' is missing"]),
    "no codebook": (unlisted("codebook.yaml"), ["'codebook.yaml' is missing"]),
    "no weights": (unlisted("weights.safetensors"), ["'weights.safetensors' is missing"]),
    "a missing vocabulary": (unlisted("vocabulary.title.txt"), ["the weights are", "need"]),
    "an extra file": (lambda model: (model / "notes.py").write_text("boom()"), ["'notes.py' does not belong to this bundle"]),
    "an extra folder": (lambda model: (model / "cache").mkdir(), ["'cache' does not belong"]),
    "a changed byte": (changed_byte, ["weights.safetensors", "has changed since it was saved", "sha256"]),
    "another size": (lambda model: (model / "golden.json").write_bytes(b"short"), ["golden.json", "5 bytes", "the manifest says"]),
    "a newer format": (told(format=99, newsclf="9.0"), ["format 99", f"reads formats up to {FORMAT}", "written by newsclf 9.0", "Upgrade newsclf"]),
    "a format that is text": (told(format="one"), ["format 'one'"]),
    "no format": (told(format=None), ["no newsclf bundle", "no format number"]),
    "a list for a manifest": (lambda model: (model / "manifest.json").write_text("[1]"), ["no newsclf bundle", "no format number"]),
    "an unknown key": (told(codee="x"), ["manifest.json", "unknown key 'codee'"]),
    "two faults": (told(task=None, labels=7), ["'task' is missing", "'labels'"]),
    "another words' rule": (told(tokens=2), ["words are defined by rule 2", "knows rule 1"]),
    "a reference to elsewhere": (told(external={"encoder": "0" * 64}), ["stored elsewhere", "'encoder'"]),
    "a learner that is not known": (inside("learner", kind="oracle"), ["there is no learner 'oracle'"]),
    "a learner's number that is none": (inside("learner", words="two"), ["manifest.json, learner", "'words'"]),
    "a name of the folder above": (listing("../weights"), ["'../weights'", "only plain file names"]),
    "two dots": (listing(".."), ["'..'", "only plain file names"]),
    "an absolute name": (listing("/etc/passwd"), ["'/etc/passwd'", "only plain file names"]),
    "a name with a backslash": (listing("..\\weights"), ["only plain file names"]),
    "a name with a drive": (listing("C:weights"), ["only plain file names"]),
    "a link": (linked("golden.json"), ["golden.json", "a link or a folder", "plain files only"]),
    "a linked manifest": (linked("manifest.json"), ["no newsclf bundle"]),
    "no manifest": (lambda model: (model / "manifest.json").unlink(), ["no newsclf bundle", "a folder with a manifest.json"]),
    "a file for a folder": (file_in_its_place, ["no newsclf bundle", "a folder with a manifest.json"]),
    "a manifest that is not JSON": (lambda model: (model / "manifest.json").write_text("{"), ["not JSON"]),
    "a manifest that is not text": (lambda model: (model / "manifest.json").write_bytes(b"\xff"), ["not JSON"]),
    "a deep manifest": (lambda model: (model / "manifest.json").write_bytes(DEEP), ["not JSON"]),
    "deep golden inputs": (hashed("golden.json", lambda _: DEEP), ["recursion"]),
    "a deep codebook": (hashed("codebook.yaml", lambda _: DEEP[:5000]), ["codebook.yaml", "nested too deeply"]),
    "a codebook that is not YAML": (hashed("codebook.yaml", lambda _: b"task: ["), ["codebook.yaml", "not valid YAML"]),
    "a codebook that is a list": (hashed("codebook.yaml", lambda _: b"[1, 2]"), ["does not fit together"]),
    "an object in the codebook": (hashed("codebook.yaml", lambda _: b"!!python/object/apply:os.getcwd []"), ["codebook.yaml", "not valid YAML"]),
    "a vocabulary that is not text": (hashed("vocabulary.words.txt", lambda _: b"\xff"), ["utf-8"]),
    "other labels": (told(labels=["favor", "neutral", "against"]), ["'favor', 'neutral', 'against'", "'favor', 'against', 'neutral'"]),
    "another task": (told(task="opinion"), ["'opinion'", "'view'"]),
    "a long header": (hashed("weights.safetensors", lambda _: LONG_HEADER), [f"a header of {LARGEST_HEADER + 8} bytes", f"at most {LARGEST_HEADER}"]),
    "a header longer than its file": (hashed("weights.safetensors", lambda data: data[:64]), ["announces a header"]),
    "a file shorter than a header": (hashed("weights.safetensors", lambda _: b"abc"), ["announces a header"]),
    "weights that are no tensors": (hashed("weights.safetensors", lambda _: b"\2" + bytes(7) + b"[]"), ["weights.safetensors cannot be read"]),
    "a weight that is no number": (with_value("weights", np.nan), ["'weights'", "not numbers (NaN or infinite)"]),
    "an infinite idf": (with_value("idf.words", np.inf), ["'idf.words'", "not numbers"]),
    "weights of other columns": (weights(lambda arrays: arrays | {"weights": arrays["weights"][:, :2].copy()}), ["the weights are", "need"]),
    "no intercepts": (weights(lambda arrays: {name: arrays[name] for name in arrays if name != "intercepts"}), ["'intercepts' is missing"]),
    "another weight": (with_value("weights", 9.0), ["golden inputs score differently", "is allowed"]),
    "a term twice": (terms(lambda words: [words[0], *words[:-1]]), ["a word twice"]),
    "a term too few": (terms(lambda words: words[:-1]), ["n-grams", "idf values"]),
    "a term too many": (terms(lambda words: [*words, b"zebra"], name="characters"), ["n-grams", "idf values"]),
    "a phrase of unknown words": (terms(lambda words: [*words[:-1], b"zebra crossing"]), ["'zebra' is not in the vocabulary"]),
    "a calibration of two labels": (inside("calibration", **CALIBRATION), ["for each label"]),
    "a calibration without shifts": (told(calibration={"slopes": [1.0] * 3}), ["shifts"]),
    "a calibration that falls": (inside("calibration", slopes=[-1.0] * 3), ["slopes and power must be above zero"]),
    "another calibration": (inside("calibration", shifts=[0.01, 0.0, 0.0]), ["golden inputs score differently", "the manifest has changed"]),
    "thresholds of two labels": (inside("decision", thresholds=[0.5, 0.5]), ["for each label"]),
    "thresholds in a table": (inside("decision", thresholds=[[0.5] * 3] * 3), ["for each label"]),
    "a threshold above one": (inside("decision", thresholds=[1.5] * 3), ["must be from 0 to 1"]),
    "a limit that is text": (inside("decision", abstain_below="half"), ["does not fit together"]),
    "sets of two labels": (inside("decision", sets=SETS | {"thresholds": [0.5, 0.5]}), ["need a threshold for each label"]),
    "sets by a method that is not known": (inside("decision", sets=SETS | {"method": "raps"}), ["must be one of lac, aps, not 'raps'"]),
    "sets that are a list": (inside("decision", sets=[0.5]), ["does not fit together"]),
    "sets that are an empty list": (inside("decision", sets=[]), ["does not fit together"]),
    "an abstention that is a list": (inside("decision", abstention=[0.5]), ["does not fit together"]),
    "an empty abstention": (inside("decision", abstention={}), ["does not fit together"]),
    "an abstention that is text": (inside("decision", abstention={"below": "half"}), ["does not fit together", "half"]),
    "an abstention without a share": (inside("decision", abstention={"below": 0.5}), ["does not fit together", "share"]),
    "a decision of another kind of rule": (inside("decision", rule="best"), ["rule"]),
    "golden scores that moved": (moved("scores", 0.01), ["golden inputs score differently", "0.01", "is allowed", "README"]),
    "golden probabilities that moved": (moved("probabilities", -0.01), ["golden inputs score differently"]),
    "golden scores of fewer labels": (golden(lambda tree: tree | {"scores": [row[:2] for row in tree["scores"]]}), ["does not fit together"]),
    "golden inputs without targets": (golden(lambda tree: tree | {"targets": []}), ["does not fit together"]),
    "golden inputs without scores": (golden(lambda tree: {"titles": [], "texts": [], "targets": []}), ["'scores' is missing"]),
    "golden scores that are no numbers": (moved("scores", np.nan), ["golden inputs score differently"]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_bundle_is_refused_with_one_sentence(damage, model):
    spoil, essentials = DAMAGES[damage]
    spoil(model)
    with pytest.raises(BundleError) as refusal:
        Bundle.load(model)
    message = str(refusal.value)
    assert not [essential for essential in essentials if essential not in message], message
    assert message.startswith(str(model))
    assert message.endswith(".")
    assert "\n" not in message
    assert ".." not in message.replace("'..", "")


# an outline


def test_an_outline_is_codebook_and_fingerprint_of_the_loaded_bundle(bundle, model):
    loaded, fingerprint = Bundle.load(model)
    assert outline(model) == (loaded.codebook, fingerprint)


def test_an_outline_reads_no_weights(model):
    changed_byte(model)
    assert outline(model)[0].task == "view"


SEEN = (
    "a missing file",
    "an extra file",
    "another size",
    "a link",
    "a newer format",
    "a list for a manifest",
    "an unknown key",
    "a name of the folder above",
    "a linked manifest",
    "no manifest",
    "a file for a folder",
    "a manifest that is not JSON",
    "a deep manifest",
    "a deep codebook",
    "a codebook that is not YAML",
    "a codebook that is a list",
    "no codebook",
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_outline_is_refused_as_the_bundle_is_or_looks_elsewhere(damage, model):
    DAMAGES[damage][0](model)
    with pytest.raises(BundleError) as refusal:
        Bundle.load(model)
    if damage in SEEN:
        with pytest.raises(BundleError) as again:
            outline(model)
        assert str(again.value) == str(refusal.value)
    else:
        with suppress(BundleError):
            outline(model)


@pytest.mark.parametrize("place", ["nowhere", "A whole article. " * 50])
def test_an_outline_of_what_is_not_there_is_told_as_loading_it_is(tmp_path, place):
    with pytest.raises(BundleError) as refusal:
        Bundle.load(tmp_path / place)
    with pytest.raises(BundleError) as again:
        outline(tmp_path / place)
    assert str(again.value) == str(refusal.value)


def test_a_model_that_is_not_there_tells_how_to_make_one(tmp_path):
    with pytest.raises(BundleError, match=r"nowhere: there is no such model. Train one with  newsclf train CONFIG"):
        Bundle.load(tmp_path / "nowhere")


def test_a_text_in_place_of_a_path_is_no_crash():
    with pytest.raises(BundleError, match="this model cannot be read: File name too long"):
        Bundle.load("A whole article. " * 50)


@pytest.fixture(scope="module")
def fuzzed(bundle, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz") / "view"
    bundle.save(folder)
    return folder


def spoiled(model: Path, file: str, place: float, byte: int, *, rehash: bool) -> bool:
    """Load with one byte changed; whether it was refused, as nothing else than a BundleError may tell."""
    before = {name: (model / name).read_bytes() for name in (file, "manifest.json")}

    def change(data):
        at = int(place * len(data))
        return data[:at] + bytes([data[at] ^ byte]) + data[at + 1 :]

    try:
        if rehash:
            hashed(file, change)(model)
        else:
            (model / file).write_bytes(change(before[file]))
        with suppress(BundleError):
            Bundle.load(model)
            return False
        return True
    finally:
        for name, data in before.items():
            (model / name).write_bytes(data)


FILES = ("codebook.yaml", "golden.json", "weights.safetensors", "vocabulary.words.txt", "vocabulary.near.txt", "README.md")
PLACE = st.floats(0, 1, exclude_max=True)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(FILES), PLACE, st.integers(1, 255))
def test_a_changed_byte_of_any_file_is_seen(fuzzed, file, place, byte):
    assert spoiled(fuzzed, file, place, byte, rehash=False)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FILES[:-1]), PLACE, st.integers(1, 255))
def test_a_changed_byte_with_its_hash_is_an_answer_or_a_bundle_error(fuzzed, file, place, byte):
    spoiled(fuzzed, file, place, byte, rehash=True)


@settings(max_examples=150, deadline=None)
@given(PLACE, st.integers(1, 255))
def test_a_changed_byte_of_the_manifest_is_an_answer_or_a_bundle_error(fuzzed, place, byte):
    spoiled(fuzzed, "manifest.json", place, byte, rehash=False)


# where it is saved


def test_saving_replaces_an_older_bundle_whole(bundle, model):
    hashed("vocabulary.title.txt", lambda _: b"left over")(model)
    (model / "vocabulary.title.txt").rename(model / "vocabulary.older.txt")
    bundle.save(model)
    assert Bundle.load(model)[0].about == {"name": "view"}
    assert not (model / "vocabulary.older.txt").exists()
    assert [path.name for path in model.parent.iterdir()] == ["view"]


def test_a_damaged_bundle_may_be_saved_over(bundle, model):
    (model / "weights.safetensors").unlink()
    bundle.save(model)
    assert Bundle.load(model)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("thesis.doc", b"years of work", r"view: this folder holds something else \('thesis.doc'\) and is left as it is"),
        ("manifest.json", b'{"name": "A web site", "files": {}}', r"manifest.json: this is no bundle's manifest, so the folder is left as it is"),
    ],
)
def test_saving_over_something_else_is_refused_and_leaves_it(bundle, tmp_path, name, data, message):
    (tmp_path / "view").mkdir()
    (tmp_path / "view" / name).write_bytes(data)
    with pytest.raises(OutputError, match=message):
        bundle.save(tmp_path / "view")
    assert contents(tmp_path) == {f"view/{name}": data}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_not_saved_over_good_ones(bundle, model, value):
    before = contents(model)
    with pytest.raises(BundleError, match=r"the bundle was not saved: the weights 'intercepts' hold values that are not numbers"):
        replace(bundle, model=replace(bundle.model, intercepts=np.array([0, value, 0]))).save(model)
    assert contents(model) == before


def test_arrays_that_safetensors_scrambles_are_not_saved(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr("safetensors.numpy.save", lambda arrays: tensor_bytes({name: array[::-1].copy() for name, array in arrays.items()}))
    with pytest.raises(BundleError, match=r"not saved: safetensors did not write the array '[a-z.]+' as it is"):
        bundle.save(tmp_path / "view")
    assert not list(tmp_path.iterdir())


# the format


def test_the_bundle_of_format_1_still_answers_as_it_did():
    old = newsclf.load(FIXTURE)
    assert manifest(FIXTURE)["format"] == 1
    answers = old.predict(["The trams are a folly, and should stop.", "The night market is a joy, and a bargain.", "Two reports on Monday."])
    found = [{target: answer.label for target, answer in reading.items()} for reading in answers]
    assert found == [
        {"tram line": "against", "night market": None},
        {"tram line": None, "night market": "favor"},
        {"tram line": None, "night market": None},
    ]
    probabilities = answers[0]["tram line"].probabilities
    assert list(probabilities.values()) == pytest.approx([0.020962, 0.977500, 0.001538], abs=1e-4)


def test_the_bundle_of_format_1_is_small():
    assert sum(map(len, contents(FIXTURE).values())) < 200_000


if __name__ == "__main__":
    print(FIXTURE, dozen().save(FIXTURE))
