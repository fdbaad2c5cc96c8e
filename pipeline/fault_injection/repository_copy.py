"""Copies of the repository in which faults are made; the checkout is never changed."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline import git, scratch_repository
from pipeline.config import main_branch
from pipeline.errors import INCONCLUSIVE_DIR, read_inconclusive
from pipeline.fault_injection.edit import Edit
from pipeline.scratch_repository import ScratchRepository


@dataclass(frozen=True)
class RepositoryCopy:
    """A git repository with the files of another one."""

    root: Path

    @contextmanager
    def with_edits(self, changes: Sequence[Edit]) -> Iterator[None]:
        """Commit edits, and remove them afterwards.

        Files that git ignores stay, as on a developer's machine: packages, caches, reports.

        Raises:
            StaleFaultError: One of the edits does not apply.
        """
        try:
            for change in changes:
                change.apply(self.root)
            self.commit("Inject a fault")
            yield
        finally:
            self._repository.git("reset", "--quiet", "--hard", "refs/tags/clean")
            self._repository.git("clean", "--quiet", "--force", "-d")

    def commit(self, message: str) -> None:
        """Commit all changes."""
        self._repository.commit(message)

    def set_baseline(self) -> None:
        """Make the current files the state that `with_edits` restores."""
        self._repository.init(main_branch())
        self.commit("Change nothing")  # so that there is a previous release
        self._repository.git("tag", "--force", "clean")

    def branch(self, name: str) -> None:
        """Create a branch and switch to it."""
        self._repository.git("switch", "--quiet", f"--create={name}")

    def clone(self, target: Path) -> "RepositoryCopy":
        """Return a second copy."""
        return RepositoryCopy(Path(shutil.copytree(self.root, target, symlinks=True)))

    def inconclusive_checks(self) -> dict[str, str]:
        """Return the checks that the last session could not decide, with the reasons."""
        return {
            error.check: str(error) for error in read_inconclusive(self.root / INCONCLUSIVE_DIR)
        }

    @property
    def _repository(self) -> ScratchRepository:
        return ScratchRepository(self.root)


def copy_repository(source: Path, target: Path) -> RepositoryCopy:
    """Copy the files of a checkout that git knows, with uncommitted changes.

    Args:
        source: The checkout.
        target: A folder that does not exist.
    """
    scratch_repository.copy_files(git.files(cwd=source), target, source)
    made = RepositoryCopy(target)
    made.set_baseline()
    return made


def link_folders(source: Path, target: Path, folders: Sequence[str]) -> None:
    """Copy folders of installed packages as hard links; no tool writes into an installed file.

    Args:
        source: The checkout.
        target: A copy of it.
        folders: Those of the folders that exist are copied.
    """
    for folder in folders:
        if (source / folder).is_dir():
            shutil.copytree(source / folder, target / folder, symlinks=True, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)
