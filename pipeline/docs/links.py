"""Find broken links between documents, with GitHub's rules for Markdown."""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipeline import git
from pipeline.files import read_text

_PARSER = MarkdownIt().enable("table")
_ADDRESSES = {"href", "src"}
_NAMES = {"id", "name"}


class _Html(HTMLParser):
    """The addresses and the names in a piece of HTML, without comments."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.names: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Record the addresses and the names of an element."""
        self.addresses += [value for name, value in attrs if value and name in _ADDRESSES]
        self.names += [value for name, value in attrs if value and name in _NAMES]


def documents() -> list[Path]:
    """Return all documents of the repository."""
    return [*Path().glob("*.md"), *Path("docs").glob("**/*.md")]


def broken_links(documents: Iterable[Path]) -> Iterator[str]:
    """Yield a sentence for every link to a file or heading that does not exist.

    Args:
        documents: The Markdown files.
    """
    known = _existing_paths()
    for document in documents:
        for address in link_addresses(document):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            name, anchor = unquote(parts.path), unquote(parts.fragment)
            path = _link_target(document, name)
            if str(path) not in known:
                yield f"{document}: no such file: `{name}`"
            elif anchor and path.suffix == ".md" and anchor not in _anchors(path):
                yield f"{document}: no such heading: `{name}#{anchor}`"


def _existing_paths() -> Collection[str]:
    """Return the files and folders of a clone; files that git ignores do not count."""
    files = [Path(name) for name in git.files() if os.path.lexists(name)]
    return {str(place) for file in files for place in (file, *file.parents)}


def _link_target(document: Path, path: str) -> Path:
    """Return the target of a link, as a path from the root of the repository."""
    folder = Path() if path.startswith("/") else document.parent
    return Path(os.path.normpath(folder / path.lstrip("/"))) if path else document


def link_addresses(document: Path) -> Iterator[str]:
    """Yield the addresses of the links and images of a document."""
    for token in _tokens(document):
        yield from (str(token.attrs[name]) for name in _ADDRESSES if name in token.attrs)
        if token.type.startswith("html_"):
            yield from _Html(token.content).addresses


def _anchors(document: Path) -> set[str]:
    """Return the anchors of a document: its headings, and the names in its HTML."""
    found: set[str] = set()
    seen = Counter[str]()
    for token in _tokens(document):
        if token.type.startswith("html_"):
            found |= {*_Html(token.content).names}
        elif token.type == "heading":
            slug = re.sub(r"[^\w\- ]", "", token.content.lower()).replace(" ", "-")
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
    return found


def _tokens(document: Path) -> Iterator[Token]:
    """Yield the tokens of a document; a heading as one token that contains its text."""
    blocks = _PARSER.parse(read_text(document))
    for before, token in zip([None, *blocks], blocks, strict=False):
        inner = token.children or []
        if before and before.type == "heading_open":
            text = "".join(each.content for each in inner if not each.type.startswith("html_"))
            yield Token("heading", "", 0, content=text)
        yield from (token, *inner)
