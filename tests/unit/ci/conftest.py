import contextlib
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.ci.cli import Options, run_command
from pipeline.errors import handle_errors
from tests.support.sample_repo import Toy


class Here:
    """The repository, and `invoke ci` in this process, so that its lines are counted."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy

    def __call__(self, **options: str | bool) -> str:
        """Run it; return what it printed, stderr too, and keep the exit code."""
        self.code = 0
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
            try:
                with handle_errors():
                    self.code = run_command(Options(**options))  # type: ignore[arg-type]
            except SystemExit as left:
                self.code = int(left.code or 0)
        return said.getvalue()

    def ran(self, **options: str | bool) -> list[str]:
        """Run it; return the sessions that ran."""
        self.toy.ran()
        self(**options)
        return self.toy.ran()


Enter = Callable[[Toy], Here]


@pytest.fixture
def enter(monkeypatch: pytest.MonkeyPatch) -> Enter:
    def enter(toy: Toy) -> Here:
        env = toy.env()
        for name in os.environ:
            monkeypatch.delenv(name)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(toy.root)
        return Here(toy)

    return enter


@pytest.fixture(scope="session")
def new(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """A repository that was just made, to copy."""
    return Toy.make(tmp_path_factory.mktemp("new"))


@pytest.fixture(scope="session")
def run_once(new: Toy, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """A repository where everything ran and was green, to copy."""
    toy = new.copy(tmp_path_factory.mktemp("run") / "once")
    code, said = toy.ci()
    assert code == 0, said
    assert toy.ran() == sorted(toy.names)
    return toy


@pytest.fixture
def toy(new: Toy, tmp_path: Path) -> Toy:
    return new.copy(tmp_path / "copy")


@pytest.fixture
def here(toy: Toy, enter: Enter) -> Here:
    return enter(toy)


@pytest.fixture
def green(run_once: Toy, tmp_path: Path, enter: Enter) -> Here:
    """A repository where everything ran, and was green."""
    return enter(run_once.copy(tmp_path / "green"))
