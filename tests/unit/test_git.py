"""Whose repository this is, by every form of a remote; and what is checked out."""

import string
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.git import (
    REMOTE_URL,
    current_ref,
    head,
    is_ancestor,
    origin_repository,
    resolve_commit,
)

NAME = st.text(string.ascii_letters + string.digits + "-_.", min_size=1).filter(
    lambda name: not name.endswith(".git")
)
ADDRESSES = [
    "https://github.com/{}",
    "https://token@github.com/{}",
    "https://git.example.com:8443/{}",
    "ssh://git@github.com/{}",
    "ssh://git@github.com:22/{}",
    "git@github.com:{}",
    "github.com:{}",
]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-11-23T12:00:00+01:00")
    git("init", "--quiet")
    return tmp_path


def git(*arguments: str) -> None:
    name = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    command = ["git", *name, *arguments]
    subprocess.run(command, check=True)


@given(st.sampled_from(ADDRESSES), NAME, NAME, st.sampled_from(["", ".git", "/", ".git/"]))
def test_an_address_says_the_owner_and_the_name_as_they_are_written(
    address: str, owner: str, name: str, end: str
) -> None:
    found = REMOTE_URL.fullmatch(address.format(f"{owner}/{name}") + end)
    assert found
    assert (found["owner"], found["name"]) == (owner, name)


@pytest.mark.parametrize(
    "remote",
    ["", "/srv/git/shop.git", "/home/ada@work/octo/shop", "../octo/shop", "file:///srv/octo/shop",
     "https://gitlab.com/group/team/shop.git", "https://github.com/shop"],
)  # fmt: skip
def test_what_names_no_owner_has_none(remote: str) -> None:
    assert not REMOTE_URL.fullmatch(remote)


def test_the_case_of_the_owner_is_kept_since_signatures_carry_it(repository: Path) -> None:
    git("remote", "add", "origin", "git@github.com:Octo-Org/Shop.git")
    assert origin_repository() == "Octo-Org/Shop"
    assert repository.exists()


@pytest.mark.usefixtures("repository")
def test_without_a_remote_nobody_is_the_owner() -> None:
    assert origin_repository() is None


@pytest.mark.usefixtures("repository")
def test_without_a_commit_nothing_is_checked_out() -> None:
    with pytest.raises(InputError, match="git failed here: fatal: ") as caught:
        head()
    assert caught.value.hint == "run this in a git checkout that has a commit"


def test_a_commit_has_its_time_and_a_tag_of_its_own(repository: Path) -> None:
    git("commit", "--quiet", "--allow-empty", "--message=Work")
    commit = head()
    assert commit.tag == f"sha-{commit.sha[:12]}"
    assert commit.time == datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert commit.clean
    (repository / "new").write_text("")
    assert not head().clean


def test_the_branch_is_github_s_or_the_one_that_is_checked_out(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("commit", "--quiet", "--allow-empty", "--message=Work")
    git("checkout", "--quiet", "-b", "feature")
    assert current_ref() == "feature"
    git("checkout", "--quiet", "--detach")
    assert current_ref() == "a detached commit"
    monkeypatch.setenv("GITHUB_REF_NAME", "v1.0.0")
    assert current_ref() == "v1.0.0"
    assert repository.exists()


@pytest.mark.usefixtures("repository")
def test_a_commit_is_found_by_its_image_tag_its_tag_and_its_beginning() -> None:
    git("commit", "--quiet", "--allow-empty", "--message=Work")
    git("tag", "v1.0.0")
    commit = head()
    assert {resolve_commit(name) for name in (commit.tag, "v1.0.0", commit.sha[:8])} == {commit.sha}
    with pytest.raises(InputError):
        resolve_commit("v2.0.0")


@pytest.mark.usefixtures("repository")
def test_a_commit_comes_before_its_descendants_and_no_stranger() -> None:
    git("commit", "--quiet", "--allow-empty", "--message=Begin")
    older = head().sha
    git("commit", "--quiet", "--allow-empty", "--message=Go on")
    newer = head().sha
    assert is_ancestor(older, newer)
    assert is_ancestor(older, older)
    assert not is_ancestor(newer, older)
    assert not is_ancestor("0" * 40, newer)
