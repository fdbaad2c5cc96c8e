"""The release before is what main was when the work began."""

import json
import sys
from pathlib import Path

import pytest

from pipeline import git
from pipeline.errors import NotJudgedError
from pipeline.gates.flight import released
from pipeline.run import read
from tests.flight.project import FILES, Project

ADDED = "operations = []"


def sha(project: Project, name: str = "HEAD") -> str:
    return read(["git", "rev-parse", name], cwd=project.root).stdout.strip()


@pytest.mark.usefixtures("project")
def test_the_first_commit_follows_nothing() -> None:
    assert released.commit() is None


def test_what_is_not_committed_follows_the_last_commit(project: Project) -> None:
    project.migration("0002_next", ADDED)
    assert released.commit() == sha(project)


def test_a_commit_on_main_follows_the_one_before(project: Project) -> None:
    first = sha(project)
    project.migration("0002_next", ADDED)
    project.release()
    assert released.commit() == first


def test_a_branch_follows_what_main_was(project: Project) -> None:
    first = sha(project)
    project.git("checkout", "-b", "work")
    project.migration("0002_next", ADDED)
    project.release()
    project.migration("0003_last", ADDED)
    project.release()
    assert released.commit() == first


def test_a_pull_request_follows_its_target(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sha(project)
    project.git("update-ref", "refs/remotes/origin/stable", first)
    for name in ("0002_next", "0003_last"):
        project.migration(name, ADDED)
        project.release()
    monkeypatch.setenv("GITHUB_BASE_REF", "stable")
    assert released.commit() == first


def test_a_push_to_main_follows_what_main_was_before_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = sha(project)
    for name in ("0002_next", "0003_last"):
        project.migration(name, ADDED)
        project.release()
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"before": first}))
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    assert released.commit() == first


def test_without_history_nothing_is_judged(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project.migration("0002_next", ADDED)
    project.release()
    clone = ["git", "clone", "--depth=1", project.root.as_uri(), str(tmp_path / "clone")]
    assert read(clone).returncode == 0
    monkeypatch.chdir(tmp_path / "clone")
    with pytest.raises(NotJudgedError, match="main is not here"):
        released.commit()


def test_without_main_nothing_is_judged(project: Project) -> None:
    project.git("branch", "--move", "trunk")
    with pytest.raises(NotJudgedError, match="main is not here"):
        released.commit()


def test_its_code_is_laid_out_beside(project: Project, tmp_path: Path) -> None:
    project.migration("0002_next", ADDED)
    code = released.code(git.head().sha, tmp_path)
    assert code is not None
    assert code.python == sys.executable
    assert not (code.folder / "shop/migrations/0002_next.py").exists()


def test_before_there_was_an_app_there_is_nothing(project: Project, tmp_path: Path) -> None:
    project.git("rm", "-r", "backend")
    project.release()
    assert released.code(git.head().sha, tmp_path) is None


def test_it_gets_the_packages_that_it_was_locked_to(project: Project, tmp_path: Path) -> None:
    project.write("backend/requirements/django-5.2.txt", "# another lock\n")
    code = released.code(git.head().sha, tmp_path)
    assert code is not None
    assert code.python == str(tmp_path / "venv/bin/python")
    assert read([code.python, "-c", "import django"]).returncode != 0, "its lock was empty"


@pytest.mark.usefixtures("offline")
def test_packages_out_of_reach_are_not_judged(project: Project, tmp_path: Path) -> None:
    lock = "backend/requirements/django-5.2.txt"
    project.write(lock, f"django==5.2.1 --hash=sha256:{'0' * 64}\n")
    project.release()
    project.write(lock, FILES[lock])
    with pytest.raises(NotJudgedError, match="packages of the release before cannot be had"):
        released.code(git.head().sha, tmp_path)


def test_a_commit_that_is_not_here_is_not_judged(project: Project, tmp_path: Path) -> None:
    with pytest.raises(NotJudgedError, match="git cannot hand out 000000000000"):
        released.code("0" * 40, tmp_path)
    assert project.root.exists()
