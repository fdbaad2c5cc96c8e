"""A project whose migrations are checked, and the result of the check."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.checks.migrations.__main__ import check_migrations, report_and_raise
from pipeline.errors import PipelineError
from pipeline.services import postgres
from tests.support.django_project import Project, create_project

CheckRun = Callable[[], str]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL that all tests share."""
    with postgres() as url:
        yield url


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("PIPELINE_STRICT", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    made = create_project(tmp_path / "project")
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def run_check(server: str, capsys: pytest.CaptureFixture[str]) -> CheckRun:
    """Check the project, and return the output; the last line is the error, if any."""

    def flown() -> str:
        try:
            report_and_raise(check_migrations(server))
        except PipelineError as error:
            return f"{capsys.readouterr().out}{error.label}: {error}"
        return capsys.readouterr().out

    return flown
