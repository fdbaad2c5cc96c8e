"""Escape text such as file names for a terminal or for Markdown."""

import re
from collections.abc import Iterable, Sequence

# control characters except tab and line feed, and those that change the text direction
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def escape_control(text: str) -> str:
    r"""Return a text with its control characters escaped, such as `\x1b`.

    Args:
        text: Line ends and tabs in it stay.
    """
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def quote_name(name: str) -> str:
    """Return a name for use in a line; one with control characters is quoted.

    Args:
        name: Such as that of a file.
    """
    return name if name.isprintable() else ascii(name)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table: https://github.github.com/gfm/#tables-extension-.

    Args:
        head: The titles of the columns.
        rows: The cells, row by row; they are escaped.
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    """Return text that ends neither its cell nor its row."""
    return " ".join(text.replace("|", "\\|").splitlines())
