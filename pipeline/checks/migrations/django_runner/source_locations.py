"""Find the file and line of the operation that sends a statement."""

import ast
import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.db.migrations import Migration
from django.db.migrations.operations.base import Operation

_ROOT = Path.cwd().parent  # of the repository: the process runs in the folder of a backend


class OperationLocator:
    """Wraps the operations of a migration to know which of them is running."""

    def __init__(self, migration: Migration) -> None:
        self.file, self.now, self.failed = file_of(migration), "", file_of(migration)
        self.deferred: list[tuple[object, str]] = []
        lines = _lines(_ROOT / self.file)
        if len(lines) != len(migration.operations):  # code builds the list: lines are unknown
            lines = [0] * len(migration.operations)
        self.lines = {
            id(operation): f"{self.file}:{line}" if line else self.file
            for operation, line in zip(migration.operations, lines, strict=True)
        }
        for operation in migration.operations:
            forwards = partial(self._apply, operation, operation.database_forwards)
            operation.database_forwards = forwards  # type: ignore[method-assign]

    def of(self, statement: str) -> str:
        """Return path and line of the operation that sends a statement, or has deferred it."""
        if self.now:
            return self.now
        places = (place for each, place in self.deferred if str(each) == statement)
        return next(places, self.file)

    def line_of(self, operation: Operation) -> str:
        return self.lines.get(id(operation), self.file)

    def _apply(
        self,
        operation: Operation,
        forwards: Callable[..., None],
        app_label: str,
        schema_editor: Any,  # noqa: ANN401
        *states: Any,  # noqa: ANN401
    ) -> None:
        """Run an operation, and cache its deferred statements, such as foreign keys.

        The statements must not be converted to text here: Django would fix the name of an index,
        although a later operation may rename the table.
        """
        self.now = self.failed = self.line_of(operation)
        forwards(app_label, schema_editor, *states)
        self.failed = self.file
        known = {id(each) for each, _ in self.deferred}
        new = (each for each in schema_editor.deferred_sql if id(each) not in known)
        self.deferred += [(each, self.now) for each in new]
        self.now = ""


def file_of(migration: Migration) -> str:
    """Return the path of a migration's file, relative to the repository if possible."""
    source = Path(inspect.getsourcefile(type(migration)) or "")
    return str(source.relative_to(_ROOT) if source.is_relative_to(_ROOT) else source)


def _lines(source: Path) -> list[int]:
    """Return the first line of each operation in the list `operations = […]` of a file."""
    if not source.is_file():
        return []
    for node in ast.walk(ast.parse(source.read_text())):
        if (
            isinstance(node, ast.Assign)
            and any(isinstance(name, ast.Name) and name.id == "operations" for name in node.targets)
            and isinstance(node.value, ast.List)
        ):
            return [each.lineno for each in node.value.elts]
    return []
