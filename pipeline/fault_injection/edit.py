"""One change of one file, as the table of faults writes it."""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.schema import Table
from pipeline.toml import Fault

EDIT_KINDS = ("find", "match", "append", "write")


class StaleFaultError(Exception):
    """The file is not as the table takes it to be."""


class Edit(Table):
    """One change of one file; exactly one of the ways below."""

    file: str
    """From the root of the repository."""
    find: str | None = None
    """This text, where it stands first, gives way to `put`."""
    match: str | None = None
    """What fits this regular expression first gives way to `put`, which may name its groups."""
    replace: str = ""
    append: str | None = None
    """This text comes at the end."""
    write: str | None = None
    """This text is the file, which is new."""
    times: int = 1
    """How often the new text stands in it."""

    def _has_one_kind(self) -> Iterator[Fault]:
        if sum(getattr(self, way) is not None for way in EDIT_KINDS) != 1:
            yield Fault((), f"it takes one of {', '.join(EDIT_KINDS)}")

    RULES = (_has_one_kind,)

    def apply(self, root: Path) -> None:
        """Change the file.

        Args:
            root: The repository, a copy that nobody works in.

        Raises:
            UnplantedError: The text to replace is not there, or the file is where it must not be.
        """
        path = root / self.file
        changed = self.edited_text(path.read_text() if path.exists() else None)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changed)

    def edited_text(self, text: str | None) -> str:
        """Return what the file then holds.

        Args:
            text: What it holds now; None, if it is not there.

        Raises:
            UnplantedError: The text to replace is not there, or the file is where it must not be.
        """
        if (text is None) != (self.write is not None):
            raise StaleFaultError(f"{self.file} is {'not ' if text is None else ''}there")
        changed = self._changed(text or "")
        if changed == text:
            raise StaleFaultError(f"{self.file} holds nothing to change: {self.find or self.match}")
        return changed

    def _changed(self, text: str) -> str:
        if self.find is not None:
            return text.replace(self.find, self.replace, 1)
        if self.match is not None:
            return re.sub(self.match, self.replace, text, count=1, flags=re.MULTILINE)
        return text + (self.append or self.write or "") * self.times
