import contextlib
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.ci.cli import Options, run_command
from pipeline.errors import handle_errors
from tests.support.sample_repo import SampleRepo


class InProcessCI:
    """A sample repository, and `invoke ci` in this process, so that coverage counts its lines."""

    def __init__(self, toy: SampleRepo) -> None:
        self.toy = toy

    def __call__(self, **options: str | bool) -> str:
        """Run `invoke ci`; return its stdout and stderr, and store the exit code."""
        self.code = 0
        with (
            contextlib.redirect_stdout(io.StringIO()) as output,
            contextlib.redirect_stderr(output),
        ):
            try:
                with handle_errors():
                    self.code = run_command(Options(**options))  # type: ignore[arg-type]
            except SystemExit as exit_:
                self.code = int(exit_.code or 0)
        return output.getvalue()

    def ran(self, **options: str | bool) -> list[str]:
        """Run `invoke ci`; return the names of the sessions that ran."""
        self.toy.executed_sessions()
        self(**options)
        return self.toy.executed_sessions()


RunInRepo = Callable[[SampleRepo], InProcessCI]


@pytest.fixture
def run_in_repo(monkeypatch: pytest.MonkeyPatch) -> RunInRepo:
    def enter(toy: SampleRepo) -> InProcessCI:
        env = toy.env()
        for name in os.environ:
            monkeypatch.delenv(name)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(toy.root)
        return InProcessCI(toy)

    return enter


@pytest.fixture(scope="session")
def pristine_repo(tmp_path_factory: pytest.TempPathFactory) -> SampleRepo:
    """A new sample repository, to copy."""
    return SampleRepo.make(tmp_path_factory.mktemp("new"))


@pytest.fixture(scope="session")
def repo_after_run(
    pristine_repo: SampleRepo, tmp_path_factory: pytest.TempPathFactory
) -> SampleRepo:
    """A sample repository in which every session ran and passed, to copy."""
    toy = pristine_repo.copy(tmp_path_factory.mktemp("run") / "once")
    code, output = toy.ci()
    assert code == 0, output
    assert toy.executed_sessions() == sorted(toy.names)
    return toy


@pytest.fixture
def repo(pristine_repo: SampleRepo, tmp_path: Path) -> SampleRepo:
    return pristine_repo.copy(tmp_path / "copy")


@pytest.fixture
def ci(repo: SampleRepo, run_in_repo: RunInRepo) -> InProcessCI:
    return run_in_repo(repo)


@pytest.fixture
def ci_after_green_run(
    repo_after_run: SampleRepo, tmp_path: Path, run_in_repo: RunInRepo
) -> InProcessCI:
    """`invoke ci` in a repository in which every session ran and passed."""
    return run_in_repo(repo_after_run.copy(tmp_path / "green"))
