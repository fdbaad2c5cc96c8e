"""The commit that is worked on, and where it is pushed to."""

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.errors import InputError
from pipeline.run import read

# https://docs.github.com/get-started/git-basics/about-remote-repositories
REMOTE = re.compile(
    r"((https?|ssh|git)://([^/@]+@)?[^/@]+/|([^/:@]+@)?[^/:@]+:)"
    r"(?P<owner>[^/:@]+)/(?P<name>[^/:@]+?)(\.git)?/?"
)


@dataclass(frozen=True)
class Commit:
    """A commit, and whether the tree holds anything else than it."""

    sha: str
    time: datetime
    clean: bool

    @property
    def tag(self) -> str:
        """The image tag that belongs to this commit and to no other."""
        return f"sha-{self.sha[:12]}"


def head() -> Commit:
    """Return the commit that is checked out.

    Raises:
        InputError: This is no git checkout, or it has no commit.
    """
    sha, seconds = _git("log", "-1", "--format=%H %ct").split()
    time = datetime.fromtimestamp(int(seconds), tz=UTC)
    return Commit(sha, time, clean=not _git("status", "--porcelain"))


def branch() -> str:
    """Return the branch or tag that is worked on: that of GitHub's run, or the one checked out."""
    if name := os.environ.get("GITHUB_REF_NAME"):
        return name
    return read(["git", "symbolic-ref", "--short", "HEAD"]).stdout.strip() or "a detached commit"


def resolved(name: str, *, tag: bool = False) -> str:
    """Return the commit that a tag, a branch or the beginning of a commit stands for.

    Args:
        name: Which.
        tag: Whether only a tag will do; a branch may be called like a version too.

    Raises:
        InputError: There is none here.
    """
    wanted = f"{'refs/tags/' if tag else ''}{name.removeprefix('sha-')}^{{commit}}"
    answer = read(["git", "rev-parse", "--verify", "--quiet", "--end-of-options", wanted])
    if answer.returncode:
        raise InputError(
            f"no such commit or tag here: `{name}`", hint="git fetch --tags, or correct the name"
        )
    return answer.stdout.strip()


def file_at(commit: str, path: str) -> str:
    """Return what a file said in a commit.

    Raises:
        InputError: The commit is not here, or has no such file.
    """
    return _git("show", f"{commit}:{path}")


def is_ancestor(commit: str, of: str) -> bool:
    """Say whether a commit is another one, or lies before it; what is not known here does not."""
    return read(["git", "merge-base", "--is-ancestor", commit, of]).returncode == 0


def merge_base(name: str) -> str | None:
    """Return the newest commit that both HEAD and another branch or commit have.

    Args:
        name: The other one.

    Returns:
        The commit; None if there is none here, as in a shallow clone.
    """
    return read(["git", "merge-base", "HEAD", name]).stdout.strip() or None


def parent() -> str | None:
    """Return the commit before HEAD, of a merge that of the branch merged into, if it is here."""
    return read(["git", "rev-parse", "--verify", "--quiet", "HEAD^1"]).stdout.strip() or None


def is_shallow() -> bool:
    """Tell whether history was cut off here."""
    return read(["git", "rev-parse", "--is-shallow-repository"]).stdout.strip() == "true"


def origin() -> str | None:
    """Return the owner and the name of the repository on its host, such as `Octo-Org/Shop`."""
    found = REMOTE.fullmatch(read(["git", "remote", "get-url", "origin"]).stdout.strip())
    return f"{found['owner']}/{found['name']}" if found else None


def _git(*arguments: str) -> str:
    answer = read(["git", *arguments])
    if answer.returncode:
        raise InputError(
            f"git cannot answer here: {_first_line(answer.stderr)}",
            hint="run this in a git checkout that has a commit",
        )
    return answer.stdout.strip()


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[0]
