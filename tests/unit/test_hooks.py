"""The commit hooks check tracked and untracked files, with the real pre-commit."""

from pathlib import Path

import pytest

from pipeline.hooks import main
from pipeline.scratch_repository import ScratchRepository

HOOKS = """
repos:
  - repo: local
    hooks:
      - id: trailing-whitespace
        name: fix trailing whitespace
        language: system
        entry: trailing-whitespace-fixer
      - id: migrations
        name: read new migrations
        language: system
        entry: "false"
        pass_filenames: false
"""
DEV = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])\n"


@pytest.fixture(autouse=True)
def _checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".pre-commit-config.yaml").write_text(HOOKS)
    Path(".gitignore").write_text("ignored\n")
    Path("dev").write_text(DEV)
    ScratchRepository(tmp_path).init("main")


@pytest.mark.parametrize(("name", "code"), [("new.md", 1), ("a folder/ü.md", 1), ("ignored", 0)])
def test_a_file_that_is_not_added_is_judged_unless_it_is_ignored(name: str, code: int) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text("space \n")
    assert main(["trailing-whitespace"]) == code


def test_a_file_that_is_gone_is_no_fault() -> None:
    Path("dev").rename("moved")
    Path("dev").write_text(DEV)
    Path(".gitignore").unlink()
    assert main([]) == 0


def test_a_hook_that_runs_another_session_is_left_to_its_job(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 0
    assert "Skipped" in capfd.readouterr().out


def test_many_files_do_not_fill_the_screen(capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(200):
        Path(f"{number:03}.md").write_text("fine\n")
    assert main([]) == 0
    shown = capfd.readouterr().err.splitlines()[0]
    assert shown.startswith("+ ")
    assert shown.endswith(" …")
    assert len(shown) < 1100
