"""The blocks of commands in a document, and the markers that tell how each is checked.

<!-- not run: reason -->        it is not run; only the names in it are checked
<!-- run: nox -s docs-slow -->   it is slow, and that session runs it
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.files import read_text

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>not run|run): (?P<reason>.+?) -->\n\n?)?"
    r"^```(?P<kind>sh|console)\n(?P<script>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_PROMPT = re.compile(r"^\$ (.*\n)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One code block of commands.

    Attributes:
        location: The document, and the line of the first command.
        script: The commands.
        mark: `run`, `not run`, or empty.
    """

    location: str
    script: str
    mark: str = ""

    def matches(self, word: str) -> bool:
        """Return whether the location or the commands contain a word."""
        return word in self.location or word in self.script


def parse_blocks(document: Path) -> Iterator[Block]:
    """Yield the blocks of commands of a document."""
    text = read_text(document)
    for found in _BLOCK.finditer(text):
        script = found["script"]
        shown = script if found["kind"] == "sh" else "".join(_PROMPT.findall(script))
        line = text.count("\n", 0, found.start("script")) + 1
        yield Block(f"{document}:{line}", shown, found["mark"] or "")
