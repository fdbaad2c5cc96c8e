"""New contents of files: computed, printed as a diff, written."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import filesystem


@dataclass(frozen=True)
class Patch:
    """New contents of files, and paths to remove."""

    old: Mapping[Path, str]
    new: Mapping[Path, str]
    removed: Sequence[Path]

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.changed and not self.removed

    @property
    def changed(self) -> dict[Path, str]:
        """The files that stay and have a new content."""
        return {
            path: text
            for path, text in self.new.items()
            if text != self.old[path] and not self.removes(path)
        }

    def removes(self, path: Path) -> bool:
        """Return whether a file is removed, by itself or with its folder."""
        return any(path.is_relative_to(gone) for gone in self.removed)

    def diff(self) -> Iterator[str]:
        """Yield the lines of a diff for `git apply`."""
        for path, text in self.changed.items():
            yield from _diff(path, self.old[path], text, f"b/{path}")
        for path, text in self.old.items():
            if self.removes(path):
                yield from _diff(path, text, "", "/dev/null")

    def write(self) -> None:
        """Write and remove the files; a file that is not writable is reported before any change."""
        filesystem.write_files(self.changed)
        for path in self.removed:
            filesystem.remove_path(path)


def _diff(path: Path, old: str, new: str, to: str) -> Iterator[str]:
    for line in difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", to
    ):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
