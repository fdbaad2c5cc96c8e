"""No session and no task shows a secret in its output or its files.

They run for real, in a copy of this repository, and may well refuse what they are given. These are
the quick sessions: `nox -s fault-injection -- --canaries` has all. Images are built among canaries,
and looked into, by `tests/acceptance/images`; the output and logs of deployments are searched by
every rehearsal.
"""

import os
from pathlib import Path
from threading import Event

import pytest

from pipeline import invoke_tasks, secret_search
from pipeline.fault_injection import canaries, catalog, report, selection
from pipeline.fault_injection.__main__ import main
from pipeline.fault_injection.repository_copy import RepositoryCopy, copy_repository
from pipeline.fault_injection.sandbox import NO_ENGINE, clean_environment
from pipeline.process import run_interruptible
from tests.conftest import ROOT

SESSIONS = [
    "plan",
    "ci-ok",
    "lint",
    "workflows",
    "migrations",
    "backend-check",
    "tests-3.12(django='5.2')",
]
OF_LOCAL = "--env=local"
LOOKS = [
    ("--list",),
    ("build", "--dry-run"),
    ("ci", "--plan"),
    ("deploy", OF_LOCAL, "--dry-run"),
    ("deploy", OF_LOCAL, "--key=gone.key"),
    ("doctor",),
    ("doctor", OF_LOCAL),
    ("github-settings", "--dry-run"),
    ("history", OF_LOCAL),
    ("init", "--name=acme-shop", "--dry-run"),
    ("promote", "v1.0.0", "--dry-run"),
    ("generate-secrets", OF_LOCAL),
    ("sign", "--dry-run"),
    ("smoke", OF_LOCAL),
    ("status", OF_LOCAL),
    ("verify",),
]
TOUCHES = [
    ("backup", OF_LOCAL),
    ("down",),
    ("exec", OF_LOCAL, "--command=env", "--yes"),
    ("image", "--image=backend", "--platform=linux/amd64"),
    ("logs", OF_LOCAL),
    ("maintenance", OF_LOCAL, "--state=on"),
    ("pin-base-images",),
    ("push",),
    ("rehearse",),
    ("release",),
    ("renew-edge", OF_LOCAL),
    ("restore", OF_LOCAL, "--from=gone", "--yes"),
    ("rollback", OF_LOCAL, "--yes"),
    ("sbom",),
    ("scan",),
    ("unlock", OF_LOCAL),
    ("up",),
]
"""What would do something to this machine's engine; here it is out of reach."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> RepositoryCopy:
    return copy_repository(ROOT, tmp_path_factory.mktemp("canaries") / "checkout")


def shown(place: RepositoryCopy, *task: str, env: dict[str, str]) -> list[str]:
    """Run a task among canaries, and return which of them are found, and where."""
    hatched = canaries.generate_canaries()
    received = clean_environment(os.environ) | env | canaries.canary_environment(hatched)
    output = run_interruptible(["invoke", *task], cwd=place.root, env=received, stop=Event())
    assert output.stdout
    return [
        *secret_search.secrets_in_text(hatched, output.stdout),
        *secret_search.secrets_in_directory(hatched, place.root),
    ]


def test_the_names_are_those_that_the_kit_knows() -> None:
    known = canaries.secret_names()
    assert {"COSIGN_PASSWORD", "CODECOV_TOKEN", "DJANGO_SECRET_KEY", "TLS_KEY"} <= known
    assert {"METRICS_TOKEN", "SENTRY_DSN"} <= known


def test_no_session_shows_a_secret_or_does_otherwise_because_of_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(report, "FOLDER", tmp_path)  # the project's own stays as it is
    main(["--canaries", *SESSIONS])
    *lines, summary = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} == set(SESSIONS)
    assert summary.endswith(" shows no secret")
    assert not [line for line in lines if "red: " in line]


@pytest.mark.parametrize("task", LOOKS, ids=" ".join)
def test_no_task_shows_a_secret(task: tuple[str, ...], place: RepositoryCopy) -> None:
    assert shown(place, *task, env={}) == []


@pytest.mark.parametrize("task", TOUCHES, ids=" ".join)
def test_no_task_that_finds_no_engine_shows_a_secret(
    task: tuple[str, ...], place: RepositoryCopy
) -> None:
    assert shown(place, *task, env=NO_ENGINE) == []


def test_what_is_kept_short_are_sessions_that_no_job_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    assert (
        catalog.load_catalog(catalog.LOCAL_CATALOG_DIR).keys() <= selection.local_sessions().keys()
    )


def test_every_task_is_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert {name for name, *_ in LOOKS[1:] + TOUCHES} == {
        task.name for task in invoke_tasks.list_tasks()
    }


def test_what_is_shown_is_found_in_texts_and_files(tmp_path: Path) -> None:
    hatched = {"TOKEN": "swordfish", "KEY": "haddock"}
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "log").write_bytes(b"\xff swordfish")
    (tmp_path / "link").symlink_to(tmp_path)
    assert secret_search.secrets_in_text(hatched, "a haddock") == ["KEY"]
    assert [*secret_search.secrets_in_directory(hatched, tmp_path)] == ["TOKEN in .git/log"]
