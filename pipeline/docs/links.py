"""Links between the documents, and whether they lead anywhere."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.files import read_text

LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def documents() -> list[Path]:
    """Return all documents of the repository."""
    return [*Path().glob("*.md"), *Path("docs").glob("**/*.md")]


def broken_links(documents: Iterable[Path]) -> Iterator[str]:
    """Yield a sentence for every link to a file or heading that is not there.

    Args:
        documents: The Markdown files to read.
    """
    for document in documents:
        for target, anchor in LINK.findall(FENCE.sub("", read_text(document))):
            path = document.parent / target if target else document
            if not path.exists():
                yield f"{document}: no such file: `{target}`"
            elif anchor and anchor not in _anchors(path):
                yield f"{document}: no such heading: `{target}#{anchor}`"


def _anchors(document: Path) -> set[str]:
    headings = HEADING.findall(FENCE.sub("", read_text(document)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
