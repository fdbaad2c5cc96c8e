"""Git: the only place that starts it; the commit that is worked on, and where it is pushed to.

python -m pipeline.git ARGUMENT ...   runs it as the pipeline does
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
# settings of git that would let it overlook a change, or show it in another way
PINNED_CONFIG = (
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
# what only this clone or this user ignores is here all the same, and tools read it
UNTRACKED_OPTIONS = ("--others", "--exclude-per-directory=.gitignore")
CHECKOUT_HINT = "run this in a git checkout that has a commit"


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


@dataclass(frozen=True)
class Start:
    """Where the checked out commit left another one: the newest commit that both have.

    Attributes:
        ref: The other one, as it was asked for.
        commit: What both have.
        head: The commit that is checked out.
        branch: The full name of its branch; `HEAD`, if it is on none.
    """

    ref: str
    commit: str
    head: str
    branch: str

    def is_on(self, main: str) -> bool:
        """Say whether main itself is checked out: its branch, or one of its commits on no branch.

        Args:
            main: The name of the main branch.
        """
        return self.branch == local_branch_ref(main) or (
            self.branch == "HEAD" and self.commit == self.head
        )


def command(*arguments: str, settings: Iterable[str] = ()) -> list[str]:
    """Return the command line that asks git something.

    Args:
        *arguments: What to ask.
        settings: More of its configuration, besides what is pinned.
    """
    options = (option for setting in (*PINNED_CONFIG, *settings) for option in ("-c", setting))
    return ["git", *options, *arguments]


def run_git(
    *arguments: str,
    cwd: Path | None = None,
    settings: Iterable[str] = (),
    env: Mapping[str, str] | None = None,
) -> CommandResult:
    """Run git; what its exit code means is left to the caller.

    Args:
        *arguments: What to ask.
        cwd: The folder; here, if not given. No variable names another repository.
        settings: More of its configuration, besides what is pinned.
        env: Variables to set.
    """
    return capture(command(*arguments, settings=settings), cwd=cwd, env=env)


def git_output(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    """Run git, and return what it printed.

    Raises:
        InputError: It failed; its first line says why.
    """
    return require_success(run_git(*arguments, cwd=cwd, env=env)).stdout


def require_success(output: CommandResult, hint: str = CHECKOUT_HINT) -> CommandResult:
    """Return what git said, if it went well.

    Raises:
        InputError: It did not; git's first line says why.
    """
    if output.returncode:
        raise InputError(f"git cannot answer here: {_first_line(output.stderr)}", hint=hint)
    return output


def split_names(*arguments: str, cwd: Path | None = None) -> list[str]:
    """Return the names that a command of git lists with `-z`, whatever bytes they are made of.

    Raises:
        InputError: It failed; its first line says why.
    """
    return [name for name in git_output(*arguments, cwd=cwd).split("\0") if name]


def files(*paths: str, cwd: Path | None = None) -> list[str]:
    """List the tracked files, and the untracked ones that no .gitignore names; some may be gone.

    Args:
        *paths: Of which; of the whole folder, if none.
        cwd: The folder; here, if not given.

    Raises:
        InputError: This is no git checkout.
    """
    return [
        *dict.fromkeys(
            split_names("ls-files", "-z", "--cached", *UNTRACKED_OPTIONS, "--", *paths, cwd=cwd)
        )
    ]


def is_unwatched(tag: str, path: str) -> bool:
    """Say whether git was told not to look at a file, by its tag in `git ls-files -t -v`.

    Args:
        tag: A small letter: assumed unchanged; S: not wanted here, and it may be here all the same.
        path: The file.
    """
    return tag.islower() or (tag == "S" and os.path.lexists(path))


def head() -> Commit:
    """Return the commit that is checked out.

    Raises:
        InputError: This is no git checkout, or it has no commit.
    """
    sha, seconds = git_output("log", "-1", "--format=%H %ct").split()
    return Commit(sha, datetime.fromtimestamp(int(seconds), tz=UTC), clean=_is_clean())


def current_ref() -> str:
    """Return the branch or tag that is worked on: that of GitHub's run, or the one checked out."""
    if name := os.environ.get("GITHUB_REF_NAME"):
        return name
    full = run_git("symbolic-ref", "--quiet", "HEAD").stdout.strip()
    return full.removeprefix(local_branch_ref("")) or "a detached commit"


def local_branch_ref(branch: str) -> str:
    """Return the full name of a branch: no tag or other branch can be meant."""
    return f"refs/heads/{branch}"


def remote_branch_ref(branch: str) -> str:
    """Return the full name of what was last fetched of a branch of `origin`."""
    return f"refs/remotes/origin/{branch}"


def short_ref(ref: str) -> str:
    """Return a full name as people write it."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")


def find_start(refs: Iterable[str]) -> Start | None:
    """Return where this work left the first of some commits that can be compared with.

    Args:
        refs: Commits, or full names, the surest first; not all of them need be here.

    Returns:
        None if none is here, or has nothing in common with this, as in a shallow clone.
    """
    first, *others = refs
    asked = run_git("rev-parse", "HEAD", "--symbolic-full-name", "HEAD", f"{first}...HEAD", "--")
    lines = asked.stdout.splitlines()  # the commit and its branch come before what may fail
    bases = [line[1:] for line in lines if line.startswith("^")]
    if bases and not asked.returncode:
        return Start(first, bases[0], lines[0], lines[1])
    if len(lines) > 1 and others == [lines[1]]:  # a branch has left itself nowhere
        return Start(lines[1], lines[0], lines[0], lines[1])
    return find_start(others) if others else None


def resolve_commit(name: str, *, tag: bool = False) -> str:
    """Return the commit that a tag, a branch or the beginning of a commit stands for.

    Args:
        name: Which.
        tag: Whether only a tag will do; a branch may be called like a version too.

    Raises:
        InputError: There is none here.
    """
    wanted = f"{'refs/tags/' if tag else ''}{name.removeprefix('sha-')}^{{commit}}"
    found = run_git("rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
    if found.returncode:
        raise InputError(
            f"no such commit or tag here: `{name}`", hint="git fetch --tags, or correct the name"
        )
    return found.stdout.strip()


def read_file_at(commit: str, path: str) -> str | None:
    """Return what a file said in a commit; None if the commit has no such file.

    Raises:
        InputError: The commit is not here.
    """
    if not split_names("ls-tree", "-z", "--full-tree", commit, "--", path):
        return None
    return git_output("show", f"{commit}:{path}")


def is_ancestor(commit: str, of: str) -> bool:
    """Say whether a commit is another one, or lies before it; what is not known here does not."""
    return run_git("merge-base", "--is-ancestor", commit, of).returncode == 0


def parent_commit() -> str | None:
    """Return the commit before HEAD, of a merge that of the branch merged into, if it is here."""
    return run_git("rev-parse", "--verify", "--quiet", "HEAD^1").stdout.strip() or None


def is_shallow() -> bool:
    """Tell whether history was cut off here."""
    return run_git("rev-parse", "--is-shallow-repository").stdout.strip() == "true"


def origin_repository() -> str | None:
    """Return the owner and the name of the repository on its host, such as `Octo-Org/Shop`."""
    found = REMOTE_URL.fullmatch(run_git("remote", "get-url", "origin").stdout.strip())
    return f"{found['owner']}/{found['name']}" if found else None


def _is_clean() -> bool:
    """Whether the tree is what HEAD says, in what git was told not to look at too."""
    status = git_output("status", "--porcelain", "-z", "--untracked-files=no", *EVERY_CHANGE)
    others = git_output("ls-files", "-z", *UNTRACKED_OPTIONS, ":/")
    rows = [(row[0], row[2:]) for row in split_names("ls-files", "-z", "-t", "-v")]
    unwatched = [path for tag, path in rows if is_unwatched(tag, path)]
    return not (status or others) and not (unwatched and _files_differ(unwatched))


def _files_differ(paths: Iterable[str]) -> bool:
    """Whether one of these files is not what HEAD says, by an index that was told nothing."""
    with TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        git_output("read-tree", "HEAD", env=index)
        options = ("--no-ext-diff", "--name-only", "-z", *EVERY_CHANGE)
        literal = [f":(literal,top){path}" for path in paths]
        return bool(git_output("diff", *options, "HEAD", "--", *literal, env=index))


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[0]


if __name__ == "__main__":
    with handle_errors():
        output = run_git(*sys.argv[1:])
        streams.write_raw(output.stdout, sys.stdout)
        sys.stderr.write(output.stderr)
        sys.exit(output.returncode)
