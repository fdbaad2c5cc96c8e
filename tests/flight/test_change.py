"""What a change started from is what main was then."""

import json
from pathlib import Path

import pytest

from pipeline.errors import NotJudgedError
from pipeline.gates.change import base, release_before
from pipeline.run import read
from tests.flight.project import Project

ADDED = "operations = []"


def sha(project: Project, name: str = "HEAD") -> str:
    return read(["git", "rev-parse", name], cwd=project.root).stdout.strip()


@pytest.mark.usefixtures("project")
def test_the_first_commit_follows_nothing() -> None:
    assert base("test") is None


def test_what_is_not_committed_on_main_follows_the_last_commit(project: Project) -> None:
    project.migration("0002_next", ADDED)
    assert base("test") == sha(project)


def test_a_commit_on_main_follows_the_one_before(project: Project) -> None:
    first = sha(project)
    project.migration("0002_next", ADDED)
    project.release()
    assert base("test") == first


def test_nobody_uses_what_a_product_was_copied_from(project: Project) -> None:
    template = sha(project)
    settings = project.root / "pipeline.toml"
    settings.write_text(f'{settings.read_text()}\n[template]\ncommit = "{template}"\n')
    assert release_before("test") is None
    project.release()
    assert (base("test"), release_before("test")) == (template, None)
    project.migration("0002_next", ADDED)
    assert release_before("test") == sha(project)


def test_a_branch_follows_what_main_was(project: Project) -> None:
    first = sha(project)
    project.git("checkout", "-b", "work")
    project.migration("0002_next", ADDED)
    project.release()
    project.migration("0003_last", ADDED)
    project.release()
    assert base("test") == first


def test_a_pull_request_follows_its_target(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sha(project)
    project.git("update-ref", "refs/remotes/origin/stable", first)
    for name in ("0002_next", "0003_last"):
        project.migration(name, ADDED)
        project.release()
    monkeypatch.setenv("GITHUB_BASE_REF", "stable")
    assert base("test") == first


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
    assert base("test") == first


def test_without_history_nothing_is_judged(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project.migration("0002_next", ADDED)
    project.release()
    clone = ["git", "clone", "--depth=1", project.root.as_uri(), str(tmp_path / "clone")]
    assert read(clone).returncode == 0
    monkeypatch.chdir(tmp_path / "clone")
    with pytest.raises(NotJudgedError, match="main is not here"):
        base("test")


def test_without_main_nothing_is_judged(project: Project) -> None:
    project.git("branch", "--move", "trunk")
    with pytest.raises(NotJudgedError, match="main is not here"):
        base("test")
