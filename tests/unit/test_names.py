"""Names: `_` marks what no other module uses, and a module is named once on its path."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pipeline import git
from tests.conftest import ROOT

PACKAGE = "pipeline"
COMMANDS = Path(PACKAGE, "deploy", "commands")
"""Its modules have the names of the commands, and its folder qualifies them."""
ENTRY_POINTS = {"main", "Command"}  # found by name: by `python -m`, and by Django


def module_name(file: Path) -> str:
    """Return the dotted name of a file."""
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def python_files() -> list[Path]:
    return [
        file
        for each in git.files(cwd=ROOT)
        if (file := Path(each)).suffix == ".py" and (ROOT / file).is_file()
    ]


def imported(tree: ast.Module) -> set[str]:
    """Return what a module imports, or names by its path: modules, and names of modules."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(re.split(r"[:.]\w+$", node.value)[0])
    return found


def mentioned(tree: ast.Module) -> set[str]:
    """Return the names that a module may take from another one: imports, attributes, strings."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(node.value.replace(":", ".").split("."))
    return found


def defined(tree: ast.Module) -> Iterator[str]:
    """Yield the public names that a module defines and uses."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [name for target in node.targets for name in names(target, ast.Store)]
        elif isinstance(node, ast.AnnAssign):
            found += names(node.target, ast.Store)
    used = {*names(tree, ast.Load)}
    yield from (name for name in found if name in used and not name.startswith("_"))


def names(tree: ast.AST, context: type[ast.expr_context]) -> Iterator[str]:
    """Yield the names that are stored or loaded."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, context):
            yield node.id


def needlessly_public(trees: Mapping[str, ast.Module]) -> list[str]:
    """Return the public names of the package that no other module uses."""
    users = defaultdict[str, set[str]](set)
    for name, tree in trees.items():
        for module in imported(tree) & trees.keys():
            users[module] |= mentioned(tree) if module != name else set()
    return [
        f"{module}: {name}"
        for module, tree in trees.items()
        if module.startswith(f"{PACKAGE}.")
        for name in defined(tree)
        if name not in users[module] | ENTRY_POINTS
    ]


def ambiguous(files: list[Path]) -> list[str]:
    """Return the modules that have the name of one in a folder around theirs."""
    modules = {file.with_suffix("") for file in files}
    modules |= {folder for file in files for folder in file.parents}
    return [
        str(module)
        for module in sorted(modules)
        if module.parent != COMMANDS and not module.name.startswith("__")
        for around in list(module.parents)[1:]
        if around / module.name in modules
    ]


def test_public_names_are_used_by_another_module() -> None:
    trees = {module_name(file): ast.parse((ROOT / file).read_bytes()) for file in python_files()}
    assert needlessly_public(trees) == []


def test_modules_have_unambiguous_names() -> None:
    assert ambiguous([file for file in python_files() if file.parts[0] == PACKAGE]) == []


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ("", ["pipeline.one: limit"]),
        ("from pipeline.one import limit", []),
        ("from pipeline import one\none.limit()", []),
        ("from pipeline import one\nmonkeypatch.setattr(one, 'limit', 2)", []),
        ("from pipeline import one\none.run()", ["pipeline.one: limit"]),
        ("monkeypatch.setattr('pipeline.one.limit', 2)", []),
        ("import another\nanother.limit()", ["pipeline.one: limit"]),
    ],
)
def test_needlessly_public(other: str, found: list[str]) -> None:
    one = "def limit(): return 1\n\ndef run(): return limit()\n\ndef main(): pass\n\nmain()"
    trees = {"pipeline.one": ast.parse(one), "tests.two": ast.parse(other)}
    assert needlessly_public(trees) == found


def test_ambiguous() -> None:
    files = ["pipeline/ci/plan.py", "pipeline/ci/report/plan.py", "pipeline/deploy/plan.py"]
    assert ambiguous([Path(file) for file in files]) == ["pipeline/ci/report/plan"]
