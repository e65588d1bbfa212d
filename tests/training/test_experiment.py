"""Config files: paths, settings, inheritance, the schema for editors, and the files that are shipped."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from newsclf.errors import ConfigError
from newsclf.spec import load_tree, parse_yaml
from newsclf.training.experiment import Experiment, json_schema

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
SHIPPED = [path for path in sorted(CONFIGS.rglob("*.yaml")) if isinstance(parse_yaml(path.read_text("utf-8"), where=str(path)), dict)]
SCHEMA = jsonschema.Draft202012Validator(json_schema())


def tree(**changes):
    """A config with some keys changed; None takes a key out."""
    whole = {"name": "color", "codebook": "codebook.yaml", "data": {"path": "corpus.jsonl"}} | changes
    return {key: value for key, value in whole.items() if value is not None}


def test_relative_paths_are_relative_to_the_config_file(small):
    experiment = Experiment.load(small / "config.yaml")
    assert experiment.codebook == str(small / "codebook.yaml")
    assert experiment.data.path == (str(small / "corpus.jsonl"),)
    assert experiment.output == str(small / "models")


def test_the_data_root_is_for_the_corpus_and_nothing_else(small, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    experiment = Experiment.load(small / "config.yaml", ["data.test=held.jsonl"], data_root=root)
    assert experiment.data.path == (str(root / "corpus.jsonl"),)
    assert experiment.data.test == (str(root / "held.jsonl"),)
    assert experiment.codebook == str(small / "codebook.yaml")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/srv/corpus.jsonl", "/srv/corpus.jsonl"),
        ("s3://bucket/corpus.parquet", "s3://bucket/corpus.parquet"),
        ("hf:owner/name:train", "hf:owner/name:train"),
        ("~/corpus.jsonl", str(Path.home().resolve() / "corpus.jsonl")),
    ],
)
def test_absolute_paths_and_addresses_stand_for_themselves(small, given, kept):
    assert Experiment.load(small / "config.yaml", [f"data.path={given}"]).data.path == (kept,)


def test_each_path_of_a_list_is_relative_to_the_config_file(small):
    experiment = Experiment.load(small / "config.yaml", ["data.path=[corpus.jsonl, ../more.csv]"])
    assert experiment.data.path == (str(small / "corpus.jsonl"), str(small.parent / "more.csv"))


def test_settings_are_laid_on_the_file_the_last_one_winning(small):
    experiment = Experiment.load(small / "config.yaml", ["learner.C=4", "split.seed=7", "learner.C=auto"])
    assert (experiment.learner.C, experiment.split.seed, experiment.split.folds) == ("auto", 7, 3)


def test_a_config_extends_another_block_by_block(small):
    (small / "child.yaml").write_text("extends: config.yaml\nname: other\nlearner: {words: 1}\n", "utf-8")
    experiment = Experiment.load(small / "child.yaml")
    assert (experiment.name, experiment.learner.words, experiment.learner.C) == ("other", 1, 1.0)


def test_the_codebook_may_stand_in_the_config_itself(small):
    experiment = Experiment.load(small / "config.yaml", ["codebook={task: color, kind: exclusive, labels: [red, blue]}"])
    assert experiment.load_codebook().names == ("red", "blue")


def test_what_is_resolved_loads_again_as_the_same_experiment(experiment):
    assert Experiment.parse(experiment.resolved(), where="again") == experiment
    assert Experiment.parse(experiment.resolved(), where="again").fingerprint() == experiment.fingerprint()


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("spilt.test=0.5", "unknown key 'spilt' (did you mean 'split'?)"),
        ("split.tset=0.5", "unknown key 'split.tset' (did you mean 'test'?)"),
        ("learner.wrods=2", "unknown key 'learner.wrods' (did you mean 'words'?)"),
        ("learner.kind=liner", "there is no learner 'liner' (did you mean 'linear'?)"),
        ("learner=linear", "'learner'"),
        ("learner.C=high", "'learner.C'"),
        ("split.test=2", "'split.test'"),
        ("data.path=3", "'data.path"),
        ("name=a/b", "'name'"),
        ("name=.hidden", "'name'"),
        ("name=runs", "'runs' is the folder of the records"),
        ("data.path=[]", "the key 'data.path' is missing"),
        ("data=corpus.jsonl", "'data'"),
        ("codebook=nowhere.yaml", "nowhere.yaml: there is no such file"),
        ("codebook={task: color, kind: exclusive}", "'codebook"),
        ("C", "write it as key=value"),
    ],
)
def test_a_mistake_is_named_with_its_key_before_anything_is_read(small, setting, says):
    (small / "corpus.jsonl").unlink()
    with pytest.raises(ConfigError) as error:
        Experiment.load(small / "config.yaml", [setting])
    assert says in str(error.value)


def test_two_ways_to_say_what_to_test_on_are_one_too_many(small):
    with pytest.raises(ConfigError, match=r"config\.yaml: 'data\.test' and 'split\.where' both say what to test on"):
        Experiment.load(small / "config.yaml", ["data.test=held.jsonl", "split.where={fold: 1}"])


def test_a_mistake_is_named_with_its_file(small):
    with pytest.raises(ConfigError, match=r"config\.yaml: .*'learner\.kind'"):
        Experiment.load(small / "config.yaml", ["learner.kind=liner"])


def test_every_mistake_of_a_file_is_named_at_once(small):
    with pytest.raises(ConfigError) as error:
        Experiment.load(small / "config.yaml", ["spilt=1", "decision.threshold=3", "learner.min_df=0"])
    assert len(str(error.value).splitlines()) == 3


def test_a_missing_block_is_named(tmp_path):
    (tmp_path / "empty.yaml").write_text("name: color\n", "utf-8")
    with pytest.raises(ConfigError, match=r"'codebook' is missing[\s\S]*'data' is missing"):
        Experiment.load(tmp_path / "empty.yaml")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_config_is_short_loads_and_fits_the_schema(path, tmp_path):
    assert len(path.read_text("utf-8").splitlines()) <= 25
    experiment = Experiment.load(path, data_root=tmp_path)
    assert len(experiment.load_codebook().names) >= 2
    SCHEMA.validate(parse_yaml(path.read_text("utf-8"), where=str(path)))
    SCHEMA.validate(load_tree(path))


@pytest.mark.parametrize("path", [path for path in SHIPPED if path.parent == CONFIGS], ids=lambda path: path.stem)
def test_the_demo_configs_find_their_corpus_and_share_one_models_folder(path):
    experiment = Experiment.load(path)
    assert [Path(file).is_file() for file in experiment.data.path] == [True]
    assert Path(experiment.output) == CONFIGS.parent / "models"
    assert experiment.name == path.stem


def test_the_schema_is_a_schema_that_describes_every_key():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert set(json_schema()["properties"]) == {*Experiment.model_fields, "extends"}
    blocks = [json_schema(), *json_schema()["$defs"].values()]
    assert not [(block.get("title"), key) for block in blocks for key, value in block["properties"].items() if not value.get("description")]


@pytest.mark.parametrize(
    "changes",
    [
        {"spilt": {}},
        {"name": None},
        {"data": None},
        {"data": {"path": "a.csv", "tilte": "headline"}},
        {"data": {"path": 3}},
        {"learner": {"kind": "liner"}},
        {"learner": {"wrods": 2}},
        {"learner": {"C": "high"}},
        {"clean": {"mask": ["outlets"]}},
        {"decision": {"threshold": 1.5}},
        {"codebook": {"task": "color", "kind": "some", "labels": ["red", "blue"]}},
        {"extends": ["one.yaml", "two.yaml"]},
    ],
    ids=str,
)
def test_what_the_schema_rejects_the_config_reader_rejects(changes, small):
    assert not SCHEMA.is_valid(tree(**changes))
    with pytest.raises(ConfigError):
        load_changed(small, changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"data": {"path": ["a.csv", "b.csv"], "test": "c.csv", "maps": {"crimson": "red", "mauve": [], "teal": None, "both": ["red", "blue"]}}},
        {"data": {"path": "a.csv", "labels": ["red", "blue"]}},
        {"split": {"where": {"fold": 0, "year": [2020, "2021"]}}},
        {"learner": {"kind": "linear", "C": "auto", "characters": [2, 5]}},
        {"learner": {"characters": None}},
        {"decision": {"threshold": 0.5}},
        {"codebook": {"task": "color", "kind": "multi", "labels": {"red": "Red.", "blue": None, "green": {"definition": "Green."}}}},
        {"codebook": {"task": "color", "kind": "exclusive", "labels": [1, 2], "targets": ["sky"]}},
    ],
    ids=str,
)
def test_what_the_schema_accepts_the_config_reader_accepts(changes, small):
    SCHEMA.validate(tree(**changes))
    load_changed(small, changes)


def load_changed(folder, changes):
    path = folder / "changed.yaml"
    path.write_text(json.dumps(tree(**changes)), "utf-8")  # JSON is YAML
    return Experiment.load(path)


def test_a_config_that_extends_another_fits_the_schema_without_its_keys():
    SCHEMA.validate({"extends": "topic.yaml", "name": "other"})
    assert not SCHEMA.is_valid({"name": "other"})
