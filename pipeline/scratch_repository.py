"""Temporary git repositories that ignore the configuration of the user and the system."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.git import files, local_branch_ref, require_success, run_git

# configuration in addition to `_ISOLATED_ENVIRONMENT`
_SETTINGS = (
    "commit.gpgSign=false",
    "core.attributesFile=/dev/null",
    "core.hooksPath=/dev/null",
    "gc.auto=0",
    "maintenance.auto=false",
    "safe.directory=*",
    "user.email=scratch@localhost",
    "user.name=scratch",
)
_ISOLATED_ENVIRONMENT = {
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True)
class ScratchRepository:
    """A repository in a folder; git does not search the parent folders."""

    folder: Path

    def git(self, *arguments: str) -> str:
        """Run git in it, and return its stdout.

        Raises:
            InputError: It failed.
        """
        env = _ISOLATED_ENVIRONMENT | {"GIT_CEILING_DIRECTORIES": str(self.folder.resolve().parent)}
        output = run_git(*arguments, cwd=self.folder, settings=_SETTINGS, env=env)
        hint = f"git -C {self.folder} {arguments[0]}; check the free disk space"
        return require_success(output, hint).stdout

    def init(self, main: str) -> None:
        """Create it, and commit all files of the folder, ignored ones too.

        Args:
            main: The name of its branch.
        """
        self.git("init", "--quiet", "--template=")
        self.git("symbolic-ref", "HEAD", local_branch_ref(main))  # it may exist already
        self.git("add", "--all", "--force")
        self.commit("Initial commit")

    def commit(self, message: str) -> None:
        """Commit all files that are not ignored."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")


def copy_files(names: Iterable[str], target: Path, source: Path = Path()) -> None:
    """Copy files as in a checkout: symbolic links stay links, missing files are skipped.

    Args:
        names: As git lists them. The files of a submodule are copied; a nested repository, listed
            with a slash, is not.
        target: The folder to copy to.
        source: The checkout; the current folder by default.
    """
    for name in names:
        old, new = source / name, target / name
        if old.is_symlink() or old.is_file():
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(old, new, follow_symlinks=False)
        elif old.is_dir() and not name.endswith("/"):
            copy_files(files(cwd=old), new, old)
