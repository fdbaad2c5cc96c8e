"""The pipeline does not name what `[layout]` and `[app]` of pipeline.toml declare."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import git
from pipeline.settings import Layout, Settings
from pipeline.toml_schema import Table
from tests.conftest import ROOT

DECLARATIONS = Path("pipeline/settings.py")
SHARED = {"postgres", "leftovers"}
"""Words of the pipeline itself: the service that `managed_data` adds, and a job of that name."""


def texts(table: Table) -> Iterator[str]:
    """Yield the texts of a table, and of the tables in it."""
    for value in vars(table).values():
        if isinstance(value, Table):
            yield from texts(value)
        elif isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from value


def product_words() -> set[str]:
    """Return the default folders, files, services, commands, paths and variables."""
    defaults = (Layout(), Settings.DEFAULTS["app"])
    return {each for table in defaults for each in texts(table) if each} - SHARED


def strings(tree: ast.Module) -> Iterator[str]:
    """Yield the string constants of a module, except docstrings."""
    documents = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in documents:
            continue
        if isinstance(node.value, str):
            yield node.value


def named(text: str, words: set[str]) -> set[str]:
    """Return the words that a text has as whole words or paths."""
    return {word for word in words if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)}


def test_product_words() -> None:
    assert {"backend", "frontend", "ensure_user", "/api/v1/version/"} <= product_words()


def test_no_module_names_the_product() -> None:
    words = product_words()
    found: dict[str, set[str]] = {}
    for file in git.files("pipeline/*.py", cwd=ROOT):
        path = ROOT / file
        if path.is_file() and Path(file) != DECLARATIONS:
            all_text = "\n".join(strings(ast.parse(path.read_bytes())))
            found |= {file: seen} if (seen := named(all_text, words)) else {}
    assert found == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("backend/Dockerfile", {"backend"}),
        ("guide/backend-integration", set()),
        ("db.backends", set()),
        ("run ensure_user now", {"ensure_user"}),
    ],
)
def test_named(text: str, found: set[str]) -> None:
    assert named(text, {"backend", "ensure_user"}) == found
