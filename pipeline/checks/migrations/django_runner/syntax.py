"""Parse SQL into a tree with `squawk --debug=parse`."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from pipeline.errors import CheckFailedError
from pipeline.process import capture, last_error_line

_SQUAWK = ("squawk", f"--config={os.devnull}", "--debug=parse", "--stdin-filepath=migrations.sql")
_LINE = re.compile(r"(?P<indent> *)(?P<kind>[A-Z_]+)@(?P<start>\d+)\.\.(?P<end>\d+)")


@dataclass
class Node:
    """A node of the syntax tree; `kind` is the name that Squawk uses."""

    kind: str
    text: str
    children: list[Self] = field(default_factory=list)

    def all(self, *kinds: str) -> Iterator["Node"]:
        """Yield this node and all nodes below with one of these kinds."""
        if self.kind in kinds:
            yield self
        for child in self.children:
            yield from child.all(*kinds)

    def has(self, *kinds: str) -> bool:
        """Return whether this node or a node below has one of these kinds."""
        return next(self.all(*kinds), None) is not None

    def name(self, *kinds: str) -> str:
        """Return the first name of these kinds, unquoted; an empty string if there is none."""
        found = next(self.all(*kinds), None)
        return unquoted(found.text) if found else ""


def unquoted(name: str) -> str:
    """Return a name without quotes and without the schema `public`."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^.\s]+', name)
    bare = [each[1:-1].replace('""', '"') if each[0] == '"' else each.lower() for each in parts]
    return ".".join(bare).removeprefix("public.")


def statements(sql: str) -> list[Node]:
    """Parse the statements of a script.

    Raises:
        CheckFailedError: Squawk cannot parse the script.
    """
    output = capture(_SQUAWK, stdin=sql)
    if output.returncode:
        raise CheckFailedError(
            f"squawk cannot parse these migrations: {last_error_line(output)}",
            hint="nox -s migrations",
        )
    content, path = sql.encode(), [Node("", "")]
    for line in output.stdout.splitlines():
        if not (found := _LINE.match(line)):
            continue  # a syntax error, which PostgreSQL reports too
        depth = len(found["indent"]) // 2
        text = content[int(found["start"]) : int(found["end"])].decode()
        node = Node(found["kind"], text.strip())
        del path[depth + 1 :]
        path[depth].children.append(node)
        path.append(node)
    return [node for file in path[0].children for node in file.children if node.children]
