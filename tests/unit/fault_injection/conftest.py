"""A repository with one gate, small enough for real runs."""

import os
import sys
from pathlib import Path

import pytest

from pipeline.process import capture
from tests import settings

NOXFILE = '''
import nox


@nox.session(venv_backend="none", tags=["words"])
def style(session):
    """Look for bad words."""
    session.run("python", "tool.py", *session.posargs)


@nox.session(venv_backend="none", default=False)
def serve(session):
    """Never end."""
    session.run("sleep", "600", external=True)
'''
TOOL = """
import json, os, pathlib, sys, time

text = pathlib.Path("product.txt").read_text()
print("the tool looks at", os.environ.get("WHAT", "all"), *sys.argv[1:])
if "sleep" in text:
    pathlib.Path(os.environ["STARTED"]).touch()
    time.sleep(600)
if "away" in text:
    pathlib.Path("reports/inconclusive").mkdir(parents=True)
    record = {"check": "words", "reason": "the list is out of reach"}
    pathlib.Path("reports/inconclusive/words.json").write_text(json.dumps(record))
if "bad" in text or "WORDS" in os.environ:
    sys.exit("tool: E1 a bad word")
"""
WORKFLOW = """
on: push
jobs:
  style:
    runs-on: ubuntu-24.04
    steps:
      - run: nox -s style
"""
FAULT = """
[style]
[style."a bad word"]
change = [{ file = "product.txt", append = "bad\\n" }]
expect = "E1"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose one gate has one fault; it is the current folder."""
    root = tmp_path / "project"
    files = {
        ".github/workflows/ci.yml": WORKFLOW,
        ".gitignore": ".nox/\nreports/\npackages/\n",
        "faults/all.toml": FAULT,
        "faults/local/sessions.toml": "[serve]\nstop_after = 1\n",
        "noxfile.py": NOXFILE,
        "pipeline.toml": settings.text({"parity": {"local_sessions": {"serve": "it never ends"}}}),
        "product.txt": "good\n",
        "tool.py": TOOL,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    capture(["git", "init", "--quiet", str(root)])
    monkeypatch.chdir(root)
    folder = tmp_path / "bin"  # the programs' own folder is left out of what sessions see
    folder.mkdir()
    for tool in ("nox", "python"):
        (folder / tool).symlink_to(Path(sys.executable).parent / tool)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return root
