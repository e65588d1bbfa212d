"""Runs compared from their folders: real runs, and copies of them with other answers written in."""

from __future__ import annotations

import json
import random
import shutil
import statistics
from pathlib import Path

import pytest
from color_articles import color_rows, read_lines, write_rows

from newsclf.errors import CheckFailed, DataError, InputError
from newsclf.scores.compare import Draws
from newsclf.training.compare import compare_runs
from newsclf.training.run import train

FAST = Draws(number=1000)
CODEBOOKS = {
    "exclusive": "{task: color, kind: exclusive, labels: [red, blue]}",
    "multi": "{task: color, kind: multi, labels: [red, blue]}",
    "stance": "{task: view, kind: exclusive, labels: [favor, against, neutral], targets: [market, town]}",
}


def corpus(task):
    rows = color_rows(40)
    if task == "multi":
        return [{**row, "labels": [row["labels"], "blue"] if number % 3 == 0 else row["labels"]} for number, row in enumerate(rows)]
    if task == "stance":
        sides = ["favor", "against", "neutral"]
        return [{**row, "labels": {"market": sides[number % 3], "town": sides[number // 2 % 3]}} for number, row in enumerate(rows)]
    return rows


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of each task that differ in how strictly they learn: task → folders. Do not write into them."""
    folder, made = tmp_path_factory.mktemp("runs"), {}
    for task, codebook in CODEBOOKS.items():
        rows = corpus(task)
        for row, other in zip(rows[::4], rows[1::4], strict=False):
            row["labels"], other["labels"] = other["labels"], row["labels"]
        write_rows(folder / f"{task}.jsonl", rows)
        config = folder / f"{task}.yaml"
        config.write_text(f"name: {task}\ncodebook: {codebook}\ndata: {{path: {task}.jsonl}}\nsplit: {{folds: 3, test: 0.5}}\n", "utf-8")
        made[task] = [train(config, [f"learner.C={C}"]).run for C in (1, 0.0001)]
    return made


def copied(run: Path, to: Path, change=None, name="test.jsonl") -> Path:
    """A copy of a run with its lines changed."""
    shutil.copytree(run, to)
    if change:
        rows = read_lines(to / name)
        write_rows(to / name, change(rows) or rows)
    return to


def improved(share: float, seed: int = 0):
    """Gives the coded labels to a share of the rows."""

    def change(rows):
        for row in random.Random(seed).sample(rows, int(share * len(rows))):
            row["decided"] = row["labels"]

    return change


def spoiled(number: int):
    """Gives the first rows that are right the other color."""

    def change(rows):
        for row in [row for row in rows if row["decided"] == row["labels"]][:number]:
            row["decided"] = ["red"] if row["labels"] != ["red"] else ["blue"]

    return change


def together(rows):
    for number, row in enumerate(rows):
        row["story"] = number // 10


@pytest.fixture
def worse_and_better(runs, tmp_path):
    """One run made so much worse that it shows."""
    good = copied(runs["exclusive"][0], tmp_path / "good", improved(1))
    return copied(good, tmp_path / "bad", spoiled(10)), good


# real runs


@pytest.mark.parametrize("task", CODEBOOKS)
def test_every_metric_of_the_summary_is_compared_and_comes_out_as_it_was_recorded(runs, task):
    summaries = [json.loads((run / "summary.json").read_text("utf-8"))["summary"] for run in runs[task]]
    assert set(summaries[0]) >= {"macro_f1", "log_loss"} | ({"f_avg", "accuracy"} if task == "stance" else set())
    for metric in summaries[0]:
        pair = compare_runs(runs[task], metric=metric, draws=FAST).pairs[0].difference
        assert (pair.first, pair.second) == pytest.approx([summary[metric] for summary in summaries], abs=2e-6)
        assert pair.estimate == pytest.approx(pair.second - pair.first)
        assert pair.low <= pair.estimate <= pair.high


def test_a_run_beside_itself_is_no_difference(runs):
    run = runs["exclusive"][0]
    compared = compare_runs([run, run], draws=FAST)
    assert compared.pairs[0].difference.p == 1
    stories = compared.pairs[0].difference.clusters
    assert str(compared) == f"{run.name} scores as {run.name} does in every story: no difference in macro-F1 (p = 1, {stories} stories)."


def test_the_order_of_rows_and_labels_does_not_matter(runs, tmp_path):
    def shuffled(rows):
        random.Random(3).shuffle(rows)
        return [{**row, "p": dict(reversed(row["p"].items()))} for row in rows]

    one, two = runs["stance"]
    other = copied(two, tmp_path / two.name, shuffled)
    for metric in ("macro_f1", "f_avg", "brier"):
        assert compare_runs([one, two], metric=metric, draws=FAST) == compare_runs([one, other], metric=metric, draws=FAST)


def test_two_calls_give_the_same(runs):
    assert compare_runs(runs["multi"], draws=FAST) == compare_runs([str(run) for run in runs["multi"]], draws=FAST)


# what is said


def test_a_better_run_is_said_to_be_better_and_the_other_way_round_worse(worse_and_better):
    bad, good = worse_and_better
    there, back = compare_runs([bad, good], metric="accuracy", draws=FAST), compare_runs([good, bad], metric="accuracy", draws=FAST)
    rows = there.rows
    points = f"{100 * 10 / rows:.1f} points of accuracy (95 % "
    assert str(there).startswith(f"good is better than bad by {points}")
    assert str(back).startswith(f"bad is worse than good by {points}")
    assert "stories)." in str(there)
    assert there.pairs[0].difference.estimate == pytest.approx(10 / rows)


def test_a_smaller_loss_is_better(runs, tmp_path):
    def surer(rows):
        for row in rows:
            row["p"] = {name: (p + 4 * (name in row["labels"])) / 5 for name, p in row["p"].items()}

    base = runs["exclusive"][0]
    sure = copied(base, tmp_path / "sure", surer)
    compared = compare_runs([base, sure], metric="log_loss", draws=FAST)
    assert compared.pairs[0].difference.estimate < 0
    assert str(compared).startswith(f"sure is better than {base.name} by .")
    compared.check(0)
    with pytest.raises(CheckFailed, match=r"is worse than sure by \.\d{3} of log-loss"):
        compare_runs([sure, base], metric="log_loss", draws=FAST).check(0.01)


def test_what_chance_could_do_is_not_called_better(runs, tmp_path):
    base = copied(runs["exclusive"][0], tmp_path / "base", improved(1))
    other = copied(base, tmp_path / "other", spoiled(1))
    said = str(compare_runs([base, other], metric="accuracy", draws=FAST))
    assert said.startswith("other and base cannot be told apart: other is below by ")
    assert "Note: other and base differ in 1 of " in said


def test_several_runs_are_corrected_together(worse_and_better, tmp_path):
    bad, good = worse_and_better
    middle = copied(good, tmp_path / "middle", spoiled(5))
    compared = compare_runs([bad, good, middle], metric="accuracy", draws=FAST)
    raw, adjusted = [pair.difference.p for pair in compared.pairs], [pair.adjusted for pair in compared.pairs]
    assert adjusted[0] == pytest.approx(min(2 * min(raw), 1)) or adjusted[1] == pytest.approx(min(2 * min(raw), 1))
    assert "corrected for 2 comparisons p " in str(compared)
    assert len(str(compared).splitlines()) >= 2
    assert [line.split(" | ")[0] for line in compared.table().splitlines()[2:]] == ["| bad (baseline)", "| good", "| middle"]


def test_the_table_is_markdown_with_the_discordant_rows(worse_and_better):
    lines = compare_runs(worse_and_better, metric="accuracy", draws=FAST).table().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    assert {len(line.split(" | ")) for line in lines if "---" not in line} == {len(cells[0])}
    found = dict(zip(cells[0], cells[3], strict=True))
    assert (found["run"], found["accuracy"]) == ("good", "100.0")
    assert (found["only baseline right"], found["only run right"]) == ("0", "10")
    assert (found["McNemar exact"], found["mid-p"]) == (".002", "< .001")
    assert found["95 % interval"].count(" to ") == 1


def test_mcnemar_is_for_exclusive_tasks(runs):
    last = compare_runs(runs["multi"], draws=FAST).table().splitlines()[-1]
    assert last.endswith("| – | – |")


def test_folders_of_one_name_are_told_apart_by_their_paths(worse_and_better, tmp_path, monkeypatch):
    bad, good = worse_and_better
    one, two = copied(bad, tmp_path / "main" / "run"), copied(good, tmp_path / "branch" / "run")
    assert str(compare_runs([one, two], draws=FAST)).startswith(f"{two} is better than {one} by ")
    monkeypatch.chdir(one)
    assert compare_runs([".", good], draws=FAST).baseline == "run"


# clusters


def test_rows_of_a_story_are_taken_together_and_few_stories_are_said(worse_and_better, tmp_path):
    bad, good = (copied(run, tmp_path / "tied" / run.name, together, "split.jsonl") for run in worse_and_better)
    loose, tied = (compare_runs(pair, metric="accuracy", draws=FAST) for pair in (worse_and_better, (bad, good)))
    stories = tied.pairs[0].difference.clusters
    assert stories < loose.pairs[0].difference.clusters
    assert f"Note: only {stories} stories: " in str(tied)
    assert f"McNemar's tests take all {tied.rows} rows for independent" in str(tied)
    assert tied.pairs[0].discordant == loose.pairs[0].discordant
    assert tied.pairs[0].difference.p > loose.pairs[0].difference.p


def test_what_either_run_ties_together_stays_together(worse_and_better, tmp_path):
    bad, good = worse_and_better
    tied = copied(good, tmp_path / "tied", together, "split.jsonl")
    counts = [compare_runs(pair, draws=FAST).pairs[0].difference.clusters for pair in ([bad, tied], [tied, bad], [tied, tied])]
    assert len(set(counts)) == 1


def test_one_story_is_a_defined_answer(worse_and_better, tmp_path):
    def one(rows):
        for row in rows:
            row["story"] = 0

    bad, good = (copied(run, tmp_path / "one" / run.name, one, "split.jsonl") for run in worse_and_better)
    compared = compare_runs([bad, good], draws=FAST)
    assert compared.pairs[0].difference.low is None
    assert "cannot be told apart: good is above by " in str(compared)
    assert "(no interval, p = 1, 1 story)" in str(compared)
    assert " – " in compared.table()


def test_another_column_can_be_clustered_by_where_it_is_recorded(worse_and_better, tmp_path):
    def outlets(rows):
        for number, row in enumerate(rows):
            row["outlet"] = f"Outlet {number % 9}" if number % 2 else ""  # unknown outlets are not one outlet

    bad, good = (copied(run, tmp_path / "named" / run.name, outlets, "split.jsonl") for run in worse_and_better)
    compared = compare_runs([bad, good], clusters="outlet", draws=FAST)
    assert 9 < compared.pairs[0].difference.clusters < compared.rows
    assert f"{compared.pairs[0].difference.clusters} outlets)" in str(compared)
    with pytest.raises(InputError, match=r"split\.jsonl: the id '.*' has no 'outlet' to cluster by; recorded are 'story'\."):
        compare_runs(worse_and_better, clusters="outlet")


# several runs a side


def test_seeds_are_pooled_and_shown_one_by_one(runs, tmp_path):
    base = copied(runs["exclusive"][0], tmp_path / "base", improved(0.6))
    first = [copied(base, tmp_path / f"a{seed}", spoiled(seed)) for seed in (6, 8)]
    second = [copied(base, tmp_path / f"b{seed}", improved(0.5, seed)) for seed in (1, 2)]
    compared = compare_runs([first, second], draws=FAST)
    alone = [compare_runs(pair, draws=FAST).pairs[0].difference.estimate for pair in zip(first, second, strict=True)]
    pair = compared.pairs[0]
    assert pair.difference.by_run == pytest.approx(alone)
    assert pair.difference.estimate == pytest.approx(sum(alone) / 2)
    assert pair.discordant is None
    assert "b1 (2 runs) " in str(compared)
    assert "run by run: " in str(compared)


# records with seeds


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Records of two configs with three seeds each, that differ in how strictly they learn. Do not write into them."""
    folder, rows = tmp_path_factory.mktemp("seeds"), corpus("exclusive")
    for row, other in zip(rows[::4], rows[1::4], strict=False):
        row["labels"], other["labels"] = other["labels"], row["labels"]
    # wire copies: stories of two rows
    rows += [{**row, "id": f"copy-{row['id']}", "text": f"{row['text']} Again."} for row in rows[::10]]
    write_rows(folder / "corpus.jsonl", rows)
    config = folder / "config.yaml"
    codebook = CODEBOOKS["exclusive"]
    config.write_text(f"name: color\ncodebook: {codebook}\ndata: {{path: corpus.jsonl}}\nsplit: {{folds: 3, test: 0.4}}\n", "utf-8")
    return [train(config, ["seeds=[1, 2, 3]", f"learner.C={C}"]).seeds.record for C in (1, 0.0001)]


@pytest.mark.parametrize("metric", ["macro_f1", "accuracy", "log_loss"])
def test_records_are_paired_seed_by_seed_and_come_out_as_their_summaries(records, metric):
    summaries = [json.loads((record / "summary.json").read_text("utf-8"))["summary"][metric] for record in records]
    found = compare_runs(records, metric=metric, draws=FAST).pairs[0].difference
    assert (found.first, found.second) == pytest.approx([summary["mean"] for summary in summaries], abs=2e-6)
    by_seed = [summaries[1]["by_seed"][seed] - summaries[0]["by_seed"][seed] for seed in "123"]
    assert found.by_run == pytest.approx(by_seed, abs=2e-6)
    alone = [compare_runs([record / f"seed-{seed}" for record in records], metric=metric, draws=FAST).pairs[0].difference for seed in "123"]
    assert found.by_run == pytest.approx([each.estimate for each in alone])
    assert found.low < found.estimate < found.high


def test_a_story_in_several_seeds_is_one_cluster(records):
    tests = [{row["id"] for row in read_lines(records[0] / f"seed-{seed}" / "test.jsonl")} for seed in "123"]
    several = set.union(*tests)
    assert sum(map(len, tests)) > len(several) > max(map(len, tests))
    stories = {row["story"] for row in read_lines(records[0] / "seed-1" / "split.jsonl") if row["id"] in several}
    compared = compare_runs(records, draws=FAST)
    assert compared.rows == len(several) > len(stories)
    assert compared.pairs[0].difference.clusters == len(stories)


def test_more_seeds_of_the_same_answers_make_nothing_surer(records, tmp_path):
    """A second seed that repeats the first, rows and all, must leave estimate, interval and p where they were."""
    once, twice = [], []
    for number, record in enumerate(records):
        shutil.copytree(record, tmp_path / str(number))
        for seed in "23":
            shutil.rmtree(tmp_path / str(number) / f"seed-{seed}")
            shutil.copytree(record / "seed-1", tmp_path / str(number) / f"seed-{seed}")
        once.append(record / "seed-1")
        twice.append(tmp_path / str(number))
    alone, several = (compare_runs(paths, draws=FAST).pairs[0].difference for paths in (once, twice))
    assert (several.estimate, several.low, several.high, several.p) == pytest.approx((alone.estimate, alone.low, alone.high, alone.p))
    assert several.clusters == alone.clusters


def test_the_spread_between_seeds_is_said(records):
    compared = compare_runs(records, draws=FAST)
    by_run = compared.pairs[0].difference.by_run
    one, two = (record.name for record in records)
    sd = f"{100 * statistics.stdev(by_run):.1f}".removeprefix("0")
    said = str(compared)
    assert f"{two} (3 seeds)" in said.splitlines()[0]
    assert f"Note: {two} (3 seeds) against {one} (3 seeds), seed by seed (1, 2, 3): " in said
    assert f"; sd {sd}. The interval is about these seeds, not about others." in said
    assert compare_runs(records, draws=FAST) == compared


def test_stories_of_either_record_tie_rows_of_all_seeds(records, tmp_path):
    tied = copied(records[1], tmp_path / "tied")
    for seed in "123":
        rows = read_lines(tied / f"seed-{seed}" / "split.jsonl")
        for row in rows:
            row["story"] = int(row["id"].rpartition("-")[2]) // 10
        write_rows(tied / f"seed-{seed}" / "split.jsonl", rows)
    counts = [compare_runs(paths, draws=FAST).pairs[0].difference.clusters for paths in ([records[0], tied], [tied, records[0]])]
    assert counts == [4, 4]


def without(record: Path, to: Path, seeds) -> Path:
    """A copy of a record that has these seeds alone."""
    shutil.copytree(record, to)
    summary = json.loads((to / "summary.json").read_text("utf-8"))
    (to / "summary.json").write_text(json.dumps(summary | {"seeds": seeds}), "utf-8")
    return to


def test_the_seeds_that_both_have_are_compared(records, tmp_path):
    fewer = without(records[1], tmp_path / "fewer", [3, 1])
    compared = compare_runs([records[0], fewer], draws=FAST)
    whole = compare_runs(records, draws=FAST).pairs[0].difference
    assert compared.pairs[0].difference.by_run == (whole.by_run[0], whole.by_run[2])
    assert "Note: compared by the seeds that all records have, 1, 3; without 2." in str(compared)
    single = compare_runs([records[0], without(records[1], tmp_path / "one", [2])], draws=FAST)
    assert single.pairs[0].difference.by_run == (whole.by_run[1],)
    assert single.pairs[0].discordant is not None
    assert "seed by seed" not in str(single)


def test_records_without_a_common_seed_are_refused_with_a_way_out(records, tmp_path):
    one, two = without(records[0], tmp_path / "one", [1, 2]), without(records[1], tmp_path / "two", [3])
    with pytest.raises(InputError, match=r"no seed in common \(.*one has 1, 2; .*two has 3\).*--set seeds=\[1, 2\]"):
        compare_runs([one, two])


@pytest.mark.parametrize("turned", [False, True])
def test_a_record_with_seeds_beside_one_run_is_refused_and_its_runs_named(records, runs, turned):
    sides = [records[0], runs["exclusive"][0]]
    with pytest.raises(InputError, match=r"is the record of several seeds and .* is not: .*'.*seed-1', '.*seed-2', '.*seed-3'"):
        compare_runs(sides[::-1] if turned else sides)
    with pytest.raises(InputError, match=r"is the record of several seeds, not one run: name one of '.*seed-1'"):
        compare_runs([[records[0], runs["exclusive"][0]], [runs["exclusive"][0]] * 2])


def test_seeds_that_were_tested_on_other_rows_are_refused(records, tmp_path):
    other = copied(records[1], tmp_path / "other")
    rows = read_lines(other / "seed-2" / "test.jsonl")
    write_rows(other / "seed-2" / "test.jsonl", rows[1:])
    with pytest.raises(DataError, match=r"seed-2 and .*seed-2 were tested on different rows"):
        compare_runs([records[0], other])


def test_a_resample_without_a_row_of_some_seed_is_no_nan(tmp_path, records):
    """Three seeds of three stories each, none of them shared: one resample in forty holds nothing of the first of them."""
    few = [copied(record, tmp_path / record.name) for record in records]
    for record in few:
        taken: set[str] = set()
        for seed in "123":
            path = record / f"seed-{seed}" / "test.jsonl"
            rows = [row for row in sorted(read_lines(path), key=lambda row: row["id"]) if row["id"] not in taken and "copy" not in row["id"]][:3]
            taken |= {row["id"] for row in rows}
            write_rows(path, rows)
    for metric in ("accuracy", "log_loss", "macro_f1"):
        found = compare_runs(few, metric=metric, draws=FAST).pairs[0].difference
        assert found.low <= found.estimate <= found.high
        assert 0 < found.p <= 1


# the check of a pipeline


def test_a_check_passes_up_to_its_margin_and_fails_beyond(worse_and_better):
    bad, good = worse_and_better
    compared = compare_runs([good, bad], metric="accuracy", draws=FAST)
    loss = 10 / compared.rows
    compared.check(loss)
    compare_runs([bad, good], metric="accuracy", draws=FAST).check(0)
    with pytest.raises(
        CheckFailed, match=r"more is lost than the \d+\.\d points that this check allows: bad is worse than good by \d+\.\d points"
    ) as failed:
        compared.check(loss - 0.001)
    assert failed.value.exit_code == 3


@pytest.mark.parametrize("margin", [-0.01, float("nan"), float("inf")])
def test_a_margin_is_a_number_from_0_on(runs, margin):
    with pytest.raises(InputError, match=f"from 0 on.*not {margin}"):
        compare_runs(runs["exclusive"], draws=FAST).check(margin)


# what cannot be compared


def test_other_rows_are_refused_with_a_way_out(runs, tmp_path):
    run = runs["exclusive"][0]
    rows = len(read_lines(run / "test.jsonl"))
    short = copied(run, tmp_path / "short", lambda rows: rows[2:])
    with pytest.raises(
        DataError, match=rf"different rows: 0 of {rows - 2} are in the first alone and 2 of {rows} in the second alone, such as the id '"
    ) as said:
        compare_runs([run, short])
    assert f"--set split.replay={run / 'split.jsonl'}" in str(said.value)


def test_other_targets_are_other_rows(runs, tmp_path):
    run = runs["stance"][0]
    other = copied(run, tmp_path / "other", lambda rows: [{**rows[0], "target": "harbor"}, *rows[1:]])
    with pytest.raises(
        DataError, match=r"1 of \d+ are in the first alone and 1 of \d+ in the second alone, such as the id '.*' with the target 'harbor'"
    ):
        compare_runs([run, other])


def test_other_codes_are_refused_and_shown(runs, tmp_path):
    run = runs["multi"][0]
    other = copied(run, tmp_path / "other", lambda rows: [{**rows[0], "labels": []}, *rows[1:]])
    with pytest.raises(DataError, match=r"different codes: 1 of \d+ rows are coded otherwise; the id '.*' is none in the first and '"):
        compare_runs([run, other])


def test_the_order_of_codes_is_no_other_code(runs, tmp_path):
    run = runs["multi"][0]
    other = copied(run, tmp_path / "other", lambda rows: [{**row, "labels": row["labels"][::-1]} for row in rows])
    assert compare_runs([run, other], draws=FAST).pairs[0].difference.changed == 0


@pytest.mark.parametrize("tasks", [("exclusive", "multi"), ("stance", "exclusive")])
def test_runs_of_different_tasks_are_refused(runs, tasks):
    with pytest.raises(DataError, match="are runs of different tasks; compare runs of one codebook"):
        compare_runs([runs[task][0] for task in tasks])


def test_a_metric_that_the_runs_do_not_have_is_named_with_those_they_have(runs):
    with pytest.raises(
        InputError,
        match=r"'macrof1' is no metric of these runs \(did you mean 'macro_f1'\?\); theirs are 'micro_f1', 'macro_f1', 'log_loss', 'brier'\.",
    ):
        compare_runs(runs["multi"], metric="macrof1")
    with pytest.raises(InputError, match="'accuracy' is no metric"):
        compare_runs(runs["multi"], metric="accuracy")


def test_sides_need_as_many_runs(runs):
    one, two = runs["exclusive"]
    for sides in ([one], []):
        with pytest.raises(InputError, match=rf"two runs or more, the baseline first, and this is {len(sides)}:  newsclf compare RUN OTHER_RUN"):
            compare_runs(sides)
    for sides, counts in (([[], []], r"\[0, 0\]"), ([[one, two], one], r"\[2, 1\]")):
        with pytest.raises(InputError, match=f"need as many runs each, one at least; these have {counts}"):
            compare_runs(sides)


def test_what_is_no_run_is_named_with_what_is_one(runs, tmp_path):
    run = runs["exclusive"][0]
    for folder in (tmp_path, tmp_path / "nowhere", run / "test.jsonl"):
        with pytest.raises(InputError, match=r"not the folder of a finished run.*models/runs/NAME-DATE-TIME"):
            compare_runs([run, folder])
    broken = copied(run, tmp_path / "broken")
    (broken / "summary.json").write_text("[1]", "utf-8")
    with pytest.raises(InputError, match=r"broken: this is not the folder of a finished run"):
        compare_runs([run, broken])


@pytest.mark.parametrize("name", ["test.jsonl", "split.jsonl"])
def test_a_file_that_is_missing_empty_or_broken_is_named(runs, tmp_path, name):
    run = runs["exclusive"][0]
    broken = copied(run, tmp_path / "broken")
    for text, said in (("", "there is no row"), ("{", r":1: this line is not JSON"), ("[]\n", ":1: this is list")):
        (broken / name).write_text(text, "utf-8")
        with pytest.raises(DataError, match=f"{name}.*{said}"):
            compare_runs([run, broken])
    (broken / name).unlink()
    with pytest.raises(DataError, match=f"{name}: there is no such file"):
        compare_runs([run, broken])


@pytest.mark.parametrize(
    "change",
    [
        {"p": {"red": float("nan"), "blue": 0.5}},
        {"p": {"red": 1.5, "blue": 0.5}},
        {"p": {"red": "much", "blue": 0.5}},
        {"p": {"red": 0.5}},
        {"p": [0.5, 0.5]},
        {"p": 5},
        {"p": {}},
        {"labels": "red"},
        {"decided": ["green"]},
        {"decided": [["red"]]},
        {"decided": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("row", [0, 3])
def test_a_row_that_training_never_wrote_is_shown(runs, tmp_path, change, row):
    def changed(rows):
        rows[row] |= change

    run = runs["exclusive"][0]
    broken = copied(run, tmp_path / "broken", changed)
    with pytest.raises(DataError, match=r"test\.jsonl: the id '.*' must have labels, decided and p of "):
        compare_runs([run, broken])


def test_a_row_that_stands_twice_is_named(runs, tmp_path):
    run = runs["exclusive"][0]
    twice = copied(run, tmp_path / "twice", lambda rows: [*rows, rows[0]])
    with pytest.raises(DataError, match=rf"test\.jsonl:\d+: the id '{read_lines(run / 'test.jsonl')[0]['id']}' stands twice"):
        compare_runs([run, twice])
