"""./dev needs nothing but Python and git, and never leaves a half-made environment."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT, Run


def test_it_runs_a_tool_from_the_locked_environment() -> None:
    result = subprocess.run([ROOT / "dev", "nox", "--version"], check=False, capture_output=True)
    assert result.returncode == 0


def test_it_prints_the_folder_of_the_tools_on_stdout() -> None:
    result = subprocess.run([ROOT / "dev"], check=True, capture_output=True, text=True)
    assert Path(result.stdout.strip(), "nox").exists()


def test_it_hands_on_the_exit_code_of_the_tool() -> None:
    command = [str(ROOT / "dev"), "python", "-c", "raise SystemExit(7)"]
    assert subprocess.run(command, check=False).returncode == 7


def test_it_names_an_unknown_tool() -> None:
    result = subprocess.run([ROOT / "dev", "noxx"], check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert "error: no such tool: `noxx`\n\nhint: ./dev nox -l" in result.stderr


def test_it_names_a_missing_lock(checkout: Path, run: Run) -> None:
    (checkout / "requirements/dev.txt").unlink()
    result = run("./dev", "nox", "-l")
    assert result.returncode == 1
    assert "error: no such lock: `requirements/dev.txt`\n\nhint: git checkout" in result.stderr


@pytest.mark.usefixtures("offline")
def test_without_a_network_it_says_so_and_tries_again_next_time(checkout: Path, run: Run) -> None:
    for _ in range(2):
        result = run("./dev", "nox", "-l")
        assert result.returncode == 1
        assert "error: requirements/dev.txt was not installed" in result.stderr
        assert "hint: is the network there?" in result.stderr
    assert not (checkout / ".venv/built-from").exists()


def test_it_refuses_a_package_that_differs_from_its_hash(checkout: Path, run: Run) -> None:
    lock = checkout / "requirements/dev.txt"
    lock.write_text("invoke==3.0.3 --hash=sha256:" + "0" * 64 + "\n")
    result = run("./dev", "invoke", "--version")
    assert result.returncode == 1
    assert "DO NOT MATCH THE HASHES" in result.stderr
    assert "if a hash differs: git checkout requirements/dev.txt" in result.stderr
    assert not (checkout / ".venv/built-from").exists()


def test_it_builds_anew_when_the_lock_changed(checkout: Path, run: Run) -> None:
    lock = checkout / "requirements/dev.txt"
    lock.write_text("")
    assert run("./dev", "python", "-c", "").returncode == 0
    lock.write_text("# changed\n")
    result = run("./dev", "python", "-c", "")
    assert "building .venv" in result.stderr


def test_it_is_short_enough_to_be_read_before_it_is_run() -> None:
    assert len((ROOT / "dev").read_text().splitlines()) <= 60
