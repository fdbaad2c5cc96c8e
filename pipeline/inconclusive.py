"""The inconclusive checks of a run, grouped by reason, each with a hint.

python -m pipeline.inconclusive FOLDER   prints the groups of the records, and removes the folder
"""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InconclusiveError, handle_errors, read_inconclusive
from pipeline.github import actions

_MIN_WIDTH = 30  # columns; narrower blocks are hard to read


@dataclass(frozen=True)
class _Group:
    """One reason, its hint, and the names of the inconclusive checks."""

    reason: str
    hint: str
    names: Sequence[str]


@dataclass(frozen=True)
class Inconclusive:
    """All inconclusive checks of a run.

    Attributes:
        noun: What the names are, such as `session`.
        groups: The reasons, the one with the most names first.
    """

    noun: str
    groups: Sequence[_Group]

    @classmethod
    def of(cls, noun: str, found: Iterable[tuple[str, InconclusiveError]]) -> "Inconclusive":
        """Group by reason and hint.

        Args:
            noun: What the names are.
            found: Each error, with the name to list it under.
        """
        causes: dict[tuple[str, str], dict[str, None]] = {}
        for name, error in found:
            causes.setdefault((error.reason, error.hint), {})[name] = None
        made = [_Group(reason, hint, [*names]) for (reason, hint), names in causes.items()]
        return cls(noun, sorted(made, key=lambda group: -len(group.names)))

    @property
    def title(self) -> str:
        """The number of names, and of reasons."""
        names = {name for group in self.groups for name in group.names}
        reasons = _count(len(self.groups), "reason")
        return f"inconclusive: {_count(len(names), self.noun)}, for {reasons}"

    def text(self, width: int) -> str:
        """Return a block of text for a terminal.

        Args:
            width: The number of columns.
        """
        wide = max(len(str(len(group.names))) for group in self.groups)
        lines = [
            line for group in self.groups for line in _lines(group, wide, max(width, _MIN_WIDTH))
        ]
        return "\n".join([self.title, *lines])

    def markdown(self) -> str:
        """Return a list in Markdown."""
        rows = [
            f"- {group.reason}: {', '.join(f'`{name}`' for name in group.names)}"
            f"  \n  hint: `{group.hint}`"
            for group in self.groups
        ]
        return "\n".join([f"**{self.title}**", "", *rows, ""])


def _lines(group: _Group, wide: int, width: int) -> Iterator[str]:
    first, others = f"  {len(group.names):>{wide}}  ", " " * (wide + 4)
    parts = (group.reason, ", ".join(group.names), f"hint: {group.hint}")
    for indent, part in zip((first, others, others), parts, strict=True):
        yield from textwrap.wrap(
            part,
            width,
            initial_indent=indent,
            subsequent_indent=others,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def main(folder: Path) -> None:
    """Print the groups, add them to the summary of the run, and remove the records.

    Args:
        folder: The folder of the records.
    """
    found = [(error.check, error) for error in read_inconclusive(folder)]
    shutil.rmtree(folder, ignore_errors=True)
    if found:
        summary = Inconclusive.of("check", found)
        print(f"\n{summary.text(shutil.get_terminal_size().columns)}", file=sys.stderr)
        actions.add_summary(summary.markdown())


if __name__ == "__main__":
    with handle_errors():
        main(Path(sys.argv[1]))
