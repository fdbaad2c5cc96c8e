"""What a change started from is what main was then."""

import json
from pathlib import Path

import pytest

from pipeline.checks.baseline import baseline_commit, previous_release_commit
from pipeline.errors import InconclusiveError
from pipeline.process import capture
from tests.support.django_project import Project

ADDED = "operations = []"


def sha(project: Project, name: str = "HEAD") -> str:
    return capture(["git", "rev-parse", name], cwd=project.root).stdout.strip()


@pytest.mark.usefixtures("project")
def test_the_first_commit_follows_nothing() -> None:
    assert baseline_commit("test") is None


def test_what_is_not_committed_on_main_follows_the_last_commit(project: Project) -> None:
    project.migration("0002_next", ADDED)
    assert baseline_commit("test") == sha(project)


def test_a_commit_on_main_follows_the_one_before(project: Project) -> None:
    first = sha(project)
    project.migration("0002_next", ADDED)
    project.release()
    assert baseline_commit("test") == first


def test_nobody_uses_what_a_product_was_copied_from(project: Project) -> None:
    template = sha(project)
    settings = project.root / "pipeline.toml"
    settings.write_text(f'{settings.read_text()}\n[template]\ncommit = "{template}"\n')
    assert previous_release_commit("test") is None
    project.release()
    assert (baseline_commit("test"), previous_release_commit("test")) == (template, None)
    project.migration("0002_next", ADDED)
    assert previous_release_commit("test") == sha(project)


def test_a_branch_follows_what_main_was(project: Project) -> None:
    first = sha(project)
    project.git("checkout", "-b", "work")
    project.migration("0002_next", ADDED)
    project.release()
    project.migration("0003_last", ADDED)
    project.release()
    assert baseline_commit("test") == first


def test_a_pull_request_follows_its_target(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sha(project)
    project.git("update-ref", "refs/remotes/origin/stable", first)
    for name in ("0002_next", "0003_last"):
        project.migration(name, ADDED)
        project.release()
    monkeypatch.setenv("GITHUB_BASE_REF", "stable")
    assert baseline_commit("test") == first


def push(before: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this be the run of a push to main."""
    event = folder / "event.json"
    event.write_text(json.dumps({"before": before}))
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))


def test_a_push_to_main_follows_what_main_was_before_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = sha(project)
    for name in ("0002_next", "0003_last"):
        project.migration(name, ADDED)
        project.release()
    push(first, tmp_path, monkeypatch)
    assert baseline_commit("test") == first


def test_the_push_that_makes_main_follows_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project.migration("0002_next", ADDED)
    project.release()
    push("0" * 40, tmp_path, monkeypatch)
    assert baseline_commit("test") is None


def test_what_main_was_before_a_forced_push_is_not_guessed(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project.migration("0002_next", ADDED)
    project.release()
    project.git("update-ref", "refs/remotes/origin/main", "HEAD")
    push("1234567890" * 4, tmp_path, monkeypatch)
    with pytest.raises(
        InconclusiveError, match="the commit of main before this push is missing here"
    ):
        baseline_commit("test")


def clone(project: Project, folder: Path, *options: str) -> None:
    command = ["git", "clone", *options, project.root.as_uri(), str(folder)]
    assert capture(command).returncode == 0


def work(project: Project) -> str:
    """Release twice on a branch of its own; return what that started from."""
    first = sha(project)
    project.git("checkout", "-b", "work")
    for name in ("0002_next", "0003_last"):
        project.migration(name, ADDED)
        project.release()
    return first


@pytest.mark.parametrize("option", ["--depth=1", "--single-branch"])
def test_without_main_nothing_is_judged_until_it_is_fetched(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, option: str
) -> None:
    first = work(project)
    clone(project, tmp_path / "clone", option)
    monkeypatch.chdir(tmp_path / "clone")
    with pytest.raises(InconclusiveError, match="main is missing here") as caught:
        baseline_commit("test")
    assert capture(caught.value.hint.split()).returncode == 0
    assert baseline_commit("test") == first


def test_a_shallow_clone_of_main_is_not_judged(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project.migration("0002_next", ADDED)
    project.release()
    clone(project, tmp_path / "clone", "--depth=1")
    monkeypatch.chdir(tmp_path / "clone")
    with pytest.raises(InconclusiveError, match="main is missing here"):
        baseline_commit("test")


def test_without_main_nothing_is_judged(project: Project) -> None:
    work(project)
    project.git("branch", "--delete", "--force", "main")
    with pytest.raises(InconclusiveError, match="main is missing here"):
        baseline_commit("test")


def test_the_target_of_a_pull_request_is_not_guessed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(project)
    monkeypatch.setenv("GITHUB_BASE_REF", "stable")
    with pytest.raises(InconclusiveError, match="stable is missing here"):
        baseline_commit("test")


@pytest.mark.parametrize("kind", ["branch", "tag"])
def test_what_is_called_like_a_remote_branch_is_not_main(project: Project, kind: str) -> None:
    first = work(project)
    project.git("update-ref", "refs/remotes/origin/main", first)
    project.git(kind, "origin/main")
    project.git("tag", "main")
    assert baseline_commit("test") == first


def test_the_main_branch_may_have_another_name(project: Project) -> None:
    settings = project.root / "pipeline.toml"
    settings.write_text(
        settings.read_text().replace('main_branch = "main"', 'main_branch = "master"')
    )
    project.git("branch", "--move", "master")
    project.release()
    assert baseline_commit("test") == sha(project, "HEAD^")
    first = work(project)
    assert baseline_commit("test") == first
