"""A project with a Python and a Node lock, and a fake advisory service."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests import settings
from tests.support.fake_advisories import FakeAdvisoryService

TODAY = datetime.now(UTC).date()
TOMORROW = TODAY + timedelta(days=1)  # a run that begins before midnight may end after it
HASH = f"--hash=sha256:{'0' * 64}"

Except = Callable[..., None]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAdvisoryService]:
    """The service, and a project of one package each to stand in."""
    home, project = tmp_path / "service", tmp_path / "project"
    for folder in (home, project / "requirements", project / "frontend", project / "security"):
        folder.mkdir(parents=True)
    (project / "pipeline.toml").write_text(settings.text())
    (project / "requirements/app.txt").write_text(f"# a lock\ndjango==5.2.19 \\\n    {HASH}\n")
    root = {"name": "frontend", "version": "0.0.0", "dependencies": {"react": "19.3.1"}}
    packages = {"": root, "node_modules/react": {"version": "19.3.1"}}
    (project / "frontend/package.json").write_text(json.dumps(root))
    lock = {"name": "frontend", "lockfileVersion": 3, "packages": packages}
    (project / "frontend/package-lock.json").write_text(json.dumps(lock))
    monkeypatch.chdir(project)
    monkeypatch.delenv("PIPELINE_STRICT", raising=False)
    with FakeAdvisoryService(home).running() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def excepted(service: FakeAdvisoryService) -> Except:
    """Except a vulnerability."""
    del service  # it is in this project that something is excepted

    def excepted(name: str, package: str, place: str, until: date = TOMORROW) -> None:
        with Path("security/exceptions.toml").open("a") as file:
            file.write(
                f'[[exceptions]]\nid = "{name}"\npackage = "{package}"\nfound_in = ["{place}"]\n'
                f'reason = "no fixed version"\nowner = "ada@example.com"\nexpiry = {until}\n'
            )

    return excepted
