"""What several test modules share: a small coded corpus made here, and models trained on it once a session."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ["NEWSCLF_CACHE"] = "off"  # vectors of made-up texts are not for the user's cache

from newsclf.training.experiment import Experiment
from newsclf.training.run import train

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("NEWSCLF_DATA", ROOT.parent / "shared" / "data"))
TASKS = ("topic", "framing", "stance")


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The public data sets, where they are at hand."""
    if not DATA.is_dir():
        pytest.skip(f"the public data sets are not at {DATA} (set NEWSCLF_DATA)")
    return DATA


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The demo's three models, trained on the starter corpus with a fixed C: task → folder. Do not write into them."""
    output = tmp_path_factory.mktemp("models")
    settings = [f"output={output}", "learner.C=1", "split.folds=3"]
    return {task: train(ROOT / "configs" / f"{task}.yaml", settings).model for task in TASKS}


@pytest.fixture
def starter() -> list[dict[str, object]]:
    """The rows of the starter corpus."""
    return [json.loads(line) for line in (ROOT / "data" / "articles.jsonl").read_text("utf-8").splitlines()]


CODEBOOK = """
task: color
kind: exclusive
labels: {red: The article is about red things., blue: The article is about blue things.}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder with a codebook, 24 coded articles as corpus.jsonl, and config.yaml that trains on them in a blink."""
    words = {"red": "roses tomatoes and fire engines", "blue": "oceans skies and cornflowers"}
    rows = [
        {
            "id": f"{label}-{number}",
            "text": f"Report {number}: {words[label]} were seen in town {number} today.",
            "labels": label,
            "outlet": f"Outlet {number % 4}",
        }
        for number in range(12)
        for label in words
    ]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (tmp_path / "codebook.yaml").write_text(CODEBOOK, "utf-8")
    config = "name: color\ncodebook: codebook.yaml\ndata: {path: corpus.jsonl}\nlearner: {kind: linear, C: 1}\nsplit: {folds: 3}\n"
    (tmp_path / "config.yaml").write_text(config, "utf-8")
    return tmp_path


@pytest.fixture
def experiment(small: Path) -> Experiment:
    """The experiment of the `small` folder."""
    return Experiment.load(small / "config.yaml")


@pytest.fixture
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Mounts a file system of the test's own with these options ("ro,size=1m"); needs root."""
    if os.name == "nt" or os.geteuid():
        pytest.skip("mounting a file system needs root")
    place = tmp_path_factory.mktemp("disk")
    mounted = []

    def mount(options: str) -> Path:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, text=True, check=False)
        if made.returncode:
            pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)
