"""The blocks of commands in a document, and the marks that say where each of them is run.

<!-- not run: why -->           it is not, for this reason; what it names is looked at only
<!-- run: nox -s docs-slow -->   it takes long, and that session runs it
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.files import read_text

BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>not run|run): (?P<said>.+?) -->\n\n?)?"
    r"^```(?P<kind>sh|console)\n(?P<script>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
PROMPT = re.compile(r"^\$ (.*\n)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """Commands that are shown together.

    Attributes:
        place: The document and the line where they begin.
        script: The commands.
        mark: `run` or `not run`, if it bears one of them.
    """

    location: str
    script: str
    mark: str = ""

    def matches(self, word: str) -> bool:
        """Tell whether a word stands in its place or in its commands."""
        return word in self.location or word in self.script


def parse_blocks(document: Path) -> Iterator[Block]:
    """Yield the blocks of commands of a document."""
    text = read_text(document)
    for found in BLOCK.finditer(text):
        script = found["script"]
        shown = script if found["kind"] == "sh" else "".join(PROMPT.findall(script))
        line = text.count("\n", 0, found.start("script")) + 1
        yield Block(f"{document}:{line}", shown, found["mark"] or "")
