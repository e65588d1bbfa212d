"""What `import newsclf` gives, and what it does not load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import newsclf

FRONT = Path(newsclf.__file__)
PUBLIC = ["Article", "Codebook", "Experiment", "Prediction", "__version__", "load", "read_scores", "score", "train"]
HEAVY = ("sklearn", "pyarrow", "datasets", "torch", "pydantic", "numpy", "scipy", "pandas", "yaml", "typer")


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_importing_newsclf_loads_nothing_heavy():
    loaded = python("import sys, newsclf; print(*sys.modules)").split()
    assert "newsclf" in loaded
    assert not [name for name in HEAVY if name in loaded]


def test_importing_newsclf_touches_neither_logging_nor_warnings():
    code = "import logging, warnings; before = warnings.filters[:]; import newsclf; print(logging.getLogger().handlers, warnings.filters == before)"
    assert python(code).strip() == "[] True"


@pytest.mark.parametrize("module", ["sklearn", "pyarrow", "datasets"])
def test_the_help_of_the_command_loads_nothing_heavy_either(module):
    code = f"import sys; from newsclf.cli import main\ntry: main(['train', '--help'])\nexcept SystemExit: print({module!r} in sys.modules)"
    assert python(code).splitlines()[-1] == "False"


@pytest.mark.parametrize("module", ["newsclf.inference.batch", "newsclf.inference.predictor"])
def test_scoring_loads_nothing_that_only_training_needs(module):
    """Every worker process pays for what it loads."""
    loaded = python(f"import sys, {module}; print(*sys.modules)").split()
    assert module in loaded
    assert not [name for name in ("sklearn", "joblib", "rich", "typer", "newsclf.training") if name in loaded]


def test_all_is_exactly_the_public_names():
    assert newsclf.__all__ == PUBLIC
    assert dir(newsclf) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_resolves_and_is_documented(name):
    found = getattr(newsclf, name)
    assert isinstance(found, str) if name == "__version__" else found.__doc__


def test_type_checkers_see_the_same_names_as_run_time():
    block = next(node for node in ast.parse(FRONT.read_text("utf-8")).body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == newsclf._HOME
    assert sorted([*seen, "__version__"]) == sorted(newsclf.__all__)


def test_a_star_import_gives_the_public_names_only():
    names: dict[str, object] = {}
    exec("from newsclf import *", names)
    assert sorted(name for name in names if name != "__builtins__") == sorted(PUBLIC)


def test_an_unknown_name_is_an_attribute_error_that_names_it():
    with pytest.raises(AttributeError, match="module 'newsclf' has no attribute 'Artikel'"):
        newsclf.Artikel  # noqa: B018
    assert not hasattr(newsclf, "artikel")


def test_python_m_newsclf_is_the_command():
    run = subprocess.run([sys.executable, "-m", "newsclf", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout == f"newsclf {newsclf.__version__}\n"
