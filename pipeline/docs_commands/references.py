"""Check that the sessions, tags and tasks that documents name exist."""

import re
import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import invoke_tasks, nox_sessions
from pipeline.docs_commands.command_blocks import parse_blocks
from pipeline.files import read_text

_INLINE = re.compile(r"`((?:\./dev )?(?:nox|invoke) [^`]+)`")
_NAME = re.compile(r"[a-z][\w.-]*(\(.*\))?")


@dataclass(frozen=True)
class KnownNames:
    """The names that a command may use."""

    sessions: Collection[str]
    tags: Collection[str]
    tasks: Collection[str]


def known_names() -> KnownNames:
    """Return all sessions, tags and tasks.

    Raises:
        InputError: noxfile.py or tasks.py cannot be read.
    """
    found = nox_sessions.list_sessions()
    return KnownNames(
        {name for each in found for name in (each.name, each.session)},
        {tag for each in found for tag in each.tags},
        {task.name for task in invoke_tasks.list_tasks()},
    )


def find_unknown(document: Path, exists: KnownNames) -> Iterator[str]:
    """Yield a sentence for each session, tag or task in a document that does not exist.

    Args:
        document: The Markdown file.
        exists: The names that exist.
    """
    for line, command in _iter_commands(document):
        for kind, name in referenced_names(command):
            if name not in getattr(exists, f"{kind}s"):
                yield f"{document}:{line}: there is no {kind} `{name}`"


def _iter_commands(document: Path) -> Iterator[tuple[int, str]]:
    """Yield every command of a document with its line, those in sentences too."""
    for block in parse_blocks(document):
        first = int(block.location.rpartition(":")[2])
        yield from enumerate(block.script.splitlines(), start=first)
    for number, line in enumerate(read_text(document).splitlines(), start=1):
        yield from ((number, command) for command in _INLINE.findall(line))


def referenced_names(command: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the name of each session, tag and task in a command."""
    try:
        words = shlex.split(command, comments=True)
    except ValueError:  # an incomplete command
        words = command.split()
    words = words[1:] if words[:1] == ["./dev"] else words
    match words:
        case ["nox", ("-s" | "-t") as option, *rest]:
            kind = "session" if option == "-s" else "tag"
            yield from ((kind, name) for name in _names(rest))
        case ["invoke", *rest]:
            yield from (("task", name) for name in _names(rest))


def _names(words: list[str]) -> Iterator[str]:
    for word in words:
        if not _NAME.fullmatch(word) or re.fullmatch(r"v\d.*", word):
            return
        yield word
