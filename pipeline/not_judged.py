"""What a run could not judge, grouped by reason, each with the command that changes it.

python -m pipeline.not_judged FOLDER   prints the groups of the records in a folder; removes it
"""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import github
from pipeline.errors import NotJudgedError, records


@dataclass(frozen=True)
class Group:
    """One reason, the command that changes it, and the names of what was not judged for it."""

    reason: str
    hint: str
    names: Sequence[str]


def groups(found: Iterable[tuple[str, NotJudgedError]]) -> list[Group]:
    """Group what was not judged by reason and hint, the largest group first.

    Args:
        found: Each fault with the name to list it under: that of a session or of a check.
    """
    causes: dict[tuple[str, str], dict[str, None]] = {}
    for name, error in found:
        causes.setdefault((error.reason, error.hint), {})[name] = None
    made = [Group(reason, hint, [*names]) for (reason, hint), names in causes.items()]
    return sorted(made, key=lambda group: -len(group.names))


def title(found: Sequence[Group], noun: str) -> str:
    """Return how many were not judged, for how many reasons.

    Args:
        found: The groups.
        noun: What the names in them are names of, such as `session`.
    """
    names = {name for group in found for name in group.names}
    return f"not judged: {_count(len(names), noun)}, for {_count(len(found), 'reason')}"


def text(found: Sequence[Group], noun: str, width: int) -> str:
    """Return the groups as a block for a terminal.

    Args:
        found: The groups.
        noun: What the names in them are names of.
        width: How many columns there are.
    """
    return "\n".join([title(found, noun), *_lines(found, max(width, 20))])


def markdown(found: Sequence[Group], noun: str) -> str:
    """Return the groups as a list of Markdown.

    Args:
        found: The groups.
        noun: What the names in them are names of.
    """
    rows = [
        f"- {each.reason}: {', '.join(f'`{name}`' for name in each.names)}  \n  hint: {each.hint}"
        for each in found
    ]
    return "\n".join([f"**{title(found, noun)}**", "", *rows, ""])


def _lines(found: Sequence[Group], width: int) -> Iterator[str]:
    wide = max(len(str(len(group.names))) for group in found)
    for group in found:
        parts = (group.reason, ", ".join(group.names), f"hint: {group.hint}")
        heads = (f"  {len(group.names):>{wide}}  ", *[" " * (wide + 4)] * 2)
        for head, part in zip(heads, parts, strict=True):
            yield from textwrap.wrap(
                part,
                width,
                initial_indent=head,
                subsequent_indent=" " * (wide + 4),
                break_long_words=False,
                break_on_hyphens=False,
            )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def main(folder: Path) -> None:
    """Print the groups of a run's records, show them on the page of the run, and remove them.

    Args:
        folder: Where the records are.
    """
    found = groups((error.check, error) for error in records(folder))
    shutil.rmtree(folder, ignore_errors=True)
    if found:
        width = shutil.get_terminal_size().columns
        print(f"\n{text(found, 'check', width)}", file=sys.stderr)
        github.add_summary(markdown(found, "check"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
