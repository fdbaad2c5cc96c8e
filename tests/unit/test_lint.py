"""All Python files of the checkout are linted, ignored ones too, except those of tools."""

import re
from pathlib import Path

from pipeline.scratch_repository import ScratchRepository
from tests.conftest import Run

# what Ruff leaves out by itself, and what many users ignore
OFTEN_IGNORED = (".vscode", "_build", "build", "dist", "env", "lib", "site-packages", "venv", "tmp")
LEFT_BEHIND = (".cache", ".nox", ".venv", "dist", "frontend/node_modules", "reports", "venv")


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_what_is_ignored_by_git_is_linted_if_it_is_ours(checkout: Path, run: Run) -> None:
    ScratchRepository(checkout).init("main")
    write(checkout / ".git/info/exclude", "*.py\n")
    write(checkout / ".ignore", "*.py\n")
    ours = {f"backend/apps/projects/{name}/bad.py" for name in OFTEN_IGNORED} | {"pipeline/bad.py"}
    for name in ours | {f"{name}/bad.py" for name in LEFT_BEHIND}:
        write(checkout / name, "import os\n")
    output = run("ruff", "check", "--no-cache", "--output-format=concise").stdout
    assert {*re.findall(r"(?m)^(\S+bad\.py):", output)} == ours
