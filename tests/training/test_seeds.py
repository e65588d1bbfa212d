"""Several seeds of one config: a run each, one record, one corpus read, and the spread of the scores."""

from __future__ import annotations

import json
import logging
import statistics
from pathlib import Path

import jsonschema
import pytest
from color_articles import color_rows, contents, read_lines, write_rows

from newsclf.cli import main
from newsclf.errors import ConfigError, DataError, InputError, OutputError
from newsclf.learners.linear import LinearSpec
from newsclf.learners.protocol import LearnerSpec
from newsclf.spec import load_tree, parse_yaml
from newsclf.training import prepared as preparing
from newsclf.training.experiment import Experiment, json_schema
from newsclf.training.prepared import Prepared, revisit
from newsclf.training.report import report
from newsclf.training.run import train
from newsclf.training.seed_folders import seeds_of
from newsclf.training.seeds import Seeds, experiment_of, of_seed


def filled(folder):
    """A folder with a config and a corpus whose labels are partly noise, so that seeds differ."""
    rows = color_rows(18)
    for row, other in zip(rows[::5], rows[1::5], strict=False):
        row["labels"], other["labels"] = other["labels"], row["labels"]
    write_rows(folder / "corpus.jsonl", rows)
    codebook = "{task: color, kind: exclusive, labels: [red, blue]}"
    config = f"name: color\ncodebook: {codebook}\ndata: {{path: corpus.jsonl}}\nlearner: {{kind: linear, C: 1}}\nsplit: {{folds: 3}}\n"
    (folder / "config.yaml").write_text(config, "utf-8")
    return folder


@pytest.fixture
def folder(tmp_path):
    """A folder to train in."""
    return filled(tmp_path)


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """The runs of three seeds. Do not write into their folders."""
    return run(filled(tmp_path_factory.mktemp("several")))


def run(folder, *settings, seeds="[3, 1, 2]", output="models"):
    return train(folder / "config.yaml", ["split.test=0.4", *settings, f"seeds={seeds}", f"output={folder / output}"])


def summary(folder):
    return json.loads((folder / "summary.json").read_text("utf-8"))


def ids(folder):
    return [row["id"] for row in read_lines(folder / "test.jsonl")]


# runs


def test_each_seed_is_the_run_that_it_would_be_alone(several, tmp_path):
    record, config = several.seeds.record, several.model.parent.parent / "config.yaml"
    for seed in (1, 3):
        alone = train(config, ["split.test=0.4", f"split.seed={seed}", f"output={tmp_path / str(seed)}"])
        own = record / f"seed-{seed}"
        assert sorted(path.name for path in own.iterdir()) == sorted(path.name for path in alone.run.iterdir())
        for name in ("split.jsonl", "test.jsonl", "metrics.jsonl", "quarantine.jsonl", "outlets.json"):
            assert (own / name).read_bytes() == (alone.run / name).read_bytes()
        assert contents(own / "bundle") == contents(alone.run / "bundle")


def test_the_record_holds_a_run_for_each_seed_and_nothing_else(several):
    record = several.seeds.record
    assert record.parent == several.model.parent / "runs"
    assert sorted(path.name for path in record.iterdir()) == ["config.yaml", "environment.json", "seed-1", "seed-2", "seed-3", "summary.json"]
    assert list(several.seeds.runs.items()) == [(seed, record / f"seed-{seed}") for seed in (3, 1, 2)]
    assert seeds_of(record) == several.seeds.seeds == (3, 1, 2)


def test_the_configs_say_what_was_run_and_run_it_again(several, folder):
    whole, own = (parse_yaml((place / "config.yaml").read_text("utf-8"), where="here") for place in (several.seeds.record, several.run))
    assert whole["seeds"] == [3, 1, 2]
    assert (own["seeds"], own["split"]["seed"]) == ([], 3)
    again = train(Experiment.load(several.run / "config.yaml", [f"output={folder / 'again'}"]))
    assert again.seeds is None
    assert (again.run / "test.jsonl").read_bytes() == (several.run / "test.jsonl").read_bytes()


def test_the_model_is_that_of_the_first_seed_whichever_did_best(folder):
    for name, seeds in (("one", "[1, 3]"), ("two", "[3, 1]")):
        result = run(folder, seeds=seeds, output=name)
        first = result.seeds.seeds[0]
        assert contents(result.model) == contents(result.run / "bundle")
        assert result.run == result.seeds.record / f"seed-{first}"
        assert summary(result.seeds.record)["model_of_seed"] == first
        assert summary(result.seeds.record)["model_fingerprint"] == summary(result.run)["model_fingerprint"]
        assert result.metrics.summary == {metric: values[first] for metric, values in result.seeds.values.items()}
        assert f"The model is that of seed {first}, the first of the config" in result.seeds.text(title="t")


def test_the_corpus_is_read_and_compared_once(folder, monkeypatch):
    whole, calls = len(color_rows(18)), {"read": 0, "stories": 0}
    read, stories = preparing.read_coded, preparing.stories

    def counted_read(*args, **options):
        calls["read"] += 1
        return read(*args, **options)

    def counted_stories(pairs):
        calls["stories"] += len(pairs.rows) == whole  # those of folds are of fewer rows
        return stories(pairs)

    monkeypatch.setattr(preparing, "read_coded", counted_read)
    monkeypatch.setattr(preparing, "stories", counted_stories)
    run(folder)
    assert calls == {"read": 1, "stories": 1}


def test_stories_have_one_number_in_all_seeds(folder):
    rows = read_lines(folder / "corpus.jsonl")
    write_rows(folder / "corpus.jsonl", [*rows, *({**row, "id": f"copy-{row['id']}", "text": f"{row['text']} Again."} for row in rows[:6])])
    result = run(folder)
    numbers = [{row["id"]: row["story"] for row in read_lines(own / "split.jsonl")} for own in result.seeds.runs.values()]
    assert numbers[0] == numbers[1] == numbers[2]
    assert len(set(numbers[0].values())) == len(rows)


# numbers


def test_the_summary_is_the_spread_of_the_summaries_of_the_runs(several):
    found = summary(several.seeds.record)
    assert found["seeds"] == [3, 1, 2]
    runs = {seed: summary(own)["summary"] for seed, own in several.seeds.runs.items()}
    assert set(found["summary"]) == set(runs[1])
    assert len({str(each) for each in runs.values()}) == 3
    for metric, said in found["summary"].items():
        values = [runs[seed][metric] for seed in (3, 1, 2)]
        assert said["by_seed"] == {str(seed): value for seed, value in zip((3, 1, 2), values, strict=True)}
        assert (said["mean"], said["sd"]) == pytest.approx((statistics.mean(values), statistics.stdev(values)), abs=2e-6)
        assert (said["min"], said["max"]) == (min(values), max(values))


def test_the_table_is_mean_sd_min_and_max(tmp_path):
    found = Seeds.of(tmp_path, {7: {"accuracy": 0.5, "log_loss": 1.0}, 2: {"accuracy": 0.7, "log_loss": 1.25}})
    assert found.text(title="color").splitlines() == [
        "color",
        "             mean     sd    min    max",
        "  accuracy  0.600  0.141  0.500  0.700",
        "  log loss  1.125  0.177  1.000  1.250",
        "",
        "The model is that of seed 7, the first of the config: choosing by the test scores would make them too good.",
    ]


def test_the_command_prints_the_spread_and_the_places(folder, capsys):
    words = ["train", str(folder / "config.yaml"), "-q", "--set", "seeds=[1, 2]"]
    with pytest.raises(SystemExit) as ended:
        main(words)
    out = capsys.readouterr().out
    record = next((folder / "models" / "runs").iterdir())
    assert ended.value.code == 0
    assert out.startswith("color: trained and tested with 2 seeds\n")
    assert f"{summary(record)['summary']['macro_f1']['mean']:.3f}" in out
    assert f"record  {record}\nreport  newsclf report {record / 'seed-1'}\n" in out
    with pytest.raises(SystemExit):
        main([*words, "--json"])
    said = json.loads(capsys.readouterr().out)
    written = summary(Path(said["seeds"]["record"]))
    assert said["seeds"]["summary"] == written["summary"]
    assert said["run"] == f"{said['seeds']['record']}/seed-1"


# what a seed changes


def test_a_learner_with_a_seed_gets_it_and_one_without_is_left(experiment):
    class Seeded(LinearSpec):
        seed: int = 0

    several = experiment.model_copy(update={"seeds": (4, 5), "learner": Seeded()})
    own = experiment_of(several, 5)
    assert isinstance(own.learner, LearnerSpec)
    assert (own.learner.seed, own.split.seed, own.seeds) == (5, 5, ())
    assert (several.learner.seed, several.split.seed, several.seeds) == (0, 0, (4, 5))
    assert experiment_of(experiment, 5).learner == experiment.learner


def test_seeds_share_the_rows_and_part_them_otherwise(folder):
    prepared = Prepared.read(Experiment.load(folder / "config.yaml", ["seeds=[1, 2]"]))
    one, two = (of_seed(prepared, seed) for seed in (1, 2))
    assert one.every is two.every is prepared.every
    assert one.story is two.story is prepared.story
    assert (one.part() != two.part()).any()


def test_a_given_split_leaves_the_folds_to_the_seeds_and_says_so(folder, caplog):
    write_rows(folder / "held.jsonl", color_rows(6, seed=1, prefix="held-"))
    with caplog.at_level(logging.INFO):
        given = run(folder, "data.test=held.jsonl")
    assert "all seeds have the same split, because it is given" in caplog.text
    assert len({tuple(ids(own)) for own in given.seeds.runs.values()}) == 1
    assert given.seeds.spread("log_loss")["sd"] > 0
    caplog.clear()
    with caplog.at_level(logging.INFO):
        drawn = run(folder, output="drawn")
    assert "the same split" not in caplog.text
    assert len({tuple(ids(own)) for own in drawn.seeds.runs.values()}) == 3


# mistakes


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ("[4]", r"seeds.*one seed tells of no spread: name two or more, or set 'split.seed: 4'"),
        ("[1, 2, 1]", r"seeds.*the seed 1 stands twice"),
        ("[1, -2]", r"seeds"),
        ("[1, x]", r"seeds"),
        ("5", r"seeds"),
    ],
)
def test_seeds_that_are_none_are_refused_before_anything_is_read(folder, seeds, said):
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(ConfigError, match=said):
        run(folder, seeds=seeds)


@pytest.mark.parametrize(("seeds", "fine"), [([], True), ([1, 2], True), ([4], False), ([1, 1], False), ([1, -2], False)])
def test_the_schema_knows_as_much(folder, seeds, fine):
    tree = load_tree(folder / "config.yaml") | {"seeds": seeds}
    assert jsonschema.Draft202012Validator(json_schema()).is_valid(tree) == fine


def test_without_seeds_there_is_one_run(folder):
    result = run(folder, seeds="[]")
    assert result.seeds is None
    assert seeds_of(result.run) == ()
    assert (result.run / "split.jsonl").is_file()


def test_a_seed_that_fails_is_named_and_nothing_stays_behind(folder):
    older = run(folder)
    before = contents(folder / "models")
    rows = color_rows()
    rows[0]["labels"] = "green"  # one article, which seed 0 learns from and seed 6 tests on
    write_rows(folder / "corpus.jsonl", rows)
    with pytest.raises(DataError, match=r"^seed 6: the label 'green' has no training row"):
        run(folder, "codebook={task: color, kind: exclusive, labels: [red, blue, green]}", "split.stratify=false", "split.test=0.4", seeds="[0, 6]")
    assert contents(folder / "models") == before
    assert list((folder / "models" / "runs").iterdir()) == [older.seeds.record]


def test_a_seed_that_leaves_nothing_to_part_is_named_before_any_is_learned_from(folder, caplog):
    write_rows(folder / "corpus.jsonl", [{**row, "outlet": "Outlet 1"} for row in color_rows()])
    with caplog.at_level(logging.INFO), pytest.raises(DataError, match=r"^seed 3: split: keep_together = 'outlet' joins all 24 rows"):
        run(folder, "split.keep_together=[outlet]")
    assert "rows to learn from" not in caplog.text


def test_a_record_that_cannot_be_written_is_said_first(folder):
    (folder / "corpus.jsonl").unlink()
    (folder / "file").write_text("", "utf-8")
    with pytest.raises(OutputError, match="cannot be written"):
        run(folder, output="file/models")


def test_a_report_is_that_of_one_seed(several):
    record = several.seeds.record
    with pytest.raises(InputError, match=r"the record of several seeds.*: name one of '.*seed-3', '.*seed-1', '.*seed-2'"):
        report(record)
    with pytest.raises(InputError, match=r"the record of several seeds.*: name one of '.*seed-3', '.*seed-1', '.*seed-2'"):
        revisit(record)
    assert revisit(record / "seed-1")[0].experiment.split.seed == 1


@pytest.mark.parametrize("text", ["{", "[1]", '{"seeds": 3}', '{"summary": {}}', "5"])
def test_what_is_no_record_of_seeds_has_none(tmp_path, text):
    assert seeds_of(tmp_path) == ()
    (tmp_path / "summary.json").write_text(text, "utf-8")
    assert seeds_of(tmp_path) == ()
