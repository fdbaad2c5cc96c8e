"""One edit of one file, as the catalogue of faults defines it."""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.toml import Fault
from pipeline.toml_schema import Table

_EDIT_KINDS = ("find", "match", "append", "write")


class StaleFaultError(Exception):
    """The file is not as the edit expects it."""


class Edit(Table):
    """One edit of one file; exactly one of `find`, `match`, `append` and `write` is given."""

    file: str
    """Path from the root of the repository."""
    find: str | None = None
    """The first occurrence of this text is replaced by `replace`."""
    match: str | None = None
    """The first match of this pattern is replaced by `replace`, which may name its groups."""
    replace: str = ""
    append: str | None = None
    """This text is added at the end."""
    write: str | None = None
    """This text is the whole content of a new file."""
    times: int = 1
    """How often the new text is repeated."""

    def _has_one_kind(self) -> Iterator[Fault]:
        if sum(getattr(self, way) is not None for way in _EDIT_KINDS) != 1:
            yield Fault((), f"an edit needs exactly one of {', '.join(_EDIT_KINDS)}")

    RULES = (_has_one_kind,)

    def apply(self, root: Path) -> None:
        """Change the file.

        Args:
            root: A copy of the repository.

        Raises:
            StaleFaultError: The text to replace is missing, or a new file already exists.
        """
        path = root / self.file
        changed = self.edited_text(path.read_text() if path.exists() else None)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changed)

    def edited_text(self, text: str | None) -> str:
        """Return the content of the file after the edit.

        Args:
            text: Its content before; None, if it does not exist.

        Raises:
            StaleFaultError: The text to replace is missing, or a new file already exists.
        """
        if (text is None) != (self.write is not None):
            raise StaleFaultError(
                f"{self.file} {'does not exist' if text is None else 'already exists'}"
            )
        changed = self._changed(text or "")
        if changed == text:
            raise StaleFaultError(f"{self.file} has no such text: {self.find or self.match}")
        return changed

    def _changed(self, text: str) -> str:
        if self.find is not None:
            return text.replace(self.find, self.replace, 1)
        if self.match is not None:
            return re.sub(self.match, self.replace, text, count=1, flags=re.MULTILINE)
        return text + (self.append or self.write or "") * self.times
