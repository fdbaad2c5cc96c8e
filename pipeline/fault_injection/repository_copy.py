"""Copies of the repository that faults are planted in: what is worked in is never touched."""

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
    """A repository of its own with the tree of another."""

    root: Path

    @contextmanager
    def with_edits(self, changes: Sequence[Edit]) -> Iterator[None]:
        """Commit some changes, and take them back afterwards.

        What git ignores stays, as it does where somebody works: packages, caches, reports.

        Raises:
            UnplantedError: One of the changes does not fit.
        """
        try:
            for change in changes:
                change.apply(self.root)
            self.commit("Plant a fault")
            yield
        finally:
            self._repository.git("reset", "--quiet", "--hard", "refs/tags/clean")
            self._repository.git("clean", "--quiet", "--force", "-d")

    def commit(self, message: str) -> None:
        """Commit all that there is."""
        self._repository.commit(message)

    def set_baseline(self) -> None:
        """Make the tree as it is now the clean one."""
        self._repository.init(main_branch())
        self.commit("Change nothing")  # what asks for the release before finds it
        self._repository.git("tag", "--force", "clean")

    def branch(self, name: str) -> None:
        """Go on in a branch: what is changed there is a change."""
        self._repository.git("switch", "--quiet", f"--create={name}")

    def clone(self, target: Path) -> "RepositoryCopy":
        """Return one more of the same."""
        return RepositoryCopy(Path(shutil.copytree(self.root, target, symlinks=True)))

    def inconclusive_checks(self) -> dict[str, str]:
        """Return what the last session could not judge, with the reasons."""
        return {
            error.check: str(error) for error in read_inconclusive(self.root / INCONCLUSIVE_DIR)
        }

    @property
    def _repository(self) -> ScratchRepository:
        return ScratchRepository(self.root)


def copy_repository(source: Path, target: Path) -> RepositoryCopy:
    """Copy a checkout as git would hand it out, uncommitted changes included.

    Args:
        source: The checkout.
        target: A folder that is not there yet.
    """
    scratch_repository.copy_files(git.files(cwd=source), target, source)
    made = RepositoryCopy(target)
    made.set_baseline()
    return made


def link_folders(source: Path, target: Path, folders: Sequence[str]) -> None:
    """Take packages over by links: no tool writes into an installed file.

    Args:
        source: The checkout.
        target: A copy of it.
        folders: Where the packages are, if they are there.
    """
    for folder in folders:
        if (source / folder).is_dir():
            shutil.copytree(source / folder, target / folder, symlinks=True, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)
