"""Git commands; no other module starts git.

python -m pipeline.git ARGUMENT ...   runs git as the pipeline does
"""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import streams
from pipeline.errors import InputError, handle_errors
from pipeline.process import CommandResult, capture

# https://docs.github.com/get-started/git-basics/about-remote-repositories
REMOTE_URL = re.compile(
    r"((https?|ssh|git)://([^/@]+@)?[^/@]+/|([^/:@]+@)?[^/:@]+:)"
    r"(?P<owner>[^/:@]+)/(?P<name>[^/:@]+?)(\.git)?/?"
)
# settings that could hide a change, or print it differently
_PINNED_CONFIG = (
    "color.ui=false",
    "core.checkStat=default",
    "core.excludesFile=/dev/null",
    "core.fsmonitor=false",
    "core.ignoreStat=false",
    "core.quotePath=off",
    "core.trustctime=true",
    "diff.orderFile=/dev/null",
    "diff.relative=false",
    "log.showSignature=false",
    "status.showUntrackedFiles=normal",
)
EVERY_CHANGE = ("--no-renames", "--ignore-submodules=none")
# files ignored only by this clone or this user exist, and tools read them
UNTRACKED_OPTIONS = ("--others", "--exclude-per-directory=.gitignore")
_CHECKOUT_HINT = "run this in a git checkout that has a commit"


@dataclass(frozen=True)
class Commit:
    """A commit, and whether the checkout contains other changes."""

    sha: str
    time: datetime
    clean: bool

    @property
    def tag(self) -> str:
        """The image tag of this commit."""
        return f"sha-{self.sha[:12]}"


@dataclass(frozen=True)
class _Start:
    """The merge base of HEAD and another commit.

    Attributes:
        ref: The other commit, as it was given.
        commit: The merge base.
        head: The commit that is checked out.
        branch: The full name of its branch; `HEAD`, if detached.
    """

    ref: str
    commit: str
    head: str
    branch: str

    def is_on(self, main: str) -> bool:
        """Return whether main is checked out: its branch, or one of its commits, detached.

        Args:
            main: The name of the main branch.
        """
        return self.branch == local_branch_ref(main) or (
            self.branch == "HEAD" and self.commit == self.head
        )


def command(*arguments: str, settings: Iterable[str] = ()) -> list[str]:
    """Return a git command line.

    Args:
        *arguments: The arguments of git.
        settings: Configuration in addition to `_PINNED_CONFIG`.
    """
    options = (option for setting in (*_PINNED_CONFIG, *settings) for option in ("-c", setting))
    return ["git", *options, *arguments]


def run_git(
    *arguments: str,
    cwd: Path | None = None,
    settings: Iterable[str] = (),
    env: Mapping[str, str] | None = None,
) -> CommandResult:
    """Run git, and return its result for any exit code.

    Args:
        *arguments: The arguments of git.
        cwd: The folder; the current one by default. No variable names another repository.
        settings: Configuration in addition to `_PINNED_CONFIG`.
        env: Environment variables to set.
    """
    return capture(command(*arguments, settings=settings), cwd=cwd, env=env)


def git_output(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    """Run git, and return its stdout.

    Raises:
        InputError: It failed; the message contains its first line.
    """
    return require_success(run_git(*arguments, cwd=cwd, env=env)).stdout


def require_success(output: CommandResult, hint: str = _CHECKOUT_HINT) -> CommandResult:
    """Return the result of git, if it succeeded.

    Raises:
        InputError: It failed; the message contains its first line.
    """
    if output.returncode:
        raise InputError(f"git failed here: {_first_line(output.stderr)}", hint=hint)
    return output


def split_names(*arguments: str, cwd: Path | None = None) -> list[str]:
    """Return the names that a git command lists with `-z`.

    Raises:
        InputError: It failed; the message contains its first line.
    """
    return [name for name in git_output(*arguments, cwd=cwd).split("\0") if name]


def files(*paths: str, cwd: Path | None = None) -> list[str]:
    """List tracked files, and untracked ones that no .gitignore matches; deleted ones included.

    Args:
        *paths: Only these; all files of the folder by default.
        cwd: The folder; the current one by default.

    Raises:
        InputError: This is not a git checkout.
    """
    return [
        *dict.fromkeys(
            split_names("ls-files", "-z", "--cached", *UNTRACKED_OPTIONS, "--", *paths, cwd=cwd)
        )
    ]


def is_unwatched(tag: str, path: str) -> bool:
    """Return whether git ignores changes of a file, by its tag in `git ls-files -t -v`.

    Args:
        tag: A lower-case letter: assume unchanged; S: skip-worktree, though the file may exist.
        path: The file.
    """
    return tag.islower() or (tag == "S" and os.path.lexists(path))


def head() -> Commit:
    """Return the commit that is checked out.

    Raises:
        InputError: This is not a git checkout, or it has no commit.
    """
    sha, seconds = git_output("log", "-1", "--format=%H %ct").split()
    return Commit(sha, datetime.fromtimestamp(int(seconds), tz=UTC), clean=_is_clean())


def current_ref() -> str:
    """Return the branch or tag of GitHub's run, or the branch that is checked out."""
    if name := os.environ.get("GITHUB_REF_NAME"):
        return name
    full = run_git("symbolic-ref", "--quiet", "HEAD").stdout.strip()
    return full.removeprefix(local_branch_ref("")) or "a detached commit"


def local_branch_ref(branch: str) -> str:
    """Return the full name of a branch, which no tag can have."""
    return f"refs/heads/{branch}"


def remote_branch_ref(branch: str) -> str:
    """Return the full name of a fetched branch of `origin`."""
    return f"refs/remotes/origin/{branch}"


def short_ref(ref: str) -> str:
    """Return the short name of a full one."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")


def find_start(refs: Iterable[str]) -> _Start | None:
    """Return the merge base with the first of some commits that has one.

    Args:
        refs: Commits or full names, the most reliable first; they need not exist.

    Returns:
        None if none exists here, or none has a merge base, as in a shallow clone.
    """
    first, *others = refs
    result = run_git("rev-parse", "HEAD", "--symbolic-full-name", "HEAD", f"{first}...HEAD", "--")
    lines = result.stdout.splitlines()  # the commit and its branch are printed before an error
    bases = [line[1:] for line in lines if line.startswith("^")]
    if bases and not result.returncode:
        return _Start(first, bases[0], lines[0], lines[1])
    if len(lines) > 1 and others == [lines[1]]:  # a branch is its own merge base
        return _Start(lines[1], lines[0], lines[0], lines[1])
    return find_start(others) if others else None


def resolve_commit(name: str, *, tag: bool = False) -> str:
    """Return the commit of a tag, a branch or an abbreviated commit.

    Args:
        name: The name.
        tag: Whether it must be a tag; a branch may have the same name.

    Raises:
        InputError: There is no such commit here.
    """
    wanted = f"{'refs/tags/' if tag else ''}{name.removeprefix('sha-')}^{{commit}}"
    found = run_git("rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
    if found.returncode:
        raise InputError(
            f"no such commit or tag here: `{name}`", hint="git fetch --tags, or correct the name"
        )
    return found.stdout.strip()


def read_file_at(commit: str, path: str) -> str | None:
    """Return the content of a file in a commit; None if the commit has no such file.

    Raises:
        InputError: The commit does not exist here.
    """
    if not split_names("ls-tree", "-z", "--full-tree", commit, "--", path):
        return None
    return git_output("show", f"{commit}:{path}")


def is_ancestor(commit: str, of: str) -> bool:
    """Return whether a commit is an ancestor of another, or the same; False, if unknown."""
    return run_git("merge-base", "--is-ancestor", commit, of).returncode == 0


def parent_commit() -> str | None:
    """Return the first parent of HEAD, if it exists here."""
    return run_git("rev-parse", "--verify", "--quiet", "HEAD^1").stdout.strip() or None


def is_shallow() -> bool:
    """Return whether this is a shallow clone."""
    return run_git("rev-parse", "--is-shallow-repository").stdout.strip() == "true"


def origin_repository() -> str | None:
    """Return the owner and name of the repository of `origin`, such as `Octo-Org/Shop`."""
    found = REMOTE_URL.fullmatch(run_git("remote", "get-url", "origin").stdout.strip())
    return f"{found['owner']}/{found['name']}" if found else None


def _is_clean() -> bool:
    """Return whether the checkout equals HEAD, also in files that git does not watch."""
    status = git_output("status", "--porcelain", "-z", "--untracked-files=no", *EVERY_CHANGE)
    others = git_output("ls-files", "-z", *UNTRACKED_OPTIONS, ":/")
    rows = [(row[0], row[2:]) for row in split_names("ls-files", "-z", "-t", "-v")]
    unwatched = [path for tag, path in rows if is_unwatched(tag, path)]
    return not (status or others) and not (unwatched and _files_differ(unwatched))


def _files_differ(paths: Iterable[str]) -> bool:
    """Return whether one of these files differs from HEAD, by a new index."""
    with TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        git_output("read-tree", "HEAD", env=index)
        options = ("--no-ext-diff", "--name-only", "-z", *EVERY_CHANGE)
        literal = [f":(literal,top){path}" for path in paths]
        return bool(git_output("diff", *options, "HEAD", "--", *literal, env=index))


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[0]


if __name__ == "__main__":
    with handle_errors():
        _output = run_git(*sys.argv[1:])
        streams.write_raw(_output.stdout, sys.stdout)
        sys.stderr.write(_output.stderr)
        sys.exit(_output.returncode)
