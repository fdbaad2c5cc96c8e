"""Repositories of our own: no setting of a person, and no other repository, has a part in them."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.git import files, local_branch_ref, require_success, run_git

# read besides what `ISOLATED_ENVIRONMENT` turns off
SETTINGS = (
    "commit.gpgSign=false",
    "core.attributesFile=/dev/null",
    "core.hooksPath=/dev/null",
    "gc.auto=0",
    "maintenance.auto=false",
    "safe.directory=*",
    "user.email=scratch@localhost",
    "user.name=scratch",
)
ISOLATED_ENVIRONMENT = {
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True)
class ScratchRepository:
    """A repository in a folder: git does not look for one above it."""

    folder: Path

    def git(self, *arguments: str) -> str:
        """Run git in it, and return what it printed.

        Raises:
            InputError: It failed.
        """
        env = ISOLATED_ENVIRONMENT | {"GIT_CEILING_DIRECTORIES": str(self.folder.resolve().parent)}
        output = run_git(*arguments, cwd=self.folder, settings=SETTINGS, env=env)
        hint = f"git -C {self.folder} {arguments[0]}; is there room on the disk?"
        return require_success(output, hint).stdout

    def init(self, main: str) -> None:
        """Make it, with everything that is in the folder, whatever its files say is ignored.

        Args:
            main: The name of its branch.
        """
        self.git("init", "--quiet", "--template=")
        self.git("symbolic-ref", "HEAD", local_branch_ref(main))  # it may have been begun before
        self.git("add", "--all", "--force")
        self.commit("Begin")

    def commit(self, message: str) -> None:
        """Commit all that there is, if it is not ignored."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")


def copy_files(names: Iterable[str], target: Path, source: Path = Path()) -> None:
    """Copy files as git hands them out: a link stays one, and what is gone is left out.

    Args:
        names: As git lists them. A submodule is a folder: its files are copied. A repository that
            was not added, listed with a slash, is none of the checkout's.
        target: Where to.
        source: The checkout that they are named from; here, if not given.
    """
    for name in names:
        old, new = source / name, target / name
        if old.is_symlink() or old.is_file():
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(old, new, follow_symlinks=False)
        elif old.is_dir() and not name.endswith("/"):
            copy_files(files(cwd=old), new, old)
