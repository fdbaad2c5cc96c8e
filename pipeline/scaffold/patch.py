"""What is to become of files: computed, shown as a diff, written."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import filesystem


@dataclass(frozen=True)
class Patch:
    """New texts of files, and paths that go."""

    old: Mapping[Path, str]
    new: Mapping[Path, str]
    removed: Sequence[Path]

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be another."""
        return not self.changed and not self.removed

    @property
    def changed(self) -> dict[Path, str]:
        """The files that stay, and have another text."""
        return {
            path: text
            for path, text in self.new.items()
            if text != self.old[path] and not self.removes(path)
        }

    def removes(self, path: Path) -> bool:
        """Say whether a file goes, by itself or with its folder."""
        return any(path.is_relative_to(gone) for gone in self.removed)

    def diff(self) -> Iterator[str]:
        """Yield the lines of a diff that git can apply."""
        for path, text in self.changed.items():
            yield from _diff(path, self.old[path], text, f"b/{path}")
        for path, text in self.old.items():
            if self.removes(path):
                yield from _diff(path, text, "", "/dev/null")

    def write(self) -> None:
        """Make it so; what cannot be written shows before anything has changed."""
        filesystem.write_files(self.changed)
        for path in self.removed:
            filesystem.remove_path(path)


def _diff(path: Path, old: str, new: str, to: str) -> Iterator[str]:
    for line in difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", to
    ):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
