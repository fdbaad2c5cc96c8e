import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from pipeline import git, scratch_repository
from pipeline.home import UV
from pipeline.process import REPOSITORY_VARIABLES

ROOT = Path(__file__).parent.parent
# a hook that runs the tests has its own repository in mind, a session its own settings of uv
for name in (*REPOSITORY_VARIABLES, *UV):
    os.environ.pop(name, None)

hypothesis.settings.register_profile("any machine", deadline=None)  # what is late is not wrong
hypothesis.settings.load_profile("any machine")

Result = subprocess.CompletedProcess[str]
Run = Callable[..., Result]
# What GitHub's runner sets for a step:
# https://docs.github.com/actions/reference/variables-reference#default-environment-variables
RUNNER = ("ACTIONS_", "GITHUB_", "RUNNER_")


@pytest.fixture(scope="session", autouse=True)
def _listens_to_interrupts() -> None:
    """What a shell starts in the background ignores them, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _off_github() -> Iterator[None]:
    """Remove the variables of the CI runner, so that no test writes to the files of its own job.

    For the whole session, since fixtures of that scope run code of the pipeline too.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in [*os.environ]:
            if name == "CI" or name.startswith(RUNNER):
                patch.delenv(name)
        yield


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this repository as git would hand it out, uncommitted changes included."""
    copy = tmp_path / "checkout"
    scratch_repository.copy_files(git.files(cwd=ROOT), copy, ROOT)
    return copy


@pytest.fixture
def run(checkout: Path) -> Run:
    """Run a command in the copy."""

    def run(*command: str | Path) -> Result:
        return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No package index: nothing listens on the discard port, and nothing is cached."""
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "npm_config_registry"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
