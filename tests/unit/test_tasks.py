import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Result

Invoke = Callable[..., Result]


@pytest.fixture(scope="module", autouse=True)
def _tools_are_there() -> None:
    """./dev prints what it installs in a new clone."""
    subprocess.run([ROOT / "dev"], check=True, capture_output=True)


@pytest.fixture
def invoke(tmp_path: Path) -> Invoke:
    """Run invoke with a fake docker that records its arguments, and exits with a given code."""
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "docker $@"\nexit ${DOCKER_EXIT:-0}\n')
    docker.chmod(0o755)

    def invoke(*arguments: str, path: str = str(tmp_path), code: int = 0) -> Result:
        tool = [
            str(ROOT / "dev"),
            "env",
            f"PATH={ROOT}/.venv/bin:{path}:/bin",
            f"DOCKER_EXIT={code}",
        ]
        command = [*tool, "invoke", *arguments]
        return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)

    return invoke


@pytest.mark.parametrize(
    ("task", "command"),
    [
        ("up", "docker compose up --detach --wait"),
        ("down", "docker compose down"),
        ("logs", "docker compose logs --follow"),
        ("logs --service=redis", "docker compose logs --follow redis"),
    ],
)
def test_a_task_runs_docker_compose(invoke: Invoke, task: str, command: str) -> None:
    assert invoke(*task.split()).stdout == f"{command}\n"


def test_the_exit_code_is_that_of_docker(invoke: Invoke) -> None:
    assert invoke("up", code=17).returncode == 17


def test_without_docker_it_says_so() -> None:
    """The PATH here holds nothing but the tools of ./dev."""
    tool = [str(ROOT / "dev"), "env", f"PATH={ROOT}/.venv/bin", "invoke", "up"]
    result = subprocess.run(tool, cwd=ROOT, check=False, capture_output=True, text=True)
    assert result.returncode == 3
    assert "error: no such program: `docker`\n\nhint: install docker" in result.stderr


def test_every_task_has_its_line_of_help(invoke: Invoke) -> None:
    rows = [line.split(maxsplit=1) for line in invoke("--list").stdout.splitlines()[2:] if line]
    assert rows
    assert all(len(row) == 2 and len(row[1]) < 72 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "fault", "hint"),
    [
        (("ci", "--all", "--dry"), "invoke's own --dry does not work here", "invoke ci --help"),
        (("--dry", "up"), "invoke's own --dry does not work here", "invoke up --help"),
        (("--dry", "build"), "invoke's own --dry does not work here", "invoke build --dry-run"),
        (
            ("deploy", "--env=local", "--recover", "--dry-run"),
            "--recover has no --dry-run",
            "invoke status --env=local",
        ),
    ],
)
def test_what_was_to_be_dry_does_nothing(
    invoke: Invoke, arguments: tuple[str, ...], fault: str, hint: str
) -> None:
    result = invoke(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"error: {fault}\n\nhint: {hint}\n"
