"""What is to become of files: computed, shown as a diff, written."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import filesystem


@dataclass(frozen=True)
class Change:
    """New texts of files, and paths that go."""

    old: Mapping[Path, str]
    new: Mapping[Path, str]
    gone: Sequence[Path]

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be another."""
        return not self.edited and not self.gone

    @property
    def edited(self) -> dict[Path, str]:
        """The files that stay, and have another text."""
        return {
            path: text
            for path, text in self.new.items()
            if text != self.old[path] and not self.takes(path)
        }

    def takes(self, path: Path) -> bool:
        """Say whether a file goes, by itself or with its folder."""
        return any(path.is_relative_to(gone) for gone in self.gone)

    def diff(self) -> Iterator[str]:
        """Yield the lines of a diff that git can apply."""
        for path, text in self.edited.items():
            yield from _diff(path, self.old[path], text, f"b/{path}")
        for path, text in self.old.items():
            if self.takes(path):
                yield from _diff(path, text, "", "/dev/null")

    def write(self) -> None:
        """Make it so; what cannot be written shows before anything has changed."""
        filesystem.write(self.edited)
        for path in self.gone:
            filesystem.remove(path)


def _diff(path: Path, old: str, new: str, to: str) -> Iterator[str]:
    for line in difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{path}", to
    ):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
